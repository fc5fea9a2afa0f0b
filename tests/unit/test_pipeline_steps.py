"""The steps of a deployment without an engine: their order, who approves what, where it stands when one fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sophia.drift import Drift
from sophia.errors import Interrupted, Problem, RunFailed, SettingsError, SophiaError, UnreadableError
from sophia.events import Resource
from sophia.pipeline import Course, Deployment, Options, Step, StepEvent, ways_back
from sophia.pipeline.deploy import approve, deploy
from sophia.pipeline.plan import Binding, BoundPlan
from sophia.pipeline.record import Label, Past
from sophia.pipeline.revision import Revision
from sophia.pipeline.trial import check_deployed, watch_health
from sophia.results import Change, Counts, HistoryEntry, Operation, Partial, Plan, PropertyChange, Result

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
REVISION = Revision("a" * 40, changed=False, program="p", settings="s")
BINDING = Binding("scoobyjava-org/sophia-ai/prod", "https://api.pulumi.com", REVISION, {})


def change(name: str, operation: Operation = "update", platform: str = "Slack") -> Change:
    urn = f"urn:pulumi:prod::sophia-ai::sophia:platform:{platform}$pulumi-python:dynamic/x:Channel::{name}"
    return Change(Resource(urn), operation, (PropertyChange("purpose", "old", "new"),))


def planned(*changes: Change) -> Plan:
    return Plan("prod", Counts(updated=len(changes)), changes, {}, 1.0, None, engine_plan=b"{}", state="state")


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is noted for `sophia status`, which asks Pulumi Cloud."""
    noted: list[Any] = []
    monkeypatch.setattr("sophia.known.remember", lambda _stack, drift: noted.append(drift))
    return noted


@dataclass
class FakeStack:
    """What the steps ask of a stack; the engine's part is in tests/engine."""

    name: str = "prod"
    kind: str = "cloud"
    again: Plan = field(default_factory=planned)
    drifted: tuple[Change, ...] = ()
    failure: SophiaError | None = None

    @property
    def target(self) -> Any:
        return SimpleNamespace(kind=self.kind, label="scoobyjava-org", backend="https://api.pulumi.com")

    @property
    def settings_file(self) -> Path:
        return Path(f"Pulumi.{self.name}.yaml")

    @property
    def project(self) -> Any:
        raise AssertionError("no step asks for the project here")

    def preview(self, _on_event: object = None) -> Plan:
        return self.again

    def drift(self) -> Drift:
        if self.failure:
            raise self.failure
        return Drift(self.name, self.drifted, 3, 1.0, None)

    def up(self, _on_event: object, *, plan: Plan, fail_fast: bool) -> Result:
        if self.failure:
            raise self.failure
        return Result(self.name, plan.counts, plan.changes, {}, 1.0, None)


def deployment(stack: FakeStack | None = None, *changes: Change, **options: Any) -> Deployment:
    made: Any = Deployment("deploy", stack or FakeStack(), None, Options(**options), REVISION, "ada", "run1")  # type: ignore[arg-type] # fakes
    made.plan = BoundPlan(BINDING, planned(*changes), NOW, "ada")
    found: Deployment = made
    return found


def entry(version: int, what: str = "deploy", revision: Revision | None = REVISION) -> HistoryEntry:
    agent = Label(what, "grace", revision, f"r{version}").text()
    return HistoryEntry(version, "update", "succeeded", NOW, NOW, "Why", {}, {"exec.agent": agent})


@dataclass
class Report:
    well: bool
    problems: Sequence[Problem] = ()


# Approval


def test_prod_with_real_accounts_needs_the_digest_whatever_yes_says() -> None:
    waiting = deployment(None, change("alerts"), yes=True)
    with pytest.raises(SettingsError, match="must be approved, and nothing was changed") as caught:
        approve(waiting)
    assert waiting.plan is not None
    assert f"--approve {waiting.plan.short_digest}" in caught.value.do
    assert "--yes" not in caught.value.do
    given = replace(waiting.options, approve=waiting.plan.short_digest)
    assert approve(replace(waiting, options=given)) == "approved by its digest"


def test_another_digest_than_the_plans_is_refused_where_none_would_be_needed() -> None:
    with pytest.raises(SettingsError, match="another plan was approved"):
        approve(deployment(FakeStack("dev", "sandbox"), change("alerts"), approve="0" * 16))


def test_what_destroys_something_real_is_asked_for_or_agreed_to_with_yes() -> None:
    staging, gone = FakeStack("staging"), change("alerts", "delete")
    with pytest.raises(SettingsError, match="must be approved") as caught:
        approve(deployment(staging, gone))
    assert "or with --yes" in caught.value.do
    assert approve(deployment(staging, gone, yes=True)) == "agreed to by ada, with --yes"
    assert approve(deployment(staging, change("alerts"))) == "not needed"
    assert approve(deployment(FakeStack("dev", "sandbox"), gone)) == "not needed"


def test_a_person_at_the_terminal_sees_the_plan_and_may_say_no() -> None:
    seen: list[BoundPlan] = []

    def ask(answer: bool) -> Callable[[BoundPlan], bool]:
        return lambda bound: seen.append(bound) or answer  # type: ignore[func-returns-value] # append returns None

    agreed = deployment(None, change("alerts"), ask=ask(True))
    assert approve(agreed) == "approved by ada"
    assert seen == [agreed.plan]
    with pytest.raises(SettingsError, match="was not approved, and nothing was changed"):
        approve(deployment(None, change("alerts"), ask=ask(False)))


def test_a_plan_that_changes_nothing_needs_nobody() -> None:
    assert approve(deployment()) == "not needed: it changes nothing"


def test_what_moves_during_the_approval_stops_the_deploy(monkeypatch: pytest.MonkeyPatch) -> None:
    moved = replace(BINDING, environments={"sophia-ai/prod": "8"})
    monkeypatch.setattr("sophia.pipeline.deploy.bind", lambda _stack: moved)
    waiting = deployment(None, change("alerts"))
    waiting.plan = replace(waiting.plan, made=datetime.now(UTC)) if waiting.plan else None
    with pytest.raises(RunFailed, match="out of date") as caught:
        deploy(waiting)
    assert caught.value.said == "the ESC environment sophia-ai/prod has changed (from revision none to 8)"
    assert not waiting.changing


# Tests after it


def test_everything_that_is_wrong_afterwards_is_told_together() -> None:
    sick = Report(False, [Problem("Slack is failing", "503", "SLACK_API_URL", "wait")])
    stack = FakeStack(
        again=planned(change("unstable")), drifted=(change("drifted"), change("other", platform="GitHub"))
    )
    tried = deployment(stack, check_health=lambda _stack, _platforms: sick)
    with pytest.raises(RunFailed) as caught:
        check_deployed(tried, None)
    told = [problem.what for problem in caught.value.problems]
    assert told[0] == "Slack is failing"
    assert told[1] == 'Slack channel "unstable": a second run would change it again'
    assert told[2].endswith('GitHub channel "other": the platform has something else than was set')


def test_drift_of_platforms_that_were_not_touched_is_not_this_deploys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sophia.pipeline.trial._asked", lambda _deployment, platforms: platforms)
    asked: list[object] = []

    def well(_stack: object, platforms: object) -> Report:
        asked.append(platforms)
        return Report(True)

    tried = deployment(FakeStack(drifted=(change("other", platform="GitHub"),)), check_health=well)
    assert check_deployed(tried, ("slack",)).startswith("slack: well")
    assert asked == [("slack",)]


def test_what_cannot_be_read_is_not_called_well() -> None:
    unreadable = UnreadableError([Problem("Slack: 3 objects could not be read")], Drift("prod", (), 0, 1.0, None))
    with pytest.raises(RunFailed, match="could not be read"):
        check_deployed(deployment(FakeStack(failure=unreadable)), None)


def test_the_watch_ends_when_it_is_stable_and_fails_when_it_never_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sophia.pipeline.trial._PAUSE", 0.001)
    answers = iter([Report(True), Report(False), Report(True), Report(True), Report(False)])
    assert watch_health(deployment(check_health=lambda *_: next(answers), watch=60), None) == "stable after 4 looks"
    sick = Report(False, [Problem("Slack is failing")])
    with pytest.raises(RunFailed, match="Slack is failing"):
        watch_health(deployment(check_health=lambda *_: sick, watch=0.01), None)
    assert watch_health(deployment(check_health=lambda *_: sick, watch=0), None) == "not watched"


# Where it stands


def course(*names: str, at: str, error: BaseException) -> tuple[Course[None], list[StepEvent]]:
    def act(name: str) -> Callable[[None], str]:
        def run(_nothing: None) -> str:
            if name == at:
                raise error
            return f"{name} is well"

        return run

    told: list[StepEvent] = []
    return Course([Step(name, act(name)) for name in names], told.append), told


def test_a_failed_step_ends_the_course_and_says_what_was_done_and_what_was_not() -> None:
    steps, told = course("preview", "deploy", "test", at="deploy", error=RunFailed("Slack: refused", said="403"))
    with pytest.raises(RunFailed):
        steps.run(None)
    assert [(e.step, e.status, e.said) for e in told] == [
        ("preview", "started", ""),
        ("preview", "done", "preview is well"),
        ("deploy", "started", ""),
        ("deploy", "failed", "Slack: refused"),
    ]
    assert steps.standing is not None
    assert (steps.standing.done, steps.standing.step, steps.standing.left) == (("preview",), "deploy", ("test",))
    assert (steps.standing.number, steps.standing.total) == (2, 3)


def test_ctrl_c_between_the_engines_runs_is_an_interruption_and_no_traceback() -> None:
    steps, told = course("validate", "preview", at="validate", error=KeyboardInterrupt())
    with pytest.raises(Interrupted) as caught:
        steps.run(None)
    assert caught.value.exit_code == 130
    assert told[-1].status == "interrupted"


def test_ctrl_c_between_two_steps_says_where_it_stands_too() -> None:
    def tell(event: StepEvent) -> None:
        if event.over:
            raise KeyboardInterrupt

    steps = Course[None]([Step("preview", lambda _: "well"), Step("deploy", lambda _: "never")], tell)
    with pytest.raises(Interrupted):
        steps.run(None)
    assert steps.standing is not None
    assert steps.standing.left == ("deploy",)


def ways_after(error: SophiaError, past: Past, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is said of the ways back after a deploy of which the engine's run failed like this."""
    monkeypatch.setattr("sophia.pipeline.deploy.bind", lambda _stack: BINDING)
    waiting = deployment(FakeStack(failure=error), change("alerts"))
    waiting.past = past
    waiting.plan = replace(waiting.plan, made=datetime.now(UTC)) if waiting.plan else None
    steps = Course([Step("deploy", deploy)], lambda _event: None)
    with pytest.raises(RunFailed):
        steps.run(waiting)
    return ways_back(waiting, steps.standing)


def test_the_way_back_depends_on_what_was_done_and_what_there_is_to_go_back_to(monkeypatch: pytest.MonkeyPatch) -> None:
    partial = RunFailed("refused")
    partial.partial = Partial(Counts(updated=1), (), ())
    good = Past((entry(7),), (7,))
    back = "`sophia rollback prod` goes back to aaaaaaaa (deployed 2026-11-21 12:00 UTC by grace)"
    assert ways_after(partial, good, monkeypatch)[0] == back
    assert "no good deployment yet to go back to" in ways_after(partial, Past((), ()), monkeypatch)[0]
    assert ways_after(RunFailed("locked"), good, monkeypatch) == ["nothing was changed on the platforms"]

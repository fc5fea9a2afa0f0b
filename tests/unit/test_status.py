"""Where a stack stands: from a state, a history and what Pulumi Cloud tells, without a platform."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from sophia import cloud, known
from sophia.alerts import WELL
from sophia.cloud import Operation
from sophia.display.status import lines
from sophia.drift import Drift
from sophia.errors import CredentialsError, RunFailed, UnreachableError
from sophia.events import Resource
from sophia.known import KnownDrift
from sophia.pipeline.record import Label
from sophia.pipeline.revision import Revision, of_checkout
from sophia.results import Change, Counts, HistoryEntry, Plan, PropertyChange
from sophia.stack import Stack
from sophia.state import State
from sophia.status import CredentialAges, Status, status
from sophia.target import Target

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}


def urn(platform: str, kind: str, name: str) -> str:
    return f"urn:pulumi:dev::sophia-ai::sophia:platform:{platform}$pulumi-python:dynamic/x:{kind}::{name}"


ALERTS, KEY, OLD = (
    urn("Slack", "Channel", "alerts"),
    urn("OpenRouter", "ApiKey", "ci"),
    urn("OpenRouter", "ApiKey", "old"),
)


def record(urn: str, **members: Any) -> dict[str, Any]:
    return {"urn": urn, "custom": True, "id": "1", "created": "2026-11-20T12:00:00.123456789Z", **members}


@pytest.fixture
def state() -> State:
    resources = [
        record(ALERTS, initErrors=["the topic was refused"]),
        record(urn("Slack", "Channel", "team")),
        record(urn("Slack", "App", "sophia"), inputs={"token": SECRET}, outputs={"token": SECRET}),
        record(KEY, outputs={"key": SECRET}),
        record(OLD, outputs={"key": SECRET}, created="2026-06-01T00:00:00Z"),
        record(urn("OpenRouter", "ApiKey", "gone"), delete=True, outputs={"key": SECRET}),
    ]
    pending = [{"type": "creating", "resource": {"urn": urn("Slack", "Usergroup", "platform")}}]
    return State({"deployment": {"resources": resources, "pending_operations": pending}})


class Cloud:
    """One stack of Pulumi Cloud."""

    def __init__(self) -> None:
        self.tags = {"pulumi:project": "sophia-ai", "sophia:good": "7"}
        self.operation: dict[str, Any] | None = None
        address = "/api/stacks/scoobyjava-org/sophia-ai/dev"
        routes = [Route(address, self.show), Route(f"{address}/tags", self.replace, methods=["PATCH"])]
        self.app = Starlette(routes=routes)

    async def show(self, request: Request) -> Response:
        if request.headers["authorization"] != "token of-the-test":
            return JSONResponse({"code": 401, "message": "Unauthorized"}, 401)
        return JSONResponse({"tags": self.tags, "currentOperation": self.operation})

    async def replace(self, request: Request) -> Response:
        self.tags = await request.json()
        return Response(status_code=204)


@pytest.fixture
def pulumi_cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def stack(
    tmp_path: Path, listen: Callable[[ASGIApp], str], pulumi_cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> Stack:
    (tmp_path / "Pulumi.yaml").write_text("name: sophia-ai\n")
    (tmp_path / "__main__.py").write_text("")
    for name in ("dev", "staging"):
        (tmp_path / f"Pulumi.{name}.yaml").write_text("config: {}\n")
    monkeypatch.setenv("PULUMI_ACCESS_TOKEN", "of-the-test")
    return Stack("dev", tmp_path, Target("cloud", listen(pulumi_cloud.app), "scoobyjava-org"))


def entry(minutes: int, agent: str = "", result: str = "succeeded") -> HistoryEntry:
    return HistoryEntry(3, "update", result, NOW - timedelta(minutes=minutes), NOW, "", {}, {"exec.agent": agent})


def looked_at(stack: Stack, state: State | None, *history: HistoryEntry, monkeypatch: pytest.MonkeyPatch) -> Status:
    monkeypatch.setattr(stack, "state", lambda: state)
    monkeypatch.setattr(stack, "history", lambda _limit: history)
    return status(stack)


def test_a_status_is_put_together_from_what_is_known(
    stack: Stack, state: State, pulumi_cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = of_checkout(stack.project.directory, stack.settings_file)
    label = Label("deploy", "ada", replace(now, commit="0123456789abcdef", settings="others"))
    pulumi_cloud.operation = {"kind": "update", "author": "grace", "started": 1_790_000_000}
    pulumi_cloud.tags[known.TAG] = "2026-11-21T11:00:00+00:00 checked=5 changed=1 deleted=0"
    found = looked_at(stack, state, entry(1), entry(9, label.text()), monkeypatch=monkeypatch)
    assert [(p.title, p.resources, dict(p.kinds)) for p in found.platforms] == [
        ("OpenRouter", 3, {"api key": 3}),
        ("Slack", 3, {"channel": 2, "app": 1}),
    ]
    assert [resource.name for resource in found.unfinished] == ["alerts"]
    assert [resource.name for resource in found.waiting_for_deletion] == ["gone"]
    assert [resource.name for resource in found.interrupted] == ["platform"]
    assert found.changed_since == ("settings",), "of the deploy, although something else ran since"
    assert found.drift == KnownDrift(datetime(2026, 11, 21, 11, tzinfo=UTC), 5, 1, 0)
    assert found.holder is not None
    assert (found.holder.kind, found.holder.author) == ("update", "grace")
    ages = found.credentials
    assert (ages.made_by, ages.total, ages.oldest) == ("the stack", 2, 'OpenRouter api key "old"')
    assert ages.overdue == ('OpenRouter api key "old"',)
    assert found.pending


def test_a_stack_that_does_not_exist_yet_has_a_status(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    found = looked_at(stack, None, monkeypatch=monkeypatch)
    assert (found.exists, found.platforms, found.last, found.drift, found.holder) == (False, (), None, None, None)
    assert "nothing exists yet: `sophia up dev`" in text(found)


def text(found: Status) -> str:
    return "\n".join(line.plain for line in lines(found))


def a_status(**members: Any) -> Status:
    ages = CredentialAges("the stack", 2, 0, "key", timedelta(days=45), (), ())
    nothing: dict[str, Any] = dict.fromkeys(("last", "drift", "changed_since", "changes", "holder"))
    empty: dict[str, Any] = dict.fromkeys(("platforms", "interrupted", "unfinished", "waiting_for_deletion"), ())
    told = {"stack": "dev", "time": NOW, "exists": True, "credentials": ages, **nothing, **empty}
    return Status(**{**told, **members})


@pytest.mark.parametrize(
    ("members", "row"),
    [
        ({"drift": None}, "drift        never looked for: `sophia drift dev`"),
        ({"drift": KnownDrift(NOW - timedelta(hours=5), 9, 0, 0)}, "drift        none in 9 objects, looked 5 h ago"),
        (
            {"drift": KnownDrift(NOW - timedelta(days=3), 9, 2, 1)},
            "drift        2 changed · 1 deleted, looked 3 days ago: `sophia drift dev` shows what",
        ),
        ({"changed_since": ()}, "settings     as they were deployed"),
        ({"changed_since": ("settings", "program")}, "settings     settings and program changed since"),
        ({"changes": Plan("dev", Counts(unchanged=4), (), {}, 1.0, None)}, "settings     an up would change nothing"),
        ({}, "credentials  2 made by the stack · oldest key, 45 days · `sophia credentials dev` asks"),
        ({"credentials": CredentialAges("anybody", 9, 2, "K", timedelta(91), ("K",), ("L",))}, "overdue 1: K"),
        ({"credentials": CredentialAges("anybody", 9, 2, "K", timedelta(91), ("K",), ("L",))}, "refused 1: L"),
        ({}, "pending      nothing"),
        (
            {"interrupted": (Resource(ALERTS),)},
            'pending      a killed run was creating: Slack channel "alerts"; `sophia up dev` sees to it',
        ),
        ({}, "lock         free"),
        (
            {"holder": Operation("update", "grace", NOW - timedelta(seconds=90))},
            "lock         update by grace, since 90 s ago; if that run was killed: `sophia cancel dev`",
        ),
    ],
)
def test_each_row_says_what_is_known_and_what_to_do(members: dict[str, Any], row: str) -> None:
    assert row in text(a_status(**members))


def test_a_drift_from_before_the_last_run_is_marked(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    found = looked_at(stack, State({}), entry(5), monkeypatch=monkeypatch)
    assert "before the last run" in text(replace(found, time=NOW, drift=KnownDrift(NOW - timedelta(hours=1), 1, 0, 0)))
    assert "not known whether they are deployed" in text(found), "the run was not sophia's"


def test_one_tag_is_set_and_the_others_stay(stack: Stack, pulumi_cloud: Cloud) -> None:
    change = Change(Resource(ALERTS), "update", (PropertyChange("purpose", "a", "b"),))
    known.remember(stack, Drift("dev", (change,), 12, 1.0, None))
    assert pulumi_cloud.tags["sophia:good"] == "7"
    found = known.of_tags(cloud.read(stack).tags)
    assert found is not None
    assert (found.checked, found.changed, found.deleted) == (12, 1, 0)
    assert known.of_tags({known.TAG: "of a later version"}) is None


def test_alerts_name_the_objects_that_drifted() -> None:
    drift = Drift("dev", (Change(Resource(ALERTS), "update", (PropertyChange("purpose", "a", "b"),)),), 2, 1.0, None)
    facts = {fact.name: fact for fact in known.facts(drift, [Resource(ALERTS), Resource(KEY)])}
    assert facts["openrouter/api-key/ci"].state == WELL
    changed = facts["slack/channel/alerts"]
    assert (changed.state, changed.why, changed.do) == ("changed", "purpose", "`sophia drift dev --fix` sets it back")


def test_what_pulumi_cloud_says_is_told(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    absent = Stack("staging", stack.project.directory, stack.target)
    assert cloud.read(absent) == cloud.StackRecord()
    with pytest.raises(RunFailed, match="cannot be written"):
        cloud.set_tag(absent, "a", "b")
    monkeypatch.setenv("PULUMI_ACCESS_TOKEN", "wrong")
    with pytest.raises(CredentialsError, match="401"):
        cloud.read(stack)
    nobody = Stack("dev", stack.project.directory, Target("cloud", "http://127.0.0.1:9", "scoobyjava-org"))
    with pytest.raises(UnreachableError):
        cloud.read(nobody)
    file = Stack("dev", stack.project.directory, Target("file", "file:///state"))
    cloud.set_tag(file, "a", "b")
    assert cloud.read(file) == cloud.StackRecord()


def test_a_revision_of_another_program_is_told(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    label = Label("up", "ada", Revision("", changed=False, program="others", settings="others"))
    found = looked_at(stack, State({}), entry(1, label.text()), monkeypatch=monkeypatch)
    assert found.changed_since == ("settings", "program")

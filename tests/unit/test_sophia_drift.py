"""Drift and partial failure without an engine: what is told, what is hidden, who is asked."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sophia.cli import document, run
from sophia.display.summary import how_far
from sophia.drift import Drift, drift_of, unreadable_objects
from sophia.errors import RunFailed
from sophia.events import (
    SECRET,
    Diagnostic,
    PhaseDone,
    PhaseStarted,
    Resource,
    ResourceDone,
    ResourceFailed,
    ResourceStarted,
    Step,
)
from sophia.recorder import Recorder
from sophia.results import Change, Counts, Partial, PropertyChange, Result
from sophia.runner import Outcome
from sophia.runs import Run
from sophia.stack import Stack
from sophia.state import State
from sophia.target import Target

NOW = datetime(2026, 11, 20, tzinfo=UTC)
PARTS = "  said     {}\n  setting  Pulumi.dev.yaml: x\n  do       correct it"
LOST = "error reading from server: EOF"
HIDDEN = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "[secret]"}


def resource(name: str, platform: str = "Airbyte", dynamic: bool = True) -> Resource:
    type_ = "pulumi-python:dynamic/airbyte:Source" if dynamic else "github:index/repository:Repository"
    return Resource(f"urn:pulumi:dev::sophia-ai::sophia:platform:{platform}${type_}::{name}")


def error(of: Resource | None, message: str, preview: bool = True) -> Diagnostic:
    return Diagnostic(NOW, preview, "error", message, of)


def ended(recorder: Recorder, code: int = 0) -> Run:
    return Run(Outcome(code, "", ""), {True: recorder, False: Recorder()}, True, 4, {})


def test_a_value_is_hidden_where_either_side_is_secret() -> None:
    recorder = Recorder()
    step = Step(
        resource("gong"),
        "update",
        custom=True,
        logical=False,
        old_inputs={"a": HIDDEN, "b": {"c": HIDDEN, "d": 1}, "e": [{"k": HIDDEN}], "f": "old"},
        new_inputs={"a": "seen", "b": {"c": "seen", "d": 2}, "e": ["x", {"k": "seen"}], "f": "new"},
        differences=dict.fromkeys(("a", "b", "e", "f"), ("update", True)),
    )
    recorder.add(ResourceDone(NOW, preview=True, step=step))
    found = drift_of("dev", ended(recorder), State({}), 1.0)
    assert "seen" not in repr(found)
    (change,) = found.changed
    assert {p.path: (p.old, p.new) for p in change.properties} == {
        "a": (SECRET, SECRET),
        "b": ({"c": SECRET, "d": 1}, {"c": SECRET, "d": 2}),
        "e": ([{"k": SECRET}], [SECRET, SECRET]),
        "f": ("old", "new"),
    }
    assert 'f: "old" -> "new"' in found.describe()


def test_objects_that_could_not_be_read_for_one_reason_are_one_problem_with_all_names() -> None:
    recorder = Recorder()
    for name in ("gong", "linear"):
        recorder.add(error(resource(name), f"Preview failed: Airbyte: no connection\n{PARTS.format('refused')}"))
    recorder.add(error(resource("web", "GitHub"), f"repository\n{PARTS.format('403 forbidden')}"))
    recorder.add(error(None, "preview failed"))
    first, second = unreadable_objects(ended(recorder, 1), "dev", "Pulumi.dev.yaml", "https://api.pulumi.com")
    assert first.what == 'Airbyte: 2 objects could not be read: source "gong", source "linear"'
    assert second.what == 'GitHub source "web": it could not be read'
    assert second.said == "403 forbidden"
    assert "not known" in second.do


def test_a_failure_of_the_whole_run_is_not_one_of_an_object() -> None:
    recorder = Recorder()
    recorder.add(error(None, "error[settings] Pulumi.dev.yaml: sophia-ai:slack: unknown key"))
    assert not unreadable_objects(ended(recorder, 1), "dev", "Pulumi.dev.yaml", "https://api.pulumi.com")


@pytest.mark.parametrize(
    ("message", "dynamic", "unknown"),
    [
        (f"error[unreachable]\nerror[outcome-unknown]\nAirbyte source\n{PARTS.format('no answer')}", True, True),
        (f"error[unreachable]\nAirbyte source\n{PARTS.format('connection reset by peer')}", True, False),
        (f"Airbyte source\n{PARTS.format('422 invalid')}", True, False),
        (LOST, True, True),
        (LOST, False, True),
        (
            'connection error: desc = "transport: Error while dialing: dial tcp: connect: connection refused"',
            True,
            False,
        ),
        ("POST https://api.github.com/orgs/x/repos: read: connection reset by peer", False, True),
        ("POST https://api.github.com/orgs/x/repos: 422 name already exists on this account", False, False),
    ],
)
def test_a_create_is_unknown_only_where_nobody_told_its_outcome(message: str, dynamic: bool, unknown: bool) -> None:
    recorder, step = Recorder(), Step(resource("one", dynamic=dynamic), "create", custom=True)
    done = Step(resource("two"), "create", custom=True)
    for event in (
        ResourceStarted(NOW, preview=False, step=step),
        ResourceStarted(NOW, preview=False, step=done),
        error(step.resource, message, preview=False),
        ResourceFailed(NOW, preview=False, step=step),
        ResourceDone(NOW, preview=False, step=done),
    ):
        recorder.add(event)
    assert recorder.unknown_creates == ((step.resource,) if unknown else ())


def test_a_note_is_what_the_engine_itself_would_have_left() -> None:
    state = State({"version": 3, "deployment": {"resources": []}})
    noted = state.noting([resource("gong")])
    assert noted.interrupted_creates == (resource("gong"),)
    assert noted.unresolved() == (resource("gong"),)
    assert noted.noting([resource("gong")]) == noted
    assert state.interrupted_creates == ()


def test_what_was_done_what_failed_and_what_was_left_is_told() -> None:
    partial = Partial(Counts(created=3), (resource("gong"),), (resource("linear"),), (resource("hubspot"),))
    text = "\n".join(line.plain for line in how_far(partial, "dev"))
    assert text == (
        "done: created 3 (it is in the state)\n"
        'failed 1: Airbyte source "gong"\n'
        'not tried 1: Airbyte source "linear"\n'
        'may exist 1: Airbyte source "hubspot"; `sophia up dev` takes over what was made'
    )


def test_without_a_note_people_are_told_what_to_look_for() -> None:
    partial = Partial(Counts(), (resource("gong"),), None, (resource("gong"),), noted=False)
    text = "\n".join(line.plain for line in how_far(partial, "dev"))
    assert "not tried: what depends on what failed" in text
    assert "`adopt: true` takes it over" in text


def test_the_document_of_a_failure_tells_how_far_the_run_got() -> None:
    failure = RunFailed("it failed")
    failure.partial = Partial(Counts(created=1), (resource("gong"),), None)
    found = json.loads(document.dump(document.of_error(failure, "up")))
    jsonschema.validate(found, json.loads(document.SCHEMA_FILE.read_text()))
    assert (found["counts"]["created"], found["failed"], found["not_tried"]) == (1, [resource("gong").urn], None)


class Deployed(Stack):
    """A stack of which one object has drifted."""

    fixed = 0

    def drift(self, on_event: Any = None) -> Drift:
        if on_event is not None:
            for event in (PhaseStarted(NOW, preview=True), PhaseDone(NOW, preview=True, changes={}, seconds=1)):
                on_event(event)
        change = Change(resource("gong"), "update", (PropertyChange("name", "Gong", "gone"),))
        return Drift(self.name, (change,), 1, 0.1, None)

    def fix(self, found: Drift, on_event: Any = None) -> Result:
        type(self).fixed += 1
        return Result(self.name, Counts(updated=len(found.changes)), found.changes, {}, 0.1, None)


@pytest.mark.parametrize(
    ("stack", "kind", "arguments", "code"),
    [
        ("prod", "cloud", ["--fix"], 3),
        ("prod", "cloud", ["--fix", "--yes"], 0),
        ("prod", "cloud", [], 2),
        ("dev", "cloud", ["--fix"], 0),
        ("prod", "sandbox", ["--fix"], 0),
    ],
)
def test_prod_with_real_accounts_is_fixed_only_when_agreed_to(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stack: str,
    kind: Any,
    arguments: list[str],
    code: int,
) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: sophia-ai\n")
    (tmp_path / f"Pulumi.{stack}.yaml").write_text("config: {}\n")
    opened = Deployed(stack, tmp_path, Target(kind, "https://api.pulumi.com", "scoobyjava-org"))
    command = import_module("sophia.cli.drift")
    monkeypatch.setattr(command, "open_stack", lambda *_args, **_options: opened)
    monkeypatch.setattr(command, "labelled", lambda stack, _what, _out: stack)
    monkeypatch.setattr("sophia.known.remember", lambda _stack, _drift: None)
    monkeypatch.setattr(Deployed, "fixed", 0)
    assert run(["drift", stack, *arguments]) == code
    assert Deployed.fixed == int("--fix" in arguments and code == 0)
    told = capsys.readouterr()
    assert 'name: "Gong" -> "gone"' in told.out
    assert ("--yes" in told.err) == (code == 3)

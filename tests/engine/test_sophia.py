"""`sophia` against the real engine: a small program with dynamic resources, its state in a folder of the test's own."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path

import pytest

from sandbox import control
from sophia import LockedError, Plan, Result, RunFailed, SettingsError
from sophia.events import Event, ResourceDone
from sophia.results import PropertyChange
from sophia.runner import EngineCommand
from sophia.target import of_running
from tests.engine.tiny_project import TinyProject, new_project


@pytest.fixture
def checkout(tmp_path: Path, engine_command: EngineCommand) -> TinyProject:
    return new_project(tmp_path, engine_command)


def test_the_life_of_a_stack(checkout: TinyProject) -> None:
    checkout.write(things={"one": {"color": "red"}, "two": {"secret": "s3cr3t-colour"}})
    stack = checkout.stack()
    assert stack.outputs() == {}, "a stack that was never used has no outputs, and that is no error"

    plan = stack.preview()
    assert [change.resource.name for change in plan.creates] == ["one", "two"]
    assert not checkout.exists("one")

    events: list[Event] = []
    result = stack.up(events.append, plan=plan)
    assert (result.counts.created, result.counts.total) == (2, 2)
    assert checkout.exists("one")
    assert result.outputs == {"airbyte": {"things": 2}, "key": "[secret]"}
    done = [e.step.resource for e in events if isinstance(e, ResourceDone) and e.step.counts and not e.preview]
    assert {(r.platform, r.kind, r.name) for r in done} == {("Airbyte", "thing", "one"), ("Airbyte", "thing", "two")}
    assert "s3cr3t-colour" not in repr(events), "events never carry a secret"

    again = stack.up()
    assert not again.has_changes
    assert again.counts.unchanged == 2

    checkout.write(things={"one": {"color": "blue"}, "three": {"name": "tertium", "color": "grey"}})
    plan = stack.preview()
    assert plan.updates[0].properties == (PropertyChange("color", "red", "blue"),)
    assert [c.resource.name for c in plan.destroys] == ["two"]
    described = plan.describe()
    assert described.index("destroys 1") < described.index("updates 1") < described.index("creates 1")
    stack.up()

    checkout.write(things={"one": {"color": "blue"}, "three": {"name": "third", "color": "grey"}})
    replaced = stack.preview().replaces
    assert replaced[0].properties == (PropertyChange("name", "tertium", "third", forces_replacement=True),)

    (checkout.directory / "one.thing").write_text("painted over")
    drift = stack.preview(of="refresh")
    assert [(c.resource.name, c.operation) for c in drift.changes] == [("one", "update")]
    (checkout.directory / "tertium.thing").unlink()
    refreshed = stack.refresh()
    assert (refreshed.counts.updated, refreshed.counts.deleted) == (1, 1)

    assert stack.outputs(show_secrets=True)["key"] == "hush-hush"
    assert [entry.kind for entry in stack.history()][:2] == ["refresh", "update"]
    gone = stack.destroy()
    assert gone.counts.deleted == 1
    assert not checkout.exists("one")


def test_a_plan_of_another_state_is_refused(checkout: TinyProject) -> None:
    checkout.write(things={"one": {"color": "red"}})
    stack = checkout.stack()
    plan = stack.preview()
    stack.up()
    with pytest.raises(RunFailed, match="out of date"):
        stack.up(plan=plan)


def test_settings_mistakes_are_shown_together_and_change_nothing(checkout: TinyProject) -> None:
    checkout.write(
        mistake="settings:\n"
        "error[settings] Pulumi.dev.yaml: sophia-ai:airbyte.connections[2].schedule: 3 fields are too few\n"
        "error[settings] Pulumi.dev.yaml: sophia-ai:slack.chanels: unknown key; did you mean channels?"
    )
    with pytest.raises(SettingsError) as caught:
        checkout.stack().up()
    assert [p.setting for p in caught.value.problems] == [
        "Pulumi.dev.yaml: sophia-ai:airbyte.connections[2].schedule",
        "Pulumi.dev.yaml: sophia-ai:slack.chanels",
    ]
    run = checkout.run("up", "dev", "--json")
    assert run.returncode == 3
    assert len(json.loads(run.stdout)["problems"]) == 2
    assert "Traceback" not in run.stderr


def test_a_crash_of_the_program_shows_its_traceback_only_with_debug(checkout: TinyProject) -> None:
    checkout.write(crash="the reason")
    run = checkout.run("preview", "dev")
    assert run.returncode == 1
    assert "ValueError: the reason" in run.stderr
    assert "Traceback" not in run.stderr
    assert "__main__.py" in checkout.run("preview", "dev", "--debug").stderr


@pytest.mark.parametrize(("marker", "code"), [("", 1), ("error[unreachable] ", 6), ("error[credentials] ", 4)])
def test_a_platforms_refusal_arrives_unharmed(checkout: TinyProject, marker: str, code: int) -> None:
    message = (
        'Airbyte connection "gong-to-raw": the platform refused it\n'
        '  said     422 cron-expression-invalid: "0 0 *" has 3 fields (request 7c1e)\n'
        "  setting  Pulumi.dev.yaml: sophia-ai:airbyte.connections[2].schedule.cron\n"
        '  do       give six or seven fields, for example "0 0 * * * ?"'
    )
    checkout.write(things={"one": {"refusal": marker + message}})
    run = checkout.run("up", "dev")
    assert run.returncode == code
    assert message in run.stderr
    assert "error[" not in run.stderr
    assert "urn:" not in run.stderr


def test_the_command_tells_differences_by_its_exit_code(checkout: TinyProject) -> None:
    checkout.write(things={"one": {"color": "red"}})
    assert checkout.run("preview", "dev", "--expect-no-changes").returncode == 2
    up = checkout.run("up", "dev")
    assert up.returncode == 0
    assert "Airbyte thing one: created" in up.stdout
    assert "created 1 · unchanged 0" in up.stdout
    assert checkout.run("preview", "dev", "--expect-no-changes").returncode == 0
    outputs = json.loads(checkout.run("outputs", "dev", "--json").stdout)
    assert outputs["outputs"] == {"airbyte": {"things": 1}, "key": "[secret]"}
    assert "hush-hush" in checkout.run("outputs", "dev", "--show-secrets").stdout
    assert "not deployed" in checkout.run("stacks").stdout


def test_two_stacks_at_once_in_an_asyncio_program(checkout: TinyProject) -> None:
    for name in ("dev", "staging"):
        checkout.write(name, things={f"{name}-thing": {}})

    async def both() -> tuple[Result, Plan]:
        up = asyncio.to_thread(checkout.stack("dev").up)
        preview = asyncio.to_thread(checkout.stack("staging").preview)
        return await asyncio.gather(up, preview)

    result, plan = asyncio.run(both())
    assert (result.stack, result.counts.created) == ("dev", 1)
    assert (plan.stack, [change.resource.name for change in plan.creates]) == ("staging", ["staging-thing"])
    assert checkout.exists("dev-thing")
    assert not checkout.exists("staging-thing")


def test_in_the_sandbox_the_settings_file_stays_as_it_is_and_a_lock_tells_who_holds_it(
    checkout: TinyProject, sandbox: control.Running
) -> None:
    checkout.target = of_running(sandbox)
    gate = checkout.directory / "gate"
    checkout.write(things={"one": {"gate": str(gate)}})
    settings = checkout.directory / "Pulumi.dev.yaml"
    settings.write_text("# a comment\nconfig: {}\n")
    first = threading.Thread(target=checkout.stack().up)
    first.start()
    checkout.asked("one")
    with pytest.raises(LockedError) as caught:
        checkout.stack().up(skip_preview=True)
    assert "by sophia-sandbox" in caught.value.said
    gate.touch()
    first.join()
    again = checkout.stack().up()
    assert (again.counts.unchanged, again.requests) == (1, 0)
    assert checkout.stack().full_name == "scoobyjava-org/tiny/dev"
    assert settings.read_text() == "# a comment\nconfig: {}\n"
    assert [entry.kind for entry in checkout.stack().history()] == ["update", "update"]
    assert checkout.stack().destroy().counts.deleted == 1

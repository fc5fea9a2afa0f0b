"""`sophia` against the real engine: a small program with dynamic resources, its state in a folder of the test's own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import engine
from sandbox import control
from sophia import Interrupted, LockedError, Plan, Result, RunFailed, SettingsError, Stack, Target
from sophia.events import Event, ResourceDone, ResourceStarted, Stopping
from sophia.results import PropertyChange
from sophia.runner import EngineCommand
from sophia.target import of_running

REPOSITORY = Path(__file__).parents[2]

PROVIDER = '''
import json, os, time
from pathlib import Path
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult


class Things(ResourceProvider):
    """Things are files; a thing with a gate is made once somebody opens the gate."""

    serialize_as_secret_always = False

    def create(self, props):
        name = props["name"]
        Path(f"{name}.asked").write_text(
            json.dumps({"engine": os.getsid(0), "interrupted": os.environ.get("SOPHIA_INTERRUPTED_CREATES")})
        )
        while props.get("gate") and not Path(props["gate"]).exists():
            time.sleep(0.02)
        if props.get("refusal"):
            raise Exception(props["refusal"])
        Path(f"{name}.thing").write_text(props.get("color", ""))
        return CreateResult(name, dict(props))

    def diff(self, id, olds, news):
        changed = [key for key in ("name", "color") if olds.get(key) != news.get(key)]
        return DiffResult(
            changes=None if changed else False, replaces=[k for k in changed if k == "name"], delete_before_replace=True
        )

    def update(self, id, olds, news):
        Path(f"{id}.thing").write_text(news.get("color", ""))
        return UpdateResult(dict(news))

    def read(self, id, props):
        if not Path(f"{id}.thing").exists():
            return ReadResult(None, {})
        found = {**props, "color": Path(f"{id}.thing").read_text()}
        return ReadResult(id, found, found)

    def delete(self, id, props):
        Path(f"{id}.thing").unlink(missing_ok=True)
'''

PROGRAM = """
import json, pulumi
from pathlib import Path
from pulumi.dynamic import Resource
from things_provider import Things


class Thing(Resource, module="things", name="Thing"):
    def __init__(self, logical, props, opts):
        super().__init__(Things(), logical, props, opts)


class Airbyte(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("sophia:platform:Airbyte", name)


spec = json.loads(Path(f"{pulumi.get_stack()}.json").read_text())
if "mistake" in spec:
    raise pulumi.RunError(spec["mistake"])
if "crash" in spec:
    raise ValueError(spec["crash"])
parent, previous = Airbyte("airbyte"), None
for name, props in spec["things"].items():
    if "secret" in props:
        props["color"] = pulumi.Output.secret(props.pop("secret"))
    opts = pulumi.ResourceOptions(parent=parent, depends_on=[previous] if previous else None)
    previous = Thing(name, {"name": name, **props}, opts)
pulumi.export("airbyte", {"things": len(spec["things"])})
pulumi.export("key", pulumi.Output.secret("hush-hush"))
"""


@dataclass
class Checkout:
    """A project in a temporary folder, with stacks in a folder of its own."""

    directory: Path
    target: Target
    command: EngineCommand

    def stack(self, name: str = "dev") -> Stack:
        return Stack(name, self.directory, self.target, engine=self.command)

    def write(self, stack: str = "dev", **spec: Any) -> None:
        (self.directory / f"{stack}.json").write_text(json.dumps(spec))

    def exists(self, name: str) -> bool:
        return (self.directory / f"{name}.thing").exists()

    def asked(self, name: str) -> dict[str, Any]:
        """What the provider was told when it was asked to create a thing; waits until it is."""
        file = self.directory / f"{name}.asked"
        wait_for(lambda: file.exists() and file.read_text().endswith("}"), f"the engine to ask for {name}")
        told: dict[str, Any] = json.loads(file.read_text())
        return told

    def sophia(self, *arguments: str) -> subprocess.Popen[str]:
        environment = {**os.environ, **self.target.environment, "NO_COLOR": "1"}
        command = [sys.executable, "-c", "from sophia.cli import main; main()", *arguments, "-C", str(self.directory)]
        return subprocess.Popen(
            command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        process = self.sophia(*arguments)
        stdout, stderr = process.communicate(timeout=120)
        return subprocess.CompletedProcess(arguments, process.returncode, stdout, stderr)


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        pause.wait(0.02)


@pytest.fixture(scope="session")
def command() -> EngineCommand:
    found = engine.ensure()
    return EngineCommand(found.bin_dir / "pulumi", found.version)


@pytest.fixture
def checkout(tmp_path: Path, command: EngineCommand) -> Checkout:
    directory, state = tmp_path / "checkout", tmp_path / "state"
    directory.mkdir()
    state.mkdir()
    (directory / "Pulumi.yaml").write_text(
        f"name: tiny\nruntime:\n  name: python\n  options:\n    virtualenv: {Path(sys.prefix)}\n"
    )
    for name in ("dev", "staging"):
        (directory / f"Pulumi.{name}.yaml").write_text("config: {}\n")
    (directory / "__main__.py").write_text(PROGRAM)
    (directory / "things_provider.py").write_text(PROVIDER)
    environment = {
        "PULUMI_BACKEND_URL": state.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "only for this test",
        "PULUMI_ACCESS_TOKEN": "only for this test",
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }
    return Checkout(directory, Target("file", state.as_uri(), environment=environment), command)


def test_the_life_of_a_stack(checkout: Checkout) -> None:
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


def test_a_plan_of_another_state_is_refused(checkout: Checkout) -> None:
    checkout.write(things={"one": {"color": "red"}})
    stack = checkout.stack()
    plan = stack.preview()
    stack.up()
    with pytest.raises(RunFailed, match="out of date"):
        stack.up(plan=plan)


def test_settings_mistakes_are_shown_together_and_change_nothing(checkout: Checkout) -> None:
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


def test_a_crash_of_the_program_shows_its_traceback_only_with_debug(checkout: Checkout) -> None:
    checkout.write(crash="the reason")
    run = checkout.run("preview", "dev")
    assert run.returncode == 1
    assert "ValueError: the reason" in run.stderr
    assert "Traceback" not in run.stderr
    assert "__main__.py" in checkout.run("preview", "dev", "--debug").stderr


@pytest.mark.parametrize(("marker", "code"), [("", 1), ("error[unreachable] ", 6), ("error[credentials] ", 4)])
def test_a_platforms_refusal_arrives_unharmed(checkout: Checkout, marker: str, code: int) -> None:
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


def test_the_command_tells_differences_by_its_exit_code(checkout: Checkout) -> None:
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


def test_ctrl_c_finishes_what_is_in_flight(checkout: Checkout) -> None:
    gate = checkout.directory / "gate"
    checkout.write(things={"one": {"gate": str(gate)}, "two": {}})
    process = checkout.sophia("up", "dev", "--skip-preview")
    checkout.asked("one")
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None
    for line in process.stdout:
        if "finishing what is in flight" in line:
            gate.touch()
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    state = checkout.stack().state()
    assert state is not None
    assert not state.interrupted_creates
    assert checkout.exists("one")
    assert not checkout.exists("two")
    assert any(resource["urn"].endswith("::one") for resource in state.resources)
    assert checkout.stack().up().counts.created == 1, "the next run goes on, without a lock in its way"


def test_a_script_can_stop_a_run_from_another_thread(checkout: Checkout) -> None:
    gate = checkout.directory / "gate"
    checkout.write(things={"one": {"gate": str(gate)}, "two": {}})
    stack = checkout.stack()

    def interrupt() -> None:
        checkout.asked("one")
        stack.interrupt()

    def watch(event: Event) -> None:
        if isinstance(event, ResourceStarted) and event.step.resource.name == "one":
            threading.Thread(target=interrupt).start()
        if isinstance(event, Stopping):
            gate.touch()

    with pytest.raises(Interrupted):
        stack.up(watch, skip_preview=True)
    assert checkout.exists("one")


def test_a_callback_that_raises_ends_the_run_in_good_order(checkout: Checkout) -> None:
    checkout.write(things={"one": {}, "two": {}})
    stack = checkout.stack()

    def fail(event: Event) -> None:
        if isinstance(event, ResourceDone) and event.step.resource.name == "one":
            raise LookupError("a mistake of the script")

    with pytest.raises(LookupError, match="a mistake of the script"):
        stack.up(fail, skip_preview=True)
    stack.up()
    assert checkout.exists("two")


def test_what_a_killed_run_began_is_handed_to_the_providers_and_then_forgotten(checkout: Checkout) -> None:
    gate = checkout.directory / "gate"
    checkout.write(things={"one": {"gate": str(gate)}})
    stack = checkout.stack()
    provider: list[int] = []

    def kill() -> None:
        engine_pid = checkout.asked("one")["engine"]
        provider.extend(children(engine_pid))
        os.kill(engine_pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(RunFailed, match="the engine was killed"):
        stack.up(skip_preview=True)
    killer.join()
    assert not [pid for pid in provider if alive(pid)], "no provider may live on without its engine"

    with pytest.raises(LockedError) as caught:
        stack.up()
    assert "sophia cancel dev" in caught.value.do
    assert caught.value.exit_code == 5
    assert checkout.run("cancel", "dev").returncode == 0

    (checkout.directory / "one.asked").unlink()
    gate.touch()
    result = stack.up()
    told = json.loads(checkout.asked("one")["interrupted"])
    assert [urn.rpartition("::")[2] for urn in told] == ["one"]
    assert result.interrupted == ()
    state = stack.state()
    assert state is not None
    assert state.interrupted_creates == ()
    assert not stack.preview().has_changes, "clearing the note must not harm the state"
    assert stack.outputs(show_secrets=True)["key"] == "hush-hush"


def test_an_interrupted_create_that_nothing_took_over_is_kept_and_told(checkout: Checkout) -> None:
    gate = checkout.directory / "gate"
    checkout.write(things={"one": {"gate": str(gate)}})
    stack = checkout.stack()
    killer = threading.Thread(target=lambda: os.kill(checkout.asked("one")["engine"], signal.SIGKILL))
    killer.start()
    with pytest.raises(RunFailed):
        stack.up(skip_preview=True)
    killer.join()
    stack.cancel()
    checkout.write(things={"two": {}})
    result = stack.up()
    assert [resource.name for resource in result.interrupted] == ["one"]
    assert "sophia refresh dev --forget-interrupted" in result.describe()
    assert stack.refresh(forget_interrupted=True).interrupted == ()
    assert stack.up().interrupted == ()


def test_two_stacks_at_once_in_an_asyncio_program(checkout: Checkout) -> None:
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
    checkout: Checkout, sandbox: control.Running
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


def children(parent: int) -> list[int]:
    """The processes of the engine's session, but not the engine."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != parent:
            try:
                if os.getsid(int(entry.name)) == parent:
                    found.append(int(entry.name))
            except ProcessLookupError:
                continue
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False

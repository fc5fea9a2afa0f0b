"""Runs that are stopped or killed: in good order, and the next one goes on."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path

import pytest

from sophia import Interrupted, LockedError, RunFailed
from sophia.events import Event, ResourceDone, ResourceStarted, Stopping
from sophia.runner import EngineCommand
from tests.engine.tiny_project import TinyProject, new_project, wait_for


@pytest.fixture
def checkout(tmp_path: Path, engine_command: EngineCommand) -> TinyProject:
    return new_project(tmp_path, engine_command)


def test_ctrl_c_finishes_what_is_in_flight(checkout: TinyProject) -> None:
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


def test_a_second_ctrl_c_abandons_what_is_in_flight_and_the_next_run_looks_after_it(checkout: TinyProject) -> None:
    gate = checkout.directory / "gate"
    checkout.write(things={"one": {"gate": str(gate)}})
    process = checkout.sophia("up", "dev", "--skip-preview")
    provider = children(checkout.asked("one")["engine"])
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None
    for line in process.stdout:
        if "finishing what is in flight" in line:
            process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "abandoned" in stderr
    assert not [pid for pid in provider if alive(pid)]
    state = checkout.stack().state()
    assert state is not None
    assert [resource.name for resource in state.interrupted_creates] == ["one"]

    (checkout.directory / "one.asked").unlink()
    gate.touch()
    checkout.stack().cancel()
    assert checkout.stack().up().counts.created == 1
    assert "one" in str(checkout.asked("one")["interrupted"])


def test_ctrl_c_in_a_destroy_finishes_what_is_in_flight(checkout: TinyProject) -> None:
    names = [f"thing-{number}" for number in range(20)]
    checkout.write(things={name: {} for name in names})
    checkout.stack().up(skip_preview=True)
    hold = checkout.directory / "hold"
    hold.touch()
    process = checkout.sophia("destroy", "dev")
    wait_for((checkout.directory / f"{names[-1]}.deleting").exists, "the engine to delete the first")
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None
    for line in process.stdout:
        if "finishing what is in flight" in line:
            hold.unlink()
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    left = [name for name in names if checkout.exists(name)]
    assert 0 < len(left) < len(names)
    state = checkout.stack().state()
    assert state is not None
    assert [resource.name for resource in state.objects] == left
    assert checkout.stack().destroy().counts.deleted == len(left)


def test_a_script_can_stop_a_run_from_another_thread(checkout: TinyProject) -> None:
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


def test_a_callback_that_raises_ends_the_run_in_good_order(checkout: TinyProject) -> None:
    checkout.write(things={"one": {}, "two": {}})
    stack = checkout.stack()

    def fail(event: Event) -> None:
        if isinstance(event, ResourceDone) and event.step.resource.name == "one":
            raise LookupError("a mistake of the script")

    with pytest.raises(LookupError, match="a mistake of the script"):
        stack.up(fail, skip_preview=True)
    stack.up()
    assert checkout.exists("two")


def test_what_a_killed_run_began_is_handed_to_the_providers_and_then_forgotten(checkout: TinyProject) -> None:
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


def test_an_interrupted_create_that_nothing_took_over_is_kept_and_told(checkout: TinyProject) -> None:
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

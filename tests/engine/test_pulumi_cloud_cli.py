"""The real command line against the sandbox's Pulumi Cloud: what a user types, and what must come of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from sandbox import control
from sandbox.control import Running

Pulumi = Callable[..., subprocess.CompletedProcess[str]]

# A program that says where it is and then waits, so that a test can act while the stack is locked.
PROGRAM = """
import pathlib, sys, time
import pulumi
if not pulumi.runtime.is_dry_run():
    pathlib.Path("running").touch()
    while pathlib.Path("wait").exists():
        time.sleep(0.02)
pulumi.export("greeting", pulumi.Config().get_secret("greeting"))
"""


@pytest.fixture
def sandbox(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    """An empty sandbox; ``in_both_modes`` says whether engines keep a journal in it or send whole states."""
    directory = tmp_path / "sandbox"
    yield control.start(directory, 0, journaling=getattr(request, "param", True))
    control.stop(directory)


in_both_modes = pytest.mark.parametrize("sandbox", [True, False], indirect=True, ids=["journal", "checkpoints"])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    directory = tmp_path / "project"
    directory.mkdir()
    runtime = {"name": "python", "options": {"virtualenv": sys.prefix}}
    (directory / "Pulumi.yaml").write_text(json.dumps({"name": "sophia-ai", "runtime": runtime}))
    (directory / "__main__.py").write_text(PROGRAM)
    return directory


@in_both_modes
def test_a_stack_is_made_used_renamed_and_removed(pulumi: Pulumi, sandbox: Running, project: Path) -> None:
    def run(*arguments: str, code: int | None = 0) -> str:
        done = pulumi(*arguments, sandbox=sandbox, cwd=project, code=code)
        return done.stdout + done.stderr

    assert "sophia-sandbox" in run("whoami")
    run("stack", "init", "dev")
    assert "already exists" in run("stack", "init", "dev", code=None)
    run("stack", "select", "scoobyjava-org/sophia-ai/dev")
    run("stack", "tag", "set", "team", "data")
    assert "data" in run("stack", "tag", "get", "team")
    run("config", "set", "--secret", "password", "hush-hush")
    assert run("config", "get", "password").strip() == "hush-hush"
    assert "hush-hush" not in (project / "Pulumi.dev.yaml").read_text()

    run("config", "set", "--secret", "greeting", "hello-hush")
    run("up", "--yes", "--skip-preview")
    assert "[secret]" in run("stack", "output")
    assert "hello-hush" in run("stack", "output", "--show-secrets")
    run("stack", "rename", "test")
    (listed,) = json.loads(run("stack", "ls", "--json"))
    assert listed["name"] == "test"
    assert "hello-hush" in run("stack", "output", "--show-secrets")

    run("stack", "export", "--file", "state.json")
    assert "hello-hush" not in (project / "state.json").read_text()
    assert "urn:pulumi:dev::" not in (project / "state.json").read_text()
    run("stack", "import", "--file", "state.json")
    assert "hello-hush" in run("stack", "output", "--show-secrets")
    kinds = [entry["kind"] for entry in json.loads(run("stack", "history", "--json"))]
    assert kinds == ["import", "rename", "update"]

    assert "still has resources" in run("stack", "rm", "--yes", code=None)
    run("destroy", "--yes", "--skip-preview")
    run("stack", "rm", "--yes")
    assert json.loads(run("stack", "ls", "--json")) == []
    log = (sandbox.directory / "sandbox.log").read_text()
    assert "hush" not in log
    for name in ("sandbox.db", "sandbox.db-wal"):
        assert b"hush" not in (sandbox.directory / name).read_bytes()


def test_a_stack_is_readable_after_the_sandbox_moved_to_another_port(
    pulumi: Pulumi, sandbox: Running, project: Path
) -> None:
    pulumi("stack", "init", "dev", sandbox=sandbox, cwd=project)
    pulumi("config", "set", "--secret", "greeting", "hello", sandbox=sandbox, cwd=project)
    pulumi("up", "--yes", "--skip-preview", sandbox=sandbox, cwd=project)
    control.stop(sandbox.directory)
    moved = control.start(sandbox.directory, 0)
    assert moved.url != sandbox.url
    pulumi("stack", "select", "dev", sandbox=moved, cwd=project)
    shown = pulumi("stack", "output", "greeting", "--show-secrets", sandbox=moved, cwd=project)
    assert shown.stdout.strip() == "hello"


def test_a_wrong_token_is_refused_in_plain_words(pulumi: Pulumi, sandbox: Running, project: Path) -> None:
    stranger = Running(**{**vars(sandbox), "access_token": "pul-of-somebody-else"})
    done = pulumi("stack", "ls", sandbox=stranger, cwd=project, code=None)
    assert done.returncode != 0
    assert "credentials" in done.stderr


@in_both_modes
def test_a_killed_engine_blocks_its_stack_until_its_lease_ends(
    pulumi: Pulumi,
    sandbox: Running,
    project: Path,
    engine_directory: Path,
    pulumi_environment: Mapping[str, str],
) -> None:
    pulumi("stack", "init", "dev", sandbox=sandbox, cwd=project)
    engine = start_waiting_update(project, engine_directory, {**pulumi_environment, **sandbox.environment()})
    os.killpg(engine.pid, signal.SIGKILL)
    engine.wait()
    (project / "wait").unlink()

    refused = pulumi("up", "--yes", "--skip-preview", sandbox=sandbox, cwd=project, code=None)
    assert refused.returncode != 0
    assert "[409] Conflict: Another update is currently in progress." in refused.stderr + refused.stdout

    sandbox.expire_leases()
    pulumi("up", "--yes", "--skip-preview", sandbox=sandbox, cwd=project)
    results = [
        e["result"] for e in json.loads(pulumi("stack", "history", "--json", sandbox=sandbox, cwd=project).stdout)
    ]
    assert results == ["succeeded", "failed"]


@in_both_modes
def test_a_cancelled_update_frees_its_stack_at_once(
    pulumi: Pulumi,
    sandbox: Running,
    project: Path,
    engine_directory: Path,
    pulumi_environment: Mapping[str, str],
) -> None:
    pulumi("stack", "init", "dev", sandbox=sandbox, cwd=project)
    engine = start_waiting_update(project, engine_directory, {**pulumi_environment, **sandbox.environment()})
    pulumi("cancel", "--yes", sandbox=sandbox, cwd=project)
    (project / "wait").unlink()
    assert engine.wait(timeout=60) != 0
    pulumi("up", "--yes", "--skip-preview", sandbox=sandbox, cwd=project)


def start_waiting_update(
    project: Path, engine_directory: Path, environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """An update whose program waits as long as the file ``wait`` is there."""
    (project / "wait").touch()
    (project / "running").unlink(missing_ok=True)
    command = [str(engine_directory / "pulumi"), "up", "--yes", "--skip-preview", "--non-interactive"]
    engine = subprocess.Popen(
        command,
        cwd=project,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while not (project / "running").exists():
        if engine.poll() is not None:
            pytest.fail(f"the update ended with {engine.returncode} before its program ran")
    return engine

"""A checkout of the program with a sandbox of its own, for the tests that deploy through the real engine.

tests/faults uses the same fixtures.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest
import yaml
from filelock import FileLock

import engine
from sandbox import control
from sophia import Stack
from sophia.environments import publish
from sophia.events import Resource
from sophia.runner import EngineCommand
from sophia.target import SANDBOX_DIRECTORY, of_running
from tests import warm_sandbox

REPOSITORY = Path(__file__).parents[2]
STAGES = ("dev", "staging", "prod")

Objects = dict[str, dict[str, Any]]


@dataclass
class Checkout:
    """A project folder whose stacks live in the sandbox that runs in it."""

    directory: Path
    running: control.Running
    command: EngineCommand
    environment: Mapping[str, str] = field(default_factory=dict)
    """What the ``sophia`` command finds in its environment besides the test's own."""

    def stack(self, name: str = "dev") -> Stack:
        return Stack(name, self.directory, of_running(self.running), engine=self.command)

    def settings(self, stack: str = "dev") -> dict[str, Any]:
        """The platforms' settings in the stack file."""
        config = self._config(stack)
        return {key.removeprefix("sophia-ai:"): value for key, value in config.items() if key.startswith("sophia-ai:")}

    def _config(self, stack: str) -> dict[str, Any]:
        config: dict[str, Any] = yaml.safe_load((self.directory / f"Pulumi.{stack}.yaml").read_text())["config"]
        return config

    def configure(self, stack: str = "dev", /, *, variables: Mapping[str, Any] | None = None, **platforms: Any) -> None:
        """Writes the stack file: these platforms and no others. ``variables`` override what the ESC environment sets."""
        environment = {"imports": [f"sophia-ai/{stack}"], "values": {"environmentVariables": dict(variables or {})}}
        packages = {key: value for key, value in self._config(stack).items() if not key.startswith("sophia-ai:")}
        document = {
            "environment": environment if variables else environment["imports"],
            "config": {**packages, **{f"sophia-ai:{name}": settings for name, settings in platforms.items()}},
        }
        (self.directory / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump(document))

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """The ``sophia`` command as a user types it in the checkout."""
        return subprocess.Popen(
            [Path(sys.executable).with_name("sophia"), *arguments],
            cwd=self.directory,
            env={**os.environ, "NO_COLOR": "1", **self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, code: int | None = 0, **environment: str) -> subprocess.CompletedProcess[str]:
        """Runs the ``sophia`` command; fails the test on an exit code that is not ``code``."""
        process = self.start(*arguments, **environment)
        stdout, stderr = process.communicate(timeout=600)
        if code is not None and process.returncode != code:
            pytest.fail(
                f"sophia {' '.join(arguments)} ended with {process.returncode}, not {code}:\n{stdout}\n{stderr}"
            )
        return subprocess.CompletedProcess(arguments, process.returncode, stdout, stderr)

    def enforce_policies(self) -> None:
        """Puts the policy pack into the checkout, which most tests do without: it costs each of their runs a second."""
        (self.directory / "policies").symlink_to(REPOSITORY / "policies")

    def objects(self, platform: str, kind: str) -> Objects:
        """What exists on a platform, archived or not, by id."""
        return self.running.objects(platform).objects.get(kind, {})

    def resources(self, stack: str = "dev") -> dict[str, dict[str, Any]]:
        """The custom resources in the state, by ``type::name``."""
        state = self.stack(stack).state()
        found = state.resources if state else []
        named = {(Resource(r["urn"]).type, Resource(r["urn"]).name): r for r in found if r.get("custom")}
        return {f"{type_}::{name}": resource for (type_, name), resource in named.items()}


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 60) -> None:
    """Looks again and again until ``condition`` holds; fails the test when it never does."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds:g} s for {what}")
        pause.wait(0.02)


@pytest.fixture(scope="session")
def engine_command() -> EngineCommand:
    found = engine.ensure()
    return EngineCommand(found.bin_dir / "pulumi", found.version)


class NewCheckout(Protocol):
    """Makes a checkout in a new folder, whose sandbox runs until the end of the ``with``."""

    def __call__(self, directory: Path, like: Path | None = None) -> AbstractContextManager[Checkout]: ...


@pytest.fixture(scope="session")
def new_checkout(engine_command: EngineCommand) -> NewCheckout:
    """Makes a checkout in a folder, empty or like another one: for fixtures that live longer than a test."""

    @contextmanager
    def make(directory: Path, like: Path | None = None) -> Iterator[Checkout]:
        if like is None:
            _lay_out(directory)
        else:
            shutil.copytree(like, directory, symlinks=True)
        sandbox = directory / SANDBOX_DIRECTORY
        running = warm_sandbox.start(sandbox)
        try:
            publish(running, directory / "esc")
            yield Checkout(directory, running, engine_command)
        finally:
            control.stop(sandbox)

    return make


def _lay_out(directory: Path) -> None:
    directory.mkdir()
    for name in ("components", "connectors", "dashboard", "workflows", "providers", "health", "esc"):
        (directory / name).symlink_to(REPOSITORY / name)
    (directory / ".venv").symlink_to(sys.prefix)
    for name in ("__main__.py", "Pulumi.yaml", *(f"Pulumi.{stage}.yaml" for stage in STAGES)):
        shutil.copy(REPOSITORY / name, directory / name)


@pytest.fixture(scope="session")
def dev_after_first_up(new_checkout: NewCheckout, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a checkout whose stack dev was deployed once, with its sandbox, which is stopped: to make others like.

    The workers of a run share it: the first that asks for it deploys, which takes longer than most tests.
    """
    parallel = "PYTEST_XDIST_WORKER" in os.environ
    place = tmp_path_factory.getbasetemp().parent if parallel else tmp_path_factory.getbasetemp()
    deployed, attempt = place / "dev-after-first-up", place / "dev-being-deployed"
    with FileLock(place / "dev-after-first-up.lock"):
        if not deployed.exists():
            shutil.rmtree(attempt, ignore_errors=True)
            with new_checkout(attempt) as made:
                made.stack().up(skip_preview=True)
            attempt.rename(deployed)
    return deployed


@pytest.fixture
def checkout(new_checkout: NewCheckout, tmp_path: Path) -> Iterator[Checkout]:
    """A fresh checkout with an empty sandbox, for this test alone."""
    with new_checkout(tmp_path / "checkout") as made:
        yield made

"""A sandbox of one's own, and Pulumi's command line, for the tests that need them."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import uvicorn
from starlette.types import ASGIApp

import engine
from sandbox import control
from sandbox.faults import BreakableProtocol
from tests import warm_sandbox

RunPulumi = Callable[..., subprocess.CompletedProcess[str]]


def pytest_xdist_auto_num_workers() -> int:
    """One worker more than there are cores: a test that runs the engine waits for a third of its time."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[control.Running]:
    """An empty sandbox on a free port, for this test alone."""
    directory = tmp_path / "sandbox"
    yield warm_sandbox.start(directory)
    control.stop(directory)


@pytest.fixture(scope="session")
def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[control.Running]:
    """A sandbox for the tests of this worker that do not mind each other's objects."""
    directory = tmp_path_factory.mktemp("shared") / "sandbox"
    yield warm_sandbox.start(directory)
    control.stop(directory)


@pytest.fixture
def listen() -> Iterator[Callable[[ASGIApp], str]]:
    """Serves an application of this process on a free port, as the sandbox does, and returns its address."""
    with ExitStack() as servers:
        yield lambda app: servers.enter_context(_served(app))


@contextmanager
def _served(app: ASGIApp) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, http=BreakableProtocol, log_config=None, lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def engine_directory() -> Path:
    """The directory with the ``pulumi`` command; the first use on a machine may build it, which takes minutes."""
    return engine.ensure().bin_dir


@pytest.fixture
def pulumi_environment(engine_directory: Path, tmp_path: Path) -> dict[str, str]:
    """The variables for running ``pulumi`` without anything of the user's: to be joined by a sandbox's own."""
    home = tmp_path / "home"
    home.mkdir()
    return {"PATH": f"{engine_directory}{os.pathsep}{os.environ['PATH']}", "HOME": str(home), "NO_COLOR": "1"}


@pytest.fixture
def pulumi(engine_directory: Path, pulumi_environment: Mapping[str, str]) -> RunPulumi:
    """Runs ``pulumi ARGUMENTS`` in ``cwd`` against ``sandbox``; fails the test on an exit code that is not ``code``."""

    def run(
        *arguments: str, sandbox: control.Running, cwd: Path, code: int | None = 0
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [engine_directory / "pulumi", *arguments, "--non-interactive"],
            cwd=cwd,
            env={**pulumi_environment, **sandbox.environment()},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if code is not None and done.returncode != code:
            pytest.fail(f"pulumi {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done

    return run

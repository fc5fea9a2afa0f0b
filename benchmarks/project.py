"""A project in a sandbox of its own, and what a command line in it costs."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import psutil

import engine
from sandbox import control
from sophia.backend import surroundings
from sophia.environments import publish
from sophia.target import SANDBOX_DIRECTORY, of_running

REPOSITORY = Path(__file__).parents[1]
_LOOK_EVERY_SECONDS = 0.1
_ESTATE = (
    *("__main__.py", "Pulumi.yaml", "requirements.lock"),
    *("components", "connectors", "dashboard", "esc", "policies", "providers", "workflows"),
)


@dataclass(frozen=True)
class Cost:
    """What a command took: wall time, and the most memory (resident) that it and all its descendants held at once."""

    seconds: float
    megabytes: float


@dataclass(frozen=True)
class Project:
    """A folder with a program, and the sandbox that it is deployed into."""

    directory: Path
    running: control.Running
    environment: dict[str, str]

    def beside(self, directory: Path, program: str, **environment: str) -> Project:
        """Another project in the same sandbox: one module of the benchmarks is its program."""
        link(directory, "benchmarks", "providers")
        (directory / "__main__.py").write_text(f"import {program}\n")
        manifest = (REPOSITORY / "Pulumi.yaml").read_text()
        (directory / "Pulumi.yaml").write_text(manifest.replace("name: sophia-ai", f"name: {directory.name}"))
        (directory / "Pulumi.dev.yaml").write_text("environment:\n  - sophia-ai/dev\n")
        return Project(directory, self.running, {**self.environment, **environment})

    def pulumi(self, *arguments: str) -> Cost:
        """Runs the pinned engine on stack dev."""
        return self.run("pulumi", *arguments, "--stack", "dev", "--non-interactive")

    def run(self, *command: str) -> Cost:
        """Raises ClickException with the command's output if it fails."""
        started = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - fixed commands
            command,
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with _watched(process.pid) as peak:
            output, _ = process.communicate()
        if process.returncode:
            raise click.ClickException(f"{' '.join(command)} failed:\n{output}")
        return Cost(time.perf_counter() - started, max(peak) / 1e6)


@contextmanager
def project(directory: Path) -> Iterator[Project]:
    """The estate's program without settings, in a fresh sandbox."""
    pinned = engine.ensure(lambda line: click.echo(line, err=True))
    link(directory, *_ESTATE)
    running = control.start(directory / SANDBOX_DIRECTORY, 0)
    try:
        publish(running, REPOSITORY / "esc")
        path = os.pathsep.join([str(pinned.bin_dir), os.environ["PATH"]])
        yield Project(directory, running, {**surroundings(of_running(running)), "PATH": path})
    finally:
        control.stop(directory / SANDBOX_DIRECTORY)


def link(directory: Path, *names: str) -> None:
    """Makes a folder whose ``names`` are those of the checkout."""
    directory.mkdir()
    for name in names:
        (directory / name).symlink_to(REPOSITORY / name)
    (directory / ".venv").symlink_to(sys.prefix)


@contextmanager
def _watched(pid: int) -> Iterator[list[int]]:
    """Collects, while the body runs, how many bytes the process and its descendants hold."""
    seen, over = [0], threading.Event()

    def watch() -> None:
        while not over.wait(_LOOK_EVERY_SECONDS):
            seen.append(_resident(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


def _resident(pid: int) -> int:
    held = 0
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    for process in family:
        try:
            held += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue  # ended since it was listed
    return held

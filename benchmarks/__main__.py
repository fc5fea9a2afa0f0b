"""Measures what benchmarks/README.md claims, and prints it as Markdown: ``make bench``."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

import engine
from sandbox import control
from sophia import Stack
from sophia.environments import publish
from sophia.events import Resource
from sophia.target import SANDBOX_DIRECTORY, of_running

REPOSITORY = Path(__file__).parents[1]
ROUNDS = int(os.environ.get("ROUNDS", "7"))
UP = ("up", "--yes", "--stack", "dev", "--non-interactive")
TOKEN_EXCHANGE = "/v1/applications/token"  # noqa: S105 - a path


@dataclass(frozen=True)
class Project:
    """A folder with a program, and the command line of the pinned engine in it."""

    directory: Path
    environment: dict[str, str]

    def run(self, *command: str) -> float:
        """Seconds that the command took. Raises CalledProcessError with its output if it fails."""
        started = time.perf_counter()
        done = subprocess.run(  # noqa: S603 - fixed commands
            command, cwd=self.directory, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise click.ClickException(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
        return time.perf_counter() - started


def main() -> None:
    pinned = engine.ensure(lambda line: click.echo(line, err=True))
    with tempfile.TemporaryDirectory(prefix="sophia-bench-") as scratch:
        estate = Path(scratch, "estate")
        _link(estate, "components", "providers", "esc", "__main__.py", "Pulumi.yaml")
        shutil.copy(REPOSITORY / "Pulumi.dev.yaml", estate)
        running = control.start(estate / SANDBOX_DIRECTORY, 0)
        try:
            publish(running, REPOSITORY / "esc")
            path = os.pathsep.join([str(pinned.bin_dir), os.environ["PATH"]])
            environment = {**os.environ, **running.environment(), "PATH": path, "PULUMI_PARALLEL_DIFF": "true"}
            _measure(Project(estate, environment), running, Path(scratch, "baseline"))
        finally:
            control.stop(estate / SANDBOX_DIRECTORY)


def _link(directory: Path, *names: str) -> None:
    directory.mkdir()
    for name in names:
        (directory / name).symlink_to(REPOSITORY / name)
    (directory / ".venv").symlink_to(sys.prefix)


def _measure(estate: Project, running: control.Running, baseline_directory: Path) -> None:
    stack = Stack("dev", estate.directory, of_running(running))
    running.clear_journal()
    stack.up()
    _first_up(stack, running)

    state = stack.state()
    count = sum(1 for r in (state.resources if state else []) if r.get("custom") and not Resource(r["urn"]).is_provider)
    baseline = Project(baseline_directory, {**estate.environment, "RESOURCES": str(count)})
    _link(baseline.directory, "benchmarks")
    (baseline.directory / "__main__.py").write_text("import benchmarks.baseline\n")
    manifest = (REPOSITORY / "Pulumi.yaml").read_text().replace("name: sophia-ai", "name: baseline")
    (baseline.directory / "Pulumi.yaml").write_text(manifest)
    (baseline.directory / "Pulumi.dev.yaml").write_text("environment:\n  - sophia-ai/dev\n")
    baseline.run("pulumi", "stack", "init", "dev")
    baseline.run("pulumi", *UP)

    running.clear_journal()
    ours, theirs, wrapped = [], [], []
    sophia = (sys.executable, "-c", "from sophia.cli import main; main()", "up", "dev", "--yes")
    for number in range(ROUNDS):
        click.echo(f"round {number + 1} of {ROUNDS}", err=True)
        theirs.append(baseline.run("pulumi", *UP))
        ours.append(estate.run("pulumi", *UP))
        wrapped.append(estate.run(*sophia))
    requests = running.journal().total
    click.echo(f"| No-change `up`, {count} resources, medians of {ROUNDS} interleaved runs | seconds | ratio |")
    click.echo("|---|---|---|")
    _row("as many trivial dynamic resources, `pulumi up`", theirs, theirs)
    _row("the estate, `pulumi up`", ours, theirs)
    _row("the estate, `sophia up`", wrapped, theirs)
    click.echo(f"\nRequests to platforms in {2 * ROUNDS} no-change runs: {requests}.")


def _row(what: str, seconds: Sequence[float], baseline: Sequence[float]) -> None:
    middle, ratio = statistics.median(seconds), statistics.median(seconds) / statistics.median(baseline)
    click.echo(f"| {what} | {middle:.1f} ({min(seconds):.1f} to {max(seconds):.1f}) | {ratio:.2f} |")


def _first_up(stack: Stack, running: control.Running) -> None:
    """Requests of a first up for each dynamic resource, token exchanges aside."""
    state = stack.state()
    urns = [Resource(r["urn"]) for r in (state.resources if state else []) if r.get("custom")]
    dynamic = Counter(resource.platform.lower() for resource in urns if resource.is_dynamic)
    local = dynamic.pop("keys", 0)
    entries = running.journal(limit=100_000).entries
    sent = Counter(entry.platform for entry in entries if entry.path != TOKEN_EXCHANGE)
    click.echo("| First `up`, dynamic resources | resources | requests | ratio |\n|---|---|---|---|")
    for platform in sorted(dynamic):
        _requests_row(platform, dynamic[platform], sent[platform])
    total = sum(sent[platform] for platform in dynamic)
    _requests_row("those on a platform", dynamic.total(), total)
    _requests_row(f"all, with {local} key pairs that need no request", dynamic.total() + local, total)
    click.echo("")


def _requests_row(what: str, resources: int, requests: int) -> None:
    click.echo(f"| {what} | {resources} | {requests} | {requests / resources:.2f} |")


if __name__ == "__main__":
    main()

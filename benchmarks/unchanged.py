"""What a run costs where nothing has to be done, and how many requests the first one takes."""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from benchmarks.project import REPOSITORY, Project, project
from sandbox.control import Running
from sophia import Stack
from sophia.events import Resource
from sophia.target import of_running

ROUNDS = int(os.environ.get("ROUNDS", "7"))
TOKEN_EXCHANGE = "/v1/applications/token"  # noqa: S105 - a path


def measure() -> None:
    with tempfile.TemporaryDirectory(prefix="sophia-bench-") as scratch, project(Path(scratch, "estate")) as estate:
        shutil.copy(REPOSITORY / "Pulumi.dev.yaml", estate.directory)
        stack = Stack("dev", estate.directory, of_running(estate.running))
        estate.running.clear_journal()
        stack.up()
        _first_up(stack, estate.running)
        _no_change(estate, stack, Path(scratch, "baseline"))


def _no_change(estate: Project, stack: Stack, directory: Path) -> None:
    state = stack.state()
    count = sum(1 for r in (state.resources if state else []) if r.get("custom") and not Resource(r["urn"]).is_provider)
    baseline = estate.beside(directory, "benchmarks.baseline", RESOURCES=str(count))
    baseline.run("pulumi", "stack", "init", "dev")
    baseline.pulumi("up", "--yes")

    estate.running.clear_journal()
    ours, theirs, wrapped = [], [], []
    sophia = (sys.executable, "-c", "from sophia.cli import main; main()", "up", "dev", "--yes")
    for number in range(ROUNDS):
        click.echo(f"round {number + 1} of {ROUNDS}", err=True)
        theirs.append(baseline.pulumi("up", "--yes").seconds)
        ours.append(estate.pulumi("up", "--yes").seconds)
        wrapped.append(estate.run(*sophia).seconds)
    requests = estate.running.journal().total
    click.echo(f"| No-change `up`, {count} resources, medians of {ROUNDS} interleaved runs | seconds | ratio |")
    click.echo("|---|---|---|")
    _row("as many trivial dynamic resources, `pulumi up`", theirs, theirs)
    _row("the estate, `pulumi up`", ours, theirs)
    _row("the estate, `sophia up`", wrapped, theirs)
    click.echo(f"\nRequests to platforms in {2 * ROUNDS} no-change runs: {requests}.\n")


def _row(what: str, seconds: Sequence[float], baseline: Sequence[float]) -> None:
    middle, ratio = statistics.median(seconds), statistics.median(seconds) / statistics.median(baseline)
    click.echo(f"| {what} | {middle:.1f} ({min(seconds):.1f} to {max(seconds):.1f}) | {ratio:.2f} |")


def _first_up(stack: Stack, running: Running) -> None:
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

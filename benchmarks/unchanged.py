"""What runs of the whole dev stack cost, in time, memory and requests: the first, and those where nothing has to be done."""

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

from benchmarks.project import REPOSITORY, Cost, Project, project
from providers.base.survey import platforms, resources_of, type_of
from sandbox.control import Running
from sophia import Stack
from sophia.events import Resource
from sophia.state import State
from sophia.target import of_running

ROUNDS = int(os.environ.get("ROUNDS", "7"))
TOKEN_EXCHANGE = "/v1/applications/token"  # noqa: S105 - a path
_SOPHIA = (sys.executable, "-c", "from sophia.cli import main; main()")
_PYTHON_PROVIDER = "pulumi:providers:pulumi-python"


def measure() -> None:
    with tempfile.TemporaryDirectory(prefix="sophia-bench-") as scratch, project(Path(scratch, "estate")) as estate:
        shutil.copy(REPOSITORY / "Pulumi.dev.yaml", estate.directory)
        stack = Stack("dev", estate.directory, of_running(estate.running))
        estate.running.clear_journal()
        first = estate.run(*_SOPHIA, "up", "dev", "--yes")
        state = stack.state()
        if state is None:
            raise click.ClickException("the first up left no state")
        _first_requests(state, estate.running)
        _runs(estate, state, first, Path(scratch, "baseline"))


def _runs(estate: Project, state: State, first: Cost, directory: Path) -> None:
    urns = [Resource(r["urn"]) for r in state.resources if r.get("custom")]
    count = sum(1 for urn in urns if not urn.is_provider)
    providers = sum(1 for urn in urns if urn.type == _PYTHON_PROVIDER)
    baseline = estate.beside(directory, "benchmarks.baseline", RESOURCES=str(count), PROVIDERS=str(providers))
    baseline.run("pulumi", "stack", "init", "dev")
    first_of_baseline = baseline.pulumi("up", "--yes")

    estate.running.clear_journal()
    ours, theirs, wrapped = list[Cost](), list[Cost](), list[Cost]()
    for number in range(ROUNDS):
        click.echo(f"round {number + 1} of {ROUNDS}", err=True)
        theirs.append(baseline.pulumi("up", "--yes"))
        ours.append(estate.pulumi("up", "--yes"))
        wrapped.append(estate.run(*_SOPHIA, "up", "dev", "--yes"))
    requests = estate.running.journal().total
    click.echo(f"| `up` of {count} resources (Python providers: {providers}) | seconds | ratio | MB |")
    click.echo("|---|---|---|---|")
    _row("first, as many trivial dynamic resources, `pulumi up`", [first_of_baseline], [first_of_baseline])
    _row("first, the estate, `sophia up`", [first], [first_of_baseline])
    _row("no change, as many trivial dynamic resources, `pulumi up`", theirs, theirs)
    _row("no change, the estate, `pulumi up`", ours, theirs)
    _row("no change, the estate, `sophia up`", wrapped, theirs)
    click.echo(
        f"\nNo change: medians of {ROUNDS} interleaved runs. Requests to platforms in {2 * ROUNDS} of them: {requests}.\n"
    )


def _row(what: str, costs: Sequence[Cost], baseline: Sequence[Cost]) -> None:
    seconds = [cost.seconds for cost in costs]
    middle = statistics.median(seconds)
    ratio = middle / statistics.median(cost.seconds for cost in baseline)
    spread = f" ({min(seconds):.1f} to {max(seconds):.1f})" if len(seconds) > 1 else ""
    click.echo(f"| {what} | {middle:.1f}{spread} | {ratio:.2f} | {max(cost.megabytes for cost in costs):.0f} |")


def _first_requests(state: State, running: Running) -> None:
    """Requests of a first up for each dynamic resource, token exchanges aside."""
    platform_of = {type_of(resource): name for name in platforms() for resource in resources_of(name)}
    types = [r["type"] for r in state.resources if r.get("custom") and Resource(r["urn"]).is_dynamic]
    dynamic = Counter(platform_of[type_] for type_ in types if type_ in platform_of)
    local = sum(1 for type_ in types if type_ not in platform_of)
    entries = running.journal(limit=100_000).entries
    sent = Counter(entry.platform for entry in entries if entry.path != TOKEN_EXCHANGE)
    click.echo("| First `up`, dynamic resources | resources | requests | ratio |\n|---|---|---|---|")
    for platform in sorted(dynamic):
        _requests_row(platform, dynamic[platform], sent[platform])
    total = sum(sent[platform] for platform in dynamic)
    _requests_row("those on a platform", dynamic.total(), total)
    _requests_row(f"all, with {local} keys and passwords that need no request", dynamic.total() + local, total)
    click.echo("")


def _requests_row(what: str, resources: int, requests: int) -> None:
    click.echo(f"| {what} | {resources} | {requests} | {requests / resources:.2f} |")

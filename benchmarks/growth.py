"""How the cost of a run grows with the number of objects: made, left alone, refreshed, destroyed.

Beside each run of ours the same number of objects of a provider that does nothing but wait as long as the platform
takes for a request: once with as many operations at a time as ours has (the floor), once with the four that the SDK's
host of dynamic providers has by itself.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import yaml

from benchmarks.project import Cost, Project, project
from providers.base.process import WORKERS

SIZES = tuple(int(size) for size in os.environ.get("SIZES", "50,200,1000").split(","))
LATENCY_SECONDS = 0.1
"""What each request to a platform takes beside the emulator's own time, and each operation of the floor."""

OPERATIONS: Mapping[str, tuple[str, ...]] = {
    "create": ("up", "--yes", "--skip-preview"),
    "unchanged": ("up", "--yes", "--skip-preview"),
    "refresh": ("refresh", "--yes", "--skip-preview", "--run-program"),
    "destroy": ("destroy", "--yes", "--skip-preview"),
}


def openrouter_keys(count: int) -> dict[str, Any]:
    keys = {f"key{number}": {"name": f"Key {number}", "limit_usd": 5} for number in range(count)}
    return {"openrouter": {"workspace": {"slug": "sophia-dev", "name": "Sophia dev"}, "keys": keys}}


def airbyte_connections(count: int) -> dict[str, Any]:
    warehouse = {
        "name": "Warehouse",
        "type": "snowflake",
        "configuration": {
            "host": "example.snowflakecomputing.com",
            "role": "LOADER",
            "warehouse": "LOAD",
            "database": "RAW",
            "schema": "LINEAR",
            "username": "AIRBYTE",
            "credentials": {"auth_type": "Username and Password"},
        },
        "secrets": {"credentials.password": {"environment": "GONG_ACCESS_KEY"}},
    }
    connections = {
        f"connection{number}": {"name": f"Connection {number}", "source": "linear", "destination": "warehouse"}
        for number in range(count)
    }
    return {
        "airbyte": {
            "workspace": {"name": "sophia-dev"},
            "sources": {
                "linear": {
                    "name": "Linear",
                    "type": "linear",
                    "secrets": {"api_key": {"environment": "LINEAR_API_KEY"}},
                }
            },
            "destinations": {"warehouse": warehouse},
            "connections": connections,
        }
    }


OBJECTS: Mapping[str, Callable[[int], dict[str, Any]]] = {
    "Airbyte connections": airbyte_connections,
    "OpenRouter keys": openrouter_keys,
}


@dataclass(frozen=True)
class Measured:
    """One operation: its cost, the requests that platforms got, and the state that it left."""

    cost: Cost
    requests: int
    state_bytes: int


def measure() -> None:
    for count in SIZES:
        floor, four = _waiting(count, workers=WORKERS), _waiting(count, workers=4)
        click.echo(f"| {count} objects | | requests | seconds | floor | ratio | four at a time | MB | state, kB |")
        click.echo("|---|---|---|---|---|---|---|---|---|")
        for what, settings in OBJECTS.items():
            for operation, ours in _estate(settings(count)).items():
                least, slower = floor[operation].cost, four[operation].cost
                ratio = ours.cost.seconds / least.seconds
                click.echo(
                    f"| {what} | {operation} | {ours.requests} | {ours.cost.seconds:.1f} | {least.seconds:.1f} "
                    f"| {ratio:.2f} | {slower.seconds:.1f} | {ours.cost.megabytes:.0f} (floor {least.megabytes:.0f}) "
                    f"| {ours.state_bytes / 1000:.0f} |"
                )
        click.echo("")


@contextmanager
def _fresh() -> Iterator[Project]:
    with tempfile.TemporaryDirectory(prefix="sophia-bench-") as scratch, project(Path(scratch, "estate")) as made:
        yield made


def _estate(settings: Mapping[str, Any]) -> dict[str, Measured]:
    with _fresh() as estate:
        config = {f"sophia-ai:{platform}": value for platform, value in settings.items()}
        document = {"environment": ["sophia-ai/dev"], "config": config}
        (estate.directory / "Pulumi.dev.yaml").write_text(yaml.safe_dump(document))
        estate.running.add_fault(latency=LATENCY_SECONDS)
        return _operations(estate)


def _waiting(count: int, *, workers: int) -> dict[str, Measured]:
    with _fresh() as estate:
        numbers = {"RESOURCES": str(count), "LATENCY_SECONDS": str(LATENCY_SECONDS), "WORKERS": str(workers)}
        return _operations(estate.beside(estate.directory.with_name("waiting"), "benchmarks.waiting", **numbers))


def _operations(measured: Project) -> dict[str, Measured]:
    measured.run("pulumi", "stack", "init", "dev")
    results = {}
    for name, arguments in OPERATIONS.items():
        click.echo(f"{measured.directory.name}: {name}", err=True)
        before = measured.running.mark()
        cost = measured.pulumi(*arguments)
        requests = measured.running.journal(since=before, limit=0).total
        exported = measured.directory / "state.json"
        measured.pulumi("stack", "export", "--file", str(exported))
        results[name] = Measured(cost, requests, exported.stat().st_size)
    return results

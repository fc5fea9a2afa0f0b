"""The engine's command line in the project, without a stack: getting an engine, listing stacks."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sophia.diagnosis import Failure, diagnose
from sophia.errors import RunFailed
from sophia.project import Project
from sophia.redact import redact
from sophia.runner import EngineCommand
from sophia.target import Target


@dataclass(frozen=True)
class StackEntry:
    """A stack of the checkout; ``resources`` is None where its backend does not know it yet."""

    name: str
    resources: int | None
    last_update: str | None
    """RFC 3339."""
    updating: bool


def engine_command(report: Callable[[str], object]) -> EngineCommand:
    """An engine that runs, got in one of the ways of `engine.ensure`. Raises RunFailed if none leads to one."""
    import engine

    def say(line: str) -> None:
        report(f"engine    {line}")

    try:
        found = engine.ensure(say)
    except engine.EngineUnavailable as reason:
        what, _, rest = str(reason).partition("\n")
        raise RunFailed(what, said=rest.strip(), do="install Pulumi, see above") from reason
    say(str(found))
    return EngineCommand(found.bin_dir / "pulumi", found.version)


PARALLEL = "32"
"""Operations at a time over all platforms. The engine's own default is four for each processor of the machine, but what
they wait for is platforms; each platform's own limit is kept by its provider."""


def surroundings(target: Target) -> dict[str, str]:
    """The environment of every command: what makes the engine quicker, the process's own, and where to act."""
    return {"PULUMI_PARALLEL": PARALLEL, **os.environ, **target.environment, "PULUMI_PARALLEL_DIFF": "true"}


def list_stacks(project: Project, target: Target, command: EngineCommand | None = None) -> list[StackEntry]:
    """The stacks that have a settings file, with what their backend knows. Raises SophiaError."""
    command = command or engine_command(lambda _line: None)
    environment = surroundings(target)
    organization = ["--organization", target.organization] if target.organization else []
    outcome = command.execute(["stack", "ls", "--json", *organization], project.directory, environment)
    if outcome.code != 0:
        stderr = redact(outcome.stderr, environment)
        raise diagnose(Failure("*", "Pulumi.yaml", target.backend, (), (), stderr, outcome.code, log=stderr))
    known: dict[str, dict[str, Any]] = {item["name"].rpartition("/")[2]: item for item in json.loads(outcome.stdout)}
    return [_entry(name, known.get(name)) for name in project.stacks]


def _entry(name: str, item: dict[str, Any] | None) -> StackEntry:
    if item is None:
        return StackEntry(name, None, None, updating=False)
    return StackEntry(
        name, item.get("resourceCount"), item.get("lastUpdate"), updating=bool(item.get("updateInProgress"))
    )

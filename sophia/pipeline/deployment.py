"""One deployment of a stack: what it was asked to do, and what its steps have found so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol

from sophia.errors import Problem
from sophia.pipeline import record
from sophia.pipeline.plan import Binding, BoundPlan
from sophia.pipeline.record import Label, Past
from sophia.pipeline.revision import Revision, of_checkout
from sophia.project import Project
from sophia.results import Result
from sophia.runner import EngineCommand
from sophia.runs import OnEvent, Report
from sophia.stack import Stack

What = Literal["deploy", "rollback"]
PROD = "prod"
WATCH = 10.0
"""Seconds that a deployment is watched unless said otherwise."""
DEPLOYMENTS = "deployments"
"""The key, in the settings' Slack channels, of the channel that hears of deployments."""


class HealthReport(Protocol):
    """What a health check says: whether all is well, and what is not."""

    @property
    def well(self) -> bool: ...

    @property
    def problems(self) -> Sequence[Problem]: ...


CheckHealth = Callable[[Stack, Sequence[str] | None], HealthReport]
CheckEsc = Callable[[Project], Sequence[Problem]]
Ask = Callable[[BoundPlan], bool]
"""Asks a person whether the plan may be run."""


@dataclass(frozen=True)
class Options:
    """What a deployment may do without asking, and whom it asks."""

    require_approval: bool = False
    """Prod with real accounts always needs it."""
    approve: str = ""
    """The digest of the plan that was approved, or its beginning."""
    yes: bool = False
    """Agrees to a plan that destroys or replaces something, where no approval is needed."""
    ask: Ask | None = None
    """None where there is nobody to ask."""
    plan_file: Path | None = None
    """A plan that was made before; None to make one."""
    watch: float = WATCH
    fail_fast: bool = False
    on_plan: Callable[[BoundPlan], object] = lambda _plan: None
    watched: Callable[[], AbstractContextManager[OnEvent | None]] = nullcontext
    """Entered for each of the engine's runs; gives what its events go to."""
    check_health: CheckHealth | None = None
    check_esc: CheckEsc | None = None
    report: Report | None = None


@dataclass
class Deployment:
    """What the steps work on. ``stack`` is the one that runs, and can be interrupted."""

    what: What
    stack: Stack
    engine: EngineCommand
    options: Options
    revision: Revision
    by: str
    run: str
    binding: Binding | None = None
    past: Past | None = None
    """The runs before this one."""
    plan: BoundPlan | None = None
    changing: bool = False
    """Whether platforms may have been changed by it."""
    result: Result | None = None
    warnings: list[str] = field(default_factory=list)
    noted: bool = False
    """Whether it is in the history as good."""

    @classmethod
    def of(cls, what: What, stack: Stack, engine: EngineCommand, options: Options) -> Deployment:
        """Raises SophiaError where git cannot tell the revision."""
        revision = of_checkout(stack.project.directory, stack.settings_file)
        by, run = record.who(stack.target), record.new_run()
        running = record.labelled(stack, engine, Label(what, by, revision, run), options.report)
        return cls(what, running, engine, options, revision, by, run)

    @property
    def name(self) -> str:
        return self.stack.name

    @property
    def real(self) -> bool:
        """Whether it acts on real accounts."""
        return self.stack.target.kind != "sandbox"

    @property
    def needs_approval(self) -> bool:
        return self.options.require_approval or (self.real and self.name == PROD)

    @property
    def untested(self) -> bool:
        """Whether something was run since the last good deploy, so that more than what this one changes needs tests."""
        return self.past is None or self.past.stands_at is None

    @property
    def touched(self) -> tuple[str, ...]:
        """The platforms that this deployment has changed, by their keys in the settings."""
        changes = self.result.changes if self.result else ()
        return tuple(sorted({c.resource.platform.lower() for c in changes if c.resource.platform}))

    @property
    def channel(self) -> str:
        """The id of the Slack channel that hears of deployments; "" before it exists, and for a stack without one."""
        return _channel(self.result.outputs) if self.result else self._channel_before

    @cached_property
    def _channel_before(self) -> str:
        return _channel(self.stack.outputs())


def _channel(outputs: Mapping[str, Any]) -> str:
    slack = outputs.get("slack")
    channels = slack.get("channels") if isinstance(slack, Mapping) else None
    channel = channels.get(DEPLOYMENTS) if isinstance(channels, Mapping) else None
    return channel if isinstance(channel, str) and not channel.startswith(("[", "(")) else ""

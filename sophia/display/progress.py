"""How far a run is, by platform: what both the live and the plain display are drawn from."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sophia.events import Event, Expected, PhaseDone, PhaseStarted, ResourceDone, ResourceFailed, ResourceStarted, Step

OTHER = "Other"


@dataclass
class Line:
    """One platform. Times are seconds of a monotonic clock."""

    title: str
    total: int | None = None
    done: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    running: dict[str, tuple[str, float]] = field(default_factory=dict)
    """URN to (what is being done, since when)."""
    began: float | None = None
    ended: float | None = None

    @property
    def complete(self) -> bool:
        return self.total is not None and len(self.done) >= self.total and not self.running

    def elapsed(self, now: float) -> float:
        if self.began is None:
            return 0.0
        return (self.ended if self.ended is not None and not self.running else now) - self.began

    def slow(self, now: float, patience: float) -> str:
        """What has been running longest, if that is longer than ``patience`` seconds."""
        oldest = min(self.running.values(), key=lambda entry: entry[1], default=None)
        return f"{oldest[0]} …" if oldest and now - oldest[1] > patience else ""


class Progress:
    """Follows the events of one run. In the preview phase the lines learn their totals, in the other their count."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.lines: dict[str, Line] = {}
        self.planning = True
        self.previewed = 0

    def add(self, event: Event) -> None:
        match event:
            case Expected(totals=totals):
                for title, total in totals.items():
                    self.lines[title or OTHER] = Line(title or OTHER, total)
            case PhaseStarted(preview=preview):
                self.planning = preview
            case PhaseDone(preview=True):
                for line in self.lines.values():
                    line.total = len(line.done)
                    line.done, line.running, line.began, line.ended = set(), {}, None, None
            case ResourceStarted(step=step) if step.counts:
                self._started(step)
            case ResourceDone(step=step) if step.counts:
                self._done(step)
            case ResourceFailed(step=step) if step.counts:
                self.line_of(step).failed.add(step.resource.urn)
                self._done(step)

    def line_of(self, step: Step) -> Line:
        title = step.resource.platform or OTHER
        return self.lines.setdefault(title, Line(title))

    def _started(self, step: Step) -> None:
        line, now = self.line_of(step), self.clock()
        if line.began is None:
            line.began = now
        line.running[step.resource.urn] = (f"{step.resource.kind} {step.resource.name}", now)

    def _done(self, step: Step) -> None:
        line = self.line_of(step)
        line.running.pop(step.resource.urn, None)
        line.done.add(step.resource.urn)
        line.ended = self.clock()
        if line.began is None:
            line.began = line.ended
        self.previewed += self.planning

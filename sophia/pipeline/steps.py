"""The steps of a deployment: how they are run one after the other, told while they run, and where it stands if one fails.

A step is a function that gets the deployment and says in a sentence what it has found; it fails by raising SophiaError.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, Literal, TypeVar

from sophia.errors import Interrupted, SophiaError

D = TypeVar("D")
Status = Literal["started", "done", "failed", "interrupted"]


@dataclass(frozen=True)
class Step(Generic[D]):
    name: str
    act: Callable[[D], str]


@dataclass(frozen=True)
class StepEvent:
    """A step has begun, or has ended."""

    time: datetime
    step: str
    status: Status
    said: str = ""
    """What it found, or what went wrong; secrets never."""
    seconds: float = 0.0

    @property
    def over(self) -> bool:
        return self.status != "started"


OnStep = Callable[[StepEvent], object]


@dataclass(frozen=True)
class Standing:
    """Where a deployment stands that did not reach its end."""

    step: str
    done: tuple[str, ...]
    left: tuple[str, ...]

    @property
    def number(self) -> int:
        return len(self.done) + 1

    @property
    def total(self) -> int:
        return len(self.done) + 1 + len(self.left)


class Course(Generic[D]):
    """One passage through the steps."""

    def __init__(self, steps: Sequence[Step[D]], on_step: OnStep) -> None:
        self.steps = tuple(steps)
        self.events: list[StepEvent] = []
        """Those of steps that are over, in order."""
        self.standing: Standing | None = None
        """Where it is, or where it has failed; None once it has reached its end."""
        self._on_step = on_step

    def run(self, deployment: D) -> None:
        """Raises the SophiaError of the step that failed; Interrupted for a Ctrl-C between what the engine does."""
        for number, step in enumerate(self.steps):
            names = [each.name for each in self.steps]
            self.standing = Standing(step.name, tuple(names[:number]), tuple(names[number + 1 :]))
            with _interruptible(step.name):
                self._take(step, deployment)
        self.standing = None

    def _take(self, step: Step[D], deployment: D) -> None:
        began = time.monotonic()
        try:
            with _interruptible(step.name):
                self._on_step(StepEvent(datetime.now(UTC), step.name, "started"))
                said = step.act(deployment)
        except SophiaError as error:
            status: Status = "interrupted" if isinstance(error, Interrupted) else "failed"
            self._end(step.name, status, error.what, began)
            raise
        self._end(step.name, "done", said, began)

    def _end(self, name: str, status: Status, said: str, began: float) -> None:
        event = StepEvent(datetime.now(UTC), name, status, said, time.monotonic() - began)
        self.events.append(event)
        self._on_step(event)


@contextmanager
def _interruptible(step: str) -> Iterator[None]:
    """A Ctrl-C outside the engine's runs ends the course at once: nothing is in flight then."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise Interrupted(
            f"interrupted during the step {step}", said="nothing was in flight", do="run it again"
        ) from error

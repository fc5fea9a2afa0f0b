"""Eventual consistency on demand: what a request has made or removed, seen late by those who read.

Reads by id do not find what is fresh; lists show everything as it was before. Requests that write, and looks at what
does not belong to the answer (who calls, in which container), see what is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

Document = dict[str, Any]
Place = tuple[str, str, str]
"""An object's platform, kind and id."""


@dataclass
class _Lag:
    before: Document | None
    """The object as it was before the late write; None if that made it."""
    reads: int
    until: float

    @property
    def over(self) -> bool:
        return self.reads <= 0 and time.monotonic() >= self.until


class Lateness:
    """What reads do not show yet. It lives as long as the process, like the faults that bring it about."""

    def __init__(self) -> None:
        self._lags: dict[Place, _Lag] = {}
        self._lock = Lock()

    @contextmanager
    def writing(self, reads: int, seconds: float) -> Iterator[None]:
        """What is written in here is not shown to the next ``reads`` requests that would show it, nor for ``seconds``."""
        with _entered(Writer(self, reads, time.monotonic() + seconds)):
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        """A request that only reads. What it was not shown counts as one read of each object."""
        reader = Reader(self)
        with _entered(reader):
            yield
        with self._lock:
            for place in reader.missed:
                if place in self._lags:
                    self._lags[place].reads -= 1

    def clear(self) -> None:
        with self._lock:
            self._lags.clear()

    def note(self, place: Place, lag: _Lag) -> None:
        with self._lock:
            # Of several late writes of one object, what was there before the first is what is still seen.
            if place not in self._lags or self._lags[place].over:
                self._lags[place] = lag

    def lags(self, platform: str, kind: str) -> dict[str, _Lag]:
        """What is late of one kind, by id."""
        with self._lock:
            self._lags = {place: lag for place, lag in self._lags.items() if not lag.over}
            return {place[2]: lag for place, lag in self._lags.items() if place[:2] == (platform, kind)}


@dataclass(frozen=True)
class Writer:
    """A request of which others see late what it does."""

    lateness: Lateness
    reads: int
    until: float

    def wrote(self, place: Place, before: Document | None) -> None:
        """An object was put or deleted; ``before`` is what it was."""
        self.lateness.note(place, _Lag(before, self.reads, self.until))


@dataclass(frozen=True)
class Reader:
    """A request that only reads, and may not see yet what was written before it."""

    lateness: Lateness
    missed: set[Place] = field(default_factory=set)

    def finds(self, place: Place) -> bool:
        """Whether it sees the object that has this id."""
        lag = self.lateness.lags(*place[:2]).get(place[2])
        if lag is None or lag.before is not None:
            return True
        self.missed.add(place)
        return False

    def listed(self, platform: str, kind: str, documents: dict[str, Document]) -> dict[str, Document]:
        """The objects of a kind, by id, as a list shows them."""
        late = self.lateness.lags(platform, kind)
        self.missed.update((platform, kind, key) for key in late)
        earlier = {key: lag.before for key, lag in late.items()}
        seen = {**documents, **earlier}
        return {key: document for key, document in seen.items() if document is not None}


view: ContextVar[Writer | Reader | None] = ContextVar("view", default=None)
"""How the request at hand sees the objects; None sees them as they are."""


@contextmanager
def _entered(entered: Writer | Reader) -> Iterator[None]:
    token = view.set(entered)
    try:
        yield
    finally:
        view.reset(token)

"""What exists on a platform, as few calls as the API allows: one listing serves all resources of a kind in a run."""

from __future__ import annotations

import time
from collections.abc import Hashable
from dataclasses import dataclass, field
from threading import Lock, RLock

from providers.base.api import Json
from providers.base.inputs import Inputs
from providers.base.kind import Kind

MAX_AGE_SECONDS = 30.0
"""How long a listing is believed. What this process itself writes is entered at once."""


@dataclass
class _Snapshot:
    lock: RLock = field(default_factory=RLock)
    taken: float = float("-inf")
    documents: list[Json] | None = None


class Inventory:
    """The listings of this process, by kind and by the container in which they were made."""

    def __init__(self) -> None:
        self._snapshots: dict[Hashable, _Snapshot] = {}
        self._made_here: set[tuple[str, str]] = set()
        self._holders: dict[tuple[str, str, str], str] = {}
        self._taken_over: set[tuple[str, str, str]] = set()
        self._lock = Lock()

    def list(self, kind: Kind, inputs: Inputs, *, fresh: bool = False) -> list[Json]:
        """The live objects of a kind, in the container that the inputs name. ``fresh`` asks the platform in any case."""
        listing = kind.calls.listing
        if listing is None:
            raise ValueError(f"{kind.title} has no listing")
        snapshot = self._snapshot(kind, inputs)
        with snapshot.lock:
            old = time.monotonic() - snapshot.taken > MAX_AGE_SECONDS
            if fresh or old or snapshot.documents is None:
                snapshot.documents = list(listing.fetch(kind.api, inputs.state()))
                snapshot.taken = time.monotonic()
            return list(snapshot.documents)

    def empty_container(self, kind: Kind, inputs: Inputs) -> bool:
        """Whether the container was made by this process, so that nothing is in it that this process did not make."""
        return (
            kind.scope is not None
            and (
                kind.api.name,
                str(kind.container(inputs).get(kind.scope)),
            )
            in self._made_here
        )

    def created(self, kind: Kind, inputs: Inputs, id_: str, document: Json, urn: str) -> None:
        """Notes what the resource ``urn`` has made."""
        with self._lock:
            self._made_here.add((kind.api.name, id_))
            self._holders[kind.api.name, kind.title, id_] = urn
        if "{" in kind.identity:
            document = {**inputs.wire(), **document}
        snapshot = self._snapshot(kind, inputs)
        with snapshot.lock:
            if snapshot.documents is not None:
                others = [d for d in snapshot.documents if kind.identify(d, kind.container(inputs)) != id_]
                snapshot.documents = [*others, document]

    def take_over(self, kind: Kind, id_: str, urn: str) -> bool:
        """Notes that the resource ``urn`` has taken over an object; False if another one of this run has it already."""
        key = (kind.api.name, kind.title, id_)
        with self._lock:
            if self._holders.setdefault(key, urn) != urn:
                return False
            self._taken_over.add(key)
            return True

    def lives_on(self, kind: Kind, id_: str) -> bool:
        """Whether an object was taken over in this run: deleting the resource that had it before must not delete it."""
        with self._lock:
            return (kind.api.name, kind.title, id_) in self._taken_over

    def forget(self, kind: Kind, inputs: Inputs) -> None:
        """After a change or a deletion: the next one who asks gets a new listing."""
        snapshot = self._snapshot(kind, inputs)
        with snapshot.lock:
            snapshot.documents = None

    def _snapshot(self, kind: Kind, inputs: Inputs) -> _Snapshot:
        container = tuple(kind.container(inputs).values())
        with self._lock:
            return self._snapshots.setdefault((kind.api.name, kind.inputs, container), _Snapshot())

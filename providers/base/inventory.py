"""What exists on a platform, as few calls as the API allows: one listing serves all resources of a kind in a run."""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from threading import Lock, RLock
from typing import Any

from providers.base.api import Json
from providers.base.inputs import Inputs
from providers.base.kind import Kind

MAX_AGE_SECONDS = 30.0
"""How long a listing is believed. What this process itself writes is entered at once."""


@dataclass
class _Snapshot:
    """One listing: its documents by id, and by what natural keys say. No look at it costs more the more there are."""

    kind: Kind
    container: Mapping[str, Any]
    lock: RLock = field(default_factory=RLock)
    taken: float = float("-inf")
    documents: dict[str, Json] | None = None
    keyed: dict[frozenset[str], dict[Hashable, list[str]]] = field(default_factory=dict)

    def renew(self, *, fresh: bool = False) -> dict[str, Json]:
        """The documents, asked for again if they are too old. To be called under the lock."""
        listing = self.kind.calls.listing
        if listing is None:
            raise ValueError(f"{self.kind.title} has no listing")
        if fresh or self.documents is None or time.monotonic() - self.taken > MAX_AGE_SECONDS:
            found = listing.fetch(self.kind.api, self.container)
            self.documents = {self.kind.identify(document, self.container): document for document in found}
            self.keyed.clear()
            self.taken = time.monotonic()
        return self.documents

    def with_key(self, inputs: Inputs) -> list[Json]:
        """The documents with the natural key that the inputs have, as far as they say it."""
        documents, wanted = self.renew(), self.kind.key_of(inputs.wire())
        names = frozenset(wanted)
        if not names:
            return []
        if names not in self.keyed:
            index: dict[Hashable, list[str]] = {}
            for id_, document in documents.items():
                index.setdefault(_value(self.kind.shown(document), names), []).append(id_)
            self.keyed[names] = index
        key = _value(wanted, names)
        found = [documents[id_] for id_ in self.keyed[names].get(key, []) if id_ in documents]
        return [document for document in found if _value(self.kind.shown(document), names) == key]

    def put(self, id_: str, document: Json, wire: Json) -> None:
        """Enters what was made with these inputs. (Its document may have a form that cannot be read.)"""
        if self.documents is not None:
            self.documents[id_] = document
            for names, index in self.keyed.items():
                index.setdefault(_value(wire, names), []).append(id_)

    def drop(self, id_: str) -> None:
        if self.documents is not None:
            self.documents.pop(id_, None)


def _value(shown: Mapping[str, Any], names: frozenset[str]) -> Hashable:
    return tuple(repr(shown.get(name)) for name in sorted(names))


class Inventory:
    """The listings of this process, by kind and by the container in which they were made."""

    def __init__(self) -> None:
        self._snapshots: dict[Hashable, _Snapshot] = {}
        self._made_here: set[tuple[str, str]] = set()
        self._holders: dict[tuple[str, str, str], str] = {}
        self._taken_over: set[tuple[str, str, str]] = set()
        self._gone: set[tuple[str, str, str]] = set()
        self._lock = Lock()

    def find(self, kind: Kind, inputs: Inputs, *, fresh: bool = False) -> list[Json]:
        """The live objects with the natural key of the inputs. ``fresh`` asks the platform in any case."""
        snapshot = self._snapshot(kind, kind.container(inputs))
        with snapshot.lock:
            snapshot.renew(fresh=fresh)
            found = snapshot.with_key(inputs)
        container = kind.container(inputs)
        with self._lock:
            return [d for d in found if (kind.api.name, kind.title, kind.identify(d, container)) not in self._gone]

    def get(self, kind: Kind, inputs: Inputs, id_: str) -> Json | None:
        """The live object with that id, if the listing has it."""
        snapshot = self._snapshot(kind, kind.container(inputs))
        with snapshot.lock:
            return snapshot.renew().get(id_)

    def all(self, kind: Kind, container: Mapping[str, Any]) -> dict[str, Json]:
        """Every object of a kind in a container (``{}`` for a kind without containers), by id."""
        snapshot = self._snapshot(kind, container)
        with snapshot.lock:
            return dict(snapshot.renew())

    def empty_container(self, kind: Kind, inputs: Inputs) -> bool:
        """Whether the container was made by this process, so that nothing is in it that this process did not make."""
        ids = kind.container(inputs).values() if kind.within and kind.within.empty else ()
        return bool(ids) and all((kind.api.name, str(id_)) in self._made_here for id_ in ids)

    def created(self, kind: Kind, inputs: Inputs, id_: str, document: Json, urn: str) -> None:
        """Notes what the resource ``urn`` has made."""
        kind.api.has_made(id_)
        with self._lock:
            self._gone.discard((kind.api.name, kind.title, id_))
            self._made_here.add((kind.api.name, id_))
            self._holders[kind.api.name, kind.title, id_] = urn
        if "{" in kind.identity:
            document = {**inputs.wire(), **document}
        snapshot = self._snapshot(kind, kind.container(inputs))
        with snapshot.lock:
            snapshot.put(id_, document, inputs.wire())

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

    def forget(self, kind: Kind, inputs: Inputs, id_: str, *, gone: bool = False) -> None:
        """After a change: whoever asks for the object next gets what the platform says then.

        ``gone``: after a deletion. Lists may show the object for a while, but it is not found any more.
        """
        if gone:
            with self._lock:
                self._gone.add((kind.api.name, kind.title, id_))
        snapshot = self._snapshot(kind, kind.container(inputs))
        with snapshot.lock:
            snapshot.drop(id_)
            if kind.calls.read is None:
                snapshot.documents = None

    def _snapshot(self, kind: Kind, container: Mapping[str, Any]) -> _Snapshot:
        # Kinds that are asked for alike (sources' and destinations' definitions) share their inputs, and not their list.
        key = (kind.api.name, kind.title, kind.inputs, tuple(container.values()))
        with self._lock:
            return self._snapshots.setdefault(key, _Snapshot(kind, container))

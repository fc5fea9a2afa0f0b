"""The objects of the official packages in the sandbox's store: made, read, changed and deleted by a platform's rules.

An object is one document, kind = type token, id = the id that the official provider would give:
``{"id", "properties", "filled"}``. ``properties`` are the live ones (secrets as salted hashes), ``filled`` those of
them that the platform added by itself. Whoever edits ``properties``, or deletes the document, makes drift.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from sandbox.official.behaviour import Draft, Identity, Kind, Package, Reference, RefusedError, WhenGone
from sandbox.official.values import Path, Properties, merged, sealed, seen_through, unsealed, without
from sandbox.store import Document, Store

_REMEMBERED = 8192
"""More objects than any estate has of one package: parsing and naming all of them again is what a write would cost."""


@dataclass(frozen=True)
class _Known:
    """What a stored object is called and what it refers to."""

    id: str
    properties: Properties
    identity: Identity
    names: frozenset[Identity]
    references: tuple[Reference, ...]


class Objects:
    """One package's objects. Every method is one transaction; RefusedError undoes it."""

    def __init__(self, store: Store, package: Package) -> None:
        self._store = store
        self._package = package
        self._known = lru_cache(maxsize=_REMEMBERED)(self._parsed)

    def create(self, token: str, asked: Properties, secret: Iterable[Path]) -> tuple[str, Properties]:
        """The new object's id and properties. Raises RefusedError: a name that is taken, something that must exist."""
        kind = self._package.kind(token)
        with self._store.transaction():
            referred = self._required_references(kind, asked)
            self._require_free_name(token, kind, asked)
            made = kind.make_id(asked)
            return made, self._write(token, kind, self._draft(token, made, asked, {}, referred), secret)

    def found_by(self, token: str, key: str) -> str:
        """The id of the object that ``key`` means: the id itself, or what the official provider imports it by."""
        if self._store.get(token, key) is None:
            kind = self._package.kind(token)
            for document in self._store.all(token):
                if key in kind.import_ids(document["properties"]):
                    return str(document["id"])
        return key

    def read(self, token: str, key: str, inputs: Properties, state: Properties) -> tuple[Properties, Properties] | None:
        """The live inputs and outputs, or None when the object is gone.

        The inputs are those of ``inputs`` as they are now, and what somebody set by hand beside them; with no
        ``inputs`` at all (an import) everything that was set.
        """
        document = self._store.get(token, key)
        if document is None:
            return None
        outputs = unsealed(document["properties"], state)
        live = unsealed(document["properties"], merged(state, inputs))
        found: Properties = seen_through(_visible(inputs), live)
        if self._package.owns_whole_object or not inputs:
            settable = self._settable(token, without(live, document["filled"]))
            found = {**settable, **found}
        if "__defaults" in inputs:
            found["__defaults"] = inputs["__defaults"]
        return found, outputs

    def planned(self, token: str, key: str, asked: Properties) -> Properties:
        """What an update would lead to, as far as it can be told without doing it."""
        document = self._store.get(token, key)
        return merged(unsealed(document["filled"], {}), asked) if document else asked

    def update(self, token: str, key: str, asked: Properties, secret: Iterable[Path]) -> Properties:
        """The properties after the change. Raises RefusedError, also when the object is gone."""
        kind = self._package.kind(token)
        with self._store.transaction():
            key = self.found_by(token, key)
            document = self._store.get(token, key)
            if document is None:
                raise RefusedError(f"{token.rsplit(':', 1)[-1]} {key!r} was not found; run a refresh, then try again")
            referred = self._required_references(kind, asked)
            if kind.identity(asked) != kind.identity(document["properties"]):
                self._require_free_name(token, kind, asked, besides=key)
            return self._write(token, kind, self._draft(token, key, asked, document["properties"], referred), secret)

    def delete(self, token: str, key: str) -> None:
        """Deletes the object and what cannot be without it; one that is gone already is done.

        Raises RefusedError when the platform insists that something else goes first.
        """
        with self._store.transaction():
            self._delete(token, self.found_by(token, key))

    def _delete(self, token: str, key: str) -> None:
        document = self._store.get(token, key)
        if document is None:
            return
        kind = self._package.kind(token)
        left = kind.retired(document["properties"])
        if left is not None:
            self._store.put(token, key, {**document, "properties": left})
            return
        dependants = list(self._dependants(token, kind, document["properties"]))
        if any(how is WhenGone.PREVENTS for _, _, how in dependants):
            raise RefusedError(kind.referred(kind.identity(document["properties"])))
        self._store.delete(token, key)
        for their_token, their_key, how in dependants:
            if how is WhenGone.GOES_TOO:
                self._delete(their_token, their_key)

    def _draft(
        self, token: str, key: str, asked: Properties, previous: Properties, referred: tuple[Properties, ...]
    ) -> Draft:
        return Draft(
            key,
            _visible(asked),
            previous,
            referred,
            others=lambda: [known.properties for known in self._all(token) if known.id != key],
            noted=self._store.latest.get,
        )

    def _write(self, token: str, kind: Kind, draft: Draft, secret: Iterable[Path]) -> Properties:
        for words in kind.refusals(draft):
            raise RefusedError(words)
        filled = kind.fill(draft)
        properties = merged(filled, draft.asked)
        hidden = {*secret, *kind.sensitive}
        document: Document = {
            "id": draft.id,
            "properties": sealed(properties, hidden),
            "filled": sealed(without(filled, draft.asked), hidden),
        }
        self._store.put(token, draft.id, document)
        return properties

    def _required_references(self, kind: Kind, asked: Properties) -> tuple[Properties, ...]:
        """The objects that ``asked`` refers to. Raises RefusedError when one of them is not there."""
        return tuple(self._referred(reference) for reference in kind.references(asked))

    def _referred(self, reference: Reference) -> Properties:
        for token in (reference.token, *reference.also):
            for known in self._all(token):
                if reference.identity in known.names:
                    return known.properties
            if reference.identity in self._package.kind(token).existing:
                return {}
        raise RefusedError(reference.missing)

    def _require_free_name(self, token: str, kind: Kind, asked: Properties, besides: str = "") -> None:
        if kind.duplicate is None:
            return
        wanted = kind.identity(asked)
        others = [known for known in self._all(token) if known.id != besides]
        taken = wanted in kind.existing or any(kind.stands_in_the_way(asked, other.properties) for other in others)
        if taken or any(wanted == known.identity for rival in kind.rivals for known in self._all(rival)):
            raise RefusedError(kind.duplicate(wanted))

    def _dependants(self, token: str, kind: Kind, properties: Properties) -> Iterator[tuple[str, str, WhenGone]]:
        names = kind.names(properties)
        # A type token has colons; what the HTTP calls keep beside the resources (a credential's age) has none.
        for other_token, text in self._rows(
            "SELECT kind, document FROM objects WHERE platform = ? AND kind LIKE '%:%'"
        ):
            known = self._known(other_token, text)
            for reference in known.references:
                if reference.means(token, names):
                    yield other_token, known.id, reference.when_gone

    def _all(self, token: str) -> list[_Known]:
        query = "SELECT kind, document FROM objects WHERE platform = ? AND kind = ? ORDER BY position"
        return [self._known(token, text) for _, text in self._rows(query, token)]

    def _rows(self, query: str, *more: str) -> list[tuple[str, str]]:
        with self._store.database.lock:
            return self._store.database.connection.execute(query, (self._store.platform, *more)).fetchall()

    def _parsed(self, token: str, text: str) -> _Known:
        """A stored object, remembered by its very text: what somebody edits by hand is parsed again."""
        document = json.loads(text)
        kind, properties = self._package.kind(token), document["properties"]
        references = tuple(kind.references(properties))
        identity, names = kind.identity(properties), frozenset(kind.names(properties))
        return _Known(str(document["id"]), properties, identity, names, references)

    def _settable(self, token: str, properties: Properties) -> Properties:
        if not self._package.sdk.has(token):
            return properties
        members = self._package.sdk.inputs(token).members
        return {key: value for key, value in properties.items() if key in members}


def _visible(properties: Properties) -> Properties:
    """Without the bridge's own notes, such as ``__defaults``."""
    return {key: value for key, value in properties.items() if not key.startswith("__")}

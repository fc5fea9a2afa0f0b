"""The objects of the official packages in the sandbox's store: made, read, changed and deleted by a platform's rules.

An object is one document, kind = type token, id = the id that the official provider would give:
``{"id", "properties", "filled"}``. ``properties`` are the live ones (secrets as salted hashes), ``filled`` those of
them that the platform added by itself. Whoever edits ``properties``, or deletes the document, makes drift.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sandbox.official.behaviour import Draft, Kind, Package, Reference, RefusedError, WhenGone
from sandbox.official.values import Path, Properties, merged, sealed, seen_through, unsealed, without
from sandbox.store import Document, Store


class Objects:
    """One package's objects. Every method is one transaction; RefusedError undoes it."""

    def __init__(self, store: Store, package: Package) -> None:
        self._store = store
        self._package = package

    def create(self, token: str, asked: Properties, secret: Iterable[Path]) -> tuple[str, Properties]:
        """The new object's id and properties. Raises RefusedError: a name that is taken, something that must exist."""
        kind = self._package.kind(token)
        with self._store.transaction():
            parent = self._required_references(kind, asked)
            self._require_free_name(token, kind, asked)
            made = kind.make_id(asked)
            return made, self._write(token, kind, Draft(made, _visible(asked), {}, parent), secret)

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
            document = self._store.get(token, key)
            if document is None:
                raise RefusedError(f"{token.rsplit(':', 1)[-1]} {key!r} was not found; run a refresh, then try again")
            parent = self._required_references(kind, asked)
            if kind.identity(asked) != kind.identity(document["properties"]):
                self._require_free_name(token, kind, asked, besides=key)
            return self._write(token, kind, Draft(key, _visible(asked), document["properties"], parent), secret)

    def delete(self, token: str, key: str) -> None:
        """Deletes the object and what cannot be without it; one that is gone already is done.

        Raises RefusedError when the platform insists that something else goes first.
        """
        with self._store.transaction():
            self._delete(token, key)

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

    def _write(self, token: str, kind: Kind, draft: Draft, secret: Iterable[Path]) -> Properties:
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

    def _required_references(self, kind: Kind, asked: Properties) -> Properties:
        """The first object that ``asked`` refers to. Raises RefusedError when one of them is not there."""
        found = [self._referred(reference) for reference in kind.references(asked)]
        return found[0] if found else {}

    def _referred(self, reference: Reference) -> Properties:
        kind = self._package.kind(reference.token)
        for document in self._store.all(reference.token):
            properties: Properties = document["properties"]
            if reference.identity in kind.names(properties):
                return properties
        if reference.identity in kind.existing:
            return {}
        raise RefusedError(reference.missing)

    def _require_free_name(self, token: str, kind: Kind, asked: Properties, besides: str = "") -> None:
        if kind.duplicate is None:
            return
        others = (d["properties"] for d in self._store.all(token) if d["id"] != besides)
        taken = kind.identity(asked) in kind.existing
        if taken or any(kind.stands_in_the_way(asked, other) for other in others):
            raise RefusedError(kind.duplicate(kind.identity(asked)))

    def _dependants(self, token: str, kind: Kind, properties: Properties) -> Iterator[tuple[str, str, WhenGone]]:
        names = kind.names(properties)
        for other_token in self._tokens():
            other_kind = self._package.kind(other_token)
            for document in self._store.all(other_token):
                for reference in other_kind.references(document["properties"]):
                    if reference.token == token and reference.identity in names:
                        yield other_token, document["id"], reference.when_gone

    def _tokens(self) -> list[str]:
        with self._store.database.lock:
            rows = self._store.database.connection.execute(
                "SELECT DISTINCT kind FROM objects WHERE platform = ?", (self._store.platform,)
            ).fetchall()
        return [row[0] for row in rows]

    def _settable(self, token: str, properties: Properties) -> Properties:
        if not self._package.sdk.has(token):
            return properties
        members = self._package.sdk.inputs(token).members
        return {key: value for key, value in properties.items() if key in members}


def _visible(properties: Properties) -> Properties:
    """Without the bridge's own notes, such as ``__defaults``."""
    return {key: value for key, value in properties.items() if not key.startswith("__")}

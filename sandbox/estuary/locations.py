"""What a JSON schema says of one location: whether it may exist, and with which types (estuary/flow, crates/doc)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

TYPES = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})
_DEEPEST = 64


@dataclass(frozen=True)
class Location:
    """``known``: the schema names it, rather than leaving room for it. ``reduced``: it has a reduction strategy."""

    types: Set[str]
    known: bool
    reduced: bool = False

    @property
    def may_exist(self) -> bool:
        return bool(self.types)

    @property
    def written(self) -> str:
        """The types as errors write them: ``"number", "object"``."""
        shown = self.types - ({"integer"} if "number" in self.types else set())
        return ", ".join(f'"{name}"' for name in sorted(shown))

    @property
    def may_be_a_key(self) -> bool:
        """Locations used as keys may only be null-able integers, strings or booleans."""
        plain = self.types - {"null"}
        return len(plain) == 1 and plain <= {"integer", "string", "boolean"}


@dataclass(frozen=True)
class Schema:
    """A schema and the ones that it may refer to (``flow://write-schema`` and such)."""

    document: Any
    others: Mapping[str, Any]

    @property
    def url(self) -> str:
        """How errors call it."""
        return (
            str(self.document.get("$id", "schema://bundle")) if isinstance(self.document, dict) else "schema://bundle"
        )

    def at(self, pointer: str) -> Location:
        """The location of a JSON pointer; the whole document for an empty one."""
        places = [self.document]
        for token in pointer.split("/")[1:]:
            name = token.replace("~1", "/").replace("~0", "~")
            places = [inner for place in places for inner in self._inside(place, name)]
        if not places:
            return Location(TYPES, known=False)
        types: Set[str] = TYPES
        for place in places:
            types &= self._types(place)
        return Location(types, known=True, reduced=any(self._reduced(place) for place in places))

    def fields(self) -> set[str]:
        """The names at the top of the documents."""
        return {name for part in self._parts(self.document) for name in part.get("properties", {})}

    def _inside(self, place: Any, name: str) -> Iterator[Any]:
        for part in self._parts(place):
            if name in part.get("properties", {}):
                yield part["properties"][name]
            elif part.get("additionalProperties") is False and not part.get("patternProperties"):
                yield False
            elif isinstance(part.get("additionalProperties"), dict):
                yield part["additionalProperties"]

    def _types(self, place: Any) -> Set[str]:
        if place is False:
            return frozenset()
        types: Set[str] = TYPES
        for part in self._parts(place, alternatives=False):
            types &= _named(part)
            for keyword in ("anyOf", "oneOf"):
                if part.get(keyword):
                    types &= frozenset().union(*(self._types(choice) for choice in part[keyword]))
        return types

    def _reduced(self, place: Any) -> bool:
        return any("reduce" in part for part in self._parts(place))

    def _parts(self, place: Any, depth: int = 0, *, alternatives: bool = True) -> Iterator[Mapping[str, Any]]:
        """A schema, and all that it is composed of at the same location."""
        if not isinstance(place, dict) or depth > _DEEPEST:
            return
        yield place
        reference = place.get("$ref")
        if isinstance(reference, str):
            yield from self._parts(self._referred(reference), depth + 1, alternatives=alternatives)
        keywords = ("allOf", "anyOf", "oneOf") if alternatives else ("allOf",)
        for keyword in keywords:
            for inner in place.get(keyword) or ():
                yield from self._parts(inner, depth + 1, alternatives=alternatives)

    def _referred(self, reference: str) -> Any:
        if reference in self.others:
            return self.others[reference]
        return referred(self.document, reference)


def referred(document: Any, reference: str) -> Any:
    """What a reference within a document (``#/$defs/…``) points at; ``None`` for one that points elsewhere."""
    if not reference.startswith("#"):
        return None
    found = document
    for token in reference[1:].split("/")[1:]:
        found = found.get(token.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
    return found


def _named(part: Mapping[str, Any]) -> Set[str]:
    """The types that a schema's own ``type``, ``const`` and ``enum`` leave."""
    types: Set[str] = TYPES
    if "type" in part:
        given = part["type"]
        named = frozenset([given] if isinstance(given, str) else given)
        types &= named | ({"integer"} if "number" in named else frozenset())
    values = [part["const"]] if "const" in part else part.get("enum")
    if values is not None:
        types &= frozenset(_type_of(value) for value in values)
    return types


def _type_of(value: Any) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null")

"""Where in a catalog something is wrong: the scopes of Estuary's errors (estuary/flow, tables and sources)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from urllib.parse import quote

_KEPT = "/~!$&'()*+,;=:@"


@dataclass(frozen=True, order=True)
class Mistake:
    """One row of ``draft_errors``. ``pointer`` is the place within the specification, if it is as fine as that."""

    type: str
    name: str
    detail: str
    pointer: str = ""

    @property
    def scope(self) -> str:
        """``flow://capture/acme/source#/bindings/0``."""
        if not self.type:
            return "file:///"
        place = f"#{quote(self.pointer, safe=_KEPT)}" if self.pointer else ""
        return f"flow://{self.type}/{quote(self.name, safe=_KEPT)}{place}"


def absent(entity: str, name: str, by: str, known: Iterable[str]) -> str:
    """What a reference to nothing is told, with the name that was perhaps meant."""
    said = f"{entity} {name}, referenced by {by}, was not found"
    near = get_close_matches(name, list(known), 1, 0.6)
    return f"{said}; did you mean {entity} {near[0]}?" if near else said

"""Where a definition goes wrong: positions, ranges, diagnostics, and the nearest name to a misspelt one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_ESCAPES = {"\a": r"\a", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v"}


class Severity(IntEnum):
    """The numbers are those of the service's own diagnostics."""

    ERROR = 1
    WARNING = 2


@dataclass(frozen=True)
class Position:
    """``line`` and ``column`` count from 1, ``byte`` from 0 into the UTF-8 text; all zero means nowhere."""

    line: int = 0
    column: int = 0
    byte: int = 0

    def to_json(self) -> dict[str, int]:
        return {"line": self.line, "column": self.column, "byte": self.byte}


@dataclass(frozen=True)
class Range:
    """A stretch of the definition of ``environment``; with zero positions it names the environment only."""

    environment: str = ""
    begin: Position = Position()
    end: Position = Position()

    def to_json(self) -> dict[str, Any]:
        name = {"environment": self.environment} if self.environment else {}
        return {**name, "begin": self.begin.to_json(), "end": self.end.to_json()}


@dataclass(frozen=True)
class Place:
    """What a diagnostic blames: a range, if the text has one, and the path in the document."""

    range: Range | None = None
    path: str = ""


@dataclass(frozen=True)
class Diagnostic:
    """One finding. ``path`` looks like ``values.a["b.c"][0]``."""

    summary: str
    place: Place
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        where = self.place.range
        if where is None:
            return self.summary
        return f"{where.environment}:{where.begin.line}:{where.begin.column}: {self.summary}"

    def to_json(self) -> dict[str, Any]:
        """The form in which the ESC HTTP API reports it: without a severity it is an error."""
        found: dict[str, Any] = {"summary": self.summary}
        if self.severity is not Severity.ERROR:
            found["severity"] = self.severity.name.lower()
        if self.place.path:
            found["path"] = self.place.path
        if self.place.range is not None:
            found["range"] = self.place.range.to_json()
        return found


@dataclass
class Diagnostics:
    """The findings of one run, in the order in which they were made."""

    found: list[Diagnostic] = field(default_factory=list)

    def error(self, place: Place, summary: str) -> None:
        self.found.append(Diagnostic(summary, place))

    def warn(self, place: Place, summary: str) -> None:
        self.found.append(Diagnostic(summary, place, Severity.WARNING))

    def extend(self, others: Iterable[Diagnostic]) -> None:
        self.found.extend(others)

    @property
    def failed(self) -> bool:
        return has_errors(self.found)


def has_errors(found: Iterable[Diagnostic]) -> bool:
    """Whether anything worse than a warning is among them."""
    return any(one.severity is Severity.ERROR for one in found)


def join_key(path: str, key: str) -> str:
    """``path`` continued by a key, in brackets and quotes unless the key is a plain name."""
    if not key:
        return path
    if _PLAIN_KEY.fullmatch(key):
        return f"{path}.{key}" if path else key
    escaped = key.replace('"', '\\"')
    return f'{path}["{escaped}"]'


def quote(text: str) -> str:
    """``text`` in double quotes as Go's ``%q`` writes it: ESC's messages and its strings from lists use that form."""
    return f'"{"".join(map(_quote_character, text))}"'


def _quote_character(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    if character in _ESCAPES:
        return _ESCAPES[character]
    code = ord(character)
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that ``name`` was probably meant to be: fewer than half of its characters differ.

    Case and underscores do not count. Of equally near candidates the alphabetically first wins.
    """
    best: str | None = None
    limit = (len(_fold(name).encode()) + 1) // 2
    for candidate in sorted(candidates):
        distance = edit_distance(name, candidate)
        if distance < limit:
            best, limit = candidate, distance
    return best


def edit_distance(one: str, other: str) -> int:
    """Levenshtein's distance in bytes, ignoring case and underscores."""
    left, right = _fold(one).encode(), _fold(other).encode()
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, start=1):
        diagonal, row[0] = row[0], i
        for j, b in enumerate(right, start=1):
            diagonal, row[j] = row[j], min(diagonal + (a != b), row[j] + 1, row[j - 1] + 1)
    return row[-1]


def _fold(name: str) -> str:
    return name.replace("_", "").lower()

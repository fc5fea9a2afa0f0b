"""Walking in properties that may be anything: what is not there, or not known yet, is nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from sandbox.official.types import Failure
from sandbox.official.values import Path, Properties, is_unknown, written


class Place(NamedTuple):
    """A value and where it stands."""

    value: Any
    path: Path

    def __truediv__(self, step: str) -> Place:
        found = self.value.get(step) if isinstance(self.value, dict) else None
        return Place(None if is_unknown(found) else found, (*self.path, step))

    @property
    def mapping(self) -> Properties:
        """The value, where it is an object."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def text(self) -> str:
        """The value, where it is a text."""
        return self.value if isinstance(self.value, str) else ""

    @property
    def number(self) -> int | None:
        """The value, where it is a whole number."""
        return self.value if isinstance(self.value, int) and not isinstance(self.value, bool) else None

    def each(self) -> Iterator[Place]:
        """The items of a list."""
        for index, item in enumerate(self.value if isinstance(self.value, list) else ()):
            yield Place(None if is_unknown(item) else item, (*self.path, index))

    def has(self, step: str) -> bool:
        """Whether an object has a member, even one whose value is not known yet."""
        return step in self.mapping

    def invalid(self, why: str) -> Failure:
        """The API server's words against a value."""
        shown = f'"{self.value}"' if isinstance(self.value, str) else self.value
        return Failure(written(self.path), f"Invalid value: {shown}: {why}")

    def forbidden(self, why: str) -> Failure:
        """The API server's words against a member that must not be there."""
        return Failure(written(self.path), f"Forbidden: {why}")

    def required(self, why: str = "") -> Failure:
        """The API server's words when a member is missing."""
        return Failure(written(self.path), f"Required value{': ' + why if why else ''}")

    def duplicate(self) -> Failure:
        """The API server's words against a second one of the same name."""
        return Failure(written(self.path), f'Duplicate value: "{self.value}"')


def top(properties: Properties) -> Place:
    """Where every path begins."""
    return Place(properties, ())


def doubles(places: Iterator[Place]) -> Iterator[Failure]:
    """A failure for each text that was there before."""
    seen: set[str] = set()
    for place in places:
        if place.text and place.text in seen:
            yield place.duplicate()
        seen.add(place.text)

"""Where a configuration that a platform shows has secrets, so that they stand in no file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.existing.findings import CannotSayError
from components.explain import Path

_MASK = re.compile(r"\S{0,8}\*{3,}\S{0,8}")
"""How platforms show a secret: all of it hidden, or its ends left."""

_SOUNDS_SECRET = re.compile(r"(password|passphrase|secret|token|private_?key|api_?key|access_?key)$", re.IGNORECASE)
_LOGIN_IN_ADDRESS = re.compile(r"://[^/@:\s]+:[^/@\s]+@")
"""Who wrote a connector may not say what of its configuration is secret: then it is shown in clear."""


def secrets_in(value: Any, path: Path = ()) -> Iterator[Path]:
    """The places of what the platform hides, and of what should not stand in a file all the same."""
    if isinstance(value, str):
        named = path and isinstance(path[-1], str) and _SOUNDS_SECRET.search(path[-1])
        if _MASK.fullmatch(value) or (value and named) or _LOGIN_IN_ADDRESS.search(value):
            yield path
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from secrets_in(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from secrets_in(item, (*path, index))


def without(value: Any, places: Sequence[Path], path: Path = ()) -> Any:
    """A configuration without its secrets, and without what held nothing else."""
    if not isinstance(value, Mapping):
        return value
    kept = {key: without(item, places, (*path, key)) for key, item in value.items() if (*path, key) not in places}
    return {key: item for key, item in kept.items() if item != {} or value[key] == {}}


def sources(names: Mapping[Path, str]) -> dict[str, dict[str, str]]:
    """The secrets of an entry by their places, each from its environment variable.

    CannotSayError where settings cannot point at one.
    """
    unclear = [".".join(map(str, place)) for place in names if not all(map(_is_plain_word, place))]
    if unclear:
        raise CannotSayError(f"settings have no way to point at its secret {', '.join(unclear)}")
    return {".".join(map(str, place)): {"environment": name} for place, name in names.items()}


def _is_plain_word(step: str | int) -> bool:
    return isinstance(step, str) and "." not in step

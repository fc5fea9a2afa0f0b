"""Names for the environment variables that a person has to set, because a platform never shows the secret itself."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.estate import Estate
from components.explain import Path

_RESERVED = (*(name.upper() for name in Estate.model_fields), "PULUMI", "SOPHIA", "KUBECONFIG")
"""What the variables begin with by which the stack itself reaches the platforms: no connector is given one of those."""


class Variables:
    """``LEDGER_PASSWORD``: the key of the entry, and the last word of the secret's place. No name is given twice."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._taken = set(_named(settings))

    def named(self, kind: str, key: str, places: Sequence[Path]) -> dict[Path, str]:
        """The variable for each of the places of one entry's secrets. ``kind`` tells it from an entry of another kind."""
        return {place: self._name(kind, key, place) for place in places}

    def _name(self, kind: str, key: str, place: Path) -> str:
        longer = [_upper(key, *place[-words:]) for words in range(1, len(place) + 1)]
        if longer[0].startswith(tuple(f"{word}_" for word in _RESERVED)) or not longer[0][0].isalpha():
            longer = [f"{kind.upper()}_{name}" for name in longer]
        numbered = (f"{longer[-1]}_{n}" for n in itertools.count(2))
        name = next(name for name in itertools.chain(longer, numbered) if name not in self._taken)
        self._taken.add(name)
        return name


def _upper(*words: object) -> str:
    """Camel case and any punctuation become underscores."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", "_".join(map(str, words)))
    return re.sub(r"\W+|_+", "_", text, flags=re.ASCII).strip("_").upper()


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("environment"), str):
            yield value["environment"]
        for item in value.values():
            yield from _named(item)
    elif isinstance(value, list):
        for item in value:
            yield from _named(item)

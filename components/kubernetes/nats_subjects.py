"""Subjects of NATS: words joined by dots, ``*`` for one word, ``>`` for all that follow (docs.nats.io, "Subjects")."""

from __future__ import annotations

from typing import Annotated

from components.settings import matching

Subject = Annotated[
    str,
    matching(
        r"(?!\$)(([A-Za-z0-9_-]+|\*)\.)*([A-Za-z0-9_-]+|\*|>)",
        "must be a subject: words joined by dots, * for one word, > at the end for all that follow, such as data.>",
    ),
]


def overlap(one: str, other: str) -> bool:
    """Whether there is a subject that both patterns match."""
    words, others = one.split("."), other.split(".")
    for word, second in zip(words, others, strict=False):
        if ">" in (word, second):
            return True
        if "*" not in (word, second) and word != second:
            return False
    return len(words) == len(others)


def covers(pattern: str, subject: str) -> bool:
    """Whether all that ``subject`` matches is matched by ``pattern`` too."""
    patterns, words = pattern.split("."), subject.split(".")
    for index, expected in enumerate(patterns):
        if expected == ">":
            return index < len(words)
        if index >= len(words) or words[index] == ">" or expected not in ("*", words[index]):
            return False
    return len(patterns) == len(words)

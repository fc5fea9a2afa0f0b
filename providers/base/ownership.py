"""Whose an object is. Where a platform has room for a word, ours carry the project and the stack that manage them."""

from __future__ import annotations

import re

_MARK = re.compile(r"\s*\(managed by ([\w.-]+/[\w.-]+)\)$")


def marked(text: str | None, stack: str) -> str:
    """``text`` with the mark of ``stack`` (``project/stack``), readable for a person who finds the object."""
    return f"{unmarked(text) or ''} (managed by {stack})".lstrip()


def unmarked(text: str | None) -> str | None:
    return _MARK.sub("", text) if isinstance(text, str) else text


def owner(text: str | None) -> str | None:
    """The ``project/stack`` that a text names as the manager; None if it names none."""
    found = _MARK.search(text) if isinstance(text, str) else None
    return found.group(1) if found else None

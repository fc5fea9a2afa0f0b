"""A value that was and one that will be: in one line, or, of texts of several lines, the lines that differ."""

from __future__ import annotations

import json
from difflib import unified_diff
from typing import Any

from rich.text import Text

_INDENT = "      "
_LONGEST_VALUE = 60
_LONGEST_LINE = 100
_MOST_LINES = 12


def difference(path: str, old: Any, new: Any, styles: tuple[str, str] = ("red", "green")) -> list[Text]:
    """``path: old -> new``; where lines of a text differ, these below it."""
    head, changed = Text(f"{_INDENT}{path}: "), _changed_lines(old, new)
    if not changed:
        return [head.append(shown(old), styles[0]).append(" -> ").append(shown(new), styles[1])]
    lines = [
        Text(f"{_INDENT}  {line[0]} {_shortened(line[1:], _LONGEST_LINE)}", styles[0] if line[0] == "-" else styles[1])
        for line in changed[:_MOST_LINES]
    ]
    if len(changed) > _MOST_LINES:
        lines.append(Text(f"{_INDENT}  … and {len(changed) - _MOST_LINES} more lines", "dim"))
    return [head.append("the lines that differ"), *lines]


def _changed_lines(old: Any, new: Any) -> list[str]:
    """As diff has them, with ``-`` or ``+`` before; none where one of the two is no text of several lines."""
    if not (_has_lines(old) and _has_lines(new)):
        return []
    found = list(unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0))[2:]
    return [line for line in found if not line.startswith("@@")]


def _has_lines(value: Any) -> bool:
    return isinstance(value, str) and "\n" in value.strip()


def shown(value: Any) -> str:
    """A value in one line, shortened in the middle where it is long."""
    if value is None:
        return "(none)"
    if isinstance(value, str) and value.startswith(("[secret]", "(known")):
        return value
    return _shortened(json.dumps(value, ensure_ascii=False), _LONGEST_VALUE)


def _shortened(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    half = longest // 2 - 1
    return f"{text[:half]}…{text[-half:]}"

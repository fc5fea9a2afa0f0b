"""Property paths, such as ``a.b["c.d"][0]``: how clients name a value inside an environment."""

from __future__ import annotations

import re
from collections.abc import Sequence

from esc.language.diagnostics import join_key

_STEP = re.compile(r'\.?(?P<name>[^.\[\]"]+)|\.?\[(?P<index>[0-9]+)\]|\.?\["(?P<key>(?:\\"|[^"])*)"\]')


def parse_path(text: str) -> tuple[str | int, ...]:
    """The steps of a path; the empty text has none. Raises ValueError for what is not a path."""
    steps: list[str | int] = []
    at = 0
    while at < len(text):
        step = _STEP.match(text, at)
        if step is None or (at == 0 and text[0] == "."):
            raise ValueError(f"{text!r} is not a property path: what is at character {at + 1}?")
        name, index, key = step.group("name", "index", "key")
        steps.append(int(index) if index is not None else name if name is not None else key.replace('\\"', '"'))
        at = step.end()
    return tuple(steps)


def format_path(steps: Sequence[str | int]) -> str:
    """The path in its canonical form, as diagnostics show it."""
    path = ""
    for step in steps:
        path = f"{path}[{step}]" if isinstance(step, int) else join_key(path, step)
    return path

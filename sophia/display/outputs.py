"""A stack's outputs at the end of a run: all of few; of many what is new or different, or what each platform has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from rich.text import Text

from sophia.display.difference import shown

_MOST = 40
"""How many outputs a run shows one by one."""


def outputs(stack: str, now: Mapping[str, Any], before: Mapping[str, Any]) -> list[Text]:
    """The lines, secrets as they are given; ``before`` is what the stack told before the run."""
    flat, earlier = flatten(now), flatten(before)
    if len(flat) <= _MOST:
        return _each(flat)
    changed = {name: value for name, value in flat.items() if name not in earlier or earlier[name] != value}
    everything = Text(f"{len(flat)} outputs", "dim").append(f": sophia outputs {stack}")
    if len(changed) > _MOST:
        return [*_by_platform(flat), Text("  ").append(everything)]
    as_before = Text("  the others are as before; " if changed else "  as before; ", "dim").append(everything)
    return [*_each(changed), as_before]


def _each(flat: Mapping[str, Any]) -> list[Text]:
    width = max((len(name) for name in flat), default=0)
    return [Text(f"  {name:<{width}}  ").append(_plain(value)) for name, value in flat.items()]


def _by_platform(flat: Mapping[str, Any]) -> list[Text]:
    """``hubspot  association_types (5), portal_id``: what outputs are called, and how many there are of those with keys."""
    kinds: dict[str, Counter[str]] = {}
    for name in flat:
        platform, _, rest = name.partition(".")
        kind, _, key = rest.partition(".")
        kinds.setdefault(platform, Counter())[kind] += 1 if key else 0
    width = max(len(platform) for platform in kinds)
    lines = []
    for platform, counts in kinds.items():
        words = (f"{kind} ({count})" if count else kind for kind, count in counts.items())
        has = _plain(flat[platform]) if platform in flat else ", ".join(words)
        lines.append(Text(f"  {platform:<{width}}  ").append(has))
    return lines


def flatten(outputs: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """``{"airbyte": {"workspace": …}}`` as ``airbyte.workspace``; lists stay values."""
    flat: dict[str, Any] = {}
    for name, value in outputs.items():
        if isinstance(value, Mapping) and value:
            flat |= flatten(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else shown(value)

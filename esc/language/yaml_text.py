"""Plain data as YAML text in the layout of ``fn::toYAML``: block style, four spaces, keys in order."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from functools import cmp_to_key
from typing import Any

from yaml.emitter import Emitter

from esc.language.document import resolve
from esc.language.scalars import Number, printable

_INDENT = 4
_DIGITS = re.compile(r"[0-9]*")
# Strings that YAML 1.1 takes for booleans or base-60 numbers are quoted for the sake of older parsers.
_OLD_BOOLEAN = re.compile(r"y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF")
_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ][0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(\.[0-9]*)?([Zz]|[-+][0-9:]+)?)?"
)
_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")


def to_yaml(data: Any) -> str:
    """The YAML document, with a line break at its end."""
    text = _block(data, 0) if _is_collection(data) else _scalar(data, _INDENT)
    return f"{text}\n"


def _is_collection(data: Any) -> bool:
    return isinstance(data, Mapping | list) and bool(data)


def _block(data: Any, indent: int) -> str:
    margin = " " * indent
    if isinstance(data, Mapping):
        lines = [
            f"{_scalar(key, indent, key=True)}:{_after(data[key], indent)}"
            for key in sorted(data, key=cmp_to_key(_compare_keys))
        ]
    else:
        lines = [f"- {_item(one, indent)}" for one in data]
    return f"\n{margin}".join(lines)


def _compare_keys(one: str, other: str) -> int:
    """The order of ESC: numbers inside keys by their value, and before letters whatever is none, except after digits."""
    shared = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    if shared in (len(one), len(other)):
        return len(one) - len(other)
    mine, theirs = one[shared].isalpha(), other[shared].isalpha()
    if mine != theirs:
        return -1 if mine == one[:shared][-1:].isdigit() else 1
    if not mine:
        numbers = [_DIGITS.match(text, shared) for text in (one, other)]
        ranks = [(int(number.group() or 0), len(number.group())) if number else (0, 0) for number in numbers]
        if ranks[0] != ranks[1]:
            return -1 if ranks[0] < ranks[1] else 1
    return ord(one[shared]) - ord(other[shared])


def _after(data: Any, indent: int) -> str:
    """What follows the colon of a key at ``indent``."""
    deeper = _INDENT * ((indent + _INDENT) // _INDENT)
    if not _is_collection(data):
        return f" {_scalar(data, deeper)}"
    return f"\n{' ' * deeper}{_block(data, deeper)}"


def _item(data: Any, indent: int) -> str:
    return _block(data, indent + 2) if _is_collection(data) else _scalar(data, indent + 2)


def _scalar(data: Any, indent: int, *, key: bool = False) -> str:
    """``indent`` is where the lines of a text of several lines stand."""
    if isinstance(data, Mapping):
        return "{}"
    if isinstance(data, list):
        return "[]"
    if data is None:
        return "null"
    if isinstance(data, bool):
        return "true" if data else "false"
    # A number is written as a quoted string: that is what ESC itself does.
    return _string(printable(data.text if isinstance(data, Number) else str(data)), indent, key=key)


def _string(text: str, indent: int, *, key: bool) -> str:
    emitter = Emitter(io.StringIO(), allow_unicode=True)
    analysis = emitter.analyze_scalar(text)
    if "\n" in text and analysis.allow_block and not key:
        return _literal(text, indent)
    if "\n" not in text and analysis.allow_block_plain and _stays_string(text):
        return text
    if "\n" not in text and analysis.allow_single_quoted and _stays_string(text):
        return "'" + text.replace("'", "''") + "'"
    return _double_quoted(text)


def _stays_string(text: str) -> bool:
    try:
        resolved = resolve(text)
    except ValueError:
        return False
    others = (_OLD_BOOLEAN, _BASE_60, _TIMESTAMP)
    return isinstance(resolved, str) and not any(other.fullmatch(text) for other in others)


def _literal(text: str, indent: int) -> str:
    hint = str(_INDENT) if text[0] in " \n" else ""
    chomp = "-" if not text.endswith("\n") else "+" if text.endswith("\n\n") or text == "\n" else ""
    lines = text.removesuffix("\n").split("\n")
    return f"|{hint}{chomp}\n" + "\n".join(f"{' ' * indent}{line}" if line else "" for line in lines)


def _double_quoted(text: str) -> str:
    stream = io.StringIO()
    emitter = Emitter(stream, allow_unicode=True, width=2**31)
    emitter.write_double_quoted(text, split=False)
    return stream.getvalue().strip(" ")

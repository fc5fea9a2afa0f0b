"""Scalars of the language, and plain data as JSON text: numbers keep the text they were written with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Number:
    """A number by its canonical text, such as ``42``, ``0.5`` or ``1e+06``."""

    text: str

    def __str__(self) -> str:
        return self.text


Scalar = None | bool | Number | str


def format_float(value: float) -> str:
    """The shortest text of ``value``; with an exponent below 1e-4 and from 1e6 on, as ESC writes it."""
    if value == 0:
        return "-0" if str(value).startswith("-") else "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = f"{abs(value):.17e}".partition("e")
    for precision in range(17):
        mantissa, _, exponent = f"{abs(value):.{precision}e}".partition("e")
        if float(f"{mantissa}e{exponent}") == abs(value):
            break
    digits, power = mantissa.replace(".", ""), int(exponent)
    if power < -4 or power >= 6:
        fraction = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{fraction}e{power:+03d}"
    if power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{digits}"
    whole, fraction = digits[: power + 1].ljust(power + 1, "0"), digits[power + 1 :]
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


def from_python(value: Any) -> Any:
    """``value`` with Python's numbers as ``Number``."""
    if isinstance(value, float):
        return Number(format_float(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return Number(str(value))
    if isinstance(value, Mapping):
        return {name: from_python(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [from_python(one) for one in value]
    return value


def parse_json(text: str) -> Any:
    """The first JSON value in ``text``; numbers as ``Number``. Raises json.JSONDecodeError."""
    decoder = json.JSONDecoder(parse_float=Number, parse_int=Number, parse_constant=_refuse)
    value, _ = decoder.raw_decode(text, len(text) - len(text.lstrip(" \t\r\n")))
    return value


def _refuse(word: str) -> None:
    raise json.JSONDecodeError("Expecting value", word, 0)


def to_json(value: Any) -> str:
    """Compact JSON of plain data, members in alphabetical order, ``< > &`` escaped as ESC does."""
    if isinstance(value, Number):
        return value.text
    if isinstance(value, Mapping):
        members = (f"{_json_string(name)}:{to_json(value[name])}" for name in sorted(value))
        return f"{{{','.join(members)}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(to_json, value))}]"
    if isinstance(value, str):
        return _json_string(value)
    return json.dumps(value)


def _json_string(text: str) -> str:
    encoded = json.dumps(printable(text), ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        encoded = encoded.replace(character, f"\\u{ord(character):04x}")
    return encoded


def printable(text: str) -> str:
    """``text`` without what UTF-8 cannot carry: a value decoded from base64 may hold any bytes."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")

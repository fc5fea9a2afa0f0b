"""Base64 and JSON as the language decodes them, with its own wording of what is wrong.

A message names a position or one character and shows nothing else of the text, which may be a secret.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from esc.language.diagnostics import quote
from esc.language.scalars import parse_json

_BLANK = " \t\r\n"
_LITERALS = ("true", "false", "null")


class CodecError(ValueError):
    """A text that cannot be decoded; the message says why."""


def decode_base64(text: str) -> bytes:
    """Standard base64 with padding; line breaks do not count. Raises CodecError."""
    data = text.encode("utf-8", "surrogateescape")
    illegal = _illegal_byte(data)
    if illegal is not None:
        raise CodecError(f"illegal base64 data at input byte {illegal}")
    return base64.b64decode(data)


def _illegal_byte(data: bytes) -> int | None:
    """Where base64 stops making sense: a strange byte, wrong padding, or the start of a broken group of four."""
    filled = 0
    for at, byte in enumerate(data):
        if byte in b"\r\n":
            continue
        if byte == ord("="):
            return _illegal_padding(data, at, filled)
        if not (chr(byte).isascii() and (chr(byte).isalnum() or byte in b"+/")):
            return at
        filled = (filled + 1) % 4
    return len(data) - filled if filled else None


def _illegal_padding(data: bytes, at: int, filled: int) -> int | None:
    """``at`` is the first ``=`` of the text, after ``filled`` characters of its group."""
    if filled < 2:
        return at
    following = [index for index in range(at + 1, len(data)) if data[index] not in b"\r\n"]
    if filled == 2:
        if not following:
            return len(data)
        second = following.pop(0)
        if data[second] != ord("="):
            return second - 1
    return following[0] if following else None


def decode_json(text: str) -> Any:
    """The first JSON value in ``text``; what follows it does not count. Raises CodecError."""
    try:
        return parse_json(text)
    except RecursionError as error:
        raise CodecError("exceeded max depth") from error
    except json.JSONDecodeError as error:
        raise CodecError(_json_problem(error, text)) from error


def _json_problem(error: json.JSONDecodeError, text: str) -> str:
    if not text.strip(_BLANK):
        return "EOF"
    # Python blames NaN and the like without saying where they are.
    at = error.pos if error.doc == text else text.find(error.doc)
    at += len(text[at:]) - len(text[at:].lstrip(_BLANK))
    if at >= len(text) or error.msg.startswith("Unterminated string"):
        return "unexpected EOF"
    contexts = {
        "Expecting property name": "looking for beginning of object key string",
        "Expecting ':' delimiter": "after object key",
        "Expecting ',' delimiter": _after_member(text[:at]),
        "Illegal trailing comma": "looking for beginning of value",
        "Invalid control character": "in string literal",
        "Invalid \\": "in string escape code",
    }
    for beginning, context in contexts.items():
        if error.msg.startswith(beginning):
            return f"invalid character {_character(text[at])} {context}"
    return _bad_value(text[at:])


def _bad_value(text: str) -> str:
    literal = next((one for one in _LITERALS if one[0] == text[0]), None)
    if literal is None:
        return f"invalid character {_character(text[0])} looking for beginning of value"
    for at, expected in enumerate(literal):
        if at >= len(text):
            break
        if text[at] != expected:
            return f"invalid character {_character(text[at])} in literal {literal} (expecting {_character(expected)})"
    return "unexpected EOF"


def _after_member(text: str) -> str:
    """What the last unclosed bracket of ``text`` holds."""
    open_brackets: list[str] = []
    quoted = escaped = False
    for character in text:
        if quoted:
            quoted, escaped = escaped or character != '"', not escaped and character == "\\"
        elif character == '"':
            quoted = True
        elif character in "[{":
            open_brackets.append(character)
        elif character in "]}" and open_brackets:
            open_brackets.pop()
    return "after object key:value pair" if open_brackets[-1:] == ["{"] else "after array element"


def _character(character: str) -> str:
    if character == "'":
        return r"'\''"
    return "'\"'" if character == '"' else f"'{quote(character)[1:-1]}'"

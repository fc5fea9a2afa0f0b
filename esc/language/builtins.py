"""The builtin functions of the language."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from esc.language.diagnostics import join_key, quote
from esc.language.envelope import EnvelopeError, unwrap
from esc.language.json_schema import JSON_SCHEMA
from esc.language.providers import Patch, ProviderError
from esc.language.scalars import parse_json, to_json
from esc.language.schema import (
    ALWAYS,
    ARRAY,
    NULL,
    STRING,
    STRINGS,
    Schema,
    SchemaError,
    one_of,
    parse_schema,
)
from esc.language.terms import Call
from esc.language.values import Expression, Value, from_plain, unknown_value
from esc.language.yaml_text import to_yaml

if TYPE_CHECKING:
    from esc.language.evaluate import Scope

ARRAYS = Schema(type="array", items=ARRAY)
"""The schema of the argument of ``fn::concat``."""


def call(scope: Scope, expression: Expression, term: Call) -> Value:
    """The value of a builtin call."""
    return _BUILTINS[term.function](scope, expression)


Builtin = Callable[["Scope", Expression], Value]


def _unknown(expression: Expression, *, secret: bool = False) -> Value:
    value = unknown_value(expression, expression.schema)
    value.secret = secret
    return value


def _secret(scope: Scope, expression: Expression) -> Value:
    if "plaintext" in expression.arguments:
        return scope.value_of(expression.arguments["plaintext"], STRING)
    try:
        encrypted = unwrap(str(scope.value_of(expression.arguments["ciphertext"]).content))
    except EnvelopeError as error:
        scope.diagnostics.error(expression.place, f"invalid ciphertext: {error}")
        return _unknown(expression, secret=True)
    if not scope.run.decrypts:
        return _unknown(expression, secret=True)
    if scope.decrypt is None:
        scope.diagnostics.error(expression.place, "decrypting: no key is available here")
        return _unknown(expression, secret=True)
    try:
        plaintext = scope.decrypt(encrypted)
    except ValueError as error:
        scope.diagnostics.error(expression.place, f"decrypting: {error}")
        return _unknown(expression, secret=True)
    return Value(expression, expression.schema, plaintext.decode("utf-8", "surrogateescape"), secret=True)


def _from_strings(
    work: Callable[[Scope, Expression, str], str | None],
) -> Builtin:
    """A builtin from one string to another; None from ``work`` means that it failed and said so."""

    def builtin(scope: Scope, expression: Expression) -> Value:
        argument, fine = scope.typed(expression.arguments["value"], STRING)
        value = Value(expression, expression.schema, unknown=not fine)
        if fine:
            value.combine(argument)
        if not value.unknown and isinstance(argument.content, str):
            value.content = work(scope, expression, argument.content)
            value.unknown = value.content is None
        return value

    return builtin


def _to_base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "surrogateescape")).decode()


def _from_base64(scope: Scope, expression: Expression, text: str) -> str | None:
    data = text.encode("utf-8", "surrogateescape")
    illegal = _illegal_byte(data)
    if illegal is not None:
        message = f"decoding base64 string: illegal base64 data at input byte {illegal}"
        scope.diagnostics.error(expression.place, message)
        return None
    return base64.b64decode(data).decode("utf-8", "surrogateescape")


def _illegal_byte(data: bytes) -> int | None:
    """Where base64 stops making sense: a strange byte, misplaced or excess padding, or the start of a broken quantum."""
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
    """``at`` is the first ``=`` of the text, after ``filled`` characters of its quantum."""
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


def _to_text(scope: Scope, expression: Expression) -> Value:
    value = Value(expression, expression.schema)
    text, value.unknown, value.secret = scope.value_of(expression.arguments["value"]).to_text()
    value.content = None if value.unknown else text
    return value


def _encoded(encode: Callable[[object], str]) -> Builtin:
    def builtin(scope: Scope, expression: Expression) -> Value:
        argument = scope.value_of(expression.arguments["value"])
        value = Value(expression, expression.schema)
        value.combine(argument)
        if not value.unknown:
            value.content = encode(argument.plain())
        return value

    return builtin


def _from_json(scope: Scope, expression: Expression) -> Value:
    argument, fine = scope.typed(expression.arguments["value"], STRING)
    if not fine:
        return _unknown(expression)
    if argument.contains_unknowns or not isinstance(argument.content, str):
        return _unknown(expression, secret=argument.contains_secrets)
    try:
        data = parse_json(argument.content)
    except (json.JSONDecodeError, RecursionError) as error:
        scope.diagnostics.error(expression.place, f"decoding JSON string: {_json_problem(error, argument.content)}")
        return _unknown(expression, secret=argument.contains_secrets)
    return from_plain(data, expression, secret=argument.contains_secrets)


def _json_problem(error: json.JSONDecodeError | RecursionError, text: str) -> str:
    """Names the offending character but shows nothing else of the text, which may be a secret."""
    if isinstance(error, RecursionError):
        return "exceeded max depth"
    rest = text[error.pos :].lstrip(" \t\r\n")
    if not text.strip(" \t\r\n"):
        return "EOF"
    if not rest or error.msg.startswith("Unterminated string"):
        return "unexpected EOF"
    contexts = {
        "Expecting value": "looking for beginning of value",
        "Expecting property name": "looking for beginning of object key string",
        "Expecting ':' delimiter": "after object key",
        "Expecting ',' delimiter": "after array element or object key:value pair",
        "Invalid control character": "in string literal",
        "Invalid \\": "in string escape code",
    }
    context = next((text for start, text in contexts.items() if error.msg.startswith(start)), "in JSON text")
    return f"invalid character {_json_character(rest[0])} {context}"


def _json_character(character: str) -> str:
    if character == "'":
        return r"'\''"
    return "'\"'" if character == '"' else f"'{quote(character)[1:-1]}'"


def _join(scope: Scope, expression: Expression) -> Value:
    delimiter, fine = scope.typed(expression.arguments["delimiter"], STRING)
    items, items_fine = scope.typed(expression.arguments["value"], STRINGS)
    value = Value(expression, expression.schema, unknown=not (fine and items_fine))
    if value.unknown:
        return value
    value.combine(delimiter, items)
    if not value.unknown and isinstance(items.content, list):
        value.content = str(delimiter.content).join(str(item.content) for item in items.content)
    return value


def _split(scope: Scope, expression: Expression) -> Value:
    delimiter, fine = scope.typed(expression.arguments["delimiter"], STRING)
    text, text_fine = scope.typed(expression.arguments["value"], STRING)
    value = Value(expression, expression.schema, unknown=not (fine and text_fine))
    if value.unknown:
        return value
    value.combine(delimiter, text)
    if not value.unknown:
        by, whole = str(delimiter.content), str(text.content)
        # Only the array is marked secret, as in ESC itself: an element referred to alone is not.
        value.content = [Value(expression, STRING, one) for one in (whole.split(by) if by else whole)]
    return value


def _concat(scope: Scope, expression: Expression) -> Value:
    arrays, fine = scope.typed(expression.arguments["value"], ARRAYS)
    value = Value(expression, expression.schema, unknown=not fine)
    if not fine:
        return value
    value.combine(arrays)
    if not value.unknown and isinstance(arrays.content, list):
        value.content = [item for array in arrays.content for item in array.members]
    return value


def _wrapped(expression: Expression, inner: Value) -> Value:
    """A value with the content of another; secret as a whole if anything in it is."""
    value = Value(expression, inner.schema, inner.content)
    value.combine(inner)
    return value


def _final(scope: Scope, expression: Expression) -> Value:
    value = _wrapped(expression, scope.value_of(expression.arguments["value"]))
    value.final = True
    return value


def _validate(scope: Scope, expression: Expression) -> Value:
    """The value is given on even if it does not conform: the error is reported, which stops a consumer."""
    schema, fine = scope.typed(expression.arguments["schema"], JSON_SCHEMA)
    accept = ALWAYS
    if fine and not schema.contains_unknowns:
        try:
            accept = parse_schema(schema.plain())
        except SchemaError as error:
            scope.diagnostics.error(expression.arguments["schema"].place, f"invalid schema: {error}")
    value, _ = scope.typed(expression.arguments["value"], accept)
    return _wrapped(expression, value)


def _name(expression: Expression) -> str:
    return expression.term.name if isinstance(expression.term, Call) else ""


def _provider(expression: Expression) -> str | None:
    return expression.term.provider if isinstance(expression.term, Call) else None


def _open(scope: Scope, expression: Expression) -> Value:
    name = _provider(expression)
    if name is None:
        return unknown_value(expression)
    provider = scope.run.providers.get(name)
    if provider is None:
        scope.diagnostics.error(expression.place, f"unknown provider {quote(name)}")
    else:
        expression.schemas["inputs"] = provider.inputs
        expression.schema = provider.outputs
    inputs, fine = scope.typed(expression.arguments["inputs"], expression.schemas.get("inputs", ALWAYS))
    if provider is None or not fine or inputs.contains_unknowns or scope.run.checking:
        return _unknown(expression)
    try:
        return from_plain(provider.open(inputs.members_marked()), expression)
    except ProviderError as error:
        scope.diagnostics.error(expression.place, str(error))
        return _unknown(expression)


def _rotate(scope: Scope, expression: Expression) -> Value:
    name = _provider(expression)
    if name is None:
        return unknown_value(expression)
    rotator = scope.run.rotators.get(name)
    if rotator is None:
        scope.diagnostics.error(expression.place, f"unknown rotator {quote(name)}")
    else:
        expression.schemas["inputs"] = rotator.inputs
        expression.schemas["state"] = one_of(rotator.state, NULL)
        expression.schema = rotator.outputs
    inputs, inputs_fine = scope.typed(expression.arguments["inputs"], expression.schemas.get("inputs", ALWAYS))
    state, state_fine = scope.typed(expression.arguments["state"], expression.schemas.get("state", ALWAYS))
    # Only the root is rotated; opening alone does not read what is for rotations.
    rotating = scope.is_root and scope.run.rotating
    unusable = inputs.contains(lambda one: one.unknown and (rotating or not one.rotate_only))
    if rotator is None or not (inputs_fine and state_fine) or unusable or state.contains_unknowns or scope.run.checking:
        return _unknown(expression)
    current = state.members_marked() if isinstance(state.content, dict) else None
    try:
        if rotating and scope.run.rotates(expression.place.path):
            current = rotator.rotate(inputs.members_marked(), current)
            scope.run.patches.append(Patch(f"{join_key(expression.place.path, _name(expression))}.state", current))
        return from_plain(rotator.open(inputs.members_marked(), current), expression)
    except ProviderError as error:
        scope.diagnostics.error(expression.place, str(error))
        return _unknown(expression)


_BUILTINS: dict[str, Builtin] = {
    "fn::concat": _concat,
    "fn::final": _final,
    "fn::fromBase64": _from_strings(_from_base64),
    "fn::fromJSON": _from_json,
    "fn::join": _join,
    "fn::open": _open,
    "fn::rotate": _rotate,
    "fn::secret": _secret,
    "fn::split": _split,
    "fn::toBase64": _from_strings(lambda _scope, _expression, text: _to_base64(text)),
    "fn::toJSON": _encoded(to_json),
    "fn::toString": _to_text,
    "fn::toYAML": _encoded(to_yaml),
    "fn::validate": _validate,
}

SCHEMAS: dict[str, Schema] = {
    name: {"fn::concat": ARRAY, "fn::split": STRINGS}.get(
        name,
        ALWAYS if name in ("fn::final", "fn::fromJSON", "fn::open", "fn::rotate", "fn::validate") else STRING,
    )
    for name in _BUILTINS
}
"""What is known of a call's value before it is evaluated."""

"""The builtin functions of the language."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING

from esc.language.codec import CodecError, decode_base64, decode_json
from esc.language.diagnostics import join_key, quote
from esc.language.envelope import EnvelopeError, unwrap
from esc.language.json_schema import JSON_SCHEMA
from esc.language.providers import Patch, ProviderError
from esc.language.scalars import to_json
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
    try:
        return decode_base64(text).decode("utf-8", "surrogateescape")
    except CodecError as error:
        scope.diagnostics.error(expression.place, f"decoding base64 string: {error}")
        return None


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
        data = decode_json(argument.content)
    except CodecError as error:
        scope.diagnostics.error(expression.place, f"decoding JSON string: {error}")
        return _unknown(expression, secret=argument.contains_secrets)
    return from_plain(data, expression, secret=argument.contains_secrets)


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

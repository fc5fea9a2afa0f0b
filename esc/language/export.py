"""The result of an evaluation in the JSON form that the ESC service gives: values with traces, and expressions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from esc.language.builtins import ARRAYS
from esc.language.diagnostics import Range
from esc.language.json_schema import JSON_SCHEMA
from esc.language.scalars import printable
from esc.language.schema import ALWAYS, STRING, STRINGS, Schema, record, tuple_of
from esc.language.terms import Accessor, Call, Interpolation, ListTerm, Literal, ObjectTerm, Reference
from esc.language.values import Expression, Step, Value

_IMPORTED = "<import>"

Json = dict[str, Any]


@dataclass
class ValueExport:
    """Exports values; one that is reached twice keeps the form that it was given first."""

    done: dict[int, Json] = field(default_factory=dict)

    def value(self, value: Value, environment: str) -> Json:
        if id(value) in self.done:
            return self.done[id(value)]
        # An entry made before the members are, so that a value inside itself cannot be followed for ever.
        exported = self.done.setdefault(id(value), {})
        content = self.content(value, environment)
        if content is not None:
            exported["value"] = content
        if value.secret:
            exported["secret"] = True
        if value.unknown:
            exported["unknown"] = True
        trace: Json = {"def": value.definition.range(environment).to_json()}
        if value.base is not None:
            trace["base"] = self.value(value.base, _IMPORTED)
        exported["trace"] = trace
        return exported

    def content(self, value: Value, environment: str) -> Any:
        if isinstance(value.content, list):
            return [self.value(member, environment) for member in value.content]
        if isinstance(value.content, dict):
            place = value.definition.place
            members = ((key, value.member(key, place)) for key in value.keys)
            return {key: self.value(member, environment) for key, member in members if member is not None}
        return printable(value.content) if isinstance(value.content, str) else value.content


def expression_json(expression: Expression, environment: str) -> Json:
    """One expression of the definition, with its schema and what it overrides."""
    exported: Json = {"range": expression.range(environment).to_json(), "schema": expression.schema.to_json()}
    if expression.base is not None:
        exported["base"] = expression_json(expression.base.definition, environment)
    if expression.late is not None:
        return _late(*expression.late, exported, environment)
    term = expression.term
    match term:
        case Literal(value=value) if value is not None:
            exported["literal"] = value
        case Interpolation(parts=parts):
            exported["interpolate"] = [
                {
                    **({"text": part.text} if part.text else {}),
                    **({"value": _steps(steps, environment)} if steps else {}),
                }
                for part, steps in zip(parts, expression.steps, strict=True)
            ]
        case Reference():
            exported["symbol"] = _steps(expression.steps[0], environment)
        case ListTerm() if expression.items:
            exported["list"] = [expression_json(item, environment) for item in expression.items]
        case ObjectTerm() if term.properties:
            exported["keyRanges"] = {one.key: (one.place.range or Range()).to_json() for one in term.properties}
            exported["object"] = _object(expression.properties, environment)
        case Call():
            exported["builtin"] = _call(expression, term, environment)
    return exported


def _late(receiver: Value, key: str, exported: Json, environment: str) -> Json:
    """A property of a value that was unknown: the receiver, and the path from there."""
    accessor = {"key": key, "range": Range(environment).to_json()}
    if receiver.definition.late is not None:
        outer = expression_json(receiver.definition, environment)
        outer["access"]["accessors"].append(accessor)
        return outer
    exported["access"] = {"receiver": receiver.definition.range(environment).to_json(), "accessors": [accessor]}
    return exported


def _steps(steps: list[Step], environment: str) -> list[Json]:
    return [
        {
            **_accessor(step.accessor, environment),
            "value": (step.value.definition.range(environment) if step.value else Range()).to_json(),
        }
        for step in steps
    ]


def _accessor(accessor: Accessor, environment: str) -> Json:
    name = "key" if isinstance(accessor.key, str) else "index"
    return {name: accessor.key, "range": (accessor.range or Range(environment)).to_json()}


def _object(properties: dict[str, Expression], environment: str) -> Json:
    return {key: expression_json(one, environment) for key, one in properties.items()}


def _call(expression: Expression, call: Call, environment: str) -> Json:
    schema, argument = _argument(expression, call, environment)
    name_range = call.name_place.range or Range(environment)
    return {"name": call.name, "nameRange": name_range.to_json(), "argSchema": schema.to_json(), "arg": argument}


def _argument(expression: Expression, call: Call, environment: str) -> tuple[Schema, Json]:
    """The schema of the argument, and the argument: each builtin's in the form that ESC gives it."""
    arguments = {name: expression_json(one, environment) for name, one in expression.arguments.items()}
    whole = {"range": (call.argument.place.range or Range(environment)).to_json()}
    if call.function in ("fn::open", "fn::rotate"):
        return _provider_argument(expression, call, arguments)
    if call.function in _PAIRS:
        return _PAIRS[call.function], {**whole, "list": [arguments["delimiter"], arguments["value"]]}
    if call.function == "fn::validate":
        return record({"schema": JSON_SCHEMA, "value": ALWAYS}), {**whole, "object": arguments}
    if "ciphertext" in arguments:
        return ALWAYS, {**whole, "object": arguments}
    return _UNARY.get(call.function, ALWAYS), arguments.get("plaintext") or arguments["value"]


_PAIRS = {"fn::join": tuple_of([STRING, STRINGS]), "fn::split": tuple_of([STRING, STRING])}
_UNARY = {"fn::fromBase64": STRING, "fn::toBase64": STRING, "fn::concat": ARRAYS}


def _provider_argument(expression: Expression, call: Call, arguments: Json) -> tuple[Schema, Json]:
    schemas: dict[str, Schema] = {
        name: expression.schemas.get(name, ALWAYS) for name in ("inputs", "state") if name in arguments
    }
    if call.short and call.function == "fn::open":
        return schemas["inputs"], arguments["inputs"]
    given: Json = {name: arguments[name] for name in schemas}
    if not call.short:
        schemas["provider"], given["provider"] = STRING, arguments["provider_name"]
    # The argument of these calls is given without a range of its own.
    return record(schemas), {"range": Range().to_json(), "object": given}

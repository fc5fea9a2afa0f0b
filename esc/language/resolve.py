"""How a reference finds its target: the environment's own expressions, what they override, imports, the context."""

from __future__ import annotations

from typing import TYPE_CHECKING

from esc.language.diagnostics import Place, nearest, quote
from esc.language.schema import ALWAYS, Schema, record
from esc.language.terms import Accessor, Call, ListTerm, ObjectTerm, Term
from esc.language.values import Expression, State, Step, Value, missing, unknown_value

if TYPE_CHECKING:
    from esc.language.evaluate import Scope


def resolve(scope: Scope, expression: Expression, steps: list[Step], accept: Schema = ALWAYS) -> Value:
    """The value that the access ``steps`` in ``expression`` leads to; unknown, and reported, if it leads nowhere.

    Literal objects and lists are walked without being evaluated, so that their parts may refer to each other.
    """
    return _Walk(scope, expression.place).from_root(expression, steps, accept)


class _Walk:
    def __init__(self, scope: Scope, place: Place) -> None:
        self.scope = scope
        self.place = place

    def from_root(self, expression: Expression, steps: list[Step], accept: Schema) -> Value:
        match steps[0].accessor.key:
            case "imports":
                steps[0].value = self.scope.imports
                return self.in_value(self.scope.imports, steps[1:])
            case "context":
                steps[0].value = self.scope.context
                return self.in_value(self.scope.context, steps[1:])
            case "environments":
                return self.in_environment(expression, steps)
        return self.in_expression(self.scope.root, steps, accept)

    def in_expression(self, receiver: Expression, steps: list[Step], accept: Schema) -> Value:
        for index, step in enumerate(steps):
            rest = steps[index:]
            if isinstance(receiver.term, ListTerm):
                at = self.index(step.accessor, len(receiver.items))
                if at is None:
                    return self.nothing(rest)
                receiver = receiver.items[at]
            elif isinstance(receiver.term, ObjectTerm):
                key = self.key(step.accessor)
                if key is None:
                    return self.nothing(rest)
                if key not in receiver.properties:
                    if receiver.base is not None and receiver.base.may_be_object:
                        return self.in_value(receiver.base, rest)
                    return self.unknown_property(key, receiver.properties, rest)
                receiver = receiver.properties[key]
            else:
                if isinstance(receiver.term, Call) and "plaintext" in receiver.arguments:
                    receiver = receiver.arguments["plaintext"]
                return self.in_value(self.scope.value_of(receiver, accept), rest)
            step.value = Value(receiver, receiver.schema, base=receiver.base)
        return self.scope.value_of(receiver)

    def in_value(self, receiver: Value, steps: list[Step]) -> Value:
        for index, step in enumerate(steps):
            rest = steps[index:]
            if receiver.unknown:
                return self.in_unknown(receiver.schema, rest)
            if isinstance(receiver.content, list):
                at = self.index(step.accessor, len(receiver.content))
                if at is None:
                    return self.nothing(rest)
                receiver = receiver.content[at]
            elif isinstance(receiver.content, dict):
                key = self.key(step.accessor)
                if key is None:
                    return self.nothing(rest)
                if key not in receiver.content:
                    if receiver.base is not None and receiver.base.may_be_object:
                        return self.in_value(receiver.base, rest)
                    return self.unknown_property(key, receiver.content, rest)
                receiver = receiver.content[key]
            else:
                return self.error(step.accessor, "receiver must be an array or an object", rest)
            step.value = receiver
        return receiver

    def in_unknown(self, schema: Schema, steps: list[Step]) -> Value:
        """What will be found once the receiver is known is unknown, but its schema may already rule it out."""
        value = unknown_value(self.here(), schema)
        for index, step in enumerate(steps):
            rest = steps[index:]
            if schema.always:
                pass
            elif schema.type == "array":
                closed = schema.items is not None and schema.items.never
                at = self.index(step.accessor, len(schema.prefix_items) if closed else None)
                if at is None:
                    return self.nothing(rest)
                schema = schema.item(at)
            elif schema.type == "object":
                key = self.key(step.accessor)
                if key is None:
                    return self.nothing(rest)
                schema = schema.property(key)
            else:
                return self.error(step.accessor, "receiver must be an array or an object", rest)
            step.value = value = unknown_value(self.here(), schema)
        return value

    def in_environment(self, expression: Expression, steps: list[Step]) -> Value:
        """``environments.PROJECT.NAME.path``: an environment that is read here without being merged."""
        if len(steps) < 3:
            return self.nothing(steps)
        project, name = self.key(steps[1].accessor), self.key(steps[2].accessor)
        if project is None or name is None:
            return self.nothing(steps)
        value = self.scope.import_environment(f"{project}/{name}", self.place) or unknown_value(missing())
        for key in (name, project, "environments"):
            value = Value(expression, record({key: value.schema}), {key: value})
        value.rotate_only = True
        return self.in_value(value, steps)

    def index(self, accessor: Accessor, length: int | None) -> int | None:
        key = accessor.key
        if not isinstance(key, int):
            self.blame(accessor, "cannot access an array element using a property name")
        elif key < 0:
            self.blame(accessor, "array indices must not be negative")
        elif length is not None and key >= length:
            self.blame(accessor, f"array index {key} out-of-bounds for array of length {length}")
        else:
            return key
        return None

    def key(self, accessor: Accessor) -> str | None:
        if isinstance(accessor.key, str):
            return accessor.key
        self.blame(accessor, "cannot access an object property using an integer index")
        return None

    def unknown_property(self, key: str, known: dict[str, Expression] | dict[str, Value], steps: list[Step]) -> Value:
        similar = nearest(key, known)
        hint = f"; did you mean {quote(similar)}?" if similar else ""
        return self.error(steps[0].accessor, f"unknown property {quote(key)}{hint}", steps)

    def error(self, accessor: Accessor, summary: str, steps: list[Step]) -> Value:
        self.blame(accessor, summary)
        return self.nothing(steps)

    def blame(self, accessor: Accessor, summary: str) -> None:
        """At the accessor, if its place is known, else at the whole expression."""
        self.scope.diagnostics.error(Place(accessor.range or self.place.range, self.place.path), summary)

    def nothing(self, steps: list[Step]) -> Value:
        for step in steps:
            step.value = unknown_value(self.here())
        return unknown_value(self.here()) if not steps else steps[-1].value or unknown_value(self.here())

    def here(self) -> Expression:
        return Expression("", Term(self.place), ALWAYS, state=State.DONE)

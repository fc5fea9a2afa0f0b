"""Checking values against schemas: what is blamed, and how.

A value that is known is checked itself. Of an unknown one its schema is checked: whether it may fit. What is blamed
is the expression that defines the value. Inside an array or object literal that is the element itself; inside
anything else it is the whole, and the message begins with the path to the element.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from esc.language.diagnostics import Diagnostics, join_key, quote
from esc.language.scalars import Number, to_json
from esc.language.schema import ALWAYS, Schema
from esc.language.values import Expression, Value

_NUMBER_LIMITS: dict[str, tuple[str, Callable[[Fraction, Fraction], bool]]] = {
    "multipleOf": ("a multiple of ", lambda actual, limit: limit != 0 and (actual / limit).denominator == 1),
    "minimum": ("a number greater than or equal to ", lambda actual, limit: actual >= limit),
    "exclusiveMinimum": ("a number greater than ", lambda actual, limit: actual > limit),
    # ESC's own message has no blank here.
    "maximum": ("a number less than or equal to", lambda actual, limit: actual <= limit),
    "exclusiveMaximum": ("a number less than ", lambda actual, limit: actual < limit),
}


def fits(value: Value, accept: Schema, diagnostics: Diagnostics) -> bool:
    """Whether ``accept`` validates ``value``; reports what does not."""
    return _Validator(diagnostics).value(value, accept)


@dataclass(frozen=True)
class _Blame:
    expression: Expression
    path: str = ""
    prefix: bool = False

    def index(self, index: int) -> _Blame:
        if index < len(self.expression.items):
            return _Blame(self.expression.items[index], f"[{index}]")
        return _Blame(self.expression, f"{self.path}[{index}]", prefix=True)

    def property(self, key: str) -> _Blame:
        if key in self.expression.properties:
            return _Blame(self.expression.properties[key], join_key("", key))
        return _Blame(self.expression, join_key(self.path, key), prefix=True)


class _Validator:
    def __init__(self, diagnostics: Diagnostics) -> None:
        self.diagnostics = diagnostics

    def error(self, blame: _Blame, summary: str) -> bool:
        label = f"{blame.path}: " if blame.prefix else ""
        self.diagnostics.error(blame.expression.place, label + summary)
        return False

    def check_type(self, actual: str, accept: Schema, blame: _Blame) -> bool:
        if not accept.type or actual == accept.type:
            return True
        return self.error(blame, f"expected {accept.type}, got {actual}")

    def value(self, value: Value, accept: Schema) -> bool:
        return self.element(value, accept, _Blame(value.definition))

    def element(self, value: Value, accept: Schema, blame: _Blame) -> bool:
        if accept.always or accept.never:
            return accept.always
        if value.unknown:
            return self.schema(value.schema, accept, blame)
        verdicts = [
            accept.target is None or self.element(value, accept.target, blame),
            self.any_of(value, accept, blame),
            self.one_of(value, accept, blame),
            self.constants(value, accept, blame),
            self.content(value, accept, blame),
        ]
        return all(verdicts)

    def any_of(self, value: Value, accept: Schema, blame: _Blame) -> bool:
        if not accept.any_of:
            return True
        trials = [Diagnostics() for _ in accept.any_of]
        if any(_Validator(trial).element(value, one, blame) for trial, one in zip(trials, accept.any_of, strict=True)):
            return True
        return self.no_match(trials, blame, "at least one subschema must match")

    def one_of(self, value: Value, accept: Schema, blame: _Blame) -> bool:
        if not accept.one_of:
            return True
        trials = [Diagnostics() for _ in accept.one_of]
        matches = [
            _Validator(trial).element(value, one, blame) for trial, one in zip(trials, accept.one_of, strict=True)
        ]
        if sum(matches) > 1:
            return self.error(blame, "exactly one subschema may match")
        return any(matches) or self.no_match(trials, blame, "exactly one subschema must match")

    def no_match(self, trials: list[Diagnostics], blame: _Blame, summary: str) -> bool:
        for trial in trials:
            self.diagnostics.extend(trial.found)
        return self.error(blame, summary)

    def constants(self, value: Value, accept: Schema, blame: _Blame) -> bool:
        allowed = [accept.const] if accept.const is not None else []
        fine = not allowed or _equal(value, accept.const) or self.error(blame, f"expected {to_json(accept.const)}")
        if not accept.enum or any(_equal(value, one) for one in accept.enum):
            return fine
        if len(accept.enum) == 1:
            return self.error(blame, f"expected {to_json(accept.enum[0])}")
        return self.error(blame, f"expected one of {to_json(list(accept.enum))}")

    def content(self, value: Value, accept: Schema, blame: _Blame) -> bool:
        match value.content:
            case None:
                return self.check_type("null", accept, blame)
            case bool():
                return self.check_type("boolean", accept, blame)
            case Number():
                return self.check_type("number", accept, blame) and self.number(value.content, accept, blame)
            case str():
                return self.check_type("string", accept, blame) and self.string(value.content, accept, blame)
            case list():
                return self.check_type("array", accept, blame) and self.array(value.content, accept, blame)
            case dict():
                return self.check_type("object", accept, blame) and self.object(value, accept, blame)
        raise AssertionError(f"no value has content of type {type(value.content).__name__}")

    def number(self, number: Number, accept: Schema, blame: _Blame) -> bool:
        actual, fine = Fraction(number.text), True
        for name, (wanted, keeps) in _NUMBER_LIMITS.items():
            limit = accept.limits.get(name)
            if limit is not None and not keeps(actual, Fraction(limit.text)):
                fine = self.error(blame, f"expected {wanted}{limit}")
        return fine

    def sized(self, size: int, accept: Schema, blame: _Blame, suffix: str, wanted: str) -> bool:
        """``wanted`` has ``{}`` in place of "at least N" or "at most N"."""
        low, high = accept.limits.get(f"min{suffix}"), accept.limits.get(f"max{suffix}")
        fine = True
        if low is not None and size < int(low.text):
            fine = self.error(blame, f"expected {wanted.format('at least', low)}")
        if high is not None and size > int(high.text):
            fine = self.error(blame, f"expected {wanted.format('at most', high)}")
        return fine

    def string(self, text: str, accept: Schema, blame: _Blame) -> bool:
        size = len(text.encode("utf-8", "surrogateescape"))
        fine = self.sized(size, accept, blame, "Length", "a string of {} length {}")
        if accept.pattern and not re.search(accept.pattern, text):
            return self.error(blame, f"string must match the pattern {quote(accept.pattern)}")
        return fine

    def array(self, items: list[Value], accept: Schema, blame: _Blame) -> bool:
        fine = self.sized(len(items), accept, blame, "Items", "an array with {} {} items")
        verdicts = []
        for index, item in enumerate(items):
            if index < len(accept.prefix_items):
                verdicts.append(self.value(item, accept.prefix_items[index]))
            else:
                verdicts.append(self.value(item, accept.items or ALWAYS))
        return fine and all(verdicts)

    def object(self, value: Value, accept: Schema, blame: _Blame) -> bool:
        keys = value.keys
        fine = self.sized(len(keys), accept, blame, "Properties", "an object with {} {} properties")
        verdicts = []
        for key in keys:
            member = value.member(key)
            if member is not None:
                verdicts.append(self.value(member, accept.properties.get(key, accept.additional or ALWAYS)))
        absent = [key for key in accept.required if key not in keys]
        for key, others in accept.dependent_required.items():
            if key in keys:
                absent += [other for other in others if other not in keys]
        if absent:
            return self.error(blame, f"missing required properties: {', '.join(absent)}")
        return fine and all(verdicts)

    def schema(self, given: Schema, accept: Schema, blame: _Blame) -> bool:
        """Whether every value of ``given`` may be one of ``accept``, as far as their types tell."""
        if accept.always or accept.never:
            return accept.always
        if given.always or given.never:
            return given.always
        verdicts = [
            accept.target is None or self.schema(given, accept.target, blame),
            given.target is None or self.schema(given.target, accept, blame),
            self.some([(one, accept) for one in given.any_of], blame),
            self.some([(one, accept) for one in given.one_of], blame),
            not given.type or self.check_type(given.type, accept, blame),
            self.some([(given, one) for one in accept.any_of], blame),
            self.some([(given, one) for one in accept.one_of], blame),
            given.type != "array" or self.array_schema(given, accept, blame),
            given.type != "object" or self.object_schema(given, accept, blame),
        ]
        return all(verdicts)

    def some(self, pairs: list[tuple[Schema, Schema]], blame: _Blame) -> bool:
        """With unknown values oneOf is taken for anyOf: they will be one of them in the end."""
        if not pairs:
            return True
        trials = [Diagnostics() for _ in pairs]
        if any(_Validator(trial).schema(*pair, blame) for trial, pair in zip(trials, pairs, strict=True)):
            return True
        return self.no_match(trials, blame, "at least one subschema must match")

    def array_schema(self, given: Schema, accept: Schema, blame: _Blame) -> bool:
        verdicts = []
        for index in range(max(len(given.prefix_items), len(accept.prefix_items))):
            mine = given.prefix_items[index] if index < len(given.prefix_items) else given.items
            theirs = accept.prefix_items[index] if index < len(accept.prefix_items) else accept.items
            verdicts.append(self.schema(mine or ALWAYS, theirs or ALWAYS, blame.index(index)))
        if given.items is not None and not given.items.never:
            verdicts.append(self.schema(given.items, accept.items or ALWAYS, blame))
        return all(verdicts)

    def object_schema(self, given: Schema, accept: Schema, blame: _Blame) -> bool:
        verdicts = [
            self.schema(own, accept.properties.get(key, accept.additional or ALWAYS), blame.property(key))
            for key, own in given.properties.items()
        ]
        if given.additional is None:
            wanted = list(accept.required)
            for key, others in accept.dependent_required.items():
                wanted += others if key in given.required else []
            verdicts += [
                self.error(blame.property(key), "missing required property")
                for key in wanted
                if key not in given.required
            ]
        elif not given.additional.never:
            verdicts.append(self.schema(given.additional, accept.additional or ALWAYS, blame))
        return all(verdicts)


def _equal(value: Value, constant: Any) -> bool:
    content = value.content
    if isinstance(constant, list):
        return (
            isinstance(content, list)
            and len(content) == len(constant)
            and all(_equal(one, other) for one, other in zip(content, constant, strict=True))
        )
    if isinstance(constant, dict):
        return (
            isinstance(content, dict)
            and content.keys() == constant.keys()
            and all(_equal(content[key], other) for key, other in constant.items())
        )
    return type(content) is type(constant) and content == constant

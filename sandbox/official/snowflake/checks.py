"""What the provider checks of inputs before it says anything to Snowflake, as validators to put together.

Source: ``ValidateFunc``, ``ValidateDiagFunc``, ``ConflictsWith``, ``ExactlyOneOf`` and ``RequiredWith`` of the resources
in snowflakedb/terraform-provider-snowflake 2.20. Paths are dotted; ``*`` stands for every item of a list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sandbox.official.behaviour import paths
from sandbox.official.snowflake.names import identifier
from sandbox.official.snowflake.sql import is_data_type
from sandbox.official.types import Failure
from sandbox.official.values import Path, Properties, at, has_unknowns, written

Validator = Callable[[Properties], Iterator[Failure]]

SIZES = (
    "XSMALL",
    "X-SMALL",
    "SMALL",
    "MEDIUM",
    "LARGE",
    "XLARGE",
    "X-LARGE",
    "XXLARGE",
    "X2LARGE",
    "2X-LARGE",
    "XXXLARGE",
    "X3LARGE",
    "3X-LARGE",
    "X4LARGE",
    "4X-LARGE",
    "X5LARGE",
    "5X-LARGE",
    "X6LARGE",
    "6X-LARGE",
)
LOG_LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "OFF")
TRACE_LEVELS = ("ALWAYS", "ON_EVENT", "PROPAGATE", "OFF")


def every(*validators: Validator) -> Validator:
    """One validator of several."""

    def found(properties: Properties) -> Iterator[Failure]:
        for validator in validators:
            yield from validator(properties)

    return found


def one_of(places: str, allowed: Iterable[str], what: str) -> Validator:
    """Enumerations, in any case, as the provider takes them."""
    known = {value.upper() for value in allowed}

    def found(properties: Properties) -> Iterator[Failure]:
        for path, value in _given(properties, places):
            if str(value).upper() not in known:
                yield Failure(written(path), f"invalid {what}: {value}")

    return found


def flags(*places: str) -> Validator:
    """Truth values that have a third state, so that they are texts; that state is chosen by leaving them out."""

    def found(properties: Properties) -> Iterator[Failure]:
        for place in places:
            for path, value in _given(properties, place):
                if value not in ("true", "false", True, False):
                    yield Failure(written(path), f"expected one of [true false], got {value}")

    return found


def within(places: str, least: int, most: int | None = None) -> Validator:
    def found(properties: Properties) -> Iterator[Failure]:
        for path, value in _given(properties, places):
            number = float(value)
            if most is None and number < least:
                yield Failure(written(path), f"expected to be at least ({least}), got {value}")
            elif most is not None and not least <= number <= most:
                yield Failure(written(path), f"expected to be in the range ({least} - {most}), got {value}")

    return found


def data_types(*places: str) -> Validator:
    def found(properties: Properties) -> Iterator[Failure]:
        for place in places:
            for path, value in _given(properties, place):
                if not is_data_type(str(value)):
                    yield Failure(written(path), f"invalid data type: {value}")

    return found


def identifiers(places: str, form: str) -> Validator:
    """Names with as many parts as ``form`` has, such as ``<database_name>.<schema_name>``."""
    parts = form.count(".") + 1

    def found(properties: Properties) -> Iterator[Failure]:
        for path, value in _given(properties, places):
            if len(identifier(str(value))) != parts:
                yield Failure(
                    written(path),
                    f"the correct form of the fully qualified name for this field is: {form}, not {value}",
                )

    return found


def exactly_one(*names: str, inside: str = "") -> Validator:
    """``inside``: an object that may be left out; within it the rule holds."""

    def found(properties: Properties) -> Iterator[Failure]:
        for base in _places(properties, inside):
            holder = at(properties, base)
            if base and not isinstance(holder, dict):
                continue
            given = [name for name in names if holder.get(name) not in (None, False)]
            if len(given) != 1:
                where = (*base, given[-1] if given else names[0])
                yield Failure(written(where), f"exactly one of {', '.join(names)} must be given, not {len(given)}")

    return found


def conflict(name: str, *others: str) -> Validator:
    def found(properties: Properties) -> Iterator[Failure]:
        if at(properties, paths(name)[0]) in (None, False):
            return
        for other in others:
            if at(properties, paths(other)[0]) not in (None, False):
                yield Failure(name, f"conflicts with {other}")

    return found


def needs(name: str, other: str) -> Validator:
    def found(properties: Properties) -> Iterator[Failure]:
        if at(properties, paths(name)[0]) is not None and at(properties, paths(other)[0]) is None:
            yield Failure(name, f"all of {name}, {other} must be given")

    return found


def not_empty(name: str) -> Validator:
    def found(properties: Properties) -> Iterator[Failure]:
        if properties.get(name) == "":
            yield Failure(name, "expected not to be an empty string")
        if properties.get(name) == []:
            yield Failure(name, "1 item at least is needed")

    return found


def _given(properties: Properties, place: str) -> Iterator[tuple[Path, Any]]:
    for path in _places(properties, place):
        value = at(properties, path)
        if value is not None and not isinstance(value, dict | list) and not has_unknowns(value):
            yield path, value


def _places(properties: Properties, place: str) -> Iterator[Path]:
    if not place:
        yield ()
        return
    yield from _expanded(properties, tuple(place.split(".")), ())


def _expanded(value: Any, steps: tuple[str, ...], before: Path) -> Iterator[Path]:
    if not steps:
        yield before
        return
    step, rest = steps[0], steps[1:]
    if step == "*":
        for index, item in enumerate(value if isinstance(value, list) else ()):
            yield from _expanded(item, rest, (*before, index))
    elif isinstance(value, dict) and step in value:
        yield from _expanded(value[step], rest, (*before, step))

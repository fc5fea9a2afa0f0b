"""What holds data is not replaced by an empty object: a change that would do so is a mistake in the settings."""

from __future__ import annotations

from typing import Any

from pulumi.output import UNKNOWN

from providers import base
from providers.base import Kind
from providers.base.provider import Provider
from tests.unit.base_platform import room

WAY = "declare a second one, copy what is in it, then remove this one"


class Store(base.Resource):
    kind = Kind(**room(irreplaceable=WAY))


def refused(olds: dict[str, Any], **news: Any) -> dict[str, str]:
    reference = f"{Store.__module__}:{Store.__qualname__}"
    return {failure.property: failure.reason for failure in Provider(reference).check(olds, news).failures}


def test_a_change_that_needs_another_object_is_refused_and_names_the_way() -> None:
    told = refused({"name": "hall", "private": False, "house": "red"}, name="hall", private=True, house="blue")
    assert told.keys() == {"private", "house"}
    assert told["house"] == f"cannot become blue where it is red: {WAY}"


def test_what_the_platform_can_change_and_what_is_new_or_unknown_passes() -> None:
    known = {"name": "hall", "private": False, "house": "red", "__provider": "pickle"}
    assert refused(known, name="hall", private=False, house="red", purpose="other") == {}
    assert refused({}, name="hall", private=True) == {}
    assert refused({"__provider": "pickle"}, name="hall", private=True) == {}
    assert refused(known, name="hall", private=False, house=UNKNOWN) == {}


def test_an_immutable_value_that_is_removed_is_a_change_too() -> None:
    assert refused({"name": "hall", "house": "red"}, name="hall").keys() == {"house"}

"""What only people make: found, compared, told of, and never written."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import Field

from providers import base
from providers.base import Call, Listing, PlatformError
from providers.base.people import MustExist
from tests.unit.base_platform import API, Engine, Toy, new_run, serve_toy


class HallInputs(base.Inputs):
    house: base.Immutable[str] = "h-1"
    name: str
    color: str | None = None
    doors: dict[str, bool] | None = Field(default=None, alias="openDoors")


class Hall(base.Resource):
    kind = base.asserted(
        api=API,
        title="hall",
        setting="halls",
        inputs=HallInputs,
        listing=Listing(Call("GET", "/rooms")),
        identity="id",
        natural_key=("name", "house"),
        beside=("house",),
        show="name",
        do="build it",
    )


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Toy]:
    for platform in serve_toy(monkeypatch):
        platform.rooms["r-1"] = {
            "id": "r-1",
            "house": "h-1",
            "name": "blue",
            "color": "white",
            "openDoors": {"a": True},
        }
        yield platform


def wanted(**more: Any) -> dict[str, Any]:
    return {"name": "blue", "adopt": True, **more}


def test_what_is_there_is_found_and_left_alone(toy: Toy) -> None:
    engine = Engine(Hall)
    made = engine.create(**wanted(doors={"a": True}))
    assert made.id == "r-1"
    engine.delete(made)
    assert {method for method, *_ in toy.requests} == {"GET"}
    assert len(toy.rooms) == 1


def test_what_is_missing_is_told_with_what_is_beside_it(toy: Toy) -> None:
    toy.rooms["r-2"] = {"id": "r-2", "house": "h-2", "name": "blues"}
    failed = str(Engine(Hall).failing_create(**wanted(name="bleu")))
    assert "no hall has the name 'bleu'; TOY_KEY can see blue\n" in failed
    assert "do       build it" in failed


def test_of_many_only_the_nearest_are_named(toy: Toy) -> None:
    toy.rooms |= {f"x-{n}": {"id": f"x-{n}", "house": "h-1", "name": f"chamber number {n}"} for n in range(40)}
    failed = str(Engine(Hall).failing_create(**wanted(name="blu")))
    assert "TOY_KEY can see 41 others, among them blue\n" in failed


def test_what_is_otherwise_fails_until_it_is_as_wanted(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, settings = Engine(Hall), wanted(color="red", doors={"a": True, "b": True})
    failed = engine.failing_create(**settings)
    assert failed.kept, "it is known, so that the next run looks at it again"
    with pytest.raises(Exception, match=r"is 'white', and is to be 'red'; doors\.b is missing"):
        engine.update(failed.kept, **settings)
    toy.rooms["r-1"] |= {"color": "red", "openDoors": {"a": True, "b": True, "c": True}}
    new_run(monkeypatch)
    updated = engine.update(failed.kept, **settings)
    assert not engine.changes(updated, **settings)
    assert {method for method, *_ in toy.requests} == {"GET"}


def test_a_change_by_hand_is_drift_of_what_is_asserted_only(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, settings = Engine(Hall), wanted(doors={"a": True})
    made = engine.create(**settings)
    toy.rooms["r-1"] |= {"name": "green", "color": "black", "openDoors": {"c": True}}
    new_run(monkeypatch)
    seen = engine.read(made)
    assert seen
    assert (seen.inputs["name"], seen.inputs["doors"], "color" in seen.inputs) == ("green", {}, False)
    del toy.rooms["r-1"]
    new_run(monkeypatch)
    assert engine.read(made) is None
    with pytest.raises(Exception, match="the hall r-1 is not there any more"):
        engine.update(seen, **settings)


def test_what_no_call_deletes_stays_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert base.StaysThere("team").send(API, {"id": "t-1", "name": "Platform"}) == {}
    assert 'the team "Platform" stays in Toy, which has no call to delete it' in caplog.text


def test_nothing_is_named_where_there_is_nothing(toy: Toy) -> None:
    toy.rooms.clear()
    missing = MustExist("hall", Listing(Call("GET", "/rooms")), ("name",), "name", "build it")
    with pytest.raises(PlatformError, match="TOY_KEY can see none"):
        missing.send(API, {}, {"name": "blue"})
    assert toy.sent("POST") == []

"""What a platform never shows again: how often a key was rotated, and the value that a rotation answered with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pydantic import Field

from providers import base
from providers.base import Api, Call, Calls, Json, Kind, Listing, Numbered, Out, Unseen
from tests.unit.base_platform import Engine, Toy, new_run, room, serve_toy


class Rotate:
    """Answers as platforms do that rotate in place: with the new value, beside what it always shows."""

    auth = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        shown = Call("PATCH", "/rooms/{id}").send(api, values, {"name": values["name"]})
        rotated = {"key": f"key {values['generation']}"}
        return {**shown, "key": "k***y", "rotated": rotated}


class RotatingInputs(base.Inputs):
    name: str
    generation: Unseen[int] = Field(default=1)


class Rotating(base.Resource):
    kind = Kind(
        **room(
            inputs=RotatingInputs,
            outputs=(Out("key", "key", once=True, renewed="rotated.key"),),
            encode=lambda payload, _wanted: {n: v for n, v in payload.items() if n != "generation"},
            calls=Calls(
                create=Call("POST", "/rooms"),
                read=Call("GET", "/rooms/{id}"),
                update=Call("PATCH", "/rooms/{id}"),
                setters={"generation": Rotate()},
                delete=Call("DELETE", "/rooms/{id}"),
                listing=Listing(Call("GET", "/rooms")),
            ),
        )
    )


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Toy]:
    yield from serve_toy(monkeypatch)


def test_what_is_never_shown_is_no_drift(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(Rotating)
    made = engine.create(name="hall", generation=3)
    assert [wire for _, wire in toy.sent("POST")] == [{"name": "hall"}]
    new_run(monkeypatch)
    seen = engine.read(made)
    assert seen
    assert seen.inputs["generation"] == 3
    assert not engine.changes(seen, name="hall", generation=3)
    assert engine.changes(seen, name="hall", generation=4)


def test_a_renewed_value_takes_the_place_of_the_first_and_stays_secret(toy: Toy) -> None:
    engine = Engine(Rotating)
    made = engine.create(name="hall")
    rotated = engine.update(made, name="hall", generation=2)
    assert (made.outputs["key"], rotated.outputs["key"]) == ("key of r-1", "key 2")
    assert "key" in rotated.secrets
    renamed = engine.update(rotated, name="lobby", generation=2)
    assert renamed.outputs["key"] == "key 2", "no other answer renews it"


def test_pages_by_number_end_with_a_short_one() -> None:
    pages = Numbered(size=2, param="current_page", limit_param="page_size")
    first = pages.first()
    assert first == {"page_size": 2, "current_page": 0}
    second = pages.next(first, 2, {})
    assert second == {"page_size": 2, "current_page": 1}
    assert pages.next(second, 1, {}) is None

"""Objects that exist: checked, compared, read back, changed, and finished when something went wrong half-way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2

from providers import base
from providers.base import Kind
from tests.unit.base_platform import (
    OURS,
    Built,
    Described,
    Engine,
    FailedError,
    Keyed,
    Marked,
    Merged,
    Plain,
    Silent,
    State,
    Toy,
    Whole,
    lost,
    new_run,
    says,
    serve_toy,
)

UNKNOWN = rpc.UNKNOWN


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Toy]:
    monkeypatch.setattr("providers.base.api.SETTLING_SECONDS", 0.0)
    yield from serve_toy(monkeypatch)


def test_mistakes_are_named_as_the_program_names_them() -> None:
    _, mistakes = Engine(Plain).check(name="x", size="wide", private="maybe", colour="red", code="s3cret")
    assert mistakes == {
        "name": "must have at least 2 characters",
        "size": "must be a number",
        "private": "must be true or false",
        "colour": "is not known here",
        "code": "must be a mapping",
    }


def test_something_unknown_hides_no_mistake_beside_it() -> None:
    inputs, mistakes = Engine(Plain).check(name="hall", doors=[UNKNOWN, 7, "north"], size=UNKNOWN)
    assert mistakes == {"doors[1]": "must be text"}
    inputs, mistakes = Engine(Plain).check(name=UNKNOWN, doors=[UNKNOWN, "north"], code={"a": [UNKNOWN]}, size=5432.0)
    assert mistakes == {}
    assert inputs["doors"] == [UNKNOWN, "north"]
    assert inputs["code"] == {"a": [UNKNOWN]}


def test_what_is_not_known_yet_is_a_change(toy: Toy) -> None:
    engine = Engine(Plain)
    made = engine.create(name="hall", doors=["north"])
    assert engine.changes(made, name="hall", doors=[UNKNOWN])
    assert engine.diff(made, name="hall", doors=["north"], house=UNKNOWN).replaces == ["house"]


def test_what_was_not_set_when_a_create_failed_is_set_by_the_next_run(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The object is kept as it is, a private one too, although its privacy can never be changed."""
    toy.faults = [("PUT /rooms/r-1", says(422))]
    engine, wanted = Engine(Described), {"name": "hall", "private": True, "purpose": "to meet"}
    failed = engine.failing_create(**wanted)
    assert failed.kept
    assert failed.kept.id == "r-1"
    assert "purpose" not in failed.kept.outputs
    new_run(monkeypatch)
    found = engine.diff(failed.kept, **wanted)
    assert list(found.replaces) == []
    assert engine.changes(failed.kept, **wanted)
    toy.requests.clear()
    done = engine.update(failed.kept, **wanted)
    assert [(m, p, w) for m, p, w in toy.requests if m != "GET"] == [
        ("PUT", "/rooms/r-1", {"purpose": f"to meet {OURS}"})
    ]
    assert not engine.changes(done, **wanted)


@pytest.mark.parametrize("refreshed", [False, True], ids=["at once", "after a refresh"])
def test_a_mark_that_could_not_be_set_is_set_by_the_next_run(
    toy: Toy, monkeypatch: pytest.MonkeyPatch, refreshed: bool
) -> None:
    """Without a purpose of its own, nothing but the mark is missing, and no value tells so."""
    toy.faults = [("PUT /rooms/r-1", lambda _answer: (_ for _ in ()).throw(httpx.ConnectError("refused")))] * 9
    monkeypatch.setenv("SOPHIA_PATIENCE_SECONDS", "0")
    engine = Engine(Described)
    failed = engine.failing_create(name="hall")
    kept = failed.kept
    assert kept
    toy.faults.clear()
    new_run(monkeypatch)
    if refreshed:
        kept = engine.read(kept)
        assert kept
    assert engine.changes(kept, name="hall")
    done = engine.update(kept, name="hall")
    assert toy.rooms["r-1"]["purpose"] == OURS
    assert not engine.changes(done, name="hall")


def test_an_update_that_fails_keeps_the_old_values_and_the_secrets(toy: Toy) -> None:
    engine = Engine(Keyed)
    made = engine.create(name="hall", size=3, code={"pin": "0000"})
    toy.faults = [("PATCH /rooms/r-1", says(422))]
    with pytest.raises(FailedError, match="said 422") as caught:
        engine.update(made, name="hall", size=4, code={"pin": "1111"})
    kept = caught.value.kept
    assert kept
    assert kept.outputs == made.outputs
    assert "key" in kept.secrets, "else the key would stand in the state in plain text"
    kept.inputs, _ = engine.check(name="hall", size=4, code={"pin": "1111"})
    assert engine.changes(kept, name="hall", size=4, code={"pin": "1111"})


def test_an_answer_of_another_shape_loses_no_object(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    def misread(document: dict[str, Any]) -> dict[str, Any]:
        return {**document, "doors": document["doors"]["list"]} if "doors" in document else document

    odd = type("Odd", (), {"kind": Kind(**{**vars(Described.kind), "decode": misread})})
    monkeypatch.setattr("tests.unit.base_platform.Odd", odd, raising=False)
    odd.__module__, odd.__qualname__ = "tests.unit.base_platform", "Odd"
    toy.faults = [("POST /rooms", lambda answer: httpx.Response(201, json={**answer().json(), "doors": 7}))]
    failed = Engine(odd).failing_create(name="hall", private=True)
    assert failed.kept
    assert failed.kept.id == "r-1"
    assert failed.kept.outputs == {"name": "hall", "private": True}


def test_a_slow_object_is_waited_for_also_by_the_next_run(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    def building(answer: Callable[[], httpx.Response]) -> httpx.Response:
        answer()
        toy.rooms["r-1"]["state"] = "building"
        return httpx.Response(201, json=toy.rooms["r-1"])

    def ready(answer: Callable[[], httpx.Response]) -> httpx.Response:
        toy.rooms["r-1"] |= {"state": "ready", "color": "blue"}
        return answer()

    engine = Engine(Built)
    toy.faults = [("POST /rooms", building), ("GET /rooms/r-1", says(403))]
    kept = engine.failing_create(name="hall").kept
    assert kept
    new_run(monkeypatch)
    with pytest.raises(FailedError, match="not ready yet") as caught:
        engine.read(kept)
    assert caught.value.kept
    assert caught.value.kept.inputs == kept.inputs
    toy.faults = [("GET /rooms/r-1", lambda answer: answer()), ("GET /rooms/r-1", ready)]
    done = engine.update(kept, name="hall")
    assert done.outputs["color"] == "blue"
    assert toy.sent("POST") == [("/rooms", {"name": "hall", "private": False, "purpose": ""})]
    assert toy.sent("PATCH") == []


def test_a_slow_object_that_is_changed_is_looked_at_anew(toy: Toy) -> None:
    engine = Engine(Built)
    made = engine.create(name="hall")
    toy.faults = [("PATCH /rooms/r-1", lambda answer: httpx.Response(200, json={}) if answer() else answer())]
    assert engine.update(made, name="hall", size=2.5).outputs["size"] == 2.5


def test_what_a_platform_never_shows_is_not_missing(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Airbyte does not say to which organisation a workspace belongs: after a refresh it must not be replaced."""
    engine = Engine(Plain)
    made = engine.create(name="hall", house="white")
    del toy.rooms["r-1"]["house"]
    new_run(monkeypatch)
    seen = engine.read(made)
    assert seen
    assert seen.inputs == made.inputs
    assert engine.diff(seen, name="hall", house="white").changes == provider_pb2.DiffResponse.DIFF_NONE
    toy.rooms["r-1"]["house"] = "red"
    new_run(monkeypatch)
    moved = engine.read(made)
    assert moved
    assert list(engine.diff(moved, name="hall", house="white").replaces) == ["house"]


def test_one_odd_value_does_not_spoil_the_others(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(Marked)
    made = engine.create(name="hall", purpose="to meet", size=3, doors=["north"])
    toy.rooms["r-1"] |= {"sizeInMetres": "quite wide", "purpose": f"to dance {OURS}", "doors": None}
    new_run(monkeypatch)
    seen = engine.read(made)
    assert seen
    assert seen.inputs == {"name": "hall", "private": False, "purpose": "to dance", "size": "quite wide"}


def test_something_null_is_something_that_is_not_there(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(Plain)
    made = engine.create(name="hall")
    toy.rooms["r-1"]["purpose"] = None
    new_run(monkeypatch)
    seen = engine.read(made)
    assert seen
    assert seen.inputs == made.inputs


def test_an_object_of_which_only_the_id_is_known_is_read_whole(toy: Toy) -> None:
    toy.rooms["r-7"] = {"id": "r-7", "name": "hall", "private": True, "purpose": f"to meet {OURS}", "sizeInMetres": 4}
    seen = Engine(Marked).read(State("r-7", {}, {}))
    assert seen
    assert seen.inputs == {"name": "hall", "private": True, "purpose": "to meet", "size": 4}


def test_what_cannot_be_seen_is_believed_to_be_there(toy: Toy) -> None:
    engine = Engine(Silent)
    made = engine.create(name="hall", code={"pin": "0000"})
    toy.rooms.clear()
    seen = engine.read(made)
    assert seen
    assert (seen.inputs, seen.outputs) == (made.inputs, made.outputs)
    engine.delete(made)


def test_hidden_is_gone_and_secrets_survive_a_refresh(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    keyed = Engine(Keyed)
    made = keyed.create(name="hall", code={"pin": "0000"})
    new_run(monkeypatch)
    seen = keyed.read(made)
    assert seen
    assert (seen.inputs, seen.outputs, seen.secrets) == (made.inputs, made.outputs, frozenset({"key"}))
    assert not keyed.changes(seen, name="hall", code={"pin": "0000"})
    assert keyed.changes(seen, name="hall", code={"pin": "0001"})
    described = Engine(Described)
    other = described.create(name="attic")
    toy.rooms[other.id]["archived"] = True
    new_run(monkeypatch)
    assert described.read(other) is None


def test_removed_values_go_back_and_what_others_set_stays(toy: Toy) -> None:
    whole, merged, plain = Engine(Whole), Engine(Merged), Engine(Plain)
    made = [e.create(name=n, size=3, house="red") for e, n in ((whole, "one"), (merged, "two"), (plain, "three"))]
    for room in toy.rooms.values():
        room["guests"] = 5
    toy.requests.clear()
    whole.update(made[0], name="one", purpose="p", house="red")
    merged.update(made[1], name="two", purpose="p", house="red")
    plain.update(made[2], name="three", purpose="p", house="red")
    assert toy.sent("PUT")[0] == ("/rooms/r-1", {"name": "one", "purpose": "p"})
    path, wire = toy.sent("PUT")[1]
    assert (path, wire["guests"], wire["purpose"]) == ("/rooms/r-2", 5, "p")
    assert toy.sent("PATCH") == [("/rooms/r-3", {"purpose": "p", "sizeInMetres": None})]


def test_thirty_objects_in_eight_threads_are_thirty_objects(toy: Toy) -> None:
    names = [f"room-{number}" for number in range(30)]
    engines = {name: Engine(Marked, name) for name in names}
    toy.faults = [("POST /rooms", lost)]
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda name: engines[name].create(name=name), names))
    assert len({state.id for state in made}) == 30
    assert sorted(room["name"] for room in toy.rooms.values()) == sorted(names)
    assert len(toy.sent("POST")) == 30
    assert len(toy.sent("GET")) == 2, "one list for all, and one look after the create that was not answered"


def test_a_declaration_is_the_same_for_every_engine(toy: Toy) -> None:
    engine = Engine(Marked)
    made = engine.create(name="hall")
    again: type[base.Resource] = Marked
    assert Engine(again).pickled == engine.pickled
    assert len(engine.pickled) < 200
    engine.delete(made)
    engine.delete(made)
    assert toy.rooms == {}

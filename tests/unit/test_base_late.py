"""Platforms that tell the truth late: what is fresh is not seen yet, what is deleted is listed still."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx
import pytest

from providers import base
from providers.base.birth import Birth
from providers.base.inventory import Inventory
from providers.base.writing import Writing
from tests.unit.base_platform import (
    OURS,
    THEIRS,
    Described,
    Engine,
    Fault,
    Keyed,
    Marked,
    Plain,
    Toy,
    lost,
    new_run,
    says,
    serve_toy,
)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Toy]:
    yield from serve_toy(monkeypatch)


def lists(*rooms: dict[str, str]) -> Fault:
    return lambda _answer: httpx.Response(200, json={"data": list(rooms)})


@pytest.mark.parametrize("resource", [Plain, Marked, Described], ids=["room", "marked", "marked afterwards"])
def test_what_a_killed_run_made_is_found_although_it_is_listed_late(
    toy: Toy, monkeypatch: pytest.MonkeyPatch, resource: type[base.Resource]
) -> None:
    toy.rooms["r-0"] = {"id": "r-0", "name": "hall", "private": False}
    toy.lists_late = 3
    engine = Engine(resource)
    monkeypatch.setenv("SOPHIA_INTERRUPTED_CREATES", json.dumps([engine.urn]))
    assert engine.create(name="hall").id == "r-0"
    assert list(toy.rooms) == ["r-0"]


def test_a_conflict_proves_that_there_is_something_to_be_seen(toy: Toy) -> None:
    toy.rooms["r-0"] = {"id": "r-0", "name": "hall", "purpose": OURS}
    toy.unique, toy.lists_late = True, 3
    assert Engine(Marked).create(name="hall").id == "r-0"


def test_a_create_that_was_given_up_for_lost_leaves_no_twin(toy: Toy) -> None:
    """It is seen only after it was sent again: of the two, the one that we were told of stays."""
    toy.faults, toy.lists_late = [("POST /rooms", lost)], 4
    made = Engine(Plain).create(name="hall")
    assert made.id == "r-2"
    assert list(toy.rooms) == ["r-2"]


def test_what_somebody_else_made_meanwhile_is_no_twin(toy: Toy) -> None:
    def dropped(_done: Callable[[], httpx.Response]) -> httpx.Response:
        toy.rooms["r-9"] = {"id": "r-9", "name": "hall", "purpose": THEIRS}
        raise httpx.ReadTimeout("silence")

    toy.faults, toy.lists_late = [("POST /rooms", dropped)], 4
    made = Engine(Marked).create(name="hall")
    assert sorted(toy.rooms) == sorted(["r-9", made.id])


def test_what_is_listed_after_its_deletion_is_not_taken_over(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    ghost = {"id": "r-0", "name": "hall", "purpose": OURS}
    toy.faults = [("GET /rooms", lists(ghost))]
    made = Engine(Marked).create(name="hall")
    assert list(toy.rooms) == [made.id]


def test_what_this_run_deleted_is_not_mistaken_for_what_it_makes(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key is replaced, the answer is lost, and the list shows the old key and not yet the new one."""
    engine = Engine(Keyed)
    old = engine.create(name="hall")
    new_run(monkeypatch)
    ghost = dict(toy.rooms[old.id])
    engine.delete(old)
    toy.rooms["r-9"] = {"id": "r-9", "name": "lobby"}
    toy.faults = [
        ("POST /rooms", lost),
        *[("GET /rooms", lists(ghost))] * 2,
        ("GET /rooms", lambda done: lists(ghost, *json.loads(done().content)["data"])(done)),
    ]
    made = engine.create(name="hall", private=True)
    assert list(toy.rooms) == ["r-9", made.id]
    assert made.id != old.id
    assert made.outputs["key"] == f"key of {made.id}"


def test_a_404_about_what_was_just_made_is_not_believed(toy: Toy) -> None:
    toy.faults = [("PUT /rooms/r-1", says(404))] * 2
    made = Engine(Described).create(name="hall", purpose="to meet")
    assert toy.rooms[made.id]["purpose"] == f"to meet {OURS}"


def test_a_404_about_anything_else_is_believed_at_once(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Engine(Plain).create(name="hall")
    monkeypatch.setattr("providers.base.api.SETTLING_SECONDS", 0.0)
    toy.faults = [(f"PATCH /rooms/{made.id}", says(404))] * 2
    with pytest.raises(Exception, match="404 said 404"):
        Engine(Plain).update(made, name="hall", purpose="to meet")
    assert len(toy.sent("PATCH")) == 1


def test_in_a_place_that_was_just_made_nothing_is_waited_for(toy: Toy) -> None:
    """Whether an object is there that has no list is asked once: a look at a new database does not take half a minute."""
    calls = replace(Plain.kind.calls, listing=None, read=base.Call("GET", "/rooms/{name}"))
    kind = replace(Plain.kind, identity="{name}", calls=calls)
    kind.api.has_made("hall")
    birth = Birth(kind, kind.inputs.model_validate({"name": "hall"}), "sophia-ai/dev", Inventory())
    assert birth._existing() is None
    assert len(toy.sent("GET")) == 1


def test_bringing_back_what_is_back_already_is_no_failure(toy: Toy) -> None:
    """The answer to the first try was lost, and the second is refused: there is nothing in the archive any more."""

    def done_and_refused(answer: Callable[[], httpx.Response]) -> httpx.Response:
        answer()
        return says(422)(answer)

    toy.rooms["r-0"] = {"id": "r-0", "name": "hall", "purpose": OURS, "archived": True, "joined": True}
    toy.faults = [("POST /rooms/r-0/restore", done_and_refused)]
    kind = replace(Described.kind, calls=replace(Described.kind.calls, read=base.Call("GET", "/rooms/{id}")))
    inputs = kind.inputs.model_validate({"name": "hall"})
    Writing(kind, "sophia-ai/dev").claim("r-0", inputs, dict(toy.rooms["r-0"]))
    assert not toy.rooms["r-0"]["archived"]


def test_a_minted_secret_that_the_platform_repeats_is_not_told(toy: Toy) -> None:
    engine = Engine(Keyed)
    made = engine.create(name="hall")
    toy.faults = [(f"PATCH /rooms/{made.id}", says(400, message=f"cannot change {made.outputs['key']}"))]
    with pytest.raises(Exception, match="cannot change") as caught:
        engine.update(made, name="hall", doors=["front"])
    assert "key of" not in str(caught.value)

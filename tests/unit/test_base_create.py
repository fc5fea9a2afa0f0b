"""How objects come about and go: exactly one, never somebody else's, never lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import httpx
import pytest

from providers import base
from tests.unit.base_platform import (
    OURS,
    THEIRS,
    Described,
    Engine,
    Forgotten,
    Keyed,
    Marked,
    Plain,
    Silent,
    Toy,
    Unmarkable,
    lost,
    new_run,
    says,
    serve_toy,
)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Toy]:
    yield from serve_toy(monkeypatch)


def test_an_object_that_lists_show_late_is_not_made_twice(toy: Toy) -> None:
    toy.faults, toy.lists_late = [("POST /rooms", lost)], 3
    made = Engine(Plain).create(name="hall")
    assert list(toy.rooms) == [made.id]
    assert len(toy.sent("POST")) == 1


def test_a_conflict_with_our_own_lost_create_is_no_conflict(toy: Toy) -> None:
    """Nothing on the object says that it is ours: that it was not there before the first try must do."""
    toy.unique, toy.faults, toy.lists_late = True, [("POST /rooms", lost)], 5
    made = Engine(Plain).create(name="hall")
    assert list(toy.rooms) == [made.id]


def test_a_conflict_with_something_that_is_not_seen_is_told(toy: Toy) -> None:
    toy.faults = [("POST /rooms", says(409))]
    assert "409 said 409" in str(Engine(Plain).failing_create(name="hall"))
    assert len(toy.sent("POST")) == 1


@pytest.mark.parametrize("answer", [b"", b"{}", b"[]", b'{"id": "r'], ids=["empty", "no id", "a list", "half"])
@pytest.mark.parametrize("resource", [Plain, Keyed], ids=["room", "show-once key"])
def test_a_yes_without_an_id_is_looked_up(toy: Toy, answer: bytes, resource: type[base.Resource]) -> None:
    def yes(done: Callable[[], httpx.Response]) -> httpx.Response:
        done()
        return httpx.Response(201, content=answer)

    toy.faults = [("POST /rooms", yes)]
    made = Engine(resource).create(name="hall")
    assert list(toy.rooms) == [made.id]
    if resource is Keyed:
        assert made.outputs["key"] == f"key of {made.id}"
        assert made.secrets == {"key"}


def test_a_platform_that_fails_for_good_gets_no_endless_creates(toy: Toy) -> None:
    toy.faults = [("POST /rooms", says(500))] * 20
    assert "500 said 500" in str(Engine(Plain).failing_create(name="hall"))
    assert 1 < len(toy.sent("POST")) <= 5
    assert toy.rooms == {}


def test_what_cannot_be_looked_for_is_sent_once(toy: Toy) -> None:
    toy.faults = [("POST /rooms", says(500))]
    told = str(Engine(Silent).failing_create(name="hall"))
    assert "look for it on the platform" in told
    assert len(toy.sent("POST")) == 1
    toy.faults = [("POST /rooms", says(429))]
    Engine(Silent).create(name="hall")
    assert len(toy.sent("POST")) == 3, "a refusal is no doubt: nothing was made"


def test_a_lost_create_does_not_touch_what_another_stack_made_meanwhile(toy: Toy) -> None:
    def quicker(_done: Callable[[], httpx.Response]) -> httpx.Response:
        toy.rooms["r-9"] = {"id": "r-9", "name": "hall", "purpose": THEIRS}
        raise httpx.ReadTimeout("silence")

    toy.faults = [("POST /rooms", quicker)]
    assert "managed by sophia-ai/prod" in str(Engine(Keyed).failing_create(name="hall"))
    assert list(toy.rooms) == ["r-9"]


def test_a_key_that_a_killed_run_left_is_made_anew(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    toy.rooms["r-0"] = {"id": "r-0", "name": "hall"}
    engine = Engine(Unmarkable)
    assert "cannot be adopted" in str(engine.failing_create(name="hall", adopt=True))
    monkeypatch.setenv("SOPHIA_INTERRUPTED_CREATES", json.dumps([engine.urn]))
    made = engine.create(name="hall")
    assert list(toy.rooms) == [made.id]
    assert made.outputs["key"] == f"key of {made.id}"


def test_a_key_that_nobody_can_tell_from_a_foreign_one_survives_a_killed_run(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where ours carry a mark, one without it is not ours, whatever was interrupted."""
    toy.rooms["r-0"] = {"id": "r-0", "name": "hall"}
    engine = Engine(Keyed)
    monkeypatch.setenv("SOPHIA_INTERRUPTED_CREATES", json.dumps([engine.urn]))
    engine.failing_create(name="hall")
    assert list(toy.rooms) == ["r-0"]


@pytest.mark.parametrize("resource", [Marked, Plain], ids=["marked", "adopted"])
def test_a_resource_with_a_new_name_in_the_program_keeps_its_object(
    toy: Toy, monkeypatch: pytest.MonkeyPatch, resource: type[base.Resource]
) -> None:
    """The engine creates under the new name first, and then deletes under the old one."""
    before, after = Engine(resource, "hall"), Engine(resource, "great-hall")
    old = before.create(name="hall")
    new_run(monkeypatch)
    new = after.create(name="hall", **({"adopt": True} if resource is Plain else {}))
    before.delete(old)
    assert new.id == old.id
    assert list(toy.rooms) == [old.id]
    new_run(monkeypatch)
    after.delete(new)
    assert toy.rooms == {}, "in a later run, it is deleted like any other"


def test_a_replacement_that_a_person_asks_for_does_not_delete_its_own_object(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(Marked)
    old = engine.create(name="hall")
    new_run(monkeypatch)
    assert engine.create(name="hall").id == old.id
    engine.delete(old)
    assert list(toy.rooms) == [old.id]


def test_two_resources_of_one_run_cannot_be_the_same_object(toy: Toy) -> None:
    first = Engine(Marked, "hall").create(name="hall")
    told = str(Engine(Marked, "lobby").failing_create(name="hall"))
    assert first.id in told
    assert "another resource of this stack" in told


def test_an_archived_object_comes_back_by_a_persons_credential_and_is_joined(toy: Toy) -> None:
    toy.rooms["r-0"] = {"id": "r-0", "name": "hall", "purpose": OURS, "archived": True}
    assert Engine(Described).create(name="hall").id == "r-0"
    assert [path for path, _ in toy.sent("POST")] == ["/rooms/r-0/restore", "/rooms/r-0/join"]


def test_an_object_is_joined_before_it_is_changed(toy: Toy) -> None:
    toy.rooms["r-0"] = {"id": "r-0", "name": "hall", "purpose": "", "private": False}
    Engine(Described).create(name="hall", purpose="to meet", adopt=True)
    assert [path for path, _ in toy.sent("POST")] == ["/rooms/r-0/join"]
    assert toy.rooms["r-0"]["purpose"] == f"to meet {OURS}"
    assert [path for path, _ in toy.sent("PUT")] == ["/rooms/r-0"], "and what was right is not sent again"


def test_the_credential_that_is_missing_is_the_one_that_is_named(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOY_PERSON")
    toy.rooms["r-0"] = {"id": "r-0", "name": "hall", "purpose": OURS, "archived": True}
    told = str(Engine(Described).failing_create(name="hall"))
    assert told.startswith("error[credentials]")
    assert "setting  TOY_PERSON in" in told
    assert "TOY_KEY" not in told


def test_an_archive_that_frees_names_is_no_object(toy: Toy) -> None:
    toy.rooms["r-0"] = {"id": "r-0", "name": "hall", "archived": True}
    made = Engine(Forgotten).create(name="hall")
    assert made.id != "r-0"


def test_secrets_that_the_platform_repeats_are_not_told(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    pem = "-----BEGIN PRIVATE KEY-----\nMIIEvQ'\"x\n-----END PRIVATE KEY-----\n"
    monkeypatch.setenv("TOY_PERSON", "xoxp-person")
    echo = {"as text": pem, "as data": {"code": {"pem": pem}}}
    for form in (pem, str(echo), json.dumps(echo), str(httpx.QueryParams({"code": pem}))):
        toy.faults = [("POST /rooms", says(422, message=f"cannot take {form} of xoxp-person by toy-credential"))]
        told = str(Engine(Described).failing_create(name="hall", code={"pem": pem}))
        assert "cannot take" in told
        for part in ("MIIEvQ", "xoxp-person", "toy-credential"):
            assert part not in told

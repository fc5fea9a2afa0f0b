"""The life of a dynamic resource, on a platform in memory that can be made to fail at any request."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pulumi
import pytest
from pulumi.output import UNKNOWN

import providers.base.provider
from providers import base
from providers.base import Call, Kind, rest
from providers.base.inventory import Inventory
from providers.base.provider import Provider
from tests.unit.thing_platform import (
    KEY,
    LISTING,
    OURS,
    THING,
    URN,
    AbortedError,
    Engine,
    Fault,
    KeyInputs,
    ThingInputs,
    Toy,
    api,
    boom,
    done_and_lost,
    half,
    status,
    thing,
)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Toy]:
    """The platform, and no waiting: pauses are counted, not slept."""
    platform = Toy()
    monkeypatch.setenv("TOY_URL", "http://toy.test")
    monkeypatch.setenv("TOY_KEY", "toy-credential")
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _seconds: None)
    monkeypatch.setattr("providers.base.birth.time.sleep", lambda _seconds: None)
    monkeypatch.setattr("providers.base.api.SETTLING_SECONDS", 0.0)
    monkeypatch.setattr(providers.base.provider, "_inventory", Inventory())
    with httpx.Client(transport=httpx.MockTransport(platform)) as client:
        api.__dict__["client"] = client
        yield platform
    del api.__dict__["client"]


def test_check_tells_every_mistake_at_once_and_lets_unknowns_pass() -> None:
    found = Engine(THING).provider.check({}, {"name": "x", "port": "many", "labels": {"a": UNKNOWN}, "colour": "red"})
    assert {failure.property for failure in found.failures} == {"box", "name", "port", "colour"}
    good = Engine(THING).provider.check(
        {}, thing(name=UNKNOWN, port=5432.0, labels={"a": UNKNOWN, "b": 2.0}, adopt=True)
    )
    assert not good.failures
    assert good.inputs["port"] == 5432, "the protocol's floats are not what the setting says"
    assert good.inputs["name"] is UNKNOWN
    assert good.inputs["adopt"] is True


def test_diff_sees_what_we_manage_and_nothing_else(toy: Toy) -> None:
    engine = Engine(THING)
    made = engine.Create(**thing(token="s3cret-token", labels={"b": 1, "a": 2})).outs
    assert engine.provider.diff("t", made, thing(token="s3cret-token", labels={"a": 2.0, "b": 1.0})).changes is False
    sent = len(toy.requests)
    assert engine.provider.diff("t", made, thing(token="another", labels={"a": 2, "b": 1})).changes is None
    assert engine.provider.diff("t", made, thing(token="s3cret-token")).changes is None, "a removed setting is a change"
    moved = engine.provider.diff("t", made, {**thing(token="s3cret-token", labels={"a": 2, "b": 1}), "box": "b2"})
    assert moved.replaces == ["box"]
    assert len(toy.requests) == sent, "a diff must not need the platform"


def test_a_secret_is_kept_as_a_hash_and_never_read_back(toy: Toy) -> None:
    engine = Engine(THING)
    created = engine.Create(**thing(token="s3cret-token"))
    assert "s3cret-token" not in json.dumps(created.outs)
    read = engine.Read(created.id, thing(token="s3cret-token"), **created.outs)
    assert read.outs["token"] == created.outs["token"]
    assert read.inputs["token"]["value"] == "s3cret-token", "else the next diff would see a change"
    assert engine.provider.diff(created.id, read.outs, thing(token="s3cret-token")).changes is False


def test_twenty_objects_cost_one_listing(toy: Toy) -> None:
    for number in range(20):
        Engine(THING).Create(**thing(name=f"thing-{number}"))
    assert len(toy.requests) == 21
    for id_, document in list(toy.things.items()):
        Engine(THING).Read(id_, thing(name=document["name"]))
    assert len(toy.requests) == 21, "what was listed and written in this run need not be read again"


def test_threads_share_one_listing_and_make_no_object_twice(toy: Toy) -> None:
    threads = [threading.Thread(target=lambda n=n: Engine(THING).Create(**thing(name=f"n-{n}"))) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(d["name"] for d in toy.things.values()) == sorted(f"n-{n}" for n in range(16))
    assert [request for request in toy.requests if request[0] == "GET"] == [("GET", "/things")]


def test_a_foreign_object_is_named_and_left_alone(toy: Toy) -> None:
    toy.things["t-0"] = {"id": "t-0", **thing(), "note": "made by hand"}
    engine = Engine(THING)
    with pytest.raises(AbortedError):
        engine.Create(**thing())
    assert "t-0" in engine.context.details
    assert "adopt: true" in engine.context.details
    assert "Pulumi.dev.yaml: sophia-ai:toy.things.thing-1" in engine.context.details
    assert toy.writes() == []


def test_adoption_changes_nothing_that_is_as_it_is_wanted(toy: Toy) -> None:
    by_hand = {"id": "t-0", **thing(token="works"), "note": "made by hand", "port": 80, "size": 9}
    toy.things["t-0"] = dict(by_hand)
    created = Engine(THING).Create(**thing(token="unseen", note="made by hand", port=80, adopt=True))
    assert created.id == "t-0"
    assert toy.writes() == [], "neither the mark of its new owner, nor a secret that nobody can compare"
    assert toy.things["t-0"] == by_hand


def test_adoption_sends_only_what_is_seen_to_differ(toy: Toy) -> None:
    toy.things["t-0"] = {"id": "t-0", **thing(token="works"), "note": "made by hand", "port": 80}
    Engine(THING).Create(**thing(token="unseen", note="made by hand", port=81, adopt=True))
    assert toy.things["t-0"] == {"id": "t-0", **thing(token="works"), "note": "made by hand", "port": 81}


def test_an_object_of_another_stack_is_refused_even_with_adopt(toy: Toy) -> None:
    toy.things["t-0"] = {"id": "t-0", **thing(), "note": "(managed by sophia-ai/prod)"}
    engine = Engine(THING)
    with pytest.raises(AbortedError, match="managed by sophia-ai/prod"):
        engine.Create(**thing(adopt=True))
    assert toy.writes() == []


def test_what_a_killed_run_made_is_taken_over(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    toy.things["t-0"] = {"id": "t-0", **thing()}
    monkeypatch.setenv("SOPHIA_INTERRUPTED_CREATES", json.dumps([URN]))
    assert Engine(THING).Create(**thing()).id == "t-0"
    assert [method for method, _ in toy.writes()] == ["PATCH"]


def test_two_that_match_are_refused(toy: Toy) -> None:
    for id_ in ("t-0", "t-9"):
        toy.things[id_] = {"id": id_, **thing(), "note": ""}
    with pytest.raises(AbortedError, match=r"2 objects .* t-0, t-9"):
        Engine(THING).Create(**thing(adopt=True))


@pytest.mark.parametrize(
    "fault",
    [boom, done_and_lost, half, status(500), status(500, after=True), status(502, after=True)],
    ids=["lost before", "lost after", "half an answer", "500 before", "500 after", "502 after"],
)
@pytest.mark.parametrize("kind", [THING, KEY], ids=["thing", "show-once key"])
def test_a_create_without_an_answer_leaves_exactly_one_object(toy: Toy, fault: Fault, kind: Kind) -> None:
    toy.faults.append(("POST", fault))
    created = Engine(kind).Create(**thing() if kind is THING else {"name": "one"})
    assert list(toy.things) == [created.id]
    if kind is KEY:
        assert created.outs["key"]["value"] == f"key-of-{created.id}", "a key whose value was lost is worth nothing"


def test_a_show_once_key_of_ours_is_made_anew_and_a_foreign_one_is_not_touched(toy: Toy) -> None:
    toy.things["t-0"] = {"id": "t-0", "name": f"one {OURS}"}
    toy.things["t-x"] = {"id": "t-x", "name": "two"}
    created = Engine(KEY).Create(name="one")
    assert list(toy.things) == ["t-x", created.id]
    assert created.id != "t-0"
    with pytest.raises(AbortedError, match="cannot be adopted"):
        Engine(KEY).Create(name="two", adopt=True)
    assert "t-x" in toy.things


def test_where_nobody_can_look_a_create_is_not_sent_twice(toy: Toy) -> None:
    blind = Kind(api=api, title="app", setting="apps", inputs=KeyInputs, calls=rest("/things"), identity="id")
    toy.faults.append(("POST", done_and_lost))
    engine = Engine(blind)
    with pytest.raises(AbortedError, match="look for it on the platform"):
        engine.Create(name="one")
    assert len(toy.things) == 1


@pytest.mark.parametrize("code", [429, 503])
def test_a_platform_that_recovers_is_waited_for(toy: Toy, code: int) -> None:
    headers = {"retry-after": "2"} if code == 429 else {}
    toy.faults += [("GET", status(code, headers)), ("POST", status(429, headers)), ("POST", status(429))]
    assert Engine(THING).Create(**thing()).id in toy.things
    assert len(toy.things) == 1


def test_a_conflict_with_somebody_quicker_is_told(toy: Toy) -> None:
    def taken(_request: httpx.Request, _answer: Callable[[], httpx.Response]) -> httpx.Response:
        toy.things["t-q"] = {"id": "t-q", **thing(), "note": ""}
        return httpx.Response(409, json={"message": "name taken"})

    toy.faults.append(("POST", taken))
    with pytest.raises(AbortedError, match="t-q"):
        Engine(THING).Create(**thing())
    assert list(toy.things) == ["t-q"]


def test_an_object_that_is_made_and_not_finished_stays_known(toy: Toy) -> None:
    calls = base.Calls(
        create=Call("POST", "/things"),
        create_takes=frozenset({"box", "name"}),
        read=Call("GET", "/things/{id}"),
        update=Call("PATCH", "/things/{id}"),
        listing=LISTING,
    )
    kind = Kind(
        api=api, title="thing", setting="things", inputs=ThingInputs, calls=calls, identity="id", natural_key=("name",)
    )
    toy.faults.append(("PATCH", status(422)))
    engine = Engine(kind)
    with pytest.raises(AbortedError):
        engine.Create(**thing(port=80))
    partial = engine.context.partial()
    assert partial.id in toy.things
    assert "said 422" in partial.reasons[0]
    olds = dict(partial.properties)
    assert engine.provider.diff(partial.id, olds, thing(port=80)).changes is None
    engine.Update(partial.id, olds, **thing(port=80))
    assert toy.things[partial.id]["port"] == 80
    assert [method for method, _ in toy.writes()] == ["POST", "PATCH", "PATCH"]


def test_a_slow_object_that_fails_stays_known_and_is_told_again(toy: Toy) -> None:
    slow = base.Slow(state=lambda document: "it burnt down" if document.get("burnt") else "port" in document)
    kind = Kind(
        api=api,
        title="thing",
        setting="things",
        inputs=ThingInputs,
        calls=rest("/things"),
        identity="id",
        slow=slow,
    )

    def burn(_request: httpx.Request, answer: Callable[[], httpx.Response]) -> httpx.Response:
        next(iter(toy.things.values()))["burnt"] = True
        return answer()

    toy.faults.append(("GET", burn))
    engine = Engine(kind)
    with pytest.raises(AbortedError, match="it burnt down"):
        engine.Create(**thing())
    (id_,) = toy.things
    assert engine.context.partial().id == id_
    with pytest.raises(AbortedError, match="it burnt down"):
        engine.Read(id_, thing(), **thing())


def test_read_tells_drift_in_the_shape_that_check_emits(toy: Toy) -> None:
    engine = Engine(THING)
    inputs = engine.provider.check({}, thing(port=80.0, labels={"a": 1})).inputs
    created = engine.Create(**inputs)
    toy.things[created.id]["labels"]["set by the platform"] = True
    assert engine.Read(created.id, inputs, **created.outs).inputs == inputs, "server defaults are not drift"
    toy.things[created.id] |= {"port": 81, "note": f"changed {OURS}"}
    providers.base.provider._inventory.forget(THING, THING.inputs.model_validate(inputs), created.id)
    assert engine.Read(created.id, inputs, **created.outs).inputs == {**inputs, "port": 81, "note": "changed"}


def test_only_a_proven_absence_is_gone(toy: Toy) -> None:
    assert Engine(THING).Read("t-none", thing(), **thing()).id is None
    toy.faults.append(("GET", status(403)))
    providers.base.provider._inventory = Inventory()
    with pytest.raises(AbortedError, match="said 403"):
        Engine(THING).Read("t-none", thing(), **thing())


def test_update_sends_what_changed_and_delete_does_not_mind_absence(toy: Toy) -> None:
    engine = Engine(THING)
    created = engine.Create(**thing(port=80))
    sent: list[dict[str, Any]] = []

    def spy(request: httpx.Request, answer: Callable[[], httpx.Response]) -> httpx.Response:
        sent.append(json.loads(request.content))
        return answer()

    toy.faults.append(("PATCH", spy))
    engine.Update(created.id, created.outs, **thing(port=81))
    assert sent == [{"port": 81}]
    engine.Delete(created.id, **created.outs)
    engine.Delete(created.id, **created.outs)
    assert toy.things == {}


def test_an_error_has_four_parts_and_no_secret(toy: Toy) -> None:
    def echo(request: httpx.Request, _answer: Callable[[], httpx.Response]) -> httpx.Response:
        text = f"cannot take {request.content.decode()} from {request.headers['Authorization']}"
        return httpx.Response(422, json={"message": text}, headers={"x-request-id": "r-1"})

    toy.faults.append(("POST", echo))
    engine = Engine(THING)
    with pytest.raises(AbortedError):
        engine.Create(**thing(token="s3cret-token"))
    told = engine.context.details
    assert "s3cret-token" not in told
    assert "toy-credential" not in told
    assert "422 cannot take" in told
    assert "(request r-1)" in told
    assert [line.split()[0] for line in told.splitlines()[1:]] == ["said", "setting", "do"]


def test_a_missing_credential_names_its_variable(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOY_KEY")
    engine = Engine(THING)
    with pytest.raises(AbortedError, match=r"error\[credentials\]") as caught:
        engine.Create(**thing())
    assert "TOY_KEY" in str(caught.value)
    assert "credentials-dev" in str(caught.value)


def test_an_unreachable_platform_is_one_message(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(request: httpx.Request, _answer: Callable[[], httpx.Response]) -> httpx.Response:
        raise httpx.ConnectError("Connection refused", request=request)

    monkeypatch.setenv("SOPHIA_PATIENCE_SECONDS", "0")
    toy.faults += [("GET", refuse)] * 2
    told = []
    for urn in (URN, URN.replace("thing-1", "thing-2")):
        engine = Engine(THING, urn)
        with pytest.raises(AbortedError):
            engine.Create(**thing())
        told.append(engine.context.details)
    assert told[0] == told[1], "what is the same for all is told once"
    assert "TOY_URL" in told[0]


def test_the_state_holds_a_reference_and_no_code() -> None:
    pickled = pulumi.dynamic.dynamic.serialize_provider(Provider("providers.airbyte:Tag"))
    assert len(pickled) < 200
    used = Provider("providers.airbyte:Tag")
    assert used.kind.title == "tag"
    assert pulumi.dynamic.dynamic.serialize_provider(used) == pickled, "what was used must not be another provider"


def test_two_keys_of_one_name_do_not_throw_each_others_value_away(toy: Toy) -> None:
    first = Engine(KEY).Create(name="one")
    with pytest.raises(AbortedError, match="another resource of this stack has it"):
        Engine(KEY, URN.replace("thing-1", "thing-2")).Create(name="one")
    assert list(toy.things) == [first.id]

"""Marshalling, sealing and comparing of property values in the stand-in for the official packages."""

from __future__ import annotations

from sandbox.official.values import (
    SIGNATURE,
    UNKNOWN,
    differences,
    from_struct,
    sealed,
    seen_through,
    to_struct,
    under,
    unsealed,
    without,
    written,
)


def test_structs_lose_and_regain_their_secrets() -> None:
    properties = {"plain": 1, "list": [{"value": "s", "key": "k"}], "unknown": UNKNOWN}
    secret = {("list", 0, "value"), ("unknown",)}
    struct = to_struct(properties, secret)
    assert SIGNATURE in str(struct["unknown"])
    assert from_struct(struct) == (properties, secret)


def test_nulls_are_left_out_and_whole_numbers_are_ints() -> None:
    plain, _ = from_struct(to_struct({"none": None, "two": 2.0, "half": 0.5}))
    assert plain == {"two": 2, "half": 0.5}
    assert isinstance(plain["two"], int)


def test_what_is_sealed_can_be_recognised_but_not_read() -> None:
    kept = sealed({"data": {"a": "one", "b": "two"}, "name": "n"}, [("data",)])
    assert kept["name"] == "n"
    assert "one" not in str(kept)
    assert unsealed(kept, {"data": {"a": "one", "b": "two"}}) == {"data": {"a": "one", "b": "two"}, "name": "n"}
    assert unsealed(kept, {"data": {"a": "one", "b": "else"}}) == {"data": {"a": "one"}, "name": "n"}


def test_the_same_secret_is_sealed_differently_every_time() -> None:
    assert sealed("s", [()]) != sealed("s", [()])


def test_a_star_stands_for_any_step() -> None:
    assert under(("variables", 3, "value"), [("variables", "*", "value")])
    assert not under(("variables", 3, "key"), [("variables", "*", "value")])


def test_differences_are_named_by_path() -> None:
    old = {"same": 1, "gone": 1, "list": [1, 2], "spec": {"hard": {"requests.cpu": "1"}}}
    new = {"same": 1, "come": 1, "list": [1, 3, 4], "spec": {"hard": {"requests.cpu": "2"}}}
    found = {written(path): how for path, how in differences(old, new)}
    assert found == {
        "come": "add",
        "gone": "delete",
        "list[1]": "update",
        "list[2]": "add",
        'spec.hard["requests.cpu"]': "update",
    }


def test_an_unknown_is_always_a_change() -> None:
    assert list(differences({"a": UNKNOWN}, {"a": UNKNOWN})) == [(("a",), "update")]


def test_what_a_platform_adds_is_not_seen() -> None:
    asked = {"metadata": {"name": "a"}, "rules": [{"verbs": ["get"]}]}
    live = {"metadata": {"name": "b", "uid": "1"}, "rules": [{"verbs": ["get"], "extra": 1}], "status": {}}
    assert seen_through(asked, live) == {"metadata": {"name": "b"}, "rules": [{"verbs": ["get"]}]}
    assert without(live, {"metadata": {"uid": "1"}, "status": {}, "rules": live["rules"]}) == {
        "metadata": {"name": "b"}
    }

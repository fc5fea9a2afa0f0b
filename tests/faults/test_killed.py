"""A run that is killed, anywhere in a create: the next one finds what was made, and nothing exists twice."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

Halt = Callable[..., Any]
Status = Callable[..., int]


@dataclass(frozen=True)
class Point:
    """Where in a create: the request that the run waits for, and which one was served before without an answer."""

    platform: str
    kind: str
    method: str
    path: str
    skip: int = 0
    unanswered: str = ""
    made: bool = True
    """Whether the object exists by then."""


POINTS = {
    "a key is asked for": Point("openrouter", "key", "POST", "/api/v1/keys", made=False),
    "a key is made and its answer lost": Point("openrouter", "key", "GET", "/api/v1/keys", unanswered="/api/v1/keys"),
    "a channel is made and not yet marked as ours": Point("slack", "channel", "POST", "/api/conversations.setPurpose"),
    "a source is asked for": Point("airbyte", "source", "POST", "/v1/sources", made=False),
    "a source is made and its answer lost": Point("airbyte", "source", "GET", "/v1/sources", unanswered="/v1/sources"),
}


def objects(checkout: Checkout, point: Point) -> Mapping[str, Any]:
    """The objects of the kind, but for the default ones of the platform."""
    found = checkout.objects(point.platform, point.kind)
    return {id_: o for id_, o in found.items() if o.get("slug") != "default" and not o.get("deleted")}


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
def test_a_killed_engine(
    checkout: Checkout, settings: dict[str, Any], halt: Halt, minted_key_status: Status, point: Point
) -> None:
    checkout.configure(**{point.platform: settings[point.platform]})
    if point.unanswered:
        checkout.running.add_fault(point.platform, method="POST", path=point.unanswered, action="drop-after", times=1)
    killed = halt(checkout, point.platform, point.method, point.path, point.skip).kill_engine()
    assert killed.returncode == 1
    assert "the engine was killed" in killed.stderr
    assert "sophia cancel dev" in killed.stderr
    assert "Traceback" not in killed.stderr
    before = objects(checkout, point)
    assert len(before) == int(point.made)

    checkout.run("cancel", "dev")
    checkout.run("up", "dev", "--skip-preview")
    after = objects(checkout, point)
    assert len(after) == 1
    if point.kind == "key":
        assert minted_key_status(checkout) == 200, "what is shown once was not lost"
    else:
        assert before.keys() <= after.keys(), "what was made before is what is used now"
    checkout.run("refresh", "dev", "--expect-no-changes")


@pytest.mark.parametrize("name", ["a key is made and its answer lost", "a source is asked for"])
def test_a_killed_provider(
    checkout: Checkout, settings: dict[str, Any], halt: Halt, minted_key_status: Status, name: str
) -> None:
    point = POINTS[name]
    checkout.configure(**{point.platform: settings[point.platform]})
    if point.unanswered:
        checkout.running.add_fault(point.platform, method="POST", path=point.unanswered, action="drop-after", times=1)
    killed = halt(checkout, point.platform, point.method, point.path, point.skip).kill_providers()
    assert killed.returncode == 1
    assert "Traceback" not in killed.stderr
    checkout.run("up", "dev", "--skip-preview")
    assert len(objects(checkout, point)) == 1
    assert point.kind != "key" or minted_key_status(checkout) == 200
    checkout.run("refresh", "dev", "--expect-no-changes")


@pytest.mark.parametrize(
    ("name", "collection"),
    [
        ("a channel is made and not yet marked as ours", "channels"),
        ("a source is made and its answer lost", "sources"),
    ],
)
def test_a_killed_provider_leaves_an_object_that_nobody_marked_to_be_adopted(
    checkout: Checkout, settings: dict[str, Any], halt: Halt, name: str, collection: str
) -> None:
    """The engine lives on and forgets that it began to create: whose the object is, only a person can tell."""
    point = POINTS[name]
    ours = copy.deepcopy(settings[point.platform])
    checkout.configure(**{point.platform: ours})
    if point.unanswered:
        checkout.running.add_fault(point.platform, method="POST", path=point.unanswered, action="drop-after", times=1)
    halt(checkout, point.platform, point.method, point.path, point.skip).kill_providers()
    (made,) = objects(checkout, point)
    refused = checkout.run("up", "dev", "--skip-preview", code=1)
    assert made in refused.stderr
    assert "adopt: true" in refused.stderr

    for entry in ours[collection].values():
        entry["adopt"] = True
    checkout.configure(**{point.platform: ours})
    checkout.run("up", "dev", "--skip-preview")
    assert list(objects(checkout, point)) == [made]

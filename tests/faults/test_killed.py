"""A run that is killed, anywhere in a create: the next one finds what was made, and nothing exists twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from sophia.backend import surroundings

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

Halt = Callable[..., Any]


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
    "a workspace is made and its answer lost": Point(
        "openrouter", "workspace", "GET", "/api/v1/workspaces", skip=1, unanswered="/api/v1/workspaces"
    ),
    "a channel is made and not yet marked as ours": Point("slack", "channel", "POST", "/api/conversations.setPurpose"),
    "a source is asked for": Point("airbyte", "source", "POST", "/v1/sources", made=False),
    "a source is made and its answer lost": Point("airbyte", "source", "GET", "/v1/sources", unanswered="/v1/sources"),
}


def objects(checkout: Checkout, point: Point) -> Mapping[str, Any]:
    """The objects of the kind, but for the default ones of the platform."""
    found = checkout.objects(point.platform, point.kind)
    return {id_: o for id_, o in found.items() if o.get("slug") != "default" and not o.get("deleted")}


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
def test_a_killed_engine(checkout: Checkout, settings: dict[str, Any], halt: Halt, point: Point) -> None:
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

    locked = checkout.run("up", "dev", code=5)
    assert "sophia cancel dev" in locked.stderr
    checkout.run("cancel", "dev")
    checkout.run("up", "dev")
    after = objects(checkout, point)
    assert len(after) == 1
    if point.kind == "key":
        assert_usable_keys(checkout)
    else:
        assert before.keys() <= after.keys(), "what was made before is what is used now"
    checkout.run("preview", "dev", "--expect-no-changes")
    checkout.run("refresh", "dev", "--expect-no-changes")


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
def test_a_killed_provider(checkout: Checkout, settings: dict[str, Any], halt: Halt, point: Point) -> None:
    checkout.configure(**{point.platform: settings[point.platform]})
    if point.unanswered:
        checkout.running.add_fault(point.platform, method="POST", path=point.unanswered, action="drop-after", times=1)
    killed = halt(checkout, point.platform, point.method, point.path, point.skip).kill_providers()
    assert killed.returncode == 1
    assert "Traceback" not in killed.stderr
    before = objects(checkout, point)
    checkout.run("up", "dev")
    after = objects(checkout, point)
    assert len(after) == 1
    if point.kind == "key":
        assert_usable_keys(checkout)
    else:
        assert before.keys() <= after.keys()
    checkout.run("preview", "dev", "--expect-no-changes")


def assert_usable_keys(checkout: Checkout) -> None:
    """Every key in the state opens the platform: what is shown once was not lost."""
    stack = checkout.stack()
    exported = checkout.command.execute(
        ["stack", "export", "--show-secrets", "--stack", stack.full_name],
        checkout.directory,
        surroundings(stack.target),
    )
    resources = json.loads(exported.stdout)["deployment"]["resources"]
    keys = [json.loads(r["outputs"]["key"]["plaintext"]) for r in resources if r["type"].endswith(":ApiKey")]
    assert keys
    for key in keys:
        address = f"{checkout.running.url}/openrouter/api/v1/key"
        answer = httpx.get(address, headers={"Authorization": f"Bearer {key}"}, trust_env=False)
        assert answer.status_code == 200

"""A run that is killed, anywhere in a create: the next one finds what was made, and nothing exists twice."""

from __future__ import annotations

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


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
def test_a_killed_provider(
    checkout: Checkout, settings: dict[str, Any], halt: Halt, minted_key_status: Status, point: Point
) -> None:
    """The engine lives on, and forgets what it had begun to create; `sophia` notes it in the state."""
    checkout.configure(**{point.platform: settings[point.platform]})
    if point.unanswered:
        checkout.running.add_fault(point.platform, method="POST", path=point.unanswered, action="drop-after", times=1)
    killed = halt(checkout, point.platform, point.method, point.path, point.skip).kill_providers()
    assert killed.returncode == 1
    assert "its provider ended in the middle of it" in killed.stderr
    assert "may exist 1" in killed.stderr
    assert "Traceback" not in killed.stderr
    before = objects(checkout, point)
    assert len(before) == int(point.made)

    checkout.run("up", "dev", "--skip-preview")
    after = objects(checkout, point)
    assert len(after) == 1
    if point.kind == "key":
        assert minted_key_status(checkout) == 200
    else:
        assert before.keys() <= after.keys(), "what was made before is what is used now"
    state = checkout.stack().state()
    assert state is not None
    assert not state.interrupted_creates, "what was taken over is noted no more"
    checkout.run("refresh", "dev", "--expect-no-changes")


def test_a_platform_that_falls_silent_in_a_create(checkout: Checkout, settings: dict[str, Any]) -> None:
    """The source is made, and nobody can ask whether it was, for as long as the run is patient."""
    point = POINTS["a source is made and its answer lost"]
    checkout.configure(airbyte=settings["airbyte"])
    sandbox = checkout.running
    sandbox.add_fault("airbyte", method="POST", path="/v1/sources", action="drop-after", times=1)
    sandbox.add_fault("airbyte", method="GET", path="/v1/sources", action="drop")
    failed = checkout.run("up", "dev", "--skip-preview", code=6, SOPHIA_PATIENCE_SECONDS="1")
    assert "it may have been made all the same" in failed.stderr
    assert "`sophia up dev` takes over what was made" in failed.stderr
    (made,) = objects(checkout, point)

    sandbox.remove_faults()
    checkout.run("up", "dev", "--skip-preview")
    assert list(objects(checkout, point)) == [made]
    checkout.run("refresh", "dev", "--expect-no-changes")


def test_a_platform_that_was_silent_before_the_create_lends_nobody_a_strangers_object(
    checkout: Checkout, settings: dict[str, Any]
) -> None:
    """Nothing was sent, so that nothing of ours can be there: an object with the same name is somebody else's."""
    checkout.configure(airbyte={**settings["airbyte"], "sources": {}})
    checkout.run("up", "dev", "--skip-preview")
    checkout.configure(airbyte=settings["airbyte"])
    checkout.running.add_fault("airbyte", method="GET", path="/v1/sources", action="drop")
    failed = checkout.run("up", "dev", "--skip-preview", code=6, SOPHIA_PATIENCE_SECONDS="1")
    assert "may exist" not in failed.stderr
    assert "may have been made" not in failed.stderr
    state = checkout.stack().state()
    assert state is not None
    assert not state.interrupted_creates


def test_an_app_that_an_interrupted_run_may_have_made_is_not_made_again(checkout: Checkout, halt: Halt) -> None:
    """Slack lists no apps: a person must look, and say so."""
    checkout.configure(slack={"apps": {"sophia": {"manifest": {"display_information": {"name": "Sophia dev"}}}}})
    halt(checkout, "slack", "POST", "/api/apps.manifest.create", 0).kill_engine()
    checkout.run("cancel", "dev")
    refused = checkout.run("up", "dev", "--skip-preview", code=1)
    assert "look for it on the platform" in refused.stderr
    assert not checkout.objects("slack", "app")
    checkout.run("refresh", "dev", "--forget-interrupted")
    checkout.run("up", "dev", "--skip-preview")
    assert len(checkout.objects("slack", "app")) == 1

"""Our Slack resources on an emulator of Slack that others made (the npm package ``emulate``), scopes enforced.

It has channels and messages. It has no user groups and no app manifests: the last test says so, and fails when that changes.
A bot stays a member of what it archives there, so that a revival needs no join.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from health import slack as slack_health
from health.asking import Client
from health.base import Subject
from providers import slack
from providers.slack_post import said
from tests.contract import emulators
from tests.contract.driven import new_run
from tests.unit.base_platform import Engine

BOT, PERSON, NARROW = "xoxb-test-bot", "xoxp-test-person", "xoxb-test-narrow"
SCOPES = ["channels:join", "channels:manage", "channels:read", "chat:write", "groups:read", "groups:write"]
SEED: dict[str, Any] = {
    "slack": {
        "team": {"name": "Pay Ready", "domain": "payready"},
        "users": [{"name": name, "email": f"{name}@example.com"} for name in ("sophia", "ada")],
        "tokens": [
            {"token": BOT, "type": "bot", "user": "sophia", "scopes": SCOPES},
            {"token": PERSON, "type": "user", "user": "ada", "scopes": [*SCOPES, "channels:write"]},
            {"token": NARROW, "type": "bot", "user": "sophia", "scopes": ["channels:read", "groups:read"]},
        ],
        "strict_scopes": True,
    }
}

ABSENT = {
    "usergroups.create": "user groups are a feature of paid plans, and not imitated",
    "usergroups.list": "user groups are a feature of paid plans, and not imitated",
    "usergroups.update": "user groups are a feature of paid plans, and not imitated",
    "usergroups.disable": "user groups are a feature of paid plans, and not imitated",
    "apps.manifest.create": "apps are seeded there, and not made",
    "apps.manifest.export": "apps are seeded there, and not made",
    "apps.manifest.validate": "apps are seeded there, and not made",
}
"""The methods of ours that it does not know, and why."""

Ask = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with emulators.running("slack", SEED, tmp_path_factory.mktemp("slack")) as found:
        yield f"{found}/api"


@pytest.fixture
def wire(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """What the provider speaks through."""
    monkeypatch.setenv("SLACK_API_URL", address)
    monkeypatch.setenv("SLACK_BOT_TOKEN", BOT)
    monkeypatch.setenv("SLACK_USER_TOKEN", PERSON)
    monkeypatch.setenv("SLACK_CONFIG_TOKEN", BOT)
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    monkeypatch.setattr("providers.base.api.SETTLING_SECONDS", 0.0)
    monkeypatch.setitem(slack.SLACK.__dict__, "_paces", {})
    new_run(monkeypatch)
    with httpx.Client() as client:
        monkeypatch.setitem(slack.SLACK.__dict__, "client", client)
        yield client


@pytest.fixture
def ask(address: str) -> Iterator[Ask]:
    """A method as a person calls it, outside of our provider."""
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {PERSON}"}) as client:

        def call(method: str, **arguments: Any) -> dict[str, Any]:
            answered: dict[str, Any] = client.post(f"/{method}", data=arguments).json()
            return answered

        yield call


def live(ask: Ask, name: str) -> list[dict[str, Any]]:
    found = ask("conversations.list", types="public_channel,private_channel")
    return [channel for channel in found["channels"] if channel["name"] == name]


@pytest.mark.usefixtures("wire")
def test_a_channel_is_made_read_changed_archived_and_brought_back(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted: dict[str, Any] = {"name": "payments-alerts", "purpose": "What broke", "topic": "On call: Ada"}
    engine = Engine(slack.Channel, "alerts")
    made = engine.create(**wanted)
    new_run(monkeypatch)
    seen = engine.read(made)
    assert seen
    assert not engine.changes(seen, **wanted), "what was asked for is what is there"
    changed = engine.update(seen, **{**wanted, "name": "payments-incidents", "topic": "On call: Grace"})
    (channel,) = live(ask, "payments-incidents")
    assert channel["id"] == made.id
    assert channel["topic"]["value"] == "On call: Grace"
    assert "sophia-ai/dev" in channel["purpose"]["value"], "whose it is, people can read"
    engine.delete(changed)
    engine.delete(changed)
    assert live(ask, "payments-incidents")[0]["is_archived"]
    new_run(monkeypatch)
    again = engine.create(**{**wanted, "name": "payments-incidents"})
    assert again.id == made.id, "its name is taken by itself: the archived one is brought back"
    (channel,) = live(ask, "payments-incidents")
    assert not channel["is_archived"]
    assert channel["topic"]["value"] == "On call: Ada"


@pytest.mark.usefixtures("wire")
def test_drift_is_seen(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(slack.Channel, "deploys")
    made = engine.create(name="deploys", topic="Releases")
    ask("conversations.join", channel=made.id)
    assert ask("conversations.setTopic", channel=made.id, topic="Lunch")["ok"]
    new_run(monkeypatch)
    seen = engine.read(made)
    assert seen
    assert seen.inputs["topic"] == "Lunch"
    assert engine.changes(seen, name="deploys", topic="Releases")


@pytest.mark.usefixtures("wire")
def test_a_channel_that_a_person_made_is_in_the_way_and_can_be_taken_over(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = ask("conversations.create", name="collections")["channel"]["id"]
    told = str(Engine(slack.Channel, "collections").failing_create(name="collections", purpose="Promises to pay"))
    assert channel in told
    assert "adopt" in told
    new_run(monkeypatch)
    adopted = Engine(slack.Channel, "collections").create(name="collections", purpose="Promises to pay", adopt=True)
    assert adopted.id == channel
    assert live(ask, "collections")[0]["purpose"]["value"].startswith("Promises to pay"), "the bot has joined, and may"


def test_a_channel_whose_creation_was_not_answered_is_not_made_twice(wire: httpx.Client, ask: Ask) -> None:
    lost: list[str] = ["conversations.create"]

    def lose(response: httpx.Response) -> None:
        method = response.request.url.path.rpartition("/")[2]
        if method in lost:
            lost.remove(method)
            raise httpx.ReadError("the connection was closed", request=response.request)

    wire.event_hooks = {"response": [lose]}
    made = Engine(slack.Channel, "handover").create(name="handover")
    assert [channel["id"] for channel in live(ask, "handover")] == [made.id]


@pytest.mark.usefixtures("wire")
def test_a_private_channel_is_private(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(slack.Channel, "deals")
    made = engine.create(name="deals", is_private=True)
    new_run(monkeypatch)
    seen = engine.read(made)
    assert seen
    assert seen.inputs["is_private"] is True
    assert not engine.changes(seen, name="deals", is_private=True)


@pytest.mark.usefixtures("wire")
def test_a_scope_that_the_bot_lacks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", NARROW)
    told = str(Engine(slack.Channel, "never").failing_create(name="never-made"))
    assert "missing_scope" in told
    assert "channels:manage" in told
    assert NARROW not in told


@pytest.mark.usefixtures("wire")
def test_what_is_posted_can_be_changed_and_answered(ask: Ask) -> None:
    channel = Engine(slack.Channel, "releases").create(name="releases").id
    posted = said({"channel": channel, "text": "deploy of dev: running"})
    assert said({"channel": channel, "ts": posted["ts"], "text": "deploy of dev: done"})["ts"] == posted["ts"]
    answered = said({"channel": channel, "thread_ts": posted["ts"], "text": "71 created"})
    assert answered["ts"] != posted["ts"]
    ask("conversations.join", channel=channel)


@pytest.mark.usefixtures("wire")
def test_the_health_check_asks_who_the_token_is() -> None:
    assert slack_health.HEALTH.service
    asked = Client(slack_health.HEALTH.service, Subject(), time.monotonic() + 30)
    probe = slack_health.HEALTH.probes[0]
    assert asked.send(probe.method, str(probe.path)).json()["user"] == "sophia"


@pytest.mark.parametrize("method", ABSENT)
def test_what_it_does_not_imitate(address: str, method: str) -> None:
    """A newer version that has one of these can test more of ours."""
    answered = httpx.post(f"{address}/{method}", headers={"Authorization": f"Bearer {BOT}"})
    assert answered.status_code == 404, f"{method} is there now ({ABSENT[method]} was the reason)"

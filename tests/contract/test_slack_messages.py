"""Messages of the Slack emulator: posted, answered, changed, refused; against the vendor's specification and its SDK."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from slack_sdk import WebClient

from sandbox.slack import PLATFORM
from tests.contract.slack_calls import SPEC, Invoke, method


@pytest.fixture
def emulator(serve: Callable[[Any], Any]) -> Any:
    return serve(PLATFORM)


@pytest.fixture
def client(emulator: Any) -> Iterator[httpx.Client]:
    with emulator.client() as opened:
        yield opened


@pytest.fixture
def bot(client: httpx.Client, emulator: Any) -> Invoke:
    return method(client, emulator.credentials["SLACK_BOT_TOKEN"])


@pytest.fixture
def person(client: httpx.Client, emulator: Any) -> Invoke:
    return method(client, emulator.credentials["SLACK_USER_TOKEN"])


@pytest.fixture
def channel(bot: Invoke) -> str:
    created: str = bot("conversations.create", name="deployments")["channel"]["id"]
    return created


def test_a_thread_and_a_change_answer_as_the_specification_says(
    bot: Invoke, channel: str, spec: Callable[[str], Any]
) -> None:
    specification = spec(SPEC)
    sent = {"channel": channel, "text": "deploy of dev"}
    posted = bot("chat.postMessage", **sent)
    specification.check("POST", "/api/chat.postMessage", 200, sent, posted)
    reply = {"channel": channel, "text": "it failed", "thread_ts": posted["ts"]}
    answered = bot("chat.postMessage", **reply)
    specification.check("POST", "/api/chat.postMessage", 200, reply, answered)
    assert answered["message"]["thread_ts"] == posted["ts"]
    change = {"channel": channel, "ts": posted["ts"], "text": "deploy of dev: done"}
    changed = bot("chat.update", **change)
    specification.check("POST", "/api/chat.update", 200, change, changed)
    assert (changed["ts"], changed["message"]["text"]) == (posted["ts"], "deploy of dev: done")


def test_the_vendors_client_posts_answers_and_changes(emulator: Any) -> None:
    web = WebClient(emulator.credentials["SLACK_BOT_TOKEN"], base_url=f"{emulator.credentials['SLACK_API_URL']}/")
    channel = web.conversations_create(name="deployments")["channel"]["id"]
    ts = web.chat_postMessage(channel="#deployments", text="one")["ts"]
    assert web.chat_postMessage(channel=channel, text="two", thread_ts=ts)["message"]["thread_ts"] == ts
    assert web.chat_update(channel=channel, ts=ts, text="three")["text"] == "three"


def test_what_slack_refuses_is_refused(bot: Invoke, person: Invoke, channel: str, spec: Callable[[str], Any]) -> None:
    specification = spec(SPEC)
    ts = bot("chat.postMessage", channel=channel, text="mine")["ts"]
    person("conversations.create", name="others")
    refusals: list[tuple[Invoke, str, dict[str, str], str]] = [
        (bot, "chat.postMessage", {"channel": "others", "text": "x"}, "not_in_channel"),
        (bot, "chat.postMessage", {"channel": channel}, "no_text"),
        (bot, "chat.postMessage", {"channel": "nowhere", "text": "x"}, "channel_not_found"),
        (bot, "chat.update", {"channel": channel, "ts": "1.000000", "text": "x"}, "message_not_found"),
        (bot, "chat.update", {"channel": channel, "ts": ts, "text": "x" * 4001}, "msg_too_long"),
        (bot, "chat.update", {"channel": channel, "ts": ts}, "no_text"),
    ]
    for invoke, name, arguments, code in refusals:
        answered = invoke(name, **arguments)
        assert answered == {"ok": False, "error": code}
        specification.check("POST", f"/api/{name}", 200, arguments, answered)
    person("conversations.join", channel=channel)
    assert person("chat.update", channel=channel, ts=ts, text="not mine")["error"] == "cant_update_message"
    bot("conversations.archive", channel=channel)
    assert person("chat.postMessage", channel=channel, text="x")["error"] == "is_archived"


def test_a_long_message_is_cut_off_and_two_at_once_are_two(bot: Invoke, channel: str) -> None:
    posted = [bot("chat.postMessage", channel=channel, text="x" * 40_001) for _ in range(3)]
    assert {len(one["message"]["text"]) for one in posted} == {40_000}
    assert len({one["ts"] for one in posted}) == 3

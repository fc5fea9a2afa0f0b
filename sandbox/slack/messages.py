"""Messages in channels: posted, answered in threads, changed. Only a channel's members can post there.

Blocks and attachments are kept as they were sent, and not checked. A thread that does not exist is refused, where Slack may
be more lenient: a reply that nobody finds is a mistake.
"""

from __future__ import annotations

import time

from starlette.responses import Response

from sandbox.http import Call
from sandbox.slack.access import TEAM, Arguments, SlackError, succeed, token_of
from sandbox.slack.conversations import channel_for_messages
from sandbox.slack.people import is_bot
from sandbox.store import Document

_LONGEST_POST = 40_000
"""Slack cuts off what is beyond."""
_LONGEST_UPDATE = 4_000
"""Slack refuses a changed text that is longer."""
_CONTENTS = ("text", "blocks", "attachments")


def post(call: Call) -> Response:
    """``channel`` is an id or a name; ``thread_ts`` makes it a reply to that message."""
    sent, user = Arguments.of(call), token_of(call).user
    channel = channel_for_messages(call, sent)
    _check_content(sent)
    thread = sent.text("thread_ts")
    if thread and call.store.get("message", _key(channel, thread)) is None:
        raise SlackError("thread_not_found")
    ts = _free_ts(call, channel)
    message: Document = {
        "type": "message",
        "channel": channel["id"],
        "user": user,
        "text": sent.text("text")[:_LONGEST_POST],
        "ts": ts,
        "team": TEAM,
        **({"bot_id": "B0SANDBOT1"} if is_bot(user) else {}),
        **{name: sent.values[name] for name in _CONTENTS[1:] if name in sent},
        **({"thread_ts": thread} if thread else {}),
    }
    call.store.put("message", _key(channel, ts), message)
    return succeed(call, channel=channel["id"], ts=ts, message=_shown(message))


def update(call: Call) -> Response:
    """Who posted a message changes its text; it keeps its place, and its thread."""
    sent, user = Arguments.of(call), token_of(call).user
    channel = channel_for_messages(call, sent)
    ts = sent.needed("ts")
    message = call.store.get("message", _key(channel, ts))
    if message is None:
        raise SlackError("message_not_found")
    if message["user"] != user:
        raise SlackError("cant_update_message")
    _check_content(sent)
    if len(sent.text("text")) > _LONGEST_UPDATE:
        raise SlackError("msg_too_long")
    message |= {name: sent.values[name] for name in _CONTENTS if name in sent}
    message["edited"] = {"user": user, "ts": f"{time.time():.6f}"}
    call.store.put("message", _key(channel, ts), message)
    return succeed(call, channel=channel["id"], ts=ts, text=message["text"], message=_shown(message))


def _check_content(sent: Arguments) -> None:
    if not any(sent.text(name) for name in _CONTENTS):
        raise SlackError("no_text")


def _free_ts(call: Call, channel: Document) -> str:
    """The moment, which is a message's id in its channel."""
    microseconds = time.time_ns() // 1000
    while call.store.get("message", _key(channel, _ts(microseconds))) is not None:
        microseconds += 1
    return _ts(microseconds)


def _ts(microseconds: int) -> str:
    return f"{microseconds // 1_000_000}.{microseconds % 1_000_000:06d}"


def _key(channel: Document, ts: str) -> str:
    return f"{channel['id']}-{ts}"


def _shown(message: Document) -> Document:
    return {name: value for name, value in message.items() if name != "channel"}

"""Bookmarks: links at the top of a channel, which its members make."""

from __future__ import annotations

import re
import time

from starlette.responses import Response

from sandbox.http import Call
from sandbox.slack.access import Arguments, SlackError, succeed, token_of
from sandbox.slack.conversations import channel_for_members, identifier
from sandbox.store import Document

_MOST = 100
"""So many a channel."""


def add(call: Call) -> Response:
    sent = Arguments.of(call)
    channel, title = channel_for_members(call, sent.needed("channel_id")), sent.needed("title")
    if sent.needed("type") != "link":
        raise SlackError("invalid_bookmark_type")
    if len(call.store.all("bookmark", channel_id=channel["id"])) >= _MOST:
        raise SlackError("too_many_bookmarks")
    now = int(time.time())
    bookmark: Document = {
        "id": identifier("Bk"),
        "channel_id": channel["id"],
        "title": title,
        "link": _link(sent.text("link")),
        "emoji": _emoji(sent.text("emoji")),
        "icon_url": None,
        "type": "link",
        "entity_id": None,
        "date_created": now,
        "date_updated": 0,
        "rank": "i",
        "last_updated_by_user_id": token_of(call).user,
        "last_updated_by_team_id": None,
        "shortcut_id": None,
        "app_id": None,
    }
    return _saved(call, bookmark)


def edit(call: Call) -> Response:
    """Only what was sent changes."""
    sent = Arguments.of(call)
    bookmark = _bookmark(call, sent)
    if "title" in sent:
        bookmark["title"] = sent.needed("title")
    if "link" in sent:
        bookmark["link"] = _link(sent.text("link"))
    if "emoji" in sent:
        bookmark["emoji"] = _emoji(sent.text("emoji"))
    bookmark |= {"date_updated": int(time.time()), "last_updated_by_user_id": token_of(call).user}
    return _saved(call, bookmark)


def list_all(call: Call) -> Response:
    channel = channel_for_members(call, Arguments.of(call).needed("channel_id"))
    return succeed(call, bookmarks=call.store.all("bookmark", channel_id=channel["id"]))


def remove(call: Call) -> Response:
    call.store.delete("bookmark", _bookmark(call, Arguments.of(call))["id"])
    return succeed(call)


def _bookmark(call: Call, sent: Arguments) -> Document:
    channel = channel_for_members(call, sent.needed("channel_id"))
    bookmark = call.store.get("bookmark", sent.needed("bookmark_id"))
    if bookmark is None or bookmark["channel_id"] != channel["id"]:
        raise SlackError("not_found")
    return bookmark


def _link(link: str) -> str:
    if not re.match("https?://", link):
        raise SlackError("invalid_link")
    return link


def _emoji(emoji: str) -> str:
    if emoji and not re.fullmatch(r":[^:\s]+:", emoji):
        raise SlackError("invalid_emoji")
    return emoji


def _saved(call: Call, bookmark: Document) -> Response:
    return succeed(call, bookmark=call.store.put("bookmark", bookmark["id"], bookmark))

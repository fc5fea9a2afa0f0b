"""Bookmarks of a channel. Slack addresses them by ids that it makes; settings, and people, by their titles.

Source of facts: docs.slack.dev (bookmarks.add, .edit, .list, .remove).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from providers.base import Api, Json, Pick
from providers.base.auth import Auth
from providers.slack_channels import AsMember


def _about(name: str, answer: str = "", *, repeatable: bool = True, **body: Any) -> AsMember:
    return AsMember(
        "POST",
        f"/{name}",
        body={"channel_id": "{channel_id}", **body},
        answer=answer,
        repeatable=repeatable,
        channel="channel_id",
    )


ADD = _about("bookmarks.add", "bookmark", repeatable=False, type="link")
FIND = Pick(_about("bookmarks.list"), "bookmarks", by={"title": "title"})


@dataclass(frozen=True)
class OnBookmark:
    """A method on the bookmark with the title; which one that is, is asked first."""

    name: str
    auth: Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        found = FIND.send(api, values)
        return _about(self.name, "bookmark", bookmark_id=found["id"]).send(api, values, payload)


EDIT, REMOVE = OnBookmark("bookmarks.edit"), OnBookmark("bookmarks.remove")

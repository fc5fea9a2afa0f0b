"""What Slack's methods cost and need: their rate limit tier, and the scopes of which a token must have one.

From the facts of each method's page on docs.slack.dev. A bot's ``channels:manage`` is a person's ``channels:write``.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from sandbox.store import Store

_MANAGE = ("channels:manage", "groups:write", "im:write", "mpim:write", "channels:write")
_READ = ("channels:read", "groups:read", "im:read", "mpim:read")

SCOPES: Final[Mapping[str, tuple[str, ...]]] = {
    "bookmarks.add": ("bookmarks:write",),
    "bookmarks.edit": ("bookmarks:write",),
    "bookmarks.list": ("bookmarks:read",),
    "bookmarks.remove": ("bookmarks:write",),
    "chat.postMessage": ("chat:write",),
    "chat.update": ("chat:write",),
    "conversations.archive": _MANAGE,
    "conversations.create": _MANAGE,
    "conversations.info": _READ,
    "conversations.invite": _MANAGE,
    "conversations.join": ("channels:join", "channels:write"),
    "conversations.kick": _MANAGE,
    "conversations.list": _READ,
    "conversations.members": _READ,
    "conversations.rename": _MANAGE,
    "conversations.setPurpose": _MANAGE,
    "conversations.setTopic": _MANAGE,
    "conversations.unarchive": _MANAGE,
    "usergroups.create": ("usergroups:write",),
    "usergroups.disable": ("usergroups:write",),
    "usergroups.enable": ("usergroups:write",),
    "usergroups.list": ("usergroups:read",),
    "usergroups.update": ("usergroups:write",),
    "usergroups.users.list": ("usergroups:read",),
    "usergroups.users.update": ("usergroups:write",),
    "users.info": ("users:read",),
    "users.list": ("users:read",),
    "users.lookupByEmail": ("users:read.email",),
}

_USUAL = 20
_PER_MINUTE: Final[Mapping[str, int]] = {
    **dict.fromkeys(("apps.manifest.create", "apps.manifest.delete", "apps.manifest.update"), 1),
    **dict.fromkeys(("apps.manifest.export", "apps.manifest.validate", "bookmarks.list", "chat.update"), 50),
    **dict.fromkeys(("conversations.info", "conversations.invite", "conversations.join", "conversations.kick"), 50),
    **dict.fromkeys(("users.lookupByEmail",), 50),
    **dict.fromkeys(("auth.test", "chat.postMessage", "conversations.members", "users.info"), 100),
}
"""Tier 1, 3 and 4; the others are of tier 2."""

_MINUTE = 60


def wait(store: Store, method: str) -> int:
    """Counts a call; the seconds to wait if there were too many of its method in this minute, else 0."""
    now = int(time.time())
    counted = store.latest.get("calls", method) or {"since": now, "calls": 0}
    if now - counted["since"] >= _MINUTE:
        counted = {"since": now, "calls": 0}
    if counted["calls"] >= _PER_MINUTE.get(method, _USUAL):
        return int(counted["since"] + _MINUTE - now) or 1
    store.put("calls", method, counted | {"calls": counted["calls"] + 1})
    return 0

"""User groups. They cannot be deleted, only disabled, and a disabled one keeps its name and handle."""

from __future__ import annotations

import re
import time
from typing import Any

from starlette.responses import Response

from sandbox.http import Call
from sandbox.slack.access import TEAM, Arguments, SlackError, succeed, token_of
from sandbox.slack.conversations import check_channels, identifier
from sandbox.slack.people import check_users, handles
from sandbox.store import Document


def create(call: Call) -> Response:
    """Without a handle, one is made of the name."""
    sent, now = Arguments.of(call), int(time.time())
    name = sent.needed("name")
    user = token_of(call).user
    group: Document = {
        "id": identifier("S"),
        "team_id": TEAM,
        "is_usergroup": True,
        "is_subteam": True,
        "name": name,
        "description": sent.text("description"),
        "handle": sent.text("handle") or re.sub(r"[^\w.-]+", "-", name.lower()).strip("-"),
        "is_external": False,
        "date_create": now,
        "date_update": now,
        "date_delete": 0,
        "auto_type": None,
        "auto_provision": False,
        "enterprise_subteam_id": "",
        "created_by": user,
        "updated_by": user,
        "deleted_by": None,
        "prefs": {"channels": _channels(call, sent), "groups": []},
        "users": [],
    }
    return _saved(call, group)


def update(call: Call) -> Response:
    """Only what was sent changes; channels are replaced as a list."""
    sent = Arguments.of(call)
    group = _group(call, sent)
    for name in ("name", "handle", "description"):
        if name in sent:
            group[name] = sent.text(name)
    if "channels" in sent:
        group["prefs"]["channels"] = _channels(call, sent)
    return _saved(call, _touched(call, group))


def disable(call: Call) -> Response:
    group = _group(call, Arguments.of(call))
    group |= {"date_delete": int(time.time()), "deleted_by": token_of(call).user}
    return _saved(call, _touched(call, group))


def enable(call: Call) -> Response:
    group = _group(call, Arguments.of(call)) | {"date_delete": 0, "deleted_by": None}
    return _saved(call, _touched(call, group))


def list_all(call: Call) -> Response:
    """Those that are enabled, unless ``include_disabled``; whole, without pages."""
    sent = Arguments.of(call)
    groups = [
        group for group in call.store.all("usergroup") if sent.flag("include_disabled") or not group["date_delete"]
    ]
    return succeed(call, usergroups=[_shown(group, sent) for group in groups])


def list_users(call: Call) -> Response:
    sent = Arguments.of(call)
    group = _group(call, sent)
    if group["date_delete"] and not sent.flag("include_disabled"):
        raise SlackError("no_such_subteam")
    return succeed(call, users=group["users"])


def update_users(call: Call) -> Response:
    """Replaces the list of members, which cannot become empty."""
    sent = Arguments.of(call)
    group, users = _group(call, sent), sent.many("users")
    if not users:
        raise SlackError("no_users_provided")
    check_users(users, "invalid_users")
    group["users"] = list(dict.fromkeys(users))
    return _saved(call, _touched(call, group))


def _group(call: Call, sent: Arguments) -> Document:
    group = call.store.get("usergroup", sent.needed("usergroup"))
    if group is None:
        raise SlackError("no_such_subteam")
    return group


def _channels(call: Call, sent: Arguments) -> list[str]:
    channels = sent.many("channels")
    check_channels(call.store, channels)
    return channels


def _touched(call: Call, group: Document) -> Document:
    return group | {"date_update": int(time.time()), "updated_by": token_of(call).user}


def _saved(call: Call, group: Document) -> Response:
    """Names are unique among groups; handles also among channels and people."""
    others = [other for other in call.store.all("usergroup") if other["id"] != group["id"]]
    if group["name"] in {other["name"] for other in others}:
        raise SlackError("name_already_exists")
    taken = {other["handle"] for other in others} | handles()
    if group["handle"] in taken or call.store.first("channel", name=group["handle"]) is not None:
        raise SlackError("handle_already_exists")
    call.store.put("usergroup", group["id"], group)
    return succeed(call, usergroup=_shown(group, Arguments.of(call)))


def _shown(group: Document, sent: Arguments) -> dict[str, Any]:
    shown = {name: value for name, value in group.items() if name != "users" or sent.flag("include_users")}
    if sent.flag("include_count"):
        shown["user_count"] = len(group["users"])
    return shown

"""Channels. They cannot be deleted, only archived, and an archived one keeps its name."""

from __future__ import annotations

import re
import secrets
import time
from string import ascii_uppercase, digits

from starlette.responses import Response

from sandbox.http import Call
from sandbox.slack.access import Arguments, SlackError, succeed, token_of
from sandbox.slack.people import check_users, is_bot
from sandbox.store import Document, Store

_NAME_LENGTH = 80
_TEXT_LENGTH = 250
_INVITED_AT_ONCE = 100
_TYPES = ("public_channel", "private_channel", "mpim", "im")


def identifier(letter: str) -> str:
    """An id as Slack makes them: a letter that tells the kind, then capitals and digits."""
    return letter + "0" + "".join(secrets.choice(ascii_uppercase + digits) for _ in range(9))


def create(call: Call) -> Response:
    """Who creates a channel is in it."""
    sent, user = Arguments.of(call), token_of(call).user
    name = _free_name(call.store, sent.text("name"))
    blank = {"value": "", "creator": "", "last_set": 0}
    channel: Document = {
        "id": identifier("C"),
        "name": name,
        "created": int(time.time()),
        "creator": user,
        "is_archived": False,
        "is_private": sent.flag("is_private"),
        "topic": blank,
        "purpose": blank,
        "previous_names": [],
        "members": [user],
    }
    return _saved(call, channel)


def rename(call: Call) -> Response:
    sent = Arguments.of(call)
    channel = _joined(call, sent)
    name = _free_name(call.store, sent.text("name"), channel["id"])
    if name != channel["name"]:
        channel["previous_names"] = [channel["name"], *(n for n in channel["previous_names"] if n != name)]
        channel["name"] = name
    return _saved(call, channel)


def set_topic(call: Call) -> Response:
    return _described(call, "topic")


def set_purpose(call: Call) -> Response:
    return _described(call, "purpose")


def archive(call: Call) -> Response:
    """Bots leave a channel that is archived, people stay in it."""
    channel = _channel(call, Arguments.of(call))
    _check_member(call, channel)
    if channel["is_archived"]:
        raise SlackError("already_archived")
    if channel.get("is_general"):
        raise SlackError("cant_archive_general")
    channel |= {"is_archived": True, "members": [user for user in channel["members"] if not is_bot(user)]}
    call.store.put("channel", channel["id"], channel)
    return succeed(call)


def unarchive(call: Call) -> Response:
    """Works with a user token only, for a private channel with that of one who was in it.

    A bot cannot be in an archived channel, and Slack wants the caller to be in it. This is a limit of Slack's that its
    documentation does not tell (github.com/slack-go/slack, issue 1066).
    """
    channel = _channel(call, Arguments.of(call))
    if not channel["is_archived"]:
        raise SlackError("not_archived")
    user = token_of(call).user
    if is_bot(user):
        raise SlackError("not_in_channel")
    channel |= {"is_archived": False, "members": list(dict.fromkeys([*channel["members"], user]))}
    call.store.put("channel", channel["id"], channel)
    return succeed(call)


def join(call: Call) -> Response:
    channel = _open(_channel(call, Arguments.of(call)))
    if channel["is_private"]:
        raise SlackError("method_not_supported_for_channel_type")
    channel["members"] = list(dict.fromkeys([*channel["members"], token_of(call).user]))
    return _saved(call, channel)


def invite(call: Call) -> Response:
    sent = Arguments.of(call)
    channel, users = _joined(call, sent), sent.many("users")
    if not users:
        raise SlackError("no_user")
    if len(users) > _INVITED_AT_ONCE:
        raise SlackError("too_many_users")
    if users == [token_of(call).user]:
        raise SlackError("cant_invite_self")
    check_users(users, "user_not_found")
    fresh = [user for user in users if user not in channel["members"]]
    if not fresh:
        raise SlackError("already_in_channel")
    channel["members"] += fresh
    return _saved(call, channel)


def kick(call: Call) -> Response:
    sent = Arguments.of(call)
    channel, user = _joined(call, sent), sent.needed("user")
    if user == token_of(call).user:
        raise SlackError("cant_kick_self")
    if channel.get("is_general"):
        raise SlackError("cant_kick_from_general")
    if user not in channel["members"]:
        raise SlackError("not_in_channel")
    channel["members"].remove(user)
    call.store.put("channel", channel["id"], channel)
    return succeed(call)


def read(call: Call) -> Response:
    sent = Arguments.of(call)
    channel = _channel(call, sent)
    counted = {"num_members": len(channel["members"])} if sent.flag("include_num_members") else {}
    return succeed(call, channel=_shown(call, channel) | counted)


def list_all(call: Call) -> Response:
    """Public channels unless ``types`` says otherwise; of the private ones, those that the caller is in."""
    sent = Arguments.of(call)
    types = sent.many("types") or ["public_channel"]
    if not set(types) <= set(_TYPES):
        raise SlackError("invalid_types")
    found = [
        _shown(call, channel)
        for channel in call.store.all("channel")
        if ("private_channel" if channel["is_private"] else "public_channel") in types
        and _visible(call, channel)
        and not (channel["is_archived"] and sent.flag("exclude_archived"))
    ]
    channels, metadata = sent.page(found)
    return succeed(call, channels=channels, response_metadata=metadata)


def members(call: Call) -> Response:
    sent = Arguments.of(call)
    users, metadata = sent.page(_channel(call, sent)["members"])
    return succeed(call, members=users, response_metadata=metadata)


def channel_for_messages(call: Call, sent: Arguments) -> Document:
    """The channel, by its id or name, in which the caller may post."""
    wanted = sent.needed("channel")
    channel = call.store.get("channel", wanted) or call.store.first("channel", name=wanted.removeprefix("#"))
    if channel is None or not _visible(call, channel):
        raise SlackError("channel_not_found")
    _check_member(call, _open(channel))
    return channel


def channel_for_members(call: Call, identifier: str) -> Document:
    """The channel with that id, for what its members do."""
    channel = call.store.get("channel", identifier)
    if channel is None or not _visible(call, channel):
        raise SlackError("channel_not_found")
    _check_member(call, _open(channel))
    return channel


def check_channels(store: Store, channels: list[str]) -> None:
    if any(store.get("channel", channel) is None for channel in channels):
        raise SlackError("channel_not_found")


def _free_name(store: Store, name: str, own: str = "") -> str:
    """A name that follows the rules and that no other channel has, archived ones included."""
    if not name:
        raise SlackError("invalid_name_required")
    if len(name) > _NAME_LENGTH:
        raise SlackError("invalid_name_maxlength")
    if re.fullmatch(r"[-_]+", name):
        raise SlackError("invalid_name_punctuation")
    if not re.fullmatch(r"[\w-]+", name) or name != name.lower():
        raise SlackError("invalid_name_specials")
    namesake = store.first("channel", name=name)
    if namesake is not None and namesake["id"] != own:
        raise SlackError("name_taken")
    return name


def _visible(call: Call, channel: Document) -> bool:
    return not channel["is_private"] or token_of(call).user in channel["members"]


def _channel(call: Call, sent: Arguments) -> Document:
    channel = call.store.get("channel", sent.text("channel"))
    if channel is None or not _visible(call, channel):
        raise SlackError("channel_not_found")
    return channel


def _open(channel: Document) -> Document:
    if channel["is_archived"]:
        raise SlackError("is_archived")
    return channel


def _check_member(call: Call, channel: Document) -> None:
    if token_of(call).user not in channel["members"] and not channel["is_archived"]:
        raise SlackError("not_in_channel")


def _joined(call: Call, sent: Arguments) -> Document:
    """A channel that is not archived and that the caller is in."""
    channel = _open(_channel(call, sent))
    _check_member(call, channel)
    return channel


def _described(call: Call, what: str) -> Response:
    sent = Arguments.of(call)
    channel, text = _joined(call, sent), sent.text(what)
    if len(text) > _TEXT_LENGTH:
        raise SlackError("too_long")
    channel[what] = {"value": text, "creator": token_of(call).user, "last_set": int(time.time())}
    return _saved(call, channel)


def _saved(call: Call, channel: Document) -> Response:
    return succeed(call, channel=_shown(call, call.store.put("channel", channel["id"], channel)))


def _shown(call: Call, channel: Document) -> Document:
    shown = {name: value for name, value in channel.items() if name != "members"}
    return {
        "name_normalized": channel["name"],
        "is_channel": not channel["is_private"],
        "is_group": channel["is_private"],
        "is_im": False,
        "is_mpim": False,
        "is_general": False,
        "is_shared": False,
        "is_ext_shared": False,
        "is_org_shared": False,
        "is_pending_ext_shared": False,
        "is_member": token_of(call).user in channel["members"],
        "pending_shared": [],
        "unlinked": 0,
    } | shown

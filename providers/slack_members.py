"""Who is in a channel or a user group: people by their addresses, as settings name them, and by ids, as Slack does.

Source of facts: docs.slack.dev (conversations.members, .invite, .kick; usergroups.users.*; users.lookupByEmail).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from providers.base import Api, Cursor, Json, Listing, PlatformError, Trouble
from providers.base.auth import Auth
from providers.slack_api import SLACK, method, says
from providers.slack_channels import AsMember

_INVITED_AT_ONCE = 100
"""conversations.invite takes so many people in a call."""

_LOOKED_FOR = "who is in is nobody's object that could be in the way: nothing is looked for before it is set"


def user_of(email: str) -> str:
    """The id of the person with an address. Raises ``PlatformError`` where there is none in the workspace."""
    try:
        return _user_of(SLACK.base_url.value(), email)
    except PlatformError as error:
        if error.trouble is not Trouble.NOT_FOUND:
            raise
        raise PlatformError(
            Trouble.INVALID,
            f"nobody in the workspace has the address {email} ({error.said})",
            do="invite them to the workspace, correct the address, or take it out of the members",
        ) from error


@cache
def _user_of(_address: str, email: str) -> str:
    """``_address`` is that of the workspace's API. A person's id never changes, so that one call a run is enough."""
    return str(method("users.lookupByEmail", "user", email=email).send(SLACK, {})["id"])


@cache
def _profile(_address: str, user: str) -> Json:
    return method("users.info", "user", user=user).send(SLACK, {})


def _found(emails: Iterable[str]) -> dict[str, str]:
    """The ids of those of the people whom the workspace has."""
    ids = {}
    for email in emails:
        try:
            ids[email] = user_of(email)
        except PlatformError as error:
            if error.trouble is not Trouble.INVALID:
                raise
    return ids


def _people(users: Iterable[str]) -> dict[str, str]:
    """Of some members those who are people, with what a setting would call them: an address, else the id."""
    address = SLACK.base_url.value()
    profiles = {user: _profile(address, user) for user in users}
    return {
        user: str(profile.get("profile", {}).get("email") or user).lower()
        for user, profile in profiles.items()
        if not profile.get("is_bot")
    }


def _in_group(group: str) -> set[str]:
    return set(method("usergroups.users.list", usergroup=group, include_disabled=True).send(SLACK, {})["users"])


def _in_channel(channel: str) -> set[str]:
    listing = Listing(
        method("conversations.members", channel=channel),
        items="members",
        pages=Cursor("response_metadata.next_cursor", size=1000),
    )
    return {str(user) for user in listing.fetch(SLACK, {})}


@dataclass(frozen=True)
class ReadChannelMembers:
    """Who of those that are wanted is in a channel and, where the list is exact, who else."""

    auth: Auth | None = None

    def send(self, _api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:  # noqa: ARG002 - one signature for all operations
        if "id" not in values:
            raise PlatformError(Trouble.NOT_FOUND, _LOOKED_FOR)
        live, found = _in_channel(values["channel"]), _found(values.get("people", []))
        groups = {group: _in_group(group) for group in values.get("usergroups", [])}
        wanted = set(found.values()).union(*groups.values())
        others = _people(live - wanted).values() if values.get("exact") else ()
        return {
            "channel": values["channel"],
            "people": [*(email for email, user in found.items() if user in live), *others],
            "usergroups": [group for group, users in groups.items() if users <= live],
        }


@dataclass(frozen=True)
class SetChannelMembers:
    """Invites who is missing and, where the list is exact, removes the other people. Bots stay: they are apps'."""

    auth: Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:  # noqa: ARG002 - one signature for all operations
        channel = values["channel"]
        wanted = {user_of(email) for email in values.get("people", [])}
        wanted.update(*(_in_group(group) for group in values.get("usergroups", [])))
        live = _in_channel(channel)
        missing = sorted(wanted - live)
        for start in range(0, len(missing), _INVITED_AT_ONCE):
            self._invite(api, channel, missing[start : start + _INVITED_AT_ONCE])
        for user in sorted(_people(live - wanted)) if values.get("exact") else ():
            _member_call("conversations.kick", channel=channel, user=user).send(api, values)
        return {"channel": channel}

    def _invite(self, api: Api, channel: str, users: list[str]) -> None:
        try:
            _member_call("conversations.invite", channel=channel, users=",".join(users)).send(api, {"channel": channel})
        except PlatformError as error:
            # Somebody who joined meanwhile, or our own call whose answer was lost.
            if not says(error, "already_in_channel") or not set(users) <= _in_channel(channel):
                raise


def _member_call(name: str, **body: Any) -> AsMember:
    return AsMember("POST", f"/{name}", body=body, repeatable=True, channel="channel")


@dataclass(frozen=True)
class ReadGroupMembers:
    """Who of those that are wanted is in a user group and, where the list is exact, who else."""

    auth: Auth | None = None

    def send(self, _api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:  # noqa: ARG002 - one signature for all operations
        if "id" not in values:
            raise PlatformError(Trouble.NOT_FOUND, _LOOKED_FOR)
        live, found = _in_group(values["usergroup"]), _found(values.get("people", []))
        others = _people(live - set(found.values())).values() if values.get("exact") else ()
        shown = [*(email for email, user in found.items() if user in live), *others]
        return {"usergroup": values["usergroup"], "people": shown}


@dataclass(frozen=True)
class SetGroupMembers:
    """Slack replaces the list of a group as a whole; where it need not be exact, who is in it stays."""

    auth: Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:  # noqa: ARG002 - one signature for all operations
        group, wanted = values["usergroup"], {user_of(email) for email in values.get("people", [])}
        live = _in_group(group)
        whole = wanted if values.get("exact") else wanted | live
        if whole != live:
            users = ",".join(sorted(whole))
            method("usergroups.users.update", usergroup=group, users=users).send(api, {})
        return {"usergroup": group}

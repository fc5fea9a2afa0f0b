"""What it takes to work on a channel as a bot: to be in it, and a person's token for what no bot may do.

Source of facts: docs.slack.dev (conversations.*), and github.com/slack-go/slack issue 1066 for what a bot cannot unarchive.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from providers.base import Api, Call, Cursor, Json, Listing, PlatformError, Trouble
from providers.base.engine import Call as Request
from providers.base.ownership import owner
from providers.slack_api import USER_TOKEN, method, says

JOIN = method("conversations.join", channel="{id}")

_PERSON = "SLACK_USER_TOKEN (scopes channels:write and groups:write)"


@dataclass(frozen=True)
class AsMember(Call):
    """A call about a channel that only its members can make: a bot that is not in it enters, and asks again.

    ``channel`` names the value that has the channel's id.
    """

    channel: str = "id"

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        try:
            return Call.send(self, api, values, payload)
        except PlatformError as error:
            if not says(error, "not_in_channel"):
                raise
        enter(api, str(values[self.channel]))
        return Call.send(self, api, values, payload)


def enter(api: Api, channel: str) -> None:
    """Brings the bot into a channel. A private one it cannot join: somebody who is in it must invite it."""
    try:
        JOIN.send(api, {"id": channel})
    except PlatformError as error:
        if not says(error, "method_not_supported_for_channel_type", "channel_not_found"):
            raise
        _be_invited(api, channel)


def _be_invited(api: Api, channel: str) -> None:
    by_hand = "invite the bot in that channel (/invite and its name), then run the same command again"
    said = f"the bot is not in the private channel {channel}, and no bot can join one by itself"
    if not _has_person():
        raise PlatformError(Trouble.FORBIDDEN, said, do=f"{by_hand}; or set {_PERSON} of somebody who is in it")
    bot = method("auth.test").send(api, {})["user_id"]
    try:
        method("conversations.invite", auth=USER_TOKEN, channel=channel, users=bot).send(api, {})
    except PlatformError as error:
        if says(error, "already_in_channel"):
            return
        if says(error, "channel_not_found", "not_in_channel"):
            raise PlatformError(
                Trouble.FORBIDDEN, f"{said}; whose token SLACK_USER_TOKEN is, is not in it either", do=by_hand
            ) from error
        raise


@dataclass(frozen=True)
class EnterChannel(Call):
    """Brings the bot into a channel that is taken over, in whichever way its kind allows."""

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:  # noqa: ARG002 - one signature for all operations
        enter(api, str(values["id"]))
        return {}


@dataclass(frozen=True)
class CreateChannel(Call):
    """Says what stands in the way where Slack only says that the name is taken.

    A private channel that was archived is one that no bot can see. If it is ours, and SLACK_USER_TOKEN is of somebody who
    is in it, it is brought back, so that whoever looks for what has the name finds it.
    """

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        try:
            return Call.send(self, api, values, payload)
        except PlatformError as error:
            if says(error, "name_taken") and not _brought_back(api, str(values["name"])):
                error.do = (
                    "a channel that the bot cannot see has that name: a private one, or one that was private when it was "
                    "archived. Have somebody who is in it unarchive it if need be, and invite the bot; then set "
                    "`adopt: true`. Or rename that one, or give this one another name"
                )
            raise


def _brought_back(api: Api, name: str) -> bool:
    """Whether there was an archived private channel of this stack's with the name, which the bot is in again."""
    if not _has_person():
        return False
    listing = Listing(
        method("conversations.list", types="private_channel", auth=USER_TOKEN),
        items="channels",
        pages=Cursor("response_metadata.next_cursor", size=200),
    )
    for channel in listing.fetch(api, {}):
        ours = owner(channel.get("purpose", {}).get("value")) == Request().stack
        if channel["name"] == name and channel.get("is_archived") and ours:
            method("conversations.unarchive", auth=USER_TOKEN, channel=channel["id"]).send(api, {})
            _be_invited(api, channel["id"])
            return True
    return False


@dataclass(frozen=True)
class Unarchive(Call):
    """Only a person's token can bring a channel back. Without one a person has to do it, and is told how."""

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        name = f"#{values.get('name', '')} ({values['id']})"
        by_hand = (
            f"open {name} in Slack (it is found under Archived in the list of all channels), choose Unarchive in its "
            "menu, then run the same command again"
        )
        said = f"the channel {name} is archived, and no bot can unarchive one"
        if not _has_person():
            raise PlatformError(Trouble.FORBIDDEN, said, do=f"{by_hand}; or set {_PERSON}, then it is done for you")
        try:
            return Call.send(self, api, values, payload)
        except PlatformError as error:
            if says(error, "not_in_channel", "channel_not_found"):
                told = f"{said}; whose token SLACK_USER_TOKEN is, was not in it"
                raise PlatformError(Trouble.FORBIDDEN, told, do=by_hand) from error
            raise


@dataclass(frozen=True)
class Archive(AsMember):
    """Archives a channel that is this workspace's alone: one that others share would be taken from them.

    Bots leave a channel that is archived. Of a private one, whoever's token SLACK_USER_TOKEN is comes in before: somebody
    must be able to see it, and to bring it back.
    """

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        shown = method("conversations.info", "channel", channel="{id}").send(api, values)
        if shown.get("is_ext_shared") or shown.get("is_org_shared"):
            whose = "another organisation (Slack Connect)" if shown.get("is_ext_shared") else "other workspaces"
            raise PlatformError(
                Trouble.CONFLICT,
                f"it is shared with {whose}, and archiving it would take it from them",
                do="stop sharing it in Slack, then run the same command again; or, to leave it there, take it out of the "
                "state: `pulumi state delete` and its URN",
            )
        if shown.get("is_private") and not shown.get("is_archived") and _has_person():
            person = method("auth.test", auth=USER_TOKEN).send(api, {})["user_id"]
            invite = AsMember(
                "POST", "/conversations.invite", body={"channel": "{id}", "users": person}, repeatable=True
            )
            try:
                invite.send(api, values)
            except PlatformError as error:
                if not says(error, "already_in_channel"):
                    raise
        return AsMember.send(self, api, values, payload)


def _has_person() -> bool:
    return bool(os.environ.get(USER_TOKEN.variables, "").strip())

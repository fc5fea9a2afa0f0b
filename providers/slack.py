"""Slack: channels with their members and bookmarks, user groups with theirs, and apps by manifest.

How its methods are called is in ``slack_api``; what a bot needs to work on a channel in ``slack_channels``.
"""

from __future__ import annotations

from typing import Annotated, Any

import pulumi
from pydantic import AfterValidator, Field

from providers import base
from providers.base import (
    Call,
    Calls,
    Cursor,
    Immutable,
    Json,
    Kind,
    Listing,
    Out,
    Unordered,
    Unseen,
    Within,
)
from providers.slack_api import CONFIG_TOKEN, SLACK, USER_TOKEN, method
from providers.slack_apps import (
    NoSuchApp,
    UpdateApp,
    acceptable,
    manifest_method,
    manifest_only,
    manifest_shown,
    manifest_text,
)
from providers.slack_bookmarks import ADD, EDIT, FIND, REMOVE
from providers.slack_channels import JOIN, Archive, AsMember, CreateChannel, EnterChannel, Unarchive
from providers.slack_members import ReadChannelMembers, ReadGroupMembers, SetChannelMembers, SetGroupMembers

__all__ = ["SLACK", "App", "Bookmark", "Channel", "ChannelMembers", "ExistingApp", "UserGroup", "UserGroupMembers"]


class ChannelInputs(base.Inputs):
    name: str = Field(pattern=r"^[a-z0-9_-]{1,80}$", description="lower case, digits, - and _")
    is_private: Immutable[bool] = False
    purpose: str = Field(default="", max_length=200)
    topic: str | None = Field(default=None, max_length=250)


def _text_of(value: Any) -> Any:
    """Slack shows a topic or a purpose as ``{"value": …, "creator": …}``."""
    return value.get("value") if isinstance(value, dict) else value


def _setter(name: str) -> AsMember:
    return AsMember("POST", f"/{name}", body={"channel": "{id}"}, repeatable=True)


def _entering(document: Json) -> tuple[Call, ...]:
    if document.get("is_member"):
        return ()
    return (EnterChannel("POST", JOIN.path, body=JOIN.body, repeatable=True) if document.get("is_private") else JOIN,)


class Channel(base.Resource):
    """A channel. Slack cannot delete one: destroying it archives it, and making it again brings the archived one back.

    A bot can change a channel only as its member: it joins one that it takes over. It leaves a channel that is archived
    and cannot unarchive it: that one call is made with SLACK_USER_TOKEN (slack-go/slack#1066). Another name renames the
    channel, which stays the same. One that is shared beyond the workspace is not archived.
    """

    kind = Kind(
        api=SLACK,
        title="channel",
        setting="channels",
        inputs=ChannelInputs,
        calls=Calls(
            create=CreateChannel("POST", "/conversations.create", answer="channel", repeatable=False),
            create_takes=frozenset({"name", "is_private"}),
            read=method("conversations.info", "channel", channel="{id}"),
            setters={
                "name": _setter("conversations.rename"),
                "purpose": _setter("conversations.setPurpose"),
                "topic": _setter("conversations.setTopic"),
            },
            delete=Archive("POST", "/conversations.archive", body={"channel": "{id}"}, repeatable=True),
            revive=(
                Unarchive(
                    "POST", "/conversations.unarchive", body={"channel": "{id}"}, repeatable=True, auth=USER_TOKEN
                ),
            ),
            listing=Listing(
                method("conversations.list", types="public_channel,private_channel"),
                items="channels",
                pages=Cursor("response_metadata.next_cursor", size=200),
            ),
        ),
        identity="id",
        natural_key=("name",),
        mark="purpose",
        decode=lambda document: {key: _text_of(value) for key, value in document.items()},
        hidden=lambda document: bool(document.get("is_archived")),
        claim=_entering,
    )


Email = Annotated[str, AfterValidator(str.lower), Field(pattern=r"^[^@\s,]+@[^@\s,]+\.[^@\s,]+$")]


class ChannelMembersInputs(base.Inputs):
    channel: Immutable[str]
    people: Unordered[Email] = Field(default_factory=list, description="by address")
    usergroups: Unordered[str] = Field(
        default_factory=list, description="ids of groups, all of whose members are wanted"
    )
    exact: Unseen[bool] = False


class ChannelMembers(base.Resource):
    """Who is in a channel. ``exact`` removes everybody else, bots aside; without it only who is missing is invited.

    Nobody is removed when this resource is: people's being there is theirs by then.
    """

    kind = Kind(
        api=SLACK,
        title="channel's members",
        setting="channels",
        inputs=ChannelMembersInputs,
        calls=Calls(create=SetChannelMembers(), read=ReadChannelMembers(), update=SetChannelMembers()),
        identity="{channel}",
        natural_key=("channel",),
    )


class BookmarkInputs(base.Inputs):
    channel_id: Immutable[str]
    title: Immutable[str] = Field(min_length=1)
    link: str = Field(pattern=r"^https?://")
    emoji: str | None = Field(default=None, pattern=r"^:[^:\s]+:$")


class Bookmark(base.Resource):
    """A link at the top of a channel, known by its title there."""

    kind = Kind(
        api=SLACK,
        title="bookmark",
        setting="channels",
        inputs=BookmarkInputs,
        calls=Calls(create=ADD, read=FIND, update=EDIT, delete=REMOVE),
        identity="{channel_id}/{title}",
        natural_key=("title",),
        within=Within("channel_id", Channel.kind),
        reset={"emoji": ""},
    )


class UserGroupInputs(base.Inputs):
    handle: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,20}$")
    name: str = Field(min_length=1)
    description: str = Field(default="", max_length=100)
    channels: Unordered[str] = Field(default_factory=list, description="ids of the channels that its members join")


def _group_body(payload: Json, _wanted: base.Inputs) -> Json:
    return {**payload, "channels": ",".join(payload["channels"])} if "channels" in payload else payload


def _group_shown(document: Json) -> Json:
    return {**document, "channels": sorted(document.get("prefs", {}).get("channels", []))}


class UserGroup(base.Resource):
    """A user group (``@handle``). Slack cannot delete one: destroying it disables it, making it again enables it.

    Its name and its handle stay taken meanwhile. One that carries our mark is enabled again; somebody else's is an error.
    """

    kind = Kind(
        api=SLACK,
        title="user group",
        setting="usergroups",
        inputs=UserGroupInputs,
        calls=Calls(
            create=method("usergroups.create", "usergroup", repeatable=False),
            update=method("usergroups.update", "usergroup", usergroup="{id}"),
            delete=method("usergroups.disable", usergroup="{id}"),
            revive=(method("usergroups.enable", usergroup="{id}"),),
            listing=Listing(method("usergroups.list", include_disabled=True), items="usergroups"),
        ),
        identity="id",
        natural_key=("handle",),
        mark="description",
        encode=_group_body,
        decode=_group_shown,
        hidden=lambda document: bool(document.get("date_delete")),
    )


class UserGroupMembersInputs(base.Inputs):
    usergroup: Immutable[str]
    people: Unordered[Email] = Field(min_length=1, description="by address; Slack has no group without members")
    exact: Unseen[bool] = False


class UserGroupMembers(base.Resource):
    """Who is in a user group. ``exact`` removes everybody else; without it only who is missing is added.

    Nobody is removed when this resource is: Slack has no group without members.
    """

    kind = Kind(
        api=SLACK,
        title="user group's members",
        setting="usergroups",
        inputs=UserGroupMembersInputs,
        calls=Calls(create=SetGroupMembers(), read=ReadGroupMembers(), update=SetGroupMembers()),
        identity="{usergroup}",
        natural_key=("usergroup",),
    )


Manifest = Annotated[dict[str, Any], AfterValidator(acceptable)]


class AppInputs(base.Inputs):
    manifest: Manifest


class ExistingAppInputs(base.Inputs):
    app_id: Immutable[str] = Field(pattern=r"^A[A-Z0-9]+$")
    manifest: Manifest


class App(base.Resource):
    """An app, by its manifest. Slack shows its credentials once, when it is made; a person installs it by a click.

    Apps cannot be listed, so that one which exists is taken over by its id only (``ExistingApp``). A manifest is replaced
    whole; one that asks for other scopes needs the click again. Destroying it deletes the app for good, and with it every
    token of it. Incoming webhooks come out of an installation and have no API: use ``chat.postMessage`` with its token.
    """

    client_id: pulumi.Output[str]
    client_secret: pulumi.Output[str]
    signing_secret: pulumi.Output[str]
    verification_token: pulumi.Output[str]
    oauth_authorize_url: pulumi.Output[str]

    kind = Kind(
        api=SLACK,
        title="app",
        setting="apps",
        inputs=AppInputs,
        calls=Calls(
            create=manifest_method("create", repeatable=False),
            read=manifest_method("export", app_id="{id}"),
            update=UpdateApp(
                "POST", "/apps.manifest.update", body={"app_id": "{id}"}, repeatable=True, auth=CONFIG_TOKEN
            ),
            delete=manifest_method("delete", app_id="{id}"),
            update_sends="whole",
            rehearse=manifest_method("validate"),
        ),
        identity="app_id",
        outputs=(
            Out("oauth_authorize_url", "oauth_authorize_url"),
            Out("client_id", "credentials.client_id"),
            Out("client_secret", "credentials.client_secret", once=True),
            Out("signing_secret", "credentials.signing_secret", once=True),
            Out("verification_token", "credentials.verification_token", once=True),
        ),
        encode=manifest_text,
        decode=manifest_shown,
    )


class ExistingApp(base.Resource):
    """An app that somebody made, by its id: its manifest is managed from now on.

    What Slack showed whoever made it is not known here. Destroying this leaves the app alone: it is not ours to delete.
    """

    kind = Kind(
        api=SLACK,
        title="existing app",
        setting="apps",
        inputs=ExistingAppInputs,
        calls=Calls(
            create=NoSuchApp(),
            read=manifest_method("export", app_id="{app_id}"),
            update=UpdateApp(
                "POST", "/apps.manifest.update", body={"app_id": "{app_id}"}, repeatable=True, auth=CONFIG_TOKEN
            ),
            update_sends="whole",
            rehearse=manifest_method("validate", app_id="{app_id}"),
        ),
        identity="{app_id}",
        natural_key=("app_id",),
        encode=manifest_only,
        decode=manifest_shown,
    )

"""Slack: channels, user groups and apps by manifest.

Every method is a POST that answers 200 and says ``ok``. Manifest methods want an app configuration token, all others the
bot's. Source of facts: docs.slack.dev and slack_sdk for methods and errors, SchemaStore's slack-app-manifest for manifests.
"""

from __future__ import annotations

import json
from typing import Any

import httpx
import pulumi
from pydantic import Field

from providers import base
from providers.base import Call, Calls, Cursor, Environment, Immutable, Json, Kind, Listing, Out, Trouble, Unordered

_TROUBLES = {
    "ratelimited": Trouble.BUSY,
    "not_authed": Trouble.CREDENTIALS,
    "invalid_auth": Trouble.CREDENTIALS,
    "token_expired": Trouble.CREDENTIALS,
    "token_revoked": Trouble.CREDENTIALS,
    "account_inactive": Trouble.CREDENTIALS,
    "not_allowed_token_type": Trouble.CREDENTIALS,
    "missing_scope": Trouble.FORBIDDEN,
    "restricted_action": Trouble.FORBIDDEN,
    "name_taken": Trouble.CONFLICT,
    "handle_already_exists": Trouble.CONFLICT,
    "name_already_exists": Trouble.CONFLICT,
    "channel_not_found": Trouble.NOT_FOUND,
    "no_such_subteam": Trouble.NOT_FOUND,
    "subteam_not_found": Trouble.NOT_FOUND,
    "app_not_found": Trouble.NOT_FOUND,
    "invalid_app_id": Trouble.NOT_FOUND,
    "already_archived": Trouble.NOT_FOUND,
    "internal_error": Trouble.BROKEN,
    "fatal_error": Trouble.BROKEN,
    "service_unavailable": Trouble.BROKEN,
}


def _said(response: httpx.Response) -> str:
    """The error's code, what a scope error needs, and where a manifest is wrong."""
    answer = response.json()
    places = [
        f"{at.get('pointer', '')}: {at.get('message', '')}" for at in answer.get("errors", []) if isinstance(at, dict)
    ]
    needed = [f"needs the scope {answer['needed']}"] if "needed" in answer else []
    return "; ".join([str(answer.get("error")), *needed, *places])


def _trouble(response: httpx.Response) -> Trouble | None:
    if response.is_error:
        return base.trouble_of(response.status_code)
    answer = response.json() if response.content else {}
    return None if answer.get("ok") else _TROUBLES.get(str(answer.get("error")), Trouble.INVALID)


SLACK = base.Api(
    name="slack",
    title="Slack",
    base_url=Environment("SLACK_API_URL"),
    auth=base.Bearer(Environment("SLACK_BOT_TOKEN")),
    said=_said,
    trouble=_trouble,
    # Slack counts by method and minute: tier 2 about 20, tier 3 about 50.
    limit=base.Limit(requests=20, seconds=60, each_path=True),
    limits={"/conversations.info": base.Limit(requests=50, seconds=60, each_path=True)},
    form=True,
    request_id_header="x-slack-req-id",
)


_CONFIG_TOKEN = base.Bearer(Environment("SLACK_CONFIG_TOKEN"))
_USER_TOKEN = base.Bearer(Environment("SLACK_USER_TOKEN"))


def _method(
    name: str, answer: str = "", *, repeatable: bool = True, auth: base.Bearer | None = None, **body: Any
) -> Call:
    """A method that may be sent twice, unless said otherwise. ``body`` are its constant arguments."""
    return Call("POST", f"/{name}", body=body, answer=answer, repeatable=repeatable, auth=auth)


class ChannelInputs(base.Inputs):
    name: str = Field(pattern=r"^[a-z0-9_-]{1,80}$", description="lower case, digits, - and _")
    is_private: Immutable[bool] = False
    purpose: str = Field(default="", max_length=200)
    topic: str | None = Field(default=None, max_length=250)


def _text_of(value: Any) -> Any:
    """Slack shows a topic or a purpose as ``{"value": …, "creator": …}``."""
    return value.get("value") if isinstance(value, dict) else value


_JOIN = _method("conversations.join", channel="{id}")


class Channel(base.Resource):
    """A channel. Slack cannot delete one: destroying it archives it, and making it again brings the archived one back.

    A bot can change a channel only as its member: it joins one that it takes over. It leaves a channel that is archived
    and cannot unarchive it: that one call is made with SLACK_USER_TOKEN (slack-go/slack#1066).
    Its members are people's own affair, and are not managed.
    """

    kind = Kind(
        api=SLACK,
        title="channel",
        setting="channels",
        inputs=ChannelInputs,
        calls=Calls(
            create=_method("conversations.create", "channel", repeatable=False),
            create_takes=frozenset({"name", "is_private"}),
            read=_method("conversations.info", "channel", channel="{id}"),
            setters={
                "name": _method("conversations.rename", "channel", channel="{id}"),
                "purpose": _method("conversations.setPurpose", channel="{id}"),
                "topic": _method("conversations.setTopic", channel="{id}"),
            },
            delete=_method("conversations.archive", channel="{id}"),
            revive=(_method("conversations.unarchive", auth=_USER_TOKEN, channel="{id}"),),
            listing=Listing(
                _method("conversations.list", types="public_channel,private_channel"),
                items="channels",
                pages=Cursor("response_metadata.next_cursor", size=200),
            ),
        ),
        identity="id",
        natural_key=("name",),
        mark="purpose",
        decode=lambda document: {key: _text_of(value) for key, value in document.items()},
        hidden=lambda document: bool(document.get("is_archived")),
        claim=lambda document: () if document.get("is_member") else (_JOIN,),
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

    Its members are not managed: people join and leave without a deployment.
    """

    kind = Kind(
        api=SLACK,
        title="user group",
        setting="usergroups",
        inputs=UserGroupInputs,
        calls=Calls(
            create=_method("usergroups.create", "usergroup", repeatable=False),
            update=_method("usergroups.update", "usergroup", usergroup="{id}"),
            delete=_method("usergroups.disable", usergroup="{id}"),
            revive=(_method("usergroups.enable", usergroup="{id}"),),
            listing=Listing(_method("usergroups.list", include_disabled=True), items="usergroups"),
        ),
        identity="id",
        natural_key=("handle",),
        mark="description",
        encode=_group_body,
        decode=_group_shown,
        hidden=lambda document: bool(document.get("date_delete")),
    )


class AppInputs(base.Inputs):
    manifest: dict[str, Any]


def _manifest_text(payload: Json, _wanted: base.Inputs) -> Json:
    return {"manifest": json.dumps(payload["manifest"], sort_keys=True)}


def _manifest_method(name: str, *, repeatable: bool = True, **body: Any) -> Call:
    return Call("POST", f"/apps.manifest.{name}", body=body, repeatable=repeatable, auth=_CONFIG_TOKEN)


class App(base.Resource):
    """An app, by its manifest. Slack shows its credentials once, when it is made; a person installs it by a click.

    Apps cannot be listed, so one that exists can be neither found nor adopted. A manifest is replaced whole. Incoming
    webhooks come out of an installation and have no API: use ``chat.postMessage`` with the bot's token.
    """

    client_id: pulumi.Output[str]
    client_secret: pulumi.Output[str]
    signing_secret: pulumi.Output[str]
    oauth_authorize_url: pulumi.Output[str]

    kind = Kind(
        api=SLACK,
        title="app",
        setting="apps",
        inputs=AppInputs,
        calls=Calls(
            create=_manifest_method("create", repeatable=False),
            read=_manifest_method("export", app_id="{id}"),
            update=_manifest_method("update", app_id="{id}"),
            delete=_manifest_method("delete", app_id="{id}"),
            update_sends="whole",
        ),
        identity="app_id",
        outputs=(
            Out("oauth_authorize_url", "oauth_authorize_url"),
            Out("client_id", "credentials.client_id"),
            Out("client_secret", "credentials.client_secret", once=True),
            Out("signing_secret", "credentials.signing_secret", once=True),
            Out("verification_token", "credentials.verification_token", once=True),
        ),
        encode=_manifest_text,
    )

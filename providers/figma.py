"""Figma: webhooks, links from designs to code (dev resources), variables; and that the projects and files they are in exist.

One token, personal or of the plan, for all; variables want a personal one with a full seat of an Enterprise plan. Source of
facts: Figma's OpenAPI description (figma/rest-api-spec) and developers.figma.com. How variables are written is in
``providers/figma_variables.py``, the other conversations are in ``providers/figma_calls.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import httpx
import pulumi
from pydantic import Field

from providers import base, figma_calls, figma_variables
from providers.base import Call, Calls, Environment, Immutable, Json, Kind, Listing, Out, Trouble, Within, WriteOnly

_NO_TOKEN = ("invalid token", "token expired", "token has expired", "missing token")
"""What Figma says, with 403, to a token that is none; other refusals with 403 are about permissions."""


_ABSENT = "take the id of one{1}: it is in the address of the {0}'s page; or share it with the token's owner"


def _said(response: httpx.Response) -> str:
    """Figma has two shapes of errors: ``{"status", "err"}`` and ``{"status", "error", "message"}``."""
    answer = response.json()
    text = str(answer.get("err") or answer.get("message"))
    tier, kind = (response.headers.get(f"x-figma-{name}") for name in ("plan-tier", "rate-limit-type"))
    return f"{text} (limit {kind} of the plan {tier})" if tier and kind else text


def _trouble(response: httpx.Response) -> Trouble | None:
    if not response.is_error:
        return None
    if response.status_code == httpx.codes.FORBIDDEN and any(word in response.text.lower() for word in _NO_TOKEN):
        return Trouble.CREDENTIALS
    return base.trouble_of(response.status_code)


FIGMA = base.Api(
    name="figma",
    title="Figma",
    base_url=Environment("FIGMA_API_URL"),
    auth=base.Bearer(Environment("FIGMA_TOKEN"), header="X-Figma-Token", prefix=""),
    said=_said,
    trouble=_trouble,
    # What is allowed a minute depends on endpoint, seat and plan (25 to 150), and no call tells which holds.
    limit=base.Unpublished(start=4.0, most=10.0),
    constants={"team": Environment("FIGMA_TEAM_ID"), "plan": Environment("FIGMA_PLAN_ID")},
)


class ProjectInputs(base.Inputs):
    project_id: Immutable[str] = Field(alias="id", pattern=r"^\d+$")


class Project(base.Resource):
    """A project of the team (a folder, as Figma's pages say now), which people make: it is only seen to be there."""

    name: pulumi.Output[str]

    kind = base.asserted(
        api=FIGMA,
        title="project",
        setting="projects",
        inputs=ProjectInputs,
        listing=Listing(Call("GET", "/v1/teams/{team}/projects"), items="projects"),
        identity="id",
        natural_key=("project_id",),
        outputs=(Out("name", "name"),),
        show="name",
        do=_ABSENT.format("project", " of the team in FIGMA_TEAM_ID"),
    )


class FileInputs(base.Inputs):
    project_id: Immutable[str]
    file_key: Immutable[str] = Field(alias="key", min_length=1)


class File(base.Resource):
    """A file in a project, which people make: it is only seen to be there. Its key is in its address."""

    name: pulumi.Output[str]

    kind = base.asserted(
        api=FIGMA,
        title="file",
        setting="files",
        inputs=FileInputs,
        listing=Listing(Call("GET", "/v1/projects/{project_id}/files"), items="files"),
        identity="key",
        natural_key=("file_key",),
        within=Within("project_id", Project.kind),
        outputs=(Out("name", "name"),),
        show="name",
        do=_ABSENT.format("file", " of the project"),
    )


Event = Literal[
    "FILE_UPDATE",
    "FILE_VERSION_UPDATE",
    "FILE_DELETE",
    "LIBRARY_PUBLISH",
    "FILE_COMMENT",
    "DEV_MODE_STATUS_UPDATE",
]
"""``PING`` cannot be subscribed to: every webhook gets it once, when it is made."""


class WebhookInputs(base.Inputs):
    context: Immutable[Literal["team", "project", "file"]]
    context_id: Immutable[str]
    event_type: Event
    endpoint: Annotated[str, Field(max_length=2048, pattern=r"^https?://")]
    passcode: WriteOnly[str] = Field(min_length=1, max_length=100)
    status: Literal["ACTIVE", "PAUSED"] = "ACTIVE"
    description: str = Field(default="", max_length=100, description="Figma takes 140, of which the mark needs some")


def _webhook_shown(document: Json) -> Json:
    """Contexts are written in lower case and shown in upper case; the passcode is shown as nothing."""
    shown = {name: value for name, value in document.items() if name != "passcode"}
    return {**shown, "context": shown["context"].lower(), "description": shown.get("description") or ""}


class Webhook(base.Resource):
    """Deliveries of one kind of event, of a team (20 webhooks at most), a project (5) or a file (3).

    The passcode stands in the body of every delivery: that is all by which a receiver knows Figma. It is never shown again,
    and every change of the webhook sends it anew.
    """

    kind = Kind(
        api=FIGMA,
        title="webhook",
        setting="webhooks",
        inputs=WebhookInputs,
        calls=Calls(
            create=Call("POST", "/v2/webhooks"),
            read=Call("GET", "/v2/webhooks/{id}"),
            update=figma_calls.UpdateWebhook(),
            delete=Call("DELETE", "/v2/webhooks/{id}"),
            update_sends="whole",
            listing=Listing(
                Call("GET", "/v2/webhooks", params={"plan_api_id": "{plan}"}),
                items="webhooks",
                pages=figma_calls.Linked("pagination.next_page", limit_param=None),
            ),
        ),
        identity="id",
        natural_key=("context", "context_id", "event_type", "endpoint"),
        mark="description",
        outputs=(Out("team_id", "team_id"),),
        decode=_webhook_shown,
    )


class DevResourceInputs(base.Inputs):
    file_key: Immutable[str]
    node_id: Immutable[str] = Field(pattern=r"^I?\d+:\d+(;\d+:\d+)*$", description="as in 12:34")
    name: str = Field(min_length=1)
    url: str = Field(pattern=r"^https?://")


class DevResource(base.Resource):
    """A link from a node of a design to where it is built, which Dev Mode shows. A node has ten at most, each with its own
    address.
    """

    kind = Kind(
        api=FIGMA,
        title="dev resource",
        setting="dev_resources",
        inputs=DevResourceInputs,
        calls=Calls(
            create=figma_calls.InBulk("POST", "links_created"),
            update=figma_calls.InBulk("PUT", "links_updated"),
            delete=Call("DELETE", "/v1/files/{file_key}/dev_resources/{id}"),
            listing=Listing(Call("GET", "/v1/files/{file_key}/dev_resources"), items="dev_resources"),
        ),
        identity="id",
        natural_key=("node_id", "url"),
        within=Within("file_key", File.kind),
    )


class VariableCollectionInputs(base.Inputs):
    file_key: Immutable[str]
    name: str = Field(min_length=1)
    hidden: bool = Field(default=False, description="from the library, when the file is published")
    modes: Mapping[figma_variables.ModeName, Literal["default", "other"]]
    variables: Mapping[figma_variables.VariableName, figma_variables.Variable] = Field(max_length=5000)


class VariableCollection(base.Resource):
    """A collection of variables (design tokens) with its modes and values, written as one.

    What designers add to it, variables or modes, stays and is not looked at. Deleting the collection detaches whatever uses
    its variables. Publishing the file as a library, without which other files see nothing of a change, is by hand only.
    """

    variable_ids: pulumi.Output[Mapping[str, str]]

    kind = Kind(
        api=FIGMA,
        title="collection of variables",
        setting="variables",
        inputs=VariableCollectionInputs,
        calls=Calls(
            create=figma_variables.Write(),
            read=figma_variables.Read(),
            update=figma_variables.Write(),
            delete=figma_variables.Delete(),
            update_sends="whole",
            listing=figma_variables.Collections(Call("GET", figma_variables.LOCAL)),
        ),
        identity="id",
        natural_key=("name",),
        within=Within("file_key", File.kind),
        outputs=(Out("variable_ids", "variable_ids"), Out("mode_ids", "mode_ids")),
    )

"""The inputs of Asana's kinds. Source of facts: Asana's OpenAPI description (``asana_oas.yaml``)."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from providers.base import Carried, Immutable, Inputs, Unordered

Gid = Annotated[str, Field(min_length=1)]
AccessLevel = Literal["admin", "editor", "commenter", "viewer"]


class WorkspaceInputs(Inputs):
    name: Immutable[str | None] = None
    gid: Immutable[str | None] = None


class PersonInputs(Inputs):
    workspace: Immutable[Gid]
    email: Immutable[Annotated[str, AfterValidator(str.lower)]]


class TeamInputs(Inputs):
    workspace: Immutable[Gid] = Field(alias="organization")
    name: str = Field(min_length=1)
    description: str = ""
    visibility: Literal["secret", "request_to_join", "public"] = "request_to_join"


class ProjectInputs(Inputs):
    workspace: Immutable[Gid]
    team: Immutable[str | None] = None
    name: str = Field(min_length=1)
    notes: str = ""
    color: str | None = None
    default_view: Literal["list", "board", "calendar", "timeline"] = "list"
    privacy_setting: Literal["public_to_workspace", "private_to_team", "private"] = "private"
    default_access_level: AccessLevel = "editor"
    archived: bool = False


class ProjectMemberInputs(Inputs):
    project: Immutable[Gid] = Field(alias="parent")
    member: Immutable[Gid] = Field(description="the gid of a person or a team")
    access_level: AccessLevel = "editor"


class SectionInputs(Inputs):
    project: Immutable[Gid]
    name: str = Field(min_length=1)


class SectionOrderInputs(Inputs):
    project: Immutable[Gid]
    sections: list[Gid] = Field(min_length=2)


class EnumOption(BaseModel):
    """An option of an enum field."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    color: str = "none"


class CustomFieldInputs(Inputs):
    workspace: Immutable[Gid]
    resource_subtype: Immutable[Literal["text", "enum", "multi_enum", "number", "date", "people"]]
    name: str = Field(min_length=1)
    description: str = ""
    precision: int | None = Field(default=None, ge=0, le=6)
    format: Literal["currency", "identifier", "percentage", "custom", "duration", "none"] | None = None
    currency_code: str | None = None
    custom_label: str | None = None
    custom_label_position: Literal["prefix", "suffix"] | None = None
    has_notifications_enabled: bool | None = None
    enum_options: list[EnumOption] | None = None
    renamed: Carried[dict[str, str]] = Field(
        default_factory=dict, description="what options were called, by their new names"
    )


class FieldSettingInputs(Inputs):
    project: Immutable[Gid]
    custom_field: Immutable[Gid]
    is_important: Carried[bool] = False
    insert_after: Carried[str | None] = None


class TagInputs(Inputs):
    workspace: Immutable[Gid]
    name: str = Field(min_length=1)
    color: str | None = None
    notes: str = ""


class Filter(BaseModel):
    """Which events a webhook is told of: all members that are given must fit."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    resource_type: str | None = None
    resource_subtype: str | None = None
    action: Literal["changed", "added", "removed", "deleted", "undeleted"] | None = None
    fields: Unordered[str] | None = None


def _in_order(filters: list[Filter]) -> list[Filter]:
    return sorted(filters, key=lambda one: json.dumps(one.model_dump(), sort_keys=True))


class WebhookInputs(Inputs):
    workspace: Immutable[Gid]
    resource: Immutable[Gid]
    target: Immutable[str] = Field(pattern=r"^https?://[^\s/]+/\S*$")
    filters: Annotated[list[Filter], AfterValidator(_in_order)] = Field(default_factory=list)

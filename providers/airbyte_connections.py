"""What a connection of Airbyte is made of, and how that is spelled on the wire. The resource is in ``airbyte.py``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from providers import base
from providers.base import Carried, Immutable, Json, Unordered


class AirbyteInputs(base.Inputs):
    model_config = ConfigDict(alias_generator=to_camel)


CronExpression = Annotated[str, AfterValidator(lambda text: text.removesuffix(" UTC"))]
"""Quartz, six or seven fields. Airbyte shows it with its time zone, which is UTC where none was given."""


class Schedule(AirbyteInputs):
    """When it syncs. People can choose ``basic`` in the UI ("Every 6 HOURS"): the API shows that and cannot set it."""

    schedule_type: Literal["manual", "cron"]
    cron_expression: CronExpression | None = None


class SelectedField(AirbyteInputs):
    field_path: list[str]


_OrNone = AfterValidator(lambda value: value or None)
"""Airbyte shows what a stream does not have as empty: that is the same as not to name it."""


class Mapper(AirbyteInputs):
    """What is done to the rows of a stream on their way. The id is Airbyte's own."""

    type: Literal["hashing", "field-renaming", "row-filtering", "encryption", "field-filtering"]
    mapper_configuration: dict[str, Any]


SelectedFields = Annotated[
    list[SelectedField], AfterValidator(lambda fields: sorted(fields, key=lambda field: field.field_path))
]


class Stream(AirbyteInputs):
    """A stream that is synced. Mappers run in their order; selected fields are a set."""

    name: str
    namespace: str | None = None
    sync_mode: str | None = None
    cursor_field: list[str] | None = None
    primary_key: list[list[str]] | None = None
    selected_fields: Annotated[SelectedFields | None, _OrNone] = None
    mappers: Annotated[list[Mapper] | None, _OrNone] = None
    destination_object_name: Annotated[str | None, _OrNone] = None
    include_files: Annotated[bool | None, _OrNone] = None


Streams = Annotated[
    list[Stream],
    AfterValidator(lambda streams: sorted(streams, key=lambda stream: (stream.name, stream.namespace or ""))),
]
"""A set for Airbyte, which shows it in an order of its own."""


class TagReference(AirbyteInputs):
    """A connection names its tags by all that they are (the API's ``Tag``)."""

    tag_id: str
    workspace_id: str
    name: str
    color: str


class ConnectionInputs(AirbyteInputs):
    workspace_id: Immutable[str] = Field(description="that of its source: connections are listed by workspace")
    source_id: Immutable[str]
    destination_id: Immutable[str]
    name: str = Field(min_length=1)
    status: Literal["active", "inactive"] = "active"
    schedule: Schedule | None = Field(default=None, description="None leaves it as it is on Airbyte")
    namespace_definition: Literal["source", "destination", "custom_format"] = "destination"
    namespace_format: str | None = None
    prefix: str = ""
    non_breaking_schema_updates_behavior: Literal[
        "ignore", "disable_connection", "propagate_columns", "propagate_fully"
    ] = "ignore"
    streams: Streams | None = None
    tag_ids: Unordered[str] = Field(default_factory=list)
    tags: Carried[list[TagReference]] = Field(default_factory=list)


def connection_body(payload: Json, wanted: base.Inputs) -> Json:
    """A payload as the API takes it. A schedule that is not managed any more stays as it is."""
    body = {key: value for key, value in payload.items() if key not in ("workspaceId", "streams", "tagIds", "tags")}
    if body.get("schedule", ...) is None:
        del body["schedule"]
    if "streams" in payload:
        body["configurations"] = {"streams": payload["streams"] or []}
    if "tagIds" in payload:
        body["tags"] = wanted.wire()["tags"]
    return body


def connection_shown(document: Json) -> Json:
    """A connection as the API shows it, in the form of the inputs."""
    streams = sorted(
        document.get("configurations", {}).get("streams", []),
        key=lambda stream: (str(stream["name"]), str(stream.get("namespace") or "")),
    )
    return {**document, "streams": streams, "tagIds": [tag["tagId"] for tag in document.get("tags", [])]}

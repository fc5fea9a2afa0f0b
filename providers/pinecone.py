"""Pinecone: projects and their API keys, indexes, backups and the schedules that make them.

Two planes, two credentials: a service account's token administers projects and keys, an API key of the project its indexes.
Source of facts: Pinecone's API descriptions of 2026-04 (pinecone-io/pinecone-api), and for backup schedules, which came
with 2026-07, its reference and Python SDK. How an index is spelled is in ``providers/pinecone_indexes.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import httpx
import pulumi
from pydantic import Field

from providers import base, pinecone_indexes
from providers.base import (
    Call,
    Calls,
    Cursor,
    Environment,
    Immutable,
    Json,
    Kind,
    Listing,
    Out,
    Slow,
    Trouble,
    Unordered,
    Within,
    rest,
)

_VERSION = {"X-Pinecone-Api-Version": "2026-04"}

_MEANINGS = {
    "FAILED_PRECONDITION": Trouble.CONFLICT,
    "QUOTA_EXCEEDED": Trouble.INVALID,
}
"""What some of Pinecone's codes mean, whatever the status: no pause helps a quota that is used up."""


def _said(response: httpx.Response) -> str:
    error = response.json()["error"]
    return f"{error['code']}: {error['message']}"


def _trouble(response: httpx.Response) -> Trouble | None:
    if not response.is_error:
        return None
    try:
        code = response.json()["error"]["code"]
    except (ValueError, KeyError, TypeError):
        code = None
    return _MEANINGS.get(code, base.trouble_of(response.status_code))


PINECONE = base.Api(
    name="pinecone",
    title="Pinecone",
    base_url=Environment("PINECONE_API_URL"),
    auth=base.Bearer(Environment("PINECONE_API_KEY"), header="Api-Key", prefix=""),
    said=_said,
    trouble=_trouble,
    headers=_VERSION,
    limit=base.Unpublished(),
)
"""The control plane of the one project whose API key it is."""

ADMIN = replace(
    PINECONE,
    auth=base.TokenExchange(
        "/oauth/token",
        (Environment("PINECONE_CLIENT_ID"), Environment("PINECONE_CLIENT_SECRET")),
        lambda client_id, client_secret: {
            "grant_type": "client_credentials",
            "audience": "https://api.pinecone.io/",
            "client_id": client_id,
            "client_secret": client_secret,
        },
        Environment("PINECONE_LOGIN_URL"),
        exchange_headers=_VERSION,
    ),
)
"""The organisation's projects and their API keys."""

SCHEDULES = replace(PINECONE, headers={"X-Pinecone-Api-Version": "2026-07"})
"""The control plane of the version that has backup schedules, and spells indexes in another way."""

_ANOTHER_INDEX = (
    "declare a new index under another key and name, fill it, let its readers switch to it, then remove this one"
)

IndexName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length=45)]
Metric = Literal["cosine", "dotproduct", "euclidean"]
Dimension = Annotated[int, Field(ge=1, le=20_000)]
Protection = Literal["enabled", "disabled"]


class ProjectInputs(base.Inputs):
    name: str = Field(min_length=1, max_length=512)
    max_pods: int | None = Field(default=None, ge=0, description="for pod indexes only; Pinecone's own default is none")
    force_encryption_with_cmek: bool | None = Field(default=None, description="once true it stays true")


class Project(base.Resource):
    """A project: what API keys are keys to. Pinecone deletes none that has indexes or backups; its keys go with it."""

    kind = Kind(
        api=ADMIN,
        title="project",
        setting="project",
        inputs=ProjectInputs,
        calls=rest("/admin/projects", listing=Listing(Call("GET", "/admin/projects"))),
        identity="id",
        natural_key=("name",),
    )


Role = Literal[
    "ProjectEditor",
    "ProjectViewer",
    "ControlPlaneEditor",
    "ControlPlaneViewer",
    "DataPlaneEditor",
    "DataPlaneViewer",
]


class ApiKeyInputs(base.Inputs):
    project_id: Immutable[str]
    name: str = Field(
        min_length=1, max_length=45, description="Pinecone takes 80, of which the stack's mark needs some"
    )
    roles: Unordered[Role] = Field(min_length=1)


class ApiKey(base.Resource):
    """A key of a project. ``value`` is shown once, when it is made, and kept as a secret. Pinecone's keys never expire.

    The name ends with the stack that manages it: there is no other place for that, and names need not be unique. A key
    whose value was lost with a killed run is deleted and made anew.
    """

    value: pulumi.Output[str]

    kind = Kind(
        api=ADMIN,
        title="API key",
        setting="keys",
        inputs=ApiKeyInputs,
        calls=Calls(
            create=Call("POST", "/admin/projects/{project_id}/api-keys", answer="key"),
            read=Call("GET", "/admin/api-keys/{id}"),
            update=Call("PATCH", "/admin/api-keys/{id}"),
            delete=Call("DELETE", "/admin/api-keys/{id}"),
            create_takes=frozenset({"name", "roles"}),
            listing=Listing(Call("GET", "/admin/projects/{project_id}/api-keys")),
        ),
        identity="id",
        natural_key=("name",),
        within=Within("project_id", Project.kind),
        outputs=(Out("value", "value", once=True),),
        mark="name",
    )


class ReadCapacity(base.Inputs):
    """``OnDemand``, or ``Dedicated`` nodes of our own, which cost by the hour."""

    mode: Literal["OnDemand", "Dedicated"]
    node_type: Literal["b1", "t1"] | None = None
    replicas: int | None = Field(default=None, ge=0, description="0 switches the index off")
    shards: int | None = Field(default=None, ge=1, description="250 GB each")


class _IndexInputs(base.Inputs):
    name: Immutable[IndexName]
    dimension: Immutable[Dimension | None] = None
    metric: Immutable[Metric | None] = None
    filterable: Immutable[Unordered[str] | None] = Field(
        default=None, description="the metadata fields that filters may use; without it all are indexed"
    )
    deletion_protection: Protection = "enabled"
    tags: dict[str, str] = Field(default_factory=dict)
    note: str = Field(default="", description=f"whose it is; kept as the tag {pinecone_indexes.OWNER_TAG}")


class IndexInputs(_IndexInputs):
    cloud: Immutable[Literal["aws", "azure", "gcp"]]
    region: Immutable[str]
    vector_type: Immutable[Literal["dense", "sparse"] | None] = None
    read_capacity: ReadCapacity | None = None
    model: Immutable[str | None] = Field(default=None, description="of Pinecone's own, which makes vectors of text")
    field_map: dict[str, str] | None = None
    read_parameters: dict[str, Any] | None = None
    write_parameters: dict[str, Any] | None = None


def _index_calls(deployment: str) -> Calls:
    return Calls(
        create=pinecone_indexes.Create(),
        read=Call("GET", "/indexes/{id}"),
        update=pinecone_indexes.Configure(),
        delete=pinecone_indexes.Delete(),
        listing=pinecone_indexes.Indexes(Call("GET", "/indexes"), items="indexes", deployment=deployment),
    )


def _terminating(index: Json) -> bool:
    return bool(index["status"]["state"] == "Terminating")


class Index(base.Resource):
    """A serverless index, with vectors of the writers' own or, with ``model``, of text that Pinecone embeds.

    ``host`` is where its data are read and written.
    """

    host: pulumi.Output[str]

    kind = Kind(
        api=PINECONE,
        title="index",
        setting="indexes",
        inputs=IndexInputs,
        calls=_index_calls("serverless"),
        identity="name",
        natural_key=("name",),
        outputs=(Out("host", "host"),),
        mark="note",
        decode=pinecone_indexes.shown,
        hidden=_terminating,
        slow=Slow(pinecone_indexes.readiness, interval=1.0),
        reset={"read_capacity": {"mode": "OnDemand"}},
        irreplaceable=_ANOTHER_INDEX,
    )


class PodIndexInputs(_IndexInputs):
    environment: Immutable[str]
    pod_type: str = Field(default="p1.x1", pattern=r"^(s1|p1|p2)\.x[1248]$", description="may only grow")
    replicas: int = Field(default=1, ge=1)
    shards: Immutable[Annotated[int, Field(ge=1)]] = 1
    source_collection: Immutable[str | None] = None


class PodIndex(base.Resource):
    """An index on pods of its own: Pinecone's older kind, which organisations that came since August 2025 cannot make."""

    host: pulumi.Output[str]

    kind = Kind(
        api=PINECONE,
        title="pod index",
        setting="pod_indexes",
        inputs=PodIndexInputs,
        calls=_index_calls("pod"),
        identity="name",
        natural_key=("name",),
        outputs=(Out("host", "host"),),
        mark="note",
        decode=pinecone_indexes.shown,
        hidden=_terminating,
        slow=Slow(pinecone_indexes.readiness, interval=1.0),
        irreplaceable=_ANOTHER_INDEX,
    )


class BackupInputs(base.Inputs):
    index_name: Immutable[IndexName] = Field(alias="source_index_name")
    name: Immutable[str] = Field(min_length=1)
    description: Immutable[str] = ""


def _backup_state(document: Json) -> bool | str:
    if document["status"] in ("Failed", "InitializationFailed"):
        return f"Pinecone could not make it ({document['status']}): remove it, and declare it again under another key"
    return bool(document["status"] == "Ready")


class Backup(base.Resource):
    """A backup of a serverless index as it is when this is declared; made once, and kept as long as it is declared.

    One that is gone from Pinecone is made anew, of the index as it is then.
    """

    kind = Kind(
        api=PINECONE,
        title="backup",
        setting="backups",
        inputs=BackupInputs,
        calls=Calls(
            create=Call("POST", "/indexes/{index_name}/backups"),
            read=Call("GET", "/backups/{id}"),
            delete=Call("DELETE", "/backups/{id}"),
            create_takes=frozenset({"name", "description"}),
            listing=Listing(
                Call("GET", "/backups"), pages=Cursor("pagination.next", param="paginationToken", size=100)
            ),
        ),
        identity="backup_id",
        natural_key=("index_name", "name"),
        mark="description",
        slow=Slow(_backup_state),
        irreplaceable="declare another backup under another key; this one shows the index as it was",
    )


class BackupScheduleInputs(base.Inputs):
    index_name: Immutable[IndexName]
    name: Immutable[str] = Field(min_length=1, description="the backups' names begin with it")
    frequency: Literal["daily", "weekly", "monthly"]
    retention_days: int = Field(alias="retention_expire_after_days", ge=1)
    enabled: bool = True


@dataclass(frozen=True)
class _CreateSchedule:
    """What is shown flat, and changed nearly so, is nested when it is made."""

    auth: base.Bearer | None = None

    def send(self, api: base.Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        given = dict(payload or {})
        given["schedule"] = {"type": "time-based", "frequency": given.pop("frequency")}
        return Call("POST", "/indexes/{index_name}/backup-schedules").send(api, values, given)


def _schedule_body(payload: Json, _wanted: base.Inputs) -> Json:
    body = dict(payload)
    if "retention_expire_after_days" in body:
        body["retention"] = {"expire_after_days": body.pop("retention_expire_after_days")}
    return body


class BackupSchedule(base.Resource):
    """Backups of a serverless index by Pinecone itself, each kept for some days. An index has one that is enabled.

    Deleting a schedule leaves the backups that it has made, until they expire.
    """

    project_id: pulumi.Output[str]

    kind = Kind(
        api=SCHEDULES,
        title="backup schedule",
        setting="indexes",
        inputs=BackupScheduleInputs,
        calls=Calls(
            create=_CreateSchedule(),
            read=Call("GET", "/backup-schedules/{id}"),
            update=Call("PATCH", "/backup-schedules/{id}"),
            delete=Call("DELETE", "/backup-schedules/{id}"),
            create_takes=frozenset({"name", "frequency", "retention_expire_after_days"}),
            listing=Listing(
                Call("GET", "/indexes/{index_name}/backup-schedules"),
                pages=Cursor("pagination.next", param="paginationToken", size=100),
            ),
        ),
        identity="schedule_id",
        natural_key=("name",),
        within=Within("index_name", Index.kind),
        outputs=(Out("project_id", "project_id"),),
        encode=_schedule_body,
        delete_before_replace=True,
    )

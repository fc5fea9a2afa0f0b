"""Qdrant: clusters in its cloud with backups and keys; in any Qdrant database collections, aliases and payload indexes.

Needs a management key of Qdrant Cloud. A database has an address and keys of its own: both come as inputs, from the
cluster and the key that the stack makes, or from settings for a database that somebody else runs.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pulumi
from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from providers import base
from providers.base import Call, Calls, Carried, Cursor, Immutable, Kind, Listing, Out, Pick, Slow, Within, WriteOnly
from providers.qdrant_cloud import (
    CLOUD,
    CLUSTERS,
    DATABASE_KEYS,
    MANAGEMENT_KEYS,
    MOST_RULES,
    READ_CLUSTER,
    READ_SCHEDULE,
    SCHEDULES,
    ChangeCluster,
    Rebalance,
    RestartPolicy,
    Size,
    StorageTier,
    cluster_body,
    cluster_deleted,
    cluster_shown,
    cluster_state,
    key_body,
    key_shown,
    schedule_body,
    schedule_shown,
)
from providers.qdrant_database import (
    DATABASE,
    ChangeCollection,
    CreateCollection,
    Mint,
    ReadIndex,
    collection_body,
    collection_shown,
    index_body,
    index_shown,
)

_PAGES = Cursor("nextPageToken", param="pageToken", size=100, limit_param="pageSize")


class ClusterInputs(base.Inputs):
    name: str = Field(pattern=r"^[A-Za-z0-9_-]+$")
    cloud_provider_id: Immutable[str]
    cloud_provider_region_id: Immutable[str]
    number_of_nodes: int = Field(ge=1)
    size: Size
    version: str | None = None
    additional_disk_gib: int | None = Field(default=None, ge=0)
    allowed_ip_source_ranges: base.Unordered[str] | None = None
    labels: dict[str, str] | None = None
    storage_tier: StorageTier | None = None
    restart_policy: RestartPolicy | None = None
    rebalance_strategy: Rebalance | None = None
    database_configuration: dict[str, Any] | None = Field(default=None, description="as the API spells it")


class Cluster(base.Resource):
    """A cluster in Qdrant Cloud, ready when it is healthy. It stays where it was made; a smaller size is refused as long
    as the data do not fit. Its backups outlive it.
    """

    url: pulumi.Output[str]
    rest_port: pulumi.Output[int]

    kind = Kind(
        api=CLOUD,
        title="cluster",
        setting="clusters",
        inputs=ClusterInputs,
        calls=Calls(
            create=Call("POST", CLUSTERS, payload="cluster", answer="cluster"),
            read=READ_CLUSTER,
            update=ChangeCluster(),
            delete=Call("DELETE", CLUSTERS + "/{id}"),
            listing=Listing(Call("GET", CLUSTERS), items="items", pages=_PAGES),
            update_sends="whole",
        ),
        identity="id",
        natural_key=("name",),
        outputs=(Out("url", "state.endpoint.url"), Out("rest_port", "state.endpoint.restPort")),
        encode=cluster_body,
        decode=cluster_shown,
        hidden=cluster_deleted,
        slow=Slow(cluster_state, interval=2.0, patience=1200.0),
        irreplaceable=(
            "the cluster has data. Declare another cluster under a key of its own, restore a backup into it or fill it "
            "again, point its users there, and remove this one"
        ),
    )


class BackupScheduleInputs(base.Inputs):
    model_config = ConfigDict(alias_generator=to_camel)

    cluster_id: Immutable[str]
    display_name: str = Field(min_length=1)
    schedule: str = Field(pattern=r"^\S+( \S+){4}$", description="crontab, UTC")
    retention_days: int | None = Field(default=None, ge=1, le=365, alias="retention_days")


class BackupSchedule(base.Resource):
    """When a cluster is backed up, and for how many days a backup is kept. Deleting it leaves the backups."""

    kind = Kind(
        api=CLOUD,
        title="backup schedule",
        setting="backups",
        inputs=BackupScheduleInputs,
        calls=Calls(
            create=Call("POST", SCHEDULES, payload="backupSchedule", answer="backupSchedule"),
            read=READ_SCHEDULE,
            update=Call(
                "PUT",
                SCHEDULES + "/{id}",
                {"backupSchedule": {"clusterId": "{cluster_id}"}},
                payload="backupSchedule",
                answer="backupSchedule",
            ),
            delete=Call("DELETE", SCHEDULES + "/{id}"),
            listing=Listing(
                Call("GET", SCHEDULES, params={"clusterId": "{cluster_id}"}),
                items="items",
                pages=_PAGES,
            ),
            update_sends="whole",
        ),
        identity="id",
        natural_key=("display_name",),
        within=Within("cluster_id", Cluster.kind),
        mark="display_name",
        encode=schedule_body,
        decode=schedule_shown,
        hidden=lambda document: bool(document.get("deletedAt")),
    )


class DatabaseKeyInputs(base.Inputs):
    model_config = ConfigDict(alias_generator=to_camel)

    cluster_id: Immutable[str]
    name: Immutable[Annotated[str, Field(pattern=r"^[A-Za-z0-9 _-]+$")]]
    access: Immutable[Literal["MANAGE", "READ_ONLY"] | None] = None
    collections: Immutable[dict[str, Literal["READ_ONLY", "READ_WRITE"]]] = Field(
        default_factory=dict, max_length=MOST_RULES
    )
    expires_at: Immutable[base.Instant | None] = None


class DatabaseKey(base.Resource):
    """A key of a cluster's database. ``key`` is shown once, when it is made, and kept as a secret; nothing of a key can be
    changed. Without ``access`` and ``collections`` it may do everything.
    """

    key: pulumi.Output[str]

    kind = Kind(
        api=CLOUD,
        title="database key",
        setting="keys",
        inputs=DatabaseKeyInputs,
        calls=Calls(
            create=Mint(Call("POST", DATABASE_KEYS, payload="databaseApiKey", answer="databaseApiKey")),
            delete=Call("DELETE", DATABASE_KEYS + "/{id}", params={"clusterId": "{cluster_id}"}),
            listing=Listing(Call("GET", DATABASE_KEYS, params={"clusterId": "{cluster_id}"}), items="items"),
        ),
        identity="id",
        natural_key=("name",),
        within=Within("cluster_id", Cluster.kind),
        outputs=(Out("key", "key", once=True),),
        encode=key_body,
        decode=key_shown,
    )


class ManagementKeyInputs(base.Inputs):
    generation: Immutable[int] = Field(default=1, ge=1, description="another one makes another key")


class ManagementKey(base.Resource):
    """A key of the account for programs. ``key`` is shown once. Qdrant gives it no name: one that a killed run made can be
    told from others by a person only, who then deletes it.
    """

    key: pulumi.Output[str]

    kind = Kind(
        api=CLOUD,
        title="management key",
        setting="management_keys",
        inputs=ManagementKeyInputs,
        calls=Calls(
            create=Call("POST", MANAGEMENT_KEYS, {"managementKey": {}}, answer="managementKey"),
            read=Pick(Call("GET", MANAGEMENT_KEYS), "items", by={"id": "id"}),
            delete=Call("DELETE", MANAGEMENT_KEYS + "/{id}"),
        ),
        identity="id",
        natural_key=("generation",),
        outputs=(Out("key", "key", once=True), Out("prefix", "prefix")),
        encode=lambda _payload, _wanted: {},
    )


class InDatabase(base.Inputs):
    """What tells in which database an object is, and how it is reached: ``cluster`` is the id of the cluster, or what the
    settings call a database that is not ours. Another address or key of the same database is no difference.
    """

    cluster: Immutable[str]
    address: Carried[str]
    api_key: WriteOnly[Carried[str | None]] = None


class Vector(base.Inputs):
    """What cannot be changed of the vectors in a collection."""

    size: int = Field(ge=1, le=65_536)
    distance: Literal["Cosine", "Euclid", "Dot", "Manhattan"]
    datatype: Literal["float32", "float16", "uint8"] | None = None
    multivector_config: dict[str, Any] | None = None


class CollectionInputs(InDatabase):
    name: Immutable[Annotated[str, Field(pattern=r"^[^<>:\"/\\|?*\x00-\x1f]{1,255}$")]]
    vectors: Immutable[dict[str, Vector]] = Field(default_factory=dict)
    sparse_vectors: Immutable[dict[str, dict[str, Any]] | None] = None
    shard_number: Immutable[int | None] = Field(default=None, ge=1)
    sharding_method: Immutable[Literal["auto", "custom"] | None] = None
    wal_config: Immutable[dict[str, Any] | None] = None
    tuning: dict[str, dict[str, Any]] | None = Field(default=None, description="by vector: on_disk, hnsw_config, …")
    replication_factor: int | None = Field(default=None, ge=1)
    write_consistency_factor: int | None = Field(default=None, ge=1)
    on_disk_payload: bool | None = None
    hnsw_config: dict[str, Any] | None = None
    optimizers_config: dict[str, Any] | None = None
    quantization_config: dict[str, Any] | None = None
    strict_mode_config: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    purpose: str = ""


_COLLECTION = "/collections/{name}"


class Collection(base.Resource):
    """A collection: which vectors its points have, and how they are kept and found. ``purpose`` stands in its metadata, with
    the stack that manages it. Its points are data, and nobody's business here.
    """

    kind = Kind(
        api=DATABASE,
        title="collection",
        setting="collections",
        inputs=CollectionInputs,
        calls=Calls(
            create=CreateCollection(Call("PUT", _COLLECTION, repeatable=False)),
            read=Call("GET", _COLLECTION, answer="result"),
            update=ChangeCollection(Call("PATCH", _COLLECTION)),
            delete=Call("DELETE", _COLLECTION),
        ),
        identity="{cluster}/{name}",
        natural_key=("cluster", "name"),
        mark="purpose",
        encode=collection_body,
        decode=collection_shown,
        reset={"quantization_config": "Disabled"},
        irreplaceable=(
            "the collection has data. Declare another version of it beside this one, fill it, switch the alias to it "
            "(current), and remove the old version"
        ),
    )


class AliasInputs(InDatabase):
    name: Immutable[str]
    collection: str


_ALIASES = "/collections/aliases"
_CREATE_ALIAS = {"create_alias": {"alias_name": "{name}", "collection_name": "{collection}"}}
_DELETE_ALIAS = {"delete_alias": {"alias_name": "{name}"}}


class Alias(base.Resource):
    """The name by which programs know a collection. It is switched to another collection in one step: no search fails."""

    kind = Kind(
        api=DATABASE,
        title="alias",
        setting="collections",
        inputs=AliasInputs,
        calls=Calls(
            create=Call("POST", _ALIASES, {"actions": [_CREATE_ALIAS]}, repeatable=True),
            read=Pick(Call("GET", "/aliases"), "result.aliases", by={"alias_name": "name"}),
            update=Call("POST", _ALIASES, {"actions": [_DELETE_ALIAS, _CREATE_ALIAS]}, repeatable=True),
            delete=Call("POST", _ALIASES, {"actions": [_DELETE_ALIAS]}, repeatable=True),
        ),
        identity="{cluster}/{name}",
        natural_key=("cluster", "name"),
        encode=lambda _payload, _wanted: {},
        decode=lambda document: {"collection": document.get("collection_name")},
    )


class PayloadIndexInputs(InDatabase):
    collection: Immutable[str]
    field: Immutable[str]
    field_schema: Immutable[dict[str, Any]] = Field(description="type, and what the type has besides")


_INDEX = "/collections/{collection}/index"


class PayloadIndex(base.Resource):
    """An index on a field of the points' payload. Another schema builds it anew; the points stay as they are."""

    kind = Kind(
        api=DATABASE,
        title="payload index",
        setting="collections",
        inputs=PayloadIndexInputs,
        calls=Calls(
            create=Call("PUT", _INDEX, params={"wait": "true"}),
            read=ReadIndex(Call("GET", "/collections/{collection}", answer="result")),
            delete=Call("DELETE", _INDEX + "/{field}", params={"wait": "true"}),
        ),
        identity="{cluster}/{collection}/{field}",
        natural_key=("cluster", "collection", "field"),
        encode=index_body,
        decode=index_shown,
    )

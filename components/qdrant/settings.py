"""What the stack file says about Qdrant (``sophia-ai:qdrant``)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from components.explain import Mistake
from components.settings import (
    Adoptable,
    Key,
    SecretSource,
    Settings,
    matching,
    same_object,
    unknown_name,
)

Name = Annotated[str, matching(r"[A-Za-z0-9_-]+", "must be letters, digits, underscores and hyphens")]
KeyName = Annotated[str, matching(r"[A-Za-z0-9 _-]{1,60}", "must be up to 60 letters, digits, spaces, _ and -")]
CollectionName = Annotated[str, matching(r"[^<>:\"/\\|?*\x00-\x1f]{1,200}", 'must not have any of < > : " / \\ | ? *')]
Cron = Annotated[str, matching(r"\S+( \S+){4}", 'must be five fields of a crontab, such as "0 3 * * *" (UTC)')]
Address = Annotated[str, matching(r"https?://\S+", "must be an address with its port, such as https://host:6333")]
Distance = Literal["Cosine", "Euclid", "Dot", "Manhattan"]

MOST_RULES = 20
"""Access rules that a database key may have (cluster_auth_v2_database_api_key.swagger.json)."""


class SizeSettings(Settings):
    """What each node has, in the words of Qdrant's price list; there are sizes only that Qdrant sells in the region."""

    memory: Annotated[str, matching(r"\d+GiB", 'must be whole GiB, such as "4GiB"')]
    cpu: Annotated[str, matching(r"\d+m", 'must be thousandths of a CPU, such as "1000m"')]
    disk: Annotated[str, matching(r"\d+GiB", 'must be whole GiB, such as "16GiB"')]
    multi_az: bool = False


class ClusterSettings(Adoptable):
    """``manager_generation``: of the key with which this stack manages collections; the next one replaces it."""

    name: Name
    provider: Literal["aws", "gcp", "azure"]
    region: str
    nodes: int = Field(default=1, ge=1)
    size: SizeSettings
    version: Annotated[str, matching(r"v\d+\.\d+\.\d+", 'must be a release, such as "v1.19.1"')] | None = None
    additional_disk_gib: int | None = Field(default=None, ge=0)
    allowed_networks: list[str] | None = None
    storage_tier: Literal["COST_OPTIMISED", "BALANCED", "PERFORMANCE"] | None = None
    restart_policy: Literal["ROLLING", "PARALLEL", "AUTOMATIC"] | None = None
    rebalance: Literal["BY_COUNT", "BY_SIZE", "BY_COUNT_AND_SIZE", "DISABLED"] | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    audit_log: bool = False
    manager_generation: int = Field(default=1, ge=1)


class DatabaseSettings(Settings):
    """A Qdrant database that somebody else runs; without ``key`` it is one that asks for none."""

    address: Address
    key: SecretSource | None = None


class BackupSettings(Adoptable):
    """A schedule; each backup is kept for ``retention_days``."""

    cluster: str
    name: str
    schedule: Cron
    retention_days: int = Field(ge=1, le=365)


class KeySettings(Settings):
    """A database key: for everything (``access``), or for some collections by their keys here, in all their versions.

    Generations take turns: the one before the present one stays valid until the next.
    """

    cluster: str
    name: KeyName
    access: Literal["manage", "read-only"] | None = None
    collections: dict[str, Literal["read-only", "read-write"]] = Field(default_factory=dict)
    expires_at: str | None = None
    generation: int = Field(default=1, ge=1)

    def check(self) -> Iterator[Mistake]:
        """A key that says nothing would be allowed everything."""
        if (self.access is None) == (not self.collections):
            yield Mistake((), "must give either `access` (to the whole database) or `collections`")


class ManagementKeySettings(Settings):
    """A key of the account for a program. Another ``generation`` makes another key, then deletes this one."""

    generation: int = Field(default=1, ge=1)


class VectorSettings(Settings):
    """``size``, ``distance``, ``datatype`` and ``multivector`` are for good: to change them, declare another version."""

    size: int = Field(ge=1, le=65_536)
    distance: Distance = "Cosine"
    datatype: Literal["float32", "float16", "uint8"] | None = None
    multivector: Literal["max_sim"] | None = None
    on_disk: bool | None = None
    hnsw: dict[str, Any] | None = None
    quantization: dict[str, Any] | None = None


class SparseSettings(Settings):
    """A sparse vector; ``idf``: weighted by how rare a word is in the collection."""

    idf: bool = False
    on_disk: bool | None = None


class VersionSettings(Adoptable):
    """One collection. ``vector`` is one without a name, ``vectors`` are by name; members named as Qdrant's API has them.

    ``adopt`` covers the indexes, too.
    """

    name: CollectionName | None = None
    vector: VectorSettings | None = None
    vectors: dict[str, VectorSettings] = Field(default_factory=dict)
    sparse_vectors: dict[str, SparseSettings] = Field(default_factory=dict)
    shards: int | None = Field(default=None, ge=1)
    sharding: Literal["auto", "custom"] | None = None
    replication_factor: int | None = Field(default=None, ge=1)
    write_consistency_factor: int | None = Field(default=None, ge=1)
    on_disk_payload: bool | None = None
    hnsw: dict[str, Any] | None = None
    optimizers: dict[str, Any] | None = None
    quantization: dict[str, Any] | None = None
    strict_mode: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    indexes: dict[str, str | dict[str, Any]] = Field(default_factory=dict)

    def check(self) -> Iterator[Mistake]:
        """There is something to search by, and not both one vector and several; every index has a type."""
        if self.vector and self.vectors:
            yield Mistake(("vectors",), "must not be given beside `vector`: give that one a name, too")
        if not (self.vector or self.vectors or self.sparse_vectors):
            yield Mistake((), "must have `vector`, `vectors` or `sparse_vectors`")
        for field, schema in self.indexes.items():
            kind = schema if isinstance(schema, str) else schema.get("type")
            if kind not in _TYPES:
                yield Mistake(("indexes", field), f"must have one of the types {', '.join(_TYPES)}")


_TYPES = ("keyword", "integer", "float", "geo", "text", "bool", "datetime", "uuid")


class CollectionSettings(Settings):
    """A collection as programs know it: by ``alias``, which points at the ``current`` of its versions.

    What cannot be changed is changed by another version: declare it, fill it, make it the current one, remove the old one.
    """

    database: str
    alias: CollectionName
    current: str
    versions: dict[Key, VersionSettings] = Field(min_length=1)
    purpose: str = ""
    adopt: bool = False

    def check(self) -> Iterator[Mistake]:
        """The alias points at one of the versions, and none of them has its name."""
        yield from unknown_name(("current",), self.current, self.versions, "version")
        for key in self.versions:
            if self.name_of(key) == self.alias:
                yield Mistake(("versions", key, "name"), "is the name of the alias: a collection cannot have it")

    def name_of(self, version: str) -> str:
        """What the collection of a version is called in the database."""
        return self.versions[version].name or f"{self.alias}_{version}"

    @property
    def names(self) -> list[str]:
        """All names by which its points are reached."""
        return [self.alias, *(self.name_of(key) for key in self.versions)]


class QdrantSettings(Settings):
    """``sophia-ai:qdrant``. The management key comes from QDRANT_CLOUD_MANAGEMENT_KEY."""

    clusters: dict[Key, ClusterSettings] = Field(default_factory=dict)
    databases: dict[Key, DatabaseSettings] = Field(default_factory=dict)
    backups: dict[Key, BackupSettings] = Field(default_factory=dict)
    keys: dict[Key, KeySettings] = Field(default_factory=dict)
    management_keys: dict[Key, ManagementKeySettings] = Field(default_factory=dict)
    collections: dict[Key, CollectionSettings] = Field(default_factory=dict)

    def check(self) -> Iterator[Mistake]:
        """Everything refers to what is declared, and nothing is declared twice."""
        yield from same_object(("clusters",), self.clusters, "name")
        yield from same_object(("backups",), self.backups, "cluster", "name")
        yield from same_object(("keys",), self.keys, "cluster", "name")
        yield from same_object(("collections",), self.collections, "database", "alias")
        for key in sorted(self.clusters.keys() & self.databases.keys()):
            yield Mistake(("databases", key), "is the key of a cluster, too: collections could not tell the two apart")
        for key, backup in self.backups.items():
            yield from unknown_name(("backups", key, "cluster"), backup.cluster, self.clusters, "cluster")
        for key, given in self.keys.items():
            yield from self._check_key(key, given)
        yield from self._check_collections()

    def _check_key(self, key: str, given: KeySettings) -> Iterator[Mistake]:
        yield from unknown_name(("keys", key, "cluster"), given.cluster, self.clusters, "cluster")
        for name in given.collections:
            path = ("keys", key, "collections", name)
            found = self.collections.get(name)
            if found is None:
                yield from unknown_name(path, name, self.collections, "collection")
            elif found.database != given.cluster:
                yield Mistake(path, f"is in {found.database}, and the key is for {given.cluster}")
        rules = sum(len(self.collections[name].names) for name in given.collections if name in self.collections)
        if rules > MOST_RULES:
            said = f"need {rules} rules with all their versions and aliases: a key may have {MOST_RULES}"
            yield Mistake(("keys", key, "collections"), said)

    def _check_collections(self) -> Iterator[Mistake]:
        names: dict[tuple[str, str], str] = {}
        for key, collection in self.collections.items():
            databases = {**self.clusters, **self.databases}
            yield from unknown_name(
                ("collections", key, "database"), collection.database, databases, "cluster or database"
            )
            nodes = self.clusters[collection.database].nodes if collection.database in self.clusters else None
            for version, given in collection.versions.items():
                path = ("collections", key, "versions", version)
                other = names.setdefault((collection.database, collection.name_of(version)), key)
                if other != key:
                    yield Mistake((*path, "name"), f"is a collection of collections.{other}, too: each needs its own")
                if nodes and (given.replication_factor or 1) > nodes:
                    yield Mistake((*path, "replication_factor"), f"is more than the cluster's {nodes} node(s)")

"""Qdrant: the vectors that agents search, in clusters of our own or of others, and the keys to them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from components.qdrant.settings import (
    CollectionSettings,
    KeySettings,
    QdrantSettings,
    VectorSettings,
    VersionSettings,
)
from components.settings import Stage, data_store_options
from providers import qdrant
from providers.base import dynamic
from providers.qdrant_database import UNNAMED, address

__all__ = ["Qdrant", "QdrantSettings"]


@dataclass(frozen=True)
class _Database:
    """How the objects in a database are told apart from others', and reached."""

    cluster: pulumi.Input[str]
    address: pulumi.Input[str]
    api_key: pulumi.Input[str] | None

    @property
    def inputs(self) -> dict[str, Any]:
        return {"cluster": self.cluster, "address": self.address, "api_key": self.api_key}


class Qdrant(pulumi.ComponentResource):
    """Clusters with backup schedules and keys; in them, and in databases of others, collections with their versions,
    aliases and payload indexes. In prod clusters and collections are protected, and stay when the stack lets go of them;
    in no stage is one replaced.

    Outputs: ``addresses`` of the clusters by key; ``api_keys`` and ``management_keys`` by key: the present generation, as
    secrets.

    Not managed, on purpose: points (they are data), backups that schedules make and restores (``docs/qdrant.md`` tells how),
    users, roles and invitations, hybrid clouds and the Kubernetes clusters in them, serverless spaces, shard keys, and
    suspending a cluster, which is an operation. Vectors cannot be added to a collection here: that is another version.
    """

    addresses: Mapping[str, pulumi.Output[str]]
    api_keys: Mapping[str, pulumi.Output[str]]
    management_keys: Mapping[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        settings: QdrantSettings,
        *,
        stage: Stage,
        outputs: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sophia:platform:Qdrant", name, None, opts)
        self._child = dynamic(pulumi.ResourceOptions(parent=self))
        self._store = data_store_options(stage, self._child)
        self._settings = settings

        self._clusters = {key: self._create_cluster(key) for key in settings.clusters}
        self.addresses = {
            key: pulumi.Output.all(cluster.url, cluster.rest_port).apply(lambda at: address(at[0], at[1]))
            for key, cluster in self._clusters.items()
        }
        for key, backup in settings.backups.items():
            qdrant.BackupSchedule(
                key,
                self._child,
                cluster_id=self._clusters[backup.cluster].id,
                display_name=backup.name,
                schedule=backup.schedule,
                retention_days=backup.retention_days,
                adopt=backup.adopt,
            )
        for key, database in self._reached(outputs).items():
            for collection, declared in settings.collections.items():
                if declared.database == key:
                    self._create_collection(collection, declared, database)
        self.api_keys = {key: self._create_key(key, given) for key, given in settings.keys.items()}
        self.management_keys = {
            key: qdrant.ManagementKey(key, self._child, generation=given.generation).key
            for key, given in settings.management_keys.items()
        }
        self.register_outputs(
            {"addresses": self.addresses, "api_keys": self.api_keys, "management_keys": self.management_keys}
        )

    def _create_cluster(self, key: str) -> qdrant.Cluster:
        settings = self._settings.clusters[key]
        size = settings.size
        return qdrant.Cluster(
            key,
            self._store,
            name=settings.name,
            cloud_provider_id=settings.provider,
            cloud_provider_region_id=settings.region,
            number_of_nodes=settings.nodes,
            size={"ram": size.memory, "cpu": size.cpu, "disk": size.disk, "multi_az": size.multi_az},
            version=settings.version,
            additional_disk_gib=settings.additional_disk_gib,
            allowed_ip_source_ranges=settings.allowed_networks,
            storage_tier=settings.storage_tier,
            restart_policy=settings.restart_policy,
            rebalance_strategy=settings.rebalance,
            labels=settings.labels or None,
            database_configuration={"auditLogging": {"enabled": True}} if settings.audit_log else None,
            adopt=settings.adopt,
        )

    def _reached(self, outputs: Mapping[str, pulumi.Input[str]]) -> dict[str, _Database]:
        """The databases that have collections of ours. A cluster gets a key of its own for that, which nobody is given."""
        wanted = {collection.database for collection in self._settings.collections.values()}
        reached = {}
        for key, cluster in self._clusters.items():
            if key in wanted:
                manager = qdrant.DatabaseKey(
                    f"{key}.manager",
                    self._child,
                    cluster_id=cluster.id,
                    name=f"{pulumi.get_project()}-{pulumi.get_stack()}-{self._settings.clusters[key].manager_generation}",
                    access="MANAGE",
                )
                reached[key] = _Database(cluster.id, self.addresses[key], manager.key)
        for key, given in self._settings.databases.items():
            place = f"qdrant.databases.{key}.key"
            api_key = given.key.resolve(outputs, place) if given.key else None
            reached[key] = _Database(key, given.address, api_key)
        return reached

    def _create_collection(self, key: str, settings: CollectionSettings, database: _Database) -> None:
        """All versions with their indexes; then the alias, so that it never points at what is not ready."""
        made: list[pulumi.Resource] = []
        for version, declared in settings.versions.items():
            logical = f"{key}.versions.{version}"
            name = settings.name_of(version)
            collection = qdrant.Collection(
                logical,
                self._store,
                **database.inputs,
                **_collection(declared),
                name=name,
                purpose=settings.purpose,
                adopt=declared.adopt,
            )
            inside = pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=[collection]))
            made.append(collection)
            for field, schema in declared.indexes.items():
                made.append(
                    qdrant.PayloadIndex(
                        f"{logical}.indexes.{field}",
                        inside,
                        **database.inputs,
                        collection=name,
                        field=field,
                        field_schema={"type": schema} if isinstance(schema, str) else schema,
                        adopt=declared.adopt,
                    )
                )
        qdrant.Alias(
            key,
            pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=made)),
            **database.inputs,
            name=settings.alias,
            collection=settings.name_of(settings.current),
            adopt=settings.adopt,
        )

    def _create_key(self, key: str, settings: KeySettings) -> pulumi.Output[str]:
        """Odd generations are in the first slot, even ones in the second: the one before the present one stays valid."""
        latest = settings.generation
        slots = {key: latest - (latest + 1) % 2}
        if latest > 1:
            slots[f"{key}.second"] = latest - latest % 2
        made = {generation: self._create_key_in(slot, settings, generation).key for slot, generation in slots.items()}
        return made[latest]

    def _create_key_in(self, slot: str, settings: KeySettings, generation: int) -> qdrant.DatabaseKey:
        """Nothing of a key can be changed. Its name tells what it may do, so that a new one is there before the old one
        goes.
        """
        rules = {
            name: access.upper().replace("-", "_")
            for collection, access in sorted(settings.collections.items())
            for name in self._settings.collections[collection].names
        }
        told = json.dumps([settings.access, rules, settings.expires_at], sort_keys=True)
        digest = hashlib.blake2b(told.encode(), digest_size=3).hexdigest()
        return qdrant.DatabaseKey(
            slot,
            self._child,
            cluster_id=self._clusters[settings.cluster].id,
            name=f"{settings.name} {generation}-{digest}",
            access=settings.access.upper().replace("-", "_") if settings.access else None,
            collections=rules,
            expires_at=settings.expires_at,
        )


def _collection(settings: VersionSettings) -> dict[str, Any]:
    """A version in the words of the resource: what of a vector is for good, and what is not, stand apart there."""
    vectors = {UNNAMED: settings.vector} if settings.vector else settings.vectors
    tuning = {name: tuned for name, vector in vectors.items() if (tuned := _tuning(vector))}
    sparse = {
        name: _given(modifier="idf" if given.idf else None, index=_given(on_disk=given.on_disk) or None)
        for name, given in settings.sparse_vectors.items()
    }
    return {
        "vectors": {name: _fixed(vector) for name, vector in vectors.items()},
        "tuning": tuning or None,
        "sparse_vectors": sparse or None,
        "shard_number": settings.shards,
        "sharding_method": settings.sharding,
        "replication_factor": settings.replication_factor,
        "write_consistency_factor": settings.write_consistency_factor,
        "on_disk_payload": settings.on_disk_payload,
        "hnsw_config": settings.hnsw,
        "optimizers_config": settings.optimizers,
        "quantization_config": settings.quantization,
        "strict_mode_config": settings.strict_mode,
        "metadata": settings.metadata,
    }


def _fixed(vector: VectorSettings) -> dict[str, Any]:
    comparator = {"comparator": vector.multivector} if vector.multivector else None
    return _given(size=vector.size, distance=vector.distance, datatype=vector.datatype, multivector_config=comparator)


def _tuning(vector: VectorSettings) -> dict[str, Any]:
    return _given(on_disk=vector.on_disk, hnsw_config=vector.hnsw, quantization_config=vector.quantization)


def _given(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}

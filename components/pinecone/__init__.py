"""Pinecone: the vectors of conversations, documents and playbooks, and the keys to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from components.pinecone.settings import IndexSettings, PineconeSettings, PodIndexSettings, StoreSettings
from components.settings import Stage, data_store_options
from providers import pinecone
from providers.base import dynamic

__all__ = ["Pinecone", "PineconeSettings"]


class Pinecone(pulumi.ComponentResource):
    """The stage's project with its indexes, their backups and schedules, and API keys. In prod, project, indexes and
    backups are protected, and stay when the stack lets go of them; the project does in every stage.

    Outputs: ``project_id``; ``hosts`` by the key of an index: where its data are read and written; ``api_keys`` by key:
    the keys themselves, as secrets.

    Not managed, on purpose: service accounts, users and their roles (an organisation owner's, and the service account is
    what this stack shows itself with), namespaces and vectors (they are data), restores (``docs/pinecone.md`` tells how),
    collections (of pod indexes only, and Pinecone lets them go), indexes in a cloud of our own (BYOC), assistants.
    """

    project_id: pulumi.Output[str]
    hosts: Mapping[str, pulumi.Output[str]]
    api_keys: Mapping[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        settings: PineconeSettings,
        *,
        stage: Stage,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sophia:platform:Pinecone", name, None, opts)
        self._child = dynamic(pulumi.ResourceOptions(parent=self))

        # It is never deleted: the API key with which this stack manages it lies in it, and would go with it.
        kept = pulumi.ResourceOptions.merge(
            data_store_options(stage, self._child), pulumi.ResourceOptions(retain_on_delete=True)
        )
        project = pinecone.Project(
            "project",
            kept,
            name=settings.project.name,
            max_pods=settings.project.max_pods,
            force_encryption_with_cmek=settings.project.customer_managed_encryption,
            adopt=settings.project.adopt,
        )
        self.project_id = project.id
        # No input of an index names the project: its key does. Pods need the project's max_pods first.
        inside = pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=[project]))
        self._store = data_store_options(stage, inside)

        indexes = {key: self._create_index(key, index) for key, index in settings.indexes.items()}
        pod_indexes = {key: self._create_pod_index(key, index) for key, index in settings.pod_indexes.items()}
        for key, backup in settings.backups.items():
            pinecone.Backup(
                key,
                self._store,
                index_name=indexes[backup.index].id,
                name=backup.name,
                description=backup.description,
                adopt=backup.adopt,
            )
        self.hosts = {
            **{key: index.host for key, index in indexes.items()},
            **{key: index.host for key, index in pod_indexes.items()},
        }
        self.api_keys = {
            key: pinecone.ApiKey(
                key, self._child, project_id=self.project_id, name=api_key.name, roles=api_key.roles
            ).value
            for key, api_key in settings.keys.items()
        }
        self.register_outputs({"project_id": self.project_id, "hosts": self.hosts, "api_keys": self.api_keys})

    def _create_index(self, key: str, settings: IndexSettings) -> pinecone.Index:
        embedding, capacity = settings.embedding, settings.read_capacity
        index = pinecone.Index(
            key,
            self._store,
            **_common(settings),
            cloud=settings.cloud,
            region=settings.region,
            vector_type=None if embedding else settings.vectors,
            read_capacity={"mode": "Dedicated", **capacity.model_dump()} if capacity else None,
            **(embedding.model_dump() if embedding else {}),
        )
        if settings.backups:
            pinecone.BackupSchedule(
                key,
                self._child,
                index_name=index.id,
                name=settings.backups.name,
                frequency=settings.backups.frequency,
                retention_days=settings.backups.retention_days,
                enabled=settings.backups.enabled,
                adopt=settings.backups.adopt,
            )
        return index

    def _create_pod_index(self, key: str, settings: PodIndexSettings) -> pinecone.PodIndex:
        return pinecone.PodIndex(
            key,
            self._store,
            **_common(settings),
            environment=settings.environment,
            pod_type=settings.pod_type,
            replicas=settings.replicas,
            shards=settings.shards,
            source_collection=settings.source_collection,
        )


def _common(settings: StoreSettings) -> dict[str, Any]:
    members = settings.model_dump(include={"name", "dimension", "metric", "filterable", "tags", "adopt"})
    return {**members, "deletion_protection": "enabled" if settings.deletion_protection else "disabled"}

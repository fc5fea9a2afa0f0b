"""Airbyte: what is moved from which source into which destination, and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from components.airbyte.settings import (
    ActorSettings,
    AirbyteSettings,
    ConnectionSettings,
    DestinationSettings,
    NotificationsSettings,
    PermissionSettings,
    StreamSettings,
    TagSettings,
)
from components.settings import Stage, data_store_options, secret_tree
from components.warehouse import Warehouse
from providers import airbyte
from providers.base import dynamic

__all__ = ["Airbyte", "AirbyteSettings"]


class Airbyte(pulumi.ComponentResource):
    """A workspace with all that is in it: whom it tells, who may do what, definitions, sources, destinations, connections.

    In prod the workspace and the destinations are protected. Connections are deleted before their ends, and sources before
    their definitions: Airbyte itself would take what depends on a deleted one along unasked.

    Outputs: ``workspace_id``, and by key ``connection_ids``.

    Not managed, on purpose: syncs and resets (actions, not configuration), users and groups (the single sign-on's matter),
    OAuth consents (a person gives them), regions, and the tables in the destinations, which outlive the connections that
    fill them: nothing here ever deletes data.
    """

    workspace_id: pulumi.Output[str]
    connection_ids: Mapping[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        settings: AirbyteSettings,
        *,
        stage: Stage,
        warehouse: Warehouse,
        outputs: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """``warehouse``: for ``login`` and ``schema``; ``outputs``: for secrets with ``output:``."""
        super().__init__("sophia:platform:Airbyte", name, None, opts)
        self._child = dynamic(pulumi.ResourceOptions(parent=self))
        self._store = data_store_options(stage, self._child)
        self._outputs = outputs
        self._warehouse = warehouse

        workspace = airbyte.Workspace(
            "workspace",
            self._store,
            name=settings.workspace.name,
            adopt=settings.workspace.adopt,
            **self._notifications(settings.workspace.notifications),
        )
        self.workspace_id = workspace.id
        for key, permission in settings.permissions.items():
            self._create_permission(key, permission)
        self._tags = {key: self._create_tag(key, tag) for key, tag in settings.tags.items()}
        self._source_definitions = self._create_source_definitions(settings)
        self._destination_definitions = self._create_destination_definitions(settings)
        self._sources = {key: self._create_source(key, source) for key, source in settings.sources.items()}
        self._destinations = {
            key: self._create_destination(key, destination) for key, destination in settings.destinations.items()
        }
        self.connection_ids = {
            key: self._create_connection(key, connection, settings).id
            for key, connection in settings.connections.items()
        }
        self.register_outputs({"workspace_id": self.workspace_id, "connection_ids": self.connection_ids})

    def _notifications(self, settings: NotificationsSettings | None) -> dict[str, Any]:
        """What is told of and how, and apart from it the addresses, which are secrets."""
        if settings is None:
            return {}
        events = {event: getattr(settings, event) for event in type(settings).model_fields}
        return {
            "notifications": {
                event: {"email": {"enabled": told.email}, "webhook": {"enabled": told.webhook is not None}}
                for event, told in events.items()
            },
            "notification_urls": {
                event: told.webhook.resolve(self._outputs, f"airbyte.workspace.notifications.{event}.webhook")
                for event, told in events.items()
                if told.webhook
            }
            or None,
        }

    def _create_permission(self, key: str, settings: PermissionSettings) -> airbyte.Permission:
        in_workspace = settings.scope == "workspace"
        return airbyte.Permission(
            key,
            self._child,
            organization_id=settings.organization_id,
            user_id=settings.user_id,
            scope=settings.scope,
            scope_id=self.workspace_id if in_workspace else settings.organization_id,
            permission_type=settings.role,
            adopt=settings.adopt,
        )

    def _create_source_definitions(self, settings: AirbyteSettings) -> dict[str, pulumi.Output[str]]:
        """The ids, by key, of images and low-code ones alike."""
        images = {
            key: airbyte.SourceDefinition(
                key, self._child, workspace_id=self.workspace_id, **definition.model_dump()
            ).id
            for key, definition in settings.definitions.sources.items()
        }
        return images | {
            key: airbyte.DeclarativeSourceDefinition(
                key, self._child, workspace_id=self.workspace_id, **definition.model_dump()
            ).id
            for key, definition in settings.definitions.declarative.items()
        }

    def _create_destination_definitions(self, settings: AirbyteSettings) -> dict[str, pulumi.Output[str]]:
        return {
            key: airbyte.DestinationDefinition(
                key, self._child, workspace_id=self.workspace_id, **definition.model_dump()
            ).id
            for key, definition in settings.definitions.destinations.items()
        }

    def _create_tag(self, key: str, settings: TagSettings) -> airbyte.Tag:
        return airbyte.Tag(
            key,
            self._child,
            workspace_id=self.workspace_id,
            name=settings.name,
            color=settings.color,
            adopt=settings.adopt,
        )

    def _create_source(self, key: str, settings: ActorSettings) -> airbyte.Source:
        return airbyte.Source(
            key,
            self._child,
            workspace_id=self.workspace_id,
            name=settings.name,
            source_type=settings.type,
            definition_id=self._source_definitions.get(settings.definition or "", settings.definition_id),
            configuration=settings.configuration,
            secret_configuration=self._secrets("sources", key, settings),
            adopt=settings.adopt,
        )

    def _create_destination(self, key: str, settings: DestinationSettings) -> airbyte.Destination:
        configuration: dict[str, Any] = dict(settings.configuration)
        secret = self._secrets("destinations", key, settings) or {}
        if settings.login:
            login, private_key = self._warehouse.login(settings.login, f"airbyte.destinations.{key}.login")
            configuration |= {
                "host": login.host,
                "role": login.role,
                "warehouse": login.warehouse,
                "database": login.database,
                "username": login.user,
                "credentials": {"auth_type": "Key Pair Authentication"},
            }
            secret |= {"credentials": {"private_key": private_key}}
        return airbyte.Destination(
            key,
            self._store,
            workspace_id=self.workspace_id,
            name=settings.name,
            destination_type=settings.type,
            definition_id=self._destination_definitions.get(settings.definition or "", settings.definition_id),
            configuration=configuration,
            secret_configuration=secret or None,
            adopt=settings.adopt,
        )

    def _create_connection(self, key: str, settings: ConnectionSettings, estate: AirbyteSettings) -> airbyte.Connection:
        schema = self._schema(key, settings)
        tags = [
            {
                "tag_id": self._tags[tag].id,
                "workspace_id": self.workspace_id,
                "name": estate.tags[tag].name,
                "color": estate.tags[tag].color,
            }
            for tag in settings.tags
        ]
        return airbyte.Connection(
            key,
            self._child,
            workspace_id=self.workspace_id,
            source_id=self._sources[settings.source].id,
            destination_id=self._destinations[settings.destination].id,
            name=settings.name,
            status="active" if settings.enabled else "inactive",
            schedule=_schedule(settings),
            namespace_definition="destination" if schema is None else "custom_format",
            namespace_format=schema,
            prefix=settings.prefix,
            non_breaking_schema_updates_behavior=settings.schema_changes,
            streams=[_stream(stream) for stream in settings.streams] if settings.streams else None,
            tag_ids=[tag["tag_id"] for tag in tags],
            tags=tags,
            adopt=settings.adopt,
        )

    def _schema(self, key: str, settings: ConnectionSettings) -> pulumi.Input[str] | None:
        """Where the tables are: a schema of the Snowflake component, or whatever the setting names."""
        if settings.schema_key is None:
            return settings.namespace
        return self._warehouse.schema(settings.schema_key, f"airbyte.connections.{key}.schema")

    def _secrets(self, kind: str, key: str, settings: ActorSettings) -> dict[str, Any] | None:
        """The secrets in the shape of the configuration, from ``credentials.api_key: …``."""
        return secret_tree(settings.secrets, self._outputs, f"airbyte.{kind}.{key}.secrets") or None


def _schedule(settings: ConnectionSettings) -> dict[str, str] | None:
    if settings.keep_schedule:
        return None
    return {"schedule_type": "cron", "cron_expression": settings.cron} if settings.cron else {"schedule_type": "manual"}


def _stream(settings: StreamSettings) -> dict[str, Any]:
    """A stream as the provider takes it."""
    stream = settings.model_dump(exclude_none=True, exclude={"selected_fields", "mappers"})
    if settings.selected_fields:
        stream["selected_fields"] = [{"field_path": [name]} for name in settings.selected_fields]
    if settings.mappers:
        stream["mappers"] = [{"type": m.type, "mapper_configuration": m.configuration} for m in settings.mappers]
    return stream

"""Airbyte: what is moved from which source into which destination, and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import pulumi
from pydantic import Field

from components.explain import Mistake
from components.settings import (
    Adoptable,
    Key,
    SecretSource,
    Settings,
    Stage,
    data_store_options,
    matching,
    output_named,
    same_object,
    unknown_name,
    unknown_names,
)
from components.snowflake import Login
from providers import airbyte
from providers.base import platform_provider

Color = Annotated[str, matching(r"[0-9A-Fa-f]{6}", "must be six hexadecimal digits, such as 2E7D32")]
QuartzCron = Annotated[
    str,
    matching(r"\S+( \S+){5,6}", "must have six or seven fields (Quartz), for example 0 0 * * * ?"),
]
SyncMode = Literal[
    "full_refresh_overwrite", "full_refresh_append", "incremental_append", "incremental_deduped_history"
]  # fmt: skip


class WorkspaceSettings(Adoptable):
    name: str


class TagSettings(Adoptable):
    name: str
    color: Color


class ActorSettings(Adoptable):
    """A source or a destination: the connector's ``type`` and its ``configuration``, without secrets.

    ``secrets`` maps the place of a secret in the configuration (``credentials.api_key``) to where it comes from.
    """

    name: str
    type: str | None = None
    definition_id: str | None = None
    configuration: dict[str, Any] = Field(default_factory=dict)
    secrets: dict[str, SecretSource] = Field(default_factory=dict)

    def check(self) -> Iterator[Mistake]:
        """A connector is named in one way."""
        if (self.type is None) == (self.definition_id is None):
            yield Mistake((), "must give either `type` (such as gong) or `definition_id` (a custom connector's)")


class DestinationSettings(ActorSettings):
    """``login`` names a user of the Snowflake component, whose role, warehouse, database and key are used then."""

    login: str | None = None


class StreamSettings(Settings):
    name: str
    sync_mode: SyncMode | None = None
    cursor_field: list[str] | None = None
    primary_key: list[list[str]] | None = None


class ConnectionSettings(Adoptable):
    """``cron`` is when it syncs (Quartz, UTC); without it only by hand. No ``streams`` means all that there are."""

    name: str
    source: str
    destination: str
    cron: QuartzCron | None = None
    prefix: str = ""
    namespace: str | None = Field(default=None, description="the destination's schema; its own default otherwise")
    schema_changes: Literal["ignore", "disable_connection", "propagate_columns", "propagate_fully"] = (
        "propagate_columns"
    )
    enabled: bool = True
    streams: list[StreamSettings] | None = None
    tags: list[str] = Field(default_factory=list)


class AirbyteSettings(Settings):
    """``sophia-ai:airbyte``. Address and credentials come from AIRBYTE_SERVER_URL, _CLIENT_ID and _CLIENT_SECRET."""

    workspace: WorkspaceSettings
    tags: dict[Key, TagSettings] = Field(default_factory=dict)
    sources: dict[Key, ActorSettings] = Field(default_factory=dict)
    destinations: dict[Key, DestinationSettings] = Field(default_factory=dict)
    connections: dict[Key, ConnectionSettings] = Field(default_factory=dict)

    def check(self) -> Iterator[Mistake]:
        """Connections name what is declared here; no two entries are the same object."""
        yield from same_object(("tags",), self.tags, "name")
        yield from same_object(("sources",), self.sources, "name", "type", "definition_id")
        yield from same_object(("destinations",), self.destinations, "name", "type", "definition_id")
        yield from same_object(("connections",), self.connections, "name", "source", "destination")
        for key, connection in self.connections.items():
            at = ("connections", key)
            yield from unknown_name((*at, "source"), connection.source, self.sources, "source")
            yield from unknown_name((*at, "destination"), connection.destination, self.destinations, "destination")
            yield from unknown_names((*at, "tags"), connection.tags, self.tags, "tag")


class Airbyte(pulumi.ComponentResource):
    """A workspace with its sources, destinations, connections and tags. In prod the destinations are protected.

    Outputs: ``workspace_id``, and by key ``connection_ids``.

    Not managed, on purpose: syncs and resets (actions, not configuration), people's permissions, and the tables in the
    destinations, which outlive the connections that fill them.
    """

    workspace_id: pulumi.Output[str]
    connection_ids: Mapping[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        settings: AirbyteSettings,
        *,
        stage: Stage,
        logins: Mapping[str, Login],
        private_keys: Mapping[str, pulumi.Output[str]],
        outputs: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """``logins`` and ``private_keys``: by user of the Snowflake component; ``outputs``: for secrets with ``output:``."""
        super().__init__("sophia:platform:Airbyte", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        provider = platform_provider("airbyte", child)
        self._child = pulumi.ResourceOptions(parent=self, provider=provider)
        self._store = data_store_options(stage, self._child)
        self._outputs = outputs

        workspace = airbyte.Workspace(
            "workspace", self._store, name=settings.workspace.name, adopt=settings.workspace.adopt
        )
        self.workspace_id = workspace.id
        self._tags = {key: self._create_tag(key, tag) for key, tag in settings.tags.items()}
        self._sources = {key: self._create_source(key, source) for key, source in settings.sources.items()}
        self._destinations = {
            key: self._create_destination(key, destination, logins, private_keys)
            for key, destination in settings.destinations.items()
        }
        self.connection_ids = {
            key: self._create_connection(key, connection, settings).id
            for key, connection in settings.connections.items()
        }
        self.register_outputs({"workspace_id": self.workspace_id, "connection_ids": self.connection_ids})

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
            definition_id=settings.definition_id,
            configuration=settings.configuration,
            secret_configuration=self._secrets("sources", key, settings),
            adopt=settings.adopt,
        )

    def _create_destination(
        self,
        key: str,
        settings: DestinationSettings,
        logins: Mapping[str, Login],
        private_keys: Mapping[str, pulumi.Output[str]],
    ) -> airbyte.Destination:
        configuration: dict[str, Any] = dict(settings.configuration)
        secret = self._secrets("destinations", key, settings) or {}
        if settings.login:
            output_named(settings.login, dict.fromkeys(logins, ""), f"airbyte.destinations.{key}.login")
            login = logins[settings.login]
            configuration |= {
                "host": login.host,
                "role": login.role,
                "warehouse": login.warehouse,
                "database": login.database,
                "username": login.user,
                "credentials": {"auth_type": "Key Pair Authentication"},
            }
            secret |= {"credentials": {"private_key": private_keys[settings.login]}}
        return airbyte.Destination(
            key,
            self._store,
            workspace_id=self.workspace_id,
            name=settings.name,
            destination_type=settings.type,
            definition_id=settings.definition_id,
            configuration=configuration,
            secret_configuration=secret or None,
            adopt=settings.adopt,
        )

    def _create_connection(self, key: str, settings: ConnectionSettings, estate: AirbyteSettings) -> airbyte.Connection:
        cron = {"schedule_type": "cron", "cron_expression": settings.cron}
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
            schedule=cron if settings.cron else {"schedule_type": "manual"},
            namespace_definition="custom_format" if settings.namespace else "destination",
            namespace_format=settings.namespace,
            prefix=settings.prefix,
            non_breaking_schema_updates_behavior=settings.schema_changes,
            streams=[s.model_dump(exclude_none=True) for s in settings.streams] if settings.streams else None,
            tag_ids=[tag["tag_id"] for tag in tags],
            tags=tags,
            adopt=settings.adopt,
        )

    def _secrets(self, kind: str, key: str, settings: ActorSettings) -> dict[str, Any] | None:
        """The secrets in the shape of the configuration, from ``credentials.api_key: …``."""
        tree: dict[str, Any] = {}
        for place, source in settings.secrets.items():
            *parents, leaf = place.split(".")
            branch = tree
            for parent in parents:
                branch = branch.setdefault(parent, {})
            branch[leaf] = source.resolve(self._outputs, f"airbyte.{kind}.{key}.secrets.{place}")
        return tree or None

"""``sophia-ai:airbyte``: what the stack file says about Airbyte."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from components.airbyte.manifest import Manifest, stream_names
from components.explain import Mistake, Path
from components.settings import (
    Adoptable,
    Key,
    SecretSource,
    Settings,
    matching,
    same_object,
    unknown_name,
    unknown_names,
)

Color = Annotated[str, matching(r"[0-9A-Fa-f]{6}", "must be six hexadecimal digits, such as 2E7D32")]
QuartzCron = Annotated[
    str,
    matching(r"\S+( \S+){5,6}", "must have six or seven fields (Quartz), for example 0 0 * * * ?"),
]
Uuid = Annotated[
    str,
    matching(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "must be a UUID in lower case, as Airbyte shows it"),
]
SyncMode = Literal[
    "full_refresh_overwrite", "full_refresh_append", "incremental_append", "incremental_deduped_history"
]  # fmt: skip


class NotificationSettings(Settings):
    """``webhook`` is where the address comes from: Airbyte does not sign, so that whoever knows it can send there."""

    email: bool = False
    webhook: SecretSource | None = None


_SILENT = NotificationSettings()


class NotificationsSettings(Settings):
    """Of what Airbyte tells, and how; an event that is not named is not told of."""

    failure: NotificationSettings = _SILENT
    success: NotificationSettings = _SILENT
    connection_update: NotificationSettings = _SILENT
    connection_update_action_required: NotificationSettings = _SILENT
    sync_disabled: NotificationSettings = _SILENT
    sync_disabled_warning: NotificationSettings = _SILENT


class WorkspaceSettings(Adoptable):
    """Without ``notifications`` they stay as they are on Airbyte."""

    name: str
    notifications: NotificationsSettings | None = None


class PermissionSettings(Adoptable):
    """What a user may do: in this workspace or, by a role that begins with ``organization_``, in all of them."""

    user_id: Uuid
    organization_id: Uuid
    role: Literal[
        "workspace_admin",
        "workspace_editor",
        "workspace_runner",
        "workspace_reader",
        "organization_admin",
        "organization_editor",
        "organization_runner",
        "organization_reader",
        "organization_member",
    ]

    @property
    def scope(self) -> str:
        """``workspace`` or ``organization``."""
        return self.role.partition("_")[0]


class TagSettings(Adoptable):
    name: str
    color: Color


class DockerSettings(Adoptable):
    """A connector of one's own as an image. Airbyte Cloud takes none; a new tag is an update, a new image another one."""

    name: str
    docker_repository: str
    docker_image_tag: str


class DeclarativeSettings(Adoptable):
    """A low-code source: ``manifest`` is the path of its file, relative to the stack file, or the manifest itself."""

    name: str
    manifest: Manifest


class DefinitionsSettings(Settings):
    """Connectors that Airbyte's catalogue does not have; sources and destinations name them by key."""

    sources: dict[Key, DockerSettings] = Field(default_factory=dict)
    destinations: dict[Key, DockerSettings] = Field(default_factory=dict)
    declarative: dict[Key, DeclarativeSettings] = Field(default_factory=dict)

    def check(self) -> Iterator[Mistake]:
        """No two entries are the same definition, and a source's key says which one is meant."""
        yield from same_object(("sources",), self.sources, "name", "docker_repository")
        yield from same_object(("destinations",), self.destinations, "name", "docker_repository")
        yield from same_object(("declarative",), self.declarative, "name")
        for key in self.sources.keys() & self.declarative.keys():
            yield Mistake(("declarative", key), f"is the key of definitions.sources.{key} too: each needs its own")


class ActorSettings(Adoptable):
    """A source or a destination: its connector, and its ``configuration`` without secrets.

    The connector is a ``type`` of the catalogue (``gong``), a ``definition`` of these settings by its key, or any other one
    by ``definition_id``. ``secrets`` maps the place of a secret in the configuration (``credentials.api_key``) to where
    it comes from.
    """

    name: str
    type: str | None = None
    definition: Key | None = None
    definition_id: str | None = None
    configuration: dict[str, Any] = Field(default_factory=dict)
    secrets: dict[str, SecretSource] = Field(default_factory=dict)

    def check(self) -> Iterator[Mistake]:
        """A connector is named in one way."""
        if sum(way is not None for way in (self.type, self.definition, self.definition_id)) != 1:
            yield Mistake(
                (),
                "must give either `type` (such as gong), `definition` (a key of definitions) "
                "or `definition_id` (any other connector's)",
            )


class DestinationSettings(ActorSettings):
    """``login`` names a user of the Snowflake component, whose role, warehouse, database and key are used then."""

    login: str | None = None


class MapperSettings(Settings):
    """What is done to the rows on their way, with Airbyte's own names (``targetField``, ``fieldNameSuffix``)."""

    type: Literal["hashing", "field-renaming", "row-filtering", "encryption", "field-filtering"]
    configuration: dict[str, Any]

    def check(self) -> Iterator[Mistake]:
        """A key for AES would stand here in clear."""
        if self.type == "encryption" and self.configuration.get("algorithm") != "RSA":
            yield Mistake(("configuration", "algorithm"), "must be RSA, whose public key is no secret")


class StreamSettings(Settings):
    """A stream that is synced. Without ``selected_fields`` all of its fields are."""

    name: str
    namespace: str | None = None
    sync_mode: SyncMode | None = None
    cursor_field: list[str] | None = None
    primary_key: list[list[str]] | None = None
    selected_fields: list[str] | None = Field(default=None, min_length=1)
    mappers: list[MapperSettings] | None = Field(default=None, min_length=1)
    destination_object_name: str | None = None
    include_files: bool | None = None


class ConnectionSettings(Adoptable):
    """``cron`` is when it syncs (Quartz, UTC); without it only by hand. No ``streams`` means all that there are.

    ``keep_schedule`` leaves the schedule as it is on Airbyte: one that people chose there ("every 6 hours") can be read
    through the API, and not be set.
    """

    name: str
    source: str
    destination: str
    cron: QuartzCron | None = None
    keep_schedule: bool = False
    prefix: str = ""
    schema_key: Annotated[
        str | None, Field(alias="schema", description="the destination's schema, by its key in the Snowflake settings")
    ] = None
    namespace: str | None = Field(
        default=None, description="the destination's schema by its name; its own default if neither says one"
    )
    schema_changes: Literal["ignore", "disable_connection", "propagate_columns", "propagate_fully"] = (
        "propagate_columns"
    )
    enabled: bool = True
    streams: list[StreamSettings] | None = None
    tags: list[str] = Field(default_factory=list)

    def table(self, stream: StreamSettings) -> str:
        """The table in which Snowflake has a stream: Airbyte's destination writes names in upper case."""
        return f"{self.prefix}{stream.destination_object_name or stream.name}".upper()

    def table_of(self, name: str) -> str | None:
        """The table of the stream of that name; None for one that is not synced."""
        if self.streams is None:
            return f"{self.prefix}{name}".upper()
        return next((self.table(stream) for stream in self.streams if stream.name == name), None)

    def check(self) -> Iterator[Mistake]:
        """One schedule, one schema, every stream once."""
        if self.cron and self.keep_schedule:
            yield Mistake(("keep_schedule",), "cannot be true where `cron` says when it syncs")
        if self.schema_key and self.namespace:
            yield Mistake(("namespace",), "cannot stand beside `schema`: one of them says where the tables are")
        seen = set()
        for index, stream in enumerate(self.streams or []):
            if (stream.name, stream.namespace) in seen:
                yield Mistake(("streams", index, "name"), f'"{stream.name}" is there already')
            seen.add((stream.name, stream.namespace))


class AirbyteSettings(Settings):
    """``sophia-ai:airbyte``. Address and credentials come from AIRBYTE_SERVER_URL, _CLIENT_ID and _CLIENT_SECRET."""

    workspace: WorkspaceSettings
    permissions: dict[Key, PermissionSettings] = Field(default_factory=dict)
    tags: dict[Key, TagSettings] = Field(default_factory=dict)
    definitions: DefinitionsSettings = Field(default_factory=DefinitionsSettings)
    sources: dict[Key, ActorSettings] = Field(default_factory=dict)
    destinations: dict[Key, DestinationSettings] = Field(default_factory=dict)
    connections: dict[Key, ConnectionSettings] = Field(default_factory=dict)

    def check(self) -> Iterator[Mistake]:
        """Entries name what is declared here; no two of them are the same object."""
        actor = ("name", "type", "definition", "definition_id")
        yield from same_object(("permissions",), self.permissions, "user_id", "scope")
        yield from same_object(("tags",), self.tags, "name")
        yield from same_object(("sources",), self.sources, *actor)
        yield from same_object(("destinations",), self.destinations, *actor)
        yield from same_object(("connections",), self.connections, "name", "source", "destination")
        definitions = self.definitions
        yield from _unknown_definitions("sources", self.sources, [*definitions.sources, *definitions.declarative])
        yield from _unknown_definitions("destinations", self.destinations, list(definitions.destinations))
        for key, connection in self.connections.items():
            at = ("connections", key)
            yield from unknown_name((*at, "source"), connection.source, self.sources, "source")
            yield from unknown_name((*at, "destination"), connection.destination, self.destinations, "destination")
            yield from unknown_names((*at, "tags"), connection.tags, self.tags, "tag")
            yield from self._unknown_streams(at, connection)
        yield from self._landed_twice()

    def _landed_twice(self) -> Iterator[Mistake]:
        """Airbyte lets two connections write to one table, and the one that overwrites takes the other's rows away."""
        landed: dict[tuple[str | None, ...], str] = {}
        for key, connection in self.connections.items():
            for index, stream in enumerate(connection.streams or []):
                name = connection.table(stream)
                table = (connection.destination, connection.schema_key, connection.namespace, stream.namespace, name)
                if (other := landed.setdefault(table, key)) != key:
                    said = f"lands in {name}, where connections.{other} lands already: give one of them another prefix"
                    yield Mistake(("connections", key, "streams", index), said)

    def _unknown_streams(self, at: Path, connection: ConnectionSettings) -> Iterator[Mistake]:
        """A low-code source says here already what streams there are."""
        source = self.sources.get(connection.source)
        definition = self.definitions.declarative.get(source.definition or "") if source else None
        names = stream_names(definition.manifest) if definition else None
        for index, stream in enumerate(connection.streams or [] if names is not None else []):
            yield from unknown_name((*at, "streams", index, "name"), stream.name, names or [], "stream of its manifest")


def _unknown_definitions(
    kind: str, actors: dict[str, ActorSettings] | dict[str, DestinationSettings], known: Collection[str]
) -> Iterator[Mistake]:
    for key, actor in actors.items():
        if actor.definition is not None:
            yield from unknown_name((kind, key, "definition"), actor.definition, known, "definition")

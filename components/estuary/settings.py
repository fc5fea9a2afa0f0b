"""What the stack file says about Estuary Flow (``sophia-ai:estuary``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from components.explain import Mistake, Path
from components.settings import (
    Adoptable,
    Key,
    SecretSource,
    Settings,
    matching,
    unknown_name,
)

Prefix = Annotated[
    str, matching(r"([\w.-]+/)+", "must be a catalog prefix with a slash at its end, such as sophia-ai/")
]
Name = Annotated[str, matching(r"[\w.-]+", "must be a name without slashes: the prefix comes before it by itself")]
Image = Annotated[
    str,
    matching(
        r"[\w.-]+(/[\w.-]+)+:[\w.-]+", "must be an image with its tag, such as ghcr.io/estuary/source-postgres:v3"
    ),
]
Pointer = Annotated[str, matching(r"(/[^/]+)+", "must be a JSON pointer, such as /id")]
Duration = Annotated[str, matching(r"\d+(s|m|h|d)", "must be a number and s, m, h or d, such as 5m")]
Validity = Annotated[str, matching(r"P(\d+[YMWD])+", "must be an ISO 8601 duration of days or more, such as P90D")]


class BindingSettings(Settings):
    """What of the connector's system (``resource``, in the connector's words) belongs to which collection.

    Raising ``backfill`` has everything read, or written, once more.
    """

    collection: str
    resource: dict[str, Any]
    backfill: Annotated[int, Field(ge=0)] = 0
    enabled: bool = True


class TaskSettings(Settings):
    """A connector at work: its image and its configuration, without secrets.

    ``secrets`` maps the place of a secret in the configuration (``credentials.password``) to where it comes from.
    """

    name: Name
    connector: Image
    configuration: dict[str, Any] = Field(default_factory=dict)
    secrets: dict[str, SecretSource] = Field(default_factory=dict)
    bindings: Annotated[list[BindingSettings], Field(min_length=1)]
    enabled: bool = True


class CaptureSettings(TaskSettings):
    """``interval``: how long a connector that cannot follow its source waits before it looks again."""

    interval: Duration | None = None


class MaterializationSettings(TaskSettings):
    """``login`` names a user of the Snowflake component, whose role, warehouse, database and key are used then, and
    ``schema`` one of its schemas.
    """

    login: str | None = None
    schema_key: Annotated[str | None, Field(alias="schema")] = None
    schema_changes: Literal["backfill", "disableBinding", "disableTask", "abort"] | None = None

    def check(self) -> Iterator[Mistake]:
        """A schema of ours is reached with a login of ours."""
        if self.schema_key and not self.login:
            yield Mistake(("schema",), "needs `login`: a user of sophia-ai:snowflake that may write there")


class CollectionSettings(Settings):
    """Documents of one JSON ``schema``, which must require all members that ``key`` points at.

    Another key is another collection: give it another name, or the publication is refused.
    """

    name: Name
    key: Annotated[list[Pointer], Field(min_length=1)]
    schema_: Annotated[dict[str, Any], Field(alias="schema")]

    def check(self) -> Iterator[Mistake]:
        """Every part of the key is a member that is always there."""
        for index, pointer in enumerate(self.key):
            if reason := _not_always_there(self.schema_, pointer.split("/")[1:]):
                yield Mistake(("key", index), f"{pointer} {reason}")


def _not_always_there(schema: Mapping[str, Any], path: list[str]) -> str:
    for member in path:
        if member not in (schema.get("properties") or {}):
            return "is not among the properties of the schema"
        if member not in (schema.get("required") or []):
            return "must be among what the schema requires"
        schema = schema["properties"][member]
    kinds = schema.get("type")
    if kinds in ("object", "array", "number"):
        return f"is of type {kinds}: a key is made of strings, integers and booleans"
    return ""


class TransformSettings(Settings):
    """``sql`` is a SQLite SELECT over one document of the collection ``source``: its members are ``$id``, ``$a$b``…

    ``shuffle``: by which members documents come to the same worker; any, if the transform keeps no state.
    """

    source: str
    sql: str
    shuffle: list[Pointer] | None = None


class DerivationSettings(CollectionSettings):
    """A collection that is made of others by SQL; ``migrations`` make the SQLite tables that the transforms use."""

    migrations: list[str] = Field(default_factory=list)
    transforms: Annotated[dict[Key, TransformSettings], Field(min_length=1)]


class StoreSettings(Settings):
    provider: Literal["S3", "GCS"]
    bucket: str
    prefix: Prefix | None = None
    region: str | None = None


class StorageSettings(Adoptable):
    """The buckets in which Estuary keeps what is collected, the first for what is new, and the data planes beside them."""

    stores: Annotated[list[StoreSettings], Field(min_length=1)]
    data_planes: Annotated[list[str], Field(min_length=1)]


class AlertSettings(Adoptable):
    """``types`` are Estuary's alert types; without them Estuary chooses."""

    email: Annotated[str, matching(r"[^@\s]+@[^@\s]+", "must be an address for email")]
    types: list[str] | None = None


class ApiKeySettings(Settings):
    """A key is found again by its ``detail``. It is valid for ``valid_for`` from its last use on, a year at most."""

    detail: str
    valid_for: Validity = "P90D"


class ServiceAccountSettings(Adoptable):
    """``grants``: what it may do, by prefix; the stack's own prefix is ``.``"""

    name: Name
    grants: Annotated[dict[str, Literal["read", "write", "admin"]], Field(min_length=1)]
    keys: dict[Key, ApiKeySettings] = Field(default_factory=dict)


class EstuarySettings(Settings):
    """``sophia-ai:estuary``. Addresses and the key come from ESTUARY_API_URL, ESTUARY_REST_URL, ESTUARY_ENCRYPTION_URL,
    ESTUARY_PUBLIC_TOKEN and FLOW_API_KEY.
    """

    prefix: Prefix
    data_plane: str = "ops/dp/public/gcp-us-central1-c1"
    adopt: bool = False
    storage: StorageSettings | None = None
    collections: dict[Key, CollectionSettings] = Field(default_factory=dict)
    derivations: dict[Key, DerivationSettings] = Field(default_factory=dict)
    captures: dict[Key, CaptureSettings] = Field(default_factory=dict)
    materializations: dict[Key, MaterializationSettings] = Field(default_factory=dict)
    alerts: dict[Key, AlertSettings] = Field(default_factory=dict)
    service_accounts: dict[Key, ServiceAccountSettings] = Field(default_factory=dict)

    def check(self) -> Iterator[Mistake]:
        """Every binding and transform names a collection of this file; one name is one spec."""
        known = {**self.collections, **self.derivations}
        for key in self.collections.keys() & self.derivations.keys():
            yield Mistake(
                ("derivations", key), f"collections.{key} has that key too: bindings could not tell them apart"
            )
        for section, tasks in (("captures", self.captures), ("materializations", self.materializations)):
            for key, task in tasks.items():
                for index, binding in enumerate(task.bindings):
                    path = (section, key, "bindings", index, "collection")
                    yield from unknown_name(path, binding.collection, known, "collection")
        for key, capture in self.captures.items():
            for index, binding in enumerate(capture.bindings):
                if binding.collection in self.derivations:
                    path = ("captures", key, "bindings", index, "collection")
                    yield Mistake(path, f'"{binding.collection}" is derived: nothing else may write to it')
        for key, derivation in self.derivations.items():
            for name, transform in derivation.transforms.items():
                at = ("derivations", key, "transforms", name, "source")
                yield from unknown_name(at, transform.source, known, "collection")
        yield from self._same_names()

    def _same_names(self) -> Iterator[Mistake]:
        """All specs of a catalog share one space of names."""
        first: dict[str, Path] = {}
        for section in ("collections", "derivations", "captures", "materializations"):
            for key, entry in getattr(self, section).items():
                other = first.setdefault(entry.name, (section, key))
                if other != (section, key):
                    yield Mistake((section, key, "name"), f"is that of {'.'.join(map(str, other))}: each needs its own")

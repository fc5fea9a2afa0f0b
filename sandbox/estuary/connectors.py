"""The connectors that the sandbox knows: their configurations' JSON schemas, as ``connectorSpec`` gives them.

Members, secrecy and required members are facts of estuary/connectors (specification snapshots) and of the vendor's
documentation of each connector; titles and most of the advanced options are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.http import digest

Json = dict[str, Any]

_DIALECT = "http://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True)
class Connector:
    """``place``: the members of a binding's resource that together name what it is bound to."""

    image: str
    title: str
    protocol: str
    tags: tuple[str, ...]
    endpoint: Json
    resource: Json
    place: tuple[str, ...]
    documentation: str

    @property
    def id(self) -> str:
        return digest(self.image)[:16]

    @property
    def default_tag(self) -> str:
        return max(self.tags)

    def tag(self, wanted: str) -> str:
        """The tag itself where it is known, the default one where it is not."""
        return wanted if wanted in self.tags else self.default_tag


def by_image(image: str) -> Connector | None:
    """By the image's name, without its tag."""
    return next((connector for connector in ALL if connector.image == image), None)


def split(image: str) -> tuple[str, str]:
    """The name of an image, and its tag with the colon (or digest with the at sign) before it."""
    for mark in ("@", ":"):
        name, found, tag = image.rpartition(mark)
        if found and "/" not in tag:
            return name, found + tag
    return image, ""


def _text(**more: Any) -> Json:
    return {"type": "string", **more}


def _secret(**more: Any) -> Json:
    return {"type": "string", "secret": True, **more}


def _object(required: tuple[str, ...] = (), *, closed: bool = False, **properties: Json) -> Json:
    document: Json = {"type": "object", "properties": properties}
    if required:
        document["required"] = list(required)
    if closed:
        document["additionalProperties"] = False
    return document


def _kind(name: str, required: tuple[str, ...], **properties: Json) -> Json:
    """One way to authenticate, told apart by ``auth_type``."""
    return {
        "properties": {"auth_type": _text(const=name, default=name), **properties},
        "required": ["auth_type", *required],
    }


def _credentials(*kinds: Json) -> Json:
    return {"type": "object", "oneOf": list(kinds), "discriminator": {"propertyName": "auth_type"}}


def _schema(name: str, body: Json) -> Json:
    return {"$schema": _DIALECT, "$id": f"https://github.com/estuary/connectors/{name}", **body}


_PASSWORD = _kind("UserPassword", ("password",), password=_secret())
_AWS = _kind("AWSIAM", ("aws_region", "aws_role_arn"), aws_region=_text(), aws_role_arn=_text())
_TUNNEL = _object(
    closed=True,
    sshForwarding=_object(
        ("sshEndpoint", "privateKey"),
        closed=True,
        sshEndpoint=_text(pattern="^ssh://.+@.+$"),
        privateKey=_secret(multiline=True),
    ),
)
_SSL_MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]

ALL = (
    Connector(
        image="ghcr.io/estuary/source-postgres",
        title="PostgreSQL",
        protocol="capture",
        tags=(":v1", ":v2", ":v3"),
        documentation="https://go.estuary.dev/source-postgresql",
        endpoint=_schema(
            "source-postgres/config",
            _object(
                ("address", "user", "credentials", "database"),
                address=_text(description="The host or host:port at which the database can be reached."),
                user=_text(default="flow_capture"),
                credentials=_credentials(_PASSWORD, _AWS),
                database=_text(default="postgres"),
                historyMode={"type": "boolean", "default": False},
                discoveryFilters=_object(
                    include_schemas={"type": "array", "items": _text()},
                    table_patterns={"type": "array", "items": _text()},
                ),
                advanced=_object(
                    closed=True,
                    publicationName=_text(default="flow_publication"),
                    slotName=_text(default="flow_slot"),
                    watermarksTable=_text(default="public.flow_watermarks"),
                    skip_backfills=_text(),
                    backfill_chunk_size={"type": "integer", "default": 50000},
                    sslmode=_text(enum=_SSL_MODES),
                    discover_schemas={"type": "array", "items": _text()},
                    discover_only_published={"type": "boolean"},
                    read_only_capture={"type": "boolean"},
                    feature_flags=_text(),
                ),
                networkTunnel=_TUNNEL,
            ),
        ),
        resource=_schema(
            "sqlcapture/resource",
            _object(
                ("namespace", "stream"),
                namespace=_text(description="The schema (namespace) in which the table resides."),
                stream=_text(description="The name of the table to be captured."),
                mode=_text(enum=["", "Normal", "Precise", "Only Changes", "Without Primary Key"], default=""),
                priority={"type": "integer"},
            ),
        ),
        place=("namespace", "stream"),
    ),
    Connector(
        image="ghcr.io/estuary/source-hello-world",
        title="Hello World",
        protocol="capture",
        tags=(":v1",),
        documentation="https://go.estuary.dev/source-hello-world",
        endpoint=_schema("source-hello-world/config", _object(("rate",), rate={"type": "number", "default": 1})),
        resource=_schema(
            "source-hello-world/resource", _object(("name", "prefix"), name=_text(default="greetings"), prefix=_text())
        ),
        place=("name",),
    ),
    Connector(
        image="ghcr.io/estuary/materialize-snowflake",
        title="Snowflake",
        protocol="materialization",
        tags=(":v1", ":v2", ":v3", ":v4"),
        documentation="https://go.estuary.dev/materialize-snowflake",
        endpoint=_schema(
            "materialize-snowflake/config",
            _object(
                ("host", "database", "schema", "timestamp_type", "credentials"),
                host=_text(pattern="^[^/:]+.snowflakecomputing.com$"),
                database=_text(),
                schema=_text(),
                warehouse=_text(),
                role=_text(),
                timestamp_type=_text(
                    enum=[
                        "TIMESTAMP_LTZ",
                        "TIMESTAMP_TZ",
                        "TIMESTAMP_NTZ (normalize to UTC)",
                        "TIMESTAMP_NTZ (discard TZ)",
                    ]
                ),
                hardDelete={"type": "boolean", "default": False},
                credentials=_credentials(
                    _kind("jwt", ("user", "private_key"), user=_text(), private_key=_secret(multiline=True)),
                    _kind("user_password", ("user", "password"), user=_text(), password=_secret()),
                ),
                syncSchedule=_object(
                    syncFrequency=_text(), timezone=_text(), fastSyncStartTime=_text(), fastSyncStopTime=_text()
                ),
                advanced=_object(
                    no_flow_document={"type": "boolean"},
                    disableFieldTruncation={"type": "boolean"},
                    feature_flags=_text(),
                ),
            ),
        ),
        resource=_schema(
            "materialize-snowflake/table-config",
            _object(
                ("table",),
                table={"type": "string", "x-collection-name": True},
                schema={"type": "string", "x-schema-name": True},
                delta_updates={"type": "boolean", "x-delta-updates": True},
            ),
        ),
        place=("schema", "table"),
    ),
    Connector(
        image="ghcr.io/estuary/materialize-postgres",
        title="PostgreSQL",
        protocol="materialization",
        tags=(":v4", ":v5"),
        documentation="https://go.estuary.dev/materialize-postgresql",
        endpoint=_schema(
            "materialize-postgres/config",
            _object(
                ("address", "user", "credentials"),
                address=_text(),
                user=_text(),
                credentials=_credentials(_PASSWORD, _AWS),
                database=_text(),
                schema=_text(default="public"),
                hardDelete={"type": "boolean", "default": False},
                advanced=_object(sslmode=_text(enum=_SSL_MODES), feature_flags=_text()),
                networkTunnel=_TUNNEL,
            ),
        ),
        resource=_schema(
            "materialize-postgres/table-config",
            _object(
                ("table",),
                table={"type": "string", "x-collection-name": True},
                schema={"type": "string", "x-schema-name": True},
                delta_updates={"type": "boolean", "x-delta-updates": True},
            ),
        ),
        place=("schema", "table"),
    ),
)

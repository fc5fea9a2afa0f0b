"""The connectors that the sandbox knows: what their configurations must hold, what of it is secret, what they sync.

Field names, definition ids and secrecy are facts of Airbyte's connector registry (airbyte_api_sdk.yaml marks the
secrets). Connectors that are not listed are accepted by ``definitionId`` with any configuration; of theirs, everything
whose name sounds like a secret is masked. The streams are a selection of what each source discovers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

MASK = "**********"
_SOUNDS_SECRET = re.compile(
    r"password|passphrase|secret|token|private_?key|api_?key|access_?key|credentials_json", re.IGNORECASE
)
_JSON_TYPES = {str: "string", int: "integer", bool: "boolean", float: "number", list: "array", dict: "object"}


@dataclass(frozen=True)
class Field:
    """One member of a configuration. ``shapes`` are the alternatives of a nested object, of which one must fit."""

    type: str = "string"
    required: bool = False
    secret: bool = False
    pattern: str = ""
    options: tuple[str, ...] = ()
    lowest: int | None = None
    highest: int | None = None
    shapes: tuple[Mapping[str, Field], ...] = ()

    def mistakes(self, path: str, value: Any) -> Iterator[str]:
        if _type_of(value) != self.type:
            yield f"{path}: {_type_of(value)} found, {self.type} expected"
        elif self.secret and value == MASK:
            return
        elif self.options and value not in self.options:
            yield f"{path}: does not have a value in the enumeration {list(self.options)}"
        elif self.pattern and not re.search(self.pattern, value):
            yield f"{path}: does not match the regex pattern {self.pattern}"
        elif self.lowest is not None and value < self.lowest:
            yield f"{path}: must have a minimum value of {self.lowest}"
        elif self.highest is not None and value > self.highest:
            yield f"{path}: must have a maximum value of {self.highest}"
        elif self.shapes:
            tries = [list(mistakes(shape, value, path)) for shape in self.shapes]
            if all(tries):
                yield from min(tries, key=len)


@dataclass(frozen=True)
class Stream:
    """A stream as discovery tells it. One without a cursor can only be read whole."""

    name: str
    fields: tuple[str, ...]
    key: tuple[str, ...] = ("id",)
    cursor: str = ""


@dataclass(frozen=True)
class Connector:
    """A kind of source or destination; ``streams`` is ``None`` where discovery depends on what is behind it."""

    name: str
    definition: str
    fields: Mapping[str, Field]
    streams: tuple[Stream, ...] | None = None
    writes: tuple[str, ...] = field(default=("overwrite", "append"))


def mistakes(fields: Mapping[str, Field], configuration: Mapping[str, Any], path: str = "$") -> Iterator[str]:
    """What is wrong with a configuration, in the words of the platform's JSON schema validator."""
    for name, declared in fields.items():
        if name in configuration:
            yield from declared.mistakes(f"{path}.{name}", configuration[name])
        elif declared.required:
            yield f"{path}.{name}: is missing but it is required"


def masked(fields: Mapping[str, Field] | None, value: Any) -> Any:
    """A configuration with its secrets replaced by asterisks; by their names where the connector is not known."""
    if isinstance(value, list):
        return [masked(fields, item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: _masked_member(fields, name, member) for name, member in value.items()}


def _masked_member(fields: Mapping[str, Field] | None, name: str, member: Any) -> Any:
    if fields is None:
        hide = isinstance(member, str) and bool(_SOUNDS_SECRET.search(name))
        return MASK if hide else masked(None, member)
    declared = fields.get(name)
    if declared is None:
        return member
    if declared.secret:
        return MASK
    nested = {key: inner for shape in declared.shapes for key, inner in shape.items()}
    return masked(nested, member) if nested else member


def _type_of(value: Any) -> str:
    return _JSON_TYPES.get(type(value), "null")


_UTC = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"
_TEXT = Field()
_NEEDED = Field(required=True)
_SECRET = Field(secret=True)
_NEEDED_SECRET = Field(secret=True, required=True)
_SINCE = Field(pattern=_UTC)
_PORT = Field("integer", required=True, lowest=0, highest=65536)


def _only(value: str) -> Field:
    """A member that tells the shapes of a nested object apart."""
    return Field(required=True, options=(value,))


_CERTIFICATES = {
    "ca_certificate": _NEEDED_SECRET,
    "client_certificate": _SECRET,
    "client_key": _SECRET,
    "client_key_password": _SECRET,
}
_TUNNEL = {"tunnel_host": _NEEDED, "tunnel_port": _PORT, "tunnel_user": _NEEDED}

SOURCES = (
    Connector(
        "gong",
        "32382e40-3b49-4b99-9c5c-4076501914e7",
        {"access_key": _NEEDED_SECRET, "access_key_secret": _NEEDED_SECRET, "start_date": _SINCE},
        (
            Stream("users", ("id", "emailAddress", "firstName", "lastName", "active", "created")),
            Stream("calls", ("id", "title", "started", "duration", "primaryUserId", "url"), cursor="started"),
            Stream(
                "extensiveCalls",
                ("id", "metaData", "context", "parties", "content", "interaction"),
                cursor="startdatetime",
            ),
            Stream("scorecards", ("scorecardId", "scorecardName", "enabled", "questions"), key=("scorecardId",)),
            Stream(
                "answeredScorecards",
                ("answeredScorecardId", "scorecardId", "callId", "answers", "reviewTime"),
                key=("answeredScorecardId",),
            ),
        ),
    ),
    Connector(
        "hubspot",
        "36c891d9-4bd9-43ac-bad2-10e12756272c",
        {
            "credentials": Field(
                "object",
                required=True,
                shapes=(
                    {
                        "credentials_title": _only("OAuth Credentials"),
                        "client_id": _NEEDED,
                        "client_secret": _NEEDED_SECRET,
                        "refresh_token": _NEEDED_SECRET,
                    },
                    {"credentials_title": _only("Private App Credentials"), "access_token": _NEEDED_SECRET},
                ),
            ),
            "start_date": _SINCE,
            "enable_experimental_streams": Field("boolean"),
            "num_worker": Field("integer", lowest=1, highest=40),
        },
        (
            *(
                Stream(name, ("id", "createdAt", "updatedAt", "archived", "properties"), cursor="updatedAt")
                for name in ("companies", "contacts", "deals", "tickets", "engagements", "owners")
            ),
            Stream("deal_pipelines", ("pipelineId", "label", "displayOrder", "stages"), key=("pipelineId",)),
        ),
    ),
    Connector(
        "slack",
        "c2281cee-86f9-4a86-bb48-d23286b4c7bd",
        {
            "start_date": Field(pattern=_UTC, required=True),
            "lookback_window": Field("integer", required=True, lowest=0, highest=365),
            "join_channels": Field("boolean", required=True),
            "include_private_channels": Field("boolean"),
            "channel_filter": Field("array"),
            "channel_messages_window_size": Field("integer", lowest=1, highest=100),
            "num_workers": Field("integer", lowest=2, highest=10),
            "credentials": Field(
                "object",
                shapes=(
                    {
                        "option_title": _only("Default OAuth2.0 authorization"),
                        "client_id": _NEEDED,
                        "client_secret": _NEEDED_SECRET,
                        "access_token": _NEEDED_SECRET,
                    },
                    {"option_title": _only("API Token Credentials"), "api_token": _NEEDED_SECRET},
                ),
            ),
        },
        (
            Stream("users", ("id", "name", "real_name", "deleted", "profile")),
            Stream("channels", ("id", "name", "is_archived", "is_private", "created")),
            Stream("channel_members", ("member_id", "channel_id"), key=("member_id", "channel_id")),
            Stream(
                "channel_messages",
                ("channel_id", "ts", "user", "text", "float_ts"),
                key=("channel_id", "ts"),
                cursor="float_ts",
            ),
            Stream("threads", ("channel_id", "ts", "user", "text", "float_ts"), ("channel_id", "ts"), "float_ts"),
        ),
    ),
    Connector(
        "linear",
        "1c5d8316-ed42-4473-8fbc-2626f03f070c",
        {"api_key": _NEEDED_SECRET},
        tuple(
            Stream(name, ("id", "createdAt", "updatedAt", "name"), cursor="updatedAt")
            for name in (
                "issues",
                "teams",
                "users",
                "projects",
                "cycles",
                "comments",
                "issue_labels",
                "workflow_states",
            )
        ),
    ),
    Connector(
        "github",
        "ef69ef6e-aa7f-4af1-a01d-ef775033524e",
        {
            "credentials": Field(
                "object",
                required=True,
                shapes=(
                    {
                        "option_title": Field(options=("OAuth Credentials",)),
                        "access_token": _NEEDED_SECRET,
                        "client_id": _SECRET,
                        "client_secret": _SECRET,
                    },
                    {
                        "option_title": Field(options=("PAT Credentials",)),
                        "personal_access_token": _NEEDED_SECRET,
                    },
                ),
            ),
            "repositories": Field("array", required=True),
            "branches": Field("array"),
            "api_url": _TEXT,
            "start_date": _SINCE,
            "max_waiting_time": Field("integer", lowest=1, highest=60),
        },
        (
            *(
                Stream(name, ("id", "repository", "created_at", "updated_at", "title"), cursor="updated_at")
                for name in ("issues", "pull_requests", "repositories", "comments", "releases")
            ),
            Stream("commits", ("sha", "repository", "branch", "created_at"), key=("sha",), cursor="created_at"),
            Stream("users", ("id", "login", "organization")),
        ),
    ),
    Connector(
        "postgres",
        "decd338e-5647-4c0b-adf4-da0e75f5a750",
        {
            "host": _NEEDED,
            "port": _PORT,
            "database": _NEEDED,
            "username": _NEEDED,
            "password": _SECRET,
            "schemas": Field("array"),
            "jdbc_url_params": _TEXT,
            "entra_service_principal_auth": Field("boolean"),
            "entra_tenant_id": _TEXT,
            "entra_client_id": _TEXT,
            "ssl_mode": Field(
                "object",
                shapes=(
                    *({"mode": _only(mode)} for mode in ("disable", "allow", "prefer", "require")),
                    *({"mode": _only(mode)} | _CERTIFICATES for mode in ("verify-ca", "verify-full")),
                ),
            ),
            "replication_method": Field(
                "object",
                shapes=(
                    {"method": _only("CDC"), "replication_slot": _NEEDED, "publication": _NEEDED},
                    {"method": _only("Xmin")},
                    {"method": _only("Standard")},
                ),
            ),
            "tunnel_method": Field(
                "object",
                shapes=(
                    {"tunnel_method": _only("NO_TUNNEL")},
                    {"tunnel_method": _only("SSH_KEY_AUTH"), "ssh_key": _NEEDED_SECRET} | _TUNNEL,
                    {"tunnel_method": _only("SSH_PASSWORD_AUTH"), "tunnel_user_password": _NEEDED_SECRET} | _TUNNEL,
                ),
            ),
        },
    ),
)

DESTINATIONS = (
    Connector(
        "snowflake",
        "424892c4-daac-4491-b35d-c6688ba547ba",
        {
            "host": Field(
                required=True, pattern=r"^(https?://)?([^./?#]+\.){1,4}(snowflakecomputing\.com|localstack\.cloud)$"
            ),
            "role": _NEEDED,
            "warehouse": _NEEDED,
            "database": _NEEDED,
            "schema": _NEEDED,
            "username": _NEEDED,
            "credentials": Field(
                "object",
                shapes=(
                    {"auth_type": _only("Key Pair Authentication"), "private_key": _NEEDED_SECRET},
                    {"auth_type": _only("Username and Password"), "password": _NEEDED_SECRET},
                ),
            ),
            "cdc_deletion_mode": Field(options=("Hard delete", "Soft delete")),
            "jdbc_url_params": _TEXT,
            "raw_data_schema": _TEXT,
            "disable_type_dedupe": Field("boolean"),
            "retention_period_days": Field("integer"),
        },
        writes=("overwrite", "append", "append_dedup", "overwrite_dedup"),
    ),
)


def by_name(known: tuple[Connector, ...], name: str) -> Connector | None:
    return next((connector for connector in known if connector.name == name), None)


def by_definition(known: tuple[Connector, ...], definition: str) -> Connector | None:
    return next((connector for connector in known if connector.definition == definition), None)

"""What the stack file says about Snowflake (``sophia-ai:snowflake``)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from components.explain import Mistake
from components.settings import WRONG_SNOWFLAKE_ACCOUNTS, Key, Settings, matching, same_object
from components.snowflake.names import SYSTEM_ROLES, Identifier
from components.snowflake.references import SECTIONS_IN_SCHEMAS, mistaken_references
from components.snowflake.settings_loading import (
    FileFormatSettings,
    PipeSettings,
    StageSettings,
    StorageIntegrationSettings,
    StreamSettings,
    TableSettings,
)
from components.snowflake.settings_privacy import MaskingPolicySettings, RowAccessPolicySettings, TagSettings, TagValue
from components.snowflake.settings_transforming import (
    DynamicTableSettings,
    RecoverySettings,
    TaskSettings,
    ViewSettings,
)

WarehouseSize = Literal["XSMALL", "SMALL", "MEDIUM", "LARGE", "XLARGE", "XXLARGE", "XXXLARGE", "X4LARGE"]
WAREHOUSE_SIZES: Final[tuple[WarehouseSize, ...]] = (
    "XSMALL", "SMALL", "MEDIUM", "LARGE", "XLARGE", "XXLARGE", "XXXLARGE", "X4LARGE"
)  # fmt: skip
"""From small to large; each costs twice the credits of the one before, from 1 an hour."""

RetentionDays = Annotated[int, Field(ge=0, le=90)]
Percentage = Annotated[int, Field(ge=1, le=200)]
EmailAddress = Annotated[str, matching(r"[^@\s]+@[^@\s]+\.[a-z]+", "must be an e-mail address")]


def _network(text: str) -> str:
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise PydanticCustomError("cidr", "must be an IPv4 network, such as 34.106.109.131/32") from error
    if network.prefixlen == 0:
        raise PydanticCustomError("cidr", "would let in the whole internet")
    return text


def _own_role(name: str) -> str:
    if name == "PUBLIC":
        raise PydanticCustomError("role", "must be another role: every user has PUBLIC, and so what is granted to it")
    if name in SYSTEM_ROLES:
        raise PydanticCustomError("role", "must be another role: this is one of Snowflake's own")
    return name


class AccountSettings(Settings):
    """The account that this stack is meant for. The program stops if the environment's credentials are of another one.

    Without ``organization`` the environment's SNOWFLAKE_ORGANIZATION_NAME is taken as it is. ``edition`` is what the
    contract says: masking and row access policies, more than a day of Time Travel and warehouses of several clusters
    need enterprise, and card data (PCI DSS) is covered by Snowflake's attestation in business-critical only.
    """

    name: str
    organization: str | None = None
    edition: Literal["standard", "enterprise", "business-critical"] = "standard"

    def check(self) -> Iterator[Mistake]:
        """Not one of the leftovers, also when written in two parts."""
        if f"{self.organization}-{self.name}".lower() in map(str.lower, WRONG_SNOWFLAKE_ACCOUNTS):
            yield Mistake((), "this account is a wrong leftover that broke production: use ZNB04675")


class DatabaseSettings(Settings):
    """``retention_days`` of Time Travel: how far back mistakes can be undone (beyond 1: Enterprise edition)."""

    name: Identifier
    retention_days: RetentionDays = 1
    comment: str = "Sophia AI"


class SchemaSettings(Settings):
    """A schema. In a managed one only grants made here count, whoever owns the tables.

    ``retention_days`` where it is not the database's. ``tags`` are values by keys of ``tags``: they classify all that
    is in the schema, and a tag with masks masks every column of the masks' types.
    """

    name: Identifier
    managed_access: bool = True
    retention_days: RetentionDays | None = None
    tags: dict[str, TagValue] = Field(default_factory=dict)
    comment: str = ""


class WarehouseSettings(Settings):
    """Compute. It sleeps after ``auto_suspend_seconds`` without a query, because credits are billed while awake."""

    name: Identifier
    size: WarehouseSize = "XSMALL"
    auto_suspend_seconds: Annotated[int, Field(ge=30, le=3600)] = 60
    statement_timeout_seconds: Annotated[int, Field(ge=60, le=172800)] = 3600
    max_clusters: Annotated[int, Field(ge=1, le=10)] = 1
    comment: str = ""


class RoleSettings(Settings):
    """A functional role: what a kind of work may do. The lists hold keys of ``schemas`` and ``warehouses``.

    ``create_schemas`` is for loaders that keep a schema of their own (Airbyte's ``airbyte_internal``). ``create`` names,
    by schema, what a loader makes besides tables, views and stages. A role that sees masked columns in clear says
    ``under_sysadmin: false``, because administrators would inherit what it sees.
    """

    name: Annotated[Identifier, AfterValidator(_own_role)]
    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    create: dict[str, tuple[Literal["DYNAMIC TABLE", "FILE FORMAT", "PIPE", "SEQUENCE", "STREAM", "TASK"], ...]] = (
        Field(default_factory=dict)
    )
    warehouses: tuple[str, ...] = ()
    create_schemas: bool = False
    under_sysadmin: bool = True


class UserSettings(Settings):
    """A service user. It has no password: it logs in with the key pair that the program gives it.

    ``network_policy`` is a key of ``network_policies``: from where it may log in. A higher ``key_generation`` gives it
    another key pair, in the slot that the present one does not have: both are valid until the next.
    """

    name: Identifier
    role: str
    warehouse: str
    network_policy: str | None = None
    key_generation: Annotated[int, Field(ge=1)] = 1
    comment: str = ""


class ResourceMonitorSettings(Settings):
    """Credits a month for all warehouses here, and at which percentages somebody is told and the warehouses stop."""

    name: Identifier
    credit_quota: Annotated[int, Field(ge=1)]
    notify_at: tuple[Percentage, ...] = ()
    suspend_at: Percentage | None = None
    suspend_immediately_at: Percentage | None = None

    def check(self) -> Iterator[Mistake]:
        """At least one trigger, and the gentle stop before the hard one."""
        if not self.notify_at and self.suspend_at is None and self.suspend_immediately_at is None:
            yield Mistake((), "needs at least one of notify_at, suspend_at and suspend_immediately_at")
        if self.suspend_at and self.suspend_immediately_at and self.suspend_immediately_at < self.suspend_at:
            yield Mistake(("suspend_immediately_at",), "must not be lower than suspend_at")


class NetworkPolicySettings(Settings):
    """From where a kind of service user may log in: a network rule in ``schema`` (a key of ``schemas``), in a policy."""

    name: Identifier
    schema_key: Annotated[str, Field(alias="schema")]
    allowed: Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], Field(min_length=1)]


class AuthenticationPolicySettings(Settings):
    """An authentication policy that lets all service users in with their key pair, and with nothing else."""

    name: Identifier
    schema_key: Annotated[str, Field(alias="schema")]


class EmailSettings(Settings):
    """An integration that mails to ``recipients``, who must have verified their address with a Snowflake user."""

    name: Identifier
    recipients: Annotated[tuple[EmailAddress, ...], Field(min_length=1, max_length=50)]


class FailureTopicSettings(Settings):
    """An SNS topic for failures of pipes and tasks: Snowflake reports those to a queue, and not by e-mail.

    Topic and role are what another component hands over (``output: aws.failures``), or are named by their ARNs.
    """

    name: Identifier
    output: str | None = None
    topic_arn: (
        Annotated[str, matching(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:\S+", "must be the ARN of an SNS topic")] | None
    ) = None
    role_arn: (
        Annotated[str, matching(r"arn:aws[a-z-]*:iam::\d{12}:role/\S+", "must be the ARN of an IAM role")] | None
    ) = None

    def check(self) -> Iterator[Mistake]:
        """Both ARNs, or neither."""
        if {self.topic_arn is None, self.role_arn is None} != {self.output is not None}:
            yield Mistake((), "must give either `output` (such as aws.failures), or both `topic_arn` and `role_arn`")


class NotificationSettings(Settings):
    """Who hears of failures: ``email`` of recovery clones, ``failures`` of pipes and tasks that report them."""

    email: EmailSettings | None = None
    failures: FailureTopicSettings | None = None


class ObjectSettings(Settings):
    """Tables and what reads them: of Snowflake's own settings, or of a component that keeps its data there."""

    tables: dict[Key, TableSettings] = Field(default_factory=dict)
    streams: dict[Key, StreamSettings] = Field(default_factory=dict)
    dynamic_tables: dict[Key, DynamicTableSettings] = Field(default_factory=dict)
    views: dict[Key, ViewSettings] = Field(default_factory=dict)
    tasks: dict[Key, TaskSettings] = Field(default_factory=dict)


class SnowflakeSettings(ObjectSettings):
    """``sophia-ai:snowflake``. Keys of the maps are what the rest of the settings refers to; names are Snowflake's."""

    account: AccountSettings
    database: DatabaseSettings
    schemas: dict[Key, SchemaSettings]
    warehouses: dict[Key, WarehouseSettings]
    roles: dict[Key, RoleSettings] = Field(default_factory=dict)
    users: dict[Key, UserSettings] = Field(default_factory=dict)
    resource_monitor: ResourceMonitorSettings | None = None
    network_policies: dict[Key, NetworkPolicySettings] = Field(default_factory=dict)
    authentication_policy: AuthenticationPolicySettings | None = None
    masking_policies: dict[Key, MaskingPolicySettings] = Field(default_factory=dict)
    tags: dict[Key, TagSettings] = Field(default_factory=dict)
    row_access_policies: dict[Key, RowAccessPolicySettings] = Field(default_factory=dict)
    storage_integrations: dict[Key, StorageIntegrationSettings] = Field(default_factory=dict)
    file_formats: dict[Key, FileFormatSettings] = Field(default_factory=dict)
    stages: dict[Key, StageSettings] = Field(default_factory=dict)
    pipes: dict[Key, PipeSettings] = Field(default_factory=dict)
    notifications: NotificationSettings = NotificationSettings()
    recovery: RecoverySettings | None = None

    def check(self) -> Iterator[Mistake]:
        """Names are unique, references name what is declared here, and the account's edition has what is asked of it."""
        yield from mistaken_references(self)
        yield from _beyond_edition(self)
        for section in ("schemas", "warehouses", "roles", "users", "network_policies", "storage_integrations"):
            yield from same_object((section,), getattr(self, section), "name")
        for section in SECTIONS_IN_SCHEMAS:
            yield from same_object((section,), getattr(self, section), "name", "schema_key")


def _beyond_edition(settings: SnowflakeSettings) -> Iterator[Mistake]:
    if settings.account.edition != "standard":
        return
    needs = "needs the Enterprise edition: if the account has it, say account.edition: enterprise"
    if settings.database.retention_days > 1:
        yield Mistake(("database", "retention_days"), f"more than 1 {needs}")
    for section, entries in (("schemas", settings.schemas), ("tables", settings.tables)):
        for key, entry in entries.items():
            if (entry.retention_days or 0) > 1:
                yield Mistake((section, key, "retention_days"), f"more than 1 {needs}")
    for key, warehouse in settings.warehouses.items():
        if warehouse.max_clusters > 1:
            yield Mistake(("warehouses", key, "max_clusters"), f"more than 1 {needs}")
    for section in ("masking_policies", "row_access_policies"):
        if getattr(settings, section):
            yield Mistake((section,), needs)

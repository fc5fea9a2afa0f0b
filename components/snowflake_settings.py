"""What the stack file says about Snowflake (``sophia-ai:snowflake``)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from components.explain import Mistake
from components.settings import WRONG_SNOWFLAKE_ACCOUNTS, Key, Settings, matching, unknown_name, unknown_names

Identifier = Annotated[
    str,
    matching(r"[A-Z_][A-Z0-9_$]{0,254}", "must be a Snowflake identifier in upper case, such as SOPHIA_AI"),
]
"""The provider quotes every name, so a lower-case letter would make an object that plain SQL does not find."""

WarehouseSize = Literal["XSMALL", "SMALL", "MEDIUM", "LARGE", "XLARGE", "XXLARGE", "XXXLARGE", "X4LARGE"]
Percentage = Annotated[int, Field(ge=1, le=200)]


def _network(text: str) -> str:
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise PydanticCustomError("cidr", "must be an IPv4 network, such as 34.106.109.131/32") from error
    if network.prefixlen == 0:
        raise PydanticCustomError("cidr", "would let in the whole internet")
    return text


class AccountSettings(Settings):
    """The account that this stack is meant for. The program stops if the environment's credentials are of another one.

    Without ``organization`` the environment's SNOWFLAKE_ORGANIZATION_NAME is taken as it is.
    """

    name: str
    organization: str | None = None

    def check(self) -> Iterator[Mistake]:
        """Not one of the leftovers, also when written in two parts."""
        if f"{self.organization}-{self.name}".lower() in map(str.lower, WRONG_SNOWFLAKE_ACCOUNTS):
            yield Mistake((), "this account is a wrong leftover that broke production: use ZNB04675")


class DatabaseSettings(Settings):
    """``retention_days`` of Time Travel: how far back mistakes can be undone (beyond 1: Enterprise edition)."""

    name: Identifier
    retention_days: Annotated[int, Field(ge=0, le=90)] = 1
    comment: str = "Sophia AI"


class SchemaSettings(Settings):
    """A schema. In a managed one only grants made here count, whoever owns the tables."""

    name: Identifier
    managed_access: bool = True
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

    ``create_schemas`` is for loaders that keep a schema of their own (Airbyte's ``airbyte_internal``).
    """

    name: Identifier
    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    warehouses: tuple[str, ...] = ()
    create_schemas: bool = False


class UserSettings(Settings):
    """A service user. It has no password: it logs in with the key pair that the program gives it."""

    name: Identifier
    role: str
    warehouse: str
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
    """From where the service users may log in: a network rule in ``schema`` (a key of ``schemas``), in a policy."""

    name: Identifier
    schema_key: Annotated[str, Field(alias="schema")]
    allowed: Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], Field(min_length=1)]


class SnowflakeSettings(Settings):
    """``sophia-ai:snowflake``. Keys of the maps are what the rest of the settings refers to; names are Snowflake's."""

    account: AccountSettings
    database: DatabaseSettings
    schemas: dict[Key, SchemaSettings]
    warehouses: dict[Key, WarehouseSettings]
    roles: dict[Key, RoleSettings] = Field(default_factory=dict)
    users: dict[Key, UserSettings] = Field(default_factory=dict)
    resource_monitor: ResourceMonitorSettings | None = None
    network_policy: NetworkPolicySettings | None = None

    def check(self) -> Iterator[Mistake]:
        """Every reference names something that is declared here, and no two roles or users have one name."""
        for key, role in self.roles.items():
            yield from unknown_names(("roles", key, "read"), role.read, self.schemas, "schema")
            yield from unknown_names(("roles", key, "write"), role.write, self.schemas, "schema")
            yield from unknown_names(("roles", key, "warehouses"), role.warehouses, self.warehouses, "warehouse")
        for key, user in self.users.items():
            yield from unknown_name(("users", key, "role"), user.role, self.roles, "role")
            yield from unknown_name(("users", key, "warehouse"), user.warehouse, self.warehouses, "warehouse")
            its_role = self.roles.get(user.role)
            if its_role and user.warehouse in self.warehouses and user.warehouse not in its_role.warehouses:
                message = f'the role "{user.role}" may not use the warehouse "{user.warehouse}"'
                yield Mistake(("users", key, "warehouse"), message)
        if self.network_policy:
            path = ("network_policy", "schema")
            yield from unknown_name(path, self.network_policy.schema_key, self.schemas, "schema")
        yield from _same_names("roles", self.roles)
        yield from _same_names("users", self.users)


def _same_names(section: str, entries: Mapping[str, RoleSettings] | Mapping[str, UserSettings]) -> Iterator[Mistake]:
    seen: dict[str, str] = {}
    for key, entry in entries.items():
        if entry.name in seen:
            yield Mistake((section, key, "name"), f'"{entry.name}" is also the name of {section}.{seen[entry.name]}')
        seen[entry.name] = key

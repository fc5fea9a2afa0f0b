"""Snowflake: where Pay Ready's data lives, and who may read, write and load it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi

from components.settings import (
    WRONG_SNOWFLAKE_ACCOUNTS,
    CredentialsError,
    SettingsError,
    Stage,
    data_store_options,
    where,
)
from components.snowflake_settings import (
    AccountSettings,
    DatabaseSettings,
    NetworkPolicySettings,
    ResourceMonitorSettings,
    RoleSettings,
    SchemaSettings,
    SnowflakeSettings,
    UserSettings,
    WarehouseSettings,
)

if TYPE_CHECKING:
    import pulumi_snowflake as snowflake


@dataclass(frozen=True)
class Login:
    """All that a client of one service user needs, except its private key, which only the program has."""

    host: str
    user: pulumi.Output[str]
    role: pulumi.Output[str]
    warehouse: pulumi.Output[str]
    database: pulumi.Output[str]


class Snowflake(pulumi.ComponentResource):
    """The database with its schemas, warehouses, roles, service users, resource monitor and network policy.

    Each schema gets two access roles, ``<DATABASE>_<SCHEMA>_READ`` and ``…_WRITE`` (which includes the first), with
    grants on the database, the schema and all tables and views that come later. Functional roles are made of access
    roles, hang under SYSADMIN, and are what users have. In prod the database and the schemas are protected.

    Outputs: ``account`` (``organization-account``), ``host``, ``database``, and by key ``schemas``, ``warehouses``,
    ``roles``, ``users`` and ``logins``.

    Not managed, on purpose: tables and views (the loader and dbt make them), grants on tables that were there before
    (a one-off ``GRANT … ON ALL TABLES``; as a resource it would say nothing about what it granted), people and their
    single sign-on, ownership, and the account-wide network policy and resource monitor, with which one stack could
    lock out the other two. The network policy is set on the users themselves and not by an attachment resource, which
    the provider undoes at every second run (snowflakedb/terraform-provider-snowflake#3058).
    """

    account: str
    host: str
    database: pulumi.Output[str]
    schemas: Mapping[str, pulumi.Output[str]]
    warehouses: Mapping[str, pulumi.Output[str]]
    roles: Mapping[str, pulumi.Output[str]]
    users: Mapping[str, pulumi.Output[str]]
    logins: Mapping[str, Login]

    def __init__(
        self,
        name: str,
        settings: SnowflakeSettings,
        *,
        stage: Stage,
        public_keys: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """``public_keys``: for each key of ``settings.users`` the RSA public key, on one line without its PEM header.

        Raises SettingsError or CredentialsError if the environment's credentials are not of the settings' account.
        """
        super().__init__("sophia:platform:Snowflake", name, None, opts)
        import pulumi_snowflake  # here, because it takes seconds, and only stacks with Snowflake should pay for it

        self._sdk = pulumi_snowflake
        self._child = pulumi.ResourceOptions(parent=self)
        self._store = data_store_options(stage, self._child)
        self.account = _account(settings.account)
        self.host = f"{self.account.replace('_', '-')}.snowflakecomputing.com"

        self._database = self._create_database(settings.database)
        self._schemas = {key: self._create_schema(key, schema) for key, schema in settings.schemas.items()}
        monitor = self._create_resource_monitor(settings.resource_monitor)
        self._warehouses = {key: self._create_warehouse(key, w, monitor) for key, w in settings.warehouses.items()}
        access = self._create_access_roles(settings)
        self._roles = {key: self._create_role(key, role, access) for key, role in settings.roles.items()}
        policy = self._create_network_policy(settings.network_policy)
        self._users = {
            key: self._create_user(key, user, public_keys[key], policy) for key, user in settings.users.items()
        }

        self.database = self._database.name
        self.schemas = {key: schema.name for key, schema in self._schemas.items()}
        self.warehouses = {key: warehouse.name for key, warehouse in self._warehouses.items()}
        self.roles = {key: role.name for key, role in self._roles.items()}
        self.users = {key: user.name for key, user in self._users.items()}
        self.logins = {
            key: Login(
                host=self.host,
                user=self.users[key],
                role=self.roles[user.role],
                warehouse=self.warehouses[user.warehouse],
                database=self.database,
            )
            for key, user in settings.users.items()
        }
        self.register_outputs(
            {
                "account": self.account,
                "host": self.host,
                "database": self.database,
                "schemas": self.schemas,
                "warehouses": self.warehouses,
                "roles": self.roles,
                "users": self.users,
            }
        )

    def _create_database(self, settings: DatabaseSettings) -> snowflake.Database:
        return self._sdk.Database(
            "database",
            name=settings.name,
            comment=settings.comment,
            data_retention_time_in_days=settings.retention_days,
            opts=self._store,
        )

    def _create_schema(self, key: str, settings: SchemaSettings) -> snowflake.Schema:
        return self._sdk.Schema(
            key,
            name=settings.name,
            database=self._database.name,
            with_managed_access=_flag(settings.managed_access),
            comment=settings.comment,
            opts=self._store,
        )

    def _create_resource_monitor(self, settings: ResourceMonitorSettings | None) -> snowflake.ResourceMonitor | None:
        if settings is None:
            return None
        return self._sdk.ResourceMonitor(
            "resource-monitor",
            name=settings.name,
            credit_quota=settings.credit_quota,
            notify_triggers=settings.notify_at or None,
            suspend_trigger=settings.suspend_at,
            suspend_immediate_trigger=settings.suspend_immediately_at,
            opts=self._unique(),
        )

    def _create_warehouse(
        self, key: str, settings: WarehouseSettings, monitor: snowflake.ResourceMonitor | None
    ) -> snowflake.Warehouse:
        return self._sdk.Warehouse(
            key,
            name=settings.name,
            warehouse_size=settings.size,
            auto_suspend=settings.auto_suspend_seconds,
            auto_resume=_flag(True),
            initially_suspended=True,
            statement_timeout_in_seconds=settings.statement_timeout_seconds,
            max_cluster_count=settings.max_clusters,
            resource_monitor=monitor.name if monitor else None,
            comment=settings.comment,
            opts=self._child,
        )

    def _create_access_roles(self, settings: SnowflakeSettings) -> Mapping[str, snowflake.AccountRole]:
        """By ``<schema>.read`` and ``<schema>.write``; keys of settings have no dots, so these never meet."""
        roles: dict[str, snowflake.AccountRole] = {}
        for key, schema in settings.schemas.items():
            prefix = f"{settings.database.name}_{schema.name}"
            read, write = f"{key}.read", f"{key}.write"
            roles[read] = self._account_role(read, f"{prefix}_READ", f"May read {schema.name}")
            roles[write] = self._account_role(write, f"{prefix}_WRITE", f"May read and write {schema.name}")
            self._grant_role(f"{write}.includes-read", roles[read], to=roles[write])
            self._grant_on_database(f"{read}.database", roles[read], ["USAGE"])
            self._grant_on_schema(f"{read}.schema", roles[read], key, ["USAGE"])
            self._grant_on_future(f"{read}.tables", roles[read], key, "TABLES", ["SELECT"])
            self._grant_on_future(f"{read}.views", roles[read], key, "VIEWS", ["SELECT"])
            self._grant_on_schema(f"{write}.schema", roles[write], key, ["CREATE STAGE", "CREATE TABLE", "CREATE VIEW"])
            changes = ["DELETE", "INSERT", "TRUNCATE", "UPDATE"]
            self._grant_on_future(f"{write}.tables", roles[write], key, "TABLES", changes)
        return roles

    def _create_role(
        self, key: str, settings: RoleSettings, access: Mapping[str, snowflake.AccountRole]
    ) -> snowflake.AccountRole:
        role = self._account_role(key, settings.name, f"Sophia AI: {key}")
        self._grant_role(f"{key}.under-sysadmin", role, to="SYSADMIN")
        for schema in settings.write:
            self._grant_role(f"{key}.writes.{schema}", access[f"{schema}.write"], to=role)
        for schema in settings.read:
            if schema not in settings.write:
                self._grant_role(f"{key}.reads.{schema}", access[f"{schema}.read"], to=role)
        for warehouse in settings.warehouses:
            self._grant(
                f"{key}.uses.{warehouse}",
                role,
                ["USAGE"],
                on_account_object={
                    "object_type": "WAREHOUSE",
                    "object_name": _qualified(self._warehouses[warehouse].name),
                },
            )
        if settings.create_schemas:
            self._grant_on_database(f"{key}.creates-schemas", role, ["CREATE SCHEMA"])
        return role

    def _create_network_policy(self, settings: NetworkPolicySettings | None) -> snowflake.NetworkPolicy | None:
        if settings is None:
            return None
        schema = self._schemas[settings.schema_key]
        rule = self._sdk.NetworkRule(
            "service-users",
            name=f"{settings.name}_INGRESS",
            database=self._database.name,
            schema=schema.name,
            mode="INGRESS",
            type="IPV4",
            value_lists=settings.allowed,
            opts=self._unique(),
        )
        return self._sdk.NetworkPolicy(
            "service-users",
            name=settings.name,
            allowed_network_rule_lists=[_qualified(self._database.name, schema.name, rule.name)],
            opts=self._unique(),
        )

    def _create_user(
        self,
        key: str,
        settings: UserSettings,
        public_key: pulumi.Input[str],
        policy: snowflake.NetworkPolicy | None,
    ) -> snowflake.ServiceUser:
        role = self._roles[settings.role]
        user = self._sdk.ServiceUser(
            key,
            name=settings.name,
            comment=settings.comment,
            rsa_public_key=public_key,
            default_role=role.name,
            default_secondary_roles_option="NONE",  # a session has its own role, and nothing that was added by hand
            default_warehouse=self._warehouses[settings.warehouse].name,
            network_policy=policy.name if policy else None,
            opts=self._child,
        )
        self._sdk.GrantAccountRole(
            f"{key}.is.{settings.role}",
            role_name=_qualified(role.name),
            user_name=_qualified(user.name),
            opts=self._child,
        )
        return user

    def _account_role(self, key: str, name: str, comment: str) -> snowflake.AccountRole:
        return self._sdk.AccountRole(key, name=name, comment=comment, opts=self._child)

    def _grant_role(self, key: str, role: snowflake.AccountRole, *, to: snowflake.AccountRole | str) -> None:
        parent = _qualified(to if isinstance(to, str) else to.name)
        self._sdk.GrantAccountRole(key, role_name=_qualified(role.name), parent_role_name=parent, opts=self._child)

    def _grant_on_database(self, key: str, role: snowflake.AccountRole, privileges: Sequence[str]) -> None:
        database = _qualified(self._database.name)
        self._grant(key, role, privileges, on_account_object={"object_type": "DATABASE", "object_name": database})

    def _grant_on_schema(self, key: str, role: snowflake.AccountRole, schema: str, privileges: Sequence[str]) -> None:
        self._grant(key, role, privileges, on_schema={"schema_name": self._qualified_schema(schema)})

    def _grant_on_future(
        self, key: str, role: snowflake.AccountRole, schema: str, kind: str, privileges: Sequence[str]
    ) -> None:
        future: snowflake.GrantPrivilegesToAccountRoleOnSchemaObjectFutureArgsDict = {
            "object_type_plural": kind,
            "in_schema": self._qualified_schema(schema),
        }
        self._grant(key, role, privileges, on_schema_object={"future": future})

    def _grant(
        self,
        key: str,
        role: snowflake.AccountRole,
        privileges: Sequence[str],
        *,
        on_account_object: snowflake.GrantPrivilegesToAccountRoleOnAccountObjectArgsDict | None = None,
        on_schema: snowflake.GrantPrivilegesToAccountRoleOnSchemaArgsDict | None = None,
        on_schema_object: snowflake.GrantPrivilegesToAccountRoleOnSchemaObjectArgsDict | None = None,
    ) -> None:
        self._sdk.GrantPrivilegesToAccountRole(
            key,
            account_role_name=_qualified(role.name),
            privileges=privileges,
            on_account_object=on_account_object,
            on_schema=on_schema,
            on_schema_object=on_schema_object,
            opts=self._child,
        )

    def _qualified_schema(self, key: str) -> pulumi.Output[str]:
        return _qualified(self._database.name, self._schemas[key].name)

    def _unique(self) -> pulumi.ResourceOptions:
        """For what holds no data and has a name that cannot exist twice: it must go before its replacement comes."""
        return pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(delete_before_replace=True))


def _account(settings: AccountSettings) -> str:
    """``organization-account`` in lower case, once the environment's credentials are known to be of that account."""
    organization = settings.organization or os.environ.get("SNOWFLAKE_ORGANIZATION_NAME")
    if not organization:
        reader = where("snowflake.account.organization")
        raise CredentialsError([f"SNOWFLAKE_ORGANIZATION_NAME is not set, and neither is {reader}: set one of them"])
    for field, expected in (("name", settings.name), ("organization", organization)):
        variable = "SNOWFLAKE_ACCOUNT_NAME" if field == "name" else "SNOWFLAKE_ORGANIZATION_NAME"
        actual = os.environ.get(variable, expected)
        if actual.lower() != expected.lower():
            setting = where(f"snowflake.account.{field}")
            conflict = f'{setting} is "{expected}", but the environment has credentials for "{actual}" ({variable})'
            raise SettingsError([f"{conflict}: nothing was touched; correct the one that is wrong"])
    account = f"{organization}-{settings.name}".lower()
    if account in map(str.lower, WRONG_SNOWFLAKE_ACCOUNTS):
        raise SettingsError([f"{where('snowflake.account')}: {account} is a wrong leftover that broke production"])
    return account


def _qualified(*names: pulumi.Input[str]) -> pulumi.Output[str]:
    """A fully qualified name as the provider writes it; made of outputs, so that what it names is created first."""
    return pulumi.Output.all(*names).apply(lambda parts: ".".join(f'"{part}"' for part in parts))


def _flag(value: bool) -> str:
    """The provider has a third state, its default, so that booleans are texts."""
    return "true" if value else "false"

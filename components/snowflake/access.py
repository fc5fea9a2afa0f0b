"""Roles and grants: who may do what in which schema and with which warehouse.

Each grant is a resource of its own and says one thing, so that taking one line out of the settings takes away one grant.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_snowflake as snowflake

from components.snowflake.scope import grant_role, qualified
from components.snowflake.settings import RoleSettings, SnowflakeSettings

_CHANGES = ("DELETE", "INSERT", "TRUNCATE", "UPDATE")


class Access:
    """The roles by key, and the grants by what they make usable: ``on_schema`` by schema, ``of_role`` by role."""

    def __init__(
        self,
        settings: SnowflakeSettings,
        database: snowflake.Database,
        schemas: Mapping[str, snowflake.Schema],
        warehouses: Mapping[str, snowflake.Warehouse],
        opts: pulumi.ResourceOptions,
    ) -> None:
        self._database = database
        self._schemas = schemas
        self._warehouses = warehouses
        self._opts = opts
        self._readers: dict[str, snowflake.AccountRole] = {}
        self._writers: dict[str, snowflake.AccountRole] = {}
        self._with_schema: dict[str, list[pulumi.Resource]] = {}
        self.on_schema: defaultdict[str, list[pulumi.Resource]] = defaultdict(list)
        self.of_role: defaultdict[str, list[pulumi.Resource]] = defaultdict(list)
        for key, schema in settings.schemas.items():
            self._create_access_roles(key, f"{settings.database.name}_{schema.name}", schema.name)
        self.roles = {key: self._create_role(key, role) for key, role in settings.roles.items()}

    def _create_access_roles(self, key: str, prefix: str, schema: str) -> None:
        """Logical names start with ``<schema>.read`` and ``<schema>.write``; keys have no dots, so these never meet."""
        read, write = f"{key}.read", f"{key}.write"
        reader = self._account_role(read, f"{prefix}_READ", f"May read {schema}")
        writer = self._account_role(write, f"{prefix}_WRITE", f"May read and write {schema}")
        self._readers[key], self._writers[key] = reader, writer
        creates = ["CREATE STAGE", "CREATE TABLE", "CREATE VIEW"]
        self._with_schema[key] = [
            grant_role(f"{write}.includes-read", reader, self._opts, to=writer),
            self._grant_on_database(f"{read}.database", reader, ["USAGE"]),
            self._grant_on_schema(f"{read}.schema", reader, key, ["USAGE"]),
            self._grant_on_future(f"{read}.tables", reader, key, "TABLES", ["SELECT"]),
            self._grant_on_future(f"{read}.views", reader, key, "VIEWS", ["SELECT"]),
            self._grant_on_future(f"{read}.dynamic-tables", reader, key, "DYNAMIC TABLES", ["SELECT"]),
            self._grant_on_schema(f"{write}.schema", writer, key, creates),
            self._grant_on_future(f"{write}.tables", writer, key, "TABLES", _CHANGES),
        ]
        self.on_schema[key] += self._with_schema[key]

    def _create_role(self, key: str, settings: RoleSettings) -> snowflake.AccountRole:
        role = self._account_role(key, settings.name, f"Sophia AI: {key}")
        mine = self.of_role[key]
        if settings.under_sysadmin:
            grant_role(f"{key}.under-sysadmin", role, self._opts, to="SYSADMIN")
        for schema in settings.write:
            granted = grant_role(f"{key}.writes.{schema}", self._writers[schema], self._opts, to=role)
            self._makes_usable(schema, mine, granted)
        for schema in settings.read:
            if schema not in settings.write:
                granted = grant_role(f"{key}.reads.{schema}", self._readers[schema], self._opts, to=role)
                self._makes_usable(schema, mine, granted)
        for schema, kinds in settings.create.items():
            for kind in kinds:
                name = f"{key}.creates.{schema}.{kind.lower().replace(' ', '-')}"
                self._makes_usable(schema, mine, self._grant_on_schema(name, role, schema, [f"CREATE {kind}"]))
        for warehouse in settings.warehouses:
            on_warehouse: snowflake.GrantPrivilegesToAccountRoleOnAccountObjectArgsDict = {
                "object_type": "WAREHOUSE",
                "object_name": qualified(self._warehouses[warehouse].name),
            }
            mine.append(self._grant(f"{key}.uses.{warehouse}", role, ["USAGE"], on_account_object=on_warehouse))
        if settings.create_schemas:
            mine.append(self._grant_on_database(f"{key}.creates-schemas", role, ["CREATE SCHEMA"]))
        return role

    def _makes_usable(self, schema: str, of_role: list[pulumi.Resource], grant: pulumi.Resource) -> None:
        """A role's grant in a schema counts for both; with it come those that the schema's access roles have."""
        self.on_schema[schema].append(grant)
        of_role += [grant, *self._with_schema[schema]]

    def _account_role(self, key: str, name: str, comment: str) -> snowflake.AccountRole:
        return snowflake.AccountRole(key, name=name, comment=comment, opts=self._opts)

    def _grant_on_database(
        self, key: str, role: snowflake.AccountRole, privileges: Sequence[str]
    ) -> snowflake.GrantPrivilegesToAccountRole:
        database = qualified(self._database.name)
        return self._grant(
            key, role, privileges, on_account_object={"object_type": "DATABASE", "object_name": database}
        )

    def _grant_on_schema(
        self, key: str, role: snowflake.AccountRole, schema: str, privileges: Sequence[str]
    ) -> snowflake.GrantPrivilegesToAccountRole:
        return self._grant(key, role, privileges, on_schema={"schema_name": self._qualified_schema(schema)})

    def _grant_on_future(
        self, key: str, role: snowflake.AccountRole, schema: str, kind: str, privileges: Sequence[str]
    ) -> snowflake.GrantPrivilegesToAccountRole:
        future: snowflake.GrantPrivilegesToAccountRoleOnSchemaObjectFutureArgsDict = {
            "object_type_plural": kind,
            "in_schema": self._qualified_schema(schema),
        }
        return self._grant(key, role, privileges, on_schema_object={"future": future})

    def _grant(
        self,
        key: str,
        role: snowflake.AccountRole,
        privileges: Sequence[str],
        *,
        on_account_object: snowflake.GrantPrivilegesToAccountRoleOnAccountObjectArgsDict | None = None,
        on_schema: snowflake.GrantPrivilegesToAccountRoleOnSchemaArgsDict | None = None,
        on_schema_object: snowflake.GrantPrivilegesToAccountRoleOnSchemaObjectArgsDict | None = None,
    ) -> snowflake.GrantPrivilegesToAccountRole:
        return snowflake.GrantPrivilegesToAccountRole(
            key,
            account_role_name=qualified(role.name),
            privileges=privileges,
            on_account_object=on_account_object,
            on_schema=on_schema,
            on_schema_object=on_schema_object,
            opts=self._opts,
        )

    def _qualified_schema(self, key: str) -> pulumi.Output[str]:
        return qualified(self._database.name, self._schemas[key].name)

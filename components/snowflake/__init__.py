"""Snowflake: where Pay Ready's data lives, who may load, read and change it, and what Snowflake itself does with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.settings import Stage, data_store_options
from components.snowflake.account import account_of
from components.snowflake.previews import check_previews, in_preview
from components.snowflake.settings import SnowflakeSettings


@dataclass(frozen=True)
class Login:
    """All that a client of one service user needs, except its private key, which only the program has.

    The outputs hang on the user's grants: who uses them is created after these and deleted before them.
    """

    host: str
    user: pulumi.Output[str]
    role: pulumi.Output[str]
    warehouse: pulumi.Output[str]
    database: pulumi.Output[str]


class Snowflake(pulumi.ComponentResource):
    """The database with its schemas, warehouses, roles, users, data protection, and what loads and transforms inside it.

    Each schema gets two access roles, ``<DATABASE>_<SCHEMA>_READ`` and ``…_WRITE`` (which includes the first), with
    grants on the database, the schema and all tables and views that come later. Functional roles are made of access
    roles and are what users have; they hang under SYSADMIN, except those that see personal data in clear. In prod the
    database, the schemas, the tables and the internal stages are protected.

    Outputs: ``account`` (``organization-account``), ``host``, ``database``, by key ``schemas``, ``warehouses``, ``roles``,
    ``users``, ``logins``, ``tables`` and ``masks``, the masking policies (the last two are qualified names), and ``queues``:
    by pipe the SQS queue to which its bucket has to send notifications of new files. ``schemas`` and ``logins`` hang on
    grants: a loader that is given them is created when it may load, and is deleted before it no longer may. ``schemas``
    wait for all grants in the schema, ``logins`` for those of the user's role. A plain name (``users``, ``roles``) waits
    for nothing but the object.

    Not managed, on purpose: the tables and views of the loaders and of dbt (what the settings declare is what nobody
    else makes), grants on tables that were there before (a one-off ``GRANT … ON ALL TABLES``; as a resource it would say
    nothing about what it granted), row access policies on tables (the provider attaches them to views only,
    snowflakedb/terraform-provider-snowflake#1272), people and their single sign-on, ownership, the clones that the
    recovery tasks make, and the account-wide network policy and resource monitor, with which one stack could lock out
    the other two. The network policy is set on the users themselves and not by an attachment resource, which the
    provider undoes at every second run (snowflakedb/terraform-provider-snowflake#3058).
    """

    account: str
    host: str
    database: pulumi.Output[str]
    schemas: Mapping[str, pulumi.Output[str]]
    warehouses: Mapping[str, pulumi.Output[str]]
    roles: Mapping[str, pulumi.Output[str]]
    users: Mapping[str, pulumi.Output[str]]
    logins: Mapping[str, Login]
    queues: Mapping[str, pulumi.Output[str]]
    tables: Mapping[str, pulumi.Output[str]]
    masks: Mapping[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        settings: SnowflakeSettings,
        *,
        stage: Stage,
        public_keys: Mapping[str, pulumi.Input[str]],
        second_public_keys: Mapping[str, pulumi.Input[str]] | None = None,
        outputs: Mapping[str, pulumi.Input[str]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """``public_keys``: for each key of ``settings.users`` the RSA public key, on one line without its PEM header.

        ``second_public_keys``: for the users that have one, the key of the other slot, such as the previous one while
        it is being replaced. ``outputs``: the roles and the topic in AWS that settings name with ``output``.

        Raises SettingsError if the settings use a preview feature that the stack file does not enable, are for another
        account than the environment's credentials, or name an output that nobody hands over; CredentialsError if the
        environment does not say which account.
        """
        super().__init__("sophia:platform:Snowflake", name, None, opts)
        self.account = account_of(settings.account)
        self.host = f"{self.account.replace('_', '-')}.snowflakecomputing.com"
        check_previews((f"snowflake.{section}", section) for section in in_preview(settings))

        # Here, because the SDK takes seconds to import, and only stacks with Snowflake should pay for it.
        from components.snowflake import compute, loading, notifications, privacy, recovery, transforming, users
        from components.snowflake.access import Access
        from components.snowflake.scope import Scope, waiting_for

        child = pulumi.ResourceOptions(parent=self)
        store = data_store_options(stage, child)
        database = compute.create_database(settings.database, store)
        schemas = {key: compute.create_schema(key, entry, database, store) for key, entry in settings.schemas.items()}
        monitor = compute.create_resource_monitor(settings.resource_monitor, child)
        warehouses = {
            key: compute.create_warehouse(key, entry, monitor, child) for key, entry in settings.warehouses.items()
        }
        access = Access(settings, database, schemas, warehouses, child)
        usable = {key: waiting_for(schema.name, access.on_schema[key]) for key, schema in schemas.items()}
        scope = Scope(child, store, database.name, usable)

        created = users.create_users(settings, scope, access, warehouses, public_keys, second_public_keys or {})
        masks = privacy.create_masking_policies(settings, scope, access)
        tags = privacy.create_tags(settings, scope, access, masks)
        tables = loading.create_tables(settings, scope, masks)
        privacy.assign_tags(settings, scope, tags, tables)
        rows = privacy.create_row_access_policies(settings, scope, access, tables)
        told = notifications.create_notifications(settings.notifications, scope, outputs or {})
        loads = loading.create_loading(settings, scope, tables, told, outputs or {})
        self.warehouses = {key: warehouse.name for key, warehouse in warehouses.items()}
        dynamic_tables = transforming.create_dynamic_tables(settings, scope, tables, self.warehouses)
        readable = {"tables": tables, "dynamic_tables": dynamic_tables}
        views = transforming.create_views(settings, scope, readable, masks, rows)
        readable |= {"views": views, "streams": loads.streams}
        transforming.create_tasks(settings, scope, readable, self.warehouses, told)
        recovery.create_recovery(settings, scope, warehouses, told)

        self.database = database.name
        self.schemas = usable
        self.roles = {key: role.name for key, role in access.roles.items()}
        self.users = {key: entry.user.name for key, entry in created.items()}
        self.queues = loads.queues
        self.tables = tables
        self.masks = {key: policy.fully_qualified_name for key, policy in masks.items()}
        self._integrations, self._failures = loads.integrations, told.integration
        self.logins = {
            key: Login(
                host=self.host,
                user=waiting_for(self.users[key], created[key].grants),
                role=waiting_for(self.roles[user.role], created[key].grants),
                warehouse=waiting_for(self.warehouses[user.warehouse], created[key].grants),
                database=waiting_for(self.database, created[key].grants),
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
                "queues": self.queues,
            }
        )

    def trust(self) -> dict[str, pulumi.Output[str]]:
        """Whom roles in AWS have to trust: by storage integration (and ``failures``) the ``user`` and the ``external_id``.

        Snowflake gives them to an integration when it is made, and for as long as it exists.
        """
        found: dict[str, pulumi.Output[str]] = {}
        for key, integration in self._integrations.items():
            described = integration.describe_outputs
            found[f"{key}.user"] = described.apply(lambda shown: str(shown[0].iam_user_arn))
            found[f"{key}.external_id"] = described.apply(lambda shown: str(shown[0].external_id))
        if self._failures:
            found["failures.user"] = self._failures.aws_sns_iam_user_arn
            found["failures.external_id"] = self._failures.aws_sns_external_id
        return found

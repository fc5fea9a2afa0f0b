"""Scheduled clones to go back to when a mistake is found after Time Travel has ended, or the original was dropped."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_snowflake as snowflake

from components.snowflake.notifications import Notifications
from components.snowflake.scope import Scope, qualified
from components.snowflake.settings import SnowflakeSettings
from components.snowflake.settings_transforming import CloneSettings
from components.snowflake.sql import clone_script


def create_recovery(
    settings: SnowflakeSettings,
    scope: Scope,
    warehouses: Mapping[str, snowflake.Warehouse],
    notifications: Notifications,
) -> None:
    """One task a clone. The clones themselves are Snowflake's and not in the state: no destroy reaches them."""
    if settings.recovery is None:
        return
    for key, clone in settings.recovery.clones.items():
        snowflake.Task(
            f"clone.{key}",
            name=f"{clone.name}_CLONE",
            database=scope.database,
            schema=scope.schemas[settings.recovery.schema_key],
            sql_statement=_script(clone, scope, notifications),
            started=True,
            schedule={"using_cron": clone.schedule.text()},
            warehouse=warehouses[clone.warehouse].name if clone.warehouse else None,
            user_task_managed_initial_warehouse_size=None if clone.warehouse else "XSMALL",
            error_integration=notifications.failures,
            comment=f"Clones for recovery, kept for {clone.keep_days} days",
            opts=scope.unique,
        )


def _script(clone: CloneSettings, scope: Scope, notifications: Notifications) -> pulumi.Output[str]:
    database = qualified(scope.database)
    kind, source = ("DATABASE", database)
    if clone.of_schema:
        kind, source = ("SCHEMA", scope.qualified_schema(clone.of_schema))
    integration, recipients = notifications.mail or (None, "")

    def write(known: list[str | None]) -> str:
        mail = (known[2], recipients, f"Recovery clone {clone.name} failed") if known[2] else None
        return clone_script(kind, str(known[0]), str(known[1]), f"{clone.name}_", clone.keep_days, mail)

    return pulumi.Output.all(database, source, integration).apply(write)

"""The database with its schemas, and the warehouses with what they may cost."""

from __future__ import annotations

import pulumi
import pulumi_snowflake as snowflake

from components.snowflake.scope import flag
from components.snowflake.settings import (
    DatabaseSettings,
    ResourceMonitorSettings,
    SchemaSettings,
    WarehouseSettings,
)


def create_database(settings: DatabaseSettings, store: pulumi.ResourceOptions) -> snowflake.Database:
    return snowflake.Database(
        "database",
        name=settings.name,
        comment=settings.comment,
        data_retention_time_in_days=settings.retention_days,
        opts=store,
    )


def create_schema(
    key: str, settings: SchemaSettings, database: snowflake.Database, store: pulumi.ResourceOptions
) -> snowflake.Schema:
    return snowflake.Schema(
        key,
        name=settings.name,
        database=database.name,
        with_managed_access=flag(settings.managed_access),
        data_retention_time_in_days=settings.retention_days,
        comment=settings.comment,
        opts=store,
    )


def create_resource_monitor(
    settings: ResourceMonitorSettings | None, opts: pulumi.ResourceOptions
) -> snowflake.ResourceMonitor | None:
    if settings is None:
        return None
    return snowflake.ResourceMonitor(
        "resource-monitor",
        name=settings.name,
        credit_quota=settings.credit_quota,
        notify_triggers=settings.notify_at or None,
        suspend_trigger=settings.suspend_at,
        suspend_immediate_trigger=settings.suspend_immediately_at,
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(delete_before_replace=True)),
    )


def create_warehouse(
    key: str, settings: WarehouseSettings, monitor: snowflake.ResourceMonitor | None, opts: pulumi.ResourceOptions
) -> snowflake.Warehouse:
    return snowflake.Warehouse(
        key,
        name=settings.name,
        warehouse_size=settings.size,
        auto_suspend=settings.auto_suspend_seconds,
        auto_resume=flag(True),
        initially_suspended=True,
        statement_timeout_in_seconds=settings.statement_timeout_seconds,
        max_cluster_count=settings.max_clusters,
        resource_monitor=monitor.name if monitor else None,
        comment=settings.comment,
        opts=opts,
    )

"""What Snowflake computes itself: dynamic tables, secure views and tasks."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import TopologicalSorter

import pulumi
import pulumi_snowflake as snowflake

from components.snowflake.loading import Names
from components.snowflake.notifications import Notifications
from components.snowflake.references import reads
from components.snowflake.scope import Readable, Scope, filled, flag
from components.snowflake.settings import ObjectSettings
from components.snowflake.settings_transforming import TaskSettings, ViewSettings
from components.snowflake.sql import stream_has_data

_MINUTE = 60_000


def create_dynamic_tables(settings: ObjectSettings, scope: Scope, tables: Names, warehouses: Names) -> Names:
    created: dict[str, pulumi.Output[str]] = {}
    entries = settings.dynamic_tables
    for key in TopologicalSorter({k: reads("dynamic_tables", e.query) for k, e in entries.items()}).static_order():
        entry = entries[key]
        lag: snowflake.DynamicTableTargetLagArgsDict = (
            {"maximum_duration": entry.lag} if entry.lag else {"downstream": True}
        )
        created[key] = snowflake.DynamicTable(
            key,
            name=entry.name,
            database=scope.database,
            schema=scope.schemas[entry.schema_key],
            query=filled(entry.query, {"tables": tables, "dynamic_tables": dict(created)}),
            warehouse=warehouses[entry.warehouse],
            target_lag=lag,
            refresh_mode=entry.refresh_mode,
            comment=entry.comment,
            opts=scope.unique,
        ).fully_qualified_name
    return created


def create_views(
    settings: ObjectSettings,
    scope: Scope,
    readable: Readable,
    masks: Mapping[str, snowflake.MaskingPolicy],
    rows: Mapping[str, snowflake.RowAccessPolicy],
) -> Names:
    created: dict[str, pulumi.Output[str]] = {}

    def create(key: str, view: ViewSettings) -> snowflake.View:
        columns: list[snowflake.ViewColumnArgsDict] = []
        for column in view.columns:
            shown: snowflake.ViewColumnArgsDict = {"column_name": column.name}
            if column.comment:
                shown["comment"] = column.comment
            if column.mask:
                shown["masking_policy"] = {"policy_name": masks[column.mask].fully_qualified_name}
            columns.append(shown)
        row_access: snowflake.ViewRowAccessPolicyArgsDict | None = None
        if view.row_access:
            policy = rows[view.row_access.policy].fully_qualified_name
            row_access = {"policy_name": policy, "ons": [view.row_access.column]}
        return snowflake.View(
            key,
            name=view.name,
            database=scope.database,
            schema=scope.schemas[view.schema_key],
            statement=filled(view.query, {**readable, "views": dict(created)}),
            columns=columns,
            row_access_policy=row_access,
            is_secure=flag(True),
            comment=view.comment,
            opts=scope.unique,
        )

    for key in TopologicalSorter({k: reads("views", e.query) for k, e in settings.views.items()}).static_order():
        created[key] = create(key, settings.views[key]).fully_qualified_name
    return created


def create_tasks(
    settings: ObjectSettings,
    scope: Scope,
    readable: Readable,
    warehouses: Names,
    notifications: Notifications,
) -> None:
    created: dict[str, snowflake.Task] = {}

    def create(key: str, task: TaskSettings) -> snowflake.Task:
        schedule: snowflake.TaskScheduleArgsDict | None = (
            {"using_cron": task.schedule.text()} if task.schedule else None
        )
        condition = readable["streams"][task.when_stream].apply(stream_has_data) if task.when_stream else None
        return snowflake.Task(
            key,
            name=task.name,
            database=scope.database,
            schema=scope.schemas[task.schema_key],
            sql_statement=filled(task.statement, readable),
            started=task.enabled,
            schedule=schedule,
            afters=[created[before].fully_qualified_name for before in task.after] or None,
            when=condition,
            warehouse=warehouses[task.warehouse] if task.warehouse else None,
            user_task_managed_initial_warehouse_size=task.serverless_size,
            user_task_timeout_ms=task.timeout_minutes * _MINUTE,
            suspend_task_after_num_failures=None if task.after else task.suspend_after_failures,
            error_integration=notifications.failures if task.report_failures else None,
            comment=task.comment,
            opts=scope.unique,
        )

    for key in TopologicalSorter({k: e.after for k, e in settings.tasks.items()}).static_order():
        created[key] = create(key, settings.tasks[key])

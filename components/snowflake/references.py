"""What the entries of Snowflake's settings say about each other: every name that one gives of another is declared."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Final

from components.explain import Mistake, Path
from components.settings import unknown_name, unknown_names
from components.snowflake.names import base_type, references, unknown_references
from components.snowflake.settings_privacy import MASKED_TYPES, RowAccessPolicySettings, TagSettings
from components.snowflake.sql import ROW

if TYPE_CHECKING:
    from components.snowflake.settings import SnowflakeSettings
    from components.snowflake.settings_loading import ColumnSettings, PipeSettings
    from components.snowflake.settings_transforming import TaskSettings, ViewSettings

SECTIONS_IN_SCHEMAS: Final = (
    "masking_policies", "tags", "row_access_policies", "file_formats", "stages", "tables", "pipes",
    "streams", "dynamic_tables", "views", "tasks",
)  # fmt: skip


def mistaken_references(settings: SnowflakeSettings) -> Iterator[Mistake]:
    """All mistakes, in the order of the sections."""
    for section in (*SECTIONS_IN_SCHEMAS, "network_policies"):
        for key, entry in getattr(settings, section).items():
            yield from unknown_name((section, key, "schema"), entry.schema_key, settings.schemas, "schema")
    for section in ("authentication_policy", "recovery"):
        if entry := getattr(settings, section):
            yield from unknown_name((section, "schema"), entry.schema_key, settings.schemas, "schema")
    yield from _access(settings)
    yield from _privacy(settings)
    yield from _loading(settings)
    yield from _transforming(settings)


def _access(settings: SnowflakeSettings) -> Iterator[Mistake]:
    for key, role in settings.roles.items():
        yield from unknown_names(("roles", key, "read"), role.read, settings.schemas, "schema")
        yield from unknown_names(("roles", key, "write"), role.write, settings.schemas, "schema")
        yield from unknown_names(("roles", key, "warehouses"), role.warehouses, settings.warehouses, "warehouse")
        for schema in role.create:
            if schema not in role.write:
                message = "the role may create there only what it may also write: add the schema to `write`"
                yield Mistake(("roles", key, "create", schema), message)
    for key, entry in settings.schemas.items():
        yield from _tagged(("schemas", key, "tags"), entry.tags, settings.tags)
    for key, user in settings.users.items():
        yield from unknown_name(("users", key, "role"), user.role, settings.roles, "role")
        yield from unknown_name(("users", key, "warehouse"), user.warehouse, settings.warehouses, "warehouse")
        if user.network_policy:
            path = ("users", key, "network_policy")
            yield from unknown_name(path, user.network_policy, settings.network_policies, "network policy")
        its_role = settings.roles.get(user.role)
        if its_role and user.warehouse in settings.warehouses and user.warehouse not in its_role.warehouses:
            message = f'the role "{user.role}" may not use the warehouse "{user.warehouse}"'
            yield Mistake(("users", key, "warehouse"), message)


def _privacy(settings: SnowflakeSettings) -> Iterator[Mistake]:
    for key, policy in settings.masking_policies.items():
        path = ("masking_policies", key, "clear_to")
        yield from unknown_names(path, policy.clear_to, settings.roles, "role")
        for index, name in enumerate(policy.clear_to):
            if name in settings.roles and settings.roles[name].under_sysadmin:
                message = f'every SYSADMIN inherits what "{name}" sees: give the role under_sysadmin: false'
                yield Mistake((*path, index), message)
    for key, tag in settings.tags.items():
        yield from unknown_names(("tags", key, "masks"), tag.masks, settings.masking_policies, "masking policy")
        yield from unknown_names(("tags", key, "assigned_by"), tag.assigned_by, settings.roles, "role")
        methods = [settings.masking_policies[m].method for m in tag.masks if m in settings.masking_policies]
        types = [MASKED_TYPES[method] for method in methods]
        if len(types) > len(set(types)):
            yield Mistake(("tags", key, "masks"), "a tag has at most one masking policy for each type of column")
    for key, rows in settings.row_access_policies.items():
        yield from _rows(("row_access_policies", key), rows, settings)


def _rows(path: Path, policy: RowAccessPolicySettings, settings: SnowflakeSettings) -> Iterator[Mistake]:
    yield from unknown_names((*path, "all_rows_to"), policy.all_rows_to, settings.roles, "role")
    mapping = policy.mapping
    yield from unknown_name((*path, "mapping", "table"), mapping.table, settings.tables, "table")
    if table := settings.tables.get(mapping.table):
        columns = {column.name: column for column in table.columns}
        for member in ("role_column", "value_column"):
            yield from unknown_name((*path, "mapping", member), getattr(mapping, member), columns, "column")
        if ROW in columns:
            message = f'has a column "{ROW}", and so the policy calls the value that it looks at'
            yield Mistake((*path, "mapping", "table"), message)
        value = columns.get(mapping.value_column)
        if value and base_type(value.type) != base_type(policy.type):
            yield Mistake((*path, "type"), f"must be {value.type}, as in the mapping")


def _loading(settings: SnowflakeSettings) -> Iterator[Mistake]:
    for key, stage in settings.stages.items():
        if stage.integration is not None:
            path = ("stages", key, "integration")
            yield from unknown_name(path, stage.integration, settings.storage_integrations, "storage integration")
            integration = settings.storage_integrations.get(stage.integration)
            if integration and not str(stage.url).startswith(integration.locations):
                message = f'the integration "{stage.integration}" opens only {", ".join(integration.locations)}'
                yield Mistake(("stages", key, "url"), message)
    for key, table in settings.tables.items():
        for index, column in enumerate(table.columns):
            yield from _protected(("tables", key, "columns", index), column, settings)
    for key, pipe in settings.pipes.items():
        yield from _pipe(("pipes", key), pipe, settings)
    for key, stream in settings.streams.items():
        yield from unknown_name(("streams", key, "table"), stream.table, settings.tables, "table")


def _pipe(path: Path, pipe: PipeSettings, settings: SnowflakeSettings) -> Iterator[Mistake]:
    yield from unknown_name((*path, "stage"), pipe.stage, settings.stages, "stage")
    yield from unknown_name((*path, "table"), pipe.table, settings.tables, "table")
    yield from unknown_name((*path, "file_format"), pipe.file_format, settings.file_formats, "file format")
    if table := settings.tables.get(pipe.table):
        columns = [column.name for column in table.columns]
        for member in ("file_name_column", "loaded_at_column"):
            if name := getattr(pipe, member):
                yield from unknown_name((*path, member), name, columns, "column")
    stage = settings.stages.get(pipe.stage)
    if pipe.auto_ingest and stage and stage.url is None:
        yield Mistake((*path, "auto_ingest"), "only a bucket tells of new files: the stage needs a `url`")
    yield from _reports((*path, "report_failures"), pipe.report_failures, settings)


def _protected(path: Path, column: ColumnSettings, settings: SnowflakeSettings) -> Iterator[Mistake]:
    yield from _tagged((*path, "tags"), column.tags, settings.tags)
    if column.mask is None:
        return
    yield from unknown_name((*path, "mask"), column.mask, settings.masking_policies, "masking policy")
    if policy := settings.masking_policies.get(column.mask):
        masked = MASKED_TYPES[policy.method]
        if masked != base_type(column.type):
            yield Mistake((*path, "mask"), f'"{column.mask}" masks {masked}, and the column is {column.type}')


def _tagged(path: Path, given: Mapping[str, str], tags: Mapping[str, TagSettings]) -> Iterator[Mistake]:
    for key, value in given.items():
        yield from unknown_name((*path, key), key, tags, "tag")
        if key in tags:
            yield from unknown_name((*path, key), value, tags[key].values, "value of the tag")


def _reports(path: Path, reports: bool, settings: SnowflakeSettings) -> Iterator[Mistake]:
    if reports and settings.notifications.failures is None:
        yield Mistake(path, "there is nobody to report to: give notifications.failures")


def _transforming(settings: SnowflakeSettings) -> Iterator[Mistake]:
    stored: dict[str, Collection[str]] = {"tables": settings.tables, "dynamic_tables": settings.dynamic_tables}
    readable = {**stored, "views": settings.views}
    for key, dynamic in settings.dynamic_tables.items():
        path = ("dynamic_tables", key)
        yield from unknown_name((*path, "warehouse"), dynamic.warehouse, settings.warehouses, "warehouse")
        yield from unknown_references((*path, "query"), dynamic.query, stored)
    for key, view in settings.views.items():
        yield from unknown_references(("views", key, "query"), view.query, readable)
        yield from _view(("views", key), view, settings)
    yield from _circles(settings)
    for key, task in settings.tasks.items():
        statement = ("tasks", key, "statement")
        yield from unknown_references(statement, task.statement, {**readable, "streams": settings.streams})
        yield from _task(("tasks", key), task, settings)
    for key, clone in settings.recovery.clones.items() if settings.recovery else ():
        path = ("recovery", "clones")
        yield from _if_given((*path, key, "schema"), clone.of_schema, settings.schemas, "schema")
        yield from _if_given((*path, key, "warehouse"), clone.warehouse, settings.warehouses, "warehouse")


def _view(path: Path, view: ViewSettings, settings: SnowflakeSettings) -> Iterator[Mistake]:
    for index, column in enumerate(view.columns):
        policies = settings.masking_policies
        yield from _if_given((*path, "columns", index, "mask"), column.mask, policies, "masking policy")
    if view.row_access:
        policy = view.row_access.policy
        yield from unknown_name(
            (*path, "row_access", "policy"), policy, settings.row_access_policies, "row access policy"
        )


def _task(path: Path, task: TaskSettings, settings: SnowflakeSettings) -> Iterator[Mistake]:
    yield from unknown_names((*path, "after"), task.after, settings.tasks, "task")
    yield from _if_given((*path, "when_stream"), task.when_stream, settings.streams, "stream")
    yield from _if_given((*path, "warehouse"), task.warehouse, settings.warehouses, "warehouse")
    yield from _reports((*path, "report_failures"), task.report_failures, settings)


def _if_given(path: Path, name: str | None, known: Collection[str], kind: str) -> Iterator[Mistake]:
    if name is not None:
        yield from unknown_name(path, name, known, kind)


def _circles(settings: SnowflakeSettings) -> Iterator[Mistake]:
    dynamic = {key: reads("dynamic_tables", entry.query) for key, entry in settings.dynamic_tables.items()}
    views = {key: reads("views", entry.query) for key, entry in settings.views.items()}
    tasks = {key: entry.after for key, entry in settings.tasks.items()}
    for section, graph in (("dynamic_tables", dynamic), ("views", views), ("tasks", tasks)):
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            yield Mistake((section,), f"go round in a circle: {' -> '.join(error.args[1])}")


def reads(section: str, sql: str) -> tuple[str, ...]:
    """The keys of ``section`` that ``sql`` names."""
    return tuple(key for found, key in references(sql) if found == section)

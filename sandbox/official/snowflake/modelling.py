"""Snowflake: tables, views, dynamic tables, streams, tasks, procedures, and statements that are run as they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import uuid4

from sandbox.official.behaviour import Draft, Identity, Kind, Reference, WhenGone, now, paths, text
from sandbox.official.snowflake.account import WAREHOUSE
from sandbox.official.snowflake.checks import (
    LOG_LEVELS,
    SIZES,
    TRACE_LEVELS,
    conflict,
    data_types,
    every,
    exactly_one,
    flags,
    identifiers,
    not_empty,
    one_of,
    within,
)
from sandbox.official.snowflake.loading import NOTIFICATION_INTEGRATION
from sandbox.official.snowflake.names import (
    in_schema,
    invalid,
    missing,
    qualified,
    refer,
    schema_object,
    spelled,
    spelling,
)
from sandbox.official.snowflake.schema_objects import (
    DYNAMIC_TABLE,
    MASKING_POLICY,
    PROCEDURE,
    ROW_ACCESS_POLICY,
    STAGES,
    STREAM,
    STREAMLIT,
    TABLE,
    TABLE_LIKE,
    TASK,
    VIEW,
    rivals,
)
from sandbox.official.snowflake.sql import cron_refusals, lag_refusals, same_statement, same_type, type_name
from sandbox.official.values import Path, Properties

EXECUTE = "snowflake:index/execute:Execute"

_STREAM_DATA = re.compile(r"SYSTEM\$STREAM_HAS_DATA\s*\(\s*'([^']+)'\s*\)", re.IGNORECASE)
_MOST_INTERVAL_MINUTES = 11_520
_MOST_RETENTION_DAYS = 90
_TASK_OPTIONS_SUM = ("seconds", "minutes", "hours")
_SQL_WORDS = [
    "ALTER",
    "BEGIN",
    "CALL",
    "COMMENT",
    "COPY",
    "CREATE",
    "DELETE",
    "DESC",
    "DESCRIBE",
    "DROP",
    "EXECUTE",
    "EXPLAIN",
    "GRANT",
    "INSERT",
    "LIST",
    "MERGE",
    "REMOVE",
    "REVOKE",
    "SELECT",
    "SET",
    "SHOW",
    "TRUNCATE",
    "UNDROP",
    "UNSET",
    "UPDATE",
    "USE",
    "WITH",
]


def _table_references(properties: Properties) -> Iterator[Reference]:
    for column in properties.get("columns") or ():
        if policy := text(column, "maskingPolicy"):
            yield refer(MASKING_POLICY, "Masking policy", policy, WhenGone.PREVENTS)


def _table_refusals(draft: Draft) -> Iterator[str]:
    names = [text(column, "name") for column in draft.asked.get("columns") or ()]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"002025 (42S21): SQL compilation error:\nduplicate column name '{name}'"
    for key in draft.asked.get("primaryKey", {}).get("keys") or ():
        if key not in names:
            yield f"000904 (42000): SQL compilation error:\ninvalid identifier '{key}'"


def _view_references(properties: Properties) -> Iterator[Reference]:
    for column in properties.get("columns") or ():
        if policy := text(column, "maskingPolicy", "policyName"):
            yield refer(MASKING_POLICY, "Masking policy", policy, WhenGone.PREVENTS)
    if policy := text(properties, "rowAccessPolicy", "policyName"):
        yield refer(ROW_ACCESS_POLICY, "Row access policy", policy, WhenGone.PREVENTS)


def _select_refusals(draft: Draft, member: str) -> Iterator[str]:
    """A view or a dynamic table is made of a query."""
    words = text(draft.asked, member).replace("(", " ").split(maxsplit=1)
    if not words or words[0].upper() not in ("SELECT", "WITH", "VALUES"):
        found = words[0] if words else "<EOF>"
        yield f"001003 (42000): SQL compilation error:\nsyntax error unexpected '{found}': {member} must be a query."


def _moved(old: Properties, new: Properties) -> Iterator[Path]:
    for member in ("database", "schema"):
        if old.get(member) != new.get(member):
            yield (member,)


def _dynamic_references(properties: Properties) -> Iterator[Reference]:
    yield refer(WAREHOUSE, "Warehouse", text(properties, "warehouse"), WhenGone.STAYS)


def _dynamic_refusals(draft: Draft) -> Iterator[str]:
    yield from _select_refusals(draft, "query")
    lag = draft.asked.get("targetLag", {})
    if not lag.get("downstream"):
        yield from lag_refusals(text(lag, "maximumDuration"))


def _dynamic_fill(draft: Draft) -> Properties:
    return {
        "owner": "ACCOUNTADMIN",
        "createdOn": draft.kept("createdOn", now),
        "schedulingState": "ACTIVE",
        "automaticClustering": False,
        "isClone": False,
        "isReplica": False,
        "rows": 0,
        "bytes": 0,
    }


def _stream_references(properties: Properties) -> Iterator[Reference]:
    yield refer(TABLE, "Table", text(properties, "table"), WhenGone.STAYS, also=(DYNAMIC_TABLE,))


def _task_references(properties: Properties) -> Iterator[Reference]:
    if warehouse := text(properties, "warehouse"):
        yield refer(WAREHOUSE, "Warehouse", warehouse, WhenGone.STAYS)
    if integration := text(properties, "errorIntegration"):
        yield refer(NOTIFICATION_INTEGRATION, "Integration", integration, WhenGone.STAYS)
    for before in (*(properties.get("afters") or ()), *filter(None, [text(properties, "finalize")])):
        yield refer(TASK, "Task", str(before), WhenGone.STAYS)
    for stream in _STREAM_DATA.findall(text(properties, "when")):
        name = spelled(stream)
        if len(name) == len(in_schema(properties)):
            yield Reference(STREAM, name, missing("Stream", name), WhenGone.STAYS)


def _task_refusals(draft: Draft) -> Iterator[str]:
    asked, schedule = draft.asked, draft.asked.get("schedule", {})
    if expression := text(schedule, "usingCron"):
        yield from cron_refusals(expression)
    if schedule.get("minutes", 1) > _MOST_INTERVAL_MINUTES:
        yield invalid(f"Invalid schedule '{schedule['minutes']} MINUTES': at most {_MOST_INTERVAL_MINUTES} minutes.")
    for before in (*(asked.get("afters") or ()), *filter(None, [text(asked, "finalize")])):
        if spelled(str(before))[:-1] != in_schema(asked)[:-1]:
            yield "Task graphs must be in one schema: a task and its predecessors are not."
    if (
        asked.get("started")
        and not schedule
        and not asked.get("afters")
        and not asked.get("finalize")
        and not asked.get("when")
    ):
        yield (
            f"Cannot resume task {qualified(in_schema(asked))}: it has no schedule, no predecessor and no "
            f"condition on a stream."
        )


def _streamlit_references(properties: Properties) -> Iterator[Reference]:
    # Of a Git repository the provider makes nothing: snowflakedb/terraform-provider-snowflake#4766
    yield refer(STAGES[0], "Stage", text(properties, "stage"), WhenGone.STAYS, also=STAGES[1:])
    if warehouse := text(properties, "queryWarehouse"):
        yield refer(WAREHOUSE, "Warehouse", warehouse, WhenGone.STAYS)


def _streamlit_refusals(draft: Draft) -> Iterator[str]:
    warehouse = text(draft.asked, "queryWarehouse")
    if warehouse != warehouse.upper():
        yield f"Warehouse '{warehouse}' cannot be a Streamlit's: its name is not in upper case."
    if not text(draft.asked, "mainFile"):
        yield invalid("Invalid value '' for property 'MAIN_FILE'.")


def _procedure_identity(properties: Properties) -> Identity:
    types = (type_name(argument.get("argDataType")) or "" for argument in properties.get("arguments") or ())
    return (*in_schema(properties), ", ".join(types))


def _procedure_id(properties: Properties) -> str:
    *name, arguments = _procedure_identity(properties)
    return f"{qualified(tuple(name))}({arguments})"


def _procedure() -> Kind:
    plain = schema_object(replaces=())
    return Kind(
        identity=_procedure_identity,
        make_id=_procedure_id,
        aliases=lambda properties: [in_schema(properties)],
        duplicate=plain.duplicate,
        references=plain.references,
        replaces=paths("database", "schema", "arguments", "procedureDefinition", "returnType", "nullInputBehavior"),
        fill=lambda draft: {"fullyQualifiedName": _procedure_id(draft.asked), "procedureLanguage": "SQL"},
        normal=(
            *spelling("database", "schema"),
            (("procedureDefinition",), same_statement),
            (("returnType",), same_type),
            (("arguments", "*", "argDataType"), same_type),
        ),
        validate=every(
            data_types("returnType", "arguments.*.argDataType"),
            one_of("executeAs", ("OWNER", "CALLER"), "execute as"),
            one_of(
                "nullInputBehavior",
                ("CALLED ON NULL INPUT", "RETURNS NULL ON NULL INPUT", "STRICT"),
                "null input behavior",
            ),
            flags("isSecure"),
        ),
    )


def _execute_refusals(draft: Draft) -> Iterator[str]:
    for member in ("execute", "revert", "query"):
        words = text(draft.asked, member).split(maxsplit=1)
        if words and words[0].upper().rstrip(";") not in _SQL_WORDS:
            yield f"001003 (42000): SQL compilation error:\nsyntax error line 1 at position 0 unexpected '{words[0]}'."


KINDS = {
    TABLE: schema_object(
        bars=True,
        rivals=rivals(TABLE, TABLE_LIKE),
        references=_table_references,
        replaces=("database", "schema"),
        fill=lambda _: {"owner": "ACCOUNTADMIN"},
        normal=((("columns", "*", "type"), same_type), *spelling("columns.*.maskingPolicy")),
        validate=every(
            not_empty("columns"),
            data_types("columns.*.type"),
            within("dataRetentionTimeInDays", -1, _MOST_RETENTION_DAYS),
        ),
        refusals=_table_refusals,
    ),
    VIEW: schema_object(
        rivals=rivals(VIEW, TABLE_LIKE),
        references=_view_references,
        normal=spelling("rowAccessPolicy.policyName", "columns.*.maskingPolicy.policyName"),
        validate=every(
            flags("changeTracking", "isRecursive", "isSecure", "isTemporary"),
            identifiers("rowAccessPolicy.policyName", "<database_name>.<schema_name>.<name>"),
            identifiers("columns.*.maskingPolicy.policyName", "<database_name>.<schema_name>.<name>"),
        ),
        refusals=lambda draft: _select_refusals(draft, "statement"),
    ),
    DYNAMIC_TABLE: schema_object(
        bars=True,
        rivals=rivals(DYNAMIC_TABLE, TABLE_LIKE),
        references=_dynamic_references,
        replaces=("name", "query", "refreshMode", "initialize"),
        replaces_too=_moved,
        spelled_freely=("warehouse",),
        normal=((("query",), same_statement),),
        fill=_dynamic_fill,
        validate=every(
            one_of("refreshMode", ("AUTO", "INCREMENTAL", "ADAPTIVE", "FULL"), "refresh mode"),
            one_of("initialize", ("ON_CREATE", "ON_SCHEDULE"), "initialize"),
        ),
        refusals=_dynamic_refusals,
    ),
    STREAM: schema_object(
        references=_stream_references,
        replaces=("database", "schema", "name"),
        spelled_freely=("table",),
        fill=lambda _: {"stale": False, "streamType": "Table"},
        validate=every(
            flags("appendOnly", "showInitialRows"),
            identifiers("table", "<database_name>.<schema_name>.<name>"),
            conflict("at", "before"),
            exactly_one("timestamp", "offset", "statement", "stream", inside="at"),
            exactly_one("timestamp", "offset", "statement", "stream", inside="before"),
        ),
    ),
    TASK: schema_object(
        references=_task_references,
        replaces=("database", "schema", "name"),
        unordered=paths("afters"),
        spelled_freely=("warehouse", "finalize", "errorIntegration", "afters.*"),
        normal=((("sqlStatement",), same_statement), (("schedule", "usingCron"), lambda value: str(value).upper())),
        validate=every(
            conflict("warehouse", "userTaskManagedInitialWarehouseSize"),
            conflict("schedule", "finalize", "afters"),
            conflict("finalize", "afters"),
            exactly_one(*_TASK_OPTIONS_SUM, "usingCron", inside="schedule"),
            exactly_one(*_TASK_OPTIONS_SUM, inside="targetCompletionInterval"),
            within("schedule.seconds", 1),
            within("schedule.minutes", 1),
            within("schedule.hours", 1),
            within("userTaskTimeoutMs", 0, 604_800_000),
            within("suspendTaskAfterNumFailures", 0),
            within("taskAutoRetryAttempts", 0),
            within("userTaskMinimumTriggerIntervalInSeconds", 0),
            one_of("userTaskManagedInitialWarehouseSize", SIZES, "warehouse size"),
            one_of("logLevel", LOG_LEVELS, "log level"),
            one_of("traceLevel", TRACE_LEVELS, "trace level"),
            flags("allowOverlappingExecution"),
        ),
        refusals=_task_refusals,
    ),
    STREAMLIT: schema_object(
        references=_streamlit_references,
        spelled_freely=("stage", "queryWarehouse"),
        validate=every(
            identifiers("stage", "<database_name>.<schema_name>.<name>"),
            identifiers("queryWarehouse", "<name>"),
        ),
        refusals=_streamlit_refusals,
    ),
    PROCEDURE: _procedure(),
    EXECUTE: Kind(
        identity=lambda properties: (text(properties, "execute"), text(properties, "revert")),
        make_id=lambda _: str(uuid4()),
        duplicate=None,
        replaces=paths("execute"),
        refusals=_execute_refusals,
    ),
}

"""Files that Snowflake loads itself: integrations, formats, stages, landing tables, pipes and streams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_snowflake as snowflake

from components.settings import output_named
from components.snowflake.notifications import Notifications
from components.snowflake.references import reads
from components.snowflake.scope import Scope, flag
from components.snowflake.settings import ObjectSettings, SnowflakeSettings
from components.snowflake.settings_loading import FileFormatSettings, PipeSettings, StageSettings, TableSettings
from components.snowflake.sql import copy_statement

Names = Mapping[str, pulumi.Output[str]]
_METADATA = (("file_name_column", "METADATA$FILENAME"), ("loaded_at_column", "METADATA$START_SCAN_TIME"))


@dataclass(frozen=True)
class Loading:
    """Streams by their qualified names, by pipe the queue to which its bucket sends notifications of new files, and
    the storage integrations.
    """

    streams: Names
    queues: Names
    integrations: Mapping[str, snowflake.StorageIntegrationAws]


def create_tables(
    settings: ObjectSettings, scope: Scope, masks: Mapping[str, snowflake.MaskingPolicy]
) -> Mapping[str, pulumi.Output[str]]:
    tracked = {stream.table for stream in settings.streams.values()}
    tracked |= {name for d in settings.dynamic_tables.values() for name in reads("tables", d.query)}

    def create(key: str, table: TableSettings) -> pulumi.Output[str]:
        columns: list[snowflake.TableColumnArgsDict] = []
        for column in table.columns:
            declared: snowflake.TableColumnArgsDict = {
                "name": column.name,
                "type": column.type,
                "nullable": column.nullable,
                "comment": column.comment,
            }
            if column.mask:
                declared["masking_policy"] = masks[column.mask].fully_qualified_name
            columns.append(declared)
        primary_key: snowflake.TablePrimaryKeyArgsDict | None = (
            {"keys": table.primary_key} if table.primary_key else None
        )
        return snowflake.Table(
            key,
            name=table.name,
            database=scope.database,
            schema=scope.schemas[table.schema_key],
            columns=columns,
            primary_key=primary_key,
            change_tracking=key in tracked,  # Snowflake turns it on for them, and it must not be turned off again
            data_retention_time_in_days=table.retention_days,
            comment=table.comment,
            opts=scope.store,
        ).fully_qualified_name

    return {key: create(key, table) for key, table in settings.tables.items()}


def create_loading(
    settings: SnowflakeSettings,
    scope: Scope,
    tables: Names,
    notifications: Notifications,
    outputs: Mapping[str, pulumi.Input[str]],
) -> Loading:
    created = {
        key: snowflake.StorageIntegrationAws(
            key,
            name=entry.name,
            enabled=True,
            storage_provider="S3",
            storage_aws_role_arn=entry.role_arn
            or output_named(str(entry.role_output), outputs, f"snowflake.storage_integrations.{key}.role_output"),
            storage_allowed_locations=entry.locations,
            comment=entry.comment,
            opts=scope.unique,
        )
        for key, entry in settings.storage_integrations.items()
    }
    integrations = {key: integration.name for key, integration in created.items()}
    formats = {key: _create_file_format(key, entry, scope) for key, entry in settings.file_formats.items()}
    stages = {key: _create_stage(key, entry, scope, integrations) for key, entry in settings.stages.items()}
    pipes = {
        key: _create_pipe(
            key, pipe, scope, (tables[pipe.table], stages[pipe.stage], formats[pipe.file_format]), notifications
        )
        for key, pipe in settings.pipes.items()
    }
    streams = create_streams(settings, scope, tables)
    queues = {key: pipe.notification_channel for key, pipe in pipes.items() if settings.pipes[key].auto_ingest}
    return Loading(streams, queues, created)


def create_streams(settings: ObjectSettings, scope: Scope, tables: Names) -> Names:
    return {
        key: snowflake.StreamOnTable(
            key,
            name=entry.name,
            database=scope.database,
            schema=scope.schemas[entry.schema_key],
            table=tables[entry.table],
            append_only=flag(entry.append_only),
            comment=entry.comment,
            opts=scope.unique,
        ).fully_qualified_name
        for key, entry in settings.streams.items()
    }


def _create_file_format(key: str, settings: FileFormatSettings, scope: Scope) -> pulumi.Output[str]:
    schema = scope.schemas[settings.schema_key]
    null_values = settings.null_values or None
    match settings.type:
        case "csv":
            return snowflake.FileFormatCsv(
                key,
                name=settings.name,
                database=scope.database,
                schema=schema,
                parse_header=flag(True),
                field_delimiter=settings.delimiter,
                field_optionally_enclosed_by='"',
                trim_space=flag(True),
                null_ifs=null_values,
                error_on_column_count_mismatch=flag(False),  # a new column in the file must not stop the payments
                comment=settings.comment,
                opts=scope.unique,
            ).fully_qualified_name
        case "json":
            return snowflake.FileFormatJson(
                key,
                name=settings.name,
                database=scope.database,
                schema=schema,
                strip_outer_array=flag(True),
                null_ifs=null_values,
                comment=settings.comment,
                opts=scope.unique,
            ).fully_qualified_name
        case "parquet":
            return snowflake.FileFormatParquet(
                key,
                name=settings.name,
                database=scope.database,
                schema=schema,
                null_ifs=null_values,
                comment=settings.comment,
                opts=scope.unique,
            ).fully_qualified_name


def _create_stage(key: str, settings: StageSettings, scope: Scope, integrations: Names) -> pulumi.Output[str]:
    schema = scope.schemas[settings.schema_key]
    if settings.url is None or settings.integration is None:
        return snowflake.StageInternal(
            key,
            name=settings.name,
            database=scope.database,
            schema=schema,
            directory={"enable": True},
            comment=settings.comment,
            opts=scope.store,
        ).fully_qualified_name
    return snowflake.StageExternalS3(
        key,
        name=settings.name,
        database=scope.database,
        schema=schema,
        url=settings.url,
        storage_integration=integrations[settings.integration],
        comment=settings.comment,
        opts=scope.unique,
    ).fully_qualified_name


def _create_pipe(
    key: str,
    settings: PipeSettings,
    scope: Scope,
    copied: tuple[pulumi.Output[str], pulumi.Output[str], pulumi.Output[str]],
    notifications: Notifications,
) -> snowflake.Pipe:
    """``copied`` are the qualified names of the table, the stage and the file format."""
    metadata = [(name, source) for member, source in _METADATA if (name := getattr(settings, member))]
    statement = pulumi.Output.all(*copied).apply(
        lambda names: copy_statement(*names, folder=settings.folder, pattern=settings.pattern, metadata=metadata)
    )
    return snowflake.Pipe(
        key,
        name=settings.name,
        database=scope.database,
        schema=scope.schemas[settings.schema_key],
        copy_statement=statement,
        auto_ingest=settings.auto_ingest,
        error_integration=notifications.failures if settings.report_failures else None,
        comment=settings.comment,
        opts=scope.unique,
    )

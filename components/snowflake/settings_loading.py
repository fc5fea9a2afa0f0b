"""What the stack file says about files that Snowflake loads itself: stages, formats, landing tables, pipes, streams."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from components.explain import Mistake
from components.settings import Settings, matching, unknown_names
from components.snowflake.names import ColumnType, Identifier, repeated
from components.snowflake.settings_privacy import TagValue

BucketUrl = Annotated[
    str,
    matching(
        r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/([^\s'/]+/)*", "must be like s3://bucket/path/, with a slash at its end"
    ),
]
_Folder = Annotated[str, matching(r"([A-Za-z0-9_.=-]+/)*", "must be a folder of the stage, such as settlements/")]
_RoleArn = Annotated[str, matching(r"arn:aws[a-z-]*:iam::\d{12}:role/\S+", "must be the ARN of an IAM role")]


class StorageIntegrationSettings(Settings):
    """Access to S3 buckets through an IAM role: no AWS key is in Snowflake, in the state or in a stage.

    The role is one that another component hands over (``role_output: aws.snowflake.payments``), or is named by its ARN.
    """

    name: Identifier
    role_arn: _RoleArn | None = None
    role_output: str | None = None
    locations: Annotated[tuple[BucketUrl, ...], Field(min_length=1)]
    comment: str = ""

    def check(self) -> Iterator[Mistake]:
        """Exactly one of the two."""
        if (self.role_arn is None) == (self.role_output is None):
            yield Mistake((), "must give either `role_arn` or `role_output` (what another component hands over)")


class FileFormatSettings(Settings):
    """How files are written. A CSV file has a header: its columns are found by name, so their order may change."""

    name: Identifier
    schema_key: Annotated[str, Field(alias="schema")]
    type: Literal["csv", "json", "parquet"]
    delimiter: Annotated[str, Field(min_length=1, max_length=20)] | None = None
    null_values: tuple[str, ...] = ()
    comment: str = ""

    def check(self) -> Iterator[Mistake]:
        """A delimiter is for CSV."""
        if self.delimiter and self.type != "csv":
            yield Mistake(("delimiter",), f"a {self.type} file has none")


class StageSettings(Settings):
    """Where files lie: in Snowflake itself, or under ``url`` in a bucket that ``integration`` opens."""

    name: Identifier
    schema_key: Annotated[str, Field(alias="schema")]
    url: BucketUrl | None = None
    integration: str | None = None
    comment: str = ""

    def check(self) -> Iterator[Mistake]:
        """Both or neither."""
        if (self.url is None) != (self.integration is None):
            yield Mistake((), "needs both `url` and `integration` (files in a bucket), or neither (in Snowflake)")


class ColumnSettings(Settings):
    """A column. ``mask`` is a key of ``masking_policies``; ``tags`` are values by keys of ``tags``."""

    name: Identifier
    type: ColumnType
    nullable: bool = True
    mask: str | None = None
    tags: dict[str, TagValue] = Field(default_factory=dict)
    comment: str = ""


class TableSettings(Settings):
    """A table that no loader and no dbt model makes: where a pipe lands files, or a mapping that people maintain."""

    name: Identifier
    schema_key: Annotated[str, Field(alias="schema")]
    columns: Annotated[tuple[ColumnSettings, ...], Field(min_length=1)]
    primary_key: tuple[Identifier, ...] = ()
    retention_days: Annotated[int, Field(ge=0, le=90)] | None = None
    comment: str = ""

    def check(self) -> Iterator[Mistake]:
        """No column twice; the key's columns are there, and never empty."""
        names = [column.name for column in self.columns]
        yield from repeated(("columns",), names)
        yield from unknown_names(("primary_key",), self.primary_key, names, "column")
        for index, column in enumerate(self.columns):
            if column.nullable and column.name in self.primary_key:
                yield Mistake(("columns", index, "nullable"), "must be false: the column is part of the primary key")


class PipeSettings(Settings):
    """Loads files of a stage into a table as they come. A file that has a mistake is skipped and reported, whole.

    ``auto_ingest`` waits for the bucket's notifications (the queue is an output); without it somebody calls the REST
    API, or ``ALTER PIPE … REFRESH``. ``pattern`` is a regular expression over the file's whole path.
    """

    name: Identifier
    schema_key: Annotated[str, Field(alias="schema")]
    stage: str
    folder: _Folder = ""
    table: str
    file_format: str
    pattern: Annotated[str, Field(min_length=1)] | None = None
    file_name_column: Identifier | None = None
    loaded_at_column: Identifier | None = None
    auto_ingest: bool = False
    report_failures: bool = False
    comment: str = ""


class StreamSettings(Settings):
    """What changed in a table since the last statement that used it; ``append_only`` leaves updates and deletes out."""

    name: Identifier
    schema_key: Annotated[str, Field(alias="schema")]
    table: str
    append_only: bool = False
    comment: str = ""

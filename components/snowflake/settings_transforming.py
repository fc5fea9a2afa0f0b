"""What the stack file says about what Snowflake computes itself: dynamic tables, views, tasks, recovery clones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from components.explain import Mistake
from components.settings import Key, Settings, matching
from components.snowflake.names import Cron, Identifier, Sql, TimeZone, repeated

Lag = Annotated[
    str, matching(r"[1-9]\d* (second|minute|hour|day)s?", "must be like 5 minutes or 1 hour, and at least 60 seconds")
]


class DynamicTableSettings(Settings):
    """A table that Snowflake keeps up to date with its ``query``, no more than ``lag`` behind its sources.

    Without ``lag`` it is refreshed when a dynamic table that reads it is.
    """

    name: Identifier
    schema_key: Annotated[str, Field(alias="schema")]
    query: Sql
    warehouse: str
    lag: Lag | None = None
    refresh_mode: Literal["AUTO", "FULL", "INCREMENTAL"] = "AUTO"
    comment: str = ""


class ViewColumnSettings(Settings):
    """A column of a view, in the order of its query; ``mask`` is a key of ``masking_policies``."""

    name: Identifier
    mask: str | None = None
    comment: str = ""


class RowAccessSettings(Settings):
    """A row access policy (a key of ``row_access_policies``) and the column of the view that it looks at."""

    policy: str
    column: Identifier


class ViewSettings(Settings):
    """A secure view: its definition is not shown, and no query plan lets out rows that its row access policy hides."""

    name: Identifier
    schema_key: Annotated[str, Field(alias="schema")]
    query: Sql
    columns: Annotated[tuple[ViewColumnSettings, ...], Field(min_length=1)]
    row_access: RowAccessSettings | None = None
    comment: str = ""

    def check(self) -> Iterator[Mistake]:
        """No column twice, and the row access policy's is there."""
        names = [column.name for column in self.columns]
        yield from repeated(("columns",), names)
        if self.row_access and self.row_access.column not in names:
            yield Mistake(("row_access", "column"), f'the view has no column "{self.row_access.column}"')


class ScheduleSettings(Settings):
    """When: five cron fields in a time zone."""

    cron: Cron
    time_zone: TimeZone = "UTC"

    def text(self) -> str:
        """As Snowflake wants it after USING CRON."""
        return f"{self.cron} {self.time_zone}"


class TaskSettings(Settings):
    """One SQL statement, on a schedule or after other tasks; ``when_stream`` skips runs while that stream is empty.

    It runs as the role that deploys, which sees masked columns masked: a task cannot carry clear card numbers on.
    Without ``warehouse`` it is serverless, of ``serverless_size`` at first.
    """

    name: Identifier
    schema_key: Annotated[str, Field(alias="schema")]
    statement: Sql
    schedule: ScheduleSettings | None = None
    after: tuple[str, ...] = ()
    when_stream: str | None = None
    warehouse: str | None = None
    serverless_size: Literal["XSMALL", "SMALL", "MEDIUM", "LARGE"] | None = None
    timeout_minutes: Annotated[int, Field(ge=1, le=1440)] = 60
    suspend_after_failures: Annotated[int, Field(ge=0, le=100)] = 10
    enabled: bool = True
    report_failures: bool = False
    comment: str = ""

    def check(self) -> Iterator[Mistake]:
        """One trigger, one kind of compute."""
        if (self.schedule is None) == (not self.after):
            yield Mistake((), "needs either `schedule` or `after`")
        if self.warehouse and self.serverless_size:
            yield Mistake(("serverless_size",), "is for a task without a warehouse")


class CloneSettings(Settings):
    """A copy of the database, or of one schema, to go back to: made on a schedule, dropped when ``keep_days`` old.

    A clone costs what has changed since. Unlike Time Travel it outlives the dropping of what it was made from.
    """

    name: Identifier
    of_schema: Annotated[str | None, Field(alias="schema")] = None
    schedule: ScheduleSettings
    keep_days: Annotated[int, Field(ge=1, le=366)]
    warehouse: str | None = None


class RecoverySettings(Settings):
    """Scheduled clones; ``schema`` (a key of ``schemas``) is where their tasks live."""

    schema_key: Annotated[str, Field(alias="schema")]
    clones: dict[Key, CloneSettings] = Field(default_factory=dict)

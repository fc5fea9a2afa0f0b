"""What competitive intelligence keeps in Snowflake: tables, views and tasks, from SQL in files and the settings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from components.competitors.settings import CompetitorsSettings
from components.snowflake.settings import ObjectSettings
from components.snowflake.settings_loading import ColumnSettings, StreamSettings, TableSettings
from components.snowflake.settings_transforming import ScheduleSettings, TaskSettings, ViewColumnSettings, ViewSettings
from components.snowflake.sql import literal

_SQL = Path(__file__).parent / "sql"

_MONTH = (
    "(january|february|march|april|may|june|july|august|september|october|november|december"
    "|jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec)"
)
IGNORED: Final = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(t[0-9:.]+(z|[+-][0-9:]+)?)?",
    r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{2,4}",
    _MONTH + r"[.]? [0-9]{1,2}(st|nd|rd|th)?(, ?[0-9]{4})?",
    r"[0-9]{1,2}[.]? " + _MONTH + r"( [0-9]{4})?",
    r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?( ?[ap][.]?m[.]?)?( (utc|gmt|[ecmp][sd]?t))?",
    r"(a|an|[0-9]+) (second|minute|hour|day|week|month|year)s? ago",
    "(©|[(]c[)]|copyright) *[0-9]{4}( ?[\u2013-] ?[0-9]{4})?",
)
"""Dates, times and years in a line in lower case: they say when a page was made, not what it says."""

PRICE: Final = r"[$€£] ?[0-9][0-9,]*([.][0-9]+)?"
"""An amount of money in a line."""

_UNTOLD_HOURS = 100
"""After how long a finding that Slack was not told of is a problem: a long weekend, on which nobody is told."""


def sql(name: str) -> str:
    """The statement in a file, without its comments: the provider compares statements in one line."""
    lines = (_SQL / f"{name}.sql").read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("--"))


def values(settings: CompetitorsSettings) -> dict[str, str]:
    """What stands in the SQL for ``{settings.…}``."""
    return {
        "ignored": literal("|".join((*IGNORED, *settings.changes.ignore))),
        "price": literal(PRICE),
        "memory-days": str(settings.changes.memory_days),
        "min-characters": str(settings.changes.min_characters),
        "untold-hours": str(_UNTOLD_HOURS),
    }


def objects(settings: CompetitorsSettings) -> ObjectSettings:
    """All of it. The pages that are watched are a view: the stack file says them, and nobody can forget to load them."""
    stream = {"name": "NEW_VISITS", "schema": settings.landing, "table": "visits", "append_only": True}
    return ObjectSettings(
        tables=_tables(settings),
        streams={
            "new-visits": StreamSettings.model_validate({**stream, "comment": "Visits that are not compared yet"})
        },
        views=_views(settings),
        tasks=_tasks(settings),
    )


_TOLD = ("CLAIMED_BY VARCHAR", "CLAIMED_AT TIMESTAMP_TZ", "TOLD_AT TIMESTAMP_TZ")
"""Who has taken it upon itself to tell Slack, when, and when Slack had it."""

_TABLES: Final = {
    "visits": (
        "PAGE_VISITS",
        "One row a visit of a competitor's page: its text and links as they were read, or why there are none",
        ("VISIT_ID VARCHAR", "COMPETITOR VARCHAR", "PAGE VARCHAR", "URL VARCHAR", "VISITED_AT TIMESTAMP_TZ",
         "OUTCOME VARCHAR", "STATUS NUMBER", "REASON VARCHAR", "ETAG VARCHAR", "LAST_MODIFIED VARCHAR",
         "CONTENT VARCHAR", "LINKS VARCHAR"),
        6,
        ("VISIT_ID",),
    ),
    "changes": (
        "CHANGES",
        "What changed on competitors' pages, each once: PRICE, TEXT, JOB, PAGE or NEWS",
        ("CHANGE_ID VARCHAR", "COMPETITOR VARCHAR", "NAME VARCHAR", "PAGE VARCHAR", "URL VARCHAR", "KIND VARCHAR",
         "VISIT_ID VARCHAR", "FOUND_AT TIMESTAMP_TZ", "BEFORE_TEXT VARCHAR", "AFTER_TEXT VARCHAR", *_TOLD,
         "CLOSED_AT TIMESTAMP_TZ", "CLOSED_BY VARCHAR"),
        8,
        ("CHANGE_ID",),
    ),
    "reports": (
        "REPORTS",
        "The figures of the week that begins on this Monday, by competitor",
        ("WEEK DATE", "COMPETITOR VARCHAR", "NAME VARCHAR", "WRITTEN_AT TIMESTAMP_TZ", "PAGES NUMBER",
         "PAGES_READ NUMBER", "PRICES NUMBER", "JOBS NUMBER", "NEW_PAGES NUMBER", "NEWS NUMBER", "TEXTS NUMBER",
         "CALLS NUMBER", "MENTIONS NUMBER", "CALLS_BEFORE NUMBER", *_TOLD),
        4,
        ("WEEK", "COMPETITOR"),
    ),
    "mentions": (
        "MENTIONS",
        "In how many calls a competitor was named, by Gong's trackers; no call and no person",
        ("WEEK DATE", "COMPETITOR VARCHAR", "CALLS NUMBER", "MENTIONS NUMBER", "COUNTED_AT TIMESTAMP_TZ"),
        5,
        ("WEEK", "COMPETITOR"),
    ),
}  # fmt: skip
"""By key: name, comment, columns, how many of these (from the first on) are never empty, primary key."""

VISIT_COLUMNS: Final = tuple(column.partition(" ")[0] for column in _TABLES["visits"][2])
"""What a workflow lands of a visit, in this order."""


def _tables(settings: CompetitorsSettings) -> dict[str, TableSettings]:
    found = {}
    for key, (name, comment, columns, never_empty, primary_key) in _TABLES.items():
        declared = [
            ColumnSettings(name=column, type=type_, nullable=index >= never_empty)
            for index, (column, _, type_) in enumerate(text.partition(" ") for text in columns)
        ]
        schema = settings.landing if key == "visits" else settings.schema_key
        table = {"name": name, "schema": schema, "columns": declared, "primary_key": primary_key, "comment": comment}
        found[key] = TableSettings.model_validate(table)
    return found


_COLUMNS: Final = {
    "watched-pages": "COMPETITOR NAME PAGE KIND URL SCHEDULE OVERDUE_HOURS READS_LINES LINKS",
    "trackers": "COMPETITOR TRACKER",
    "visit-facts": "VISIT_ID COMPETITOR PAGE VISITED_AT SORT KEY VALUE SHOWN",
    "page-state": "COMPETITOR NAME PAGE KIND URL SCHEDULE ETAG LAST_MODIFIED VISITED_AT OUTCOME STATUS REASON "
    "ANSWERED_AT OVERDUE",
    "open-findings": "CHANGE_ID FOUND_AT COMPETITOR NAME PAGE URL KIND BEFORE_TEXT AFTER_TEXT TOLD_AT SLACK",
    "watch-health": "PAGES NEVER_VISITED OVERDUE FAILING REFUSED HOURS_SINCE_ANSWER WHICH UNTOLD UNCONFIRMED "
    "REPORTS REPORT_LATE",
}
"""The columns of the views, in the order of their queries."""

_COMMENTS: Final = {
    "watched-pages": "The pages that the stack file watches",
    "trackers": "The trackers of Gong that name a competitor",
    "visit-facts": "Lines, prices and links of every visit, as they are compared",
    "page-state": "Every watched page, with its last visit and its last answer",
    "open-findings": "Changes that nobody has closed yet",
    "watch-health": "One row: what `sophia health` asks",
}


def _views(settings: CompetitorsSettings) -> dict[str, ViewSettings]:
    queries = {"watched-pages": _watched(settings), "trackers": _trackers(settings)}
    for key in _COLUMNS.keys() - queries.keys():
        queries[key] = sql(key.replace("-", "_"))
    return {
        key: ViewSettings.model_validate(
            {
                "name": key.replace("-", "_").upper(),
                "schema": settings.schema_key,
                "query": queries[key],
                "columns": [ViewColumnSettings(name=name) for name in columns.split()],
                "comment": _COMMENTS[key],
            }
        )
        for key, columns in _COLUMNS.items()
    }


def _rows(key: str, rows: Sequence[tuple[str, ...]]) -> str:
    """A query of rows that stand in it, each value being SQL. Without rows its columns are there all the same."""
    columns = _COLUMNS[key].split()
    shown = ", ".join(f"COLUMN{number} AS {name}" for number, name in enumerate(columns, 1))
    listed = ",\n".join(f"  ({', '.join(row)})" for row in rows or [("NULL",) * len(columns)])
    nothing = "" if rows else "\nWHERE FALSE"
    return " ".join(("SELECT", shown)) + f"\nFROM VALUES\n{listed}{nothing}"


def _watched(settings: CompetitorsSettings) -> str:
    return _rows(
        "watched-pages",
        [
            (
                *map(literal, (key, competitor.name, name, page.kind, page.url, page.every)),
                str(settings.visits[page.every].overdue_hours),
                "TRUE" if page.kind in ("pricing", "product") else "FALSE",
                "NULL" if page.links is None else literal(page.links),
            )
            for key, competitor in settings.watched.items()
            for name, page in competitor.pages.items()
        ],
    )


def _trackers(settings: CompetitorsSettings) -> str:
    found = [
        (literal(key), literal(tracker.lower()))
        for key, competitor in settings.watched.items()
        for tracker in competitor.trackers
    ]
    return _rows("trackers", found)


def _tasks(settings: CompetitorsSettings) -> dict[str, TaskSettings]:
    def task(name: str, schedule: ScheduleSettings, comment: str, stream: str | None = None) -> TaskSettings:
        task = {"name": name.upper(), "schema": settings.schema_key, "statement": sql(name), "schedule": schedule}
        more = {"when_stream": stream, "warehouse": settings.warehouse, "timeout_minutes": 15, "comment": comment}
        return TaskSettings.model_validate({**task, **more})

    compares = "Compares what was read with what the pages said before"
    tasks = {
        "find-changes": task("find_changes", settings.changes.schedule, compares, "new-visits"),
        "write-report": task("write_report", settings.report.written, "Figures of the last whole week, once"),
    }
    if settings.mentions is not None:
        counts = "Counts the calls that name a competitor"
        tasks["count-mentions"] = task("count_mentions", settings.mentions.schedule, counts)
    return tasks

"""Competitive intelligence: whether pages are read, and whether Slack was told of what changed.

Asked of Snowflake, in the view WATCH_HEALTH. Whether the workflows fail is n8n's health.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from health.base import Health, Problem, Reading, Subject
from health.snowflake import HEALTH as SNOWFLAKE
from health.snowflake import Row, View

_WATCHED = View(
    "watch-health",
    (
        "PAGES", "NEVER_VISITED", "OVERDUE", "FAILING", "REFUSED", "HOURS_SINCE_ANSWER", "WHICH", "UNTOLD", "UNCONFIRMED",
        "REPORTS", "REPORT_LATE",
    ),
    warehouse=("snowflake:index/task:Task", "find-changes", "warehouse"),
)  # fmt: skip
_SETTLED = timedelta(days=15)
"""How old the stack's view must be before nothing at all is a problem: two weekly visits."""


def _state(rows: list[Row], subject: Subject) -> Reading:
    settled = _WATCHED.older_than(_SETTLED, subject)
    return Reading(tuple(problem for row in rows for problem in (*_unread(row, settled), *_untold(row, settled))))


def _unread(row: Row, settled: bool) -> Iterator[Problem]:
    counts = {name: int(row[name] or 0) for name in ("PAGES", "NEVER_VISITED", "OVERDUE", "FAILING", "REFUSED")}
    setting = "sophia-ai:competitors.watched"
    if settled and counts["NEVER_VISITED"]:
        said = f"{counts['NEVER_VISITED']} of {counts['PAGES']} pages were never visited"
        yield Problem(said, "look at the executions of the workflows pages-… in n8n", "sophia-ai:competitors.visits")
    if counts["OVERDUE"]:
        hours = row["HOURS_SINCE_ANSWER"]
        last = f"the last page was read {hours} hours ago" if hours is not None else "no page was ever read"
        said = f"{counts['OVERDUE']} of {counts['PAGES']} pages are overdue ({row['WHICH']}); {last}"
        do = "PAGE_STATE has the reason of each last visit; without new visits look at n8n"
        yield Problem(said, do, setting, "failing" if counts["OVERDUE"] == counts["PAGES"] else "degraded")
    elif counts["FAILING"] or counts["REFUSED"]:
        said = f"the last visit failed at {counts['FAILING']} pages, and {counts['REFUSED']} refused ({row['WHICH']})"
        do = "PAGE_STATE has the reasons; take a page that forbids it out of the settings"
        yield Problem(said, do, setting, "degraded")


def _untold(row: Row, settled: bool) -> Iterator[Problem]:
    if count := int(row["UNTOLD"] or 0):
        said = f"{count} changes were found days ago, and Slack was not told"
        yield Problem(said, "look at the executions of the workflow changes in n8n", "sophia-ai:competitors.alerts")
    if count := int(row["UNCONFIRMED"] or 0):
        said = f"of {count} changes nobody knows whether Slack was told"
        do = "compare the channel with OPEN_FINDINGS; docs/competitors.md says how to tell or to close them"
        yield Problem(said, do, "sophia-ai:competitors.alerts", "degraded")
    if row["REPORT_LATE"] in ("true", "1") or (settled and not int(row["REPORTS"] or 0)):
        do = "look at the task WRITE_REPORT in Snowflake, and at the workflow report in n8n"
        yield Problem("the report of the last week was not told", do, "sophia-ai:competitors.report")


HEALTH = Health(
    platform="competitors",
    title="Competitive intelligence",
    service=SNOWFLAKE.service,
    probes=_WATCHED.probes("pages, alerts and reports", _state),
)

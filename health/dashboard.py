"""The executive dashboard: whether its views can be read, and how new is what they read.

One query of the view FRESHNESS over Snowflake's SQL API. It wakes the dashboard's warehouse, which sleeps again by itself.
"""

from __future__ import annotations

from health.base import Health, Problem, Reading, Subject
from health.snowflake import HEALTH as SNOWFLAKE
from health.snowflake import Row, View

_FRESHNESS = View(
    "dashboard.freshness",
    ("SOURCE", "RECORDS", "AGE_DAYS", "WITHIN_DAYS", "FRESH"),
    warehouse=("snowflake:index/streamlit:Streamlit", "dashboard.page", "queryWarehouse"),
)
_SETTING = "sophia-ai:dashboard"


def _freshness(rows: list[Row], _: Subject) -> Reading:
    late = (row for row in rows if str(row["FRESH"]).lower() != "true")
    return Reading(tuple(_late(row) for row in sorted(late, key=lambda row: str(row["SOURCE"]))))


def _late(row: Row) -> Problem:
    source = row["SOURCE"]
    if row["RECORDS"] == "0":
        said, do = f"{source} has no rows yet: its figures are empty", "look at what loads it (docs/dashboard.md)"
    else:
        said = f"the newest of {source} is {row['AGE_DAYS']} days old, {row['WITHIN_DAYS']} are allowed"
        do = f"look at what loads it, or raise {_SETTING}.fresh_within_days.{source}"
    return Problem(said, do, f"{_SETTING}.figures", "degraded")


HEALTH = Health(
    platform="dashboard",
    title="Executive dashboard",
    service=SNOWFLAKE.service,
    probes=_FRESHNESS.probes("views and how new they are", _freshness),
)

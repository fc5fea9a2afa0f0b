"""NMHC Top 50: whether the score is fresh, and how many companies of the list are known in HubSpot.

One query of the view NMHC_HEALTH over Snowflake's SQL API. Source of facts: docs.snowflake.com (SQL API; dynamic tables).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from health.base import Health, Problem, Quota, Reading, Subject
from health.snowflake import HEALTH as SNOWFLAKE
from health.snowflake import Row, View

_DYNAMIC_TABLE, _OPPORTUNITIES = "snowflake:index/dynamicTable:DynamicTable", "nmhc-opportunities"
_SCORED = View(
    "nmhc-health", ("LISTED", "KNOWN", "AGE_MINUTES"), warehouse=(_DYNAMIC_TABLE, _OPPORTUNITIES, "warehouse")
)
_SETTLED = timedelta(days=7)
"""How old the stack's view must be before a list without companies is a problem: people load it, after a deployment."""

_MINUTES = {"second": 1 / 60, "minute": 1, "hour": 60, "day": 24 * 60}
_LATE = 2
"""How many times the lag that was asked for a score may be old: Snowflake promises the lag, and a sync may come late."""

_KNOWN_SHARE = 0.5
"""Of the list, what HubSpot should have: below that the score says little, because most of its factors are unknown."""

_SETTING = "sophia-ai:nmhc"
_EMPTY = Problem(
    "no company has a score: the table of the list is empty, or has no list of the kinds that count",
    "load the newest of NMHC's lists, as docs/nmhc.md says",
    f"{_SETTING}.kinds",
    "degraded",
)


def _read(rows: list[Row], subject: Subject) -> Reading:
    if not rows:
        return Reading((_EMPTY,) if _SCORED.older_than(_SETTLED, subject) else ())
    listed, known = int(rows[0]["LISTED"] or 0), int(rows[0]["KNOWN"] or 0)
    problems = (*_unknown(listed, known), *_late(float(rows[0]["AGE_MINUTES"] or 0), _lag(subject)))
    return Reading(problems, (Quota("of the list's companies known in HubSpot", known, listed),))


def _lag(subject: Subject) -> str:
    """As the state has it, ``6 hours``."""
    tables = [one for one in subject.of_type(_DYNAMIC_TABLE) if one.name == _OPPORTUNITIES]
    return str(tables[0].outputs["targetLag"]["maximumDuration"]) if tables else ""


def _unknown(listed: int, known: int) -> Iterator[Problem]:
    if known < listed * _KNOWN_SHARE:
        said = f"HubSpot has {known} of the {listed} companies on the list: the score of the others knows little"
        do = "give the list's rows their DOMAIN, and HubSpot the companies that it lacks"
        yield Problem(said, do, f"{_SETTING}.matching", "degraded")


def _late(age: float, lag: str) -> Iterator[Problem]:
    """``age`` in minutes."""
    allowed = _minutes(lag)
    if allowed and age > _LATE * allowed:
        said = f"the score is {_told(age)} old, and should be {lag} old at most"
        do = "look at the dynamic table's refreshes in Snowflake, and at Airbyte's last syncs"
        yield Problem(said, do, f"{_SETTING}.lag", "degraded")


def _minutes(lag: str) -> float:
    match = re.fullmatch(r"(\d+) (second|minute|hour|day)s?", lag)
    return int(match[1]) * _MINUTES[match[2]] if match else 0


def _told(minutes: float) -> str:
    return f"{minutes / 60:.0f} hours" if minutes >= 60 else f"{minutes:.0f} minutes"


HEALTH = Health(
    platform="nmhc",
    title="NMHC Top 50",
    service=SNOWFLAKE.service,
    probes=_SCORED.probes("freshness of the score, companies that are known", _read, refused="degraded"),
)

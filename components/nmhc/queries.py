"""The SQL in the folder ``sql``, with what the settings say put in as literals.

``{settings.units-full}`` in a file is a value of the settings. The other places (``{raw.hubspot-companies}``) stay for names
that are known when the program runs, as in the SQL of Snowflake's own settings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final

from components.nmhc.settings import NmhcSettings, TierSettings, Words
from components.snowflake.sql import literal

FOLDER: Final = Path(__file__).with_name("sql")
_SETTING = re.compile(r"\{settings\.([a-z-]+)\}")
_COMMENT = re.compile(r"^\s*--.*\n", re.MULTILINE)


def query(name: str, settings: NmhcSettings) -> str:
    """The query in ``sql/<name>.sql``, without its comments: the provider makes one line of a view's."""
    values = _values(settings)
    text = _COMMENT.sub("", (FOLDER / f"{name}.sql").read_text(encoding="utf-8"))
    return _SETTING.sub(lambda place: values[place[1]], text).strip()


def _values(settings: NmhcSettings) -> Mapping[str, str]:
    score, weights = settings.score, settings.score.weights
    system, engagement, competitor = score.property_management_system, score.engagement, score.competitor
    people = settings.decision_makers
    rank = settings.write_back.properties.rank if settings.write_back else ""
    return {
        "kinds": _rows((literal(kind), str(index)) for index, kind in enumerate(settings.kinds, start=1)),
        "ignored-words": literal(f" ({'|'.join(settings.matching.ignored_words)}) "),
        "seniorities": _words(people.seniorities),
        "areas": _words(people.areas),
        "excluded": literal(f".* ({'|'.join(_as_titles_are(people.excluded))}) .*"),
        "engagement-days": str(engagement.days),
        "engagement-seconds": str(engagement.seconds),
        "engagement-full": str(engagement.full),
        "trackers": ", ".join(literal(tracker.lower()) for tracker in competitor.trackers),
        "system-property": literal(system.property_),
        "system-fits": _rows((literal(name), _number(fit)) for name, fit in system.fits.items()),
        "system-other": _number(system.other),
        "system-unknown": _number(system.unknown),
        "competitor-property": literal(competitor.deal_property),
        "competitor-in-use": _number(competitor.in_use),
        "units-full": str(score.units.full),
        "growth-full": _number(score.growth.full),
        "decision-makers-full": str(score.decision_makers.full),
        "weight-units": _number(weights.units),
        "weight-growth": _number(weights.growth),
        "weight-system": _number(weights.property_management_system),
        "weight-engagement": _number(weights.engagement),
        "weight-deal": _number(weights.deal),
        "weight-decision-makers": _number(weights.decision_makers),
        "weight-competitor": _number(weights.competitor),
        "tiers": " ".join(map(_tier, settings.tiers)),
        "rank-property": literal(rank),
    }


def _rows(rows: Iterable[tuple[str, ...]]) -> str:
    return ", ".join(f"({', '.join(row)})" for row in rows)


def _words(groups: Mapping[str, Words]) -> str:
    """A row for each word: its group, the word between spaces, and the group's place."""
    return _rows(
        (literal(group), literal(f" {word} "), str(index))
        for index, (group, words) in enumerate(groups.items(), start=1)
        for word in _as_titles_are(words)
    )


def _as_titles_are(words: Words) -> list[str]:
    return [word.replace("vice president", "vp") for word in words]


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _tier(tier: TierSettings) -> str:
    return f"WHEN SCORE >= {_number(tier.at_least)} THEN {literal(tier.name)}"

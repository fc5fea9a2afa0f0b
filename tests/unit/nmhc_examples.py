"""Settings and rows for the NMHC Top 50. Companies, people and figures are invented: no list of NMHC's is in here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

SETTINGS: dict[str, Any] = {
    "landed": True,
    "kinds": ["MANAGERS", "OWNERS"],
    "sources": {"hubspot": "hubspot-to-raw", "gong": "gong-to-raw", "apollo": "apollo-to-raw"},
    "schemas": {"list": "core", "working": "staging", "results": "marts"},
    "warehouse": "transforming",
    "lag": "6 hours",
    "privacy": {"name": "personal-text", "email": "email"},
    "matching": {"ignored_words": ["inc", "llc", "lp", "the", "company"]},
    "decision_makers": {
        "seniorities": {
            "chief": ["chief", "ceo", "coo", "cfo", "president"],
            "vice-president": ["vp", "svp"],
            "director": ["director"],
        },
        "areas": {
            "executive": ["ceo", "chief executive", "president"],
            "operations": ["coo", "operations", "property management"],
            "accounting": ["cfo", "finance"],
        },
        "excluded": ["assistant", "former"],
    },
    "score": {
        "weights": {
            "units": 25,
            "growth": 10,
            "property_management_system": 15,
            "engagement": 15,
            "deal": 20,
            "decision_makers": 10,
            "competitor": 5,
        },
        "units": {"full": 100000},
        "growth": {"full": 0.1},
        "property_management_system": {
            "property": "property_management_system",
            "fits": {"entrata": 1, "yardi": 0.8},
            "other": 0.3,
            "unknown": 0.5,
        },
        "engagement": {"days": 90, "seconds": 120, "full": 4},
        "decision_makers": {"full": 3},
        "competitor": {"deal_property": "competitor", "trackers": ["Competitors: collections"], "in_use": 0.2},
    },
    "tiers": [{"name": "A", "at_least": 70}, {"name": "B", "at_least": 40}, {"name": "C", "at_least": 0}],
    "write_back": {
        "hubspot": "hubspot",
        "user": "n8n",
        "properties": {
            "rank": "nmhc_rank",
            "score": "sophia_opportunity_score",
            "tier": "sophia_opportunity_tier",
            "decision_makers": "sophia_decision_makers",
            "areas": "sophia_decision_maker_areas",
        },
    },
}

LISTED = ("LIST_YEAR", "KIND", "NMHC_RANK", "COMPANY", "DOMAIN", "UNITS", "PROPERTY_MANAGEMENT_SYSTEM")
LIST: Sequence[tuple[Any, ...]] = (
    (2026, "MANAGERS", 1, "Juniper Residential, LLC", "https://www.juniper.example/about", 80000, None),
    (2025, "MANAGERS", 2, "The Juniper Residential Company", "juniper.example", 76000, None),
    (2026, "OWNERS", 7, "Juniper Residential", "juniper.example", 30000, None),
    (2026, "MANAGERS", 2, "Harbor & Pine Inc.", None, 150000, "Yardi"),
    (2025, "MANAGERS", 1, "Harbor & Pine", None, 160000, None),
    (2026, "OWNERS", 3, "Quiet Oaks LP", "quietoaks.example", 20000, None),
    (2026, "BUILDERS", 1, "Brick By Brick", "brick.example", 9000, None),
    (2025, "OWNERS", 4, "Gone From The List", "gone.example", 18000, None),
)

_NOW = datetime.now(UTC)


def _ago(days: float) -> str:
    return (_NOW - timedelta(days=days)).isoformat()


def _company(id_: str, name: str, domain: str | None, landed: int = 1, *, archived: bool = False, **more: Any) -> Any:
    properties = {"name": name, "domain": domain, **more}
    return {"ID": id_, "PROPERTIES": properties, "UPDATEDAT": _ago(9 - landed), "ARCHIVED": archived, "LANDED": landed}


def _contact(id_: str, company: str, first: str, last: str, email: str | None, title: str) -> Any:
    properties = {
        "associatedcompanyid": company,
        "firstname": first,
        "lastname": last,
        "email": email,
        "jobtitle": title,
    }
    return {"ID": id_, "PROPERTIES": properties, "UPDATEDAT": _ago(5), "ARCHIVED": False, "LANDED": 1}


def _deal(id_: str, company: str, probability: str, landed: int = 1, **more: Any) -> Any:
    properties = {"hs_deal_stage_probability": probability, "hs_is_closed": "false", **more}
    return {"ID": id_, "PROPERTIES": properties, "COMPANIES": [company], "ARCHIVED": False, "LANDED": landed}


def _call(
    id_: str, days: float, seconds: int = 1800, *, account: str = "", emails: Sequence[str] = (), heard: int = 0
) -> Any:
    objects = [{"objectType": "Account", "objectId": account}, {"objectType": "Deal", "objectId": "102"}]
    return {
        "ID": id_,
        "METADATA": {"id": id_, "started": _ago(days), "duration": seconds},
        "CONTEXT": [{"system": "HubSpot", "objects": objects}] if account else [],
        "PARTIES": [{"emailAddress": email, "affiliation": "External"} for email in emails],
        "CONTENT": {"trackers": [{"name": "Competitors: collections", "count": heard}]},
        "LANDED": 1,
    }


LANDED: Mapping[tuple[str, str], tuple[Mapping[str, str], Sequence[Mapping[str, Any]]]] = {
    ("RAW_HUBSPOT", "HUBSPOT_COMPANIES"): (
        {"ID": "VARCHAR", "PROPERTIES": "VARIANT", "UPDATEDAT": "TIMESTAMP_TZ", "ARCHIVED": "BOOLEAN"},
        (
            _company("101", "Juniper", "www.juniper.example", property_management_system="entrata"),
            _company(
                "101", "Juniper", "juniper.example", landed=2, property_management_system="entrata", nmhc_rank="2"
            ),
            _company("102", "JUNIPER RESIDENTIAL", None, nmhc_rank="2"),
            _company("201", "Harbor and Pine", None),
            _company("202", "Harbor & Pine, Inc", "harborpine.example"),
            _company("203", "Harbor & Pine", "old.example", landed=2, archived=True),
            _company("301", "Gone From The List", "gone.example", nmhc_rank="4"),
            _company("302", "Somebody Else", "else.example"),
        ),
    ),
    ("RAW_HUBSPOT", "HUBSPOT_CONTACTS"): (
        {"ID": "VARCHAR", "PROPERTIES": "VARIANT", "UPDATEDAT": "TIMESTAMP_TZ", "ARCHIVED": "BOOLEAN"},
        (
            _contact("1", "101", "Ana", "Reyes", "Ana@juniper.example", "Chief Operating Officer, Operations"),
            _contact("2", "101", "Bo", "Lind", "bo@juniper.example", "Assistant to the CEO"),
            _contact("3", "101", "Cy", "Ode", "cy@juniper.example", "Vice President of Leasing"),
            _contact("4", "202", "Dee", "Fox", None, "Director of Finance"),
        ),
    ),
    ("RAW_HUBSPOT", "HUBSPOT_DEALS"): (
        {"ID": "VARCHAR", "PROPERTIES": "VARIANT", "COMPANIES": "VARIANT", "ARCHIVED": "BOOLEAN"},
        (
            _deal("d1", "101", "0.2"),
            _deal("d1", "101", "0.6", landed=2),
            _deal("d2", "101", "0.4"),
            _deal("d3", "101", "1.0", hs_is_closed="true"),
            _deal("d4", "202", "0.2", competitor="Somebody's collections"),
        ),
    ),
    ("RAW_GONG", "GONG_EXTENSIVECALLS"): (
        {"ID": "VARCHAR", "METADATA": "VARIANT", "CONTEXT": "VARIANT", "PARTIES": "VARIANT", "CONTENT": "VARIANT"},
        (
            _call("c1", 3, account="101", emails=("ana@juniper.example", "us@payready.example")),
            _call("c2", 80, emails=("Cy@Juniper.example",)),
            _call("c3", 100, account="101"),
            _call("c4", 1, seconds=60, account="101"),
            _call("c5", 10, account="202", heard=2),
            _call("c6", 10, account="999"),
        ),
    ),
    ("RAW_APOLLO", "APOLLO_ACCOUNTS"): (
        {"ID": "VARCHAR", "NAME": "VARCHAR", "DOMAIN": "VARCHAR", "CREATED_AT": "TIMESTAMP_TZ"},
        (
            {"ID": "a1", "NAME": "Juniper Res.", "DOMAIN": "juniper.example", "CREATED_AT": _ago(400), "LANDED": 1},
            {"ID": "a2", "NAME": "Quiet Oaks", "DOMAIN": None, "CREATED_AT": _ago(400), "LANDED": 1},
        ),
    ),
    ("RAW_APOLLO", "APOLLO_CONTACTS"): (
        {
            "ID": "VARCHAR",
            "ACCOUNT_ID": "VARCHAR",
            "NAME": "VARCHAR",
            "EMAIL": "VARCHAR",
            "TITLE": "VARCHAR",
            "UPDATED_AT": "TIMESTAMP_TZ",
        },
        (
            _person := {
                "ID": "p1",
                "ACCOUNT_ID": "a1",
                "NAME": "Ana Reyes",
                "EMAIL": "ana@juniper.example",
                "TITLE": "COO",
                "UPDATED_AT": _ago(1),
                "LANDED": 1,
            },
            _person
            | {"ID": "p2", "NAME": "Eve Ash", "EMAIL": "eve@juniper.example", "TITLE": "SVP, Property Management"},
            _person | {"ID": "p3", "ACCOUNT_ID": "a2", "NAME": "Flo Day", "EMAIL": None, "TITLE": "President & CEO"},
        ),
    ),
}
"""By schema and table what Airbyte has landed. ``LANDED`` is when, as a number: a later row is a newer version."""


def loaded(schema: str, table: str) -> list[str]:
    """The statements that make a table as Airbyte does, with its rows."""
    columns, rows = LANDED[schema, table]
    declared = ", ".join(f"{name} {type_}" for name, type_ in columns.items())
    statements = [f"CREATE TABLE {schema}.{table} ({declared}, _AIRBYTE_EXTRACTED_AT TIMESTAMP_TZ)"]
    for row in rows:
        values = ", ".join(_literal(row[name], type_) for name, type_ in columns.items())
        statements.append(f"INSERT INTO {schema}.{table} SELECT {values}, '2026-11-0{row['LANDED']}'::TIMESTAMP_TZ")
    return statements


def _literal(value: Any, type_: str) -> str:
    if value is None:
        return f"NULL::{type_}"
    if type_ == "VARIANT":
        return "PARSE_JSON('{}')".format(json.dumps(value).replace("'", "''"))
    if isinstance(value, bool):
        return str(value).upper()
    escaped = str(value).replace("'", "''")
    return f"'{escaped}'::{type_}"

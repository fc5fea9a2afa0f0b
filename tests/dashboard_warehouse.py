"""A small Snowflake (fakesnow's) for the dashboard: the tables of the dev stack, rows whose figures can be told by hand, and
the views as the component makes them. Today is a day of these rows, so that they mean the same on every day.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import sqlglot
import yaml
from sqlglot import exp

from components.dashboard import DashboardSettings, sql

DATABASE: Final = "SOPHIA_AI_DEV"
SCHEMA: Final = "EXECUTIVE"
TODAY: Final = "2026-04-15"
_REFERENCE = re.compile(r"\{(tables|views|hubspot)\.([a-z-]+)\}")
_CONFIG = yaml.safe_load((Path(__file__).parents[1] / "Pulumi.dev.yaml").read_text())["config"]

FEES = [
    ("op-1", "PAYMENTS", 0.01, 0.30, "USD", "2025-01-01", None),
    ("op-1", "PAYMENTS", 0.008, 0.30, "USD", "2026-03-01", None),  # a better price: the newest counts
    ("op-1", "COLLECTIONS", 0.25, 0, "USD", "2025-01-01", None),
    ("op-2", "PAYMENTS", 0.02, 0, "USD", "2025-06-01", "2026-03-20"),  # leaves in March
]
PAYMENTS = [
    ("p0", "op-1", 300.00, "USD", "SETTLED", "2026-01-15 12:00:00+00:00"),  # 3.30
    ("p1", "op-1", 1000.00, "USD", "SETTLED", "2026-02-03 12:00:00+00:00"),  # 10.30
    ("p2", "op-1", 2000.00, "USD", "SETTLED", "2026-02-04 12:00:00+00:00"),  # 20.30
    ("p3", "op-2", 500.00, "USD", "SETTLED", "2026-02-05 12:00:00+00:00"),  # 10.00
    ("p4", "op-1", 900.00, "USD", "FAILED", "2026-02-06 12:00:00+00:00"),
    ("p5", "op-1", 900.00, "EUR", "SETTLED", "2026-02-06 12:00:00+00:00"),
    ("p6", "op-1", 1500.00, "USD", "SETTLED", "2026-03-05 12:00:00+00:00"),  # 12.30 by the new price
    ("p7", "op-2", 1000.00, "USD", "SETTLED", "2026-03-10 12:00:00+00:00"),  # 20.00, which do not recur
    ("p8", "op-2", 1000.00, "USD", "SETTLED", "2026-03-25 12:00:00+00:00"),  # no fee any more
    ("p9", "op-3", 400.00, "USD", "SETTLED", "2026-03-09 12:00:00+00:00"),  # never had a fee
    ("p10", "op-1", 700.00, "USD", "SETTLED", "2026-03-31 23:30:00-07:00"),  # April in UTC: the month that runs
    ("p11", "op-1", 100.00, "USD", "SETTLED", "2026-04-14 12:00:00+00:00"),
]
COLLECTIONS = [
    ("c1", "op-1", 400.00, "USD", "SETTLED", "2026-02-20 12:00:00+00:00"),  # 100.00
    ("c2", "op-1", 800.00, "USD", "SETTLED", "2026-03-20 12:00:00+00:00"),  # 200.00
    ("c3", "op-1", 100.00, "USD", "PENDING", "2026-03-21 12:00:00+00:00"),
]
UNITS = [
    ("op-1", "2026-02-01", 60_000),
    ("op-2", "2026-02-01", 32_800),
    ("op-3", "2026-02-01", 7_000),  # no customer
    ("op-1", "2026-03-01", 83_200),
    ("op-2", "2026-03-01", 32_800),
]
SPEND = [
    ("2026-01-10", "PAID_SEARCH", 3000, "USD"),
    ("2026-02-10", "PAID_SEARCH", 2000, "USD"),
    ("2026-02-11", "PAID_SOCIAL", 1000, "USD"),
    ("2026-02-12", "PAID_SEARCH", 999, "EUR"),
    ("2026-03-10", "PAID_SEARCH", 1500, "USD"),
    ("2026-03-20", "PAID_SEARCH", 2500, "USD"),
]


def _deal(id_: str, channel: str | None, closed: str, **more: Any) -> dict[str, Any]:
    properties = {"hs_analytics_source": channel, "closedate": f"{closed}T16:20:00.000Z", "amount": "12000"}
    return {"id": id_, "archived": False, "properties": {**properties, "hs_is_closed_won": True, **more}}


DEALS = [
    _deal("1", "PAID_SEARCH", "2026-01-20", dealtype="newbusiness"),
    _deal("2", "PAID_SEARCH", "2026-02-20", dealtype="newbusiness"),
    _deal("3", "REFERRALS", "2026-02-25", dealtype="newbusiness"),
    _deal("4", "PAID_SEARCH", "2026-03-25", dealtype="newbusiness", amount=None),
    _deal("5", "PAID_SEARCH", "2026-03-26", dealtype="existingbusiness"),
    _deal("6", "PAID_SEARCH", "2026-03-27", dealtype="newbusiness", hs_is_closed_won=False),
    {**_deal("7", "PAID_SEARCH", "2026-03-28", dealtype="newbusiness"), "archived": True},
    _deal("8", None, "2025-12-28", dealtype="existingbusiness"),
]
"""As HubSpot's API has them, and Airbyte loads them."""


def settings(**changes: Any) -> DashboardSettings:
    """The dashboard of the dev stack."""
    return DashboardSettings.model_validate({**_CONFIG["sophia-ai:dashboard"], **changes})


def create_tables(cursor: Any) -> None:
    """Empty, as the stack makes them; and HubSpot's, as Airbyte makes it."""
    for schema in ("CORE", SCHEMA, "RAW_HUBSPOT"):
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {DATABASE}.{schema}")
    tables = _CONFIG["sophia-ai:snowflake"]["tables"]
    for _, _, key in sql.sources(settings()):
        columns = ", ".join(f"{column['name']} {column['type']}" for column in tables[key]["columns"])
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {_table(key)} ({columns})")
    types = (
        "ID VARCHAR, ARCHIVED BOOLEAN, PROPERTIES VARIANT, UPDATEDAT TIMESTAMP_TZ, _AIRBYTE_EXTRACTED_AT TIMESTAMP_TZ"
    )
    cursor.execute(f"CREATE TABLE {DATABASE}.RAW_HUBSPOT.HUBSPOT_DEALS ({types})")


def create_views(cursor: Any, of: DashboardSettings | None = None, today: str = TODAY) -> None:
    for key, view in sql.views(of or settings()).items():
        name = key.replace("-", "_").upper()
        cursor.execute(f"CREATE VIEW {DATABASE}.{SCHEMA}.{name} AS {on(today, named(view.sql, of))}")


def fill(cursor: Any) -> None:
    """The rows above; the deals go HubSpot's way."""
    columns = "PAYMENT_ID, OPERATOR_ID, AMOUNT, CURRENCY, STATUS, PAID_AT"
    _insert(cursor, f"CORE.PAYMENTS ({columns})", PAYMENTS)
    columns = columns.replace("PAYMENT_ID", "COLLECTION_ID").replace("PAID_AT", "COLLECTED_AT")
    _insert(cursor, f"CORE.COLLECTIONS ({columns})", COLLECTIONS)
    _insert(cursor, "CORE.OPERATOR_FEES", FEES)
    _insert(cursor, "CORE.OPERATOR_UNITS", UNITS)
    _insert(cursor, "CORE.MARKETING_SPEND", SPEND)
    for deal in DEALS:
        tell(cursor, deal, "2026-04-01 00:00:00+00:00")
    carry(cursor)


def tell(cursor: Any, deal: dict[str, Any], at: str) -> None:
    """What Airbyte appends when HubSpot's deal has changed."""
    values = ("CAST(%s AS VARCHAR)", "%s", "PARSE_JSON(%s)", "%s", "%s")
    into = f"INSERT INTO {DATABASE}.RAW_HUBSPOT.HUBSPOT_DEALS SELECT {', '.join(values)}"
    cursor.execute(into, (deal["id"], deal["archived"], json.dumps(deal["properties"]), at, at))


def carry(cursor: Any) -> None:
    """What the task does."""
    cursor.execute(named(sql.won_deals(settings()).sql))


def named(text: str, of: DashboardSettings | None = None) -> str:
    """SQL with the names of the dev stack in place of its references."""
    keys = {source: key for _, source, key in sql.sources(of or settings())}

    def name(place: re.Match[str]) -> str:
        section, key = place[1], place[2]
        if section == "tables":
            return _table(keys[key])
        if section == "views":
            return f"{DATABASE}.{SCHEMA}.{key.replace('-', '_').upper()}"
        return f"{DATABASE}.RAW_HUBSPOT.HUBSPOT_DEALS"

    return _REFERENCE.sub(name, text)


def on(today: str, text: str) -> str:
    """SQL on another day than this."""
    day = exp.cast(exp.Literal.string(today), "date")
    parsed = sqlglot.parse_one(text, read="snowflake")
    return parsed.transform(lambda node: day if isinstance(node, exp.CurrentDate) else node).sql("snowflake")


def _table(key: str) -> str:
    return f"{DATABASE}.CORE.{_CONFIG['sophia-ai:snowflake']['tables'][key]['name']}"


def _insert(cursor: Any, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    listed = list(rows)
    places = ", ".join(f"({', '.join(['%s'] * len(row))})" for row in listed)
    cursor.execute(f"INSERT INTO {DATABASE}.{table} VALUES {places}", [value for row in listed for value in row])

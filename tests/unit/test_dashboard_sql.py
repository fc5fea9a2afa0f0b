"""The dashboard's SQL: it is Snowflake's, and on rows that can be counted by hand it gives what the hand has counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import fakesnow
import pytest
import sqlglot
from snowflake.connector.cursor import SnowflakeCursor
from sqlglot import exp

from components.dashboard import sql
from tests import dashboard_warehouse as warehouse

pytestmark = pytest.mark.filterwarnings("ignore:Arrow output on a DB-API result:UserWarning")  # fakesnow asks for it


QUERIES = {
    "monthly": "SELECT MONTH, PAYMENTS, COLLECTIONS, REVENUE, RECURRING_REVENUE, OPERATORS, UNPRICED "
    "FROM MONTHLY_REVENUE ORDER BY MONTH",
    "revenue": "SELECT OPERATOR_ID, SERVICE, TRANSACTIONS, VOLUME, REVENUE, RECURRING_REVENUE, UNPRICED "
    "FROM REVENUE WHERE MONTH = '2026-03-01' ORDER BY OPERATOR_ID, SERVICE",
    "operators": "SELECT PLACE, OPERATOR_ID, REVENUE, RECURRING_REVENUE, SHARE "
    "FROM OPERATOR_REVENUE WHERE MONTH = '2026-03-01' ORDER BY PLACE",
    "market": "SELECT MONTH, UNITS, MARKET_UNITS, SHARE, MARKET_SOURCE FROM MARKET_SHARE ORDER BY MONTH",
    "channels": "SELECT MONTH, CHANNEL, SPEND, CUSTOMERS, COST FROM ACQUISITION_COST ORDER BY MONTH, CHANNEL",
    "figures": "SELECT MONTH, FIGURE, UNIT, VALUE, PREVIOUS, CHANGE, TARGET, ON_TARGET "
    "FROM FIGURES ORDER BY MONTH, POSITION",
    "freshness": "SELECT SOURCE, RECORDS, NEWEST, AGE_DAYS, WITHIN_DAYS, FRESH FROM FRESHNESS ORDER BY SOURCE",
}


@contextmanager
def empty() -> Iterator[SnowflakeCursor]:
    """The tables of the dev stack, empty."""
    with fakesnow.patch():
        import snowflake.connector

        with snowflake.connector.connect(database=warehouse.DATABASE, schema=warehouse.SCHEMA) as connection:
            cursor = connection.cursor()
            warehouse.create_tables(cursor)
            cursor.execute(f"USE SCHEMA {warehouse.DATABASE}.{warehouse.SCHEMA}")
            yield cursor


@pytest.fixture
def cursor() -> Iterator[SnowflakeCursor]:
    with empty() as cursor:
        yield cursor


class Filled:
    """The views over the rows, which no test changes: their answers are asked for once."""

    def __init__(self) -> None:
        with empty() as cursor:
            warehouse.fill(cursor)
            warehouse.create_views(cursor)
            self.answers = {query: rows(cursor, query) for query in QUERIES.values()}

    def __getitem__(self, name: str) -> list[tuple[Any, ...]]:
        return self.answers[QUERIES[name]]


@pytest.fixture(scope="module")
def filled() -> Filled:
    return Filled()


def rows(cursor: SnowflakeCursor, query: str) -> list[tuple[Any, ...]]:
    """With amounts as numbers and dates as text."""
    cursor.execute(query)
    return [tuple(_plain(value) for value in row) for row in cursor.fetchall()]


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal | float):
        return round(float(value), 6)
    return value if isinstance(value, int | str | bool) or value is None else str(value)[:10]


def test_every_statement_is_snowflakes_sql_and_reads_what_it_names() -> None:
    settings = warehouse.settings()
    statements = {**sql.views(settings), "won-deals": sql.won_deals(settings)}
    made: set[str] = set()
    for key, statement in statements.items():
        assert statement.comment.endswith("."), f"{key} does not say what it means"
        assert "--" not in statement.sql
        assert "{settings." not in statement.sql
        (parsed,) = sqlglot.parse(warehouse.named(statement.sql), read="snowflake")
        assert parsed is not None
        assert not list(parsed.find_all(exp.Command))
        of_views = {table.name for table in parsed.find_all(exp.Table) if table.db == warehouse.SCHEMA}
        assert of_views <= made, f"{key} is made before what it reads"
        made.add(key.replace("-", "_").upper())


def test_revenue_is_the_fees_of_what_was_settled(filled: Filled) -> None:
    assert filled["monthly"] == [
        ("2026-01-01", 3.30, 0, 3.30, 3.30, 1, 0),
        ("2026-02-01", 40.60, 100.00, 140.60, 140.60, 2, 0),
        ("2026-03-01", 32.30, 200.00, 232.30, 212.30, 2, 2),
        ("2026-04-01", 7.00, 0, 7.00, 7.00, 1, 0),  # 0.8 % of 700 and of 100, and 0.30 for each
    ]
    assert filled["revenue"] == [
        ("op-1", "COLLECTIONS", 1, 800, 200, 200, 0),
        ("op-1", "PAYMENTS", 1, 1500, 12.30, 12.30, 0),
        ("op-2", "PAYMENTS", 2, 2000, 20, 0, 1),
        ("op-3", "PAYMENTS", 1, 400, 0, 0, 1),
    ]


def test_operators_are_ranked_within_their_month(filled: Filled) -> None:
    assert filled["operators"] == [
        (1, "op-1", 212.30, 212.30, pytest.approx(212.30 / 232.30, abs=1e-6)),
        (2, "op-2", 20.00, 0, pytest.approx(20 / 232.30, abs=1e-6)),
        (3, "op-3", 0, 0, 0),
    ]


def test_the_share_of_the_market_is_of_customers_alone(filled: Filled) -> None:
    source = "an estimate for the United States"
    assert filled["market"] == [
        ("2026-02-01", 92_800, 23_200_000, 0.004, source),
        ("2026-03-01", 116_000, 23_200_000, 0.005, source),
    ]


def test_a_table_of_counts_is_read_as_of_the_month(cursor: SnowflakeCursor) -> None:
    """The count that was the newest then, however many rows it has."""
    figures = {"units": "operator-units", "fees": "operator-fees", "market": {"table": "operator-access"}}
    settings = warehouse.settings(figures={"market_share": figures})
    cursor.execute("CREATE TABLE SOPHIA_AI_DEV.CORE.OPERATOR_ACCESS (AS_OF DATE, UNITS NUMBER(12,0))")
    counts = "('2026-01-01', 100000), ('2026-01-01', 85600), ('2026-03-31', 232000), ('2026-04-01', 1)"
    cursor.execute(f"INSERT INTO SOPHIA_AI_DEV.CORE.OPERATOR_ACCESS VALUES {counts}")
    warehouse.fill(cursor)
    warehouse.create_views(cursor, settings)
    found = rows(cursor, "SELECT MONTH, MARKET_UNITS, MARKET_AS_OF, SHARE FROM MARKET_SHARE ORDER BY MONTH")
    assert found == [("2026-02-01", 185_600, "2026-01-01", 0.5), ("2026-03-01", 232_000, "2026-03-31", 0.5)]
    assert rows(cursor, "SELECT DISTINCT FIGURE FROM FIGURES") == [("market_share",)]


def test_a_new_customer_costs_what_was_spent_on_its_channel(filled: Filled) -> None:
    assert filled["channels"] == [
        ("2026-01-01", "PAID_SEARCH", 3000, 1, 3000),
        ("2026-02-01", "PAID_SEARCH", 2000, 1, 2000),
        ("2026-02-01", "PAID_SOCIAL", 1000, 0, None),
        ("2026-02-01", "REFERRALS", 0, 1, 0),
        ("2026-03-01", "PAID_SEARCH", 4000, 1, 4000),
    ]


def test_the_figures_are_of_months_that_are_over_with_their_targets(filled: Filled) -> None:
    assert filled["figures"] == [
        ("2026-01-01", "recurring_revenue", "USD", 3.30, None, None, 20_000, False),
        ("2026-01-01", "acquisition_cost", "USD", 3000, None, None, 4000, True),
        ("2026-02-01", "recurring_revenue", "USD", 140.60, 3.30, 137.30, 20_000, False),
        ("2026-02-01", "market_share", "SHARE", 0.004, None, None, 0.004, True),
        ("2026-02-01", "acquisition_cost", "USD", 2000, 3000, -1000, 4000, True),  # 6000 for 3
        ("2026-03-01", "recurring_revenue", "USD", 212.30, 140.60, 71.70, 20_000, False),
        ("2026-03-01", "market_share", "SHARE", 0.005, 0.004, 0.001, 0.004, True),
        ("2026-03-01", "acquisition_cost", "USD", 2500, 2000, 500, 4000, True),  # 10000 for 4
    ]


def test_a_target_counts_from_its_month_and_only_so_many_months_are_shown(cursor: SnowflakeCursor) -> None:
    revenue = {"payments": "payments", "collections": "collections", "fees": "operator-fees"}
    targets = {"2026-02": 200, "2026-03": 100}
    settings = warehouse.settings(months=2, figures={"recurring_revenue": {**revenue, "targets": targets}})
    warehouse.fill(cursor)
    warehouse.create_views(cursor, settings)
    found = rows(cursor, "SELECT MONTH, PREVIOUS, TARGET, ON_TARGET FROM FIGURES ORDER BY MONTH")
    assert found == [("2026-02-01", 3.30, 200, False), ("2026-03-01", 140.60, 100, True)]


def test_a_figure_without_targets_has_none(cursor: SnowflakeCursor) -> None:
    revenue = {"payments": "payments", "collections": "collections", "fees": "operator-fees"}
    warehouse.fill(cursor)
    warehouse.create_views(cursor, warehouse.settings(figures={"recurring_revenue": revenue}))
    assert rows(cursor, "SELECT DISTINCT TARGET, ON_TARGET FROM FIGURES") == [(None, None)]


def test_how_new_the_sources_are_is_known(filled: Filled) -> None:
    assert filled["freshness"] == [
        ("collections", 3, "2026-03-21", 25, 7, False),
        ("deals", 6, "2026-03-26", 20, 45, True),
        ("payments", 12, "2026-04-14", 1, 3, True),
        ("spend", 6, "2026-03-20", 26, 45, True),
        ("units", 5, "2026-03-01", 45, 45, True),
    ]


def test_an_empty_warehouse_has_no_figures_and_says_so(cursor: SnowflakeCursor) -> None:
    warehouse.create_views(cursor)
    assert rows(cursor, "SELECT * FROM FIGURES") == []
    found = rows(cursor, "SELECT SOURCE, RECORDS, NEWEST, FRESH FROM FRESHNESS ORDER BY SOURCE")
    assert found == [(name, 0, None, False) for name in ("collections", "deals", "payments", "spend", "units")]


def test_won_deals_follow_hubspot(cursor: SnowflakeCursor) -> None:
    warehouse.fill(cursor)
    query = "SELECT DEAL_ID, CHANNEL, NEW_CUSTOMER, AMOUNT, WON_ON FROM SOPHIA_AI_DEV.CORE.WON_DEALS ORDER BY DEAL_ID"
    before = [
        ("1", "PAID_SEARCH", True, 12000, "2026-01-20"),
        ("2", "PAID_SEARCH", True, 12000, "2026-02-20"),
        ("3", "REFERRALS", True, 12000, "2026-02-25"),
        ("4", "PAID_SEARCH", True, None, "2026-03-25"),
        ("5", "PAID_SEARCH", False, 12000, "2026-03-26"),
        ("8", "UNKNOWN", False, 12000, "2025-12-28"),
    ]
    assert rows(cursor, query) == before
    warehouse.carry(cursor)
    assert rows(cursor, query) == before, "a second run changes nothing"

    reopened, renamed = (dict(warehouse.DEALS[index]) for index in (0, 1))
    reopened["properties"] = {**reopened["properties"], "hs_is_closed_won": False}
    renamed["properties"] = {**renamed["properties"], "amount": "9000.50"}
    warehouse.tell(cursor, reopened, "2026-04-02 00:00:00+00:00")
    warehouse.tell(cursor, renamed, "2026-04-02 00:00:00+00:00")
    warehouse.carry(cursor)
    assert rows(cursor, query)[0] == ("2", "PAID_SEARCH", True, 9000.50, "2026-02-20")


def test_a_file_written_by_a_statement_is_the_file(cursor: SnowflakeCursor) -> None:
    content = "it's = 'a\\nb'  # 100 % {x}\n\n\ttab \"quoted\" $$ -- ;\n"
    statement = sql.write_file('"D"."S"."FILES"', "0123/it.py", content)
    parsed = sqlglot.parse_one(statement, read="snowflake")
    assert isinstance(parsed, exp.Copy)
    (text,) = [node for node in parsed.find_all(exp.Literal) if "tab" in node.name]
    cursor.execute(f"SELECT {text.sql('snowflake')}")
    row = cursor.fetchone()
    assert isinstance(row, tuple)
    assert row[0] + "\n" == content, "Snowflake ends the only row with a line feed"
    assert "INTO @" in statement
    assert len(sqlglot.parse(statement, read="snowflake")) == 1

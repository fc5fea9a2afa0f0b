"""The views' SQL: files, with what the settings say put in.

A file begins with what the view means, which becomes its comment. ``{tables.…}`` and ``{views.…}`` stay for the component,
which knows the qualified names; ``{settings.…}`` are filled in here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from components.dashboard.settings import DashboardSettings, FigureName
from components.snowflake.sql import literal

_FOLDER = Path(__file__).parent / "sql"
_SETTING = re.compile(r"\{settings\.([a-z-]+)\}")


@dataclass(frozen=True)
class Statement:
    """``comment``: the lines at the head of the file. ``sql``: the rest, still with references to tables and views."""

    comment: str
    sql: str


@dataclass(frozen=True)
class Figure:
    """How a figure is told; ``unit`` is SHARE, or None for the dashboard's currency."""

    title: str
    definition: str
    unit: str | None = None
    lower_is_better: bool = False


FIGURES: Final[Mapping[FigureName, Figure]] = {
    "recurring_revenue": Figure(
        "Recurring revenue",
        "Fees of the payments and collections settled in the month, under fees that are still in force when it ends.",
    ),
    "market_share": Figure(
        "Market share",
        "Apartments of the operators who are customers in the month, of all apartments in the market.",
        unit="SHARE",
    ),
    "acquisition_cost": Figure(
        "Acquisition cost",
        "What was spent on sales and marketing, for each deal of new business that was won, over the last {months} months.",
        lower_is_better=True,
    ),
}
"""In the order in which they are shown."""

VIEWS: Final[Mapping[FigureName, tuple[str, ...]]] = {
    "recurring_revenue": ("revenue", "monthly-revenue", "operator-revenue"),
    "market_share": ("market-share",),
    "acquisition_cost": ("acquisition-cost",),
}
"""The views that a figure needs, each after those that it reads."""

COLUMNS: Final[Mapping[str, frozenset[str]]] = {
    "payments": frozenset({"PAYMENT_ID", "OPERATOR_ID", "AMOUNT", "CURRENCY", "STATUS", "PAID_AT"}),
    "collections": frozenset({"COLLECTION_ID", "OPERATOR_ID", "AMOUNT", "CURRENCY", "STATUS", "COLLECTED_AT"}),
    "fees": frozenset({"OPERATOR_ID", "SERVICE", "FEE_RATE", "FEE_EACH", "CURRENCY", "VALID_FROM", "VALID_TO"}),
    "units": frozenset({"OPERATOR_ID", "MONTH", "UNITS"}),
    "market": frozenset({"AS_OF", "UNITS"}),
    "spend": frozenset({"SPENT_ON", "CHANNEL", "AMOUNT", "CURRENCY"}),
    "deals": frozenset({"DEAL_ID", "CHANNEL", "NEW_CUSTOMER", "AMOUNT", "WON_ON"}),
}
"""By source, the columns that its table must have."""

_NEWEST: Final[Mapping[str, str]] = {
    "payments": "PAID_AT",
    "collections": "COLLECTED_AT",
    "units": "MONTH",
    "market": "AS_OF",
    "spend": "SPENT_ON",
    "deals": "WON_ON",
}
"""By source, the column that says how new a row is. Fees are in force for years: they have no age."""


def sources(settings: DashboardSettings) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """The tables that the figures read: where the setting is, the source, and the table's key."""
    figures = settings.figures
    for name in ("payments", "collections", "fees"):
        if figures.recurring_revenue:
            yield ("figures", "recurring_revenue", name), name, getattr(figures.recurring_revenue, name)
    if share := figures.market_share:
        yield ("figures", "market_share", "units"), "units", share.units
        yield ("figures", "market_share", "fees"), "fees", share.fees
        if share.market.table:
            yield ("figures", "market_share", "market", "table"), "market", share.market.table
    if cost := figures.acquisition_cost:
        yield ("figures", "acquisition_cost", "spend"), "spend", cost.spend
        yield ("figures", "acquisition_cost", "deals"), "deals", cost.deals


def names(settings: DashboardSettings) -> list[FigureName]:
    """The figures that there are, in the order in which they are shown."""
    return [name for name in FIGURES if getattr(settings.figures, name)]


def views(settings: DashboardSettings) -> dict[str, Statement]:
    """By key, what each view is made of, in an order in which they can be made."""
    keys = [key for name in names(settings) for key in VIEWS[name]]
    given = _given(settings)
    return {key: _read(key.replace("-", "_"), given) for key in (*keys, "figures", "freshness")}


def won_deals(settings: DashboardSettings) -> Statement:
    """What carries HubSpot's deals on; ``{hubspot.deals}`` is their table."""
    return _read("won_deals_from_hubspot", _given(settings))


def write_file(stage: str, path: str, content: str) -> str:
    """A statement that makes a file in a stage. ``stage`` is qualified and quoted, ``path`` without odd characters.

    An unload of one row into one file that is not compressed: the only way to make a file by a statement alone
    (docs.snowflake.com, COPY INTO location). It ends the file with a line feed, as the file itself does.
    """
    text = literal(content.removesuffix("\n"))
    return (
        f"COPY INTO @{stage}/{path} FROM (SELECT {text}) "
        "FILE_FORMAT = (TYPE = CSV COMPRESSION = NONE FIELD_DELIMITER = NONE FIELD_OPTIONALLY_ENCLOSED_BY = NONE "
        "ESCAPE = NONE ESCAPE_UNENCLOSED_FIELD = NONE NULL_IF = ()) SINGLE = TRUE OVERWRITE = TRUE HEADER = FALSE"
    )


def remove_file(stage: str, path: str) -> str:
    return f"REMOVE @{stage}/{path}"


def _given(settings: DashboardSettings) -> Mapping[str, str]:
    shown = names(settings)
    cost = settings.figures.acquisition_cost
    given = {
        "currency": literal(settings.currency),
        "months": str(settings.months),
        "acquisition-months": str(cost.months if cost else 0),
        "measured": " UNION ALL ".join(_read(f"figure_{name}", {}).sql for name in shown),
        "described": " UNION ALL ".join(_described(name, settings) for name in shown),
        "targets": " UNION ALL ".join(_targets(settings)),
        "sources": " UNION ALL ".join(_sources(settings)),
        "market": _market(settings),
    }
    # what the figures' own queries leave open
    return {key: _SETTING.sub(lambda place: given[place[1]], text) for key, text in given.items()}


def _described(name: FigureName, settings: DashboardSettings) -> str:
    figure, cost = FIGURES[name], settings.figures.acquisition_cost
    definition = figure.definition.format(months=cost.months if cost else 0)
    return (
        f"SELECT {literal(name)} AS FIGURE, {names(settings).index(name) + 1} AS POSITION, "
        f"{literal(figure.title)} AS TITLE, {literal(figure.unit or settings.currency)} AS UNIT, "
        f"{literal(definition)} AS DEFINITION, {str(figure.lower_is_better).upper()} AS LOWER_IS_BETTER"
    )


def _targets(settings: DashboardSettings) -> Iterator[str]:
    none = "CAST(NULL AS VARCHAR) AS FIGURE, CAST(NULL AS DATE) AS SINCE, CAST(NULL AS NUMBER(18,6)) AS TARGET"
    yield f"SELECT {none}"  # a row of nothing, so that there is a query without targets too; it joins with no figure
    for name in names(settings):
        targets: dict[str, Decimal] = getattr(settings.figures, name).targets
        for month, target in sorted(targets.items()):
            yield f"SELECT {literal(name)}, CAST('{month}-01' AS DATE), CAST({target:f} AS NUMBER(18,6))"


def _sources(settings: DashboardSettings) -> Iterator[str]:
    for source in dict.fromkeys(source for _, source, _ in sources(settings) if source in _NEWEST):
        newest = f"CAST(MAX({_NEWEST[source]}) AS DATE) AS NEWEST"
        within = f"{getattr(settings.fresh_within_days, source)} AS WITHIN_DAYS"
        shown = f"SELECT {literal(source)} AS SOURCE, COUNT(*) AS RECORDS, {newest}, {within}"
        yield f"{shown} FROM {{tables.{source}}}"


def _market(settings: DashboardSettings) -> str:
    market = settings.figures.market_share.market if settings.figures.market_share else None
    if market is None or market.table:
        return "SELECT AS_OF, SUM(UNITS) AS UNITS, CAST(NULL AS VARCHAR) AS SOURCE FROM {tables.market} GROUP BY AS_OF"
    counted = f"CAST('{market.as_of}' AS DATE) AS AS_OF, {market.units} AS UNITS"
    return f"SELECT {counted}, {literal(market.source)} AS SOURCE"


def _read(name: str, given: Mapping[str, str]) -> Statement:
    lines = (_FOLDER / f"{name}.sql").read_text().splitlines()
    comment = " ".join(line.removeprefix("-- ") for line in lines if line.startswith("-- "))
    sql = "\n".join(line for line in lines if not line.startswith("-- "))
    return Statement(comment, _SETTING.sub(lambda place: given.get(place[1], place[0]), sql))

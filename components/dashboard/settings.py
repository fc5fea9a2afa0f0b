"""What the stack file says about the executive dashboard (``sophia-ai:dashboard``): keys of Snowflake's settings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from components.explain import Mistake
from components.settings import Key, Settings, matching
from components.snowflake.names import Identifier
from components.snowflake.settings_transforming import ScheduleSettings


def _day(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError as error:
        raise PydanticCustomError("day", 'must be a day such as "2026-01-31", in quotation marks') from error
    return text


FigureName = Literal["recurring_revenue", "market_share", "acquisition_cost"]
Month = Annotated[str, matching(r"\d{4}-(0[1-9]|1[0-2])", "must be a month such as 2026-01")]
Day = Annotated[str, AfterValidator(_day)]
"""Without its quotation marks YAML makes a moment of it."""

Currency = Annotated[str, matching(r"[A-Z]{3}", "must be a currency's three letters, such as USD")]
Amount = Annotated[Decimal, Field(gt=0, le=10**12)]
Share = Annotated[Decimal, Field(gt=0, le=1)]
Days = Annotated[int, Field(ge=1, le=3650)]


class RevenueSettings(Settings):
    """Revenue, and what of it recurs. ``payments``, ``collections`` and ``fees`` are tables (keys of Snowflake's).
    ``targets``: recurring revenue of a month, by the month from which on it is wanted.
    """

    payments: Key
    collections: Key
    fees: Key
    targets: dict[Month, Amount] = Field(default_factory=dict)


class MarketSettings(Settings):
    """How many apartments there are: a count (``units``, as of a day, by ``source``), or a ``table`` (a key) of counts."""

    table: Key | None = None
    units: Annotated[int, Field(ge=1)] | None = None
    as_of: Day | None = None
    source: str = ""

    def check(self) -> Iterator[Mistake]:
        """One of the two, and a count says whose and when."""
        if (self.table is None) == (self.units is None):
            yield Mistake((), "must give either `table`, or `units` with `as_of` and `source`")
        if (self.units is None) != (self.as_of is None) or (self.units is None) != (not self.source):
            yield Mistake(("units",), "goes with `as_of` and `source`: a share of nobody knows what is no figure")


class MarketShareSettings(Settings):
    """The apartments of customers (``units`` by month; ``fees`` say who is one) against the market.
    ``targets`` are shares between 0 and 1.
    """

    units: Key
    fees: Key
    market: MarketSettings
    targets: dict[Month, Share] = Field(default_factory=dict)


class HubSpotSettings(Settings):
    """Where Airbyte puts HubSpot's deals (``schema``, a key, and the ``table`` there), and when a task carries them on."""

    schema_key: Annotated[str, Field(alias="schema")]
    table: Identifier
    schedule: ScheduleSettings
    warehouse: Key


class AcquisitionCostSettings(Settings):
    """What was spent for each new customer, over the last ``months``. ``spend`` and ``deals`` are tables (keys); without
    ``hubspot`` somebody else fills ``deals``. ``targets`` are what a customer may cost.
    """

    spend: Key
    deals: Key
    months: Annotated[int, Field(ge=1, le=24)] = 3
    hubspot: HubSpotSettings | None = None
    targets: dict[Month, Amount] = Field(default_factory=dict)


class FiguresSettings(Settings):
    """Which figures there are; one that is not given is neither counted nor shown."""

    recurring_revenue: RevenueSettings | None = None
    market_share: MarketShareSettings | None = None
    acquisition_cost: AcquisitionCostSettings | None = None

    def check(self) -> Iterator[Mistake]:
        """A page shows something."""
        if not (self.recurring_revenue or self.market_share or self.acquisition_cost):
            yield Mistake((), "must name a figure: recurring_revenue, market_share, acquisition_cost")


class FreshnessSettings(Settings):
    """How many days old the newest row of a source may be."""

    payments: Days = 3
    collections: Days = 7
    units: Days = 45
    market: Days = 800
    spend: Days = 45
    deals: Days = 45


class DashboardSettings(Settings):
    """``sophia-ai:dashboard``. ``schema``, ``warehouse`` and ``roles`` are keys of Snowflake's settings: where the views and
    the page are, what computes them, and who may look. ``months`` is how far back the figures go.
    """

    title: Annotated[str, Field(min_length=1, max_length=80)] = "Pay Ready: executive dashboard"
    schema_key: Annotated[str, Field(alias="schema")]
    warehouse: Key
    roles: Annotated[tuple[Key, ...], Field(min_length=1)]
    currency: Currency = "USD"
    months: Annotated[int, Field(ge=2, le=60)] = 13
    figures: FiguresSettings
    fresh_within_days: FreshnessSettings = FreshnessSettings()

"""Whether what the dashboard names is there, in Snowflake's settings and in Airbyte's, and has the columns that are read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from components.dashboard.settings import DashboardSettings, HubSpotSettings
from components.dashboard.sql import COLUMNS, sources
from components.explain import Mistake, Path
from components.settings import unknown_name, unknown_names

if TYPE_CHECKING:
    from components.airbyte.settings import AirbyteSettings
    from components.estate import Estate
    from components.snowflake.settings import SnowflakeSettings

_DEALS = "deals"
"""HubSpot's stream of deals, as Airbyte's source calls it."""


def mistakes(dashboard: DashboardSettings, estate: Estate) -> Iterator[Mistake]:
    """What does not fit, each with its path under ``sophia-ai:dashboard``."""
    if estate.snowflake is None:
        yield Mistake((), "needs snowflake, where its views and its page are")
        return
    yield from _place(dashboard, estate.snowflake)
    for path, source, key in sources(dashboard):
        yield from _table(path, source, key, estate.snowflake)
    cost = dashboard.figures.acquisition_cost
    if cost is not None and cost.hubspot is not None:
        yield from _hubspot(cost.hubspot, estate.snowflake, estate.airbyte)


def _place(dashboard: DashboardSettings, snowflake: SnowflakeSettings) -> Iterator[Mistake]:
    yield from unknown_name(("schema",), dashboard.schema_key, snowflake.schemas, "schema of Snowflake")
    yield from unknown_name(("warehouse",), dashboard.warehouse, snowflake.warehouses, "warehouse of Snowflake")
    yield from unknown_names(("roles",), dashboard.roles, snowflake.roles, "role of Snowflake")
    for index, key in enumerate(dashboard.roles):
        role = snowflake.roles.get(key)
        if role is not None and dashboard.schema_key not in (*role.read, *role.write):
            said = f"may not read the schema: add {dashboard.schema_key} to snowflake.roles.{key}.read"
            yield Mistake(("roles", index), said)


def _table(path: Path, source: str, key: str, snowflake: SnowflakeSettings) -> Iterator[Mistake]:
    yield from unknown_name(path, key, snowflake.tables, "table of Snowflake")
    if key in snowflake.tables:
        there = {column.name for column in snowflake.tables[key].columns}
        if missing := sorted(COLUMNS[source] - there):
            yield Mistake(
                path, f"has no {', '.join(missing)}: snowflake.tables.{key} needs that to be read as {source}"
            )


def _hubspot(
    hubspot: HubSpotSettings, snowflake: SnowflakeSettings, airbyte: AirbyteSettings | None
) -> Iterator[Mistake]:
    path: Path = ("figures", "acquisition_cost", "hubspot")
    yield from unknown_name((*path, "schema"), hubspot.schema_key, snowflake.schemas, "schema of Snowflake")
    yield from unknown_name((*path, "warehouse"), hubspot.warehouse, snowflake.warehouses, "warehouse of Snowflake")
    if airbyte is None:
        return
    loaded = {
        table
        for connection in airbyte.connections.values()
        if connection.schema_key == hubspot.schema_key and (table := connection.table_of(_DEALS))
    }
    if hubspot.table not in loaded:
        there_are = f"there are: {', '.join(sorted(loaded))}" if loaded else f"none loads the stream {_DEALS} there"
        yield Mistake(
            (*path, "table"), f'no connection of airbyte loads "{hubspot.table}" into that schema; {there_are}'
        )

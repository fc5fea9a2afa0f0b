"""Whether what the NMHC Top 50 names is there, in the settings of the platforms that it joins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from components.explain import Mistake, Path
from components.settings import unknown_name, unknown_names

if TYPE_CHECKING:
    from components.airbyte.settings import AirbyteSettings, ConnectionSettings
    from components.estate import Estate
    from components.hubspot.settings import HubSpotSettings
    from components.n8n.settings import N8nSettings
    from components.nmhc.settings import NmhcSettings, WriteBackSettings
    from components.snowflake.settings import SnowflakeSettings

FIELDS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("hubspot", "companies"): ("id", "properties", "updatedAt", "archived"),
    ("hubspot", "contacts"): ("id", "properties", "updatedAt", "archived"),
    ("hubspot", "deals"): ("id", "properties", "companies", "archived"),
    ("gong", "extensiveCalls"): ("id", "metaData", "parties", "content", "context"),
    ("apollo", "accounts"): ("id", "name", "domain", "created_at"),
    ("apollo", "contacts"): ("id", "account_id", "name", "email", "title", "updated_at"),
}
"""By source and stream what the SQL reads, as ``{raw.hubspot-companies}``: a connection that selects fields
must not leave them out.
"""


def landed_tables(nmhc: NmhcSettings, connections: Mapping[str, ConnectionSettings]) -> dict[str, tuple[str, str]]:
    """By the name that the SQL uses, the schema (a key of Snowflake's) and the table in which Airbyte lands a stream."""
    found = {}
    for source, stream in FIELDS:
        connection = connections[getattr(nmhc.sources, source)]
        found[f"{source}-{stream.lower()}"] = (str(connection.schema_key), str(connection.table_of(stream)))
    return found


def mistakes(nmhc: NmhcSettings, estate: Estate) -> Iterator[Mistake]:
    """What does not fit, each with its path under ``sophia-ai:nmhc``."""
    if estate.snowflake is None:
        yield Mistake((), "needs snowflake, in which the score is computed")
    else:
        yield from _snowflake(nmhc, estate.snowflake)
    if estate.airbyte is None:
        yield Mistake(("sources",), "need airbyte, whose connections land them")
    else:
        yield from _sources(nmhc, estate.airbyte)
    if nmhc.write_back is not None:
        yield from _write_back(nmhc.write_back, nmhc, estate)
    if estate.hubspot is not None:
        yield from _hubspot(nmhc, estate.hubspot)
    if estate.gong is not None:
        trackers = [tracker.name for tracker in estate.gong.trackers.values()]
        path = ("score", "competitor", "trackers")
        yield from unknown_names(path, nmhc.score.competitor.trackers, trackers, "tracker of Gong")


def _hubspot(nmhc: NmhcSettings, hubspot: HubSpotSettings) -> Iterator[Mistake]:
    """What is read or written back and not among the properties that HubSpot's settings declare."""
    declared = {key: one.properties for key, one in hubspot.objects.items()}
    companies, deals = declared.get("companies", {}), declared.get("deals", {})
    system = ("score", "property_management_system", "property")
    name = nmhc.score.property_management_system.property_
    yield from unknown_name(system, name, companies, "property of HubSpot's companies")
    deal = ("score", "competitor", "deal_property")
    yield from unknown_name(deal, nmhc.score.competitor.deal_property, deals, "property of HubSpot's deals")
    if nmhc.write_back is None:
        return
    written = nmhc.write_back.properties
    for member in type(written).model_fields:
        path: Path = ("write_back", "properties", member)
        yield from unknown_name(path, getattr(written, member), companies, "property of HubSpot's companies")
    if (tier := companies.get(written.tier)) and tier.options:
        values = [option.value for option in tier.options]
        for index, one in enumerate(nmhc.tiers):
            yield from unknown_name(("tiers", index, "name"), one.name, values, f"value of {written.tier}")


def _snowflake(nmhc: NmhcSettings, snowflake: SnowflakeSettings) -> Iterator[Mistake]:
    schemas = nmhc.schemas
    for member, key in (("list", schemas.list_), ("working", schemas.working), ("results", schemas.results)):
        yield from unknown_name(("schemas", member), key, snowflake.schemas, "schema of Snowflake")
    yield from unknown_name(("warehouse",), nmhc.warehouse, snowflake.warehouses, "warehouse of Snowflake")
    policies = {key: one for key, one in snowflake.masking_policies.items() if one.method in ("redact", "email")}
    for member in ("name", "email"):
        masking = "masking policy of Snowflake for texts about people (redact, email)"
        yield from unknown_name(("privacy", member), getattr(nmhc.privacy, member), policies, masking)
    for key, table in snowflake.tables.items():
        if (table.name, table.schema_key) == (nmhc.table, schemas.list_):
            yield Mistake(("table",), f"is that of snowflake.tables.{key}: one of the two makes it")


def _sources(nmhc: NmhcSettings, airbyte: AirbyteSettings) -> Iterator[Mistake]:
    for source in type(nmhc.sources).model_fields:
        at: Path = ("sources", source)
        key = getattr(nmhc.sources, source)
        yield from unknown_name(at, key, airbyte.connections, "connection of Airbyte")
        if (connection := airbyte.connections.get(key)) is None:
            continue
        if connection.schema_key is None:
            yield Mistake(at, f"airbyte.connections.{key} names no `schema` of Snowflake's settings to land in")
        for said in _not_landed(source, connection):
            yield Mistake(at, f"airbyte.connections.{key} {said}, which the score reads")


def _not_landed(source: str, connection: ConnectionSettings) -> Iterator[str]:
    """A connection without ``streams`` syncs all there are, one without ``selected_fields`` all of a stream."""
    synced = {stream.name: stream for stream in connection.streams or []}
    for stream, fields in ((stream, fields) for (of, stream), fields in FIELDS.items() if of == source and synced):
        if stream not in synced:
            yield f"does not sync the stream {stream}"
        elif selected := synced[stream].selected_fields:
            yield from (f"leaves out {stream}.{field}" for field in fields if field not in selected)


def _write_back(settings: WriteBackSettings, nmhc: NmhcSettings, estate: Estate) -> Iterator[Mistake]:
    if estate.n8n is None:
        yield Mistake(("write_back",), "needs n8n, which writes to HubSpot")
    else:
        yield from _n8n(settings, estate.n8n)
    if estate.snowflake is None:
        return
    users, roles = estate.snowflake.users, estate.snowflake.roles
    yield from unknown_name(("write_back", "user"), settings.user, users, "user of Snowflake")
    if settings.user in users:
        role = roles.get(users[settings.user].role)
        if role and nmhc.schemas.results not in (*role.read, *role.write):
            said = f'has the role "{users[settings.user].role}", which may not read the schema {nmhc.schemas.results}'
            yield Mistake(("write_back", "user"), said)


def _n8n(settings: WriteBackSettings, n8n: N8nSettings) -> Iterator[Mistake]:
    yield from n8n.no_credential(("write_back", "hubspot"), settings.hubspot, "hubspotAppToken")
    yield from n8n.no_error_workflow(("write_back", "error_workflow"), settings.error_workflow)

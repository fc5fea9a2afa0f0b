"""Whether what competitive intelligence names is there, in the settings of the platforms that it stands on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from components.competitors.settings import CompetitorsSettings, MentionSettings
from components.explain import Mistake
from components.settings import unknown_name, unknown_names

if TYPE_CHECKING:
    from components.airbyte.settings import AirbyteSettings
    from components.estate import Estate
    from components.n8n.settings import N8nSettings
    from components.snowflake.settings import SnowflakeSettings

_STREAM = "extensiveCalls"
"""Of Airbyte's source for Gong, the stream whose calls have their trackers (its manifest: contentSelector, trackers)."""


def mistakes(competitors: CompetitorsSettings, estate: Estate) -> Iterator[Mistake]:
    """What does not fit, each with its path under ``sophia-ai:competitors``."""
    channels = estate.slack.channels if estate.slack else {}
    yield from unknown_name(("channel",), competitors.channel, channels, "Slack channel")
    if estate.n8n is None:
        yield Mistake((), "needs n8n, which visits the pages and tells of changes")
    else:
        yield from _n8n(competitors, estate.n8n)
    if estate.snowflake is None:
        yield Mistake((), "needs snowflake, which keeps what was read and finds what changed")
    else:
        yield from _snowflake(competitors, estate.snowflake)
    if competitors.mentions is not None:
        yield from _mentions(competitors.mentions, estate.airbyte)
    if estate.gong is not None:
        trackers = [tracker.name for tracker in estate.gong.trackers.values()]
        for key, competitor in competitors.watched.items():
            yield from unknown_names(("watched", key, "trackers"), competitor.trackers, trackers, "tracker of Gong")


def _n8n(competitors: CompetitorsSettings, n8n: N8nSettings) -> Iterator[Mistake]:
    yield from n8n.no_credential(("slack",), competitors.slack, "slackApi")
    yield from n8n.no_error_workflow(("error_workflow",), competitors.error_workflow)


def _snowflake(competitors: CompetitorsSettings, snowflake: SnowflakeSettings) -> Iterator[Mistake]:
    yield from unknown_name(("landing",), competitors.landing, snowflake.schemas, "schema of Snowflake")
    yield from unknown_name(("schema",), competitors.schema_key, snowflake.schemas, "schema of Snowflake")
    yield from unknown_name(("warehouse",), competitors.warehouse, snowflake.warehouses, "warehouse of Snowflake")
    yield from unknown_name(("user",), competitors.user, snowflake.users, "user of Snowflake")
    if competitors.mentions is not None:
        path = ("mentions", "schema")
        yield from unknown_name(path, competitors.mentions.schema_key, snowflake.schemas, "schema of Snowflake")
    user = snowflake.users.get(competitors.user)
    role = snowflake.roles.get(user.role) if user else None
    if role is None:
        return
    for schema in (competitors.landing, competitors.schema_key):
        if schema in snowflake.schemas and schema not in role.write:
            yield Mistake(("user",), f'its role "{role.name}" may not write to {schema}')
    for schema in (*role.read, *role.write):
        if schema not in (competitors.landing, competitors.schema_key):
            said = (
                f'its role "{role.name}" may read {schema} as well: workflows that read strangers\' pages need a role'
            )
            yield Mistake(("user",), f"{said} of their own")


def _mentions(mentions: MentionSettings, airbyte: AirbyteSettings | None) -> Iterator[Mistake]:
    loaded = {
        table
        for connection in (airbyte.connections.values() if airbyte else ())
        if connection.schema_key == mentions.schema_key
        # a connection that names no streams may be of anything: only one that says so loads Gong's
        if connection.streams is not None and (table := connection.table_of(_STREAM))
    }
    yield from unknown_name(("mentions", "table"), mentions.table, loaded, f"table of Airbyte's stream {_STREAM}")

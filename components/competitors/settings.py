"""What the stack file says about competitive intelligence (``sophia-ai:competitors``): whom to watch, and whom to tell."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from components.explain import Mistake
from components.settings import Adoptable, Key, Settings, matching
from components.snowflake.names import Identifier
from components.snowflake.settings_transforming import ScheduleSettings

Kind = Literal["pricing", "product", "careers", "news"]
"""What a page is. The text and the prices of the first two are read, the links of the last two."""

_UNKNOWN_TO_SNOWFLAKE = ("(?", "*?", "+?", "}?")
"""What Python's regular expressions have and Snowflake's have not (docs.snowflake.com, string functions)."""


def _public(address: str) -> str:
    parts = urlsplit(address)
    host = parts.hostname or ""
    if parts.scheme != "https" or "." not in host or parts.username or parts.port not in (None, 443):
        raise PydanticCustomError("address", "must be a public https address without a user or a port")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if host.endswith((".local", ".internal", ".cluster.local")):
            raise PydanticCustomError("address", "must be on the internet, not inside the cluster") from None
        return address
    raise PydanticCustomError("address", "must name a host: an IP address may be anybody's, or the cluster's own")


def _pattern(text: str) -> str:
    try:
        compiled = re.compile(text)
    except re.error as error:
        raise PydanticCustomError("pattern", "is no regular expression: {why}", {"why": str(error)}) from error
    if found := next((part for part in _UNKNOWN_TO_SNOWFLAKE if part in text), None):
        raise PydanticCustomError("pattern", "has {part}, which Snowflake's expressions have not", {"part": found})
    if compiled.match(""):
        raise PydanticCustomError("pattern", "matches nothing at all, and so everywhere")
    if text != text.lower():
        raise PydanticCustomError("pattern", "must be in lower case, in which lines are compared")
    return text


Address = Annotated[str, AfterValidator(_public)]
Pattern = Annotated[str, AfterValidator(_pattern)]


class AgentSettings(Settings):
    """How the visitor calls itself (RFC 9309): ``name`` is what a robots.txt may speak of, ``contact`` whom to write to."""

    name: Annotated[str, matching(r"[A-Za-z_-]{3,40}", "must be letters, hyphens and underscores")] = (
        "PayReadyPageWatch"
    )
    contact: Annotated[str, matching(r"[^@\s()]+@[^@\s()]+\.[a-z]+", "must be an e-mail address that somebody reads")]


class VisitSettings(ScheduleSettings):
    """When pages are visited. One that was not read for ``overdue_hours`` is a problem: more than two visits apart."""

    overdue_hours: Annotated[int, Field(ge=2, le=24 * 70)]

    def check(self) -> Iterator[Mistake]:
        """Nobody is asked more often than every hour."""
        minute = self.cron.split()[0]
        if not minute.isdigit():
            yield Mistake(("cron",), "must name one minute: a page is asked for at most once an hour")


class PageSettings(Settings):
    """A page: its ``kind``, and the visits (a key of ``visits``) that read it. ``links``: the part of an address that
    makes a link on it a job, an article or a product, such as ``/careers/``.
    """

    url: Address
    kind: Kind
    every: Key
    links: Annotated[str, Field(min_length=3, max_length=200)] | None = None

    def check(self) -> Iterator[Mistake]:
        """Of jobs and news the links are all that is read."""
        if self.kind in ("careers", "news") and self.links is None:
            yield Mistake(("links",), f"is missing: which links of a page of {self.kind} count?")


class CompetitorSettings(Settings):
    """A competitor. ``trackers`` are the names of Gong's trackers that count its mentions in calls."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    pages: Annotated[dict[Key, PageSettings], Field(min_length=1)]
    trackers: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = ()


class ChangeSettings(Settings):
    """What counts as a change: ``min_characters`` of text that is new or gone, on one page; any price; any link that
    counts. What a page said within ``memory_days`` is not new. ``ignore``: what in a line says nothing, beside dates,
    times and years, which are ignored anyway.
    """

    schedule: ScheduleSettings
    min_characters: Annotated[int, Field(ge=1, le=5000)] = 40
    memory_days: Annotated[int, Field(ge=1, le=365)] = 30
    ignore: tuple[Pattern, ...] = ()


class ReportSettings(Settings):
    """When Snowflake writes the figures of the last whole week, and when n8n tells them, which must be later."""

    written: ScheduleSettings
    told: ScheduleSettings


class MentionSettings(Settings):
    """Gong's calls as Airbyte lands its stream extensiveCalls: the table's name, in a schema (a key of Snowflake's)."""

    schema_key: Annotated[str, Field(alias="schema")]
    table: Identifier
    schedule: ScheduleSettings


class CompetitorsSettings(Adoptable):
    """``sophia-ai:competitors``. ``landing`` and ``schema`` are keys of Snowflake's schemas, ``warehouse`` of its
    warehouses, ``user`` of its users: as whom n8n logs in. ``slack`` is n8n's credential, ``channel`` a key of Slack's,
    ``error_workflow`` a key of n8n's. ``adopt`` is about the workflows and the credential in n8n.
    """

    agent: AgentSettings
    channel: Key
    slack: Key = "slack"
    error_workflow: Key | None = None
    landing: Key
    schema_key: Annotated[Key, Field(alias="schema")]
    warehouse: Key
    user: Key
    visits: Annotated[dict[Key, VisitSettings], Field(min_length=1)]
    watched: Annotated[dict[Key, CompetitorSettings], Field(min_length=1)]
    changes: ChangeSettings
    alerts: ScheduleSettings
    report: ReportSettings
    mentions: MentionSettings | None = None

    def check(self) -> Iterator[Mistake]:
        """Every page has its visits and every visit its pages; nothing is watched twice; trackers are counted."""
        used = set()
        first: dict[str, str] = {}
        for key, competitor in self.watched.items():
            if competitor.trackers and self.mentions is None:
                yield Mistake(("watched", key, "trackers"), "nobody counts them: give `mentions`")
            for name, page in competitor.pages.items():
                path = ("watched", key, "pages", name)
                used.add(page.every)
                if page.every not in self.visits:
                    there_are = ", ".join(self.visits)
                    yield Mistake((*path, "every"), f'no visits "{page.every}" are declared; there are: {there_are}')
                other = first.setdefault(page.url, f"{key}.{name}")
                if other != f"{key}.{name}":
                    yield Mistake((*path, "url"), f"is that of {other}: one visit is enough")
        for key in self.visits:
            if key not in used:
                yield Mistake(("visits", key), "no page is read then")

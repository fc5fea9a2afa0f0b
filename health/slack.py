"""Slack: `auth.test` with each token; its answer's header has the scopes, which are compared with what the settings need,
and with what the app's manifest asks for. The stack's channels are there, and not archived.

Source of facts: docs.slack.dev (auth.test, conversations.list, and of each method the scopes that it needs).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from health.base import Answer, Credential, Health, Minted, Probe, Problem, Reading, Service, Subject
from providers.base import Bearer, Environment
from providers.slack import SLACK
from providers.slack_manifest import scopes_of
from providers.slack_scopes import provisioning

_USER, _CONFIG = "SLACK_USER_TOKEN", "SLACK_CONFIG_TOKEN"
_TYPE = "pulumi-python:dynamic/slack:"
_PAGE = 999
"""As many as conversations.list shows at a time."""


def _entries(settings: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = (settings.get(name) or {}).values()
    return [entry for entry in found if isinstance(entry, Mapping)]


def _needed(subject: Subject) -> frozenset[str]:
    """The bot's scopes without which a run, or a message about one, fails."""
    channels, groups = _entries(subject.settings, "channels"), _entries(subject.settings, "usergroups")
    return provisioning(
        channels=bool(channels),
        private=any(channel.get("private") for channel in channels),
        members=any(entry.get("members") for entry in (*channels, *groups)),
        bookmarks=any(channel.get("bookmarks") for channel in channels),
        usergroups=bool(groups),
    )


def _scopes(answer: Answer) -> Reading:
    header = answer.response.headers.get("x-oauth-scopes", "")
    granted = {scope.strip() for scope in header.split(",")}
    return Reading((*_lacking(answer.subject, granted), *_not_installed_again(answer.subject, granted)))


def _lacking(subject: Subject, granted: set[str]) -> Iterator[Problem]:
    if missing := sorted(_needed(subject) - granted):
        do = "add them to the app's manifest (oauth_config.scopes.bot), and install the app again"
        where = "SLACK_BOT_TOKEN in the stack's ESC environment"
        yield Problem(f"the bot lacks the scopes {', '.join(missing)}", do, where)


def _not_installed_again(subject: Subject, granted: set[str]) -> Iterator[Problem]:
    """Of the app whose token the bot's is: what its manifest asks for and nobody has agreed to yet."""
    key = subject.settings.get("bot")
    app = (subject.settings.get("apps") or {}).get(key) or {}
    missing = sorted(set(scopes_of(app.get("manifest") or {})) - granted - _needed(subject))
    if missing:
        address = next(
            (str(r.outputs["oauth_authorize_url"]) for r in subject.of_type(f"{_TYPE}App") if r.name == key), ""
        )
        yield Problem(
            f"the app {key} was not installed again since its manifest asks for {', '.join(missing)}",
            f"open {address or 'its page on api.slack.com/apps'}, then put the new token into SLACK_BOT_TOKEN",
            f"sophia-ai:slack.apps.{key}",
            "degraded",
        )


def _channels(answer: Answer) -> Reading:
    """Only where one page shows all that the bot sees can anything be told of what it does not show."""
    if (answer.document.get("response_metadata") or {}).get("next_cursor"):
        return Reading()
    live = {channel["id"]: channel for channel in answer.document["channels"]}
    return Reading(tuple(_ailing(answer.subject, live)))


def _ailing(subject: Subject, live: Mapping[str, Mapping[str, Any]]) -> Iterator[Problem]:
    for resource in subject.of_type(f"{_TYPE}Channel"):
        name, setting = resource.outputs.get("name") or resource.id, f"sophia-ai:slack.channels.{resource.name}"
        channel = live.get(resource.id)
        if channel is None:
            said = f"the bot does not see #{name}: it is deleted, or private and without the bot"
            yield Problem(said, "invite the bot there, or look with `sophia drift`", setting)
        elif channel.get("is_archived"):
            yield Problem(f"#{name} is archived", "`sophia refresh` and `sophia up` bring it back", setting)
        elif not channel.get("is_member"):
            said = f"the bot is not in #{name}: it can neither post there nor change it"
            yield Problem(said, "invite it there (/invite and its name)", setting, "degraded")


HEALTH = Health(
    platform="slack",
    title="Slack",
    service=Service.of(SLACK, status_page="https://slack-status.com"),
    probes=(
        Probe(
            "token and scopes of the bot",
            "/auth.test",
            "POST",
            credentials=("SLACK_BOT_TOKEN",),
            read=_scopes,
        ),
        Probe(
            "channels",
            "/conversations.list",
            params={"types": "public_channel,private_channel", "limit": _PAGE},
            credentials=("SLACK_BOT_TOKEN",),
            read=_channels,
            needed=lambda subject: bool(subject.of_type(f"{_TYPE}Channel")),
        ),
        Probe(
            "manifests",
            "/auth.test",
            "POST",
            credentials=(_CONFIG,),
            auth=Bearer(Environment(_CONFIG)),
            needed=lambda subject: bool(subject.settings.get("apps")),
            # It lasts 12 hours: between two runs it may well have expired.
            refused="degraded",
        ),
        Probe(
            "unarchiving",
            "/auth.test",
            "POST",
            credentials=(_USER,),
            auth=Bearer(Environment(_USER)),
            needed=lambda subject: bool(subject.settings.get("channels")),
            refused="degraded",
        ),
    ),
    credentials=(
        Credential("SLACK_BOT_TOKEN", "by hand: install the app again", by_api=False),
        Credential(_USER, "by hand: install the app again", by_api=False),
        Credential(
            _CONFIG,
            "`sophia slack-token STACK` within 12 hours (tooling.tokens.rotate; its refresh token serves once)",
            by_api=True,
            lasts=timedelta(hours=12),
        ),
    ),
    minted=(
        Minted(
            "pulumi-python:dynamic/slack:App",
            "app's client and signing secrets",
            "by hand: the app's page, Basic information; one signing secret at a time",
            by_api=False,
        ),
    ),
)

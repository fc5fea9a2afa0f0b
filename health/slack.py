"""Slack: `auth.test` with each token; its answer's header has the scopes, which are compared with what the settings need.

Source of facts: docs.slack.dev (auth.test, and of each method the scopes that it needs).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from health.base import Answer, Credential, Health, Minted, Probe, Problem, Reading, Service, Subject
from providers.base import Bearer, Environment
from providers.slack import SLACK

_USER, _CONFIG = "SLACK_USER_TOKEN", "SLACK_CONFIG_TOKEN"


def _needed(subject: Subject) -> Iterator[str]:
    """The bot's scopes without which a run, or a message about one, fails."""
    settings = subject.settings
    yield "chat:write"
    if channels := settings.get("channels") or {}:
        # The list asks for private channels too, and a channel that is taken over is joined.
        yield from ("channels:join", "channels:manage", "channels:read", "groups:read")
        if any(isinstance(channel, dict) and channel.get("private") for channel in channels.values()):
            yield "groups:write"
    if settings.get("usergroups"):
        yield from ("usergroups:read", "usergroups:write")


def _scopes(answer: Answer) -> Reading:
    header = answer.response.headers.get("x-oauth-scopes", "")
    missing = sorted(set(_needed(answer.subject)) - {scope.strip() for scope in header.split(",")})
    if not missing:
        return Reading()
    do = "add them to the app's manifest (oauth_config.scopes.bot), and install the app again"
    where = "SLACK_BOT_TOKEN in the stack's ESC environment"
    return Reading((Problem(f"the bot lacks the scopes {', '.join(missing)}", do, where),))


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
            "tooling.tokens.rotate, within 12 hours; its refresh token serves a single time",
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

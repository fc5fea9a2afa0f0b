"""What a Slack app may not ask for, whoever wrote its manifest."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from policies import kinds, messaging
from policies.model import Resource, Situation, message
from policies.strictness import limits_of

SITUATION = Situation("prod", limits_of("prod"), datetime(2026, 11, 21, tzinfo=UTC))
(POLICY,) = messaging.POLICIES


def found(type_: str, **scopes: list[str]) -> list[str]:
    manifest: dict[str, Any] = {"display_information": {"name": "Sophia"}, "oauth_config": {"scopes": scopes}}
    urn = f"urn:pulumi:prod::sophia-ai::sophia:platform:Slack${type_}::sophia"
    app = Resource(type_, urn, {"manifest": manifest})
    assert POLICY.concerns(app)
    return [message(POLICY, violation) for violation in POLICY.check(app, SITUATION)]


@pytest.mark.parametrize("type_", kinds.SLACK_APPS)
def test_an_app_that_hears_what_is_said_to_it_is_allowed(type_: str) -> None:
    assert found(type_, bot=["app_mentions:read", "chat:write", "im:history"], user=[]) == []


@pytest.mark.parametrize(
    ("scopes", "said"),
    [
        ({"bot": ["admin.users:read"]}, "administrator of the whole workspace"),
        ({"user": ["search:read"]}, "what people write to each other"),
        ({"user": ["im:history"]}, "what people write to each other"),
    ],
)
def test_an_app_that_listens_in_or_rules_is_not(scopes: dict[str, list[str]], said: str) -> None:
    (told,) = found(kinds.SLACK_APPS[0], **scopes)
    assert said in told
    assert "slack.apps.sophia.manifest.oauth_config.scopes" in told

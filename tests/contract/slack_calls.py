"""How the contract tests of the Slack emulator call it, and the app that they make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

SPEC = "slack/slack_web_openapi_v2.json"

MANIFEST: dict[str, Any] = {
    "display_information": {"name": "Sophia", "background_color": "#123abc"},
    "features": {
        "bot_user": {"display_name": "sophia"},
        "slash_commands": [{"command": "/sophia", "description": "Ask", "url": "https://example.com/ask"}],
    },
    "oauth_config": {"scopes": {"bot": ["app_mentions:read", "chat:write", "commands"]}},
    "settings": {"event_subscriptions": {"request_url": "https://example.com/e", "bot_events": ["app_mention"]}},
}

Invoke = Callable[..., dict[str, Any]]


def method(client: httpx.Client, token: str) -> Invoke:
    """Calls methods by POST with a form, as Slack's own clients do."""

    def invoke(name: str, /, **arguments: Any) -> dict[str, Any]:
        response = client.post(f"/api/{name}", data=arguments, headers={"Authorization": f"Bearer {token}"})
        assert response.status_code == 200
        answered: dict[str, Any] = response.json()
        return answered

    return invoke

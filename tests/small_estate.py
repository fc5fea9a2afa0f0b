"""Settings of a few resources on each of the platforms that have dynamic resources: quick to deploy."""

from __future__ import annotations

from typing import Any

GONG: dict[str, Any] = {
    "name": "Gong",
    "type": "gong",
    "configuration": {"start_date": "2025-01-01T00:00:00Z"},
    "secrets": {
        "access_key": {"environment": "GONG_ACCESS_KEY"},
        "access_key_secret": {"environment": "GONG_ACCESS_KEY_SECRET"},
    },
}
"""An Airbyte source with secrets that the sandbox's ESC environments have."""

SMALL: dict[str, Any] = {
    "openrouter": {
        "workspace": {"slug": "sophia-dev", "name": "Sophia dev"},
        "keys": {"web": {"name": "Web app", "limit_usd": 40}},
    },
    "slack": {
        "channels": {"alerts": {"name": "sophia-dev-alerts", "purpose": "What broke"}},
        "usergroups": {
            "platform": {"handle": "sophia-dev-platform", "name": "Sophia platform", "channels": ["alerts"]}
        },
    },
    "airbyte": {"workspace": {"name": "sophia-dev"}, "sources": {"gong": GONG}},
}

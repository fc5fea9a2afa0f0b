"""Vercel through the real engine: what the official package and our own provider make together, how secrets are renewed."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import httpx

from sandbox.official.vercel import TEAM
from sandbox.official.vercel_projects import CUSTOM_ENVIRONMENT, DOMAIN, PROJECT
from sandbox.official.vercel_security import FIREWALL, USER_TOKEN, WEBHOOK
from sandbox.official.vercel_variables import VARIABLE
from sandbox.platforms import all_platforms

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

HOST = "https://agents-dev.payready.com/webhook"
SETTINGS: dict[str, Any] = {
    "projects": {
        "web": {
            "name": "sophia-dev",
            "framework": "nextjs",
            "git": {"repository": "payready/sophia-ai", "production_branch": "develop"},
            "functions": {"regions": ["iad1"], "timeout_seconds": 60},
            "protection": {"authentication": "all_deployments", "bypasses": {"pipeline": {}}},
            "environments": {"qa": {"name": "qa", "match": "startsWith", "branches": "release/"}},
            "retention": {"preview": "1m"},
            "variables": {
                "NEXT_PUBLIC_STAGE": {"value": "dev", "targets": ["production", "preview", "development"]},
                "QA": {"value": "true", "targets": [], "environments": ["qa"]},
                "SLACK_BOT_TOKEN": {"environment": "SLACK_BOT_TOKEN"},
            },
            "domains": [
                {"name": "www.sophia-dev.payready.com", "redirect": "sophia-dev.payready.com"},
                {"name": "sophia-dev.payready.com"},
                {"name": "qa.payready.com", "custom_environment": "qa"},
            ],
            "firewall": {"bots": "challenge", "ai_crawlers": "deny"},
        }
    },
    "tokens": {"pipeline": {"name": "Pipeline"}},
    "webhooks": {"events": {"url": f"{HOST}/vercel-events", "events": ["deployment.error", "budget.reached"]}},
    "drains": {"logs": {"name": "Logs", "endpoint": f"{HOST}/vercel-logs", "sources": ["lambda"], "projects": ["web"]}},
}


def bypass_secret(checkout: Checkout) -> str:
    """The one that Vercel shows to whoever may see the project."""
    token = next(dict(p.credentials) for p in all_platforms() if p.name == "vercel")["VERCEL_API_TOKEN"]
    headers = {"Authorization": f"Bearer {token}"}
    address, params = f"{checkout.running.url}/vercel/v10/projects", {"teamId": TEAM}
    answer = httpx.get(address, headers=headers, params=params, trust_env=False).raise_for_status()
    (secret,) = [key for project in answer.json()["projects"] for key in project["protectionBypass"]]
    return str(secret)


def test_the_life_of_projects_and_their_secrets(checkout: Checkout) -> None:
    settings = copy.deepcopy(SETTINGS)
    checkout.configure(vercel=settings)
    dev = checkout.stack()
    dev.up(skip_preview=True)
    assert not dev.up(skip_preview=True).has_changes
    assert not dev.drift()
    (project,) = checkout.objects("vercel", PROJECT).values()
    assert project["properties"]["teamId"] == TEAM
    (environment,) = checkout.objects("vercel", CUSTOM_ENVIRONMENT)
    variables = {one["properties"]["key"]: one["properties"] for one in checkout.objects("vercel", VARIABLE).values()}
    assert variables["QA"]["customEnvironmentIds"] == [environment]
    assert variables["SLACK_BOT_TOKEN"]["sensitive"] is True
    assert len(checkout.objects("vercel", DOMAIN)) == 3
    assert len(checkout.objects("vercel", FIREWALL)) == 1
    bypass = bypass_secret(checkout)
    (hook,), (token,), (drain,) = (checkout.objects("vercel", kind) for kind in (WEBHOOK, USER_TOKEN, "drain"))
    state = dev.state()
    assert state
    assert bypass not in state.dump(), "the package's own resource would have it in its id"

    settings["tokens"]["pipeline"]["generation"] = 2
    settings["webhooks"]["events"]["generation"] = 2
    settings["drains"]["logs"]["generation"] = 2
    settings["projects"]["web"]["protection"]["bypasses"]["pipeline"]["generation"] = 2
    checkout.configure(vercel=settings)
    dev.up(skip_preview=True)
    assert bypass_secret(checkout) != bypass
    assert [*checkout.objects("vercel", USER_TOKEN)] != [token]
    assert [*checkout.objects("vercel", WEBHOOK)] != [hook]
    assert [*checkout.objects("vercel", "drain")] == [drain], "a drain changes in place"
    asked = [(one.method, one.path) for one in checkout.running.journal(platforms=["vercel"]).entries]
    for path, old in (("/v3/user/tokens", token), ("/v1/webhooks", hook)):
        made = max(index for index, one in enumerate(asked) if one[0] == "POST" and one[1].endswith(path))
        gone = next(index for index, one in enumerate(asked) if one[0] == "DELETE" and one[1].endswith(f"{path}/{old}"))
        assert made < gone, "the second is there before the first goes"
    assert not dev.drift()

    dev.destroy()
    for kind in (PROJECT, WEBHOOK, USER_TOKEN, "drain", "bypass"):
        assert checkout.objects("vercel", kind) == {}, kind

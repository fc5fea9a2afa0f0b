"""The credential records of a deployed stack: who made each key, how old it is, whether it works; and never a secret."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from sandbox.platforms import all_platforms
from sophia.credentials import records

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout, NewCheckout

A_DAY = 24 * 3600


@pytest.fixture(scope="module")
def deployed(
    new_checkout: NewCheckout, dev_after_first_up: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Checkout]:
    with new_checkout(tmp_path_factory.mktemp("credentials") / "checkout", like=dev_after_first_up) as made:
        yield made


def told(checkout: Checkout, *arguments: str, code: int = 0) -> dict[str, dict[str, Any]]:
    """What ``sophia credentials dev --json`` says, by name."""
    done = checkout.run("credentials", "dev", "--json", *arguments, code=code)
    return {record["name"]: record for record in json.loads(done.stdout)["credentials"]}


def test_every_key_has_a_record_and_no_record_shows_a_key(deployed: Checkout) -> None:
    done = deployed.run("credentials", "dev", "--json")
    by_name = {record["name"]: record for record in json.loads(done.stdout)["credentials"]}
    persons = {name for name, record in by_name.items() if record["holder"] == "person"}
    assert persons == {
        "AIRBYTE_CLIENT_SECRET", "AIRBYTE_NOTIFICATION_URL", "ANTHROPIC_API_KEY", "APOLLO_API_KEY",
        "ASANA_ACCESS_TOKEN",
        "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "ENTRATA_API_KEY", "FIGMA_TOKEN", "FLOW_API_KEY", "GITHUB_TOKEN",
        "GONG_ACCESS_KEY_SECRET",
        "HUBSPOT_ACCESS_TOKEN", "HUBSPOT_DEVELOPER_API_KEY", "KUBECONFIG", "KUBERNETES_JOIN_TOKEN", "LAMBDA_API_KEY",
        "LANGFUSE_SECRET_KEY",
        "LINEAR_API_KEY", "N8N_API_KEY", "OPENROUTER_MANAGEMENT_KEY", "PINECONE_API_KEY", "PINECONE_CLIENT_SECRET",
        "PORTKEY_ADMIN_API_KEY", "POSTGRES_CDC_PASSWORD", "PULUMI_ACCESS_TOKEN", "QDRANT_CLOUD_MANAGEMENT_KEY",
        "SLACK_BOT_TOKEN", "SLACK_CONFIG_TOKEN", "SLACK_USER_TOKEN", "SNOWFLAKE_PRIVATE_KEY", "USERGEMS_API_KEY",
        "VERCEL_API_TOKEN",
    }  # fmt: skip
    settings = deployed.settings()
    assert {name for name in by_name if name not in persons} == {
        *(f"API key {key}" for key in settings["openrouter"]["keys"]),
        *(f"API key {key}" for key in settings["portkey"]["api_keys"]),
        *(f"API key {key}" for key in settings["pinecone"]["keys"]),
        *(f"database key {key}" for key in settings["qdrant"]["keys"]),
        "database key main.manager",
        "API key mcp.first",
        *(f"service user's key pair {user}" for user in settings["snowflake"]["users"]),
        *(f"app's client and signing secrets {app}" for app in settings["slack"]["apps"]),
        *(f"access token of {key}" for key in settings["vercel"]["tokens"]),
        *(f"webhook secret {key}" for key in settings["vercel"]["webhooks"]),
        *(f"webhook's signing secret {key}" for key in settings["asana"]["webhooks"]),
        "secret of the webhook lab.events",
        *(f"webhook's shared secret {key}" for key in settings["usergems"]["webhooks"]),
    }
    asked_by_nobody = {
        "AIRBYTE_NOTIFICATION_URL", "ANTHROPIC_API_KEY", "ENTRATA_API_KEY", "HUBSPOT_DEVELOPER_API_KEY",
        "KUBERNETES_JOIN_TOKEN", "LANGFUSE_SECRET_KEY", "POSTGRES_CDC_PASSWORD", "USERGEMS_API_KEY",
    }  # fmt: skip
    for name, record in by_name.items():
        unknown = name in asked_by_nobody or name.startswith(("app's", "webhook's shared secret"))
        assert record["authenticates"] is (None if unknown else True), record
        assert record["due"] is not None or name == "PULUMI_ACCESS_TOKEN"
    assert by_name["HUBSPOT_ACCESS_TOKEN"]["source"].startswith("HubSpot")
    given = {p.credentials[name].replace("{stage}", "dev") for p in all_platforms() for name in p.secret}
    for secret in (*given, *minted(deployed), deployed.running.access_token):
        assert secret not in done.stdout + done.stderr


def minted(checkout: Checkout) -> set[str]:
    """The OpenRouter keys that the stack has made, in plain text."""
    exported = checkout.stack()._command("stack", "export", "--show-secrets").stdout
    found = set(re.findall(r"sk-or-v1-[0-9a-f]{64}", exported))
    assert found
    return found


def test_an_overdue_key_and_one_that_is_gone_are_told_and_alerted_once(deployed: Checkout) -> None:
    sandbox = deployed.running
    told(deployed)
    made = time.time() - 100 * A_DAY
    sandbox.change_object("vercel", "token", "current", {"createdAt": int(made * 1000)})
    keys = deployed.objects("openrouter", "key")
    gone = next(hash_ for hash_, key in keys.items() if key["name"].startswith("Continuous"))
    sandbox.change_object("openrouter", "key", gone, {"disabled": True})
    done = deployed.run("credentials", "dev", "--alert", code=2)
    assert "VERCEL_API_TOKEN is due on" in done.stdout
    assert "API key ci does not work any more: it is disabled" in done.stdout
    by_name = told(deployed, "--alert", code=2)
    assert by_name["VERCEL_API_TOKEN"]["is_due"]
    assert by_name["VERCEL_API_TOKEN"]["made"] == datetime.fromtimestamp(int(made), UTC).isoformat().replace(
        "+00:00", "Z"
    )
    assert [name for name, record in by_name.items() if record["authenticates"] is False] == ["API key ci"]
    (message,) = deployed.objects("slack", "message").values()
    assert "VERCEL_API_TOKEN is overdue" in message["text"]
    assert "API key ci is refused" in message["text"]
    sandbox.change_object("vercel", "token", "current", {"createdAt": int(time.time() * 1000)})
    sandbox.change_object("openrouter", "key", gone, {"disabled": False})
    told(deployed)


def test_what_falls_due_soon_counts_where_that_is_asked_for(deployed: Checkout) -> None:
    by_name = told(deployed, "--due", "90", code=2)
    assert by_name["AIRBYTE_CLIENT_SECRET"]["is_due"]


def test_a_value_that_was_changed_in_esc_is_as_old_as_that_revision(checkout: Checkout) -> None:
    headers = {"Authorization": f"token {checkout.running.access_token}"}
    path = "/api/esc/environments/scoobyjava-org/sophia-ai/credentials-dev"
    with httpx.Client(base_url=checkout.running.url, headers=headers, trust_env=False) as cloud:
        text = cloud.get(f"{path}/decrypt").text
        assert "pat-sandbox-hubspot-dev-access-token" in text
        changed = text.replace("pat-sandbox-hubspot-dev-access-token", "pat-another-hubspot-access-token")
        cloud.patch(path, content=changed, headers={"Content-Type": "application/x-yaml"}).raise_for_status()
    found = {record.name: record for record in records(checkout.stack(), engine=checkout.command).records}
    hubspot, linear = found["HUBSPOT_ACCESS_TOKEN"], found["LINEAR_API_KEY"]
    assert hubspot.basis != linear.basis
    assert hubspot.made is not None
    assert linear.made is not None
    assert hubspot.made >= linear.made
    assert hubspot.at_least

"""Slack through the real engine: channels, groups and their people, and an app that changes what it asks for."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from sandbox.slack.access import BOT_TOKEN, USER_TOKEN
from sandbox.slack.tooling import FIRST
from sophia.errors import SophiaError

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

ADA, GRACE, ADMINISTRATOR = "U0SANDUSR2", "U0SANDUSR3", "U0SANDUSR1"
BOT = "U0SANDBOT1"


def call(checkout: Checkout, method: str, *, token: str = BOT_TOKEN, **arguments: str) -> dict[str, Any]:
    answer = httpx.post(
        f"{checkout.running.url}/slack/api/{method}",
        data=arguments,
        headers={"Authorization": f"Bearer {token}"},
        trust_env=False,
    )
    document: dict[str, Any] = answer.json()
    assert document["ok"], document
    return document


def channel(checkout: Checkout, name: str) -> dict[str, Any]:
    (found,) = (c for c in checkout.objects("slack", "channel").values() if c["name"] == name)
    return found


def test_the_stacks_own_slack_is_made_kept_and_brought_back(checkout: Checkout) -> None:
    settings = checkout.settings()["slack"]
    checkout.configure(slack=settings)
    dev = checkout.stack()
    dev.up(skip_preview=True)
    assert not dev.up(skip_preview=True).has_changes
    assert not dev.drift()
    review = channel(checkout, "sophia-dev-payments-review")
    assert set(review["members"]) == {BOT, GRACE}
    assert set(channel(checkout, "sophia-dev-incidents")["members"]) == {BOT, ADA, GRACE}, "the groups' members"

    call(checkout, "conversations.invite", channel=review["id"], users=ADA)
    call(checkout, "conversations.kick", channel=review["id"], user=GRACE)
    incidents = channel(checkout, "sophia-dev-incidents")["id"]
    call(checkout, "conversations.kick", channel=incidents, user=ADA)
    call(checkout, "conversations.join", channel=incidents, token=USER_TOKEN)
    assert {found.resource.name for found in dev.drift().changes} == {"payments-review.members", "incidents.members"}

    settings["channels"]["deployments"]["name"] = "sophia-dev-releases"
    manifest = settings["apps"]["sophia"]["manifest"]
    manifest["oauth_config"]["scopes"]["bot"].append("files:read")
    settings["apps"]["sophia"]["methods"].append("files.info")
    checkout.configure(slack=settings)
    renamed = channel(checkout, "sophia-dev-deployments")["id"]
    dev.refresh()
    done = checkout.run("up", "dev", "--skip-preview")
    assert "scopes have changed" in done.stdout + done.stderr
    assert channel(checkout, "sophia-dev-releases")["id"] == renamed
    assert set(channel(checkout, "sophia-dev-payments-review")["members"]) == {BOT, GRACE}, "exactly who is wanted"
    assert set(channel(checkout, "sophia-dev-incidents")["members"]) == {BOT, ADA, GRACE, ADMINISTRATOR}, "at least"

    dev.destroy()
    assert all(c["is_archived"] for c in checkout.objects("slack", "channel").values())
    assert all(group["date_delete"] for group in checkout.objects("slack", "usergroup").values())
    before = set(checkout.objects("slack", "channel")) | set(checkout.objects("slack", "usergroup"))
    dev.up(skip_preview=True)
    assert set(checkout.objects("slack", "channel")) | set(checkout.objects("slack", "usergroup")) == before
    assert channel(checkout, "sophia-dev-payments-review")["members"] == [GRACE, BOT]


def test_what_only_a_person_can_do_is_said(checkout: Checkout) -> None:
    alerts = {"name": "sophia-dev-alerts", "purpose": "What broke"}
    checkout.configure(slack={"channels": {"alerts": alerts}})
    checkout.stack().up(skip_preview=True)
    call(checkout, "conversations.archive", channel=channel(checkout, "sophia-dev-alerts")["id"])
    checkout.configure(slack={"channels": {"alerts": alerts}}, variables={"SLACK_USER_TOKEN": ""})
    checkout.stack().refresh()
    told = checkout.run("up", "dev", "--skip-preview", code=1).stderr
    assert "#sophia-dev-alerts" in told
    assert "no bot can unarchive" in told
    assert "choose Unarchive" in told

    people = {**copy.deepcopy(alerts), "name": "sophia-dev-others", "members": {"people": ["nobody@payready.com"]}}
    checkout.configure(slack={"channels": {"others": people}})
    with pytest.raises(SophiaError, match=r"nobody in the workspace has the address nobody@payready\.com"):
        checkout.stack().up(skip_preview=True)


def test_an_app_that_exists_is_taken_over_by_its_id(checkout: Checkout) -> None:
    manifest = {"display_information": {"name": "By hand"}}
    config = "xoxe.xoxp-1-sandbox-configuration-token"
    made = call(checkout, "apps.manifest.create", token=config, manifest='{"display_information": {"name": "By hand"}}')
    wanted = {**manifest, "settings": {"org_deploy_enabled": False}}
    wanted["display_information"] = {"name": "Sophia", "description": "Taken over"}
    checkout.configure(slack={"apps": {"sophia": {"app_id": made["app_id"], "manifest": wanted}}})
    dev = checkout.stack()
    dev.up(skip_preview=True)
    assert not dev.up(skip_preview=True).has_changes
    (app,) = checkout.objects("slack", "app").values()
    assert app["manifest"]["display_information"] == {"name": "Sophia", "description": "Taken over"}
    dev.destroy()
    assert checkout.objects("slack", "app"), "it is not ours to delete"


def renew(checkout: Checkout, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("sophia"), "slack-token", "dev", *arguments],
        cwd=checkout.directory,
        env={**os.environ, **checkout.environment, "XDG_STATE_HOME": str(checkout.directory / "state")},
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_configuration_token_is_renewed_and_its_refresh_token_is_never_lost(checkout: Checkout) -> None:
    unknown = renew(checkout)
    assert unknown.returncode != 0
    assert "no refresh token is known" in unknown.stderr
    done = renew(checkout, "--first", given=f"{FIRST}\n")
    assert done.returncode == 0, done.stderr
    assert "SLACK_CONFIG_TOKEN of dev is renewed" in done.stdout
    again = renew(checkout)
    assert again.returncode == 0, again.stderr
    assert "xoxe" not in done.stdout + done.stderr + again.stdout + again.stderr
    assert not list((checkout.directory / "state").rglob("*.json")), "what Pulumi Cloud has is kept nowhere else"
    spent = renew(checkout, "--first", given=f"{FIRST}\n")
    assert "invalid_refresh_token" in spent.stderr
    assert "Generate Token" in spent.stderr
    checkout.configure(slack={"apps": {"sophia": {"manifest": {"display_information": {"name": "Sophia"}}}}})
    checkout.stack().up(skip_preview=True)
    assert len(checkout.objects("slack", "app")) == 1, "by the new token"

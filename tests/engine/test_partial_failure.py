"""Of many resources some fail for good: the rest is done and noted, and the next run tries only what failed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from sophia.events import Resource
from tests.small_estate import SMALL

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout


def titles(urns: list[str]) -> set[str]:
    return {Resource(urn).title for urn in urns}


def requests(checkout: Checkout, since: int) -> set[tuple[str, str, str]]:
    """The requests that are no mere questions, as (platform, method, path). Slack asks by POST."""
    entries = checkout.running.journal(since=since).entries
    return {
        (e.platform, e.method, e.path)
        for e in entries
        if e.method != "GET" and not e.path.endswith((".list", ".info", "/token"))
    }


def test_the_rest_is_done_and_the_next_run_tries_only_what_failed(checkout: Checkout) -> None:
    checkout.configure(**SMALL)
    sandbox = checkout.running
    sandbox.add_fault("openrouter", method="POST", path="/api/v1/workspaces", status=422)
    sandbox.add_fault("airbyte", method="POST", path="/v1/sources", status=422)
    # What depends on the failed workspace is given up long before this is made: it must be waited for all the same.
    sandbox.add_fault("slack", method="POST", path="/api/conversations.create", latency=4)
    failed = checkout.run("up", "dev", "--json", code=1)
    document = json.loads(failed.stdout)
    assert titles(document["failed"]) == {'OpenRouter workspace "workspace"', 'Airbyte source "gong"'}
    assert titles(document["not_tried"]) == {'OpenRouter api key "web"'}
    assert document["outcome_unknown"] == []
    assert len(document["problems"]) == 2, "each failure is told once, and not what merely depends on it"
    assert 'OpenRouter workspace "workspace": the platform did not do it' in failed.stderr
    assert 'Airbyte source "gong": the platform did not do it' in failed.stderr
    assert 'not tried 1: OpenRouter api key "web"' in failed.stderr
    assert "Traceback" not in failed.stderr
    names = {name.rpartition("/")[2] for name in checkout.resources()}
    assert {"airbyte:Workspace::workspace", "slack:Channel::alerts", "slack:UserGroup::platform"} <= names
    assert len(checkout.objects("slack", "usergroup")) == 1

    sandbox.remove_faults()
    mark = sandbox.mark()
    checkout.run("up", "dev", "--skip-preview")
    assert requests(checkout, mark) == {
        ("openrouter", "POST", "/api/v1/workspaces"),
        ("openrouter", "POST", "/api/v1/keys"),
        ("airbyte", "POST", "/v1/sources"),
    }
    checkout.run("drift", "dev")


def test_an_object_that_was_made_and_not_finished_stays_known(checkout: Checkout) -> None:
    checkout.configure(slack={"channels": SMALL["slack"]["channels"]})
    checkout.running.add_fault("slack", path="/api/conversations.setPurpose", status=403)
    failed = checkout.run("up", "dev", "--skip-preview", code=1)
    assert 'failed 1: Slack channel "alerts"' in failed.stderr
    assert "may exist" not in failed.stderr
    (made,) = (id_ for id_, c in checkout.objects("slack", "channel").items() if c["name"] == "sophia-dev-alerts")
    assert [r["id"] for name, r in checkout.resources().items() if name.endswith("::alerts")] == [made]

    checkout.running.remove_faults()
    mark = checkout.running.mark()
    checkout.run("up", "dev", "--skip-preview")
    assert {path for _, _, path in requests(checkout, mark)} == {"/api/conversations.setPurpose"}


def test_a_destroy_removes_what_it_can_and_names_what_it_could_not(checkout: Checkout) -> None:
    checkout.configure(**SMALL)
    checkout.run("up", "dev", "--skip-preview")
    checkout.running.add_fault("openrouter", method="DELETE", path="/api/v1/keys/*", status=403)
    failed = checkout.run("destroy", "dev", "--json", code=1)
    document = json.loads(failed.stdout)
    assert titles(document["failed"]) == {'OpenRouter api key "web"'}
    assert titles(document["not_tried"]) == {'OpenRouter workspace "workspace"'}
    assert document["counts"]["deleted"] == 4
    assert all(source["deleted"] for source in checkout.objects("airbyte", "source").values())

    checkout.running.remove_faults()
    checkout.run("destroy", "dev")
    assert not checkout.resources()


@pytest.mark.parametrize("arguments", [("destroy", "prod", "--yes"), ("preview", "prod", "--of", "destroy")])
def test_a_destroy_refuses_what_is_protected_before_anything_is_gone(
    checkout: Checkout, arguments: tuple[str, ...]
) -> None:
    checkout.configure("prod", airbyte=SMALL["airbyte"], vercel={"projects": {"web": {"name": "sophia"}}})
    checkout.run("up", "prod", "--skip-preview")
    before = checkout.resources("prod")
    refused = checkout.run(*arguments, code=3)
    assert 'Vercel project "web"' in refused.stderr
    assert "the option `protect`" in refused.stderr
    assert "pulumi state unprotect" in refused.stderr
    assert checkout.resources("prod") == before
    assert checkout.objects("airbyte", "source")


def test_a_replacement_whose_old_object_cannot_be_deleted_holds_up_nobody(checkout: Checkout) -> None:
    """The engine would wait for the replacement for ever, since it goes on after errors."""
    settings = json.loads(json.dumps({name: SMALL[name] for name in ("openrouter", "slack")}))
    checkout.configure(**settings)
    checkout.run("up", "dev", "--skip-preview")
    (old,) = checkout.objects("openrouter", "key")
    settings["openrouter"]["keys"]["web"]["expires_at"] = "2031-01-01T00:00:00Z"
    settings["slack"]["channels"]["alerts"]["purpose"] = "What breaks"
    checkout.configure(**settings)
    checkout.running.add_fault("openrouter", method="DELETE", path="/api/v1/keys/*", status=403)
    failed = checkout.run("up", "dev", "--skip-preview", code=1)
    assert 'OpenRouter API key "web": the platform did not do it' in failed.stderr
    assert list(checkout.objects("openrouter", "key")) == [old]
    (channel,) = checkout.objects("slack", "channel").values()
    assert channel["purpose"]["value"].startswith("What breaks"), "the rest is done"

    checkout.running.remove_faults()
    checkout.run("up", "dev", "--skip-preview")
    (new,) = checkout.objects("openrouter", "key")
    assert new != old

"""``sophia drift``: what was done on the platforms by hand is told, and set back when asked to."""

from __future__ import annotations

import copy
import json
import signal
from collections import Counter
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from sophia.cli import document

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

BY_HAND = "w0rd-put-there-by-hand"
SECRET_KIND = "kubernetes:core/v1:Secret"

SETTINGS: dict[str, Any] = {
    "openrouter": {
        "workspace": {"slug": "sophia-dev", "name": "Sophia dev"},
        "keys": {"web": {"name": "Web app", "limit_usd": 40}, "ci": {"name": "CI", "limit_usd": 10}},
    },
    "slack": {
        "channels": {
            "alerts": {"name": "sophia-dev-alerts", "purpose": "What broke"},
            "deployments": {"name": "sophia-dev-deployments", "purpose": "What was deployed"},
        }
    },
    "kubernetes": {
        "namespace": "sophia-ai-dev",
        "quota": {
            "cpu_requests": "4",
            "memory_requests": "16Gi",
            "cpu_limits": "8",
            "memory_limits": "24Gi",
            "pods": 40,
        },
        "containers": {
            "cpu_request": "100m",
            "memory_request": "128Mi",
            "cpu_limit": "1",
            "memory_limit": "512Mi",
        },
        "secrets": {
            "slack": {"name": "slack", "data": {"SLACK_BOT_TOKEN": {"environment": "SLACK_BOT_TOKEN"}}},
        },
    },
}


def drift(checkout: Checkout, *arguments: str, code: int, **environment: str) -> dict[str, Any]:
    """The document of ``sophia drift dev``."""
    ran = checkout.run("drift", "dev", "--json", *arguments, code=code, **environment)
    assert BY_HAND not in ran.stdout + ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    jsonschema.validate(found, json.loads(document.SCHEMA_FILE.read_text()))
    return found


def told(found: dict[str, Any]) -> dict[tuple[str, str, str], Any]:
    """By (platform, kind, name): "delete", or the properties with what was set and what is there."""
    return {
        (c["platform"], c["kind"], c["name"]): c["operation"]
        if c["operation"] == "delete"
        else {p["path"]: (p["old"], p["new"]) for p in c["properties"]}
        for c in found["changes"]
    }


def channel(checkout: Checkout, name: str) -> tuple[str, dict[str, Any]]:
    found = checkout.objects("slack", "channel")
    return next((id_, c) for id_, c in found.items() if c["name"] == f"sophia-dev-{name}")


def change_purpose(checkout: Checkout, name: str, purpose: str) -> None:
    id_, live = channel(checkout, name)
    checkout.running.change_object("slack", "channel", id_, {"purpose": {**live["purpose"], "value": purpose}})


def everything(checkout: Checkout) -> dict[str, Any]:
    return {name: checkout.running.objects(name).objects for name in SETTINGS}


@pytest.fixture
def deployed(checkout: Checkout) -> Checkout:
    checkout.configure(**SETTINGS)
    checkout.run("up", "dev", "--skip-preview")
    return checkout


def test_what_was_done_by_hand_is_told_and_set_back(deployed: Checkout) -> None:
    sandbox, stack = deployed.running, deployed.stack()
    mark = sandbox.mark()
    clean = drift(deployed, code=0)
    objects = sum(len(found) for found in deployed.running.objects("kubernetes").objects.values())
    assert (clean["changes"], clean["checked"]) == ([], objects + 5)
    entries = sandbox.journal(since=mark).entries
    assert Counter((e.platform, e.path) for e in entries if e.platform != "kubernetes") == {
        ("slack", "/api/conversations.list"): 1,
        ("openrouter", "/api/v1/workspaces"): 1,
        ("openrouter", "/api/v1/keys"): 1,
    }, "one list for all objects of a kind"
    assert clean["requests"] == len(entries) == objects + 3, "an official package reads object by object"

    change_purpose(deployed, "deployments", "coffee")
    (web,) = (id_ for id_, k in deployed.objects("openrouter", "key").items() if k["name"].startswith("Web app"))
    sandbox.delete_object("openrouter", "key", web)
    ((name, secret),) = deployed.objects("kubernetes", SECRET_KIND).items()
    properties = {**secret["properties"], "stringData": {"SLACK_BOT_TOKEN": BY_HAND}}
    sandbox.change_object("kubernetes", SECRET_KIND, name, {"properties": properties})

    # What the program wants to be otherwise by now is no drift.
    settings = copy.deepcopy(SETTINGS)
    settings["slack"]["channels"]["alerts"]["purpose"] = "What burns"
    settings["openrouter"]["keys"]["ci"]["limit_usd"] = 11
    deployed.configure(**settings)

    before, state, history = everything(deployed), stack.state(), stack.history()
    found = drift(deployed, code=2)
    assert told(found) == {
        ("Slack", "channel", "deployments"): {"purpose": ("What was deployed", "coffee")},
        ("OpenRouter", "api key", "web"): "delete",
        ("Kubernetes", "secret", "slack"): {"stringData.SLACK_BOT_TOKEN": ("[secret]", "[secret]")},
    }
    assert (everything(deployed), stack.state(), stack.history()) == (before, state, history), "nothing was changed"
    text = deployed.run("drift", "dev", code=2).stdout
    assert 'purpose: "What was deployed" -> "coffee"' in text
    assert "api key web: deleted" in text
    assert f"2 changed · 1 deleted, of {objects + 5} objects" in text

    fixed = drift(deployed, "--fix", code=0)
    assert fixed["fixed"]["created"] == 1
    assert channel(deployed, "deployments")[1]["purpose"]["value"].startswith("What was deployed")
    assert channel(deployed, "alerts")[1]["purpose"]["value"].startswith("What broke"), "what is pending stays pending"
    assert len(deployed.objects("openrouter", "key")) == 2
    assert drift(deployed, code=0)["changes"] == []
    pending = [change.resource.name for change in stack.preview().changes]
    assert sorted(pending) == ["alerts", "ci"]


def test_what_drifted_and_was_set_otherwise_as_well_is_not_set_back(checkout: Checkout) -> None:
    settings = {"channels": {"alerts": {"name": "sophia-dev-alerts", "purpose": "What broke"}}}
    checkout.configure(slack=settings)
    checkout.run("up", "dev", "--skip-preview")
    change_purpose(checkout, "alerts", "coffee")
    settings["channels"]["alerts"]["purpose"] = "What burns"
    checkout.configure(slack=settings)
    refused = checkout.run("drift", "dev", "--fix", code=3)
    assert 'Slack channel "alerts": purpose' in refused.stderr
    assert channel(checkout, "alerts")[1]["purpose"]["value"] == "coffee"
    assert told(drift(checkout, code=2)) == {("Slack", "channel", "alerts"): {"purpose": ("What broke", "coffee")}}


@pytest.mark.parametrize(
    "fault",
    [{"status": 403}, {"status": 503}, {"action": "drop"}, {"action": "half"}],
    ids=["403", "503", "dropped", "half an answer"],
)
def test_what_cannot_be_read_is_neither_unchanged_nor_gone(checkout: Checkout, fault: dict[str, Any]) -> None:
    checkout.configure(openrouter=SETTINGS["openrouter"], slack=SETTINGS["slack"])
    checkout.run("up", "dev", "--skip-preview")
    change_purpose(checkout, "alerts", "coffee")
    checkout.running.add_fault("openrouter", method="GET", path="/api/v1/keys*", **fault)
    found = drift(checkout, code=1, SOPHIA_PATIENCE_SECONDS="1")
    assert "could not be read" in found["problems"][0]["what"]
    assert {"web", "ci"} == {word for word in ("web", "ci") if any(f'"{word}"' in p["what"] for p in found["problems"])}
    assert list(told(found)) == [("Slack", "channel", "alerts")], "what the others show is told all the same"


def test_ctrl_c_ends_it_and_nothing_was_changed(deployed: Checkout) -> None:
    fault = deployed.running.add_fault("slack", path="/api/conversations.list", latency=3, times=1)
    process = deployed.start("drift", "dev")
    while not any(rule["id"] == fault and rule["applied"] for rule in deployed.running.faults()):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "finishing what is in flight" in stdout
    assert "nothing was changed" in stderr
    drift(deployed, code=0)


def test_a_stack_that_was_never_deployed_has_no_drift(checkout: Checkout) -> None:
    assert drift(checkout, code=0)["checked"] == 0
    assert checkout.stack().state() is None, "not even the stack was created"

"""An estate made by hand comes under code: its settings are written from what exists, taken over, and nothing differs."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine import hand_made, hand_made_portkey, hand_made_vectors
from tests.engine.hand_made import Json, credentials, hand, make_slack

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

ESTATES = {**hand_made.ESTATES, **hand_made_portkey.ESTATES, **hand_made_vectors.ESTATES}


def run_existing(
    checkout: Checkout, platform: str, settings: Json | None, *options: str, **variables: str
) -> tuple[int, Json]:
    """The command as ``sophia`` runs it, in the stack's environment."""
    done = subprocess.run(
        [sys.executable, "-m", "components.existing", "--platform", platform, "--stack", "sophia-ai/dev", *options],
        cwd=checkout.directory,
        env={**os.environ, **credentials(checkout), **variables},
        input=json.dumps({"settings": settings}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout)


def existing(checkout: Checkout, platform: str, settings: Json | None = None, *options: str, **variables: str) -> Json:
    code, document = run_existing(checkout, platform, settings, *options, **variables)
    assert code == 0, document
    return document


def adopting(settings: Json) -> Json:
    """The settings with ``adopt: true`` on everything that can have it."""
    settings = copy.deepcopy(settings)
    for section, entries in settings.items():
        if section not in ("budgets", "models", "presets"):
            for entry in [entries] if section in ("workspace", "project") else entries.values():
                entry["adopt"] = True
                if "backups" in entry:
                    entry["backups"]["adopt"] = True
    return settings


def facts(checkout: Checkout, platform: str, *others: str) -> Json:
    """What is on a platform; tokens are no part of what was made there."""
    kinds = checkout.running.objects(platform).objects
    return {kind: objects for kind, objects in kinds.items() if kind not in ("token", "idempotency", *others)}


@pytest.mark.parametrize("platform", ESTATES)
def test_an_estate_made_by_hand_comes_under_code_with_an_empty_diff(checkout: Checkout, platform: str) -> None:
    estate = ESTATES[platform]
    estate.make(checkout)
    environment = estate.opens(checkout)
    mark = checkout.running.mark()
    found = existing(checkout, platform, None, *estate.options, **environment)
    assert found["settings"] == estate.settings
    assert [name for added in found["added"] for name in added["secrets"]] == list(estate.variables)
    assert len(found["left"]) == len(estate.left)
    for kind, name, word in estate.left:
        assert [x for x in found["left"] if (x["kind"], x["name"]) == (kind, name) and word in x["reason"]], found[
            "left"
        ]
    reading = checkout.running.journal(since=mark).entries
    assert not [e for e in reading if e.method not in ("GET", "POST")]
    assert len(reading) <= estate.reads, "one listing a kind"
    assert "planted" not in json.dumps(found)

    before = facts(checkout, platform, *estate.writes)
    checkout.configure(
        variables=dict.fromkeys(estate.variables, "planted-by-a-person"), **{platform: adopting(found["settings"])}
    )
    mark = checkout.running.mark()
    dev = checkout.stack()
    dev.up(skip_preview=True)
    assert facts(checkout, platform, *estate.writes) == before, "nothing is made, and nothing is another than it was"
    written = [
        f"{e.method} {e.path}"
        for e in checkout.running.journal(since=mark).entries
        if e.method != "GET" and not e.path.endswith((".list", ".info", "/token", *estate.writes))
    ]
    assert written == [], "neither a mark nor a secret that nobody can compare"

    checkout.configure(
        variables=dict.fromkeys(estate.variables, "planted-by-a-person"), **{platform: found["settings"]}
    )
    assert not dev.preview().has_changes
    assert not dev.refresh().has_changes
    again = existing(checkout, platform, found["settings"], **environment)
    assert (again["settings"], again["added"]) == (found["settings"], []), "what the settings have is not added again"


def effective(settings: Json) -> Json:
    """Settings without keys, secrets, and what another component hands over: every object by its own name."""
    elsewhere = ("login", "schema", "namespace", "key", "task", "members", "bookmarks")
    names = {
        section: {key: entry["name"] for key, entry in settings.get(section, {}).items()}
        for section in ("tags", "sources", "destinations", "channels", "guardrails", "keys")
    }
    members: dict[str, Callable[[Any], Any]] = {
        "source": lambda key: names["sources"][key],
        "destination": lambda key: names["destinations"][key],
        "guardrail": lambda key: names["guardrails"][key],
        "tags": lambda keys: sorted(names["tags"][key] for key in keys),
        "channels": lambda keys: sorted(names["channels"][key] for key in keys),
        "models": sorted,
        "keys": lambda keys: sorted(names["keys"][key] for key in keys),
        "secrets": sorted,
        "streams": lambda streams: sorted((s["name"], s["sync_mode"]) for s in streams),
    }

    def entry(members_of: Json) -> Json:
        return {
            name: members[name](v) if name in members else v for name, v in members_of.items() if name not in elsewhere
        }

    apart = ("apps", "definitions", "permissions")
    return {
        section: {name: value for name, value in entries.items() if name != "notifications"}
        if section in ("workspace", "budgets")
        else {e.get("name") or e["slug"]: entry(e) for e in entries.values() if "manifest" not in e}
        for section, entries in settings.items()
        if section not in apart
    }


@pytest.mark.parametrize("platform", [*hand_made_portkey.ESTATES, *hand_made_vectors.ESTATES])
def test_settings_are_read_back_as_they_were_deployed(checkout: Checkout, platform: str) -> None:
    estate = ESTATES[platform]
    settings = copy.deepcopy(estate.settings)
    for entry in (*settings.get("partials", {}).values(), *settings.get("prompts", {}).values()):
        entry.pop("published", None)  # What is new has one version only.
    variables = dict.fromkeys(estate.variables, "planted-by-a-person")
    checkout.configure(variables=variables, **{platform: adopting(settings)})
    checkout.stack().up(skip_preview=True)
    found = existing(checkout, platform, None, *estate.options, **estate.opens(checkout))
    assert found["settings"] == settings


@pytest.mark.parametrize("platform", hand_made.ESTATES)
def test_what_the_settings_have_made_is_read_back_as_the_same_settings(checkout: Checkout, platform: str) -> None:
    settings = checkout.settings()
    wanted = settings[platform]
    keep = {platform: wanted} | ({"snowflake": settings["snowflake"]} if platform == "airbyte" else {})
    checkout.configure(**keep)
    checkout.stack().up(skip_preview=True)
    found = existing(checkout, platform)
    # What a task needs, that there is one without a preset, and whose token the bot's is: data of ours alone.
    meant, made = (
        effective(
            {
                section: entries
                for section, entries in one.items()
                if (platform, section) not in (("openrouter", "models"), ("slack", "bot"))
            }
        )
        for one in (wanted, found["settings"])
    )
    if platform == "airbyte":
        low_code = found["settings"]["definitions"]["declarative"]
        assert {one["manifest"]["type"] for one in low_code.values()} == {"DeclarativeSource"}
        assert found["settings"]["workspace"]["notifications"].keys() == wanted["workspace"]["notifications"].keys()
        (handed_over,) = made["destinations"].values()
        assert handed_over["secrets"] == ["credentials.private_key"]
        assert handed_over["configuration"]["database"] == "SOPHIA_AI_DEV"
        handed_over["configuration"] = {"schema": handed_over["configuration"]["schema"]}
        del handed_over["secrets"]
    assert made == meant
    assert existing(checkout, platform, wanted) == {"settings": wanted, "added": [], "left": found["left"]}


def test_only_what_is_missing_is_added_and_the_rest_stays_as_somebody_wrote_it(checkout: Checkout) -> None:
    make_slack(checkout)
    written = {"channels": {"broken": {"name": "alerts", "purpose": "Written by hand"}}}
    found = existing(checkout, "slack", written)
    assert found["settings"]["channels"]["broken"] == written["channels"]["broken"]
    assert found["settings"]["usergroups"]["platform-team"]["channels"] == ["broken"], "by the key that it has there"
    assert [added["path"] for added in found["added"]] == [
        "slack.channels.channel-2024-review",
        "slack.usergroups.platform-team",
    ]


def test_another_stacks_objects_are_left_to_it(checkout: Checkout) -> None:
    checkout.configure("staging", slack={"channels": {"alerts": {"name": "staging-alerts"}}})
    checkout.stack("staging").up(skip_preview=True)
    found = existing(checkout, "slack")
    assert found["settings"] is None
    assert ("staging-alerts", "it is managed by sophia-ai/staging") in [(x["name"], x["reason"]) for x in found["left"]]


def test_errors_are_told_in_json_without_a_secret(checkout: Checkout) -> None:
    code, document = run_existing(checkout, "slack", {"channels": {"alerts": {"nam": "alerts", "name": "alerts"}}})
    assert code == 3
    assert document["error"]["setting"] == "slack.channels.alerts.nam"
    by = hand(checkout, "airbyte")
    for name in ("One", "Two"):
        by.post("/airbyte/v1/workspaces", name=name)
    code, document = run_existing(checkout, "airbyte", None)
    assert (code, document["error"]["said"]) == (3, "there are: One, Two")
    code, document = run_existing(checkout, "airbyte", None, "--workspace", "Two")
    assert document["settings"] == {"workspace": {"name": "Two"}}
    rule = checkout.running.add_fault("slack", status=401)
    code, document = run_existing(checkout, "slack", None)
    assert rule
    assert code in (1, 4)
    assert "xoxb-" not in json.dumps(document)

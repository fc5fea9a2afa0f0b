"""Gong through the real engine: profiles from the first run to the last, and what people make and change by hand."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import httpx

from sandbox.gong import access, seed

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

WORKSPACE = seed.workspace_id("dev")
SETTINGS: dict[str, Any] = {
    "workspaces": {"main": {"name": "Sophia Development"}},
    "users": {"lead": {"email": "collections@payready.com"}},
    "trackers": {"elise": {"workspace": "main", "name": "EliseAI", "keywords": {"eng": ["Elise AI"]}}},
    "profiles": {
        "reviewers": {
            "workspace": "main",
            "name": "Reviewers",
            "access": {"calls": {"level": "managers-team", "team_leads": ["lead"]}},
            "allow": ["score_calls"],
            "deny": ["delete_calls"],
        }
    },
}


def profile(checkout: Checkout) -> dict[str, Any]:
    (found,) = checkout.objects("gong", "profile").values()
    return found


def by_hand(checkout: Checkout, **members: Any) -> str:
    """A profile that somebody makes with a program of their own."""
    answer = httpx.post(
        f"{checkout.running.url}/gong/v2/permission-profile",
        params={"workspaceId": WORKSPACE},
        json=members,
        auth=(access.access_key("dev"), access.access_key_secret("dev")),
        trust_env=False,
    )
    assert answer.is_success, answer.text
    return str(answer.json()["profile"]["id"])


def test_the_life_of_a_profile(checkout: Checkout) -> None:
    settings = copy.deepcopy(SETTINGS)
    checkout.configure(gong=settings)
    dev = checkout.stack()
    dev.up(skip_preview=True)
    made = profile(checkout)
    assert made["callsAccess"] == {
        "permissionLevel": "managers-team",
        "teamLeadIds": [seed.user_id("collections@payready.com")],
    }
    mark = checkout.running.mark()
    assert not dev.up(skip_preview=True).has_changes
    assert checkout.running.journal(since=mark).entries == [], (
        "a run without changes takes nothing of the day's requests"
    )

    checkout.running.change_object("gong", "profile", made["id"], {"aiBuilder": True})
    assert not dev.drift(), "what the settings do not name is people's"
    settings["profiles"]["reviewers"] |= {"allow": ["score_calls", "override_score"]}
    checkout.configure(gong=settings)
    dev.up(skip_preview=True)
    assert {name: profile(checkout)[name] for name in ("aiBuilder", "overrideScore", "deleteCalls")} == {
        "aiBuilder": True,
        "overrideScore": True,
        "deleteCalls": False,
    }

    tracker = str(seed.number(3, "dev"))
    words = [{"language": "eng", "keywords": ["Elise"], "includeRelatedForms": True}]
    checkout.running.change_object("gong", "tracker", tracker, {"languageKeywords": words})
    checkout.running.change_object("gong", "profile", made["id"], {"deleteCalls": True})
    assert sorted(change.resource.name for change in dev.drift().changes) == ["elise", "reviewers"]
    dev.refresh()
    refused = checkout.run("up", "dev", "--yes", "--skip-preview", code=None)
    said = refused.stdout + refused.stderr
    assert 'the tracker "EliseAI" is otherwise in Gong: keywords.eng.Elise AI is missing' in said
    assert "sophia-ai:gong.trackers.elise" in said
    assert "somebody who manages trackers makes or changes it in Gong" in said
    words[0]["keywords"] = ["Elise", "Elise AI"]
    checkout.running.change_object("gong", "tracker", tracker, {"languageKeywords": words})
    dev.up(skip_preview=True)
    assert profile(checkout)["deleteCalls"] is False
    assert not dev.drift()

    (well,) = json.loads(checkout.run("health", "dev", "--json", "--platform", "gong").stdout)["health"]
    (gong,) = well["checks"]
    assert gong["problems"] == []
    assert gong["checked"] == ["key and workspaces", "permission profiles", "users", "trackers"]

    mark = checkout.running.mark()
    destroyed = checkout.run("destroy", "dev", "--yes")
    assert 'the permission profile "Reviewers" stays in Gong' in destroyed.stdout + destroyed.stderr
    assert profile(checkout)["id"] == made["id"]
    assert {entry.method for entry in checkout.running.journal(since=mark, platforms=["gong"]).entries} <= {"GET"}


def test_a_profile_somebody_made_is_taken_over_only_when_asked_and_a_missing_tracker_is_told(
    checkout: Checkout,
) -> None:
    id_ = by_hand(checkout, name="Reviewers", description="Ours since 2023", aiBuilder=True, scoreCalls=False)
    settings = copy.deepcopy(SETTINGS)
    settings["trackers"]["elise"]["name"] = "Elise AI"
    checkout.configure(gong=settings)
    refused = checkout.run("up", "dev", "--yes", "--skip-preview", code=None)
    said = refused.stdout + refused.stderr
    assert "no tracker has the trackerName 'Elise AI'; GONG_ACCESS_KEY and GONG_ACCESS_KEY_SECRET can see" in said
    assert "Collections, EliseAI, Hunter Warfield, Pricing" in said
    assert f"it exists already ({id_}) and is not managed by this stack" in said
    assert profile(checkout)["description"] == "Ours since 2023"

    settings["trackers"]["elise"]["name"] = "EliseAI"
    settings["profiles"]["reviewers"]["description"] = "Ours since 2023"
    checkout.configure(gong=settings)
    adopted = checkout.run("adopt", "dev", "--yes", "--all")
    assert f"Gong permission profile reviewers  {id_}" in adopted.stdout
    dev = checkout.stack()
    dev.up(skip_preview=True)
    found = profile(checkout)
    assert (found["id"], found["scoreCalls"], found["aiBuilder"]) == (id_, True, True)
    assert not dev.up(skip_preview=True).has_changes

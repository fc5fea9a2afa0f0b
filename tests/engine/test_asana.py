"""Asana through the real engine: the whole life of a workspace's projects, and hand-made ones that stand in the way."""

from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING, Any

import httpx

from sandbox.asana.access import access_token, workspace_gid
from sandbox.http import digest

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

TARGET = "https://agents-dev.payready.com/webhook/asana-events"
SETTINGS: dict[str, Any] = {
    "workspace": {"name": "Pay Ready Development"},
    "teams": {"platform": {"name": "Sophia platform"}},
    "fields": {
        "severity": {"name": "Severity", "type": "enum", "options": [{"name": "SEV1"}, {"name": "SEV2"}]},
        "credential": {"name": "Credential", "type": "text"},
    },
    "projects": {
        "incidents": {
            "name": "Sophia incidents",
            "team": "platform",
            "members": {"on-call": {"email": "platform@payready.com", "access": "admin"}},
            "sections": [{"key": "new", "name": "New"}, {"key": "mitigated", "name": "Mitigated"}],
            "fields": [{"field": "severity", "important": True}, {"field": "credential"}],
        }
    },
    "tags": {"sophia": {"name": "sophia-ai"}},
    "webhooks": {"incidents": {"project": "incidents", "target": TARGET, "events": [{"resource": "task"}]}},
}


def sections(checkout: Checkout) -> list[str]:
    found = sorted(checkout.objects("asana", "section").values(), key=lambda one: float(one["order"]))
    return [one["name"] for one in found]


def by_hand(checkout: Checkout, path: str, **data: Any) -> dict[str, Any]:
    answer = httpx.post(
        f"{checkout.running.url}/asana{path}",
        json={"data": data},
        headers={"Authorization": f"Bearer {access_token('dev')}"},
        trust_env=False,
    )
    assert answer.is_success, answer.text
    made: dict[str, Any] = answer.json()["data"]
    return made


def test_the_life_of_a_workspace(checkout: Checkout) -> None:
    settings = copy.deepcopy(SETTINGS)
    checkout.configure(asana=settings)
    dev = checkout.stack()
    dev.up(skip_preview=True)
    assert not dev.up(skip_preview=True).has_changes
    assert not dev.drift()
    assert sections(checkout) == ["Untitled section", "New", "Mitigated"]
    fields = {one["name"]: one for one in checkout.objects("asana", "custom_field").values()}
    (project,) = checkout.objects("asana", "project").values()
    in_order = sorted(checkout.objects("asana", "custom_field_setting").values(), key=lambda one: int(one["order"]))
    assert [one["custom_field"] for one in in_order] == [fields["Severity"]["gid"], fields["Credential"]["gid"]]
    (hook,) = checkout.objects("asana", "webhook").values()
    (secret,) = checkout.objects("asana", "webhook_secret").values()
    webhook = next(one for one in checkout.resources().values() if one["type"].endswith("asana:Webhook"))
    assert secret["digest"] not in {digest(word) for word in re.findall(r"\w+", json.dumps(webhook))}

    incidents = settings["projects"]["incidents"]
    incidents["sections"] = [*reversed(incidents["sections"]), {"key": "done", "name": "Done"}]
    settings["fields"]["severity"]["options"] = [{"name": "Critical", "formerly": "SEV1"}, {"name": "SEV3"}]
    settings["webhooks"]["incidents"]["generation"] = 2
    checkout.configure(asana=settings)
    dev.up(skip_preview=True)
    assert sections(checkout) == ["Untitled section", "Mitigated", "New", "Done"]
    options = checkout.objects("asana", "custom_field")[fields["Severity"]["gid"]]["enum_options"]
    before = {one["name"]: one["gid"] for one in fields["Severity"]["enum_options"]}
    assert {one["name"]: one["enabled"] for one in options} == {"Critical": True, "SEV2": False, "SEV3": True}
    assert before["SEV1"] in [one["gid"] for one in options if one["name"] == "Critical"]
    (renewed,) = checkout.objects("asana", "webhook").values()
    assert (renewed["target"], renewed["gid"] == hook["gid"]) == (f"{TARGET}?generation=2", False)
    assert not dev.up(skip_preview=True).has_changes

    (well,) = json.loads(checkout.run("health", "dev", "--json", "--platform", "asana").stdout)["health"]
    (asana,) = well["checks"]
    assert asana["problems"] == []
    assert "webhooks" in asana["checked"]

    checkout.running.change_object("asana", "project", project["gid"], {"archived": True})
    assert [change.resource.name for change in dev.drift().changes] == ["incidents"]

    dev.destroy()
    assert checkout.objects("asana", "project") == {}
    assert checkout.objects("asana", "webhook") == {}
    assert len(checkout.objects("asana", "team")) == 1, "Asana has no call to delete a team"


def test_a_project_somebody_made_by_hand_is_taken_over_only_when_asked(checkout: Checkout) -> None:
    first = {name: SETTINGS[name] for name in ("workspace", "teams")}
    checkout.configure(asana=first)
    dev = checkout.stack()
    dev.up(skip_preview=True)
    (team,) = checkout.objects("asana", "team")
    made: dict[str, Any] = {"workspace": workspace_gid("dev"), "team": team, "name": "Sophia incidents"}
    project = by_hand(checkout, "/projects", **made, notes="Ours since 2023")["gid"]
    section = by_hand(checkout, f"/projects/{project}/sections", name="New")["gid"]
    field = {"name": "severity", "resource_subtype": "enum", "enum_options": [{"name": "SEV1"}, {"name": "SEV9"}]}
    custom_field = by_hand(checkout, "/custom_fields", workspace=workspace_gid("dev"), **field)["gid"]

    settings = copy.deepcopy(SETTINGS)
    settings["fields"]["severity"]["name"] = "severity"
    checkout.configure(asana=settings)
    refused = checkout.run("up", "dev", "--yes", code=None)
    assert refused.returncode
    assert f"it exists already ({project}) and is not managed by this stack" in refused.stdout + refused.stderr
    assert checkout.objects("asana", "project")[project]["notes"] == "Ours since 2023"

    settings["projects"]["incidents"]["notes"] = "Ours since 2023"
    checkout.configure(asana=settings)
    adopted = checkout.run("adopt", "dev", "--yes", "--all")
    assert f"Asana project incidents  {project}" in adopted.stdout
    dev.up(skip_preview=True)
    assert list(checkout.objects("asana", "project")) == [project]
    assert sections(checkout) == ["Untitled section", "New", "Mitigated"]
    assert section in checkout.objects("asana", "section")
    options = checkout.objects("asana", "custom_field")[custom_field]["enum_options"]
    assert {one["name"]: one["enabled"] for one in options} == {"SEV1": True, "SEV9": False, "SEV2": True}
    assert not dev.up(skip_preview=True).has_changes

"""Apollo through the real engine: nothing is sent unless it was said twice, and nothing is lost when the stack lets go."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import httpx

from sandbox.apollo import access

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout


def person(checkout: Checkout) -> httpx.Client:
    """Somebody who works in Apollo's own pages."""
    key = {"x-api-key": access.api_key("dev")}
    return httpx.Client(base_url=f"{checkout.running.url}/apollo", headers=key, trust_env=False)


def mine(checkout: Checkout, kind: str) -> list[dict[str, Any]]:
    return [one for one in checkout.objects("apollo", kind).values() if one["stage"] == "dev"]


def sequence(checkout: Checkout) -> dict[str, Any]:
    (one,) = mine(checkout, "sequence")
    return one


def test_the_life_of_the_estate_in_apollo(checkout: Checkout) -> None:
    settings = copy.deepcopy(checkout.settings()["apollo"])
    checkout.configure(apollo=settings)
    dev = checkout.stack()
    dev.up(skip_preview=True)
    assert not dev.up(skip_preview=True).has_changes
    assert not dev.drift()
    assert {one["label"] for one in mine(checkout, "field")} == {
        one["label"] for one in settings["fields"].values() if one["type"] != "picklist"
    }
    (picklist,) = mine(checkout, "people_field")
    options = {one["name"] for one in picklist["meta"]["picklist_values"]}
    assert options >= {one["name"] for one in settings["fields"]["pms"]["options"]}
    assert sequence(checkout)["active"] is False

    managers = settings["sequences"]["regional-managers"]
    managers["active"] = True
    checkout.configure(apollo=settings)
    refused = checkout.run("preview", "dev", code=3)
    assert "`sends_real_mail` must name regional-managers as well" in refused.stderr
    settings["sends_real_mail"] = ["regional-managers"]
    checkout.configure(apollo=settings)
    dev.up(skip_preview=True)
    assert sequence(checkout)["active"] is True, "now it was said twice"

    managers["active"] = False
    managers["steps"][0]["email"]["subject"] = "Delinquency at {{company}}"
    checkout.configure(apollo=settings)
    ids = [step["id"] for step in sequence(checkout)["steps"]]
    dev.up(skip_preview=True)
    assert sequence(checkout)["active"] is False
    assert [step["id"] for step in sequence(checkout)["steps"]] == ids
    assert sequence(checkout)["steps"][0]["touches"][0]["subject"] == "Delinquency at {{company}}"

    with person(checkout) as client:
        assert client.post(f"/emailer_campaigns/{sequence(checkout)['id']}/approve").status_code == 200
    (ill,) = json.loads(checkout.run("health", "dev", "--json", "--platform", "apollo", code=1).stdout)["health"]
    (problem,) = ill["checks"][0]["problems"]
    assert "sends mail to real people, and the settings say that it must not" in problem["said"]
    assert {"key", "master key, limits", "credits"} <= set(ill["checks"][0]["checked"])

    said = "\n".join(dev.destroy().warnings)
    assert 'the sequence "AI collections for regional managers" stays in Apollo' in said
    assert 'the list "NMHC Top 50 decision makers" stays in Apollo' in said
    assert sequence(checkout)["active"] is False, "nobody is left who says that it may"
    kept = {kind: len(mine(checkout, kind)) for kind in ("field", "label", "sequence")}
    assert kept == {"field": len(settings["fields"]) - 1, "label": len(settings["lists"]), "sequence": 1}
    dev.up(skip_preview=True)
    assert {kind: len(mine(checkout, kind)) for kind in kept} == kept, "dev takes up again what it has forgotten"


def test_what_people_made_is_in_the_way_until_it_is_adopted(checkout: Checkout) -> None:
    settings = {"lists": {"top": {"name": "NMHC Top 50", "modality": "contacts"}}}
    with person(checkout) as client:
        id_ = client.post("/labels", json=settings["lists"]["top"]).json()["label"]["id"]
    checkout.configure(apollo=settings)
    refused = checkout.run("up", "dev", "--yes", code=1)
    assert f"it exists already ({id_})" in refused.stderr
    adopted = checkout.run("adopt", "dev", "--yes")
    assert "Apollo list top: adopted" in adopted.stdout
    dev = checkout.stack()
    assert not dev.up(skip_preview=True).has_changes
    assert [one["id"] for one in mine(checkout, "label")] == [id_]

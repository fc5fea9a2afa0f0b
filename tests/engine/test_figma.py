"""Figma through the real engine: what stands in a stack file, renewed, drifted, removed; and nothing secret on the way."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING

import httpx

from sandbox.figma import access

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout


def person(checkout: Checkout) -> httpx.Client:
    """Somebody who works in Figma's own pages."""
    return httpx.Client(base_url=f"{checkout.running.url}/figma", headers={"X-Figma-Token": access.TOKEN})


def test_the_life_of_the_estate_in_figma(checkout: Checkout) -> None:
    settings = copy.deepcopy(checkout.settings()["figma"])
    checkout.configure(figma=settings)
    dev = checkout.stack()
    dev.up(skip_preview=True)
    assert not dev.up(skip_preview=True).has_changes
    assert not dev.drift()
    webhooks = checkout.objects("figma", "webhook")
    assert {webhook["event_type"] for webhook in webhooks.values()} == {"LIBRARY_PUBLISH", "DEV_MODE_STATUS_UPDATE"}
    assert len(checkout.objects("figma", "dev_resource")) == len(settings["dev_resources"])
    passcodes = [r for name, r in checkout.resources().items() if "passwords:Password" in name]
    assert "ciphertext" in json.dumps(passcodes[0]["outputs"]["password"])

    with person(checkout) as client:
        paused = next(iter(webhooks))
        sent = {name: webhooks[paused][name] for name in ("event_type", "endpoint")}
        assert (
            client.put(f"/v2/webhooks/{paused}", json={**sent, "passcode": "x", "status": "PAUSED"}).status_code == 200
        )
    (drifted,) = dev.drift().changes
    assert (
        drifted.resource.name
        == next(r["urn"] for r in checkout.resources().values() if r.get("id") == paused).rpartition("::")[2]
    )
    settings["passcodes"]["events"]["generation"] = 2
    checkout.configure(figma=settings)
    dev.refresh()
    dev.up(skip_preview=True)
    after = checkout.objects("figma", "webhook")
    assert after.keys() == webhooks.keys(), "in place: receivers keep the address"
    assert {webhook["status"] for webhook in after.values()} == {"ACTIVE"}
    assert len({webhook["passcode_digest"] for webhook in after.values()}) == 1
    assert all(after[id_]["passcode_digest"] != webhooks[id_]["passcode_digest"] for id_ in webhooks)

    dev.destroy()
    assert checkout.objects("figma", "webhook") == {}
    assert checkout.objects("figma", "dev_resource") == {}
    assert {len(one["collections"]) for one in checkout.objects("figma", "variables").values()} == {0}
    assert checkout.objects("figma", "file"), "people's files stay"


def test_what_people_made_is_in_the_way_until_it_is_adopted(checkout: Checkout) -> None:
    settings = copy.deepcopy(checkout.settings()["figma"])
    del settings["variables"]
    webhook = settings["webhooks"]["published"]
    project = settings["projects"][webhook["project"]]["id"]
    by_hand = {
        "context": "project",
        "context_id": project,
        "event_type": webhook["event"],
        "endpoint": webhook["endpoint"],
        "passcode": "of a person",
        "description": webhook["description"],
    }
    with person(checkout) as client:
        id_ = client.post("/v2/webhooks", json=by_hand).json()["id"]
    checkout.configure(figma=settings)
    refused = checkout.run("up", "dev", "--yes", code=1)
    assert f"it exists already ({id_})" in refused.stderr
    assert "sophia adopt dev" in refused.stderr
    adopted = checkout.run("adopt", "dev", "--yes")
    assert "Figma webhook published: adopted" in adopted.stdout
    dev = checkout.stack()
    dev.up(skip_preview=True)
    assert not dev.up(skip_preview=True).has_changes
    webhooks = checkout.objects("figma", "webhook")
    assert id_ in webhooks
    assert len(webhooks) == len(settings["webhooks"])

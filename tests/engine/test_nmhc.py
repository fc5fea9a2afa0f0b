"""The NMHC Top 50 through the real engine: the list first, then the score, another weight, and the health of it all."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

DYNAMIC_TABLE = "snowflake:index/dynamicTable:DynamicTable"
N8N: dict[str, Any] = {
    "credentials": {
        "hubspot": {
            "name": "HubSpot",
            "type": "hubspotAppToken",
            "secrets": {"appToken": {"environment": "HUBSPOT_ACCESS_TOKEN"}},
        }
    },
    "workflows": {},
}


def ours(checkout: Checkout, kind: str) -> list[str]:
    """What the stand-in has of ours."""
    token = f"snowflake:index/{kind[0].lower()}{kind[1:]}:{kind}"
    names = [one["properties"]["name"] for one in checkout.objects("snowflake", token).values()]
    return sorted(name for name in names if name.startswith("NMHC_"))


def test_the_score_comes_when_data_have_landed_and_follows_its_weights(checkout: Checkout) -> None:
    settings = checkout.settings()
    platforms = {name: settings[name] for name in ("snowflake", "airbyte")} | {"n8n": N8N}
    nmhc = copy.deepcopy(settings["nmhc"])
    del nmhc["write_back"]["error_workflow"]
    first = {name: its for name, its in nmhc.items() if name != "write_back"} | {"landed": False}
    checkout.configure(**platforms, nmhc=first)
    dev = checkout.stack()
    dev.up(skip_preview=True)
    assert ours(checkout, "Table") == ["NMHC_TOP_50"]
    assert ours(checkout, "View") == []

    checkout.configure(**platforms, nmhc=nmhc)
    dev.up(skip_preview=True)
    views = ("CALLS", "COMPANIES", "DECISION_MAKERS", "HEALTH", "MATCHES", "WRITE_BACK")
    assert ours(checkout, "View") == [f"NMHC_{view}" for view in views]
    assert ours(checkout, "DynamicTable") == ["NMHC_OPPORTUNITIES"]
    (workflow,) = checkout.objects("n8n", "workflow").values()
    assert workflow["active"]
    text = json.dumps(workflow["nodes"])
    assert "@@" not in text
    assert "NMHC_WRITE_BACK" in text
    assert not dev.up(skip_preview=True).has_changes
    assert not dev.drift()

    nmhc["score"]["weights"] |= {"units": 20, "deal": 25}
    checkout.configure(**platforms, nmhc=nmhc)
    changed = dev.up(skip_preview=True)
    assert {change.resource.name for change in changed.changes} == {"nmhc-opportunities"}
    tables = checkout.objects("snowflake", DYNAMIC_TABLE)
    (id_,) = [id_ for id_, one in tables.items() if one["properties"]["name"] == "NMHC_OPPORTUNITIES"]
    assert "25 * DEAL_FACTOR" in tables[id_]["properties"]["query"]

    done = checkout.run("health", "dev", "--json", "--platform", "nmhc")
    (check,) = json.loads(done.stdout)["health"][0]["checks"]
    assert check["verdict"] == "well", "the stack is new, and nobody has loaded the list yet"
    assert "freshness of the score, companies that are known" in check["checked"]
    nmhc["score"]["weights"]["units"] = 25
    checkout.configure(**platforms, nmhc=nmhc)
    refused = checkout.run("preview", "dev", code=3)
    assert "sophia-ai:nmhc.score.weights" in refused.stderr
    assert "add up to 105, and must add up to 100" in refused.stderr

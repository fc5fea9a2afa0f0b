"""HubSpot through the real engine: the whole life of a CRM's definitions, and what people made by hand or threw away."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import httpx

from sandbox.hubspot.access import APP, PORTALS, access_token

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

TEXT = {"type": "string", "field_type": "text"}
SETTINGS: dict[str, Any] = {
    "portal_id": PORTALS["dev"],
    "objects": {
        "companies": {
            "groups": {"sophia": {"label": "Sophia"}},
            "properties": {
                "nmhc_rank": {"label": "NMHC rank", "group": "sophia", "type": "number", "field_type": "number"},
                "pms": {
                    "label": "Property management system",
                    "group": "sophia",
                    "type": "enumeration",
                    "field_type": "select",
                    "options": [{"value": "yardi", "label": "Yardi"}, {"value": "entrata", "label": "Entrata"}],
                },
            },
        },
        "deals": {
            "pipelines": {
                "payments": {
                    "label": "Payments",
                    "stages": [
                        {"key": "qualified", "label": "Qualified", "probability": 0.2},
                        {"key": "won", "label": "Won", "probability": 1},
                    ],
                }
            }
        },
        "property": {
            "object_schema": {
                "labels": {"singular": "Property", "plural": "Properties"},
                "primary_display_property": "community",
                "required_properties": ["community"],
                "searchable_properties": ["community", "market"],
                "associated_objects": ["companies"],
            },
            "properties": {
                "community": {"label": "Community", "group": "property_information", **TEXT},
                "market": {"label": "Market", "group": "property_information", **TEXT},
            },
        },
    },
    "association_labels": {
        "management": {
            "from": "companies", "to": "property", "name": "manages", "label": "Manages", "inverse_label": "Managed by"
        }
    },
    "lists": {
        "top-50": {
            "name": "NMHC Top 50",
            "object": "companies",
            "processing_type": "DYNAMIC",
            "filter_branch": {
                "filterBranchType": "OR",
                "filterBranchOperator": "OR",
                "filters": [],
                "filterBranches": [
                    {
                        "filterBranchType": "AND",
                        "filterBranchOperator": "AND",
                        "filterBranches": [],
                        "filters": [
                            {
                                "filterType": "PROPERTY",
                                "property": "nmhc_rank",
                                "operation": {
                                    "operationType": "NUMBER",
                                    "operator": "IS_LESS_THAN_OR_EQUAL_TO",
                                    "value": 50,
                                    "includeObjectsWithNoValueSet": False,
                                },
                            }
                        ],
                    }
                ],
            },
        }
    },
    "webhooks": {
        "app_id": APP,
        "target_url": "https://hooks.payready.com/hubspot",
        "subscriptions": {"rank": {"event_type": "company.propertyChange", "property": "nmhc_rank"}},
    },
}  # fmt: skip


def live(checkout: Checkout, kind: str) -> dict[str, dict[str, Any]]:
    """What there is of a kind, without what is archived or deleted."""
    found = checkout.objects("hubspot", kind)
    return {key: one for key, one in found.items() if not (one.get("archived") or one.get("deletedAt"))}


def by_hand(checkout: Checkout, path: str, **body: Any) -> Any:
    answer = httpx.post(
        f"{checkout.running.url}/hubspot{path}",
        json=body,
        headers={"Authorization": f"Bearer {access_token('dev')}"},
        trust_env=False,
    )
    assert answer.is_success, answer.text
    return answer.json()


def test_the_life_of_a_crm(checkout: Checkout) -> None:
    settings = copy.deepcopy(SETTINGS)
    checkout.configure(hubspot=settings)
    dev = checkout.stack()
    first = dev.up(skip_preview=True)
    assert not dev.up(skip_preview=True).has_changes
    assert not dev.drift()
    (schema,) = live(checkout, "schema").values()
    assert schema["searchableProperties"] == ["community", "market"]
    outputs = first.outputs["hubspot"]
    assert outputs["object_types"] == {"companies": "0-2", "deals": "0-3", "property": schema["objectTypeId"]}
    pipelines = {one["label"]: one for one in live(checkout, "pipeline").values()}
    assert outputs["pipelines"] == {"deals.payments": pipelines["Payments"]["id"]}
    assert outputs["stages"] == {
        f"deals.payments.{stage['label'].lower()}": stage["id"] for stage in pipelines["Payments"]["stages"]
    }

    companies, deals = settings["objects"]["companies"], settings["objects"]["deals"]
    companies["properties"]["pms"]["options"] = [{"value": "realpage", "label": "RealPage"}]
    deals["pipelines"]["payments"]["stages"] = [
        {"key": "pricing", "label": "Pricing", "probability": 0.6},
        {"key": "won", "label": "Closed, won", "probability": 1},
    ]
    del companies["properties"]["nmhc_rank"]
    del settings["lists"]["top-50"]
    del settings["webhooks"]["subscriptions"]["rank"]
    checkout.configure(hubspot=settings)
    dev.up(skip_preview=True)
    pms = checkout.objects("hubspot", "property")[f"{PORTALS['dev']}/0-2/pms"]
    assert {one["value"]: one["hidden"] for one in pms["options"]} == {
        "realpage": False,
        "yardi": True,
        "entrata": True,
    }
    stages = next(one for one in live(checkout, "pipeline").values() if one["label"] == "Payments")["stages"]
    assert {one["label"]: one["displayOrder"] for one in stages} == {"Pricing": 0, "Closed, won": 1}
    won = next(one for one in stages if one["label"] == "Closed, won")
    assert won["id"] == outputs["stages"]["deals.payments.won"], "records that are in it stay in it"

    kept = checkout.objects("hubspot", "list")
    checkout.configure(hubspot=SETTINGS)
    dev.up(skip_preview=True)
    assert live(checkout, "list").keys() == kept.keys(), "restored, and not made again"
    assert f"{PORTALS['dev']}/0-2/nmhc_rank" in live(checkout, "property")
    assert not dev.up(skip_preview=True).has_changes

    (well,) = json.loads(checkout.run("health", "dev", "--json", "--platform", "hubspot").stdout)["health"]
    (hubspot,) = well["checks"]
    assert hubspot["problems"] == []
    assert {"scopes", "room for properties", "webhooks"} <= set(hubspot["checked"])

    rank = f"{PORTALS['dev']}/0-2/nmhc_rank"
    checkout.running.change_object("hubspot", "property", rank, {"label": "Rank"})
    assert [change.resource.name for change in dev.drift().changes] == ["companies.properties.nmhc_rank"]

    dev.destroy()
    gone = (
        "property",
        "property_group",
        "schema",
        "schema_association",
        "association_label",
        "list",
        "webhook_settings",
    )
    assert {kind: live(checkout, kind) for kind in gone} == {kind: {} for kind in gone}
    assert [one["label"] for one in live(checkout, "pipeline").values()] == ["Sales Pipeline"]
    dev.up(skip_preview=True)
    assert live(checkout, "list").keys() == kept.keys()


def test_what_people_made_by_hand_is_taken_over_only_when_asked(checkout: Checkout) -> None:
    rank = {
        "name": "nmhc_rank",
        "label": "Rank",
        "type": "number",
        "fieldType": "number",
        "groupName": "companyinformation",
    }
    by_hand(checkout, "/crm/v3/properties/companies", **rank, description="Ours since 2023")
    stages = [{"label": "Qualified", "displayOrder": 0, "metadata": {"probability": "0.3"}}]
    pipeline = by_hand(checkout, "/crm/v3/pipelines/deals", label="Payments", displayOrder=4, stages=stages)
    checkout.configure(hubspot=SETTINGS)
    dev = checkout.stack()
    refused = checkout.run("up", "dev", "--yes", code=None)
    assert refused.returncode
    said = refused.stdout + refused.stderr
    assert "it exists already (0-2/nmhc_rank) and is not managed by this stack" in said
    assert "sophia-ai:hubspot.objects.companies.properties.nmhc_rank" in said

    adopted = checkout.run("adopt", "dev", "--yes", "--all")
    assert "HubSpot property companies.properties.nmhc_rank  0-2/nmhc_rank" in adopted.stdout
    dev.up(skip_preview=True)
    mine = next(one for one in live(checkout, "pipeline").values() if one["label"] == "Payments")
    assert mine["id"] == pipeline["id"]
    qualified = next(one for one in mine["stages"] if one["label"] == "Qualified")
    assert qualified["id"] == pipeline["stages"][0]["id"]
    assert qualified["metadata"]["probability"] == "0.2"
    assert len(mine["stages"]) == 2
    assert not dev.up(skip_preview=True).has_changes

"""HubSpot: settings that cannot go wrong where it hurts, what the component makes of them, and what health tells."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from pydantic import ValidationError

from components.hubspot import HubSpot, HubSpotSettings
from components.settings import Stage
from health.base import Answer, Resource, Subject
from health.hubspot import HEALTH, TOKEN
from providers.hubspot_scopes import needed
from sandbox.hubspot.access import PORTALS, SCOPES

Deploy = Callable[..., Any]
REPOSITORY = Path(__file__).parents[2]
TYPE = "pulumi-python:dynamic/hubspot:"
COMPUTED: dict[str, Callable[[str, dict[str, Any]], dict[str, Any]]] = {
    f"{TYPE}Pipeline": lambda name, _inputs: {"pipeline_id": f"number-of-{name}"},
    f"{TYPE}AssociationLabel": lambda _name, _inputs: {"type_id": 101},
}
STORES = ("Property", "Schema", "SchemaAssociation", "Pipeline", "PipelineStage", "AssociationLabel", "List")
WEBHOOKS: dict[str, Any] = {
    "app_id": "7",
    "target_url": "https://hooks.payready.com/hubspot",
    "subscriptions": {"rank": {"event_type": "object.propertyChange", "property": "unit_count", "object": "property"}},
}


@cache
def stack_file(stage: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((REPOSITORY / f"Pulumi.{stage}.yaml").read_text())["config"]
    return found


def settings(stage: str = "dev") -> dict[str, Any]:
    return copy.deepcopy(stack_file(stage)["sophia-ai:hubspot"])


def run(deploy: Deploy, stage: Stage = Stage.DEV, **changes: Any) -> Any:
    wanted = HubSpotSettings.model_validate({**settings(stage.value), **changes})
    return deploy(lambda: HubSpot("hubspot", wanted, stage=stage), stack=stage.value, computed=COMPUTED)


@pytest.mark.parametrize("stage", list(Stage))
def test_every_stage_has_a_crm_to_sell_with_and_prod_protects_it(deploy: Deploy, stage: Stage) -> None:
    deployment = run(deploy, stage)
    hubspot = deployment.result
    assert {"companies.nmhc_rank", "companies.sophia_opportunity_score"} <= hubspot.property_names.keys()
    assert {"deals.payments", "deals.ai-collections"} <= hubspot.pipeline_ids.keys()
    assert {"deals.payments.won", "deals.ai-collections.compliance-review"} <= hubspot.stage_ids.keys()
    assert {"management", "ownership", "decision-maker"} <= hubspot.association_type_ids.keys()
    assert "nmhc-top-50" in hubspot.list_ids
    assert {"companies", "contacts", "deals", "property"} <= hubspot.object_type_ids.keys()
    in_prod = stage is Stage.PROD
    for kind in STORES:
        assert {(one.protect, one.retain_on_delete) for one in deployment.of(kind)} == {(in_prod, in_prod)}, kind
    for kind in ("Account", "ObjectType", "PropertyGroup", "SchemaRoles"):
        assert not any(one.protect for one in deployment.of(kind)), kind
    assert deployment.one("Account", "portal_id").inputs["portal_id"] == PORTALS[stage.value]


def test_nothing_is_done_before_the_account_is_known(deploy: Deploy) -> None:
    deployment = run(deploy)
    assert deployment.one("Schema", "property.object_schema").inputs["portal"] == "id-of-portal_id"
    assert {one.inputs["portal"] for one in deployment.of("ObjectType")} == {"id-of-portal_id"}
    others = [one for kind in ("Property", "Pipeline", "List") for one in deployment.of(kind)]
    assert all(str(one.inputs["object_type"]).startswith("id-of-") for one in others)


def test_a_custom_object_comes_with_what_is_shown_first(deploy: Deploy) -> None:
    deployment = run(deploy)
    schema = deployment.one("Schema", "property.object_schema").inputs
    assert schema["primary"] == {
        "name": "community_name", "label": "Community name", "type": "string", "fieldType": "text"
    }  # fmt: skip
    assert deployment.one("Property", "property.properties.community_name").inputs["adopt"]
    assert not deployment.one("Property", "property.properties.market").inputs.get("adopt")
    roles = deployment.one("SchemaRoles", "property.object_schema")
    assert any(urn.endswith("Property::property.properties.market") for urn in roles.depends_on)
    label = deployment.one("AssociationLabel", "community-owner")
    assert any("associated_objects.companies" in urn for urn in label.depends_on)


def test_stages_come_with_the_pipeline_in_their_order(deploy: Deploy) -> None:
    deployment = run(deploy)
    pipeline = deployment.one("Pipeline", "deals.pipelines.payments").inputs
    assert [one["label"] for one in pipeline["stages"]][:2] == ["Qualified", "Integration review"]
    assert [one["metadata"]["probability"] for one in pipeline["stages"]][-2:] == ["1.0", "0.0"]
    stage = deployment.one("PipelineStage", "deals.pipelines.payments.stages.won").inputs
    assert (stage["display_order"], stage["metadata"], stage["adopt"]) == (4, {"probability": "1.0"}, True)
    assert deployment.one("Pipeline", "deals.pipelines.ai-collections").inputs["display_order"] == 2


def test_lists_wait_for_the_properties_that_they_filter_by(deploy: Deploy) -> None:
    deployment = run(deploy)
    top = deployment.one("List", "nmhc-top-50")
    assert any(urn.endswith("Property::companies.properties.nmhc_rank") for urn in top.depends_on)


def test_webhooks_are_not_made_unless_the_settings_have_them(deploy: Deploy) -> None:
    assert not run(deploy).of("WebhookSettings")


def test_webhooks_come_with_their_subscriptions(deploy: Deploy) -> None:
    deployment = run(deploy, webhooks=WEBHOOKS)
    subscription = deployment.one("WebhookSubscription", "subscriptions.rank").inputs
    assert subscription["object_type"] == "id-of-property.object_schema"
    assert subscription["app_id"] == "id-of-webhooks"


def changed(path: str, value: Any) -> dict[str, Any]:
    wanted = {**settings("staging"), "webhooks": copy.deepcopy(WEBHOOKS)}
    *parents, last = path.split(".")
    place: Any = wanted
    for name in parents:
        place = place[int(name)] if isinstance(place, list) else place[name]
    if value is None:
        del place[int(last) if isinstance(place, list) else last]
    else:
        place[int(last) if isinstance(place, list) else last] = value
    return wanted


RANK = "objects.companies.properties.nmhc_rank"
PMS = "objects.companies.properties.property_management_system"
PAYMENTS = "objects.deals.pipelines.payments.stages"
TEXT = {"label": "X", "group": "sophia_operator", "type": "string", "field_type": "text"}


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("portal_id", "Pay Ready", "must be the Hub ID"),
        (f"{RANK}.field_type", "select", "of a number must be one of number, calculation_equation"),
        (f"{RANK}.options", [{"value": "1", "label": "One"}], "is for an enumeration, and the property is a number"),
        (f"{RANK}.calculation_formula", "1 + 1", "goes with `field_type: calculation_equation`"),
        (f"{PMS}.options", [], "needs at least one entry: the property is an enumeration"),
        (f"{PMS}.options.1.value", "Yardi", '"Yardi" is there twice'),
        (f"{PMS}.has_unique_value", True, "is for string and number"),
        ("objects.companies.properties.NMHC", TEXT, "must be lower-case letters"),
        (f"{PAYMENTS}.0.probability", 0.25, "must be in steps of 0.1"),
        (f"{PAYMENTS}.0.probability", None, "is needed: it is a stage of deals"),
        (f"{PAYMENTS}.0.ticket_state", "OPEN", "is not for deals"),
        (f"{PAYMENTS}.1.label", "Qualified", '"Qualified" is there twice'),
        (PAYMENTS, [], "at least 1 item"),
        ("objects.deals.pipelines.payments.label", "AI collections", "is that of"),
        ("objects.boats", {"properties": {}}, "needs an object_schema; HubSpot's own are contacts, companies"),
        ("objects.property.object_schema", None, "needs an object_schema"),
        ("objects.property.object_schema.primary_display_property", "nmae", 'no property of this object "nmae"'),
        ("objects.property.object_schema.primary_display_property", "live_on", "must be a string or a number"),
        ("objects.property.object_schema.associated_objects", ["company"], 'did you mean "companies"?'),
        ("objects.property.object_schema.searchable_properties", ["makret"], 'did you mean "market"?'),
        ("association_labels.management.from", "company", 'no object "company" is declared'),
        ("association_labels.ownership.label", "Manages for", "is that of"),
        ("lists.nmhc-top-50.object", "contact", 'did you mean "contacts"?'),
        ("lists.nmhc-top-50.processing_type", "MANUAL", "is for DYNAMIC and SNAPSHOT: the list is MANUAL"),
        ("lists.nmhc-top-50.filter_branch", None, "is needed: the list is DYNAMIC"),
        ("lists.nmhc-top-50.filter_branch.filterBranchType", "AND", "must be OR here"),
        ("lists.nmhc-top-50.filter_branch.filterBranches", [], "needs at least one entry"),
        ("lists.nmhc-top-50.filter_branch.filters", [{}], "must be empty"),
        ("webhooks.target_url", "http://n8n/hook", "must be an https address with a path"),
        ("webhooks.subscriptions.rank.property", None, "goes with events that end with .propertyChange"),
        ("webhooks.subscriptions.rank.object", None, "goes with events that begin with object."),
        ("webhooks.subscriptions.rank.object", "boats", 'no object "boats" is declared'),
    ],
)
def test_a_mistake_in_the_settings_is_told(path: str, value: Any, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        HubSpotSettings.model_validate(changed(path, value))
    assert said in str(caught.value)


def test_an_eleventh_unique_property_is_told() -> None:
    many = {f"key_{number}": {**TEXT, "has_unique_value": True} for number in range(11)}
    with pytest.raises(ValidationError, match="has 11 with has_unique_value: HubSpot takes 10"):
        HubSpotSettings.model_validate({"portal_id": "1", "objects": {"companies": {"properties": many}}})


@pytest.mark.parametrize("stage", list(Stage))
def test_the_scopes_that_the_settings_need_are_few_and_the_sandbox_grants_them(stage: Stage) -> None:
    wanted = needed(settings(stage.value))
    assert set(wanted) <= set(SCOPES)
    assert ("tickets" in wanted) is (stage is not Stage.DEV)
    assert [scope for scope in wanted if scope.startswith("crm.objects.")] == ["crm.objects.companies.read"]


def answered(probe: str, document: Any, **subject: Any) -> Any:
    (found,) = [one for one in HEALTH.probes if one.proves == probe]
    response = httpx.Response(200, json=document, request=httpx.Request("GET", "https://hubspot.test"))
    return found.read(Answer(response, Subject(**subject)))


@pytest.mark.parametrize(("wanted", "well"), [("24681011", True), ("1", False)])
def test_health_tells_of_which_account_the_token_is(wanted: str, well: bool) -> None:
    details = {"portalId": 24681011, "accountType": "SANDBOX"}
    reading = answered("token and account", details, settings={"portal_id": wanted})
    assert reading.known[TOKEN].said == "of the account 24681011 (sandbox)"
    assert (reading.problems == ()) is well


def test_health_names_the_scopes_that_the_token_lacks() -> None:
    info = {"hubId": 24681011, "scopes": sorted({*SCOPES} - {"crm.lists.write"})}
    (problem,) = answered("scopes", info, settings=settings()).problems
    assert problem.said == "the token lacks the scopes crm.lists.write"
    assert answered("scopes", {**info, "scopes": list(SCOPES)}, settings=settings()).problems == ()


def test_health_tells_of_limits_that_become_scarce() -> None:
    usage = {"name": "private-apps-api-calls-daily", "usageLimit": 650_000, "currentUsage": 649_000}
    (problem,) = answered("calls of the day", {"results": [usage]}).problems
    assert problem.verdict == "degraded"
    assert "only 1,000 of 650,000 HubSpot API calls of the day left" in problem.said
    rows = [
        {"objectTypeId": "0-2", "pluralLabel": "Companies", "limit": 1000, "usage": 1000},
        {"objectTypeId": "0-1", "pluralLabel": "Contacts", "limit": 1000, "usage": 1000},
    ]
    mine = [Resource(f"{TYPE}Property", "companies.properties.x", "0-2/x", None, {"object_type": "0-2"})]
    reading = answered("room for properties", {"byObjectType": rows}, resources=mine)
    assert [str(quota) for quota in reading.quotas] == ["0 of 1,000 custom properties of companies"]
    assert reading.problems[0].said == "no custom properties of companies left"
    (types,) = answered("room for custom objects", {"limit": 10, "usage": 10}).quotas
    assert types.left == 0


def test_health_tells_of_webhooks_that_go_elsewhere() -> None:
    there = {"targetUrl": "https://elsewhere.payready.com/x"}
    (problem,) = answered("webhooks", there, settings={"webhooks": WEBHOOKS}).problems
    assert problem.said == "the app's events go to https://elsewhere.payready.com/x"
    (probe,) = [one for one in HEALTH.probes if one.proves == "webhooks"]
    assert not probe.needed(Subject(settings=settings()))

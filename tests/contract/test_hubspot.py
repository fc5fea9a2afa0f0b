"""The emulator of HubSpot, used by HubSpot's own SDK, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from sandbox.http import digest
from sandbox.hubspot import PLATFORM
from sandbox.hubspot.access import APP, PORTALS, access_token, developer_key
from tests.contract import hubspot_shapes

pytest.importorskip("hubspot", reason="HubSpot's SDK is absent")

import hubspot
from hubspot.crm import lists, pipelines, properties, schemas
from hubspot.crm.associations.v4 import schema as associations
from hubspot.webhooks import SettingsChangeRequest, SubscriptionCreateRequest, ThrottlingSettings

COMPANIES = "companies"
OPTION = {"label": "Yardi", "value": "yardi", "hidden": False}
NEW: dict[str, Any] = {
    "name": "pms", "label": "PMS", "type": "string", "fieldType": "text", "groupName": "companyinformation"
}  # fmt: skip
STAGE = {"label": "Won", "displayOrder": 0, "metadata": {"probability": "1.0"}}
BRANCH: dict[str, Any] = {
    "filterBranchType": "OR",
    "filters": [],
    "filterBranches": [{"filterBranchType": "AND", "filters": []}],
}
SCHEMA: dict[str, Any] = {
    "name": "property",
    "labels": {"singular": "Property", "plural": "Properties"},
    "properties": [{"name": "community", "label": "Community", "type": "string", "fieldType": "text"}],
    "primaryDisplayProperty": "community",
    "requiredProperties": [],
    "associatedObjects": [],
}


@pytest.fixture
def emulator(serve: Callable[[Any], Any]) -> Any:
    return serve(PLATFORM)


@pytest.fixture
def sdk(emulator: Any) -> Any:
    return hubspot.Client.create(access_token=access_token("dev"), host=emulator.url)


@pytest.fixture
def client(emulator: Any) -> Iterator[httpx.Client]:
    """A client whose refusals have HubSpot's form."""

    def check(response: httpx.Response) -> None:
        response.read()
        if response.is_error:
            assert hubspot_shapes.refusal(response.json()) == []

    headers = {"Authorization": f"Bearer {access_token('dev')}"}
    hooks = {"response": [check]}
    with httpx.Client(base_url=emulator.url, headers=headers, event_hooks=hooks, trust_env=False) as found:
        yield found


def at(api: Any, emulator: Any) -> Any:
    """The SDK takes its address from each part of it."""
    api.api_client.configuration.host = emulator.url
    return api


def test_properties_make_a_round_trip_with_the_sdk(sdk: Any, emulator: Any) -> None:
    groups, core = at(sdk.crm.properties.groups_api, emulator), at(sdk.crm.properties.core_api, emulator)
    groups.create(COMPANIES, property_group_create=properties.PropertyGroupCreate(name="sophia", label="Sophia"))
    assert [one.name for one in groups.get_all(COMPANIES).results] == ["companyinformation", "sophia"]
    wanted = properties.PropertyCreate(
        name="pms", label="PMS", type="enumeration", field_type="select", group_name="sophia",
        options=[properties.OptionInput(label="Yardi", value="yardi", hidden=False, display_order=0)],
    )  # fmt: skip
    made = core.create(COMPANIES, property_create=wanted)
    assert (made.name, made.options[0].value, made.archived) == ("pms", "yardi", False)
    changed = core.update(COMPANIES, "pms", property_update=properties.PropertyUpdate(label="System"))
    assert (changed.label, changed.type) == ("System", "enumeration")
    core.archive(COMPANIES, "pms")
    assert [one.name for one in core.get_all(COMPANIES, archived=True).results] == ["pms"]
    assert core.create(COMPANIES, property_create=wanted).label == "PMS"
    assert core.get_all(COMPANIES, archived=True).results == []


def test_pipelines_make_a_round_trip_with_the_sdk(sdk: Any, emulator: Any) -> None:
    core, stages = at(sdk.crm.pipelines.pipelines_api, emulator), at(sdk.crm.pipelines.pipeline_stages_api, emulator)
    first = pipelines.PipelineStageInput(label="New", display_order=0, metadata={"ticketState": "OPEN"})
    wanted = pipelines.PipelineInput(label="Escalations", display_order=1, stages=[first])
    made = core.create("tickets", pipeline_input=wanted)
    closed = pipelines.PipelineStageInput(label="Closed", display_order=1, metadata={"ticketState": "CLOSED"})
    stage = stages.create("tickets", made.id, pipeline_stage_input=closed)
    assert stage.metadata == {"ticketState": "CLOSED", "isClosed": "true"}
    patch = pipelines.PipelineStagePatchInput(label="Done")
    assert stages.update("tickets", made.id, stage.id, pipeline_stage_patch_input=patch).label == "Done"
    assert [one.label for one in core.get_all("tickets").results] == ["Support Pipeline", "Escalations"]
    core.archive("tickets", made.id, validate_references_before_delete=True)
    assert [one.label for one in core.get_all("tickets").results] == ["Support Pipeline"]


def test_a_custom_object_makes_a_round_trip_with_the_sdk(sdk: Any, emulator: Any) -> None:
    core = at(sdk.crm.schemas.core_api, emulator)
    first = schemas.ObjectTypePropertyCreate(name="community", label="Community", type="string", field_type="text")
    labels = schemas.ObjectTypeDefinitionLabels(singular="Property", plural="Properties")
    wanted = schemas.ObjectSchemaEgg(
        name="property", labels=labels, properties=[first], primary_display_property="community",
        required_properties=["community"], associated_objects=["COMPANY"],
    )  # fmt: skip
    made = core.create(object_schema_egg=wanted)
    assert made.fully_qualified_name == f"p{PORTALS['dev']}_property"
    assert [one.to_object_type_id for one in made.associations] == ["0-2"]
    patch = schemas.ObjectTypeDefinitionPatch(searchable_properties=["community"])
    assert core.update(made.object_type_id, object_type_definition_patch=patch).searchable_properties == ["community"]
    labelled = at(sdk.crm.associations.v4.schema.definitions_api, emulator)
    label = associations.PublicAssociationDefinitionCreateRequest(name="manages", label="Manages", inverse_label="Of")
    both = labelled.create(COMPANIES, made.object_type_id, public_association_definition_create_request=label)
    assert {one.label for one in both.results} == {"Manages", "Of"}
    listed = labelled.get_all(COMPANIES, made.object_type_id).results
    (type_id,) = [one.type_id for one in listed if one.label == "Manages"]
    labelled.remove(COMPANIES, made.object_type_id, type_id)
    core.archive_association(made.object_type_id, made.associations[0].id)
    core.archive(made.object_type_id)
    assert core.get_all().results == []
    assert [one.name for one in core.get_all(archived=True).results] == ["property"]


def test_lists_make_a_round_trip_with_the_sdk(sdk: Any, emulator: Any) -> None:
    core = at(sdk.crm.lists.lists_api, emulator)
    wanted = lists.ListCreateRequest(name="NMHC Top 50", object_type_id="0-2", processing_type="MANUAL")
    made = core.create(list_create_request=wanted).list
    found = core.get_by_name("NMHC Top 50", "0-2").list
    assert (found.list_id, found.processing_status) == (made.list_id, "COMPLETE")
    core.update_name(made.list_id, list_name="Top 50")
    searched = core.do_search(list_search_request=lists.ListSearchRequest(query="top", offset=0))
    assert [one.name for one in searched.lists] == ["Top 50"]
    core.remove(made.list_id)
    assert core.get_by_id(made.list_id).list.deleted_at is not None
    core.restore(made.list_id)
    assert core.get_by_id(made.list_id).list.deleted_at is None


def test_an_apps_webhooks_make_a_round_trip_with_the_sdk(emulator: Any) -> None:
    sdk = hubspot.Client.create(api_key=developer_key())
    settings, core = at(sdk.webhooks.settings_api, emulator), at(sdk.webhooks.subscriptions_api, emulator)
    throttling = ThrottlingSettings(max_concurrent_requests=10)
    wanted = SettingsChangeRequest(target_url="https://hooks.payready.com/hubspot", throttling=throttling)
    settings.configure(int(APP), settings_change_request=wanted)
    event = SubscriptionCreateRequest(event_type="deal.propertyChange", property_name="dealstage", active=True)
    made = core.create(int(APP), subscription_create_request=event)
    assert [one.id for one in core.get_all(int(APP)).results] == [made.id]
    core.archive(made.id, int(APP))
    settings.clear(int(APP))
    assert core.get_all(int(APP)).results == []


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("/crm/v3/properties/companies", {**NEW, "groupName": "none"}, 400, 'Property group "none" does not exist'),
        ("/crm/v3/properties/companies", {**NEW, "name": "Pms"}, 400, "must begin with a letter"),
        ("/crm/v3/properties/companies", {**NEW, "name": "domain"}, 409, 'named "domain" already exists'),
        ("/crm/v3/properties/companies", {**NEW, "fieldType": "select"}, 400, "Field type select is not valid"),
        ("/crm/v3/properties/companies", {**NEW, "type": "money"}, 400, "Invalid property type money"),
        (
            "/crm/v3/properties/companies",
            {**NEW, "options": [OPTION]},
            400,
            "Properties of type string have no options",
        ),
        ("/crm/v3/properties/companies", {"name": "x"}, 400, "Some required fields were not set: [label, type,"),
        ("/crm/v3/properties/boats", NEW, 400, "Unable to infer object type from: boats"),
        ("/crm/v3/pipelines/companies", {"label": "X", "displayOrder": 0, "stages": [STAGE]}, 400, "has no pipelines"),
        ("/crm/v3/pipelines/deals", {"label": "X", "displayOrder": 0, "stages": []}, 400, "at least one stage"),
        (
            "/crm/v3/pipelines/deals",
            {"label": "X", "displayOrder": 0, "stages": [{**STAGE, "metadata": {}}]},
            400,
            "need the metadata probability",
        ),
        ("/crm/v3/pipelines/deals", {"label": "X", "displayOrder": 0, "stages": [STAGE, STAGE]}, 409, "already exists"),
        ("/crm-object-schemas/v3/schemas", {**SCHEMA, "requiredProperties": ["x"]}, 400, "do not exist"),
        ("/crm-object-schemas/v3/schemas", {**SCHEMA, "name": "deals"}, 400, "Invalid object type name"),
        ("/crm/v4/associations/contacts/companies/labels", {"name": "a-b", "label": "X"}, 400, "may have no hyphen"),
        ("/crm/v3/lists/", {"name": "X", "objectTypeId": "0-2", "processingType": "STATIC"}, 400, "processingType is"),
        ("/crm/v3/lists/", {"name": "X", "objectTypeId": "0-2", "processingType": "DYNAMIC"}, 400, "filterBranch"),
        (
            "/crm/v3/lists/",
            {
                "name": "X",
                "objectTypeId": "0-2",
                "processingType": "DYNAMIC",
                "filterBranch": BRANCH["filterBranches"][0],
            },
            400,
            "The root of filters is an OR",
        ),
    ],
)
def test_what_hubspot_refuses_is_refused(
    client: httpx.Client, path: str, body: dict[str, Any], status: int, said: str
) -> None:
    answer = client.post(path, json=body)
    assert answer.status_code == status, answer.text
    assert said in answer.json()["message"]


def test_an_eleventh_unique_property_is_refused(client: httpx.Client) -> None:
    answers = [
        client.post("/crm/v3/properties/companies", json={**NEW, "name": f"key_{number}", "hasUniqueValue": True})
        for number in range(11)
    ]
    assert [answer.status_code for answer in answers] == [*(201 for _ in range(10)), 400]
    assert "at most 10" in answers[-1].json()["message"]


def test_what_a_list_filters_by_is_not_archived(client: httpx.Client) -> None:
    client.post("/crm/v3/properties/companies", json=NEW).raise_for_status()
    operation = {
        "operationType": "NUMBER",
        "operator": "IS_EQUAL_TO",
        "value": 1,
        "includeObjectsWithNoValueSet": False,
    }
    wanted = {"filterType": "PROPERTY", "property": "pms", "operation": operation}
    branch = {**BRANCH, "filterBranches": [{"filterBranchType": "AND", "filterBranches": [], "filters": [wanted]}]}
    body = {"name": "X", "objectTypeId": "0-2", "processingType": "DYNAMIC", "filterBranch": branch}
    assert "NUMBER is not for the property pms" in client.post("/crm/v3/lists/", json=body).json()["message"]
    operation |= {"operationType": "STRING", "value": "yardi"}
    assert client.post("/crm/v3/lists/", json=body).is_success
    refused = client.delete("/crm/v3/properties/companies/pms")
    assert refused.json()["context"] == {"usedBy": ["the list X"]}


def test_a_stages_token_sees_its_own_account_with_its_scopes(emulator: Any, client: httpx.Client) -> None:
    client.post("/crm/v3/properties/companies", json=NEW).raise_for_status()
    other = {"Authorization": f"Bearer {access_token('prod')}"}
    shown = httpx.get(f"{emulator.url}/crm/v3/properties/companies", headers=other, trust_env=False).json()["results"]
    assert "pms" not in [one["name"] for one in shown]
    assert httpx.get(f"{emulator.url}/account-info/v3/details", trust_env=False).status_code == 401
    assert client.get("/account-info/v3/details").json()["portalId"] == int(PORTALS["dev"])
    store = emulator.app.state.stores("hubspot")
    token = store.get("token", digest(access_token("dev")))
    store.put("token", digest(access_token("dev")), token | {"scopes": ["crm.schemas.companies.read"]})
    info = client.post("/oauth/v2/private-apps/get/access-token-info", json={"tokenKey": access_token("dev")}).json()
    assert info["scopes"] == ["crm.schemas.companies.read"]
    refused = client.post("/crm/v3/properties/companies", json={**NEW, "name": "other"})
    assert refused.status_code == 403
    assert refused.json()["errors"][0]["context"] == {"requiredGranularScopes": ["crm.schemas.companies.write"]}
    assert client.get("/crm/v3/lists/1").json()["category"] == "MISSING_SCOPES"


def test_the_developers_key_opens_webhooks_only(emulator: Any) -> None:
    address = f"{emulator.url}/webhooks/v3/{APP}/settings"
    assert httpx.get(address, params={"hapikey": "made-up"}, trust_env=False).status_code == 401
    assert httpx.get(address, params={"hapikey": developer_key()}, trust_env=False).status_code == 404
    other = address.replace(APP, "1")
    assert "belongs to this developer" in httpx.get(other, params={"hapikey": developer_key()}, trust_env=False).text

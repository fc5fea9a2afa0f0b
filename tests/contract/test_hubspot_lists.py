"""Our provider of HubSpot against the emulator: association labels, lists and webhooks, held against HubSpot's own SDK."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from providers import hubspot
from sandbox.hubspot import PLATFORM
from sandbox.hubspot.access import APP, PORTALS
from tests.contract import hubspot_shapes
from tests.contract.driven import Driven, new_run, unchanged
from tests.unit.base_platform import Engine, FailedError, State

COMPANIES = "0-2"
PROPERTY: dict[str, Any] = {
    "object_type": COMPANIES,
    "name": "units_managed",
    "label": "Units managed",
    "type": "number",
    "field_type": "number",
    "group": "companyinformation",
    "description": "Apartments under management",
}


def refused(operation: Callable[..., Any], *state: State, **news: Any) -> str:
    with pytest.raises(FailedError) as caught:
        operation(*state, **news)
    return str(caught.value)


def branch(name: str = "units_managed", value: int = 100) -> dict[str, Any]:
    operation = {
        "operationType": "NUMBER",
        "operator": "IS_GREATER_THAN",
        "value": value,
        "includeObjectsWithNoValueSet": False,
    }
    filters = [{"filterType": "PROPERTY", "property": name, "operation": operation}]
    inner = {"filterBranchType": "AND", "filterBranchOperator": "AND", "filterBranches": [], "filters": filters}
    return {"filterBranchType": "OR", "filterBranchOperator": "OR", "filters": [], "filterBranches": [inner]}


@pytest.fixture
def control(serve: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Driven]:
    with hubspot_shapes.driven(serve(PLATFORM), monkeypatch) as found:
        yield found


@pytest.mark.parametrize("inverse", [None, "Managed by"])
def test_an_association_label_is_found_in_its_direction(
    control: Driven, inverse: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"from_object_type": COMPANIES, "to_object_type": COMPANIES, "name": "manages", "label": "Manages"}
    if inverse:
        given["inverse_label"] = inverse
    made = unchanged(hubspot.AssociationLabel, given, monkeypatch)
    labels = {one["label"]: one["typeId"] for one in control.all("association_label")}
    assert made.outputs["type_id"] == labels["Manages"]
    assert made.id == f"0-2/0-2/{labels['Manages']}"
    engine = Engine(hubspot.AssociationLabel)
    updated = engine.update(made, **{**given, "label": "Operates"})
    assert "Operates" in {one["label"] for one in control.all("association_label")}
    assert updated.outputs["type_id"] == made.outputs["type_id"]
    engine.delete(updated)
    assert control.all("association_label") == []


def test_a_label_whose_answer_was_lost_is_found_again(control: Driven) -> None:
    control.lost = ["POST /crm/v4/associations/0-1/0-2/labels"]
    given = {"from_object_type": "0-1", "to_object_type": COMPANIES, "name": "decides", "label": "Decision maker"}
    made = Engine(hubspot.AssociationLabel).create(**given)
    assert len(control.all("association_label")) == 2, "one for each direction"
    assert made.outputs["type_id"] in [one["typeId"] for one in control.all("association_label")]


@pytest.mark.parametrize("processing", ["MANUAL", "DYNAMIC", "SNAPSHOT"])
def test_lists_of_every_kind_read_back(control: Driven, processing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Engine(hubspot.Property).create(**PROPERTY)
    given: dict[str, Any] = {"object_type": COMPANIES, "name": "NMHC Top 50", "processing_type": processing}
    if processing != "MANUAL":
        given["filter_branch"] = branch()
    made = unchanged(hubspot.List, given, monkeypatch)
    engine = Engine(hubspot.List)
    renamed = engine.update(made, **{**given, "name": "NMHC Top 50 operators"})
    assert control.all("list")[0]["name"] == "NMHC Top 50 operators"
    if processing == "DYNAMIC":
        engine.update(renamed, **{**given, "name": "NMHC Top 50 operators", "filter_branch": branch(value=500)})
        filters = control.all("list")[0]["filterBranch"]["filterBranches"][0]["filters"]
        assert filters[0]["operation"]["value"] == 500
    if processing == "SNAPSHOT":
        failed = refused(engine.update, renamed, **{**given, "filter_branch": branch(value=500)})
        assert "Filters can be changed of DYNAMIC lists only" in failed


def test_a_deleted_list_is_restored_and_not_made_twice(control: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"object_type": COMPANIES, "name": "NMHC Top 50", "processing_type": "MANUAL"}
    engine = Engine(hubspot.List)
    made = engine.create(**given)
    engine.delete(made)
    new_run(monkeypatch)
    assert engine.read(made) is None
    control.written()
    assert engine.create(**given).id == made.id
    assert control.written()[-1] == f"PUT /crm/v3/lists/{made.id}/restore"
    (live,) = control.all("list")
    assert "deletedAt" not in live


def test_a_restore_whose_answer_was_lost_is_not_asked_for_again(
    control: Driven, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"object_type": COMPANIES, "name": "NMHC Top 50", "processing_type": "MANUAL"}
    engine = Engine(hubspot.List)
    made = engine.create(**given)
    engine.delete(made)
    new_run(monkeypatch)
    control.lost = [f"PUT /crm/v3/lists/{made.id}/restore"]
    assert engine.create(**given).id == made.id
    assert len(control.all("list")) == 1


def test_lists_are_searched_to_their_end(control: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Engine(hubspot.List).create(object_type=COMPANIES, name="first", processing_type="MANUAL")
    document = control.store.get("list", f"{PORTALS['dev']}/{first.id}")
    for number in range(502):
        id_ = str(9000 + number)
        control.store.put("list", f"{PORTALS['dev']}/{id_}", document | {"listId": id_, "name": f"list {number}"})
    new_run(monkeypatch)
    control.requests.clear()
    given = {"object_type": COMPANIES, "name": "list 501", "processing_type": "MANUAL"}
    assert Engine(hubspot.List, "last").create(**given, adopt=True).id == "9501"
    assert control.requests.count("POST /crm/v3/lists/search") == 2


def test_webhooks_of_an_app_are_set_with_the_developers_key(control: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "app_id": APP,
        "target_url": "https://hooks.payready.com/hubspot",
        "throttling": {"maxConcurrentRequests": 10},
    }
    made = unchanged(hubspot.WebhookSettings, given, monkeypatch)
    asked = {"app_id": made.id, "event_type": "company.propertyChange", "property_name": "units_managed"}
    subscribed = unchanged(hubspot.WebhookSubscription, asked, monkeypatch)
    engine = Engine(hubspot.WebhookSubscription)
    paused = engine.update(subscribed, **{**asked, "active": False})
    assert control.all("webhook_subscription")[0]["active"] is False
    engine.delete(paused)
    changed = Engine(hubspot.WebhookSettings).update(made, **{**given, "target_url": "https://hooks.payready.com/new"})
    Engine(hubspot.WebhookSettings).delete(changed)
    assert control.all("webhook_settings") == []
    monkeypatch.setenv("HUBSPOT_DEVELOPER_API_KEY", "made-up-developer-key")
    failed = str(Engine(hubspot.WebhookSettings).failing_create(**given))
    assert "HUBSPOT_DEVELOPER_API_KEY in the ESC environment credentials-dev" in failed
    assert "made-up-developer-key" not in failed

"""Our provider of HubSpot against the emulator, every exchange held against the models of HubSpot's own SDK."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from providers import hubspot
from sandbox.http import digest
from sandbox.hubspot import PLATFORM
from sandbox.hubspot.access import PORTALS, access_token
from tests.contract import hubspot_shapes
from tests.contract.driven import Driven, new_run, unchanged
from tests.unit.base_platform import Engine, FailedError, State

COMPANIES, DEALS = "0-2", "0-3"
PROPERTY: dict[str, Any] = {
    "object_type": COMPANIES,
    "name": "units_managed",
    "label": "Units managed",
    "type": "number",
    "field_type": "number",
    "group": "companyinformation",
    "description": "Apartments under management",
}
OPTIONS = [{"value": "yardi", "label": "Yardi"}, {"value": "entrata", "label": "Entrata"}]
STAGES = [
    {"label": "Qualified", "displayOrder": 0, "metadata": {"probability": "0.2"}},
    {"label": "Won", "displayOrder": 1, "metadata": {"probability": "1.0"}},
]
PIPELINE: dict[str, Any] = {"object_type": DEALS, "label": "Payments", "display_order": 1, "stages": STAGES}
SCHEMA: dict[str, Any] = {
    "portal": PORTALS["dev"],
    "name": "property",
    "labels": {"singular": "Property", "plural": "Properties"},
    "description": "An apartment community",
    "primary": {"name": "community", "label": "Community", "type": "string", "fieldType": "text"},
}


def refused(operation: Callable[..., Any], *state: State, **news: Any) -> str:
    with pytest.raises(FailedError) as caught:
        operation(*state, **news)
    return str(caught.value)


@pytest.fixture
def control(serve: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Driven]:
    with hubspot_shapes.driven(serve(PLATFORM), monkeypatch) as found:
        yield found


def test_the_account_must_be_the_one_of_the_settings(control: Driven) -> None:
    engine = Engine(hubspot.Account, "portal_id")
    assert engine.create(portal_id=PORTALS["dev"], adopt=True).id == PORTALS["dev"]
    failed = str(engine.failing_create(portal_id="999", adopt=True))
    assert "the token is of the account 24681011, and the settings are those of 999" in failed
    assert "sophia-ai:hubspot.portal_id" in failed
    assert control.written() == []


def test_an_object_type_is_found_by_name_and_never_made(control: Driven) -> None:
    engine = Engine(hubspot.ObjectType, "deals")
    assert engine.create(portal=PORTALS["dev"], name="deals", adopt=True).id == DEALS
    failed = str(Engine(hubspot.ObjectType, "property").failing_create(portal="1", name="property", adopt=True))
    assert "the account has no object type 'property'" in failed
    assert control.written() == []


def test_a_scope_that_the_token_lacks_is_named(control: Driven) -> None:
    token = digest(access_token("dev"))
    control.all("portal")  # nothing is there before the first request
    Engine(hubspot.Account).create(portal_id=PORTALS["dev"], adopt=True)
    control.change("token", token, scopes=["crm.schemas.companies.read", "crm.schemas.companies.write"])
    failed = str(Engine(hubspot.ObjectType).failing_create(portal=PORTALS["dev"], name="deals", adopt=True))
    assert "crm.schemas.deals.read" in failed
    assert "403" in failed


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"type": "string", "field_type": "text", "has_unique_value": True},
        {"type": "enumeration", "field_type": "select", "options": OPTIONS},
        {"type": "bool", "field_type": "booleancheckbox", "form_field": True},
        {"type": "date", "field_type": "date", "hidden": True},
        {"field_type": "calculation_equation", "calculation_formula": "annualrevenue / 12"},
    ],
)
def test_properties_of_every_type_read_back(
    control: Driven, given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = unchanged(hubspot.Property, {**PROPERTY, **given}, monkeypatch)
    assert made.id == "0-2/units_managed"
    (live,) = control.all("property")
    assert live["description"] == "Apartments under management (managed by sophia-ai/dev)"


def test_a_property_is_changed_in_what_changed_and_archived(control: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, made = Engine(hubspot.Property), unchanged(hubspot.Property, PROPERTY, monkeypatch)
    control.written()
    updated = engine.update(made, **{**PROPERTY, "label": "Units"})
    assert control.written() == ["PATCH /crm/v3/properties/0-2/units_managed"]
    engine.delete(updated)
    (kept,) = control.all("property")
    assert (kept["label"], kept["archived"]) == ("Units", True)
    new_run(monkeypatch)
    assert engine.read(updated) is None


def test_an_archived_property_is_restored_and_not_made_twice(control: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(hubspot.Property)
    given = {**PROPERTY, "type": "enumeration", "field_type": "select", "options": OPTIONS}
    engine.delete(engine.create(**given))
    new_run(monkeypatch)
    control.written()
    again = engine.create(**{**given, "label": "Units"})
    assert control.written()[0] == "POST /crm/v3/properties/0-2"
    (live,) = control.all("property")
    assert (live["archived"], live["label"], [one["value"] for one in live["options"]]) == (
        False, "Units", ["yardi", "entrata"]
    )  # fmt: skip
    new_run(monkeypatch)
    seen = engine.read(again)
    assert seen
    assert not engine.changes(seen, **{**given, "label": "Units"})


def test_an_archived_property_of_somebody_elses_is_not_taken_without_asking(
    control: Driven, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(hubspot.Property)
    engine.delete(engine.create(**PROPERTY))
    control.change("property", f"{PORTALS['dev']}/0-2/units_managed", description="by hand")
    new_run(monkeypatch)
    assert "is not managed by this stack" in str(engine.failing_create(**PROPERTY))
    assert control.all("property")[0]["archived"]
    new_run(monkeypatch)
    engine.create(**PROPERTY, adopt=True)
    assert not control.all("property")[0]["archived"]


def test_options_are_added_ordered_and_hidden_but_never_lost(control: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {**PROPERTY, "type": "enumeration", "field_type": "select", "options": OPTIONS}
    engine, made = Engine(hubspot.Property), unchanged(hubspot.Property, given, monkeypatch)
    later = {
        **given,
        "options": [{"value": "realpage", "label": "RealPage"}, {"value": "yardi", "label": "Yardi Voyager"}],
    }
    assert engine.changed(made, **later) == ["options"]
    updated = engine.update(made, **later)
    (live,) = control.all("property")
    assert [(one["value"], one["label"], one["hidden"]) for one in live["options"]] == [
        ("realpage", "RealPage", False), ("yardi", "Yardi Voyager", False), ("entrata", "Entrata", True)
    ]  # fmt: skip
    new_run(monkeypatch)
    seen = engine.read(updated)
    assert seen
    assert not engine.changes(seen, **later)
    engine.update(seen, **given)
    assert [one["value"] for one in control.all("property")[0]["options"] if not one["hidden"]] == ["yardi", "entrata"]


def test_a_property_with_data_is_not_replaced(control: Driven) -> None:
    engine = Engine(hubspot.Property)
    made = engine.create(**PROPERTY)
    asked = {**PROPERTY, "has_unique_value": True}
    difference = engine.diff(made, **asked)
    assert list(difference.replaces) == ["has_unique_value"]
    assert "records have values in the property" in hubspot.Property.kind.irreplaceable


def test_a_group_is_made_renamed_and_gone_when_empty(control: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"object_type": COMPANIES, "name": "sophia", "label": "Sophia", "display_order": 0}
    engine, made = Engine(hubspot.PropertyGroup), unchanged(hubspot.PropertyGroup, given, monkeypatch)
    updated = engine.update(made, **{**given, "label": "Sophia AI"})
    held = Engine(hubspot.Property).create(**{**PROPERTY, "group": "sophia"})
    assert "properties are in it" in refused(engine.delete, updated)
    Engine(hubspot.Property).delete(held)
    engine.delete(updated)
    assert control.all("property_group") == []


def test_a_pipeline_comes_with_its_stages_which_are_taken_over(
    control: Driven, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = unchanged(hubspot.Pipeline, PIPELINE, monkeypatch)
    live = next(one for one in control.all("pipeline") if one["label"] == "Payments")
    assert (made.id, made.outputs["pipeline_id"]) == (f"0-3/{live['id']}", live["id"])
    control.written()
    stage: dict[str, Any] = {
        "pipeline": made.id, "label": "Qualified", "display_order": 0, "metadata": {"probability": "0.2"}, "adopt": True
    }  # fmt: skip
    engine = Engine(hubspot.PipelineStage)
    first = engine.create(**stage)
    assert control.written() == [], "it is there as it is wanted"
    assert first.id == live["stages"][0]["id"]
    renamed = engine.update(first, **{**stage, "label": "Discovery", "metadata": {"probability": "0.3"}})
    assert control.written() == [f"PATCH /crm/v3/pipelines/0-3/{live['id']}/stages/{first.id}"]
    new_run(monkeypatch)
    seen = engine.read(renamed)
    assert seen
    assert seen.inputs["label"] == "Discovery"
    added = Engine(hubspot.PipelineStage, "lost").create(
        pipeline=made.id, label="Lost", display_order=2, metadata={"probability": "0.0"}
    )
    control.store.put("record", "1", {"id": "1", "portal": PORTALS["dev"], "objectType": DEALS, "stage": added.id})
    assert "in use by 1 records" in refused(Engine(hubspot.PipelineStage, "lost").delete, added)
    assert "in use by 1 records" in refused(Engine(hubspot.Pipeline).delete, made)
    control.store.delete("record", "1")
    Engine(hubspot.Pipeline).delete(made)
    assert [one["label"] for one in control.all("pipeline")] == ["Sales Pipeline"]


def test_a_custom_object_with_roles_and_associations_lives_and_goes(
    control: Driven, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = unchanged(hubspot.Schema, SCHEMA, monkeypatch)
    assert schema.id.startswith("2-")
    first = {**PROPERTY, "object_type": schema.id, "name": "community", "label": "Community name", "type": "string",
             "field_type": "text", "group": "property_information"}  # fmt: skip
    Engine(hubspot.Property, "community").create(**first, adopt=True)
    units = Engine(hubspot.Property, "units").create(
        **{**PROPERTY, "object_type": schema.id, "name": "units", "group": "property_information"}
    )
    roles = {
        "object_type": schema.id,
        "primary_display_property": "community",
        "secondary_display_properties": ["units"],
        "required_properties": ["community"],
        "searchable_properties": ["units", "community"],
    }
    assigned = Engine(hubspot.SchemaRoles).create(**roles, adopt=True)
    new_run(monkeypatch)
    seen = Engine(hubspot.SchemaRoles).read(assigned)
    assert seen
    assert not Engine(hubspot.SchemaRoles).changes(seen, **roles, adopt=True)
    associated = unchanged(
        hubspot.SchemaAssociation, {"object_type": schema.id, "to_object_type": COMPANIES}, monkeypatch
    )
    engine = Engine(hubspot.Schema)
    later = {**SCHEMA, "labels": {"singular": "Community", "plural": "Communities"}}
    schema = engine.update(schema, **later)
    assert control.all("schema")[0]["labels"]["plural"] == "Communities"
    assert "is in use" in refused(Engine(hubspot.Property, "units").delete, units)
    assert "associations: delete these first" in refused(engine.delete, schema)
    Engine(hubspot.SchemaAssociation).delete(associated)
    Engine(hubspot.SchemaRoles).delete(assigned)
    Engine(hubspot.Property, "units").delete(units)
    engine.delete(schema)
    assert control.all("schema") == [], "for good: its name can be used again"
    new_run(monkeypatch)
    assert engine.create(**SCHEMA).id != schema.id


def test_an_archived_custom_object_stands_in_the_way_and_it_is_said_how_to_be_rid_of_it(control: Driven) -> None:
    made = Engine(hubspot.Schema).create(**SCHEMA)
    control.change("schema", f"{PORTALS['dev']}/{made.id}", archived=True)
    failed = str(Engine(hubspot.Schema, "other").failing_create(**SCHEMA))
    assert "delete the archived custom object of that name for good" in failed


def test_a_property_whose_answer_was_lost_is_found_again(control: Driven) -> None:
    control.lost = ["POST /crm/v3/properties/0-2"]
    made = Engine(hubspot.Property).create(**PROPERTY)
    assert made.id == "0-2/units_managed"
    assert len(control.all("property")) == 1


def test_a_token_that_is_not_taken_is_told_and_not_shown(control: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", "made-up-token")
    failed = str(Engine(hubspot.Account).failing_create(portal_id="1", adopt=True))
    assert "HUBSPOT_ACCESS_TOKEN in the ESC environment credentials-dev" in failed
    assert "made-up-token" not in failed


def test_what_was_in_a_custom_object_that_is_gone_is_gone(control: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    schema = Engine(hubspot.Schema).create(**SCHEMA)
    given = {**PROPERTY, "object_type": schema.id, "group": "property_information"}
    made = Engine(hubspot.Property).create(**given)
    control.store.delete("schema", f"{PORTALS['dev']}/{schema.id}")
    new_run(monkeypatch)
    assert Engine(hubspot.Property).read(made) is None
    assert Engine(hubspot.Schema).read(schema) is None

"""HubSpot: what a CRM is made of. Properties, pipelines, custom objects, association labels, lists; an app's webhooks.

Records, and their memberships in lists, are people's and other programs' work: nothing here reads or writes one.

Source of facts: HubSpot's API reference, and its Python SDK for the shapes. What takes more than one request is in
``providers/hubspot_calls.py``, the inputs are in ``providers/hubspot_inputs.py``.
"""

from __future__ import annotations

from collections.abc import Callable

import pulumi

from providers import base
from providers import hubspot_inputs as inputs
from providers.base import Call, Calls, Inputs, Json, Kind, Out, Within
from providers.hubspot_calls import (
    HUBSPOT,
    HUBSPOT_APP,
    LISTS,
    PIPELINES,
    PROPERTIES,
    REFERENCES,
    SCHEMAS,
    WEBHOOKS,
    ArrangeOptions,
    Bare,
    DeleteLabel,
    DeleteSchema,
    EvenArchived,
    LabelsOf,
    MakeAgain,
    MakeLabel,
    MakeSchema,
    NoSuchType,
    ObjectTypes,
    OneAccount,
    ReadObjectType,
    Relabel,
    TheAccount,
    WholeLists,
    WithArchived,
    listing,
    new_schema,
    property_shown,
    with_options,
)

_FILTERS = {"includeFilters": "true"}


def _without(*names: str) -> Callable[[Json, Inputs], Json]:
    """A payload without inputs that stand in the path."""
    return lambda payload, _wanted: {name: value for name, value in payload.items() if name not in names}


def _archived(document: Json) -> bool:
    return bool(document.get("archived"))


class Account(base.Resource):
    """The account that the token is of. It is looked up, and must be the one that the settings name.

    Declare it with ``adopt=True``, always. Whatever else is declared depends on it: with the token of another account
    nothing is read or written.
    """

    kind = Kind(
        api=HUBSPOT,
        title="account",
        setting="portal_id",
        inputs=inputs.AccountInputs,
        calls=Calls(
            create=TheAccount(), read=TheAccount(), listing=OneAccount(Call("GET", "/account-info/v3/details"))
        ),
        identity="portalId",
        natural_key=("portal_id",),
    )


class ObjectType(base.Resource):
    """A type of objects that is there: HubSpot's own, or a custom one. Looked up, and never made or changed.

    Declare it with ``adopt=True``, always.
    """

    kind = Kind(
        api=HUBSPOT,
        title="object type",
        setting="objects",
        inputs=inputs.ObjectTypeInputs,
        calls=Calls(
            create=NoSuchType(), read=ReadObjectType(), listing=ObjectTypes(Call("GET", SCHEMAS), items="results")
        ),
        identity="id",
        natural_key=("name",),
        within=Within("portal", Account.kind),
    )


class Schema(base.Resource):
    """A custom object. Its description ends with the stack that manages it. It needs an Enterprise account.

    Destroying it deletes it for good, so that its name can be used again; HubSpot refuses while it has records.
    """

    kind = Kind(
        api=HUBSPOT,
        title="custom object",
        setting="objects",
        inputs=inputs.SchemaInputs,
        calls=Calls(
            create=MakeSchema("POST", SCHEMAS),
            read=Call("GET", f"{SCHEMAS}/{{id}}"),
            update=Call("PATCH", f"{SCHEMAS}/{{id}}"),
            delete=DeleteSchema(),
            listing=listing(SCHEMAS),
        ),
        identity="objectTypeId",
        natural_key=("name",),
        within=Within("portal", Account.kind),
        mark="description",
        encode=new_schema,  # type: ignore[arg-type] # the inputs are of this kind
        hidden=_archived,
        irreplaceable="its records do not move with the setting: declare another custom object under another key",
    )


class SchemaRoles(base.Resource):
    """Which properties of a custom object are shown first, required and searched. Every custom object has such.

    Declare it with ``adopt=True``, always, and after the properties that it names. Destroying it takes the roles back, so
    that HubSpot lets the properties be archived; the one that is shown first stays so.
    """

    kind = Kind(
        api=HUBSPOT,
        title="roles of properties",
        setting="objects",
        inputs=inputs.SchemaRolesInputs,
        calls=Calls(
            create=Call("PATCH", f"{SCHEMAS}/{{object_type}}"),
            read=Call("GET", f"{SCHEMAS}/{{object_type}}"),
            update=Call("PATCH", f"{SCHEMAS}/{{object_type}}"),
            delete=Call(
                "PATCH",
                f"{SCHEMAS}/{{object_type}}",
                body={"requiredProperties": [], "searchableProperties": [], "secondaryDisplayProperties": []},
            ),
        ),
        identity="{object_type}",
        natural_key=("object_type",),
        encode=_without("object_type"),
    )


class SchemaAssociation(base.Resource):
    """That a custom object's records can be associated with those of another type. Deleting it deletes the associations."""

    kind = Kind(
        api=HUBSPOT,
        title="association of a custom object",
        setting="objects",
        inputs=inputs.SchemaAssociationInputs,
        calls=Calls(
            create=Call("POST", f"{SCHEMAS}/{{object_type}}/associations"),
            delete=Call("DELETE", f"{SCHEMAS}/{{object_type}}/associations/{{id}}"),
            listing=listing(f"{SCHEMAS}/{{object_type}}", items="associations"),
        ),
        identity="id",
        natural_key=("to_object_type",),
        within=Within("object_type", Schema.kind),
    )


class PropertyGroup(base.Resource):
    """A group of properties. HubSpot archives none that has properties in it. There is no room for a mark."""

    name: pulumi.Output[str]

    kind = Kind(
        api=HUBSPOT,
        title="property group",
        setting="objects",
        inputs=inputs.PropertyGroupInputs,
        calls=Calls(
            create=Call("POST", f"{PROPERTIES}/{{object_type}}/groups"),
            read=Call("GET", f"{PROPERTIES}/{{object_type}}/groups/{{name}}"),
            update=Call("PATCH", f"{PROPERTIES}/{{object_type}}/groups/{{name}}"),
            delete=Call("DELETE", f"{PROPERTIES}/{{object_type}}/groups/{{name}}"),
            listing=listing(f"{PROPERTIES}/{{object_type}}/groups"),
        ),
        identity="{object_type}/{name}",
        natural_key=("name",),
        within=Within("object_type", ObjectType.kind, empty=False),
        encode=_without("object_type"),
        hidden=_archived,
    )


class Property(base.Resource):
    """A property of an object type. Its description ends with the stack that manages it.

    HubSpot archives what is deleted, keeps it for 90 days, and brings it back when the name is made again: so does this.
    An option that is no longer wanted is hidden, and records that have it keep it. Sensitive properties are not managed:
    the SDK that shapes are held against does not know of them, and Sophia keeps such data out of the CRM.
    """

    name: pulumi.Output[str]

    kind = Kind(
        api=HUBSPOT,
        title="property",
        setting="objects",
        inputs=inputs.PropertyInputs,
        calls=Calls(
            create=Call("POST", f"{PROPERTIES}/{{object_type}}"),
            read=EvenArchived("GET", f"{PROPERTIES}/{{object_type}}/{{name}}"),
            update=Call("PATCH", f"{PROPERTIES}/{{object_type}}/{{name}}"),
            delete=Call("DELETE", f"{PROPERTIES}/{{object_type}}/{{name}}"),
            listing=WithArchived(Call("GET", f"{PROPERTIES}/{{object_type}}"), items="results"),
            setters={"options": ArrangeOptions()},
            revive=(MakeAgain("POST", f"{PROPERTIES}/{{object_type}}"),),
        ),
        identity="{object_type}/{name}",
        natural_key=("name",),
        within=Within("object_type", ObjectType.kind, empty=False),
        mark="description",
        encode=with_options,  # type: ignore[arg-type] # the inputs are of this kind
        decode=property_shown,
        hidden=_archived,
        reset={"calculationFormula": ""},
        irreplaceable=(
            "records have values in the property, which would be lost. Declare another property under another name, bring "
            "the values over, then remove this one"
        ),
    )


class Pipeline(base.Resource):
    """A pipeline, made with its stages. Its id has the object type before it; ``pipeline_id`` is HubSpot's own.

    HubSpot refuses to delete one that has records in it, or that a workflow uses. There is no room for a mark; it is found
    by its label.
    """

    pipeline_id: pulumi.Output[str]

    kind = Kind(
        api=HUBSPOT,
        title="pipeline",
        setting="objects",
        inputs=inputs.PipelineInputs,
        calls=Calls(
            create=Call("POST", f"{PIPELINES}/{{object_type}}"),
            read=Call("GET", f"{PIPELINES}/{{id:/}}"),
            update=Call("PATCH", f"{PIPELINES}/{{id:/}}"),
            delete=Call("DELETE", f"{PIPELINES}/{{id:/}}", params=REFERENCES),
            listing=listing(f"{PIPELINES}/{{object_type}}"),
        ),
        identity="{object_type}/{id}",
        natural_key=("label",),
        within=Within("object_type", ObjectType.kind, empty=False),
        outputs=(Out("pipeline_id", "id"),),
        encode=_without("object_type"),
        hidden=_archived,
    )


class PipelineStage(base.Resource):
    """A stage of a pipeline. One that came with a new pipeline is taken over: declare it with ``adopt=True``, always.

    HubSpot refuses to delete one that records are in. There is no room for a mark; it is found by its label.
    """

    kind = Kind(
        api=HUBSPOT,
        title="pipeline stage",
        setting="objects",
        inputs=inputs.PipelineStageInputs,
        calls=Calls(
            create=Call("POST", f"{PIPELINES}/{{pipeline:/}}/stages"),
            read=Call("GET", f"{PIPELINES}/{{pipeline:/}}/stages/{{id}}"),
            update=Call("PATCH", f"{PIPELINES}/{{pipeline:/}}/stages/{{id}}"),
            delete=Call("DELETE", f"{PIPELINES}/{{pipeline:/}}/stages/{{id}}", params=REFERENCES),
            listing=listing(f"{PIPELINES}/{{pipeline:/}}/stages"),
        ),
        identity="id",
        natural_key=("label",),
        within=Within("pipeline", Pipeline.kind, empty=False),
        encode=_without("pipeline"),
        hidden=_archived,
    )


class AssociationLabel(base.Resource):
    """A label of associations between two object types, and its inverse. ``type_id`` is what records are associated with.

    HubSpot makes that number, and lists labels only: a change of the inverse by hand is not seen. There is no room for a
    mark; it is found by the two types and the label. Destroying it takes it off all records.
    """

    type_id: pulumi.Output[int]

    kind = Kind(
        api=HUBSPOT,
        title="association label",
        setting="association_labels",
        inputs=inputs.AssociationLabelInputs,
        calls=Calls(
            create=MakeLabel(),
            update=Relabel(),
            delete=DeleteLabel(),
            listing=LabelsOf(Call("GET", SCHEMAS), items="results"),
            update_sends="whole",
        ),
        identity="{from_object_type}/{to_object_type}/{id}",
        natural_key=("to_object_type", "label"),
        within=Within("from_object_type", ObjectType.kind, empty=False),
        outputs=(Out("type_id", "typeId"),),
        encode=_without("fromObjectType", "toObjectType"),
        irreplaceable="records are associated by it: declare another label under another key",
    )


class List(base.Resource):
    """A list, which HubSpot's pages call a segment. Its name is unique; there is no room for a mark.

    HubSpot keeps a deleted one for 90 days: one of the same name and object type is restored, not made again. Who is in a
    MANUAL list is not managed. A SNAPSHOT was filtered once, when it was made: its filters are for good.
    """

    kind = Kind(
        api=HUBSPOT,
        title="list",
        setting="lists",
        inputs=inputs.ListInputs,
        calls=Calls(
            create=Call("POST", f"{LISTS}/", answer="list"),
            read=Call("GET", f"{LISTS}/{{id}}", params=_FILTERS, answer="list"),
            delete=Call("DELETE", f"{LISTS}/{{id}}"),
            listing=WholeLists(Call("POST", f"{LISTS}/search", repeatable=True), items="lists"),
            setters={
                "name": Bare("PUT", f"{LISTS}/{{id}}/update-list-name", params={"listName": "{name}"}),
                "filterBranch": Call("PUT", f"{LISTS}/{{id}}/update-list-filters", answer="updatedList"),
            },
            find=Call("GET", f"{LISTS}/object-type-id/{{object_type}}/name/{{name}}", params=_FILTERS, answer="list"),
            revive=(Bare("PUT", f"{LISTS}/{{id}}/restore"),),
        ),
        identity="listId",
        natural_key=("name",),
        within=Within("object_type", ObjectType.kind),
        hidden=lambda document: bool(document.get("deletedAt")),
        irreplaceable="who is in the list does not move with the setting: declare another list under another key",
    )


class WebhookSettings(base.Resource):
    """Where a public app's events are sent. One app has one; it is HubSpot's developer key that may write it."""

    kind = Kind(
        api=HUBSPOT_APP,
        title="webhook settings",
        setting="webhooks",
        inputs=inputs.WebhookSettingsInputs,
        calls=Calls(
            create=Call("PUT", f"{WEBHOOKS}/{{app_id}}/settings"),
            read=Call("GET", f"{WEBHOOKS}/{{app_id}}/settings"),
            update=Call("PUT", f"{WEBHOOKS}/{{app_id}}/settings"),
            delete=Call("DELETE", f"{WEBHOOKS}/{{app_id}}/settings"),
            update_sends="whole",
        ),
        identity="{app_id}",
        natural_key=("app_id",),
        encode=_without("app_id"),
    )


class WebhookSubscription(base.Resource):
    """An event that a public app is sent, from every account that has installed it."""

    kind = Kind(
        api=HUBSPOT_APP,
        title="webhook subscription",
        setting="webhooks",
        inputs=inputs.WebhookSubscriptionInputs,
        calls=Calls(
            create=Call("POST", f"{WEBHOOKS}/{{app_id}}/subscriptions"),
            read=Call("GET", f"{WEBHOOKS}/{{app_id}}/subscriptions/{{id}}"),
            update=Call("PATCH", f"{WEBHOOKS}/{{app_id}}/subscriptions/{{id}}"),
            delete=Call("DELETE", f"{WEBHOOKS}/{{app_id}}/subscriptions/{{id}}"),
            listing=listing(f"{WEBHOOKS}/{{app_id}}/subscriptions"),
        ),
        identity="id",
        natural_key=("event_type", "property_name", "object_type"),
        within=Within("app_id", WebhookSettings.kind),
        encode=_without("app_id"),
    )

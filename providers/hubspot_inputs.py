"""What HubSpot's objects are asked for with: names in our spelling, on the wire in HubSpot's.

An ``object_type`` is an id of HubSpot's, such as ``0-2`` for companies or ``2-34567`` for a custom object.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from providers.base import Carried, Immutable, Inputs, Json, Unordered, Unseen


class AccountInputs(Inputs):
    """The account that the token must be of: HubSpot calls its number the Hub ID, or portal ID."""

    portal_id: Immutable[str] = Field(alias="portalId")


class ObjectTypeInputs(Inputs):
    """``name``: contacts, companies, deals, tickets, or that of a custom object. ``portal``: the account's id."""

    portal: Immutable[str]
    name: Immutable[str]


class SchemaInputs(Inputs):
    """``labels``: ``singular`` and ``plural``. ``primary``: the property that a new object type is made with."""

    portal: Immutable[str]
    name: Immutable[str]
    labels: dict[str, str]
    description: str = ""
    primary: Carried[Json]


class SchemaRolesInputs(Inputs):
    """Names of properties that are there."""

    object_type: Immutable[str]
    primary_display_property: str = Field(alias="primaryDisplayProperty")
    secondary_display_properties: list[str] = Field(alias="secondaryDisplayProperties")
    required_properties: Unordered[str] = Field(alias="requiredProperties")
    searchable_properties: Unordered[str] = Field(alias="searchableProperties")


class SchemaAssociationInputs(Inputs):
    """Two object types, the first one a custom object."""

    object_type: Immutable[str] = Field(alias="fromObjectTypeId")
    to_object_type: Immutable[str] = Field(alias="toObjectTypeId")


class PropertyGroupInputs(Inputs):
    object_type: Immutable[str]
    name: Immutable[str]
    label: str
    display_order: int = Field(alias="displayOrder")


class PropertyInputs(Inputs):
    """``options`` of an enumeration, from the first to the last: ``value``, ``label`` and maybe ``description``."""

    object_type: Immutable[str]
    name: Immutable[str]
    label: str
    type: Literal["string", "number", "date", "datetime", "enumeration", "bool"]
    field_type: str = Field(alias="fieldType")
    group: str = Field(alias="groupName")
    description: str = ""
    options: list[dict[str, str]] | None = None
    has_unique_value: Immutable[bool] = Field(default=False, alias="hasUniqueValue")
    hidden: bool = False
    form_field: bool = Field(default=False, alias="formField")
    display_order: int = Field(default=-1, alias="displayOrder")
    calculation_formula: str | None = Field(default=None, alias="calculationFormula")


class PipelineInputs(Inputs):
    """``stages``: those that a new pipeline is made with, as HubSpot takes them; afterwards each is an object of its own."""

    object_type: Immutable[str]
    label: str
    display_order: int = Field(alias="displayOrder")
    stages: Carried[list[Json]]


class PipelineStageInputs(Inputs):
    """``pipeline``: the id of a pipeline, with its object type before it. ``metadata``: texts, as HubSpot has them."""

    pipeline: Immutable[str]
    label: str
    display_order: int = Field(alias="displayOrder")
    metadata: dict[str, str] = Field(default_factory=dict)


class AssociationLabelInputs(Inputs):
    """``name`` is internal, and HubSpot never shows it again; nor does it say which label is the inverse of which."""

    from_object_type: Immutable[str] = Field(alias="fromObjectType")
    to_object_type: Immutable[str] = Field(alias="toObjectType")
    name: Immutable[str]
    label: str
    inverse_label: Unseen[str | None] = Field(default=None, alias="inverseLabel")


class ListInputs(Inputs):
    """``filter_branch`` as HubSpot's guide on list filters describes it: OR of AND of filters."""

    object_type: Immutable[str] = Field(alias="objectTypeId")
    name: str
    processing_type: Immutable[Literal["MANUAL", "DYNAMIC", "SNAPSHOT"]] = Field(alias="processingType")
    filter_branch: dict[str, Any] | None = Field(default=None, alias="filterBranch")


class WebhookSettingsInputs(Inputs):
    """``throttling``: ``{"maxConcurrentRequests": 10}``."""

    app_id: Immutable[str]
    target_url: str = Field(alias="targetUrl")
    throttling: dict[str, int]


class WebhookSubscriptionInputs(Inputs):
    app_id: Immutable[str]
    event_type: Immutable[str] = Field(alias="eventType")
    property_name: Immutable[str | None] = Field(default=None, alias="propertyName")
    object_type: Immutable[str | None] = Field(default=None, alias="objectTypeId")
    active: bool = True

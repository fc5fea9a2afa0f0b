"""An object of every kind of HubSpot's that a list shows: as it is asked for, and as HubSpot shows it."""

from __future__ import annotations

from providers import hubspot
from tests.unit.shown.example import OURS, Examples

SHOWN: Examples = {
    "hubspot custom object": (
        hubspot.Schema,
        {
            "portal": "1",
            "name": "property",
            "labels": {"singular": "Property", "plural": "Properties"},
            "primary": {"name": "community", "label": "Community", "type": "string", "fieldType": "text"},
        },
        {
            "id": "345",
            "objectTypeId": "2-345",
            "name": "property",
            "labels": {"singular": "Property", "plural": "Properties"},
            "description": OURS,
            "primaryDisplayProperty": "community",
            "archived": False,
        },
        "2-345",
    ),
    "hubspot roles of properties": (
        hubspot.SchemaRoles,
        {
            "object_type": "2-345",
            "primary_display_property": "community",
            "secondary_display_properties": [],
            "required_properties": ["community"],
            "searchable_properties": ["community", "market"],
        },
        {
            "objectTypeId": "2-345",
            "primaryDisplayProperty": "community",
            "secondaryDisplayProperties": [],
            "requiredProperties": ["community"],
            "searchableProperties": ["market", "community"],
        },
        "2-345",
    ),
    "hubspot association of a custom object": (
        hubspot.SchemaAssociation,
        {"object_type": "2-345", "to_object_type": "0-2"},
        {"id": "201", "fromObjectTypeId": "2-345", "toObjectTypeId": "0-2", "name": "property_to_company"},
        "201",
    ),
    "hubspot property group": (
        hubspot.PropertyGroup,
        {"object_type": "0-2", "name": "sophia", "label": "Sophia", "display_order": 0},
        {"name": "sophia", "label": "Sophia", "displayOrder": 0, "archived": False},
        "0-2/sophia",
    ),
    "hubspot pipeline": (
        hubspot.Pipeline,
        {"object_type": "0-3", "label": "Payments", "display_order": 1, "stages": [{"label": "Won"}]},
        {
            "id": "68",
            "label": "Payments",
            "displayOrder": 1,
            "archived": False,
            "stages": [{"id": "98", "label": "Won"}],
        },
        "0-3/68",
    ),
    "hubspot pipeline stage": (
        hubspot.PipelineStage,
        {"pipeline": "0-3/68", "label": "Won", "display_order": 1, "metadata": {"probability": "1.0"}},
        {"id": "98", "label": "Won", "displayOrder": 1, "metadata": {"probability": "1.0", "isClosed": "true"}},
        "98",
    ),
    "hubspot webhook subscription": (
        hubspot.WebhookSubscription,
        {"app_id": "7", "event_type": "company.propertyChange", "property_name": "nmhc_rank"},
        {"id": "19", "eventType": "company.propertyChange", "propertyName": "nmhc_rank", "active": True},
        "19",
    ),
}

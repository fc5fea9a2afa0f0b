"""What Apollo shows of objects that were made with some inputs."""

from __future__ import annotations

from providers import apollo
from tests.unit.shown.example import Examples

SHOWN: Examples = {
    "apollo schedule": (
        apollo.Schedule,
        {"name": "Normal Business Hours"},
        {"id": "x", "name": "Normal Business Hours", "default": True, "time_zone": "America/Los_Angeles"},
        "x",
    ),
    "apollo contact stage": (apollo.ContactStage, {"name": "Cold"}, {"id": "x", "name": "Cold", "category": None}, "x"),
    "apollo account stage": (apollo.AccountStage, {"name": "Review"}, {"id": "x", "name": "Review"}, "x"),
    "apollo user": (
        apollo.User,
        {"email": "Sales@payready.com"},
        {"id": "x", "email": "sales@payready.com", "first_name": None, "deleted": False},
        "x",
    ),
    "apollo field": (
        apollo.CustomField,
        {"modality": "contact", "type": "string", "label": "Renewal owner", "max_length": 240},
        {
            "id": "contact.694095a80f1b6000110fc556",
            "category": "person",
            "context": ["finder", "csv_export"],
            "editable": True,
            "label": "Renewal owner",
            "modality": "contact",
            "source": "custom",
            "type": "string",
            "project_workspace_id": None,
            "created_at": "2025-12-15T23:11:36.084Z",
            "meta": {"max_length": 240, "computed_type": "manual", "visibility_status": "active"},
        },
        "contact.694095a80f1b6000110fc556",
    ),
    "apollo field of many lines": (
        apollo.CustomField,
        {"modality": "account", "type": "textarea", "label": "Notes of the call"},
        {"id": "account.1", "label": "Notes of the call", "modality": "account", "type": "text", "meta": None},
        "account.1",
    ),
    "apollo picklist": (
        apollo.CustomField,
        {
            "modality": "account",
            "type": "multipicklist",
            "label": "Systems",
            "options": {"Yardi": True, "Entrata": True},
            "renamed": {"Entrata": "Entrata Inc."},
        },
        {
            "id": "account.2",
            "label": "Systems",
            "modality": "account",
            "type": "multi_select",
            "meta": {"picklist_values": [{"id": "1", "name": n} for n in ("Entrata", "Theirs", "Yardi")]},
        },
        "account.2",
    ),
    "apollo list": (
        apollo.List,
        {"modality": "accounts", "name": "Operators", "book_of_business": True},
        {
            "_id": "x",
            "id": "x",
            "key": "x",
            "cached_count": 8,
            "modality": "accounts",
            "name": "Operators",
            "team_id": "6095a710bd01d100a506d4ac",
            "user_id": "60affe7d6e270a00f5db6fe4",
            "created_at": "2024-04-08T22:34:49.454Z",
        },
        "x",
    ),
    "apollo sequence": (
        apollo.Sequence,
        {
            "name": "Regional managers",
            "user_id": "u",
            "max_emails_per_day": 40,
            "sharing_permission": {"visibility": "everyone", "access_type": "can_view"},
            "mark_finished_if_reply": True,
            "excluded_contact_stage_ids": ["2", "1"],
            "steps": [{"key": "call", "type": "call", "wait_time": 1, "wait_mode": "day"}],
        },
        {
            "id": "x",
            "name": "Regional managers",
            "active": False,
            "archived": False,
            "created_at": "2024-09-17T20:09:57.837Z",
            "emailer_schedule_id": "6095a711bd01d100a506d52a",
            "max_emails_per_day": 40,
            "user_id": "u",
            "excluded_contact_stage_ids": ["1", "2"],
            "mark_finished_if_reply": True,
            "mark_finished_if_click": None,
            "num_steps": 1,
            "cc_emails": "",
            "sharing_permission": {
                "visibility": "everyone",
                "access_type": "can_view",
                "object_type": "EmailerCampaign",
                "is_owner": True,
                "owner_id": "u",
                "sharing_accesses": [],
            },
        },
        "x",
    ),
}

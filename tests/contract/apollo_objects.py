"""What the tests of Apollo's provider ask for: a field, a picklist, a list, and a sequence of three steps."""

from __future__ import annotations

from typing import Any

UNITS: dict[str, Any] = {"modality": "account", "type": "number", "label": "Units managed"}
PMS: dict[str, Any] = {
    "modality": "account",
    "type": "picklist",
    "label": "Property management system",
    "options": {"Yardi": True, "Entrata": True},
}
BUYERS: dict[str, Any] = {"modality": "contacts", "name": "NMHC Top 50 decision makers"}
STEPS: list[dict[str, Any]] = [
    {
        "key": "hello",
        "type": "auto_email",
        "wait_time": 0,
        "wait_mode": "minute",
        "email": {"subject": "Delinquency, {{first_name}}", "body_html": "<p>Hello</p>", "include_signature": True},
    },
    {"key": "call", "type": "call", "wait_time": 2, "wait_mode": "day", "note": "Ask how they collect"},
    {
        "key": "again",
        "type": "auto_email",
        "wait_time": 3,
        "wait_mode": "day",
        "email": {"body_html": "<p>Still there?</p>", "thread": "reply_to_thread"},
    },
]
SEQUENCE: dict[str, Any] = {
    "name": "AI collections for regional managers",
    "max_emails_per_day": 40,
    "mark_finished_if_reply": True,
    "sharing_permission": {"visibility": "everyone", "access_type": "can_view"},
    "steps": STEPS,
}
ACTIVE: dict[str, Any] = {**SEQUENCE, "sends_real_mail": True, "active": True}

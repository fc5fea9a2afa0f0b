"""An object of every kind of Figma's: as it is asked for, and as Figma shows it."""

from __future__ import annotations

from providers import figma
from tests.unit.shown.example import OURS, Examples

SHOWN: Examples = {
    "figma project": (figma.Project, {"project_id": "501"}, {"id": "501", "name": "Portal"}, "501"),
    "figma file": (
        figma.File,
        {"project_id": "501", "file_key": "abcdefghij"},
        {"key": "abcdefghij", "name": "Tokens", "last_modified": "2026-11-01T10:00:00Z"},
        "abcdefghij",
    ),
    "figma webhook": (
        figma.Webhook,
        {
            "context": "team",
            "context_id": "1034",
            "event_type": "LIBRARY_PUBLISH",
            "endpoint": "https://example.com/figma",
            "passcode": "passcode",
        },
        {
            "id": "x",
            "event_type": "LIBRARY_PUBLISH",
            "team_id": "1034",
            "context": "TEAM",
            "context_id": "1034",
            "plan_api_id": "organization::1",
            "status": "ACTIVE",
            "client_id": None,
            "passcode": "",
            "endpoint": "https://example.com/figma",
            "description": OURS,
        },
        "x",
    ),
    "figma dev resource": (
        figma.DevResource,
        {"file_key": "abcdefghij", "node_id": "12:34", "name": "Form", "url": "https://example.com/form"},
        {
            "id": "x",
            "file_key": "abcdefghij",
            "node_id": "12:34",
            "name": "Form",
            "url": "https://example.com/form",
        },
        "x",
    ),
}

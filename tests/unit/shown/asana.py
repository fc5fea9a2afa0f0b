"""An object of every kind of Asana's: as it is asked for, and as Asana shows it."""

from __future__ import annotations

from typing import Any

from providers import asana
from tests.unit.shown.example import OURS, Examples

WORKSPACE: dict[str, Any] = {"gid": "1", "resource_type": "workspace", "name": "Pay Ready"}
PROJECT: dict[str, Any] = {"gid": "2", "resource_type": "project", "name": "Incidents"}
OPTION: dict[str, Any] = {"gid": "6", "resource_type": "enum_option", "name": "SEV1", "color": "red"}

SHOWN: Examples = {
    "asana workspace": (asana.Workspace, {"name": "Pay Ready"}, {**WORKSPACE, "is_organization": True}, "1"),
    "asana person": (
        asana.Person,
        {"workspace": "1", "email": "Ada@payready.com"},
        {"gid": "x", "name": "Ada", "email": "ada@payready.com"},
        "x",
    ),
    "asana team": (
        asana.Team,
        {"workspace": "1", "name": "Platform", "visibility": "secret"},
        {"gid": "x", "name": "Platform", "description": OURS, "visibility": "secret", "organization": WORKSPACE},
        "x",
    ),
    "asana project": (
        asana.Project,
        {"workspace": "1", "team": "3", "name": "Incidents", "notes": "What went wrong", "color": "dark-red"},
        {
            "gid": "2",
            "name": "Incidents",
            "notes": f"What went wrong {OURS}",
            "color": "dark-red",
            "default_view": "list",
            "privacy_setting": "private",
            "default_access_level": "editor",
            "archived": False,
            "workspace": WORKSPACE,
            "team": {"gid": "3", "resource_type": "team", "name": "Platform"},
            "permalink_url": "https://app.asana.com/0/2/list",
        },
        "2",
    ),
    "asana project member": (
        asana.ProjectMember,
        {"project": "2", "member": "7", "access_level": "admin"},
        {"gid": "x", "parent": PROJECT, "member": {"gid": "7", "name": "Ada"}, "access_level": "admin"},
        "x",
    ),
    "asana section": (
        asana.Section,
        {"project": "2", "name": "New"},
        {"gid": "4", "name": "New", "project": PROJECT},
        "4",
    ),
    "asana order of sections": (
        asana.SectionOrder,
        {"project": "2", "sections": ["4", "5"]},
        {"data": [{"gid": "0", "name": "Untitled section"}, {"gid": "4"}, {"gid": "5"}]},
        "2",
    ),
    "asana custom field": (
        asana.CustomField,
        {
            "workspace": "1",
            "resource_subtype": "enum",
            "name": "Severity",
            "enum_options": [{"name": "SEV1", "color": "red"}],
        },
        {
            "gid": "x",
            "name": "Severity",
            "resource_subtype": "enum",
            "description": OURS,
            "enum_options": [
                {**OPTION, "enabled": True},
                {**OPTION, "gid": "8", "name": "SEV0", "enabled": False},
            ],
        },
        "x",
    ),
    "asana field of a project": (
        asana.FieldSetting,
        {"project": "2", "custom_field": "9", "is_important": True},
        {"gid": "x", "project": PROJECT, "custom_field": {"gid": "9", "name": "Severity"}, "is_important": False},
        "x",
    ),
    "asana tag": (
        asana.Tag,
        {"workspace": "1", "name": "sophia-ai", "color": "dark-blue"},
        {"gid": "x", "name": "sophia-ai", "color": "dark-blue", "notes": OURS, "workspace": WORKSPACE},
        "x",
    ),
    "asana webhook": (
        asana.Webhook,
        {
            "workspace": "1",
            "resource": "2",
            "target": "https://hooks.payready.com/asana",
            "filters": [{"resource_type": "task", "action": "added"}],
        },
        {
            "gid": "x",
            "resource": PROJECT,
            "target": "https://hooks.payready.com/asana",
            "active": True,
            "filters": [{"resource_type": "task", "resource_subtype": None, "action": "added", "fields": None}],
        },
        "x",
    ),
}

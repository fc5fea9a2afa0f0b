"""An object of every kind of Linear's: as it is asked for, and as Linear shows it."""

from __future__ import annotations

from typing import Any

from providers import linear
from tests.unit.shown.example import OURS, Examples

STAMPS: dict[str, Any] = {"createdAt": "2026-08-24T10:30:00.000Z", "archivedAt": None}
TEAM: dict[str, Any] = {"id": "t-1"}
PERSON = {"id": "u-1", "email": "Ada@payready.com"}
LABEL: dict[str, Any] = {"id": "x", "color": "#5e6ad2", "isGroup": False, "parent": None, "retiredAt": None, **STAMPS}

SHOWN: Examples = {
    "linear team": (
        linear.Team,
        {"key": "SOP", "name": "Sophia", "cycles_enabled": True, "cycle_duration": 2, "auto_close_period": 6},
        {
            "id": "x",
            "key": "SOP",
            "name": "Sophia",
            "description": OURS,
            "private": False,
            "parent": None,
            "cyclesEnabled": True,
            "cycleDuration": 2.0,
            "autoClosePeriod": 6.0,
            "timezone": "America/Chicago",
            "retiredAt": None,
            **STAMPS,
        },
        "x",
    ),
    "linear state": (
        linear.WorkflowState,
        {"team_id": "t-1", "name": "In Review", "type": "started", "color": "#0F783C"},
        {
            "id": "x",
            "name": "In Review",
            "type": "started",
            "color": "#0f783c",
            "position": 3.0,
            "team": TEAM,
            **STAMPS,
        },
        "x",
    ),
    "linear label": (
        linear.IssueLabel,
        {"team_id": "t-1", "name": "Incident", "parent_id": "l-1", "description": "What broke"},
        {**LABEL, "name": "Incident", "description": f"What broke {OURS}", "parent": {"id": "l-1"}, "team": TEAM},
        "x",
    ),
    "linear workspace label": (
        linear.IssueLabel,
        {"name": "Kind", "is_group": True},
        {**LABEL, "name": "Kind", "isGroup": True, "description": OURS, "team": None},
        "x",
    ),
    "linear project label": (
        linear.ProjectLabel,
        {"name": "Compliance"},
        {**LABEL, "name": "Compliance", "description": OURS},
        "x",
    ),
    "linear project status": (
        linear.ProjectStatus,
        {"name": "Blocked", "type": "paused", "color": "#eb5757", "position": 3},
        {
            "id": "x",
            "name": "Blocked",
            "type": "paused",
            "color": "#eb5757",
            "position": 3,
            "description": OURS,
            "indefinite": False,
            **STAMPS,
        },
        "x",
    ),
    "linear project": (
        linear.Project,
        {
            "name": "Collections agent",
            "team_ids": ["t-2", "t-1"],
            "lead": "ada@payready.com",
            "members": ["Ada@payready.com"],
            "label_ids": ["l-2", "l-1"],
            "target_date": "2027-03-31",
        },
        {
            "id": "x",
            "name": "Collections agent",
            "description": OURS,
            "status": {"id": "s-1"},
            "lead": PERSON,
            "labelIds": ["l-1", "l-2"],
            "targetDate": "2027-03-31",
            "teams": {"nodes": [TEAM, {"id": "t-2"}]},
            "members": {"nodes": [PERSON]},
            "trashed": None,
            "url": "https://linear.app/pay-ready/project/x",
            **STAMPS,
        },
        "x",
    ),
    "linear milestone": (
        linear.ProjectMilestone,
        {"project_id": "p-1", "name": "Pilot", "target_date": "2027-01-29"},
        {
            "id": "x",
            "name": "Pilot",
            "description": OURS,
            "targetDate": "2027-01-29",
            "sortOrder": 1.0,
            "project": {"id": "p-1"},
            **STAMPS,
        },
        "x",
    ),
    "linear initiative": (
        linear.Initiative,
        {"name": "Self-service", "status": "Active", "owner": "ada@payready.com"},
        {"id": "x", "name": "Self-service", "description": OURS, "status": "Active", "owner": PERSON, **STAMPS},
        "x",
    ),
    "linear initiative's project": (
        linear.InitiativeProject,
        {"initiative_id": "i-1", "project_id": "p-1"},
        {"id": "x", "initiative": {"id": "i-1"}, "project": {"id": "p-1"}, **STAMPS},
        "x",
    ),
    "linear template": (
        linear.Template,
        {"team_id": "t-1", "type": "issue", "name": "Incident", "data": {"title": "Incident: ", "priority": 1}},
        {
            "id": "x",
            "name": "Incident",
            "type": "issue",
            "description": OURS,
            "templateData": '{"title": "Incident: ", "priority": 1, "descriptionData": null}',
            "team": TEAM,
            **STAMPS,
        },
        "x",
    ),
    "linear view": (
        linear.CustomView,
        {"name": "Open incidents", "filter": {"state": {"type": {"nin": ["completed"]}}}},
        {
            "id": "x",
            "name": "Open incidents",
            "description": OURS,
            "shared": True,
            "filterData": {"state": {"type": {"nin": ["completed"]}}},
            "team": None,
            **STAMPS,
        },
        "x",
    ),
    "linear webhook": (
        linear.Webhook,
        {
            "url": "https://n8n.payready.com/webhook/linear-events",
            "team_id": "t-1",
            "resource_types": ["Project", "Issue"],
            "secret": "hunter2-hunter2",
        },
        {
            "id": "x",
            "label": OURS,
            "url": "https://n8n.payready.com/webhook/linear-events",
            "enabled": True,
            "resourceTypes": ["Issue", "Project"],
            "allPublicTeams": False,
            "team": TEAM,
            **STAMPS,
        },
        "x",
    ),
    "linear member": (
        linear.TeamMembership,
        {"team_id": "t-1", "user": "ada@payready.com"},
        {"id": "x", "owner": False, "team": TEAM, "user": PERSON, **STAMPS},
        "x",
    ),
    "linear git": (
        linear.GitAutomation,
        {"team_id": "t-1", "states": {"review": "s-1"}},
        {
            "id": "t-1",
            "gitAutomationStates": {
                "nodes": [
                    {"id": "g-1", "event": "review", "state": {"id": "s-1"}, "targetBranch": None},
                    {"id": "g-2", "event": "review", "state": None, "targetBranch": {"id": "b-1"}},
                    {"id": "g-3", "event": "merge", "state": {"id": "s-2"}, "targetBranch": None},
                ]
            },
        },
        "t-1",
    ),
}

"""Linear's teams, labels, projects, templates and views as settings.

Webhooks stay out: their secrets are somebody else's. What Linear makes with every team (states, rules) is told in the
settings of the team by whoever wants it otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.existing.findings import CannotSayError, Findings, Section, key_of, listed, unsaid
from components.linear.settings import (
    LabelSettings,
    LinearSettings,
    ProjectLabelSettings,
    ProjectSettings,
    TeamSettings,
    ViewSettings,
)
from providers import linear
from providers.base.survey import Found

MODEL = LinearSettings

_CYCLES = {
    "weeks": "cycle_duration",
    "cooldown_weeks": "cycle_cooldown_time",
    "start_day": "cycle_start_day",
    "upcoming": "upcoming_cycle_count",
    "assign_started": "cycle_issue_auto_assign_started",
    "assign_completed": "cycle_issue_auto_assign_completed",
    "lock_to_active": "cycle_lock_to_active",
}
_PROJECT = (
    "name",
    "description",
    "content",
    "icon",
    "color",
    "priority",
    "lead",
    "members",
    "start_date",
    "target_date",
)


def existing(findings: Findings, _workspace: str | None) -> None:
    """One listing a kind; a key is of one workspace."""
    teams = Section(findings, "teams", TeamSettings, lambda entry: entry.get("key"))
    # Those without a parent come first: a parent is named by its key in the settings.
    found = sorted(listed(linear.Team), key=lambda one: bool(one.inputs.get("parent_id")))
    teams.take(found, lambda one: [one.inputs.get("key")], lambda one, _key: _team(one, teams.keys))

    labels = Section(findings, "labels", LabelSettings, lambda entry: (entry.get("team"), entry.get("name")))
    groups_first = sorted(listed(linear.IssueLabel), key=lambda one: bool(one.inputs.get("parent_id")))
    labels.take(
        groups_first,
        lambda one: [(teams.keys.get(str(one.inputs.get("team_id"))), one.inputs.get("name"))],
        lambda one, _key: _label(one, teams.keys, labels.keys),
    )

    terms = Section(findings, "project_labels", ProjectLabelSettings, lambda entry: entry.get("name"))
    terms.take(listed(linear.ProjectLabel), lambda one: [one.inputs.get("name")], lambda one, _key: _term(one))

    projects = Section(findings, "projects", ProjectSettings, lambda entry: entry.get("name"))
    projects.take(
        listed(linear.Project),
        lambda one: [one.inputs.get("name")],
        lambda one, _key: _project(one, teams.keys, terms.keys),
    )

    views = Section(findings, "views", ViewSettings, lambda entry: (entry.get("team"), entry.get("name")))
    views.take(
        listed(linear.CustomView),
        lambda one: [(teams.keys.get(str(one.inputs.get("team_id"))), one.inputs.get("name"))],
        lambda one, _key: _view(one, teams.keys),
    )
    for webhook in listed(linear.Webhook):
        findings.leave(
            webhook, "its secret is somebody else's: declare a new one, let the receiver take both, delete it"
        )
    for template in listed(linear.Template):
        findings.leave(
            template, "it may fill in what settings have no words for: declare it anew, then delete this one"
        )


def _team(found: Found, teams: Mapping[str, str]) -> Mapping[str, Any]:
    inputs = found.inputs
    if found.document.get("retiredAt"):
        raise CannotSayError("it is retired")
    members = {
        name: inputs.get(name) for name in ("key", "name", "description", "icon", "color", "timezone", "private")
    }
    if inputs.get("parent_id"):
        members["parent"] = key_of(teams, "parent", inputs["parent_id"])
    if inputs.get("cycles_enabled"):
        members["cycles"] = {name: inputs.get(member) for name, member in _CYCLES.items()}
    if inputs.get("issue_estimation_type") not in (None, "notUsed"):
        members["estimation"] = {
            "type": inputs["issue_estimation_type"],
            "allow_zero": inputs.get("issue_estimation_allow_zero"),
            "extended": inputs.get("issue_estimation_extended"),
            "default": inputs.get("default_issue_estimate"),
        }
    return members | {
        "triage": inputs.get("triage_enabled"),
        "priority_to_leave_triage": inputs.get("require_priority_to_leave_triage"),
        "auto_close_months": inputs.get("auto_close_period"),
        "auto_archive_months": inputs.get("auto_archive_period"),
    }


def _label(found: Found, teams: Mapping[str, str], labels: Mapping[str, str]) -> Mapping[str, Any]:
    inputs = found.inputs
    return {
        **_term(found),
        "team": key_of(teams, "team", inputs["team_id"]) if inputs.get("team_id") else None,
        "group": inputs.get("is_group", False),
        "parent": key_of(labels, "group", inputs["parent_id"]) if inputs.get("parent_id") else None,
    }


def _term(found: Found) -> dict[str, Any]:
    if found.resource is linear.ProjectLabel and unsaid(found.inputs, {"is_group": False, "parent_id": ""}):
        raise CannotSayError("it is a group, or in one, which settings have no words for")
    return {name: found.inputs.get(name) for name in ("name", "color", "description")}


def _project(found: Found, teams: Mapping[str, str], labels: Mapping[str, str]) -> Mapping[str, Any]:
    inputs = found.inputs
    return {
        **{name: inputs.get(name) or None for name in _PROJECT},
        "description": inputs.get("description", ""),
        "teams": [key_of(teams, "team", team) for team in inputs.get("team_ids", [])],
        "labels": [key_of(labels, "label", label) for label in inputs.get("label_ids", [])] or None,
        "target_resolution": inputs.get("target_date_resolution"),
    }


def _view(found: Found, teams: Mapping[str, str]) -> Mapping[str, Any]:
    inputs = found.inputs
    if not inputs.get("shared"):
        raise CannotSayError("it is somebody's own, and shared with nobody")
    if not inputs.get("filter"):
        raise CannotSayError("it is no list of issues, or has no filter")
    members = {name: inputs.get(name) for name in ("name", "description", "icon", "color", "filter")}
    return {**members, "team": key_of(teams, "team", inputs["team_id"]) if inputs.get("team_id") else None}

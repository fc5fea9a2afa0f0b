"""Teams, who is in them, the states of their workflows, and their rules for pull requests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from zoneinfo import available_timezones

from sandbox.http import Call
from sandbox.linear.access import demand_admin, invalid, refused
from sandbox.linear.objects import (
    Arguments,
    Resolver,
    answered,
    changed,
    deleted,
    live,
    live_ones,
    many,
    new,
    now,
    one,
    same_name,
)
from sandbox.store import Document

_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_KEY = re.compile(r"[A-Z][A-Z0-9]{0,6}")
_ESTIMATION = ("notUsed", "exponential", "fibonacci", "linear", "tShirt")
_TYPES = ("backlog", "unstarted", "started", "completed", "canceled")
_FIRST_STATES = (
    ("Backlog", "backlog", "#bec2c8"),
    ("Todo", "unstarted", "#e2e2e2"),
    ("In Progress", "started", "#f2c94c"),
    ("Done", "completed", "#5e6ad2"),
    ("Canceled", "canceled", "#95a2b3"),
    ("Duplicate", "canceled", "#95a2b3"),
)
"""What every new team has."""

_FIRST_RULES = {"start": "In Progress", "merge": "Done"}

_TEAM = {
    "description": None,
    "icon": None,
    "color": "#5e6ad2",
    "timezone": "America/Los_Angeles",
    "private": False,
    "parentId": None,
    "cyclesEnabled": False,
    "cycleDuration": 1,
    "cycleCooldownTime": 0,
    "cycleStartDay": 0,
    "upcomingCycleCount": 2,
    "cycleIssueAutoAssignStarted": True,
    "cycleIssueAutoAssignCompleted": True,
    "cycleLockToActive": False,
    "issueEstimationType": "notUsed",
    "issueEstimationAllowZero": False,
    "issueEstimationExtended": False,
    "defaultIssueEstimate": 1,
    "triageEnabled": False,
    "requirePriorityToLeaveTriage": False,
    "autoClosePeriod": 6,
    "autoArchivePeriod": 6,
    "retiredAt": None,
}


def check_color(document: Document) -> None:
    color = document.get("color")
    if color is not None and not _COLOR.fullmatch(color):
        raise invalid("color must be a HEX string such as #5e6ad2")


def check_name(document: Document) -> None:
    if not str(document.get("name") or "").strip():
        raise invalid("name must not be empty")


def create_team(call: Call, arguments: Arguments) -> Document:
    """Who makes a team is its first member and owner."""
    sent = arguments["input"]
    team = new(call, "team", sent, {**_TEAM, "key": re.sub(r"[^A-Z]", "", sent["name"].upper())[:3]})
    _check_team(call, team)
    call.store.put("team", team["id"], _shown(team))
    for position, (name, type_, color) in enumerate(_FIRST_STATES):
        given = {"teamId": team["id"], "name": name, "type": type_, "color": color, "position": float(position)}
        _put_new(call, "workflowState", given, {"description": None})
    if team["triageEnabled"]:
        _add_triage(call, team)
    states = {state["name"]: state["id"] for state in call.store.latest.all("workflowState", teamId=team["id"])}
    for event, name in _FIRST_RULES.items():
        _put_new(call, "gitAutomationState", {"teamId": team["id"], "event": event, "stateId": states[name]}, {})
    user = call.store.latest.first("user", email=call.caller) or {}
    _put_new(call, "teamMembership", {"teamId": team["id"], "userId": user["id"], "owner": True}, {})
    return answered(call, "team", _shown({**team, "defaultIssueStateId": states["Backlog"]}))


def update_team(call: Call, arguments: Arguments) -> Document:
    team = changed("team", live(call, "team", arguments["id"]), arguments["input"])
    _check_team(call, team)
    if team["triageEnabled"] and not any(live_ones(call, "workflowState", teamId=team["id"], type="triage")):
        _add_triage(call, team)
    call.store.put("team", team["id"], _shown(team))
    return answered(call, "team", _shown(team))


def delete_team(call: Call, arguments: Arguments) -> Document:
    """Archives it, until its data are deleted later; its key stays taken that long."""
    demand_admin(call)
    team = live(call, "team", arguments["id"])
    if any(live_ones(call, "team", parentId=team["id"])):
        raise refused("Team has sub-teams", "Remove or move the team's sub-teams first.")
    call.store.put("team", team["id"], team | {"archivedAt": now()})
    return deleted(team["id"])


def unarchive_team(call: Call, arguments: Arguments) -> Document:
    demand_admin(call)
    team = call.store.latest.get("team", arguments["id"])
    if team is None or not team["archivedAt"]:
        raise refused("Team is not archived")
    call.store.put("team", team["id"], team | {"archivedAt": None})
    return answered(call, "team", team | {"archivedAt": None}, "entity")


def _shown(team: Document) -> Document:
    return {**team, "displayName": team["name"]}


def _check_team(call: Call, team: Document) -> None:
    check_name(team)
    check_color(team)
    if not _KEY.fullmatch(team["key"]):
        raise invalid("key must be up to 7 upper-case letters and digits")
    if any(other["key"] == team["key"] and other["id"] != team["id"] for other in call.store.latest.all("team")):
        raise refused("Team key already in use", f'The team key "{team["key"]}" is already taken.')
    if team["timezone"] not in available_timezones():
        raise invalid("timezone must be a name of the tz database")
    if team["issueEstimationType"] not in _ESTIMATION:
        raise invalid(f"issueEstimationType must be one of {', '.join(_ESTIMATION)}")
    if not 1 <= team["cycleDuration"] <= 8:
        raise invalid("cycleDuration must be from 1 to 8 weeks")
    if team["parentId"] is not None and live(call, "team", team["parentId"])["id"] == team["id"]:
        raise invalid("a team cannot be its own parent")


def _add_triage(call: Call, team: Document) -> None:
    given = {"teamId": team["id"], "name": "Triage", "type": "triage", "color": "#fc7840", "position": -1.0}
    _put_new(call, "workflowState", given, {"description": None})


def _put_new(call: Call, kind: str, given: Document, defaults: Document) -> Document:
    made = new(call, kind, given, defaults)
    return call.store.put(kind, made["id"], made)


def create_membership(call: Call, arguments: Arguments) -> Document:
    membership = new(call, "teamMembership", arguments["input"], {"owner": False})
    live(call, "team", membership["teamId"])
    live(call, "user", membership["userId"])
    same = call.store.latest.all("teamMembership", teamId=membership["teamId"], userId=membership["userId"])
    if same:
        raise refused("User is already a member of the team")
    return answered(call, "teamMembership", call.store.put("teamMembership", membership["id"], membership))


def update_membership(call: Call, arguments: Arguments) -> Document:
    old = live(call, "teamMembership", arguments["id"])
    membership = changed("teamMembership", old, arguments["input"])
    return answered(call, "teamMembership", call.store.put("teamMembership", old["id"], membership))


def create_state(call: Call, arguments: Arguments) -> Document:
    sent = arguments["input"]
    live(call, "team", sent["teamId"])
    others = [state["position"] for state in live_ones(call, "workflowState", teamId=sent["teamId"])]
    state = new(call, "workflowState", sent, {"description": None, "position": max(others, default=0.0) + 1})
    if state["type"] not in _TYPES:
        raise invalid(f"type must be one of {', '.join(_TYPES)}")
    return _saved_state(call, state)


def update_state(call: Call, arguments: Arguments) -> Document:
    state = changed("workflowState", live(call, "workflowState", arguments["id"]), arguments["input"])
    return _saved_state(call, state)


def _saved_state(call: Call, state: Document) -> Document:
    check_name(state)
    check_color(state)
    if any(same_name(other, state) for other in live_ones(call, "workflowState", teamId=state["teamId"])):
        raise refused("duplicate workflow state", f'A status named "{state["name"]}" already exists in this team.')
    return answered(call, "workflowState", call.store.put("workflowState", state["id"], state))


def archive_state(call: Call, arguments: Arguments) -> Document:
    """Refused for the last one of its type, and while issues are in it."""
    state = live(call, "workflowState", arguments["id"])
    if len(list(live_ones(call, "workflowState", teamId=state["teamId"], type=state["type"]))) == 1:
        raise refused(f"Cannot archive the last workflow state of type {state['type']}")
    if any(live_ones(call, "issue", stateId=state["id"])):
        raise refused("Cannot archive a workflow state that has issues", "Move or archive its issues first.")
    call.store.put("workflowState", state["id"], state | {"archivedAt": now()})
    return answered(call, "workflowState", state | {"archivedAt": now()}, "entity")


def create_rule(call: Call, arguments: Arguments) -> Document:
    rule = new(call, "gitAutomationState", arguments["input"], {"stateId": None})
    live(call, "team", rule["teamId"])
    _check_rule(call, rule)
    if call.store.latest.all("gitAutomationState", teamId=rule["teamId"], event=rule["event"]):
        raise refused("Git automation state already exists", f'The team has a rule for "{rule["event"]}" already.')
    return answered(call, "gitAutomationState", call.store.put("gitAutomationState", rule["id"], rule))


def update_rule(call: Call, arguments: Arguments) -> Document:
    rule = changed("gitAutomationState", live(call, "gitAutomationState", arguments["id"]), arguments["input"])
    _check_rule(call, rule)
    return answered(call, "gitAutomationState", call.store.put("gitAutomationState", rule["id"], rule))


def _check_rule(call: Call, rule: Document) -> None:
    if rule["stateId"] and live(call, "workflowState", rule["stateId"])["teamId"] != rule["teamId"]:
        raise refused("The workflow state is of another team")


def remover(kind: str) -> Resolver:
    """A mutation that deletes for good."""

    def resolve(call: Call, arguments: Arguments) -> Document:
        found = live(call, kind, arguments["id"])
        call.store.delete(kind, found["id"])
        return deleted(found["id"])

    return resolve


RESOLVERS: Mapping[str, Any] = {
    "team": one("team"),
    "teams": many("team"),
    "teamCreate": create_team,
    "teamUpdate": update_team,
    "teamDelete": delete_team,
    "teamUnarchive": unarchive_team,
    "teamMembership": one("teamMembership"),
    "teamMemberships": many("teamMembership"),
    "teamMembershipCreate": create_membership,
    "teamMembershipUpdate": update_membership,
    "teamMembershipDelete": remover("teamMembership"),
    "workflowState": one("workflowState"),
    "workflowStates": many("workflowState"),
    "workflowStateCreate": create_state,
    "workflowStateUpdate": update_state,
    "workflowStateArchive": archive_state,
    "gitAutomationStateCreate": create_rule,
    "gitAutomationStateUpdate": update_rule,
    "gitAutomationStateDelete": remover("gitAutomationState"),
}

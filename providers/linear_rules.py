"""A team's rules for pull requests, which Linear keeps one by one and people think of as one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from providers import base
from providers.base import Json
from providers.linear_calls import Create, act, read, update

_RULE = "id event state { id } targetBranch { id }"


RULES = read("team", f"id gitAutomationStates(first: 50) {{ nodes {{ {_RULE} }} }}")


def rules_of(document: Json) -> dict[str, Json]:
    """The rules for all branches, by event. (A rule for one branch goes before them, and is nobody's here.)"""
    nodes = document["gitAutomationStates"]["nodes"]
    return {rule["event"]: rule for rule in nodes if rule["targetBranch"] is None}


def rules_shown(document: Json) -> Json:
    states = {event: (rule["state"] or {}).get("id", "") for event, rule in rules_of(document).items()}
    return {"teamId": document["id"], "states": states}


@dataclass(frozen=True)
class SetRules:
    """Makes, changes and removes rules until the wanted events lead to the wanted states; others stay."""

    auth: base.Bearer | None = None

    def send(self, api: base.Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        team, wanted = str(values["team_id"]), (payload or {}).get("states") or {}
        known = (values.get(base.KNOWN) or {}).get("states") or {}
        rules = rules_of(RULES.send(api, {"id": team}))
        for event in {*known} - {*wanted}:
            if event in rules:
                act("gitAutomationStateDelete").send(api, {"id": rules[event]["id"]})
        for event, state in wanted.items():
            if event not in rules:
                given = {"teamId": team, "event": event, "stateId": state}
                Create("gitAutomationState", f"{_RULE} team {{ id }}", ("teamId", "event")).send(api, values, given)
            elif (rules[event]["state"] or {}).get("id") != state:
                update("gitAutomationState", _RULE).send(api, {"id": rules[event]["id"]}, {"stateId": state})
        return RULES.send(api, {"id": team})


@dataclass(frozen=True)
class RemoveRules:
    """Removes the rules of the events that the state knows; Linear then leaves issues where they are."""

    auth: base.Bearer | None = None

    def send(self, api: base.Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        known = {base.KNOWN: {"states": values.get("states")}}
        return SetRules().send(api, {**values, **known}, {**(payload or {}), "states": {}})

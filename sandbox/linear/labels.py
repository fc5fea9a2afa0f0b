"""Labels of issues and of projects, alone or in groups; retired ones stay, and can be restored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.http import Call
from sandbox.linear.access import refused
from sandbox.linear.objects import (
    Arguments,
    Resolver,
    answered,
    changed,
    live,
    live_ones,
    many,
    new,
    now,
    one,
    same_name,
)
from sandbox.linear.teams import check_color, check_name, remover
from sandbox.store import Document

_LABEL = {
    "color": "#bec2c8",
    "description": None,
    "isGroup": False,
    "parentId": None,
    "retiredAt": None,
}


def _creator(kind: str) -> Resolver:
    def resolve(call: Call, arguments: Arguments) -> Document:
        defaults = {**_LABEL, "teamId": None} if kind == "issueLabel" else _LABEL
        return _saved(call, kind, new(call, kind, arguments["input"], defaults))

    return resolve


def _updater(kind: str) -> Resolver:
    def resolve(call: Call, arguments: Arguments) -> Document:
        return _saved(call, kind, changed(kind, live(call, kind, arguments["id"]), arguments["input"]))

    return resolve


def _retirement(kind: str, *, retired: bool) -> Resolver:
    def resolve(call: Call, arguments: Arguments) -> Document:
        label = live(call, kind, arguments["id"])
        if bool(label["retiredAt"]) == retired:
            raise refused(f"The label is {'already' if retired else 'not'} retired")
        label |= {"retiredAt": now() if retired else None, "updatedAt": now()}
        return answered(call, kind, call.store.put(kind, label["id"], label))

    return resolve


def _saved(call: Call, kind: str, label: Document) -> Document:
    """Names are unique in a team with those of the workspace; a group is one level deep."""
    check_name(label)
    check_color(label)
    team = label.get("teamId")
    if team:
        live(call, "team", team)
    for other in live_ones(call, kind):
        if same_name(other, label) and (not team or other.get("teamId") in (None, team)):
            raise refused("duplicate label name", f'A label with the name "{label["name"]}" already exists.')
    if label["parentId"]:
        parent = live(call, kind, label["parentId"])
        if not parent["isGroup"] or label["isGroup"]:
            raise refused("The parent of a label must be a group", "Labels can only be put into groups.")
        if parent.get("teamId") not in (None, team):
            raise refused("The label group is of another team")
    if not label["isGroup"] and any(live_ones(call, kind, parentId=label["id"])):
        raise refused("The label group is not empty")
    return answered(call, kind, call.store.put(kind, label["id"], label))


def _resolvers(kind: str) -> Mapping[str, Any]:
    return {
        kind: one(kind),
        f"{kind}s": many(kind),
        f"{kind}Create": _creator(kind),
        f"{kind}Update": _updater(kind),
        f"{kind}Delete": remover(kind),
        f"{kind}Retire": _retirement(kind, retired=True),
        f"{kind}Restore": _retirement(kind, retired=False),
    }


RESOLVERS: Mapping[str, Any] = {**_resolvers("issueLabel"), **_resolvers("projectLabel")}

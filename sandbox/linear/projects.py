"""Projects with their statuses and milestones, and the initiatives that they are part of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from sandbox.http import Call
from sandbox.linear.access import demand_admin, invalid, refused
from sandbox.linear.events import announce
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
from sandbox.linear.teams import check_color, check_name, remover
from sandbox.store import Document

_LONGEST_DESCRIPTION = 255
_DATED = {"startDate": None, "startDateResolution": None, "targetDate": None, "targetDateResolution": None}
_PROJECT: Document = {
    **_DATED,
    "description": "",
    "content": None,
    "icon": None,
    "color": "#bec2c8",
    "priority": 0,
    "leadId": None,
    "memberIds": [],
    "labelIds": [],
    "trashed": None,
}
_INITIATIVE: Document = {
    "description": None,
    "content": None,
    "icon": None,
    "color": None,
    "status": "Planned",
    "targetDate": None,
    "ownerId": None,
    "trashed": None,
}


def _slug(document: Document) -> Document:
    slug = f"{re.sub(r'[^a-z0-9]+', '-', document['name'].lower()).strip('-')}-{document['id'][:12]}"
    return {**document, "slugId": slug, "url": f"https://linear.app/pay-ready/project/{slug}"}


def create_project(call: Call, arguments: Arguments) -> Document:
    """Without a status it gets the first of type backlog."""
    usual = min(live_ones(call, "projectStatus", type="backlog"), key=lambda status: status["position"])
    project = new(call, "project", arguments["input"], {**_PROJECT, "statusId": usual["id"]})
    saved = _saved_project(call, project)
    announce(call, "project", "create", project)
    return saved


def update_project(call: Call, arguments: Arguments) -> Document:
    project = changed("project", live(call, "project", arguments["id"]), arguments["input"])
    saved = _saved_project(call, project)
    announce(call, "project", "update", project)
    return saved


def _saved_project(call: Call, project: Document) -> Document:
    check_name(project)
    check_color(project)
    _check_dates(project)
    if not project["teamIds"]:
        raise invalid("teamIds must not be empty")
    if len(project["description"]) > _LONGEST_DESCRIPTION:
        raise invalid(f"description must be shorter than or equal to {_LONGEST_DESCRIPTION} characters")
    if not 0 <= project["priority"] <= 4:
        raise invalid("priority must be from 0 to 4")
    people = [*project["memberIds"], *([project["leadId"]] if project["leadId"] else [])]
    for kind, ids in (("team", project["teamIds"]), ("user", people), ("projectStatus", [project["statusId"]])):
        for id_ in ids:
            live(call, kind, id_)
    for id_ in project["labelIds"]:
        label = live(call, "projectLabel", id_)
        if label["isGroup"] or label["retiredAt"]:
            raise refused("The label cannot be applied: it is a group, or retired")
    return answered(call, "project", _slug(call.store.put("project", project["id"], _slug(project))))


def _check_dates(document: Document) -> None:
    for member in ("startDate", "targetDate"):
        try:
            date.fromisoformat(document.get(member) or "2026-01-01")
        except ValueError as error:
            raise invalid(f"{member} must be a date") from error


def _trash(kind: str) -> Resolver:
    def resolve(call: Call, arguments: Arguments) -> Document:
        found = live(call, kind, arguments["id"]) | {"archivedAt": now(), "trashed": True}
        call.store.put(kind, found["id"], found)
        return answered(call, kind, found, "entity") if kind == "project" else deleted(found["id"])

    return resolve


def _unarchive(kind: str) -> Resolver:
    def resolve(call: Call, arguments: Arguments) -> Document:
        found = call.store.latest.get(kind, arguments["id"])
        if found is None or not found["archivedAt"]:
            raise refused("Entity is not archived")
        found |= {"archivedAt": None, **({"trashed": None} if "trashed" in found else {})}
        return answered(call, kind, call.store.put(kind, found["id"], found), "entity")

    return resolve


def create_status(call: Call, arguments: Arguments) -> Document:
    demand_admin(call)
    status = new(call, "projectStatus", arguments["input"], {"description": None, "indefinite": False})
    return _saved_status(call, status)


def update_status(call: Call, arguments: Arguments) -> Document:
    demand_admin(call)
    old = live(call, "projectStatus", arguments["id"])
    status = changed("projectStatus", old, arguments["input"])
    if status["type"] != old["type"]:
        _refuse_last(call, old)
    return _saved_status(call, status)


def archive_status(call: Call, arguments: Arguments) -> Document:
    demand_admin(call)
    status = live(call, "projectStatus", arguments["id"])
    _refuse_last(call, status)
    if any(live_ones(call, "project", statusId=status["id"])):
        raise refused("Cannot archive a project status that projects have")
    call.store.put("projectStatus", status["id"], status | {"archivedAt": now()})
    return answered(call, "projectStatus", status | {"archivedAt": now()}, "entity")


def _refuse_last(call: Call, status: Document) -> None:
    if len(list(live_ones(call, "projectStatus", type=status["type"]))) == 1:
        raise refused(f"There must be a project status of type {status['type']}")


def _saved_status(call: Call, status: Document) -> Document:
    check_name(status)
    check_color(status)
    if any(same_name(other, status) for other in live_ones(call, "projectStatus")):
        raise refused("duplicate project status", f'A project status named "{status["name"]}" already exists.')
    return answered(call, "projectStatus", call.store.put("projectStatus", status["id"], status), "status")


def create_milestone(call: Call, arguments: Arguments) -> Document:
    sent = arguments["input"]
    live(call, "project", sent["projectId"])
    others = [milestone["sortOrder"] for milestone in live_ones(call, "projectMilestone", projectId=sent["projectId"])]
    defaults = {"description": None, "targetDate": None, "sortOrder": max(others, default=0.0) + 1}
    return _saved_milestone(call, new(call, "projectMilestone", sent, defaults))


def update_milestone(call: Call, arguments: Arguments) -> Document:
    old = live(call, "projectMilestone", arguments["id"])
    return _saved_milestone(call, changed("projectMilestone", old, arguments["input"]))


def _saved_milestone(call: Call, milestone: Document) -> Document:
    check_name(milestone)
    _check_dates(milestone)
    return answered(call, "projectMilestone", call.store.put("projectMilestone", milestone["id"], milestone))


def create_initiative(call: Call, arguments: Arguments) -> Document:
    return _saved_initiative(call, new(call, "initiative", arguments["input"], _INITIATIVE))


def update_initiative(call: Call, arguments: Arguments) -> Document:
    old = live(call, "initiative", arguments["id"])
    return _saved_initiative(call, changed("initiative", old, arguments["input"]))


def _saved_initiative(call: Call, initiative: Document) -> Document:
    check_name(initiative)
    check_color(initiative)
    _check_dates(initiative)
    if len(initiative["description"] or "") > _LONGEST_DESCRIPTION:
        raise invalid(f"description must be shorter than or equal to {_LONGEST_DESCRIPTION} characters")
    if initiative["ownerId"]:
        live(call, "user", initiative["ownerId"])
    return answered(call, "initiative", _slug(call.store.put("initiative", initiative["id"], _slug(initiative))))


def create_link(call: Call, arguments: Arguments) -> Document:
    link = new(call, "initiativeToProject", arguments["input"], {})
    live(call, "initiative", link["initiativeId"])
    live(call, "project", link["projectId"])
    same = {"initiativeId": link["initiativeId"], "projectId": link["projectId"]}
    if call.store.latest.all("initiativeToProject", **same):
        raise refused("The project is already part of the initiative: it already exists there")
    return answered(call, "initiativeToProject", call.store.put("initiativeToProject", link["id"], link))


RESOLVERS: Mapping[str, Any] = {
    "project": one("project"),
    "projects": many("project"),
    "projectCreate": create_project,
    "projectUpdate": update_project,
    "projectDelete": _trash("project"),
    "projectUnarchive": _unarchive("project"),
    "projectStatus": one("projectStatus"),
    "projectStatuses": many("projectStatus"),
    "projectStatusCreate": create_status,
    "projectStatusUpdate": update_status,
    "projectStatusArchive": archive_status,
    "projectStatusUnarchive": _unarchive("projectStatus"),
    "projectMilestone": one("projectMilestone"),
    "projectMilestones": many("projectMilestone"),
    "projectMilestoneCreate": create_milestone,
    "projectMilestoneUpdate": update_milestone,
    "projectMilestoneDelete": remover("projectMilestone"),
    "initiative": one("initiative"),
    "initiatives": many("initiative"),
    "initiativeCreate": create_initiative,
    "initiativeUpdate": update_initiative,
    "initiativeDelete": _trash("initiative"),
    "initiativeUnarchive": _unarchive("initiative"),
    "initiativeToProject": one("initiativeToProject"),
    "initiativeToProjects": many("initiativeToProject"),
    "initiativeToProjectCreate": create_link,
    "initiativeToProjectDelete": remover("initiativeToProject"),
}

"""Workspaces and their people, teams, projects with their members and sections."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from starlette.responses import Response

from sandbox.asana import answers
from sandbox.asana.access import caller, found, meant, new_gid, now, sent, without_stage, workspace
from sandbox.http import ApiError, Body, Call
from sandbox.store import Document

Color = Literal[
    "dark-pink", "dark-green", "dark-blue", "dark-red", "dark-teal", "dark-brown", "dark-orange", "dark-purple",
    "dark-warm-gray", "light-pink", "light-green", "light-blue", "light-red", "light-teal", "light-brown",
    "light-orange", "light-purple", "light-warm-gray", "none",
]  # fmt: skip
AccessLevel = Literal["admin", "editor", "commenter", "viewer"]
_UNTITLED = "Untitled section"


class TeamBody(Body):
    name: str | None = None
    description: str | None = None
    organization: str | None = None
    visibility: Literal["secret", "request_to_join", "public"] | None = None


class ProjectBody(Body):
    name: str | None = None
    notes: str | None = None
    color: Color | None = None
    default_view: Literal["list", "board", "calendar", "timeline"] | None = None
    privacy_setting: Literal["public_to_workspace", "private_to_team", "private"] | None = None
    default_access_level: AccessLevel | None = None
    archived: bool | None = None
    workspace: str | None = None
    team: str | None = None


class SectionBody(Body):
    name: str = Field(min_length=1)
    insert_before: str | None = None
    insert_after: str | None = None


class InsertBody(Body):
    section: str
    before_section: str | None = None
    after_section: str | None = None


class MembershipBody(Body):
    parent: str
    member: str
    access_level: AccessLevel | None = None


class AccessBody(Body):
    access_level: AccessLevel


def list_workspaces(call: Call) -> Response:
    return answers.page(call, [_workspace(one) for one in call.store.all("workspace", stage=call.caller)])


def read_workspace(call: Call) -> Response:
    return answers.one(call, _workspace(found(call, "workspace", call.path("gid"))))


def _workspace(document: Document) -> Document:
    domains = ["payready.com"] if document["is_organization"] else []
    return {name: value for name, value in without_stage(document).items() if name != "plan"} | {
        "email_domains": domains
    }


def list_users(call: Call) -> Response:
    if gid := call.query("workspace"):
        workspace(call, gid)
    return answers.page(call, [user(call, one) for one in call.store.all("user", stage=call.caller)])


def read_user(call: Call) -> Response:
    """By the gid, the address, or as ``me``."""
    return answers.one(call, user(call, person(call, call.path("gid"))))


def person(call: Call, named: str) -> Document:
    if named == "me":
        return caller(call)
    if "@" in named:
        same = call.store.latest.first("user", stage=call.caller, email=named.lower())
        if same is None:
            raise ApiError(404, f"user: Unknown object: {named}")
        return same
    return found(call, "user", named)


def user(call: Call, document: Document) -> Document:
    places = [call.store.latest.get("workspace", gid) or {} for gid in document["workspaces"]]
    return without_stage(document) | {"workspaces": [answers.compact(one) for one in places], "photo": None}


def list_teams(call: Call) -> Response:
    found(call, "workspace", call.path("gid"))
    return answers.page(call, [_team(call, one) for one in call.store.all("team", stage=call.caller)])


def create_team(call: Call) -> Response:
    body = sent(call, TeamBody)
    if not body.name:
        raise ApiError(400, "name: Missing input")
    if not body.organization:
        raise ApiError(400, "organization: Missing input")
    if not workspace(call, body.organization, "organization")["is_organization"]:
        raise ApiError(403, "Teams can only be created in organizations.")
    gid = new_gid()
    base: Document = {"gid": gid, "resource_type": "team", "description": "", "visibility": "secret"}
    team = call.store.put("team", gid, base | body.sent() | {"stage": call.caller})
    return answers.one(call, _team(call, team), 201)


def read_team(call: Call) -> Response:
    return answers.one(call, _team(call, found(call, "team", call.path("gid"))))


def update_team(call: Call) -> Response:
    team, changes = found(call, "team", call.path("gid")), sent(call, TeamBody).sent()
    if changes.get("organization", team["organization"]) != team["organization"]:
        raise ApiError(400, "organization: Cannot be changed")
    return answers.one(call, _team(call, call.store.put("team", team["gid"], team | changes)))


def _team(call: Call, document: Document) -> Document:
    own = call.store.latest.get("workspace", document["organization"]) or {}
    link = f"https://app.asana.com/0/{document['gid']}/overview"
    return without_stage(document) | {"organization": answers.compact(own), "permalink_url": link}


def list_projects(call: Call) -> Response:
    """Of a workspace, or of a team; archived ones too, unless the query says otherwise."""
    projects = call.store.all("project", stage=call.caller)
    if gid := call.query("workspace"):
        workspace(call, gid)
    if team := call.query("team"):
        projects = [one for one in projects if one["team"] == team]
    if call.query("archived") is not None:
        projects = [one for one in projects if one["archived"] is call.flag("archived")]
    return answers.page(call, [project(call, one) for one in projects])


def create_project(call: Call) -> Response:
    """With the section that every project begins with."""
    body = sent(call, ProjectBody)
    if body.workspace is None and body.team is None:
        raise ApiError(400, "You should specify one of workspace, team")
    if not body.name:
        raise ApiError(400, "name: Missing input")
    own = workspace(call, body.workspace) if body.workspace else None
    if own and own["is_organization"] and body.team is None:
        raise ApiError(400, "team: Missing input")
    if body.team:
        own = workspace(call, meant(call, "team", body.team, "team")["organization"])
    gid = new_gid()
    base: Document = {
        "gid": gid,
        "resource_type": "project",
        "notes": "",
        "color": None,
        "default_view": "list",
        "privacy_setting": "public_to_workspace",
        "default_access_level": "editor",
        "archived": False,
        "team": None,
        "created_at": now(),
        "modified_at": now(),
    }
    document = base | body.sent() | {"workspace": own["gid"] if own else None, "stage": call.caller}
    document["color"] = None if document["color"] == "none" else document["color"]
    call.store.put("project", gid, document)
    _put_section(call, gid, _UNTITLED, None, None)
    _put_membership(call, gid, caller(call), "admin")
    return answers.one(call, project(call, document), 201)


def read_project(call: Call) -> Response:
    return answers.one(call, project(call, found(call, "project", call.path("gid"))))


def update_project(call: Call) -> Response:
    document, changes = found(call, "project", call.path("gid")), sent(call, ProjectBody).sent()
    if changes.get("workspace", document["workspace"]) != document["workspace"]:
        raise ApiError(400, "workspace: Cannot change the workspace of a project")
    if "team" in changes:
        meant(call, "team", changes["team"], "team")
    if changes.get("color") == "none":
        changes["color"] = None
    changed = call.store.put("project", document["gid"], document | changes | {"modified_at": now()})
    return answers.one(call, project(call, changed))


def delete_project(call: Call) -> Response:
    """With its sections, members and settings, and the tasks that are in no other project."""
    gid = found(call, "project", call.path("gid"))["gid"]
    for kind in ("section", "membership", "custom_field_setting"):
        for one in call.store.latest.all(kind, project=gid):
            call.store.delete(kind, one["gid"])
    for task in call.store.latest.all("task", stage=call.caller):
        if gid in task["projects"]:
            left = [other for other in task["projects"] if other != gid]
            call.store.put("task", task["gid"], task | {"projects": left})
    for hook in call.store.latest.all("webhook", resource=gid):
        call.store.delete("webhook", hook["gid"])
    call.store.delete("project", gid)
    return answers.nothing()


def project(call: Call, document: Document) -> Document:
    latest = call.store.latest
    members = [_member(call, one["member"]) for one in latest.all("membership", project=document["gid"])]
    return without_stage(document) | {
        "workspace": answers.compact(latest.get("workspace", document["workspace"]) or {}),
        "team": answers.compact(latest.get("team", document["team"]) or {}) if document["team"] else None,
        "members": [one for one in members if one["resource_type"] == "user"],
        "permalink_url": f"https://app.asana.com/0/{document['gid']}/list",
        "public": document["privacy_setting"] == "public_to_workspace",
        "html_notes": f"<body>{document['notes']}</body>",
    }


def list_sections(call: Call) -> Response:
    gid = found(call, "project", call.path("gid"))["gid"]
    return answers.page(call, [_section(call, one) for one in _in_order(call, gid)])


def _in_order(call: Call, project_gid: str) -> list[Document]:
    return sorted(call.store.all("section", project=project_gid), key=lambda one: float(one["order"]))


def create_section(call: Call) -> Response:
    gid, body = found(call, "project", call.path("gid"))["gid"], sent(call, SectionBody)
    section = _put_section(call, gid, body.name, body.insert_before, body.insert_after)
    return answers.one(call, _section(call, section), 201)


def _put_section(call: Call, project_gid: str, name: str, before: str | None, after: str | None) -> Document:
    gid = new_gid()
    section: Document = {"gid": gid, "resource_type": "section", "name": name, "project": project_gid}
    others = _in_order(call, project_gid)
    order = _between(others, before, after) if before or after else (others[-1]["order"] + 1 if others else 0)
    return call.store.put("section", gid, section | {"order": order, "created_at": now(), "stage": call.caller})


def _between(others: list[Document], before: str | None, after: str | None) -> float:
    """The place just before or just after another section."""
    if before and after:
        raise ApiError(400, "Only one of before_section, after_section may be given")
    gids = [one["gid"] for one in others]
    at = before or after or ""
    if at not in gids:
        raise ApiError(400, f"{'before' if before else 'after'}_section: Not a recognized ID: {at}")
    index = gids.index(at)
    low, high = (index - 1, index) if before else (index, index + 1)
    lowest = float(others[low]["order"]) if low >= 0 else float(others[high]["order"]) - 2
    highest = float(others[high]["order"]) if high < len(others) else lowest + 2
    return (lowest + highest) / 2


def insert_section(call: Call) -> Response:
    gid, body = found(call, "project", call.path("gid"))["gid"], sent(call, InsertBody)
    section = meant(call, "section", body.section, "section")
    if section["project"] != gid:
        raise ApiError(400, "section: Sections cannot be moved between projects")
    if not (body.before_section or body.after_section):
        raise ApiError(400, "You should specify one of before_section, after_section")
    others = [one for one in _in_order(call, gid) if one["gid"] != section["gid"]]
    order = _between(others, body.before_section, body.after_section)
    call.store.put("section", section["gid"], section | {"order": order})
    return answers.nothing()


def read_section(call: Call) -> Response:
    return answers.one(call, _section(call, found(call, "section", call.path("gid"))))


def update_section(call: Call) -> Response:
    section, body = found(call, "section", call.path("gid")), sent(call, SectionBody)
    return answers.one(call, _section(call, call.store.put("section", section["gid"], section | {"name": body.name})))


def delete_section(call: Call) -> Response:
    section = found(call, "section", call.path("gid"))
    if any(section["gid"] in task["sections"] for task in call.store.latest.all("task", stage=call.caller)):
        raise ApiError(400, "section: Cannot delete a section that contains tasks")
    if len(call.store.latest.all("section", project=section["project"])) == 1:
        raise ApiError(400, "section: Cannot delete the last section of a project")
    call.store.delete("section", section["gid"])
    return answers.nothing()


def _section(call: Call, document: Document) -> Document:
    own = answers.compact(call.store.latest.get("project", document["project"]) or {})
    return {name: value for name, value in without_stage(document).items() if name != "order"} | {
        "project": own,
        "projects": [own],
    }


def list_memberships(call: Call) -> Response:
    if not (parent := call.query("parent")):
        raise ApiError(400, "parent: Missing input")
    gid = meant(call, "project", parent, "parent")["gid"]
    members = call.store.all("membership", project=gid)
    if member := call.query("member"):
        members = [one for one in members if one["member"] == member]
    return answers.page(call, [_membership(call, one) for one in members])


def create_membership(call: Call) -> Response:
    body = sent(call, MembershipBody)
    gid = meant(call, "project", body.parent, "parent")["gid"]
    latest = call.store.latest
    one = latest.get("user", body.member) or latest.get("team", body.member)
    if one is None or one["stage"] != call.caller:
        raise ApiError(400, f"member: Not a recognized ID: {body.member}")
    level = body.access_level or (latest.get("project", gid) or {})["default_access_level"]
    same = latest.first("membership", project=gid, member=one["gid"])
    if same:
        made = call.store.put("membership", same["gid"], same | {"access_level": level})
    else:
        made = _put_membership(call, gid, one, level)
    return answers.one(call, _membership(call, made), 201)


def _put_membership(call: Call, project_gid: str, one: Document, level: str) -> Document:
    gid = new_gid()
    made: Document = {"gid": gid, "project": project_gid, "member": one["gid"], "access_level": level}
    return call.store.put("membership", gid, made | {"stage": call.caller})


def read_membership(call: Call) -> Response:
    return answers.one(call, _membership(call, found(call, "membership", call.path("gid"))))


def update_membership(call: Call) -> Response:
    document, body = found(call, "membership", call.path("gid")), sent(call, AccessBody)
    return answers.one(call, _membership(call, call.store.put("membership", document["gid"], document | body.sent())))


def delete_membership(call: Call) -> Response:
    call.store.delete("membership", found(call, "membership", call.path("gid"))["gid"])
    return answers.nothing()


def _member(call: Call, gid: str) -> dict[str, Any]:
    latest = call.store.latest
    return answers.compact(latest.get("user", gid) or latest.get("team", gid) or {})


def _membership(call: Call, document: Document) -> Document:
    return {
        "gid": document["gid"],
        "resource_type": "membership",
        "resource_subtype": "project_membership",
        "parent": answers.compact(call.store.latest.get("project", document["project"]) or {}),
        "member": _member(call, document["member"]),
        "access_level": document["access_level"],
    }

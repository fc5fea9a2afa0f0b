"""Tags and tasks: what people (and reminders) put into projects."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from starlette.responses import Response

from sandbox.asana import answers, custom_fields
from sandbox.asana.access import (
    caller,
    found,
    meant,
    new_gid,
    now,
    require_plan,
    sent,
    without_stage,
    workspace,
    workspace_gid,
)
from sandbox.asana.places import Color, person
from sandbox.asana.webhooks import happened
from sandbox.http import ApiError, Body, Call
from sandbox.store import Document

_EXTERNAL = "external:"


class TagBody(Body):
    name: str | None = Field(None, min_length=1)
    color: Color | None = None
    notes: str | None = None
    workspace: str | None = None


class External(Body):
    gid: str = Field(min_length=1, max_length=1024)
    data: str | None = None


class TaskBody(Body):
    name: str | None = None
    notes: str | None = None
    workspace: str | None = None
    projects: list[str] | None = None
    tags: list[str] | None = None
    assignee: str | None = None
    due_on: str | None = Field(None, pattern=r"^\d{4}-\d{2}-\d{2}$")
    completed: bool | None = None
    custom_fields: dict[str, Any] | None = None
    external: External | None = None
    resource_subtype: Literal["default_task", "milestone", "approval"] | None = None


class AddTaskBody(Body):
    task: str


def list_tags(call: Call) -> Response:
    if gid := call.query("workspace"):
        workspace(call, gid)
    return answers.page(call, [_tag(call, one) for one in call.store.all("tag", stage=call.caller)])


def list_tags_of_workspace(call: Call) -> Response:
    found(call, "workspace", call.path("gid"))
    return list_tags(call)


def create_tag(call: Call) -> Response:
    body = sent(call, TagBody)
    gid = call.request.path_params.get("gid") or body.workspace
    if gid is None:
        raise ApiError(400, "workspace: Missing input")
    own = workspace(call, str(gid))
    tag_gid = new_gid()
    base: Document = {"gid": tag_gid, "resource_type": "tag", "name": "", "color": None, "notes": ""}
    members = base | body.sent() | {"workspace": own["gid"], "created_at": now(), "stage": call.caller}
    members["color"] = None if members["color"] == "none" else members["color"]
    return answers.one(call, _tag(call, call.store.put("tag", tag_gid, members)), 201)


def read_tag(call: Call) -> Response:
    return answers.one(call, _tag(call, found(call, "tag", call.path("gid"))))


def update_tag(call: Call) -> Response:
    tag, changes = found(call, "tag", call.path("gid")), sent(call, TagBody).sent()
    if changes.get("workspace", tag["workspace"]) != tag["workspace"]:
        raise ApiError(400, "workspace: Cannot be changed")
    return answers.one(call, _tag(call, call.store.put("tag", tag["gid"], tag | changes)))


def delete_tag(call: Call) -> Response:
    call.store.delete("tag", found(call, "tag", call.path("gid"))["gid"])
    return answers.nothing()


def _tag(call: Call, document: Document) -> Document:
    own = answers.compact(call.store.latest.get("workspace", document["workspace"]) or {})
    link = f"https://app.asana.com/0/{document['gid']}/list"
    return without_stage(document) | {"workspace": own, "permalink_url": link, "followers": []}


def create_task(call: Call) -> Response:
    """In the first section of each project, as Asana does it."""
    body = sent(call, TaskBody)
    if not body.projects and body.workspace is None:
        raise ApiError(400, "You should specify one of workspace, parent, projects")
    members = body.sent()
    members["projects"] = [meant(call, "project", gid, "projects")["gid"] for gid in body.projects or []]
    members["tags"] = [meant(call, "tag", gid, "tags")["gid"] for gid in body.tags or []]
    if body.external and _by_external(call, body.external.gid):
        raise ApiError(400, f"external: {body.external.gid} is the external ID of another task already")
    members |= _with_values(call, members)
    gid = new_gid()
    base: Document = {
        "gid": gid,
        "resource_type": "task",
        "resource_subtype": "default_task",
        "name": "",
        "notes": "",
        "completed": False,
        "due_on": None,
        "assignee": None,
        "custom_fields": {},
        "external": None,
        "created_at": now(),
        "modified_at": now(),
    }
    sections = [_first_section(call, project) for project in members["projects"]]
    document = base | members | {"sections": sections, "workspace": workspace_gid(call.caller), "stage": call.caller}
    call.store.put("task", gid, document)
    for project in document["projects"]:
        happened(call, "added", document, meant(call, "project", project, "projects"))
    return answers.one(call, _task(call, document), 201)


def _with_values(call: Call, members: Document) -> Document:
    """What of a task refers to others, as it is kept: the assignee by gid, values only of fields that are there."""
    kept: Document = {}
    if members.get("assignee"):
        kept["assignee"] = person(call, members["assignee"])["gid"]
    for gid, value in (members.get("custom_fields") or {}).items():
        field = meant(call, "custom_field", gid, "custom_fields")
        options = [one["gid"] for one in field.get("enum_options", []) if one["enabled"]]
        wrong = [one for one in (value if isinstance(value, list) else [value]) if options and one not in options]
        if wrong and value is not None:
            raise ApiError(400, f"custom_fields.{gid}: Not an enabled enum option: {wrong[0]}")
    return kept


def _first_section(call: Call, project: str) -> str:
    sections = sorted(call.store.latest.all("section", project=project), key=lambda one: float(one["order"]))
    return str(sections[0]["gid"])


def _by_external(call: Call, external: str) -> Document | None:
    tasks = call.store.latest.all("task", stage=call.caller)
    return next((one for one in tasks if (one["external"] or {}).get("gid") == external), None)


def _found_task(call: Call) -> Document:
    """By the gid, or by the ID that another system gave it (``external:…``)."""
    named = call.path("gid")
    if not named.startswith(_EXTERNAL):
        return found(call, "task", named)
    task = _by_external(call, named.removeprefix(_EXTERNAL))
    if task is None:
        raise ApiError(404, f"task: Unknown object: {named}")
    return task


def read_task(call: Call) -> Response:
    return answers.one(call, _task(call, _found_task(call)))


def update_task(call: Call) -> Response:
    task, changes = _found_task(call), sent(call, TaskBody).sent()
    changes |= _with_values(call, changes)
    values = {**task["custom_fields"], **(changes.get("custom_fields") or {})}
    changed = call.store.put("task", task["gid"], task | changes | {"custom_fields": values, "modified_at": now()})
    for project in changed["projects"]:
        happened(call, "changed", changed, meant(call, "project", project, "projects"), fields=sorted(changes))
    return answers.one(call, _task(call, changed))


def delete_task(call: Call) -> Response:
    task = _found_task(call)
    call.store.delete("task", task["gid"])
    for project in task["projects"]:
        happened(call, "deleted", task, meant(call, "project", project, "projects"))
    return answers.nothing()


def list_tasks(call: Call) -> Response:
    """Of a project, a section, or an assignee in a workspace: one of them must be said."""
    project, section, assignee = call.query("project"), call.query("section"), call.query("assignee")
    if not (project or section or (assignee and call.query("workspace"))):
        raise ApiError(400, "You should specify one of project, tag, section, user_task_list, or assignee + workspace")
    return _tasks(call, project=project, section=section, assignee=assignee)


def list_tasks_of_project(call: Call) -> Response:
    return _tasks(call, project=found(call, "project", call.path("gid"))["gid"])


def list_tasks_of_section(call: Call) -> Response:
    return _tasks(call, section=found(call, "section", call.path("gid"))["gid"])


def _tasks(
    call: Call, *, project: str | None = None, section: str | None = None, assignee: str | None = None
) -> Response:
    wanted = [
        one
        for one in call.store.all("task", stage=call.caller)
        if (project is None or project in one["projects"])
        and (section is None or section in one["sections"])
        and (assignee is None or one["assignee"] == person(call, assignee)["gid"])
    ]
    return answers.page(call, [_task(call, one) for one in wanted])


def search_tasks(call: Call) -> Response:
    """By text, project, completion and the values of custom fields (``custom_fields.<gid>.value``)."""
    found(call, "workspace", call.path("gid"))
    require_plan(call, "search")
    query = call.request.query_params
    text = (query.get("text") or "").casefold()
    projects = call.many("projects.any")
    values = {name.split(".")[1]: value for name, value in query.items() if name.startswith("custom_fields.")}
    wanted = [
        one
        for one in call.store.all("task", stage=call.caller)
        if (not text or text in f"{one['name']} {one['notes']}".casefold())
        and (not projects or set(projects) & set(one["projects"]))
        and ("completed" not in query or one["completed"] is call.flag("completed"))
        and all(str(one["custom_fields"].get(gid)) == value for gid, value in values.items())
    ]
    return answers.page(call, [_task(call, one) for one in wanted])


def add_task(call: Call) -> Response:
    section, body = found(call, "section", call.path("gid")), sent(call, AddTaskBody)
    task = meant(call, "task", body.task, "task")
    others = {one["gid"] for one in call.store.latest.all("section", project=section["project"])}
    sections = [*(gid for gid in task["sections"] if gid not in others), section["gid"]]
    projects = list(dict.fromkeys([*task["projects"], section["project"]]))
    call.store.put("task", task["gid"], task | {"sections": sections, "projects": projects})
    return answers.nothing()


def _task(call: Call, document: Document) -> Document:
    latest = call.store.latest

    def named(kind: str, gid: str) -> dict[str, Any]:
        return answers.compact(latest.get(kind, gid) or {})

    absent = [name for name in ("assignee", "external") if document[name] is None]
    return without_stage({name: value for name, value in document.items() if name not in ("sections", *absent)}) | {
        "workspace": named("workspace", document["workspace"]),
        "projects": [named("project", gid) for gid in document["projects"]],
        "tags": [named("tag", gid) for gid in document["tags"]] if document.get("tags") else [],
        **({"assignee": named("user", document["assignee"])} if document["assignee"] else {}),
        "memberships": [
            {
                "project": named("project", (latest.get("section", gid) or {}).get("project", "")),
                "section": named("section", gid),
            }
            for gid in document["sections"]
        ],
        "custom_fields": [_value(call, gid, value) for gid, value in document["custom_fields"].items()],
        "created_by": answers.compact(caller(call)),
        "permalink_url": f"https://app.asana.com/0/0/{document['gid']}",
    }


def _value(call: Call, gid: str, value: Any) -> Document:
    field = custom_fields.field(call, call.store.latest.get("custom_field", gid) or {"created_by": ""})
    kind = field.get("resource_subtype")
    if kind == "enum":
        chosen = next((one for one in field["enum_options"] if one["gid"] == value), None)
        return field | {"enum_value": chosen, "display_value": chosen["name"] if chosen else None}
    if kind == "multi_enum":
        return field | {"multi_enum_values": [one for one in field["enum_options"] if one["gid"] in (value or [])]}
    shown = None if value is None else str(value)
    return field | {f"{kind}_value": value, "display_value": shown} if kind in ("text", "number") else field

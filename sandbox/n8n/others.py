"""Tags, variables, projects and their members, users: what workflows are sorted by and read."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from starlette.responses import Response

from sandbox.http import ApiError, Call, answer
from sandbox.n8n.access import Strict, found, new_id, now, page, put_project, require, require_licence, sent, shown
from sandbox.store import Document

_PROJECTS, _VARIABLES = "projectRole:admin", "variables"


class TagBody(Strict):
    name: str = Field(min_length=1, max_length=24)


class VariableBody(Strict):
    key: str = Field(min_length=1, max_length=50, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    value: str = Field(max_length=1000)
    project_id: str | None = Field(None, max_length=36)


class ProjectBody(Strict):
    name: str = Field(min_length=1, max_length=255)


class Relation(Strict):
    user_id: str = Field(min_length=1)
    role: str = Field(min_length=1)


class Relations(Strict):
    relations: list[Relation] = Field(min_length=1)


class RoleBody(Strict):
    role: str = Field(min_length=1)


def list_tags(call: Call) -> Response:
    require(call, "tag:list")
    return page(call, [shown(tag) for tag in call.store.all("tag", stage=call.caller)])


def create_tag(call: Call) -> Response:
    require(call, "tag:create")
    tag = {"id": new_id(), "name": _free_name(call, ""), "createdAt": now(), "updatedAt": now(), "stage": call.caller}
    return answer(shown(call.store.put("tag", tag["id"], tag)), 201)


def _free_name(call: Call, own: str) -> str:
    name = sent(call, TagBody).name
    if any(tag["name"] == name and tag["id"] != own for tag in call.store.latest.all("tag", stage=call.caller)):
        raise ApiError(409, "Tag already exists")
    return name


def read_tag(call: Call) -> Response:
    require(call, "tag:read")
    return answer(shown(found(call, "tag")))


def update_tag(call: Call) -> Response:
    require(call, "tag:update")
    tag = found(call, "tag")
    changed = tag | {"name": _free_name(call, tag["id"]), "updatedAt": now()}
    return answer(shown(call.store.put("tag", tag["id"], changed)))


def delete_tag(call: Call) -> Response:
    require(call, "tag:delete")
    tag = found(call, "tag")
    call.store.delete("tag", tag["id"])
    return answer(shown(tag))


def list_variables(call: Call) -> Response:
    require(call, "variable:list")
    require_licence(call, _VARIABLES)
    projects = {one["id"]: shown(one) for one in call.store.latest.all("project", stage=call.caller)}
    variables = call.store.all("variable", stage=call.caller)
    documents = [shown(one, "projectId") | {"project": projects.get(one["projectId"])} for one in variables]
    return page(call, documents)


def create_variable(call: Call) -> Response:
    require(call, "variable:create")
    require_licence(call, _VARIABLES)
    _put_variable(call, new_id())
    return Response(status_code=201)


def update_variable(call: Call) -> Response:
    require(call, "variable:update")
    require_licence(call, _VARIABLES)
    _put_variable(call, found(call, "variable")["id"])
    return Response(status_code=204)


def _put_variable(call: Call, id_: str) -> None:
    body = sent(call, VariableBody)
    members = body.model_dump(by_alias=True) | {"type": "string"}
    for other in call.store.latest.all("variable", stage=call.caller, key=body.key, projectId=body.project_id):
        if other["id"] != id_:
            raise ApiError(400, f"A variable with the key '{body.key}' already exists")
    call.store.put("variable", id_, members | {"id": id_, "stage": call.caller})


def delete_variable(call: Call) -> Response:
    require(call, "variable:delete")
    require_licence(call, _VARIABLES)
    call.store.delete("variable", found(call, "variable")["id"])
    return Response(status_code=204)


def list_projects(call: Call) -> Response:
    require(call, "project:list")
    require_licence(call, _PROJECTS)
    return page(call, [shown(one) for one in call.store.all("project", stage=call.caller)])


def create_project(call: Call) -> Response:
    require(call, "project:create")
    require_licence(call, _PROJECTS)
    project = put_project(call.store, call.caller, new_id(), sent(call, ProjectBody).name, "team")
    return answer(shown(project) | {"role": "project:admin", "scopes": ["project:read", "project:update"]}, 201)


def update_project(call: Call) -> Response:
    require(call, "project:update")
    project = _team(call)
    call.store.put("project", project["id"], project | {"name": sent(call, ProjectBody).name, "updatedAt": now()})
    return Response(status_code=204)


def _team(call: Call) -> Document:
    project = found(call, "project")
    if project["type"] != "team":
        raise ApiError(403, "Forbidden")
    return project


def delete_project(call: Call) -> Response:
    """With all that is in it."""
    require(call, "project:delete")
    project = _team(call)
    for kind, member in (("workflow", "project"), ("credential", "project"), ("variable", "projectId")):
        for one in call.store.latest.all(kind, **{member: project["id"]}):
            call.store.delete(kind, one["id"])
    for member_ in call.store.latest.all("member", project=project["id"]):
        call.store.delete("member", f"{member_['project']}/{member_['user']}")
    call.store.delete("project", project["id"])
    return Response(status_code=204)


def list_members(call: Call) -> Response:
    require(call, "project:list")
    require_licence(call, _PROJECTS)
    project = found(call, "project")
    documents = []
    for member in call.store.all("member", project=project["id"]):
        user = call.store.latest.get("user", member["user"]) or {}
        public = {name: user[name] for name in ("id", "email", "firstName", "lastName", "createdAt", "updatedAt")}
        documents.append(public | {"role": member["role"]})
    return page(call, documents)


def add_members(call: Call) -> Response:
    require(call, "project:update")
    require_licence(call, _PROJECTS)
    project = _team(call)
    for relation in sent(call, Relations).relations:
        if call.store.latest.get("user", relation.user_id) is None:
            raise ApiError(400, f"User {relation.user_id} does not exist")
        _put_member(call, project["id"], relation.user_id, relation.role)
    return Response(status_code=201)


def _put_member(call: Call, project: str, user: str, role: str) -> None:
    if role not in ("project:admin", "project:editor", "project:viewer", "project:chatUser"):
        raise ApiError(400, f"Role {role} does not exist")
    call.store.put("member", f"{project}/{user}", {"project": project, "user": user, "role": role})


def change_member(call: Call) -> Response:
    require(call, "project:update")
    member = _member(call)
    _put_member(call, member["project"], member["user"], sent(call, RoleBody).role)
    return Response(status_code=204)


def remove_member(call: Call) -> Response:
    require(call, "project:update")
    member = _member(call)
    call.store.delete("member", f"{member['project']}/{member['user']}")
    return Response(status_code=204)


def _member(call: Call) -> dict[str, Any]:
    member = call.store.get("member", f"{_team(call)['id']}/{call.path('user')}")
    if member is None:
        raise ApiError(404, "Not Found")
    return member


def read_user(call: Call) -> Response:
    """By id or address."""
    require(call, "user:read")
    wanted = call.path("user")
    for user in call.store.all("user", stage=call.caller):
        if wanted in (user["id"], user["email"]):
            return answer(shown(user))
    raise ApiError(404, f"Could not find user with id: {wanted}")


def is_well(_: Call) -> Response:
    return answer({"status": "ok"})

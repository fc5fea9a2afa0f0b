"""Whom a token belongs to, and the projects and files that it sees."""

from __future__ import annotations

from starlette.responses import Response

from sandbox.figma.access import PLAN, TEAM, file, require, shown, token_of
from sandbox.http import ApiError, Call, answer


def read_me(call: Call) -> Response:
    """A plan's token is nobody's."""
    if token_of(call)["kind"] != "personal":
        raise ApiError(403, "Invalid token")
    require(call, "current_user:read", tier=3)
    return answer(call.store.get("user", str(token_of(call)["user"])))


def list_projects(call: Call) -> Response:
    require(call, "projects:read")
    if call.path("team") != TEAM:
        raise ApiError(403, "Forbidden")
    projects = [shown(project, "team") for project in call.store.all("project")]
    return answer({"name": "Pay Ready", "projects": projects})


def list_files(call: Call) -> Response:
    require(call, "projects:read")
    project = call.store.latest.get("project", call.path("project"))
    if project is None:
        raise ApiError(403, "Forbidden")
    files = [shown(one, "project") for one in call.store.all("file", project=project["id"])]
    return answer({"name": project["name"], "files": files})


def read_file(call: Call) -> Response:
    require(call, "file_metadata:read", tier=3)
    found = file(call, call.path("file"))
    project = call.store.latest.get("project", found["project"]) or {}
    about = {
        "name": found["name"],
        "folder_name": project.get("name", ""),
        "last_touched_at": found["last_modified"],
        "editorType": "figma",
        "url": f"https://www.figma.com/design/{found['key']}",
        "version": "1",
    }
    return answer({"file": about})


def exists(call: Call, context: str, context_id: str) -> bool:
    """Whether there is such a team, project or file."""
    if context == "team":
        return context_id == TEAM
    return call.store.latest.get(context, context_id) is not None


def plan_matches(plan: str) -> bool:
    return plan == PLAN

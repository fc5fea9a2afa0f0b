"""Workflows of n8n: drafts and published versions, tags, archives, and the executions that they have had."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from pydantic import Field, TypeAdapter, ValidationError
from starlette.responses import Response

from sandbox.http import ApiError, Call, answer
from sandbox.n8n.access import Strict, found, new_id, now, page, personal_project, require, sent, shown
from sandbox.n8n.credentials import Transfer
from sandbox.store import Document

_WAITED_ON = ("n8n-nodes-base.webhook", "n8n-nodes-base.formTrigger")
_NEVER_WAITED_ON = ("n8n-nodes-base.manualTrigger", "@n8n/n8n-nodes-langchain.manualChatTrigger")
_DEFAULTS = {"callerPolicy": "workflowsFromSameOwner", "availableInMCP": False}
"""What n8n adds to the settings of a workflow."""


class Node(Strict):
    id: str = Field(default_factory=lambda: str(uuid4()))
    name: str
    type: str
    type_version: float
    position: list[float] = Field(min_length=2, max_length=2)
    parameters: dict[str, Any] = Field(default_factory=dict)
    credentials: dict[str, Any] | None = None
    webhook_id: str | None = None
    disabled: bool | None = None
    notes: str | None = None
    notes_in_flow: bool | None = None
    execute_once: bool | None = None
    always_output_data: bool | None = None
    retry_on_fail: bool | None = None
    max_tries: float | None = None
    wait_between_tries: float | None = None
    continue_on_fail: bool | None = None
    on_error: str | None = None


class WorkflowSettings(Strict):
    save_execution_progress: bool | None = None
    save_manual_executions: bool | None = None
    save_data_error_execution: str | None = Field(None, pattern="^(all|none)$")
    save_data_success_execution: str | None = Field(None, pattern="^(all|none)$")
    execution_timeout: float | None = Field(None, le=3600)
    error_workflow: str | None = None
    timezone: str | None = None
    execution_order: str | None = None
    caller_policy: str | None = None
    caller_ids: str | None = None
    time_saved_per_execution: float | None = None
    available_in_mcp: bool | None = Field(None, alias="availableInMCP")


class WorkflowUpdate(Strict):
    name: str = Field(min_length=1, max_length=128)
    nodes: list[Node]
    connections: dict[str, Any]
    settings: WorkflowSettings
    static_data: dict[str, Any] | None = None
    description: str | None = None


class WorkflowCreate(WorkflowUpdate):
    project_id: str | None = None
    parent_folder_id: str | None = None


class TagRef(Strict):
    id: str


def _content(call: Call, body: WorkflowUpdate) -> Document:
    """What is kept of a body, with what n8n adds to it."""
    document = body.sent()
    document.pop("projectId", None)
    document.pop("parentFolderId", None)
    names = [node.name for node in body.nodes]
    if len({*names}) != len(names):
        raise ApiError(400, "request/body/nodes must have unique names")
    document["nodes"] = [
        {"id": node.id, "parameters": {}, **node.sent(), **_named_credentials(call, node)} for node in body.nodes
    ]
    document["settings"] = {**_DEFAULTS, **document["settings"]}
    return document | {"versionId": str(uuid4()), "updatedAt": now()}


def _named_credentials(call: Call, node: Node) -> Document:
    """A node's credentials with the titles that they have now, as n8n puts them in."""
    if node.credentials is None:
        return {}
    titled = {}
    for type_, used in node.credentials.items():
        known = call.store.latest.get("credential", str(used.get("id")))
        titled[type_] = used if known is None else {"id": known["id"], "name": known["name"]}
    return {"credentials": titled}


def _public(call: Call, workflow: Document) -> dict[str, Any]:
    tags = {tag["id"]: tag for tag in call.store.latest.all("tag", stage=call.caller)}
    project = call.store.latest.get("project", workflow["project"]) or personal_project(call)
    share = {
        "role": "workflow:owner",
        "workflowId": workflow["id"],
        "projectId": project["id"],
        "project": shown(project),
        "createdAt": workflow["createdAt"],
        "updatedAt": workflow["createdAt"],
    }
    return {
        **shown(workflow, "project", "tagIds", "activeContent"),
        "tags": [shown(tags[id_]) for id_ in workflow["tagIds"] if id_ in tags],
        "shared": [share],
        "activeVersion": workflow["activeContent"],
    }


def list_workflows(call: Call) -> Response:
    require(call, "workflow:list")
    documents = [_public(call, one) for one in call.store.all("workflow", stage=call.caller)]
    name, active, tags, project = (call.query(what) for what in ("name", "active", "tags", "projectId"))
    wanted = {tag for tag in (tags or "").split(",") if tag}
    matching = [
        one
        for one in documents
        if (name is None or name.lower() in one["name"].lower())
        and (active is None or one["active"] == (active == "true"))
        and wanted <= {tag["name"] for tag in one["tags"]}
        and (project is None or one["shared"][0]["projectId"] == project)
    ]
    return page(call, [_listed(one) for one in matching])


def _listed(workflow: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in workflow.items() if name != "description"}


def create_workflow(call: Call) -> Response:
    require(call, "workflow:create")
    body = sent(call, WorkflowCreate)
    workflow = {
        "id": new_id(),
        "description": None,
        "active": False,
        "activeVersionId": None,
        "activeContent": None,
        "isArchived": False,
        "versionCounter": 1,
        "sourceWorkflowId": None,
        "triggerCount": 0,
        "nodeGroups": [],
        "staticData": None,
        "meta": None,
        "createdAt": now(),
        "stage": call.caller,
        "project": _project(call, body.project_id),
        "tagIds": [],
        **_content(call, body),
    }
    return answer(_public(call, call.store.put("workflow", workflow["id"], workflow)) | {"parentFolder": None})


def _project(call: Call, id_: str | None) -> str:
    if id_ is None:
        return str(personal_project(call)["id"])
    project = call.store.latest.get("project", id_)
    if project is None or project["stage"] != call.caller:
        raise ApiError(404, f"Could not find any project with the ID: {id_}")
    return id_


def read_workflow(call: Call) -> Response:
    require(call, "workflow:read")
    return answer(_public(call, found(call, "workflow")))


def update_workflow(call: Call) -> Response:
    """``PUT``: all of it. A workflow that is published is published anew, unless the query says otherwise."""
    require(call, "workflow:update")
    workflow, body = found(call, "workflow"), sent(call, WorkflowUpdate)
    if workflow["isArchived"]:
        raise ApiError(400, "Cannot update an archived workflow.")
    changed = workflow | _content(call, body) | {"versionCounter": workflow["versionCounter"] + 1}
    if workflow["active"] and call.query("publishIfActive") != "false":
        require(call, "workflow:activate")
        changed = _published(call, changed)
    return answer(_public(call, call.store.put("workflow", workflow["id"], changed)))


def archive_workflow(call: Call) -> Response:
    require(call, "workflow:delete")
    return _changed(call, isArchived=True, active=False, activeVersionId=None, activeContent=None)


def unarchive_workflow(call: Call) -> Response:
    require(call, "workflow:delete")
    if not found(call, "workflow")["isArchived"]:
        raise ApiError(400, "Workflow is not archived.")
    return _changed(call, isArchived=False)


def delete_workflow(call: Call) -> Response:
    """For good, with its executions."""
    require(call, "workflow:delete")
    workflow = found(call, "workflow")
    call.store.delete("workflow", workflow["id"])
    for execution in call.store.latest.all("execution", workflowId=workflow["id"]):
        call.store.delete("execution", execution["id"])
    return answer(_public(call, workflow))


def publish_workflow(call: Call) -> Response:
    require(call, "workflow:activate")
    workflow = found(call, "workflow")
    if workflow["isArchived"]:
        raise ApiError(400, "Cannot activate an archived workflow.")
    workflow = call.store.put("workflow", workflow["id"], _published(call, workflow))
    public = {name: value for name, value in _public(call, workflow).items() if name not in ("tags", "shared")}
    return answer(public)


def unpublish_workflow(call: Call) -> Response:
    require(call, "workflow:deactivate")
    return _changed(call, active=False, activeVersionId=None, activeContent=None)


def _changed(call: Call, **members: Any) -> Response:
    workflow = found(call, "workflow")
    changed = workflow | members | {"updatedAt": now()}
    return answer(_public(call, call.store.put("workflow", workflow["id"], changed)))


def _published(call: Call, workflow: Document) -> Document:
    """The workflow with its present draft in force. n8n wants a trigger to wait on, and no webhook twice."""
    waiting = [node for node in workflow["nodes"] if _is_waited_on(node) and not node.get("disabled")]
    if not waiting:
        said = "Workflow cannot be activated because it has no trigger node. At least one trigger, webhook, or polling"
        raise ApiError(400, f"{said} node is required.")
    taken = {
        hook
        for other in call.store.latest.all("workflow", stage=call.caller)
        if other["active"] and other["id"] != workflow["id"]
        for hook in _webhooks((other["activeContent"] or other)["nodes"])
    }
    if conflict := taken & {*_webhooks(waiting)}:
        method, path = min(conflict)
        raise ApiError(409, f"There is a conflict with one of the webhooks: {method} {path} is in use already.")
    members = {name: workflow[name] for name in ("versionId", "nodes", "connections")}
    version = {**members, "workflowId": workflow["id"], "nodeGroups": [], "authors": "Pay Ready", "name": None}
    version |= {
        "description": None,
        "autosaved": False,
        "workflowPublishHistory": [],
        "createdAt": now(),
        "updatedAt": now(),
    }
    count = len(waiting)
    active = {"active": True, "activeVersionId": workflow["versionId"], "triggerCount": count}
    return workflow | active | {"activeContent": version, "updatedAt": now()}


def _is_waited_on(node: Document) -> bool:
    type_ = node["type"]
    return type_ in _WAITED_ON or ("trigger" in type_.lower() and type_ not in _NEVER_WAITED_ON)


def _webhooks(nodes: list[Document]) -> list[tuple[str, str]]:
    return [
        (str(node["parameters"].get("httpMethod", "GET")), str(node["parameters"].get("path", "")))
        for node in nodes
        if node["type"] in _WAITED_ON and not node.get("disabled")
    ]


def read_tags(call: Call) -> Response:
    require(call, "workflowTags:list")
    return answer(_public(call, found(call, "workflow"))["tags"])


def update_tags(call: Call) -> Response:
    require(call, "workflowTags:update")
    workflow = found(call, "workflow")
    try:
        wanted = [ref.id for ref in TypeAdapter(list[TagRef]).validate_json(call.payload)]
    except ValidationError as error:
        raise ApiError(400, "request/body must be array of objects with an id") from error
    known = {tag["id"] for tag in call.store.latest.all("tag", stage=call.caller)}
    if not {*wanted} <= known:
        raise ApiError(404, "Some tags not found")
    call.store.put("workflow", workflow["id"], workflow | {"tagIds": wanted, "updatedAt": now()})
    return answer(_public(call, found(call, "workflow"))["tags"])


def transfer_workflow(call: Call) -> Response:
    require(call, "workflow:move")
    workflow = found(call, "workflow")
    destination = _project(call, sent(call, Transfer).destination_project_id)
    call.store.put("workflow", workflow["id"], workflow | {"project": destination, "updatedAt": now()})
    return Response(status_code=204)


def list_executions(call: Call) -> Response:
    """Newest first. Nothing runs in the sandbox: what is here, a test has put here."""
    require(call, "execution:list")
    wanted = {name: call.query(name) for name in ("status", "workflowId")}
    found_ = call.store.all("execution", stage=call.caller)
    matching = [one for one in found_ if all(value in (None, one[name]) for name, value in wanted.items())]
    return page(call, [shown(one) for one in reversed(matching)])

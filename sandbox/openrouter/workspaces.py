"""Workspaces and their budgets. There is always a default workspace, which takes what names no other."""

from __future__ import annotations

from itertools import pairwise
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

from pydantic import Field
from starlette.responses import Response

from sandbox.http import ApiError, Body, Call, answer, cut
from sandbox.openrouter.access import USER, now
from sandbox.store import Document, Store

DEFAULT = str(uuid5(NAMESPACE_URL, "https://openrouter.ai/workspaces/default"))
_INTERVALS = ("daily", "weekly", "monthly", "lifetime")
_SLUG = r"^[a-z0-9]+(?:-[a-z0-9]+)*$"


class WorkspaceUpdate(Body):
    name: str = Field("", min_length=1, max_length=100)
    slug: str = Field("", min_length=1, max_length=50, pattern=_SLUG)
    description: str | None = Field(None, max_length=500)
    default_text_model: str | None = None
    default_image_model: str | None = None
    default_provider_sort: str | None = None
    io_logging_api_key_ids: list[int] | None = None
    io_logging_sampling_rate: float = Field(1, ge=0.0001, le=1)
    is_data_discount_logging_enabled: bool = True
    is_observability_broadcast_enabled: bool = False
    is_observability_io_logging_enabled: bool = False


class WorkspaceCreate(WorkspaceUpdate):
    name: str = Field(min_length=1, max_length=100)
    slug: str = Field(min_length=1, max_length=50, pattern=_SLUG)


class BudgetUpsert(Body):
    limit_usd: float = Field(gt=0)
    include_byok_in_budgets: bool | None = None


def all_workspaces(store: Store) -> list[Document]:
    """The default one first; it comes into being with the first look."""
    if store.get("workspace", DEFAULT) is None:
        store.put("workspace", DEFAULT, _new(WorkspaceCreate(name="Default", slug="default"), DEFAULT))
    return store.all("workspace")


def workspace_of(store: Store, named: str) -> Document:
    """By id or by slug."""
    slugs = {workspace["slug"]: workspace for workspace in all_workspaces(store)}
    workspace = store.get("workspace", named) or slugs.get(named)
    if workspace:
        return workspace
    raise ApiError(404, f"Workspace {named} not found")


def placed(store: Store, workspace: Any) -> str:
    """The workspace that a new object goes into: the one named, or the default one; 400 where there is none such."""
    identifiers = [found["id"] for found in all_workspaces(store.latest)]
    identifier = DEFAULT if workspace is None else str(workspace)
    if identifier not in identifiers:
        raise ApiError(400, f"workspace_id: there is no workspace {identifier}")
    return identifier


def list_workspaces(call: Call) -> Response:
    return paged(call, all_workspaces(call.store))


def create_workspace(call: Call) -> Response:
    workspace = _new(call.body(WorkspaceCreate), str(uuid4()))
    _check_slug(call.store, workspace)
    return answer({"data": call.store.put("workspace", workspace["id"], workspace)}, 201)


def read_workspace(call: Call) -> Response:
    return answer({"data": workspace_of(call.store, call.path("id"))})


def update_workspace(call: Call) -> Response:
    workspace = workspace_of(call.store, call.path("id")) | call.body(WorkspaceUpdate).sent() | {"updated_at": now()}
    _check_slug(call.store, workspace)
    return answer({"data": call.store.put("workspace", workspace["id"], workspace)})


def delete_workspace(call: Call) -> Response:
    """Deletes what is in it; refused for the default workspace, and while there are keys in it."""
    workspace = workspace_of(call.store, call.path("id"))["id"]
    if workspace == DEFAULT:
        raise ApiError(403, "The default workspace cannot be deleted")
    if any(not key["disabled"] for key in call.store.all("key", workspace_id=workspace)):
        raise ApiError(400, "Workspaces with active API keys cannot be deleted; remove the keys first")
    for guardrail in call.store.all("guardrail", workspace_id=workspace):
        for assignment in call.store.all("assignment", guardrail_id=guardrail["id"]):
            call.store.delete("assignment", assignment["key_hash"])
        for assignment in call.store.all("member_assignment", guardrail_id=guardrail["id"]):
            call.store.delete("member_assignment", assignment["user_id"])
        call.store.delete("guardrail", guardrail["id"])
    for kind in ("budget", "key", "byok", "destination", "membership"):
        for found in call.store.all(kind, workspace_id=workspace):
            call.store.delete(kind, found["hash"] if kind == "key" else found["id"])
    call.store.delete("workspace", workspace)
    return answer({"deleted": True})


def list_budgets(call: Call) -> Response:
    workspace = workspace_of(call.store, call.path("id"))
    budgets = call.store.all("budget", workspace_id=workspace["id"])
    return answer({"data": budgets, "include_byok_in_budgets": workspace["include_byok_in_budgets"]})


def read_budget(call: Call) -> Response:
    workspace, interval = workspace_of(call.store, call.path("id")), _interval(call)
    budget = _budgets(call.store, workspace).get(interval)
    if budget is None:
        raise ApiError(404, f"Workspace {workspace['slug']} has no {interval} budget")
    return answer({"data": budget, "include_byok_in_budgets": workspace["include_byok_in_budgets"]})


def put_budget(call: Call) -> Response:
    """Creates or updates. The limits must strictly decrease as the interval narrows."""
    workspace, interval, sent = workspace_of(call.store, call.path("id")), _interval(call), call.body(BudgetUpsert)
    budgets = _budgets(call.store, workspace)
    limits = {name: budget["limit_usd"] for name, budget in budgets.items()} | {interval: sent.limit_usd}
    ordered = [(name, limits[name]) for name in _INTERVALS if name in limits]
    for (narrow, less), (wide, more) in pairwise(ordered):
        if less >= more:
            raise ApiError(400, f"limit_usd: the {narrow} budget ({less}) must be less than the {wide} one ({more})")
    if sent.include_byok_in_budgets is not None:
        workspace["include_byok_in_budgets"] = sent.include_byok_in_budgets
        call.store.put("workspace", workspace["id"], workspace)
    fresh = {
        "id": str(uuid4()),
        "workspace_id": workspace["id"],
        "reset_interval": None if interval == "lifetime" else interval,
        "created_at": now(),
    }
    budget = budgets.get(interval, fresh) | {"limit_usd": sent.limit_usd, "updated_at": now()}
    call.store.put("budget", budget["id"], budget)
    return answer({"data": budget, "include_byok_in_budgets": workspace["include_byok_in_budgets"]})


def delete_budget(call: Call) -> Response:
    """Says yes, too, where there is none."""
    budget = _budgets(call.store, workspace_of(call.store, call.path("id"))).get(_interval(call))
    if budget is not None:
        call.store.delete("budget", budget["id"])
    return answer({"deleted": True})


def paged(call: Call, objects: list[Document]) -> Response:
    """One page of a list: ``limit`` 1 to 100 (50 unless said), ``offset``, and how many there are in all."""
    limit, offset = call.number("limit", 50, 1, 100), call.number("offset", 0, 0)
    return answer({"data": cut(objects, limit, offset), "total_count": len(objects)})


def default_guardrail(workspace: str) -> str:
    """The id of a workspace's default guardrail, which follows from the workspace's."""
    return str(uuid5(NAMESPACE_URL, f"https://openrouter.ai/workspaces/{workspace}/guardrail"))


def _new(sent: WorkspaceCreate, identifier: str) -> Document:
    return {
        "id": identifier,
        **sent.model_dump(mode="json"),
        "default_guardrail_id": default_guardrail(identifier),
        "include_byok_in_budgets": False,
        "created_at": now(),
        "updated_at": None,
        "created_by": USER,
    }


def _check_slug(store: Store, workspace: Document) -> None:
    namesake = next((w for w in all_workspaces(store) if w["slug"] == workspace["slug"]), None)
    if namesake is not None and namesake["id"] != workspace["id"]:
        raise ApiError(400, f"slug: there is a workspace {workspace['slug']} already")


def _interval(call: Call) -> str:
    interval = call.path("interval")
    if interval not in _INTERVALS:
        raise ApiError(400, f"interval: one of {', '.join(_INTERVALS)} is expected")
    return interval


def _budgets(store: Store, workspace: Document) -> dict[str, Document]:
    return {
        budget["reset_interval"] or "lifetime": budget for budget in store.all("budget", workspace_id=workspace["id"])
    }

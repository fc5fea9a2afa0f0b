"""Guardrails: checks of what goes to a model and comes from it, of one workspace or of the organisation."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from pydantic import ConfigDict, Field
from starlette.responses import Response

from sandbox.http import ApiError, Body, Call, answer
from sandbox.portkey import guardrail_checks
from sandbox.portkey.access import ORGANISATION, OWNER, caller, now, placed, reaches
from sandbox.portkey.errors import hidden, taken
from sandbox.portkey.lists import page, picked, slug_of
from sandbox.store import Document, Store


class Check(Body):
    id: str
    parameters: dict[str, Any] | None = None
    name: str | None = None
    is_enabled: bool | None = None


class Feedback(Body):
    value: int | float | None = None
    weight: int | float | None = None
    metadata: str | None = None


class Reaction(Body):
    feedback: Feedback | None = None


class Actions(Body):
    """Kept as it is sent, with what is not known here: the vendor's Terraform provider counts on that."""

    model_config = ConfigDict(extra="allow")

    deny: bool | None = None
    run_async: bool | None = Field(None, alias="async")
    on_success: Reaction | None = None
    on_fail: Reaction | None = None


class GuardrailUpdate(Body):
    name: str | None = Field(None, min_length=1)
    checks: list[Check] | None = Field(None, min_length=1)
    actions: Actions | None = None


class GuardrailCreate(Body):
    name: str = Field(min_length=1)
    checks: list[Check] = Field(min_length=1)
    actions: Actions
    workspace_id: str | None = None
    organisation_id: str | None = None


def list_guardrails(call: Call) -> Response:
    """Those of a workspace, or (with ``organisation_id``) those of the organisation."""
    workspace = _place(call, call.query("workspace_id"), call.query("organisation_id"))
    return page(call, [_summary(found) for found in call.store.all("guardrail", workspace_id=workspace)])


def create_guardrail(call: Call) -> Response:
    sent = call.body(GuardrailCreate)
    workspace = _place(call, sent.workspace_id, sent.organisation_id)
    _check_name(call.store, workspace, sent.name)
    guardrail: Document = {
        "id": str(uuid4()),
        "slug": slug_of(sent.name, "pg"),
        "name": sent.name,
        "organisation_id": ORGANISATION,
        "workspace_id": workspace,
        "status": "active",
        "checks": _checks(sent.checks),
        "actions": sent.actions.sent(),
        "owner_id": OWNER,
        "updated_by": None,
        "created_at": now(),
        "last_updated_at": now(),
        "version_id": str(uuid4()),
    }
    call.store.put("guardrail", guardrail["id"], guardrail)
    return answer(_made(guardrail))


def read_guardrail(call: Call) -> Response:
    guardrail = _guardrail(call)
    return answer(_summary(guardrail) | {"checks": guardrail["checks"], "actions": guardrail["actions"]})


def update_guardrail(call: Call) -> Response:
    guardrail, sent = _guardrail(call), call.body(GuardrailUpdate)
    if sent.name and sent.name != guardrail["name"]:
        _check_name(call.store, guardrail["workspace_id"], sent.name)
        guardrail["name"] = sent.name
    if sent.checks:
        guardrail["checks"] = _checks(sent.checks)
    if sent.actions:
        guardrail["actions"] = sent.actions.sent()
    guardrail |= {"updated_by": OWNER, "last_updated_at": now(), "version_id": str(uuid4())}
    call.store.put("guardrail", guardrail["id"], guardrail)
    return answer(_made(guardrail))


def delete_guardrail(call: Call) -> Response:
    call.store.delete("guardrail", _guardrail(call)["id"])
    return answer({})


def _place(call: Call, workspace: str | None, organisation: str | None) -> str | None:
    """``None`` is the organisation."""
    if workspace is None and organisation is not None and caller(call).workspace is None:
        if organisation != ORGANISATION:
            raise hidden("organisation", organisation)
        return None
    return placed(call, workspace)


def _checks(sent: list[Check]) -> list[Document]:
    for number, one in enumerate(sent):
        guardrail_checks.check(f"checks[{number}]", one.id, one.parameters or {})
    return [one.sent() for one in sent]


def _check_name(store: Store, workspace: str | None, name: str) -> None:
    if store.latest.first("guardrail", workspace_id=workspace, name=name):
        raise taken("guardrail", "the name", name)


def _guardrail(call: Call) -> Document:
    guardrail = picked(call.store, "guardrail", call.path("guardrail"))
    if guardrail is None or not reaches(call, guardrail):
        raise hidden("guardrail", call.path("guardrail"))
    if guardrail["workspace_id"] is None and caller(call).workspace and call.request.method != "GET":
        raise ApiError(403, "Only an organisation's API key changes the organisation's guardrails")
    return guardrail


def _summary(guardrail: Document) -> Document:
    return {name: value for name, value in guardrail.items() if name not in ("checks", "actions", "version_id")}


def _made(guardrail: Document) -> Document:
    return {name: guardrail[name] for name in ("id", "slug", "version_id")}

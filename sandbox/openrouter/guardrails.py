"""Guardrails, and which keys they are assigned to. One without assignments enforces nothing."""

from __future__ import annotations

import re
from typing import Any, Literal
from uuid import UUID, uuid4

from pydantic import Field, field_validator
from starlette.responses import Response

from sandbox.http import ApiError, Body, Call, answer
from sandbox.openrouter.access import USER, now
from sandbox.openrouter.workspaces import all_workspaces, paged, placed
from sandbox.store import Document, Store

_Action = Literal["redact", "block", "flag"]
_RETENTION = tuple(f"enforce_zdr_{vendor}" for vendor in ("anthropic", "openai", "google", "xai", "other"))


class ContentFilter(Body):
    pattern: str = Field(min_length=1)
    action: _Action
    label: str | None = Field(None, max_length=100)

    @field_validator("pattern")
    @classmethod
    def _check_pattern(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from error
        return pattern


class BuiltinFilter(Body):
    slug: Literal[
        "email", "phone", "ssn", "credit-card", "ip-address", "person-name", "address", "regex-prompt-injection"
    ]
    action: _Action
    scan_scope: Literal["user_only", "all_messages"] | None = None


class GuardrailUpdate(Body):
    name: str = Field("", min_length=1, max_length=200)
    description: str | None = Field(None, max_length=1000)
    limit_usd: float | None = Field(None, ge=0)
    reset_interval: Literal["daily", "weekly", "monthly"] | None = None
    include_byok_in_budgets: bool = False
    allowed_models: list[str] | None = Field(None, min_length=1)
    ignored_models: list[str] | None = Field(None, min_length=1)
    allowed_providers: list[str] | None = Field(None, min_length=1)
    ignored_providers: list[str] | None = Field(None, min_length=1)
    enforce_zdr: bool | None = None
    enforce_zdr_anthropic: bool | None = None
    enforce_zdr_openai: bool | None = None
    enforce_zdr_google: bool | None = None
    enforce_zdr_xai: bool | None = None
    enforce_zdr_other: bool | None = None
    enable_free_model_publication: bool | None = None
    enable_free_model_training: bool | None = None
    enable_paid_model_training: bool | None = None
    content_filters: list[ContentFilter] | None = None
    content_filter_builtins: list[BuiltinFilter] | None = None


class GuardrailCreate(GuardrailUpdate):
    name: str = Field(min_length=1, max_length=200)
    workspace_id: UUID | None = None


class KeyHashes(Body):
    key_hashes: list[str] = Field(min_length=1)


def list_guardrails(call: Call) -> Response:
    workspace = placed(call.store, call.query("workspace_id"))
    return paged(call, call.store.all("guardrail", workspace_id=workspace))


def create_guardrail(call: Call) -> Response:
    """Names are not unique."""
    sent = call.body(GuardrailCreate)
    guardrail = _blank(str(uuid4()), placed(call.store, sent.workspace_id), sent.name) | _changes(sent)
    return answer({"data": call.store.put("guardrail", guardrail["id"], guardrail)}, 201)


def read_guardrail(call: Call) -> Response:
    return answer({"data": find_guardrail(call)})


def update_guardrail(call: Call) -> Response:
    """Lists are replaced. The first update of a workspace's default guardrail brings it into being."""
    sent = call.body(GuardrailUpdate)
    guardrail = _default(call.store, call.path("id")) or find_guardrail(call)
    guardrail |= _changes(sent) | {"updated_at": now()}
    return answer({"data": call.store.put("guardrail", guardrail["id"], guardrail)})


def delete_guardrail(call: Call) -> Response:
    guardrail = find_guardrail(call)["id"]
    for assignment in call.store.all("assignment", guardrail_id=guardrail):
        call.store.delete("assignment", assignment["key_hash"])
    for assignment in call.store.all("member_assignment", guardrail_id=guardrail):
        call.store.delete("member_assignment", assignment["user_id"])
    call.store.delete("guardrail", guardrail)
    return answer({"deleted": True})


def list_assignments(call: Call) -> Response:
    guardrail = find_guardrail(call, call.store.latest)["id"]
    return paged(call, _assignments(call.store, call.store.all("assignment", guardrail_id=guardrail)))


def list_all_assignments(call: Call) -> Response:
    return paged(call, _assignments(call.store, call.store.all("assignment")))


def assign_keys(call: Call) -> Response:
    """A key has at most one guardrail: this one takes the place of any other. All keys or none are assigned."""
    guardrail, hashes = find_guardrail(call)["id"], _hashes(call)
    for key in hashes:
        if call.store.get("key", key) is None:
            raise ApiError(400, f"key_hashes: there is no API key {key}")
        assignment = {
            "id": str(uuid4()),
            "guardrail_id": guardrail,
            "key_hash": key,
            "assigned_by": USER,
            "created_at": now(),
        }
        present = call.store.get("assignment", key)
        if present is None or present["guardrail_id"] != guardrail:
            call.store.put("assignment", key, assignment)
    return answer({"assigned_count": len(hashes)})


def remove_keys(call: Call) -> Response:
    """Keys that this guardrail is not assigned to are passed over."""
    guardrail = find_guardrail(call)["id"]
    assigned = {found["key_hash"] for found in call.store.all("assignment", guardrail_id=guardrail)}
    removed = [key for key in _hashes(call) if key in assigned]
    for key in removed:
        call.store.delete("assignment", key)
    return answer({"unassigned_count": len(removed)})


def find_guardrail(call: Call, store: Store | None = None) -> Document:
    """The one that the path names; 404 where there is none."""
    guardrail = (store or call.store).get("guardrail", call.path("id"))
    if guardrail is None:
        raise ApiError(404, "Guardrail not found")
    return guardrail


def _default(store: Store, identifier: str) -> Document | None:
    """A workspace's default guardrail that nobody has configured yet."""
    if store.get("guardrail", identifier) is not None:
        return None
    owner = next((found for found in all_workspaces(store) if found["default_guardrail_id"] == identifier), None)
    return _blank(identifier, owner["id"], f"{owner['name']} default") if owner else None


def _blank(identifier: str, workspace: str, name: str) -> Document:
    return {
        "id": identifier,
        **GuardrailUpdate().model_dump(),
        "name": name,
        "workspace_id": workspace,
        "created_at": now(),
        "updated_at": None,
    }


def _changes(sent: GuardrailUpdate) -> Document:
    """What was sent. ``enforce_zdr`` stands for those of the vendors' settings that were not; filters get labels."""
    changes = sent.sent()
    changes.pop("workspace_id", None)
    if "enforce_zdr" in changes:
        changes = dict.fromkeys(_RETENTION, changes["enforce_zdr"]) | changes
    for entry in changes.get("content_filter_builtins") or []:
        entry["label"] = f"[{entry['slug'].replace('-', '_').upper()}]"
    return changes


def _hashes(call: Call) -> list[str]:
    return list(dict.fromkeys(call.body(KeyHashes).key_hashes))


def _assignments(store: Store, assignments: list[Document]) -> list[dict[str, Any]]:
    """With the names that the keys have now."""
    keys = {key["hash"]: key for key in (*store.all("key"), *store.latest.all("key"))}
    return [
        found | {"key_name": keys[found["key_hash"]]["name"], "key_label": keys[found["key_hash"]]["label"]}
        for found in assignments
    ]

"""Policies: how much may be used, and how fast, by the requests of a workspace that meet all of their conditions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import uuid4

from pydantic import Field
from starlette.responses import Response

from sandbox.http import ApiError, Body, Call, answer
from sandbox.portkey.access import ORGANISATION, narrowed, now, placed, reaches
from sandbox.portkey.errors import hidden, missing
from sandbox.portkey.lists import enveloped, page
from sandbox.store import Document

_KEYS = ("api_key", "workspace_id", "organisation_id", "virtual_key", "provider", "config", "prompt", "model")
_LEAST = {"cost": 1, "tokens": 100}
"""The smallest budget: a dollar, or a hundred tokens."""


class Condition(Body):
    key: str
    value: str | list[str]
    excludes: str | list[str] | None = None


class GroupBy(Body):
    key: str


class _PolicyUpdate(Body):
    name: str | None = Field(None, max_length=255)


class UsageUpdate(_PolicyUpdate):
    credit_limit: int | float | None = Field(None, ge=0)
    alert_threshold: int | float | None = Field(None, ge=0)
    periodic_reset: Literal["monthly", "weekly"] | None = None
    reset_usage_for_value: str | None = None


class RateUpdate(_PolicyUpdate):
    unit: Literal["rpm", "rph", "rpd"] | None = None
    value: int | float | None = Field(None, ge=0)


class _PolicyCreate(Body):
    name: str | None = Field(None, max_length=255)
    conditions: list[Condition] = Field(min_length=1)
    group_by: list[GroupBy] = Field(min_length=1)
    workspace_id: str | None = None
    organisation_id: str | None = None


class UsageCreate(_PolicyCreate):
    type: Literal["cost", "tokens"]
    credit_limit: int | float = Field(ge=0)
    alert_threshold: int | float | None = Field(None, ge=0)
    periodic_reset: Literal["monthly", "weekly"] | None = None


class RateCreate(_PolicyCreate):
    type: Literal["requests", "tokens"]
    unit: Literal["rpm", "rph", "rpd"]
    value: int | float = Field(ge=0)


@dataclass(frozen=True)
class Policies:
    """One of the two sorts of policies. What is deleted is archived: it is shown to those only who ask for it."""

    kind: str
    title: str
    creation: type[UsageCreate | RateCreate]
    change: type[UsageUpdate | RateUpdate]
    filters: tuple[str, ...]

    def list(self, call: Call) -> Response:
        workspace = narrowed(call, call.query("workspace_id"))
        wanted = {"status": call.query("status") or "active"} | {name: call.query(name) for name in self.filters}
        found = [
            policy
            for policy in call.store.all(self.kind)
            if workspace in (None, policy["workspace_id"])
            and all(value in (None, policy[name]) for name, value in wanted.items())
        ]
        return page(call, found)

    def create(self, call: Call) -> Response:
        sent = call.body(self.creation)
        if sent.organisation_id not in (None, ORGANISATION):
            raise hidden("organisation", str(sent.organisation_id))
        policy: Document = {
            "id": str(uuid4()),
            **sent.model_dump(mode="json", exclude_none=True, exclude={"workspace_id", "organisation_id"}),
            "workspace_id": placed(call, sent.workspace_id),
            "organisation_id": ORGANISATION,
            "status": "active",
            "created_at": now(),
            "last_updated_at": now(),
        }
        _check_keys("conditions", [condition.key for condition in sent.conditions])
        _check_keys("group_by", [group.key for group in sent.group_by])
        _check_budget(policy)
        call.store.put(self.kind, policy["id"], policy)
        return answer({"id": policy["id"], "object": self.title})

    def read(self, call: Call) -> Response:
        return answer(self._policy(call, call.query("status") or "active") | {"object": self.title})

    def update(self, call: Call) -> Response:
        """Conditions, grouping and type stay: they are ignored here. ``null`` ends the resets and the alert."""
        sent = call.body(self.change).sent()
        sent.pop("reset_usage_for_value", None)
        policy = self._policy(call, "active") | {"last_updated_at": now()}
        for name, value in sent.items():
            if value is not None:
                policy[name] = value
            elif name in ("alert_threshold", "periodic_reset"):
                policy.pop(name, None)
        _check_budget(policy)
        call.store.put(self.kind, policy["id"], policy)
        return answer({})

    def delete(self, call: Call) -> Response:
        policy = self._policy(call, "active") | {"status": "archived", "last_updated_at": now()}
        call.store.put(self.kind, policy["id"], policy)
        return answer({})

    def list_entities(self, call: Call) -> Response:
        """Nobody uses anything here."""
        self._policy(call, "active")
        return enveloped([])

    def reset_entity(self, call: Call) -> Response:
        self._policy(call, "active")
        raise missing("policy entity", call.path("entity"))

    def _policy(self, call: Call, status: str) -> Document:
        policy = call.store.get(self.kind, call.path("policy"))
        if policy is None or policy["status"] != status or not reaches(call, policy):
            raise missing("policy", call.path("policy"))
        return policy


usage = Policies("usage-policy", "policy_usage_limits", UsageCreate, UsageUpdate, ("type",))
rates = Policies("rate-policy", "policy_rate_limits", RateCreate, RateUpdate, ("type", "unit"))


def _check_keys(member: str, keys: Sequence[str]) -> None:
    wrong = [key for key in keys if key not in _KEYS and not (key.startswith("metadata.") and key != "metadata.")]
    if wrong:
        raise ApiError(400, f"{member}: {', '.join(wrong)} is no key; {', '.join(_KEYS)} and metadata.* are")


def _check_budget(policy: Document) -> None:
    limit, alert = policy.get("credit_limit"), policy.get("alert_threshold")
    if limit is not None and limit < _LEAST[policy["type"]]:
        raise ApiError(400, f"credit_limit: at least {_LEAST[policy['type']]} is expected for {policy['type']}")
    if limit is not None and alert is not None and alert >= limit:
        raise ApiError(400, "alert_threshold: has to be less than credit_limit")

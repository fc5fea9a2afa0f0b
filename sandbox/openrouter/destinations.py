"""Observability destinations: where a trace of each call goes. Nothing is sent anywhere here; addresses are only judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from pydantic import Field
from starlette.responses import Response

from sandbox.http import ApiError, Body, Call, answer, merged
from sandbox.openrouter.access import now
from sandbox.openrouter.workspaces import paged, placed
from sandbox.store import Document

MOST_OF_A_TYPE = 5

_NEEDED: Mapping[str, str] = {
    "arize": "apiKey spaceKey modelId",
    "braintrust": "apiKey projectId",
    "clickhouse": "host database username password",
    "datadog": "apiKey mlApp",
    "grafana": "apiKey instanceId",
    "langfuse": "secretKey publicKey",
    "langsmith": "apiKey",
    "newrelic": "licenseKey",
    "opik": "apiKey workspace projectName",
    "otel-collector": "endpoint",
    "posthog": "apiKey",
    "ramp": "apiKey",
    "s3": "bucketName accessKeyId secretAccessKey",
    "sentry": "otlpEndpoint dsn",
    "snowflake": "account token",
    "weave": "apiKey entity project",
    "webhook": "url",
}
"""The members that a type's configuration must have."""

_MASKED = (
    "accessKeyId",
    "apiKey",
    "dsn",
    "headers",
    "licenseKey",
    "password",
    "publicKey",
    "secretAccessKey",
    "secretKey",
    "sessionToken",
    "spaceKey",
    "token",
)

_Field = Literal[
    "model",
    "provider",
    "session_id",
    "user_id",
    "api_key_name",
    "finish_reason",
    "input",
    "output",
    "total_cost",
    "total_tokens",
    "prompt_tokens",
    "completion_tokens",
]
_Operator = Literal[
    "equals",
    "not_equals",
    "contains",
    "not_contains",
    "regex",
    "starts_with",
    "ends_with",
    "gt",
    "lt",
    "gte",
    "lte",
    "exists",
    "not_exists",
]


class Rule(Body):
    field: _Field
    operator: _Operator
    value: str | float | None = None


class RuleGroup(Body):
    logic: Literal["and", "or"] = "and"
    rules: list[Rule]


class FilterRules(Body):
    enabled: bool = True
    groups: list[RuleGroup]


class DestinationUpdate(Body):
    name: str = ""
    config: dict[str, Any] = Field(default_factory=dict)
    enabled: bool = True
    privacy_mode: bool = False
    sampling_rate: float = Field(1, ge=0.0001, le=1)
    broadcast_generation_cost: bool = False
    broadcast_generation_identity: bool = False
    broadcast_generation_request_context: bool = False
    api_key_hashes: list[str] | None = Field(None, min_length=1)
    filter_rules: FilterRules | None = None
    # The vendor's SDK insists on the following in answers, which are newer than its specification's last issue.
    broadcast_generation_cost_allocation: bool = False
    regions: list[str] = Field(default_factory=lambda: ["global"])


class DestinationCreate(DestinationUpdate):
    type: str
    name: str
    config: dict[str, Any]
    workspace_id: UUID | None = None


def list_destinations(call: Call) -> Response:
    workspace = placed(call.store, call.query("workspace_id"))
    return paged(call, call.store.all("destination", workspace_id=workspace))


def create_destination(call: Call) -> Response:
    """At most five of a type in a workspace; the connection is tried first."""
    sent = call.body(DestinationCreate)
    if sent.type not in _NEEDED:
        raise ApiError(400, f"type: one of {', '.join(_NEEDED)} is expected")
    workspace = placed(call.store, sent.workspace_id)
    if len(call.store.latest.all("destination", workspace_id=workspace, type=sent.type)) >= MOST_OF_A_TYPE:
        raise ApiError(400, f"A maximum of {MOST_OF_A_TYPE} destinations per type is allowed ({sent.type})")
    destination = {
        "id": str(uuid4()),
        **DestinationUpdate().model_dump(),
        "type": sent.type,
        "workspace_id": workspace,
        "created_at": now(),
    }
    return answer({"data": _written(call, destination, sent)}, 201)


def read_destination(call: Call) -> Response:
    return answer({"data": _destination(call)})


def update_destination(call: Call) -> Response:
    """Members of the configuration that are not sent, or sent as they are shown (masked), keep their values."""
    return answer({"data": _written(call, _destination(call), call.body(DestinationUpdate))})


def delete_destination(call: Call) -> Response:
    call.store.delete("destination", _destination(call)["id"])
    return answer({"deleted": True})


def _destination(call: Call) -> Document:
    destination = call.store.get("destination", call.path("id"))
    if destination is None:
        raise ApiError(404, "Observability destination not found")
    return destination


def _written(call: Call, destination: Document, sent: DestinationUpdate) -> Document:
    changes = {name: value for name, value in sent.sent().items() if name not in ("workspace_id", "type")}
    if sent.filter_rules:
        changes["filter_rules"] = sent.filter_rules.model_dump(exclude_none=True)
    for key in changes.get("api_key_hashes") or []:
        if call.store.latest.get("key", key) is None:
            raise ApiError(400, f"api_key_hashes: there is no API key {key}")
    masked = {name: _masked(value) if name in _MASKED else value for name, value in sent.config.items()}
    config = merged(destination["config"], masked)
    for member in _NEEDED[destination["type"]].split():
        if not config.get(member):
            raise ApiError(400, f"config.{member}: required for a destination of type {destination['type']}")
    _try(sent.config)
    written = {**destination, **changes, "config": config, "updated_at": now()}
    return call.store.put("destination", destination["id"], written)


def _try(config: Document) -> None:
    """No host answers that is under the top-level domain ``invalid``, which is reserved for that; all others do."""
    for name, value in config.items():
        host = urlsplit(value).hostname if isinstance(value, str) and "://" in value else value
        if isinstance(host, str) and name != "headers" and host.endswith(".invalid"):
            raise ApiError(400, f"Connection test failed: config.{name}: {host} does not answer")


def _masked(value: Any) -> Any:
    """What is kept and shown of a secret."""
    if isinstance(value, dict):
        return {name: _masked(item) for name, item in value.items()}
    text = str(value)
    return text if "..." in text else f"{text[:4]}...{text[-4:]}"

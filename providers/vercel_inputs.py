"""What Vercel's tokens, webhooks and drains are made of: their inputs, and how these are spelled on the wire."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pydantic import Field

from providers import base
from providers.base import Immutable, Json, Unordered, WriteOnly

MILLISECONDS_A_DAY = 86_400_000
LONGEST_DAYS = 90
"""How long a token of ours works at most (PCI DSS 4.0.1, 8.6.3 asks for a period that the risk allows)."""

_GENERATION = "generation"
_NUMBERED = re.compile(r" #(\d+)(?= \(managed by |$)")

Address = Annotated[str, Field(pattern=r"^https://[^/\s]+(/\S*)?$", max_length=2048)]
ProjectId = Annotated[str, Field(min_length=1)]
Generation = Annotated[int, Field(ge=1)]

Event = Literal[
    "budget.reached",
    "budget.reset",
    "deployment.canceled",
    "deployment.check-rerequested",
    "deployment.checks.failed",
    "deployment.checks.succeeded",
    "deployment.cleanup",
    "deployment.created",
    "deployment.error",
    "deployment.promoted",
    "deployment.ready",
    "deployment.succeeded",
    "domain.auto-renew.changed",
    "domain.certificate.add",
    "domain.certificate.add.failed",
    "domain.certificate.deleted",
    "domain.certificate.renew",
    "domain.certificate.renew.failed",
    "domain.created",
    "domain.dns.records.changed",
    "domain.renewal",
    "domain.renewal.failed",
    "domain.transfer-in.completed",
    "domain.transfer-in.failed",
    "domain.transfer-in.started",
    "edge-config.created",
    "edge-config.deleted",
    "edge-config.items.updated",
    "firewall.attack",
    "observability.anomaly",
    "observability.error-anomaly",
    "observability.usage-anomaly",
    "project.created",
    "project.domain.created",
    "project.domain.deleted",
    "project.domain.moved",
    "project.domain.unverified",
    "project.domain.updated",
    "project.domain.verified",
    "project.removed",
    "project.rolling-release.aborted",
    "project.rolling-release.approved",
    "project.rolling-release.completed",
    "project.rolling-release.started",
]
"""What a team's webhook may listen to; what only integrations and the marketplace hear is left out."""

LogSource = Literal["build", "edge", "external", "firewall", "lambda", "redirect", "static"]


class TokenInputs(base.Inputs):
    name: Immutable[str] = Field(min_length=1, max_length=180, description="Vercel takes 256; the mark needs some")
    generation: Immutable[Generation] = Field(default=1, description="a second one and those after it are in the name")
    lifetime_days: Immutable[int] = Field(default=LONGEST_DAYS, ge=1, le=LONGEST_DAYS)


def token_body(payload: Json, wanted: base.Inputs) -> Json:
    """``Pipeline #2 (managed by …)``, and the moment until which it works, in milliseconds since 1970."""
    asked = wanted.wire()
    name, generation = asked["name"], asked["generation"]
    number = f" #{generation}" if generation > 1 else ""
    expires = int(time.time() * 1000) + asked["lifetime_days"] * MILLISECONDS_A_DAY
    return {"name": f"{name}{number}{payload['name'].removeprefix(name)}", "expiresAt": expires}


def token_shown(document: Json) -> Json:
    name = str(document.get("name") or "")
    found = _NUMBERED.search(name)
    return {**document, "name": _NUMBERED.sub("", name), "generation": int(found.group(1)) if found else 1}


def has_expired(document: Json) -> bool:
    expires = document.get("expiresAt")
    return expires is not None and float(expires) <= time.time() * 1000


class WebhookInputs(base.Inputs):
    url: Immutable[Address]
    events: Immutable[Unordered[Event]] = Field(min_length=1)
    project_ids: Immutable[Unordered[ProjectId]] = Field(
        default=[], alias="projectIds", max_length=20, description="none: all projects of the team"
    )
    generation: Immutable[Generation] = Field(default=1, description="a second one and those after it are in the URL")


def webhook_body(payload: Json, _wanted: base.Inputs) -> Json:
    """The generation is a parameter of the URL: the one member that people choose freely."""
    body = {name: value for name, value in payload.items() if name != _GENERATION and value != []}
    return {**body, "url": _numbered(payload["url"], payload[_GENERATION])}


def webhook_shown(document: Json) -> Json:
    url, generation = _unnumbered(str(document.get("url") or ""))
    return {
        **document,
        "url": url,
        "generation": generation,
        "events": sorted(document.get("events") or []),
        "projectIds": sorted(document.get("projectIds") or []),
    }


def _numbered(url: str, generation: int) -> str:
    if generation == 1:
        return url
    parts = urlsplit(url)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), (_GENERATION, str(generation))])
    return urlunsplit(parts._replace(query=query))


def _unnumbered(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    numbers = [value for name, value in query if name == _GENERATION and value.isdecimal()]
    if not numbers:
        return url, 1
    rest = urlencode([(name, value) for name, value in query if name != _GENERATION])
    return urlunsplit(parts._replace(query=rest)), int(numbers[-1])


class DrainInputs(base.Inputs):
    name: str = Field(min_length=1, max_length=100)
    data: Literal["log", "analytics", "speed_insights"] = "log"
    endpoint: Address
    encoding: Literal["json", "ndjson"] = "ndjson"
    compression: Literal["gzip", "none"] | None = None
    headers: WriteOnly[dict[str, str] | None] = Field(default=None, max_length=5)
    secret: WriteOnly[str] = Field(min_length=32, description="what each delivery is signed with (HMAC-SHA1)")
    sources: Unordered[LogSource] | None = Field(default=None, description="of logs only; all where absent")
    environments: Unordered[Literal["production", "preview"]] | None = None
    project_ids: Unordered[ProjectId] | None = Field(default=None, alias="projectIds", description="all where absent")
    sampling_rate: float | None = Field(default=None, gt=0, le=1, description="all where absent")
    status: Literal["enabled", "disabled"] = "enabled"


_DELIVERY = frozenset({"endpoint", "encoding", "compression", "headers", "secret"})
_FILTER = frozenset({"sources", "environments"})


def drain_body(payload: Json, wanted: base.Inputs) -> Json:
    """Vercel takes each part of a drain (delivery, filter, sampling) as a whole, also where one member of it changed."""
    asked = wanted.wire()
    body: Json = {name: payload[name] for name in ("name", "status") if name in payload}
    if "data" in payload:
        body["schemas"] = {asked["data"]: {"version": "v1"}}
    if "projectIds" in payload:
        chosen = asked.get("projectIds") or []
        body |= {"projects": "some", "projectIds": chosen} if chosen else {"projects": "all"}
    if payload.keys() & _DELIVERY:
        body["delivery"] = _delivery(asked)
    if payload.keys() & _FILTER:
        body["filter"] = _filter(asked)
    if "sampling_rate" in payload:
        rate = asked.get("sampling_rate")
        body["sampling"] = [] if rate is None else [{"type": "head_sampling", "rate": rate}]
    return body


def new_drain_body(body: Json) -> Json:
    """What a create needs besides: whose projects, and who made it."""
    return {"projects": "all", **body, "source": {"kind": "self-served"}}


def _delivery(asked: Mapping[str, Any]) -> Json:
    compression = {"compression": asked["compression"]} if asked.get("compression") else {}
    return {
        "type": "http",
        "endpoint": asked["endpoint"],
        "encoding": asked["encoding"],
        "headers": asked.get("headers") or {},
        "secret": asked["secret"],
        **compression,
    }


def _filter(asked: Mapping[str, Any]) -> Json:
    log = {"log": {"sources": asked["sources"]}} if asked.get("sources") else {}
    deployment = {"deployment": {"environments": asked["environments"]}} if asked.get("environments") else {}
    return {"version": "v2", "filter": {"type": "basic", **log, **deployment}}


def drain_shown(document: Json) -> Json:
    delivery = document.get("delivery") or {}
    chosen = (document.get("filterV2") or {}).get("filter") or {}
    sampling = [rule for rule in document.get("sampling") or [] if not (rule.get("env") or rule.get("requestPath"))]
    return {
        "id": document.get("id"),
        "name": document.get("name"),
        "data": next(iter(document.get("schemas") or {}), "log"),
        **{name: delivery.get(name) for name in ("endpoint", "encoding", "compression")},
        "sources": sorted((chosen.get("log") or {}).get("sources") or []) or None,
        "environments": sorted((chosen.get("deployment") or {}).get("environments") or []) or None,
        "projectIds": sorted(document.get("projectIds") or []) or None,
        "sampling_rate": sampling[0]["rate"] if sampling else None,
        "status": document.get("status") or "enabled",
    }


class BypassInputs(base.Inputs):
    project_id: Immutable[str]
    name: Immutable[str] = Field(min_length=1, description="ours alone: Vercel does not know it")
    secret: Immutable[WriteOnly[str]] = Field(pattern=r"^[a-zA-Z0-9]{32}$")

"""Prometheus and Alertmanager in the sandbox's cluster, as the API server lets them be asked through itself.

They answer from what is deployed: rules and targets are those of the ConfigMaps that the stateful set ``prometheus`` mounts.
A target answers while its workload exists; nothing is scraped, no rule is computed, no alert is sent.

Source of facts: Prometheus' HTTP API (v1), Alertmanager's (v2), kubernetes.io, "Access services running on clusters".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import yaml
from starlette.responses import PlainTextResponse, Response

from sandbox.http import ApiError, Call, Routes, answer
from sandbox.official.api import kubernetes as kubernetes_api
from sandbox.store import Document

PLATFORM = "kubernetes"
"""Its store has the objects."""

_SETS = "kubernetes:apps/v1:StatefulSet"
_WORKLOADS = (_SETS, "kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:DaemonSet")
_GROUP = "metrics/job/sophia/stack/"
_SAMPLE = re.compile(r'[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_]\w*="([^"\\]|\\.)*",?)*\})? \S+( -?\d+)?')
_NEVER = "0001-01-01T00:00:00Z"
"""Prometheus' word for a time that has not been."""


def _admit(call: Call) -> str:
    if call.bearer() != kubernetes_api.TOKEN:
        raise ApiError(401, "Unauthorized")
    return "sandbox"


def _through_api_server(call: Call) -> Response:
    namespace, service, path = call.path("namespace"), call.path("service"), call.path("path")
    name, _, port = service.partition(":")
    if call.store.get("kubernetes:core/v1:Service", f"{namespace}/{name}") is None:
        raise ApiError(404, f'services "{name}" not found')
    if port != "http":
        raise ApiError(503, f'no endpoints available for service "{service}"')
    server = call.store.get(_SETS, f"{namespace}/{name}")
    if server is None or not server["properties"]["spec"].get("replicas", 1):
        raise ApiError(503, f'no endpoints available for service "{service}"')
    if name == "pushgateway" and path.startswith(_GROUP) and call.request.method == "PUT":
        return _push(call, path.removeprefix(_GROUP))
    handler = _HANDLERS.get((name, path)) if call.request.method == "GET" else None
    if handler is None:
        return PlainTextResponse("404 page not found\n", 404)
    return handler(call, namespace, server["properties"])


def _push(call: Call, group: str) -> Response:
    """Figures that take the place of the group's: kept as they are, once every line of them is one of the format."""
    text = call.payload.decode()
    for number, line in enumerate(text.splitlines(), start=1):
        if line and not line.startswith("#") and not _SAMPLE.fullmatch(line):
            return PlainTextResponse(f"text format parsing error in line {number}: invalid sample", 400)
    if not text.endswith("\n"):
        return PlainTextResponse("text format parsing error: unexpected end of input stream", 400)
    call.store.put("figures", group, {"text": text})
    return Response()


def _ready(_call: Call, _namespace: str, _server: Document) -> Response:
    return PlainTextResponse("Prometheus Server is Ready.\n")


def _rules(call: Call, namespace: str, server: Document) -> Response:
    now = datetime.now(UTC).isoformat()
    asked = call.query("type")
    groups = []
    for file, content in _mounted(call, namespace, server, "rules"):
        for group in yaml.safe_load(content)["groups"]:
            rules = [_rule(rule, now) for rule in group["rules"] if asked in (None, _type(rule))]
            times = {"interval": 30, "limit": 0, "evaluationTime": 0.0, "lastEvaluation": now}
            groups.append({"name": group["name"], "file": f"/etc/prometheus/rules/{file}", "rules": rules, **times})
    return _success({"groups": groups})


def _type(rule: Document) -> str:
    return "alert" if "alert" in rule else "record"


def _rule(rule: Document, now: str) -> Document:
    common = {"query": rule["expr"], "health": "ok", "evaluationTime": 0.0, "lastEvaluation": now}
    labels = rule.get("labels", {})
    if "record" in rule:
        return {"type": "recording", "name": rule["record"], "labels": labels, **common}
    alert = {"type": "alerting", "name": rule["alert"], "labels": labels, "annotations": rule["annotations"]}
    return {**alert, **common, "state": "inactive", "duration": 0.0, "keepFiringFor": 0.0, "alerts": []}


def _targets(call: Call, namespace: str, server: Document) -> Response:
    active = [
        _target(call, namespace, scrape)
        for _, content in _mounted(call, namespace, server, "config")
        for scrape in yaml.safe_load(content)["scrape_configs"]
    ]
    return _success({"activeTargets": active, "droppedTargets": [], "droppedTargetCounts": {}})


def _target(call: Call, namespace: str, scrape: Document) -> Document:
    """A job's one target. Of what is outside the namespace nothing is known, as before the first scrape."""
    job = scrape["job_name"]
    found = any(call.store.get(kind, f"{namespace}/{job}") for kind in _WORKLOADS)
    health = "unknown" if "dns_sd_configs" not in scrape and job != "prometheus" else "up" if found else "down"
    url = f"http://{job}.{namespace}.svc.cluster.local{scrape.get('metrics_path', '/metrics')}"
    seen = datetime.now(UTC).isoformat() if health == "up" else _NEVER
    return {
        "discoveredLabels": {"job": job},
        "labels": {"job": job, "instance": job},
        "scrapePool": job,
        "scrapeUrl": url,
        "globalUrl": url,
        "lastError": "" if health != "down" else f"lookup {job}: no such host",
        "lastScrape": seen,
        "lastScrapeDuration": 0.0,
        "health": health,
        "scrapeInterval": "30s",
        "scrapeTimeout": "10s",
    }


def _mounted(call: Call, namespace: str, server: Document, volume: str) -> Iterator[tuple[str, str]]:
    """The files of the ConfigMap that the server's pods mount under ``volume``."""
    for one in server["spec"]["template"]["spec"].get("volumes", []):
        if one["name"] == volume:
            found = call.store.get("kubernetes:core/v1:ConfigMap", f"{namespace}/{one['configMap']['name']}")
            yield from (found["properties"]["data"] if found else {}).items()


def _status(_call: Call, _namespace: str, server: Document) -> Response:
    replicas = server["spec"].get("replicas", 1)
    peers = [{"name": f"sandbox-{number}", "address": f"10.0.0.{number + 1}:9094"} for number in range(replicas)]
    cluster: dict[str, Any] = {"status": "ready", "name": "sandbox-0", "peers": peers}
    version = {"version": "0.28.1", "revision": "", "branch": "", "buildUser": "", "buildDate": "", "goVersion": ""}
    return answer(
        {
            "cluster": cluster if replicas > 1 else {"status": "disabled", "peers": []},
            "versionInfo": version,
            "config": {"original": ""},
            "uptime": datetime.now(UTC).isoformat(),
        }
    )


def _success(data: Document) -> Response:
    return answer({"status": "success", "data": data})


_HANDLERS = {
    ("prometheus", "-/ready"): _ready,
    ("prometheus", "api/v1/rules"): _rules,
    ("prometheus", "api/v1/targets"): _targets,
    ("alertmanager", "api/v2/status"): _status,
}

_routes = Routes(PLATFORM, _admit, kubernetes_api.render)

ROUTES = [
    _routes(
        "/api/v1/namespaces/{namespace}/services/{service}/proxy/{path:path}",
        GET=_through_api_server,
        PUT=_through_api_server,
    )
]

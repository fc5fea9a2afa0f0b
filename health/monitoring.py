"""Monitoring: whether Prometheus computes its rules and reaches its targets, and Alertmanager's replicas see each other.

It is asked from outside, through the cluster's API server, and so is what tells of a Prometheus that is dead: that one says
nothing any more.

Source of facts: Prometheus' HTTP API (v1), Alertmanager's (v2), kubernetes.io, "Access services running on clusters".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from health.base import Answer, Health, Probe, Problem, Reading, Subject
from health.kubernetes import FILE
from health.kubernetes import SERVICE as API_SERVER

SERVICE = replace(API_SERVER, said=lambda response: response.text.strip()[:200])
"""The API server as one that passes requests on: an error of who gets them comes as it is, not as Kubernetes tells it."""

_SETTING = "sophia-ai:monitoring"
_NAMED = 5
"""More names than that make no sentence."""


def at_service(service: str, path: str) -> Callable[[Subject], str]:
    """Where the API server passes a request on to a service of the subject's namespace."""

    def address(subject: Subject) -> str:
        namespace = subject.settings.get("namespace", "")
        return f"/api/v1/namespaces/{namespace}/services/{service}:http/proxy/{path}"

    return address


def _rules(answer: Answer) -> Reading:
    groups = answer.document["data"]["groups"]
    if not groups:
        said = "Prometheus has no rules"
        return Reading((Problem(said, "`sophia drift` says what became of its ConfigMaps", _SETTING),))
    broken = [rule["name"] for group in groups for rule in group["rules"] if rule["health"] == "err"]
    if not broken:
        return Reading()
    said = f"rules cannot be computed: {_listed(broken)}"
    return Reading((Problem(said, "Prometheus, Status, Rule health shows the error", _SETTING, "degraded"),))


def _targets(answer: Answer) -> Reading:
    down = sorted({one["scrapePool"] for one in answer.document["data"]["activeTargets"] if one["health"] == "down"})
    if not down:
        return Reading()
    do = "see docs/monitoring.md, MetricsMissing"
    return Reading((Problem(f"no figures come from {_listed(down)}", do, _SETTING, "degraded"),))


def _alertmanager(answer: Answer) -> Reading:
    cluster, replicas = answer.document["cluster"], _replicas(answer.subject)
    peers = len(cluster.get("peers") or ())
    if cluster["status"] != "disabled" and peers < replicas:
        said = f"{peers} of {replicas} replicas of Alertmanager know of each other"
        return Reading((Problem(said, "see docs/monitoring.md, AlertmanagersDisagree", _SETTING, "degraded"),))
    return Reading()


def _replicas(subject: Subject) -> int:
    return int((subject.settings.get("alertmanager") or {}).get("replicas", 2))


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _deployed(subject: Subject) -> bool:
    """Whether the stack's state has Prometheus' service: before that, a 404 is no news."""
    wanted = f"{subject.settings.get('namespace', '')}/prometheus"
    return any(resource.id == wanted for resource in subject.of_type("kubernetes:core/v1:Service"))


def _probe(proves: str, service: str, path: str, read: Callable[[Answer], Reading]) -> Probe:
    return Probe(proves, at_service(service, path), credentials=(FILE,), read=read, needed=_deployed)


HEALTH = Health(
    platform="monitoring",
    title="Monitoring",
    service=SERVICE,
    probes=(
        Probe("the cluster that it will be in", "/version", credentials=(FILE,), needed=lambda s: not _deployed(s)),
        _probe("rules", "prometheus", "api/v1/rules", _rules),
        _probe("targets", "prometheus", "api/v1/targets", _targets),
        _probe("Alertmanager", "alertmanager", "api/v2/status", _alertmanager),
    ),
)

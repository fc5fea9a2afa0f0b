"""What the API server has against the objects around pods: controllers, services, autoscalers, budgets, ingresses.

Source: ``pkg/apis/{apps,autoscaling,batch,core,networking,policy,scheduling}/validation`` in kubernetes/kubernetes.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from typing import Final

from sandbox.official.behaviour import Draft
from sandbox.official.kubernetes.pods import port_failures, port_name_failures
from sandbox.official.kubernetes.trees import Place, doubles, top
from sandbox.official.types import Failure
from sandbox.official.values import Properties, is_unknown, written

_SERVICE_NAME: Final = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_HIGHEST_PRIORITY: Final = 1_000_000_000
_PATH_TYPES: Final = ("Exact", "ImplementationSpecific", "Prefix")
_IMMUTABLE: Final = {
    "PriorityClass": ("value", "preemptionPolicy"),
}


def failures(kind: str, properties: Properties) -> Iterator[Failure]:
    """Everything that is wrong with an object of ``kind``, beyond its metadata and its pods."""
    if kind in ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"):
        yield from _selector(properties)
    if kind in _RULES:
        yield from _RULES[kind](top(properties))


def refusals(kind: str, draft: Draft) -> Iterator[str]:
    """What cannot be changed in place, and what the official provider does not replace by itself."""
    for member in _IMMUTABLE.get(kind, ()):
        before = draft.previous.get(member)
        if draft.previous and member in draft.asked and draft.asked[member] != before:
            yield f"{member}: Forbidden: may not be changed in an update"
    if draft.previous.get("immutable") is True and draft.previous.get("data") != draft.asked.get("data"):
        yield "data: Forbidden: field is immutable when `immutable` is set"


def _selector(properties: Properties) -> Iterator[Failure]:
    spec = top(properties) / "spec"
    wanted = spec / "selector" / "matchLabels"
    if not wanted.mapping and not (spec / "selector").has("matchExpressions"):
        yield (spec / "selector").required("empty selector is invalid")
    labels = (spec / "template" / "metadata" / "labels").mapping
    for name, value in wanted.mapping.items():
        given = labels.get(name)
        if given != value and not is_unknown(given) and not is_unknown(value):
            where = written((*spec.path, "template", "metadata", "labels"))
            yield Failure(where, "Invalid value: `selector` does not match template `labels`")
            return


def _deployment(place: Place) -> Iterator[Failure]:
    spec = place / "spec"
    yield from _not_negative(spec / "replicas")
    rolling = spec / "strategy" / "rollingUpdate"
    if (rolling / "maxSurge").value in (0, "0%") and (rolling / "maxUnavailable").value in (0, "0%"):
        yield (rolling / "maxUnavailable").invalid("may not be 0 when `maxSurge` is 0")


def _stateful_set(place: Place) -> Iterator[Failure]:
    spec = place / "spec"
    yield from _not_negative(spec / "replicas")
    for claim in (spec / "volumeClaimTemplates").each():
        yield from _claim(claim)


def _claim(place: Place) -> Iterator[Failure]:
    spec = place / "spec"
    if not spec.has("accessModes"):
        yield (spec / "accessModes").required("at least 1 access mode is required")
    if not (spec / "resources" / "requests").has("storage"):
        yield (spec / "resources" / "requests" / "storage").required()


def _job(place: Place) -> Iterator[Failure]:
    spec = place / "spec"
    for member in ("backoffLimit", "activeDeadlineSeconds", "completions", "parallelism", "ttlSecondsAfterFinished"):
        yield from _not_negative(spec / member)
    if spec.has("selector") and (spec / "manualSelector").value is not True:
        yield (spec / "selector").invalid("`selector` is generated: leave it out")


def _autoscaler(place: Place) -> Iterator[Failure]:
    spec = place / "spec"
    least, most = (spec / "minReplicas").number, (spec / "maxReplicas").number
    if most is None and not spec.has("maxReplicas"):
        yield (spec / "maxReplicas").required()
    if least is not None and least < 1:
        yield (spec / "minReplicas").invalid("must be greater than or equal to 1")
    if least is not None and most is not None and most < least:
        yield (spec / "maxReplicas").invalid("must be greater than or equal to `minReplicas`")
    for metric in (spec / "metrics").each():
        kind = (metric / "type").text
        source = kind[:1].lower() + kind[1:]
        if kind and not metric.has(source):
            yield (metric / source).required(f"must populate information for the given metric source: {kind}")


def _budget(place: Place) -> Iterator[Failure]:
    spec = place / "spec"
    if spec.has("minAvailable") and spec.has("maxUnavailable"):
        yield spec.invalid("minAvailable and maxUnavailable cannot be both set")


def _service(place: Place) -> Iterator[Failure]:
    name = place / "metadata" / "name"
    if name.text and not _SERVICE_NAME.fullmatch(name.text):
        yield name.invalid("a DNS-1035 label must start with an alphabetic character")
    spec = place / "spec"
    ports = list((spec / "ports").each())
    if not ports and (spec / "type").text != "ExternalName" and (spec / "clusterIP").text != "None":
        yield (spec / "ports").required()
    yield from doubles(port / "name" for port in ports)
    for port in ports:
        yield from port_failures(port / "port")
        if isinstance((port / "targetPort").value, str):
            yield from port_name_failures(port / "targetPort")
        if len(ports) > 1 and not port.has("name"):
            yield (port / "name").required()


def _ingress(place: Place) -> Iterator[Failure]:
    spec = place / "spec"
    if not spec.has("rules") and not spec.has("defaultBackend"):
        yield spec.invalid("either `defaultBackend` or `rules` must be specified")
    for rule in (spec / "rules").each():
        for path in (rule / "http" / "paths").each():
            kind = path / "pathType"
            if not kind.text:
                yield kind.required("pathType must be specified")
            elif kind.text not in _PATH_TYPES:
                yield kind.invalid(f"supported values: {', '.join(_PATH_TYPES)}")
            if kind.text in ("Exact", "Prefix") and not (path / "path").text.startswith("/"):
                yield (path / "path").invalid("must be an absolute path")
            service = path / "backend" / "service"
            port = service / "port"
            if service.value and port.has("name") == port.has("number"):
                yield port.required("port name or number is required, and not both")


def _priority_class(place: Place) -> Iterator[Failure]:
    name, value = place / "metadata" / "name", place / "value"
    if name.text.startswith("system-"):
        yield name.forbidden("priority class names with 'system-' prefix are reserved for system use only")
    if value.number is not None and value.number > _HIGHEST_PRIORITY:
        yield value.forbidden(f"maximum allowed value of a user defined priority is {_HIGHEST_PRIORITY}")


def _network_policy(place: Place) -> Iterator[Failure]:
    for direction, side in (("ingress", "from"), ("egress", "to")):
        for rule in (place / "spec" / direction).each():
            for port in (rule / "ports").each():
                yield from _port_range(port)
            for peer in (rule / side).each():
                yield from _peer(peer)


def _port_range(port: Place) -> Iterator[Failure]:
    first, last = (port / "port").number, (port / "endPort").number
    if last is not None and first is None:
        yield (port / "endPort").invalid("may not be specified when `port` is not a number")
    elif last is not None and first is not None and last < first:
        yield (port / "endPort").invalid("must be greater than or equal to `port`")


def _peer(peer: Place) -> Iterator[Failure]:
    block = peer / "ipBlock"
    if not peer.mapping:
        yield peer.required("must specify a peer")
    if block.value and (peer.has("podSelector") or peer.has("namespaceSelector")):
        yield peer.forbidden("may not specify both ipBlock and another peer")
    networks = [block / "cidr", *(block / "except").each()]
    for network in networks:
        if network.text and not _is_network(network.text):
            yield network.invalid("not a valid CIDR")


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


def _not_negative(place: Place) -> Iterator[Failure]:
    if place.number is not None and place.number < 0:
        yield place.invalid("must be greater than or equal to 0")


_RULES: Final[dict[str, Callable[[Place], Iterator[Failure]]]] = {
    "Deployment": _deployment,
    "HorizontalPodAutoscaler": _autoscaler,
    "Ingress": _ingress,
    "Job": _job,
    "NetworkPolicy": _network_policy,
    "PersistentVolumeClaim": _claim,
    "PodDisruptionBudget": _budget,
    "PriorityClass": _priority_class,
    "Service": _service,
    "StatefulSet": _stateful_set,
}

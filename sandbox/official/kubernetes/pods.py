"""What the API server has against a pod, wherever its template stands.

Source: ``pkg/apis/core/validation`` in kubernetes/kubernetes (``ValidatePodTemplateSpec`` and what it calls).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sandbox.official.kubernetes.trees import Place, doubles, top
from sandbox.official.quantities import amount
from sandbox.official.types import Failure
from sandbox.official.values import Properties, written

TEMPLATES: Final = {
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "DaemonSet": ("spec", "template"),
    "Deployment": ("spec", "template"),
    "Job": ("spec", "template"),
    "Pod": (),
    "ReplicaSet": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
}
"""Where the pod stands in each kind that has one."""

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_PORT_NAME = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_LONGEST_PORT_NAME = 15
_LAST_PORT = 65535
_LABEL_WORDS = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-'"
_HANDLERS = ("exec", "grpc", "httpGet", "tcpSocket")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_RESTARTS = {"Job": ("Never", "OnFailure"), "CronJob": ("Never", "OnFailure"), "Pod": ("Always", "Never", "OnFailure")}
_LEAST = {
    "failureThreshold": 1,
    "initialDelaySeconds": 0,
    "periodSeconds": 1,
    "successThreshold": 1,
    "timeoutSeconds": 1,
}


def template_of(kind: str, properties: Properties) -> Place:
    """The pod's template in an object; nothing for a kind without pods."""
    place = top(properties if kind in TEMPLATES else {})
    for step in TEMPLATES.get(kind, ()):
        place = place / step
    return place


def failures(kind: str, properties: Properties) -> Iterator[Failure]:
    """Everything that is wrong with the pod of an object; nothing for a kind without pods."""
    if kind not in TEMPLATES:
        return
    spec = template_of(kind, properties) / "spec"
    yield from _restart_policy(spec / "restartPolicy", _RESTARTS.get(kind, ("Always",)))
    yield from _volumes(spec)
    yield from _names(spec)
    if not spec.has("containers"):
        yield (spec / "containers").required()
    known = {(volume / "name").text for volume in (spec / "volumes").each()} | _claimed(kind, properties)
    for container in (spec / "containers").each():
        yield from _container(container, known)
    for container in (spec / "initContainers").each():
        yield from _container(container, known)
        yield from _init_container(container)
    for constraint in (spec / "topologySpreadConstraints").each():
        if ((constraint / "maxSkew").number or 0) < 1:
            yield (constraint / "maxSkew").invalid("must be greater than zero")


def _restart_policy(policy: Place, allowed: tuple[str, ...]) -> Iterator[Failure]:
    # nothing said is Always
    if (policy.text or "Always") not in allowed:
        supported = ", ".join(f'"{one}"' for one in allowed)
        yield Failure(written(policy.path), f'Unsupported value: "{policy.text}": supported values: {supported}')


def _init_container(container: Place) -> Iterator[Failure]:
    if (container / "restartPolicy").text != "Always":
        for name in _PROBES:
            if container.has(name):
                yield (container / name).forbidden("may not be set for init containers without restartPolicy=Always")


def _claimed(kind: str, properties: Properties) -> set[str]:
    """A StatefulSet's claims are volumes of its pods as well."""
    if kind != "StatefulSet":
        return set()
    claims = top(properties) / "spec" / "volumeClaimTemplates"
    return {(claim / "metadata" / "name").text for claim in claims.each()}


def _names(spec: Place) -> Iterator[Failure]:
    names = [container / "name" for part in ("initContainers", "containers") for container in (spec / part).each()]
    for name in names:
        if name.text and not _LABEL.fullmatch(name.text):
            yield name.invalid(_LABEL_WORDS)
    yield from doubles(iter(names))


def _volumes(spec: Place) -> Iterator[Failure]:
    volumes = list((spec / "volumes").each())
    yield from doubles(volume / "name" for volume in volumes)
    for volume in volumes:
        name = volume / "name"
        if name.text and not _LABEL.fullmatch(name.text):
            yield name.invalid(_LABEL_WORDS)
        sources = [member for member in volume.mapping if member != "name"]
        if not sources:
            yield volume.required("must specify a volume type")
        for extra in sources[1:]:
            yield (volume / extra).forbidden("may not specify more than 1 volume type")


def _container(container: Place, volumes: set[str]) -> Iterator[Failure]:
    if not container.has("image"):
        yield (container / "image").required()
    ports = list((container / "ports").each())
    yield from doubles(port / "name" for port in ports)
    for port in ports:
        yield from port_name_failures(port / "name")
        yield from port_failures(port / "containerPort")
    for variable in (container / "env").each():
        if not (variable / "name").text or "=" in (variable / "name").text:
            yield (variable / "name").invalid("a valid environment variable name must not be empty or contain '='")
        if variable.has("value") and (variable / "value").value not in ("", None) and variable.has("valueFrom"):
            yield (variable / "valueFrom").invalid("may not be specified when `value` is not empty")
    yield from doubles(mount / "mountPath" for mount in (container / "volumeMounts").each())
    for mount in (container / "volumeMounts").each():
        name = mount / "name"
        if name.text and name.text not in volumes:
            yield Failure(written(name.path), f'Not found: "{name.text}"')
    for part in _PROBES:
        if container.has(part):
            yield from _probe(container / part, part)
    yield from _resources(container / "resources")


def _probe(probe: Place, part: str) -> Iterator[Failure]:
    handlers = [name for name in _HANDLERS if probe.has(name)]
    if probe.value is not None and not handlers:
        yield probe.required("must specify a handler type")
    for extra in handlers[1:]:
        yield (probe / extra).forbidden("may not specify more than 1 handler type")
    for member, least in _LEAST.items():
        number = (probe / member).number
        if number is not None and number < least:
            yield (probe / member).invalid(f"must be greater than or equal to {least}")
    once = (probe / "successThreshold").number
    if part != "readinessProbe" and once not in (None, 1):
        yield (probe / "successThreshold").invalid("must be 1")


def _resources(resources: Place) -> Iterator[Failure]:
    requests, limits = resources / "requests", resources / "limits"
    for name in requests.mapping.keys() & limits.mapping.keys():
        asked, most = (amount(str((part / name).value)) for part in (requests, limits))
        if asked is not None and most is not None and asked > most and "/" not in name:
            limit = (limits / name).value
            yield (requests / name).invalid(f"must be less than or equal to {name} limit of {limit}")


def port_name_failures(name: Place) -> Iterator[Failure]:
    """What is wrong with the name of a container's port."""
    if len(name.text) > _LONGEST_PORT_NAME:
        yield name.invalid("must be no more than 15 characters")
    elif name.text and not _PORT_NAME.fullmatch(name.text):
        yield name.invalid("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")


def port_failures(port: Place) -> Iterator[Failure]:
    """What is wrong with the number of a port."""
    if port.number is not None and not 0 < port.number <= _LAST_PORT:
        yield port.invalid("must be between 1 and 65535, inclusive")

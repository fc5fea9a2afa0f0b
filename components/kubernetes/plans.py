"""A workload on its way to becoming objects, and what is refused before there is any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from components.kubernetes import demand as demands
from components.kubernetes.containers import Container, Pod
from components.kubernetes.declarations import Claim, Metrics
from components.kubernetes.demand import Demand
from components.kubernetes.network import NAME
from components.kubernetes.values import Resources


@dataclass(frozen=True)
class Plan:
    """A workload on its way to becoming objects."""

    key: str
    name: str
    kind: str
    pod: Pod
    replicas: int
    max_replicas: int
    service: Mapping[str, int]
    metrics: Metrics | None
    labels: Mapping[str, str]
    claims: Mapping[str, Claim] = field(default_factory=dict)

    @property
    def selector(self) -> dict[str, str]:
        """The labels by which its pods are told from all others."""
        return {NAME: self.name}

    @property
    def demand(self) -> Demand:
        """Of all replicas at the most."""
        init = tuple(container.resources for container in self.pod.init_containers)
        return demands.of_pod(containers_of(self.pod), init, len(self.claims)).times(self.max_replicas)


def containers_of(pod: Pod) -> tuple[Resources, ...]:
    """The resources of the containers that run together."""
    return tuple(container.resources for container in pod.containers)


def refuse_unwatched(plan: Plan) -> None:
    """Nobody would know that a container without probes is dead, or send it requests only when it can answer them.

    Raises ValueError for missing probes, for probes of what ends by itself, and for a service of a port that is none.
    """
    watched = plan.kind != "Job"
    for container in plan.pod.containers:
        if watched and (container.readiness is None or container.liveness is None):
            raise ValueError(f"{plan.name}: the container {container.name} has no readiness or no liveness probe")
        if not watched and _has_probes(container):
            raise ValueError(f"{plan.name}: a job ends by itself, and {container.name} has a probe")
    for container in plan.pod.init_containers:
        if _has_probes(container):
            raise ValueError(f"{plan.name}: an init container ends by itself, and {container.name} has a probe")
    _refuse_misdirected(plan)
    for name in plan.service:
        if name not in plan.pod.ports:
            raise ValueError(f"{plan.name}: the service's port {name} is none of the pod's")


def _refuse_misdirected(plan: Plan) -> None:
    for container in plan.pod.containers:
        for probe in (container.readiness, container.liveness, container.startup):
            if probe and not probe.command and probe.port not in container.ports:
                raise ValueError(f"{plan.name}: a probe of {container.name} asks at {probe.port}, none of its ports")


def _has_probes(container: Container) -> bool:
    return any((container.readiness, container.liveness, container.startup))

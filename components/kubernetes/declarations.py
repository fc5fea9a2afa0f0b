"""What can be declared of a workload beside its pod, and what is known of one that was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import pulumi

from components.kubernetes.demand import Demand


class Stored(NamedTuple):
    """A ConfigMap or Secret. What mounts it annotates its pod with ``checksum``, which changes with the contents."""

    name: pulumi.Output[str]
    checksum: pulumi.Output[str]


@dataclass(frozen=True, kw_only=True)
class Autoscaling:
    """As many replicas as keep the average use of the requested CPU at ``cpu_percent``."""

    min: int
    max: int
    cpu_percent: int


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A disk for each pod of a stateful set. ``storage_class`` None is the cluster's default."""

    size: str
    storage_class: str | None = None


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """Where a workload's figures are read: the name of its port, and the path."""

    port: str = "metrics"
    path: str = "/metrics"


@dataclass(frozen=True, kw_only=True)
class Route:
    """A path of the stage's host that the ingress sends to a port (by name) of a workload's service."""

    path: str
    port: str


@dataclass(frozen=True, kw_only=True)
class Workload:
    """What was made: for those who call it, watch it, or count it. ``replicas`` and ``max_replicas`` differ where it is
    scaled; a daemon set has 0 of both, because its nodes decide."""

    key: str
    name: str
    kind: str
    replicas: int
    max_replicas: int
    ports: Mapping[str, int]
    service: Mapping[str, int]
    metrics: Metrics | None
    labels: Mapping[str, str]
    containers: tuple[str, ...]
    claims: tuple[str, ...]
    demand: Demand
    service_name: pulumi.Output[str]
    service_host: pulumi.Output[str]
    headless_host: pulumi.Output[str] | None = None


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """How the replicas of a deployment are exchanged; without one none is missed, and one more runs meanwhile."""

    surge: int = 1
    unavailable: int = 0

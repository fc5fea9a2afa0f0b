"""A namespace and what keeps it within bounds: pod security, a quota, default limits, nothing that talks by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import pulumi

from components.kubernetes.network import Peer, peer_of
from components.kubernetes.objects import LABELS, Objects
from components.kubernetes.settings import AllowSettings, ContainerSettings, PortSettings, QuotaSettings

if TYPE_CHECKING:
    from pulumi_kubernetes.networking import v1 as networking

_DNS: Final = Peer(namespace="kube-system", pods={"k8s-app": "kube-dns"})


def create_namespace(key: str, name: str, pod_security: str, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    """A namespace that admits no pod below ``pod_security``; its name is known when it is there."""
    from pulumi_kubernetes.core import v1 as core

    labels: Mapping[str, str] = {
        **LABELS,
        **{f"pod-security.kubernetes.io/{mode}": pod_security for mode in ("enforce", "audit", "warn")},
    }
    namespace = core.Namespace(key, metadata={"name": name, "labels": labels}, opts=opts)
    return namespace.metadata.apply(lambda metadata: str(metadata.name))


def create_quota(objects: Objects, settings: QuotaSettings, opts: pulumi.ResourceOptions) -> None:
    """What all pods of the namespace may ask for together."""
    hard = {
        "requests.cpu": settings.cpu_requests,
        "requests.memory": settings.memory_requests,
        "limits.cpu": settings.cpu_limits,
        "limits.memory": settings.memory_limits,
        "pods": str(settings.pods),
        "persistentvolumeclaims": str(settings.persistent_volume_claims),
        "requests.nvidia.com/gpu": str(settings.gpus),
    }
    objects.make("core/v1:ResourceQuota", "quota", "quota", {"spec": {"hard": hard}}, opts)


def create_limits(objects: Objects, settings: ContainerSettings, opts: pulumi.ResourceOptions) -> None:
    """What a container gets that says nothing."""
    limits = {
        "type": "Container",
        "default": {"cpu": settings.cpu_limit, "memory": settings.memory_limit},
        "default_request": {"cpu": settings.cpu_request, "memory": settings.memory_request},
    }
    body = {"spec": {"limits": [limits]}}
    objects.make("core/v1:LimitRange", "container-defaults", "container-defaults", body, opts)


def deny_by_default(objects: Objects, opts: pulumi.ResourceOptions) -> None:
    """No connection in either direction, except to ask for the address of a name."""
    both = ["Ingress", "Egress"]
    objects.network_policy("default-deny", "default-deny", {"pod_selector": {}, "policy_types": both}, opts)
    dns: networking.NetworkPolicySpecArgsDict = {
        "pod_selector": {},
        "policy_types": ["Egress"],
        "egress": [
            {"to": [peer_of(_DNS)], "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}
        ],
    }
    objects.network_policy("default-dns", "default-dns", dns, opts)


def allow(objects: Objects, key: str, settings: AllowSettings, opts: pulumi.ResourceOptions) -> None:
    """A connection of pods that are deployed by somebody else."""
    ports = [_port(port) for port in settings.ports]
    spec: networking.NetworkPolicySpecArgsDict = {
        "pod_selector": {"match_labels": settings.pods} if settings.pods else {}
    }
    if settings.sources:
        spec["policy_types"] = ["Ingress"]
        spec["ingress"] = [{"from_": [peer_of(one.peer()) for one in settings.sources], "ports": ports}]
    else:
        spec["policy_types"] = ["Egress"]
        spec["egress"] = [{"to": [peer_of(one.peer()) for one in settings.destinations], "ports": ports}]
    objects.network_policy(f"allow.{key}", f"allow-{key}", spec, opts)


def _port(settings: PortSettings) -> networking.NetworkPolicyPortArgsDict:
    port: networking.NetworkPolicyPortArgsDict = {"protocol": settings.protocol, "port": settings.port}
    if settings.end_port is not None:
        port["end_port"] = settings.end_port
    return port

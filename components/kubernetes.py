"""Kubernetes: a stage's namespace, its limits, who may talk to whom in it, and the secrets that its workloads read."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Literal

import pulumi
from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from components.explain import Mistake, render
from components.settings import (
    DnsLabel,
    Key,
    SecretSource,
    Settings,
    SettingsError,
    Stage,
    data_store_options,
    matching,
    where,
)

if TYPE_CHECKING:
    from pulumi_kubernetes.core import v1 as core
    from pulumi_kubernetes.meta import v1 as meta
    from pulumi_kubernetes.networking import v1 as networking

Quantity = Annotated[
    str,
    matching(
        r"[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?", 'must be a quantity in quotes, such as "500m", "2" or "4Gi"'
    ),
]
LabelName = Annotated[
    str,
    matching(
        r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?",
        "must be a label name of Kubernetes, such as app.kubernetes.io/name",
    ),
]
LabelValue = Annotated[
    str,
    matching(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?", "must be up to 63 letters, digits, dots, - and _"),
]
SecretKey = Annotated[str, matching(r"[A-Za-z0-9._-]{1,253}", "must be letters, digits, dots, hyphens, underscores")]
Port = Annotated[int, Field(ge=1, le=65535)]


def _whole_gpus(count: object) -> object:
    if isinstance(count, int):
        return count
    raise PydanticCustomError(
        "whole_gpus",
        "must be a whole number: Kubernetes does not divide nvidia.com/gpu. A quarter of a GPU is time-slicing in the "
        "NVIDIA device plugin (4 replicas), after which a pod requests 1",
    )


def _network(text: str) -> str:
    try:
        ipaddress.ip_network(text)
    except ValueError as error:
        raise PydanticCustomError("cidr", "must be a network, such as 10.0.0.0/8") from error
    return text


Gpus = Annotated[int, BeforeValidator(_whole_gpus), Field(ge=0, le=64)]
Cidr = Annotated[str, AfterValidator(_network)]


class QuotaSettings(Settings):
    """What all pods of the namespace may ask for together. ``gpus`` are whole ``nvidia.com/gpu``, time-sliced or not."""

    cpu_requests: Quantity
    memory_requests: Quantity
    cpu_limits: Quantity
    memory_limits: Quantity
    pods: Annotated[int, Field(ge=1)] = 50
    persistent_volume_claims: Annotated[int, Field(ge=0)] = 10
    gpus: Gpus = 0


class ContainerSettings(Settings):
    """What a container gets that says nothing, without which the quota would refuse its pod."""

    cpu_request: Quantity = "100m"
    memory_request: Quantity = "128Mi"
    cpu_limit: Quantity = "1"
    memory_limit: Quantity = "512Mi"


class PeerSettings(Settings):
    """The other side of a connection: pods (by labels, in this or another namespace), or a network."""

    namespace: DnsLabel | None = None
    pods: dict[LabelName, LabelValue] = Field(default_factory=dict)
    cidr: Cidr | None = None
    without: tuple[Cidr, ...] = ()

    def check(self) -> Iterator[Mistake]:
        """Pods or a network, not both."""
        inside = self.namespace is not None or bool(self.pods)
        if inside == (self.cidr is not None):
            yield Mistake((), "must give either `cidr`, or `namespace` and/or `pods`")
        for index, text in enumerate(self.without):
            if self.cidr is None or not _contains(self.cidr, text):
                yield Mistake(("without", index), f"{text} is not part of the cidr")


class PortSettings(Settings):
    """A port, or the range from ``port`` to ``end_port``."""

    port: Port
    end_port: Port | None = None
    protocol: Literal["TCP", "UDP"] = "TCP"

    def check(self) -> Iterator[Mistake]:
        """A range goes upwards."""
        if self.end_port is not None and self.end_port < self.port:
            yield Mistake(("end_port",), "must not be lower than port")


class AllowSettings(Settings):
    """A connection that is allowed: ``to`` or ``from`` the pods with these labels (all pods, without any)."""

    pods: dict[LabelName, LabelValue] = Field(default_factory=dict)
    sources: Annotated[tuple[PeerSettings, ...], Field(alias="from")] = ()
    destinations: Annotated[tuple[PeerSettings, ...], Field(alias="to")] = ()
    ports: Annotated[tuple[PortSettings, ...], Field(min_length=1)]

    def check(self) -> Iterator[Mistake]:
        """One direction a rule."""
        if bool(self.sources) == bool(self.destinations):
            yield Mistake((), "must give either `from` or `to`")


class ServiceAccountSettings(Settings):
    """An identity for pods. It has no token of the cluster's API: what needs one asks for it in its pod."""

    name: DnsLabel
    annotations: dict[LabelName, str] = Field(default_factory=dict)


class SecretSettings(Settings):
    """A Secret: its keys, and where each value comes from."""

    name: DnsLabel
    data: Annotated[dict[SecretKey, SecretSource], Field(min_length=1)]


class KubernetesSettings(Settings):
    """``sophia-ai:kubernetes``. The cluster is the current context of KUBECONFIG."""

    namespace: DnsLabel
    pod_security: Literal["restricted", "baseline"] = "restricted"
    quota: QuotaSettings
    containers: ContainerSettings = ContainerSettings()
    allow: dict[Key, AllowSettings] = Field(default_factory=dict)
    service_accounts: dict[Key, ServiceAccountSettings] = Field(default_factory=dict)
    secrets: dict[Key, SecretSettings] = Field(default_factory=dict)


class Kubernetes(pulumi.ComponentResource):
    """A stage's namespace with pod security, quota, default limits, network policies, service accounts and secrets.

    Nothing in the namespace talks to anything, or is talked to, unless the settings allow it; names are looked up in
    kube-system only. In prod the namespace is protected, because its deletion takes all workloads and volumes with it.

    A Secret whose data changes is replaced under the same name, unless the environment sets
    PULUMI_K8S_ENABLE_SECRET_MUTABLE (then it is updated in place); pods read it when they start, in both cases.

    Outputs: ``namespace``, and by key ``service_accounts`` and ``secrets`` (their names).

    Not managed, on purpose: workloads (their own pipelines deploy them), cluster-wide objects such as the NVIDIA device
    plugin and its time-slicing, and roles: no workload here needs the cluster's API.
    """

    namespace: pulumi.Output[str]
    service_accounts: Mapping[str, pulumi.Output[str]]
    secrets: Mapping[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        settings: KubernetesSettings,
        *,
        stage: Stage,
        outputs: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """``outputs``: the values of other components that secrets name with ``output:``.

        Raises SettingsError for another stage's namespace or an output that nobody hands over, CredentialsError for a
        secret's missing variable.
        """
        _refuse_other_stages(settings.namespace, stage)
        super().__init__("sophia:platform:Kubernetes", name, None, opts)
        # here, because only stacks with Kubernetes should pay for the import
        from pulumi_kubernetes.core import v1 as core
        from pulumi_kubernetes.networking import v1 as networking

        self._core, self._networking = core, networking
        self._child = pulumi.ResourceOptions(parent=self)
        self._labels = {"app.kubernetes.io/part-of": "sophia-ai", "app.kubernetes.io/managed-by": "pulumi"}

        namespace = self._create_namespace(settings, stage)
        self.namespace = _name_of(namespace)
        self._create_quota(settings.quota)
        self._create_limits(settings.containers)
        self._deny_by_default()
        for key, rule in settings.allow.items():
            self._allow(key, rule)
        self.service_accounts = {k: self._create_service_account(k, a) for k, a in settings.service_accounts.items()}
        self.secrets = {key: self._create_secret(key, secret, outputs) for key, secret in settings.secrets.items()}
        self.register_outputs(
            {"namespace": self.namespace, "service_accounts": self.service_accounts, "secrets": self.secrets}
        )

    def _create_namespace(self, settings: KubernetesSettings, stage: Stage) -> core.Namespace:
        security = {
            f"pod-security.kubernetes.io/{mode}": settings.pod_security for mode in ("enforce", "audit", "warn")
        }
        metadata: meta.ObjectMetaArgsDict = {"name": settings.namespace, "labels": {**self._labels, **security}}
        return self._core.Namespace("namespace", metadata=metadata, opts=data_store_options(stage, self._child))

    def _create_quota(self, settings: QuotaSettings) -> None:
        self._core.ResourceQuota(
            "quota",
            metadata=self._metadata("quota"),
            spec={
                "hard": {
                    "requests.cpu": settings.cpu_requests,
                    "requests.memory": settings.memory_requests,
                    "limits.cpu": settings.cpu_limits,
                    "limits.memory": settings.memory_limits,
                    "pods": str(settings.pods),
                    "persistentvolumeclaims": str(settings.persistent_volume_claims),
                    "requests.nvidia.com/gpu": str(settings.gpus),
                }
            },
            opts=self._child,
        )

    def _create_limits(self, settings: ContainerSettings) -> None:
        self._core.LimitRange(
            "container-defaults",
            metadata=self._metadata("container-defaults"),
            spec={
                "limits": [
                    {
                        "type": "Container",
                        "default": {"cpu": settings.cpu_limit, "memory": settings.memory_limit},
                        "default_request": {"cpu": settings.cpu_request, "memory": settings.memory_request},
                    }
                ]
            },
            opts=self._child,
        )

    def _deny_by_default(self) -> None:
        everything: networking.NetworkPolicySpecArgsDict = {
            "pod_selector": {},
            "policy_types": ["Ingress", "Egress"],
        }
        self._create_network_policy("default-deny", everything)
        dns: networking.NetworkPolicySpecArgsDict = {
            "pod_selector": {},
            "policy_types": ["Egress"],
            "egress": [
                {
                    "to": [_peer(PeerSettings(namespace="kube-system", pods={"k8s-app": "kube-dns"}))],
                    "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
                }
            ],
        }
        self._create_network_policy("default-dns", dns)

    def _allow(self, key: str, settings: AllowSettings) -> None:
        ports = [_port(port) for port in settings.ports]
        spec: networking.NetworkPolicySpecArgsDict = {"pod_selector": {"match_labels": settings.pods}}
        if settings.sources:
            spec["policy_types"] = ["Ingress"]
            spec["ingress"] = [{"from_": [_peer(peer) for peer in settings.sources], "ports": ports}]
        else:
            spec["policy_types"] = ["Egress"]
            spec["egress"] = [{"to": [_peer(peer) for peer in settings.destinations], "ports": ports}]
        self._create_network_policy(f"allow.{key}", spec, f"allow-{key}")

    def _create_network_policy(
        self, key: str, spec: networking.NetworkPolicySpecArgsDict, name: str | None = None
    ) -> None:
        self._networking.NetworkPolicy(key, metadata=self._metadata(name or key), spec=spec, opts=self._child)

    def _create_service_account(self, key: str, settings: ServiceAccountSettings) -> pulumi.Output[str]:
        metadata = self._metadata(settings.name)
        metadata["annotations"] = settings.annotations
        account = self._core.ServiceAccount(
            key, metadata=metadata, automount_service_account_token=False, opts=self._child
        )
        return _name_of(account)

    def _create_secret(
        self, key: str, settings: SecretSettings, outputs: Mapping[str, pulumi.Input[str]]
    ) -> pulumi.Output[str]:
        path = ("kubernetes", "secrets", key, "data")
        data = {k: source.resolve(outputs, render((*path, k))) for k, source in settings.data.items()}
        unique = pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(delete_before_replace=True))
        secret = self._core.Secret(
            key, metadata=self._metadata(settings.name), type="Opaque", string_data=data, opts=unique
        )
        return _name_of(secret)

    def _metadata(self, name: str) -> meta.ObjectMetaArgsDict:
        return {"name": name, "namespace": self.namespace, "labels": self._labels}


def _refuse_other_stages(namespace: str, stage: Stage) -> None:
    for other in Stage:
        if other is not stage and namespace.endswith(f"-{other}"):
            message = f'"{namespace}" belongs to {other}: a stack has its own namespace, here sophia-ai-{stage}'
            raise SettingsError([f"{where('kubernetes.namespace')}: {message}"])


def _name_of(resource: core.Namespace | core.ServiceAccount | core.Secret) -> pulumi.Output[str]:
    return resource.metadata.apply(lambda metadata: str(metadata.name))


def _peer(settings: PeerSettings) -> networking.NetworkPolicyPeerArgsDict:
    if settings.cidr is not None:
        return {"ip_block": {"cidr": settings.cidr, "except_": settings.without}}
    peer: networking.NetworkPolicyPeerArgsDict = {}
    if settings.namespace is not None:
        # every namespace carries its own name as this label, so nobody has to label it
        peer["namespace_selector"] = {"match_labels": {"kubernetes.io/metadata.name": settings.namespace}}
    if settings.pods:
        peer["pod_selector"] = {"match_labels": settings.pods}
    return peer


def _port(settings: PortSettings) -> networking.NetworkPolicyPortArgsDict:
    port: networking.NetworkPolicyPortArgsDict = {"protocol": settings.protocol, "port": settings.port}
    if settings.end_port is not None:
        port["end_port"] = settings.end_port
    return port


def _contains(outer: str, inner: str) -> bool:
    whole, part = ipaddress.ip_network(outer), ipaddress.ip_network(inner)
    if isinstance(whole, ipaddress.IPv4Network) and isinstance(part, ipaddress.IPv4Network):
        return part.subnet_of(whole)
    if isinstance(whole, ipaddress.IPv6Network) and isinstance(part, ipaddress.IPv6Network):
        return part.subnet_of(whole)
    return False

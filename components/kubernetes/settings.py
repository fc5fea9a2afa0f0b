"""``sophia-ai:kubernetes``: a namespace, its limits, who may talk to whom in it, and what runs in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from components.explain import Mistake, did_you_mean
from components.kubernetes import demand as demands
from components.kubernetes.demand import Demand
from components.kubernetes.fleet_settings import McpServerSettings
from components.kubernetes.gpu_settings import GpuSettings
from components.kubernetes.ingress_settings import IngressSettings
from components.kubernetes.n8n_settings import N8nSettings
from components.kubernetes.nats_settings import NatsSettings
from components.kubernetes.peers import PeerGroupSettings, PeerSettings
from components.kubernetes.values import Gpus, LabelName, LabelValue, Port, Quantity, SecretKey
from components.settings import DnsLabel, Key, SecretSource, Settings, matching, same_object, unknown_name

ServerVersion = Annotated[
    str, matching(r"1\.[0-9]{2}", 'must be the minor version of the cluster in quotes, such as "1.34"')
]


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
    """A connection that is allowed: ``to`` or ``from`` the pods with these labels (all pods, without any).

    For pods that something else deploys; the estate's own workloads say themselves whom they call.
    """

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


class PriorityClassSettings(Settings):
    """How important pods are when there is not room for all: the higher ``value`` is scheduled first.

    ``preempts``: whether it also ends less important pods to make room.
    """

    value: Annotated[int, Field(ge=-1_000_000, le=1_000_000_000)]
    description: Annotated[str, Field(min_length=1)]
    preempts: bool = True


class KubernetesSettings(Settings):
    """``sophia-ai:kubernetes``. The cluster is the current context of KUBECONFIG.

    ``version`` is its minor version: the health check compares it with the server's, and the tests validate every
    manifest against its schemas. ``peers`` are whom the fleet of ``mcp_servers`` talks to, by the names that its
    entries use.
    """

    namespace: DnsLabel
    version: ServerVersion | None = None
    pod_security: Literal["restricted", "baseline"] = "restricted"
    quota: QuotaSettings
    containers: ContainerSettings = ContainerSettings()
    allow: dict[Key, AllowSettings] = Field(default_factory=dict)
    service_accounts: dict[Key, ServiceAccountSettings] = Field(default_factory=dict)
    secrets: dict[Key, SecretSettings] = Field(default_factory=dict)
    priority_classes: dict[Key, PriorityClassSettings] = Field(default_factory=dict)
    gpu: GpuSettings | None = None
    ingress: IngressSettings | None = None
    peers: dict[Key, PeerGroupSettings] = Field(default_factory=dict)
    mcp_servers: dict[Key, McpServerSettings] = Field(default_factory=dict)
    nats: NatsSettings | None = None
    n8n: N8nSettings | None = None

    def check(self) -> Iterator[Mistake]:
        """The fleet fits together, and into the quota."""
        yield from same_object(("secrets",), self.secrets, "name")
        for member in ("name", "port"):
            yield from same_object(("mcp_servers",), self.mcp_servers, member)
        for key in self.peers.keys() & self.mcp_servers.keys():
            yield Mistake(("peers", key), "is the name of an MCP server as well: calls could mean either")
        for key, server in self.mcp_servers.items():
            yield from self._check_server(key, server)
        if self.n8n is not None and self.ingress is None:
            yield Mistake(("n8n",), "needs `ingress`, which says on which host it is reached")
        for member, one in (("nats", self.nats), ("n8n", self.n8n)):
            if one is not None and one.priority is not None:
                yield from unknown_name((member, "priority"), one.priority, self.priority_classes, "priority class")
        yield from self._check_quota()

    def _check_server(self, key: str, server: McpServerSettings) -> Iterator[Mistake]:
        here = ("mcp_servers", key)
        secrets = [*self.secrets, *(f"nats-{user}" for user in (self.nats.users if self.nats else ()))]
        for index, secret in enumerate(server.secrets):
            yield from unknown_name((*here, "secrets", index), secret, secrets, "secret")
        if server.priority is not None:
            yield from unknown_name((*here, "priority"), server.priority, self.priority_classes, "priority class")
        if server.public and self.ingress is None:
            yield Mistake((*here, "public"), "needs `ingress`, which says on which host")
        if server.resources.gpus and self.gpu is None:
            yield Mistake((*here, "resources", "gpus"), "needs `gpu`, the device plugin that offers GPUs to pods")
        known = self.peers.keys() | self.mcp_servers.keys()
        for member in ("callers", "calls"):
            for index, name in enumerate(getattr(server, member)):
                path = (*here, member, index)
                if name == key:
                    yield Mistake(path, "is the server itself")
                elif name not in known:
                    there = f"there are: {', '.join(sorted(known))}" if known else "there are none"
                    yield Mistake(path, f'no peer or server "{name}" is declared{did_you_mean(name, known)}; {there}')
                elif member == "calls" and name in self.peers and not self.peers[name].ports:
                    yield Mistake(path, f"calls {name}, and peers.{name} does not say at which ports")

    def _check_quota(self) -> Iterator[Mistake]:
        demand = Demand()
        for server in self.mcp_servers.values():
            demand += server.demand
        for name, message in demands.shortfalls(demand, self.quota):
            yield Mistake(("quota", name), f"for mcp_servers alone, {message}")

"""The fleet of MCP servers: each entry of the settings as a workload."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from components.kubernetes.containers import Container, EmptyDir, Mount, Pod, Probe
from components.kubernetes.fleet_settings import McpServerSettings
from components.kubernetes.gpu_settings import GpuSettings
from components.kubernetes.network import Allow, Peer, workload
from components.kubernetes.peers import PeerGroupSettings
from components.kubernetes.workloads import Autoscaling, Metrics, Route, Stored, Workload, Workloads

TIER = {"sophia-ai/tier": "mcp"}
"""The label of all MCP servers, for rules that are about any of them."""

_STARTUP_PERIOD = 5


class Fleet:
    """Makes MCP servers, each from its entry alone."""

    def __init__(
        self,
        workloads: Workloads,
        servers: Mapping[str, McpServerSettings],
        *,
        peers: Mapping[str, PeerGroupSettings],
        secrets: Mapping[str, Stored],
        priority_classes: Mapping[str, pulumi.Output[str]],
        gpu: GpuSettings | None,
    ) -> None:
        self._workloads = workloads
        self._servers = servers
        self._peers = peers
        self._secrets = secrets
        self._priority_classes = priority_classes
        self._gpu = gpu

    def deploy(self) -> Mapping[str, Workload]:
        """All servers, by key."""
        return {key: self._deploy(key, server) for key, server in self._servers.items()}

    def _deploy(self, key: str, server: McpServerSettings) -> Workload:
        service = {"http": server.port}
        metrics = None
        if server.metrics is not None:
            metrics = Metrics(port="metrics" if server.metrics.port else "http", path=server.metrics.path)
        scaling = server.autoscaling
        return self._workloads.deployment(
            f"mcp.{key}",
            server.name,
            self._pod(key, server),
            replicas=server.replicas or 1,
            autoscaling=Autoscaling(min=scaling.min, max=scaling.max, cpu_percent=scaling.cpu_percent)
            if scaling
            else None,
            service=service,
            allow=self._connections(server),
            metrics=metrics,
            routes=(Route(path=path_of(key), port="http"),) if server.public else (),
            labels=TIER,
        )

    def _pod(self, key: str, server: McpServerSettings) -> Pod:
        stored = [self._secrets[secret] for secret in server.secrets]
        gpu_nodes = self._gpu.nodes if self._gpu and server.resources.gpus else {}
        return Pod(
            containers=(self._container(key, server, stored),),
            volumes={"tmp": EmptyDir(size=f"{server.scratch_gibibytes}Gi" if server.scratch_gibibytes else "64Mi")},
            priority_class=self._priority_classes[server.priority] if server.priority else None,
            node_selector=gpu_nodes,
            # a pod reads its environment when it starts: a new secret has to start it again
            annotations={
                f"sophia-ai/secret-{name}": one.checksum for name, one in zip(server.secrets, stored, strict=True)
            },
            termination_grace_seconds=server.stop_seconds,
        )

    def _container(self, key: str, server: McpServerSettings, stored: list[Stored]) -> Container:
        told = {"MCP_NAME": server.name, "MCP_PATH": path_of(key), "MCP_PORT": str(server.port)}
        ports = {"http": server.port}
        if server.metrics and server.metrics.port:
            ports["metrics"] = server.metrics.port
        return Container(
            name="server",
            image=server.image,
            resources=server.resources,
            ports=ports,
            environment={**told, **server.environment},
            secrets=tuple(one.name for one in stored),
            readiness=Probe(path=server.probes.ready),
            liveness=Probe(path=server.probes.live, period_seconds=20),
            startup=Probe(
                path=server.probes.live,
                period_seconds=_STARTUP_PERIOD,
                failure_threshold=-(-server.probes.startup_seconds // _STARTUP_PERIOD),
            ),
            mounts={"/tmp": Mount(volume="tmp", read_only=False)},  # noqa: S108 - the container's own, not this machine's
        )

    def _connections(self, server: McpServerSettings) -> Allow:
        return Allow(
            from_=tuple(self._peer(name, server.port) for name in server.callers),
            to=tuple(self._peer(name) for name in server.calls),
        )

    def _peer(self, name: str, port: int | None = None) -> Peer:
        """A caller at the called server's ``port``; without one, somebody who is called at ports of its own."""
        if name in self._servers:
            other = self._servers[name]
            return workload(other.name, other.port if port is None else port)
        peer = self._peers[name]
        return peer.peer(peer.ports if port is None else (port,))


def path_of(key: str) -> str:
    """Where a public server is on the stage's host. It is told, and serves under this path inside the cluster too."""
    return f"/mcp/{key}"

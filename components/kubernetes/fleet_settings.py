"""``kubernetes.mcp_servers``: the fleet of MCP servers. All about one of them stands in its one entry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final

from pydantic import Field

from components.explain import Mistake
from components.kubernetes import demand as demands
from components.kubernetes.demand import Demand
from components.kubernetes.values import Image, Port, Resources, UrlPath, VariableName
from components.settings import DnsLabel, Key, Settings

PORTS: Final = (9000, 9399)
"""The range of the fleet's ports, lowest and highest."""

RESERVED: Final = frozenset({"MCP_NAME", "MCP_PATH", "MCP_PORT"})
"""What a server is told by the mechanism."""


class ScalingSettings(Settings):
    """As many replicas between ``min`` and ``max`` as keep the use of requested CPU at ``cpu_percent``."""

    min: Annotated[int, Field(ge=1)]
    max: Annotated[int, Field(ge=2)]
    cpu_percent: Annotated[int, Field(ge=10, le=100)] = 70

    def check(self) -> Iterator[Mistake]:
        """There is something to scale."""
        if self.max <= self.min:
            yield Mistake(("max",), "must be more than min; for a fixed number of replicas say `replicas`")


class McpProbeSettings(Settings):
    """Where a server says how it is. ``startup_seconds`` is how long it may take until it answers at all."""

    live: UrlPath = "/healthz"
    ready: UrlPath = "/readyz"
    startup_seconds: Annotated[int, Field(ge=10, le=1800)] = 60


class MetricsSettings(Settings):
    """Where a server's figures are: a port of their own, or the server's, when none is given."""

    port: Port | None = None
    path: UrlPath = "/metrics"


class McpServerSettings(Settings):
    """One MCP server.

    ``secrets`` are keys of ``kubernetes.secrets``: all their keys become environment variables. ``callers`` and
    ``calls`` are keys of ``kubernetes.peers`` or of other servers; a call between two servers is said by one of them.
    ``public`` puts it on the stage's host under ``/mcp/<key>``. A GPU is asked for by ``resources.gpus``.
    """

    name: DnsLabel
    image: Image
    port: Annotated[int, Field(ge=PORTS[0], le=PORTS[1])]
    resources: Resources
    replicas: Annotated[int, Field(ge=1, le=50)] | None = None
    autoscaling: ScalingSettings | None = None
    probes: McpProbeSettings = McpProbeSettings()
    metrics: MetricsSettings | None = MetricsSettings()
    secrets: tuple[Key, ...] = ()
    environment: dict[VariableName, str] = Field(default_factory=dict)
    callers: tuple[Key, ...] = ()
    calls: tuple[Key, ...] = ()
    public: bool = False
    priority: Key | None = None
    scratch_gibibytes: Annotated[int, Field(ge=0, le=100)] = 0
    stop_seconds: Annotated[int, Field(ge=5, le=600)] = 30

    def check(self) -> Iterator[Mistake]:
        """One way to say how many; somebody may call it; nothing is told twice."""
        if (self.replicas is None) == (self.autoscaling is None):
            yield Mistake((), "must give either `replicas` or `autoscaling`")
        if not self.callers and not self.public:
            yield Mistake(("callers",), "are missing: nobody could call it (give callers, or `public: true`)")
        for name in sorted(RESERVED & self.environment.keys()):
            yield Mistake(("environment", name), "is given to every server by the program")
        if self.metrics is not None and self.metrics.port == self.port:
            yield Mistake(("metrics", "port"), "is the server's own: leave it out")

    @property
    def max_replicas(self) -> int:
        """How many there are at the most."""
        return self.autoscaling.max if self.autoscaling else self.replicas or 1

    @property
    def demand(self) -> Demand:
        """What all replicas ask of the quota at the most."""
        return demands.of_pod([self.resources]).times(self.max_replicas)

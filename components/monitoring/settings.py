"""The settings of monitoring: what runs it, who hears of what, and what the estate promises."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from components.explain import Mistake
from components.kubernetes.values import Cidr, Image, LabelName, LabelValue, Port, Quantity, Resources, amount
from components.monitoring.objective_rules import BUDGET_DAYS
from components.settings import DnsLabel, Key, SecretSource, Settings, matching, unknown_name

_SIZE_SHARE = 85
"""Per cent of its volume that Prometheus may fill with blocks; the rest is for the write-ahead log and for compacting."""

Address = Annotated[
    str,
    matching(
        r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?:[0-9]{1,5}", "must be host:port, such as dcgm-exporter.gpu-operator.svc:9400"
    ),
]
WebAddress = Annotated[str, matching(r"https://[^\s#]+", "must be an https address without a #")]


class ServerSettings(Settings):
    """A server of monitoring: its image by digest, and what it gets."""

    image: Image
    resources: Resources


class StoringSettings(ServerSettings):
    """One with a volume. ``storage_class`` None is the cluster's default."""

    volume: Quantity
    storage_class: DnsLabel | None = None


class PrometheusSettings(StoringSettings):
    """``retention_days``: how long figures are kept; when the volume is too small for that, the oldest go earlier."""

    retention_days: Annotated[int, Field(ge=1)] = 45

    @property
    def retention_size(self) -> str:
        """In Prometheus' own units, whose MB are 1024 * 1024 bytes."""
        return f"{int(amount(self.volume) * _SIZE_SHARE / 100 / 1024**2)}MB"


class AlertmanagerSettings(StoringSettings):
    """Two replicas know of each other what was sent already."""

    replicas: Annotated[int, Field(ge=1, le=3)] = 2


class GrafanaSettings(ServerSettings):
    """A higher ``password_generation`` makes another password of the user admin."""

    password_generation: Annotated[int, Field(ge=1)] = 1


class TeamSettings(Settings):
    """By severity the Slack channel, as its key under sophia-ai:slack.channels."""

    critical: Key
    warning: Key
    ticket: Key


class ExporterSettings(Settings):
    """Something outside the namespace that tells figures: where, and which pods may be asked for that."""

    address: Address
    namespace: DnsLabel
    pods: dict[LabelName, LabelValue] = Field(default_factory=dict)

    @property
    def port(self) -> int:
        """The port of the address."""
        return int(self.address.rpartition(":")[2])


class ClusterSettings(Settings):
    """Where the API server is, as network policies see it, and the kubelets of the nodes.

    Without ``nodes`` no kubelet is asked: then nothing is known of processor time and of volumes, and Prometheus has no
    rights in the cluster at all.
    """

    api_server: Annotated[tuple[Cidr, ...], Field(min_length=1)]
    api_server_port: Port = 6443
    nodes: tuple[Cidr, ...] = ()


class ObjectivesSettings(Settings):
    """What the estate promises: the share of requests without an error of ours, the share that is fast enough, and how
    busy GPUs should be."""

    availability: Annotated[float, Field(gt=0.5, lt=1)] = 0.999
    latency_seconds: Annotated[float, Field(gt=0)] = 0.2
    latency_share: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    gpu_use: Annotated[float, Field(gt=0, lt=1)] = 0.8


class MonitoringSettings(Settings):
    """``sophia-ai:monitoring``. ``namespace`` is that of sophia-ai:kubernetes, where it runs.

    ``teams`` are those who hear of something, ``owner`` the one that hears of all that is nobody else's, and ``owners`` say
    by a workload's name whose it is. ``runbooks`` is where people read docs/monitoring.md. ``slack_token`` belongs to a bot
    that is in the channels. Without ``ingress`` the first two ``objectives`` are not measured, without ``gpus`` the third.
    """

    namespace: DnsLabel
    prometheus: PrometheusSettings
    alertmanager: AlertmanagerSettings
    grafana: GrafanaSettings
    pushgateway: StoringSettings
    state_metrics: ServerSettings
    teams: Annotated[dict[Key, TeamSettings], Field(min_length=1)]
    owner: Key
    owners: dict[DnsLabel, Key] = Field(default_factory=dict)
    slack_token: SecretSource
    runbooks: WebAddress
    objectives: ObjectivesSettings = ObjectivesSettings()
    ingress: ExporterSettings | None = None
    gpus: ExporterSettings | None = None
    cluster: ClusterSettings

    def check(self) -> Iterator[Mistake]:
        """Teams are declared; an error budget is remembered for as long as it lasts."""
        yield from unknown_name(("owner",), self.owner, self.teams, "team")
        for workload, team in self.owners.items():
            yield from unknown_name(("owners", workload), team, self.teams, "team")
        if self.ingress is not None and self.prometheus.retention_days < BUDGET_DAYS:
            yield Mistake(
                ("prometheus", "retention_days"),
                f"must be at least {BUDGET_DAYS}, the days over which an error budget is counted",
            )
        if not re.search(r"/monitoring\.md$", self.runbooks):
            yield Mistake(("runbooks",), "must be the address of docs/monitoring.md, whose headings are the alerts")

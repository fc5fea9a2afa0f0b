"""The servers of monitoring as workloads: pods, volumes, connections, and the few rights that they need.

Source of facts: the flags, paths and ports that each server's own documentation gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pulumi

from components.kubernetes.containers import Container, EmptyDir, FromConfigMap, FromSecret, Mount, Pod, Probe
from components.kubernetes.declarations import Claim, Metrics, Stored, Workload
from components.kubernetes.n8n import WEBHOOK
from components.kubernetes.n8n_environment import PORT
from components.kubernetes.network import Allow, Peer, workload
from components.kubernetes.workloads import SCRAPER, Workloads
from components.monitoring.settings import ExporterSettings, MonitoringSettings
from components.monitoring.workload_rules import STATE_METRICS

ALERTMANAGER: Final = "alertmanager"
GRAFANA: Final = "grafana"
PUSHGATEWAY: Final = "pushgateway"

PROMETHEUS_PORT: Final = 9090
_ALERTMANAGER_PORT: Final = 9093
_GOSSIP_PORT: Final = 9094
_PUSHGATEWAY_PORT: Final = 9091
_GRAFANA_PORT: Final = 3000
_KUBELET_PORT: Final = 10250
_GRAFANA_USER: Final = 472
"""The user of Grafana's image, to whom its files belong."""

_PRIVATE: Final = ("10.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")

_LISTED: Final = (
    ("", ("persistentvolumeclaims", "pods", "resourcequotas")),
    ("apps", ("daemonsets", "deployments", "statefulsets")),
    ("autoscaling", ("horizontalpodautoscalers",)),
    ("batch", ("jobs",)),
)
"""What kube-state-metrics tells of, by API group, and so what it may list."""


class Servers:
    """Makes the servers, each by a method, in one namespace."""

    def __init__(self, workloads: Workloads, settings: MonitoringSettings, opts: pulumi.ResourceOptions) -> None:
        self._workloads, self._settings, self._opts = workloads, settings, opts

    def state_metrics(self, namespace: str) -> Workload:
        """kube-state-metrics: what the API server knows of this namespace, as figures. It may list that, nothing else."""
        settings = self._settings.state_metrics
        rules = tuple((group, resources, ("list", "watch")) for group, resources in _LISTED)
        self._workloads.role(STATE_METRICS, STATE_METRICS, rules, opts=self._opts)
        kinds = ",".join(sorted(resource for _, resources in _LISTED for resource in resources))
        container = Container(
            name=STATE_METRICS,
            image=settings.image,
            resources=settings.resources,
            args=(f"--namespaces={namespace}", f"--resources={kinds}", "--port=8080", "--telemetry-port=8081"),
            ports={"metrics": 8080, "telemetry": 8081},
            readiness=Probe(path="/readyz", port="telemetry"),
            liveness=Probe(path="/livez", port="metrics"),
        )
        return self._workloads.deployment(
            STATE_METRICS,
            STATE_METRICS,
            Pod(containers=(container,), cluster_token=True),
            service={"metrics": 8080},
            allow=Allow(to=self._api_server()),
            metrics=Metrics(),
            opts=self._opts,
        )

    def pushgateway(self) -> Workload:
        """The Pushgateway: keeps what ``sophia health --metrics`` wrote until the next time, over restarts too."""
        settings = self._settings.pushgateway
        container = Container(
            name=PUSHGATEWAY,
            image=settings.image,
            resources=settings.resources,
            args=("--persistence.file=/data/figures", "--persistence.interval=1m"),
            ports={"http": _PUSHGATEWAY_PORT},
            readiness=Probe(path="/-/ready"),
            liveness=Probe(path="/-/healthy"),
            mounts={"/data": Mount(volume="data", read_only=False)},
        )
        return self._workloads.stateful_set(
            PUSHGATEWAY,
            PUSHGATEWAY,
            Pod(containers=(container,)),
            replicas=1,
            claims={"data": Claim(size=settings.volume, storage_class=settings.storage_class)},
            service={"http": _PUSHGATEWAY_PORT},
            allow=Allow(from_=self._through_api_server(_PUSHGATEWAY_PORT)),
            metrics=Metrics(port="http"),
            opts=self._opts,
        )

    def alertmanager(self, configuration: Stored, token: Stored, incidents: Stored | None) -> Workload:
        """Alertmanager: replicas that tell each other what they have sent. ``incidents``: what it shows n8n."""
        settings = self._settings.alertmanager
        peers = tuple(
            f"--cluster.peer={ALERTMANAGER}-{number}.{ALERTMANAGER}-headless:{_GOSSIP_PORT}"
            for number in range(settings.replicas if settings.replicas > 1 else 0)
        )
        container = Container(
            name=ALERTMANAGER,
            image=settings.image,
            resources=settings.resources,
            args=(
                "--config.file=/etc/alertmanager/config/alertmanager.yml",
                "--storage.path=/alertmanager",
                f"--cluster.listen-address={f'0.0.0.0:{_GOSSIP_PORT}' if peers else ''}",
                *peers,
            ),
            ports={"http": _ALERTMANAGER_PORT, **({"gossip": _GOSSIP_PORT} if peers else {})},
            readiness=Probe(path="/-/ready"),
            liveness=Probe(path="/-/healthy"),
            mounts={
                "/alertmanager": Mount(volume="data", read_only=False),
                "/etc/alertmanager/config": Mount(volume="config"),
                "/etc/alertmanager/slack": Mount(volume="slack"),
                **({"/etc/alertmanager/incidents": Mount(volume="incidents")} if incidents else {}),
            },
        )
        gossip = (
            workload(ALERTMANAGER, _GOSSIP_PORT),
            Peer(pods=workload(ALERTMANAGER).pods, ports=(_GOSSIP_PORT,), protocol="UDP"),
        )
        return self._workloads.stateful_set(
            ALERTMANAGER,
            ALERTMANAGER,
            Pod(
                containers=(container,),
                volumes={
                    "config": FromConfigMap(name=configuration.name),
                    "slack": FromSecret(name=token.name),
                    **({"incidents": FromSecret(name=incidents.name)} if incidents else {}),
                },
                annotations={
                    "sophia-ai/slack-token": token.checksum,
                    **({"sophia-ai/incidents-token": incidents.checksum} if incidents else {}),
                },
            ),
            replicas=settings.replicas,
            claims={"data": Claim(size=settings.volume, storage_class=settings.storage_class)},
            service={"http": _ALERTMANAGER_PORT},
            allow=Allow(
                from_=self._through_api_server(_ALERTMANAGER_PORT),
                to=(
                    Peer(cidr="0.0.0.0/0", without=_PRIVATE, ports=(443,)),
                    *((workload(WEBHOOK, PORT),) if incidents else ()),
                    *(gossip if peers else ()),
                ),
            ),
            metrics=Metrics(port="http"),
            parallel=True,
            opts=self._opts,
        )

    def grafana(self, provisioning: Stored, pages: Stored, password: pulumi.Input[str]) -> Workload:
        """Grafana: pages over Prometheus. All that it shows comes from files, so that it needs no volume."""
        settings = self._settings.grafana
        admin = self._workloads.secret("grafana-admin", "grafana-admin", {"password": password}, opts=self._opts)
        container = Container(
            name=GRAFANA,
            image=settings.image,
            resources=settings.resources,
            environment={
                "GF_SECURITY_ADMIN_PASSWORD__FILE": "/etc/grafana/admin/password",
                "GF_AUTH_ANONYMOUS_ENABLED": "false",
                "GF_USERS_ALLOW_SIGN_UP": "false",
                "GF_ANALYTICS_REPORTING_ENABLED": "false",
                "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
                "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
                "GF_PLUGINS_PREINSTALL_DISABLED": "true",
                "GF_LOG_MODE": "console",
                "GF_METRICS_ENABLED": "true",
            },
            ports={"http": _GRAFANA_PORT},
            readiness=Probe(path="/api/health"),
            liveness=Probe(path="/api/health", delay_seconds=30, failure_threshold=6),
            mounts={
                "/var/lib/grafana": Mount(volume="data", read_only=False),
                "/tmp": Mount(volume="scratch", read_only=False),  # noqa: S108 - the pod's own, which nobody shares
                "/etc/grafana/admin": Mount(volume="admin"),
                "/etc/grafana/pages": Mount(volume="pages"),
                "/etc/grafana/provisioning/datasources": Mount(volume="datasources"),
                "/etc/grafana/provisioning/dashboards": Mount(volume="dashboards"),
            },
        )
        return self._workloads.deployment(
            GRAFANA,
            GRAFANA,
            Pod(
                containers=(container,),
                volumes={
                    "data": EmptyDir(size="512Mi"),
                    "scratch": EmptyDir(size="64Mi"),
                    "admin": FromSecret(name=admin.name),
                    "pages": FromConfigMap(name=pages.name),
                    "datasources": FromConfigMap(name=provisioning.name, items={"sources.yml": "sources.yml"}),
                    "dashboards": FromConfigMap(name=provisioning.name, items={"pages.yml": "pages.yml"}),
                },
                annotations={"sophia-ai/admin-password": admin.checksum},
                user=_GRAFANA_USER,
            ),
            service={"http": _GRAFANA_PORT},
            allow=Allow(to=(workload(SCRAPER, PROMETHEUS_PORT),)),
            metrics=Metrics(port="http"),
            opts=self._opts,
        )

    def prometheus(self, configuration: Stored, rules: Stored) -> Workload:
        """Prometheus: one replica with a volume. A new configuration restarts it; the minute meanwhile is not measured."""
        settings = self._settings.prometheus
        container = Container(
            name=SCRAPER,
            image=settings.image,
            resources=settings.resources,
            args=(
                "--config.file=/etc/prometheus/config/prometheus.yml",
                "--storage.tsdb.path=/prometheus",
                f"--storage.tsdb.retention.time={settings.retention_days}d",
                f"--storage.tsdb.retention.size={settings.retention_size}",
            ),
            ports={"http": PROMETHEUS_PORT},
            readiness=Probe(path="/-/ready"),
            liveness=Probe(path="/-/healthy", failure_threshold=6),
            # It reads its log of the last hours before it answers.
            startup=Probe(path="/-/ready", failure_threshold=60),
            mounts={
                "/prometheus": Mount(volume="data", read_only=False),
                "/etc/prometheus/config": Mount(volume="config"),
                "/etc/prometheus/rules": Mount(volume="rules"),
            },
        )
        kubelets = self._settings.cluster.nodes
        return self._workloads.stateful_set(
            SCRAPER,
            SCRAPER,
            Pod(
                containers=(container,),
                volumes={"config": FromConfigMap(name=configuration.name), "rules": FromConfigMap(name=rules.name)},
                cluster_token=bool(kubelets),
                termination_grace_seconds=120,
            ),
            replicas=1,
            claims={"data": Claim(size=settings.volume, storage_class=settings.storage_class)},
            service={"http": PROMETHEUS_PORT},
            allow=Allow(
                from_=self._through_api_server(PROMETHEUS_PORT),
                to=(
                    *_exporters((self._settings.ingress, self._settings.gpus)),
                    *(Peer(cidr=network, ports=(_KUBELET_PORT,)) for network in kubelets),
                    *(self._api_server() if kubelets else ()),
                ),
            ),
            metrics=Metrics(port="http"),
            opts=self._opts,
        )

    def _api_server(self) -> tuple[Peer, ...]:
        cluster = self._settings.cluster
        return tuple(Peer(cidr=network, ports=(cluster.api_server_port,)) for network in cluster.api_server)

    def _through_api_server(self, port: int) -> tuple[Peer, ...]:
        """Who is let in by the API server, which asks for ``services/proxy``: the health check, and who pushes figures."""
        return tuple(Peer(cidr=network, ports=(port,)) for network in self._settings.cluster.api_server)


def _exporters(exporters: Sequence[ExporterSettings | None]) -> Sequence[Peer]:
    return [Peer(namespace=one.namespace, pods=one.pods, ports=(one.port,)) for one in exporters if one is not None]


def provisioning() -> Mapping[str, object]:
    """Grafana's own files: where figures come from, and where its pages are."""
    source = {
        "name": "Prometheus",
        "uid": SCRAPER,
        "type": "prometheus",
        "access": "proxy",
        "url": f"http://{SCRAPER}:{PROMETHEUS_PORT}",
        "isDefault": True,
        "editable": False,
        "jsonData": {"httpMethod": "POST", "timeInterval": "30s"},
    }
    pages = {
        "name": "sophia-ai",
        "type": "file",
        "folder": "Sophia AI",
        "disableDeletion": True,
        "allowUiUpdates": False,
        "options": {"path": "/etc/grafana/pages"},
    }
    return {
        "sources.yml": {"apiVersion": 1, "datasources": [source]},
        "pages.yml": {"apiVersion": 1, "providers": [pages]},
    }

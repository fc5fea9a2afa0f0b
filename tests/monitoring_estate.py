"""A small namespace with monitoring, for the tests of its parts: what is made of it, and the files of its servers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import pulumi

from components.kubernetes.containers import Container, Pod, Probe
from components.kubernetes.declarations import Autoscaling, Claim, Metrics
from components.kubernetes.values import Resources
from components.kubernetes.workloads import Workloads
from components.monitoring import Monitoring
from components.monitoring.rules import Severity
from components.monitoring.settings import MonitoringSettings
from components.settings import Stage

NAMESPACE = "sophia-ai-dev"
DIGEST = "sha256:" + "1a" * 32
SMALL = {"cpu_request": "50m", "memory_request": "64Mi", "cpu_limit": "200m", "memory_limit": "128Mi"}


def image(name: str) -> str:
    return f"docker.io/{name}:v1.2.3@{DIGEST}"


SETTINGS: dict[str, Any] = {
    "namespace": NAMESPACE,
    "prometheus": {"image": image("prom/prometheus"), "resources": SMALL, "volume": "20Gi"},
    "alertmanager": {"image": image("prom/alertmanager"), "resources": SMALL, "volume": "1Gi"},
    "grafana": {"image": image("grafana/grafana"), "resources": SMALL},
    "pushgateway": {"image": image("prom/pushgateway"), "resources": SMALL, "volume": "1Gi"},
    "state_metrics": {"image": image("kube-state-metrics/kube-state-metrics"), "resources": SMALL},
    "teams": {
        "platform": {"critical": "alerts", "warning": "alerts", "ticket": "deployments"},
        "agents": {"critical": "agents", "warning": "agents", "ticket": "agents"},
    },
    "owner": "platform",
    "owners": {"mcp-slack": "agents"},
    "slack_token": {"output": "slack.token"},
    "runbooks": "https://github.com/pay-ready/sophia-ai/blob/main/docs/monitoring.md",
    "ingress": {
        "address": "ingress-nginx-controller-metrics.ingress-nginx.svc:10254",
        "namespace": "ingress-nginx",
        "pods": {"app.kubernetes.io/name": "ingress-nginx"},
    },
    "gpus": {"address": "dcgm-exporter.gpu-operator.svc:9400", "namespace": "gpu-operator"},
    "cluster": {"api_server": ["10.0.0.10/32"], "nodes": ["10.0.0.0/16"]},
}

OUTPUTS: Mapping[str, pulumi.Input[str]] = {
    "slack.channels.alerts": "C0ALERTS",
    "slack.channels.deployments": "C0DEPLOY",
    "slack.channels.agents": "C0AGENTS",
    "slack.token": "xoxb-hunter2",
}

PLATFORMS = ("pulumi", "slack", "snowflake")


def program(
    stage: Stage = Stage.DEV, *, carried: Collection[Severity] = (), **changes: Any
) -> Callable[[], Monitoring]:
    """A program with a workload of each kind, one of them scaled, NATS with a disk, and n8n; and monitoring of all that."""
    settings = MonitoringSettings.model_validate({**SETTINGS, **changes})

    def run() -> Monitoring:
        namespace = pulumi.Output.from_input(NAMESPACE)
        workloads = Workloads(namespace, quota=None, ingress_namespace=None, opts=pulumi.ResourceOptions())
        _deploy(workloads, "mcp-slack", {"http": 9001}, autoscaling=Autoscaling(min=2, max=6, cpu_percent=70))
        workloads.stateful_set(
            "nats",
            "nats",
            _pod("nats", {"client": 4222, "metrics": 7777}),
            replicas=3,
            claims={"data": Claim(size="10Gi")},
            metrics=Metrics(),
        )
        workloads.daemon_set("agent", "agent", _pod("agent", {"http": 9100}))
        workloads.job("streams", "streams", _pod("streams", {}))
        _deploy(workloads, "n8n", {"http": 5678}, metrics=Metrics(port="http"))
        return Monitoring(
            "monitoring",
            settings,
            stage=stage,
            workloads=workloads,
            platforms=PLATFORMS,
            outputs=OUTPUTS,
            carried=carried,
            incidents_token=pulumi.Output.secret("shown-to-n8n") if carried else None,
        )

    return run


def _deploy(workloads: Workloads, name: str, ports: Mapping[str, int], **more: Any) -> None:
    workloads.deployment(name, name, _pod(name, ports), **more)


def _pod(name: str, ports: Mapping[str, int]) -> Pod:
    probe = Probe(port=next(iter(ports))) if ports else None
    resources = Resources.model_validate(SMALL)
    container = Container(
        name=name, image=image(name), resources=resources, ports=ports, readiness=probe, liveness=probe
    )
    return Pod(containers=(container,))

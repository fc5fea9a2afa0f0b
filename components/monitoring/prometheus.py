"""Prometheus' configuration: whom it asks for figures, whom it tells of alerts.

Targets are found by name service, not by the cluster's API: each workload with figures has a headless service whose
addresses are those of its pods. So Prometheus needs no rights in the cluster, unless it is to ask the kubelets as well: they
let in only who may read ``nodes/metrics``.

Source of facts: Prometheus 3, "Configuration"; kubernetes.io, "Metrics for Kubernetes system components".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from components.monitoring.workload_rules import STATE_METRICS

PUSHGATEWAY = "pushgateway"

_TELL_OF_OTHERS = frozenset({STATE_METRICS, PUSHGATEWAY})
"""Their figures are about other things than themselves, whose labels stay as they are told."""

_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a path

_KUBELET_FIGURES = (
    "container_cpu_cfs_(throttled_)?periods_total|container_cpu_usage_seconds_total|container_memory_working_set_bytes"
    "|kubelet_volume_stats_(available|capacity)_bytes"
)

SAMPLE_LIMIT = 50_000
"""What one target may tell in one scrape: ten times what the largest of the estate does."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One kind of target: the pods behind a headless ``service`` of the namespace, or an ``address`` (host:port)."""

    name: str
    service: str = ""
    port: int = 0
    path: str = "/metrics"
    address: str = ""


def configuration(
    jobs: Iterable[Job], alertmanagers: Job, namespace: str, stack: str, *, kubelet: bool
) -> dict[str, Any]:
    """The whole file; rules are in a directory of their own."""
    return {
        "global": {
            "scrape_interval": "30s",
            "scrape_timeout": "10s",
            "evaluation_interval": "30s",
            "external_labels": {"stack": stack},
        },
        "rule_files": ["/etc/prometheus/rules/*.yml"],
        "alerting": {
            "alertmanagers": [
                {"dns_sd_configs": [_names(alertmanagers.service, namespace, alertmanagers.port)]},
            ]
        },
        "scrape_configs": [
            *(_scrape(job, namespace) for job in jobs),
            *(_kubelets(namespace) if kubelet else ()),
        ],
    }


def _names(service: str, namespace: str, port: int) -> Mapping[str, Any]:
    return {
        "names": [f"{service}.{namespace}.svc.cluster.local"],
        "type": "A",
        "port": port,
        "refresh_interval": "15s",
    }


def _scrape(job: Job, namespace: str) -> dict[str, Any]:
    scrape: dict[str, Any] = {"job_name": job.name, "metrics_path": job.path, "sample_limit": SAMPLE_LIMIT}
    if job.address:
        # An exporter outside the namespace: its labels say of which namespace a figure is.
        return {**scrape, "honor_labels": True, "static_configs": [{"targets": [job.address]}]}
    found = {"dns_sd_configs": [_names(job.service, namespace, job.port)]}
    if job.name in _TELL_OF_OTHERS:
        return {**scrape, "honor_labels": True, **found}
    return {**scrape, **found, "relabel_configs": [{"target_label": "workload", "replacement": job.name}]}


def _kubelets(namespace: str) -> list[dict[str, Any]]:
    """Of all that kubelets tell, what is of this namespace and used by a rule or a dashboard."""
    keep = [
        {"source_labels": ["namespace"], "regex": namespace, "action": "keep"},
        {"source_labels": ["__name__"], "regex": _KUBELET_FIGURES, "action": "keep"},
    ]
    common: dict[str, Any] = {
        "scheme": "https",
        "honor_labels": True,
        "authorization": {"type": "Bearer", "credentials_file": f"{_TOKEN}/token"},
        # Kubelets show certificates that they made themselves, unless the cluster signs them: their network is trusted.
        "tls_config": {"insecure_skip_verify": True},
        "kubernetes_sd_configs": [{"role": "node"}],
        "metric_relabel_configs": keep,
    }
    return [
        {"job_name": "kubelet", "metrics_path": "/metrics", **common},
        {"job_name": "cadvisor", "metrics_path": "/metrics/cadvisor", **common},
    ]

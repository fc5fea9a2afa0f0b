"""Grafana's dashboards as code: panels over the recorded figures and those of the exporters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from components.monitoring.objective_rules import BURNS, Objective
from components.monitoring.rules import select

SOURCE = "prometheus"
"""The uid of the data source."""

_COLUMNS = 24
_HEIGHT = 8


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One picture. ``queries`` are PromQL by legend; ``limit`` is drawn red from there on."""

    title: str
    queries: Mapping[str, str]
    unit: str = "short"
    kind: Literal["timeseries", "stat", "table"] = "timeseries"
    width: int = 12
    limit: float | None = None
    low_is_bad: bool = False


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    uid: str
    title: str
    panels: tuple[Panel, ...]


def dashboards(
    namespace: str, stack: str, objectives: Sequence[Objective], *, gpus: bool, nats: str | None, n8n: str | None
) -> Iterator[Dashboard]:
    """Those of the stack; ``nats`` and ``n8n`` are the scrape jobs of the two, where they run."""
    if objectives:
        yield Dashboard(uid="service-levels", title="Service levels", panels=tuple(_levels(namespace, objectives)))
    yield Dashboard(uid="workloads", title="Workloads", panels=tuple(_workloads(namespace)))
    yield Dashboard(uid="platforms", title="Platforms", panels=tuple(_platforms(stack)))
    if gpus:
        yield Dashboard(uid="gpus", title="GPUs", panels=tuple(_gpus()))
    if nats:
        yield Dashboard(uid="nats", title="NATS", panels=tuple(_nats(nats)))
    if n8n:
        yield Dashboard(uid="n8n", title="n8n", panels=tuple(_n8n(n8n)))


def document(dashboard: Dashboard) -> dict[str, Any]:
    """A dashboard as Grafana reads it from a file."""
    panels, left, top = [], 0, 0
    for number, panel in enumerate(dashboard.panels, 1):
        if left + panel.width > _COLUMNS:
            left, top = 0, top + _HEIGHT
        panels.append({**_panel(panel, number), "gridPos": {"x": left, "y": top, "w": panel.width, "h": _HEIGHT}})
        left += panel.width
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "tags": ["sophia-ai"],
        "editable": False,
        "schemaVersion": 41,
        "refresh": "1m",
        "time": {"from": "now-6h", "to": "now"},
        "panels": panels,
    }


def _panel(panel: Panel, number: int) -> dict[str, Any]:
    source = {"type": "prometheus", "uid": SOURCE}
    once = panel.kind != "timeseries"
    colors = ("red", "green") if panel.low_is_bad else ("green", "red")
    steps: list[dict[str, Any]] = [{"color": colors[0] if panel.limit is not None else "green", "value": None}]
    if panel.limit is not None:
        steps.append({"color": colors[1], "value": panel.limit})
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "datasource": source,
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": source,
                "expr": query,
                "legendFormat": legend,
                "instant": once,
                "range": not once,
                **({"format": "table"} if panel.kind == "table" else {}),
            }
            for index, (legend, query) in enumerate(panel.queries.items())
        ],
        "fieldConfig": {
            "defaults": {"unit": panel.unit, "thresholds": {"mode": "absolute", "steps": steps}},
            "overrides": [],
        },
    }


def _levels(namespace: str, objectives: Sequence[Objective]) -> Iterator[Panel]:
    for one in objectives:
        yield Panel(
            title=f"Error budget left: {one.title}",
            queries={"left": one.left},
            unit="percentunit",
            kind="stat",
            width=6,
            limit=0.1,
            low_is_bad=True,
        )
    for one in objectives:
        yield Panel(
            title=f"Burning: {one.title}",
            queries={f"over {burn.long}": f"{one.ratio(burn.long)} / {one.budget:g}" for burn in BURNS},
            limit=1,
        )
    requests = select("nginx_ingress_controller_requests", namespace=namespace)
    failed = select("nginx_ingress_controller_requests", namespace=namespace, status="~5..")
    yield Panel(title="Requests", queries={"{{service}}": f"sum by (service) (rate({requests}[5m]))"}, unit="reqps")
    yield Panel(
        title="Requests that failed", queries={"{{service}}": f"sum by (service) (rate({failed}[5m]))"}, unit="reqps"
    )
    yield Panel(
        title="Latency, 95th percentile",
        queries={
            "all": "sophia:request_duration_seconds:percentile5m",
            "{{service}}": "sophia:service_request_duration_seconds:percentile5m",
        },
        unit="s",
    )


def _workloads(namespace: str) -> Iterator[Panel]:
    here = {"namespace": namespace}
    working = select("kube_deployment_status_replicas_available", **here)
    wanted = select("kube_deployment_spec_replicas", **here)
    yield Panel(title="Deployments that lack replicas", queries={"{{deployment}}": f"{wanted} - {working} > 0"})
    yield Panel(
        title="Restarts in an hour",
        queries={
            "{{pod}} {{container}}": f"increase({select('kube_pod_container_status_restarts_total', **here)}[1h]) > 0"
        },
    )
    cpu = select("container_cpu_usage_seconds_total", container="~.+", **here)
    memory = select("container_memory_working_set_bytes", container="~.+", **here)
    held = select("container_cpu_cfs_throttled_periods_total", **here)
    periods = select("container_cpu_cfs_periods_total", **here)
    yield Panel(title="Processors", queries={"{{pod}}": f"sum by (pod) (rate({cpu}[5m]))"})
    yield Panel(title="Memory", queries={"{{pod}}": f"sum by (pod) ({memory})"}, unit="bytes")
    yield Panel(
        title="Waiting for the processor",
        queries={"{{pod}}": f"sum by (pod) (rate({held}[5m])) / sum by (pod) (rate({periods}[5m]))"},
        unit="percentunit",
    )
    free = select("kubelet_volume_stats_available_bytes", **here)
    size = select("kubelet_volume_stats_capacity_bytes", **here)
    yield Panel(
        title="Volumes: used",
        queries={"{{persistentvolumeclaim}}": f"1 - {free} / {size}"},
        unit="percentunit",
        limit=0.9,
    )
    used = select("kube_resourcequota", type="used", **here)
    hard = select("kube_resourcequota", type="hard", **here)
    yield Panel(
        title="Quota: used",
        queries={"{{resource}}": f"{used} / ignoring(type) ({hard} > 0)"},
        unit="percentunit",
        limit=0.9,
    )
    yield Panel(title="Targets that do not answer", queries={"{{job}} {{instance}}": "up == 0"})


def _platforms(stack: str) -> Iterator[Panel]:
    here = {"stack": stack}
    yield Panel(
        title="Platforms",
        queries={"{{platform}}": select("sophia_platform_up", **here)},
        kind="stat",
        width=24,
        limit=1,
        low_is_bad=True,
    )
    yield Panel(
        title="Slowest answer", queries={"{{platform}}": select("sophia_platform_latency_seconds", **here)}, unit="s"
    )
    left = select("sophia_platform_quota_left", **here)
    limit = select("sophia_platform_quota_limit", **here)
    yield Panel(title="Quota left", queries={"{{platform}}: {{quota}}": f"{left} / ({limit} > 0)"}, unit="percentunit")
    yield Panel(
        title="Days until a credential expires",
        queries={"{{credential}}": _days_until("sophia_credential_expiry_timestamp_seconds", stack)},
        kind="table",
    )
    yield Panel(
        title="Days until a credential is due",
        queries={"{{credential}}": _days_until("sophia_credential_due_timestamp_seconds", stack)},
        kind="table",
    )
    yield Panel(
        title="Since the last look",
        queries={"ago": f"time() - {select('sophia_health_checked_timestamp_seconds', **here)}"},
        unit="s",
        kind="stat",
        width=6,
        limit=8 * 3600,
    )


def _days_until(metric: str, stack: str) -> str:
    return f"sort(({select(metric, stack=stack)} - time()) / 86400)"


def _gpus() -> Iterator[Panel]:
    yield Panel(
        title="Use",
        queries={"all": "sophia:gpu_use:ratio", "{{Hostname}} {{gpu}}": "DCGM_FI_DEV_GPU_UTIL / 100"},
        unit="percentunit",
    )
    yield Panel(
        title="Memory used",
        queries={"{{Hostname}} {{gpu}}": "DCGM_FI_DEV_FB_USED / (DCGM_FI_DEV_FB_USED + DCGM_FI_DEV_FB_FREE)"},
        unit="percentunit",
        limit=0.95,
    )
    yield Panel(title="Errors (XID)", queries={"{{Hostname}} {{gpu}}": "DCGM_FI_DEV_XID_ERRORS > 0"})


def _nats(job: str) -> Iterator[Panel]:
    pending = select("jetstream_consumer_num_pending", job=job, is_consumer_leader="true")
    again = select("jetstream_consumer_num_redelivered", job=job, is_consumer_leader="true")
    messages = select("jetstream_stream_total_messages", job=job, is_stream_leader="true")
    stored = select("jetstream_server_total_message_bytes", job=job)
    room = select("jetstream_server_max_storage", job=job)
    yield Panel(title="Messages that wait", queries={"{{stream_name}} {{consumer_name}}": pending})
    yield Panel(title="Messages delivered again", queries={"{{stream_name}} {{consumer_name}}": again})
    yield Panel(title="Messages in streams", queries={"{{stream_name}}": messages})
    yield Panel(
        title="Storage: used", queries={"{{server_name}}": f"{stored} / ({room} > 0)"}, unit="percentunit", limit=0.8
    )
    yield Panel(title="Connections", queries={"{{instance}}": select("gnatsd_varz_connections", job=job)})


def _n8n(job: str) -> Iterator[Panel]:
    yield Panel(
        title="Executions that wait", queries={"waiting": select("n8n_scaling_mode_queue_jobs_waiting", job=job)}
    )
    yield Panel(title="Executions at work", queries={"active": select("n8n_scaling_mode_queue_jobs_active", job=job)})
    for state in ("completed", "failed"):
        counted = select(f"n8n_scaling_mode_queue_jobs_{state}", job=job)
        yield Panel(title=f"Executions {state} in an hour", queries={state: f"increase({counted}[1h])"})

"""Rules for whatever runs in the namespace: one set for each workload, made from the list of workloads.

Each workload has rules of its own, instead of one rule for all, so that one that has vanished altogether is missed too.
Source of facts: the metrics that kube-state-metrics 2.x documents for each kind, and those of the kubelet and its cAdvisor.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from components.monitoring.rules import Alert, Group, select

Kind = Literal["Deployment", "StatefulSet", "DaemonSet", "Job"]

STATE_METRICS = "kube-state-metrics"
"""The job, and the workload, that tells what the API server knows."""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A workload as monitoring sees it."""

    name: str
    kind: Kind
    team: str
    metrics_port: int | None = None
    autoscaled: bool = False
    claims: tuple[str, ...] = ()
    """The names of its volume claim templates."""

    @property
    def pods(self) -> str:
        """A regular expression for the names of its pods, as the controller of its kind makes them."""
        suffix = {
            "Deployment": "-[a-z0-9]+-[a-z0-9]{5}",
            "StatefulSet": "-[0-9]+",
            "DaemonSet": "-[a-z0-9]{5}",
            "Job": "(-[a-z0-9]+)?-[a-z0-9]{5}",
        }
        return f"{self.name}{suffix[self.kind]}"


_FIGURES: dict[Kind, tuple[str, str, str]] = {
    "Deployment": ("deployment", "kube_deployment_status_replicas_available", "kube_deployment_spec_replicas"),
    "StatefulSet": ("statefulset", "kube_statefulset_status_replicas_ready", "kube_statefulset_replicas"),
    "DaemonSet": (
        "daemonset",
        "kube_daemonset_status_number_available",
        "kube_daemonset_status_desired_number_scheduled",
    ),
}
"""By kind: the label with the name, what works, what should."""


def workload_groups(workloads: list[Watched], namespace: str, *, kubelet: bool) -> list[Group]:
    """A group for each workload; rules about processor time and volumes need the kubelets' figures (``kubelet``)."""
    return [
        Group(name=f"workload.{one.name}", rules=tuple(_rules(one, namespace, kubelet=kubelet))) for one in workloads
    ]


def quota_group(namespace: str, team: str) -> Group:
    """The namespace's quota: where it is used up, the next pod is refused, and nobody sees it but here."""
    used = select("kube_resourcequota", namespace=namespace, type="used")
    hard = select("kube_resourcequota", namespace=namespace, type="hard")
    return Group(
        name="namespace",
        interval="1m",
        rules=(
            Alert(
                name="QuotaNearlyUsed",
                expr=f"{used} / ignoring(type) ({hard} > 0) > 0.9",
                after="30m",
                severity="ticket",
                team=team,
                summary="{{ $labels.resource }}: {{ $value | humanizePercentage }} of the namespace's quota is used",
                do="Raise sophia-ai:kubernetes.quota in the stack file, or ask for less in what runs there. At 100 % the "
                "API server refuses new pods, and a rolling update stands still.",
            ),
        ),
    )


def _rules(one: Watched, namespace: str, *, kubelet: bool) -> Iterator[Alert]:
    if one.kind == "Job":
        yield _failed(one, namespace)
    else:
        yield from _replicas(one, namespace)
    yield from _restarts(one, namespace)
    if one.autoscaled:
        yield _at_maximum(one, namespace)
    if one.metrics_port is not None:
        yield _silent(one)
    if kubelet:
        yield _throttled(one, namespace)
        yield from (_fills(one, claim, namespace) for claim in one.claims)


def _labels(one: Watched) -> dict[str, str]:
    return {"workload": one.name}


def _replicas(one: Watched, namespace: str) -> Iterator[Alert]:
    label, working, wanted = _FIGURES[one.kind]
    has = select(working, namespace=namespace, **{label: one.name})
    wants = select(wanted, namespace=namespace, **{label: one.name})
    teller = select("up", job=STATE_METRICS)
    yield Alert(
        name="WorkloadDown",
        # Without kube-state-metrics nothing is known of anything: that is an alert of its own.
        expr=f"({has} == 0 and {wants} > 0) or (absent({has}) and on() {teller} == 1)",
        after="2m",
        severity="critical",
        team=one.team,
        labels=_labels(one),
        summary=f"{one.name}: no replica works",
        do=f"kubectl -n {namespace} describe {one.kind.lower()} {one.name}, then the events and logs of its pods. If it "
        "began with a deployment (`sophia history STACK`): `sophia rollback STACK`.",
    )
    yield Alert(
        name="WorkloadNotReady",
        expr=f"{has} < {wants}",
        after="15m",
        severity="warning",
        team=one.team,
        labels=_labels(one),
        summary=f"{one.name}: fewer replicas work than should",
        do=f"kubectl -n {namespace} get pods -l app.kubernetes.io/name={one.name}: one that is Pending lacks room (nodes, "
        "quota, GPU), one that is not Ready tells why in its events.",
    )


def _failed(one: Watched, namespace: str) -> Alert:
    failed = select("kube_job_status_failed", namespace=namespace, job_name=f"~{one.name}(-[a-z0-9]+)?")
    return Alert(
        name="JobFailed",
        expr=f"{failed} > 0",
        severity="warning",
        team=one.team,
        labels=_labels(one),
        summary=f"{one.name}: the job failed",
        do=f"kubectl -n {namespace} logs -l app.kubernetes.io/name={one.name} says why; the next `sophia up STACK` that "
        "changes what it applies runs it again.",
    )


def _restarts(one: Watched, namespace: str) -> Iterator[Alert]:
    restarts = select("kube_pod_container_status_restarts_total", namespace=namespace, pod=f"~{one.pods}")
    killed = select(
        "kube_pod_container_status_last_terminated_reason",
        namespace=namespace,
        pod=f"~{one.pods}",
        reason="OOMKilled",
    )
    yield Alert(
        name="WorkloadRestarts",
        expr=f"increase({restarts}[30m]) > 3",
        severity="warning",
        team=one.team,
        labels=_labels(one),
        summary=f"{one.name}: {{{{ $labels.container }}}} of {{{{ $labels.pod }}}} restarts again and again",
        do=f"kubectl -n {namespace} logs --previous POD -c CONTAINER shows its last words; a liveness probe that is too "
        "impatient shows in the pod's events.",
    )
    yield Alert(
        name="WorkloadOutOfMemory",
        expr=f"increase({restarts}[15m]) > 0 and on(namespace, pod, container) {killed} == 1",
        severity="warning",
        team=one.team,
        labels=_labels(one),
        summary=f"{one.name}: {{{{ $labels.container }}}} of {{{{ $labels.pod }}}} was killed for its memory",
        do="Raise memory_limit (and memory_request) of this workload in the stack file, or find the leak: the dashboard "
        "Workloads shows its memory before it died.",
    )


def _at_maximum(one: Watched, namespace: str) -> Alert:
    here = {"namespace": namespace, "horizontalpodautoscaler": one.name}
    now = select("kube_horizontalpodautoscaler_status_current_replicas", **here)
    most = select("kube_horizontalpodautoscaler_spec_max_replicas", **here)
    return Alert(
        name="WorkloadAtMaximum",
        expr=f"{now} >= {most}",
        after="30m",
        severity="warning",
        team=one.team,
        labels=_labels(one),
        summary=f"{one.name}: has been scaled to its maximum of {{{{ $value }}}} for half an hour",
        do="More load finds no more replicas. Raise the maximum in the stack file if the quota has room, or find out who "
        "calls it so much.",
    )


def _silent(one: Watched) -> Alert:
    up = select("up", job=one.name)
    return Alert(
        name="MetricsMissing",
        expr=f"{up} == 0 or absent({up})",
        after="10m",
        severity="ticket" if one.name != STATE_METRICS else "critical",
        team=one.team,
        labels=_labels(one),
        summary=f"{one.name}: Prometheus gets no figures from it",
        do="Prometheus, Status, Target health says what it hears there. If the workload itself is well: does its metrics "
        "port answer, and does its network policy let Prometheus in?",
    )


def _throttled(one: Watched, namespace: str) -> Alert:
    here = {"namespace": namespace, "pod": f"~{one.pods}"}
    held = select("container_cpu_cfs_throttled_periods_total", **here)
    all_ = select("container_cpu_cfs_periods_total", **here)
    by = "sum by (namespace, pod, container)"
    return Alert(
        name="WorkloadThrottled",
        expr=f"{by} (rate({held}[10m])) / {by} (rate({all_}[10m])) > 0.25",
        after="30m",
        severity="ticket",
        team=one.team,
        labels=_labels(one),
        summary=f"{one.name}: {{{{ $labels.container }}}} waits for its processor {{{{ $value | humanizePercentage }}}} of "
        "the time",
        do="Raise cpu_limit of this workload in the stack file: it is slow because it may not run, not because it is busy.",
    )


def _fills(one: Watched, claim: str, namespace: str) -> Alert:
    here = {"namespace": namespace, "persistentvolumeclaim": f"~{claim}-{one.name}-[0-9]+"}
    free = select("kubelet_volume_stats_available_bytes", **here)
    size = select("kubelet_volume_stats_capacity_bytes", **here)
    return Alert(
        name="VolumeFills",
        expr=f"{free} / {size} < 0.1 or ({free} / {size} < 0.3 and predict_linear({free}[6h], 4 * 24 * 3600) < 0)",
        after="30m",
        severity="critical",
        team=one.team,
        labels={**_labels(one), "claim": claim},
        summary="{{ $labels.persistentvolumeclaim }}: the volume is nearly full, or will be within four days",
        do="Delete what is not needed, or enlarge it: kubectl edit pvc (its storage class must allow expansion), then the "
        "size in the stack file.",
    )

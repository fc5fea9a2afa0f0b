"""The mechanism of all workloads: what is declared in a few lines becomes the objects that a careful person would write.

Whoever calls it says what runs (``Pod``), how often, and who may talk to it (``Allow``). Everything else follows: the
labels, a service account of its own, a network policy, a disruption budget, rolling updates, spreading over nodes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import pulumi

from components.kubernetes import demand as demands
from components.kubernetes import network
from components.kubernetes.containers import Pod, pod_spec
from components.kubernetes.declarations import Autoscaling, Claim, Metrics, Rollout, Route, Stored, Workload
from components.kubernetes.demand import Quota
from components.kubernetes.network import Allow, Peer
from components.kubernetes.objects import Objects
from components.kubernetes.plans import Plan, containers_of, refuse_unwatched
from components.settings import SettingsError, where

if TYPE_CHECKING:
    from pulumi_kubernetes.core import v1 as core
    from pulumi_kubernetes.meta import v1 as meta

__all__ = ["Allow", "Autoscaling", "Claim", "Metrics", "Peer", "Rollout", "Route", "Stored", "Workload", "Workloads"]

SCRAPER: Final = "prometheus"
"""The workload that reads the metrics of all others, and which every network policy with metrics lets in."""

_REVISIONS: Final = 5
_PROGRESS_SECONDS: Final = 600


class Workloads:
    """Makes workloads in one namespace. ``all`` lists them in the order in which they were made, ``routes`` the paths
    that they want of the ingress.

    Every method takes a logical name (``key``), the object's ``name`` and ``opts``, whose parent is the component that
    made this unless they say otherwise. Raises SettingsError when the workloads no longer fit the namespace's quota, and
    ValueError for what no pod may be: without probes, as root, on the node's own directories.
    """

    def __init__(
        self,
        namespace: pulumi.Output[str],
        *,
        quota: Quota | None,
        ingress_namespace: str | None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """``quota``: what all pods have to fit in. ``ingress_namespace``: where the ingress controller runs."""
        self.namespace = namespace
        self.all: list[Workload] = []
        self.routes: list[tuple[Route, Workload]] = []
        self._quota = quota
        self._ingress_namespace = ingress_namespace
        self._objects = Objects(namespace, opts)

    def deployment(
        self,
        key: str,
        name: str,
        pod: Pod,
        *,
        replicas: int = 1,
        autoscaling: Autoscaling | None = None,
        service: Mapping[str, int] | None = None,
        allow: Allow | None = None,
        disruption: int | None = 1,
        metrics: Metrics | None = None,
        routes: tuple[Route, ...] = (),
        rollout: Rollout | None = None,
        labels: Mapping[str, str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> Workload:
        """Interchangeable replicas. ``service`` are its ports by name, each the port of that name of the pod;
        ``disruption`` is how many may be missing at a time when a node is emptied.

        Where GPUs are asked for, an old pod goes before its successor comes: there is no spare GPU to wait on.
        """
        how = rollout or (Rollout(surge=0, unavailable=1) if pod.gpus else Rollout())
        lowest, highest = (autoscaling.min, autoscaling.max) if autoscaling else (replicas, replicas)
        plan = Plan(key, name, "Deployment", pod, lowest, highest, service or {}, metrics, labels or {})
        made = self._prepare(plan, allow, routes, opts, surge=how.surge)
        spec: dict[str, object] = {
            "selector": {"match_labels": plan.selector},
            "revision_history_limit": _REVISIONS,
            "progress_deadline_seconds": _PROGRESS_SECONDS,
            "strategy": {
                "type": "RollingUpdate",
                "rolling_update": {"max_surge": how.surge, "max_unavailable": how.unavailable},
            },
            "template": self._template(plan, made),
        }
        if autoscaling is None:
            # where the autoscaler sets it, a figure here would set it back in every deployment
            spec["replicas"] = replicas
        self._objects.make("apps/v1:Deployment", key, name, {"spec": spec}, made.opts)
        if autoscaling is not None:
            self._objects.autoscaler(key, name, autoscaling.min, autoscaling.max, autoscaling.cpu_percent, made.opts)
        return self._finish(plan, made, disruption, routes)

    def stateful_set(
        self,
        key: str,
        name: str,
        pod: Pod,
        *,
        replicas: int,
        claims: Mapping[str, Claim],
        service: Mapping[str, int] | None = None,
        allow: Allow | None = None,
        disruption: int | None = 1,
        metrics: Metrics | None = None,
        routes: tuple[Route, ...] = (),
        parallel: bool = False,
        keep_claims: bool = True,
        labels: Mapping[str, str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> Workload:
        """Replicas with names and disks of their own, each found under ``<name>-<number>.<headless_host>``, which
        answers for pods that are not ready yet, as clusters that are forming need.

        ``claims`` are volumes by the name that containers mount; the disks stay when the set is deleted or shrinks,
        unless ``keep_claims`` is false. ``parallel`` starts all replicas at once.
        """
        plan = Plan(key, name, "StatefulSet", pod, replicas, replicas, service or {}, metrics, labels or {}, claims)
        made = self._prepare(plan, allow, routes, opts, surge=0)
        headless = f"{name}-headless"
        self._objects.service(f"{key}.headless", headless, plan.selector, plan.pod.ports, made.opts, headless=True)
        kept = "Retain" if keep_claims else "Delete"
        spec: dict[str, object] = {
            "selector": {"match_labels": plan.selector},
            "service_name": headless,
            "replicas": replicas,
            "revision_history_limit": _REVISIONS,
            "pod_management_policy": "Parallel" if parallel else "OrderedReady",
            "update_strategy": {"type": "RollingUpdate"},
            "persistent_volume_claim_retention_policy": {"when_deleted": kept, "when_scaled": kept},
            "volume_claim_templates": [_claim(volume, claim) for volume, claim in claims.items()],
            "template": self._template(plan, made),
        }
        self._objects.make("apps/v1:StatefulSet", key, name, {"spec": spec}, made.opts)
        finished = self._finish(plan, made, disruption, routes)
        with_host = replace(finished, headless_host=self._host(headless))
        self.all[-1] = with_host
        return with_host

    def daemon_set(
        self,
        key: str,
        name: str,
        pod: Pod,
        *,
        allow: Allow | None = None,
        metrics: Metrics | None = None,
        labels: Mapping[str, str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> Workload:
        """One pod on each node that the pod's selector and tolerations allow. It is not counted into the quota."""
        plan = Plan(key, name, "DaemonSet", pod, 0, 0, {}, metrics, labels or {})
        made = self._prepare(plan, allow, (), opts, surge=0)
        spec: dict[str, object] = {
            "selector": {"match_labels": plan.selector},
            "revision_history_limit": _REVISIONS,
            "update_strategy": {"type": "RollingUpdate", "rolling_update": {"max_unavailable": 1}},
            "template": self._template(plan, made),
        }
        self._objects.make("apps/v1:DaemonSet", key, name, {"spec": spec}, made.opts)
        return self._finish(plan, made, None, ())

    def job(
        self,
        key: str,
        name: str,
        pod: Pod,
        *,
        retries: int = 4,
        deadline_seconds: int = 600,
        allow: Allow | None = None,
        labels: Mapping[str, str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> Workload:
        """A pod that runs to its end, once for each change of what it is: what changes in it replaces the job.

        A finished job stays until it is replaced, because one that cleaned up after itself would be made again.
        """
        plan = Plan(key, name, "Job", pod, 1, 1, {}, None, labels or {})
        made = self._prepare(plan, allow, (), opts, surge=0)
        spec: dict[str, object] = {
            "backoff_limit": retries,
            "active_deadline_seconds": deadline_seconds,
            "template": self._template(plan, made, restart_policy="Never"),
        }
        unique = pulumi.ResourceOptions.merge(
            made.opts, pulumi.ResourceOptions(delete_before_replace=True, replace_on_changes=["spec"])
        )
        self._objects.make("batch/v1:Job", key, name, {"spec": spec}, unique)
        return self._finish(plan, made, None, ())

    def config_map(
        self,
        key: str,
        name: str,
        data: Mapping[str, pulumi.Input[str]],
        *,
        opts: pulumi.ResourceOptions | None = None,
    ) -> Stored:
        """Files or settings that are no secret, as an immutable ConfigMap whose name ends with its checksum.

        New contents are a new object, and the old one goes when nothing reads it any more: a pod never sees half of a
        change, and rolling back finds what it needs.
        """
        checksum = pulumi.Output.all(**data).apply(_checksum)
        whole = pulumi.Output.concat(name, "-", checksum)
        return Stored(self._objects.config_map(key, whole, data, opts), checksum)

    def secret(
        self,
        key: str,
        name: str,
        data: Mapping[str, pulumi.Input[str]],
        *,
        opts: pulumi.ResourceOptions | None = None,
    ) -> Stored:
        """A Secret. Its ``checksum`` is the object's uid: it is new whenever the contents are, and tells nothing of them.

        With PULUMI_K8S_ENABLE_SECRET_MUTABLE a change is made in place, and pods have to be restarted by hand.
        """
        return Stored(*self._objects.secret(key, name, data, opts))

    def role(
        self,
        key: str,
        name: str,
        rules: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...],
        *,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """What the service account of the workload ``name`` may do in the namespace: (API group, resources, verbs)."""
        self._objects.role(key, name, rules, opts)

    def _prepare(
        self,
        plan: Plan,
        allow: Allow | None,
        routes: tuple[Route, ...],
        opts: pulumi.ResourceOptions | None,
        surge: int,
    ) -> _Made:
        """What has to be there before the pods: their place in the quota, their account, their connections."""
        refuse_unwatched(plan)
        self._refuse_unrouted(plan, routes)
        self._refuse_what_does_not_fit(plan, surge)
        options = self._objects.options(opts)
        account = plan.pod.service_account
        if account is None:
            account = self._objects.service_account(f"{plan.key}.account", plan.name, options)
        connections = self._connections(plan, allow or Allow(), routes)
        policies = [
            self._objects.network_policy(f"{plan.key}.{suffix}", name, spec, options)
            for suffix, name, spec in network.policies(plan.name, tuple(plan.pod.ports.values()), connections)
        ]
        after = pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(depends_on=policies))
        return _Made(account, after)

    def _connections(self, plan: Plan, allow: Allow, routes: tuple[Route, ...]) -> Allow:
        """What is declared, and what follows from being routed to and from having metrics."""
        callers = list(allow.from_)
        if routes:
            ports = sorted({plan.pod.ports[route.port] for route in routes})
            callers.append(Peer(namespace=self._ingress_namespace, ports=tuple(ports)))
        if plan.metrics and plan.name != SCRAPER:
            callers.append(network.workload(SCRAPER, plan.pod.ports[plan.metrics.port]))
        return Allow(from_=tuple(callers), to=allow.to)

    def _finish(self, plan: Plan, made: _Made, disruption: int | None, routes: tuple[Route, ...]) -> Workload:
        if disruption is not None and plan.max_replicas > 1:
            self._objects.disruption_budget(plan.key, plan.name, plan.selector, disruption, made.opts)
        service_name = pulumi.Output.from_input(plan.name)
        if plan.service:
            service_name = self._objects.service(plan.key, plan.name, plan.selector, plan.service, made.opts)
        workload = Workload(
            key=plan.key,
            name=plan.name,
            kind=plan.kind,
            replicas=plan.replicas,
            max_replicas=plan.max_replicas,
            ports=plan.pod.ports,
            service=plan.service,
            metrics=plan.metrics,
            labels=plan.labels,
            containers=tuple(container.name for container in plan.pod.containers),
            claims=tuple(plan.claims),
            demand=plan.demand,
            service_name=service_name,
            service_host=self._host(service_name),
        )
        self.all.append(workload)
        self.routes += [(route, workload) for route in routes]
        return workload

    def _host(self, service: pulumi.Input[str]) -> pulumi.Output[str]:
        return pulumi.Output.concat(service, ".", self.namespace, ".svc.cluster.local")

    def _template(self, plan: Plan, made: _Made, restart_policy: str = "Always") -> core.PodTemplateSpecArgsDict:
        metadata: meta.ObjectMetaArgsDict = {"labels": {**self._objects.labels, **plan.labels, **plan.selector}}
        if plan.pod.annotations:
            metadata["annotations"] = dict(plan.pod.annotations)
        return {"metadata": metadata, "spec": pod_spec(plan.pod, made.account, plan.selector, restart_policy)}

    def _refuse_unrouted(self, plan: Plan, routes: tuple[Route, ...]) -> None:
        if routes and self._ingress_namespace is None:
            message = f"is missing, and {plan.name} is to be reached at {routes[0].path}: say on which host"
            raise SettingsError([f"{where('kubernetes.ingress')}: {message}"])

    def _refuse_what_does_not_fit(self, plan: Plan, surge: int) -> None:
        """While one workload is rolled out it needs room for its surge; the others wait for that room."""
        if self._quota is None:
            return
        demand, spare = plan.demand, demands.of_pod(containers_of(plan.pod)).times(surge)
        for workload in self.all:
            demand += workload.demand
        problems = list(demands.shortfalls(demand + spare, self._quota))
        if problems:
            raise SettingsError(
                [f"{where(f'kubernetes.quota.{name}')}: up to {plan.name}, {message}" for name, message in problems]
            )


def _claim(name: str, claim: Claim) -> core.PersistentVolumeClaimArgsDict:
    spec: core.PersistentVolumeClaimSpecArgsDict = {
        "access_modes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": claim.size}},
    }
    if claim.storage_class is not None:
        spec["storage_class_name"] = claim.storage_class
    return {"metadata": {"name": name}, "spec": spec}


def _checksum(data: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:10]


@dataclass(frozen=True)
class _Made:
    """What the pods of a workload stand on."""

    account: pulumi.Input[str]
    opts: pulumi.ResourceOptions

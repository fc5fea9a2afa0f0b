"""Monitoring: what watches the estate, who hears of what, and what the estate promises."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import pulumi
import yaml

from components.explain import did_you_mean
from components.kubernetes.declarations import Stored, Workload
from components.kubernetes.objects import Objects
from components.kubernetes.workloads import SCRAPER, Workloads
from components.monitoring import alertmanager, dashboards, prometheus
from components.monitoring.objective_rules import (
    Objective,
    availability,
    gpu_group,
    latency,
    objective_groups,
    percentile_group,
)
from components.monitoring.platform_rules import platform_group
from components.monitoring.rules import SEVERITIES, Group, Severity, document
from components.monitoring.servers import ALERTMANAGER, PROMETHEUS_PORT, Servers, provisioning
from components.monitoring.service_rules import monitoring_group, n8n_group, nats_group
from components.monitoring.settings import MonitoringSettings
from components.monitoring.workload_rules import Watched, quota_group, workload_groups
from components.settings import SettingsError, Stage, output_named, where
from providers.base import dynamic
from providers.passwords import Password

NATS, N8N = "nats", "n8n"
"""The workloads that tell more of themselves than that they run."""


class Monitoring(pulumi.ComponentResource):
    """Prometheus, Alertmanager, Grafana, a Pushgateway and kube-state-metrics, in the namespace of the workloads.

    Rules, scrape targets and network policies are made from what runs there (``kubernetes.workloads``), so that a new
    workload is watched without anybody's thinking of it; rules about platforms from the list of those that the stack uses.

    Outputs: ``addresses`` of the servers within the cluster, by name, and ``grafana_password`` of its user admin (secret).

    Not managed, on purpose: the ingress controller and the exporter of GPU figures, which belong to the cluster and are
    only asked; ways in from outside (`kubectl port-forward`, docs/monitoring.md); silences and anything else that people do
    in the servers' pages. Grafana keeps nothing: what is made in its pages is gone when its pod is.
    """

    addresses: Mapping[str, pulumi.Output[str]]
    grafana_password: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        settings: MonitoringSettings,
        *,
        stage: Stage,
        workloads: Workloads,
        platforms: Iterable[str],
        outputs: Mapping[str, pulumi.Input[str]],
        carried: Collection[Severity] = (),
        incidents_token: pulumi.Output[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """``workloads``: what runs in the namespace, all of it made already. ``platforms``: those that the stack uses.
        ``carried``: the severities that n8n carries on, and ``incidents_token`` what Alertmanager shows it then.
        ``outputs``: the values of other components; the Slack channels are ``slack.channels.<key>``.

        Raises SettingsError for a channel that nobody hands over or an owner of no workload,
        CredentialsError for a missing variable.
        """
        super().__init__("sophia:platform:Monitoring", name, None, opts)
        self._settings, self._stage, self._namespace = settings, stage.value, settings.namespace
        self._workloads, self._child = workloads, pulumi.ResourceOptions(parent=self)
        self._carried = carried
        self._objects = Objects(workloads.namespace, self._child)

        self.grafana_password = self._make_password()
        servers = Servers(workloads, settings, self._child)
        made = [
            servers.state_metrics(settings.namespace),
            servers.pushgateway(),
            servers.alertmanager(
                self._alertmanager_files(outputs), self._slack_token(outputs), self._incidents(incidents_token)
            ),
            servers.grafana(*self._grafana_files(), self.grafana_password),
        ]
        self._refuse_unknown_owners()
        rules = {"sophia.yml": _yaml(document(self._rules(platforms), settings.runbooks))}
        made.append(
            servers.prometheus(
                workloads.config_map(
                    "prometheus", "prometheus", {"prometheus.yml": _yaml(self._scraping())}, opts=self._child
                ),
                workloads.config_map("prometheus-rules", "prometheus-rules", rules, opts=self._child),
            )
        )
        if settings.cluster.nodes:
            self._let_ask_kubelets()
        self.addresses = {one.name: one.service_host for one in made}
        self.register_outputs({"addresses": self.addresses})

    def _refuse_unknown_owners(self) -> None:
        names = [*(one.name for one in self._workloads.all), SCRAPER]
        unknown = [name for name in self._settings.owners if name not in names]
        if unknown:
            setting = where("monitoring.owners")
            raise SettingsError(
                [f'{setting}: no workload "{name}" runs{did_you_mean(name, names)}' for name in unknown]
            )

    def _make_password(self) -> pulumi.Output[str]:
        generation = self._settings.grafana.password_generation
        return Password("grafana-admin", generation=generation, opts=dynamic(self._child)).password

    def _slack_token(self, outputs: Mapping[str, pulumi.Input[str]]) -> Stored:
        token = self._settings.slack_token.resolve(outputs, "monitoring.slack_token")
        return self._workloads.secret("alertmanager-slack", "alertmanager-slack", {"token": token}, opts=self._child)

    def _incidents(self, token: pulumi.Output[str] | None) -> Stored | None:
        name = "alertmanager-incidents"
        return self._workloads.secret(name, name, {"token": token}, opts=self._child) if token is not None else None

    def _alertmanager_files(self, outputs: Mapping[str, pulumi.Input[str]]) -> Stored:
        """Alertmanager's configuration; Slack makes the ids of the channels that are in it."""
        teams = {
            team: {
                severity: output_named(
                    f"slack.channels.{getattr(channels, severity)}", outputs, f"monitoring.teams.{team}.{severity}"
                )
                for severity in SEVERITIES
            }
            for team, channels in self._settings.teams.items()
        }
        owner, stage, carried = self._settings.owner, self._stage, self._carried
        text = pulumi.Output.from_input(teams).apply(
            lambda known: _yaml(alertmanager.configuration(known, owner, stage, carried=carried))  # type: ignore[arg-type]  # its ids are known by then
        )
        return self._workloads.config_map(ALERTMANAGER, ALERTMANAGER, {"alertmanager.yml": text}, opts=self._child)

    def _grafana_files(self) -> tuple[Stored, Stored]:
        has = {one.name for one in self._workloads.all}
        pages = dashboards.dashboards(
            self._namespace,
            self._stage,
            self._objectives(),
            gpus=self._settings.gpus is not None,
            nats=NATS if NATS in has else None,
            n8n=N8N if N8N in has else None,
        )
        files = {f"{page.uid}.json": json.dumps(dashboards.document(page), indent=1) for page in pages}
        own = {name: _yaml(content) for name, content in provisioning().items()}
        return (
            self._workloads.config_map("grafana", "grafana", own, opts=self._child),
            self._workloads.config_map("grafana-pages", "grafana-pages", files, opts=self._child),
        )

    def _objectives(self) -> tuple[Objective, ...]:
        if self._settings.ingress is None:
            return ()
        promised = self._settings.objectives
        return (
            availability(self._namespace, promised.availability),
            latency(self._namespace, promised.latency_seconds, promised.latency_share),
        )

    def _rules(self, platforms: Iterable[str]) -> list[Group]:
        owner, promised = self._settings.owner, self._settings.objectives
        by_name = {one.name: one for one in self._workloads.all}
        groups = [
            *workload_groups(self._watched(), self._namespace, kubelet=bool(self._settings.cluster.nodes)),
            quota_group(self._namespace, owner),
            monitoring_group(owner, self._settings.alertmanager.replicas),
            platform_group(platforms, self._stage, owner),
            *objective_groups(self._objectives(), owner),
        ]
        if self._objectives():
            groups.append(percentile_group(self._namespace, promised.latency_share))
        if self._settings.gpus is not None:
            groups.append(gpu_group(owner, promised.gpu_use))
        if nats := by_name.get(NATS):
            groups.append(nats_group(NATS, self._team(NATS), nats.replicas))
        if N8N in by_name:
            groups.append(n8n_group(N8N, self._team(N8N)))
        return groups

    def _watched(self) -> list[Watched]:
        """All workloads, and Prometheus, which is made last because its files are about all others."""
        made = [watched(one, self._team(one.name)) for one in self._workloads.all]
        port, team = PROMETHEUS_PORT, self._team(SCRAPER)
        return [*made, Watched(name=SCRAPER, kind="StatefulSet", team=team, metrics_port=port, claims=("data",))]

    def _team(self, workload: str) -> str:
        return self._settings.owners.get(workload, self._settings.owner)

    def _scraping(self) -> dict[str, Any]:
        jobs = [self._job(one) for one in self._workloads.all if one.metrics is not None]
        alertmanagers = next(job for job in jobs if job.name == ALERTMANAGER)
        jobs.append(prometheus.Job(name=SCRAPER, address=f"localhost:{PROMETHEUS_PORT}"))
        for name, exporter in (("ingress", self._settings.ingress), ("gpus", self._settings.gpus)):
            if exporter is not None:
                jobs.append(prometheus.Job(name=name, address=exporter.address))
        kubelet = bool(self._settings.cluster.nodes)
        return prometheus.configuration(jobs, alertmanagers, self._namespace, self._stage, kubelet=kubelet)

    def _job(self, one: Workload) -> prometheus.Job:
        """A workload as a target. Stateful sets have a headless service anyway; the others get one."""
        figures, port = port_of(one)
        service = f"{one.name}-headless"
        if one.headless_host is None:
            selector = {"app.kubernetes.io/name": one.name}
            service = f"{one.name}-metrics"
            self._objects.service(f"{one.key}.metrics", service, selector, {figures: port}, self._child, headless=True)
        path = one.metrics.path if one.metrics else "/metrics"
        return prometheus.Job(name=one.name, service=service, port=port, path=path)

    def _let_ask_kubelets(self) -> None:
        """Cluster-wide, because nodes are in no namespace: find them, and read their figures."""
        name = f"{self._namespace}-{SCRAPER}"
        rules: Sequence[Mapping[str, Any]] = [
            {"api_groups": [""], "resources": ["nodes"], "verbs": ["get", "list", "watch"]},
            {"api_groups": [""], "resources": ["nodes/metrics"], "verbs": ["get"]},
        ]
        role = self._objects.make("rbac/v1:ClusterRole", "kubelets", name, {"rules": rules}, self._child)
        binding = {
            "role_ref": {"api_group": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": SCRAPER, "namespace": self._workloads.namespace}],
        }
        after = pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=[role]))
        self._objects.make("rbac/v1:ClusterRoleBinding", "kubelets", name, binding, after)


def watched(one: Workload, team: str) -> Watched:
    """A workload as the rules see it."""
    return Watched(
        name=one.name,
        kind=one.kind,  # type: ignore[arg-type]  # one of the kinds that the mechanism makes
        team=team,
        metrics_port=port_of(one)[1] if one.metrics else None,
        autoscaled=one.max_replicas > one.replicas,
        claims=one.claims,
    )


def port_of(one: Workload) -> tuple[str, int]:
    """The name and the number of the port with a workload's figures. Raises ValueError for one without any."""
    if one.metrics is None:
        raise ValueError(f"{one.name} tells no figures")
    return one.metrics.port, one.ports[one.metrics.port]


def _yaml(content: object) -> str:
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1000)

"""Kubernetes: a stage's namespace, its limits, who may talk to whom in it, and what runs in it."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from components.explain import render
from components.kubernetes import gpu, namespaces
from components.kubernetes.fleet import Fleet
from components.kubernetes.ingress import deploy_ingress
from components.kubernetes.n8n import N8n
from components.kubernetes.nats import Nats
from components.kubernetes.objects import Objects
from components.kubernetes.settings import (
    KubernetesSettings,
    PriorityClassSettings,
    SecretSettings,
    ServiceAccountSettings,
)
from components.kubernetes.workloads import Stored, Workload, Workloads
from components.settings import SettingsError, Stage, data_store_options, where

__all__ = ["Kubernetes", "KubernetesSettings"]


class Kubernetes(pulumi.ComponentResource):
    """A stage's namespace and the workloads in it: the fleet of MCP servers, with what it needs around it.

    Nothing in the namespace talks to anything, or is talked to, unless the settings say so; names are looked up in
    kube-system only. In prod the namespace is protected, because its deletion takes all workloads and volumes with it.
    ``workloads`` makes more of them in the same manner, for this component's own parts and for other components.

    Objects of the whole cluster carry the namespace in their names, so that three stages can share a cluster: the
    priority classes, and the second namespace for the NVIDIA device plugin, which runs on the stage's own GPU nodes.

    A Secret whose data changes is replaced under the same name, unless the environment sets
    PULUMI_K8S_ENABLE_SECRET_MUTABLE (then it is updated in place). The pods of the fleet that read it are replaced too.

    Outputs: ``namespace``, and by key ``service_accounts``, ``secrets``, ``priority_classes`` (their names) and
    ``mcp_servers`` (their addresses inside the cluster).

    Not managed, on purpose: the cluster itself with its storage classes, the ingress controller, cert-manager with its
    issuers, and the metrics server that autoscaling reads.
    """

    namespace: pulumi.Output[str]
    service_accounts: Mapping[str, pulumi.Output[str]]
    secrets: Mapping[str, pulumi.Output[str]]
    priority_classes: Mapping[str, pulumi.Output[str]]
    mcp_servers: Mapping[str, Workload]
    nats: Nats | None
    n8n: N8n | None
    workloads: Workloads

    def __init__(
        self,
        name: str,
        settings: KubernetesSettings,
        *,
        stage: Stage,
        outputs: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """``outputs``: the values of other components that secrets name with ``output:``.

        Raises SettingsError for another stage's namespace, an output that nobody hands over, or workloads that do not
        fit the quota; CredentialsError for a secret's missing variable.
        """
        _refuse_other_stages(settings.namespace, stage)
        super().__init__("sophia:platform:Kubernetes", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._settings, self._outputs = settings, outputs
        self._prepare_namespace(stage)
        accounts = settings.service_accounts.items()
        self.service_accounts = {key: self._create_service_account(key, account) for key, account in accounts}
        self.stored_secrets = {key: self._create_secret(key, secret) for key, secret in settings.secrets.items()}
        self.secrets = {key: stored.name for key, stored in self.stored_secrets.items()}
        classes = settings.priority_classes.items()
        self.priority_classes = {key: self._create_priority_class(key, one) for key, one in classes}
        self.workloads = Workloads(
            self.namespace,
            quota=settings.quota,
            ingress_namespace=settings.ingress.controller_namespace if settings.ingress else None,
            opts=self._child,
        )
        if settings.gpu is not None:
            gpu.deploy_device_plugin(self._gpu_workloads(stage), settings.gpu)
        self.nats = self._deploy_nats(stage)
        users = self.nats.secrets if self.nats else {}
        self.mcp_servers = Fleet(
            self.workloads,
            settings.mcp_servers,
            peers=settings.peers,
            secrets={**self.stored_secrets, **{f"nats-{user}": stored for user, stored in users.items()}},
            priority_classes=self.priority_classes,
            gpu=settings.gpu,
        ).deploy()
        self.n8n = self._deploy_n8n(stage)
        if settings.ingress is not None and self.workloads.routes:
            deploy_ingress(self._objects, settings.ingress, self.workloads.routes, self._child)
        self.register_outputs(
            {
                "namespace": self.namespace,
                "service_accounts": self.service_accounts,
                "secrets": self.secrets,
                "priority_classes": self.priority_classes,
                "mcp_servers": {key: workload.service_host for key, workload in self.mcp_servers.items()},
            }
        )

    def _prepare_namespace(self, stage: Stage) -> None:
        settings = self._settings
        kept = data_store_options(stage, self._child)
        self.namespace = namespaces.create_namespace("namespace", settings.namespace, settings.pod_security, kept)
        self._objects = Objects(self.namespace, self._child)
        namespaces.create_quota(self._objects, settings.quota, self._child)
        namespaces.create_limits(self._objects, settings.containers, self._child)
        namespaces.deny_by_default(self._objects, self._child)
        for key, rule in settings.allow.items():
            namespaces.allow(self._objects, key, rule, self._child)

    def _deploy_nats(self, stage: Stage) -> Nats | None:
        settings = self._settings.nats
        if settings is None:
            return None
        return Nats(
            self.workloads,
            settings,
            namespace=self._settings.namespace,
            stage=stage,
            priority_class=self.priority_classes[settings.priority] if settings.priority else None,
            opts=self._child,
        )

    def _deploy_n8n(self, stage: Stage) -> N8n | None:
        settings, ingress = self._settings.n8n, self._settings.ingress
        if settings is None or ingress is None:
            return None
        return N8n(
            self.workloads,
            settings,
            host=ingress.host,
            stage=stage,
            outputs=self._outputs,
            priority_class=self.priority_classes[settings.priority] if settings.priority else None,
            opts=self._child,
        )

    def _gpu_workloads(self, stage: Stage) -> Workloads:
        name = gpu.namespace_of(self._settings.namespace)
        # no data is in it, but in prod no namespace goes by accident
        kept = data_store_options(stage, self._child)
        namespace = namespaces.create_namespace("gpu.namespace", name, "privileged", kept)
        return Workloads(namespace, quota=None, ingress_namespace=None, opts=self._child)

    def _create_service_account(self, key: str, settings: ServiceAccountSettings) -> pulumi.Output[str]:
        return self._objects.service_account(key, settings.name, self._child, settings.annotations)

    def _create_secret(self, key: str, settings: SecretSettings) -> Stored:
        path = ("kubernetes", "secrets", key, "data")
        data = {k: source.resolve(self._outputs, render((*path, k))) for k, source in settings.data.items()}
        return Stored(*self._objects.secret(key, settings.name, data, self._child))

    def _create_priority_class(self, key: str, settings: PriorityClassSettings) -> pulumi.Output[str]:
        return self._objects.priority_class(
            f"priority.{key}",
            f"{self._settings.namespace}-{key}",
            settings.value,
            settings.description,
            settings.preempts,
            self._child,
        )


def _refuse_other_stages(namespace: str, stage: Stage) -> None:
    for other in Stage:
        if other is not stage and namespace.endswith(f"-{other}"):
            message = f'"{namespace}" belongs to {other}: a stack has its own namespace, here sophia-ai-{stage}'
            raise SettingsError([f"{where('kubernetes.namespace')}: {message}"])

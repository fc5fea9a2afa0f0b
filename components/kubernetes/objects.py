"""Single objects of Kubernetes in one namespace, with the labels and options that all of them have."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import pulumi

if TYPE_CHECKING:
    from pulumi_kubernetes.core import v1 as core
    from pulumi_kubernetes.meta import v1 as meta
    from pulumi_kubernetes.networking import v1 as networking

LABELS: Final = {"app.kubernetes.io/part-of": "sophia-ai", "app.kubernetes.io/managed-by": "pulumi"}
_OF_THE_CLUSTER: Final = frozenset({"ClusterRole", "ClusterRoleBinding"})
"""Kinds that are in no namespace."""


class Objects:
    """Makes objects in ``namespace`` under a component. Each method takes the logical name first, then the name."""

    labels: Final = LABELS

    def __init__(self, namespace: pulumi.Output[str], opts: pulumi.ResourceOptions) -> None:
        # here, because only stacks with Kubernetes should pay for the import
        from pulumi_kubernetes.core import v1 as core
        from pulumi_kubernetes.networking import v1 as networking

        self._core, self._networking = core, networking
        self._namespace = namespace
        self._opts = opts

    def options(self, opts: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
        """``opts`` upon those of the component, such as another parent."""
        return pulumi.ResourceOptions.merge(self._opts, opts)

    def metadata(self, name: pulumi.Input[str]) -> meta.ObjectMetaArgsDict:
        """The metadata of an object of this namespace."""
        return {"name": name, "namespace": self._namespace, "labels": self.labels}

    def make(
        self, kind: str, key: str, name: str, body: Mapping[str, Any], opts: pulumi.ResourceOptions
    ) -> pulumi.CustomResource:
        """An object of any kind of the package, such as ``apps/v1:Deployment``, with ``body`` beside its metadata."""
        path, _, type_name = kind.partition(":")
        module = import_module(f"pulumi_kubernetes.{path.replace('/', '.')}")
        metadata = self.metadata(name)
        if type_name in _OF_THE_CLUSTER:
            del metadata["namespace"]
        made: pulumi.CustomResource = getattr(module, type_name)(key, metadata=metadata, **body, opts=opts)
        return made

    def service_account(
        self, key: str, name: str, opts: pulumi.ResourceOptions, annotations: Mapping[str, str] | None = None
    ) -> pulumi.Output[str]:
        """An identity without a token of the cluster's API."""
        metadata = self.metadata(name)
        if annotations:
            metadata["annotations"] = annotations
        account = self._core.ServiceAccount(key, metadata=metadata, automount_service_account_token=False, opts=opts)
        return account.metadata.apply(lambda metadata: str(metadata.name))

    def network_policy(
        self, key: str, name: str, spec: networking.NetworkPolicySpecArgsDict, opts: pulumi.ResourceOptions
    ) -> pulumi.Resource:
        """A network policy."""
        return self._networking.NetworkPolicy(key, metadata=self.metadata(name), spec=spec, opts=opts)

    def service(
        self,
        key: str,
        name: str,
        selector: Mapping[str, str],
        ports: Mapping[str, int],
        opts: pulumi.ResourceOptions,
        *,
        headless: bool = False,
    ) -> pulumi.Output[str]:
        """A service; its ports are those of the same names of the pods. A headless one names pods that are not ready."""
        spec: core.ServiceSpecArgsDict = {
            "type": "ClusterIP",
            "selector": dict(selector),
            "ports": [
                {"name": port, "port": number, "target_port": port, "protocol": "TCP"} for port, number in ports.items()
            ],
        }
        if headless:
            spec["cluster_ip"] = "None"
            spec["publish_not_ready_addresses"] = True
        service = self._core.Service(key, metadata=self.metadata(name), spec=spec, opts=opts)
        return service.metadata.apply(lambda metadata: str(metadata.name))

    def autoscaler(
        self, key: str, name: str, least: int, most: int, cpu_percent: int, opts: pulumi.ResourceOptions
    ) -> None:
        """Scales the deployment ``name`` by its use of CPU; it grows at once, and shrinks after five quiet minutes."""
        body = {
            "spec": {
                "scale_target_ref": {"api_version": "apps/v1", "kind": "Deployment", "name": name},
                "min_replicas": least,
                "max_replicas": most,
                "metrics": [
                    {
                        "type": "Resource",
                        "resource": {
                            "name": "cpu",
                            "target": {"type": "Utilization", "average_utilization": cpu_percent},
                        },
                    }
                ],
                "behavior": {"scale_down": {"stabilization_window_seconds": 300}},
            }
        }
        self.make("autoscaling/v2:HorizontalPodAutoscaler", key, name, body, opts)

    def disruption_budget(
        self, key: str, name: str, selector: Mapping[str, str], unavailable: int, opts: pulumi.ResourceOptions
    ) -> None:
        """How many pods may be missing while nodes are emptied. Pods that are not ready do not keep a node from it."""
        body = {
            "spec": {
                "selector": {"match_labels": dict(selector)},
                "max_unavailable": unavailable,
                "unhealthy_pod_eviction_policy": "AlwaysAllow",
            }
        }
        self.make("policy/v1:PodDisruptionBudget", key, name, body, opts)

    def config_map(
        self,
        key: str,
        name: pulumi.Input[str],
        data: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None,
    ) -> pulumi.Output[str]:
        """An immutable ConfigMap."""
        made = self._core.ConfigMap(
            key, metadata=self.metadata(name), data=data, immutable=True, opts=self.options(opts)
        )
        return made.metadata.apply(lambda metadata: str(metadata.name))

    def secret(
        self, key: str, name: str, data: Mapping[str, pulumi.Input[str]], opts: pulumi.ResourceOptions | None
    ) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        """A Secret: its name, and its uid. All of ``data`` is secret in the state, whatever it was before."""
        unique = pulumi.ResourceOptions.merge(self.options(opts), pulumi.ResourceOptions(delete_before_replace=True))
        hidden = {name: pulumi.Output.secret(value) for name, value in data.items()}
        made = self._core.Secret(key, metadata=self.metadata(name), type="Opaque", string_data=hidden, opts=unique)
        return (
            made.metadata.apply(lambda metadata: str(metadata.name)),
            made.metadata.apply(lambda metadata: str(metadata.uid)),
        )

    def role(
        self,
        key: str,
        name: str,
        rules: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...],
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        """A role with ``rules`` (API group, resources, verbs), and its binding to the service account ``name``."""
        options = self.options(opts)
        granted = [
            {"api_groups": [group], "resources": list(resources), "verbs": list(verbs)}
            for group, resources, verbs in rules
        ]
        role = self.make("rbac/v1:Role", key, name, {"rules": granted}, options)
        body = {
            "role_ref": {"api_group": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": self._namespace}],
        }
        self.make(
            "rbac/v1:RoleBinding",
            key,
            name,
            body,
            pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(depends_on=[role])),
        )

    def ingress(
        self,
        key: str,
        metadata: meta.ObjectMetaArgsDict,
        spec: networking.IngressSpecArgsDict,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """An ingress."""
        self._networking.Ingress(key, metadata=metadata, spec=spec, opts=opts)

    def priority_class(
        self, key: str, name: str, value: int, description: str, preempts: bool, opts: pulumi.ResourceOptions
    ) -> pulumi.Output[str]:
        """How important pods are; an object of the whole cluster. A value cannot be changed: it becomes a new object."""
        from pulumi_kubernetes.scheduling import v1 as scheduling

        # the API server takes no change of either, and the package does not know that
        fixed = pulumi.ResourceOptions(delete_before_replace=True, replace_on_changes=["value", "preemptionPolicy"])
        unique = pulumi.ResourceOptions.merge(opts, fixed)
        made = scheduling.PriorityClass(
            key,
            metadata={"name": name, "labels": self.labels},
            value=value,
            description=description,
            global_default=False,
            preemption_policy="PreemptLowerPriority" if preempts else "Never",
            opts=unique,
        )
        return made.metadata.apply(lambda metadata: str(metadata.name))

"""What is reached from outside the cluster: one Ingress for the stage's host, made of the routes of its workloads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from components.kubernetes.ingress_settings import IngressSettings
from components.kubernetes.objects import Objects
from components.kubernetes.workloads import Route, Workload

if TYPE_CHECKING:
    import pulumi
    from pulumi_kubernetes.networking import v1 as networking


def deploy_ingress(
    objects: Objects,
    settings: IngressSettings,
    routes: Sequence[tuple[Route, Workload]],
    opts: pulumi.ResourceOptions,
) -> None:
    """All ``routes`` on the host; the longest path that fits wins. Plain HTTP is sent on to HTTPS by the controller."""
    paths: list[networking.HTTPIngressPathArgsDict] = [
        {
            "path": route.path,
            "path_type": "Prefix",
            "backend": {"service": {"name": workload.service_name, "port": {"name": route.port}}},
        }
        for route, workload in sorted(routes, key=lambda pair: pair[0].path)
    ]
    spec: networking.IngressSpecArgsDict = {
        "ingress_class_name": settings.class_name,
        "tls": [{"hosts": [settings.host], "secret_name": settings.certificate}],
        "rules": [{"host": settings.host, "http": {"paths": paths}}],
    }
    metadata = objects.metadata("ingress")
    metadata["annotations"] = {"cert-manager.io/cluster-issuer": settings.issuer, **settings.annotations}
    objects.ingress("ingress", metadata, spec, opts)

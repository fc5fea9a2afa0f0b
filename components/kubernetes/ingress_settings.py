"""``kubernetes.ingress``: the host of a stage, and who answers for it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from components.kubernetes.values import LabelName
from components.settings import DnsLabel, Settings, matching

HostName = Annotated[
    str,
    matching(
        r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", "must be a host, such as agents.example.com"
    ),
]


class IngressSettings(Settings):
    """One host for all that is reached from outside the cluster, always by TLS.

    The cluster is expected to have an ingress controller for ``class_name`` in ``controller_namespace``, and
    cert-manager with the ClusterIssuer ``issuer``, which puts the certificate into the Secret ``certificate``.
    """

    host: HostName
    class_name: DnsLabel = "nginx"
    controller_namespace: DnsLabel = "ingress-nginx"
    issuer: DnsLabel
    certificate: DnsLabel = "ingress-tls"
    annotations: dict[LabelName, str] = Field(default_factory=dict)

"""The way of a GPU node into the Kubernetes cluster: a bootstrap token, which only a launch uses."""

from health.base import Credential, Health

HEALTH = Health(
    platform="kubernetes_join",
    title="Kubernetes, joining nodes",
    credentials=(
        Credential(
            "KUBERNETES_JOIN_TOKEN",
            "by hand, before a launch: kubeadm token create makes one for 24 hours; nodes that have joined need it no more",
            by_api=False,
        ),
    ),
    identifiers=("KUBERNETES_CA_HASH",),
)

"""The cloud-init of an instance that joins a Kubernetes cluster: kubeadm, as most clusters that people run themselves.

Sources of facts: kubernetes.io, "Creating a cluster with kubeadm" and the packages of pkgs.k8s.io; cloud-init's modules
write_files and runcmd; NVIDIA's container toolkit, which Lambda Stack images bring along with the driver.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Final

import yaml

from components.lambda_labs.settings import ClusterSettings, InstanceSettings

_JOIN_FILE: Final = "/etc/kubernetes/join.yaml"
_KEYRING: Final = "/etc/apt/keyrings/kubernetes.gpg"
_TAINT = re.compile(r"(?P<key>[^=:]+)(=(?P<value>[^:]*))?:(?P<effect>\w+)")


def user_data(node: str, instance: InstanceSettings, cluster: ClusterSettings, token: str, ca_hash: str) -> str:
    """What makes the machine a node. The token is in it: it lives for a day (kubeadm's default), and joins nodes only."""
    packages = f"https://pkgs.k8s.io/core:/stable:/v{cluster.version}/deb"
    document: dict[str, Any] = {
        "write_files": [
            {
                "path": _JOIN_FILE,
                "permissions": "0600",
                "content": json.dumps(_join(node, instance, cluster, token, ca_hash)),
            },
            {"path": "/etc/modules-load.d/kubernetes.conf", "content": "overlay\nbr_netfilter\n"},
            {
                "path": "/etc/sysctl.d/90-kubernetes.conf",
                "content": "net.ipv4.ip_forward = 1\nnet.bridge.bridge-nf-call-iptables = 1\n",
            },
            {
                "path": "/etc/apt/sources.list.d/kubernetes.list",
                "content": f"deb [signed-by={_KEYRING}] {packages}/ /\n",
            },
        ],
        # One command a step, and none after one that failed: a node that is half set up must not join.
        "runcmd": [["bash", "-euo", "pipefail", "-c", "\n".join(_steps(packages, cluster.version))]],
    }
    return "#cloud-config\n" + yaml.safe_dump(document, sort_keys=False)


def setup(node: str, instance: InstanceSettings, cluster: ClusterSettings) -> str:
    """Tells one set-up from another: a fingerprint of the cloud-init without its secrets."""
    return hashlib.sha256(user_data(node, instance, cluster, "", "").encode()).hexdigest()[:16]


def _join(node: str, instance: InstanceSettings, cluster: ClusterSettings, token: str, ca_hash: str) -> dict[str, Any]:
    """kubeadm's configuration; JSON is YAML, and needs no thought about quotes."""
    labels = ",".join(f"{name}={value}" for name, value in sorted(instance.labels.items()))
    return {
        "apiVersion": "kubeadm.k8s.io/v1beta4",
        "kind": "JoinConfiguration",
        "discovery": {
            "bootstrapToken": {"apiServerEndpoint": cluster.endpoint, "token": token, "caCertHashes": [ca_hash]},
        },
        "nodeRegistration": {
            "name": node,
            "criSocket": "unix:///run/containerd/containerd.sock",
            "taints": [_taint(text) for text in instance.taints],
            "kubeletExtraArgs": [{"name": "node-labels", "value": labels}] if labels else [],
        },
    }


def _taint(text: str) -> dict[str, str]:
    found = _TAINT.fullmatch(text)
    return {name: value for name, value in found.groupdict().items() if value} if found else {}


def _steps(packages: str, version: str) -> list[str]:
    wanted = f"containerd 'kubelet={version}.*' 'kubeadm={version}.*' nvidia-container-toolkit"
    return [
        "swapoff -a",
        "sed -i '/\\sswap\\s/d' /etc/fstab",
        "modprobe overlay",
        "modprobe br_netfilter",
        "sysctl --system",
        "mkdir -p /etc/apt/keyrings",
        f"curl -fsSL --retry 5 {packages}/Release.key | gpg --batch --yes --dearmor -o {_KEYRING}",
        "apt-get update",
        f"DEBIAN_FRONTEND=noninteractive apt-get install -y {wanted}",
        "apt-mark hold kubelet kubeadm",
        "mkdir -p /etc/containerd",
        "containerd config default | sed 's/SystemdCgroup = false/SystemdCgroup = true/' > /etc/containerd/config.toml",
        "nvidia-ctk runtime configure --runtime=containerd --set-as-default",
        "systemctl restart containerd",
        f"kubeadm join --config {_JOIN_FILE}",
        f"shred -u {_JOIN_FILE}",
    ]

"""The pods that may do what no other pod may, each with the reason. There is no other way to such rights."""

from __future__ import annotations

from typing import Final

from components.kubernetes.containers import Exemption

KUBELET_PLUGINS: Final = "/var/lib/kubelet/device-plugins"

DEVICE_PLUGIN: Final = Exemption(
    reason="the NVIDIA device plugin offers GPUs to its node's kubelet through a socket that belongs to root",
    user=0,
    host_paths=frozenset({KUBELET_PLUGINS}),
)

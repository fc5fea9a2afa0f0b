"""GPUs for pods: the NVIDIA device plugin on every node that has some, with time-slicing.

Time-slicing offers each GPU several times over; the pods on it take turns, without a limit on its memory. Source:
NVIDIA/k8s-device-plugin, "Shared Access to GPUs".
"""

from __future__ import annotations

import json

from components.kubernetes.containers import GPU as RESOURCE
from components.kubernetes.containers import Container, FromConfigMap, HostPath, Mount, Pod, Probe, Toleration
from components.kubernetes.exemptions import DEVICE_PLUGIN, KUBELET_PLUGINS
from components.kubernetes.gpu_settings import GpuSettings
from components.kubernetes.workloads import Workload, Workloads

_CONFIGURATION = "/etc/nvidia/config.json"


def deploy_device_plugin(workloads: Workloads, settings: GpuSettings) -> Workload:
    """The plugin, in the namespace of ``workloads``, which has to let privileged pods in."""
    stored = workloads.config_map("gpu.config", "device-plugin", {"config.json": configuration(settings.replicas)})
    alive = Probe(command=("test", "-S", f"{KUBELET_PLUGINS}/nvidia-gpu.sock"), period_seconds=30)
    container = Container(
        name="device-plugin",
        image=settings.image,
        resources=settings.resources,
        environment={
            "CONFIG_FILE": _CONFIGURATION,
            # a node whose driver is not there yet is tried again by the kubelet, and seen to fail
            "FAIL_ON_INIT_ERROR": "true",
            "NVIDIA_VISIBLE_DEVICES": "all",
            "NVIDIA_DRIVER_CAPABILITIES": "utility",
        },
        readiness=alive,
        liveness=alive,
        startup=Probe(command=alive.command, failure_threshold=30),
        mounts={
            KUBELET_PLUGINS: Mount(volume="kubelet", read_only=False),
            "/etc/nvidia": Mount(volume="config"),
        },
    )
    pod = Pod(
        containers=(container,),
        volumes={"kubelet": HostPath(path=KUBELET_PLUGINS), "config": FromConfigMap(name=stored.name)},
        priority_class="system-node-critical",
        node_selector=settings.nodes,
        tolerations=(Toleration(key=RESOURCE),),
        exemption=DEVICE_PLUGIN,
    )
    return workloads.daemon_set("gpu.device-plugin", "nvidia-device-plugin", pod)


def configuration(replicas: int) -> str:
    """The plugin's configuration (JSON is YAML). A pod that asks for two shares is refused: it would get no more."""
    sharing = {
        "timeSlicing": {
            "failRequestsGreaterThanOne": True,
            "resources": [{"name": RESOURCE, "replicas": replicas}],
        }
    }
    return json.dumps({"version": "v1", "sharing": sharing if replicas > 1 else {}}, indent=2)


def namespace_of(namespace: str) -> str:
    """The namespace of the plugin, beside the stage's own, because that one lets no privileged pod in."""
    return f"{namespace}-gpu"

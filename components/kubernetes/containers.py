"""Pods as a workload declares them, and as the API server wants them: restricted, limited, probed.

What every container gets is decided here, and nowhere else: no root, no writable root filesystem, no capability, no
token of the cluster, requests and limits. Source: kubernetes.io, "Pod Security Standards" (restricted).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pulumi

from components.kubernetes.values import Resources, amount

if TYPE_CHECKING:
    from pulumi_kubernetes.core import v1 as core

GPU: Final = "nvidia.com/gpu"
_NOBODY: Final = 65532
"""The user of images without a shell ("distroless"); it owns nothing."""
_FILE_MODE: Final = 0o440
_LOGS_MEBIBYTES: Final = 256
"""For the logs of a container, which the kubelet cuts at 5 files of 10 MiB, and a provider's at 5 of 50 MB."""
_MEBIBYTE: Final = 1024**2


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A question that tells whether a container is well: an HTTP GET, a command, or (neither) an open TCP port."""

    path: str | None = None
    port: str = "http"
    command: tuple[str, ...] = ()
    period_seconds: int = 10
    timeout_seconds: int = 5
    failure_threshold: int = 3
    delay_seconds: int = 0

    def __post_init__(self) -> None:
        if self.path is not None and self.command:
            raise ValueError("a probe asks by a path or by a command, not by both")


@dataclass(frozen=True, kw_only=True)
class Mount:
    """A volume of the pod, at the path under which a container's ``mounts`` has it."""

    volume: str
    sub_path: str | None = None
    read_only: bool = True


@dataclass(frozen=True, kw_only=True)
class EmptyDir:
    """Room to write that goes with the pod. ``memory`` keeps it off the node's disk, within the container's limit."""

    size: str = "64Mi"
    memory: bool = False


@dataclass(frozen=True, kw_only=True)
class FromConfigMap:
    """The files of a ConfigMap; ``items`` takes some keys only, each at a path of its own."""

    name: pulumi.Input[str]
    items: Mapping[str, str] = field(default_factory=dict)
    mode: int = _FILE_MODE


@dataclass(frozen=True, kw_only=True)
class FromSecret:
    """The files of a Secret, readable for the pod's own user and group only."""

    name: pulumi.Input[str]
    items: Mapping[str, str] = field(default_factory=dict)
    mode: int = _FILE_MODE


@dataclass(frozen=True, kw_only=True)
class Ephemeral:
    """A disk of its own for each pod, which goes with the pod. ``storage_class`` None is the cluster's default."""

    size: str
    storage_class: str | None = None


@dataclass(frozen=True, kw_only=True)
class HostPath:
    """A directory of the node. Only pods with an ``Exemption`` that names it get one."""

    path: str


Volume = EmptyDir | FromConfigMap | FromSecret | Ephemeral | HostPath


@dataclass(frozen=True, kw_only=True)
class Exemption:
    """Why a pod may do what no other pod may: run as root, see directories of its node. All of them are in this house's
    ``exemptions.py``."""

    reason: str
    user: int
    host_paths: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Container:
    """One container. ``ports`` are numbers by name; ``secrets`` are Secrets all of whose keys become environment
    variables, for programs that read them nowhere else (what can read files mounts a ``FromSecret``); ``fields`` are
    facts about the pod itself, such as ``{"POD_NAME": "metadata.name"}``; ``before_stop`` is run before the container is
    told to end.

    Init containers and those of jobs end by themselves and have no probes; all others have both.
    """

    name: str
    image: str
    resources: Resources
    readiness: Probe | None = None
    liveness: Probe | None = None
    startup: Probe | None = None
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    ports: Mapping[str, int] = field(default_factory=dict)
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    secrets: tuple[pulumi.Input[str], ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    mounts: Mapping[str, Mount] = field(default_factory=dict)
    before_stop: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Toleration:
    """A taint that the pod's nodes may have."""

    key: str
    effect: str = "NoSchedule"


@dataclass(frozen=True, kw_only=True)
class Pod:
    """What runs together. ``annotations`` that change replace the running pods, such as versions of what they read.

    ``spread_over`` are topology keys over which replicas must be spread; without any they are spread over nodes as far
    as that can be. ``user`` is the numeric user (and group) of all containers; ``cluster_token`` gives the pod its
    service account's token, for the few that ask the cluster's API.
    """

    containers: tuple[Container, ...]
    init_containers: tuple[Container, ...] = ()
    volumes: Mapping[str, Volume] = field(default_factory=dict)
    service_account: pulumi.Input[str] | None = None
    cluster_token: bool = False
    priority_class: pulumi.Input[str] | None = None
    spread_over: tuple[str, ...] = ()
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Toleration, ...] = ()
    annotations: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    termination_grace_seconds: int = 30
    user: int = _NOBODY
    exemption: Exemption | None = None

    @property
    def ports(self) -> Mapping[str, int]:
        """The ports of all containers."""
        return {name: port for container in self.containers for name, port in container.ports.items()}

    @property
    def gpus(self) -> int:
        """The GPUs of all containers, sliced or not."""
        return sum(container.resources.gpus for container in self.containers)


def pod_spec(
    pod: Pod, account: pulumi.Input[str], selector: Mapping[str, str], restart_policy: str = "Always"
) -> core.PodSpecArgsDict:
    """The pod for the API server. Raises ValueError for what the mechanism does not let through."""
    _refuse_host_paths(pod)
    user = pod.exemption.user if pod.exemption else pod.user
    if user == 0 and not pod.exemption:
        raise ValueError("no pod runs as root without an exemption")
    spec: core.PodSpecArgsDict = {
        "containers": [_container(one, user, pod.volumes) for one in pod.containers],
        "service_account_name": account,
        "automount_service_account_token": pod.cluster_token,
        # the addresses of all services as environment variables only confuse programs, NATS and n8n among them
        "enable_service_links": False,
        "restart_policy": restart_policy,
        "termination_grace_period_seconds": pod.termination_grace_seconds,
        "security_context": _pod_security(user),
        "topology_spread_constraints": _spread(pod, selector),
    }
    if pod.init_containers:
        spec["init_containers"] = [_container(one, user, pod.volumes) for one in pod.init_containers]
    if pod.volumes:
        spec["volumes"] = [_volume(name, volume) for name, volume in pod.volumes.items()]
    if pod.priority_class is not None:
        spec["priority_class_name"] = pod.priority_class
    if pod.node_selector:
        spec["node_selector"] = dict(pod.node_selector)
    tolerated = pod.tolerations or ((Toleration(key=GPU),) if pod.gpus else ())
    if tolerated:
        spec["tolerations"] = [{"key": one.key, "operator": "Exists", "effect": one.effect} for one in tolerated]
    return spec


def _refuse_host_paths(pod: Pod) -> None:
    wanted = {volume.path for volume in pod.volumes.values() if isinstance(volume, HostPath)}
    allowed = pod.exemption.host_paths if pod.exemption else frozenset()
    if not wanted <= allowed:
        raise ValueError(f"directories of the node need an exemption: {', '.join(sorted(wanted - allowed))}")


def _pod_security(user: int) -> core.PodSecurityContextArgsDict:
    context: core.PodSecurityContextArgsDict = {"seccomp_profile": {"type": "RuntimeDefault"}}
    if user == 0:
        return {**context, "run_as_user": 0}
    return {
        **context,
        "run_as_non_root": True,
        "run_as_user": user,
        "run_as_group": user,
        "fs_group": user,
        "fs_group_change_policy": "OnRootMismatch",
    }


def _spread(pod: Pod, selector: Mapping[str, str]) -> list[core.TopologySpreadConstraintArgsDict]:
    keys = pod.spread_over or ("kubernetes.io/hostname",)
    return [
        {
            "max_skew": 1,
            "topology_key": key,
            "when_unsatisfiable": "DoNotSchedule" if pod.spread_over else "ScheduleAnyway",
            "label_selector": {"match_labels": dict(selector)},
        }
        for key in keys
    ]


def _container(container: Container, user: int, volumes: Mapping[str, Volume]) -> core.ContainerArgsDict:
    made: core.ContainerArgsDict = {
        "name": container.name,
        "image": container.image,
        # an image that is named by its digest never changes: no registry is asked again
        "image_pull_policy": "IfNotPresent",
        "resources": _resources(container.resources, _disk(container, volumes)),
        "security_context": {
            "allow_privilege_escalation": False,
            "read_only_root_filesystem": True,
            "run_as_non_root": user != 0,
            "capabilities": {"drop": ["ALL"]},
            "seccomp_profile": {"type": "RuntimeDefault"},
        },
    }
    if container.command:
        made["command"] = list(container.command)
    if container.args:
        made["args"] = list(container.args)
    if container.ports:
        made["ports"] = [
            {"name": name, "container_port": port, "protocol": "TCP"} for name, port in container.ports.items()
        ]
    if environment := _environment(container):
        made["env"] = environment
    if container.secrets:
        made["env_from"] = [{"secret_ref": {"name": name}} for name in container.secrets]
    if container.mounts:
        made["volume_mounts"] = [_mount(path, mount) for path, mount in container.mounts.items()]
    if container.before_stop:
        made["lifecycle"] = {"pre_stop": {"exec_": {"command": list(container.before_stop)}}}
    return _watched(container, made)


def _watched(container: Container, made: core.ContainerArgsDict) -> core.ContainerArgsDict:
    if container.readiness is not None:
        made["readiness_probe"] = _probe(container.readiness)
    if container.liveness is not None:
        made["liveness_probe"] = _probe(container.liveness)
    if container.startup is not None:
        made["startup_probe"] = _probe(container.startup)
    return made


def _disk(container: Container, volumes: Mapping[str, Volume]) -> str:
    """What a container may take of its node's own disk: its logs, and all that it may write into empty directories.

    The kubelet counts both, and evicts a pod that takes more than its containers may together.
    """
    written = [volumes.get(mount.volume) for mount in container.mounts.values() if not mount.read_only]
    sizes = [amount(one.size) for one in written if isinstance(one, EmptyDir) and not one.memory]
    return f"{_LOGS_MEBIBYTES + math.ceil(sum(sizes) / _MEBIBYTE)}Mi"


def _resources(resources: Resources, disk: str) -> core.ResourceRequirementsArgsDict:
    # what may be written is promised as well: a node whose disk is full evicts whoever is on it
    storage = {"ephemeral-storage": disk}
    requests = {"cpu": resources.cpu_request, "memory": resources.memory_request, **storage}
    limits = {"cpu": resources.cpu_limit, "memory": resources.memory_limit, **storage}
    # of GPUs there is no more to be promised than there are, so that both are always the same
    gpus = {GPU: str(resources.gpus)} if resources.gpus else {}
    return {"requests": {**requests, **gpus}, "limits": {**limits, **gpus}}


def _environment(container: Container) -> list[core.EnvVarArgsDict]:
    plain: list[core.EnvVarArgsDict] = [{"name": name, "value": value} for name, value in container.environment.items()]
    facts: list[core.EnvVarArgsDict] = [
        {"name": name, "value_from": {"field_ref": {"field_path": path}}} for name, path in container.fields.items()
    ]
    # Kubernetes puts $(NAME) in place from what stands earlier in the list: facts come first
    return facts + plain


def _mount(path: str, mount: Mount) -> core.VolumeMountArgsDict:
    made: core.VolumeMountArgsDict = {"name": mount.volume, "mount_path": path, "read_only": mount.read_only}
    if mount.sub_path is not None:
        made["sub_path"] = mount.sub_path
    return made


def _probe(probe: Probe) -> core.ProbeArgsDict:
    made: core.ProbeArgsDict = {
        "period_seconds": probe.period_seconds,
        "timeout_seconds": probe.timeout_seconds,
        "failure_threshold": probe.failure_threshold,
    }
    if probe.delay_seconds:
        made["initial_delay_seconds"] = probe.delay_seconds
    if probe.command:
        made["exec_"] = {"command": list(probe.command)}
    elif probe.path is not None:
        made["http_get"] = {"path": probe.path, "port": probe.port, "scheme": "HTTP"}
    else:
        made["tcp_socket"] = {"port": probe.port}
    return made


def _volume(name: str, volume: Volume) -> core.VolumeArgsDict:
    if isinstance(volume, EmptyDir):
        medium: core.EmptyDirVolumeSourceArgsDict = {"medium": "Memory"} if volume.memory else {}
        return {"name": name, "empty_dir": {**medium, "size_limit": volume.size}}
    if isinstance(volume, HostPath):
        return {"name": name, "host_path": {"path": volume.path, "type": "Directory"}}
    if isinstance(volume, Ephemeral):
        spec: core.PersistentVolumeClaimSpecArgsDict = {
            "access_modes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": volume.size}},
        }
        if volume.storage_class is not None:
            spec["storage_class_name"] = volume.storage_class
        return {"name": name, "ephemeral": {"volume_claim_template": {"spec": spec}}}
    items: list[core.KeyToPathArgsDict] = [{"key": key, "path": path} for key, path in volume.items.items()]
    if isinstance(volume, FromConfigMap):
        config_map: core.ConfigMapVolumeSourceArgsDict = {"name": volume.name, "default_mode": volume.mode}
        return {"name": name, "config_map": {**config_map, "items": items} if items else config_map}
    secret: core.SecretVolumeSourceArgsDict = {"secret_name": volume.name, "default_mode": volume.mode}
    return {"name": name, "secret": {**secret, "items": items} if items else secret}

"""What security scanners ask of manifests, asked of every one that the three stack files make.

The rules are named as in docs/kubernetes.md ("What scanners say"): checkov's by their numbers, those of kube-linter and
kube-score by their names. A rule holds for every workload but those that it excepts, each for a reason, and an exception
that no workload needs any more is refused as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from components.settings import Stage
from tests.unit.kubernetes_stages import made_by

WORKLOADS = frozenset({"DaemonSet", "Deployment", "Job", "StatefulSet"})
DEVICE_PLUGIN = "nvidia-device-plugin"
Tree = Mapping[str, Any]


@dataclass(frozen=True)
class Workload:
    """A workload as the API server gets it."""

    kind: str
    name: str
    labels: Tree
    spec: Tree

    @property
    def containers(self) -> list[Tree]:
        """Those that run together, and those that run before them."""
        return [*self.spec["containers"], *self.spec.get("initContainers", ())]


@dataclass(frozen=True)
class Rule:
    """``holds`` says whether a workload is as the scanners' rules ``asked`` want it; ``excepted`` are reasons by name."""

    asked: str
    holds: Callable[[Workload], bool]
    excepted: Mapping[str, str] = field(default_factory=dict)


def of_containers(holds: Callable[[Tree], bool]) -> Callable[[Workload], bool]:
    """A rule about each container of a workload."""
    return lambda workload: all(holds(container) for container in workload.containers)


def security(member: str, wanted: object) -> Callable[[Workload], bool]:
    """A rule about a member of each container's security context."""
    return of_containers(lambda container: container["securityContext"].get(member) == wanted)


def limited(container: Tree) -> bool:
    counted = {"cpu", "memory", "ephemeral-storage"}
    return all(container["resources"][part].keys() >= counted for part in ("requests", "limits"))


def probed(workload: Workload) -> bool:
    if workload.kind == "Job":
        return True
    return all(one.keys() >= {"livenessProbe", "readinessProbe"} for one in workload.spec["containers"])


def probed_twice(workload: Workload) -> bool:
    """Whether being alive is another question than being ready."""
    questions = ("exec", "httpGet", "tcpSocket")
    asked = [
        [
            {name: container.get(part, {}).get(name) for name in questions}
            for part in ("livenessProbe", "readinessProbe")
        ]
        for container in workload.spec["containers"]
    ]
    return workload.kind == "Job" or all(alive != ready for alive, ready in asked)


def without_secrets_in_environment(workload: Workload) -> bool:
    """MCP servers are told theirs so: their programs and the vendors' packages in them read them nowhere else."""
    if workload.labels.get("sophia-ai/tier") == "mcp":
        return all("valueFrom" not in one or "fieldRef" in one["valueFrom"] for one in variables(workload))
    named = any("secretKeyRef" in one.get("valueFrom", {}) for one in variables(workload))
    return not named and not any("envFrom" in container for container in workload.containers)


def variables(workload: Workload) -> Iterator[Tree]:
    for container in workload.containers:
        yield from container.get("env", ())


def volumes(workload: Workload, kind: str) -> list[Tree]:
    return [volume[kind] for volume in workload.spec.get("volumes", ()) if kind in volume]


def away_from_the_node(workload: Workload) -> bool:
    shared = any(workload.spec.get(member) for member in ("hostNetwork", "hostPID", "hostIPC"))
    ports = [port for container in workload.containers for port in container.get("ports", ())]
    return not shared and not volumes(workload, "hostPath") and not any("hostPort" in port for port in ports)


ROOT = "offers GPUs through a socket of the kubelet that belongs to root"
IMAGE = "its image's own user, to whom the files in it belong"
NO_CALLERS = "a container that nobody sends requests to, so that being ready is being alive"
RULES = (
    Rule("CKV_K8S_14, CKV_K8S_43, latest-tag", of_containers(lambda one: "@sha256:" in one["image"])),
    Rule(
        "CKV_K8S_10 to 13, unset-cpu-requirements, container-ephemeral-storage-request-and-limit",
        of_containers(limited),
    ),
    Rule("CKV_K8S_8, CKV_K8S_9, no-liveness-probe, no-readiness-probe", probed),
    Rule(
        "pod-probes-identical",
        probed_twice,
        {
            DEVICE_PLUGIN: NO_CALLERS,
            "n8n-worker": f"its runner is {NO_CALLERS}",
            "nats": "its exporter must not take the server away from clients because it has no figures",
            "grafana": "has one question for both, and is given longer to be alive again than to be ready",
        },
    ),
    Rule("CKV_K8S_22, no-read-only-root-fs", security("readOnlyRootFilesystem", wanted=True)),
    Rule("CKV_K8S_20, privilege-escalation-container", security("allowPrivilegeEscalation", wanted=False)),
    Rule("CKV_K8S_16, privileged-container", security("privileged", wanted=None)),
    Rule("CKV_K8S_25, CKV_K8S_28, CKV_K8S_37, drop-net-raw-capability", security("capabilities", {"drop": ["ALL"]})),
    Rule("CKV_K8S_31, container-seccomp-profile", security("seccompProfile", {"type": "RuntimeDefault"})),
    Rule("CKV_K8S_6, CKV_K8S_23, run-as-non-root", security("runAsNonRoot", wanted=True), {DEVICE_PLUGIN: ROOT}),
    Rule(
        "CKV_K8S_40, container-security-context-user-group-id",
        lambda workload: workload.spec["securityContext"]["runAsUser"] >= 10000,
        {
            DEVICE_PLUGIN: ROOT,
            "grafana": IMAGE,
            "n8n": IMAGE,
            "n8n-webhook": IMAGE,
            "n8n-worker": IMAGE,
            "n8n-postgres": "initdb refuses a user whom the image does not name",
        },
    ),
    Rule("CKV_K8S_35, env-var-secret, read-secret-from-env-var", without_secrets_in_environment),
    Rule(
        "CKV_K8S_38",
        lambda workload: workload.spec["automountServiceAccountToken"] is False,
        {
            "kube-state-metrics": "asks the API server what there is",
            "prometheus": "asks the kubelets for their figures",
        },
    ),
    Rule("CKV_K8S_41, default-service-account", lambda workload: workload.spec["serviceAccountName"] == workload.name),
    Rule(
        "CKV_K8S_17 to 19, CKV_K8S_26, CKV_K8S_27, host-network, sensitive-host-mounts, docker-sock",
        away_from_the_node,
        {DEVICE_PLUGIN: ROOT},
    ),
    Rule(
        "a size for every empty directory",
        lambda workload: all("sizeLimit" in one for one in volumes(workload, "emptyDir")),
    ),
    Rule(
        "pod-topology-spread-constraints, no-anti-affinity",
        lambda workload: bool(workload.spec["topologySpreadConstraints"]),
    ),
)


def workloads_of(stage: Stage) -> list[Workload]:
    return [
        Workload(
            one["kind"],
            one["metadata"]["name"],
            one["spec"]["template"]["metadata"]["labels"],
            one["spec"]["template"]["spec"],
        )
        for one in objects_of(stage)
        if one["kind"] in WORKLOADS
    ]


def objects_of(stage: Stage) -> list[Tree]:
    return [resource.inputs for resource in made_by(stage)]


@pytest.mark.parametrize("stage", list(Stage), ids=str)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.asked.partition(",")[0])
def test_every_workload_is_as_scanners_want_it_or_excepted(rule: Rule, stage: Stage) -> None:
    workloads = workloads_of(stage)
    offending = {workload.name for workload in workloads if not rule.holds(workload)}
    assert offending == rule.excepted.keys() & {workload.name for workload in workloads}, rule.asked


def test_every_exception_is_one_of_a_workload_that_there_is() -> None:
    names = {workload.name for workload in workloads_of(Stage.PROD)}
    for rule in RULES:
        assert rule.excepted.keys() <= names, rule.asked


@pytest.mark.parametrize("stage", list(Stage), ids=str)
def test_every_pod_is_isolated_in_both_directions(stage: Stage) -> None:
    """CKV2_K8S_6, pod-networkpolicy, non-isolated-pod: by a policy of its own, beside the namespace's default."""
    isolated = {
        one["spec"]["podSelector"].get("matchLabels", {}).get("app.kubernetes.io/name")
        for one in objects_of(stage)
        if one["kind"] == "NetworkPolicy" and set(one["spec"]["policyTypes"]) == {"Ingress", "Egress"}
    }
    assert {workload.name for workload in workloads_of(stage)} <= isolated
    assert None in isolated, "nothing denies what no workload's own policy is about"


@pytest.mark.parametrize("stage", list(Stage), ids=str)
def test_replicas_are_never_taken_away_together(stage: Stage) -> None:
    """deployment-has-poddisruptionbudget, pdb-unhealthy-pod-eviction-policy: wherever there is more than one."""
    objects = objects_of(stage)
    scaled = {one["spec"]["scaleTargetRef"]["name"] for one in objects if one["kind"] == "HorizontalPodAutoscaler"}
    several = {
        one["metadata"]["name"]
        for one in objects
        if one["kind"] in {"Deployment", "StatefulSet"} and one["spec"].get("replicas", 2) > 1
    }
    budgets = {one["metadata"]["name"]: one["spec"] for one in objects if one["kind"] == "PodDisruptionBudget"}
    assert scaled | several == budgets.keys()
    assert {spec["unhealthyPodEvictionPolicy"] for spec in budgets.values()} == {"AlwaysAllow"}
    assert {spec["maxUnavailable"] for spec in budgets.values()} == {1}


@pytest.mark.parametrize("stage", list(Stage), ids=str)
def test_nothing_is_in_the_default_namespace_or_open_to_the_world_without_tls(stage: Stage) -> None:
    """CKV_K8S_21, use-namespace, service-type."""
    whole_cluster = {"ClusterRole", "ClusterRoleBinding", "Namespace", "PriorityClass"}
    for one in objects_of(stage):
        kind, spec = one["kind"], one.get("spec", {})
        namespace = one["metadata"].get("namespace", "")
        assert (kind in whole_cluster) == (not namespace.startswith("sophia-ai-")), one["metadata"]["name"]
        if kind == "Service":
            assert spec["type"] == "ClusterIP"
        if kind == "Ingress":
            assert {host for tls in spec["tls"] for host in tls["hosts"]} == {rule["host"] for rule in spec["rules"]}


@pytest.mark.parametrize("stage", list(Stage), ids=str)
def test_roles_read_a_few_kinds_and_no_secret(stage: Stage) -> None:
    """CKV_K8S_49, CKV_K8S_155 to 158, access-to-secrets, access-to-create-pods, wildcard-in-rules."""
    rules = [rule for one in objects_of(stage) if one["kind"] in {"ClusterRole", "Role"} for rule in one["rules"]]
    assert rules
    for rule in rules:
        assert set(rule["verbs"]) <= {"get", "list", "watch"}
        assert {"*", "secrets", "nodes/proxy"}.isdisjoint([*rule["resources"], *rule["apiGroups"]])
    accounts = [one for one in objects_of(stage) if one["kind"] == "ServiceAccount"]
    assert accounts
    assert all(one["automountServiceAccountToken"] is False for one in accounts)

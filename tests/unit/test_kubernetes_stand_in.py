"""The stand-in refuses what an API server refuses, and says so before anything is made."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from sandbox.official.behaviour import Draft
from sandbox.official.kubernetes import kind_of

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
Properties = dict[str, Any]


def container() -> Properties:
    return {
        "name": "app",
        "image": "app",
        "ports": [{"name": "http", "containerPort": 80}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }


def deployment() -> Properties:
    labels = {"app": "app"}
    return {
        "metadata": {"name": "app", "namespace": "here"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container()]}},
        },
    }


def changed(path: str, value: Any, whole: Properties | None = None) -> Properties:
    result = copy.deepcopy(whole or deployment())
    *steps, last = path.split(".")
    place: Any = result
    for step in steps:
        place = place[int(step)] if step.isdigit() else place.setdefault(step, {})
    place[last] = value
    return result


def complaints(token: str, properties: Properties) -> list[str]:
    return [f"{failure.property}: {failure.reason}" for failure in kind_of(token).validate(properties)]


POD = "spec.template.spec"
FIRST = f"{POD}.containers.0"


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("spec.selector.matchLabels", {"app": "other"}, "`selector` does not match template `labels`"),
        ("spec.selector", {}, "empty selector is invalid"),
        ("spec.replicas", -1, "must be greater than or equal to 0"),
        ("spec.strategy.rollingUpdate", {"maxSurge": 0, "maxUnavailable": 0}, "may not be 0 when `maxSurge` is 0"),
        (f"{POD}.restartPolicy", "Never", 'Unsupported value: "Never"'),
        (f"{POD}.containers", [container(), container()], 'Duplicate value: "app"'),
        (f"{FIRST}.name", "Not_a_label", "a lowercase RFC 1123 label"),
        (f"{FIRST}.ports", [{"name": "a-name-that-is-too-long", "containerPort": 1}], "no more than 15 characters"),
        (f"{FIRST}.ports", [{"containerPort": 70000}], "between 1 and 65535"),
        (f"{FIRST}.volumeMounts", [{"name": "data", "mountPath": "/data"}], 'Not found: "data"'),
        (f"{FIRST}.livenessProbe", {"periodSeconds": 5}, "must specify a handler type"),
        (f"{FIRST}.livenessProbe", {"tcpSocket": {"port": 1}, "exec": {"command": ["x"]}}, "more than 1 handler type"),
        (f"{FIRST}.livenessProbe", {"tcpSocket": {"port": 1}, "successThreshold": 2}, "must be 1"),
        (f"{FIRST}.resources", {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}, "less than or equal to cpu limit"),
        (f"{POD}.volumes", [{"name": "data"}], "must specify a volume type"),
        (f"{POD}.volumes", [{"name": "a", "emptyDir": {}, "secret": {}}], "more than 1 volume type"),
        (f"{POD}.initContainers", [{**container(), "name": "x", "startupProbe": {}}], "may not be set for init containers"),
    ],
)  # fmt: skip
def test_a_deployment_is_refused_as_the_api_server_refuses_it(path: str, value: Any, said: str) -> None:
    assert complaints(DEPLOYMENT, deployment()) == []
    assert [words for words in complaints(DEPLOYMENT, changed(path, value)) if said in words]


ILL_NETWORK = {"ipBlock": {"cidr": "10.0.0.1/8"}}
NAMED: Properties = {"metadata": {"name": "app", "namespace": "here"}}


@pytest.mark.parametrize(
    ("token", "body", "said"),
    [
        ("core/v1:Service", {"spec": {"ports": [{"port": 1}, {"port": 2}]}}, "spec.ports[0].name: Required value"),
        ("core/v1:Service", {"spec": {}}, "spec.ports: Required value"),
        ("core/v1:ConfigMap", {"data": {"a": "x" * 1_100_000}}, "Too long: may not be more than 1048576 bytes"),
        ("autoscaling/v2:HorizontalPodAutoscaler", {"spec": {"minReplicas": 3, "maxReplicas": 2}}, "`minReplicas`"),
        ("policy/v1:PodDisruptionBudget", {"spec": {"minAvailable": 1, "maxUnavailable": 1}}, "cannot be both set"),
        ("networking.k8s.io/v1:Ingress", {"spec": {"rules": [{"http": {"paths": [{"path": "/"}]}}]}}, "pathType"),
        ("networking.k8s.io/v1:Ingress", {"spec": {}}, "either `defaultBackend` or `rules`"),
        ("networking.k8s.io/v1:NetworkPolicy", {"spec": {"egress": [{"to": [{}]}]}}, "must specify a peer"),
        ("networking.k8s.io/v1:NetworkPolicy", {"spec": {"egress": [{"to": [ILL_NETWORK]}]}}, "not a valid CIDR"),
        ("scheduling.k8s.io/v1:PriorityClass", {"metadata": {"name": "system-x"}, "value": 1}, "reserved for system use"),
        ("scheduling.k8s.io/v1:PriorityClass", {"value": 2_000_000_000}, "maximum allowed value"),
        ("batch/v1:Job", {"spec": {"template": {"spec": {"containers": [container()]}}}}, "Unsupported value"),
        ("apps/v1:StatefulSet", {"spec": {"volumeClaimTemplates": [{"metadata": {"name": "d"}}]}}, "at least 1 access mode"),
    ],
)  # fmt: skip
def test_what_stands_around_pods_is_checked_too(token: str, body: Properties, said: str) -> None:
    words = complaints(f"kubernetes:{token}", {**NAMED, **body})
    assert [word for word in words if said in word], words


def refusals(asked: Properties, level: str, token: str = DEPLOYMENT) -> list[str]:
    namespace = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": level}}}
    return list(kind_of(token).refusals(Draft("id", asked, {}, (namespace,))))


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (f"{FIRST}.securityContext.allowPrivilegeEscalation", True, "allowPrivilegeEscalation != false"),
        (f"{FIRST}.securityContext.capabilities", {}, 'capabilities.drop=["ALL"]'),
        (f"{FIRST}.securityContext.runAsNonRoot", False, "runAsNonRoot != true"),
        (f"{FIRST}.securityContext.runAsUser", 0, "runAsUser=0"),
        (f"{FIRST}.securityContext.seccompProfile", {}, "seccompProfile"),
        (f"{FIRST}.securityContext.privileged", True, "privileged"),
        (f"{POD}.hostNetwork", True, "host namespaces"),
        (f"{POD}.volumes", [{"name": "host", "hostPath": {"path": "/"}}], "hostPath volumes"),
    ],
)
def test_a_restricted_namespace_lets_no_stronger_pod_in(path: str, value: Any, said: str) -> None:
    assert refusals(deployment(), "restricted") == []
    (words,) = refusals(changed(path, value), "restricted")
    assert said in words
    assert 'violates PodSecurity "restricted:latest"' in words
    assert refusals(changed(path, value), "privileged") == []


def test_pods_need_what_they_read() -> None:
    asked = changed(
        f"{FIRST}.envFrom", [{"secretRef": {"name": "key"}}, {"configMapRef": {"name": "c", "optional": True}}]
    )
    asked = changed(f"{POD}.priorityClassName", "critical", asked)
    asked = changed(f"{POD}.serviceAccountName", "app", asked)
    needed = {reference.identity: reference.missing for reference in kind_of(DEPLOYMENT).references(asked)}
    assert needed.keys() == {("here",), ("critical",), ("here", "app"), ("here", "key")}
    assert needed["here", "key"] == 'pods cannot start: secret "key" not found'


def test_what_cannot_be_changed_in_place_is_refused() -> None:
    before = {"metadata": {"name": "critical"}, "value": 1}
    draft = Draft("critical", {**before, "value": 2}, before, ())
    (words,) = kind_of("kubernetes:scheduling.k8s.io/v1:PriorityClass").refusals(draft)
    assert words == "value: Forbidden: may not be changed in an update"


def test_a_workload_is_said_to_be_complete() -> None:
    draft = Draft("here/app", changed("spec.replicas", 3), {}, ())
    status = kind_of(DEPLOYMENT).fill(draft)["status"]
    assert (status["readyReplicas"], status["availableReplicas"]) == (3, 3)
    assert {condition["type"] for condition in status["conditions"]} == {"Available", "Progressing"}

"""Kubernetes: a namespace where nothing talks by accident, nothing eats the cluster, and secrets stay secrets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]  # ships no types
import pulumi
import pytest
from pydantic import ValidationError

from components.kubernetes import Kubernetes, KubernetesSettings
from components.settings import SettingsError, Stage

Deploy = Callable[..., Any]

SETTINGS: dict[str, Any] = {
    "namespace": "sophia-ai-prod",
    "version": "1.34",
    "quota": {"cpu_requests": "4", "memory_requests": "16Gi", "cpu_limits": "8", "memory_limits": "24Gi", "gpus": 1},
    "allow": {
        "gateway": {
            "pods": {"sophia-ai/tier": "mcp"},
            "from": [{"namespace": "ingress-nginx"}],
            "ports": [{"port": 9000, "end_port": 9399}],
        },
        "https": {
            "to": [{"cidr": "0.0.0.0/0", "without": ["10.0.0.0/8", "169.254.0.0/16"]}],
            "ports": [{"port": 443}],
        },
    },
    "service_accounts": {"mcp": {"name": "mcp-servers"}},
    "secrets": {"openrouter": {"name": "openrouter", "data": {"OPENROUTER_API_KEY": {"output": "openrouter.agents"}}}},
}


def run(deploy: Deploy, *, stage: Stage = Stage.PROD, **changes: Any) -> Any:
    settings = KubernetesSettings.model_validate({**SETTINGS, **changes})

    def program() -> Kubernetes:
        outputs = {"openrouter.agents": pulumi.Output.from_input("sk-or-hunter2")}
        return Kubernetes("kubernetes", settings, stage=stage, outputs=outputs)

    return deploy(program, stack=stage.value)


def mistakes(**changes: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        KubernetesSettings.model_validate({**SETTINGS, **changes})
    return str(caught.value)


def test_every_manifest_is_valid_for_the_api_server(deploy: Deploy) -> None:
    deployment = run(deploy)
    manifests = [r.inputs for r in deployment.resources if r.type.startswith("kubernetes:")]
    for manifest in manifests:
        kubernetes_validate.validate(manifest, "1.31", strict=True)
    assert len(manifests) == 9


def test_everything_is_in_the_stages_namespace_and_waits_for_it(deploy: Deploy) -> None:
    deployment = run(deploy)
    namespace = deployment.one("Namespace")
    assert namespace.inputs["metadata"]["name"] == "sophia-ai-prod"
    for resource in deployment.resources:
        if resource.type.startswith("kubernetes:") and resource is not namespace:
            assert resource.inputs["metadata"]["namespace"] == "sophia-ai-prod"
            assert namespace.urn in resource.depends_on


def test_pods_that_could_take_over_a_node_are_refused(deploy: Deploy) -> None:
    labels = run(deploy).one("Namespace").inputs["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize(("stage", "kept"), [(Stage.PROD, True), (Stage.DEV, False)])
def test_the_namespace_is_protected_in_prod(deploy: Deploy, stage: Stage, kept: bool) -> None:
    namespace = run(deploy, stage=stage, namespace=f"sophia-ai-{stage}").one("Namespace")
    assert (namespace.protect, namespace.retain_on_delete) == (kept, kept), "its deletion takes every volume with it"


def test_a_stack_refuses_the_namespace_of_another(deploy: Deploy) -> None:
    with pytest.raises(SettingsError, match=r'Pulumi.dev.yaml: .*"sophia-ai-prod" belongs to prod'):
        run(deploy, stage=Stage.DEV)


def test_nothing_talks_unless_it_is_allowed(deploy: Deploy) -> None:
    deployment = run(deploy)
    assert deployment.one("NetworkPolicy", "default-deny").inputs["spec"] == {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
    }
    allowed = {p.inputs["metadata"]["name"] for p in deployment.of("NetworkPolicy")}
    assert allowed == {"default-deny", "default-dns", "allow-gateway", "allow-https"}
    dns = deployment.one("NetworkPolicy", "default-dns").inputs["spec"]
    assert dns["policyTypes"] == ["Egress"]
    assert [p["port"] for p in dns["egress"][0]["ports"]] == [53, 53]


def test_declared_connections_are_allowed_in_their_direction_only(deploy: Deploy) -> None:
    deployment = run(deploy)
    assert deployment.one("NetworkPolicy", "allow.gateway").inputs["spec"] == {
        "podSelector": {"matchLabels": {"sophia-ai/tier": "mcp"}},
        "policyTypes": ["Ingress"],
        "ingress": [
            {
                "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}}],
                "ports": [{"protocol": "TCP", "port": 9000, "endPort": 9399}],
            }
        ],
    }
    https = deployment.one("NetworkPolicy", "allow.https").inputs["spec"]
    assert https["policyTypes"] == ["Egress"]
    assert https["egress"][0]["to"] == [
        {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8", "169.254.0.0/16"]}}
    ], "the cloud's metadata address hands out credentials"


def test_the_quota_counts_whole_gpus(deploy: Deploy) -> None:
    hard = run(deploy).one("ResourceQuota").inputs["spec"]["hard"]
    assert hard["requests.nvidia.com/gpu"] == "1"
    assert (hard["requests.cpu"], hard["limits.memory"], hard["pods"]) == ("4", "24Gi", "50")


@pytest.mark.parametrize("gpus", [0.25, "0.25", "250m"])
def test_a_fraction_of_a_gpu_is_explained(gpus: object) -> None:
    message = mistakes(quota={**SETTINGS["quota"], "gpus": gpus})
    assert "time-slicing in the NVIDIA device plugin (4 replicas)" in message


def test_service_accounts_get_no_token_of_the_cluster(deploy: Deploy) -> None:
    account = run(deploy).one("ServiceAccount", "mcp").inputs
    assert account["automountServiceAccountToken"] is False, "a broken-in pod would hold a key to the cluster's API"


def test_secrets_are_secret_in_the_state_and_replaced_in_order(deploy: Deploy) -> None:
    secret = run(deploy).one("Secret", "openrouter")
    assert secret.inputs["stringData"] == {"OPENROUTER_API_KEY": "sk-or-hunter2"}
    assert [p for p in secret.secrets if p.startswith("stringData")], "the key would stand in the state in plain text"
    assert secret.delete_before_replace, "two Secrets of one name cannot exist"


def test_outputs_and_parents(deploy: Deploy) -> None:
    deployment = run(deploy)
    component = deployment.one("sophia:platform:Kubernetes")
    assert component.outputs == {
        "namespace": "sophia-ai-prod",
        "service_accounts": {"mcp": "mcp-servers"},
        "secrets": {"openrouter": "openrouter"},
        "priority_classes": {},
        "mcp_servers": {},
    }
    assert {r.parent for r in deployment.resources if r is not component} == {component.urn}
    assert {r.provider for r in deployment.resources} == {""}, (
        "an explicit provider would put KUBECONFIG into the state"
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"namespace": "Sophia_AI"}, "lower-case letters, digits and hyphens"),
        ({"quota": {**SETTINGS["quota"], "cpu_requests": "4 cores"}}, "must be a quantity"),
        ({"allow": {"x": {"ports": [{"port": 1}]}}}, "must give either `from` or `to`"),
        ({"allow": {"x": {"from": [{}], "ports": [{"port": 1}]}}}, "must give either `cidr`"),
        ({"allow": {"x": {"from": [{"cidr": "10.0.0.1/8"}], "ports": [{"port": 1}]}}}, "must be a network"),
        ({"allow": {"x": {"to": [{"cidr": "10.0.0.0/8", "without": ["11.0.0.0/8"]}], "ports": [{"port": 1}]}}}, "not part"),
        ({"allow": {"x": {"to": [{"pods": {"a": "b"}}], "ports": [{"port": 9, "end_port": 8}]}}}, "must not be lower"),
        ({"secrets": {"x": {"name": "x", "data": {"bad key": {"output": "o"}}}}}, "must be letters, digits, dots"),
        ({"service_accounts": {"x": {"name": "X"}}}, "lower-case letters"),
    ],
)  # fmt: skip
def test_mistakes_that_the_cluster_would_find_late_are_found_early(changes: dict[str, Any], message: str) -> None:
    assert message in mistakes(**changes)

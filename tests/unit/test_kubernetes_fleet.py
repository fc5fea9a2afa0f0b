"""The fleet of MCP servers: all about one of them stands in its one entry, and the rest follows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from pydantic import ValidationError

from components.kubernetes import Kubernetes, KubernetesSettings
from components.settings import Stage

Deploy = Callable[..., Any]

DIGEST = "@sha256:" + 64 * "0"
RESOURCES = {"cpu_request": "100m", "memory_request": "128Mi", "cpu_limit": "200m", "memory_limit": "256Mi"}
SERVER: dict[str, Any] = {
    "name": "mcp-gong",
    "image": f"ghcr.io/pay-ready/mcp-gong:1.0.0{DIGEST}",
    "port": 9030,
    "replicas": 2,
    "resources": RESOURCES,
    "secrets": ["gong"],
    "environment": {"LOG_LEVEL": "info"},
    "callers": ["agents"],
    "calls": ["internet"],
    "public": True,
    "priority": "standard",
}
OTHER: dict[str, Any] = {
    **SERVER,
    "name": "mcp-embeddings",
    "port": 9040,
    "resources": {**RESOURCES, "gpus": 1},
    "callers": ["gong"],
    "calls": [],
    "secrets": [],
    "public": False,
}
SETTINGS: dict[str, Any] = {
    "namespace": "sophia-ai-dev",
    "version": "1.34",
    "quota": {"cpu_requests": "4", "memory_requests": "16Gi", "cpu_limits": "8", "memory_limits": "24Gi", "gpus": 2},
    "priority_classes": {"standard": {"value": 10000, "description": "What people wait for"}},
    "gpu": {"image": f"nvcr.io/nvidia/k8s-device-plugin:v0.17.1{DIGEST}", "nodes": {"sophia-ai/pool": "gpu"}},
    "ingress": {"host": "agents.example.com", "issuer": "letsencrypt"},
    "secrets": {"gong": {"name": "gong-api", "data": {"GONG_ACCESS_KEY": {"output": "gong"}}}},
    "peers": {
        "agents": {"pods": {"sophia-ai/tier": "agent"}},
        "internet": {"cidr": "0.0.0.0/0", "without": ["10.0.0.0/8"], "ports": [443]},
    },
    "mcp_servers": {"gong": SERVER, "embeddings": OTHER},
}


def run(deploy: Deploy, **changes: Any) -> Any:
    settings = KubernetesSettings.model_validate({**SETTINGS, **changes})

    def program() -> Kubernetes:
        outputs = {"gong": pulumi.Output.from_input("hunter2")}
        return Kubernetes("kubernetes", settings, stage=Stage.DEV, outputs=outputs)

    return deploy(program, stack="dev")


def mistakes(**changes: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        KubernetesSettings.model_validate({**SETTINGS, **changes})
    return str(caught.value)


def server(**changes: Any) -> dict[str, Any]:
    return {"gong": {**SERVER, **changes}}


def test_one_more_entry_is_one_more_server_with_all_that_it_needs(deploy: Deploy) -> None:
    more = {**SETTINGS["mcp_servers"], "slack": {**SERVER, "name": "mcp-slack", "port": 9050}}
    before = {r.urn for r in run(deploy).resources}
    after = {
        (r.type.rsplit(":", 1)[-1], r.name) for r in run(deploy, mcp_servers=more).resources if r.urn not in before
    }
    assert after == {
        ("Deployment", "mcp.slack"),
        ("Service", "mcp.slack"),
        ("PodDisruptionBudget", "mcp.slack"),
        ("ServiceAccount", "mcp.slack.account"),
        ("NetworkPolicy", "mcp.slack.connections"),
        ("NetworkPolicy", "mcp.slack.from.agent"),
        ("NetworkPolicy", "mcp.slack.from.prometheus"),
    }


def test_the_host_has_a_path_for_every_public_server(deploy: Deploy) -> None:
    ingress = run(deploy).one("Ingress").inputs
    (rule,) = ingress["spec"]["rules"]
    assert rule["host"] == "agents.example.com"
    assert [(path["path"], path["backend"]["service"]) for path in rule["http"]["paths"]] == [
        ("/mcp/gong", {"name": "mcp-gong", "port": {"name": "http"}})
    ]
    assert ingress["spec"]["tls"] == [{"hosts": ["agents.example.com"], "secretName": "ingress-tls"}]
    assert ingress["metadata"]["annotations"]["cert-manager.io/cluster-issuer"] == "letsencrypt"


def test_a_server_is_told_its_port_and_path_and_given_its_secrets(deploy: Deploy) -> None:
    spec = run(deploy).one("Deployment", "mcp.gong").inputs["spec"]["template"]["spec"]
    (made,) = spec["containers"]
    assert {one["name"]: one["value"] for one in made["env"]} == {
        "MCP_NAME": "mcp-gong",
        "MCP_PATH": "/mcp/gong",
        "MCP_PORT": "9030",
        "LOG_LEVEL": "info",
    }
    assert made["envFrom"] == [{"secretRef": {"name": "gong-api"}}]
    assert spec["priorityClassName"] == "sophia-ai-dev-standard", "three stages may share a cluster"
    assert made["startupProbe"]["failureThreshold"] * made["startupProbe"]["periodSeconds"] == 60


def test_a_call_between_two_servers_is_said_by_one_of_them(deploy: Deploy) -> None:
    deployment = run(deploy)
    caller = deployment.one("NetworkPolicy", "mcp.embeddings.from.mcp-gong").inputs["spec"]
    assert caller["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "mcp-gong"}
    assert caller["egress"][0]["ports"] == [{"protocol": "TCP", "port": 9040}]
    called = deployment.one("NetworkPolicy", "mcp.embeddings.connections").inputs["spec"]
    assert called["ingress"][0]["from"] == [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "mcp-gong"}}}]


def test_gpus_are_divided_on_the_stages_own_nodes(deploy: Deploy) -> None:
    deployment = run(deploy)
    plugin = deployment.one("DaemonSet").inputs
    assert plugin["metadata"]["namespace"] == "sophia-ai-dev-gpu"
    spec = plugin["spec"]["template"]["spec"]
    assert spec["nodeSelector"] == {"sophia-ai/pool": "gpu"}
    assert spec["containers"][0]["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    (config,) = deployment.of("ConfigMap")
    assert '"replicas": 4' in config.inputs["data"]["config.json"]
    assert deployment.one("Deployment", "mcp.embeddings").inputs["spec"]["template"]["spec"]["nodeSelector"] == {
        "sophia-ai/pool": "gpu"
    }
    levels = {
        namespace.inputs["metadata"]["name"]: namespace.inputs["metadata"]["labels"][
            "pod-security.kubernetes.io/enforce"
        ]
        for namespace in deployment.of("Namespace")
    }
    assert levels == {"sophia-ai-dev": "restricted", "sophia-ai-dev-gpu": "privileged"}


def test_a_fraction_of_a_gpu_is_explained() -> None:
    message = mistakes(mcp_servers=server(resources={**RESOURCES, "gpus": 0.25}))
    assert "time-slicing in the NVIDIA device plugin (4 replicas)" in message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (server(image="ghcr.io/pay-ready/mcp-gong:1.0.0"), "a tag can be moved to another image"),
        (server(image=f"ghcr.io/pay-ready/mcp-gong:latest{DIGEST}"), "latest says nothing"),
        (server(port=8080), "greater than or equal to 9000"),
        ({"a": SERVER, "b": {**SERVER, "name": "b"}}, "is that of mcp_servers.a: each needs its own"),
        ({"a": SERVER, "b": {**SERVER, "port": 9031}}, "is that of mcp_servers.a: each needs its own"),
        (server(secrets=["gnog"]), 'no secret "gnog" is declared (did you mean "gong"?)'),
        (server(callers=["agent"]), 'no peer or server "agent" is declared (did you mean "agents"?)'),
        (server(calls=["agents"]), "peers.agents does not say at which ports"),
        (server(calls=["gong"]), "is the server itself"),
        (server(callers=[], public=False), "nobody could call it"),
        (server(replicas=None), "must give either `replicas` or `autoscaling`"),
        (server(environment={"MCP_PORT": "1"}), "is given to every server by the program"),
        (server(priority="urgent"), 'no priority class "urgent" is declared'),
        (server(resources={**RESOURCES, "cpu_request": "1"}), "must not be more than cpu_limit (200m)"),
        (server(replicas=50), "the workloads need 5, and 4 is less by 1"),
        ({"agents": SERVER}, "is the name of an MCP server as well"),
    ],
)
def test_mistakes_are_found_before_anything_is_made(changes: dict[str, Any], message: str) -> None:
    assert message in mistakes(mcp_servers=changes)


@pytest.mark.parametrize(
    ("missing", "message"), [("ingress", "needs `ingress`"), ("gpu", "needs `gpu`, the device plugin")]
)
def test_what_the_fleet_needs_around_it(missing: str, message: str) -> None:
    assert message in mistakes(**{missing: None})

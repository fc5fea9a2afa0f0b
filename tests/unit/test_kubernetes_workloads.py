"""What every workload gets without asking for it, and what none can get."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]  # ships no types
import pulumi
import pytest

from components.kubernetes.containers import (
    Container,
    EmptyDir,
    FromConfigMap,
    FromSecret,
    HostPath,
    Mount,
    Pod,
    Probe,
    Toleration,
)
from components.kubernetes.network import Allow, Peer, workload
from components.kubernetes.settings import QuotaSettings
from components.kubernetes.values import Resources
from components.kubernetes.workloads import Autoscaling, Claim, Metrics, Route, Workloads
from components.settings import SettingsError

Deploy = Callable[..., Any]

SMALL = Resources(cpu_request="100m", memory_request="128Mi", cpu_limit="200m", memory_limit="256Mi")
QUOTA = QuotaSettings(cpu_requests="1", memory_requests="2Gi", cpu_limits="4", memory_limits="4Gi")
DIGEST = "registry.example.com/app:1.0.0@sha256:" + 64 * "a"
ALIVE = Probe(path="/healthz")


def container(**changes: Any) -> Container:
    standard = {"name": "app", "image": DIGEST, "resources": SMALL, "ports": {"http": 8080}}
    return Container(**{**standard, "readiness": ALIVE, "liveness": ALIVE, **changes})


def pod(*containers: Container, **changes: Any) -> Pod:
    return Pod(containers=containers or (container(),), **changes)


class Parent(pulumi.ComponentResource):
    """A component that deploys workloads."""

    def __init__(self, quota: QuotaSettings | None, ingress: str | None) -> None:
        super().__init__("test:index:Parent", "parent")
        opts = pulumi.ResourceOptions(parent=self)
        namespace = pulumi.Output.from_input("sophia-ai-test")
        self.workloads = Workloads(namespace, quota=quota, ingress_namespace=ingress, opts=opts)


def run(
    deploy: Deploy,
    act: Callable[[Workloads], object],
    *,
    quota: QuotaSettings | None = None,
    ingress: str | None = "ingress-nginx",
) -> Any:
    def program() -> Workloads:
        workloads = Parent(quota, ingress).workloads
        act(workloads)
        return workloads

    deployment = deploy(program, stack="dev")
    for resource in deployment.resources:
        if resource.type.startswith("kubernetes:"):
            kubernetes_validate.validate(resource.inputs, "1.34", strict=True)
    return deployment


def spec_of(deployment: Any, kind: str = "Deployment") -> dict[str, Any]:
    found: dict[str, Any] = deployment.one(kind).inputs["spec"]["template"]["spec"]
    return found


def test_a_container_can_do_nothing_that_it_does_not_need(deploy: Deploy) -> None:
    spec = spec_of(run(deploy, lambda made: made.deployment("app", "app", pod())))
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"] == {
        "seccompProfile": {"type": "RuntimeDefault"},
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "fsGroup": 65532,
        "fsGroupChangePolicy": "OnRootMismatch",
    }
    assert spec["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert spec["containers"][0]["resources"] == {
        "requests": {"cpu": "100m", "memory": "128Mi", "ephemeral-storage": "256Mi"},
        "limits": {"cpu": "200m", "memory": "256Mi", "ephemeral-storage": "256Mi"},
    }


def test_two_replicas_are_spread_and_never_taken_away_together(deploy: Deploy) -> None:
    deployment = run(deploy, lambda made: made.deployment("app", "app", pod(), replicas=2))
    (constraint,) = spec_of(deployment)["topologySpreadConstraints"]
    assert (constraint["topologyKey"], constraint["whenUnsatisfiable"]) == ("kubernetes.io/hostname", "ScheduleAnyway")
    budget = deployment.one("PodDisruptionBudget").inputs["spec"]
    assert budget["maxUnavailable"] == 1
    assert budget["selector"]["matchLabels"] == {"app.kubernetes.io/name": "app"}
    assert deployment.one("Deployment").inputs["spec"]["strategy"]["rollingUpdate"] == {
        "maxSurge": 1,
        "maxUnavailable": 0,
    }


def test_one_replica_does_not_keep_a_node_from_being_emptied(deploy: Deploy) -> None:
    assert run(deploy, lambda made: made.deployment("app", "app", pod())).of("PodDisruptionBudget") == ()


def test_the_autoscaler_alone_says_how_many_there_are(deploy: Deploy) -> None:
    scaling = Autoscaling(min=2, max=5, cpu_percent=70)
    deployment = run(deploy, lambda made: made.deployment("app", "app", pod(), autoscaling=scaling))
    assert "replicas" not in deployment.one("Deployment").inputs["spec"], "every deployment would set it back"
    autoscaler = deployment.one("HorizontalPodAutoscaler").inputs["spec"]
    assert (autoscaler["minReplicas"], autoscaler["maxReplicas"]) == (2, 5)
    assert autoscaler["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "app"}
    assert deployment.result.all[0].max_replicas == 5


def test_a_connection_is_declared_once_and_opened_on_both_sides(deploy: Deploy) -> None:
    allow = Allow(from_=(Peer(pods={"sophia-ai/tier": "agent"}),), to=(workload("redis", 6379),))
    deployment = run(deploy, lambda made: made.deployment("app", "app", pod(), allow=allow))
    policies = {p.inputs["metadata"]["name"]: p.inputs["spec"] for p in deployment.of("NetworkPolicy")}
    assert policies.keys() == {"app", "app-from-agent", "app-to-redis"}
    this, agents, redis = (
        {"podSelector": {"matchLabels": labels}}
        for labels in (
            {"app.kubernetes.io/name": "app"},
            {"sophia-ai/tier": "agent"},
            {"app.kubernetes.io/name": "redis"},
        )
    )
    http, resp = ([{"protocol": "TCP", "port": port}] for port in (8080, 6379))
    assert policies["app"] == {
        **this,
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [agents], "ports": http}],
        "egress": [{"to": [redis], "ports": resp}],
    }
    assert policies["app-from-agent"] == {
        **agents,
        "policyTypes": ["Egress"],
        "egress": [{"to": [this], "ports": http}],
    }
    assert policies["app-to-redis"] == {
        **redis,
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [this], "ports": resp}],
    }


def test_what_declares_nothing_talks_to_nobody(deploy: Deploy) -> None:
    deployment = run(deploy, lambda made: made.deployment("app", "app", pod()))
    assert deployment.one("NetworkPolicy").inputs["spec"] == {
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": "app"}},
        "policyTypes": ["Ingress", "Egress"],
    }


def test_metrics_let_prometheus_in_and_routes_the_ingress(deploy: Deploy) -> None:
    app = pod(container(ports={"http": 8080, "metrics": 9100}))
    deployment = run(
        deploy,
        lambda made: made.deployment(
            "app", "app", app, service={"http": 80}, metrics=Metrics(), routes=(Route(path="/app", port="http"),)
        ),
    )
    ingress = deployment.one("NetworkPolicy", "app.connections").inputs["spec"]["ingress"]
    assert [rule["ports"][0]["port"] for rule in ingress] == [8080, 9100]
    assert ingress[0]["from"][0]["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "ingress-nginx"}
    assert ingress[1]["from"][0]["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "prometheus"}
    ((route, routed),) = deployment.result.routes
    assert (route.path, routed.name) == ("/app", "app")


def test_without_an_ingress_a_route_is_a_mistake(deploy: Deploy) -> None:
    with pytest.raises(SettingsError, match=r"kubernetes\.ingress: is missing, and app is to be reached at /app"):
        run(
            deploy,
            lambda made: made.deployment("app", "app", pod(), routes=(Route(path="/app", port="http"),)),
            ingress=None,
        )


def test_a_stateful_set_keeps_its_disks_and_names_its_pods(deploy: Deploy) -> None:
    stored = pod(
        container(mounts={"/data": Mount(volume="data", read_only=False)}), spread_over=("kubernetes.io/hostname",)
    )
    deployment = run(
        deploy,
        lambda made: made.stateful_set(
            "db", "db", stored, replicas=3, claims={"data": Claim(size="10Gi")}, service={"http": 8080}
        ),
    )
    spec = deployment.one("StatefulSet").inputs["spec"]
    assert spec["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}
    assert spec["serviceName"] == "db-headless"
    headless = deployment.one("Service", "db.headless").inputs["spec"]
    assert (headless["clusterIP"], headless["publishNotReadyAddresses"]) == ("None", True)
    (constraint,) = spec["template"]["spec"]["topologySpreadConstraints"]
    assert constraint["whenUnsatisfiable"] == "DoNotSchedule"
    assert deployment.result.all[0].demand.persistent_volume_claims == 3


def test_a_job_has_no_probes_and_ends(deploy: Deploy) -> None:
    once = pod(container(readiness=None, liveness=None, ports={}))
    deployment = run(deploy, lambda made: made.job("setup", "setup", once))
    job = deployment.one("Job")
    assert job.delete_before_replace
    assert job.inputs["spec"]["activeDeadlineSeconds"] == 600
    assert spec_of(deployment, "Job")["restartPolicy"] == "Never"


def test_new_configuration_is_a_new_object(deploy: Deploy) -> None:
    def names(text: str) -> str:
        deployment = run(deploy, lambda made: made.config_map("config", "app", {"app.conf": text}))
        assert deployment.one("ConfigMap").inputs["immutable"] is True
        return str(deployment.one("ConfigMap").inputs["metadata"]["name"])

    assert names("a") == names("a") != names("b")


def test_all_of_a_secret_is_secret(deploy: Deploy) -> None:
    secret = run(deploy, lambda made: made.secret("key", "key", {"A": "hunter2"})).one("Secret")
    assert [path for path in secret.secrets if path.startswith("stringData")]
    assert secret.delete_before_replace


def test_pods_with_gpus_wait_for_none_that_is_not_there(deploy: Deploy) -> None:
    gpu = Resources(cpu_request="1", memory_request="1Gi", cpu_limit="1", memory_limit="1Gi", gpus=1)
    deployment = run(deploy, lambda made: made.deployment("app", "app", pod(container(resources=gpu)), replicas=2))
    rolling = deployment.one("Deployment").inputs["spec"]["strategy"]["rollingUpdate"]
    assert rolling == {"maxSurge": 0, "maxUnavailable": 1}
    spec = spec_of(deployment)
    assert spec["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    resources = spec["containers"][0]["resources"]
    assert resources["requests"]["nvidia.com/gpu"] == resources["limits"]["nvidia.com/gpu"] == "1"


def test_volumes_and_environment(deploy: Deploy) -> None:
    full = pod(
        container(
            environment={"MODE": "production"},
            secrets=("all-of-it",),
            fields={"POD_NAME": "metadata.name"},
            mounts={"/tmp": Mount(volume="tmp", read_only=False), "/etc/app": Mount(volume="config")},
            before_stop=("sleep", "5"),
        ),
        init_containers=(container(name="prepare", readiness=None, liveness=None, ports={}),),
        volumes={
            "tmp": EmptyDir(size="1Gi", memory=True),
            "config": FromConfigMap(name="config", items={"a": "b"}),
            "tls": FromSecret(name="tls"),
        },
        annotations={"sophia-ai/checksum": "x"},
        tolerations=(Toleration(key="dedicated"),),
    )  # fmt: skip
    deployment = run(deploy, lambda made: made.deployment("app", "app", full))
    (made,) = spec_of(deployment)["containers"]
    assert [variable["name"] for variable in made["env"]] == ["POD_NAME", "MODE"]
    assert made["envFrom"] == [{"secretRef": {"name": "all-of-it"}}]
    volumes = {volume["name"]: volume for volume in spec_of(deployment)["volumes"]}
    assert volumes["tmp"]["emptyDir"] == {"medium": "Memory", "sizeLimit": "1Gi"}
    assert volumes["tls"]["secret"] == {"secretName": "tls", "defaultMode": 0o440}


def test_a_container_fills_no_disk_of_its_node(deploy: Deploy) -> None:
    """Logs and what it may write count; memory, disks of the pod's own and files of others do not."""
    mounts = {
        "/tmp": Mount(volume="tmp", read_only=False),
        "/cache": Mount(volume="cache", read_only=False),
        "/fast": Mount(volume="fast", read_only=False),
        "/data": Mount(volume="data", read_only=False),
        "/shown": Mount(volume="shown"),
    }
    volumes = {
        "tmp": EmptyDir(),
        "cache": EmptyDir(size="1.5Gi"),
        "fast": EmptyDir(size="2Gi", memory=True),
        "shown": EmptyDir(size="8Gi"),
    }
    deployment = run(
        deploy,
        lambda made: made.stateful_set(
            "app", "app", pod(container(mounts=mounts), volumes=volumes), replicas=1, claims={"data": Claim(size="9Gi")}
        ),
    )
    resources = spec_of(deployment, "StatefulSet")["containers"][0]["resources"]
    for part in ("requests", "limits"):
        assert resources[part]["ephemeral-storage"] == f"{256 + 64 + 1536}Mi"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (pod(container(liveness=None)), "no readiness or no liveness probe"),
        (pod(init_containers=(container(name="x"),)), "an init container ends by itself"),
        (pod(user=0), "no pod runs as root without an exemption"),
        (pod(volumes={"host": HostPath(path="/var/run")}), "need an exemption: /var/run"),
    ],
)
def test_what_no_pod_may_be(deploy: Deploy, wrong: Pod, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run(deploy, lambda made: made.deployment("app", "app", wrong))


def test_a_destination_without_ports_would_open_all_of_them(deploy: Deploy) -> None:
    allow = Allow(to=(Peer(cidr="10.0.0.0/8"),))
    with pytest.raises(ValueError, match="without saying at which port"):
        run(deploy, lambda made: made.deployment("app", "app", pod(), allow=allow))


def test_the_quota_says_by_how_much_it_is_too_small(deploy: Deploy) -> None:
    def act(made: Workloads) -> None:
        made.deployment("one", "one", pod(), replicas=5)
        made.deployment("two", "two", pod(), replicas=5)

    # 10 pods at 100m, and one more while the last is rolled out
    with pytest.raises(
        SettingsError, match=r"quota\.cpu_requests: up to two, the workloads need 1\.1, and 1 is less by 0\.1"
    ):
        run(deploy, act, quota=QUOTA)


def test_a_workload_is_known_to_those_who_watch_it(deploy: Deploy) -> None:
    deployment = run(
        deploy,
        lambda made: made.deployment(
            "app", "app", pod(), service={"http": 80}, replicas=2, metrics=Metrics(port="http")
        ),
    )
    (known,) = deployment.result.all
    assert (known.name, known.kind, known.replicas, known.ports) == ("app", "Deployment", 2, {"http": 8080})
    assert known.containers == ("app",)

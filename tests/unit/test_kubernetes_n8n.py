"""n8n in queue mode: timers that fire once, credentials that can be read again, code that reaches nothing it should not."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import bcrypt
import kubernetes_validate  # type: ignore[import-untyped]  # ships no types
import pulumi
import pytest
from pydantic import ValidationError

from components.kubernetes import Kubernetes, KubernetesSettings
from components.kubernetes.n8n_settings import N8nSettings
from components.settings import Stage
from providers.base.engine import plain
from providers.passwords import PasswordProvider

Deploy = Callable[..., Any]

DIGEST = "@sha256:" + "0123456789abcdef" * 4
RESOURCES = {"cpu_request": "250m", "memory_request": "512Mi", "cpu_limit": "1", "memory_limit": "1Gi"}
STORE = {"image": f"docker.io/library/store:1.2{DIGEST}", "resources": RESOURCES, "storage": {"size": "10Gi"}}
N8N: dict[str, Any] = {
    "image": f"docker.io/n8nio/n8n:2.41.6{DIGEST}",
    "runners_image": f"docker.io/n8nio/runners:2.41.6{DIGEST}",
    "timezone": "America/New_York",
    "owner": {"email": "ops@example.com", "first_name": "Pay", "last_name": "Ready"},
    "main": {"resources": RESOURCES},
    "webhooks": {"resources": RESOURCES},
    "workers": {"min": 2, "max": 4, "resources": RESOURCES, "runner_resources": RESOURCES},
    "redis": STORE,
    "postgres": STORE,
}
FOREIGN = {"host": "db.example.com", "port": 6543, "password": {"output": "database.password"}}
COMPUTED: dict[str, Callable[[str, dict[str, Any]], dict[str, Any]]] = {
    "pulumi-python:dynamic/passwords:Password": lambda name, _: {"password": f"pw-{name}", "bcrypt": f"hash-{name}"},
}


def without_postgres(**changes: Any) -> dict[str, Any]:
    settings = {**copy.deepcopy(N8N), **changes}
    del settings["postgres"]
    return settings


def run(deploy: Deploy, settings: dict[str, Any] = N8N, *, stage: Stage = Stage.PROD) -> Any:
    quota = {"cpu_requests": "16", "memory_requests": "32Gi", "cpu_limits": "32", "memory_limits": "64Gi"}
    whole = KubernetesSettings.model_validate(
        {
            "namespace": f"sophia-ai-{stage}",
            "version": "1.31",
            "quota": quota,
            "ingress": {"host": "agents.example.com", "issuer": "letsencrypt"},
            "n8n": settings,
        }
    )

    def program() -> Kubernetes:
        outputs = {"database.password": pulumi.Output.from_input("foreign-hunter2")}
        return Kubernetes("kubernetes", whole, stage=stage, outputs=outputs)

    return deploy(program, stack=stage.value, computed=COMPUTED)


def container(deployment: Any, key: str, name: str) -> dict[str, Any]:
    containers = deployment.one("Deployment", key).inputs["spec"]["template"]["spec"]["containers"]
    found: dict[str, Any] = next(one for one in containers if one["name"] == name)
    return found


def environment(deployment: Any, key: str, name: str) -> dict[str, Any]:
    return {one["name"]: one.get("value", one.get("valueFrom")) for one in container(deployment, key, name)["env"]}


def volume_at(deployment: Any, key: str, name: str, path: str) -> dict[str, Any]:
    """The Secret that a container of a deployment has at a path."""
    (mount,) = [one for one in container(deployment, key, name)["volumeMounts"] if one["mountPath"] == path]
    volumes = deployment.one("Deployment", key).inputs["spec"]["template"]["spec"]["volumes"]
    found: dict[str, Any] = next(one["secret"] for one in volumes if one["name"] == mount["name"])
    return found


def test_every_manifest_is_valid_for_the_api_server(deploy: Deploy) -> None:
    manifests = [r.inputs for r in run(deploy).resources if r.type.startswith("kubernetes:")]
    for manifest in manifests:
        kubernetes_validate.validate(manifest, "1.31", strict=True)
    assert sum(m["kind"] in {"Deployment", "StatefulSet"} for m in manifests) == 5


def test_there_is_never_a_second_main_process(deploy: Deploy) -> None:
    spec = run(deploy).one("Deployment", "n8n").inputs["spec"]
    assert spec["replicas"] == 1
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}, "every timer would fire twice"


def test_production_calls_go_to_the_webhook_processors_and_the_rest_to_main(deploy: Deploy) -> None:
    (rule,) = run(deploy).one("Ingress").inputs["spec"]["rules"]
    sent = {path["path"]: path["backend"]["service"]["name"] for path in rule["http"]["paths"]}
    assert sent.pop("/") == "n8n"
    assert sent.keys() >= {"/webhook", "/webhook-waiting", "/form", "/form-waiting"}
    assert set(sent.values()) == {"n8n-webhook"}
    assert "/webhook-test" not in sent, "tests run in the editor's process"


def test_the_figures_of_n8n_are_not_for_the_world(deploy: Deploy) -> None:
    deployment = run(deploy)
    (rule,) = deployment.one("Ingress").inputs["spec"]["rules"]
    sent = {path["path"]: path["backend"]["service"]["name"] for path in rule["http"]["paths"]}
    assert sent["/metrics"] == "n8n-webhook"
    assert environment(deployment, "n8n.webhook", "webhook")["N8N_METRICS"] == "false"


def test_all_processes_work_on_the_same_queue_and_database(deploy: Deploy) -> None:
    deployment = run(deploy)
    for key, name in (("n8n", "main"), ("n8n.webhook", "webhook"), ("n8n.worker", "worker")):
        values = environment(deployment, key, name)
        assert values["EXECUTIONS_MODE"] == "queue"
        assert values["QUEUE_BULL_REDIS_HOST"] == "n8n-redis.sophia-ai-prod.svc.cluster.local"
        assert values["DB_POSTGRESDB_HOST"] == "n8n-postgres.sophia-ai-prod.svc.cluster.local"
        assert values["WEBHOOK_URL"] == "https://agents.example.com/"
    assert container(deployment, "n8n.worker", "worker")["args"] == ["worker", "--concurrency=10"]


def test_secrets_are_files_that_no_node_of_a_workflow_reads(deploy: Deploy) -> None:
    deployment = run(deploy)
    secrets = deployment.one("Secret", "n8n").inputs["stringData"]
    for key, name in (("n8n", "main"), ("n8n.webhook", "webhook"), ("n8n.worker", "worker")):
        values = environment(deployment, key, name)
        assert secrets.keys().isdisjoint(values)
        assert {f"{secret}_FILE": f"/etc/n8n-secrets/{secret}" for secret in secrets}.items() <= values.items()
        assert volume_at(deployment, key, name, "/etc/n8n-secrets") == {"secretName": "n8n", "defaultMode": 0o440}
        assert values["N8N_RESTRICT_FILE_ACCESS_TO"] == "/home/node/.n8n-files"


def test_code_of_users_sees_no_key_of_n8n(deploy: Deploy) -> None:
    deployment = run(deploy)
    runner = container(deployment, "n8n.worker", "runner")
    assert "envFrom" not in runner
    assert environment(deployment, "n8n.worker", "runner") == {
        "N8N_RUNNERS_AUTH_TOKEN_FILE": "/etc/n8n-runner/token",
        "N8N_RUNNERS_TASK_BROKER_URI": "http://127.0.0.1:5679",
        "N8N_RUNNERS_LAUNCHER_HEALTH_CHECK_PORT": "5680",
        "GENERIC_TIMEZONE": "America/New_York",
    }
    assert [mount["mountPath"] for mount in runner["volumeMounts"]] == ["/tmp", "/etc/n8n-runner"]
    shown = volume_at(deployment, "n8n.worker", "runner", "/etc/n8n-runner")
    assert shown["items"] == [{"key": "N8N_RUNNERS_AUTH_TOKEN", "path": "token"}]


def test_the_encryption_key_outlives_the_stack_in_prod(deploy: Deploy) -> None:
    key = run(deploy).one("Password", "n8n.encryption-key")
    assert (key.protect, key.retain_on_delete) == (True, True), "without it every credential of n8n is lost"
    secret = run(deploy).one("Secret", "n8n")
    assert secret.inputs["stringData"]["N8N_ENCRYPTION_KEY"] == "pw-n8n.encryption-key"
    assert any(path.startswith("stringData") for path in secret.secrets)


def test_nobody_can_claim_the_instance_by_being_first(deploy: Deploy) -> None:
    values = environment(run(deploy), "n8n", "main")
    assert values["N8N_INSTANCE_OWNER_MANAGED_BY_ENV"] == "true"
    assert values["N8N_INSTANCE_OWNER_PASSWORD_HASH_FILE"] == "/etc/n8n-owner/bcrypt"


def test_n8n_sees_the_hash_of_the_owners_password_alone(deploy: Deploy) -> None:
    shown = volume_at(run(deploy), "n8n", "main", "/etc/n8n-owner")
    assert (shown["secretName"], shown["items"]) == ("n8n-owner", [{"key": "bcrypt", "path": "bcrypt"}])


def test_the_stores_are_open_to_n8n_only(deploy: Deploy) -> None:
    deployment = run(deploy)
    for store in ("n8n-postgres", "n8n-redis"):
        (own,) = [p.inputs["spec"] for p in deployment.of("NetworkPolicy") if p.inputs["metadata"]["name"] == store]
        callers = {rule["from"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/name"] for rule in own["ingress"]}
        assert callers == {"n8n", "n8n-worker", "n8n-webhook"}
        assert "egress" not in own


def test_the_password_of_the_queue_is_in_no_environment(deploy: Deploy) -> None:
    template = run(deploy).one("StatefulSet", "n8n-redis").inputs["spec"]["template"]["spec"]
    (redis,) = template["containers"]
    assert "env" not in redis
    (_, _, asked) = redis["readinessProbe"]["exec"]["command"]
    assert asked == 'REDISCLI_AUTH="$(cat /etc/redis/password)" redis-cli ping | grep -q PONG'
    assert template["volumes"][0]["secret"] == {"secretName": "n8n-redis-configuration", "defaultMode": 0o440}


def test_a_database_that_recovers_is_not_killed_for_it(deploy: Deploy) -> None:
    (postgres,) = run(deploy).one("StatefulSet", "n8n-postgres").inputs["spec"]["template"]["spec"]["containers"]
    assert postgres["readinessProbe"]["exec"]["command"][0] == "pg_isready"
    assert postgres["livenessProbe"]["tcpSocket"] == {"port": "postgres"}


def test_the_queue_keeps_what_waits(deploy: Deploy) -> None:
    secret = run(deploy).one("Secret", "n8n-redis.configuration").inputs["stringData"]
    lines = secret["redis.conf"].splitlines()
    assert {"appendonly yes", "maxmemory-policy noeviction", "requirepass pw-n8n.queue"} <= set(lines)


@pytest.mark.parametrize(("stage", "kept"), [(Stage.PROD, "Retain"), (Stage.DEV, "Delete")])
def test_the_database_stays_in_prod(deploy: Deploy, stage: Stage, kept: str) -> None:
    spec = run(deploy, stage=stage).one("StatefulSet", "n8n-postgres").inputs["spec"]
    assert spec["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == kept


def test_a_database_of_others_is_reached_by_tls(deploy: Deploy) -> None:
    deployment = run(deploy, without_postgres(database=FOREIGN))
    assert [s.name for s in deployment.of("StatefulSet")] == ["n8n-redis"]
    values = environment(deployment, "n8n.worker", "worker")
    assert (values["DB_POSTGRESDB_HOST"], values["DB_POSTGRESDB_PORT"]) == ("db.example.com", "6543")
    assert (values["DB_POSTGRESDB_SSL_ENABLED"], values["DB_POSTGRESDB_SSL_REJECT_UNAUTHORIZED"]) == ("true", "true")
    assert deployment.one("Secret", "n8n").inputs["stringData"]["DB_POSTGRESDB_PASSWORD"] == "foreign-hunter2"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (without_postgres(), "must give either `postgres`"),
        ({**N8N, "database": FOREIGN}, "must give either `postgres`"),
        ({**N8N, "runners_image": f"docker.io/n8nio/runners:2.40.0{DIGEST}"}, "must be of n8n's own version, 2.41.6"),
        ({**N8N, "workers": {**N8N["workers"], "max": 1}}, "must not be lower than min (2)"),
        ({**N8N, "owner": {**N8N["owner"], "email": "ops"}}, "must be an address"),
    ],
)
def test_a_mistake_is_said_before_anything_is_deployed(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        N8nSettings.model_validate(settings)
    assert message in str(caught.value)


def test_a_minted_password_fits_its_hash_and_is_another_one_each_time() -> None:
    one, other = (PasswordProvider().create({"generation": 1}).outs for _ in range(2))
    assert one is not None
    assert other is not None
    assert bcrypt.checkpw(plain(one["password"]).encode(), plain(one["bcrypt"]).encode())
    assert plain(one["password"]) != plain(other["password"])

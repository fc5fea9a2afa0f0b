"""NATS: servers that survive the loss of a node, users that see their own subjects only, streams that lose nothing."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]  # ships no types
import nkeys  # type: ignore[import-untyped]  # ships no types
import pytest
from cryptography import x509
from pydantic import ValidationError

from components.kubernetes import Kubernetes, KubernetesSettings
from components.kubernetes.nats_settings import NatsSettings
from components.kubernetes.nats_streams import consumer_definition, files, stream_definition
from components.kubernetes.nats_subjects import covers, overlap
from components.settings import Stage
from providers.certificates import RENEWAL_DAYS, ends_soon, new_authority, new_certificate
from providers.nkeys import new_user_key

Deploy = Callable[..., Any]

DIGEST = "@sha256:" + "0123456789abcdef" * 4
RESOURCES = {"cpu_request": "250m", "memory_request": "512Mi", "cpu_limit": "1", "memory_limit": "1Gi"}
NATS: dict[str, Any] = {
    "image": f"docker.io/library/nats:2.14.2{DIGEST}",
    "exporter_image": f"docker.io/natsio/prometheus-nats-exporter:0.20.1{DIGEST}",
    "tools_image": f"docker.io/natsio/nats-box:0.19.2{DIGEST}",
    "resources": RESOURCES,
    "storage": {"size": "10Gi"},
    "users": {
        "agents": {
            "pods": {"sophia-ai/tier": "agent"},
            "publish": ["data.>"],
            "consume": {"data": ["calls"]},
        },
        "n8n": {"pods": {"sophia-ai/tier": "n8n"}, "publish": ["system.>"]},
    },
    "streams": {
        "data": {
            "name": "DATA",
            "subjects": ["data.>"],
            "max_age": "30d",
            "max_bytes": "4Gi",
            "consumers": {"calls": {"name": "calls", "filters": ["data.calls.>"]}},
        },
        "workflow": {
            "name": "WORKFLOW",
            "subjects": ["workflow.>"],
            "retention": "workqueue",
            "max_age": "7d",
            "max_bytes": "1Gi",
            "consumers": {"run": {"name": "run", "filters": ["workflow.run.>"]}},
        },
    },
}
COMPUTED: dict[str, Callable[[str, dict[str, Any]], dict[str, Any]]] = {
    "pulumi-python:dynamic/nkeys:UserKey": lambda name, _: {"public_key": f"U-{name}", "seed": f"SU-{name}"},
    "pulumi-python:dynamic/certificates:Authority": lambda _name, _: {"certificate": "ca", "private_key": "key"},
    "pulumi-python:dynamic/certificates:Certificate": lambda _name, _: {"certificate": "crt", "private_key": "key"},
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The settings with another value at a dotted path."""
    settings = copy.deepcopy(NATS)
    *parents, leaf = path.split(".")
    place = settings
    for parent in parents:
        place = place[parent]
    place[leaf] = value
    return settings


def run(deploy: Deploy, settings: dict[str, Any] = NATS, *, stage: Stage = Stage.PROD) -> Any:
    quota = {"cpu_requests": "8", "memory_requests": "16Gi", "cpu_limits": "16", "memory_limits": "32Gi"}
    whole = KubernetesSettings.model_validate(
        {"namespace": f"sophia-ai-{stage}", "version": "1.31", "quota": quota, "nats": settings}
    )
    return deploy(
        lambda: Kubernetes("kubernetes", whole, stage=stage, outputs={}), stack=stage.value, computed=COMPUTED
    )


def mistakes(settings: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as caught:
        NatsSettings.model_validate(settings)
    return str(caught.value)


def test_every_manifest_is_valid_for_the_api_server(deploy: Deploy) -> None:
    manifests = [r.inputs for r in run(deploy).resources if r.type.startswith("kubernetes:")]
    for manifest in manifests:
        kubernetes_validate.validate(manifest, "1.31", strict=True)
    assert {m["kind"] for m in manifests} >= {"StatefulSet", "Job", "PodDisruptionBudget", "Secret", "ConfigMap"}


def test_no_two_servers_share_a_node_and_one_may_go_at_a_time(deploy: Deploy) -> None:
    deployment = run(deploy)
    spec = deployment.one("StatefulSet", "nats").inputs["spec"]
    (spread,) = spec["template"]["spec"]["topologySpreadConstraints"]
    assert (spec["replicas"], spread["topologyKey"], spread["whenUnsatisfiable"]) == (
        3,
        "kubernetes.io/hostname",
        "DoNotSchedule",
    )
    assert deployment.one("PodDisruptionBudget", "nats").inputs["spec"]["maxUnavailable"] == 1
    assert spec["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Retain", "the messages are on these disks"


def test_a_server_sends_its_clients_away_before_it_ends(deploy: Deploy) -> None:
    pod = run(deploy).one("StatefulSet", "nats").inputs["spec"]["template"]["spec"]
    server = pod["containers"][0]
    assert server["lifecycle"]["preStop"]["exec"]["command"] == ["nats-server", "--signal=ldm=/var/run/nats/nats.pid"]
    assert pod["terminationGracePeriodSeconds"] > 70, "it would be killed while it moves its clients"
    assert server["startupProbe"]["httpGet"]["path"] == "/healthz", "the next would go before this one has caught up"


def test_the_configuration_names_keys_and_holds_no_secret(deploy: Deploy) -> None:
    deployment = run(deploy)
    text = deployment.one("ConfigMap", "nats.configuration").inputs["data"]["nats.conf"]
    assert "U-nats.agents" in text
    assert "SU-" not in text
    assert "nats://nats-2.nats-headless.sophia-ai-prod.svc:6222" in text
    secret = deployment.one("Secret", "nats.agents")
    assert secret.inputs["stringData"]["NATS_NKEY_SEED"] == "SU-nats.agents"
    assert any(path.startswith("stringData") for path in secret.secrets)


def test_a_new_key_is_valid_beside_the_one_before(deploy: Deploy) -> None:
    deployment = run(deploy, changed("users.agents.key_generation", 2))
    text = deployment.one("ConfigMap", "nats.configuration").inputs["data"]["nats.conf"]
    assert '"U-nats.agents"' in text, "programs that have not read the new key yet would be refused"
    assert '"U-nats.agents.second"' in text
    assert deployment.one("Secret", "nats.agents").inputs["stringData"]["NATS_NKEY_SEED"] == "SU-nats.agents.second"
    assert {k.name: k.inputs["generation"] for k in deployment.of("UserKey") if "agents" in k.name} == {
        "nats.agents": 1,
        "nats.agents.second": 2,
    }


def test_only_declared_pods_reach_the_servers(deploy: Deploy) -> None:
    (own,) = [p.inputs["spec"] for p in run(deploy).of("NetworkPolicy") if p.inputs["metadata"]["name"] == "nats"]
    sources = {
        (next(iter(rule["from"][0]["podSelector"]["matchLabels"].values())), rule["ports"][0]["port"])
        for rule in own["ingress"]
    }
    assert sources == {("nats", 6222), ("agent", 4222), ("n8n", 4222), ("nats-streams", 4222), ("prometheus", 7777)}


def test_the_certificate_is_for_the_names_by_which_servers_are_called(deploy: Deploy) -> None:
    names = run(deploy).one("Certificate", "nats.certificate").inputs["names"]
    assert "nats.sophia-ai-prod.svc" in names
    assert "*.nats-headless.sophia-ai-prod.svc" in names, "servers call each other by these"


def test_another_definition_of_a_stream_runs_the_job_again(deploy: Deploy) -> None:
    def mounted(settings: dict[str, Any]) -> str:
        pod = run(deploy, settings).one("Job", "nats.streams").inputs["spec"]["template"]["spec"]
        return str(next(v["configMap"]["name"] for v in pod["volumes"] if v["name"] == "streams"))

    assert mounted(NATS) != mounted(changed("streams.data.max_age", "60d"))
    assert mounted(NATS) == mounted(changed("max_payload", "2Mi"))


def test_one_server_has_no_cluster(deploy: Deploy) -> None:
    settings = changed("servers", 1)
    for stream in settings["streams"].values():
        stream["replicas"] = 1
    deployment = run(deploy, settings, stage=Stage.DEV)
    assert "cluster:" not in deployment.one("ConfigMap", "nats.configuration").inputs["data"]["nats.conf"]
    assert not deployment.of("PodDisruptionBudget"), "it would keep the node from ever being emptied"
    policy = deployment.one("StatefulSet", "nats").inputs["spec"]["persistentVolumeClaimRetentionPolicy"]
    assert policy["whenDeleted"] == "Delete"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (
            "streams.more",
            {"name": "MORE", "subjects": ["data.calls.*"], "max_age": "1d", "max_bytes": "1Mi"},
            "overlaps data.> of streams.data",
        ),
        ("streams.data.subjects", ["data.>", "data.calls"], "a message would be stored twice"),
        ("streams.data.replicas", 5, "must not be more than the servers, of which there are 3"),
        ("streams.data.max_bytes", "20Gi", "must hold what the streams may keep: 21.00Gi, and has 9.00Gi"),
        ("streams.data.max_age", "1m", "must not be longer than max_age (1m)"),
        ("streams.data.consumers.calls.filters", ["other.>"], "other.> is not in the stream"),
        ("streams.workflow.consumers.run.acknowledge", "none", "must be explicit"),
        (
            "streams.workflow.consumers.more",
            {"name": "more", "filters": ["workflow.*.>"]},
            "a message of a work queue belongs to one consumer only",
        ),
        ("streams.data.subjects", ["$JS.>"], "must be a subject"),
        ("users.agents.consume", {"date": ["calls"]}, 'no stream "date" is declared (did you mean "data"?)'),
        ("users.agents.consume", {"data": ["call"]}, 'no consumer "call" is declared'),
        ("users.streams", {"pods": {"a": "b"}}, "is a user that every deployment has"),
        ("image", "docker.io/library/nats:2.14.2", "sha256"),
        ("servers", 2, "1, 3 or 5"),
    ],
)
def test_a_mistake_is_said_before_anything_is_deployed(path: str, value: Any, message: str) -> None:
    assert message in mistakes(changed(path, value))


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("data.>", "data.calls", True),
        ("data.*", "data.calls.new", False),
        ("data.*.new", "data.calls.*", True),
        ("data.>", "data", False),
        (">", "system.x", True),
        ("data.calls", "data.calls", True),
        ("data.calls", "data.mails", False),
    ],
)
def test_subjects_overlap_when_a_message_fits_both(one: str, other: str, both: bool) -> None:
    assert overlap(one, other) is both
    assert overlap(other, one) is both


@pytest.mark.parametrize(
    ("pattern", "subject", "inside"),
    [
        ("data.>", "data.calls.>", True),
        ("data.*", "data.>", False),
        ("data.>", "data.>", True),
        ("data.calls", "data.*", False),
        ("data.*.x", "data.*.x", True),
        ("data.>", "data", False),
    ],
)
def test_a_subject_is_inside_another(pattern: str, subject: str, inside: bool) -> None:
    assert covers(pattern, subject) is inside


def test_definitions_are_in_the_servers_words() -> None:
    settings = NatsSettings.model_validate(NATS)
    stream = stream_definition(settings.streams["data"])
    assert (stream["max_age"], stream["max_bytes"]) == (30 * 24 * 3600 * 10**9, 4 * 2**30)
    consumer = consumer_definition(settings.streams["data"].consumers["calls"])
    assert (consumer["ack_wait"], consumer["filter_subject"]) == (30 * 10**9, "data.calls.>")
    assert set(files(settings.streams)) == {
        "apply.sh",
        "stream.DATA.json",
        "stream.WORKFLOW.json",
        "consumer.DATA.calls.json",
        "consumer.WORKFLOW.run.json",
    }


def test_a_minted_key_is_one_of_nats() -> None:
    public_key, seed = new_user_key()
    assert nkeys.from_seed(seed.encode()).public_key.decode() == public_key


def test_a_minted_certificate_is_signed_by_its_authority_for_both_ends_of_a_connection() -> None:
    authority, authority_key = new_authority("NATS of here")
    text, _ = new_certificate(["nats.here.svc", "127.0.0.1"], authority, authority_key)
    certificate = x509.load_pem_x509_certificate(text.encode())
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.encode()))
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert {u.dotted_string for u in usage} == {"1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"}
    assert ends_soon(certificate.not_valid_after_utc.isoformat(), datetime.now(UTC)) is False


@pytest.mark.parametrize(("days", "soon"), [(RENEWAL_DAYS + 1, False), (RENEWAL_DAYS - 1, True), (-1, True)])
def test_a_certificate_is_replaced_before_it_ends(days: int, soon: bool) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    assert ends_soon((now + timedelta(days=days)).isoformat(), now) is soon


def test_an_mcp_server_connects_with_what_its_user_was_given(deploy: Deploy) -> None:
    server = {
        "name": "mcp-calls",
        "image": f"ghcr.io/pay-ready/mcp-calls:1.0.0{DIGEST}",
        "port": 9010,
        "replicas": 1,
        "resources": RESOURCES,
        "secrets": ["nats-mcp"],
        "callers": ["agents"],
    }
    settings = changed("users.mcp", {"pods": {"sophia-ai/tier": "mcp"}, "publish": ["data.>"]})
    whole = KubernetesSettings.model_validate(
        {
            "namespace": "sophia-ai-prod",
            "version": "1.31",
            "quota": {"cpu_requests": "8", "memory_requests": "16Gi", "cpu_limits": "16", "memory_limits": "32Gi"},
            "nats": settings,
            "peers": {"agents": {"pods": {"sophia-ai/tier": "agent"}}},
            "mcp_servers": {"calls": server},
        }
    )
    deployment = deploy(
        lambda: Kubernetes("kubernetes", whole, stage=Stage.PROD, outputs={}), stack="prod", computed=COMPUTED
    )
    template = deployment.one("Deployment").inputs["spec"]["template"]
    assert template["spec"]["containers"][0]["envFrom"] == [{"secretRef": {"name": "nats-mcp"}}]
    (out,) = [
        p.inputs["spec"] for p in deployment.of("NetworkPolicy") if p.inputs["metadata"]["name"] == "nats-from-mcp"
    ]
    assert out["podSelector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    assert out["egress"][0]["ports"] == [{"protocol": "TCP", "port": 4222}]

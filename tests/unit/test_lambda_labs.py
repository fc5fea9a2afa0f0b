"""Lambda Cloud: settings that can be launched, nodes that join the cluster, what is protected, and what it all costs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import yaml
from pydantic import ValidationError

from components.lambda_labs import LambdaLabs, LambdaLabsSettings
from components.settings import Stage
from health.base import Answer, Cloud, Problem, Reading, Resource, Subject
from health.lambda_labs import HEALTH
from policies import kinds
from policies.cost import ESTATE_POLICIES
from policies.exposure import POLICIES
from policies.model import Resource as Planned
from policies.model import Situation
from policies.places import setting
from policies.strictness import limits_of
from providers import lambda_labs
from providers.base import Trouble
from providers.base.pace import Pace
from providers.lambda_labs_instances import LAUNCH, readiness

Deploy = Callable[..., Any]

TOKEN, CA_HASH = "abcdef.0123456789abcdef", f"sha256:{'0a' * 32}"
PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAwqgPupnfXfAAdB0Scm7jqxSRC/LmwLth6mtDG2QmiB"
GPU: dict[str, Any] = {
    "name": "sophia-dev-gpu-a",
    "types": ["gpu_1x_h100_pcie", "gpu_1x_a10"],
    "regions": ["us-east-1"],
    "max_usd_per_hour": 2.49,
    "ssh_key": "operators",
    "image": {"family": "lambda-stack-24-04"},
    "filesystems": {"/lambda/nfs/models": "models"},
    "firewalls": ["nodes"],
    "cluster": "sophia",
    "labels": {"sophia-ai/pool": "gpu"},
    "taints": ["nvidia.com/gpu=present:NoSchedule", "sophia-ai/spot:PreferNoSchedule"],
}
SETTINGS: dict[str, Any] = {
    "monthly_usd": 2000,
    "ssh_keys": {"operators": {"name": "sophia-dev-operators", "public_key": PUBLIC}},
    "filesystems": {"models": {"name": "sophia-dev-models", "region": "us-east-1"}},
    "firewalls": {
        "nodes": {
            "name": "sophia-dev-nodes",
            "regions": ["us-east-1", "us-west-1"],
            "rules": [
                {"protocol": "tcp", "ports": 22, "source": "203.0.113.0/28"},
                {"protocol": "tcp", "ports": "30000-32767", "source": "198.51.100.7"},
                {"protocol": "icmp", "source": "0.0.0.0/0"},
            ],
        }
    },
    "clusters": {
        "sophia": {
            "endpoint": "k8s.payready.com:6443",
            "version": "1.34",
            "token": {"output": "cluster.token"},
            "ca_hash": {"output": "cluster.ca_hash"},
        }
    },
    "instances": {"gpu-a": GPU},
}
OUTPUTS = {"cluster.token": TOKEN, "cluster.ca_hash": CA_HASH}


def run(deploy: Deploy, stage: Stage = Stage.DEV, **changes: Any) -> Any:
    settings = LambdaLabsSettings.model_validate({**SETTINGS, **changes})
    return deploy(lambda: LambdaLabs("lambda-labs", settings, stage=stage, outputs=OUTPUTS))


def gpu(**changes: Any) -> dict[str, Any]:
    return {"instances": {"gpu-a": {**GPU, **changes}}}


def node(deployment: Any) -> dict[str, Any]:
    """The cloud-init of the one instance."""
    text = deployment.one("Instance", "gpu-a").inputs["user_data"]
    assert text.startswith("#cloud-config\n")
    document: dict[str, Any] = yaml.safe_load(text)
    return document


def written(document: dict[str, Any], path: str) -> str:
    return next(str(one["content"]) for one in document["write_files"] if one["path"] == path)


def test_filesystems_are_protected_in_prod(deploy: Deploy) -> None:
    dev, prod = run(deploy), run(deploy, Stage.PROD)
    assert not dev.one("Filesystem").protect
    assert prod.one("Filesystem").protect
    assert prod.one("Filesystem").retain_on_delete, "what is deleted there comes back from nowhere"


def test_a_ruleset_is_made_in_each_region_with_the_same_rules(deploy: Deploy) -> None:
    rulesets = run(deploy).of("FirewallRuleset")
    assert {one.name: one.inputs["region"] for one in rulesets} == {
        "nodes.us-east-1": "us-east-1",
        "nodes.us-west-1": "us-west-1",
    }
    first, second = ([rule.get("port_range") for rule in one.inputs["rules"]] for one in rulesets)
    assert first == second == [[22, 22], [30000, 32767], None]


def test_the_generation_is_in_the_name_so_that_two_can_be_nodes_at_once(deploy: Deploy) -> None:
    first, second = (run(deploy, **gpu(generation=number)).one("Instance").inputs for number in (1, 2))
    assert (first["name"], second["name"]) == ("sophia-dev-gpu-a-1", "sophia-dev-gpu-a-2")
    assert first["setup"] == second["setup"], "another generation by itself is no other set-up"
    assert first["max_price_cents"] == 249


def test_a_node_joins_with_its_labels_and_taints(deploy: Deploy) -> None:
    document = node(run(deploy))
    join = json.loads(written(document, "/etc/kubernetes/join.yaml"))
    assert join["discovery"]["bootstrapToken"] == {
        "apiServerEndpoint": "k8s.payready.com:6443",
        "token": TOKEN,
        "caCertHashes": [CA_HASH],
    }
    assert join["nodeRegistration"]["name"] == "sophia-dev-gpu-a-1"
    assert join["nodeRegistration"]["taints"] == [
        {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"},
        {"key": "sophia-ai/spot", "effect": "PreferNoSchedule"},
    ]
    assert join["nodeRegistration"]["kubeletExtraArgs"] == [{"name": "node-labels", "value": "sophia-ai/pool=gpu"}]
    ((*bash, script),) = document["runcmd"]
    assert bash == ["bash", "-euo", "pipefail", "-c"]
    assert TOKEN not in script, "a process list shows what a command is given"
    assert "/v1.34/deb/" in script
    checked = subprocess.run(["bash", "-n", "-c", script], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_the_token_is_a_secret_and_a_new_one_changes_nothing(deploy: Deploy) -> None:
    instance = run(deploy).one("Instance")
    assert "user_data" in instance.secrets
    assert TOKEN not in str({name: value for name, value in instance.inputs.items() if name != "user_data"})
    labelled = run(deploy, **gpu(labels={"sophia-ai/pool": "other"})).one("Instance")
    assert labelled.inputs["setup"] != instance.inputs["setup"], "other labels are another set-up"


def test_an_instance_without_a_cluster_is_launched_as_it_comes(deploy: Deploy) -> None:
    bare = run(deploy, **gpu(cluster=None, labels={}, taints=[])).one("Instance").inputs
    assert bare.get("user_data") is None
    assert bare.get("setup") is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (gpu(name="Gpu_A"), "lower-case letters"),
        (gpu(types=[]), "types"),
        (gpu(regions=["us-east-9"]), "regions"),
        (gpu(regions=["us-east-1", "us-west-1"]), "cannot be mounted in us-west-1"),
        (gpu(filesystems={}, regions=["us-west-2"]), "is not in us-west-2"),
        (gpu(filesystems={"/mnt/models": "models"}), "must be under /home"),
        (gpu(filesystems={"/data/m": "model"}), 'did you mean "models"'),
        (gpu(ssh_key="operator"), 'did you mean "operators"'),
        (gpu(cluster="sophie"), 'did you mean "sophia"'),
        (gpu(firewalls=["node"]), 'did you mean "nodes"'),
        (gpu(cluster=None), "are those of a node in a cluster"),
        (gpu(labels={"node-role.kubernetes.io/gpu": "x"}), "may not give itself such a label"),
        (gpu(labels={"a b": "x"}), "is no label of Kubernetes"),
        (gpu(taints=["nvidia.com/gpu=present"]), "must be key=value:NoSchedule"),
        (gpu(tags={"managed-by": "me"}), "is kept for what manages"),
        (gpu(tags={"Team": "ai"}), "must be 2 to 55"),
        (gpu(image={}), "either `family` or `id`"),
        (gpu(max_usd_per_hour=0), "max_usd_per_hour"),
        (gpu(max_usd_per_hour=3), "is less than the 2,190.00"),
        ({"ssh_keys": {"operators": {"name": "x", "public_key": "-----BEGIN PRIVATE KEY-----"}}}, "replace the pair"),
        ({"ssh_keys": {"operators": {"name": "x", "public_key": "AAAA"}}}, "as OpenSSH writes it"),
        ({"filesystems": {"models": {"name": "1models", "region": "us-east-1"}}}, "a letter comes first"),
        ({"firewalls": {"nodes": {"name": "n", "regions": ["us-east-1"] * 2, "rules": []}}}, "stands there already"),
        ({"global_rules": [{"protocol": "icmp", "ports": 1, "source": "0.0.0.0/0"}]}, "ICMP has no ports"),
        ({"global_rules": [{"protocol": "tcp", "source": "0.0.0.0/0"}]}, "must be a port or a range"),
        ({"global_rules": [{"protocol": "tcp", "ports": "9-5", "source": "0.0.0.0/0"}]}, "must be a port or a range"),
        ({"global_rules": [{"protocol": "tcp", "ports": 22, "source": "::/0"}]}, "must be IPv4"),
        ({"global_rules": [{"protocol": "tcp", "ports": 22, "source": "10.0.0.1/8"}]}, "without bits behind the mask"),
    ],
)  # fmt: skip
def test_settings_that_cannot_work_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        LambdaLabsSettings.model_validate({**SETTINGS, **changes})
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("status", "code", "trouble"),
    [
        (400, "global/duplicate", Trouble.CONFLICT),
        (400, "global/quota-exceeded", Trouble.INVALID),
        (400, "filesystems/filesystem-in-use", Trouble.CONFLICT),
        (400, "instance-operations/launch/insufficient-capacity", Trouble.INVALID),
        (404, "global/object-does-not-exist", Trouble.NOT_FOUND),
        (409, "global/internal-error", Trouble.BROKEN),
        (403, "global/account-inactive", Trouble.FORBIDDEN),
        (401, "global/invalid-api-key", Trouble.CREDENTIALS),
        (503, "provider/internal-unavailable", Trouble.BROKEN),
        (400, "provider/quota", Trouble.BROKEN),
        (429, "global/rate-limit-exceeded", Trouble.BUSY),
    ],
)
def test_what_lambda_says_is_understood(status: int, code: str, trouble: Trouble) -> None:
    body = {"error": {"code": code, "message": "m", "suggestion": "s"}}
    response = httpx.Response(status, json=body)
    assert lambda_labs.LAMBDA_LABS.trouble(response) is trouble
    assert lambda_labs.LAMBDA_LABS.said(response) == f"{code}: m (s)"
    assert lambda_labs.LAMBDA_LABS.trouble(httpx.Response(status, text="<html>")) is not None


def test_an_instance_that_does_not_work_is_not_ready_and_not_gone() -> None:
    assert readiness({"status": "active"}) is True
    assert readiness({"status": "booting"}) is False
    said = readiness({"status": "unhealthy", "instance_type": {"price_cents_per_hour": 249}})
    assert "bills 2.49 USD/h" in str(said)
    assert not lambda_labs.Instance.kind.hidden({"status": "unhealthy"}), "it bills: nobody may forget it"


def test_a_launch_waits_for_its_own_turn_and_for_that_of_every_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """One launch in 12 seconds, one request in a second: a launch right after another request would be refused."""
    api, turns = lambda_labs.LAMBDA_LABS, list[str]()
    monkeypatch.setenv("LAMBDA_CLOUD_BASE_URL", "https://lambda.test")
    monkeypatch.setenv("LAMBDA_API_KEY", "key")
    paces = {f"https://lambda.test{prefix}": Pace(limit) for prefix, limit in {"": api.limit, **api.limits}.items()}
    names = {id(pace): bucket for bucket, pace in paces.items()}
    monkeypatch.setattr("providers.base.api.Pace.wait", lambda pace, _patience=0.0: turns.append(names[id(pace)]))
    monkeypatch.setitem(api.__dict__, "_paces", paces)
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, json={"data": {}}))) as client:
        monkeypatch.setitem(api.__dict__, "client", client)
        api.request("GET", "/api/v1/instances")
        api.request("POST", LAUNCH, body={})
    assert turns == ["https://lambda.test", f"https://lambda.test{LAUNCH}", "https://lambda.test"]


def live(id_: str = "i-1", status: str = "active", owner: str | None = "sophia-ai/dev") -> dict[str, Any]:
    return {
        "id": id_,
        "name": id_,
        "status": status,
        "tags": [{"key": "managed-by", "value": owner}] if owner else [],
        "instance_type": {"name": "gpu_1x_a10", "price_cents_per_hour": 75},
    }


def reading(probe: str, data: Any, **settings: Any) -> Reading:
    (found,) = [one for one in HEALTH.probes if one.proves == probe]
    known = Resource(
        "pulumi-python:dynamic/lambda_labs:Instance",
        "gpu-a",
        "i-1",
        "2020-01-01T00:00:00Z",
        {"instance_type": "gpu_1x_a10"},
    )
    cloud = Cloud(credentials="sophia-ai/credentials-dev")
    subject = Subject({**SETTINGS, **settings}, cloud, [known])
    return found.read(Answer(httpx.Response(200, json={"data": data}), subject))


def problems(probe: str, data: Any, **settings: Any) -> list[Problem]:
    return list(reading(probe, data, **settings).problems)


def test_what_bills_is_told_and_compared_with_the_month() -> None:
    (quota,) = reading("instances", [live()]).quotas
    assert quota.left == pytest.approx(2000 - 547.5)
    assert quota.of == 2000
    assert "1 running, 0.75 USD/h: 547.50 USD in 730 hours" in quota.what
    (over,) = reading("instances", [live()], monthly_usd=500).quotas
    assert over.left < 0


def test_the_health_of_an_instance_is_what_lambda_says_of_it() -> None:
    assert problems("instances", [live()]) == []
    (ill,) = problems("instances", [live(status="unhealthy")])
    (gone,) = problems("instances", [live(status="preempted")])
    (late,) = problems("instances", [live(status="booting")])
    assert [ill.verdict, gone.verdict, late.verdict] == ["failing", "failing", "degraded"]
    assert "bills 0.75 USD/h" in ill.said
    assert gone.setting == "sophia-ai:lambda_labs.instances.gpu-a"
    (other,) = problems("instances", [live()], **gpu(types=["gpu_1x_gh200"]))
    assert "not among its `types` any more" in other.said


@pytest.mark.parametrize(("owner", "found"), [(None, 1), ("sophia-ai/dev", 1), ("sophia-ai/prod", 0)])
def test_what_bills_and_is_in_no_state_is_noticed(owner: str | None, found: int) -> None:
    assert len(problems("instances", [live(), live("i-2", owner=owner)])) == found


def test_types_that_are_offered_no_more_are_noticed() -> None:
    assert problems("offers", {"gpu_1x_a10": {}}) == []
    (problem,) = problems("offers", {"gpu_1x_b200": {}})
    assert problem.setting == "sophia-ai:lambda_labs.instances.gpu-a.types"


def test_the_accounts_own_rules_are_compared_and_never_written() -> None:
    expected = [
        {"protocol": "icmp", "source": "0.0.0.0/0"},
        {"protocol": "tcp", "ports": "80-81", "source": "10.0.0.1"},
    ]
    ping = {"protocol": "icmp", "source_network": "0.0.0.0/0", "description": "Ping"}
    web = {"protocol": "tcp", "port_range": [80, 81], "source_network": "10.0.0.1/32", "description": ""}
    ssh = {"protocol": "tcp", "port_range": [22, 22], "source_network": "0.0.0.0/0", "description": "SSH"}
    name = "global firewall rules"
    assert problems(name, {"rules": [web, ping]}, global_rules=expected) == []
    (more,) = problems(name, {"rules": [ping, web, ssh]}, global_rules=expected)
    assert "also lets in tcp 22 from 0.0.0.0/0" in more.said
    (less,) = problems(name, {"rules": [ping]}, global_rules=expected)
    assert (less.verdict, "tcp 80-81 from 10.0.0.1/32" in less.said) == ("degraded", True)


def planned(kind: str, name: str, **inputs: Any) -> Planned:
    urn = f"urn:pulumi:prod::sophia-ai::sophia:platform:LambdaLabs${kind}::{name}"
    return Planned(kind, urn, inputs, protected=False)


@pytest.mark.parametrize(("cents", "found"), [((600, 700), 0), ((600, 900), 1)])
def test_the_gpus_of_a_stage_stay_within_its_money(cents: tuple[int, ...], found: int) -> None:
    (policy,) = [one for one in ESTATE_POLICIES if one.name == "gpu-budget"]
    instances = [
        planned(kinds.LAMBDA_LABS_INSTANCE, f"gpu-{number}", max_price_cents=price)
        for number, price in enumerate(cents)
    ]
    violations = list(policy.check(instances, Situation("prod", limits_of("prod"), None)))  # type: ignore[arg-type] # no time is needed
    assert len(violations) == found
    assert all("10,950 USD a month" in one.what for one in violations)
    place = "Pulumi.prod.yaml: sophia-ai:lambda_labs.instances.gpu-1.max_usd_per_hour"
    assert [one.setting for one in violations] == [place] * found


def test_a_violation_of_a_ruleset_names_the_firewall_of_all_regions() -> None:
    ruleset = planned(kinds.LAMBDA_LABS_FIREWALL, "nodes.us-east-1")
    assert setting(ruleset, "rules") == "Pulumi.prod.yaml: sophia-ai:lambda_labs.firewalls.nodes.rules"


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ({"protocol": "tcp", "port_range": [22, 22], "source_network": "0.0.0.0/0"}, 1),
        ({"protocol": "tcp", "port_range": [22, 22], "source_network": "203.0.113.0/28"}, 0),
        ({"protocol": "icmp", "source_network": "0.0.0.0/0"}, 0),
    ],
)
def test_a_ruleset_lets_nobody_in_whom_it_does_not_name(rule: dict[str, Any], found: int) -> None:
    (policy,) = [one for one in POLICIES if one.name == "no-open-network"]
    ruleset = planned(kinds.LAMBDA_LABS_FIREWALL, "nodes.us-east-1", rules=[rule])
    assert len(list(policy.check(ruleset, Situation("prod", limits_of("prod"), None)))) == found  # type: ignore[arg-type] # no time is needed

"""What the sandbox's Prometheus and Alertmanager answer through the API server, held against their specifications."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from sandbox import official
from sandbox.official.api.kubernetes import TOKEN
from tests.monitoring_estate import NAMESPACE, program
from tests.unit.conftest import _run

SERVICES = f"/api/v1/namespaces/{NAMESPACE}/services"


@pytest.fixture
def cluster(serve: Callable[[Any], Any]) -> Any:
    """The API server of a cluster in which the small estate is deployed."""
    (kubernetes,) = [platform for platform in official.PLATFORMS if platform.name == "kubernetes"]
    emulator = serve(kubernetes)
    store = emulator.app.state.stores("kubernetes")
    for resource in _run(program(), "dev", {}).resources:
        if resource.type.startswith("kubernetes:"):
            id_ = f"{NAMESPACE}/{resource.inputs['metadata']['name']}"
            store.put(resource.type, id_, {"id": id_, "properties": resource.inputs, "filled": {}})
    return emulator


def ask(cluster: Any, service: str, path: str) -> httpx.Response:
    with cluster.client(Authorization=f"Bearer {TOKEN}") as client:
        response: httpx.Response = client.get(f"{SERVICES}/{service}/proxy/{path}")
    return response


@pytest.mark.parametrize("path", ["rules", "rules?type=alert", "rules?type=record", "targets"])
def test_prometheus_answers_as_specified(cluster: Any, spec: Callable[[str], Any], path: str) -> None:
    response = ask(cluster, "prometheus:http", f"api/v1/{path}")
    described = spec("prometheus/prometheus_http_api_openapi_3.1.yaml")
    described.check("GET", f"/api/v1/{path}", response.status_code, None, response.json())
    assert response.json()["status"] == "success"


def test_prometheus_has_the_rules_and_targets_that_are_deployed(cluster: Any) -> None:
    groups = ask(cluster, "prometheus:http", "api/v1/rules?type=alert").json()["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert {"WorkloadDown", "AvailabilityBurns", "PlatformFailing"} <= {rule["name"] for rule in rules}
    assert {rule["type"] for rule in rules} == {"alerting"}
    store = cluster.app.state.stores("kubernetes")
    store.delete("kubernetes:apps/v1:StatefulSet", f"{NAMESPACE}/nats")
    targets = ask(cluster, "prometheus:http", "api/v1/targets").json()["data"]["activeTargets"]
    health = {target["scrapePool"]: target["health"] for target in targets}
    assert health["nats"] == "down", "somebody deleted it"
    assert health["n8n"] == "up"
    assert health["ingress"] == "unknown", "it is not in the sandbox"


def test_alertmanager_answers_as_specified(cluster: Any, spec: Callable[[str], Any]) -> None:
    response = ask(cluster, "alertmanager:http", "api/v2/status")
    published = spec("prometheus/alertmanager_api_v2_openapi.yaml")
    # Its base path ends with the slash with which each of its paths begins.
    described = type(published)(published.name, {**published.document, "basePath": "/api/v2"})
    described.check("GET", "/api/v2/status", response.status_code, None, response.json())
    assert len(response.json()["cluster"]["peers"]) == 2


@pytest.mark.parametrize(
    ("service", "status", "said"),
    [
        ("grafana2:http", 404, 'services "grafana2" not found'),
        ("prometheus:https", 503, "no endpoints available"),
    ],
)
def test_the_api_server_refuses_as_it_does(cluster: Any, service: str, status: int, said: str) -> None:
    response = ask(cluster, service, "-/ready")
    assert response.status_code == status
    assert said in response.json()["message"]
    assert httpx.get(f"{cluster.url}{SERVICES}/{service}/proxy/-/ready", trust_env=False).status_code == 401

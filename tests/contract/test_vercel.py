"""The sandbox's Vercel: its answers fit Vercel's description, its health is told, and it refuses what Vercel refuses."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from health import declared
from health.base import Resource, Subject
from health.checking import Check, check
from sandbox.official import PLATFORMS
from sandbox.official.behaviour import RefusedError
from sandbox.official.objects import Objects
from sandbox.official.vercel import PACKAGE, TEAM
from sandbox.official.vercel_projects import CUSTOM_ENVIRONMENT, DOMAIN, PROJECT
from sandbox.official.vercel_security import FIREWALL, WEBHOOK
from sandbox.official.vercel_variables import SHARED, VARIABLE

SPEC = "vercel/vercel_openapi_2025-10-27.json"
PLATFORM = next(platform for platform in PLATFORMS if platform.name == "vercel")
WEB = {"name": "web", "framework": "nextjs", "nodeVersion": "22.x", "teamId": TEAM}
HEALTH = declared.all_of_them()["vercel"]


def alternatives(node: Any) -> Any:
    """Vercel's description says oneOf where several of the alternatives fit the same answer: anyOf is meant."""
    if isinstance(node, list):
        return [alternatives(item) for item in node]
    if isinstance(node, dict):
        return {"anyOf" if name == "oneOf" else name: alternatives(value) for name, value in node.items()}
    return node


@pytest.fixture
def emulator(serve: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    found = serve(PLATFORM)
    for name, value in found.credentials.items():
        monkeypatch.setenv(name, value)
    return found


@pytest.fixture
def client(emulator: Any, spec: Callable[[str], Any]) -> Iterator[httpx.Client]:
    described = spec(SPEC)
    checked = type(described)(SPEC, alternatives(described.document))
    token = emulator.credentials["VERCEL_API_TOKEN"]
    with emulator.client(checked, Authorization=f"Bearer {token}") as made:
        made.params = httpx.QueryParams({"teamId": TEAM})
        yield made


@pytest.fixture
def package(emulator: Any) -> Objects:
    return Objects(emulator.app.state.stores("vercel"), PACKAGE)


def refusal(package: Objects, token: str, **asked: Any) -> str:
    with pytest.raises(RefusedError) as caught:
        package.create(token, asked, ())
    return str(caught.value)


def failures(token: str, **asked: Any) -> list[str]:
    return [f"{failure.property}: {failure.reason}" for failure in PACKAGE.kind(token).validate(asked)]


def test_what_is_made_by_the_api_is_there_for_the_package(emulator: Any, package: Objects) -> None:
    token = emulator.credentials["VERCEL_API_TOKEN"]
    with emulator.client(None, Authorization=f"Bearer {token}") as client:  # Node 24 is newer than the description
        client.params = httpx.QueryParams({"teamId": TEAM})
        made = client.post("/v11/projects", json={"name": "hand-made", "framework": "vite"}).json()
        assert client.patch("/v9/projects/hand-made", json={"rootDirectory": "web"}).json()["rootDirectory"] == "web"
        assert "additional property" in client.post("/v11/projects", json={"nme": "x"}).json()["error"]["message"]
        found = package.read(PROJECT, package.found_by(PROJECT, f"{TEAM}/hand-made"), {}, {})
        assert found
        assert (found[1]["id"], found[0]["rootDirectory"]) == (made["id"], "web")
        assert "already exists" in refusal(package, PROJECT, name="hand-made")
        assert client.delete("/v9/projects/hand-made").status_code == 204
        assert package.read(PROJECT, made["id"], {}, {}) is None


def test_deployments_domains_and_variables_fit_the_description(
    client: httpx.Client, package: Objects, emulator: Any
) -> None:
    project, _ = package.create(PROJECT, WEB, ())
    package.create(DOMAIN, {"projectId": project, "domain": "sophia.payready.com"}, ())
    deployment = {
        "uid": "dpl_1",
        "name": "web",
        "projectId": project,
        "url": "x.vercel.app",
        "created": 1,
        "type": "LAMBDAS",
    }
    noted = {**deployment, "creator": {"uid": "u"}, "inspectorUrl": None, "target": "production", "state": "READY"}
    emulator.app.state.stores("vercel").put("deployment", "dpl_1", noted)
    assert client.get("/v6/deployments", params={"target": "production", "teamId": TEAM}).json()["deployments"]
    assert client.get("/v6/domains/sophia.payready.com/config").json()["misconfigured"] is False
    assert client.get("/v1/drains").json() == {"drains": []}
    client.params = httpx.QueryParams()
    assert client.get("/v5/user/tokens/current").json()["token"]["name"] == "sandbox"


@pytest.mark.parametrize(
    ("token", "asked", "expected"),
    [
        (PROJECT, {"name": "Sophia"}, "alphanumeric lowercase"),
        (PROJECT, {"name": "x", "nodeVersion": "16.x"}, "18.x, 20.x, 22.x, 24.x"),
        (PROJECT, {"name": "x", "framework": "nextsj"}, "expected one of"),
        (PROJECT, {"name": "x", "resourceConfig": {"functionDefaultTimeout": 901}}, "between 1 and 900"),
        (PROJECT, {"name": "x", "resourceConfig": {"functionDefaultRegions": ["iad9"]}}, "no region of Vercel"),
        (DOMAIN, {"domain": "a.example", "redirectStatusCode": 303}, "301, 302, 307, 308"),
        (DOMAIN, {"domain": "a.example", "gitBranch": "x", "customEnvironmentId": "y"}, "conflicts"),
        (VARIABLE, {"key": "K", "value": "v", "sensitive": True, "targets": ["development"]}, "explicitly set"),
        (VARIABLE, {"key": "K", "value": "v", "sensitive": True}, "at least one of targets"),
        (CUSTOM_ENVIRONMENT, {"name": "QA"}, "alphanumeric lowercase"),
        (
            FIREWALL,
            {"rules": {"rules": [{"name": "x", "action": {"action": "rate_limit"}, "conditionGroups": []}]}},
            "is required for the action rate_limit",
        ),
    ],
)
def test_what_the_plugin_refuses_before_it_asks(token: str, asked: dict[str, Any], expected: str) -> None:
    assert expected in " ".join(failures(token, **asked))


def test_what_vercel_refuses(package: Objects, emulator: Any) -> None:
    git = {"type": "github", "repo": "payready/sophia-ai", "productionBranch": "main"}
    project, _ = package.create(PROJECT, {**WEB, "gitRepository": git}, ())
    other, _ = package.create(PROJECT, {"name": "portal"}, ())
    assert "no team of this token's owner" in refusal(package, PROJECT, name="x", teamId="team_other")
    assert "could not be found" in refusal(package, PROJECT, name="x", gitRepository={"type": "github", "repo": "x"})
    trusted = {"addresses": [{"value": "203.0.113.0/24"}], "deploymentType": "all_deployments"}
    assert "Enterprise only" in refusal(package, PROJECT, name="x", trustedIps=trusted)
    package.create(DOMAIN, {"projectId": project, "domain": "pay.example"}, ())
    assert "already in use" in refusal(package, DOMAIN, projectId=other, domain="PAY.example")
    leading = {"domain": "www.pay.example", "redirect": "pay.example"}
    assert "not assigned to this project" in refusal(package, DOMAIN, projectId=other, **leading)
    assert "Production Branch" in refusal(package, DOMAIN, projectId=project, domain="x.example", gitBranch="main")
    variable = {"projectId": project, "key": "K", "value": "v", "sensitive": True}
    assert "preview alone" in refusal(package, VARIABLE, **variable, targets=["production"], gitBranch="x")
    assert "RESERVED" in refusal(package, VARIABLE, **{**variable, "key": "VERCEL_URL"}, targets=["production"])
    assert "64 KB" in refusal(package, VARIABLE, **{**variable, "value": "x" * 70_000}, targets=["production"])
    assert "not found" in refusal(package, VARIABLE, **variable, customEnvironmentIds=["env_none"])
    package.create(CUSTOM_ENVIRONMENT, {"projectId": project, "name": "qa"}, ())
    assert "allows 1 custom environments" in refusal(package, CUSTOM_ENVIRONMENT, projectId=project, name="second")
    emulator.app.state.stores("vercel").put("team", TEAM, {"plan": "enterprise"})
    package.create(CUSTOM_ENVIRONMENT, {"projectId": project, "name": "second"}, ())
    package.create(PROJECT, {"name": "inside", "trustedIps": trusted}, ())
    shared = {"key": "S", "value": "v", "sensitive": False, "projectIds": [project]}
    package.create(SHARED, {**shared, "targets": ["production", "preview"]}, ())
    assert "existing_key_and_target" in refusal(package, SHARED, **shared, targets=["preview"])
    assert "Project not found" in refusal(package, SHARED, **{**shared, "projectIds": ["prj_x"]}, targets=["preview"])
    assert "pattern" in refusal(package, WEBHOOK, endpoint="ftp://x", events=["deployment.error"])


def health(settings: dict[str, Any] | None = None, *resources: Resource) -> Check:
    return check(HEALTH, Subject(settings=settings or {}, resources=resources), time.monotonic() + 10)


def test_the_health_tells_what_is_wrong(package: Objects, emulator: Any) -> None:
    assert health().problems == ()
    store = emulator.app.state.stores("vercel")
    id_, _ = package.create(PROJECT, WEB, ())
    package.create(DOMAIN, {"projectId": id_, "domain": "pay.example"}, ())
    project = Resource(PROJECT, "web", id_, None, {"name": "web"})
    domain = Resource(DOMAIN, "web.pay.example", "pay.example", None, {})
    drain = Resource("pulumi-python:dynamic/vercel:Drain", "logs", "drn_1", None, {"status": "enabled"})
    assert health({"team": {"owners": ["automation@payready.com"]}}, project, domain).problems == ()
    common = {"name": "web", "projectId": id_, "url": "x.vercel.app", "target": "production"}
    store.put("deployment", "1", {**common, "uid": "1", "created": 1, "state": "READY"})
    store.put("deployment", "2", {**common, "uid": "2", "created": 2, "state": "ERROR", "errorMessage": "no lockfile"})
    delivery = {"type": "http", "endpoint": "https://x.example", "encoding": "json", "headers": {}}
    store.put("drain", "drn_1", {"id": "drn_1", "name": "Logs", "status": "errored", "delivery": delivery})
    kept = store.get(DOMAIN, "pay.example")
    store.put(DOMAIN, "pay.example", {**kept, "properties": {**kept["properties"], "misconfigured": True}})
    store.put("charge", "1", {"ServiceName": "Functions", "BilledCost": 400.5})
    store.put("charge", "2", {"ServiceName": "Pro", "BilledCost": 20})
    store.put("member", "m", {"uid": "m", "email": "ada@payready.com", "role": "OWNER"})
    told = health({"team": {"owners": ["automation@payready.com"], "monthly_usd": 400}}, project, domain, drain)
    assert told.verdict == "degraded"
    assert [problem.said for problem in told.problems] == [
        "the last production deployment of web failed: no lockfile",
        "pay.example does not lead to Vercel",
        "the drain Logs is errored: what was to go there is lost",
        "ada@payready.com owns the team",
        "420.50 US dollars in 30 days, of which 400.50 for Functions; 400 were planned",
    ]

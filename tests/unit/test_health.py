"""What each platform's check makes of good and of bad answers."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from health import checking, declared
from health.base import Cloud, Health, Problem, Subject, moment
from health.checking import Check, check, check_all
from providers.airbyte import AIRBYTE
from providers.estuary_catalog import ESTUARY
from sandbox.official.api.snowflake_key import private_key
from tests.unit.health_answers import BAD, GOOD, Answers, respond, slack, statements

SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "slack": {"channels": {"alerts": {"name": "alerts"}}, "usergroups": {"all": {}}, "apps": {"sophia": {}}},
    "openrouter": {"budgets": {"monthly": 100}},
    "github": {"repositories": {"lab": {"name": "lab"}}},
    "kubernetes": {"namespace": "sophia-ai-dev"},
    "estuary": {"prefix": "acme/dev/", "captures": {"crm": {"name": "cdc"}}, "collections": {"c": {"name": "calls"}}},
}
SECRET = "the-very-secret-value"


@pytest.fixture
def ask(listen: Callable[[ASGIApp], str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Check]:
    """Checks a platform that gives these answers; what is not named is answered well."""

    def run(platform: str, changed: Answers | None = None, *, seconds: float = 10, address: str = "") -> Check:
        answers = {**GOOD[platform], **(changed or {})}

        async def endpoint(request: Request) -> Response:
            answer = answers[request.url.path]
            if answer is statements:
                answer = statements(json.loads(await request.body()))
            if callable(answer) and not isinstance(answer, Response):
                answer = answer(request)
                if asyncio.iscoroutine(answer):
                    answer = await answer
            return answer if isinstance(answer, Response) else JSONResponse(answer)

        route = Route("/{path:path}", endpoint, methods=["GET", "POST"])
        url = address or listen(Starlette(routes=[route]))
        kubeconfig = tmp_path / "kubeconfig"
        contexts = [{"name": "c", "context": {"cluster": "c", "user": "u"}}]
        cluster, user = {"name": "c", "cluster": {"server": url}}, {"name": "u", "user": {"token": SECRET}}
        kubeconfig.write_text(
            json.dumps({"current-context": "c", "contexts": contexts, "clusters": [cluster], "users": [user]})
        )
        environment = {
            "AIRBYTE_SERVER_URL": url,
            "AIRBYTE_CLIENT_ID": "id",
            "AIRBYTE_CLIENT_SECRET": SECRET,
            "AWS_ENDPOINT_URL_STS": url,
            "AWS_REGION": "us-west-2",
            "AWS_ACCOUNT_ID": "123456789012",
            "AWS_ACCESS_KEY_ID": "ASIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_SESSION_TOKEN": f"session-{SECRET}",
            "ESTUARY_API_URL": url,
            "ESTUARY_PUBLIC_TOKEN": "public",
            "FLOW_API_KEY": f"flow_sa_{SECRET}",
            "OPENROUTER_BASE_URL": url,
            "OPENROUTER_MANAGEMENT_KEY": SECRET,
            "PINECONE_API_URL": url,
            "PINECONE_LOGIN_URL": url,
            "PINECONE_CLIENT_ID": "client",
            "PINECONE_CLIENT_SECRET": SECRET,
            "PINECONE_API_KEY": SECRET,
            "PORTKEY_BASE_URL": url,
            "PORTKEY_ADMIN_API_KEY": SECRET,
            "SLACK_API_URL": url,
            "SLACK_BOT_TOKEN": f"{SECRET}-bot",
            "SLACK_USER_TOKEN": f"{SECRET}-user",
            "SLACK_CONFIG_TOKEN": f"{SECRET}-config",
            "GITHUB_BASE_URL": f"{url}/",
            "GITHUB_OWNER": "pay-ready",
            "GITHUB_TOKEN": SECRET,
            "VERCEL_API_URL": url,
            "VERCEL_API_TOKEN": SECRET,
            "VERCEL_TEAM": "team_1",
            "KUBECONFIG": str(kubeconfig),
            "SNOWFLAKE_API_URL": url,
            "SNOWFLAKE_ORGANIZATION_NAME": "PAY_READY",
            "SNOWFLAKE_ACCOUNT_NAME": "ZNB04675",
            "SNOWFLAKE_USER": "SCOOBYJAVA15",
            "SNOWFLAKE_ROLE": "ACCOUNTADMIN",
            "SNOWFLAKE_PRIVATE_KEY": private_key(),
        }
        # Their tokens serve a process for minutes.
        for api in (AIRBYTE, ESTUARY):
            monkeypatch.setattr(api.auth, "_until", 0.0)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        health = declared.all_of_them()[platform]
        cloud = Cloud(url, "scoobyjava-org", SECRET)
        return check(health, Subject(SETTINGS.get(platform, {}), cloud), time.monotonic() + seconds)

    return run


Ask = Callable[..., Check]


@pytest.mark.parametrize("platform", sorted(GOOD))
def test_good_answers_make_a_platform_well(ask: Ask, platform: str) -> None:
    found = ask(platform)
    assert found.problems == ()
    assert found.verdict == "well"
    assert found.latency is not None
    asked = {name for probe in declared.all_of_them()[platform].probes for name in probe.credentials}
    assert {name for name, known in found.known.items() if known.authenticates} == asked


@pytest.mark.parametrize(("platform", "answers", "verdict", "said"), BAD, ids=[f"{b[0]}-{b[3][:24]}" for b in BAD])
def test_a_bad_answer_is_told_with_what_to_do(
    ask: Ask, platform: str, answers: Answers, verdict: str, said: str
) -> None:
    found = ask(platform, answers)
    assert found.verdict == verdict
    assert any(said in problem.said and problem.do for problem in found.problems), found.problems


@pytest.mark.parametrize("platform", sorted(GOOD))
def test_what_may_happen_to_every_platform(ask: Ask, platform: str) -> None:
    everything = {path: respond(503, {}) for path in GOOD[platform]}
    broken = ask(platform, everything)
    assert broken.verdict == "failing"
    assert all(known.authenticates is None for known in broken.known.values()), "that says nothing of the credential"
    assert ask(platform, {path: respond(429, {}) for path in everything}).verdict == "degraded"
    (odd, *_) = ask(platform, {path: PlainTextResponse("<html>") for path in everything if path != "/health"}).problems
    assert odd.verdict == "failing"
    assert "not what its API promises" in odd.said or "no access_token" in odd.said


@pytest.mark.parametrize("platform", sorted(GOOD))
def test_a_platform_that_is_not_there_is_told_with_its_setting(ask: Ask, platform: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    found = ask(platform, address=address)
    (problem,) = found.problems
    assert "no connection" in problem.said or "no token" in problem.said
    assert address.removeprefix("http://") in problem.said.replace("http://", "")
    assert problem.setting
    assert found.latency is None


def test_a_variable_that_is_not_set_is_named(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    ask("vercel")
    monkeypatch.delenv("VERCEL_API_TOKEN")
    health = declared.all_of_them()["vercel"]
    found = check(health, Subject(), time.monotonic() + 10)
    assert "VERCEL_API_TOKEN is not set" in found.problems[0].said


def test_a_snowflake_key_that_is_none_is_told_without_showing_it(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    ask("snowflake")
    monkeypatch.setenv("SNOWFLAKE_PRIVATE_KEY", SECRET)
    found = check(declared.all_of_them()["snowflake"], Subject(), time.monotonic() + 10)
    assert "is no private key in PEM" in found.problems[0].said
    assert SECRET not in repr(found)


def test_a_secret_that_a_platform_repeats_is_not_shown(ask: Ask) -> None:
    answer = respond(401, {"message": f"Bad credentials: {SECRET}"})
    found = ask("github", {"/rate_limit": answer})
    assert "Bad credentials" in found.problems[0].said
    assert SECRET not in repr(found)


def test_what_a_platform_tells_of_its_credentials(ask: Ask) -> None:
    assert ask("github").known["GITHUB_TOKEN"].expires == "2027-01-31T12:00:00Z"
    assert ask("openrouter").known["OPENROUTER_MANAGEMENT_KEY"].expires == "2027-03-01T00:00:00Z"
    vercel = ask("vercel").known["VERCEL_API_TOKEN"]
    assert (vercel.made, vercel.expires) == ("2026-09-21T14:13:20Z", "2027-05-11T01:46:40Z")
    assert ask("snowflake").known["SNOWFLAKE_PRIVATE_KEY"].made == "2026-09-01T06:00:00Z"
    assert ask("slack", {"/auth.test": slack(user=respond(200, {"ok": False, "error": "token_revoked"}))}).known[
        "SLACK_USER_TOKEN"
    ].authenticates is False  # fmt: skip


def test_a_slow_platform_is_degraded(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "SLOW_SECONDS", 0.0)
    found = ask("vercel")
    assert found.verdict == "degraded"
    assert "slow:" in found.problems[0].said


def test_a_platform_that_never_answers_is_waited_for_no_longer_than_that(ask: Ask) -> None:
    async def silence(request: Request) -> Response:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        return Response()

    found = ask("github", {"/rate_limit": silence}, seconds=0.3)
    assert found.verdict == "failing"
    assert "no answer" in found.problems[0].said


def test_platforms_are_asked_at_the_same_time() -> None:
    """No one can end before all have begun: the time is that of the slowest."""
    platforms = list(declared.all_of_them().values())
    all_have_begun = threading.Barrier(len(platforms))

    def check_one(health: Health, _subject: Subject, _deadline: float) -> Check:
        all_have_begun.wait(timeout=60)
        return Check(health.platform, health.title)

    found = check_all([(health, Subject()) for health in platforms], 60, check_one)
    assert [one.platform for one in found] == [health.platform for health in platforms]
    assert all(one.verdict == "well" for one in found)


def test_a_check_that_does_not_end_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "_GRACE_SECONDS", 0.0)
    over = threading.Event()
    health = declared.all_of_them()

    def check_one(one: Health, _subject: Subject, _deadline: float) -> Check:
        if one.platform == "slack":
            over.wait(60)
        return Check(one.platform, one.title)

    try:
        slow, quick = check_all([(health["slack"], Subject()), (health["vercel"], Subject())], 0.3, check_one)
    finally:
        over.set()
    assert slow.problems == (Problem("no answer in 0.3 s", slow.problems[0].do),)
    assert quick.verdict == "well"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("2027-01-31 12:00:00 UTC", "2027-01-31T12:00:00Z"),
        ("2022-06-15 16:59:59 -0700", "2022-06-15T23:59:59Z"),
        ("2026-09-01 08:00:00.123 +0200", "2026-09-01T06:00:00Z"),
        ("2026-09-01T08:00:00.123456Z", "2026-09-01T08:00:00Z"),
        (1790000000, "2026-09-21T14:13:20Z"),
        (1790000000123, "2026-09-21T14:13:20Z"),
        ("", None),
        (None, None),
        ("soon", None),
    ],
)
def test_moments_as_vendors_write_them(given: Any, told: str | None) -> None:
    assert moment(given) == told

"""What health checks read from GitHub, held against an emulator of GitHub that a third party has made.

It knows tokens, organisations, repositories and webhooks, and delivers events; deploy keys and secret scanning it has not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from health.asking import Client
from health.base import Resource, Subject
from health.checking import check
from health.github import HEALTH
from tests.contract import emulators

TOKEN, OWNER = "gho_emulated_token", "ada"
HOOK = "github:index/repositoryWebhook:RepositoryWebhook"
SEED: dict[str, Any] = {
    "tokens": {TOKEN: {"login": OWNER, "scopes": ["repo", "admin:repo_hook"]}},
    "github": {
        "users": [{"login": OWNER, "name": "Ada", "email": "ada@example.com"}],
        "repos": [{"owner": OWNER, "name": "lab", "private": True, "auto_init": True}],
    },
}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with emulators.running("github", SEED, tmp_path_factory.mktemp("github")) as found:
        yield found


@pytest.fixture
def github(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    monkeypatch.setenv("GITHUB_BASE_URL", address)
    monkeypatch.setenv("GITHUB_OWNER", OWNER)
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False) as client:
        yield client


@pytest.mark.usefixtures("github")
def test_the_token_and_its_limit_are_read() -> None:
    found = check(HEALTH, Subject(), time.monotonic() + 10)
    assert found.problems == ()
    assert found.known["GITHUB_TOKEN"].authenticates is True
    assert [quota.what for quota in found.quotas] == ["requests an hour"]


@pytest.mark.parametrize(("answered", "authenticates"), [(200, True), (401, False), (503, None)])
def test_deliveries_say_whether_a_webhooks_secret_is_right(
    github: httpx.Client, listen: Callable[[Any], str], answered: int, authenticates: bool | None
) -> None:
    async def receive(_request: Any) -> PlainTextResponse:
        return PlainTextResponse("", answered)

    url = listen(Starlette(routes=[Route("/events", receive, methods=["POST"])]))
    configuration = {"url": f"{url}/events", "content_type": "json", "secret": "swordfish"}
    hook = {"name": "web", "active": True, "events": ["push"], "config": configuration}
    made = github.post(f"/repos/{OWNER}/lab/hooks", json=hook).raise_for_status().json()
    github.post(f"/repos/{OWNER}/lab/hooks/{made['id']}/pings").raise_for_status()
    assert HEALTH.service
    (minted,) = [mint for mint in HEALTH.minted if mint.type == HOOK]
    assert minted.ask
    resource = Resource(HOOK, "lab.events", str(made["id"]), None, {"repository": "lab"})
    client = Client(HEALTH.service, Subject(), time.monotonic() + 10)
    known = minted.ask(client, resource, Subject())
    assert known.authenticates is authenticates
    assert (str(answered) in known.said) is (answered != 200)

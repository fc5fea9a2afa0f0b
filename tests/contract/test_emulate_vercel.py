"""Our health check of Vercel on an emulator of Vercel that others made (the npm package ``emulate``).

It differs from Vercel's own description in two ways, which are its mistakes and not ours: a team is wrapped in ``team``, and
the current token (``/v5/user/tokens/current``) is not there. It has no webhooks, drains or tokens either.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from health.asking import Client
from health.base import Answer, Subject
from health.vercel import HEALTH
from providers.base import Trouble
from providers.base.errors import PlatformError
from tests.contract import emulators

TOKEN, TEAM = "vercel-test-token", "payready"
SEED: dict[str, Any] = {
    "tokens": {TOKEN: {"login": "sophia", "scopes": []}},
    "vercel": {
        "users": [{"username": "sophia", "name": "Sophia", "email": "sophia@example.com"}],
        "teams": [{"slug": TEAM, "name": "Pay Ready"}],
        "projects": [{"name": "resident-portal", "team": TEAM, "framework": "nextjs"}],
    },
}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with emulators.running("vercel", SEED, tmp_path_factory.mktemp("vercel")) as found:
        yield found


@pytest.fixture
def client(address: str, monkeypatch: pytest.MonkeyPatch) -> Client:
    """What the check asks through."""
    for name, value in {"VERCEL_API_URL": address, "VERCEL_API_TOKEN": TOKEN, "VERCEL_TEAM": TEAM}.items():
        monkeypatch.setenv(name, value)
    assert HEALTH.service
    return Client(HEALTH.service, Subject(), time.monotonic() + 30)


def test_the_team_is_found_by_its_id_and_tells_the_role(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERCEL_TEAM", client.send("GET", f"/v2/teams/{TEAM}").json()["team"]["id"])
    (probe,) = [probe for probe in HEALTH.probes if probe.proves == "role in the team"]
    assert callable(probe.path)
    shown = client.send(probe.method, probe.path(Subject()))
    bare = httpx.Response(200, json=shown.json()["team"])
    assert not probe.read(Answer(bare, Subject())).problems, "its owner may deploy"


def test_a_team_that_is_not_there_is_told_in_vercels_words(client: Client) -> None:
    with pytest.raises(PlatformError) as caught:
        client.send("GET", "/v2/teams/nobody")
    assert caught.value.trouble is Trouble.NOT_FOUND
    assert "Team not found" in caught.value.said


def test_a_request_without_a_token_is_told_as_one_with_a_bad_one(client: Client) -> None:
    with pytest.raises(PlatformError) as caught:
        client.send("GET", f"/v2/teams/{TEAM}", anonymous=True)
    assert caught.value.trouble is Trouble.CREDENTIALS


@pytest.mark.parametrize("path", ["/v5/user/tokens/current", "/v1/webhooks", "/v1/drains"])
def test_what_it_does_not_imitate(address: str, path: str) -> None:
    """A newer version that has one of these can test more of ours."""
    answered = httpx.get(address + path, headers={"Authorization": f"Bearer {TOKEN}"})
    assert answered.status_code == 404

"""Platforms that list what exists there, for the tests of settings that are written from it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from components.existing.__main__ import run
from providers import openrouter
from providers.base import Api

Json = dict[str, Any]
Platform = Callable[[Api, dict[str, list[Json]]], list[str]]

VARIABLES = (
    "AIRBYTE_CLIENT_ID",
    "AIRBYTE_CLIENT_SECRET",
    "OPENROUTER_MANAGEMENT_KEY",
    "SLACK_BOT_TOKEN",
)
ADDRESSES = ("AIRBYTE_SERVER_URL", "OPENROUTER_BASE_URL", "SLACK_API_URL")


@contextmanager
def listing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """Makes a platform list these objects, by path; gives back the paths that were asked for."""
    for name in VARIABLES:
        monkeypatch.setenv(name, "planted-credential")
    for name in ADDRESSES:
        monkeypatch.setenv(name, "https://platform.test")
    clients = []
    openrouter._slugs.cache_clear()

    def lists(api: Api, objects: dict[str, list[Json]]) -> list[str]:
        asked = []

        def answer(request: httpx.Request) -> httpx.Response:
            path = request.url.path
            if path == "/applications/token":
                return httpx.Response(200, json={"access_token": "planted-token", "expires_in": 900})
            asked.append(path)
            items = objects.get(path, [])
            return httpx.Response(200, json={"ok": True, "data": items, "channels": items, "usergroups": items})

        clients.append(httpx.Client(transport=httpx.MockTransport(answer)))
        monkeypatch.setitem(api.__dict__, "client", clients[-1])
        return asked

    yield lists
    openrouter._slugs.cache_clear()
    for client in clients:
        client.close()


def existing(name: str, settings: Json | None = None, workspace: str | None = None) -> Json:
    return run(name, json.dumps({"settings": settings}), "sophia-ai/dev", workspace)


def reasons(found: Json) -> dict[str, str]:
    return {entry["name"]: entry["reason"] for entry in found["left"]}

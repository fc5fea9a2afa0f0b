"""A platform's emulator under one of our providers: looked at from outside, with a connection that can be lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from providers.base import Resource
from providers.base.inventory import Inventory
from tests.unit.base_platform import Engine


class Driven:
    """The emulator, and what our provider asked it. ``root`` is what the paths of ``requests`` are without."""

    def __init__(self, emulator: Any, platform: str, root: str | None = None) -> None:
        self.emulator = emulator
        self.requests: list[str] = []
        """``GET /path``, in their order."""
        self.lost: list[str] = []
        """Requests that the platform will do, and of whose answers nobody hears; each once."""
        self._platform, self._root = platform, f"/{platform}" if root is None else root

    def asked(self, request: httpx.Request) -> str:
        """How a request is written down."""
        return f"{request.method} {request.url.path.removeprefix(self._root)}"

    def answered(self, response: httpx.Response) -> None:
        """To be hooked into the client of the provider."""
        asked = self.asked(response.request)
        self.requests.append(asked)
        if asked in self.lost:
            self.lost.remove(asked)
            raise httpx.ReadError("the connection was closed", request=response.request)

    def written(self) -> list[str]:
        """What was more than read since the last time."""
        found = [one for one in self.requests if not one.startswith("GET")]
        self.requests.clear()
        return found

    @property
    def store(self) -> Any:
        return self.emulator.app.state.stores(self._platform)

    @property
    def receiver(self) -> Any:
        """Where the emulator's own requests go."""
        return self.emulator.app.state.receiver

    def all(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.store.all(kind)
        return found

    def change(self, kind: str, key: str, /, **members: Any) -> None:
        """By hand, behind the provider's back."""
        self.store.put(kind, key, self.store.get(kind, key) | members)


def new_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes after is a provider process of its own, which knows nothing of what was seen before."""
    monkeypatch.setattr("providers.base.provider._inventory", Inventory())


def without_waiting(monkeypatch: pytest.MonkeyPatch, credentials: Mapping[str, str]) -> None:
    """The environment of a provider of stack dev, in a run of its own that waits for nothing."""
    for name, value in credentials.items():
        monkeypatch.setenv(name, value.replace("{stage}", "dev"))
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    monkeypatch.setattr("providers.base.api.SETTLING_SECONDS", 0.0)
    new_run(monkeypatch)


def unchanged(resource: type[Resource], given: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """An object that was made reads back as it was asked for."""
    engine = Engine(resource)
    made = engine.create(**given)
    new_run(monkeypatch)
    seen = engine.read(made)
    assert seen
    assert seen.inputs == made.inputs
    assert not engine.changes(seen, **given)
    return made

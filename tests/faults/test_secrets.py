"""Secrets that are planted: they are nowhere in clear, whatever is run and however it fails."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.platforms import all_platforms
from tests.faults.convergence import ESTATE, PASSWORD, VARIABLES, shown_secrets
from tests.faults.trial import Boundary, Trial
from tests.processes import commands

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout, NewCheckout

GIVEN = {name: p.credentials[name].replace("{stage}", "dev") for p in all_platforms() for name in p.secret - p.files}
"""What opens the platforms, and what the settings hand on to them."""


@pytest.fixture
def place(new_checkout: NewCheckout, tmp_path: Path) -> Iterator[Checkout]:
    with new_checkout(tmp_path / "checkout") as made:
        yield made


class Search:
    """Looks for secrets in all that a checkout's runs put out and leave behind."""

    def __init__(self, place: Checkout) -> None:
        self.place = place
        self.secrets = {**GIVEN, "PLANTED_PASSWORD": PASSWORD}
        self.seen: dict[str, str] = {}

    def run(self, *arguments: str, code: int | None = 0) -> str:
        """A ``sophia`` command, while the command lines of all processes are watched."""
        with self._watched(" ".join(arguments)):
            done = self.place.run(*arguments, code=code, SOPHIA_PATIENCE_SECONDS="1")
        self.seen[f"stdout of {' '.join(arguments)} ({len(self.seen)})"] = done.stdout
        self.seen[f"stderr of {' '.join(arguments)} ({len(self.seen)})"] = done.stderr
        state = self.place.stack().state()
        if state:
            self.seen[f"state after {' '.join(arguments)} ({len(self.seen)})"] = state.dump()
        return done.stdout + done.stderr

    def minted(self) -> str:
        """The key that was minted, which is a secret from now on."""
        value = json.loads(shown_secrets(self.place)["openrouter:ApiKey::web"]["outputs"]["key"]["plaintext"])
        self.secrets[f"the minted key {len(self.secrets)}"] = value
        return str(value)

    def found(self) -> list[str]:
        """Every place in which a secret is to be read."""
        for file in self.place.running.directory.rglob("*"):
            if file.is_file():
                self.seen[f"file {file.relative_to(self.place.directory)}"] = file.read_bytes().decode(errors="replace")
        return [f"{name} in {where}" for where, text in self.seen.items() for name in self._in(text)]

    def _in(self, text: str) -> list[str]:
        return [name for name, value in self.secrets.items() if value in text or json.dumps(value)[1:-1] in text]

    @contextmanager
    def _watched(self, what: str) -> Iterator[None]:
        ended, lines = threading.Event(), set[str]()

        def watch() -> None:
            while not ended.wait(0.1):
                lines.update(commands())

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()
            self.seen[f"command lines during {what} ({len(self.seen)})"] = "\n".join(lines)


def test_no_secret_is_seen_whatever_is_run(place: Checkout) -> None:
    search = Search(place)
    place.configure(variables=VARIABLES, **ESTATE)
    search.run("preview", "dev", "--debug")
    search.run("up", "dev", "--yes", "--json", "--debug")
    search.minted()
    search.run("up", "dev", "--yes", "--debug")
    search.run("refresh", "dev", "--debug")
    search.run("outputs", "dev", "--json")
    search.run("destroy", "dev", "--yes", "--json", "--debug")
    assert search.found() == []


def test_no_secret_is_seen_however_it_fails(place: Checkout) -> None:
    search, trial = Search(place), Trial(place)
    place.configure(variables=VARIABLES, **ESTATE)
    echo = f"cannot take {json.dumps([*search.secrets.values()])} nor {' '.join(search.secrets.values())}"
    for platform in ESTATE:
        place.running.add_fault(platform, status=422, message=echo, times=1)
    told = search.run("up", "dev", "--skip-preview", "--debug", code=None)
    assert "cannot take" in told, "what the platforms say is told, without the secrets"
    place.running.remove_faults()

    for action in ("half", "drop-after"):
        place.running.add_fault("openrouter", method="POST", path="/api/v1/keys", action=action, times=1)
        place.running.add_fault("openrouter", method="GET", path="/api/v1/keys", status=500)
        search.run("up", "dev", "--skip-preview", "--debug", code=None)
        place.running.remove_faults()

    trial.cut(Boundary("openrouter", "POST", "/api/v1/keys", "create"), "engine", served=True)
    search.run("up", "dev", "--skip-preview", "--debug")
    minted = search.minted()
    changed: dict[str, Any] = {**ESTATE, "openrouter": {**ESTATE["openrouter"]}}
    changed["openrouter"]["keys"] = {"web": {**ESTATE["openrouter"]["keys"]["web"], "limit_usd": 41}}
    place.configure(variables=VARIABLES, **changed)
    place.running.add_fault("openrouter", method="PATCH", status=400, message=f"{minted} is not what it was")
    assert "is not what it was" in search.run("up", "dev", "--skip-preview", "--debug", code=1)
    place.running.add_fault("*", method="DELETE", status=400, message=echo)
    search.run("destroy", "dev", "--yes", "--debug", code=None)
    assert search.found() == []

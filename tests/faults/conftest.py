"""The checkout of tests/engine, with small settings, and the means to stop a run at a known point."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from sophia.backend import surroundings
from tests.engine.conftest import checkout, engine_command, new_checkout, wait_for

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

__all__ = ["checkout", "engine_command", "new_checkout"]

SETTINGS: dict[str, Any] = {
    "openrouter": {
        "workspace": {"slug": "sophia-dev", "name": "Sophia dev"},
        "keys": {"web": {"name": "Web app", "limit_usd": 40}},
    },
    "slack": {
        "channels": {"alerts": {"name": "sophia-dev-alerts", "purpose": "What broke"}},
        "usergroups": {
            "platform": {"handle": "sophia-dev-platform", "name": "Sophia platform", "channels": ["alerts"]}
        },
    },
    "airbyte": {
        "workspace": {"name": "sophia-dev"},
        "sources": {
            "gong": {
                "name": "Gong",
                "type": "gong",
                "configuration": {"start_date": "2025-01-01T00:00:00Z"},
                "secrets": {
                    "access_key": {"environment": "GONG_ACCESS_KEY"},
                    "access_key_secret": {"environment": "GONG_ACCESS_KEY_SECRET"},
                },
            }
        },
    },
}


@pytest.fixture
def settings() -> dict[str, Any]:
    """A few resources on each of the platforms that have dynamic resources."""
    return SETTINGS


class Halted:
    """A ``sophia up`` that waits in the middle, because a platform takes its time with one request."""

    def __init__(self, checkout: Checkout, platform: str, method: str, path: str, skip: int) -> None:
        self.checkout = checkout
        self.fault = checkout.running.add_fault(platform, method=method, path=path, latency=120, skip=skip, times=1)
        self.process = checkout.start("up", "dev", "--skip-preview")
        try:
            wait_for(self._waits, f"{method} {path} to be sent to {platform}")
        except BaseException:
            self.process.kill()
            raise

    def _waits(self) -> bool:
        if self.process.poll() is not None:
            pytest.fail(f"the run ended before it came to the request: {self.process.communicate()}")
        return any(rule["id"] == self.fault and rule["applied"] for rule in self.checkout.running.faults())

    def kill_engine(self) -> subprocess.CompletedProcess[str]:
        """SIGKILL; what ``sophia`` said and its exit code."""
        os.kill(self._engine(), signal.SIGKILL)
        return self._ended()

    def kill_providers(self) -> subprocess.CompletedProcess[str]:
        """SIGKILL for the processes of the dynamic providers; the engine lives."""
        session = self._engine()
        for pid, command in processes():
            if "pulumi.dynamic" in command and os.getsid(pid) == session:
                os.kill(pid, signal.SIGKILL)
        return self._ended()

    def _engine(self) -> int:
        """The one child of ours that leads a session of its own."""
        (found,) = [
            pid
            for pid, command in processes()
            if parent_of(pid) == self.process.pid and command.split(" ")[0].endswith("/pulumi")
        ]
        return found

    def _ended(self) -> subprocess.CompletedProcess[str]:
        stdout, stderr = self.process.communicate(timeout=120)
        self.checkout.running.remove_faults(self.fault)
        return subprocess.CompletedProcess(self.process.args, self.process.returncode, stdout, stderr)


def processes() -> Iterator[tuple[int, str]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                yield int(entry.name), (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue


def parent_of(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


@pytest.fixture
def halt() -> type[Halted]:
    """``halt(checkout, platform, method, path, skip)``: an up that stands still at that request."""
    return Halted


@pytest.fixture
def minted_key_status() -> Callable[[Checkout], int]:
    """The status that OpenRouter gives to whoever shows the one key that is in the state."""

    def ask(checkout: Checkout) -> int:
        stack = checkout.stack()
        export = ["stack", "export", "--show-secrets", "--stack", stack.full_name]
        exported = checkout.command.execute(export, checkout.directory, surroundings(stack.target)).stdout
        resources = json.loads(exported)["deployment"]["resources"]
        (key,) = [json.loads(r["outputs"]["key"]["plaintext"]) for r in resources if r["type"].endswith(":ApiKey")]
        address = f"{checkout.running.url}/openrouter/api/v1/key"
        return httpx.get(address, headers={"Authorization": f"Bearer {key}"}, trust_env=False).status_code

    return ask

"""The checkout of tests/engine, with small settings, and the means to stop a run at a known point."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from sophia.backend import surroundings
from tests.engine.conftest import checkout, engine_command, new_checkout, wait_for
from tests.processes import engine_of, provider_hosts
from tests.small_estate import SMALL

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

__all__ = ["checkout", "engine_command", "new_checkout"]


@pytest.fixture
def settings() -> dict[str, Any]:
    """A few resources on each of the platforms that have dynamic resources."""
    return SMALL


class Halted:
    """A ``sophia up`` that waits in the middle, because a platform takes its time with one request."""

    def __init__(
        self, checkout: Checkout, platform: str, method: str, path: str, skip: int, *, served: bool = False
    ) -> None:
        self.checkout = checkout
        wait: Any = {"hold": 120} if served else {"latency": 120}
        self.fault = checkout.running.add_fault(platform, method=method, path=path, skip=skip, times=1, **wait)
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
        engine_of(self.process.pid).kill()
        return self._ended()

    def kill_providers(self) -> subprocess.CompletedProcess[str]:
        """SIGKILL for the processes of the dynamic providers; the engine lives."""
        for host in provider_hosts(engine_of(self.process.pid)):
            host.kill()
        return self._ended()

    def _ended(self) -> subprocess.CompletedProcess[str]:
        stdout, stderr = self.process.communicate(timeout=120)
        self.checkout.running.remove_faults(self.fault)
        return subprocess.CompletedProcess(self.process.args, self.process.returncode, stdout, stderr)


@pytest.fixture
def halt() -> type[Halted]:
    """``halt(checkout, platform, method, path, skip, served=False)``: an up that stands still at that request, before it
    is served or after.
    """
    return Halted


@pytest.fixture
def kept() -> Callable[[Checkout, str, str], list[str]]:
    """``kept(checkout, type, output)``: that secret output of the resources of a type, as the state keeps it, decrypted."""

    def values(checkout: Checkout, type_: str, output: str) -> list[str]:
        stack = checkout.stack()
        export = ["stack", "export", "--show-secrets", "--stack", stack.full_name]
        exported = checkout.command.execute(export, checkout.directory, surroundings(stack.target)).stdout
        resources = json.loads(exported)["deployment"]["resources"]
        return [json.loads(r["outputs"][output]["plaintext"]) for r in resources if r["type"].endswith(f":{type_}")]

    return values


@pytest.fixture
def minted_key_status(kept: Callable[[Checkout, str, str], list[str]]) -> Callable[[Checkout], int]:
    """The status that OpenRouter gives to whoever shows the one key that is in the state."""

    def ask(checkout: Checkout) -> int:
        (key,) = kept(checkout, "ApiKey", "key")
        address = f"{checkout.running.url}/openrouter/api/v1/key"
        return httpx.get(address, headers={"Authorization": f"Bearer {key}"}, trust_env=False).status_code

    return ask

"""The process that serves a platform's dynamic resources: how much it does at a time, and that it ends with the engine."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from providers.base.process import WORKERS
from sophia.backend import PARALLEL, surroundings
from tests.engine.conftest import Checkout, wait_for
from tests.processes import hosts_in

KEYS = 24
SLOW_SECONDS = 60.0


def _openrouter(checkout: Checkout) -> None:
    workspace = {"slug": "sophia-dev", "name": "Sophia dev"}
    keys: dict[str, Any] = {f"key{n}": {"name": f"Key {n}", "limit_usd": 5} for n in range(KEYS)}
    checkout.configure(openrouter={"workspace": workspace, "keys": keys})


def _waiting(checkout: Checkout) -> int:
    (rule,) = checkout.running.faults()
    applied: int = rule["applied"]
    return applied


@pytest.mark.parametrize(
    ("method", "path", "operation"), [("POST", "/api/v1/keys", "up"), ("DELETE", "/api/v1/keys/*", "destroy")]
)
def test_more_wait_for_the_platform_at_once_than_the_host_has_workers_by_itself(
    checkout: Checkout, method: str, path: str, operation: str
) -> None:
    """In a destroy all the work comes at once, before the first provider is there."""
    _openrouter(checkout)
    if operation == "destroy":
        checkout.run("up", "dev", "--skip-preview")
    checkout.running.add_fault("openrouter", method=method, path=path, latency=SLOW_SECONDS)
    process = checkout.start(operation, "dev", *(["--skip-preview"] if operation == "up" else ["--yes"]))
    try:
        wait_for(lambda: process.poll() is not None or _waiting(checkout) == KEYS, f"{KEYS} requests at once")
        assert process.poll() is None
    finally:
        checkout.running.remove_faults()
        process.kill()
        process.communicate(timeout=60)
    wait_for(lambda: not hosts_in(checkout.directory), "the providers to end with the killed run")


def test_the_engine_is_given_no_more_than_a_provider_serves() -> None:
    assert int(PARALLEL) <= WORKERS


def test_no_provider_outlives_a_killed_engine(checkout: Checkout) -> None:
    """It would send its requests again beside the next run, which looks for what the killed one had made."""
    _openrouter(checkout)
    stack = checkout.stack()
    environment = surroundings(stack.target)
    checkout.command.execute(["stack", "init", stack.full_name, "--no-select"], checkout.directory, environment)
    checkout.running.add_fault("openrouter", method="POST", path="/api/v1/keys", latency=SLOW_SECONDS)
    engine = subprocess.Popen(
        [checkout.command.command, "up", "--yes", "--skip-preview", "--stack", stack.full_name],
        cwd=checkout.directory,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: _waiting(checkout) > 0, "a creation to be sent")
        assert hosts_in(checkout.directory)
    finally:
        engine.kill()
        engine.wait()
    wait_for(lambda: not hosts_in(checkout.directory), "the providers to end with the killed engine", 15)

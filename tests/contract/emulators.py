"""The emulators of the npm package ``emulate``, made by people who have never seen ours: installed once a machine, started
for a module of tests on free ports of this machine.

They come from a package registry, with the Node that they need (22; what the machine has may be older). Where that cannot be
had, the tests are skipped, and say so.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tenacity import RetryError, retry, retry_if_exception_type, stop_after_delay, wait_fixed

from tests.contract import npm

_LOCKED = Path(__file__).parent / "emulate"
_STARTING_SECONDS = 60


def installed() -> Path:
    """The folder with ``node_modules``; skips where it cannot be had."""
    return npm.installed(_LOCKED, "THE THIRD PARTY'S EMULATORS", _has_node)


@contextmanager
def running(service: str, seed: Mapping[str, Any], directory: Path) -> Iterator[str]:
    """One emulator with what ``seed`` says, until the block ends; its address. ``directory`` takes its seed and its log."""
    modules = installed() / "node_modules"
    program = [modules / ".bin" / "node", modules / "emulate" / "dist" / "index.js"]
    (directory / "seed.json").write_text(json.dumps(seed))
    port, log = _free_port(), directory / "emulate.log"
    address = f"http://127.0.0.1:{port}"
    with log.open("w") as written:
        process = subprocess.Popen(
            [
                *program,
                "start",
                "--service",
                service,
                "--port",
                str(port),
                "--seed",
                directory / "seed.json",
                "--base-url",
                address,
            ],
            cwd=directory,
            env={"PATH": os.environ["PATH"], "HOME": str(directory), "NO_COLOR": "1"},
            stdout=written,
            stderr=written,
        )
        try:
            _wait(address, process, log)
            yield address
        finally:
            process.terminate()
            process.wait(10)


def _has_node(folder: Path) -> str:
    return "" if (folder / "node_modules" / ".bin" / "node").exists() else "npm left no Node"


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until it answers, whatever it says."""

    @retry(
        stop=stop_after_delay(_STARTING_SECONDS), wait=wait_fixed(0.1), retry=retry_if_exception_type(httpx.HTTPError)
    )
    def ask() -> None:
        if process.poll() is not None:
            pytest.fail(f"emulate ended with {process.returncode}: {log.read_text()[-1000:]}")
        httpx.get(address, timeout=5)

    try:
        ask()
    except RetryError:
        pytest.fail(f"emulate does not answer at {address}: {log.read_text()[-1000:]}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port

"""Starting, stopping and asking the sandbox that runs in the background, for the ``sophia`` command and for tests."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

DEFAULT_PORT = 8900
OFFICIAL_PROVIDERS = ("snowflake", "kubernetes", "github", "vercel", "aws")

_START_SECONDS = 60.0
_STOP_SECONDS = 15.0
_POLL_SECONDS = 0.02
_EXIT_ALREADY_RUNNING = 3
_LOG_LINES_SHOWN = 15
_LOG_BYTES_KEPT = 5_000_000

_children: dict[int, subprocess.Popen[bytes]] = {}
"""The sandboxes that this very process started: it must collect them when they end."""


class SandboxError(Exception):
    """What the sandbox could not do, in a sentence for people."""


@dataclass(frozen=True)
class JournalEntry:
    """One request that reached a platform. ``status`` is None where the client saw no whole answer."""

    sequence: int
    time: float
    platform: str
    method: str
    path: str
    query: str
    status: int | None
    milliseconds: float
    fault: str | None


@dataclass(frozen=True)
class JournalView:
    """``entries``, oldest first; ``counts`` of all that match, by platform and method; ``last`` is the next ``since``."""

    entries: list[JournalEntry]
    counts: dict[str, dict[str, int]]
    last: int

    @property
    def total(self) -> int:
        return sum(sum(methods.values()) for methods in self.counts.values())


@dataclass(frozen=True)
class Objects:
    """What exists on a platform: documents by kind and id."""

    counts: dict[str, int]
    objects: dict[str, dict[str, dict[str, Any]]]


@dataclass(frozen=True)
class Running:
    """A sandbox that answers."""

    directory: Path
    url: str
    pid: int
    instance: str
    official_port: int
    started: float
    access_token: str = field(repr=False)

    def environment(self) -> dict[str, str]:
        """The variables with which the engine and its command line use this sandbox instead of Pulumi Cloud."""
        home = self.directory / "pulumi-home"
        home.mkdir(mode=0o700, exist_ok=True)
        return {
            "PULUMI_BACKEND_URL": self.url,
            "PULUMI_ACCESS_TOKEN": self.access_token,
            "PULUMI_HOME": str(home),
            "PULUMI_DEBUG_PROVIDERS": ",".join(f"{name}:{self.official_port}" for name in OFFICIAL_PROVIDERS),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }

    def journal(
        self,
        *,
        platforms: Sequence[str] = (),
        methods: Sequence[str] = (),
        since: int = 0,
        limit: int = 1000,
    ) -> JournalView:
        """The requests after number ``since``; Pulumi Cloud's only where ``platforms`` names ``pulumi``."""
        query: dict[str, Any] = {"platform": list(platforms), "method": list(methods), "since": since, "limit": limit}
        answer = self._ask("GET", "journal", params=query)
        return JournalView([JournalEntry(**entry) for entry in answer["entries"]], answer["counts"], answer["last"])

    def mark(self) -> int:
        """The number of the newest request so far: ``journal(since=mark)`` shows what came after."""
        return self.journal(limit=0).last

    def clear_journal(self) -> None:
        self._ask("DELETE", "journal")

    def faults(self) -> list[dict[str, Any]]:
        """The rules in force, each with how often it was applied."""
        rules: list[dict[str, Any]] = self._ask("GET", "faults")["faults"]
        return rules

    def add_fault(self, platform: str = "*", **rule: Any) -> str:
        """Arms a rule (the fields of ``sandbox.faults.Rule``); returns its id."""
        identifier: str = self._ask("POST", "faults", json={"platform": platform, **rule})["id"]
        return identifier

    def remove_faults(self, identifier: str | None = None) -> None:
        """Disarms one rule, or all."""
        self._ask("DELETE", "faults", params={"id": identifier} if identifier else {})

    def deliveries(self, address: str = "*") -> list[dict[str, Any]]:
        """What the emulators' webhooks delivered last to the addresses that fit the pattern, oldest first; no secrets.

        Each is a ``sandbox.receiver.Delivery``.
        """
        found: list[dict[str, Any]] = self._ask("GET", "deliveries", params={"address": address})["deliveries"]
        return found

    def fail_deliveries(self, address: str = "*", **rule: Any) -> str:
        """Makes the receivers at some addresses fail (the fields of ``sandbox.receiver.Failing``); returns the rule's id."""
        identifier: str = self._ask("POST", "receivers", json={"address": address, **rule})["id"]
        return identifier

    def restore_receivers(self, identifier: str | None = None) -> None:
        """Lets the receivers of one rule, or of all, answer again."""
        self._ask("DELETE", "receivers", params={"id": identifier} if identifier else {})

    def platforms(self) -> list[dict[str, Any]]:
        """Name, title, what is simulated, and the number of objects of each platform."""
        found: list[dict[str, Any]] = self._ask("GET", "platforms")["platforms"]
        return found

    def objects(self, platform: str) -> Objects:
        answer = self._ask("GET", f"objects/{platform}")
        return Objects(answer["counts"], answer["objects"])

    def delete_object(self, platform: str, kind: str, identifier: str) -> None:
        """Removes an object behind everybody's back."""
        self._ask("DELETE", f"objects/{platform}", params={"kind": kind, "id": identifier})

    def change_object(self, platform: str, kind: str, identifier: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Changes members of an object behind everybody's back; returns the object."""
        named = {"kind": kind, "id": identifier}
        document: dict[str, Any] = self._ask("PATCH", f"objects/{platform}", params=named, json=dict(changes))
        return document

    def expire_leases(self) -> None:
        """Frees every locked stack, as if its engine had been gone for as long as a lease lasts."""
        self._ask("POST", "expire-leases")

    def reset(self, platform: str | None = None) -> None:
        """Forgets one platform's objects (``pulumi``: stacks and environments), or everything. It keeps running."""
        self._ask("POST", "reset", json={"platform": platform})

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        headers = {"Authorization": f"token {self.access_token}"}
        try:
            with _client() as client:
                answer = client.request(method, f"{self.url}/_sandbox/{path}", headers=headers, **options)
        except httpx.HTTPError as error:
            raise SandboxError(f"the sandbox at {self.url} does not answer: {error}; start it again") from error
        if answer.status_code == 401:
            raise SandboxError(f"the sandbox at {self.url} is not the one of {self.directory}; start it again")
        if answer.is_error:
            text = answer.json()["error"] if "json" in answer.headers.get("content-type", "") else answer.text
            raise SandboxError(f"the sandbox refused {method} {path}: {text}")
        return answer.json() if answer.content else None


def start(
    directory: Path,
    port: int = DEFAULT_PORT,
    *,
    lease_seconds: float | None = None,
    journaling: bool = True,
    timeout: float = _START_SECONDS,
) -> Running:
    """The sandbox of ``directory``, started in the background unless it runs already.

    It gets another port when something else has ``port``; 0 is any free one. It outlives the process that starts it.
    Without ``journaling`` engines send the whole state after each step, as they do where Pulumi Cloud has no journal.
    Raises SandboxError with the end of the sandbox's log when it does not come up within ``timeout`` seconds.
    """
    directory = directory.resolve()
    running = status(directory)
    if running is not None:
        return running
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    child = _spawn(directory, port, lease_seconds, journaling=journaling)
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        running = status(directory)
        if running is not None:
            return running
        # Somebody else may be starting the same sandbox at this moment: theirs is as good.
        if child.poll() not in (None, _EXIT_ALREADY_RUNNING):
            raise SandboxError(f"the sandbox did not start (exit code {child.returncode}){_log_tail(directory)}")
        time.sleep(_POLL_SECONDS)
    raise SandboxError(f"the sandbox did not start within {timeout:g} s{_log_tail(directory)}")


def status(directory: Path) -> Running | None:
    """The sandbox that runs on ``directory``, or None. A file left behind by a killed one counts for nothing."""
    directory = directory.resolve()
    try:
        facts = json.loads((directory / "sandbox.json").read_text())
        access_token = (directory / "access-token").read_text()
        running = Running(directory=directory, access_token=access_token, **facts)
        with _client() as client:
            health = client.get(f"{running.url}/_sandbox/health")
        is_this_one = health.json().get("instance") == running.instance
    except (OSError, ValueError, TypeError, AttributeError, httpx.HTTPError):
        return None
    return running if is_this_one else None


def stop(directory: Path, timeout: float = _STOP_SECONDS) -> bool:
    """Stops the sandbox of ``directory``; whether one was running. Its state is kept.

    The sandbox is asked, never killed: a process id in a file may by now belong to something else.
    """
    running = status(directory)
    if running is None:
        return False
    running._ask("POST", "stop")  # noqa: SLF001 - not for users of Running: they stop a directory's sandbox
    deadline = time.monotonic() + timeout
    while _is_alive(running):
        if time.monotonic() > deadline:
            raise SandboxError(f"the sandbox at {running.url} (process {running.pid}) does not stop; end it by hand")
        time.sleep(_POLL_SECONDS)
    return True


def reset(directory: Path, platform: str | None = None) -> None:
    """Forgets everything, or one platform's objects, whether the sandbox runs or not."""
    running = status(directory)
    if running is not None:
        running.reset(platform)
    elif platform is not None:
        raise SandboxError(f"the sandbox of {directory} is not running; start it to reset {platform} alone")
    else:
        for suffix in ("", "-wal", "-shm"):
            (directory / f"sandbox.db{suffix}").unlink(missing_ok=True)


def _client() -> httpx.Client:
    # No proxy of the environment stands between a machine and itself; and nothing here speaks TLS, so that loading
    # the certificate authorities would only cost time.
    return httpx.Client(trust_env=False, timeout=10, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))


def _spawn(directory: Path, port: int, lease_seconds: float | None, *, journaling: bool) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "sandbox", "--directory", str(directory), "--port", str(port), "--or-any-port"]
    if lease_seconds is not None:
        command += ["--lease-seconds", str(lease_seconds)]
    if not journaling:
        command.append("--no-journal")
    log = directory / "sandbox.log"
    with log.open("wb" if log.exists() and log.stat().st_size > _LOG_BYTES_KEPT else "ab") as output:
        child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command,
            cwd=Path(__file__).parent.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    _children[child.pid] = child
    return child


def _is_alive(running: Running) -> bool:
    child = _children.get(running.pid)
    if child is not None:
        if child.poll() is None:
            return True
        del _children[running.pid]
        return False
    try:
        os.kill(running.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return False  # the number belongs to another user's process by now
    return (running.directory / "sandbox.json").exists()


def _log_tail(directory: Path) -> str:
    log = directory / "sandbox.log"
    lines = log.read_text(errors="replace").splitlines()[-_LOG_LINES_SHOWN:] if log.exists() else []
    return f"; the end of {log}:\n" + "\n".join(f"  {line}" for line in lines) if lines else f"; {log} is empty"

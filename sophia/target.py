"""Where a run acts: the sandbox of this checkout, Pulumi Cloud with real accounts, or a state file of one's own.

A token or a login means the real cloud; nobody lands in the sandbox silently then, and nobody in the cloud without.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from sophia.errors import CredentialsError, UnreachableError

if TYPE_CHECKING:
    from sandbox.control import Running

ORGANIZATION = "scoobyjava-org"
PULUMI_CLOUD = "https://api.pulumi.com"
SANDBOX_DIRECTORY = ".sandbox"
_START = "`sophia sandbox start` rehearses on this machine; for real accounts set PULUMI_ACCESS_TOKEN"

Count = Callable[[], int]
Meter = Callable[[], Count]
"""Called before a run; what it returns tells, afterwards, how many requests platforms got since."""


@dataclass(frozen=True)
class Target:
    """Where stacks live and which variables lead the engine and the providers there."""

    kind: Literal["sandbox", "cloud", "file"]
    backend: str
    organization: str = ""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    running: Running | None = field(default=None, repr=False)
    """The sandbox of this checkout, where it is the target."""

    @property
    def label(self) -> str:
        """The word in the second column of the first lines."""
        return {"sandbox": "SANDBOX", "cloud": self.organization, "file": self.backend}[self.kind]

    @property
    def meter(self) -> Meter | None:
        """Counts requests to platforms, where a journal tells. Runs at the same time count each other's."""
        running = self.running
        if running is None:
            return None

        def begin() -> Count:
            mark = running.mark()
            return lambda: running.journal(since=mark, limit=0).total

        return begin

    def qualified(self, project: str, stack: str) -> str:
        """The stack's full name. In the cloud the organisation is explicit: a user's default one may be another."""
        return f"{self.organization}/{project}/{stack}" if self.kind != "file" else stack


def choose(directory: Path, environ: Mapping[str, str], *, sandbox: bool = False) -> Target:
    """The target that the environment names, or else a running sandbox of this checkout.

    ``sandbox`` asks for the sandbox whatever the environment says. Raises CredentialsError if there is neither,
    UnreachableError if the sandbox was asked for and none runs.
    """
    if sandbox:
        target = running_sandbox(directory)
        if target is None:
            raise UnreachableError(
                "no sandbox runs in this checkout",
                setting=str(directory / SANDBOX_DIRECTORY),
                do="`sophia sandbox start`",
            )
        return target
    backend = environ.get("PULUMI_BACKEND_URL") or _logged_in(environ)
    if not backend and environ.get("PULUMI_ACCESS_TOKEN"):
        backend = PULUMI_CLOUD
    if backend:
        return of_backend(backend, directory, environ)
    target = running_sandbox(directory)
    if target is not None:
        return target
    raise CredentialsError(
        "there is nowhere to act",
        said="no PULUMI_ACCESS_TOKEN, no login, and no sandbox runs in this checkout",
        setting="environment variable PULUMI_ACCESS_TOKEN",
        do=_START,
    )


def of_backend(backend: str, directory: Path, environ: Mapping[str, str]) -> Target:
    """The target behind a backend's address; an address of this machine is a sandbox's."""
    organization = environ.get("SOPHIA_ORGANIZATION", ORGANIZATION)
    address = urlsplit(backend)
    if address.scheme not in ("http", "https"):
        return Target("file", backend, environment={"PULUMI_BACKEND_URL": backend})
    if not _is_loopback(address.hostname or ""):
        return Target("cloud", backend, organization, {"PULUMI_BACKEND_URL": backend})
    own = running_sandbox(directory)
    if own is not None and own.backend.rstrip("/") == backend.rstrip("/"):
        return own
    return Target("sandbox", backend, organization, {"PULUMI_BACKEND_URL": backend})


def running_sandbox(directory: Path) -> Target | None:
    """The sandbox that keeps its state in this checkout, if it runs."""
    from sandbox import control

    running = control.status(directory / SANDBOX_DIRECTORY)
    return of_running(running) if running is not None else None


def of_running(running: Running) -> Target:
    """The target that a running sandbox is."""
    return Target("sandbox", running.url, ORGANIZATION, running.environment(), running)


def access_token(backend: str, environ: Mapping[str, str]) -> str:
    """The token with which the engine speaks to this backend: the variable's, else that of the login; "" if none."""
    tokens = _credentials(environ).get("accessTokens")
    login = tokens.get(backend) if isinstance(tokens, dict) else None
    return environ.get("PULUMI_ACCESS_TOKEN") or (login if isinstance(login, str) else "")


def is_loopback(address: str) -> bool:
    """Whether an address (a URL) is one of this machine."""
    return _is_loopback(urlsplit(address).hostname or "")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _logged_in(environ: Mapping[str, str]) -> str:
    """The backend that ``pulumi login`` chose, or "". PULUMI_ACCESS_TOKEN alone means Pulumi's own cloud."""
    current = _credentials(environ).get("current")
    return current if isinstance(current, str) else ""


def _credentials(environ: Mapping[str, str]) -> Mapping[str, Any]:
    """What ``pulumi login`` has written; {} if nobody ever logged in."""
    home = (
        Path(environ["PULUMI_HOME"])
        if environ.get("PULUMI_HOME")
        else Path(environ.get("HOME", "~")).expanduser() / ".pulumi"
    )
    try:
        content = json.loads((home / "credentials.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}

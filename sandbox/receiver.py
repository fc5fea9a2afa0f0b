"""The far end of webhooks: what the emulators deliver to, and how whoever listens there answers.

A receiver on this machine's loopback is called, so that a workflow tool or a test can be tried for real. The public hosts
of the stack files do not exist on a laptop: for them, and for the sandbox's own address, the sandbox answers itself, as a
well-behaved receiver does. It echoes Asana's ``X-Hook-Secret``, answers Slack's ``url_verification`` challenge, and says
200 to the rest. It can be told to fail for an address.

An emulator delivers inside the request that makes it happen, as Asana's handshake requires. A receiver on the loopback
must therefore not call the sandbox before it has answered.
"""

from __future__ import annotations

import json
import re
import secrets
import ssl
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from ipaddress import ip_address
from threading import Lock
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from sandbox.journal import masked, masked_query

_KEPT_PER_ADDRESS = 20
_KEPT_ADDRESSES = 200
_MASK = "***"
_HANDSHAKE = "x-hook-secret"
_SECRET_NAME = re.compile(
    r"secret|signature|authorization|cookie|token|password|passcode|api[_-]?key|credential", re.IGNORECASE
)


class Failing(BaseModel):
    """How the receivers at some addresses fail."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(default_factory=lambda: secrets.token_hex(4))
    address: str = Field("*", description="a pattern with * and ? over the whole address that is delivered to")
    outcome: Literal["status", "unreachable", "no-echo"] = Field(
        "status",
        description=(
            "status: the receiver answers with it; unreachable: there is no answer; no-echo: it answers 200 and does "
            "not send back what a handshake or a challenge asks for"
        ),
    )
    status: int = Field(500, ge=300, le=599)
    times: int | None = Field(None, ge=1, description="so many deliveries fail; every one where absent")


@dataclass(frozen=True)
class Answer:
    """What a receiver said. ``status`` is None where it said nothing; ``problem`` is then why."""

    status: int | None
    headers: Mapping[str, str] = field(default_factory=dict)
    """By lower-case name."""
    body: bytes = b""
    problem: str = ""

    @property
    def ok(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(frozen=True)
class Delivery:
    """One delivery, without its secrets: their names are kept, and their values are ``***``."""

    time: float
    platform: str
    address: str
    headers: dict[str, str]
    body: Any
    """The JSON that was sent, or text."""
    status: int | None
    problem: str


class Receiver:
    """Every delivery of the emulators goes through ``deliver``. What it remembers lives as long as the process."""

    def __init__(self, own_url: str) -> None:
        self._own = urlsplit(own_url).netloc
        self._lock = Lock()
        self._deliveries: dict[str, deque[Delivery]] = {}
        self._failing: list[Failing] = []
        self._failed: dict[str, int] = {}

    def deliver(
        self, platform: str, address: str, body: bytes, headers: Mapping[str, str], *, timeout: float = 10
    ) -> Answer:
        """POSTs ``body`` to ``address`` on behalf of ``platform``, and waits ``timeout`` seconds for the answer."""
        sent = {name.lower(): value for name, value in headers.items()}
        failing = self._taken(address)
        if failing is not None:
            answer = _failed(failing)
        elif self._is_local(address):
            answer = _called(address, body, sent, timeout)
        else:
            answer = _answered(sent, body)
        self._keep(platform, address, sent, body, answer)
        return answer

    def deliveries(self, address: str = "*") -> list[dict[str, Any]]:
        """The last deliveries to the addresses that fit the pattern ``address``, oldest first."""
        with self._lock:
            found = [d for kept in self._deliveries.values() for d in kept if fnmatchcase(d.address, address)]
        return [asdict(delivery) for delivery in sorted(found, key=lambda delivery: delivery.time)]

    def fail(self, rule: Failing) -> Failing:
        with self._lock:
            self._failing.append(rule)
        return rule

    def failing(self) -> list[dict[str, Any]]:
        """The rules in force, each with how often it was applied."""
        with self._lock:
            return [{**rule.model_dump(), "applied": self._failed.get(rule.id, 0)} for rule in self._failing]

    def restore(self, identifier: str | None = None) -> int:
        """Removes one rule, or all; returns how many there were."""
        with self._lock:
            kept = [rule for rule in self._failing if identifier is not None and rule.id != identifier]
            removed = len(self._failing) - len(kept)
            self._failing = kept
        return removed

    def clear(self) -> None:
        """Forgets the deliveries."""
        with self._lock:
            self._deliveries.clear()

    def _taken(self, address: str) -> Failing | None:
        with self._lock:
            for rule in self._failing:
                applied = self._failed.get(rule.id, 0)
                if fnmatchcase(address, rule.address) and (rule.times is None or applied < rule.times):
                    self._failed[rule.id] = applied + 1
                    return rule
        return None

    def _is_local(self, address: str) -> bool:
        """Whether something else on this machine listens there. The sandbox cannot call itself: it would wait for itself."""
        parts = urlsplit(address)
        host = parts.hostname or ""
        if parts.netloc == self._own:
            return False
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return host == "localhost" or host.endswith(".localhost")

    def _keep(self, platform: str, address: str, headers: Mapping[str, str], body: bytes, answer: Answer) -> None:
        shown = _shown_address(address)
        delivery = Delivery(
            time=time.time(),
            platform=platform,
            address=shown,
            headers={name: _MASK if _SECRET_NAME.search(name) else masked(value) for name, value in headers.items()},
            body=_shown_body(body),
            status=answer.status,
            problem=answer.problem,
        )
        with self._lock:
            self._deliveries.setdefault(shown, deque(maxlen=_KEPT_PER_ADDRESS)).append(delivery)
            while len(self._deliveries) > _KEPT_ADDRESSES:
                del self._deliveries[next(iter(self._deliveries))]


def receiver_of(request: Request) -> Receiver:
    """The receiver of the sandbox that serves this request."""
    receiver: Receiver = request.app.state.receiver
    return receiver


def _failed(rule: Failing) -> Answer:
    if rule.outcome == "unreachable":
        return Answer(None, problem="could not connect to the receiver (the sandbox was told so)")
    return Answer(200 if rule.outcome == "no-echo" else rule.status)


def _called(address: str, body: bytes, headers: Mapping[str, str], timeout: float) -> Answer:
    try:
        # Verification is for the authorities of real certificates: there is none for a laptop's own receiver.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        with httpx.Client(trust_env=False, timeout=timeout, verify=context) as client:
            said = client.post(address, content=body, headers=dict(headers))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Answer(None, problem=f"{type(error).__name__}: {error}")
    return Answer(said.status_code, {name.lower(): value for name, value in said.headers.items()}, said.content)


def _answered(headers: Mapping[str, str], body: bytes) -> Answer:
    """What a well-behaved receiver says."""
    if _HANDSHAKE in headers:
        return Answer(200, {_HANDSHAKE: headers[_HANDSHAKE]})
    document = Answer(200, body=body).json()
    if isinstance(document, dict) and document.get("type") == "url_verification":
        challenge = json.dumps({"challenge": document.get("challenge")}).encode()
        return Answer(200, {"content-type": "application/json"}, challenge)
    return Answer(200, {"content-type": "text/plain"}, b"ok")


def _shown_address(address: str) -> str:
    parts = urlsplit(address)
    # An address may carry a user and a password before its host.
    host = parts.netloc.rpartition("@")[2]
    query = f"?{masked_query(parts.query)}" if parts.query else ""
    return f"{parts.scheme}://{host}{masked(parts.path)}{query}"


def _shown_body(body: bytes) -> Any:
    try:
        return _without_secrets(json.loads(body)) if body else ""
    except ValueError:
        return masked(body.decode("utf-8", errors="replace"))


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _MASK if _SECRET_NAME.search(k) and v else _without_secrets(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_without_secrets(item) for item in value]
    return masked(value) if isinstance(value, str) else value

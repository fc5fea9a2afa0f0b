"""Faults on demand: slow answers, refusals, and connections that break before, after or in the middle of an answer."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from threading import Lock
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from sandbox.lateness import Lateness

Failure = Callable[[int, str], Response]

_TRANSPORT = "sandbox_transport"


class Rule(BaseModel):
    """Which requests go wrong, how, and how often."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(default_factory=lambda: secrets.token_hex(4))
    platform: str = Field("*", description="a platform; * is all of them, except Pulumi Cloud, which must be named")
    method: str = Field("*", description="an HTTP method, or *")
    path: str = Field("*", description="a pattern with * and ? over the path behind the platform's name")
    action: Literal["pass", "answer", "drop", "drop-after", "half"] = Field(
        "pass",
        description=(
            "pass: the request is served (late, with latency); answer: the platform answers with status, and nothing is "
            "done; drop: the connection breaks, and nothing is done; drop-after: the request is served and the "
            "connection breaks without an answer; half: the request is served and the connection breaks in the middle "
            "of the answer"
        ),
    )
    status: int | None = Field(None, ge=400, le=599, description="the status of action answer, which it implies")
    retry_after: float | None = Field(None, ge=0, description="seconds, sent as Retry-After with the status")
    message: str = Field("fault on demand", description="what the platform says")
    latency: float = Field(0, ge=0, le=600, description="seconds to wait first")
    hold: float = Field(0, ge=0, le=600, description="seconds to wait once the request is served, before the answer")
    late: int = Field(
        0,
        ge=0,
        description=(
            "eventual consistency: what the request makes is not found, and what it changes or removes is listed as it "
            "was, by so many of the requests after it that would show it; goes with every action that serves the request"
        ),
    )
    late_seconds: float = Field(0, ge=0, le=600, description="the same for a time")
    skip: int = Field(0, ge=0, description="this many matching requests pass before the rule begins")
    times: int | None = Field(None, ge=1, description="how often the rule applies; it is used up then")
    probability: float = Field(1, gt=0, le=1, description="of each matching request")
    seed: int = Field(0, description="the same seed breaks the same requests of a sequence")

    @model_validator(mode="before")
    @classmethod
    def _a_status_is_an_answer(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("status") is not None and "action" not in value:
            return {**value, "action": "answer"}
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Rule:
        if (self.action == "answer") != (self.status is not None):
            raise ValueError("status belongs to action answer, and that action needs one")
        if not self.serves and (self.hold or self.is_late):
            raise ValueError(f"{self.action} does nothing that could be held or be seen late")
        if self.action == "pass" and not (self.latency or self.hold or self.is_late):
            raise ValueError("the rule does nothing: give an action, a status, a latency, a hold or late")
        return self

    @property
    def serves(self) -> bool:
        """Whether the platform does what is asked."""
        return self.action not in ("answer", "drop")

    @property
    def is_late(self) -> bool:
        return bool(self.late or self.late_seconds)

    @property
    def label(self) -> str:
        """What the journal calls it."""
        name = str(self.status) if self.action == "answer" else self.action
        name += " and seen late" if self.is_late else ""
        name += f" after {self.latency:g} s" if self.latency else ""
        return name + (f", held for {self.hold:g} s" if self.hold else "")

    def matches(self, platform: str, method: str, path: str) -> bool:
        named = self.platform == platform or (self.platform == "*" and platform != "pulumi")
        return named and self.method.upper() in ("*", method) and fnmatchcase(path, self.path)


class _Armed:
    """A rule, and how much of it is left."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.seen = 0
        self.applied = 0
        self.waiting = 0
        self.random = random.Random(rule.seed)  # noqa: S311 - reproducible on purpose

    def fires(self) -> bool:
        self.seen += 1
        if self.seen <= self.rule.skip or (self.rule.times is not None and self.applied >= self.rule.times):
            return False
        if self.random.random() >= self.rule.probability:
            return False
        self.applied += 1
        return True


@dataclass(frozen=True)
class Hit:
    """A request that goes wrong, and the rule that says how."""

    rule: Rule
    _armed: _Armed

    async def wait(self, seconds: float, client: Receive | None = None) -> None:
        """Waits so long, but not for a ``client`` that is gone."""
        if not seconds:
            return
        self._armed.waiting += 1
        try:
            await asyncio.wait_for(_gone(client), seconds) if client else await asyncio.sleep(seconds)
        except TimeoutError:
            pass  # the client is still there: as long as that
        finally:
            self._armed.waiting -= 1


class Faults:
    """The rules in force. They live as long as the process: a restarted sandbox is a healthy one."""

    def __init__(self) -> None:
        self.lateness = Lateness()
        self._armed: list[_Armed] = []
        self._lock = Lock()

    def add(self, rule: Rule) -> Rule:
        with self._lock:
            self._armed.append(_Armed(rule))
        return rule

    def remove(self, identifier: str | None = None) -> int:
        """Removes one rule, or all, and then also what is late because of them; returns how many there were."""
        if identifier is None:
            self.lateness.clear()
        with self._lock:
            kept = [armed for armed in self._armed if identifier is not None and armed.rule.id != identifier]
            removed = len(self._armed) - len(kept)
            self._armed = kept
        return removed

    def list(self) -> list[dict[str, Any]]:
        """The rules in order, each with how often it was applied, and how many requests it makes wait at this moment."""
        with self._lock:
            return [{**a.rule.model_dump(), "applied": a.applied, "waiting": a.waiting} for a in self._armed]

    def take(self, platform: str, method: str, path: str) -> Hit | None:
        """The first rule that hits this request; it is counted as applied."""
        with self._lock:
            hits = (a for a in self._armed if a.rule.matches(platform, method, path) and a.fires())
            found = next(hits, None)
        return Hit(found.rule, found) if found else None


class BreakableProtocol(H11Protocol):
    """uvicorn's HTTP protocol, with the connection within the reach of the application, so that it can break it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as H11Protocol does
        super().connection_made(transport)
        self.app_state = {**self.app_state, _TRANSPORT: transport}


async def serve_broken(
    hit: Hit,
    failure: Failure,
    app: ASGIApp,
    scope: Scope,
    receive: Receive,
    send: Send,
    before_break: Callable[[], None],
) -> None:
    """Serves one request as the rule says that hit it. ``failure`` renders refusals in the platform's own shape.

    ``before_break`` is called just before the connection breaks.
    """
    rule = hit.rule
    await hit.wait(rule.latency)
    if rule.action == "answer":
        response = failure(rule.status or 500, rule.message)
        if rule.retry_after is not None:
            response.headers["Retry-After"] = f"{rule.retry_after:g}"
        await response(scope, receive, send)
        return
    if rule.serves:
        answer = await _buffered(app, scope, receive)
        await hit.wait(rule.hold, receive)
    else:
        answer = []
        await _whole_body(receive)
    if rule.action == "pass":
        for message in answer:
            await send(message)
        return
    if rule.action == "half":
        await _send_half(answer, send)
    before_break()
    await _break_connection(scope, receive)


async def _whole_body(receive: Receive) -> None:
    # The client has sent everything and waits: the fault is then the same every time, not a race with its writes.
    while (await receive()).get("more_body"):
        pass


async def _buffered(app: ASGIApp, scope: Scope, receive: Receive) -> list[Message]:
    messages: list[Message] = []

    async def keep(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, keep)
    return messages


async def _send_half(answer: list[Message], send: Send) -> None:
    """The head, promising the whole body, and half of it. An answer without a body cannot be halved: nothing is sent."""
    body = b"".join(message.get("body", b"") for message in answer[1:])
    if len(body) < 2:
        return
    headers = [(name, value) for name, value in answer[0]["headers"] if name.lower() != b"content-length"]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({**answer[0], "headers": headers})
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})


async def _break_connection(scope: Scope, receive: Receive) -> None:
    transport: asyncio.Transport | None = scope.get("state", {}).get(_TRANSPORT)
    if transport is None:
        raise ConnectionResetError("fault on demand: there is no connection to break in an in-process client")
    transport.close()
    await _gone(receive)


async def _gone(receive: Receive) -> None:
    """Returns when the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass

"""The one HTTP client: what a platform's API is, and how a request to it is sent, limited, retried and told apart."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from threading import Lock
from types import MappingProxyType
from typing import Any

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception, wait_exponential_jitter

from providers.base.auth import Auth, Bearer, Environment, Input
from providers.base.errors import PlatformError, Trouble
from providers.base.pace import Limit, Pace, Unpublished, lasting

Json = dict[str, Any]
Body = Json | list[Json] | None

PATIENCE_SECONDS = 180.0
"""How long a request is tried again before its last error is told; SOPHIA_PATIENCE_SECONDS overrides it."""

CONNECT_PATIENCE_SECONDS = 12.0
"""The same for an address where nobody answers: a wrong one should not keep people waiting for minutes."""

SETTLING_SECONDS = 20.0
"""How long an object that we have made may be unknown to a part of its platform: a 404 about it is not believed."""

TIMEOUT = httpx.Timeout(30.0, connect=5.0)

_TROUBLES = {
    400: Trouble.INVALID,
    401: Trouble.CREDENTIALS,
    402: Trouble.FORBIDDEN,
    403: Trouble.FORBIDDEN,
    404: Trouble.NOT_FOUND,
    408: Trouble.UNANSWERED,
    409: Trouble.CONFLICT,
    410: Trouble.NOT_FOUND,
    422: Trouble.INVALID,
    429: Trouble.BUSY,
    501: Trouble.INVALID,
}

_ODD = (ValueError, KeyError, TypeError, AttributeError)
"""What comes of reading an answer that is not shaped as the platform promised."""


def trouble_of(status: int) -> Trouble:
    """What an HTTP status means where the platform says nothing more precise."""
    unnamed = Trouble.BROKEN if status >= httpx.codes.INTERNAL_SERVER_ERROR else Trouble.INVALID
    return _TROUBLES.get(status, unnamed)


@dataclass(frozen=True)
class Api:
    """One platform's API, declared once.

    ``said`` turns an error answer into one line in the vendor's words. ``trouble`` recognises failures that the
    status does not tell, such as ``{"ok": false}`` under 200; it returns None for an answer that is good.
    ``limits`` maps a path prefix to a limit of its own; the rest shares ``limit``. ``constants`` are what paths and params
    may name besides inputs: the account that the credentials belong to.

    Address and key may be inputs (``Input``) where each object is at a place of its own, such as a database of many.
    """

    name: str
    title: str
    base_url: Environment | Input
    auth: Auth
    said: Callable[[httpx.Response], str]
    limit: Limit | Unpublished
    limits: Mapping[str, Limit] = field(default_factory=dict)
    trouble: Callable[[httpx.Response], Trouble | None] = lambda response: (
        trouble_of(response.status_code) if response.is_error else None
    )
    headers: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, Environment] = field(default_factory=dict)
    request_id_header: str = "x-request-id"
    form: bool = False
    """Whether bodies are forms (``application/x-www-form-urlencoded``) rather than JSON."""

    @cached_property
    def client(self) -> httpx.Client:
        """One pool of connections for the whole process. No proxy or netrc of the machine's changes who we are."""
        return httpx.Client(timeout=TIMEOUT, headers={"User-Agent": "sophia-ai-iac", **self.headers}, trust_env=False)

    @cached_property
    def _paces(self) -> dict[str, Pace]:
        return {}

    def _turn(self, path: str, place: str) -> Pace:
        """Waits for the turn of a request to ``path``; the pace that is to be told of the answer."""
        pace = self._pace(path, place)
        self._take_turn(pace)
        if any(limit.within and path.startswith(prefix) for prefix, limit in self.limits.items()):
            self._take_turn(self._pace("", place))
        return pace

    def _take_turn(self, pace: Pace) -> None:
        """Raises where the platform has asked for more than our patience: every other request would wait as long."""
        if pause := pace.wait(_patience()):
            said = f"{self.title} has refused an earlier request and takes none for another {lasting(pause)}"
            raise RefusedError(Trouble.BUSY, said, self.auth.variables, retry_after=pause)

    def _pace(self, path: str, place: str) -> Pace:
        prefix = max((p for p in self.limits if path.startswith(p)), key=len, default="")
        limit = self.limits.get(prefix, self.limit)
        bucket = place + (path if isinstance(limit, Limit) and limit.each_path else prefix)
        with _making:
            if bucket not in self._paces:
                self._paces[bucket] = Pace(limit)
            return self._paces[bucket]

    @cached_property
    def _made(self) -> dict[str, float]:
        return {}

    def has_made(self, id_: str) -> None:
        """Notes an object that this process has made: ``request`` is patient with a 404 about it."""
        self._made[id_] = time.monotonic()

    def _settling(self, ids: Iterable[str]) -> bool:
        since = time.monotonic() - SETTLING_SECONDS
        return any(self._made.get(id_, since) > since for id_ in ids)

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Body = None,
        params: Mapping[str, str | int] | None = None,
        repeatable: bool | None = None,
        auth: Auth | None = None,
        about: Iterable[str] = (),
        values: Mapping[str, Any] = MappingProxyType({}),
    ) -> Json:
        """Sends a request and returns the answer's JSON object (``{}`` for an empty answer).

        ``repeatable`` says that doing it twice is the same as doing it once; by default that is so for all but POST.
        What is not repeatable is sent again only if the platform surely did nothing. ``about`` has the ids that the
        request mentions: one of an object that we made a moment ago is not unknown for long, nor is a key refused for long.
        ``values`` are the inputs, for an address or a key that is among them. Raises ``PlatformError``.
        """
        again = method != "POST" if repeatable is None else repeatable
        sender = auth or self.auth
        sender = sender.of(values) if isinstance(sender, Bearer) else sender
        url = self.base_url.of(values).value().rstrip("/") + path
        retrying = Retrying(
            retry=retry_if_exception(
                lambda error: _worth_trying_again(error, again) or (_is_unknown(error) and self._settling(about))
            ),
            wait=_wait,
            stop=_out_of_patience,
            reraise=True,
        )
        return retrying(self._send, method, path, url, body, params, sender)

    def _send(
        self,
        method: str,
        path: str,
        url: str,
        body: Json | list[Json] | None,
        params: Mapping[str, str | int] | None,
        auth: Auth,
    ) -> Json:
        pace = self._turn(path, url.removesuffix(path))
        with _making:
            client = self.client
        content = {"data": _as_form(body)} if self.form and isinstance(body, dict) else {"json": body}
        try:
            response = client.request(method, url, params=params, auth=auth, **content)
        except (httpx.InvalidURL, httpx.RequestError) as error:
            raise self._unanswered(error, method, path, url) from error
        if response.is_redirect:
            where = response.headers.get("location", "elsewhere")
            raise PlatformError(Trouble.UNREACHABLE, f"{url.removesuffix(path)} sends us on to {where}")
        try:
            trouble = self.trouble(response)
        except _ODD as error:
            raise PlatformError(Trouble.UNANSWERED, f"{self.title} answered with something that is no JSON") from error
        retry_after = _retry_after(response)
        if trouble is Trouble.BUSY or (trouble and retry_after is not None):
            pace.refused(retry_after)
        else:
            pace.answered()
        if trouble:
            raise RefusedError(trouble, self._told(response), auth.variables, retry_after=retry_after)
        return self._object(response)

    def _unanswered(self, error: Exception, method: str, path: str, url: str) -> PlatformError:
        """Tells what surely never reached the platform from what may have been done there."""
        what, where = str(error) or type(error).__name__, url.removesuffix(path)
        if isinstance(error, httpx.LocalProtocolError):
            return PlatformError(Trouble.INVALID, f"the request cannot be sent: {what}")
        if isinstance(error, _NEVER_SENT):
            return PlatformError(Trouble.UNREACHABLE, f"no connection to {where}: {what}")
        if isinstance(error, httpx.RequestError) and error.request.url.path != httpx.URL(url).path:
            return PlatformError(Trouble.UNREACHABLE, f"no token from {error.request.url}: {what}")
        return PlatformError(Trouble.UNANSWERED, f"{self.title} gave no whole answer to {method} {path}: {what}")

    def _object(self, response: httpx.Response) -> Json:
        if not response.content:
            return {}
        try:
            answer = response.json()
        except ValueError as error:
            raise PlatformError(Trouble.UNANSWERED, f"{self.title} answered with something that is no JSON") from error
        return answer if isinstance(answer, dict) else {"items": answer}

    def _told(self, response: httpx.Response) -> str:
        try:
            said = self.said(response).strip()
        except _ODD:
            said = response.reason_phrase
        request_id = response.headers.get(self.request_id_header)
        return f"{response.status_code} {said}" + (f" (request {request_id})" if request_id else "")

    def secrets(self) -> list[str]:
        """The values that must never be seen in a message about this platform."""
        return [secret for secret in self.auth.secrets() if secret]


_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)

_making = Lock()
"""Held while a client or a pace is made: the first requests come from several threads at once."""


@dataclass
class RefusedError(PlatformError):
    """A failure that the platform itself answered; ``retry_after`` in seconds, where it said so."""

    retry_after: float | None = None

    __str__ = PlatformError.__str__


def _as_form(body: Json) -> dict[str, str]:
    return {
        name: "" if value is None else value if isinstance(value, str) else json.dumps(value)
        for name, value in body.items()
    }


def _worth_trying_again(error: BaseException, repeatable: bool) -> bool:
    if not isinstance(error, PlatformError):
        return False
    if error.trouble in (Trouble.BUSY, Trouble.UNREACHABLE):
        return True
    return repeatable and error.outcome_unknown


_looking: ContextVar[bool] = ContextVar("looking", default=False)


@contextmanager
def looking() -> Iterator[None]:
    """Around a look whether something exists: that it does not is an answer, also in a place that was made a moment ago."""
    before = _looking.set(True)
    try:
        yield
    finally:
        _looking.reset(before)


def _is_unknown(error: BaseException) -> bool:
    """What a platform may say for a while of what it has just made."""
    if not isinstance(error, PlatformError):
        return False
    return error.trouble is Trouble.CREDENTIALS or (error.trouble is Trouble.NOT_FOUND and not _looking.get())


def _failure(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _patience() -> float:
    return float(os.environ.get("SOPHIA_PATIENCE_SECONDS", PATIENCE_SECONDS))


def _out_of_patience(state: RetryCallState) -> bool:
    """Whether waiting for the next try would take longer in all than we are willing to."""
    patience, error = _patience(), _failure(state)
    if isinstance(error, PlatformError) and error.trouble is Trouble.UNREACHABLE:
        patience = min(patience, CONNECT_PATIENCE_SECONDS)
    return (state.seconds_since_start or 0.0) + state.upcoming_sleep > patience


_backoff = wait_exponential_jitter(multiplier=0.5, max=20.0, jitter=0.5)


def _wait(state: RetryCallState) -> float:
    error = _failure(state)
    if isinstance(error, RefusedError) and error.retry_after is not None:
        return error.retry_after
    return _backoff(state)


def _retry_after(response: httpx.Response) -> float | None:
    """The Retry-After header, in seconds or as a date (RFC 9110, section 10.2.3)."""
    value = response.headers.get("retry-after", "").strip()
    if not value:
        return None
    if value.replace(".", "", 1).isdigit():
        return float(value)
    try:
        return max((parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None

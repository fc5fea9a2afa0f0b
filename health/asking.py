"""Sending one check's requests: each once, none after the check's deadline, and every failure told in the same words."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from ssl import SSLContext
from typing import Any

import httpx
from tenacity import Retrying, retry_if_exception, stop_after_attempt

from health.base import Problem, Service, Subject, Verdict
from providers.base import Trouble
from providers.base.errors import PlatformError

_ODD = (ValueError, KeyError, TypeError, AttributeError, IndexError)
"""What comes of reading an answer that is not shaped as the platform promised."""

HIDDEN = "[secret]"
_SHORTEST = 6
"""A shorter value is no secret that anybody should have, and hiding it would blank out half of the text."""


@dataclass
class Client:
    """The requests of one check. ``deadline`` is in `time.monotonic`'s seconds."""

    service: Service
    subject: Subject
    deadline: float
    slowest: float = 0.0
    """Seconds of the request that took longest, of those that were answered."""
    refused: set[str] = field(default_factory=set)
    """The credentials that the platform did not take."""
    _next: float = field(default=float("-inf"), init=False)

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: Any = None,
        auth: httpx.Auth | None = None,
        anonymous: bool = False,
    ) -> httpx.Response:
        """The good answer to a request. Raises PlatformError, which shows no secret.

        A platform that wants a pause and is busy is asked once more: another process may just have asked it.
        """
        asking = Retrying(  # without a wait of its own: the platform's pause is kept before every request
            retry=retry_if_exception(_is_busy),
            stop=stop_after_attempt(2 if self.service.pause else 1),
            reraise=True,
        )
        try:
            return asking(self._sent, method, path, params, body, auth, anonymous=anonymous)
        except PlatformError as error:
            said = _masked(error.said, self.service.secrets())
            raise PlatformError(error.trouble, said, error.variables) from error

    def _sent(
        self,
        method: str,
        path: str,
        params: Mapping[str, str | int] | None,
        body: Any,
        auth: httpx.Auth | None,
        *,
        anonymous: bool,
    ) -> httpx.Response:
        service = self.service
        time.sleep(max(self._next - time.monotonic(), 0.0))
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise PlatformError(Trouble.UNANSWERED, "the time for this check was over before it was asked")
        address = service.address(self.subject).rstrip("/")
        content = _content(body, form=service.form)
        try:
            # No proxy or netrc of the machine's changes who we are.
            with httpx.Client(timeout=left, verify=self._tls(address), trust_env=False) as client:
                response = client.request(
                    method,
                    address + path,
                    params=params or None,  # an empty mapping would take away the query of the path
                    headers={"User-Agent": "sophia-ai-iac", **service.headers},
                    auth=None if anonymous else auth or service.auth(self.subject),
                    **content,
                )
        except (httpx.InvalidURL, httpx.RequestError) as error:
            raise _unanswered(error, address, left) from error
        finally:
            # Counted from the answer: on its way a request may be slower than the next one.
            self._next = time.monotonic() + service.pause
        self.slowest = max(self.slowest, response.elapsed.total_seconds())
        return self._judged(response, address)

    def _tls(self, address: str) -> SSLContext | bool:
        if not address.startswith("https:"):
            return False
        return self.service.tls() if self.service.tls else _authorities()

    def _judged(self, response: httpx.Response, address: str) -> httpx.Response:
        if response.is_redirect:
            where = response.headers.get("location", "elsewhere")
            raise PlatformError(Trouble.UNREACHABLE, f"{address} sends us on to {where}")
        try:
            trouble = self.service.trouble(response)
        except _ODD as error:
            raise _no_json(address) from error
        if trouble is None:
            return response
        try:
            said = self.service.said(response).strip()
        except _ODD:
            said = response.reason_phrase
        raise PlatformError(trouble, f"{response.status_code} {said}")


def _is_busy(error: BaseException) -> bool:
    return isinstance(error, PlatformError) and error.trouble is Trouble.BUSY


def _content(body: Any, *, form: bool) -> dict[str, Any]:
    """The body as httpx takes it: a text goes as it is, all else as a form or as JSON."""
    if isinstance(body, str):
        return {"content": body}
    return {"data": body} if form else {"json": body} if body is not None else {}


def reading_failed(client: Client) -> PlatformError:
    """The error of an answer that is not shaped as its platform promised."""
    return _no_json(client.service.address(client.subject))


READING_ERRORS = _ODD


def told(error: PlatformError, service: Service, variables: tuple[str, ...], refused: Verdict) -> Problem:
    """The problem as people read it: what was said, where to look and what to do."""
    names = error.variables or " and ".join(variables)
    where = service.setting if error.trouble in _OUT_OF_REACH else f"{names} in the stack's ESC environment"
    page = f"; {service.status_page} tells of outages" if service.status_page else ""
    do = _ADVICE[error.trouble] + (page if error.trouble in (*_OUT_OF_REACH, Trouble.BROKEN) else "")
    return Problem(error.said, do, where, "degraded" if error.trouble is Trouble.BUSY else refused)


_OUT_OF_REACH = (Trouble.UNREACHABLE, Trouble.UNANSWERED)

_ADVICE = {
    Trouble.NOT_FOUND: "check the name or the id in that setting: the platform does not have it, or does not show it",
    Trouble.CONFLICT: "look at what the platform says stands in the way",
    Trouble.INVALID: "check that setting: the platform does not take what is asked with it",
    Trouble.CREDENTIALS: "put a valid value there; `sophia credentials` says where it comes from",
    Trouble.FORBIDDEN: "give the credential the permission that the platform names",
    Trouble.BUSY: "wait until the limit has recovered; find out what sends so many requests",
    Trouble.BROKEN: "nothing to do here: the platform itself fails",
    Trouble.UNANSWERED: "nothing to do here if it stays so: the platform is too slow or down",
    Trouble.UNREACHABLE: "check that address and the network",
}


def _masked(said: str, secrets: list[str]) -> str:
    for secret in secrets:
        if len(secret) >= _SHORTEST:
            said = said.replace(secret, HIDDEN)
    return said


def _unanswered(error: Exception, address: str, seconds: float) -> PlatformError:
    what = str(error) or type(error).__name__
    if isinstance(error, httpx.LocalProtocolError):
        return PlatformError(Trouble.INVALID, f"the request cannot be sent: {what}")
    if isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout):
        return PlatformError(Trouble.UNANSWERED, f"no answer from {address} in {seconds:.0f} s")
    if isinstance(error, (httpx.ReadError, httpx.RemoteProtocolError, httpx.WriteError, httpx.DecodingError)):
        return PlatformError(Trouble.UNANSWERED, f"no whole answer from {address}: {what}")
    return PlatformError(Trouble.UNREACHABLE, f"no connection to {address}: {what}")


def _no_json(address: str) -> PlatformError:
    return PlatformError(Trouble.UNANSWERED, f"{address} answered with something that is not what its API promises")


@cache
def _authorities() -> SSLContext:
    return httpx.create_ssl_context()

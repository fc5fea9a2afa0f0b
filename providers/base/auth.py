"""How a client shows a platform who it is. Credentials come from the environment, where ESC puts them, and stay there."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from threading import Lock

import httpx

from providers.base.errors import PlatformError, Trouble


@dataclass(frozen=True)
class Environment:
    """The name of an environment variable that ESC sets for the stack."""

    name: str

    def value(self) -> str:
        """The variable's value; a ``PlatformError`` that names the variable where no value can be used."""
        value = os.environ.get(self.name, "").strip()
        if not value:
            said = f"{self.name} is not set: the stack's ESC environment must have it under environmentVariables"
            raise PlatformError(Trouble.CREDENTIALS, said, self.name)
        if not (value.isascii() and value.isprintable()):
            said = f"{self.name} has characters that no credential or address has, such as typographic quotes"
            raise PlatformError(Trouble.CREDENTIALS, said, self.name)
        return value


@dataclass(frozen=True)
class Bearer(httpx.Auth):
    """A key in a header, ``Authorization: Bearer KEY`` unless said otherwise."""

    key: Environment
    header: str = "Authorization"
    prefix: str = "Bearer "

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers[self.header] = self.prefix + self.key.value()
        yield request

    @property
    def variables(self) -> str:
        """The environment variables with the credentials, as people read them."""
        return self.key.name

    def secrets(self) -> list[str]:
        return [os.environ.get(self.key.name, "")]


class Anonymous(httpx.Auth):
    """Nobody: for a service that asks for no credentials and should be shown none."""

    variables = ""

    def secrets(self) -> list[str]:
        return []


@dataclass
class TokenExchange(httpx.Auth):
    """A short-lived bearer token, exchanged for credentials that last (OAuth 2, RFC 6749 section 4; JSON body).

    ``grant`` makes of the values of ``credentials`` what is posted to ``path``. The token is renewed ``margin`` seconds
    before it expires, and once more when the platform refuses it earlier than it promised (a restarted server, a revoked
    token). One exchange serves all threads. ``headers`` go along with every request.
    """

    path: str
    credentials: tuple[Environment, ...]
    grant: Callable[..., dict[str, str]]
    base_url: Environment
    headers: Mapping[str, Environment] = field(default_factory=dict)
    margin: float = 20.0
    _token: str = field(default="", repr=False)
    _until: float = 0.0
    _lock: Lock = field(default_factory=Lock, repr=False)

    requires_response_body = True

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        with self._lock:
            if time.monotonic() >= self._until:
                yield from self._exchange()
            token = self._token
        request.headers.update({name: value.value() for name, value in self.headers.items()})
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code != httpx.codes.UNAUTHORIZED:
            return
        with self._lock:
            if self._token == token:
                yield from self._exchange()
            token = self._token
        request.headers["Authorization"] = f"Bearer {token}"
        yield request

    def _exchange(self) -> Generator[httpx.Request, httpx.Response, None]:
        body = self.grant(*(credential.value() for credential in self.credentials))
        answer = yield httpx.Request("POST", self.base_url.value().rstrip("/") + self.path, json=body)
        answer.read()
        if answer.is_client_error and answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
            said = f"{answer.status_code}: {self.variables} not accepted"
            raise PlatformError(Trouble.CREDENTIALS, said, self.variables)
        if answer.is_error:
            trouble = Trouble.BUSY if answer.status_code == httpx.codes.TOO_MANY_REQUESTS else Trouble.UNREACHABLE
            raise PlatformError(trouble, f"{answer.status_code} when exchanging the credentials for a token")
        try:
            granted = answer.json()
            token = str(granted["access_token"])
            lasts = float(granted.get("expires_in") or _seconds_left(token))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            said = f"{answer.status_code}, and no access_token, when exchanging the credentials for a token"
            raise PlatformError(Trouble.UNREACHABLE, said) from error
        self._token, self._until = token, time.monotonic() + max(lasts - self.margin, 1.0)

    @property
    def variables(self) -> str:
        """The environment variables with the credentials, as people read them."""
        return " and ".join(credential.name for credential in self.credentials)

    def secrets(self) -> list[str]:
        return [self._token, *(os.environ.get(credential.name, "") for credential in self.credentials)]


def _seconds_left(token: str) -> float:
    """How long a token is good for where only the token itself says it (``exp`` of a JWT, RFC 7519); else one minute."""
    try:
        claims = token.split(".")[1]
        return float(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["exp"]) - time.time()
    except (ValueError, KeyError, TypeError, IndexError):
        return 60.0


Auth = Anonymous | Bearer | TokenExchange

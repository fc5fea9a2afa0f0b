"""How a client shows a platform who it is. Credentials come from the environment, where ESC puts them, and stay there."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any

import httpx

from providers.base.errors import PlatformError, Trouble


@dataclass(frozen=True)
class Given:
    """The value of an input, for one request."""

    name: str
    text: str = field(repr=False)

    def value(self) -> str:
        return self.text


@dataclass(frozen=True)
class Input:
    """The name of an input that has what other platforms have in the environment: the address of one of many databases."""

    name: str

    def of(self, values: Mapping[str, Any]) -> Given:
        return Given(self.name, str(values.get(self.name) or ""))

    def value(self) -> str:
        """Nothing is known without the inputs: always a ``PlatformError``."""
        raise PlatformError(Trouble.INVALID, f"only an object's own inputs say its {self.name}")


@dataclass(frozen=True)
class Environment:
    """The name of an environment variable that ESC sets for the stack."""

    name: str

    def of(self, _values: Mapping[str, Any]) -> Environment:
        return self

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
    """A key in a header, ``Authorization: Bearer KEY`` unless said otherwise. An ``Input`` that has none shows none."""

    key: Environment | Input | Given
    header: str = "Authorization"
    prefix: str = "Bearer "

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        key = self.key.value()
        if key:
            request.headers[self.header] = self.prefix + key
        yield request

    def of(self, values: Mapping[str, Any]) -> Bearer:
        """The one that shows what ``values`` say, where an input has the key."""
        return self if isinstance(self.key, Given) else replace(self, key=self.key.of(values))

    @property
    def variables(self) -> str:
        """The environment variables with the credentials, as people read them; "" where an input has them."""
        return self.key.name if isinstance(self.key, Environment) else ""

    def secrets(self) -> list[str]:
        return [os.environ.get(self.key.name, "")] if isinstance(self.key, Environment) else []


@dataclass(frozen=True)
class Query(httpx.Auth):
    """A key in the query of the address, for what takes it nowhere else (HubSpot's developer API key)."""

    key: Environment
    param: str

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.url = request.url.copy_merge_params({self.param: self.key.value()})
        yield request

    @property
    def variables(self) -> str:
        """The environment variable with the key."""
        return self.key.name

    def secrets(self) -> list[str]:
        return [os.environ.get(self.key.name, "")]


@dataclass(frozen=True)
class Basic(httpx.Auth):
    """A name and its secret in the header ``Authorization: Basic …`` (RFC 7617)."""

    user: Environment
    password: Environment

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Basic {_basic(self.user.value(), self.password.value())}"
        yield request

    @property
    def variables(self) -> str:
        """The environment variables with the credentials, as people read them."""
        return f"{self.user.name} and {self.password.name}"

    def secrets(self) -> list[str]:
        user, password = (os.environ.get(one.name, "").strip() for one in (self.user, self.password))
        return [password, _basic(user, password)] if password else []


def _basic(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


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
    token). One exchange serves all threads. ``headers`` go along with every request, ``exchange_headers`` with the exchange.
    """

    path: str
    credentials: tuple[Environment, ...]
    grant: Callable[..., dict[str, str]]
    base_url: Environment
    headers: Mapping[str, Environment] = field(default_factory=dict)
    exchange_headers: Mapping[str, str] = field(default_factory=dict)
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
        url = self.base_url.value().rstrip("/") + self.path
        answer = yield httpx.Request("POST", url, json=body, headers=self.exchange_headers)
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


Auth = Anonymous | Basic | Bearer | Query | TokenExchange

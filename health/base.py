"""What a platform declares about its health: what to ask it, how to read the answers, which credentials there are."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import httpx

from providers.base import Api, Trouble, trouble_of

if TYPE_CHECKING:
    from health.asking import Client

Verdict = Literal["well", "degraded", "failing", "unasked"]
"""degraded: what the stack does still works, but not for long, or not all of it. unasked: nobody can know."""

MAX_AGE_DAYS = 90
"""How old a credential may become (issue 5; PCI DSS 4.0.1, 8.6.3 asks for a period that the risk allows)."""

_LOW = 0.1


@dataclass(frozen=True)
class Cloud:
    """The Pulumi Cloud that has the stack; without ``backend`` its state is in a file."""

    backend: str = ""
    organization: str = ""
    token: str = field(default="", repr=False)
    credentials: str = ""
    """The ESC environment with the credentials, ``project/name``."""


@dataclass(frozen=True)
class Resource:
    """A resource of the stack's state; secrets are left out of its ``outputs``."""

    type: str
    name: str
    id: str
    created: str | None
    """RFC 3339: when the state got it."""
    outputs: Mapping[str, Any]


@dataclass(frozen=True)
class Subject:
    """Of which stack the health is asked: what its settings and its state have of the platform."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    cloud: Cloud = field(default_factory=Cloud)
    resources: Sequence[Resource] = ()

    def of_type(self, type_: str) -> list[Resource]:
        return [resource for resource in self.resources if resource.type == type_]


@dataclass(frozen=True)
class Problem:
    """What is not as it should be; ``do`` says how to put it right."""

    said: str
    do: str
    setting: str = ""
    verdict: Verdict = "failing"


@dataclass(frozen=True)
class Quota:
    """What may still be used of something: ``left`` and ``of`` in units of ``what``.

    ``low`` is where it becomes scarce; by default a tenth of ``of``.
    """

    what: str
    left: float
    of: float | None = None
    low: float | None = None

    def problem(self, do: str) -> Problem | None:
        """The problem of one that is used up or scarce."""
        low = self.low if self.low is not None else _LOW * (self.of or 0.0)
        if self.left <= 0:
            return Problem(f"no {self.what} left", do)
        return Problem(f"only {self} left", do, verdict="degraded") if self.left < low else None

    def __str__(self) -> str:
        of = f" of {self.of:,.12g}" if self.of is not None else ""
        return f"{self.left:,.12g}{of} {self.what}"


@dataclass(frozen=True)
class Known:
    """What a platform tells of a credential. Times are RFC 3339 in UTC; None: it does not tell."""

    authenticates: bool | None = None
    made: str | None = None
    expires: str | None = None
    said: str = ""


@dataclass(frozen=True)
class Reading:
    """What a good answer tells beside that it came."""

    problems: tuple[Problem, ...] = ()
    quotas: tuple[Quota, ...] = ()
    known: Mapping[str, Known] = field(default_factory=dict)
    """By the variable of the credential."""


@dataclass(frozen=True)
class Answer:
    response: httpx.Response
    subject: Subject

    @property
    def document(self) -> Any:
        return self.response.json()


Text = str | Callable[[Subject], str]


@dataclass(frozen=True)
class Probe:
    """One request, and what a good answer to it proves. ``path`` and ``body`` may depend on the stack."""

    proves: str
    path: Text
    method: str = "GET"
    params: Mapping[str, str | int] = field(default_factory=dict)
    body: Callable[[Subject], Any] | None = None
    credentials: tuple[str, ...] = ()
    """The variables whose values the request shows. Without any it is sent as nobody's."""
    auth: httpx.Auth | None = None
    """Where it is not that of the service."""
    read: Callable[[Answer], Reading] = lambda _: Reading()
    needed: Callable[[Subject], bool] = lambda _: True
    refused: Verdict = "failing"
    """What it is for the stack if this request is refused."""
    without: Callable[[Subject], str] | None = None
    """Where a 404 is no problem: what it means."""


@dataclass(frozen=True)
class Service:
    """Where the requests go and how they show who asks; ``said`` and ``trouble`` as in `providers.base.Api`."""

    address: Callable[[Subject], str]
    auth: Callable[[Subject], httpx.Auth]
    setting: str
    """What has the address: the variable, or the part of a file."""
    said: Callable[[httpx.Response], str]
    trouble: Callable[[httpx.Response], Trouble | None] = lambda response: (
        trouble_of(response.status_code) if response.is_error else None
    )
    headers: Mapping[str, str] = field(default_factory=dict)
    form: bool = False
    tls: Callable[[], Any] | None = None
    """An ``ssl.SSLContext``, where the platform has authorities or client certificates of its own."""
    status_page: str = ""
    secrets: Callable[[], list[str]] = list
    """Values that must never be seen in what is told."""
    pause: float = 0.0
    """Seconds between two requests, of a platform that refuses what comes sooner."""

    @classmethod
    def of(cls, api: Api, status_page: str = "") -> Service:
        """The service that our own provider talks to."""
        return cls(
            address=lambda _: api.base_url.value(),
            auth=lambda _: api.auth,
            setting=api.base_url.name,
            said=api.said,
            trouble=api.trouble,
            headers=api.headers,
            form=api.form,
            status_page=status_page,
            secrets=api.secrets,
        )


@dataclass(frozen=True)
class Credential:
    """A secret that a person (or a job outside this project) puts into ESC."""

    variable: str
    rotation: str
    """How it is rotated, for people."""
    by_api: bool
    """Whether the vendor lets it be rotated by API (platforms.md, section 3)."""
    lasts: timedelta | None = None
    """How long it works at most, where its vendor says so."""


@dataclass(frozen=True)
class Minted:
    """A secret that the program has made: the resources of a type, each with one."""

    type: str
    what: str
    rotation: str
    by_api: bool
    ask: Callable[[Client, Resource, Subject], Known] | None = None
    """Asks the platform whether it still works. Raises PlatformError. None: no platform tells."""
    prefix: str = ""
    """Of the type's resources, those whose names begin so: passwords are made for several platforms."""


@dataclass(frozen=True)
class Health:
    """A platform's declaration. One without ``service`` is not asked: only its credentials are known here.

    ``unasked`` is why a platform that a stack has settings for has none: it is told in the place of a verdict.
    """

    platform: str
    title: str
    service: Service | None = None
    probes: tuple[Probe, ...] = ()
    credentials: tuple[Credential, ...] = ()
    identifiers: tuple[str, ...] = ()
    """Variables of credentials-<stage> that are no secrets: names and ids, which never become old."""
    minted: tuple[Minted, ...] = ()
    unasked: str = ""


def variable(name: str) -> str:
    """An environment variable's value, as it is; "" if it is not set."""
    return os.environ.get(name, "")


def moment(value: Any) -> str | None:
    """RFC 3339 in UTC of what vendors give: RFC 3339, "2027-01-31 12:00:00 UTC", seconds or milliseconds since 1970."""
    try:
        if isinstance(value, int | float):
            seconds = value / 1000 if value > _MILLISECONDS else value
            found = datetime.fromtimestamp(seconds, UTC)
        else:
            found = datetime.fromisoformat(str(value).replace(" UTC", "+00:00").replace(" +", "+").replace(" -", "-"))
    except (ValueError, OverflowError):
        return None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return found.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


_MILLISECONDS = 1e11
"""Later than the year 5138 in seconds, earlier than 1974 in milliseconds."""

"""How one check's requests are sent to a platform that wants pauses between them."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from health.asking import Client
from health.base import Service, Subject
from providers.base import Trouble
from providers.base.errors import PlatformError

Build = Callable[..., Client]


@pytest.fixture
def arrivals() -> list[float]:
    """When the platform was asked, in `time.monotonic`'s seconds."""
    return []


@pytest.fixture
def client(listen: Callable[[ASGIApp], str], arrivals: list[float]) -> Build:
    """A client of a platform that refuses its first ``busy`` requests."""

    def build(*, pause: float, busy: int, status: int = 429, slow: float = 0.0) -> Client:
        def answer(_: Request) -> JSONResponse:
            arrivals.append(time.monotonic())
            time.sleep(slow)
            return JSONResponse({}, status if len(arrivals) <= busy else 200)

        address = listen(Starlette(routes=[Route("/", answer)]))
        service = Service(
            address=lambda _: address,
            auth=lambda _: httpx.Auth(),
            setting="ITS_URL",
            said=lambda response: response.text,
            pause=pause,
        )
        return Client(service, Subject({}), time.monotonic() + 60)

    return build


def test_a_platform_that_wants_a_pause_is_asked_once_more_when_it_is_busy(client: Build, arrivals: list[float]) -> None:
    assert client(pause=0.05, busy=1).send("GET", "/").status_code == 200
    assert len(arrivals) == 2


@pytest.mark.parametrize(
    ("pause", "busy", "status", "asked"),
    [(0.05, 9, 429, 2), (0.0, 9, 429, 1), (0.05, 9, 401, 1)],
    ids=["not a third time", "not one without a pause", "not what a pause does not help"],
)
def test_what_is_refused_for_good_is_told(
    client: Build, arrivals: list[float], pause: float, busy: int, status: int, asked: int
) -> None:
    with pytest.raises(PlatformError) as refused:
        client(pause=pause, busy=busy, status=status).send("GET", "/")
    assert refused.value.trouble is (Trouble.BUSY if status == 429 else Trouble.CREDENTIALS)
    assert len(arrivals) == asked


def test_the_pause_is_counted_from_the_answer(client: Build, arrivals: list[float]) -> None:
    asking = client(pause=0.3, busy=0, slow=0.2)
    asking.send("GET", "/")
    asking.send("GET", "/")
    assert arrivals[1] - arrivals[0] >= 0.5

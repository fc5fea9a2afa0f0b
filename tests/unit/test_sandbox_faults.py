"""Faults as a client sees them, over real connections, and what the journal says about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from sandbox.faults import Faults, Rule
from sandbox.journal import Journal
from sandbox.store import Database
from sandbox.traffic import Traffic

ITEMS = "/shop/items"


def shop_says_no(status: int, text: str) -> Response:
    return JSONResponse({"shop_error": text}, status)


@dataclass
class Shop:
    """A platform that creates an item for each POST, served by the sandbox's own middleware and protocol."""

    client: httpx.Client
    faults: Faults
    journal: Journal
    created: list[str]


@pytest.fixture
def shop(tmp_path: Path, listen: Callable[[ASGIApp], str]) -> Iterator[Shop]:
    created: list[str] = []

    async def create(request: Request) -> Response:
        created.append((await request.body()).decode())
        return JSONResponse({"created": created[-1]}, 201)

    database = Database(tmp_path / "sandbox.db")
    journal, faults = Journal(database), Faults()
    traffic = Middleware(
        Traffic, journal=journal, faults=faults, failures={"shop": shop_says_no, "pulumi": shop_says_no}
    )
    routes = [Route(path, create, methods=["GET", "POST"]) for path in (ITEMS, "/api/x")]
    app = Starlette(routes=routes, middleware=[traffic])
    with httpx.Client(base_url=listen(app), trust_env=False) as client:
        yield Shop(client, faults, journal, created)
    database.close()


def only_entry(shop: Shop) -> tuple[int | None, str | None]:
    (entry,) = shop.journal.entries()
    return entry["status"], entry["fault"]


def test_a_dropped_request_is_not_served(shop: Shop) -> None:
    shop.faults.add(Rule(platform="shop", action="drop", times=1))
    with pytest.raises(httpx.RemoteProtocolError):
        shop.client.post(ITEMS, content="a")
    assert shop.created == []
    assert only_entry(shop) == (None, "drop")
    assert shop.client.post(ITEMS, content="b").status_code == 201


def test_a_request_dropped_afterwards_is_served_and_not_answered(shop: Shop) -> None:
    shop.faults.add(Rule(platform="shop", action="drop-after"))
    with pytest.raises(httpx.RemoteProtocolError):
        shop.client.post(ITEMS, content="a")
    assert shop.created == ["a"]
    assert only_entry(shop) == (None, "drop-after")


def test_half_an_answer_is_a_head_and_part_of_the_body(shop: Shop) -> None:
    shop.faults.add(Rule(platform="shop", action="half"))
    with shop.client.stream("POST", ITEMS, content="a") as answer:
        assert answer.status_code == 201
        with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
            answer.read()
    assert shop.created == ["a"]
    assert only_entry(shop) == (None, "half")


def test_a_refusal_has_the_platforms_own_shape_and_says_when_to_retry(shop: Shop) -> None:
    shop.faults.add(Rule(platform="shop", status=429, retry_after=2, message="slow down"))
    answer = shop.client.post(ITEMS, content="a")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
    assert answer.json() == {"shop_error": "slow down"}
    assert shop.created == []
    assert only_entry(shop) == (429, "429")


def test_latency_delays_an_answer_and_nothing_else(shop: Shop) -> None:
    shop.faults.add(Rule(platform="shop", latency=0.05))
    answer = shop.client.post(ITEMS, content="a")
    assert answer.status_code == 201
    assert answer.elapsed.total_seconds() >= 0.05
    assert only_entry(shop)[0] == 201


def test_a_rule_hits_only_the_requests_that_it_describes(shop: Shop) -> None:
    shop.faults.add(Rule(platform="shop", method="post", path="/it?ms", status=503, skip=1, times=2))
    answers = [shop.client.post(ITEMS).status_code for _ in range(5)]
    assert answers == [201, 503, 503, 201, 201]
    shop.faults.add(Rule(platform="shop", method="POST", path="/other*", status=500))
    assert shop.client.get(ITEMS).status_code == 201


def test_a_rule_for_every_platform_leaves_pulumi_cloud_alone(shop: Shop) -> None:
    shop.faults.add(Rule(status=500))
    assert shop.client.get(ITEMS).status_code == 500
    assert shop.client.get("/api/x").status_code == 201


def test_the_same_seed_breaks_the_same_requests() -> None:
    def hits() -> list[bool]:
        faults = Faults()
        faults.add(Rule(status=500, probability=0.5, seed=7))
        return [faults.take("shop", "GET", "/") is not None for _ in range(40)]

    assert hits() == hits()
    assert 5 < sum(hits()) < 35


@pytest.mark.parametrize(
    ("rule", "mistake"),
    [
        ({}, "does nothing"),
        ({"action": "answer"}, "status"),
        ({"action": "drop", "status": 500}, "status"),
        ({"statuss": 500}, "statuss"),
        ({"status": 200}, "status"),
        ({"status": 500, "probability": 2}, "probability"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(rule: dict[str, object], mistake: str) -> None:
    with pytest.raises(ValidationError, match=mistake):
        Rule.model_validate(rule)

"""Faults as a client sees them, over real connections, and what the journal says about them."""

from __future__ import annotations

import socket
import time
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
from sandbox.store import Database, Store
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
    store = Store(database, "shop")

    async def keep(request: Request) -> Response:
        """Items in the sandbox's own store: listed, read, put and deleted by their names."""
        name, found = request.path_params.get("name", ""), True
        if not name:
            return JSONResponse(sorted(item["name"] for item in store.all("item")))
        if request.method == "PUT":
            store.put("item", name, {"name": name})
        else:
            found = store.delete("item", name) if request.method == "DELETE" else store.get("item", name) is not None
        return JSONResponse({}, 200 if found else 404)

    routes = [
        *(Route(path, create, methods=["GET", "POST"]) for path in (ITEMS, "/api/x")),
        Route("/shop/stored", keep),
        Route("/shop/stored/{name}", keep, methods=["GET", "PUT", "DELETE"]),
    ]
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
        ({"status": 500, "late": 1}, "seen late"),
        ({"action": "drop", "hold": 1}, "held"),
        ({"status": 500, "probability": 2}, "probability"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(rule: dict[str, object], mistake: str) -> None:
    with pytest.raises(ValidationError, match=mistake):
        Rule.model_validate(rule)


def stored(shop: Shop) -> list[str]:
    """What a list of the shop's items shows."""
    shown: list[str] = shop.client.get("/shop/stored").json()
    return shown


def test_what_is_made_late_is_neither_found_nor_listed_for_so_many_reads(shop: Shop) -> None:
    shop.faults.add(Rule(platform="shop", method="PUT", late=2, times=1))
    assert shop.client.put("/shop/stored/a").status_code == 200
    assert shop.client.put("/shop/stored/b").status_code == 200
    assert stored(shop) == ["b"]
    assert shop.client.get("/shop/stored/b").status_code == 200, "a look at another object does not count"
    assert shop.client.get("/shop/stored/a").status_code == 404
    assert stored(shop) == ["a", "b"]
    assert shop.journal.entries()[0]["fault"] == "pass and seen late"


def test_what_is_deleted_late_is_listed_and_cannot_be_read(shop: Shop) -> None:
    shop.client.put("/shop/stored/a")
    shop.faults.add(Rule(platform="shop", method="DELETE", late=2))
    assert shop.client.delete("/shop/stored/a").status_code == 200
    assert stored(shop) == ["a"]
    assert shop.client.get("/shop/stored/a").status_code == 404
    assert shop.client.delete("/shop/stored/a").status_code == 404, "whoever writes sees what is"
    assert [stored(shop), stored(shop)] == [["a"], []]


def test_lateness_goes_with_an_answer_that_is_lost_and_ends_with_the_faults(shop: Shop) -> None:
    shop.faults.add(Rule(platform="shop", method="PUT", action="drop-after", late_seconds=500))
    with pytest.raises(httpx.RemoteProtocolError):
        shop.client.put("/shop/stored/a")
    assert stored(shop) == []
    shop.faults.remove()
    assert stored(shop) == ["a"]


def test_a_request_that_is_held_has_been_served(shop: Shop) -> None:
    shop.faults.add(Rule(platform="shop", hold=0.05))
    answer = shop.client.post(ITEMS, content="a")
    assert (answer.status_code, shop.created) == (201, ["a"])
    assert answer.elapsed.total_seconds() >= 0.05
    assert only_entry(shop) == (201, "pass, held for 0.05 s")
    assert shop.faults.list()[0]["waiting"] == 0


def test_a_request_that_waits_is_counted_until_its_client_is_gone(shop: Shop) -> None:
    """Whoever kills a client in the middle of a request must know when that is."""

    def become(waiting: int) -> int:
        deadline = time.monotonic() + 30
        while (now := int(shop.faults.list()[0]["waiting"])) != waiting and time.monotonic() < deadline:
            time.sleep(0.01)
        return now

    shop.faults.add(Rule(platform="shop", hold=100))
    address = shop.client.base_url
    with socket.create_connection((address.host, address.port)) as client:
        client.sendall(f"POST {ITEMS} HTTP/1.1\r\nHost: {address.host}\r\nContent-Length: 1\r\n\r\na".encode())
        assert become(1) == 1
        assert shop.created == ["a"]
    assert become(0) == 0

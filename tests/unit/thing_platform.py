"""A platform in memory, its kinds, and the engine's calls: what tests/unit/test_life_cycle.py plays with."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
import httpx
from google.rpc import status_pb2  # type: ignore[import-untyped] # googleapis-common-protos has no types
from pulumi.runtime.proto import provider_pb2
from pydantic import Field

from providers import base
from providers.base import Call, Environment, Immutable, Inputs, Kind, Listing, Out, Within, WriteOnly, rest
from providers.base.provider import Provider

URN = "urn:pulumi:dev::sophia-ai::sophia:platform:Toy$pulumi-python:dynamic/toy:Thing::thing-1"


OURS = "(managed by sophia-ai/dev)"


Fault = Callable[[httpx.Request, Callable[[], httpx.Response]], httpx.Response]


@dataclass
class Toy:
    """A platform: boxes with things and keys in them. ``faults`` are used up one a request that they match."""

    things: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    faults: list[tuple[str, Fault]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        with self.lock:
            self.requests.append((request.method, request.url.path))
            for number, (method, fault) in enumerate(self.faults):
                if method == request.method:
                    del self.faults[number]
                    return fault(request, lambda: self._answer(request))
            return self._answer(request)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        id_ = request.url.path.partition("/things/")[2]
        body = json.loads(request.content or b"{}")
        if request.method == "POST":
            made = {"id": f"t-{len(self.requests)}", "size": 1, "createdBy": "the platform", **body}
            self.things[made["id"]] = {**made, "token": "****"} if "token" in made else made
            return httpx.Response(201, json={**made, "key": f"key-of-{made['id']}"})
        if request.method == "GET" and not id_:
            return httpx.Response(200, json={"data": list(self.things.values())})
        if id_ not in self.things:
            return httpx.Response(404, json={"message": f"no {id_}"}, headers={"x-request-id": "r-7"})
        if request.method == "PATCH":
            self.things[id_] |= body
        if request.method == "DELETE":
            del self.things[id_]
            return httpx.Response(204)
        return httpx.Response(200, json=self.things[id_])

    def writes(self) -> list[tuple[str, str]]:
        return [request for request in self.requests if request[0] != "GET"]


class ThingInputs(Inputs):
    box: Immutable[str]
    name: str = Field(min_length=2)
    port: int | None = None
    note: str = ""
    labels: dict[str, Any] | None = None
    token: WriteOnly[str | None] = None


class KeyInputs(Inputs):
    name: str


def boom(_request: httpx.Request, _answer: Callable[[], httpx.Response]) -> httpx.Response:
    raise httpx.ReadTimeout("nothing came back")


def done_and_lost(_request: httpx.Request, answer: Callable[[], httpx.Response]) -> httpx.Response:
    answer()
    raise httpx.RemoteProtocolError("the connection was closed")


def half(_request: httpx.Request, answer: Callable[[], httpx.Response]) -> httpx.Response:
    return httpx.Response(201, content=answer().content[:20])


def status(code: int, headers: dict[str, str] | None = None, *, after: bool = False) -> Fault:
    def fault(_request: httpx.Request, answer: Callable[[], httpx.Response]) -> httpx.Response:
        if after:
            answer()
        return httpx.Response(code, json={"message": f"said {code}"}, headers=headers)

    return fault


api = base.Api(
    name="toy",
    title="Toy",
    base_url=Environment("TOY_URL"),
    auth=base.Bearer(Environment("TOY_KEY")),
    said=lambda response: str(response.json()["message"]),
    limit=base.Limit(requests=10_000, seconds=1),
)


LISTING = Listing(Call("GET", "/things"))


BOX = Kind(api=api, title="box", setting="boxes", inputs=KeyInputs, calls=rest("/boxes"), identity="id")


THING = Kind(
    api=api,
    title="thing",
    setting="things",
    inputs=ThingInputs,
    calls=rest("/things", listing=LISTING),
    identity="id",
    natural_key=("name",),
    within=Within("box", BOX),
    mark="note",
)


KEY = Kind(
    api=api,
    title="key",
    setting="keys",
    inputs=KeyInputs,
    calls=rest("/things", listing=LISTING),
    identity="id",
    natural_key=("name",),
    outputs=(Out("key", "key", once=True),),
    mark="name",
)


class Context:
    """The engine's call, as far as a provider sees it."""

    def __init__(self) -> None:
        self.details = ""
        self.trailing: tuple[tuple[str, bytes], ...] = ()

    def set_trailing_metadata(self, metadata: tuple[tuple[str, bytes], ...]) -> None:
        self.trailing = metadata

    def abort(self, _code: grpc.StatusCode, details: str) -> None:
        self.details = details
        raise AbortedError(details)

    def partial(self) -> provider_pb2.ErrorResourceInitFailed:
        """What the engine would keep of an object that was made and is not finished."""
        outcome = status_pb2.Status.FromString(dict(self.trailing)["grpc-status-details-bin"])
        failure = provider_pb2.ErrorResourceInitFailed()
        assert outcome.details[0].Unpack(failure)
        return failure


class AbortedError(Exception):
    pass


class Engine:
    """Calls a provider as the SDK's host does: from methods with these names and locals."""

    def __init__(self, kind: Kind, urn: str = URN) -> None:
        self.provider = Provider("tests:Nothing")
        self.provider.__dict__["kind"] = kind
        self.urn = urn
        self.context = Context()

    def Create(self, **props: Any) -> Any:  # noqa: N802 - the protocol's name, by which the frame is found
        request, context = provider_pb2.CreateRequest(urn=self.urn), self.context
        assert context
        assert request.urn
        return self.provider.create(props)

    def Read(self, id_: str, inputs: dict[str, Any], **props: Any) -> Any:  # noqa: N802
        request, context = provider_pb2.ReadRequest(urn=self.urn), self.context
        request.inputs.update(inputs)
        assert context
        return self.provider.read(id_, props)

    def Update(self, id_: str, olds: dict[str, Any], **news: Any) -> Any:  # noqa: N802
        request, context = provider_pb2.UpdateRequest(urn=self.urn), self.context
        assert context
        assert request.urn
        return self.provider.update(id_, olds, news)

    def Delete(self, id_: str, **props: Any) -> None:  # noqa: N802
        request, context = provider_pb2.DeleteRequest(urn=self.urn), self.context
        assert context
        assert request.urn
        self.provider.delete(id_, props)


def thing(**more: Any) -> dict[str, Any]:
    return {"box": "b1", "name": "one", **more}

"""Dynamic resources through the SDK's own host, with the engine's requests and state, on a platform that misbehaves.

What tests/unit/test_base_*.py share: test modules cannot import each other.
"""

from __future__ import annotations

import base64
import contextvars
import importlib.util
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import dill  # type: ignore[import-untyped] # it has no types
import grpc
import httpx
import pytest
from google.protobuf import struct_pb2
from google.protobuf.json_format import MessageToDict
from google.rpc import status_pb2  # type: ignore[import-untyped] # googleapis-common-protos has no types
from pulumi.runtime.proto import provider_pb2
from pydantic import Field

from providers import base
from providers.base import Call, Calls, Environment, Immutable, Json, Kind, Listing, Out, Slow, WriteOnly, rest
from providers.base.inventory import Inventory
from providers.base.provider import Provider

OURS, THEIRS = "(managed by sophia-ai/dev)", "(managed by sophia-ai/prod)"
SIGNATURE = "4dabf18193072939515e22adb298388d"
Fault = Callable[[Callable[[], httpx.Response]], httpx.Response]

API = base.Api(
    name="toy",
    title="Toy",
    base_url=Environment("TOY_URL"),
    auth=base.Bearer(Environment("TOY_KEY")),
    said=lambda response: str(response.json()["message"]),
    limit=base.Limit(requests=10_000, seconds=1),
)
PERSON = base.Bearer(Environment("TOY_PERSON"))


@dataclass
class Toy:
    """Rooms in memory. ``faults`` are used up by requests to the paths that they name; lists may show objects late."""

    rooms: dict[str, Json] = field(default_factory=dict)
    requests: list[tuple[str, str, Json]] = field(default_factory=list)
    faults: list[tuple[str, Fault]] = field(default_factory=list)
    lists_late: int = 0
    unique: bool = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        wire = json.loads(request.content or b"{}")
        self.requests.append((request.method, request.url.path, wire))
        for number, (named, fault) in enumerate(self.faults):
            if named == f"{request.method} {request.url.path}":
                del self.faults[number]
                return fault(lambda: self.answer(request, wire))
        return self.answer(request, wire)

    def answer(self, request: httpx.Request, wire: Json) -> httpx.Response:
        _, _, id_, *action = request.url.path.split("/") + [""] * (3 - request.url.path.count("/"))
        if request.method == "POST" and not id_:
            if self.unique and wire.get("name") in {room.get("name") for room in self.rooms.values()}:
                return httpx.Response(409, json={"message": "the name is taken"})
            made = {"id": f"r-{len(self.rooms) + 1}", "color": "white", "state": "ready", **wire}
            self.rooms[made["id"]] = made
            return httpx.Response(201, json={**made, "key": f"key of {made['id']}"})
        if not id_:
            shown = list(self.rooms.values())
            self.lists_late, late = max(self.lists_late - 1, 0), self.lists_late
            return httpx.Response(200, json={"data": [] if late else shown})
        if id_ not in self.rooms:
            return httpx.Response(404, json={"message": f"there is no {id_}"})
        if request.method == "DELETE":
            del self.rooms[id_]
            return httpx.Response(204)
        if action == ["restore"]:
            self.rooms[id_]["archived"] = False
        elif action == ["join"]:
            self.rooms[id_]["joined"] = True
        else:
            self.rooms[id_] |= wire
        return httpx.Response(200, json=self.rooms[id_])

    def sent(self, method: str) -> list[tuple[str, Json]]:
        return [(path, wire) for verb, path, wire in self.requests if verb == method]


LISTING = Listing(Call("GET", "/rooms"))


class RoomInputs(base.Inputs):
    name: str = Field(min_length=2)
    private: Immutable[bool] = False
    house: Immutable[str | None] = None
    purpose: str = ""
    size: float | None = Field(default=None, alias="sizeInMetres")
    doors: list[str] | None = None
    code: WriteOnly[dict[str, Any] | None] = None


def room(**more: Any) -> dict[str, Any]:
    declared: dict[str, Any] = {
        "api": API,
        "title": "room",
        "setting": "rooms",
        "inputs": RoomInputs,
        "calls": rest("/rooms", listing=LISTING),
        "identity": "id",
        "natural_key": ("name",),
    }
    return {**declared, **more}


class Plain(base.Resource):
    kind = Kind(**room())


class Marked(base.Resource):
    kind = Kind(**room(mark="purpose"))


class Described(base.Resource):
    """A room whose purpose has a call of its own, and that is kept when it is deleted."""

    kind = Kind(
        **room(
            mark="purpose",
            calls=Calls(
                create=Call("POST", "/rooms"),
                create_takes=frozenset({"name", "private"}),
                setters={"purpose": Call("PUT", "/rooms/{id}")},
                delete=Call("PATCH", "/rooms/{id}", body={"archived": True}),
                listing=LISTING,
                revive=(Call("POST", "/rooms/{id}/restore", auth=PERSON),),
            ),
            hidden=lambda document: bool(document.get("archived")),
            claim=lambda document: () if document.get("joined") else (Call("POST", "/rooms/{id}/join"),),
        )
    )


class Forgotten(base.Resource):
    """A room that frees its name when it is archived, for ever."""

    kind = Kind(**room(hidden=lambda document: bool(document.get("archived"))))


class Keyed(base.Resource):
    kind = Kind(**room(mark="purpose", outputs=(Out("key", "key", once=True),)))


class Unmarkable(base.Resource):
    kind = Kind(**room(outputs=(Out("key", "key", once=True),)))


class Whole(base.Resource):
    kind = Kind(**room(calls=rest("/rooms", listing=LISTING, update="PUT", update_sends="whole")))


class Merged(base.Resource):
    kind = Kind(**room(calls=rest("/rooms", listing=LISTING, update="PUT", update_sends="merged")))


class Silent(base.Resource):
    """A setting that can be made and never seen."""

    kind = Kind(**room(calls=Calls(create=Call("POST", "/rooms"), delete=Call("DELETE", "/rooms/{id}"))))


def _state(document: Json) -> bool | str:
    return {"ready": True, "building": False}.get(document["state"], f"it is {document['state']}")


class Built(base.Resource):
    """Published, and ready some time later."""

    kind = Kind(**room(calls=rest("/rooms"), slow=Slow(_state), outputs=(Out("color", "color"),)))


@dataclass
class State:
    """What the engine keeps of a resource. ``secrets`` are the outputs that came marked."""

    id: str
    inputs: Json
    outputs: Json
    secrets: frozenset[str] = frozenset()


class FailedError(Exception):
    """An operation that the engine is told has failed; ``kept`` is what it keeps nevertheless."""

    kept: State | None = None


class Context:
    """A call's context, as gRPC gives it to a servicer."""

    trailing: tuple[tuple[str, bytes], ...] = ()

    def set_trailing_metadata(self, metadata: tuple[tuple[str, bytes], ...]) -> None:
        self.trailing = metadata

    def abort(self, code: grpc.StatusCode, details: str) -> None:
        assert code is grpc.StatusCode.UNKNOWN
        failed = FailedError(details)
        if self.trailing:
            outcome = status_pb2.Status.FromString(dict(self.trailing)["grpc-status-details-bin"])
            partial = provider_pb2.ErrorResourceInitFailed()
            assert outcome.details[0].Unpack(partial)
            failed.kept = _kept(partial.id, partial.inputs, partial.properties)
        raise failed


class Engine:
    """The engine's side of the protocol for one resource, over the host that the SDK starts."""

    host: ClassVar[Any] = None

    def __init__(self, resource: type[base.Resource], name: str = "hall", stack: str = "dev") -> None:
        self.urn = f"urn:pulumi:{stack}::sophia-ai::pulumi-python:dynamic/toy:Room::{name}"
        pickled = dill.dumps(Provider(f"{resource.__module__}:{resource.__qualname__}"), recurse=True)
        self.pickled = base64.b64encode(pickled).decode()
        if Engine.host is None:
            Engine.host = _host()

    def call(self, method: str, request: Any) -> Any:
        return contextvars.Context().run(getattr(Engine.host, method), request, Context())

    def struct(self, values: Json) -> struct_pb2.Struct:
        found = struct_pb2.Struct()
        found.update({**values, "__provider": self.pickled})
        return found

    def check(self, **news: Any) -> tuple[Json, dict[str, str]]:
        asked = provider_pb2.CheckRequest(urn=self.urn, olds=self.struct({}), news=self.struct(news))
        answered = self.call("Check", asked)
        return _plain(answered.inputs), {failure.property: failure.reason for failure in answered.failures}

    def create(self, **news: Any) -> State:
        inputs, mistakes = self.check(**news)
        assert not mistakes
        answered = self.call("Create", provider_pb2.CreateRequest(urn=self.urn, properties=self.struct(inputs)))
        return _kept(answered.id, self.struct(inputs), answered.properties)

    def failing_create(self, **news: Any) -> FailedError:
        with pytest.raises(FailedError) as caught:
            self.create(**news)
        if caught.value.kept:
            caught.value.kept.inputs, _ = self.check(**news)
        return caught.value

    def diff(self, state: State, **news: Any) -> provider_pb2.DiffResponse:
        inputs, mistakes = self.check(**news)
        assert not mistakes
        olds, old_inputs = self.struct(state.outputs), self.struct(state.inputs)
        asked = provider_pb2.DiffRequest(
            urn=self.urn, id=state.id, news=self.struct(inputs), olds=olds, old_inputs=old_inputs
        )
        answered = self.call("Diff", asked)
        assert isinstance(answered, provider_pb2.DiffResponse)
        return answered

    def changes(self, state: State, **news: Any) -> bool:
        """Whether the engine would act: an unknown difference is what it sees in the inputs by itself."""
        answered = self.diff(state, **news).changes
        if answered == provider_pb2.DiffResponse.DIFF_UNKNOWN:
            return self.check(**news)[0] != state.inputs
        return bool(answered == provider_pb2.DiffResponse.DIFF_SOME)

    def changed(self, state: State, **news: Any) -> list[str]:
        """The inputs in which the provider sees a difference, without the engine's own judgement."""
        inputs, _ = self.check(**news)
        provider = Provider(dill.loads(base64.b64decode(self.pickled)).reference)
        return sorted(provider._changed(state.outputs, inputs))

    def update(self, state: State, **news: Any) -> State:
        inputs, _ = self.check(**news)
        olds, old_inputs = self.struct(state.outputs), self.struct(state.inputs)
        asked = provider_pb2.UpdateRequest(
            urn=self.urn, id=state.id, news=self.struct(inputs), olds=olds, old_inputs=old_inputs
        )
        return _kept(state.id, self.struct(inputs), self.call("Update", asked).properties)

    def read(self, state: State) -> State | None:
        properties, inputs = self.struct(state.outputs), self.struct(state.inputs)
        asked = provider_pb2.ReadRequest(urn=self.urn, id=state.id, properties=properties, inputs=inputs)
        answered = self.call("Read", asked)
        return _kept(answered.id, answered.inputs, answered.properties) if answered.id else None

    def delete(self, state: State) -> None:
        properties, old_inputs = self.struct(state.outputs), self.struct(state.inputs)
        asked = provider_pb2.DeleteRequest(urn=self.urn, id=state.id, properties=properties, old_inputs=old_inputs)
        self.call("Delete", asked)


def _host() -> Any:
    """The servicer of the SDK's host program, without the server that the program starts."""
    spec = importlib.util.find_spec("pulumi.dynamic")
    assert spec
    assert spec.origin
    program = Path(spec.origin).with_name("__main__.py")
    names: dict[str, Any] = {"__name__": "pulumi_dynamic_host"}
    exec(compile(program.read_text().rstrip().removesuffix("main()"), program, "exec"), names)
    return names["DynamicResourceProviderServicer"]()


def _plain(struct: struct_pb2.Struct) -> Json:
    return {k: _bare(v) for k, v in MessageToDict(struct).items() if k != "__provider"}


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return _bare(value["value"]) if SIGNATURE in value else {k: _bare(v) for k, v in value.items()}
    return [_bare(item) for item in value] if isinstance(value, list) else value


def _kept(id_: str, inputs: struct_pb2.Struct, outputs: struct_pb2.Struct) -> State:
    assert outputs["__provider"], "without it, nothing can be done with the resource any more"
    marked = {k for k, v in MessageToDict(outputs).items() if isinstance(v, dict) and SIGNATURE in v}
    return State(id_, _plain(inputs), _plain(outputs), frozenset(marked))


def serve_toy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Toy]:
    """The platform and its credentials, in a run of its own, where no pause takes time."""
    platform = Toy()
    monkeypatch.setenv("TOY_URL", "http://toy.test")
    monkeypatch.setenv("TOY_KEY", "toy-credential")
    monkeypatch.setenv("TOY_PERSON", "person-credential")
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    new_run(monkeypatch)
    with httpx.Client(transport=httpx.MockTransport(platform)) as client:
        monkeypatch.setitem(API.__dict__, "client", client)
        yield platform


def new_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider process of its own, as each run of the engine has."""
    monkeypatch.setattr("providers.base.provider._inventory", Inventory())
    monkeypatch.setitem(API.__dict__, "_made", {})


def lost(answer: Callable[[], httpx.Response]) -> httpx.Response:
    """The platform does it, and nobody hears of it."""
    answer()
    raise httpx.ReadTimeout("silence")


def says(status: int, **body: Any) -> Fault:
    return lambda _answer: httpx.Response(status, json={"message": f"said {status}", **body})

"""A recording stand-in for the Pulumi engine, shared by all tests of components."""

from __future__ import annotations

import asyncio
import contextvars
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import pytest
from google.protobuf import empty_pb2
from google.protobuf.json_format import MessageToDict
from pulumi.runtime import mocks, settings
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.stack import run_pulumi_func
from pulumi.runtime.sync_await import _sync_await

PROJECT = "sophia-ai"
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"

T = TypeVar("T")
Computed = Mapping[str, Callable[[str, dict[str, Any]], dict[str, Any]]]
"""For a type, what the platform answers besides the inputs: given the logical name and the inputs."""


@dataclass(frozen=True)
class Resource:
    """One registered resource. ``inputs`` are plain values; ``secrets`` are the paths of those that were secret."""

    type: str
    name: str
    inputs: dict[str, Any]
    secrets: frozenset[str]
    urn: str
    parent: str
    protect: bool
    retain_on_delete: bool
    delete_before_replace: bool
    depends_on: frozenset[str]
    """URNs of everything that must exist first, through an input or by order."""
    provider: str
    outputs: dict[str, Any] = field(default_factory=dict)
    """Of a component: what it registered as its outputs, once it had."""


class Recorder(mocks.MockMonitor):
    """Answers every registration with its own inputs and keeps what was asked for."""

    def __init__(self, computed: Computed) -> None:
        super().__init__(_NoInvokes())
        self.computed = computed
        self.registered: dict[str, Resource] = {}

    def RegisterResource(self, request: resource_pb2.RegisterResourceRequest) -> object:  # noqa: N802 - gRPC's name
        """Record the request; the outputs keep the inputs' secretness, as the engine's do."""
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type == "pulumi:pulumi:Stack":
            return resource_pb2.RegisterResourceResponse(urn=urn)
        inputs, secrets = _plain(MessageToDict(request.object))
        self.registered[urn] = Resource(
            type=request.type,
            name=request.name,
            inputs=inputs,
            secrets=frozenset(secrets),
            urn=urn,
            parent=request.parent,
            protect=request.protect,
            retain_on_delete=request.retainOnDelete,
            delete_before_replace=request.deleteBeforeReplace,
            depends_on=frozenset(request.dependencies),
            provider=request.provider,
        )
        state = resource_pb2.RegisterResourceResponse().object
        state.CopyFrom(request.object)
        if request.type in self.computed:
            state.update(self.computed[request.type](request.name, inputs))
        identity = f"id-of-{request.name}" if request.custom else ""
        return resource_pb2.RegisterResourceResponse(urn=urn, id=identity, object=state)

    def RegisterResourceOutputs(self, request: resource_pb2.RegisterResourceOutputsRequest) -> object:  # noqa: N802 - gRPC's name
        """Keep a component's outputs with the component."""
        if request.urn in self.registered:
            self.registered[request.urn].outputs.update(_plain(MessageToDict(request.outputs))[0])
        return empty_pb2.Empty()


class _NoInvokes(mocks.Mocks):
    """Components look nothing up: a no-change run must not read the platforms."""

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        """Refuse."""
        raise AssertionError(f"a component must not look things up in every run, but called {args.token}")

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """Refuse: nothing is read by id either."""
        raise AssertionError(f"a component must not read existing objects, but read {args.typ} {args.name}")


def _plain(value: Any, path: str = "") -> tuple[Any, list[str]]:
    """``value`` without the wrapping of secrets, and the paths at which there was one."""
    if isinstance(value, dict):
        if value.get(_SIGNATURE) == _SECRET:
            return _plain(value["value"], path)[0], [path]
        parts = {k: _plain(v, f"{path}.{k}" if path else k) for k, v in value.items()}
        return {k: plain for k, (plain, _) in parts.items()}, [s for _, found in parts.values() for s in found]
    if isinstance(value, list):
        items = [_plain(v, f"{path}[{i}]") for i, v in enumerate(value)]
        return [plain for plain, _ in items], [s for _, found in items for s in found]
    if isinstance(value, float) and value.is_integer():
        return int(value), []
    return value, []


@dataclass(frozen=True)
class Deployment(Generic[T]):
    """What a program did: its result, and everything that had registered when it was over."""

    result: T
    resources: tuple[Resource, ...]

    def of(self, kind: str) -> tuple[Resource, ...]:
        """All resources of a type; ``kind`` is the token, or its last part (``Database``)."""
        return tuple(r for r in self.resources if r.type == kind or re.split("[:/]", r.type)[-1] == kind)

    def one(self, kind: str, name: str | None = None) -> Resource:
        """The only resource of a type, or the one with this logical name."""
        found = [r for r in self.of(kind) if name is None or r.name == name]
        if len(found) != 1:
            have = sorted(r.name for r in self.of(kind))
            pytest.fail(f"expected one {kind} {name or ''}, have {have}")
        return found[0]


Deploy = Callable[..., Deployment[Any]]


@pytest.fixture
def deploy(monkeypatch: pytest.MonkeyPatch) -> Deploy:
    """Run a program (a function without arguments) to its end, and give back all that it registered.

    ``deploy(program, stack="prod", computed={...})``. What the runtime keeps globally (settings, the root resource, the
    event loop) lives in a context of its own for each call, so that tests do not see each other. Exceptions of the
    program come out as they are.
    """
    monkeypatch.delenv("PULUMI_CONFIG", raising=False)
    monkeypatch.delenv("PULUMI_CONFIG_SECRET_KEYS", raising=False)

    def run(program: Callable[[], T], *, stack: str = "dev", computed: Computed | None = None) -> Deployment[T]:
        return contextvars.Context().run(_run, program, stack, computed or {})

    return run


def _run(program: Callable[[], T], stack: str, computed: Computed) -> Deployment[T]:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        recorder = Recorder(computed)
        mocks.set_mocks(_NoInvokes(), project=PROJECT, stack=stack, preview=False, monitor=recorder)
        results: list[T] = []

        def capture() -> None:
            results.append(program())

        _sync_await(run_pulumi_func(capture))
        return Deployment(results[0], tuple(recorder.registered.values()))
    finally:
        settings.SETTINGS.rpc_manager.clear()
        asyncio.set_event_loop(None)
        loop.close()


Configure = Callable[..., None]


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Iterator[Configure]:
    """``configure({"slack": {...}}, stack="dev", secret=["slack"])``: the settings as the engine passes them."""
    before = (settings.SETTINGS.project, settings.SETTINGS.stack)

    def set_configuration(platforms: Mapping[str, object], *, stack: str = "dev", secret: tuple[str, ...] = ()) -> None:
        texts = {f"{PROJECT}:{key}": v if isinstance(v, str) else json.dumps(v) for key, v in platforms.items()}
        monkeypatch.setenv("PULUMI_CONFIG", json.dumps(texts))
        monkeypatch.setenv("PULUMI_CONFIG_SECRET_KEYS", json.dumps([f"{PROJECT}:{key}" for key in secret]))
        settings.SETTINGS.project, settings.SETTINGS.stack = PROJECT, stack

    yield set_configuration
    settings.SETTINGS.project, settings.SETTINGS.stack = before

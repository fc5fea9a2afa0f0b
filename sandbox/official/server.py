"""The gRPC server that stands in for the five official packages.

The engine attaches to it where ``PULUMI_DEBUG_PROVIDERS`` names its port. One port serves all five: which package a
call is about is told by the resource's URN, and where no resource is named (Handshake, GetPluginInfo) one answer is
good for all.

What it cannot see: credentials. The official providers read them from the environment of the process that the engine
starts for them; this server is started by nobody's engine, and a default provider is configured with nothing but the
stack's own settings. So wrong or missing credentials are not noticed here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import plugin_pb2
from pulumi.runtime.proto import provider_pb2 as rpc
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderServicer, add_ResourceProviderServicer_to_server

from sandbox.official import aws, github, kubernetes, snowflake, vercel
from sandbox.official.behaviour import Package, RefusedError
from sandbox.official.check import checked
from sandbox.official.diff import compared
from sandbox.official.objects import Objects
from sandbox.official.types import Failure
from sandbox.official.values import Properties, from_struct, to_struct
from sandbox.store import Database, Store

PACKAGES: Mapping[str, Package] = {
    package.sdk.package: package
    for package in (snowflake.PACKAGE, kubernetes.PACKAGE, github.PACKAGE, vercel.PACKAGE, aws.PACKAGE)
}
_UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


@dataclass(frozen=True)
class Call:
    """One call that a real provider would have turned into requests to its platform. Never holds a property's value.

    ``outcome`` is ``ok``, ``gone`` (a read of what is not there), ``refused`` (by the rules of the platform or the
    types of the package) or ``failed`` (a defect of the sandbox).
    """

    platform: str
    method: str
    type: str
    name: str
    outcome: str
    seconds: float


Record = Callable[[Call], None]
Context = grpc.ServicerContext


@dataclass
class _Span:
    outcome: str = "ok"


class Provider(ResourceProviderServicer):
    """The RPCs of a resource provider, for all five packages."""

    def __init__(self, database: Database, record: Record) -> None:
        self._record = record
        self._settings: dict[str, Properties] = {}
        self._objects = {name: Objects(Store(database, name), package) for name, package in PACKAGES.items()}

    def Handshake(self, request: rpc.ProviderHandshakeRequest, context: Context) -> rpc.ProviderHandshakeResponse:  # noqa: ARG002, N802 - RPC
        return rpc.ProviderHandshakeResponse(accept_secrets=True, supports_autonaming_configuration=True)

    def Attach(self, request: plugin_pb2.PluginAttach, context: Context) -> Empty:  # noqa: ARG002, N802 - RPC
        return Empty()

    def GetPluginInfo(self, request: Empty, context: Context) -> plugin_pb2.PluginInfo:  # noqa: ARG002, N802 - RPC
        """The highest of the five versions: the engine warns of a version below the SDK's, and does not ask for whom."""
        versions = (package.sdk.version for package in PACKAGES.values())
        newest = max(versions, key=lambda version: tuple(int(part) for part in version.split(".")[:2]))
        return plugin_pb2.PluginInfo(version=newest)

    def CheckConfig(self, request: rpc.CheckRequest, context: Context) -> rpc.CheckResponse:  # noqa: ARG002, N802 - RPC
        """Which package is configured is in the URN of its provider, ``pulumi:providers:snowflake``, and only there."""
        package = PACKAGES.get(request.urn.split("::")[2].rsplit(":", 1)[-1]) if request.urn else None
        settings, _ = from_struct(request.news)
        if package is None:
            return rpc.CheckResponse(inputs=request.news)
        failures = [_failure(failure) for failure in package.check_settings(settings)]
        return rpc.CheckResponse(inputs=request.news, failures=failures)

    def DiffConfig(self, request: rpc.DiffRequest, context: Context) -> rpc.DiffResponse:  # noqa: ARG002, N802 - RPC
        same = request.old_inputs == request.news
        return rpc.DiffResponse(changes=rpc.DiffResponse.DIFF_NONE if same else rpc.DiffResponse.DIFF_SOME)

    def Configure(self, request: rpc.ConfigureRequest, context: Context) -> rpc.ConfigureResponse:  # noqa: N802 - RPC
        """Remembers a provider's settings, but no secret, by its connection: the engine makes one for every provider."""
        settings, secret = from_struct(request.args)
        self._settings[context.peer()] = {name: value for name, value in settings.items() if (name,) not in secret}
        return rpc.ConfigureResponse(acceptSecrets=True, supportsPreview=True, supports_autonaming_configuration=True)

    def Cancel(self, request: Empty, context: Context) -> Empty:  # noqa: ARG002, N802 - RPC
        return Empty()

    def GetMapping(self, request: rpc.GetMappingRequest, context: Context) -> rpc.GetMappingResponse:  # noqa: ARG002, N802 - RPC
        return rpc.GetMappingResponse()

    def GetMappings(self, request: rpc.GetMappingsRequest, context: Context) -> rpc.GetMappingsResponse:  # noqa: ARG002, N802 - RPC
        return rpc.GetMappingsResponse()

    def Check(self, request: rpc.CheckRequest, context: Context) -> rpc.CheckResponse:  # noqa: N802 - RPC
        platform, token = _resource(request.urn)
        old, _ = from_struct(request.olds)
        new, secret = from_struct(request.news)
        inputs, failures = checked(self._package(platform, context), token, request, old, new)
        if not failures:
            return rpc.CheckResponse(inputs=to_struct(inputs, secret))
        with self._recorded("Check", request.urn) as span:
            span.outcome = "refused"
        return rpc.CheckResponse(inputs=request.news, failures=[_failure(failure) for failure in failures])

    def Diff(self, request: rpc.DiffRequest, context: Context) -> rpc.DiffResponse:  # noqa: N802 - RPC
        platform, token = _resource(request.urn)
        old, _ = from_struct(request.old_inputs)
        new, _ = from_struct(request.news)
        package = self._package(platform, context)
        return compared(package, package.kind(token), old, new)

    def Create(self, request: rpc.CreateRequest, context: Context) -> rpc.CreateResponse:  # noqa: N802 - RPC
        platform, token = _resource(request.urn)
        asked, secret = from_struct(request.properties)
        if request.preview:
            return rpc.CreateResponse(properties=request.properties)
        with self._recorded("Create", request.urn, context):
            self._require_enabled(platform, token, context)
            key, properties = self._objects[platform].create(token, asked, secret)
        return rpc.CreateResponse(id=key, properties=to_struct(properties, secret))

    def Read(self, request: rpc.ReadRequest, context: Context) -> rpc.ReadResponse:  # noqa: N802 - RPC
        platform, token = _resource(request.urn)
        inputs, secret = from_struct(request.inputs)
        state, secret_state = from_struct(request.properties)
        with self._recorded("Read", request.urn, context) as span:
            self._require_enabled(platform, token, context)
            key = self._objects[platform].found_by(token, request.id)
            found = self._objects[platform].read(token, key, inputs, state)
            if found is None:
                span.outcome = "gone"
        if found is None:
            return rpc.ReadResponse()
        live_inputs, live = found
        return rpc.ReadResponse(
            id=key,
            inputs=to_struct(live_inputs, secret | secret_state),
            properties=to_struct(live, secret | secret_state),
        )

    def Update(self, request: rpc.UpdateRequest, context: Context) -> rpc.UpdateResponse:  # noqa: N802 - RPC
        platform, token = _resource(request.urn)
        asked, secret = from_struct(request.news)
        objects = self._objects[platform]
        if request.preview:
            planned = objects.planned(token, request.id, asked)
            return rpc.UpdateResponse(properties=to_struct(planned, secret))
        with self._recorded("Update", request.urn, context):
            self._require_enabled(platform, token, context)
            properties = objects.update(token, request.id, asked, secret)
        return rpc.UpdateResponse(properties=to_struct(properties, secret))

    def Delete(self, request: rpc.DeleteRequest, context: Context) -> Empty:  # noqa: N802 - RPC
        platform, token = _resource(request.urn)
        with self._recorded("Delete", request.urn, context):
            self._require_enabled(platform, token, context)
            self._objects[platform].delete(token, request.id)
        return Empty()

    def Invoke(self, request: rpc.InvokeRequest, context: Context) -> NoReturn:  # noqa: N802 - RPC
        platform = request.tok.split(":")[0]
        self._record(Call(platform, "Invoke", request.tok, "", "refused", 0.0))
        reason = f"the sandbox does not simulate the function {request.tok}; use it with a real account"
        _unimplemented(context, reason)

    def GetSchema(self, request: rpc.GetSchemaRequest, context: Context) -> NoReturn:  # noqa: ARG002, N802 - RPC
        _unimplemented(context, "the sandbox has no package schemas; install the official plugin for them")

    def Construct(self, request: rpc.ConstructRequest, context: Context) -> NoReturn:  # noqa: ARG002, N802 - RPC
        _unimplemented(context, "the sandbox does not simulate components of the official packages")

    def Call(self, request: rpc.CallRequest, context: Context) -> NoReturn:  # noqa: ARG002, N802 - RPC
        _unimplemented(context, "the sandbox does not simulate methods of the official packages")

    def Parameterize(self, request: rpc.ParameterizeRequest, context: Context) -> NoReturn:  # noqa: ARG002, N802 - RPC
        _unimplemented(context, "the official packages take no parameters")

    def List(self, request: rpc.ListRequest, context: Context) -> NoReturn:  # noqa: ARG002, N802 - RPC
        _unimplemented(context, "the sandbox does not list the resources of the official packages")

    def _require_enabled(self, platform: str, token: str, context: Context) -> None:
        """Raises RefusedError when the settings of the calling provider do not allow the type."""
        words = PACKAGES[platform].disabled(token, self._settings.get(context.peer(), {}))
        if words is not None:
            raise RefusedError(words)

    def _package(self, platform: str, context: Context) -> Package:
        if platform not in PACKAGES:
            _unimplemented(context, f"the sandbox has no stand-in for the package {platform}")
        return PACKAGES[platform]

    @contextmanager
    def _recorded(self, method: str, urn: str, context: Context | None = None) -> Iterator[_Span]:
        """Times a call, records it, and turns a refusal into the call's error."""
        platform, token = _resource(urn)
        span = _Span("failed")
        refusal: RefusedError | None = None
        started = time.perf_counter()
        try:
            yield span
            span.outcome = "ok" if span.outcome == "failed" else span.outcome
        except RefusedError as error:
            span.outcome, refusal = "refused", error
        finally:
            seconds = time.perf_counter() - started
            self._record(Call(platform, method, token, urn.rsplit("::", 1)[-1], span.outcome, seconds))
        if refusal is not None and context is not None:
            context.abort(grpc.StatusCode.UNKNOWN, str(refusal))


class OfficialServer:
    """The running stand-in. ``providers`` is what ``PULUMI_DEBUG_PROVIDERS`` must say."""

    def __init__(self, server: grpc.Server, port: int) -> None:
        self._server = server
        self.port = port

    @property
    def providers(self) -> str:
        return ",".join(f"{name}:{self.port}" for name in PACKAGES)

    def stop(self, grace: float = 1.0) -> None:
        """Lets calls in flight finish for ``grace`` seconds, then ends."""
        self._server.stop(grace).wait()


def serve(database: Database, record: Record, port: int = 0) -> OfficialServer:
    """Starts the stand-in on 127.0.0.1; port 0 takes a free one.

    ``record`` is called from the server's threads. Raises OSError when the port is taken.
    """
    options = [*_UNLIMITED, ("grpc.so_reuseport", 0)]
    server = grpc.server(ThreadPoolExecutor(max_workers=32, thread_name_prefix="official"), options=options)
    add_ResourceProviderServicer_to_server(Provider(database, record), server)
    try:
        bound = server.add_insecure_port(f"127.0.0.1:{port}")
    except RuntimeError as error:
        raise OSError(f"port {port} of 127.0.0.1 is taken; choose another, or 0 for any") from error
    server.start()
    return OfficialServer(server, bound)


def _resource(urn: str) -> tuple[str, str]:
    """The package and the type token in a URN; a child's type follows those of its parents after ``$``."""
    token = urn.split("::")[2].rsplit("$", 1)[-1]
    return token.split(":")[0], token


def _failure(failure: Failure) -> rpc.CheckFailure:
    """The property is named in the reason only: beside a property of its own the engine prints the value in clear."""
    return rpc.CheckFailure(reason=f"{failure.property}: {failure.reason}" if failure.property else failure.reason)


def _unimplemented(context: Context, reason: str) -> NoReturn:
    context.abort(grpc.StatusCode.UNIMPLEMENTED, reason)

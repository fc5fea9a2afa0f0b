"""Runs a policy pack: a Python analyzer that wants to know the stack before it starts.

The engine tells the stack (ConfigureStack) only to a running analyzer, and the SDK's `pulumi.policy` reads it from its
process environment. So the host answers the engine first, starts the pack once it knows the stack, and forwards
everything else to it unread.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent import futures

import grpc
from pulumi.runtime.proto.analyzer_pb2 import (
    DESCRIPTOR,
    AnalyzerHandshakeResponse,
    AnalyzerStackConfigureRequest,
    AnalyzerStackConfigureResponse,
)

from .errors import HostError

_ANALYZER = DESCRIPTOR.services_by_name["Analyzer"]
_WORKERS = 16
_SECONDS_FOR_ANSWERS = 1.0
CHANNEL_OPTIONS = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))


class PolicyPackProxy:
    """The analyzer that the engine talks to, in front of the one that the pack is.

    `start` gets the stack's variables (empty if the engine asks before it tells the stack) and must answer the port
    of the running pack, or raise HostError.
    """

    def __init__(self, start: Callable[[dict[str, str]], int]) -> None:
        self._start = start
        self._stack: bytes | None = None
        self._channel: grpc.Channel | None = None
        self._lock = threading.Lock()
        forwarded = {method.name: self._forwarding(method.name) for method in _ANALYZER.methods}
        opening = {
            "Handshake": grpc.unary_unary_rpc_method_handler(self._handshake),
            "ConfigureStack": grpc.unary_unary_rpc_method_handler(self._configure_stack),
        }
        self._server = grpc.server(futures.ThreadPoolExecutor(_WORKERS), options=CHANNEL_OPTIONS)
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(_ANALYZER.full_name, forwarded | opening),)
        )

    def listen(self) -> int:
        """Serves on a free loopback port and returns it."""
        port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()
        return port

    def close(self) -> None:
        """Stops serving, without waiting; calls under way have a moment to tell how they ended."""
        self._server.stop(_SECONDS_FOR_ANSWERS)

    def _handshake(self, _request: bytes, _context: grpc.ServicerContext) -> bytes:
        return AnalyzerHandshakeResponse().SerializeToString()

    def _configure_stack(self, request: bytes, _context: grpc.ServicerContext) -> bytes:
        self._stack = request
        return AnalyzerStackConfigureResponse().SerializeToString()

    def _forwarding(self, method: str) -> grpc.RpcMethodHandler[bytes, bytes]:
        def forward(request: bytes, context: grpc.ServicerContext) -> bytes:
            try:
                return _call(self._pack(), method, request)
            except grpc.RpcError as error:
                context.abort(error.code(), error.details() or "")
            except HostError as error:
                context.abort(error.status, str(error))

        return grpc.unary_unary_rpc_method_handler(forward)

    def _pack(self) -> grpc.Channel:
        with self._lock:
            if self._channel is None:
                self._channel = self._connect()
        return self._channel

    def _connect(self) -> grpc.Channel:
        port = self._start(stack_variables(self._stack) if self._stack is not None else {})
        channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=CHANNEL_OPTIONS)
        if self._stack is not None:
            try:
                _call(channel, "ConfigureStack", self._stack)
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.UNIMPLEMENTED:
                    raise
        return channel


def _call(channel: grpc.Channel, method: str, request: bytes) -> bytes:
    answer: bytes = channel.unary_unary(f"/{_ANALYZER.full_name}/{method}", bytes, bytes)(request)
    return answer


def stack_variables(request: bytes) -> dict[str, str]:
    """The variables that `pulumi.policy` reads the stack from."""
    stack = AnalyzerStackConfigureRequest.FromString(request)
    told = {
        "PULUMI_ORGANIZATION": stack.organization,
        "PULUMI_PROJECT": stack.project,
        "PULUMI_STACK": stack.stack,
        "PULUMI_DRY_RUN": "true" if stack.dry_run else "false",
        "PULUMI_CONFIG": json.dumps(dict(stack.config)),
    }
    return {name: value for name, value in told.items() if value}

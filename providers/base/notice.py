"""Warnings for people. What a provider writes to its log the engine passes on as chatter, which nobody is shown."""

from __future__ import annotations

import logging
import sys

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from providers.base.engine import Call

_SECONDS = 5.0
_log = logging.getLogger(__name__)


def warn(message: str) -> None:
    """Shows a warning with the resource that is worked on, whatever it is told by: ``sophia`` or the plain engine.

    The engine starts the SDK's host of dynamic providers with its own address, which the host does not hand on.
    """
    engine = _engine()
    if not engine:
        _log.warning("%s", message)
        return
    request = engine_pb2.LogRequest(severity=engine_pb2.LogSeverity.WARNING, message=message, urn=Call().urn)
    try:
        with grpc.insecure_channel(engine) as channel:
            engine_pb2_grpc.EngineStub(channel).Log(request, timeout=_SECONDS)
    except grpc.RpcError as error:
        _log.warning("%s (the engine could not be told: %s)", message, error)


def _engine() -> str:
    """The engine's address; "" where this is no host of dynamic providers."""
    main = getattr(sys.modules["__main__"], "__spec__", None)
    is_host = main is not None and main.name == "pulumi.dynamic.__main__"
    return sys.argv[1] if is_host and len(sys.argv) > 1 else ""

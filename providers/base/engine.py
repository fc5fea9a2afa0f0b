"""What the engine's protocol offers and the Python SDK hides: the request behind an operation, and partial failure.

The dynamic provider host of the SDK calls a provider's methods with plain dictionaries. The request (urn, old inputs)
and the call's context (through which an object that was created, but is not ready, is reported so that the engine keeps
it in the state: pulumi/pulumi#15958) can be had only from the frame of the host's own method. All such knowledge is here,
and tests/engine/test_partial_state.py proves it against the pinned SDK.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NoReturn

import grpc
from google.protobuf import any_pb2, struct_pb2
from google.rpc import status_pb2  # type: ignore[import-untyped] # googleapis-common-protos has no types
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2

PROVIDER_KEY = "__provider"
_SERVICER_METHODS = frozenset({"Check", "Diff", "Create", "Read", "Update", "Delete"})
_SIGNATURE_KEY = "4dabf18193072939515e22adb298388d"
_SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the protocol's constant that marks a secret
_STATUS_DETAILS = "grpc-status-details-bin"


class Call:
    """The engine's call in which a provider's method runs. Empty outside the engine, as in unit tests."""

    def __init__(self) -> None:
        frame = sys._getframe(1)  # noqa: SLF001 - see the module's docstring
        while frame and not (frame.f_code.co_name in _SERVICER_METHODS and "context" in frame.f_locals):
            frame = frame.f_back  # type: ignore[assignment]
        self.request: Any = frame.f_locals["request"] if frame else None
        self.context: grpc.ServicerContext | None = frame.f_locals["context"] if frame else None

    @property
    def urn(self) -> str:
        return str(getattr(self.request, "urn", ""))

    @property
    def stack(self) -> str:
        """``project/stack``, as the URN says it."""
        parts = self.urn.split("::")
        return f"{parts[1]}/{parts[0].removeprefix('urn:pulumi:')}" if len(parts) > 3 else ""

    @property
    def name(self) -> str:
        """The resource's logical name."""
        return self.urn.rpartition("::")[2]

    @property
    def stack_name(self) -> str:
        return self.stack.partition("/")[2]

    @property
    def interrupted(self) -> bool:
        """Whether an earlier run was killed while it created this resource.

        The engine writes pending creates into the state; ``sophia`` hands them over in SOPHIA_INTERRUPTED_CREATES.
        """
        return self.urn in _urns(os.environ.get("SOPHIA_INTERRUPTED_CREATES"))

    @property
    def adopted(self) -> bool:
        """Whether this run is to take over an object that exists, as ``sophia adopt`` says in SOPHIA_ADOPT."""
        return self.urn in _urns(os.environ.get("SOPHIA_ADOPT"))

    def inputs(self, member: str = "inputs") -> dict[str, Any]:
        """The inputs in the state, which the SDK leaves out when it reads (``inputs``) or updates (``old_inputs``)."""
        struct = getattr(self.request, member, None)
        found = rpc.deserialize_properties(struct) if struct is not None else {}
        return {key: plain(value) for key, value in found.items() if not key.startswith("__")}

    def provider_pickle(self) -> Any:
        """The ``__provider`` property, without which a partial state could not be worked with later."""
        for member in ("news", "properties"):
            struct = getattr(self.request, member, None)
            if struct is not None and PROVIDER_KEY in struct:
                return rpc.deserialize_properties(struct)[PROVIDER_KEY]
        return None

    def fail(self, message: str) -> NoReturn:
        """Ends the call with a message for people, and no traceback in the engine's log."""
        if self.context is None:
            raise RuntimeError(message)
        self.context.abort(grpc.StatusCode.UNKNOWN, message)

    def fail_partially(
        self, id_: str, outputs: dict[str, Any], inputs: dict[str, Any], reasons: Iterable[str]
    ) -> NoReturn:
        """Ends the call with an error that leaves the object in the state, as created and not ready."""
        told = list(reasons)
        if self.context is None:
            raise RuntimeError("; ".join(told))
        pickle = {PROVIDER_KEY: self.provider_pickle()}
        detail = provider_pb2.ErrorResourceInitFailed(
            id=id_, properties=_struct({**outputs, **pickle}), inputs=_struct({**inputs, **pickle}), reasons=told
        )
        packed = any_pb2.Any()
        packed.Pack(detail)
        status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message="; ".join(told), details=[packed])
        self.context.set_trailing_metadata(((_STATUS_DETAILS, status.SerializeToString()),))
        self.context.abort(grpc.StatusCode.UNKNOWN, status.message)


@lru_cache
def _urns(text: str | None) -> frozenset[str]:
    """A JSON list of URNs, as ``sophia`` hands it over; read once, not for every resource."""
    return frozenset(json.loads(text or "[]"))


def _struct(properties: dict[str, Any]) -> struct_pb2.Struct:
    return asyncio.run(rpc.serialize_properties(properties, {}))


def secret(value: Any) -> dict[str, Any]:
    """A value marked as secret in the protocol's own way: the state keeps it encrypted, also after a refresh."""
    return {_SIGNATURE_KEY: _SECRET_SIGNATURE, "value": value}


def plain(value: Any) -> Any:
    """A value without its mark as secret, if it has one."""
    return rpc.unwrap_rpc_secret(value)

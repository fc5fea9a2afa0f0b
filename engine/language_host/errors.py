"""Errors that the engine shows to the user as they are."""

from __future__ import annotations

import grpc


class HostError(Exception):
    """What the user must know, in one message, with the gRPC status that carries it."""

    def __init__(self, message: str, status: grpc.StatusCode = grpc.StatusCode.FAILED_PRECONDITION) -> None:
        super().__init__(message)
        self.status = status

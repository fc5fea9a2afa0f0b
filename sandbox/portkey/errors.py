"""Portkey's errors: codes AB01 to AB09, in one of two shapes.

Codes and statuses are those of Portkey's documentation (Admin API, Error Codes); the shape with ``success`` and
``data`` is that of its help page on AB03, the one with ``error`` is what the specification has for guardrails and labels.
"""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from sandbox.http import ApiError

_CODES = {400: "AB01", 401: "AB05", 402: "AB09", 403: "AB03", 404: "AB08", 409: "AB07", 429: "AB06"}
_INTERNAL = "AB04"


def render(error: ApiError) -> Response:
    data = {"message": error.message, "errorCode": _code(error)}
    return JSONResponse({"success": False, "data": data}, error.status)


def render_as_openai(error: ApiError) -> Response:
    """As the inference API answers, and of the administrative one the guardrails and the labels."""
    kind = "server_error" if error.status >= 500 else "invalid_request_error"
    document = {"message": error.message, "type": kind, "param": None, "code": _code(error)}
    return JSONResponse({"error": document}, error.status)


def hidden(kind: str, identifier: str) -> ApiError:
    """What is missing and what may not be seen look the same in much of the API."""
    return ApiError(403, f"You do not have enough permissions to execute this request: {kind} {identifier}")


def missing(kind: str, identifier: str) -> ApiError:
    return ApiError(404, f"Resource not found: {kind} {identifier}")


def taken(kind: str, name: str, value: str) -> ApiError:
    return ApiError(409, f"Resource already exists: there is a {kind} with {name} {value}")


def _code(error: ApiError) -> str:
    return _CODES.get(error.status, _INTERNAL)

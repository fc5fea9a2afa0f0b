"""Airbyte's errors: problem documents after RFC 9457, one class a kind.

Statuses, types and titles are those of airbytehq/airbyte-platform, api-problems.yaml. The server sends them as
``application/json``.
"""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from sandbox.http import ApiError

_REFERENCE = "https://reference.airbyte.com/reference/errors"

_KINDS = {
    400: ("bad-request", "#bad-request", "The request could not be understood by the server due to malformed syntax."),
    401: ("invalid-api-key", "#invalid-api-key", "The API key in the Authorization header is invalid."),
    403: ("forbidden", "#forbidden", "The request is forbidden."),
    404: ("resource-not-found", "#resource-not-found", "The requested resource could not be found."),
    409: ("state-conflict", "#409-state-conflict", "State conflict"),
    422: ("unprocessable-entity", "#unprocessable-entity", "The body of the request was not understood"),
    501: ("api-not-implemented", "", "This API is not implemented in this edition."),
    503: ("service-unavailable", "", "The server is currently unable to handle the request."),
}
_UNEXPECTED = ("unexpected-problem", "", "An unexpected problem has occurred.")


def problem(error: ApiError) -> Response:
    """The document of an error; one without a kind of its own gets that of its status, with the message in ``data``."""
    title, anchor, detail = _KINDS.get(error.status, _UNEXPECTED)
    document = {
        "type": _REFERENCE + anchor,
        "title": title,
        "status": error.status,
        "detail": detail,
        "data": {"message": error.message},
    }
    return JSONResponse(document | error.details, error.status)


def not_found(kind: str, identifier: str) -> ApiError:
    return ApiError(404, f"There is no such {kind}.", data={"resourceType": kind, "resourceId": identifier})


def unknown_value(value: str) -> ApiError:
    details = {"type": _REFERENCE, "title": "value-not-found", "detail": "The submitted value could not be found."}
    return ApiError(400, value, **details, data={"value": value})


def unprocessable(message: str) -> ApiError:
    return ApiError(422, message)


def kind(status: int, name: str, title: str, detail: str, **data: str) -> ApiError:
    """A problem with a type of its own, such as ``tag-already-exists``."""
    return ApiError(status, detail, type=f"error:{name}", title=title, detail=detail, data=data or {"message": detail})

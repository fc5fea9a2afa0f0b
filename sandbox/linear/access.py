"""API keys, who they are of, and the shape of Linear's refusals.

Source of facts: Linear's developer pages (authentication, rate limiting) and answers of its API as people quote them.
"""

from __future__ import annotations

from typing import Any

from graphql import GraphQLError
from starlette.responses import JSONResponse, Response

from sandbox.http import ApiError, Call

API_KEY = "lin_api_sandbox_key"
MEMBER_KEY = "lin_api_sandbox_member_key"
"""Of somebody who is no administrator."""

_PEOPLE = {API_KEY: "automation@payready.com", MEMBER_KEY: "member@payready.com"}
_CODES = {
    401: ("AUTHENTICATION_ERROR", "authentication error"),
    403: ("FORBIDDEN", "forbidden"),
    429: ("RATELIMITED", "ratelimited"),
}


def refused(message: str, shown: str = "", *, code: str = "INPUT_ERROR", kind: str = "invalid input") -> GraphQLError:
    """What a resolver raises; ``shown`` is the text for people."""
    extensions = {"type": kind, "code": code, "statusCode": 400, "userError": True}
    return GraphQLError(message, extensions={**extensions, "userPresentableMessage": shown or message})


def invalid(message: str) -> GraphQLError:
    """An argument that is of the right type, and wrong all the same."""
    return refused(f"Argument Validation Error: {message}", message, code="INVALID_INPUT")


def absent(title: str) -> GraphQLError:
    return refused(f"Entity not found: {title}", f"Could not find referenced {title}.")


def taken(title: str, id_: str) -> GraphQLError:
    return refused(f"conflict on insert of {title}", f"Entity {title} with id {id_} already exists.")


def render(error: ApiError) -> Response:
    """Linear tells the rate limit under 400; a sandbox that plays a broken platform tells 5xx as it is."""
    internal = ("INTERNAL_SERVER_ERROR", "internal error")
    code, kind = _CODES.get(error.status, internal if error.status >= 500 else ("INPUT_ERROR", "invalid input"))
    extensions = {"type": kind, "code": code, "statusCode": error.status, "userError": error.status < 500}
    document: dict[str, Any] = {"message": error.message, "extensions": extensions}
    extensions["userPresentableMessage"] = error.message
    return JSONResponse({"errors": [document]}, 400 if error.status == 429 else error.status)


def failure(status: int, message: str) -> Response:
    return render(ApiError(status, message))


def admit(call: Call) -> str:
    """The address of whose key it is. An API key stands in the header by itself."""
    shown = call.request.headers.get("authorization", "")
    if shown.lower().startswith("bearer lin_api_"):
        raise ApiError(
            401, "an API key was sent as a Bearer token: remove the Bearer prefix from the Authorization header"
        )
    if shown not in _PEOPLE:
        raise ApiError(401, "Authentication required, not authenticated")
    return _PEOPLE[shown]


def demand_admin(call: Call) -> None:
    user = call.store.latest.first("user", email=call.caller)
    if not user or not user["admin"]:
        raise refused(
            "Invalid scope: `admin` required", "You need to be an administrator.", code="FORBIDDEN", kind="forbidden"
        )

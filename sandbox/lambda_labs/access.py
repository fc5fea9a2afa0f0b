"""Who calls, how often, and how Lambda refuses: an error has a code, a text and, mostly, a suggestion.

One account serves every stage, as at Lambda. Its rates are kept in the process, as they are at Lambda: a refused request
that leaves nothing behind still counts.
"""

from __future__ import annotations

import base64
import binascii
import time
from typing import Any
from weakref import WeakKeyDictionary

from pydantic import ConfigDict, ValidationError
from starlette.responses import JSONResponse, Response

from sandbox.http import ApiError, Body, Call
from sandbox.lambda_labs import catalogue
from sandbox.store import Database, Document, Store

API_KEY = "secret_sandbox-lambda_0123456789abcdef"

LAUNCH = "/instance-operations/launch"

INVALID_KEY = "global/invalid-api-key"
INVALID = "global/invalid-parameters"
ABSENT = "global/object-does-not-exist"
QUOTA = "global/quota-exceeded"
DUPLICATE = "global/duplicate"

_CODES = {
    400: INVALID,
    401: INVALID_KEY,
    403: "global/account-inactive",
    404: ABSENT,
    409: "global/internal-error",
    429: "global/rate-limit-exceeded",
    503: "provider/internal-unavailable",
}
_SUGGESTIONS = {
    INVALID_KEY: "Check your API key or create a new one, then try again.",
    "global/account-inactive": "Make sure you have verified your email address and have a valid payment method.",
    "global/internal-error": "Try again later. Contact Support if the problem persists.",
    "firewall-rulesets/firewall-ruleset-in-use": "Terminate all instances that are using the ruleset before deleting it.",
    QUOTA: "Contact Support to increase your quota.",
    ABSENT: "Check the identifier and try again.",
    "global/rate-limit-exceeded": "Wait, then try again.",
}

_TIMING = ("timing", "account")
_DEFAULTS: Document = {"looks": 1, "becomes": "active", "request_seconds": 1.0, "launch_seconds": 12.0, "quota": 40}
_EARLY = 0.8
"""A request may be a fifth early: clocks and networks are not exact, and Lambda's are no better."""

_seen: WeakKeyDictionary[Database, dict[str, float]] = WeakKeyDictionary()


def timing(store: Store) -> Document:
    """How often somebody looks before an instance has changed, what it ``becomes``, the rates and the quota of instances.

    Tests change it as any other object of the sandbox.
    """
    return _DEFAULTS | (store.latest.get(*_TIMING) or {})


def render(error: ApiError) -> Response:
    """``{"error": {"code", "message", "suggestion"}}``; a ``code`` among the details is more precise than the status."""
    code = error.details.get("code") or _CODES.get(error.status, "global/unknown")
    suggestion = _SUGGESTIONS.get(code)
    body = {"code": code, "message": error.message, **({"suggestion": suggestion} if suggestion else {})}
    headers = {"Retry-After": str(error.details.get("retry_after", 1))} if error.status == 429 else {}
    return JSONResponse({"error": body}, error.status, headers=headers)


def admit(call: Call) -> str:
    """Bearer, or Basic with the key as the user's name."""
    catalogue.ensure(call.store)
    if call.store.latest.get(*_TIMING) is None:
        call.store.put(*_TIMING, _DEFAULTS)
    if API_KEY not in (call.bearer(), _user(call)):
        raise ApiError(401, "API key was invalid, expired, or deleted.")
    _paced(call)
    return "account"


def sent(call: Call, model: type[Any]) -> Any:
    """The body; a refusal that names what is wrong with it."""
    try:
        return model.model_validate_json(call.payload)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ApiError(400, f"Invalid request data. {said}") from error


class Sent(Body):
    """Lambda takes no members that it does not know."""

    model_config = ConfigDict(strict=True, extra="forbid")


def _user(call: Call) -> str:
    scheme, _, given = call.request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(given, validate=True).decode().partition(":")[0]
    except (binascii.Error, ValueError):
        return given.partition(":")[0]


def _paced(call: Call) -> None:
    rates, now = timing(call.store), time.monotonic()
    seen = _seen.setdefault(call.store.database, {})
    buckets = {"request": float(rates["request_seconds"])}
    if call.request.url.path.endswith(LAUNCH):
        buckets["launch"] = float(rates["launch_seconds"])
    for bucket, seconds in buckets.items():
        wait = seen.get(bucket, float("-inf")) + seconds * _EARLY - now
        if wait > 0:
            message = f"Rate limit exceeded: one {bucket} every {seconds:g} s."
            raise ApiError(429, message, retry_after=max(1, round(wait + 0.5)))
    seen |= dict.fromkeys(buckets, now)

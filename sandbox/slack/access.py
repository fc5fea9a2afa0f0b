"""Tokens, scopes and the shape of every answer: HTTP 200 with ``ok``, and ``error`` where it is false."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from starlette.responses import JSONResponse, Response

from sandbox.http import ApiError, Call, document_of

T = TypeVar("T")

TEAM = "T0SANDBOX1"
BOT, PERSON = "U0SANDBOT1", "U0SANDUSR1"
BOT_TOKEN = "xoxb-sandbox-bot-token"  # noqa: S105 - opens nothing but a sandbox on this machine
USER_TOKEN = "xoxp-sandbox-user-token"  # noqa: S105 - see above
CONFIG_TOKEN = "xoxe.xoxp-1-sandbox-configuration-token"  # noqa: S105 - see above


@dataclass(frozen=True)
class Token:
    """``kind`` is bot, user or configuration: no token does the work of the other kinds."""

    kind: str
    user: str
    scopes: tuple[str, ...] = ()


_MANAGING = (
    "channels:join",
    "channels:manage",
    "channels:read",
    "chat:write",
    "groups:read",
    "groups:write",
    "usergroups:read",
    "usergroups:write",
    "users:read",
)
_TOKENS = {
    BOT_TOKEN: Token("bot", BOT, _MANAGING),
    USER_TOKEN: Token("user", PERSON, ("channels:write", *_MANAGING)),
    CONFIG_TOKEN: Token("configuration", PERSON),
}


class SlackError(ApiError):
    """``code`` is Slack's word for what is wrong, such as ``name_taken``; the HTTP status is 200 all the same."""

    def __init__(self, code: str, **details: Any) -> None:
        super().__init__(200, code, **details)


def render(error: ApiError) -> Response:
    document = {"ok": False, "error": error.message} | error.details
    headers = {"Retry-After": "1"} if error.status == 429 else {}
    return JSONResponse(document, error.status, headers)


def failure(status: int, message: str) -> Response:
    """Faults that Slack tells by the HTTP status; what they say is a word, not a sentence."""
    codes = {404: "unknown_method", 405: "invalid_post_type", 429: "ratelimited", 503: "service_unavailable"}
    return render(ApiError(status, codes.get(status, "internal_error"), detail=message))


def admit_member(call: Call) -> str:
    """Bot and user tokens, which act in the workspace."""
    return _admit(call, "bot", "user")


def admit_configurator(call: Call) -> str:
    """App configuration tokens, which only the manifest methods take, and nothing else."""
    return _admit(call, "configuration")


def admit_all(call: Call) -> str:
    return _admit(call, "bot", "user", "configuration")


def token_of(call: Call) -> Token:
    return _TOKENS[call.caller]


def succeed(call: Call, **members: Any) -> Response:
    """A good answer, with the scopes that the token has."""
    token = token_of(call)
    headers = {"X-OAuth-Scopes": ",".join(token.scopes)} if token.scopes else {}
    return JSONResponse({"ok": True} | members, headers=headers)


@dataclass(frozen=True)
class Arguments:
    """What a method was called with: from the query, a form or JSON; numbers and booleans also as text."""

    values: Mapping[str, Any]

    @classmethod
    def of(cls, call: Call) -> Arguments:
        values: dict[str, Any] = dict(call.request.query_params)
        if "json" in call.request.headers.get("content-type", ""):
            sent = document_of(call.payload) if call.payload else {}
            if sent is None:
                raise SlackError("invalid_json")
            if not isinstance(sent, dict):
                raise SlackError("json_not_object")
            values |= sent
        else:
            values |= dict(parse_qsl(call.payload.decode(errors="replace"), keep_blank_values=True))
        return cls(values)

    def __contains__(self, name: str) -> bool:
        return self.values.get(name) is not None

    def text(self, name: str, default: str = "") -> str:
        value = self.values.get(name)
        return default if value is None else str(value)

    def needed(self, name: str) -> str:
        """An argument without which Slack does not go on."""
        value = self.text(name)
        if not value:
            raise SlackError(
                "invalid_arguments", response_metadata={"messages": [f"[ERROR] missing required field: {name}"]}
            )
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        return self.text(name, str(default)).lower() in ("true", "1")

    def many(self, name: str) -> list[str]:
        """A list, or its members joined by commas."""
        value = self.values.get(name)
        items = value if isinstance(value, list) else self.text(name).split(",")
        return [str(item).strip() for item in items if str(item).strip()]

    def page(self, items: Sequence[T], usual: int = 100) -> tuple[list[T], dict[str, str]]:
        """The page that ``cursor`` and ``limit`` (1 to 1000) ask for, and where the next one starts."""
        limit = self.text("limit", "0") or "0"
        if not limit.isdecimal() or int(limit) > 1000:
            raise SlackError("invalid_limit")
        start, size = self._start(), int(limit) or usual
        following = start + size
        cursor = base64.b64encode(f"next:{following}".encode()).decode() if following < len(items) else ""
        return list(items[start:following]), {"next_cursor": cursor}

    def _start(self) -> int:
        cursor = self.text("cursor")
        if not cursor:
            return 0
        try:
            name, _, position = base64.b64decode(cursor, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise SlackError("invalid_cursor") from error
        if name != "next" or not position.isdecimal():
            raise SlackError("invalid_cursor")
        return int(position)


def _admit(call: Call, *kinds: str) -> str:
    value = call.bearer() or Arguments.of(call).text("token")
    if not value:
        raise SlackError("not_authed")
    token = _TOKENS.get(value)
    if token is None:
        raise SlackError("invalid_auth")
    if token.kind not in kinds:
        raise SlackError("not_allowed_token_type")
    return value

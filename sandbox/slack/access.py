"""Tokens, scopes and the shape of every answer: HTTP 200 with ``ok``, and ``error`` where it is false."""

from __future__ import annotations

import base64
import binascii
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from starlette.responses import JSONResponse, Response

from sandbox.http import ApiError, Call, digest, document_of
from sandbox.slack import tiers
from sandbox.store import Document, Store

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
    "app_mentions:read",
    "bookmarks:read",
    "bookmarks:write",
    "channels:join",
    "channels:manage",
    "channels:read",
    "chat:write",
    "commands",
    "groups:read",
    "groups:write",
    "reactions:read",
    "usergroups:read",
    "usergroups:write",
    "users:read",
    "users:read.email",
)
_TOKENS = {
    BOT_TOKEN: Token("bot", BOT, _MANAGING),
    USER_TOKEN: Token("user", PERSON, ("channels:write", *_MANAGING)),
    CONFIG_TOKEN: Token("configuration", PERSON),
}

WORKSPACE = "workspace"
"""The kind of the one object that says how the workspace is set up; without it all is allowed. Its members:

``bot_scopes`` are what the bot was installed with, ``restricted`` the methods that the owners keep to themselves,
``rate_limits`` whether Slack's are imposed.
"""


class SlackError(ApiError):
    """``code`` is Slack's word for what is wrong, such as ``name_taken``; the HTTP status is 200 all the same."""

    def __init__(self, code: str, **details: Any) -> None:
        super().__init__(200, code, **details)


def render(error: ApiError) -> Response:
    document = {"ok": False, "error": error.message} | error.details
    wait = document.pop("retry_after", 1)
    headers = {"Retry-After": str(wait)} if error.status == 429 else {}
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


def admit_nobody(_call: Call) -> str:
    """For a method that is shown its own kind of token as an argument."""
    return ""


def token_of(call: Call) -> Token:
    token = _known(call, call.caller) or Token("none", "")
    scopes = workspace(call.store).get("bot_scopes")
    return replace(token, scopes=tuple(scopes)) if token.kind == "bot" and scopes is not None else token


def workspace(store: Store) -> Document:
    """How the workspace is set up (``WORKSPACE``)."""
    return store.latest.get(WORKSPACE, TEAM) or {}


def mint_configuration_token(store: Store, lasts: int) -> tuple[str, int]:
    """A new app configuration token, of which only a digest is kept, and when it expires (seconds since 1970)."""
    token, expires = f"xoxe.xoxp-1-{secrets.token_urlsafe(48)}", int(time.time()) + lasts
    store.put("configuration token", digest(token), {"expires": expires})
    return token, expires


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
    token = _known(call, value)
    if token is None:
        raise SlackError("invalid_auth")
    if token.kind not in kinds:
        raise SlackError("not_allowed_token_type")
    call.caller = value
    _check_allowed(call)
    return value


def _known(call: Call, value: str) -> Token | None:
    if value in _TOKENS:
        return _TOKENS[value]
    minted = call.store.latest.get("configuration token", digest(value))
    if minted is None:
        return None
    if minted["expires"] < time.time():
        raise SlackError("token_expired")
    return Token("configuration", PERSON)


def _check_allowed(call: Call) -> None:
    """Scopes, what the workspace's owners keep to themselves, and how often: in Slack's order."""
    method, token, setup = call.request.url.path.rpartition("/")[2], token_of(call), workspace(call.store)
    if setup.get("rate_limits"):
        wait = tiers.wait(call.store, method)
        if wait:
            raise ApiError(429, "ratelimited", retry_after=wait)
    needed = tiers.SCOPES.get(method, ())
    if needed and token.kind != "configuration" and not set(needed) & set(token.scopes):
        raise SlackError("missing_scope", needed=",".join(needed), provided=",".join(token.scopes))
    if method in setup.get("restricted", ()):
        raise SlackError("restricted_action")

"""How Asana answers: under ``data``, compact in lists and whole by itself, or as ``opt_fields`` asks; page by page."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from sandbox.http import ApiError, Call, answer

_COMPACT = ("gid", "resource_type", "resource_subtype", "name")
_WHOLE_IN_LISTS = frozenset({"enum_option", "custom_field_setting", "membership", "webhook"})
"""Kinds whose compact form has more than the name."""

_OPT_IN = {
    "project": ("html_notes", "created_from_template", "project_brief"),
    "custom_field": ("description",),
    "team": ("description", "html_description"),
    "user": ("custom_fields",),
}
"""Members that come only where ``opt_fields`` asks for them."""

_LARGEST_PAGE = 100
_LARGEST_ANSWER = 1000


def one(call: Call, document: dict[str, Any], status: int = 200, **beside: Any) -> Response:
    """One object, whole."""
    fields = call.many("opt_fields")
    return answer({"data": picked(document, fields) if fields else _whole(document), **beside}, status)


def nothing() -> Response:
    """What Asana answers to a deletion."""
    return answer({"data": {}})


def page(call: Call, documents: Sequence[dict[str, Any]]) -> Response:
    """A list; with ``limit`` it comes in pages, and each says where the next one begins."""
    fields = call.many("opt_fields")
    shown = [picked(document, fields) if fields else compact(document) for document in documents]
    if call.query("limit") is None and call.query("offset") is None:
        if len(shown) > _LARGEST_ANSWER:
            raise ApiError(
                400, "The result is too large. You should use pagination (may require specifying a workspace)!"
            )
        return answer({"data": shown})
    limit, start = call.number("limit", 20, 1, _LARGEST_PAGE), _start(call.query("offset"))
    after, following = start + limit, None
    if after < len(shown):
        token = base64.urlsafe_b64encode(f"after:{after}".encode()).decode()
        query = urlencode({**dict(call.request.query_params), "limit": limit, "offset": token})
        path = call.request.url.path.removeprefix("/asana")
        following = {"offset": token, "path": f"{path}?{query}", "uri": f"{call.request.url.replace(query=query)}"}
    return answer({"data": shown[start:after], "next_page": following})


def _start(offset: str | None) -> int:
    if offset is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(offset).decode().removeprefix("after:"))
    except (binascii.Error, ValueError) as error:
        raise ApiError(400, "offset: Your pagination token is invalid.") from error


def compact(document: dict[str, Any]) -> dict[str, Any]:
    """An object as it stands in lists and in other objects."""
    if document.get("resource_type") in _WHOLE_IN_LISTS:
        return _whole(document)
    return {name: document[name] for name in _COMPACT if name in document}


def picked(document: dict[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    """The members that are asked for, and the gid, which always comes."""
    inside: dict[str, list[str]] = {}
    for path in paths:
        head, _, tail = path.partition(".")
        inside.setdefault(head, []).extend([tail] if tail else [])
    chosen = {"gid": document["gid"]} if "gid" in document else {}
    for name, tails in inside.items():
        if name in document:
            chosen[name] = _nested(document[name], tails)
    return chosen


def _nested(value: Any, paths: list[str]) -> Any:
    if isinstance(value, list):
        return [_nested(item, paths) for item in value]
    if not isinstance(value, dict) or "gid" not in value:
        return value
    return picked(value, paths) if paths else compact(value)


def _whole(document: dict[str, Any]) -> dict[str, Any]:
    left_out = _OPT_IN.get(str(document.get("resource_type")), ())
    return {name: _nested(value, []) for name, value in document.items() if name not in left_out}

"""Airbyte's lists: ``limit`` 1 to 100 (20 unless said), ``offset``, links to the pages before and after."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlencode
from uuid import UUID

from starlette.responses import Response

from sandbox.http import ApiError, Call, answer, cut
from sandbox.store import Document


def uuids(call: Call, name: str) -> list[str]:
    """The ids of a query parameter that takes several."""
    values = call.many(name)
    try:
        return [str(UUID(value)) for value in values]
    except ValueError as error:
        raise ApiError(400, f"{name}: {', '.join(values)} is no list of UUIDs") from error


def selected(call: Call, objects: Iterable[Document]) -> list[Document]:
    """Those of the workspaces asked for; the deleted ones only where ``includeDeleted`` asks for them."""
    workspaces, deleted = uuids(call, "workspaceIds"), call.flag("includeDeleted")
    return [
        found
        for found in objects
        if (deleted or not found.get("deleted")) and (not workspaces or found["workspaceId"] in workspaces)
    ]


def page(call: Call, objects: list[Document]) -> Response:
    """One page. As on the platform, ``next`` is there until a page is empty, and both links are empty where none is."""
    limit, offset = call.number("limit", 20, 1, 100), call.number("offset", 0, 0)
    found = cut(objects, limit, offset)
    following = _link(call, limit, offset + limit) if found else ""
    preceding = _link(call, limit, max(offset - limit, 0)) if offset else ""
    return answer({"data": found, "next": following, "previous": preceding})


def _link(call: Call, limit: int, offset: int) -> str:
    kept = [item for item in call.request.query_params.multi_items() if item[0] not in ("limit", "offset")]
    query = urlencode([*kept, ("limit", limit), ("offset", offset)])
    return str(call.request.url.replace(query=query))

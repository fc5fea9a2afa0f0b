"""What the API only shows: workspaces, users, trackers, scorecards, library folders. People make them in Gong's pages."""

from __future__ import annotations

import base64
import binascii

from starlette.responses import Response

from sandbox.gong import access
from sandbox.http import ApiError, Body, Call, cut
from sandbox.store import Document

_OWN = ("profiles",)
"""Members of a user that are the emulator's own: the permission profiles that people gave them."""


def list_workspaces(call: Call) -> Response:
    return access.told(workspaces=call.store.all("workspace"))


class Filter(Body):
    userIds: list[str] | None = None  # noqa: N815 - Gong's name


class FindBody(Body):
    cursor: str | None = None
    filter: Filter


def list_users(call: Call) -> Response:
    """A hundred at a time; a cursor says where the next ones begin."""
    return _page(call, call.store.all("user"), call.query("cursor"))


def find_users(call: Call) -> Response:
    """Those with some ids, or all."""
    wanted = access.sent(call, FindBody)
    ids = wanted.filter.userIds
    found = [one for one in call.store.all("user") if ids is None or one["id"] in ids]
    if not found:
        raise ApiError(404, "No users found for the filter")
    return _page(call, found, wanted.cursor)


def _page(call: Call, found: list[Document], cursor: str | None) -> Response:
    users, size = [shown_user(one) for one in found], int(access.limits(call.store)["page"])
    start = _start(cursor)
    page = cut(users, size, start)
    records: Document = {
        "totalRecords": len(users),
        "currentPageSize": len(page),
        "currentPageNumber": start // size,
    }
    if start + size < len(users):
        records["cursor"] = base64.urlsafe_b64encode(f"users:{start + size}".encode()).decode()
    return access.told(records=records, users=page)


def read_user(call: Call) -> Response:
    user = call.store.get("user", call.path("id"))
    if user is None:
        raise ApiError(404, f"User not found: {call.path('id')}")
    return access.told(user=shown_user(user))


def list_trackers(call: Call) -> Response:
    """Of all workspaces, or of one."""
    workspace = call.query("workspaceId")
    if workspace and call.store.latest.get("workspace", workspace) is None:
        raise ApiError(404, f"Workspace not found: {workspace}")
    trackers = call.store.all("tracker", **({"workspaceId": workspace} if workspace else {}))
    return access.told(keywordTrackers=trackers)


def list_scorecards(call: Call) -> Response:
    """Of all workspaces; where there is none, Gong has nothing to show."""
    scorecards = call.store.all("scorecard")
    if not scorecards:
        raise ApiError(404, "Scorecards not found")
    return access.told(scorecards=scorecards)


def list_folders(call: Call) -> Response:
    """Public ones, of one workspace or of all."""
    workspace = call.query("workspaceId")
    folders = call.store.all("folder", **({"workspaceId": workspace} if workspace else {}))
    if not folders:
        raise ApiError(404, "No library folders found")
    return access.told(folders=[{n: v for n, v in folder.items() if n != "workspaceId"} for folder in folders])


def shown_user(user: Document) -> Document:
    return {name: value for name, value in user.items() if name not in _OWN}


def _start(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(cursor).decode().removeprefix("users:"))
    except (binascii.Error, ValueError) as error:
        raise ApiError(400, "Failed to verify cursor") from error

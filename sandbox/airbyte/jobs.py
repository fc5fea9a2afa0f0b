"""Jobs: syncs and clears of connections. None moves anything: a job runs for a moment and then has succeeded.

The rules are those of airbytehq/airbyte-platform, JobsController and JobResponseMapper.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from starlette.responses import Response

from sandbox.airbyte.connections import live_connection
from sandbox.airbyte.lists import page, uuids
from sandbox.airbyte.problems import not_found, unprocessable
from sandbox.airbyte.workspaces import Camel
from sandbox.http import ApiError, Call, answer
from sandbox.store import Document

RUNNING_AFTER_SECONDS, DONE_AFTER_SECONDS = 1.0, 3.0
"""When a job that was queued runs, and when it is done."""

_OVER = ("succeeded", "cancelled", "failed")
_ORDERS = ("createdAt|ASC", "createdAt|DESC", "updatedAt|ASC", "updatedAt|DESC")


class JobCreate(Camel):
    connection_id: UUID
    job_type: Literal["sync", "reset", "refresh", "clear"]


def create_job(call: Call) -> Response:
    """One at a time for a connection; an inactive connection is not synced."""
    sent = call.body(JobCreate).sent()
    if sent["jobType"] == "refresh":
        raise unprocessable("Refreshes are not supported in the public API")
    connection = live_connection(call.store, sent["connectionId"])
    if any(_status(job) not in _OVER for job in call.store.all("job", connectionId=sent["connectionId"])):
        raise ApiError(409, "A sync is already running for this connection.")
    if sent["jobType"] == "sync" and connection["status"] != "active":
        raise ApiError(409, "The connection is inactive: it cannot be synced.")
    job: Document = {
        "jobId": len(call.store.all("job")) + 1,
        "jobType": "reset" if sent["jobType"] == "clear" else sent["jobType"],
        "connectionId": sent["connectionId"],
        "workspaceId": connection["workspaceId"],
        "created": time.time(),
        "cancelled": None,
    }
    call.store.put("job", str(job["jobId"]), job)
    return answer(_shown(job))


def read_job(call: Call) -> Response:
    return answer(_shown(_job(call)))


def cancel_job(call: Call) -> Response:
    """Answers with the job; one that is over stays what it was."""
    job = _job(call)
    if _status(job) not in _OVER:
        job["cancelled"] = time.time()
        call.store.put("job", str(job["jobId"]), job)
    return answer(_shown(job))


def list_jobs(call: Call) -> Response:
    """The newest first, unless ``orderBy`` says otherwise."""
    order = call.query("orderBy") or "createdAt|DESC"
    if order not in _ORDERS:
        raise ApiError(400, f"orderBy: {order} is none of {', '.join(_ORDERS)}")
    connections, workspaces = uuids(call, "connectionId"), uuids(call, "workspaceIds")
    found = [
        job
        for job in call.store.all("job")
        if (not connections or job["connectionId"] in connections)
        and (not workspaces or job["workspaceId"] in workspaces)
        and call.query("jobType") in (None, job["jobType"])
        and call.query("status") in (None, _status(job))
    ]
    found.sort(key=lambda job: float(job["created"]), reverse=order.endswith("DESC"))
    return page(call, [_shown(job) for job in found])


def _job(call: Call) -> Document:
    identifier = call.path("id")
    job = call.store.get("job", identifier)
    if job is None:
        raise not_found("job", identifier)
    return job


def _status(job: Document) -> str:
    if job["cancelled"] is not None:
        return "cancelled"
    age = time.time() - job["created"]
    return "pending" if age < RUNNING_AFTER_SECONDS else "running" if age < DONE_AFTER_SECONDS else "succeeded"


def _shown(job: Document) -> Document:
    status = _status(job)
    shown = {name: job[name] for name in ("jobId", "jobType", "connectionId")}
    shown |= {"status": status, "startTime": _moment(job["created"])}
    if status in _OVER:
        end = job["cancelled"] or job["created"] + DONE_AFTER_SECONDS
        shown |= {"lastUpdatedAt": _moment(end), "duration": f"PT{int(end - job['created'])}S"}
    return shown | ({"bytesSynced": 0, "rowsSynced": 0} if status == "succeeded" else {})


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z")

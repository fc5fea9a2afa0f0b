"""Backup schedules, which Pinecone has since version 2026-07 of its API. The sandbox plans backups and makes none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import uuid4

from pydantic import Field
from starlette.responses import Response

from sandbox.http import ApiError, Body, Call, answer
from sandbox.pinecone import access, indexes
from sandbox.pinecone.backups import paged
from sandbox.store import Document

_DAYS = {"daily": 1, "weekly": 7, "monthly": 30}
_HOUR = 6

Frequency = Literal["daily", "weekly", "monthly"]


class Timing(Body):
    type: Literal["time-based"]
    frequency: Frequency


class Retention(Body):
    expire_after_days: int = Field(ge=1)


class ScheduleCreate(Body):
    name: str = Field(min_length=1)
    schedule: Timing
    retention: Retention


class ScheduleUpdate(Body):
    enabled: bool | None = None
    frequency: Frequency | None = None
    retention: Retention | None = None


def list_schedules(call: Call) -> Response:
    index = indexes.found(call)
    return paged(call, call.store.all("schedule", index_id=index["index_id"]), {"pagination": None})


def create_schedule(call: Call) -> Response:
    """Enabled from the start. An index has one enabled schedule at most."""
    index, wanted = indexes.found(call), access.sent(call, ScheduleCreate)
    if "serverless" not in index["spec"]:
        raise ApiError(400, "Bad request. Backup schedules are not supported for pod-based indexes.")
    _check_only_one(call, index["index_id"])
    schedule = {
        "schedule_id": str(uuid4()),
        "name": wanted.name,
        "index_id": index["index_id"],
        "project_id": call.caller,
        "schedule_type": wanted.schedule.type,
        "frequency": wanted.schedule.frequency,
        "retention_expire_after_days": wanted.retention.expire_after_days,
        "enabled": True,
        "next_scheduled_run": _next(wanted.schedule.frequency),
        "created_at": access.now(),
    }
    return answer(call.store.put("schedule", schedule["schedule_id"], schedule), 201)


def read_schedule(call: Call) -> Response:
    return answer(_schedule(call))


def update_schedule(call: Call) -> Response:
    """Name and index stay. Switched on again, the next run is planned from now."""
    schedule, wanted = _schedule(call), access.sent(call, ScheduleUpdate)
    schedule["frequency"] = wanted.frequency or schedule["frequency"]
    if wanted.retention:
        schedule["retention_expire_after_days"] = wanted.retention.expire_after_days
    if wanted.enabled is not None and wanted.enabled != schedule["enabled"]:
        if wanted.enabled:
            _check_only_one(call, schedule["index_id"])
        schedule["enabled"] = wanted.enabled
    schedule["next_scheduled_run"] = _next(schedule["frequency"]) if schedule["enabled"] else None
    return answer(call.store.put("schedule", schedule["schedule_id"], schedule))


def delete_schedule(call: Call) -> Response:
    """The backups that it has made stay until they expire."""
    call.store.delete("schedule", _schedule(call)["schedule_id"])
    return Response(status_code=202)


def _check_only_one(call: Call, index_id: str) -> None:
    if call.store.latest.first("schedule", index_id=index_id, enabled=True):
        raise ApiError(409, "The index has an enabled backup schedule already. Disable or delete it first.")


def _next(frequency: str) -> str:
    day = datetime.now(UTC) + timedelta(days=_DAYS[frequency])
    return day.replace(hour=_HOUR, minute=0, second=0, microsecond=0).isoformat()


def _schedule(call: Call) -> Document:
    schedule = call.store.get("schedule", call.path("schedule"))
    if schedule is None or schedule["project_id"] != call.caller:
        raise ApiError(404, f"Backup schedule {call.path('schedule')} not found.")
    return schedule

"""Updates: created, started under a lock with a lease, checkpointed or journaled, completed, cancelled."""

from __future__ import annotations

import json
import re
import secrets
from typing import Any

from starlette.routing import Route

from sandbox.pulumi_cloud import checkpoints, journal, journal_store
from sandbox.pulumi_cloud.calls import Action, Answer, ApiError, Call, Json, routes
from sandbox.pulumi_cloud.records import (
    STACK,
    Stack,
    Update,
    add_update,
    find_stack,
    find_update,
    running_update,
)

_UPDATE = f"{STACK}/update/{{update}}"
_KINDS = ("update", "preview", "refresh", "destroy")
_EVENTS_A_PAGE = 500
_PREVIEWS_KEPT = 10
_ENGINE = re.compile(r"pulumi-cli/\d+ \(([^;)]+)")


def _create(kind: str) -> Action:
    def create(call: Call) -> Answer:
        stack, request = find_stack(call), call.document()
        # The preview phase of up, refresh and destroy is an update of that kind with dryRun.
        dry_run = kind == "preview" or bool((request.get("options") or {}).get("dryRun"))
        metadata, config = request.get("metadata") or {}, request.get("config") or {}
        if dry_run:
            _forget_old_previews(call, stack)
        update = add_update(call, stack, kind=kind, dry_run=dry_run, metadata=metadata, config=config)
        return {
            "updateID": update,
            "requiredPolicies": [],
            "messages": [],
            "aiSettings": {"copilotIsEnabled": False},
        }

    return create


def _forget_old_previews(call: Call, stack: Stack) -> None:
    """Nobody reads the events of a preview once a few more have been made."""
    rows = call.connection.execute(
        "SELECT id FROM stack_updates WHERE stack = ? AND dry_run = 1 AND status != 'running' "
        "ORDER BY position DESC LIMIT -1 OFFSET ?",
        (stack.id, _PREVIEWS_KEPT),
    ).fetchall()
    call.connection.executemany("DELETE FROM stack_events WHERE update_id = ?", rows)
    call.connection.executemany("DELETE FROM stack_updates WHERE id = ?", rows)


def _start(call: Call) -> Answer:
    stack, request = find_stack(call), call.document()
    update = find_update(call, stack)
    if update.status != "not started":
        raise ApiError(409, f"Conflict: Update '{update.id}' was started before")
    version, journal_version = stack.version, 0
    if not update.dry_run:
        checkpoints.take(call, stack)
        version += 1
        journal_version = _journal_version(call, request)
        tags = request.get("tags")
        call.connection.execute(
            "UPDATE stacks SET version = ?, active_update = ?, tags = ? WHERE id = ?",
            (version, update.id, json.dumps(stack.tags if tags is None else tags), stack.id),
        )
    token = f"lease-{secrets.token_urlsafe(24)}"
    expires = call.now + _lease_seconds(call)
    call.connection.execute(
        "UPDATE stack_updates SET status = 'running', version = ?, token = ?, lease_expires = ?, started = ?, "
        "resource_count = ? WHERE id = ?",
        (version, token, expires, call.now, checkpoints.latest_resource_count(call.connection, stack), update.id),
    )
    if journal_version:
        journal_store.open_journal(call.connection, stack.id, update.id, version, _engine_version(call))
    return {"version": version, "token": token, "tokenExpiration": int(expires), "journalVersion": journal_version}


def _journal_version(call: Call, request: Json) -> int:
    """The version of the journal that the engine is to keep; 0 where it is to send whole states."""
    offered = request.get("journalVersion")
    understood = isinstance(offered, int) and offered >= journal.VERSION
    return journal.VERSION if understood and call.request.app.state.journaling else 0


def _engine_version(call: Call) -> str:
    """What the engine would write into a state of its own, as it says who it is; "" if it does not."""
    found = _ENGINE.search(call.request.headers.get("user-agent", ""))
    return found[1] if found else ""


def _status(call: Call) -> Answer:
    update = find_update(call, find_stack(call))
    answer: Json = {"status": update.reported_status, "events": []}
    if update.status in ("not started", "running"):
        answer["continuationToken"] = "0"
    return answer


def _checkpoint(call: Call) -> Answer:
    stack, update = _leased(call)
    document = checkpoints.checked(call.document())
    if update.dry_run:
        raise ApiError(400, "Bad Request: a preview does not change the stack's state")
    if journal_store.is_open(call.connection, update.id):
        raise ApiError(400, f"Bad Request: update '{update.id}' keeps a journal; it was told so when it started")
    if not document.get("isInvalid"):
        packed = call.raw if call.gzipped else None
        checkpoints.save(call.connection, stack.id, update.version, document, packed)
    return None


def _add_journal_entries(call: Call) -> Answer:
    _, update = _leased(call)
    if not journal_store.is_open(call.connection, update.id):
        raise ApiError(400, f"Bad Request: update '{update.id}' keeps no journal; it was told so when it started")
    entries = call.document().get("entries") or []
    if not isinstance(entries, list):
        raise ApiError(400, "Bad Request: the entries must be a list")
    journal_store.append(call.connection, update.id, entries, call.now)
    return None


def _add_events(call: Call) -> Answer:
    _, update = _leased(call)
    events = call.document().get("events") or []
    rows = [(update.id, event.get("sequence", 0), json.dumps(event)) for event in events]
    # A batch that is sent again after a lost answer must not double its events.
    call.connection.executemany("INSERT OR REPLACE INTO stack_events VALUES (?, ?, ?)", rows)
    for event in events:
        summary = event.get("summaryEvent")
        if summary:
            changes = json.dumps(summary.get("resourceChanges") or {})
            call.connection.execute("UPDATE stack_updates SET resource_changes = ? WHERE id = ?", (changes, update.id))
    return None


def _events(call: Call) -> Answer:
    update = find_update(call, find_stack(call))
    query = call.request.query_params
    if query.get("type"):
        raise ApiError(400, "Bad Request: the sandbox does not filter events by type code; leave --event-type out")
    token = query.get("continuationToken") or "-1"
    if not token.removeprefix("-").isdecimal():
        raise ApiError(400, "Bad Request: Invalid continuation token.")
    rows = call.connection.execute(
        "SELECT sequence, event FROM stack_events WHERE update_id = ? AND sequence > ? ORDER BY sequence LIMIT ?",
        (update.id, int(token), _EVENTS_A_PAGE),
    ).fetchall()
    events = [_with_type(json.loads(row[1])) for row in rows]
    urn = query.get("urn")
    answer: Json = {"events": [event for event in events if not urn or _concerns(event, urn)]}
    if len(rows) == _EVENTS_A_PAGE:
        answer["continuationToken"] = str(rows[-1][0])
    return answer


def _with_type(event: Json) -> Json:
    """The event with the name of its one payload, which the service adds to what the engine sent."""
    return {"type": next((key for key in event if key.endswith("Event")), ""), **event}


def _concerns(event: Json, urn: str) -> bool:
    details: list[Any] = [value for value in event.values() if isinstance(value, dict)]
    return any(urn in (detail.get("urn"), (detail.get("metadata") or {}).get("urn")) for detail in details)


def _renew_lease(call: Call) -> Answer:
    _, update = _leased(call)
    duration = call.document().get("duration") or _lease_seconds(call)
    expires = call.now + min(_lease_seconds(call), float(duration))
    call.connection.execute("UPDATE stack_updates SET lease_expires = ? WHERE id = ?", (expires, update.id))
    return {"token": update.token, "tokenExpiration": int(expires)}


def _complete(call: Call) -> Answer:
    stack = find_stack(call)
    status = call.document().get("status")
    if status not in ("succeeded", "failed", "cancelled"):
        raise ApiError(400, f"Bad Request: an update ends as succeeded, failed or cancelled, not as {status!r}")
    update = find_update(call, stack)
    if update.status == status and _has_token(call, update):
        return None  # sent again because its answer was lost
    _leased(call)
    if not update.dry_run:
        checkpoints.settle(call.connection, stack.id)
    call.connection.execute(
        "UPDATE stack_updates SET status = ?, ended = ?, resource_count = ? WHERE id = ?",
        (status, call.now, checkpoints.latest_resource_count(call.connection, stack), update.id),
    )
    return None


def _cancel(call: Call) -> Answer:
    stack = find_stack(call)
    update = find_update(call, stack)
    running = running_update(call.connection, stack)
    if update.status != "running" or (running is not None and running.id != update.id and not update.dry_run):
        raise ApiError(409, "Conflict: The update is not running; there is nothing to cancel")
    if not update.dry_run:
        checkpoints.settle(call.connection, stack.id)
    call.connection.execute(
        "UPDATE stack_updates SET status = 'cancelled', ended = ? WHERE id = ?", (call.now, update.id)
    )
    return None


def _leased(call: Call) -> tuple[Stack, Update]:
    """The update of the path if the caller holds its lease; 403 if not, or not any more."""
    stack = find_stack(call)
    update = find_update(call, stack)
    if not update.token or not _has_token(call, update):
        raise ApiError(403, f"Forbidden: this is not the lease of update '{update.id}'")
    if update.status != "running":
        raise ApiError(403, f"Forbidden: update '{update.id}' is {update.status} and has lost its lease")
    return stack, update


def _has_token(call: Call, update: Update) -> bool:
    given = call.request.headers.get("authorization", "")
    return secrets.compare_digest(given.encode(), f"update-token {update.token}".encode())


def _lease_seconds(call: Call) -> float:
    seconds: float = call.request.app.state.lease_seconds
    return seconds


ROUTES: list[Route] = routes(
    [
        ("GET", _UPDATE, _status),
        ("POST", _UPDATE, _start),
        ("PATCH", f"{_UPDATE}/checkpoint", _checkpoint),
        ("POST", f"{_UPDATE}/events/batch", _add_events),
        ("PATCH", f"{_UPDATE}/journalentries", _add_journal_entries),
        ("GET", f"{_UPDATE}/events", _events),
        ("POST", f"{_UPDATE}/renew_lease", _renew_lease),
        ("POST", f"{_UPDATE}/complete", _complete),
        ("POST", f"{_UPDATE}/cancel", _cancel),
        *(("POST", f"{STACK}/{kind}", _create(kind)) for kind in _KINDS),
    ]
)

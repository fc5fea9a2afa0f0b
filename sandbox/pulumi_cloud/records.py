"""Stacks and their updates as rows: the questions that several calls ask."""

from __future__ import annotations

import json
import sqlite3
import uuid
from dataclasses import dataclass
from typing import Any

from sandbox.pulumi_cloud.calls import ApiError, Call, Json

STACK = "/stacks/{organization}/{project}/{stack}"


@dataclass(frozen=True)
class Stack:
    id: str
    organization: str
    project: str
    name: str
    tags: dict[str, str]
    config: Json | None
    version: int
    active_update: str

    @property
    def path(self) -> str:
        return f"{self.organization}/{self.project}/{self.name}"


@dataclass(frozen=True)
class Update:
    id: str
    stack: str
    kind: str
    dry_run: bool
    status: str
    """not started, running, succeeded, failed or cancelled."""
    version: int
    message: str
    environment: dict[str, str]
    config: Json
    token: str
    lease_expires: float
    started: float
    ended: float
    resource_changes: dict[str, int]
    resource_count: int

    @property
    def result(self) -> str:
        """The status in the words of a stack's history."""
        words = {"not started": "not-started", "running": "in-progress", "cancelled": "failed"}
        return words.get(self.status, self.status)

    @property
    def reported_status(self) -> str:
        return "failed" if self.status == "cancelled" else self.status

    def info(self) -> Json:
        """This update as an entry of a stack's history."""
        return {
            "kind": self.kind,
            "startTime": int(self.started),
            "endTime": int(self.ended),
            "message": self.message,
            "environment": self.environment,
            "config": self.config,
            "result": self.result,
            "version": self.version,
            "resourceChanges": self.resource_changes,
            "resourceCount": self.resource_count,
            "updateID": self.id,
        }


def _rows(cursor: sqlite3.Cursor) -> list[dict[str, Any]]:
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _stacks(cursor: sqlite3.Cursor) -> list[Stack]:
    rows = _rows(cursor)
    for row in rows:
        row["tags"], row["config"] = json.loads(row["tags"]), json.loads(row["config"]) if row["config"] else None
    return [Stack(**row) for row in rows]


def _updates(cursor: sqlite3.Cursor) -> list[Update]:
    rows = _rows(cursor)
    for row in rows:
        del row["position"]
        row["dry_run"] = bool(row["dry_run"])
        for name in ("environment", "config", "resource_changes"):
            row[name] = json.loads(row[name])
    return [Update(**row) for row in rows]


def stack_named(connection: sqlite3.Connection, organization: str, project: str, name: str) -> Stack | None:
    cursor = connection.execute(
        "SELECT * FROM stacks WHERE organization = ? AND project = ? AND name = ?", (organization, project, name)
    )
    return next(iter(_stacks(cursor)), None)


def find_stack(call: Call) -> Stack:
    """The stack of the path; 404 if there is none."""
    organization, project, name = (call.parameter(part) for part in ("organization", "project", "stack"))
    stack = stack_named(call.connection, organization, project, name)
    if stack is None:
        raise ApiError(404, f"Not Found: Stack '{organization}/{project}/{name}' not found")
    return stack


def list_stacks(connection: sqlite3.Connection) -> list[Stack]:
    return _stacks(connection.execute("SELECT * FROM stacks ORDER BY organization, project, name"))


def find_update(call: Call, stack: Stack) -> Update:
    """The update of the path; 404 if the stack has none of that id."""
    cursor = call.connection.execute(
        "SELECT * FROM stack_updates WHERE id = ? AND stack = ?", (call.parameter("update"), stack.id)
    )
    update = next(iter(_updates(cursor)), None)
    if update is None:
        raise ApiError(404, f"Not Found: Update '{call.parameter('update')}' of stack '{stack.path}' not found")
    return update


def running_update(connection: sqlite3.Connection, stack: Stack) -> Update | None:
    """Who holds the stack's lock: the real update that has started and neither finished nor lost its lease."""
    cursor = connection.execute(
        "SELECT * FROM stack_updates WHERE stack = ? AND status = 'running' AND dry_run = 0", (stack.id,)
    )
    return next(iter(_updates(cursor)), None)


def refuse_while_locked(call: Call, stack: Stack) -> None:
    """409 while an update holds the stack's lock; the text says which one, and how to get rid of it."""
    holder = running_update(call.connection, stack)
    if holder is not None:
        seconds = max(1, round(holder.lease_expires - call.now))
        raise ApiError(
            409,
            f"Conflict: Another update is currently in progress. {holder.kind.capitalize()} {holder.id} has held "
            f"{stack.path} for {max(0, round(call.now - holder.started))} s. Wait until it ends; if its engine is gone, "
            f"its lease runs out in {seconds} s at the latest, or `pulumi cancel` ends it now.",
        )


def history(connection: sqlite3.Connection, stack: Stack) -> list[Update]:
    """The stack's real updates that were started, newest first. Previews and dry runs are not history."""
    cursor = connection.execute(
        "SELECT * FROM stack_updates "
        "WHERE stack = ? AND dry_run = 0 AND status != 'not started' ORDER BY version DESC, position DESC",
        (stack.id,),
    )
    return _updates(cursor)


def add_update(call: Call, stack: Stack, *, kind: str, dry_run: bool, metadata: Json, config: Json) -> str:
    """Records an update that has not started; returns its id."""
    identifier = str(uuid.uuid4())
    call.connection.execute(
        "INSERT INTO stack_updates (id, stack, kind, dry_run, status, message, environment, config) "
        "VALUES (?, ?, ?, ?, 'not started', ?, ?, ?)",
        (
            identifier,
            stack.id,
            kind,
            dry_run,
            metadata.get("message") or "",
            json.dumps(metadata.get("environment") or {}),
            json.dumps(config),
        ),
    )
    return identifier

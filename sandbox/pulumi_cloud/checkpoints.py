"""The states of a stack, one a version: checkpoints that the engine sent, and what comes of its journals."""

from __future__ import annotations

import gzip
import json
import sqlite3
from typing import Any

from sandbox.pulumi_cloud import journal_store
from sandbox.pulumi_cloud.calls import ApiError, Call, Json
from sandbox.pulumi_cloud.journal import replayed
from sandbox.pulumi_cloud.journal_store import Journal
from sandbox.pulumi_cloud.records import Stack, refuse_while_locked
from sandbox.pulumi_cloud.state import EMPTY_DEPLOYMENT

_FASTEST = 1


def resource_count(document: Json) -> int:
    deployment = document.get("deployment") or {}
    return len(deployment.get("resources") or [])


def checked(document: Json) -> Json:
    """The document if it is a deployment in its envelope; 400 if not."""
    deployment = document.get("deployment", {})
    if deployment is not None and not isinstance(deployment, dict):
        raise ApiError(400, "Bad Request: the deployment must be an object")
    if not isinstance((deployment or {}).get("resources") or [], list):
        raise ApiError(400, "Bad Request: the deployment's resources must be a list")
    return document


def save(
    connection: sqlite3.Connection, stack_id: str, version: int, document: Json, packed: bytes | None = None
) -> None:
    """Makes ``document`` the stack's state at ``version``. ``packed`` is the same in gzip, if it came so."""
    content = packed if packed is not None else gzip.compress(json.dumps(document).encode(), _FASTEST)
    connection.execute(
        "INSERT INTO stack_checkpoints (stack, version, resource_count, content) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (stack, version) DO UPDATE SET content = excluded.content, resource_count = excluded.resource_count",
        (stack_id, version, resource_count(document), content),
    )


def load(connection: sqlite3.Connection, stack: Stack, version: int | None = None) -> Json:
    """The stack's state after ``version``, by default its latest one, with a deployment in any case.

    While an update keeps a journal, that is the state before it and what the entries so far made of it.
    """
    wanted = stack.version if version is None else version
    journal = journal_store.journal_of(connection, stack.id)
    if journal is not None and journal.version <= wanted:
        return _after_journal(connection, stack.id, journal)
    return _stored(connection, stack.id, wanted)


def _stored(connection: sqlite3.Connection, stack_id: str, version: int) -> Json:
    row = connection.execute(
        "SELECT content FROM stack_checkpoints WHERE stack = ? AND version <= ? ORDER BY version DESC LIMIT 1",
        (stack_id, version),
    ).fetchone()
    document: dict[str, Any] = json.loads(gzip.decompress(row[0])) if row else {"version": 3}
    document.pop("isInvalid", None)
    return {**document, "deployment": document.get("deployment") or EMPTY_DEPLOYMENT}


def _after_journal(connection: sqlite3.Connection, stack_id: str, journal: Journal) -> Json:
    base = _stored(connection, stack_id, journal.version - 1)
    if not journal.written:
        return base
    entries = journal_store.entries(connection, journal)
    return replayed(base, entries, engine=journal.engine, time=journal.time)


def settle(connection: sqlite3.Connection, stack_id: str) -> None:
    """Makes the stack's journal, if it has one, the state of its version: its update has ended."""
    journal = journal_store.journal_of(connection, stack_id)
    if journal is None:
        return
    if journal.written:
        document = _after_journal(connection, stack_id, journal)
        save(connection, stack_id, journal.version, document)
        connection.execute(
            "UPDATE stack_updates SET resource_count = ? WHERE id = ?", (resource_count(document), journal.update)
        )
    journal_store.drop(connection, stack_id)


def take(call: Call, stack: Stack) -> None:
    """For whoever is about to change the stack: 409 while an update holds its lock.

    The journal of an update whose lease ran out is settled here: nobody was there to do it when that happened.
    """
    refuse_while_locked(call, stack)
    settle(call.connection, stack.id)


def versions(connection: sqlite3.Connection, stack: Stack) -> list[int]:
    rows = connection.execute("SELECT version FROM stack_checkpoints WHERE stack = ?", (stack.id,)).fetchall()
    return [row[0] for row in rows]


def latest_resource_count(connection: sqlite3.Connection, stack: Stack) -> int:
    if journal_store.journal_of(connection, stack.id) is not None:
        return resource_count(load(connection, stack))
    row = connection.execute(
        "SELECT resource_count FROM stack_checkpoints WHERE stack = ? ORDER BY version DESC LIMIT 1", (stack.id,)
    ).fetchone()
    return int(row[0]) if row else 0

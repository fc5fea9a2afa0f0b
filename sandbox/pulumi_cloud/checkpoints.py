"""The states of a stack, one a version."""

from __future__ import annotations

import gzip
import json
import sqlite3
from typing import Any

from sandbox.pulumi_cloud.calls import ApiError, Json
from sandbox.pulumi_cloud.records import Stack
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
    connection: sqlite3.Connection, stack: Stack, version: int, document: Json, packed: bytes | None = None
) -> None:
    """Makes ``document`` the stack's state at ``version``. ``packed`` is the same in gzip, if it came so."""
    content = packed if packed is not None else gzip.compress(json.dumps(document).encode(), _FASTEST)
    connection.execute(
        "INSERT INTO stack_checkpoints (stack, version, resource_count, content) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (stack, version) DO UPDATE SET content = excluded.content, resource_count = excluded.resource_count",
        (stack.id, version, resource_count(document), content),
    )


def load(connection: sqlite3.Connection, stack: Stack, version: int | None = None) -> Json:
    """The stack's state after ``version``, by default its latest one, with a deployment in any case."""
    row = connection.execute(
        "SELECT content FROM stack_checkpoints WHERE stack = ? AND version <= ? ORDER BY version DESC LIMIT 1",
        (stack.id, stack.version if version is None else version),
    ).fetchone()
    document: dict[str, Any] = json.loads(gzip.decompress(row[0])) if row else {"version": 3}
    document.pop("isInvalid", None)
    return {**document, "deployment": document.get("deployment") or EMPTY_DEPLOYMENT}


def versions(connection: sqlite3.Connection, stack: Stack) -> list[int]:
    rows = connection.execute("SELECT version FROM stack_checkpoints WHERE stack = ?", (stack.id,)).fetchall()
    return [row[0] for row in rows]


def latest_resource_count(connection: sqlite3.Connection, stack: Stack) -> int:
    row = connection.execute(
        "SELECT resource_count FROM stack_checkpoints WHERE stack = ? ORDER BY version DESC LIMIT 1", (stack.id,)
    ).fetchone()
    return int(row[0]) if row else 0

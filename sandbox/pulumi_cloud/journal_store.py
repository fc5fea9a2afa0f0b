"""Where the journals of running updates are kept until they have become states."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.pulumi_cloud.calls import ApiError, Json
from sandbox.pulumi_cloud.journal import Entry, checked


@dataclass(frozen=True)
class Journal:
    """The journal of an update that has not ended: the one that holds its stack's lock."""

    update: str
    version: int
    """The version of the stack that the update makes."""
    engine: str
    """The version of the engine that writes it; "" if it did not say."""
    written: float
    """When its newest entry came, 0 while it is empty."""

    @property
    def time(self) -> str:
        return datetime.fromtimestamp(self.written, UTC).isoformat()


def open_journal(connection: sqlite3.Connection, stack_id: str, update_id: str, version: int, engine: str) -> None:
    connection.execute(
        "INSERT INTO stack_journals (update_id, stack, version, engine, written) VALUES (?, ?, ?, ?, 0)",
        (update_id, stack_id, version, engine),
    )


def is_open(connection: sqlite3.Connection, update_id: str) -> bool:
    return bool(connection.execute("SELECT 1 FROM stack_journals WHERE update_id = ?", (update_id,)).fetchone())


def journal_of(connection: sqlite3.Connection, stack_id: str) -> Journal | None:
    """The stack's journal that has not become a state yet."""
    row = connection.execute(
        "SELECT update_id, version, engine, written FROM stack_journals WHERE stack = ?", (stack_id,)
    ).fetchone()
    return Journal(*row) if row else None


def append(connection: sqlite3.Connection, update_id: str, documents: Sequence[Any], now: float) -> None:
    """Keeps entries. One that is there already, because the answer to it was lost, is kept once.

    400 for what is no entry, 409 for another entry of the same sequence. 409, too, if entry 1 is neither there nor
    among them: it names the keeper of the secrets, the engine does not mind its loss, and the state that comes of a
    journal without it cannot be read again.
    """
    texts: dict[int, str] = {}
    for document in documents:
        sequence = checked(document).sequence
        text = json.dumps(document, separators=(",", ":"))
        if texts.setdefault(sequence, text) != text:
            raise _second(sequence)
    if texts and 1 not in texts and _stored(connection, update_id, 1) is None:
        raise ApiError(409, "Conflict: the journal's entry 1 was lost; run the update again")
    for sequence, text in texts.items():
        cursor = connection.execute(
            "INSERT INTO stack_journal_entries (update_id, sequence, entry) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (update_id, sequence, text),
        )
        if not cursor.rowcount and _stored(connection, update_id, sequence) != text:
            raise _second(sequence)
    if texts:
        connection.execute("UPDATE stack_journals SET written = ? WHERE update_id = ?", (now, update_id))


def _stored(connection: sqlite3.Connection, update_id: str, sequence: int) -> str | None:
    row = connection.execute(
        "SELECT entry FROM stack_journal_entries WHERE update_id = ? AND sequence = ?", (update_id, sequence)
    ).fetchone()
    return str(row[0]) if row else None


def _second(sequence: int) -> ApiError:
    return ApiError(409, f"Conflict: the journal has another entry with sequence {sequence}")


def entries(connection: sqlite3.Connection, journal: Journal) -> Iterator[Entry]:
    """The entries in the order in which the engine numbered them: they may come in another one."""
    rows = connection.execute(
        "SELECT entry FROM stack_journal_entries WHERE update_id = ? ORDER BY sequence", (journal.update,)
    )
    for row in rows:
        document: Json = json.loads(row[0])
        yield checked(document)


def drop(connection: sqlite3.Connection, stack_id: str) -> None:
    """Forgets the stack's journal: it has become a state, or the stack is gone."""
    connection.execute(
        "DELETE FROM stack_journal_entries WHERE update_id IN (SELECT update_id FROM stack_journals WHERE stack = ?)",
        (stack_id,),
    )
    connection.execute("DELETE FROM stack_journals WHERE stack = ?", (stack_id,))

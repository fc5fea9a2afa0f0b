"""Where the emulators keep their objects: JSON documents in one SQLite file, by platform and kind."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

from sandbox.lateness import Document, Reader, Writer, view

__all__ = ["Database", "Document", "Store"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    platform TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    document TEXT NOT NULL,
    UNIQUE (platform, kind, id)
)
"""


class Database:
    """The sandbox's SQLite file. One connection behind one lock: a laptop's sandbox has no use for more."""

    def __init__(self, path: Path) -> None:
        self.lock = RLock()
        self.connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = NORMAL")
        self.connection.execute(_SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, also when a handler fails half-way; nested uses join the outer one."""
        with self.lock:
            if self.connection.in_transaction:
                yield self.connection
                return
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
            except BaseException:
                self.connection.execute("ROLLBACK")
                raise
            self.connection.execute("COMMIT")

    def close(self) -> None:
        with self.lock:
            self.connection.close()


class Store:
    """The objects of one platform, in the order in which they were made.

    A request that only reads may see them late (`sandbox.lateness`).
    """

    def __init__(self, database: Database, platform: str, *, may_be_late: bool = True) -> None:
        self.database = database
        self.platform = platform
        self._may_be_late = may_be_late

    @property
    def latest(self) -> Store:
        """The objects as they are, for what a request looks at beside the objects that it answers with."""
        return Store(self.database, self.platform, may_be_late=False)

    def put(self, kind: str, key: str, document: Document) -> Document:
        """Creates or replaces an object; a replaced one keeps its place in the order."""
        with self.database.transaction() as connection:
            self._written(kind, key)
            connection.execute(
                "INSERT INTO objects (platform, kind, id, document) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (platform, kind, id) DO UPDATE SET document = excluded.document",
                (self.platform, kind, key, json.dumps(document)),
            )
        return document

    def get(self, kind: str, key: str) -> Document | None:
        document, reader = self._get(kind, key), self._reader()
        return document if reader is None or document is None or reader.finds((self.platform, kind, key)) else None

    def _get(self, kind: str, key: str) -> Document | None:
        with self.database.lock:
            row = self.database.connection.execute(
                "SELECT document FROM objects WHERE platform = ? AND kind = ? AND id = ?", (self.platform, kind, key)
            ).fetchone()
        return json.loads(row[0]) if row else None

    def all(self, kind: str, **equal: Any) -> list[Document]:
        """Every object of a kind whose members have the values named; oldest first."""
        with self.database.lock:
            rows = self.database.connection.execute(
                "SELECT id, document FROM objects WHERE platform = ? AND kind = ? ORDER BY position",
                (self.platform, kind),
            ).fetchall()
        documents: dict[str, Document] = {key: json.loads(document) for key, document in rows}
        reader = self._reader()
        if reader:
            documents = reader.listed(self.platform, kind, documents)
        return [d for d in documents.values() if all(d.get(name) == value for name, value in equal.items())]

    def first(self, kind: str, **equal: Any) -> Document | None:
        return next(iter(self.all(kind, **equal)), None)

    def delete(self, kind: str, key: str) -> bool:
        """Whether there was such an object."""
        with self.database.transaction() as connection:
            self._written(kind, key)
            cursor = connection.execute(
                "DELETE FROM objects WHERE platform = ? AND kind = ? AND id = ?", (self.platform, kind, key)
            )
        return cursor.rowcount > 0

    def _written(self, kind: str, key: str) -> None:
        writer = view.get()
        if isinstance(writer, Writer):
            writer.wrote((self.platform, kind, key), self._get(kind, key))

    def _reader(self) -> Reader | None:
        reader = view.get()
        return reader if isinstance(reader, Reader) and self._may_be_late else None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Reads and writes inside see no other handler's half-done work, and are undone together on an error."""
        with self.database.transaction():
            yield

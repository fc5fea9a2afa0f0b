"""The journal: every request that reached a platform, for tests, benchmarks and people who wonder what was asked.

Bodies and headers are not in it, and values that look like credentials are masked: a journal never holds a secret.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

from sandbox.store import Database

_KEPT = 100_000
_PRUNED_EVERY = 1_000
_MASK = "***"

_SECRET_NAME = re.compile(
    r"token|secret|password|passwd|signature|credential|auth|api_?key|^(key|code|sig|pwd)$", re.IGNORECASE
)
# What platforms' keys look like, and path segments of Slack's incoming webhooks, which are credentials as well.
_SECRET_TEXT = re.compile(
    r"xox[a-z]-[\w-]+|xapp-[\w-]+|sk-[\w-]{8,}|pul-[\w-]{8,}|gh[pousr]_\w{8,}|github_pat_\w{8,}"
    r"|eyJ[\w-]+\.[\w-]+\.[\w-]*|(?<=/services/)T\w+/B\w+/\w+"
)

_TABLE = """
CREATE TABLE IF NOT EXISTS journal (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    time REAL NOT NULL,
    platform TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    query TEXT NOT NULL,
    status INTEGER,
    milliseconds REAL NOT NULL,
    fault TEXT
)
"""


class Journal:
    """Requests in the order in which they were answered, the newest hundred thousand of them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.lock:
            database.connection.execute(_TABLE)

    def record(
        self,
        platform: str,
        method: str,
        path: str,
        *,
        query: str = "",
        status: int | None,
        milliseconds: float,
        fault: str | None = None,
    ) -> None:
        """Adds a request. ``status`` is what the client saw: None when it saw no answer, or half of one."""
        entry = (
            time.time(),
            platform,
            method,
            masked(path),
            masked_query(query),
            status,
            round(milliseconds, 2),
            fault,
        )
        with self._database.lock:
            cursor = self._database.connection.execute(
                "INSERT INTO journal (time, platform, method, path, query, status, milliseconds, fault) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                entry,
            )
            if (cursor.lastrowid or 0) % _PRUNED_EVERY == 0:
                self._database.connection.execute(
                    "DELETE FROM journal WHERE sequence <= ?", ((cursor.lastrowid or 0) - _KEPT,)
                )

    def last(self) -> int:
        """The number of the newest entry ever made: a mark from which to look at what comes after."""
        with self._database.lock:
            row = self._database.connection.execute(
                "SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'journal'), 0)"
            ).fetchone()
        return int(row[0])

    def entries(
        self, *, platforms: Sequence[str] = (), methods: Sequence[str] = (), since: int = 0, limit: int = 1_000
    ) -> list[dict[str, Any]]:
        """The oldest ``limit`` entries after number ``since``; without ``platforms``, those of Pulumi Cloud are left out."""
        where, values = _condition(platforms, methods, since)
        query = f"SELECT * FROM journal WHERE {where} ORDER BY sequence LIMIT ?"  # noqa: S608 - values are bound
        with self._database.lock:
            cursor = self._database.connection.execute(query, (*values, limit))
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def counts(
        self, *, platforms: Sequence[str] = (), methods: Sequence[str] = (), since: int = 0
    ) -> dict[str, dict[str, int]]:
        """How many requests there were, by platform and method."""
        where, values = _condition(platforms, methods, since)
        query = f"SELECT platform, method, COUNT(*) FROM journal WHERE {where} GROUP BY 1, 2 ORDER BY 1, 2"  # noqa: S608
        with self._database.lock:
            rows = self._database.connection.execute(query, values).fetchall()
        counts: dict[str, dict[str, int]] = defaultdict(dict)
        for platform, method, count in rows:
            counts[platform][method] = count
        return dict(counts)

    def clear(self) -> None:
        """Forgets all entries. Numbers are not used again, so marks taken before stay good."""
        with self._database.lock:
            self._database.connection.execute("DELETE FROM journal")


def _condition(platforms: Sequence[str], methods: Sequence[str], since: int) -> tuple[str, list[Any]]:
    where: list[str] = ["sequence > ?"]
    values: list[Any] = [since]
    if platforms:
        where.append(f"platform IN ({', '.join('?' * len(platforms))})")
        values.extend(platforms)
    else:
        where.append("platform != 'pulumi'")
    if methods:
        where.append(f"method IN ({', '.join('?' * len(methods))})")
        values.extend(method.upper() for method in methods)
    return " AND ".join(where), values


def masked(text: str) -> str:
    """The text without what looks like a credential."""
    return _SECRET_TEXT.sub(_MASK, text)


def masked_query(query: str) -> str:
    """The query string without the values of parameters that are named, or look, like credentials."""
    pairs = parse_qsl(query, keep_blank_values=True)
    return urlencode([(name, _MASK if _SECRET_NAME.search(name) else masked(value)) for name, value in pairs], safe="*")

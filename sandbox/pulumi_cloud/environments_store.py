"""Where ESC environments are kept: their revisions, the tags of both, and what is open at the moment.

Definitions are stored as ESC stores them: in plain text, except that every secret in them is encrypted.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from esc.language import Decrypter, decrypt_definition, encrypt_definition
from sandbox.pulumi_cloud.vault import Vault
from sandbox.store import Database

LATEST = "latest"
"""The revision tag that every environment has: its newest revision."""

_TABLES = """
CREATE TABLE IF NOT EXISTS esc_environments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    organization TEXT NOT NULL,
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    created TEXT NOT NULL,
    protected INTEGER NOT NULL DEFAULT 0,
    UNIQUE (organization, project, name)
);
CREATE TABLE IF NOT EXISTS esc_revisions (
    environment INTEGER NOT NULL REFERENCES esc_environments (id),
    number INTEGER NOT NULL,
    text TEXT NOT NULL,
    created TEXT NOT NULL,
    PRIMARY KEY (environment, number)
);
CREATE TABLE IF NOT EXISTS esc_tags (
    environment INTEGER NOT NULL REFERENCES esc_environments (id),
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    created TEXT NOT NULL,
    modified TEXT NOT NULL,
    PRIMARY KEY (environment, kind, name)
);
CREATE TABLE IF NOT EXISTS esc_sessions (
    id TEXT PRIMARY KEY,
    organization TEXT NOT NULL,
    document BLOB NOT NULL,
    expires REAL NOT NULL
);
"""
_NAMES = ("esc_sessions", "esc_tags", "esc_revisions", "esc_environments")


@dataclass(frozen=True)
class Environment:
    id: int
    organization: str
    project: str
    name: str
    created: str
    protected: bool

    @property
    def full_name(self) -> str:
        return f"{self.project}/{self.name}"


@dataclass(frozen=True)
class Revision:
    number: int
    text: str
    created: str

    @property
    def etag(self) -> str:
        return hashlib.sha256(f"{self.number}\n{self.text}".encode()).hexdigest()


@dataclass(frozen=True)
class Tag:
    """A tag of an environment (``value`` is free text) or of its revisions (``value`` is a revision's number)."""

    name: str
    value: str
    created: str
    modified: str


def prepare(database: Database) -> None:
    """Makes the tables; the host calls it at every start."""
    with database.transaction() as connection:
        for statement in filter(str.strip, _TABLES.split(";")):
            connection.execute(statement)


def clear(database: Database) -> None:
    """Forgets every environment."""
    with database.transaction() as connection:
        for table in _NAMES:
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 - the names are those above


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def environments(connection: sqlite3.Connection, organization: str | None) -> list[tuple[Environment, str]]:
    """The environments of an organisation or of all, by name, with the times of their last changes."""
    rows = connection.execute(
        "SELECT e.id, organization, project, name, e.created, protected, max(r.created) FROM esc_environments e "
        "JOIN esc_revisions r ON r.environment = e.id WHERE ? IS NULL OR organization = ? "
        "GROUP BY e.id ORDER BY organization, project, name",
        (organization, organization),
    )
    return [(_environment(row), row[6]) for row in rows]


def _environment(row: Sequence[Any]) -> Environment:
    key, organization, project, name, created, protected = row[:6]
    return Environment(key, organization, project, name, created, bool(protected))


def find(connection: sqlite3.Connection, organization: str, project: str, name: str) -> Environment | None:
    row = connection.execute(
        "SELECT id, organization, project, name, created, protected FROM esc_environments "
        "WHERE organization = ? AND project = ? AND name = ?",
        (organization, project, name),
    ).fetchone()
    return _environment(row) if row else None


def create(connection: sqlite3.Connection, organization: str, project: str, name: str, text: str = "") -> Environment:
    """A new environment whose first revision is ``text``; there must be none of that name."""
    time_created = now()
    cursor = connection.execute(
        "INSERT INTO esc_environments (organization, project, name, created) VALUES (?, ?, ?, ?)",
        (organization, project, name, time_created),
    )
    environment = Environment(int(cursor.lastrowid or 0), organization, project, name, time_created, protected=False)
    add_revision(connection, environment, text)
    return environment


def delete(connection: sqlite3.Connection, environment: Environment) -> None:
    connection.execute("DELETE FROM esc_tags WHERE environment = ?", (environment.id,))
    connection.execute("DELETE FROM esc_revisions WHERE environment = ?", (environment.id,))
    connection.execute("DELETE FROM esc_environments WHERE id = ?", (environment.id,))


def protect(connection: sqlite3.Connection, environment: Environment, *, protected: bool) -> None:
    connection.execute("UPDATE esc_environments SET protected = ? WHERE id = ?", (protected, environment.id))


def add_revision(connection: sqlite3.Connection, environment: Environment, text: str) -> Revision:
    connection.execute(
        "INSERT INTO esc_revisions (environment, number, text, created) "
        "SELECT ?, coalesce(max(number), 0) + 1, ?, ? FROM esc_revisions WHERE environment = ?",
        (environment.id, text, now(), environment.id),
    )
    return revisions(connection, environment, 0, 1)[0]


def revisions(connection: sqlite3.Connection, environment: Environment, before: int, count: int) -> list[Revision]:
    """Newest first, at most ``count``, with numbers below ``before`` (0: from the newest)."""
    rows = connection.execute(
        "SELECT number, text, created FROM esc_revisions WHERE environment = ? AND (? = 0 OR number < ?) "
        "ORDER BY number DESC LIMIT ?",
        (environment.id, before, before, count),
    )
    return [Revision(*row) for row in rows]


def revision(connection: sqlite3.Connection, environment: Environment, version: str) -> Revision | None:
    """The revision of a number or of a revision tag."""
    if version == LATEST:
        return revisions(connection, environment, 0, 1)[0]
    if not version.isdecimal():
        tagged = tag(connection, environment, "revision", version)
        if tagged is None:
            return None
        version = tagged.value
    found = revisions(connection, environment, int(version) + 1, 1)
    return found[0] if found and found[0].number == int(version) else None


def tags(connection: sqlite3.Connection, environment: Environment, kind: str) -> list[Tag]:
    """All tags of a kind (``environment`` or ``revision``) in alphabetical order; ``latest`` is among the latter."""
    rows = connection.execute(
        "SELECT name, value, created, modified FROM esc_tags WHERE environment = ? AND kind = ?", (environment.id, kind)
    )
    found = [Tag(*row) for row in rows]
    if kind == "revision":
        newest = revisions(connection, environment, 0, 1)[0]
        found.append(Tag(LATEST, str(newest.number), environment.created, newest.created))
    return sorted(found, key=lambda one: one.name)


def tag(connection: sqlite3.Connection, environment: Environment, kind: str, name: str) -> Tag | None:
    return next((one for one in tags(connection, environment, kind) if one.name == name), None)


def put_tag(connection: sqlite3.Connection, environment: Environment, kind: str, name: str, value: str) -> None:
    """Creates a tag, or gives it another value."""
    moment = now()
    connection.execute(
        "INSERT INTO esc_tags (environment, kind, name, value, created, modified) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (environment, kind, name) DO UPDATE SET value = excluded.value, modified = excluded.modified",
        (environment.id, kind, name, value, moment, moment),
    )


def delete_tag(connection: sqlite3.Connection, environment: Environment, kind: str, name: str) -> None:
    connection.execute(
        "DELETE FROM esc_tags WHERE environment = ? AND kind = ? AND name = ?", (environment.id, kind, name)
    )


def encrypter(vault: Vault, organization: str) -> Callable[[bytes], bytes]:
    """Encrypts for the organisation: ESC decrypts a definition's secrets in any environment of it, also unsaved."""
    return lambda plain: vault.encrypt(plain, _context(organization))


def decrypter(vault: Vault, organization: str) -> Decrypter:
    return lambda encrypted: vault.decrypt(encrypted, _context(organization))


def _context(organization: str) -> str:
    return f"esc:{organization}"


def save_session(connection: sqlite3.Connection, vault: Vault, organization: str, document: str, seconds: float) -> str:
    """Keeps an opened environment for a while; answers the session's id."""
    connection.execute("DELETE FROM esc_sessions WHERE expires < ?", (time.time(),))
    session = secrets.token_hex(16)
    connection.execute(
        "INSERT INTO esc_sessions (id, organization, document, expires) VALUES (?, ?, ?, ?)",
        (session, organization, vault.encrypt(document.encode(), session), time.time() + seconds),
    )
    return session


def session_document(connection: sqlite3.Connection, vault: Vault, organization: str, session: str) -> str | None:
    """What an open session holds; None if there is no such session any more."""
    row = connection.execute(
        "SELECT document FROM esc_sessions WHERE id = ? AND organization = ? AND expires >= ?",
        (session, organization, time.time()),
    ).fetchone()
    return vault.decrypt(row[0], session).decode() if row else None


def write_environment(
    database: Database, vault: Vault, organization: str, project: str, name: str, yaml_text: str
) -> int:
    """Makes the environment, or a new revision of it, unless its definition is just that already.

    ``yaml_text`` has its secrets in plain text. Answers the number of the newest revision. Raises
    ``esc.language.DefinitionError`` for text that is not YAML.
    """
    full_name = f"{project}/{name}"
    encrypt, decrypt = encrypter(vault, organization), decrypter(vault, organization)
    stored = encrypt_definition(full_name, yaml_text, encrypt)
    with database.transaction() as connection:
        environment = find(connection, organization, project, name)
        if environment is None:
            environment = create(connection, organization, project, name, stored)
            return revisions(connection, environment, 0, 1)[0].number
        newest = revisions(connection, environment, 0, 1)[0]
        # Both sides have gone through encryption, which may write a scalar in another way than its author did.
        if decrypt_definition(full_name, newest.text, decrypt) == decrypt_definition(full_name, stored, decrypt):
            return newest.number
        return add_revision(connection, environment, stored).number

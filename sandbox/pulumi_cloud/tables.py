"""The tables of Pulumi Cloud in the sandbox's SQLite file."""

from __future__ import annotations

from sandbox.store import Database

_TABLES = {
    "stacks": """
        id TEXT PRIMARY KEY,
        organization TEXT NOT NULL,
        project TEXT NOT NULL,
        name TEXT NOT NULL,
        tags TEXT NOT NULL,
        config TEXT,
        version INTEGER NOT NULL DEFAULT 0,
        active_update TEXT NOT NULL DEFAULT '',
        UNIQUE (organization, project, name)
    """,
    "stack_updates": """
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        stack TEXT NOT NULL,
        kind TEXT NOT NULL,
        dry_run INTEGER NOT NULL,
        status TEXT NOT NULL,
        version INTEGER NOT NULL DEFAULT 0,
        message TEXT NOT NULL,
        environment TEXT NOT NULL,
        config TEXT NOT NULL,
        token TEXT NOT NULL DEFAULT '',
        lease_expires REAL NOT NULL DEFAULT 0,
        started REAL NOT NULL DEFAULT 0,
        ended REAL NOT NULL DEFAULT 0,
        resource_changes TEXT NOT NULL DEFAULT '{}',
        resource_count INTEGER NOT NULL DEFAULT 0
    """,
    "stack_events": """
        update_id TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        event TEXT NOT NULL,
        PRIMARY KEY (update_id, sequence)
    """,
    # The whole deployment after each version, gzipped. The row of a running update without a journal is replaced by
    # each of its checkpoints; that of one with a journal is made of its entries when it has ended.
    "stack_checkpoints": """
        stack TEXT NOT NULL,
        version INTEGER NOT NULL,
        resource_count INTEGER NOT NULL,
        content BLOB NOT NULL,
        PRIMARY KEY (stack, version)
    """,
    "stack_journals": """
        update_id TEXT PRIMARY KEY,
        stack TEXT NOT NULL UNIQUE,
        version INTEGER NOT NULL,
        engine TEXT NOT NULL,
        written REAL NOT NULL
    """,
    "stack_journal_entries": """
        update_id TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        entry TEXT NOT NULL,
        PRIMARY KEY (update_id, sequence)
    """,
}

_INDEXES = (
    "CREATE INDEX IF NOT EXISTS stack_updates_of_stack ON stack_updates (stack, position)",
    "CREATE INDEX IF NOT EXISTS stack_updates_running ON stack_updates (status) WHERE status = 'running'",
)


def prepare(database: Database) -> None:
    """Creates what is missing."""
    with database.transaction() as connection:
        for name, columns in _TABLES.items():
            connection.execute(f"CREATE TABLE IF NOT EXISTS {name} ({columns})")
        for index in _INDEXES:
            connection.execute(index)


def clear(database: Database) -> None:
    """Forgets every stack."""
    with database.transaction() as connection:
        for name in _TABLES:
            connection.execute(f"DELETE FROM {name}")  # noqa: S608 - the names are the literals above

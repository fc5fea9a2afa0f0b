"""The history of a stack as people ask for it: who did what, when, from which commit, and how it went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sophia.pipeline import record
from sophia.pipeline.revision import Revision
from sophia.results import HistoryEntry
from sophia.stack import Stack

_KINDS = {"update": "up", "resource-import": "import"}
"""The engine's words for what people call otherwise."""
_CHANGES = {
    "create": "created",
    "update": "updated",
    "replace": "replaced",
    "delete": "deleted",
    "import": "imported",
}


@dataclass(frozen=True)
class Entry:
    """One run of the past."""

    version: int | None
    what: str
    """deploy, rollback, up, drift --fix, refresh, destroy, import, rename."""
    who: str
    """As the run itself told, or else the CI system; "" where nobody told."""
    started: datetime
    seconds: float | None
    """None while it runs."""
    result: str
    """succeeded, failed or in-progress."""
    good: bool
    """Whether a rollback can return to it, or could if its files were in a commit."""
    revision: Revision | None
    commit: str
    """"" where the run was not made from git."""
    message: str
    changes: Mapping[str, int]
    """By the engine's word; components and providers are counted too."""

    @property
    def changed(self) -> dict[str, int]:
        """What was done, in words and numbers; what stayed the same is left out."""
        return {word: self.changes[key] for key, word in _CHANGES.items() if self.changes.get(key)}


def entries(stack: Stack, limit: int = 10) -> tuple[Entry, ...]:
    """The latest runs, newest first; () for a stack that has none."""
    past = record.past(stack, limit)
    return tuple(_entry(one, past.versions) for one in past.entries)


def _entry(entry: HistoryEntry, good: tuple[int, ...]) -> Entry:
    label, told = record.label_of(entry), entry.environment
    revision = label.revision if label else None
    return Entry(
        version=entry.version,
        what=label.what if label else _what(entry),
        who=label.by if label else told.get("ci.system", ""),
        started=entry.started,
        seconds=(entry.ended - entry.started).total_seconds() if entry.ended else None,
        # The engine calls a plan that had less to do a failure; what was tested afterwards and found good is none.
        result="succeeded" if entry.version in good else entry.result,
        good=entry.version in good,
        revision=revision,
        commit=revision.commit if revision else told.get("git.head", ""),
        message=entry.message,
        changes=entry.changes,
    )


def _what(entry: HistoryEntry) -> str:
    """Of a run without a label: what its options give away."""
    flags = entry.environment
    if entry.kind == "update" and "pulumi.flag.target-dependents" in flags:
        return "drift --fix"
    targeted = " --target" if "pulumi.flag.target" in flags else ""
    return _KINDS.get(entry.kind, entry.kind) + targeted

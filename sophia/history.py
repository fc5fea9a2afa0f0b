"""Parses ``pulumi stack history --json``."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sophia.results import HistoryEntry


def parse(text: str) -> tuple[HistoryEntry, ...]:
    """Newest first, as the engine prints them; "" and ``null`` are an empty history."""
    return tuple(_entry(item) for item in json.loads(text or "[]") or ())


def _entry(item: dict[str, Any]) -> HistoryEntry:
    ended = item.get("endTime")
    return HistoryEntry(
        version=item.get("version"),
        kind=str(item.get("kind", "")),
        result=str(item.get("result", "")),
        started=datetime.fromisoformat(item["startTime"]),
        ended=datetime.fromisoformat(ended) if ended else None,
        message=str(item.get("message", "")),
        changes=item.get("resourceChanges") or {},
        environment=item.get("environment") or {},
    )

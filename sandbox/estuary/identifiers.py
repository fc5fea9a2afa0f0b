"""Flow ids, names and times, as the control plane writes them."""

from __future__ import annotations

import re
import time
import unicodedata
from datetime import UTC, datetime
from threading import Lock

ZERO = "0" * 16
_EPOCH_MILLISECONDS = 1_600_000_000_000
_SPELLING = re.compile(r"[0-9a-f]{16}")
_PART = r"[^\W_]|[-_.]"
_NAME = re.compile(rf"(?:(?:{_PART})+/)+(?:{_PART})+")
_PREFIX = re.compile(rf"(?:(?:{_PART})+/)+")


class _Generator:
    """64 bits: milliseconds since September 2020, then a sequence number, then the shard that made it (ours is 0)."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._last = (0, 0)

    def next(self) -> str:
        with self._lock:
            milliseconds, sequence = self._last
            now = time.time_ns() // 1_000_000 - _EPOCH_MILLISECONDS
            self._last = (now, 0) if now > milliseconds else (milliseconds, sequence + 1)
            return f"{self._last[0] << 23 | self._last[1] << 10:016x}"


_GENERATOR = _Generator()


def new_id() -> str:
    """Greater than every id made before it: 16 hexadecimal digits."""
    return _GENERATOR.next()


def parsed_id(text: object) -> str | None:
    """An id in the form that we keep, whether it was written with separators or without; ``None`` for what is none."""
    if not isinstance(text, str):
        return None
    bare = text.lower().replace(":", "").replace("-", "")
    return bare if _SPELLING.fullmatch(bare) else None


def spaced(identifier: str) -> str:
    """``0011…`` as Postgres and PostgREST write it: ``00:11:…``."""
    return ":".join(identifier[i : i + 2] for i in range(0, 16, 2))


def is_name(text: str) -> bool:
    """Letters, digits, ``-``, ``_`` and ``.`` of any script (NFKC), in at least two parts between slashes."""
    return bool(_NAME.fullmatch(text)) and unicodedata.is_normalized("NFKC", text)


def is_prefix(text: str) -> bool:
    """The same, in at least one part, with a slash at the end."""
    return bool(_PREFIX.fullmatch(text)) and unicodedata.is_normalized("NFKC", text)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")

"""Signs of life from a long step, for people who wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_SECONDS_BETWEEN_LINES = 5.0


@contextmanager
def told(say: Callable[[str], None], state: Callable[[], str]) -> Iterator[None]:
    """Says `state()` and the time gone by, at once and every five seconds, from a thread, until the block ends."""
    started = time.monotonic()
    finished = threading.Event()

    def repeat() -> None:
        while not finished.wait(_SECONDS_BETWEEN_LINES):
            seconds = int(time.monotonic() - started)
            say(f"{state()} · {seconds // 60}:{seconds % 60:02d}")

    say(state())
    teller = threading.Thread(target=repeat, daemon=True)
    teller.start()
    try:
        yield
    finally:
        finished.set()
        teller.join()

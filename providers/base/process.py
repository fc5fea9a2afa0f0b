"""What the SDK's host process of dynamic providers lacks: more than four operations at a time, and an end of its own.

The host (``python -m pulumi.dynamic``) hard-codes four workers, which wait most of their time for a platform. And it
outlives an engine that is killed: a create that is being retried would then still be sent, beside that of the next run.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Thread

WORKERS = 64
"""Operations at a time, on all platforms; the engine itself starts four a core (``--parallel``)."""


@cache
def prepare() -> None:
    """Called where a provider is made; does something the first time, in the host's process, and only there."""
    main = getattr(sys.modules["__main__"], "__spec__", None)
    if main is None or main.name != "pulumi.dynamic.__main__":
        return
    Thread(target=_end_with_the_engine, name="end-with-the-engine", daemon=True).start()
    if executor := _executor():
        _widen(executor)


def _widen(executor: ThreadPoolExecutor) -> None:
    """An executor starts threads as work comes, up to a number that is asked for each time, and has no setter.

    In a destroy all the work has come before the first provider is there to widen it.
    """
    with executor._shutdown_lock:  # noqa: SLF001 - as its submit does
        executor._max_workers = max(WORKERS, executor._max_workers)  # noqa: SLF001
        for _ in range(executor._work_queue.qsize()):  # noqa: SLF001
            executor._adjust_thread_count()  # noqa: SLF001


def _end_with_the_engine() -> None:
    """The host's standard input is a pipe that only the engine holds: it ends when the engine does, however it ends."""
    while os.read(0, 1024):
        pass
    os._exit(1)


def _executor() -> ThreadPoolExecutor | None:
    """The executor on one of whose threads this runs; its worker function holds a weak reference to it."""
    frame = sys._getframe(1)  # noqa: SLF001 - the host does not hand it out
    while frame and frame.f_code.co_name != "_worker":
        frame = frame.f_back  # type: ignore[assignment]
    found = frame.f_locals.get("executor_reference", lambda: None)() if frame else None
    return found if isinstance(found, ThreadPoolExecutor) else None

"""Sandboxes for the tests, forked from a process that has imported everything: importing is most of what a start takes.

How `python -m sandbox` starts, and what it says when it cannot, is tested in tests/unit/test_sandbox_control.py.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from pathlib import Path

from sandbox import __main__ as command
from sandbox import control
from sandbox.host import LEASE_SECONDS

_SECONDS = 60
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload([command.__name__])


def start(directory: Path) -> control.Running:
    """An empty sandbox in a new folder, on a free port; `control.stop` ends it."""
    child = _forks.Process(target=_serve, args=(directory.resolve(),), daemon=True)
    child.start()
    deadline, pause = time.monotonic() + _SECONDS, threading.Event()
    while (running := control.status(directory)) is None:
        assert child.is_alive(), f"the sandbox has ended{control._log_tail(directory)}"
        assert time.monotonic() < deadline, f"the sandbox did not start within {_SECONDS} s"
        pause.wait(0.02)
    return running


def _serve(directory: Path) -> None:
    os.setsid()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (directory / "sandbox.log").open("ab") as log:
        for output in (1, 2):  # as `control.start` has it: what is printed is in the log too
            os.dup2(log.fileno(), output)
    assert command.main.callback
    command.main.callback(directory, 0, or_any_port=True, lease_seconds=LEASE_SECONDS, journaling=True)

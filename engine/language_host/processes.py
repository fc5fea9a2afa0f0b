"""The processes that the host started: they end with it."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from .errors import HostError

_SECONDS_TO_END = 5.0


class Processes:
    """Starts processes and ends them all when the engine cancels or goes away."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self.cancelled = False

    def start(
        self,
        command: Sequence[str],
        *,
        variables: Mapping[str, str],
        folder: Path | None = None,
        stdout: int | None = None,
        stderr: int | None = None,
    ) -> subprocess.Popen[bytes]:
        """Starts a process; without `stdout` and `stderr` it writes where the host writes, and the engine shows that.

        Raises:
            HostError: the command does not start, or the engine has cancelled already.
        """
        with self._lock:
            if self.cancelled:
                raise HostError("the run was cancelled")
            try:
                process = subprocess.Popen(  # noqa: S603 - the interpreter that the project names
                    command, cwd=folder, env=dict(variables), stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr
                )
            except OSError as error:
                raise HostError(f"{command[0]} does not start: {error.strerror or error}") from None
            self._running.add(process)
        return process

    def wait(self, process: subprocess.Popen[bytes]) -> int:
        """The exit code of a process started here, once it has one; negative for a signal."""
        code = process.wait()
        with self._lock:
            self._running.discard(process)
        return code

    def cancel(self) -> None:
        """Ends every process and starts no more."""
        with self._lock:
            self.cancelled = True
            running = list(self._running)
        for process in running:
            _ask(process)
        for process in running:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process: politely, then for certain. SIGTERM, because Python answers SIGINT with a traceback."""
    _ask(process)
    try:
        process.wait(_SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def end_soon(process: subprocess.Popen[bytes]) -> None:
    """Ends a process without waiting for it: for callbacks of the server, which must not block."""
    threading.Thread(target=end, args=(process,), daemon=True).start()


def end_own_group() -> None:
    """Kills everything that was started below this host, and the host: for when the engine is gone.

    The engine makes each host the leader of a process group of its own; where it did not, nobody else is harmed.
    """
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), signal.SIGKILL)


def _ask(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()

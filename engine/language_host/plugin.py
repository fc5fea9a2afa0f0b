"""Runs a plugin written in Python, and streams what it writes and its exit code."""

from __future__ import annotations

import queue
import subprocess
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from pulumi.runtime.proto.language_pb2 import RunPluginRequest, RunPluginResponse

from .environment import PythonEnvironment
from .errors import HostError
from .policy_pack import PolicyPackProxy
from .processes import Processes, end_soon

_ANALYZER = "analyzer"
_SECONDS_TO_START = 120.0


class RunningPlugin:
    """One plugin: its process, and the messages about it in the order in which they came."""

    def __init__(
        self, request: RunPluginRequest, environment: PythonEnvironment, processes: Processes, base: Mapping[str, str]
    ) -> None:
        self._request = request
        self._environment = environment
        self._processes = processes
        self._variables = environment.variables(dict(base) | dict(pair.split("=", 1) for pair in request.env))
        self._messages: queue.SimpleQueue[RunPluginResponse] = queue.SimpleQueue()
        self._process: subprocess.Popen[bytes] | None = None
        self._proxy: PolicyPackProxy | None = None
        self._port: queue.SimpleQueue[int | None] = queue.SimpleQueue()

    def messages(self) -> Iterator[RunPluginResponse]:
        """Starts the plugin and yields its output until it has ended; the last message is its exit code.

        Raises:
            HostError: the plugin does not start.
        """
        if self._request.kind == _ANALYZER:
            self._proxy = PolicyPackProxy(self._start_policy_pack)
            yield RunPluginResponse(stdout=f"{self._proxy.listen()}\n".encode())
        else:
            self._launch([self._request.info.program_directory, *self._request.args], Path(self._request.pwd), {})
        try:
            message = self._messages.get()
            while message.WhichOneof("output") != "exitcode":
                yield message
                message = self._messages.get()
            yield message
        finally:
            self.close()

    def close(self) -> None:
        """Ends the plugin, if it runs: the engine stops one by hanging up. Safe at any time, from any thread."""
        if self._process is not None:
            end_soon(self._process)
        elif self._proxy is not None:
            self._messages.put(RunPluginResponse(exitcode=0))
        if self._proxy is not None:
            self._proxy.close()

    def _start_policy_pack(self, stack: dict[str, str]) -> int:
        folder = self._request.info.program_directory
        self._launch(["-u", "-m", "pulumi.policy", *self._request.args, folder], Path(folder), stack)
        try:
            port = self._port.get(timeout=_SECONDS_TO_START)
        except queue.Empty:
            port = None
        if port is None:
            raise HostError(f"the policy pack in {folder} ended before it was ready; its output says why")
        return port

    def _launch(self, arguments: list[str], folder: Path, stack: dict[str, str]) -> None:
        process = self._processes.start(
            [str(self._environment.python), *arguments],
            variables=self._variables | stack,
            folder=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._process = process
        threading.Thread(target=self._watch, args=(process,), daemon=True).start()

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        readers = [
            threading.Thread(target=self._read_stdout, args=(process.stdout,), daemon=True),
            threading.Thread(target=self._read_stderr, args=(process.stderr,), daemon=True),
        ]
        for reader in readers:
            reader.start()
        code = self._processes.wait(process)
        for reader in readers:
            reader.join(timeout=1.0)
        self._port.put(None)
        self._messages.put(RunPluginResponse(exitcode=code))

    def _read_stdout(self, stream: IO[bytes]) -> None:
        with stream:
            if self._proxy is not None:
                first = stream.readline().strip()
                self._port.put(int(first) if first.isdigit() else None)
            for line in stream:
                self._messages.put(RunPluginResponse(stdout=line))

    def _read_stderr(self, stream: IO[bytes]) -> None:
        with stream:
            for line in stream:
                self._messages.put(RunPluginResponse(stderr=line))

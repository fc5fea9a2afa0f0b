"""Owns the engine's process: starts it, reads its event log as it is written, stops it without losing state.

Why the Automation API's ``Stack.up()`` and its sisters are not used: they run two or three further commands per
operation (outputs with secrets, history), select the stack in the machine's shared state, export the state with every
secret in plain text, hang when an output callback raises, and leave lock, pending operation and engine behind on
Ctrl-C. `EngineCommand` is therefore a `PulumiCommand` whose ``run`` can be given to a `LocalWorkspace` for
what is not wrapped here, and whose ``execute`` is what `sophia.stack` uses.

The event log is a named pipe: the engine truncates a plain file when the preview of an ``up`` ends and the update
begins, so a reader could lose events there, and would have to poll.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pulumi.automation import CommandResult, PulumiCommand
from pulumi.automation.errors import create_command_error
from semver import VersionInfo

OnLine = Callable[[str], object]

FINISHING = 60.0
"""Seconds that operations in flight are given after a Ctrl-C before the engine is told a second time."""
ABANDONING = 10.0
"""Seconds that the engine then has to note what it abandons, before it is killed."""
STUCK = 5.0
"""Seconds without any event after which an engine that may be stuck is taken to be so."""
_POLL = 0.1
_CHUNK = 1 << 16


class Control:
    """Stops a run from a signal handler or another thread. Holds no lock, so a handler can use it at any moment."""

    def __init__(
        self, on_told: Callable[[int], object] | None = None, may_be_stuck: Callable[[], bool] = lambda: False
    ) -> None:
        self.stopping = False
        self.hurrying = False
        self.on_told = on_told
        """Called in the thread that waits for the run, with how often the engine has been told to end."""
        self.may_be_stuck = may_be_stuck
        """Asked in that thread: whether the engine, if it does nothing now, waits for what will never come."""

    def stop(self) -> None:
        """What is in flight is finished, then the run ends. Asking again changes nothing."""
        self.stopping = True

    def hurry(self) -> None:
        """What is in flight is abandoned: the state keeps it as pending, and the next run looks after it."""
        self.stopping = True
        self.hurrying = True


@dataclass
class Outcome:
    """How a command of the engine ended."""

    code: int
    stdout: str
    stderr: str
    told: int = 0
    """How often it was told to end: 1 to finish what was in flight, 2 to abandon it, 3 it was killed."""

    @property
    def stopped(self) -> bool:
        return self.told > 0

    @property
    def abandoned(self) -> bool:
        return self.told > 1

    @property
    def killed(self) -> bool:
        return self.code < 0


class EngineCommand(PulumiCommand):
    """The pinned engine. Unlike its base it starts nothing when it is made: the version is known already."""

    def __init__(self, executable: Path, version: str) -> None:
        # The base's __init__ would run `pulumi version`, a third of a second in every command.
        self.command = str(executable)
        self.version = VersionInfo.parse(version.removeprefix("v"))

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: OnLine | None = None,
        on_error: OnLine | None = None,
    ) -> CommandResult:
        """What `LocalWorkspace` calls; callbacks get their lines after the command has ended, so they cannot hang it.

        Raises the Automation API's CommandError if the command fails.
        """
        outcome = self.execute(args, Path(cwd), {**os.environ, **additional_env})
        for callback, text in ((on_output, outcome.stdout), (on_error, outcome.stderr)):
            if callback is not None:
                for line in text.splitlines():
                    callback(line)
        result = CommandResult(stdout=outcome.stdout, stderr=outcome.stderr, code=outcome.code)
        if outcome.code != 0:
            raise create_command_error(result)
        return result

    def execute(
        self,
        args: Sequence[str],
        directory: Path,
        environment: Mapping[str, str],
        *,
        on_event_line: OnLine | None = None,
        control: Control | None = None,
    ) -> Outcome:
        """Runs ``pulumi ARGS`` in a session of its own and waits for it, in the calling thread.

        ``on_event_line`` gets each line of the event log as it is written; if it raises, the run is stopped as by
        Ctrl-C and the exception goes on to the caller once the engine has ended. So does a KeyboardInterrupt, as an
        `Outcome` with ``stopped`` set.
        """
        command = [self.command, "--non-interactive", "--color=never", *args]
        surroundings = {
            **environment,
            "PATH": os.pathsep.join([str(Path(self.command).parent), environment.get("PATH", os.defpath)]),
            "PULUMI_AUTOMATION_API": "true",
            "PULUMI_DEBUG_COMMANDS": "true",  # without it there is no --event-log
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        with tempfile.TemporaryDirectory(prefix="sophia-run-") as scratch, selectors.DefaultSelector() as selector:
            if on_event_line is not None:
                pipe = Path(scratch, "events")
                os.mkfifo(pipe, 0o600)
                # Opened for writing too: otherwise the pipe would report its end between the two phases of an up.
                selector.register(os.open(pipe, os.O_RDWR | os.O_NONBLOCK), selectors.EVENT_READ, _Lines(on_event_line))
                command += ["--event-log", str(pipe)]
            try:
                process = subprocess.Popen(  # noqa: S603 - a list, no shell; the executable is the pinned engine
                    command,
                    cwd=directory,
                    env=surroundings,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    start_new_session=True,
                )
                return _Run(process, selector, control or Control()).wait()
            finally:
                for key in list(selector.get_map().values()):
                    selector.unregister(key.fd)
                    os.close(key.fd)


class Directed(EngineCommand):
    """An engine with more to say in some of its commands: options, and variables. They can stand on each other."""

    def __init__(
        self,
        engine: EngineCommand,
        applies: Callable[[Sequence[str]], bool],
        options: Sequence[str],
        variables: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(Path(engine.command), str(engine.version))
        self._engine, self._applies, self._options = engine, applies, options
        self._variables = variables or {}

    def execute(
        self,
        args: Sequence[str],
        directory: Path,
        environment: Mapping[str, str],
        *,
        on_event_line: OnLine | None = None,
        control: Control | None = None,
    ) -> Outcome:
        if self._applies(args):
            args, environment = [*args, *self._options], {**environment, **self._variables}
        return self._engine.execute(args, directory, environment, on_event_line=on_event_line, control=control)


@dataclass
class _Lines:
    """Collects bytes, and hands over each whole line to a callback until one raises."""

    callback: OnLine | None = None
    rest: bytes = b""
    all: list[bytes] = field(default_factory=list)
    failure: BaseException | None = None

    def feed(self, chunk: bytes) -> None:
        if self.callback is None:
            self.all.append(chunk)
            return
        *lines, self.rest = (self.rest + chunk).split(b"\n")
        for line in lines:
            if self.failure is None and line.strip():
                try:
                    self.callback(line.decode(errors="replace"))
                except KeyboardInterrupt:
                    raise
                except BaseException as failure:  # noqa: BLE001 - kept, and raised when the engine has ended
                    self.failure = failure

    def text(self) -> str:
        return b"".join(self.all).decode(errors="replace")


class _Run:
    """One run of the engine, watched until it has ended."""

    def __init__(self, process: subprocess.Popen[bytes], selector: selectors.BaseSelector, control: Control) -> None:
        self.process = process
        self.selector = selector
        self.control = control
        self.told = 0
        """How often the engine was told to end: 1 finish, 2 abandon, 3 killed."""
        self.deadline = 0.0
        self.active = time.monotonic()
        """When the engine last told an event."""
        self.freed = False
        self.events = next((key.data for key in selector.get_map().values()), _Lines())
        self.stdout, self.stderr = _Lines(), _Lines()
        for stream, lines in ((process.stdout, self.stdout), (process.stderr, self.stderr)):
            if stream is not None:
                descriptor = os.dup(stream.fileno())
                stream.close()
                os.set_blocking(descriptor, False)
                selector.register(descriptor, selectors.EVENT_READ, lines)

    def wait(self) -> Outcome:
        while self.process.poll() is None:
            try:
                self._read(_POLL)
                self._tell()
            except KeyboardInterrupt:
                self.control.stop()
            except BaseException:
                # Nobody will wait for this engine any more: it must not outlive its caller, holding the lock.
                end_session(self.process.pid)
                self.process.wait()
                raise
        while self._read(0):
            pass
        if self.process.returncode < 0 or self.told > 1:
            # An engine that died could not end its plugins, which would live on (and hold platforms' sessions).
            end_session(self.process.pid)
        if self.events.failure is not None:
            raise self.events.failure
        return Outcome(self.process.returncode, self.stdout.text(), self.stderr.text(), self.told)

    def _read(self, timeout: float) -> bool:
        """Whether there was anything to read."""
        found = False
        for key, _ in self.selector.select(timeout):
            chunk = os.read(key.fd, _CHUNK)
            if chunk:
                found = True
                if key.data is self.events:  # the display of a run that does nothing goes on with its dots
                    self.active = time.monotonic()
                key.data.feed(chunk)
            else:
                self.selector.unregister(key.fd)
                os.close(key.fd)
        if self.events.failure is not None:
            self.control.stop()
        return found

    def _tell(self) -> None:
        """One INT; a second one at the deadline or in a hurry; KILL if even that has no effect."""
        now = time.monotonic()
        if not (self.freed or self.told) and now - self.active > STUCK and self.control.may_be_stuck():
            self.freed = True
            self.process.send_signal(signal.SIGINT)
        if self.told == 0 and self.control.stopping:
            self._signal(signal.SIGINT, FINISHING)
        elif self.told == 1 and (self.control.hurrying or now > self.deadline):
            self._signal(signal.SIGINT, ABANDONING)
        elif self.told == 2 and now > self.deadline:
            self._signal(signal.SIGKILL, ABANDONING)

    def _signal(self, number: signal.Signals, patience: float) -> None:
        self.told += 1
        self.deadline = time.monotonic() + patience
        self.process.send_signal(number)
        if self.control.on_told is not None:
            self.control.on_told(self.told)


def end_session(session: int) -> None:
    """Kills what is left of a session that this process started, and waits until it is gone.

    Plugins leave the engine's process group, but not its session. A member may start another in the moment in which
    it is killed, so this looks again until there is none.
    """
    deadline = time.monotonic() + ABANDONING
    while members := [pid for pid in _processes() if _is_alive_in(session, pid)]:
        for pid in members:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            return
        time.sleep(_POLL / 10)


def _is_alive_in(session: int, pid: int) -> bool:
    try:
        if os.getsid(pid) != session or session == os.getsid(0):
            return False
        stat = Path(f"/proc/{pid}/stat")
        # A process that has ended stays listed until its parent asks for it, which may be never.
        return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (OSError, IndexError):
        return False


def _processes() -> list[int]:
    proc = Path("/proc")
    if (proc / "self").exists():
        return [int(entry.name) for entry in proc.iterdir() if entry.name.isdigit()]
    listing = subprocess.run(["ps", "-A", "-o", "pid="], capture_output=True, text=True, check=False)  # noqa: S607 - macOS
    return [int(pid) for pid in listing.stdout.split()]

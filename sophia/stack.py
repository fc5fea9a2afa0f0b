"""`Stack`: what a script does with one stack of the project.

Every method blocks until the engine has ended, and runs callbacks in the calling thread; nothing is shared between
stacks, so several can run at once in threads. In an asyncio program: ``await asyncio.to_thread(stack.up)``, and
``stack.interrupt()`` when the task is cancelled.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from sophia import diagnosis
from sophia.backend import engine_command, surroundings
from sophia.errors import Interrupted, RunFailed, SettingsError
from sophia.events import Event, EventParser, Expected, Resource, Stopping
from sophia.project import Project
from sophia.recorder import Recorder
from sophia.redact import redact
from sophia.results import HistoryEntry, Plan, Result
from sophia.runner import Control, EngineCommand, Outcome
from sophia.state import State
from sophia.target import Target, choose

OnEvent = Callable[[Event], object]
Report = Callable[[str], object]
Kind = Literal["up", "refresh", "destroy"]

INTERRUPTED_CREATES = "SOPHIA_INTERRUPTED_CREATES"
"""A JSON list of URNs: the providers may take over what a killed run made under their natural keys."""
TAKE_OVER = "SOPHIA_TAKE_OVER"
"""A JSON list of URNs of official packages: the program imports what a killed run made, instead of creating it."""
_STACK_NOT_FOUND = 6
_PREVIEWS: Mapping[Kind, Sequence[str]] = {
    "up": ("preview",),
    "refresh": ("refresh", "--preview-only", "--run-program"),
    "destroy": ("destroy", "--preview-only"),
}
_RUNS: Mapping[Kind, Sequence[str]] = {
    "up": ("up", "--yes"),
    "refresh": ("refresh", "--yes", "--run-program"),
    "destroy": ("destroy", "--yes"),
}

_log = logging.getLogger("sophia")


class Stack:
    """One stack of the project, such as ``Stack("dev")``.

    ``project_dir`` is the checkout (default: the working directory or the nearest folder above with a Pulumi.yaml).
    ``target`` says where to act (default: `sophia.target.choose`). ``report`` gets sentences about what is prepared
    (the engine is downloaded, the stack is created); by default they are logged.

    Raises SettingsError for a stack without a settings file, CredentialsError if there is nowhere to act.
    """

    def __init__(
        self,
        name: str,
        project_dir: str | Path | None = None,
        target: Target | None = None,
        *,
        report: Report | None = None,
        engine: EngineCommand | None = None,
    ) -> None:
        self.name = name
        self.project = Project.find(Path(project_dir) if project_dir is not None else None)
        self.settings_file = self.project.settings_file(name)
        self.target = target or choose(self.project.directory, os.environ)
        self._report: Report = report or _log.info
        self._engine = engine
        self._controls: list[Control] = []

    @property
    def full_name(self) -> str:
        """``organization/project/stack``."""
        return self.target.qualified(self.project.name, self.name)

    # Running

    def preview(self, on_event: OnEvent | None = None, *, of: Kind = "up") -> Plan:
        """What ``up`` (or ``refresh``, or ``destroy``) would do. Changes nothing, except that the stack is created."""
        started, before = time.monotonic(), self._prepare()
        with tempfile.TemporaryDirectory(prefix="sophia-plan-") as scratch:
            file = Path(scratch, "plan.json")
            arguments = [*_PREVIEWS[of], *(["--save-plan", str(file)] if of == "up" else [])]
            recorder, requests = self._run(arguments, before, on_event, previews_first=True)
            engine_plan = file.read_bytes() if file.exists() else b""
        return Plan(
            stack=self.name,
            counts=recorder.counts,
            changes=recorder.changes,
            outputs=recorder.outputs,
            duration=time.monotonic() - started,
            requests=requests,
            warnings=tuple(recorder.warnings),
            violations=tuple(recorder.violations),
            interrupted=before.interrupted_creates,
            engine_plan=engine_plan,
            state=before.fingerprint,
        )

    def up(self, on_event: OnEvent | None = None, *, plan: Plan | None = None, skip_preview: bool = False) -> Result:
        """Makes the platforms as the program says.

        With ``plan``, does that and nothing else: raises SettingsError if the state has changed since the plan was
        made, and RunFailed where the run would exceed it. ``skip_preview`` saves the time of the engine's own preview.
        """
        started, before = time.monotonic(), self._prepare()
        if plan is None:
            return self._change("up", ["--skip-preview"] if skip_preview else [], before, on_event, started)
        self._check(plan, before)
        with tempfile.TemporaryDirectory(prefix="sophia-plan-") as scratch:
            file = Path(scratch, "plan.json")
            file.write_bytes(plan.engine_plan)
            return self._change("up", ["--skip-preview", "--plan", str(file)], before, on_event, started)

    def refresh(self, on_event: OnEvent | None = None, *, forget_interrupted: bool = False) -> Result:
        """Reads the platforms and notes in the state what differs there.

        ``forget_interrupted`` also drops the notes of creations that a killed run began and nothing took over.
        """
        started, before = time.monotonic(), self._prepare()
        arguments = ["--clear-pending-creates"] if forget_interrupted else []
        return self._change("refresh", ["--skip-preview", *arguments], before, on_event, started)

    def destroy(self, on_event: OnEvent | None = None) -> Result:
        """Removes everything that the stack has made; the stack itself and its history stay."""
        started, before = time.monotonic(), self._prepare()
        return self._change("destroy", ["--skip-preview"], before, on_event, started)

    @property
    def running(self) -> bool:
        """Whether this object runs something at this moment."""
        return bool(self._controls)

    def interrupt(self) -> None:
        """Ends what this object runs in another thread, as Ctrl-C does: what is in flight is finished first.

        The method that runs raises Interrupted.
        """
        for control in list(self._controls):
            control.stop()

    def hurry(self) -> None:
        """After `interrupt`: abandons what is in flight. The next ``up`` looks after what was begun."""
        for control in list(self._controls):
            control.hurry()

    # Asking

    def outputs(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """The stack's outputs as its state has them; secrets are masked unless asked for. {} before the first run."""
        outcome = self._command(
            "stack", "output", "--json", *(["--show-secrets"] if show_secrets else []), absent_is_empty=True
        )
        outputs: dict[str, Any] = json.loads(outcome.stdout or "{}")
        return outputs

    def history(self, limit: int = 10) -> tuple[HistoryEntry, ...]:
        """The latest runs, newest first."""
        from sophia.history import parse

        outcome = self._command(
            "stack", "history", "--json", "--page-size", str(limit), "--page", "1", absent_is_empty=True
        )
        return parse(outcome.stdout)

    def cancel(self) -> None:
        """Frees the stack from the lock of a run that was killed. A run that is alive fails at its next step."""
        self._command("cancel", "--yes")

    def state(self) -> State | None:
        """The state, its secrets encrypted; None before the first run."""
        outcome = self._command("stack", "export", absent_is_empty=True)
        return State.parse(outcome.stdout) if outcome.stdout.strip() else None

    # Inside

    def _change(
        self, kind: Kind, arguments: Sequence[str], before: State, on_event: OnEvent | None, started: float
    ) -> Result:
        previews_first = "--skip-preview" not in arguments
        recorder, requests = self._run([*_RUNS[kind], *arguments], before, on_event, previews_first=previews_first)
        return Result(
            stack=self.name,
            operation=kind,
            counts=recorder.counts,
            changes=recorder.changes,
            outputs=recorder.outputs,
            duration=time.monotonic() - started,
            requests=requests,
            warnings=tuple(recorder.warnings),
            violations=tuple(recorder.violations),
            interrupted=self._settle(before),
        )

    def _run(
        self,
        arguments: Sequence[str],
        before: State,
        on_event: OnEvent | None,
        *,
        previews_first: bool,
        take_over: tuple[str, ...] = (),
    ) -> tuple[Recorder, int | None]:
        """Runs the engine; the recorder of the last phase, and how many requests platforms got. Raises SophiaError.

        What fails although a killed run had begun to create it is there already, if an official provider says so: the
        run is done again with that taken over. (Dynamic providers look for themselves.)
        """
        parser = EventParser(previews_first=previews_first)
        recorders = {True: Recorder(), False: Recorder()}

        def take(line: str) -> None:
            event = parser.parse(line)
            recorders[event.preview].add(event)
            if on_event is not None:
                on_event(event)

        def told(times: int) -> None:
            if on_event is not None:
                on_event(Stopping(datetime.now(UTC), parser.preview, abandoning=times > 1))

        environment = surroundings(self.target)
        environment[INTERRUPTED_CREATES] = json.dumps([r.urn for r in before.interrupted_creates])
        environment[TAKE_OVER] = json.dumps(take_over)
        count = self.target.meter() if self.target.meter else None
        if on_event is not None and not previews_first and arguments[0] != "up":
            on_event(Expected(datetime.now(UTC), preview=False, totals=before.platforms))
        with self._controlled(told) as control:
            outcome = self._engine_command().execute(
                [*arguments, "--stack", self.full_name],
                self.project.directory,
                environment,
                on_event_line=take,
                control=control,
            )
        requests = count() if count else None
        only_previewed = arguments[0] == "preview" or "--preview-only" in arguments
        recorder = recorders[only_previewed]
        if outcome.code != 0:
            failed = {resource.urn for phase in recorders.values() for resource in phase.failed}
            begun = {r.urn for r in before.interrupted_creates if not r.is_dynamic}
            left = tuple(sorted(failed & begun - set(take_over)))
            if left and not outcome.stopped:
                self._report(f"taking over what the killed run had made: {', '.join(Resource(u).name for u in left)}")
                return self._run(
                    arguments, before, on_event, previews_first=previews_first, take_over=(*take_over, *left)
                )
            said = [*recorders[True].errors, *recorders[False].errors]
            violations = [*recorders[True].violations, *recorders[False].violations]
            raise self._failure(outcome, environment, said, violations)
        return recorder, requests

    def _failure(
        self,
        outcome: Outcome,
        environment: Mapping[str, str],
        errors: Sequence[Any] = (),
        violations: Sequence[Any] = (),
    ) -> Exception:
        log = redact(f"{outcome.stderr}\n{outcome.stdout}".strip(), environment)
        stderr = redact(outcome.stderr, environment)
        error = diagnosis.diagnose(
            diagnosis.Failure(
                stack=self.name,
                settings_file=self.settings_file.name,
                backend=self.target.backend,
                errors=errors,
                violations=violations,
                stderr=stderr,
                code=outcome.code,
                locked_by=self._holder(environment) if diagnosis.is_locked(stderr) else "",
                log=log,
            )
        )
        if outcome.stopped:
            return Interrupted(
                f'stack "{self.name}": interrupted',
                said="what was in flight was finished; what was done is in the state",
                do=f"`sophia up {self.name}` goes on from there",
                log=log,
            )
        return error

    def _holder(self, environment: Mapping[str, str]) -> str:
        """Who holds the stack and since when, as its backend tells; "" where it does not."""
        outcome = self._engine_command().execute(
            ["stack", "--stack", self.full_name], self.project.directory, environment
        )
        return diagnosis.holder(outcome.stdout)

    def _prepare(self) -> State:
        """The state before a run; creates the stack if this is its first use."""
        state = self.state()
        if state is not None:
            return state
        self._report(f"stack     {self.full_name} is new at {self.target.backend}: created")
        try:
            self._command("stack", "init", "--no-select")
        except RunFailed as failure:
            if "already exists" not in failure.said:  # another run made it a moment ago, which is as good
                raise
        return State({})

    def _settle(self, before: State) -> tuple[Resource, ...]:
        """After a successful run: forgets interrupted creations that were taken over; gives those that were not.

        The engine keeps the note of an interrupted creation for ever, even after it has created the resource again.
        An import is the way to drop notes, and it drops all of them, so it must wait until none is needed.
        """
        if not before.interrupted_creates:
            return ()
        after = self.state()
        if after is None:
            return ()
        unresolved = after.unresolved()
        if after.interrupted_creates and not unresolved:
            with tempfile.TemporaryDirectory(prefix="sophia-state-") as scratch:
                file = Path(scratch, "state.json")
                file.write_text(after.settled().dump(), encoding="utf-8")
                self._command("stack", "import", "--file", str(file))
        return unresolved

    def _check(self, plan: Plan, before: State) -> None:
        if plan.stack != self.name:
            raise SettingsError(
                f'the plan is for stack "{plan.stack}", not "{self.name}"', do=f'Stack("{self.name}").preview()'
            )
        if not plan.engine_plan:
            raise SettingsError("the plan is of a refresh or destroy", do="make it with preview() of an up")
        if plan.state != before.fingerprint:
            raise RunFailed(
                f'stack "{self.name}": the plan is out of date',
                said="another run has changed the state since the preview",
                do="preview again",
            )

    def _command(self, *arguments: str, absent_is_empty: bool = False) -> Outcome:
        """A short command of the engine about this stack. Raises SophiaError."""
        environment = surroundings(self.target)
        outcome = self._engine_command().execute(
            [*arguments, "--stack", self.full_name], self.project.directory, environment
        )
        if outcome.code == _STACK_NOT_FOUND and absent_is_empty:
            return Outcome(0, "", outcome.stderr, outcome.stopped)
        if outcome.code != 0 or outcome.stopped:
            raise self._failure(outcome, environment)
        return outcome

    def _engine_command(self) -> EngineCommand:
        if self._engine is None:
            self._engine = engine_command(self._report)
        return self._engine

    @contextmanager
    def _controlled(self, told: Callable[[int], None]) -> Iterator[Control]:
        control = Control(told)
        self._controls.append(control)
        try:
            yield control
        finally:
            self._controls.remove(control)

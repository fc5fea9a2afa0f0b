"""The engine's runs and commands about one stack: how they are started, watched, stopped, and told when they fail."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from sophia import diagnosis, notes
from sophia.backend import engine_command, surroundings
from sophia.errors import Interrupted, RunFailed, SophiaError
from sophia.events import Diagnostic, Event, EventParser, Expected, PolicyViolation, Resource, Stopping
from sophia.project import Project
from sophia.recorder import Recorder
from sophia.redact import redact
from sophia.results import Partial
from sophia.runner import Control, EngineCommand, Outcome
from sophia.state import State
from sophia.target import Target

OnEvent = Callable[[Event], object]
Report = Callable[[str], object]

INTERRUPTED_CREATES = "SOPHIA_INTERRUPTED_CREATES"
"""A JSON list of URNs: the providers may take over what an interrupted run made under their natural keys."""
TAKE_OVER = "SOPHIA_TAKE_OVER"
"""A JSON list of URNs of official packages: the program imports what was made already, instead of creating it."""
REHEARSE = "SOPHIA_REHEARSE"
"""The providers have their platforms try what is wanted, those of them that can, and change nothing."""
POLICIES = "policies"
"""The project's policy pack, a folder of the checkout."""
_STACK_NOT_FOUND = 6
_LESS_THAN_PLANNED = re.compile(r"^expected resource operations for \S+ but none were seen$")


@dataclass(frozen=True)
class Run:
    """A run of the engine that has ended, well or not."""

    outcome: Outcome
    recorders: Mapping[bool, Recorder]
    """By whether it is the preview's."""
    of_preview: bool
    """Whether the preview was all there was to do."""
    requests: int | None
    environment: Mapping[str, str]

    @property
    def recorder(self) -> Recorder:
        return self.recorders[self.of_preview]

    @property
    def succeeded(self) -> bool:
        """Whether everything was done that had to be.

        The engine (3.258) calls it an error, at the very end, if a resource that its plan replaces need not be changed
        after all: a preview cannot know the value that an update of another resource leaves as it was.
        """
        complaints = self.recorder.errors
        return self.outcome.code == 0 or (
            bool(complaints)
            and not self.failed
            and not self.outcome.stopped
            and all(_LESS_THAN_PLANNED.match(told.message.strip()) for told in complaints)
        )

    @property
    def failed(self) -> set[str]:
        return {resource.urn for phase in self.recorders.values() for resource in phase.failed}


class Runs:
    """What `sophia.stack.Stack` is made on; not for scripts."""

    def __init__(
        self, name: str, project: Project, target: Target, *, report: Report, engine: EngineCommand | None
    ) -> None:
        self.name = name
        self.project = project
        self.settings_file = project.settings_file(name)
        self.target = target
        self._report = report
        self._engine = engine
        self._controls: list[Control] = []

    @property
    def full_name(self) -> str:
        """``organization/project/stack``."""
        return self.target.qualified(self.project.name, self.name)

    @property
    def running(self) -> bool:
        """Whether this object runs something at this moment."""
        return bool(self._controls)

    @property
    def stopping(self) -> bool:
        """Whether what runs has been asked to stop."""
        return any(control.stopping for control in list(self._controls))

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

    def state(self) -> State | None:
        """The state, its secrets encrypted; None before the first run."""
        outcome = self._command("stack", "export", absent_is_empty=True)
        return State.parse(outcome.stdout) if outcome.stdout.strip() else None

    def _run(
        self,
        arguments: Sequence[str],
        before: State,
        on_event: OnEvent | None,
        *,
        previews_first: bool,
        planned: Sequence[Resource] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> tuple[Recorder, int | None]:
        """Runs the engine; the recorder of the last phase, and how many requests platforms got. Raises SophiaError.

        ``planned`` is what the run is to change, where that is known without its own preview. ``variables`` are set in
        the environment of the program and its providers.

        What fails although an interrupted run had begun to create it is there already, if an official provider says so:
        the run is done again with that taken over. (Dynamic providers look for themselves.)
        """
        taken: tuple[str, ...] = ()
        while True:
            run = self._attempt(
                arguments, before, on_event, previews_first=previews_first, take_over=taken, variables=variables
            )
            if run.succeeded and not _cut_short(run, arguments, planned):
                return run.recorder, run.requests
            begun = {r.urn for r in before.interrupted_creates if not r.is_dynamic}
            left = tuple(sorted(run.failed & begun - set(taken)))
            if not left or run.outcome.stopped:
                raise self._run_failure(run, before, planned)
            names = ", ".join(Resource(urn).name for urn in left)
            self._report(f"taking over what the interrupted run had made: {names}")
            taken += left

    def _attempt(
        self,
        arguments: Sequence[str],
        before: State,
        on_event: OnEvent | None,
        *,
        previews_first: bool,
        take_over: tuple[str, ...] = (),
        variables: Mapping[str, str] | None = None,
    ) -> Run:
        """Runs the engine once, however it ends."""
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

        environment = {**surroundings(self.target), **(variables or {})}
        environment[INTERRUPTED_CREATES] = json.dumps([r.urn for r in before.interrupted_creates])
        environment[TAKE_OVER] = json.dumps(take_over)
        only_previewed = arguments[0] == "preview" or "--preview-only" in arguments
        count = self.target.meter() if self.target.meter else None
        if on_event is not None and arguments[0] not in ("up", "preview"):
            on_event(Expected(datetime.now(UTC), preview=only_previewed, totals=before.platforms))
        with self._controlled(told, lambda: recorders[only_previewed].may_be_stuck) as control:
            outcome = self._engine_command().execute(
                [*arguments, *self._policy_pack(arguments[0]), "--stack", self.full_name],
                self.project.directory,
                environment,
                on_event_line=take,
                control=control,
            )
        return Run(outcome, recorders, only_previewed, count() if count else None, environment)

    def _run_failure(self, run: Run, before: State, planned: Sequence[Resource] | None = None) -> SophiaError:
        """The error for a run that failed. What it may have left on platforms unseen is noted in the state first."""
        partial = None if run.of_preview else self._partial(run, before, planned)
        said = [*run.recorders[True].errors, *run.recorders[False].errors]
        violations = [*run.recorders[True].violations, *run.recorders[False].violations]
        error = self._failure(run.outcome, run.environment, said, violations, changed_nothing=run.of_preview)
        error.partial, error.stack = partial, self.name
        return error

    def _partial(self, run: Run, before: State, planned: Sequence[Resource] | None) -> Partial | None:
        """None where the run came to nothing that exists on a platform."""
        recorder, preview = run.recorder, run.recorders[True]
        failed = tuple(dict.fromkeys(r for r in recorder.failed if not r.is_provider))
        if not (failed or recorder.operations or recorder.unknown_creates):
            return None
        if planned is None and preview.finished:
            planned = [change.resource for change in preview.changes]
        left = None
        if planned is not None:
            left = tuple(r for r in planned if r.urn not in recorder.operations and r not in failed)
        partial = Partial(recorder.counts, failed, left, recorder.unknown_creates)
        if partial.unknown and not run.outcome.killed:
            return self._noting(partial, before)
        return partial

    def _noting(self, partial: Partial, before: State) -> Partial:
        """Notes in the state the creations whose outcome is unknown, so that the next run takes over what they made.

        An object that was made and not finished is in the state already: that is no unknown outcome.
        """
        state = self.state() or State({})
        was, now = before.ids, state.ids
        unknown = tuple(r for r in partial.unknown if now.get(r.urn) == was.get(r.urn))
        if not set(unknown) - set(state.interrupted_creates):
            return replace(partial, unknown=unknown)
        try:
            notes.write(state.noting(unknown), self.target, self.full_name, surroundings(self.target))
        except notes.NotWrittenError as reason:
            self._report(f"the state could not be given a note: {reason}")
            return replace(partial, unknown=unknown, noted=False)
        return replace(partial, unknown=unknown)

    def _failure(
        self,
        outcome: Outcome,
        environment: Mapping[str, str],
        errors: Sequence[Diagnostic] = (),
        violations: Sequence[PolicyViolation] = (),
        *,
        changed_nothing: bool = False,
    ) -> SophiaError:
        log = redact(f"{outcome.stderr}\n{outcome.stdout}".strip(), environment)
        if outcome.stopped:
            return self._interruption(outcome, log, changed_nothing=changed_nothing)
        stderr = redact(outcome.stderr, environment)
        return diagnosis.diagnose(
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

    def _interruption(self, outcome: Outcome, log: str, *, changed_nothing: bool) -> Interrupted:
        what = f'stack "{self.name}": interrupted'
        if changed_nothing:
            return Interrupted(what, said="nothing was changed", do="run the command again", log=log)
        if not outcome.abandoned:
            finished = "what was in flight was finished; what was done is in the state"
            return Interrupted(what, said=finished, do=f"`sophia up {self.name}` goes on from there", log=log)
        return Interrupted(
            what,
            said="what was in flight was abandoned; the state notes what was being created",
            do=f"`sophia up {self.name}` looks after it (if the stack is locked: `sophia cancel {self.name}` first)",
            log=log,
        )

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

    def _command(self, *arguments: str, absent_is_empty: bool = False) -> Outcome:
        """A short command of the engine about this stack. Raises SophiaError."""
        environment = surroundings(self.target)
        outcome = self._engine_command().execute(
            [*arguments, "--stack", self.full_name], self.project.directory, environment
        )
        if outcome.code == _STACK_NOT_FOUND and absent_is_empty:
            return Outcome(0, "", outcome.stderr, outcome.told)
        if outcome.code != 0 or outcome.stopped:
            raise self._failure(outcome, environment)
        return outcome

    def _policy_pack(self, command: str) -> Sequence[str]:
        """The option that makes the engine ask the project's policies; only these two commands have it."""
        pack = self.project.directory / POLICIES
        if command not in ("up", "preview") or not (pack / "PulumiPolicy.yaml").is_file():
            return ()
        return ("--policy-pack", str(pack))

    def _engine_command(self) -> EngineCommand:
        if self._engine is None:
            self._engine = engine_command(self._report)
        return self._engine

    @contextmanager
    def _controlled(self, told: Callable[[int], None], may_be_stuck: Callable[[], bool]) -> Iterator[Control]:
        control = Control(told, may_be_stuck)
        self._controls.append(control)
        try:
            yield control
        finally:
            self._controls.remove(control)


def _cut_short(run: Run, arguments: Sequence[str], planned: Sequence[Resource] | None) -> bool:
    """Whether a run that was stopped left something undone. The engine (3.258) calls all but an up a success then."""
    if not run.outcome.stopped or arguments[0] == "up":
        return False
    return planned is None or any(resource.urn not in run.recorder.operations for resource in planned)

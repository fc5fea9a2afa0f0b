"""`Stack`: what a script does with one stack of the project.

Every method blocks until the engine has ended, and runs callbacks in the calling thread; nothing is shared between
stacks, so several can run at once in threads. In an asyncio program: ``await asyncio.to_thread(stack.up)``, and
``stack.interrupt()`` when the task is cancelled.
"""

from __future__ import annotations

import json
import logging
import os
import re
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from sophia.drift import Drift, changed_too, drift_of, unreadable_objects
from sophia.errors import LockedError, RunFailed, SettingsError, UnreadableError
from sophia.events import Resource
from sophia.project import Project
from sophia.results import HistoryEntry, Plan, Result
from sophia.runner import EngineCommand
from sophia.runs import REHEARSE, OnEvent, Report, Runs
from sophia.state import State
from sophia.target import Target, choose

Kind = Literal["up", "refresh", "destroy"]

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
_GO_ON = "--continue-on-error"
_FREE = re.compile(r"nothing to cancel|not (?:currently )?running|no (?:current )?update", re.IGNORECASE)
"""How Pulumi Cloud refuses to cancel what is not running."""

_log = logging.getLogger("sophia")


class Stack(Runs):
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
        project = Project.find(Path(project_dir) if project_dir is not None else None)
        project.settings_file(name)
        target = target or choose(project.directory, os.environ)
        super().__init__(name, project, target, report=report or _log.info, engine=engine)

    # Running

    def preview(self, on_event: OnEvent | None = None, *, of: Kind = "up", rehearse: bool = False) -> Plan:
        """What ``up`` (or ``refresh``, or ``destroy``) would do. Changes nothing, except that the stack is created.

        ``rehearse``: the platforms that can try what is wanted do so (Estuary: a dry-run publication), and what they find
        wrong is raised as RunFailed. That of a destroy raises SettingsError if anything is protected, as the destroy would.
        """
        started, before = time.monotonic(), self._prepare()
        if of == "destroy":
            self._refuse_protected(before)
        with tempfile.TemporaryDirectory(prefix="sophia-plan-") as scratch:
            file = Path(scratch, "plan.json")
            arguments = [*_PREVIEWS[of], *(["--save-plan", str(file)] if of == "up" else [])]
            variables = {REHEARSE: "true"} if rehearse else {}
            recorder, requests = self._run(arguments, before, on_event, previews_first=True, variables=variables)
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

    def up(
        self,
        on_event: OnEvent | None = None,
        *,
        plan: Plan | None = None,
        skip_preview: bool = False,
        fail_fast: bool = False,
    ) -> Result:
        """Makes the platforms as the program says.

        With ``plan``, does that and nothing else: raises SettingsError if the state has changed since the plan was
        made, and RunFailed where the run would exceed it. ``skip_preview`` saves the time of the engine's own preview.

        Where one resource fails, all that does not depend on it is done all the same; the error then names what failed
        and, as ``partial``, how far the run got. ``fail_fast`` ends the run at the first failure instead.
        """
        started, before = time.monotonic(), self._prepare()
        options = [] if fail_fast else [_GO_ON]
        if plan is None:
            options += ["--skip-preview"] if skip_preview else []
            return self._change("up", options, before, on_event, started)
        self._check(plan, before)
        with tempfile.TemporaryDirectory(prefix="sophia-plan-") as scratch:
            file = Path(scratch, "plan.json")
            file.write_bytes(plan.engine_plan)
            planned = [change.resource for change in plan.changes]
            options += ["--skip-preview", "--plan", str(file)]
            return self._change("up", options, before, on_event, started, planned)

    def refresh(self, on_event: OnEvent | None = None, *, forget_interrupted: bool = False) -> Result:
        """Reads the platforms and notes in the state what differs there.

        ``forget_interrupted`` also drops the notes of creations that a killed run began and nothing took over.
        """
        started, before = time.monotonic(), self._prepare()
        arguments = ["--clear-pending-creates"] if forget_interrupted else []
        return self._change("refresh", ["--skip-preview", *arguments], before, on_event, started)

    def destroy(self, on_event: OnEvent | None = None, *, fail_fast: bool = False) -> Result:
        """Removes everything that the stack has made; the stack itself and its history stay.

        Raises SettingsError, and removes nothing, if anything is protected. A failure and ``fail_fast``: as in `up`.
        """
        started, before = time.monotonic(), self._prepare()
        self._refuse_protected(before)
        options = ["--skip-preview", *([] if fail_fast else [_GO_ON])]
        return self._change("destroy", options, before, on_event, started, before.objects)

    def drift(self, on_event: OnEvent | None = None) -> Drift:
        """What was changed or deleted on the platforms by hand, since the last run. Changes nothing, the state included.

        Compares the state with the platforms, and not the program: settings that were changed since are no drift. Raises
        UnreadableError if an object cannot be read, with the drift that the others show.
        """
        started, before = time.monotonic(), self.state() or State({})
        if not before.objects:
            return Drift(self.name, (), 0, time.monotonic() - started, 0, interrupted=before.interrupted_creates)
        # Without the program: what it says now is not what is asked for here, and running it takes as long as the reading.
        run = self._attempt(("refresh", "--preview-only"), before, on_event, previews_first=True)
        found = drift_of(self.name, run, before, time.monotonic() - started)
        if run.outcome.code == 0 and not run.outcome.stopped:
            return found
        unreadable = unreadable_objects(run, self.name, self.settings_file.name, self.target.backend)
        if unreadable and not run.outcome.stopped:
            raise UnreadableError(unreadable, found)
        raise self._run_failure(run, before)

    def fix(self, found: Drift, on_event: OnEvent | None = None) -> Result:
        """Sets what drifted back to what it was, and leaves settings that were changed since alone.

        Raises SettingsError, and changes nothing, where that cannot be told apart: settings of the very objects that
        drifted, or of what depends on them, were changed too.
        """
        started, before = time.monotonic(), self._prepare()
        targets = [argument for change in found.changes for argument in ("--target", change.resource.urn)]
        if not targets:
            raise SettingsError("there is no drift to fix")
        pending, _ = self._run(["preview", "--target-dependents", *targets], before, None, previews_first=True)
        if pending.changes:
            raise changed_too(self.name, self.settings_file.name, pending.changes)
        # The state learns of the drift first: only then does the engine see that something is to be done.
        self._run(["refresh", "--yes", "--skip-preview", *targets], before, None, previews_first=False)
        options = [_GO_ON, "--skip-preview", "--target-dependents", *targets]
        return self._change("up", options, before, on_event, started)

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
        try:
            self._command("cancel", "--yes")
        except LockedError as refusal:
            if not _FREE.search(refusal.log):
                raise
            self._report(f"stack     {self.full_name} is free: there is nothing to cancel")

    # Inside

    def _change(
        self,
        kind: Kind,
        arguments: Sequence[str],
        before: State,
        on_event: OnEvent | None,
        started: float,
        planned: Sequence[Resource] | None = None,
    ) -> Result:
        """Runs the engine, and makes the result; ``planned`` is what it is to change, where that is known."""
        recorder, requests = self._run(
            [*_RUNS[kind], *arguments],
            before,
            on_event,
            previews_first="--skip-preview" not in arguments,
            planned=planned,
        )
        return Result(
            stack=self.name,
            operation=kind,
            counts=recorder.counts,
            changes=recorder.changes,
            outputs=recorder.outputs,
            outputs_before=recorder.outputs_before,
            duration=time.monotonic() - started,
            requests=requests,
            warnings=tuple(recorder.warnings),
            violations=tuple(recorder.violations),
            interrupted=self._settle(before),
        )

    def _refuse_protected(self, before: State) -> None:
        if not before.protected:
            return
        raise SettingsError(
            f'stack "{self.name}": {len(before.protected)} resources are protected, so nothing was destroyed',
            said="\n".join(f"{r.title} ({r.urn})" for r in before.protected),
            setting=f"the option `protect`, which the components of stack {self.name} set on what holds data",
            do=f"if it may all go: `pulumi state unprotect --all -s {self.full_name}`, and again; for one, name its URN",
        )

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

"""What ``sophia deploy`` and ``sophia rollback`` share: asking, showing the steps, telling Slack, the end of the story."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from sophia.cli.common import display, say, signals
from sophia.errors import Interrupted, SettingsError, SophiaError

if TYPE_CHECKING:
    from rich.console import Console

    from sophia.pipeline.announce import Announcer
    from sophia.pipeline.deployment import Deployment
    from sophia.pipeline.plan import BoundPlan
    from sophia.pipeline.revision import Revision
    from sophia.pipeline.steps import Course, Step, StepEvent
    from sophia.runs import OnEvent
    from sophia.stack import Stack

Command = TypeVar("Command", bound=Callable[..., Any])

_SIGNS = {"started": "▸", "done": "✓", "failed": "✗", "interrupted": "✗"}
_STYLES = {"started": "dim", "done": "green", "failed": "bold red", "interrupted": "yellow"}


def pipeline_options(command: Command) -> Command:
    """--watch, --events, --no-slack, --fail-fast."""
    options = (
        click.option(
            "--watch",
            type=click.FloatRange(0),
            default=10.0,
            show_default=True,
            metavar="SECONDS",
            help="How long the health is watched after it; 0: not at all.",
        ),
        click.option(
            "--events",
            "events_file",
            type=click.Path(path_type=Path, dir_okay=False, writable=True),
            metavar="FILE",
            help="Append each step to this file as it begins and ends, one JSON object a line.",
        ),
        click.option("--no-slack", is_flag=True, help="Do not tell the stack's channel of deployments."),
        click.option("--fail-fast", is_flag=True, help="End at the first failure of a resource."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@dataclass
class Screen:
    """Where the steps of one deployment are shown and told."""

    out: Console
    stack: Stack
    """The one of the present checkout, in whose environment Slack is told."""
    asks: bool
    events_file: Path | None = None
    slack: bool = True
    deployment: Deployment | None = None
    course: Course[Deployment] | None = None
    warnings: list[str] = field(default_factory=list)

    def ask(self, question: str) -> Callable[[BoundPlan], bool] | None:
        """What asks the person at the terminal; None where there is none."""
        if not (self.asks and sys.stdin.isatty() and self.out.is_terminal):
            return None

        def agreed(bound: BoundPlan) -> bool:
            try:
                return click.confirm(f"{question} The plan is {bound.short_digest}.", err=True)
            except click.Abort:
                raise Interrupted(
                    f'stack "{self.stack.name}": interrupted', said="nothing was changed", do="run it again"
                ) from None

        return agreed

    @contextmanager
    def watched(self) -> Iterator[OnEvent]:
        """Without what policies say, which stands in the review already, or in the error."""
        from sophia.events import Event, PolicyViolation

        with display(self.out) as shown:

            def on_event(event: Event) -> None:
                if not isinstance(event, PolicyViolation):
                    shown.on_event(event)

            yield on_event

    def show(self, bound: BoundPlan) -> None:
        from sophia.display.review import review

        for line in review(bound.plan):
            self.out.print(line, soft_wrap=not self.out.is_terminal)

    def run(self, deployment: Deployment, steps: tuple[Step[Deployment], ...], *, planning: bool) -> None:
        """Runs the steps. Raises SophiaError, after Slack has been told."""
        from sophia.pipeline.steps import Course

        self.deployment = deployment
        with ExitStack() as during:
            lines = during.enter_context(_opened(self.events_file)) if self.events_file else None
            announcer = self._announcer(deployment) if self.slack and not planning else None

            def tell(event: StepEvent) -> None:
                self._print(event)
                if lines is not None:
                    _write(lines, deployment, event)
                if announcer is not None:
                    announcer(event)

            self.course = Course(steps, tell)
            during.enter_context(signals(deployment.stack))
            try:
                self.course.run(deployment)
            except SophiaError as error:
                if announcer is not None:
                    announcer.close(self._ending(), "\n\n".join(problem.render() for problem in error.problems))
                raise
            if announcer is not None:
                announcer.close(f"{deployment.what} done")

    def _announcer(self, deployment: Deployment) -> Announcer:
        from sophia.pipeline.announce import Announcer
        from sophia.survey import Inside

        stack = self.stack
        inside = Inside(stack.project, stack.name, stack.target, deployment.engine)
        head = (
            f"{deployment.what} of {stack.project.name}/{stack.name} · {deployment.revision.short} · by {deployment.by}"
        )
        return Announcer(inside, lambda: deployment.channel, head, self.warnings.append)

    def _print(self, event: StepEvent) -> None:
        from rich.text import Text

        if not event.over:
            return
        line = Text(f"{event.time.astimezone():%H:%M:%S}  ", "dim")
        line.append(f"{_SIGNS[event.status]} {event.step:<9}", _STYLES[event.status])
        line.append(f" {event.seconds:>5.1f} s", "dim").append(f"  {event.said}" if event.said else "")
        self.out.print(line, soft_wrap=True)

    def _ending(self) -> str:
        return "; ".join(self.standing())

    def standing(self) -> list[str]:
        """Where a deployment that failed stands, and the ways back, in lines."""
        from sophia.pipeline.deploy import ways_back

        course, deployment = self.course, self.deployment
        if course is None or deployment is None or course.standing is None:
            return []
        at = course.standing
        left = f" · not done: {', '.join(at.left)}" if at.left else ""
        done = f" · done: {', '.join(at.done)}" if at.done else ""
        return [
            f"it stands at: {at.step}, step {at.number} of {at.total}{done}{left}",
            *ways_back(deployment, at),
        ]

    def warn(self) -> None:
        """The warnings, which change no exit code."""
        for text in [*(self.deployment.warnings if self.deployment else ()), *self.warnings]:
            say(self.out, f"  warning: {text}")

    def document(self, code: int) -> dict[str, Any]:
        """The members of the document of ``--json`` that tell of the steps."""
        from sophia.cli import document

        deployment = self.deployment
        if deployment is None:
            return {}
        plan, result = deployment.plan, deployment.result
        told: dict[str, Any] = {
            **document.base(deployment.what, code),
            **document.of_stack(self.stack),
            "by": deployment.by,
            "revision": of_revision(deployment.revision),
            "steps": [of_event(event) for event in self.course.events] if self.course else [],
            "warnings": [*deployment.warnings, *self.warnings],
            "good": deployment.noted,
            "plan": None if plan is None else {"digest": plan.digest, "made": plan.made.isoformat(), "by": plan.by},
        }
        if plan is not None:
            told |= {"changes": [document.of_change(change) for change in plan.plan.changes]}
            told |= {"counts": document.of_counts((result or plan.plan).counts)}
        if result is not None:
            told |= {"outputs": dict(result.outputs), "requests": result.requests}
        return told


def of_revision(revision: Revision) -> dict[str, Any]:
    return {
        "commit": revision.commit,
        "changed": revision.changed,
        "program": revision.program,
        "settings": revision.settings,
    }


def of_event(event: StepEvent) -> dict[str, Any]:
    return {
        "time": event.time.isoformat(),
        "step": event.step,
        "status": event.status,
        "said": event.said,
        "seconds": round(event.seconds, 3),
    }


@contextmanager
def _opened(file: Path) -> Iterator[TextIO]:
    try:
        stream = file.open("a", encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"{file} cannot be written", said=error.strerror or str(error), setting="option --events"
        ) from error
    with stream:
        yield stream


def _write(lines: TextIO, deployment: Deployment, event: StepEvent) -> None:
    told = {"what": deployment.what, "stack": deployment.name, "run": deployment.run, "by": deployment.by}
    lines.write(json.dumps({**told, **of_event(event)}, ensure_ascii=False) + "\n")
    lines.flush()

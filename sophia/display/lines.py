"""Plain lines for a pipe or a log: one an event that somebody would look for later."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.text import Text

from sophia.diagnosis import parse_parts
from sophia.events import Event, PhaseDone, PolicyViolation, ResourceDone, ResourceFailed, Stopping

_DONE = {
    "create": "created",
    "import": "imported",
    "update": "updated",
    "delete": "deleted",
    "create-replacement": "created again",
    "delete-replaced": "deleted the old one",
}


class LineDisplay:
    """Writes each event at once; the same interface as the live display."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __enter__(self) -> LineDisplay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is left open."""

    def on_event(self, event: Event) -> None:
        text = line_of(event)
        if text:
            self._console.print(Text(text), soft_wrap=True)


def line_of(event: Event) -> str:
    """The line for an event, or "" for one that is not worth a line."""
    match event:
        case ResourceDone(preview=False, step=step) if step.counts and step.operation in _DONE:
            resource = step.resource
            return f"{resource.platform} {resource.kind} {resource.name}: {_DONE[step.operation]}".lstrip()
        case ResourceFailed(preview=False, step=step):
            return f"{step.resource.platform} {step.resource.kind} {step.resource.name}: failed".lstrip()
        case PolicyViolation(policy=policy, enforcement=level, message=message):
            whole = parse_parts(message)
            return f"policy {policy} ({level}): {whole.what if whole else message.strip()}"
        case Stopping():
            return str(event)
        case PhaseDone(preview=True):
            return "compared"
        case _:
            return ""

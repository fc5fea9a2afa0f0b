"""The live progress on a terminal: one line a platform, redrawn in place."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from sophia.display.progress import Line, Progress
from sophia.events import Event, Stopping

_BAR = 12
_NARROW = 60
"""Columns below which the bar is left out."""
_PATIENCE = 1.0
_REFRESHES_A_SECOND = 8


class LiveDisplay:
    """A context manager; `on_event` is given to the run. Events come in the caller's thread, drawing is rich's."""

    def __init__(self, console: Console) -> None:
        self.progress = Progress()
        self.notes: list[str] = []
        self._live = Live(self, console=console, refresh_per_second=_REFRESHES_A_SECOND, transient=False)

    def __enter__(self) -> LiveDisplay:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def on_event(self, event: Event) -> None:
        if isinstance(event, Stopping):
            self.notes.append(str(event))
        self.progress.add(event)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text("\n").join(self.render(options.max_width))

    def render(self, width: int) -> list[Text]:
        """The lines for a terminal of this width; none is longer."""
        progress, now = self.progress, self.progress.clock()
        if progress.planning:
            lines = [Text(f"  comparing … {progress.previewed or ''}".rstrip(), "dim")]
        else:
            titles = max((len(title) for title in progress.lines), default=0)
            drawn = list(progress.lines.values())
            lines = [platform_line(line, titles, width, now) for line in drawn if line.total != 0]
        lines += [Text(f"  {note}", "yellow") for note in list(self.notes)]
        for line in lines:
            line.truncate(max(width - 1, 10), overflow="ellipsis")
        return lines


def platform_line(line: Line, titles: int, width: int, now: float) -> Text:
    """``  Airbyte  ████████░░░░   9/14   connection gong-to-raw …``"""
    done, total = len(line.done), line.total
    text = Text(f"  {line.title:<{titles}}  ")
    if width >= _NARROW:
        filled = _BAR if not total else min(_BAR, _BAR * done // total)
        style = "red" if line.failed else "green"
        text.append("█" * filled, style).append("░" * (_BAR - filled), "dim").append("  ")
    text.append(f"{done:>3}/{total}" if total is not None else f"{done:>3}")
    slow = line.slow(now, _PATIENCE)
    if line.failed:
        text.append(f"   {len(line.failed)} failed", "bold red")
    if slow:
        return text.append(f"   {slow}", "dim")
    return text.append(f"   {line.elapsed(now):.1f} s", "dim") if line.began is not None else text

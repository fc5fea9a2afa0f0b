"""``sophia history``: who did what to a stack, when, and how it went."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sophia.cli.common import console, open_stack, stack_options

if TYPE_CHECKING:
    from rich.console import Console

    from sophia.pipeline.history import Entry

_STYLES = {"failed": "red", "in-progress": "yellow"}
_COLUMNS = ("run", "when (UTC)", "who", "what", "result", "commit", "time", "changes", "message")


@click.command(
    epilog="""\b
Examples:
  sophia history dev
  sophia history prod --limit 50 --json
"""
)
@stack_options
@click.option("--limit", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many runs.")
def history(stack: str, directory: Path | None, *, force_sandbox: bool, as_json: bool, debug: bool, limit: int) -> int:
    """Lists the latest runs of STACK: who did what, when, from which commit, and how it went.

    A star marks what went well to its end, tests included: `sophia rollback` returns to such a revision.
    """
    from sophia.cli import document
    from sophia.pipeline.history import entries

    del debug
    opened = open_stack(stack, directory, console(as_json=True), force_sandbox=force_sandbox, quiet=True)
    found = entries(opened, limit)
    if as_json:
        told = {**document.base("history", 0), **document.of_stack(opened), "history": [_told(one) for one in found]}
        click.echo(document.dump(told))
    elif found:
        _show(found, console(as_json=False))
    else:
        click.echo(f'stack "{stack}" has no history yet: `sophia deploy {stack}`', err=True)
    return 0


def _show(found: tuple[Entry, ...], out: Console) -> None:
    """In columns, but for the last two, whose width nobody knows."""
    from rich.text import Text

    rows = [_cells(one) for one in found]
    widths = [max(len(row[column]) for row in (_COLUMNS, *rows)) for column in range(len(_COLUMNS) - 1)]
    for row, one in zip((_COLUMNS, *rows), (None, *found), strict=True):
        line = Text("  ".join(f"{cell:<{width}}" for cell, width in zip(row, [*widths, 0], strict=True)).rstrip())
        if one is None:
            line.stylize("dim")
        elif one.result != "succeeded":
            line.stylize(_STYLES.get(one.result, ""))
        out.print(line, soft_wrap=True)


def _cells(one: Entry) -> tuple[str, ...]:
    changes = " · ".join(f"{word} {number}" for word, number in one.changed.items())
    return (
        f"{one.version or '-'}{'*' if one.good else ''}",
        f"{one.started:%Y-%m-%d %H:%M:%S}",
        one.who or "-",
        one.what,
        one.result,
        (one.revision.short if one.revision and one.commit else one.commit[:8]) or "-",
        "-" if one.seconds is None else f"{one.seconds:.0f} s",
        changes or "nothing",
        one.message,
    )


def _told(one: Entry) -> dict[str, Any]:
    return {
        "version": one.version,
        "what": one.what,
        "who": one.who,
        "started": one.started.isoformat(),
        "seconds": one.seconds,
        "result": one.result,
        "good": one.good,
        "commit": one.commit,
        "committed": one.revision is None or not one.revision.changed,
        "message": one.message,
        "changes": dict(one.changes),
    }

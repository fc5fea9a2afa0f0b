"""How a command tells an error: four parts on stderr, and with --json one document on stdout as well."""

from __future__ import annotations

import os
import traceback

import click

from sophia.cli import document
from sophia.display.summary import how_far
from sophia.errors import SophiaError
from sophia.redact import redact


def report(error: SophiaError, command: str, *, as_json: bool, debug: bool) -> int:
    """Prints the error; its exit code."""
    if debug:
        trace = "".join(traceback.format_exception(error))
        click.echo(redact(trace, os.environ), err=True)
        if error.log:
            click.echo(f"the engine's log\n{redact(error.log, os.environ)}\n", err=True)
    for number, problem in enumerate(error.problems):
        if number:
            click.echo(err=True)
        first, _, rest = redact(problem.render(), os.environ).partition("\n")
        click.secho(first, fg="red", bold=True, err=True, color=False if os.environ.get("NO_COLOR") else None)
        if rest:
            click.echo(rest, err=True)
    if error.partial is not None:
        click.echo(err=True)
        for line in how_far(error.partial, error.stack):
            click.echo(redact(line.plain, os.environ), err=True)
    if as_json:
        click.echo(document.dump(document.of_error(error, command)))
    return error.exit_code

"""``sophia drift``: what was changed on the platforms by hand."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sophia.cli.common import PROD, console, display, open_stack, say, signals, stack_options, yes_option
from sophia.cli.run import labelled
from sophia.errors import SettingsError, SophiaError, UnreadableError

if TYPE_CHECKING:
    from rich.console import Console

    from sophia.drift import Drift
    from sophia.results import Result
    from sophia.stack import Stack

DIFFERENCES = 2


@click.command(
    epilog="""\b
Examples:
  sophia drift dev
  sophia drift prod --json
  sophia drift dev --fix
"""
)
@stack_options
@click.option("--fix", is_flag=True, help="Set what drifted back to what it was, and nothing else.")
@click.option(
    "--alert", is_flag=True, help="Tell the stack's Slack channel `alerts` what has changed since the last time."
)
@yes_option
def drift(
    stack: str,
    directory: Path | None,
    *,
    force_sandbox: bool,
    as_json: bool,
    debug: bool,
    fix: bool,
    alert: bool,
    yes: bool,
) -> int:
    """Shows what was changed or deleted on the platforms of STACK by hand. Changes nothing.

    Compares the platforms with what the last run has set. Settings that were changed since are no drift (`sophia preview`
    shows them), nor is what a platform fills in by itself or does not show. Exits with 0 for no drift, 2 for drift, 1 if
    an object cannot be read: then nobody knows.

    --fix sets what drifted back and creates anew what was deleted, for prod with real accounts after asking; then the
    exit code is 0. It never applies changed settings: if those of an object that drifted, or of one that depends on it,
    have changed too, it refuses, and `sophia refresh` and `sophia up` do both.
    """
    del debug  # for the error report
    out = console(as_json=as_json)
    opened = open_stack(stack, directory, out, force_sandbox=force_sandbox)
    try:
        with signals(opened), display(out) as shown:
            found = opened.drift(shown.on_event)
    except UnreadableError as error:
        if error.drift:
            _show(error.drift, out)
        raise
    _show(found, out)
    fixed = None
    if fix and found:
        if not yes:
            _agreed(opened, out)
        fixing = labelled(opened, "drift --fix", out)
        with signals(fixing), display(out) as shown:
            fixed = fixing.fix(found, shown.on_event)
    left = found if fixed is None else replace(found, changes=())
    alerted = _noted(opened, left, out, alert=alert)
    return _finish(opened, found, fixed, out, as_json=as_json, alerted=alerted)


def _noted(stack: Stack, left: Drift, out: Console, *, alert: bool) -> int:
    """Notes what was found for `sophia status`; the exit code of an alert that cannot be posted, else 0."""
    from sophia import alerts, known
    from sophia.state import State

    try:
        known.remember(stack, left)
    except SophiaError as error:
        say(out, f"not noted for `sophia status`: {error.what}")
    if not alert:
        return 0
    try:
        facts = known.facts(left, (stack.state() or State({})).objects)
        changes = alerts.tell(stack, "drift", facts)
    except SophiaError as error:
        say(out, f"no alert was posted: {error}")
        return error.exit_code
    say(
        out, f"alert     {f'{len(changes)} changes posted to Slack' if changes else 'no change, so nothing was posted'}"
    )
    return 0


def _agreed(stack: Stack, out: Console) -> None:
    """Asks for prod with real accounts, as an up does."""
    if stack.target.kind != "cloud" or stack.name != PROD:
        return
    if not (sys.stdin.isatty() and out.is_terminal):
        raise SettingsError(
            f'stack "{stack.name}" at {stack.target.label}: to fix its drift must be agreed to',
            said="this is not a terminal, so nobody can be asked",
            setting="option --yes",
            do=f"look at `sophia drift {stack.name}`, then run it with --fix --yes",
        )
    click.confirm(f"Fix the drift of {stack.full_name} at {stack.target.backend}?", abort=True, err=True)


def _show(found: Drift, out: Console) -> None:
    from sophia.display.drift import lines

    for line in lines(found):
        out.print(line, soft_wrap=True)


def _finish(stack: Stack, found: Drift, fixed: Result | None, out: Console, *, as_json: bool, alerted: int) -> int:
    from sophia.cli import document
    from sophia.display.summary import summary

    code = alerted or (DIFFERENCES if found and fixed is None else 0)
    if fixed is not None:
        out.print("fixed")
        for line in summary(fixed)[:1]:
            out.print(line, soft_wrap=True)
    elif found:
        out.print(f"Next: sophia drift {stack.name} --fix sets it back · sophia refresh {stack.name} keeps it")
    if as_json:
        click.echo(document.dump(document.of_drift(stack, found, fixed, code)))
    return code

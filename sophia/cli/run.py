"""``sophia up``, ``preview``, ``refresh`` and ``destroy``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from sophia.cli.common import PROD, console, display, open_stack, say, signals, stack_options, yes_option
from sophia.errors import SettingsError

if TYPE_CHECKING:
    from rich.console import Console

    from sophia.pipeline.record import Label
    from sophia.results import Plan, Result
    from sophia.stack import Kind, Stack

DIFFERENCES = 2

Command = TypeVar("Command", bound=Callable[..., object])


def _fail_fast_option(command: Command) -> Command:
    return click.option(
        "--fail-fast/--continue-on-error",
        default=False,
        show_default=True,
        help="End at the first failure, or do all that does not depend on what failed.",
    )(command)


@click.command(
    epilog="""\b
Examples:
  sophia up dev
  sophia up dev --skip-preview
  sophia up prod --yes --json
"""
)
@stack_options
@yes_option
@_fail_fast_option
@click.option("--skip-preview", is_flag=True, help="Do not compare first: quicker, but no totals in the progress.")
def up(
    stack: str,
    directory: Path | None,
    *,
    force_sandbox: bool,
    as_json: bool,
    debug: bool,
    yes: bool,
    fail_fast: bool,
    skip_preview: bool,
) -> int:
    """Makes the platforms of STACK as the program says.

    For prod with real accounts it shows the preview and asks first. Where one resource fails, the others are done all the
    same, the end names what failed, and the next up tries only that and what depends on it.
    """
    del debug  # for the error report
    out = console(as_json=as_json)
    opened = open_stack(stack, directory, out, force_sandbox=force_sandbox)
    plan = None if yes else _agreed(opened, "up", out)
    opened = labelled(opened, "up", out)
    with signals(opened), display(out) as shown:
        result = opened.up(shown.on_event, plan=plan, skip_preview=skip_preview, fail_fast=fail_fast)
    return _finish("up", opened, result, out, as_json=as_json)


@click.command(
    epilog="""\b
Examples:
  sophia preview dev
  sophia preview staging --expect-no-changes
  sophia preview dev --of destroy
  sophia preview dev --rehearse
"""
)
@stack_options
@click.option("--of", "of", type=click.Choice(["up", "refresh", "destroy"]), default="up", show_default=True)
@click.option("--rehearse", is_flag=True, help="Have the platforms try it that can do so without doing it (Estuary).")
@click.option("--expect-no-changes", is_flag=True, help="Exit with 2 if there is any difference.")
def preview(
    stack: str,
    directory: Path | None,
    *,
    force_sandbox: bool,
    as_json: bool,
    debug: bool,
    of: Kind,
    rehearse: bool,
    expect_no_changes: bool,
) -> int:
    """Shows what an up of STACK would do, destructive changes first. Changes nothing."""
    del debug
    out = console(as_json=as_json)
    opened = open_stack(stack, directory, out, force_sandbox=force_sandbox)
    if rehearse and of != "up":
        raise SettingsError(f"--rehearse tries what an up would do; a {of} has nothing to try")
    plan = _preview(opened, of, out, rehearse=rehearse)
    code = DIFFERENCES if expect_no_changes and plan.has_changes else 0
    _show(plan, out)
    if as_json:
        _document("preview", opened, plan, code)
    return code


@click.command(
    epilog="""\b
Examples:
  sophia refresh dev
  sophia refresh prod --expect-no-changes
"""
)
@stack_options
@click.option(
    "--expect-no-changes", is_flag=True, help="Change nothing, and exit with 2 if a platform differs from the state."
)
@click.option("--forget-interrupted", is_flag=True, help="Forget what killed runs had begun to create.")
def refresh(
    stack: str,
    directory: Path | None,
    *,
    force_sandbox: bool,
    as_json: bool,
    debug: bool,
    expect_no_changes: bool,
    forget_interrupted: bool,
) -> int:
    """Reads the platforms of STACK and notes in the state what differs there."""
    del debug
    out = console(as_json=as_json)
    opened = open_stack(stack, directory, out, force_sandbox=force_sandbox)
    if expect_no_changes:
        plan = _preview(opened, "refresh", out)
        code = DIFFERENCES if plan.has_changes else 0
        _show(plan, out)
        if as_json:
            _document("refresh", opened, plan, code)
        return code
    opened = labelled(opened, "refresh", out)
    with signals(opened), display(out) as shown:
        result = opened.refresh(shown.on_event, forget_interrupted=forget_interrupted)
    return _finish("refresh", opened, result, out, as_json=as_json)


@click.command(
    epilog="""\b
Examples:
  sophia destroy dev
  sophia destroy staging --yes
  sophia destroy prod --confirm prod
"""
)
@stack_options
@yes_option
@click.option("--confirm", metavar="NAME", default="", help="For prod with real accounts: the stack's name once more.")
@_fail_fast_option
def destroy(
    stack: str,
    directory: Path | None,
    *,
    force_sandbox: bool,
    as_json: bool,
    debug: bool,
    yes: bool,
    confirm: str,
    fail_fast: bool,
) -> int:
    """Removes everything that STACK has made. The stack and its history stay.

    With real accounts it shows what would go and asks first; for prod its name must be typed, whatever --yes says. Refuses,
    before anything is removed, if anything is protected, as what holds data is in prod.
    """
    del debug
    out = console(as_json=as_json)
    opened = open_stack(stack, directory, out, force_sandbox=force_sandbox)
    if opened.target.kind != "sandbox" and stack == PROD:
        _named(opened, confirm, out)
    elif not yes:
        _agreed(opened, "destroy", out)
    opened = labelled(opened, "destroy", out)
    with signals(opened), display(out) as shown:
        result = opened.destroy(shown.on_event, fail_fast=fail_fast)
    return _finish("destroy", opened, result, out, as_json=as_json)


def labelled(stack: Stack, what: str, out: Console) -> Stack:
    """The same stack, whose run tells the history who made it, and from which files."""
    from sophia.backend import engine_command
    from sophia.pipeline import record

    engine = engine_command(lambda _line: None)
    return record.labelled(stack, engine, label_of(stack, what), lambda text: say(out, text))


def label_of(stack: Stack, what: str) -> Label:
    """Who makes a run, and from which files."""
    from sophia.pipeline import record
    from sophia.pipeline.revision import of_checkout

    return record.Label(what, record.who(stack.target), of_checkout(stack.project.directory, stack.settings_file))


def _agreed(stack: Stack, kind: Kind, out: Console) -> Plan | None:
    """Asks where it matters: an up of prod and a destroy of anything, with real accounts. The plan agreed to, if any."""
    if stack.target.kind != "cloud" or (kind == "up" and stack.name != PROD):
        return None
    if not (sys.stdin.isatty() and out.is_terminal):
        raise SettingsError(
            f'stack "{stack.name}" at {stack.target.label}: {kind} must be agreed to',
            said="this is not a terminal, so nobody can be asked",
            setting="option --yes",
            do=f"look at `sophia preview {stack.name} --of {kind}`, then run it with --yes",
        )
    plan = _preview(stack, kind, out)
    _show(plan, out)
    click.confirm(f"{kind.capitalize()} {stack.full_name} at {stack.target.backend}?", abort=True, err=True)
    return plan if plan.engine_plan else None


def _named(stack: Stack, confirm: str, out: Console) -> None:
    """Nobody destroys prod by a habit of the fingers: its name is typed. Raises SettingsError for another name."""
    typed = confirm
    if not confirm and sys.stdin.isatty() and out.is_terminal:
        _show(_preview(stack, "destroy", out), out)
        typed = click.prompt(f"All of this goes. To destroy {stack.full_name}, type the stack's name", err=True)
    if typed.strip() != stack.name:
        raise SettingsError(
            f'stack "{stack.name}" at {stack.target.label}: to destroy it, its name must be given, and nothing was removed',
            said=f'"{typed}" is not its name' if typed else "this is not a terminal, so nobody can be asked",
            setting="option --confirm",
            do=f"look at `sophia preview {stack.name} --of destroy`, then run it with --confirm {stack.name}",
        )


def _preview(stack: Stack, of: Kind, out: Console, *, rehearse: bool = False) -> Plan:
    with signals(stack), display(out) as shown:
        return stack.preview(shown.on_event, of=of, rehearse=rehearse)


def _show(plan: Plan, out: Console) -> None:
    from sophia.display.review import review

    for line in review(plan):
        out.print(line, soft_wrap=not out.is_terminal)


def _finish(command: str, stack: Stack, result: Result, out: Console, *, as_json: bool) -> int:
    from sophia.display.summary import next_commands, summary

    for line in summary(result):
        out.print(line, soft_wrap=True)
    out.print(f"  Next: {' · '.join(next_commands(command, stack.name, stack.project.stacks, stack.target.kind))}")
    if as_json:
        _document(command, stack, result, 0)
    return 0


def _document(command: str, stack: Stack, outcome: Plan | Result, code: int) -> None:
    from sophia.cli import document

    click.echo(document.dump(document.of_outcome(command, stack, outcome, code)))

"""``sophia credentials``: every key of a stack, its age, its due date, and whether it still works."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sophia.cli.common import console, open_stack, stack_options
from sophia.errors import SophiaError
from sophia.health import TIMEOUT_SECONDS

if TYPE_CHECKING:
    from rich.console import Console

    from sophia.credentials import Credentials
    from sophia.runner import EngineCommand
    from sophia.stack import Stack

DIFFERENCES = 2


@click.command(
    epilog="""\b
Examples:
  sophia credentials dev
  sophia credentials prod --due 15
  sophia credentials dev --json
  sophia credentials staging --due 15 --remind
"""
)
@stack_options
@click.option(
    "--due", type=click.IntRange(min=0), default=0, metavar="DAYS", help="What falls due within DAYS counts too."
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    default=TIMEOUT_SECONDS,
    show_default=True,
    help="Seconds that a platform has to answer.",
)
@click.option(
    "--alert", is_flag=True, help="Tell the stack's Slack channel `alerts` what has changed since the last time."
)
@click.option(
    "--remind",
    is_flag=True,
    help="Make an issue or a task of each that is due, once, where `incidents.reminders` says; close those of renewed ones.",
)
def credentials(
    stack: str,
    directory: Path | None,
    *,
    force_sandbox: bool,
    as_json: bool,
    debug: bool,
    due: int,
    timeout: float,
    alert: bool,
    remind: bool,
) -> int:
    """Lists every credential that STACK uses or has made: who makes it, how old it is, when it is due (90 days), whether it
    still works, and whether its vendor lets it be rotated by API. Rotates nothing, shows no secret.

    How old a credential is, few vendors tell. Of the others it is said since when ESC has had the same value: they are at
    least so old. Exits with 2 if one is overdue or does not work any more.
    """
    from sophia.backend import engine_command
    from sophia.credentials import records
    from sophia.display import health as display

    del debug
    out = console(as_json=as_json)
    opened = open_stack(stack, directory, out, force_sandbox=force_sandbox)
    engine = engine_command(lambda _line: None)
    found, within = records(opened, timeout=timeout, engine=engine), timedelta(days=due)
    for line in display.credentials(found, within):
        out.print(line, soft_wrap=True)
    if advice := list(display.credential_advice(found, within)):
        out.print()
        for line in advice:
            out.print(line, soft_wrap=True)
    code = DIFFERENCES if found.refused or found.due_within(within) else 0
    if alert:
        code = _alerted(opened, found, engine, out) or code
    if remind:
        code = _reminded(opened, found, within, engine, out) or code
    if as_json:
        _print_document(opened, found, within, code)
    return code


def _alerted(stack: Stack, found: Credentials, engine: EngineCommand, out: Console) -> int:
    """The exit code of an alert that cannot be posted, else 0."""
    from sophia.alerts import tell

    try:
        changes = tell(stack, "credentials", found.facts, engine=engine)
    except SophiaError as error:
        out.print(f"no alert was posted: {error}", markup=False, style="yellow", soft_wrap=True)
        return error.exit_code
    out.print(
        f"alert     {f'{len(changes)} changes posted to Slack' if changes else 'no change, so nothing was posted'}"
    )
    return 0


def _reminded(stack: Stack, found: Credentials, within: timedelta, engine: EngineCommand, out: Console) -> int:
    """The exit code of reminders that could not all be made, else 0. A stack may do without them: Schedule asks all."""
    from sophia.reminders import are_wanted, remind

    if not are_wanted(stack):
        setting = f"{stack.settings_file.name}: {stack.project.name}:incidents.reminders"
        out.print(f"reminders none: {setting} would say where to", soft_wrap=True)
        return 0
    try:
        done = remind(stack, found, within, engine=engine)
        made, closed = f"{len(done.made)} made in {done.to}", f"{done.closed} closed"
        out.print(f"reminders {made}, {len(done.there)} there already, {closed}")
        done.raise_for_failures()
    except SophiaError as error:
        for problem in error.problems:
            said = f"{problem.what}: {problem.said}" if problem.said else problem.what
            out.print(f"{said}; {problem.do}", markup=False, style="yellow", soft_wrap=True)
        return error.exit_code
    return 0


def _print_document(stack: Stack, found: Credentials, within: timedelta, code: int) -> None:
    from sophia.cli import document

    told = [
        {
            "name": record.name,
            "platform": record.platform,
            "holder": record.holder,
            "source": record.source,
            "made": _moment(record.made),
            "at_least": record.at_least,
            "basis": record.basis,
            "expires": _moment(record.expires),
            "due": _moment(record.due),
            "is_due": record.is_due(found.now, within),
            "authenticates": record.authenticates,
            "said": record.said,
            "rotation": record.rotation,
            "by_api": record.by_api,
        }
        for record in found.records
    ]
    answer = {**document.base("credentials", code), **document.of_stack(stack), "credentials": told}
    click.echo(document.dump({**answer, "warnings": list(found.remarks)}))


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None

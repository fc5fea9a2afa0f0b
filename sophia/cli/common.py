"""What the commands about a stack share: options, the first lines, where to act, signals."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from sophia.errors import CredentialsError, SophiaError

if TYPE_CHECKING:
    from rich.console import Console

    from sophia.display.lines import LineDisplay
    from sophia.display.live import LiveDisplay
    from sophia.stack import Stack
    from sophia.target import Target

Command = TypeVar("Command", bound=Callable[..., Any])

PROD = "prod"


def complete_stack(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The stacks that have a settings file."""
    from sophia.project import Project

    try:
        stacks = Project.find(ctx.params.get("directory")).stacks
    except SophiaError:
        return []
    return [CompletionItem(name) for name in stacks if name.startswith(incomplete)]


def directory_option(command: Command) -> Command:
    return click.option(
        "-C",
        "--directory",
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        help="The checkout; default: here, or the nearest folder above that is one.",
    )(command)


def output_options(command: Command) -> Command:
    command = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, all else on stderr.")(
        command
    )
    return click.option("--debug", is_flag=True, help="With an error: the traceback and the engine's log, redacted.")(
        command
    )


def stack_options(command: Command) -> Command:
    """STACK, --directory, --sandbox, --json, --debug."""
    command = output_options(command)
    command = click.option(
        "--sandbox", "force_sandbox", is_flag=True, help="Act in the sandbox even if a token is there."
    )(command)
    return click.argument("stack", shell_complete=complete_stack)(directory_option(command))


def yes_option(command: Command) -> Command:
    return click.option("-y", "--yes", is_flag=True, help="Do not ask, not even for prod with real accounts.")(command)


def console(*, as_json: bool) -> Console:
    """Where people read: stdout, or stderr when a machine reads stdout."""
    from rich.console import Console

    return Console(stderr=as_json, highlight=False)


def open_stack(name: str, directory: Path | None, out: Console, *, force_sandbox: bool, quiet: bool = False) -> Stack:
    """The stack, with the lines that say where it will act. Raises SophiaError."""
    from sophia.project import Project
    from sophia.stack import Stack

    project = Project.find(directory)
    project.settings_file(name)
    # Where to act is settled first: nobody should wait for an engine only to hear that there is nowhere to go.
    target = _target(project.directory, out, force_sandbox=force_sandbox)
    command = None if quiet else _engine(out)
    stack = Stack(name, project.directory, target, report=lambda text: say(out, text), engine=command)
    if not quiet:
        for line in header(stack):
            out.print(line, soft_wrap=True)
        out.print()
    return stack


def say(out: Console, text: str) -> None:
    """A line for people, not interpreted as markup."""
    out.print(text, markup=False, soft_wrap=True)


def header(stack: Stack) -> Iterator[Any]:
    """The lines that say where a run will act."""
    from rich.text import Text

    from sophia.target import SANDBOX_DIRECTORY

    target = stack.target
    if target.running is not None:
        count = len(target.running.platforms())
        yield Text(f"sandbox   {target.backend}, {count} platforms, state kept in {SANDBOX_DIRECTORY}/")
    elif target.kind == "sandbox":
        yield Text(f"sandbox   {target.backend}")
    label = Text(target.label, "bold green" if target.kind == "sandbox" else "bold")
    if stack.name == PROD and target.kind != "sandbox":
        label.stylize("bold white on red")
    environments = stack.project.environments(stack.name)
    settings = f"settings {stack.settings_file.name}"
    if environments:
        settings += f", environment {', '.join(environments)}"
    yield Text(f"stack     {stack.project.name}/{stack.name}  ·  ").append_text(label).append(f"  ·  {settings}")


def _engine(out: Console) -> Any:
    from sophia.backend import engine_command

    return engine_command(lambda text: say(out, text))


def _target(directory: Path, out: Console, *, force_sandbox: bool) -> Target:
    from sophia.target import choose

    try:
        return choose(directory, os.environ, sandbox=force_sandbox)
    except CredentialsError:
        if not (sys.stdin.isatty() and out.is_terminal):
            raise
    click.echo("There is no PULUMI_ACCESS_TOKEN, and no sandbox runs in this checkout.", err=True)
    if not click.confirm("Start the sandbox and act there?", default=True, err=True):
        return choose(directory, os.environ, sandbox=force_sandbox)
    from sophia.cli.sandbox.running import start_sandbox
    from sophia.target import of_running

    return of_running(start_sandbox(directory, out))


def display(out: Console) -> LiveDisplay | LineDisplay:
    """Live lines on a terminal that can redraw, plain lines elsewhere."""
    from sophia.display.lines import LineDisplay
    from sophia.display.live import LiveDisplay

    return LiveDisplay(out) if out.is_terminal and not out.is_dumb_terminal else LineDisplay(out)


@contextmanager
def signals(stack: Stack) -> Iterator[None]:
    """Ctrl-C and TERM let the run finish what is in flight; a second one abandons it."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        if not stack.running:
            raise KeyboardInterrupt  # nothing is in flight yet, or any more
        if stack.stopping:
            stack.hurry()
        stack.interrupt()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

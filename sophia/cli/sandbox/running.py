"""``sophia sandbox start``, ``stop``, ``status``, ``reset`` and ``env``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sophia.cli.common import console, directory_option, output_options, say
from sophia.cli.sandbox.common import checkout_of, document, running_sandbox, state_of, translated

if TYPE_CHECKING:
    from rich.console import Console

    from sandbox.control import Running


@click.command(epilog="\b\nExamples:\n  sophia sandbox start\n  sophia sandbox start --port 8901")
@directory_option
@click.option(
    "--port", type=click.IntRange(0, 65535), default=None, help="Default 8900, or a free one if that is taken."
)
@output_options
def start(directory: Path | None, *, port: int | None, as_json: bool, debug: bool) -> int:
    """Starts it in the background, and gives it the ESC environments of this checkout."""
    del debug
    running = start_sandbox(checkout_of(directory), console(as_json=as_json), port)
    if as_json:
        document("sandbox start", _facts(running))
    return 0


@click.command(epilog="\b\nExamples:\n  sophia sandbox stop")
@directory_option
@output_options
def stop(directory: Path | None, *, as_json: bool, debug: bool) -> int:
    """Stops it. Its state is kept for the next start."""
    from sandbox import control

    del debug
    stopped = control.stop(state_of(directory))
    say(console(as_json=as_json), "sandbox   stopped; its state is kept" if stopped else "sandbox   was not running")
    if as_json:
        document("sandbox stop", {"running": False, "stopped": stopped})
    return 0


@click.command(epilog="\b\nExamples:\n  sophia sandbox status\n  sophia sandbox status --json")
@directory_option
@output_options
def status(directory: Path | None, *, as_json: bool, debug: bool) -> int:
    """Says whether it runs, where, and what exists on each platform. Exit code 6 if it does not run."""
    del debug
    running = running_sandbox(directory)
    out = console(as_json=as_json)
    platforms = running.platforms()
    say(out, f"sandbox   {running.url}, {len(platforms)} platforms, state kept in {running.directory}")
    for platform in platforms:
        say(out, f"  {platform['title']:<12} {platform['objects']:>5} objects   {platform['simulated']}")
    if as_json:
        document("sandbox status", _facts(running) | {"platforms": platforms})
    return 0


@click.command(epilog="\b\nExamples:\n  sophia sandbox reset\n  sophia sandbox reset --platform slack")
@directory_option
@click.option("--platform", help="Only this one; `pulumi` is the stacks and environments.")
@output_options
def reset(directory: Path | None, *, platform: str | None, as_json: bool, debug: bool) -> int:
    """Forgets everything that was made in it, stacks included."""
    from sandbox import control

    del debug
    checkout = checkout_of(directory)
    control.reset(state_of(directory), platform)
    running = control.status(state_of(directory))
    out = console(as_json=as_json)
    if running is not None and platform in (None, "pulumi"):
        _publish(running, checkout, out)
    say(out, f"sandbox   {platform or 'everything'} is forgotten")
    if as_json:
        document("sandbox reset", {"platform": platform})
    return 0


@click.command(epilog='\b\nExamples:\n  eval "$(sophia sandbox env)"')
@directory_option
def env(directory: Path | None) -> int:
    """Prints the lines that make a shell use it: eval "$(sophia sandbox env)", then plain pulumi works."""
    from sophia.backend import engine_command

    running = running_sandbox(directory)
    command = engine_command(lambda line: click.echo(line, err=True))
    for name, value in running.environment().items():
        click.echo(f"export {name}={shlex.quote(value)}")
    click.echo(f'export PATH={shlex.quote(str(Path(command.command).parent))}:"$PATH"')
    return 0


def start_sandbox(checkout: Path, out: Console, port: int | None = None) -> Running:
    """Starts the sandbox of a checkout unless it runs, and publishes the ESC environments. Raises SophiaError."""
    from sandbox import control
    from sophia.target import SANDBOX_DIRECTORY

    directory = checkout / SANDBOX_DIRECTORY
    was_running = control.status(directory) is not None
    try:
        running = control.start(directory, control.DEFAULT_PORT if port is None else port)
    except control.SandboxError as error:
        raise translated(error) from error
    say(
        out,
        f"sandbox   {running.url} {'runs already' if was_running else 'started'}, state kept in {SANDBOX_DIRECTORY}/",
    )
    _publish(running, checkout, out)
    return running


def _publish(running: Running, checkout: Path, out: Console) -> None:
    from sophia.environments import NAMES, publish

    folder = checkout / "esc"
    if not any((folder / f"{name}.yaml").is_file() for name in NAMES):
        say(out, "esc       this checkout has no esc/*.yaml: the sandbox's stacks have no environments")
        return
    written = publish(running, folder)
    if written:
        say(out, f"esc       published {', '.join(written)}")


def _facts(running: Running) -> dict[str, Any]:
    return {"running": True, "url": running.url, "pid": running.pid, "directory": str(running.directory)}

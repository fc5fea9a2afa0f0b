"""``sophia sandbox``: the sandbox of this checkout."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sophia.cli import unknown_command
from sophia.cli.common import console, directory_option, output_options, say
from sophia.errors import RunFailed, SettingsError, SophiaError, UnreachableError

if TYPE_CHECKING:
    from rich.console import Console

    from sandbox.control import Running


class _Group(click.Group):
    """Suggests the nearest command, and turns the sandbox's own errors into this package's."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            raise unknown_command(args[0], list(self.commands), "sophia sandbox")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        from sandbox.control import SandboxError

        try:
            return super().invoke(ctx)
        except SandboxError as error:
            raise _translated(error) from error


@click.group(
    cls=_Group,
    epilog="""\b
Examples:
  sophia sandbox start
  eval "$(sophia sandbox env)"
  sophia sandbox journal --platform airbyte
""",
)
def sandbox() -> None:
    """Every platform and Pulumi Cloud on this machine, at 127.0.0.1 only, to rehearse without an account."""


@sandbox.command(epilog="\b\nExamples:\n  sophia sandbox start\n  sophia sandbox start --port 8901")
@directory_option
@click.option(
    "--port", type=click.IntRange(0, 65535), default=None, help="Default 8900, or a free one if that is taken."
)
@output_options
def start(directory: Path | None, *, port: int | None, as_json: bool, debug: bool) -> int:
    """Starts it in the background, and gives it the ESC environments of this checkout."""
    del debug
    running = start_sandbox(_checkout(directory), console(as_json=as_json), port)
    if as_json:
        document("sandbox start", _facts(running))
    return 0


@sandbox.command(epilog="\b\nExamples:\n  sophia sandbox stop")
@directory_option
@output_options
def stop(directory: Path | None, *, as_json: bool, debug: bool) -> int:
    """Stops it. Its state is kept for the next start."""
    from sandbox import control

    del debug
    stopped = control.stop(_state(directory))
    say(console(as_json=as_json), "sandbox   stopped; its state is kept" if stopped else "sandbox   was not running")
    if as_json:
        document("sandbox stop", {"running": False, "stopped": stopped})
    return 0


@sandbox.command(epilog="\b\nExamples:\n  sophia sandbox status\n  sophia sandbox status --json")
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


@sandbox.command(epilog="\b\nExamples:\n  sophia sandbox reset\n  sophia sandbox reset --platform slack")
@directory_option
@click.option("--platform", help="Only this one; `pulumi` is the stacks and environments.")
@output_options
def reset(directory: Path | None, *, platform: str | None, as_json: bool, debug: bool) -> int:
    """Forgets everything that was made in it, stacks included."""
    from sandbox import control

    del debug
    checkout = _checkout(directory)
    control.reset(_state(directory), platform)
    running = control.status(_state(directory))
    out = console(as_json=as_json)
    if running is not None and platform in (None, "pulumi"):
        _publish(running, checkout, out)
    say(out, f"sandbox   {platform or 'everything'} is forgotten")
    if as_json:
        document("sandbox reset", {"platform": platform})
    return 0


@sandbox.command(epilog='\b\nExamples:\n  eval "$(sophia sandbox env)"')
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


@sandbox.command(
    epilog="""\b
Examples:
  sophia sandbox faults
  sophia sandbox faults add slack --status 429 --times 3 --retry-after 1
  sophia sandbox faults add airbyte --action drop-after --method POST
  sophia sandbox faults clear
"""
)
@click.argument("action", type=click.Choice(["list", "add", "clear"]), default="list")
@click.argument("platform", required=False)
@directory_option
@click.option("--method", help="Only requests of this HTTP method.")
@click.option("--path", help="Only paths of this pattern, with * and ?.")
@click.option(
    "--action", "kind", type=click.Choice(["pass", "answer", "drop", "drop-after", "half"]), help="What happens."
)
@click.option("--status", type=int, help="The platform answers with this status.")
@click.option("--retry-after", type=float, help="Seconds, sent with the status.")
@click.option("--latency", type=float, help="Seconds to wait first.")
@click.option("--times", type=int, help="How often; default: always.")
@click.option("--probability", type=float, help="Of each request, 0 to 1.")
@output_options
def faults(
    action: str, platform: str | None, directory: Path | None, *, as_json: bool, debug: bool, **rule: Any
) -> int:
    """Makes platforms fail on demand; PLATFORM is one's name, or * for all."""
    del debug
    running = running_sandbox(directory)
    out = console(as_json=as_json)
    if action == "add":
        rule["action"] = rule.pop("kind")
        given = {name: value for name, value in rule.items() if value is not None}
        if not given:
            raise click.UsageError("say what goes wrong: --status, --latency or --action")
        say(out, f"armed {running.add_fault(platform or '*', **given)}")
    elif action == "clear":
        running.remove_faults()
        say(out, "no faults any more")
    rules = running.faults()
    for entry in rules:
        say(out, "  ".join(f"{name}={value}" for name, value in entry.items() if value not in (None, "*", "")))
    if action == "list" and not rules:
        say(out, "no faults")
    if as_json:
        document("sandbox faults", {"faults": rules})
    return 0


@sandbox.command(
    epilog="""\b
Examples:
  sophia sandbox journal
  sophia sandbox journal --platform airbyte --method POST --limit 5
  sophia sandbox journal --clear
"""
)
@directory_option
@click.option(
    "--platform", "platforms", multiple=True, help="Only this one; repeatable. `pulumi` shows Pulumi Cloud's."
)
@click.option("--method", "methods", multiple=True, help="Only this HTTP method; repeatable.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True)
@click.option("--clear", is_flag=True, help="Forget the requests so far.")
@output_options
def journal(
    directory: Path | None,
    *,
    platforms: Sequence[str],
    methods: Sequence[str],
    limit: int,
    clear: bool,
    as_json: bool,
    debug: bool,
) -> int:
    """Lists the latest requests that reached a platform, and counts all of them."""
    del debug
    running = running_sandbox(directory)
    if clear:
        running.clear_journal()
    last = running.mark()
    # The journal counts from a position: as many positions back as lines are wanted may hold other platforms' too.
    view = running.journal(platforms=platforms, methods=methods, limit=100_000)
    out = console(as_json=as_json)
    for entry in view.entries[-limit:]:
        status = entry.fault or entry.status or "no answer"
        query = f"?{entry.query}" if entry.query else ""
        say(out, f"{entry.platform:<12} {entry.method:<6} {entry.path}{query}  {status}  {entry.milliseconds:.0f} ms")
    say(out, f"{view.total} requests" + "".join(f" · {p} {sum(m.values())}" for p, m in view.counts.items()))
    if as_json:
        entries = [vars(entry) for entry in view.entries[-limit:]]
        document("sandbox journal", {"entries": entries, "counts": view.counts, "last": last})
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
        raise _translated(error) from error
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


def _checkout(directory: Path | None) -> Path:
    from sophia.project import Project

    return Project.find(directory).directory


def _state(directory: Path | None) -> Path:
    from sophia.target import SANDBOX_DIRECTORY

    return _checkout(directory) / SANDBOX_DIRECTORY


def running_sandbox(directory: Path | None) -> Running:
    """The sandbox of the checkout. Raises UnreachableError if there is none."""
    from sandbox import control

    running = control.status(_state(directory))
    if running is None:
        raise UnreachableError(
            "no sandbox runs in this checkout", setting=str(_state(directory)), do="`sophia sandbox start`"
        )
    return running


def _facts(running: Running) -> dict[str, Any]:
    return {"running": True, "url": running.url, "pid": running.pid, "directory": str(running.directory)}


def document(command: str, facts: dict[str, Any]) -> None:
    """Prints the JSON document of a command of this group."""
    from sophia.cli.document import base, dump

    click.echo(dump({**base(command, 0), "sandbox": facts}))


def _translated(error: Exception) -> SophiaError:
    text = str(error)
    if "does not answer" in text:
        return UnreachableError("the sandbox does not answer", said=text, do="`sophia sandbox start`")
    if "refused" in text:
        return SettingsError(
            "the sandbox does not accept this", said=text, do="`sophia sandbox --help` shows what it can"
        )
    return RunFailed("the sandbox failed", said=text, do=f"its log is in {Path(os.curdir, '.sandbox', 'sandbox.log')}")

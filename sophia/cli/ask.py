"""``sophia outputs``, ``stacks`` and ``cancel``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from sophia.cli.common import console, directory_option, open_stack, output_options, stack_options


@click.command(
    epilog="""\b
Examples:
  sophia outputs dev
  sophia outputs dev --json
  sophia outputs dev --show-secrets
"""
)
@stack_options
@click.option("--show-secrets", is_flag=True, help="Print secret values in plain text; not together with --json.")
def outputs(
    stack: str, directory: Path | None, *, force_sandbox: bool, as_json: bool, debug: bool, show_secrets: bool
) -> int:
    """Prints the outputs of STACK, secrets masked."""
    from sophia.cli import document
    from sophia.display.difference import shown
    from sophia.display.outputs import flatten

    del debug
    if as_json and show_secrets:
        raise click.UsageError("--json never shows secrets; leave out one of --json and --show-secrets")
    opened = open_stack(stack, directory, console(as_json=True), force_sandbox=force_sandbox, quiet=True)
    values = opened.outputs(show_secrets=show_secrets)
    if as_json:
        click.echo(document.dump({**document.base("outputs", 0), **document.of_stack(opened), "outputs": values}))
        return 0
    flat = flatten(values)
    width = max((len(name) for name in flat), default=0)
    for name, value in flat.items():
        click.echo(f"{name:<{width}}  {value if isinstance(value, str) else shown(value)}")
    if not flat:
        click.echo(f'stack "{stack}" has no outputs yet: `sophia up {stack}`', err=True)
    return 0


@click.command(
    epilog="""\b
Examples:
  sophia stacks
  sophia stacks --json
"""
)
@directory_option
@output_options
@click.option("--sandbox", "force_sandbox", is_flag=True, help="Look in the sandbox even if a token is there.")
def stacks(directory: Path | None, *, force_sandbox: bool, as_json: bool, debug: bool) -> int:
    """Lists the stacks of this checkout and what their backend knows of them."""
    from sophia.backend import list_stacks
    from sophia.cli import document
    from sophia.project import Project
    from sophia.target import choose

    del debug
    project = Project.find(directory)
    target = choose(project.directory, os.environ, sandbox=force_sandbox)
    found = list_stacks(project, target)
    if as_json:
        entries = [
            {"name": s.name, "resources": s.resources, "last_update": s.last_update, "updating": s.updating}
            for s in found
        ]
        click.echo(document.dump({**document.base("stacks", 0), "stacks": entries}))
        return 0
    click.echo(f"{target.label}  {target.backend}", err=True)
    for s in found:
        state = (
            "not deployed" if s.resources is None else f"{s.resources} resources, {s.last_update or 'never updated'}"
        )
        click.echo(f"{s.name:<12} {state}{'  · an update runs' if s.updating else ''}")
    return 0


@click.command(
    epilog="""\b
Examples:
  sophia cancel dev
  sophia cancel prod --yes
"""
)
@stack_options
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def cancel(stack: str, directory: Path | None, *, force_sandbox: bool, as_json: bool, debug: bool, yes: bool) -> int:
    """Frees STACK from the lock of a run that was killed.

    A run that is still alive fails at its next step: be sure that there is none.
    """
    from sophia.cli import document

    del debug
    out = console(as_json=as_json)
    opened = open_stack(stack, directory, out, force_sandbox=force_sandbox, quiet=True)
    if opened.target.kind == "cloud" and not yes:
        click.confirm(f"Cancel what runs on {opened.full_name}?", abort=True, err=True)
    opened.cancel()
    out.print(f"stack {stack} is free; `sophia up {stack}` takes over what the killed run had begun", soft_wrap=True)
    if as_json:
        click.echo(document.dump({**document.base("cancel", 0), **document.of_stack(opened)}))
    return 0

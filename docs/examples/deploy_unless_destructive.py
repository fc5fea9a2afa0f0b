"""Deploys a stack, but only if nothing is destroyed or replaced by it.

    python docs/examples/deploy_unless_destructive.py dev

Exits with 2, and shows the plan, where something would be.
"""

from __future__ import annotations

import sys

import click

from sophia import SophiaError, Stack


@click.command()
@click.argument("name")
def main(name: str) -> None:
    """Deploys the stack NAME."""
    try:
        stack = Stack(name)
        plan = stack.preview()
        if plan.destroys or plan.replaces:
            click.echo(plan.describe())
            sys.exit(2)
        # Does exactly what was looked at; whatever has changed since makes it refuse.
        result = stack.up(plan=plan, on_event=lambda event: click.echo(event) if str(event) else None)
    except SophiaError as error:
        click.echo(error, err=True)  # what failed, what was said, which setting, what to do
        sys.exit(error.exit_code)
    click.echo(f"created {result.counts.created}, updated {result.counts.updated} in {result.duration:.0f} s")


if __name__ == "__main__":
    main()

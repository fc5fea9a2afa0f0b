"""`python -m engine` makes sure that there is an engine and says which; `python -m engine path` prints its folder."""

from __future__ import annotations

import click

from . import Engine, EngineUnavailable, ensure


@click.group(invoke_without_command=True)
@click.pass_context
def main(context: click.Context) -> None:
    """Makes sure that there is a Pulumi engine: one on PATH, a cached one, the official download, or a build."""
    if context.invoked_subcommand is None:
        click.echo(f"engine    {_ensured()}")


@main.command()
def path() -> None:
    """Prints the folder of the engine, and nothing else on standard output."""
    click.echo(_ensured().bin_dir)


def _ensured() -> Engine:
    try:
        return ensure(lambda line: click.echo(f"engine    {line}", err=True))
    except EngineUnavailable as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main(prog_name="python -m engine")

"""``sophia sandbox``: the sandbox of this checkout."""

from __future__ import annotations

from typing import Any

import click

from sophia.cli import unknown_command
from sophia.cli.sandbox.common import translated
from sophia.cli.sandbox.objects import change, delete, objects
from sophia.cli.sandbox.running import env, reset, start, status, stop
from sophia.cli.sandbox.traffic import faults, journal


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
            raise translated(error) from error


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


for command in (start, stop, status, reset, env, faults, journal, objects, change, delete):
    sandbox.add_command(command)

"""``sophia models``: what the chosen models cost now, and what would do for less."""

from __future__ import annotations

from pathlib import Path

import click

from sophia.cli.common import console, open_stack, stack_options
from sophia.health import TIMEOUT_SECONDS

DIFFERENCES = 2


@click.command(
    epilog="""\b
Examples:
  sophia models dev
  sophia models prod --json
"""
)
@stack_options
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    default=TIMEOUT_SECONDS,
    show_default=True,
    help="Seconds that OpenRouter has to answer.",
)
def models(
    stack: str, directory: Path | None, *, force_sandbox: bool, as_json: bool, debug: bool, timeout: float
) -> int:
    """Holds the models that STACK's settings choose against OpenRouter's list: whether each is still offered, what it costs
    now, whether it is under its task's ceiling and meets the declared needs, and which cheaper ones meet the same needs.
    Whether their answers are as good, no list tells. Changes nothing.

    Exits with 2 if a model is not offered any more, costs too much, lacks something, or is about to be taken away.
    """
    from sophia.backend import engine_command
    from sophia.cli import document
    from sophia.display import models as display
    from sophia.models import report

    del debug
    out = console(as_json=as_json)
    opened = open_stack(stack, directory, out, force_sandbox=force_sandbox)
    found = report(opened, timeout=timeout, engine=engine_command(lambda _line: None))
    for line in display.lines(found):
        out.print(line, soft_wrap=True)
    if found.problems:
        out.print()
        for line in display.advice(found):
            out.print(line, soft_wrap=True)
    code = DIFFERENCES if found.problems else 0
    if as_json:
        told = {**document.base("models", code), **document.of_stack(opened), "models": list(found.told)}
        click.echo(document.dump(told))
    return code

"""``sophia graph``: what needs what."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sophia.cli.common import console, open_stack, say, stack_options
from sophia.errors import SettingsError

if TYPE_CHECKING:
    from sophia.graph import Graph
    from sophia.stack import Stack


@click.command(
    epilog="""\b
Examples:
  sophia graph dev
  sophia graph dev --resources snowflake
  sophia graph prod --format mermaid
  sophia graph prod --format svg --output platforms.svg
"""
)
@stack_options
@click.option("--format", "form", type=click.Choice(["text", "mermaid", "svg"]), default="text", show_default=True)
@click.option("--resources", "platform", metavar="PLATFORM", help="The resources of this platform, not the platforms.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="A file, instead of the terminal.")
def graph(
    stack: str,
    directory: Path | None,
    *,
    force_sandbox: bool,
    as_json: bool,
    debug: bool,
    form: str,
    platform: str | None,
    output: Path | None,
) -> int:
    """Draws which platform of STACK needs which, from the state of its last run.

    A branch or an arrow leads to what is needed; beside it stands what of the other platform it is. What something needs
    only through something else is not drawn a second time; --json has all of it.
    """
    from sophia import graph as graphs
    from sophia.state import State

    del debug
    out = console(as_json=as_json or output is not None)
    opened = open_stack(stack, directory, console(as_json=True), force_sandbox=force_sandbox, quiet=True)
    state = opened.state() or State({})
    drawn = graphs.of_resources(stack, state, platform) if platform else graphs.of_platforms(stack, state)
    simple = drawn.reduced()
    text = _drawn(simple, form, opened, platform)
    if output is not None:
        _write(output, text)
        say(out, f"graph     {len(simple.nodes)} boxes, {len(simple.edges)} arrows, in {output}")
    elif not as_json:
        click.echo(text, nl=False)
    if as_json:
        _document(opened, drawn)
    return 0


def _drawn(drawn: Graph, form: str, stack: Stack, platform: str | None) -> str:
    from sophia.display import graph as display

    if form == "svg":
        from sophia.display.svg import svg

        return svg(drawn, f"What needs what in {platform or 'the platforms'} of {stack.project.name}/{stack.name}")
    lines = display.mermaid(drawn) if form == "mermaid" else display.tree(drawn)
    if form == "text" and not drawn.nodes:
        lines = [f"stack {stack.name} has nothing yet: `sophia up {stack.name}`"]
    return "".join(f"{line}\n" for line in lines)


def _write(output: Path, text: str) -> None:
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"{output} cannot be written", said=str(error.strerror), setting="option --output", do="name another file"
        ) from None


def _document(stack: Stack, drawn: Graph) -> None:
    from sophia.cli import document

    facts: dict[str, Any] = {
        "nodes": [{"key": n.key, "title": n.title, "detail": n.detail, "outside": n.outside} for n in drawn.nodes],
        "edges": [{"source": e.source, "target": e.target, "needs": list(e.needs)} for e in drawn.edges],
    }
    click.echo(document.dump({**document.base("graph", 0), **document.of_stack(stack), "graph": facts}))

"""``sophia orphans``: what carries this stack's mark on the platforms, and the state does not know."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sophia.cli.common import console, open_stack, stack_options

if TYPE_CHECKING:
    from sophia.orphans import Found

DIFFERENCES = 2


@click.command(
    epilog="""\b
Examples:
  sophia orphans dev
  sophia orphans prod --json
"""
)
@stack_options
def orphans(stack: str, directory: Path | None, *, force_sandbox: bool, as_json: bool, debug: bool) -> int:
    """Lists objects on the platforms that carry the mark of STACK and that its state does not know. Changes nothing.

    Exits with 2 if there are any. It says which kinds of objects have no room for a mark: of these nothing can be known.
    """
    from sophia.backend import engine_command
    from sophia.cli import document
    from sophia.cli.adopt import of_errors
    from sophia.cli.report import report
    from sophia.orphans import find

    out = console(as_json=as_json)
    opened = open_stack(stack, directory, out, force_sandbox=force_sandbox)
    found = find(opened, engine_command(lambda _line: None))
    for line in lines(found, stack):
        out.print(line, soft_wrap=True)
    code = DIFFERENCES if found.orphans else 0
    if failure := found.failure:
        code = report(failure, "orphans", as_json=False, debug=debug)
    if as_json:
        told = {
            "orphans": [
                {
                    "platform": o.platform,
                    "type": o.object.type,
                    "kind": o.object.kind,
                    "name": o.object.name,
                    "id": o.object.id,
                    "made": o.object.made,
                    "do": o.do,
                }
                for o in found.orphans
            ],
            "unmarked_kinds": [{"platform": platform, "kind": kind} for platform, kind in found.unmarked],
            "unlisted_kinds": [{"platform": platform, "kind": kind} for platform, kind in found.unlisted],
            "platform_errors": of_errors(found.survey.platforms),
        }
        click.echo(document.dump({**document.base("orphans", code), **document.of_stack(opened), **told}))
    return code


def lines(found: Found, stack: str) -> list[Any]:
    """What people read: each orphan and what to do about it, then what cannot be known."""
    from rich.text import Text

    shown: list[Any] = []
    for orphan in found.orphans:
        one = orphan.object
        made = f", made {one.made}" if one.made else ""
        shown.append(Text(f"{orphan.platform} {one.kind} {one.name}  {one.id}{made}", "yellow"))
        shown.append(Text(f"  do  {orphan.do}"))
    count = len(found.orphans)
    verb = "object carries" if count == 1 else "objects carry"
    if count:
        shown.append(Text(f"{count} {verb} the mark of {found.stack}, and its state does not know them", "bold"))
    elif not found.failure:
        shown.append(Text(f"no orphans: the state knows every object that carries the mark of {found.stack}", "green"))
    if found.unmarked:
        shown.append(Text(f"have no room for a mark, so that nothing can be said: {_named(found.unmarked)}", "dim"))
    if found.unlisted:
        shown.append(Text(f"cannot be listed: {_named(found.unlisted)}", "dim"))
    if found.interrupted:
        names = ", ".join(f"{r.platform} {r.kind} {r.name}".lstrip() for r in found.interrupted)
        shown.append(
            Text(f"an interrupted run was creating {names}: `sophia up {stack}` takes over what is there", "yellow")
        )
    shown.append(
        Text("what the official packages make (on Snowflake, Kubernetes, GitHub, AWS, Vercel) is not looked at", "dim")
    )
    shown += [Text(p.error.render(), "dim") for p in found.survey.platforms if p.error and p.name not in found.needed]
    return shown


def _named(kinds: tuple[tuple[str, str], ...]) -> str:
    by_platform: dict[str, list[str]] = {}
    for platform, kind in kinds:
        by_platform.setdefault(platform, []).append(kind)
    return "; ".join(f"{platform} {', '.join(names)}" for platform, names in by_platform.items())

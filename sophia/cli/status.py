"""``sophia status``: where a stack stands."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sophia.cli.common import console, display, open_stack, signals, stack_options

if TYPE_CHECKING:
    from sophia.stack import Stack
    from sophia.status import Status


@click.command(
    epilog="""\b
Examples:
  sophia status dev
  sophia status prod --json
  sophia status dev --drift --credentials --preview
"""
)
@stack_options
@click.option("--drift", "look_for_drift", is_flag=True, help="Look for drift now, instead of telling the last look.")
@click.option("--credentials", "look_at_credentials", is_flag=True, help="Ask the platforms about the credentials.")
@click.option("--preview", is_flag=True, help="Preview what an up would change.")
def status(
    stack: str,
    directory: Path | None,
    *,
    force_sandbox: bool,
    as_json: bool,
    debug: bool,
    look_for_drift: bool,
    look_at_credentials: bool,
    preview: bool,
) -> int:
    """Tells where STACK stands: resources by platform, last run, drift, credentials, pending work, who holds the lock.

    It reads what is known already, so that it is quick; drift is what the last `sophia drift` has found. The exit code is 0
    whatever it tells.
    """
    from sophia.display.status import lines
    from sophia.status import status as look

    del debug  # for the error report
    out = console(as_json=as_json)
    opened = open_stack(stack, directory, out, force_sandbox=force_sandbox)
    ask = partial(look, opened, look_for_drift=look_for_drift, look_at_credentials=look_at_credentials, preview=preview)
    if look_for_drift or preview:
        with signals(opened), display(out) as shown:
            found = ask(on_event=shown.on_event)
    else:
        found = ask()
    for line in lines(found):
        out.print(line, soft_wrap=True)
    if as_json:
        _document(opened, found)
    return 0


def _document(stack: Stack, found: Status) -> None:
    from sophia.cli import document

    click.echo(document.dump({**document.base("status", 0), **document.of_stack(stack), "status": _facts(found)}))


def _facts(found: Status) -> dict[str, Any]:
    last, drift, ages, holder = found.last, found.drift, found.credentials, found.holder
    return {
        "exists": found.exists,
        "platforms": [{"platform": p.title, "resources": p.resources, "kinds": dict(p.kinds)} for p in found.platforms],
        "last_run": last
        and {
            "version": last.entry.version,
            "what": last.what,
            "by": last.label.by if last.label else None,
            "commit": last.revision.commit if last.revision else None,
            "result": last.entry.result,
            "started": last.entry.started.isoformat(),
        },
        "drift": None
        if drift is None
        else {
            "time": drift.time.isoformat(),
            "checked": drift.checked,
            "changed": drift.changed,
            "deleted": drift.deleted,
        },
        "credentials": {
            "made_by": ages.made_by,
            "total": ages.total,
            "unknown": ages.unknown,
            "oldest": ages.oldest or None,
            "oldest_days": ages.oldest_age.days if ages.oldest_age else None,
            "overdue": list(ages.overdue),
            "refused": list(ages.refused),
        },
        "pending": {
            "interrupted_creates": [resource.urn for resource in found.interrupted],
            "unfinished": [resource.urn for resource in found.unfinished],
            "waiting_for_deletion": [resource.urn for resource in found.waiting_for_deletion],
            "changed_since_last_deploy": None if found.changed_since is None else list(found.changed_since),
            "changes": found.changes.counts.changed if found.changes else None,
        },
        "lock": holder and {"kind": holder.kind, "by": holder.author, "since": holder.started.isoformat()},
    }

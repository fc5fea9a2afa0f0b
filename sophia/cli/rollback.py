"""``sophia rollback``: back to the last good revision of program and settings."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sophia.cli.common import console, open_stack, say, stack_options
from sophia.cli.deploy import failed
from sophia.cli.deployment import Screen, pipeline_options
from sophia.errors import SettingsError, SophiaError

if TYPE_CHECKING:
    from sophia.pipeline.record import Good
    from sophia.stack import Stack


@click.command(
    epilog="""\b
Examples:
  sophia rollback dev
  sophia rollback staging --yes
  sophia rollback prod --plan-only
  sophia rollback prod --to 1a2b3c4d --approve 5f1c2d3e4a5b6c7d
"""
)
@stack_options
@click.option("-y", "--yes", is_flag=True, help="Do not ask; prod with real accounts still needs the plan's approval.")
@click.option(
    "--to", metavar="COMMIT", default="", help="The good deploy to return to; default: the last good revision."
)
@click.option("--approve", metavar="DIGEST", default="", help="Run the plan with this digest, and no other.")
@click.option("--plan-only", is_flag=True, help="Show what it would do and the plan's digest, and change nothing.")
@pipeline_options
def rollback(
    stack: str,
    directory: Path | None,
    *,
    force_sandbox: bool,
    as_json: bool,
    debug: bool,
    yes: bool,
    to: str,
    approve: str,
    plan_only: bool,
    watch: float,
    events_file: Path | None,
    no_slack: bool,
    fail_fast: bool,
) -> int:
    """Returns STACK to the last good revision of program and settings.

    Good is a `sophia deploy` that went well to its end, from a commit. Its files come from git into a folder of their own;
    yours are not touched. Shows the preview and asks, then does what a deploy does. What is in the ESC environments stays as
    it is: `pulumi env version rollback` is for that.
    """
    from sophia import health
    from sophia.backend import engine_command
    from sophia.cli.document import dump
    from sophia.pipeline.deploy import PLANNING, STEPS
    from sophia.pipeline.deployment import Deployment, Options
    from sophia.pipeline.rollback import stack_at, target_of

    out = console(as_json=as_json)
    opened = open_stack(stack, directory, out, force_sandbox=force_sandbox)
    engine = engine_command(lambda _line: None)
    good = target_of(opened, to)
    for line in _described(opened, good):
        say(out, line)
    screen = Screen(out, opened, asks=not as_json, events_file=events_file, slack=not no_slack)
    ask = screen.ask(f"Roll {opened.full_name} back to {good.revision.short}?")
    if not (yes or approve or ask or plan_only):
        raise _unagreed(opened)
    options = Options(
        require_approval=not yes,
        approve=approve,
        yes=yes,
        ask=ask,
        watch=watch,
        fail_fast=fail_fast,
        on_plan=screen.show,
        watched=screen.watched,
        check_health=health.check,
        report=lambda text: say(out, text),
    )
    with stack_at(opened, engine, good, options.report) as then:
        deployment = Deployment.of("rollback", then, engine, options)
        try:
            screen.run(deployment, tuple(PLANNING if plan_only else STEPS), planning=plan_only)
        except SophiaError as error:
            return failed(screen, error, "rollback", as_json=as_json, debug=debug)
    screen.warn()
    if plan_only and deployment.plan is not None:
        say(out, f"  plan      {deployment.plan.digest}")
        say(out, f"  Next: sophia rollback {stack} --approve {deployment.plan.short_digest}")
    else:
        say(out, f"  Next: git revert what was wrong, then sophia deploy {stack} · sophia history {stack}")
    if as_json:
        click.echo(dump(screen.document(0)))
    return 0


def _described(stack: Stack, good: Good) -> list[str]:
    from sophia.pipeline.revision import title_of

    title = title_of(stack.project.directory, good.revision.commit)
    when = f"{good.entry.started:%Y-%m-%d %H:%M} UTC by {good.by}"
    return [
        f"back to   {good.revision.short} {title}".rstrip(),
        f"          version {good.entry.version}, deployed {when}",
    ]


def _unagreed(stack: Stack) -> SettingsError:
    who = "nobody is asked with --json" if sys.stdin.isatty() else "this is not a terminal, so nobody can be asked"
    return SettingsError(
        f'stack "{stack.name}" at {stack.target.label}: a rollback must be agreed to, and nothing was changed',
        said=who,
        setting="option --yes",
        do="run it with --yes; prod with real accounts: at a terminal, or with --approve DIGEST",
    )

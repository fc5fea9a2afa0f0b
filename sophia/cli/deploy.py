"""``sophia deploy``: a change to the platforms from its validation to the proof that all is well."""

from __future__ import annotations

from pathlib import Path

import click

from sophia.cli.common import console, open_stack, say, stack_options
from sophia.cli.deployment import Screen, pipeline_options
from sophia.errors import SophiaError


@click.command(
    epilog="""\b
Examples:
  sophia deploy dev
  sophia deploy prod --plan-only --plan-file prod.plan
  sophia deploy prod --plan-file prod.plan --approve 5f1c2d3e4a5b6c7d
  sophia deploy staging --yes --json --events steps.jsonl
"""
)
@stack_options
@click.option("-y", "--yes", is_flag=True, help="Agree to what destroys or replaces; prod still needs the approval.")
@click.option("--require-approval", is_flag=True, help="Ask for the plan's approval, as for prod with real accounts.")
@click.option("--approve", metavar="DIGEST", default="", help="Run the plan with this digest, and no other.")
@click.option("--plan-only", is_flag=True, help="Make the plan, print its digest, and change nothing.")
@click.option(
    "--plan-file",
    "--plan",
    "plan_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="With --plan-only: write the plan there. Without: run the plan in it, exactly.",
)
@pipeline_options
def deploy(
    stack: str,
    directory: Path | None,
    *,
    force_sandbox: bool,
    as_json: bool,
    debug: bool,
    yes: bool,
    require_approval: bool,
    approve: str,
    plan_only: bool,
    plan_file: Path | None,
    watch: float,
    events_file: Path | None,
    no_slack: bool,
    fail_fast: bool,
) -> int:
    """Deploys STACK step by step: validate, preview, approve, deploy, test, watch, record.

    The plan holds for the state, the program, the settings and the ESC revisions that it was made from, and for a day; a
    stale one is refused. Prod with real accounts needs its approval: at the terminal, or by --approve. After a failure it
    says where it stands and how to go back. A deploy that went well to its end is noted: `sophia rollback` returns to it.
    """
    from sophia import esc, health
    from sophia.backend import engine_command
    from sophia.cli.document import dump
    from sophia.pipeline.deploy import PLANNING, STEPS
    from sophia.pipeline.deployment import Deployment, Options

    if plan_only and approve:
        raise click.UsageError(
            "--plan-only runs nothing that could be approved; leave out one of --plan-only and --approve"
        )
    out = console(as_json=as_json)
    opened = open_stack(stack, directory, out, force_sandbox=force_sandbox)
    screen = Screen(out, opened, asks=not as_json, events_file=events_file, slack=not no_slack)
    options = Options(
        require_approval=require_approval,
        approve=approve,
        yes=yes,
        ask=screen.ask(f"Deploy {opened.full_name} at {opened.target.backend}?"),
        plan_file=None if plan_only else plan_file,
        watch=watch,
        fail_fast=fail_fast,
        on_plan=screen.show,
        watched=screen.watched,
        check_health=health.check,
        check_esc=esc.check,
        report=lambda text: say(out, text),
    )
    deployment = Deployment.of("deploy", opened, engine_command(lambda _line: None), options)
    try:
        screen.run(deployment, tuple(PLANNING if plan_only else STEPS), planning=plan_only)
    except SophiaError as error:
        return failed(screen, error, "deploy", as_json=as_json, debug=debug)
    screen.warn()
    if plan_only and deployment.plan is not None:
        if plan_file is not None:
            deployment.plan.write(plan_file)
        say(out, f"  plan      {deployment.plan.digest}")
        said = f" --plan-file {plan_file}" if plan_file else ""
        say(out, f"  Next: sophia deploy {stack}{said} --approve {deployment.plan.short_digest}")
    else:
        say(out, f"  Next: sophia outputs {stack} · sophia history {stack} · sophia rollback {stack}")
    if as_json:
        click.echo(dump(screen.document(0)))
    return 0


def failed(screen: Screen, error: SophiaError, command: str, *, as_json: bool, debug: bool) -> int:
    """Tells what failed, where the deployment stands and the ways back; the exit code."""
    from sophia.cli import document
    from sophia.cli.report import report

    code = report(error, command, as_json=False, debug=debug)
    click.echo(err=True)
    standing = screen.standing()
    for line in standing:
        click.echo(line, err=True)
    screen.warn()
    if as_json:
        told = {**document.of_error(error, command), **screen.document(code)}
        # How far the run got is what counts of a run that failed, and not what was planned.
        told |= document.of_partial(error.partial) if error.partial is not None else {}
        click.echo(document.dump({**told, "standing": standing}))
    return code

"""``sophia slack-token``: renews the token with which Slack's apps are configured."""

from __future__ import annotations

from pathlib import Path

import click

from sophia.cli.common import console, open_stack, stack_options


@click.command(
    "slack-token",
    epilog="""\b
Examples:
  sophia slack-token dev --first
  sophia slack-token dev
""",
)
@stack_options
@click.option("--first", is_flag=True, help="Ask for the refresh token, as a person has it from api.slack.com/apps.")
def slack_token(
    stack: str, directory: Path | None, *, force_sandbox: bool, as_json: bool, debug: bool, first: bool
) -> int:
    """Renews STACK's Slack configuration token, which lasts twelve hours, and keeps the new one in Pulumi Cloud.

    Only a change of an app's manifest needs it. Slack takes a refresh token once: what it gives for it is in a file that
    only you can read until Pulumi Cloud has it, and a run that was cut short is finished by the next one.
    """
    from sophia.backend import engine_command
    from sophia.cli import document
    from sophia.slack_token import renew

    del debug
    out = console(as_json=as_json)
    opened = open_stack(stack, directory, out, force_sandbox=force_sandbox, quiet=True)
    given = click.prompt("refresh token", hide_input=True, err=True).strip() if first else ""
    expires = renew(opened.project, stack, opened.target, engine_command(lambda _line: None), given)
    out.print(f"SLACK_CONFIG_TOKEN of {stack} is renewed, until {expires.isoformat()}", soft_wrap=True)
    if as_json:
        told = {**document.base("slack-token", 0), **document.of_stack(opened), "expires": expires.isoformat()}
        click.echo(document.dump(told))
    return 0

"""The command ``sophia``. Modules of commands are imported when a command of theirs runs, so that --help is quick."""

from __future__ import annotations

import difflib
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from sophia.errors import Interrupted, SettingsError, SophiaError

_COMMANDS = {
    "up": ("sophia.cli.run", "up", "Make the platforms as the program says."),
    "preview": ("sophia.cli.run", "preview", "Show what up would do; change nothing."),
    "deploy": ("sophia.cli.deploy", "deploy", "Validate, preview, approve, deploy, test and watch a change."),
    "rollback": ("sophia.cli.rollback", "rollback", "Go back to the last good revision of program and settings."),
    "history": ("sophia.cli.history", "history", "List who did what to a stack, when, and how it went."),
    "refresh": ("sophia.cli.run", "refresh", "Read the platforms and note what differs."),
    "drift": ("sophia.cli.drift", "drift", "Show what was changed on the platforms by hand."),
    "destroy": ("sophia.cli.run", "destroy", "Remove everything that a stack has made."),
    "adopt": ("sophia.cli.adopt", "adopt", "Take over what exists already, without making it again."),
    "orphans": ("sophia.cli.orphans", "orphans", "List objects of a stack that its state does not know."),
    "status": ("sophia.cli.status", "status", "Tell where a stack stands."),
    "graph": ("sophia.cli.graph", "graph", "Draw what needs what."),
    "compliance": ("sophia.cli.compliance", "compliance", "Report which controls the policies and the state show."),
    "outputs": ("sophia.cli.ask", "outputs", "Print a stack's outputs."),
    "stacks": ("sophia.cli.ask", "stacks", "List the stacks and what is in them."),
    "cancel": ("sophia.cli.ask", "cancel", "Free a stack that a killed run left locked."),
    "health": ("sophia.cli.health", "health", "Ask every platform whether it is well."),
    "credentials": ("sophia.cli.credentials", "credentials", "List every key, its age, and whether it still works."),
    "slack-token": ("sophia.cli.slack_token", "slack_token", "Renew the token with which Slack's apps are configured."),
    "models": ("sophia.cli.models", "models", "Tell what the chosen models cost now, and what would do for less."),
    "esc": ("sophia.cli.esc", "esc", "The ESC environments: check, compare and publish them."),
    "sandbox": ("sophia.cli.sandbox", "sandbox", "Every platform on this machine, to rehearse."),
}

CONTEXT = {"help_option_names": ["-h", "--help"]}


class Commands(click.Group):
    """Loads a command when it is needed, and suggests the nearest for a misspelt one."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the base's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        if cmd_name not in _COMMANDS:
            return None
        module, attribute, _ = _COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            raise unknown_command(args[0], list(_COMMANDS), "sophia")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_text) for name, (_, _, help_text) in _COMMANDS.items()])


def unknown_command(name: str, known: Sequence[str], prefix: str) -> SettingsError:
    """The error for a misspelt command, with the nearest one."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return SettingsError(
        f'there is no command "{prefix} {name}"',
        do=f"did you mean `{prefix} {near[0]}`?" if near else f"`{prefix} --help` lists the commands",
    )


@click.command(
    cls=Commands,
    context_settings=CONTEXT,
    epilog="""\b
Exit codes, the same in every command:
  0 done · 1 failed · 2 differences found · 3 settings wrong
  4 credentials missing or refused · 5 locked by another run
  6 platform unreachable · 130 interrupted
\b
Examples:
  sophia up dev
  sophia preview staging --expect-no-changes
  sophia outputs dev --json
\b
Completion (bash; zsh and fish alike):
  eval "$(_SOPHIA_COMPLETE=bash_source sophia)"
""",
)
def sophia() -> None:
    """Deploys the SaaS estate: the platforms' settings in, the platforms as they should be out.

    Acts on real accounts with a PULUMI_ACCESS_TOKEN or a login, and on the sandbox of this checkout without.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command and ends the process with its exit code."""
    code = run(sys.argv[1:] if arguments is None else arguments)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done and said: there is nothing left to interrupt
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Runs the command; its exit code. Every error that people can cause ends here as one message."""
    as_json, debug = "--json" in arguments, "--debug" in arguments
    command = next((a for a in arguments if not a.startswith("-")), "")
    try:
        code = sophia.main(list(arguments), prog_name="sophia", standalone_mode=False)
    except SophiaError as error:
        return _report(error, command, as_json=as_json, debug=debug)
    except click.UsageError as error:
        hint = error.ctx.command_path if error.ctx else "sophia"
        usage = SettingsError(error.format_message(), do=f"`{hint} --help` shows how")
        return _report(usage, command, as_json=as_json, debug=debug)
    except (click.Abort, KeyboardInterrupt):
        return _report(Interrupted("interrupted"), command, as_json=as_json, debug=debug)
    except BrokenPipeError:
        # Whoever read the output has gone (`sophia … | head`). Without this the interpreter complains at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code if isinstance(code, int) else 0


def _report(error: SophiaError, command: str, *, as_json: bool, debug: bool) -> int:
    from sophia.cli.report import report

    details: dict[str, Any] = {"as_json": as_json, "debug": debug}
    return report(error, command, **details)

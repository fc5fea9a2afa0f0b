"""``sophia esc``: the ESC environments of git, checked offline, compared with Pulumi Cloud and published there."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sophia.cli import unknown_command
from sophia.cli.common import PROD, complete_stack, console, directory_option, output_options, say, yes_option
from sophia.errors import SettingsError

if TYPE_CHECKING:
    from rich.console import Console

    from sophia.esc.check import Report
    from sophia.esc.cloud import Cloud
    from sophia.esc.files import Environments
    from sophia.esc.findings import Finding
    from sophia.esc.publish import Comparison, Published
    from sophia.project import Project

_DIFFERENCES, _SETTINGS_WRONG, _CREDENTIALS_MISSING = 2, 3, 4
_BASE = "base"


class _Group(click.Group):
    """Suggests the nearest command."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            raise unknown_command(args[0], list(self.commands), "sophia esc")
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Group,
    epilog="""\b
Examples:
  sophia esc check
  sophia esc diff dev
  sophia esc push base
""",
)
def esc() -> None:
    """The ESC environments of esc/: checked here, compared with Pulumi Cloud, published there."""


def _cloud_options(command: Any) -> Any:
    command = output_options(command)
    command = click.option(
        "--sandbox", "force_sandbox", is_flag=True, help="Act in the sandbox even if a token is there."
    )(command)
    return directory_option(command)


def _names_options(command: Any) -> Any:
    command = click.option("--all", "everything", is_flag=True, help="Every environment of esc/.")(command)
    return click.argument("names", metavar="[STAGE|base]...", nargs=-1, shell_complete=complete_stack)(command)


@esc.command(epilog="\b\nExamples:\n  sophia esc check\n  sophia esc check --json")
@directory_option
@output_options
def check(directory: Path | None, *, as_json: bool, debug: bool) -> int:
    """Evaluates every environment of esc/ as Pulumi Cloud would, and looks for what else is wrong. Offline.

    Finds what does not resolve, secrets in clear, a stage that sees another, credentials that are missing or not needed,
    values that are known to be wrong, types that get lost. Exits with 3 if anything must be corrected.
    """
    from sophia.esc import examine
    from sophia.project import Project

    del debug
    report = examine(Project.find(directory))
    code = _SETTINGS_WRONG if report.errors else 0
    _show_findings(report)
    said = f"esc       {_count(len(report.environments), 'environment')}"
    if report.findings:
        said += f", {_count(len(report.errors), 'error')}, {_count(len(report.warnings), 'warning')}"
    say(console(as_json=as_json), said if report.findings else f"{said}, nothing wrong")
    if as_json:
        findings = [{**_finding_facts(one), "severity": one.severity} for one in report.findings]
        facts = {"environments": list(report.environments), "findings": findings}
        warnings = [one.render() for one in report.warnings]
        _document("esc check", code, facts, warnings, [_finding_facts(one) for one in report.errors])
    return code


@esc.command(epilog="\b\nExamples:\n  sophia esc diff dev\n  sophia esc diff --all --json")
@_names_options
@_cloud_options
def diff(
    names: tuple[str, ...], directory: Path | None, *, everything: bool, force_sandbox: bool, as_json: bool, debug: bool
) -> int:
    """Compares environments of esc/ with what Pulumi Cloud has, by revision and text. Secrets are not shown.

    Exits with 2 if there is a difference. A difference between two encrypted secrets cannot be seen.
    """
    del debug
    out = console(as_json=as_json)
    environments, cloud, chosen = _open(names, directory, out, everything=everything, force_sandbox=force_sandbox)
    comparisons = _compare(cloud, environments, chosen)
    for one in comparisons:
        _show_comparison(one, out)
    missing = _tell_missing(cloud, environments, chosen)
    differ = [one for one in comparisons if one.state != "same"]
    if differ:
        say(out, f"Next: sophia esc push {' '.join(_short(one.name) for one in differ)}")
    code = _DIFFERENCES if differ else 0
    if as_json:
        facts = {"environments": [_comparison_facts(one) for one in comparisons]}
        _document("esc diff", code, facts, missing)
    return code


@esc.command(
    epilog="\b\nExamples:\n  sophia esc push dev\n  sophia esc push --all --yes\n  sophia esc push base --force"
)
@_names_options
@click.option("--force", is_flag=True, help="Overwrite what was changed in Pulumi Cloud, after showing it.")
@yes_option
@_cloud_options
def push(
    names: tuple[str, ...],
    directory: Path | None,
    *,
    everything: bool,
    force: bool,
    yes: bool,
    force_sandbox: bool,
    as_json: bool,
    debug: bool,
) -> int:
    """Publishes environments of esc/ in Pulumi Cloud as new revisions, tagged `pushed` and `git-<commit>`.

    Checks them first. What somebody changed in Pulumi Cloud since the last push is not overwritten without --force. The
    environments credentials-<stage> are never touched. With real accounts, base and prod are published after asking.
    """
    from sophia.esc import check as problems_of
    from sophia.esc.publish import push as publish

    del debug
    out = console(as_json=as_json)
    project = _project(directory)
    problems = problems_of(project)
    if problems:
        raise SettingsError(problems)
    environments, cloud, chosen = _open(names, directory, out, everything=everything, force_sandbox=force_sandbox)
    comparisons = _compare(cloud, environments, chosen)
    changing = [one for one in comparisons if one.state != "same"]
    for one in changing:
        _show_comparison(one, out)
    if not yes:
        _agreed(cloud, changing, out)
    published = []
    for one in comparisons:
        published.append(publish(cloud, environments, one, force=force))
        _show_published(published[-1], out)
    if as_json:
        _document("esc push", 0, {"environments": [_published_facts(one) for one in published]})
    return 0


@esc.command(epilog="\b\nExamples:\n  sophia esc credentials dev\n  sophia esc credentials prod --json")
@click.argument("stage", shell_complete=complete_stack)
@_cloud_options
def credentials(stage: str, directory: Path | None, *, force_sandbox: bool, as_json: bool, debug: bool) -> int:
    """Says which variables credentials-STAGE must contain, and which of them it has. Values are neither read nor shown.

    Exits with 4 if one is missing.
    """
    from sophia.esc.credentials import inventory

    del debug
    out = console(as_json=as_json)
    project = _project(directory)
    project.settings_file(stage)
    environments, cloud, _ = _open((stage,), directory, out, everything=False, force_sandbox=force_sandbox)
    found = inventory(cloud, environments, stage)
    width = max((len(one.name) for one in found.entries), default=0)
    if not found.exists:
        say(out, f"{found.environment} does not exist in {cloud.target.organization}")
    for entry in found.entries:
        say(out, f"{entry.state:<8} {entry.name:<{width}}  {entry.source}".rstrip())
    code = _CREDENTIALS_MISSING if any(entry.state in ("missing", "in clear") for entry in found.entries) else 0
    if as_json:
        entries = [{"name": e.name, "state": e.state, "source": e.source} for e in found.entries]
        facts = {"environment": found.environment, "exists": found.exists, "credentials": entries}
        _document("esc credentials", code, facts)
    return code


def _project(directory: Path | None) -> Project:
    from sophia.project import Project

    return Project.find(directory)


def _open(
    names: Sequence[str], directory: Path | None, out: Console, *, everything: bool, force_sandbox: bool
) -> tuple[Environments, Cloud, list[str]]:
    """The environments of git, those of the cloud, and which are meant; says where it acts."""
    from sophia.esc.files import Environments
    from sophia.esc.publish import ordered
    from sophia.target import choose

    project = _project(directory)
    environments = Environments.of(project)
    if everything == bool(names):
        raise click.UsageError("name stages or base, or say --all")
    wanted = names or [_short(name) for name in environments.definitions]
    for name in wanted:
        environments.definition(name)
    target = choose(project.directory, os.environ, sandbox=force_sandbox)
    from sophia.esc.cloud import Cloud

    cloud = Cloud(target, project.name, os.environ)
    say(out, f"esc       {target.label}  ·  {target.backend}  ·  organisation {target.organization}")
    return environments, cloud, ordered(environments, wanted)


def _compare(cloud: Cloud, environments: Environments, names: Sequence[str]) -> list[Comparison]:
    from sophia.esc.publish import compare

    return [compare(cloud, environments, name) for name in names]


def _tell_missing(cloud: Cloud, environments: Environments, names: Sequence[str]) -> list[str]:
    """Says which environments with credentials are missing; the same for the document."""
    from sophia.esc.publish import missing_credentials

    problems = missing_credentials(cloud, environments, names)
    for problem in problems:
        click.echo(f"\n{problem.render()}", err=True)
    return [problem.what for problem in problems]


def _agreed(cloud: Cloud, changing: Sequence[Comparison], out: Console) -> None:
    """Asks before prod, or all stages at once, get something else with real accounts."""
    grave = [_short(one.name) for one in changing if _short(one.name) in (_BASE, PROD)]
    if cloud.target.kind != "cloud" or not grave:
        return
    if not (sys.stdin.isatty() and out.is_terminal):
        raise SettingsError(
            f"{', '.join(grave)} at {cloud.target.label}: to publish it must be agreed to",
            said="this is not a terminal, so nobody can be asked",
            setting="option --yes",
            do=f"look at `sophia esc diff {' '.join(grave)}`, then push it with --yes",
        )
    click.confirm(f"Publish {', '.join(grave)} in {cloud.target.organization}?", abort=True, err=True)


def _show_findings(report: Report) -> None:
    for finding in report.findings:
        first, _, rest = finding.render().partition("\n")
        color = "red" if finding.severity == "error" else "yellow"
        plain = False if os.environ.get("NO_COLOR") else None
        click.secho(f"{finding.severity} {first}", fg=color, bold=True, err=True, color=plain)
        click.echo(f"{rest}\n" if rest else "", err=True)


def _show_comparison(one: Comparison, out: Console) -> None:
    said = {
        "same": f"as in git, revision {one.revision}",
        "absent": "does not exist there",
        "differs": f"differs from revision {one.revision}",
        "changed": f"differs from revision {one.revision}, which was changed there: {one.reason}",
    }[one.state]
    say(out, f"{one.name:<20} {said}")
    if one.diff:
        say(out, one.diff.rstrip("\n"))


def _show_published(one: Published, out: Console) -> None:
    done = (
        f"revision {one.revision}, tags {', '.join(one.tags)}" if one.written else f"as in git, revision {one.revision}"
    )
    say(out, f"{one.name:<20} {done}")


def _document(
    command: str, code: int, facts: dict[str, Any], warnings: Sequence[str] = (), problems: Sequence[Any] = ()
) -> None:
    from sophia.cli.document import base, dump

    told = {"problems": list(problems)} if problems else {}
    click.echo(dump({**base(command, code), "esc": facts, "warnings": list(warnings), **told}))


def _finding_facts(one: Finding) -> dict[str, Any]:
    place = {"kind": one.kind, "file": one.file, "line": one.line}
    return {"what": one.what, "said": one.said, "setting": one.setting, "do": one.do, **place}


def _comparison_facts(one: Comparison) -> dict[str, Any]:
    return {"name": one.name, "state": one.state, "revision": one.revision, "diff": one.diff, "reason": one.reason}


def _published_facts(one: Published) -> dict[str, Any]:
    return {"name": one.name, "revision": one.revision, "written": one.written, "tags": list(one.tags)}


def _short(name: str) -> str:
    return name.partition("/")[2]


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"

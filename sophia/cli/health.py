"""``sophia health``: whether every platform is well."""

from __future__ import annotations

import difflib
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sophia.cli.common import complete_stack, console, directory_option, open_stack, output_options
from sophia.errors import SettingsError, SophiaError
from sophia.health import TIMEOUT_SECONDS

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from sophia.health import HealthReport, Verdict
    from sophia.runner import EngineCommand
    from sophia.stack import Stack

FAILING = 1


@click.command(
    epilog="""\b
Examples:
  sophia health
  sophia health dev --json
  sophia health prod --watch --interval 60
  sophia health dev --platform slack --platform airbyte
  sophia health prod --push
"""
)
@click.argument("stack", required=False, shell_complete=complete_stack)
@directory_option
@click.option("--sandbox", "force_sandbox", is_flag=True, help="Look in the sandbox even if a token is there.")
@click.option("--platform", "platforms", multiple=True, help="Only this one; can be repeated.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    default=TIMEOUT_SECONDS,
    show_default=True,
    help="Seconds that a platform has to answer.",
)
@click.option("--watch", is_flag=True, help="Look again and again, until Ctrl-C; on a pipe a line for each change.")
@click.option(
    "--interval", type=click.FloatRange(min=0.1), default=30.0, show_default=True, help="Seconds between looks."
)
@click.option(
    "--alert", is_flag=True, help="Tell the stack's Slack channel `alerts` what has changed since the last time."
)
@click.option(
    "--metrics",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    metavar="FILE",
    help="Write what was found, and how the credentials are, as figures for Prometheus.",
)
@click.option("--push", is_flag=True, help="Put the same figures into the Pushgateway of the stack's monitoring.")
@output_options
def health(
    stack: str | None,
    directory: Path | None,
    *,
    force_sandbox: bool,
    platforms: tuple[str, ...],
    timeout: float,
    watch: bool,
    interval: float,
    alert: bool,
    metrics: Path | None,
    push: bool,
    as_json: bool,
    debug: bool,
) -> int:
    """Asks every platform of STACK, all at once, whether it is well: reachable, the credential valid and permitted enough,
    quota left, not slow. Without STACK: of all stacks that exist. Changes nothing.

    Exits with 0 if nothing fails (what is degraded still works), with 1 if something does. What --alert has told is kept in
    the stack's tag sophia:health in Pulumi Cloud, so that every machine knows it.
    """
    from sophia.backend import engine_command

    del debug
    if watch and as_json:
        raise click.UsageError("--watch is for people, --json for machines; leave out one of them")
    if alert and platforms:
        raise click.UsageError("--alert is about all platforms; leave --platform out")
    if (metrics or push) and (watch or platforms):
        raise click.UsageError("figures are of one look at all platforms; leave --watch and --platform out")
    out = console(as_json=as_json)
    opened = _opened(stack, directory, out, force_sandbox=force_sandbox)
    for one in opened:
        _check_names(one, platforms)
    engine = engine_command(lambda _line: None)
    looking = _Looking(opened, list(platforms) or None, timeout, engine, alert=alert)
    if watch:
        return _watch(looking, out, interval)
    reports = looking.reports()
    for report in reports.values():
        for part in _parts(report, several=len(reports) > 1):
            out.print(part, soft_wrap=True)
    code = looking.told(out, reports)
    if metrics or push:
        looking.tell_figures(out, reports, metrics, push=push)
    if as_json:
        _print_document(opened, reports, code)
    return code


class _Looking:
    """Looks at the health of stacks, and tells of it."""

    def __init__(
        self, stacks: list[Stack], platforms: list[str] | None, timeout: float, engine: EngineCommand, *, alert: bool
    ) -> None:
        self.stacks = stacks
        self._platforms, self._timeout, self._engine, self._alert = platforms, timeout, engine, alert

    def reports(self) -> dict[str, HealthReport]:
        """By the stacks' names; stacks are looked at at the same time."""
        from concurrent.futures import ThreadPoolExecutor

        from sophia.health import check

        with ThreadPoolExecutor(len(self.stacks)) as pool:
            found = pool.map(
                lambda one: check(one, self._platforms, timeout=self._timeout, engine=self._engine), self.stacks
            )
            return {stack.name: report for stack, report in zip(self.stacks, found, strict=True)}

    def tell_figures(self, out: Console, reports: Mapping[str, HealthReport], file: Path | None, *, push: bool) -> None:
        """What was found, and how the credentials are, as Prometheus reads it: into a file, to the Pushgateways."""
        from sophia import figures
        from sophia.credentials import records

        credentials = {one.name: records(one, timeout=self._timeout, engine=self._engine) for one in self.stacks}
        if file:
            _write(file, figures.text(reports.values(), credentials.values()))
            out.print(f"figures   {file}", markup=False, soft_wrap=True)
        for one in self.stacks if push else ():
            of_stack = figures.text([reports[one.name]], [credentials[one.name]])
            pushed = figures.push(one, of_stack, engine=self._engine)
            out.print(f"figures   {one.name}: {'in the Pushgateway' if pushed else 'it has no monitoring'}")

    def told(self, out: Console, reports: Mapping[str, HealthReport]) -> int:
        """Alerts, where that is wanted; the exit code. An alert that cannot be posted fails only after all was said."""
        from sophia.alerts import tell

        code = 0 if all(report.well for report in reports.values()) else FAILING
        for stack in self.stacks if self._alert else ():
            try:
                changes = tell(stack, "health", reports[stack.name].facts, engine=self._engine)
            except SophiaError as error:
                out.print(f"no alert was posted: {error}", markup=False, style="yellow", soft_wrap=True)
                code = code or error.exit_code
            else:
                posted = f"{len(changes)} changes posted to Slack" if changes else "no change, so nothing was posted"
                out.print(f"alert     {stack.name}: {posted}")
        return code


def _write(file: Path, figures: str) -> None:
    """The file of ``--metrics``, whole or not at all: who reads it at this moment finds no half of it."""
    partial = file.with_name(f"{file.name}.partial")
    try:
        partial.write_text(figures, encoding="utf-8")
        partial.replace(file)
    except OSError as error:
        raise SettingsError(
            f"{file} cannot be written",
            said=error.strerror or str(error),
            setting="option --metrics",
            do="name another",
        ) from None


def _opened(name: str | None, directory: Path | None, out: Console, *, force_sandbox: bool) -> list[Stack]:
    if name is not None:
        return [open_stack(name, directory, out, force_sandbox=force_sandbox)]
    from sophia.backend import list_stacks
    from sophia.project import Project

    project = Project.find(directory)
    if not project.stacks:
        raise SettingsError("the project has no stacks", setting="Pulumi.<stack>.yaml", do="add a settings file")
    first = open_stack(project.stacks[0], directory, out, force_sandbox=force_sandbox, quiet=True)
    known = [entry.name for entry in list_stacks(project, first.target) if entry.resources is not None]
    if not known:
        raise SettingsError(
            f"no stack of {project.name} exists yet at {first.target.backend}",
            do=f"`sophia up {first.name}` makes one; `sophia health {first.name}` asks its platforms before that",
        )
    return [open_stack(name, directory, out, force_sandbox=force_sandbox, quiet=True) for name in known]


def _check_names(stack: Stack, platforms: tuple[str, ...]) -> None:
    from sophia.health import platforms_of, settings_of

    known = platforms_of(stack, settings_of(stack))
    for name in platforms:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise SettingsError(
                f'stack "{stack.name}" has no platform "{name}"',
                said=f"it has {', '.join(known)}",
                setting="option --platform",
                do=f'did you mean "{near[0]}"?' if near else "leave the option out for all of them",
            )


def _parts(report: HealthReport, *, several: bool) -> Iterator[RenderableType]:
    from sophia.display import health as display

    if several:
        yield f"[bold]{report.stack}[/]"
    yield from display.lines(report)
    if problems := list(display.advice(report)):
        yield ""
        yield from problems
    yield display.summary(report)


def _watch(looking: _Looking, out: Console, interval: float) -> int:
    """Never ends by itself. On a terminal the table is redrawn, elsewhere each change of a verdict is a line."""
    from rich.console import Group
    from rich.live import Live

    from sophia.display.health import line

    if out.is_terminal and not out.is_dumb_terminal:
        with Live(console=out, auto_refresh=False) as live:
            while True:
                reports = looking.reports()
                parts = [part for report in reports.values() for part in _parts(report, several=len(reports) > 1)]
                live.update(
                    Group(*parts, f"[dim]{time.strftime('%H:%M:%S')}, again in {interval:g} s[/]"), refresh=True
                )
                looking.told(live.console, reports)
                time.sleep(interval)
    before: dict[tuple[str, str], Verdict] = {}
    while True:
        reports = looking.reports()
        for report in reports.values():
            for check in report.checks:
                if before.get((report.stack, check.platform)) != check.verdict:
                    click.echo(f"{time.strftime('%Y-%m-%dT%H:%M:%S')} {line(report.stack, check)}")
                    before[report.stack, check.platform] = check.verdict
        looking.told(out, reports)
        time.sleep(interval)


def _print_document(stacks: list[Stack], reports: Mapping[str, HealthReport], code: int) -> None:
    from sophia.cli import document

    about = document.of_stack(stacks[0]) if len(stacks) == 1 else {}
    told: list[dict[str, Any]] = [
        {
            "stack": report.stack,
            "well": report.well,
            "duration_seconds": round(report.duration, 3),
            "checks": [
                {
                    "platform": check.platform,
                    "title": check.title,
                    "verdict": check.verdict,
                    "latency_seconds": check.latency,
                    "checked": list(check.checked),
                    "quotas": [{"what": q.what, "left": q.left, "of": q.of} for q in check.quotas],
                    "problems": [
                        {"verdict": p.verdict, "said": p.said, "setting": p.setting, "do": p.do} for p in check.problems
                    ],
                    "unasked": check.unasked,
                }
                for check in report.checks
            ],
        }
        for report in reports.values()
    ]
    click.echo(document.dump({**document.base("health", code), **about, "health": told}))

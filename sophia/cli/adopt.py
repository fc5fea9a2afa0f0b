"""``sophia adopt``: what exists already comes under management, without being made again."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sophia.cli.common import console, display, open_stack, say, signals, stack_options
from sophia.cli.run import label_of
from sophia.errors import SettingsError

if TYPE_CHECKING:
    from rich.console import Console

    from sophia.adoption import Adopted, Candidate, Review
    from sophia.events import Resource
    from sophia.runner import EngineCommand
    from sophia.stack import Stack

DIFFERENCES = 2


@click.command(
    epilog="""\b
Examples:
  sophia adopt dev
  sophia adopt dev --platform airbyte --yes
  sophia adopt dev --write-settings --platform slack
  sophia adopt prod --json
"""
)
@stack_options
@click.option("--platform", "platforms", multiple=True, metavar="NAME", help="Only this platform; can be repeated.")
@click.option("--all", "changing", is_flag=True, help="Also what would be changed by it, as the review shows.")
@click.option("--official", is_flag=True, help="Also ask the official packages, which takes some more previews.")
@click.option("--write-settings", is_flag=True, help="First write what exists on the platforms into the settings.")
@click.option("--workspace", metavar="NAME", help="With --write-settings: which one, where there are several.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def adopt(
    stack: str,
    directory: Path | None,
    *,
    force_sandbox: bool,
    as_json: bool,
    debug: bool,
    platforms: tuple[str, ...],
    changing: bool,
    official: bool,
    write_settings: bool,
    workspace: str | None,
    yes: bool,
) -> int:
    """Takes over what exists on the platforms and what the settings of STACK want.

    Shows first what is there and asks. Objects that are as the settings say are only read; those that differ are taken
    over, and changed, with --all only. Nothing is created. With --json and without --yes it asks and changes nothing, and
    exits with 2 if there is something to take over.
    """
    from sophia import adoption
    from sophia.backend import engine_command
    from sophia.cli.report import report

    out = console(as_json=as_json)
    opened = open_stack(stack, directory, out, force_sandbox=force_sandbox)
    engine = engine_command(lambda _line: None)
    asks = not (yes or as_json)
    written: list[dict[str, Any]] = []
    if write_settings:
        from sophia.cli.write_settings import write

        written = write(opened, engine, out, platforms, _confirm if asks else None, workspace, dry=as_json and not yes)
    with signals(opened), display(out) as shown:
        plan = opened.preview(shown.on_event)
    asking = (lambda text: say(out, text)) if official else None
    review = adoption.review(opened, engine, plan, platforms, ask_official=asking)
    for line in lines(review, stack, changing=changing):
        out.print(line, soft_wrap=True)
    chosen = review.adoptable(changing=changing)
    if asks:
        chosen = _agreed(review, opened, changing=changing)
    adopted = _run(opened, engine, review, chosen, out) if chosen and not (as_json and not yes) else None
    if adopted:
        out.print(f"  adopted {len(adopted.resources)}{_cost(adopted)}")
        if bare := review.unmarked(chosen):
            say(out, f"  {bare} as they are, without the mark of {stack}: `sophia orphans` could not find them again")
    code = DIFFERENCES if as_json and not yes and chosen else 0
    failure = review.survey.failure(adoption.needed(opened, platforms))
    if failure:
        code = report(failure, "adopt", as_json=False, debug=debug)
    if as_json:
        _document(opened, review, chosen, adopted, written, code)
    elif not failure:
        say(out, f"  Next: sophia preview {stack} · sophia up {stack} · sophia orphans {stack}")
    return code


def lines(review: Review, stack: str, *, changing: bool) -> list[Any]:
    """The review: what is taken over, what would be changed, what cannot be, and what nobody looked at."""
    from rich.text import Text

    chosen = review.adoptable(changing=changing)
    shown: list[Any] = []
    sections = (
        ("takes over, unchanged", ("same",), "green"),
        (f"takes over, and changes{'' if changing else ': with --all only'}", ("differs",), "yellow"),
        ("exists, and waits for what it needs", ("waits",), "yellow"),
        ("refused", ("refused",), "bold red"),
        ("cannot be looked for, because the platform lists none", ("unlisted",), "dim"),
    )
    for title, verdicts, style in sections:
        candidates = review.of(*verdicts)
        if candidates:
            shown.append(Text(f"{title} {len(candidates)}", style))
        for candidate in candidates:
            unmet = review.unmet(candidate, chosen) if candidate.match.verdict != "refused" else ()
            shown += _candidate(candidate, unmet, stack)
    for platform in review.survey.platforms:
        if platform.error:
            shown += [Text(platform.error.render(), "red")]
    if review.unsurveyed:
        titles = ", ".join(sorted({r.platform for r in review.unsurveyed if r.platform}))
        more = "" if all(r.is_dynamic for r in review.unsurveyed) else "; --official asks the official packages"
        shown.append(Text(f"not looked at: {len(review.unsurveyed)} of {titles}{more}", "dim"))
    if review.others:
        shown.append(Text(f"not found: {review.others}, which `sophia up {stack}` creates", "dim"))
    elif not review.candidates:
        shown.append(Text("nothing is new: the state has all that the settings want", "green"))
    return shown


def _candidate(candidate: Candidate, unmet: tuple[Resource, ...], stack: str) -> list[Any]:
    from rich.text import Text

    from sophia.display.difference import difference

    resource, match = candidate.resource, candidate.match
    head = Text("  ").append(f"{resource.platform} ", "bold").append(f"{resource.kind} {resource.name}")
    found = [Text(head.plain + (f"  {match.id}" if match.id else ""))]
    for one in match.differences:
        found += difference(one.path, one.old, one.new)
    if match.hidden:
        found.append(Text("      it was deleted or archived, and is brought back"))
    if match.claims:
        found.append(Text(f"      sends first: {', '.join(match.claims)}"))
    if match.unseen and match.verdict in ("same", "differs"):
        found.append(
            Text(f"      {', '.join(match.unseen)}: the platform does not show it, it stays as it is there", "dim")
        )
    if unmet and match.verdict in ("same", "differs", "waits"):
        names = ", ".join(f"{r.platform} {r.kind} {r.name}".lstrip() for r in unmet)
        first = f"; `sophia up {stack}` makes what is missing, then adopt again" if match.verdict == "waits" else ""
        found.append(Text(f"      left out, because it needs {names}{first}"))
    if match.reason and match.verdict == "refused":
        found += [Text(f"      said  {match.reason}"), Text(f"      do    {match.do}")]
    return found


def _agreed(review: Review, stack: Stack, *, changing: bool) -> tuple[Candidate, ...]:
    """Asks; what may be taken over. Those that would be changed are asked for by themselves."""
    unchanged = review.adoptable(changing=False)
    every = review.adoptable(changing=True)
    agreed: tuple[Candidate, ...] = ()
    if unchanged and _confirm(f"Take over {len(unchanged)} objects, without a change, into {stack.full_name}?"):
        agreed = unchanged
    more = len(every) - len(unchanged)
    if changing and more and (agreed or not unchanged):
        changed = sum(c.match.verdict == "differs" for c in every)
        if _confirm(f"Take over {more} more, and change {changed} as shown?"):
            agreed = every
    return agreed


def _confirm(question: str) -> bool:
    try:
        return click.confirm(question, err=True)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        raise SettingsError(
            "adopting must be agreed to",
            said="this is not a terminal, so nobody can be asked; nothing was changed",
            setting="option --yes",
            do="look at the review above, then run it with --yes",
        ) from None


def _run(stack: Stack, engine: EngineCommand, review: Review, chosen: tuple[Candidate, ...], out: Console) -> Adopted:
    from sophia.adoption import adopt as take_over
    from sophia.events import Event, ResourceDone
    from sophia.pipeline.record import labelling

    urns = {candidate.resource.urn for candidate in chosen}

    def tell(event: Event) -> None:
        if isinstance(event, ResourceDone) and event.step.resource.urn in urns:
            resource = event.step.resource
            say(out, f"{resource.platform} {resource.kind} {resource.name}: adopted")

    with ExitStack() as during:
        # Ctrl-C is for the object that runs, which there is only then.
        return take_over(
            stack,
            labelling(engine, label_of(stack, "adopt")),
            chosen,
            review.plan,
            tell,
            on_stack=lambda s: during.enter_context(signals(s)),
        )


def _cost(adopted: Adopted) -> str:
    requests = adopted.result.requests
    return f" · {adopted.result.duration:.1f} s" + (f" · {requests} requests" if requests is not None else "")


def _document(
    stack: Stack,
    review: Review,
    chosen: tuple[Candidate, ...],
    adopted: Adopted | None,
    written: list[dict[str, Any]],
    code: int,
) -> None:
    from sophia.cli import document

    agreed = {candidate.resource.urn for candidate in chosen}
    done = {resource.urn for resource in adopted.resources} if adopted else set()
    click.echo(
        document.dump(
            {
                **document.base("adopt", code),
                **document.of_stack(stack),
                "candidates": [
                    {
                        "urn": c.resource.urn,
                        "platform": c.resource.platform,
                        "kind": c.resource.kind,
                        "name": c.resource.name,
                        "verdict": c.match.verdict,
                        "id": c.match.id,
                        "differences": [{"path": d.path, "old": d.old, "new": d.new} for d in c.match.differences],
                        "claims": list(c.match.claims),
                        "unseen": list(c.match.unseen),
                        "missing": list(c.match.missing),
                        "reason": c.match.reason,
                        "do": c.match.do,
                        "adoptable": c.resource.urn in agreed,
                        "adopted": c.resource.urn in done,
                    }
                    for c in review.candidates
                ],
                "not_surveyed": [resource.urn for resource in review.unsurveyed],
                "platform_errors": of_errors(review.survey.platforms),
                "written": written,
                "requests": adopted.result.requests if adopted else None,
            }
        )
    )


def of_errors(platforms: Any) -> list[dict[str, str]]:
    """The platforms that could not be read, as the document tells them."""
    return [
        {"platform": p.name, "what": p.error.what, "said": p.error.said, "setting": p.error.setting, "do": p.error.do}
        for p in platforms
        if p.error
    ]

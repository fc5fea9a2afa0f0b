"""``sophia sandbox faults`` and ``journal``: what goes wrong with requests, and which ones there were."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from sophia.cli.common import console, directory_option, output_options, say
from sophia.cli.sandbox.common import document, running_sandbox


@click.command(
    epilog="""\b
Examples:
  sophia sandbox faults
  sophia sandbox faults add slack --status 429 --times 3 --retry-after 1
  sophia sandbox faults add airbyte --action drop-after --method POST
  sophia sandbox faults add openrouter --late 3 --method POST
  sophia sandbox faults clear
"""
)
@click.argument("action", type=click.Choice(["list", "add", "clear"]), default="list")
@click.argument("platform", required=False)
@directory_option
@click.option("--method", help="Only requests of this HTTP method.")
@click.option("--path", help="Only paths of this pattern, with * and ?.")
@click.option(
    "--action", "kind", type=click.Choice(["pass", "answer", "drop", "drop-after", "half"]), help="What happens."
)
@click.option("--status", type=int, help="The platform answers with this status.")
@click.option("--retry-after", type=float, help="Seconds, sent with the status.")
@click.option("--latency", type=float, help="Seconds to wait first.")
@click.option("--hold", type=float, help="Seconds to wait once it is done, before the answer.")
@click.option("--late", type=int, help="What it does is not seen by so many requests after it.")
@click.option("--late-seconds", type=float, help="The same for a time.")
@click.option("--skip", type=int, help="So many requests pass first.")
@click.option("--times", type=int, help="How often; default: always.")
@click.option("--probability", type=float, help="Of each request, 0 to 1.")
@output_options
def faults(
    action: str, platform: str | None, directory: Path | None, *, as_json: bool, debug: bool, **rule: Any
) -> int:
    """Makes platforms fail on demand; PLATFORM is one's name, or * for all."""
    del debug
    running = running_sandbox(directory)
    out = console(as_json=as_json)
    if action == "add":
        rule["action"] = rule.pop("kind")
        given = {name: value for name, value in rule.items() if value is not None}
        if not given:
            raise click.UsageError("say what goes wrong: --status, --action, --latency, --hold or --late")
        say(out, f"armed {running.add_fault(platform or '*', **given)}")
    elif action == "clear":
        running.remove_faults()
        say(out, "no faults any more")
    rules = running.faults()
    for entry in rules:
        say(out, "  ".join(f"{name}={value}" for name, value in entry.items() if value not in (None, "*", "")))
    if action == "list" and not rules:
        say(out, "no faults")
    if as_json:
        document("sandbox faults", {"faults": rules})
    return 0


@click.command(
    epilog="""\b
Examples:
  sophia sandbox journal
  sophia sandbox journal --platform airbyte --method POST --limit 5
  sophia sandbox journal --clear
"""
)
@directory_option
@click.option(
    "--platform", "platforms", multiple=True, help="Only this one; repeatable. `pulumi` shows Pulumi Cloud's."
)
@click.option("--method", "methods", multiple=True, help="Only this HTTP method; repeatable.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True)
@click.option("--clear", is_flag=True, help="Forget the requests so far.")
@output_options
def journal(
    directory: Path | None,
    *,
    platforms: Sequence[str],
    methods: Sequence[str],
    limit: int,
    clear: bool,
    as_json: bool,
    debug: bool,
) -> int:
    """Lists the latest requests that reached a platform, and counts all of them."""
    del debug
    running = running_sandbox(directory)
    if clear:
        running.clear_journal()
    last = running.mark()
    # The journal counts from a position: as many positions back as lines are wanted may hold other platforms' too.
    view = running.journal(platforms=platforms, methods=methods, limit=100_000)
    out = console(as_json=as_json)
    for entry in view.entries[-limit:]:
        status = entry.fault or entry.status or "no answer"
        query = f"?{entry.query}" if entry.query else ""
        say(out, f"{entry.platform:<12} {entry.method:<6} {entry.path}{query}  {status}  {entry.milliseconds:.0f} ms")
    say(out, f"{view.total} requests" + "".join(f" · {p} {sum(m.values())}" for p, m in view.counts.items()))
    if as_json:
        entries = [vars(entry) for entry in view.entries[-limit:]]
        document("sandbox journal", {"entries": entries, "counts": view.counts, "last": last})
    return 0

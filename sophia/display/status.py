"""Where a stack stands, on one screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from rich.text import Text

from sophia.events import Resource
from sophia.status import CredentialAges, LastRun, PlatformStatus, Status

_LONGEST_KINDS = 64
_MOST_NAMES = 5
_LABEL = 13


def lines(status: Status) -> list[Text]:
    """The lines of the report; nothing in them is a secret."""
    found = list(_platforms(status.platforms, status.stack))
    found.append(Text())
    found += [
        _row("last run", _last(status)),
        _row("settings", _settings(status)),
        _row("drift", _drift(status)),
        _row("credentials", _credentials(status.credentials, status.stack)),
    ]
    pending = list(_pending(status)) or [Text("nothing", "green")]
    found += [_row("pending" if not number else "", text) for number, text in enumerate(pending)]
    found.append(_row("lock", _lock(status)))
    return found


def _row(label: str, text: Text) -> Text:
    return Text(f"  {label:<{_LABEL}}").append_text(text)


def _platforms(platforms: Sequence[PlatformStatus], stack: str) -> Iterator[Text]:
    if not platforms:
        yield Text(f"  nothing exists yet: `sophia up {stack}`", "yellow")
        return
    width = max(len(platform.title) for platform in platforms)
    for platform in platforms:
        line = Text(f"  {platform.title or 'other':<{width}}  {platform.resources:>4}   ")
        yield line.append(_kinds(platform), "dim")
    total = sum(platform.resources for platform in platforms)
    yield Text(f"  {'':<{width}}  {total:>4}   in all")


def _kinds(platform: PlatformStatus) -> str:
    """As many kinds as have room in a line, the most frequent first."""
    shown, more = "", platform.resources
    for kind, count in platform.kinds.items():
        longer = f"{shown} · {kind} {count}" if shown else f"{kind} {count}"
        if shown and len(longer) > _LONGEST_KINDS:
            break
        shown, more = longer, more - count
    return f"{shown} · other {more}" if more else shown


def _last(status: Status) -> Text:
    last = status.last
    if last is None:
        return Text("none yet", "yellow")
    good = last.entry.result == "succeeded"
    line = Text(f"{last.what}{_by(last)}, {_ago(last.entry.started, status.time)}: ")
    line.append(last.entry.result, "green" if good else "yellow" if last.entry.result == "in-progress" else "bold red")
    return line.append(f" · commit {last.revision.short}" if last.revision and last.revision.commit else "")


def _by(last: LastRun) -> str:
    return f" by {last.label.by}" if last.label and last.label.by else ""


def _settings(status: Status) -> Text:
    if status.changes is not None:
        if not status.changes.has_changes:
            return Text("an up would change nothing", "green")
        counts = status.changes.counts
        return Text(f"an up would change {counts.changed}: `sophia preview {status.stack}` shows what", "yellow")
    if status.changed_since is None:
        return Text(f"not known whether they are deployed: `sophia preview {status.stack}`", "dim")
    if not status.changed_since:
        return Text("as they were deployed", "green")
    parts = " and ".join(status.changed_since)
    return Text(
        f"{parts} changed since the last deploy: `sophia preview {status.stack}` shows what that does", "yellow"
    )


def _drift(status: Status) -> Text:
    drift = status.drift
    if drift is None:
        return Text(f"never looked for: `sophia drift {status.stack}`", "dim")
    when = f"looked {_ago(drift.time, status.time)}"
    if status.last and drift.time < status.last.entry.started:
        when += ", before the last run"
    if not drift:
        return Text(f"none in {drift.checked} objects, {when}", "green")
    found = f"{drift.changed} changed · {drift.deleted} deleted, {when}: `sophia drift {status.stack}` shows what"
    return Text(found, "bold yellow")


def _credentials(ages: CredentialAges, stack: str) -> Text:
    parts = [f"{ages.total} made by the stack" if ages.made_by == "the stack" else str(ages.total)]
    if ages.oldest_age is not None:
        parts.append(f"oldest {ages.oldest}, {_span(ages.oldest_age)}")
    if ages.unknown:
        parts.append(f"age unknown of {ages.unknown}")
    line = Text(" · ".join(parts), "" if ages.overdue or ages.refused else "green")
    if ages.overdue:
        line.append(f" · overdue {len(ages.overdue)}: {_names(ages.overdue)}", "bold yellow")
    if ages.refused:
        line.append(f" · refused {len(ages.refused)}: {_names(ages.refused)}", "bold red")
    if ages.made_by == "the stack":
        line.append(f" · `sophia credentials {stack}` asks about the others", "dim")
    return line


def _pending(status: Status) -> Iterator[Text]:
    rows: tuple[tuple[tuple[Resource, ...], str], ...] = (
        (status.interrupted, "a killed run was creating"),
        (status.unfinished, "not finished"),
        (status.waiting_for_deletion, "replaced, and not deleted yet"),
    )
    for resources, what in rows:
        if resources:
            names = _names([resource.title for resource in resources])
            yield Text(f"{what}: {names}; `sophia up {status.stack}` sees to it", "yellow")


def _lock(status: Status) -> Text:
    if status.holder is None:
        return Text("free", "green")
    holder = status.holder
    since = f"{holder.kind} by {holder.author or 'somebody'}, since {_ago(holder.started, status.time)}"
    return Text(f"{since}; if that run was killed: `sophia cancel {status.stack}`", "yellow")


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MOST_NAMES])
    return shown + (f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else "")


def _ago(then: datetime, now: datetime) -> str:
    return f"{_span(now - then)} ago" if now - then >= timedelta(seconds=1) else "just now"


def _span(time: timedelta) -> str:
    """``45 s``, ``12 min``, ``5 h`` or ``3 days``: as much as people want to know."""
    seconds = int(time.total_seconds())
    for size, unit in ((86400, "day"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size or (unit == "day" and seconds >= size):
            count = seconds // size
            return f"{count} {unit}{'s' if unit == 'day' and count > 1 else ''}"
    return f"{max(seconds, 0)} s"

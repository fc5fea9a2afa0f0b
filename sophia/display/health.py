"""Health and credential records as people read them: a table, and beneath it what is to be done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from rich.text import Text

from sophia.credentials import Credentials, Record
from sophia.health import Check, HealthReport, Verdict

STYLES: dict[Verdict, str] = {"well": "green", "degraded": "yellow", "failing": "bold red", "unasked": "dim"}
_SOON = timedelta(days=14)


def lines(report: HealthReport) -> Iterator[Text]:
    """A line a platform: how it is, how quick, what was checked or what is wrong, what is left."""
    title = max((len(check.title) for check in report.checks), default=0)
    for check in report.checks:
        text = Text(f"  {check.title:<{title}}  ").append(f"{check.verdict:<8}", STYLES[check.verdict])
        text.append(f"  {_milliseconds(check):>8}  ", "dim").append(_detail(check), "" if check.problems else "dim")
        yield text


def _milliseconds(check: Check) -> str:
    return f"{check.latency * 1000:.0f} ms" if check.latency is not None else ""


def _detail(check: Check) -> str:
    if check.problems:
        return "; ".join(" ".join(trouble.said.split()) for trouble in check.problems)
    if check.unasked:
        return check.unasked
    left = f" ({', '.join(map(str, check.quotas))} left)" if check.quotas else ""
    return ", ".join(check.checked) + left


def advice(report: HealthReport) -> Iterator[Text]:
    """What to do about each problem."""
    for check in report.checks:
        for trouble in check.problems:
            yield Text(f"{check.title} is {trouble.verdict}: ", STYLES[trouble.verdict]).append(trouble.said, "default")
            if trouble.setting:
                yield Text(f"  setting  {trouble.setting}")
            yield Text(f"  do       {trouble.do}")


def line(stack: str, check: Check) -> str:
    """One line for a log."""
    latency = f", {_milliseconds(check)}" if check.latency is not None else ""
    reason = f": {_detail(check)}" if check.problems else ""
    return f"{stack} {check.title} {check.verdict}{latency}{reason}"


def summary(report: HealthReport) -> Text:
    counts = {verdict: sum(check.verdict == verdict for check in report.checks) for verdict in STYLES}
    parts = [f"{count} {verdict}" for verdict, count in counts.items() if count]
    worst: Verdict = "failing" if counts["failing"] else "degraded" if counts["degraded"] else "well"
    return Text(" · ".join([*parts, f"{report.duration:.1f} s"]), STYLES[worst])


def credentials(found: Credentials, within: timedelta) -> Iterator[Text]:
    """A line a record, those that need somebody first; ages in days."""
    rows = [_row(one, found.now, within) for one in sorted(found.records, key=lambda one: _urgency(one, found.now))]
    head = [Text(word, "dim") for word in ("credential", "platform", "made by", "age", "due", "works", "rotation")]
    widths = [max(len(row[n]) for row in (head, *rows)) for n in range(len(head))]
    for row in (head, *rows):
        text = Text("  ")
        for cell, width in zip(row, widths, strict=True):
            cell.pad_right(width - len(cell) + 2)
            text.append_text(cell)
        text.rstrip()
        yield text


def _urgency(record: Record, now: datetime) -> tuple[bool, bool, datetime, str]:
    return record.authenticates is not False, record.due is None, record.due or now, record.name


def _row(record: Record, now: datetime, within: timedelta) -> list[Text]:
    works = {True: Text("yes", "green"), False: Text("no", "bold red"), None: Text("not known", "dim")}
    return [
        Text(record.name),
        Text(record.title),
        Text(record.holder),
        Text(_age(record, now)),
        _due(record, now, within),
        works[record.authenticates],
        Text("by API" if record.by_api else "by hand"),
    ]


def credential_advice(found: Credentials, within: timedelta) -> Iterator[Text]:
    """Of each record that needs somebody: why, how its age is known, and how it is rotated."""
    needy = dict.fromkeys([*found.refused, *found.due_within(within)])
    for record in needy:
        refused = record.authenticates is False
        why = f"does not work any more: {record.said}" if refused else f"is due on {record.due:%Y-%m-%d}"
        yield Text(f"{record.name} {why}", "bold red" if refused or record.is_due(found.now) else "yellow")
        if record.made:
            yield Text(f"  known    {record.made:%Y-%m-%d}, {record.basis}")
        if record.source:
            yield Text(f"  from     {record.source}")
        yield Text(f"  rotate   {record.rotation}")
    for remark in found.remarks:
        yield Text(remark, "yellow")


def _age(record: Record, now: datetime) -> str:
    age = record.age(now)
    return "not known" if age is None else f"{'at least ' if record.at_least else ''}{age.days} d"


def _due(record: Record, now: datetime, within: timedelta) -> Text:
    if record.due is None:
        return Text("not known", "dim")
    if record.is_due(now):
        return Text(f"{record.due:%Y-%m-%d}, overdue", "bold red")
    return Text(f"{record.due:%Y-%m-%d}", "yellow" if record.is_due(now, max(within, _SOON)) else "")

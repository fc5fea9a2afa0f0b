"""Drift as people read it: by platform and object, what was set and what is there."""

from __future__ import annotations

from itertools import groupby

from rich.text import Text

from sophia.display.difference import difference
from sophia.drift import Drift
from sophia.results import Change


def lines(drift: Drift) -> list[Text]:
    """The lines of the report; nothing in them is a secret."""
    found: list[Text] = []
    for platform, changes in groupby(drift.changes, key=lambda c: c.resource.platform):
        found.append(Text(platform or "no platform", "bold"))
        for change in changes:
            found += _object(change)
        found.append(Text())
    for warning in drift.warnings:
        found.append(Text(f"warning: {warning}", "yellow"))
    for resource in drift.interrupted:
        text = f"an interrupted run was creating {resource.title}, and it may exist: `sophia up {drift.stack}` looks"
        found.append(Text(text, "yellow"))
    return [*found, _summary(drift)]


def _object(change: Change) -> list[Text]:
    name = f"{change.resource.kind} {change.resource.name}"
    if change.operation == "delete":
        return [Text("  - ", "red").append(f"{name}: deleted")]
    lines = [Text("  ~ ", "yellow").append(f"{name}: changed")]
    for one in change.properties:
        lines += difference(one.path, one.old, one.new, styles=("green", "red"))
    return lines


def _summary(drift: Drift) -> Text:
    cost = f" · {drift.duration:.1f} s" + (f" · {drift.requests} requests" if drift.requests is not None else "")
    if not drift:
        return Text(f"no drift · {drift.checked} objects are as they were set{cost}", "green")
    return Text(f"drift: {len(drift.changed)} changed · {len(drift.deleted)} deleted, of {drift.checked} objects{cost}")

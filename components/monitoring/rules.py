"""Rules of Prometheus as data: alerts that say what to do, recorded figures, and the document that Prometheus loads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["critical", "warning", "ticket"]
"""critical: a person looks now, day or night. warning: today. ticket: in this sprint; nobody is disturbed."""

SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "ticket")


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One alert. ``do`` is the sentence that its reader needs; summary and do may use templates of Prometheus."""

    name: str
    expr: str
    severity: Severity
    team: str
    summary: str
    do: str
    after: str = "0s"
    """How long ``expr`` must hold (a duration of Prometheus)."""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Record:
    """A figure that is computed once and used by several rules and dashboards."""

    name: str
    expr: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Group:
    """Rules that are evaluated together, one after the other, each ``interval``."""

    name: str
    rules: tuple[Alert | Record, ...]
    interval: str = "30s"


def document(groups: Iterable[Group], runbooks: str) -> dict[str, Any]:
    """The file of rules. ``runbooks`` is the address of docs/monitoring.md, which has a heading for each alert."""
    return {
        "groups": [
            {"name": group.name, "interval": group.interval, "rules": [_rule(rule, runbooks) for rule in group.rules]}
            for group in groups
            if group.rules
        ]
    }


def alerts(groups: Iterable[Group]) -> Iterator[Alert]:
    """All alerts of these groups."""
    for group in groups:
        yield from (rule for rule in group.rules if isinstance(rule, Alert))


def select(metric: str, /, **labels: str) -> str:
    """``metric{label="value"}``; a value that begins with ``~`` is a regular expression.

    Names of labels that Python has no way to write end in an underscore.
    """
    tests = ",".join(
        f'{name.rstrip("_")}=~"{value[1:]}"' if value.startswith("~") else f'{name.rstrip("_")}="{value}"'
        for name, value in labels.items()
    )
    return f"{metric}{{{tests}}}"


def _rule(rule: Alert | Record, runbooks: str) -> dict[str, Any]:
    if isinstance(rule, Record):
        return {"record": rule.name, "expr": rule.expr, **({"labels": dict(rule.labels)} if rule.labels else {})}
    return {
        "alert": rule.name,
        "expr": rule.expr,
        "for": rule.after,
        "labels": {**rule.labels, "severity": rule.severity, "team": rule.team},
        "annotations": {
            "summary": rule.summary,
            "description": rule.do,
            "runbook_url": f"{runbooks}#{rule.name.lower()}",
        },
    }

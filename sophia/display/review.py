"""A preview as a review: what would be destroyed first, then replaced, updated, created; the rest as a count."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from sophia.diagnosis import parse_parts
from sophia.display.difference import difference
from sophia.results import Change, Plan, PropertyChange

_SECTIONS = (
    ("delete", "-", "destroys", "bold red"),
    ("replace", "±", "replaces (the old object is destroyed)", "magenta"),
    ("update", "~", "updates", "yellow"),
    ("create", "+", "creates", "green"),
)


def review(plan: Plan) -> list[Text]:
    """The lines of the review; nothing in them is a secret."""
    lines: list[Text] = []
    for operation, sign, title, style in _SECTIONS:
        changes = plan.of(operation)  # type: ignore[arg-type] # the sections name the operations
        if not changes:
            continue
        lines.append(Text(f"{title} {len(changes)}", style))
        for change in sorted(changes, key=lambda c: (c.resource.platform, c.resource.kind, c.resource.name)):
            lines += _change(change, sign, style)
        lines.append(Text())
    for violation in plan.violations:
        style = "bold red" if violation.enforcement == "mandatory" else "yellow"
        where = f" {violation.resource.kind} {violation.resource.name}" if violation.resource else ""
        whole = parse_parts(violation.message)
        said = whole.render() if whole else f"{where}: {violation.message.strip()}".lstrip(": ")
        lines.append(Text(f"policy {violation.policy}: {said}", style))
    lines += _interrupted(plan)
    lines.append(Text(f"unchanged {plan.counts.unchanged}", "dim") if lines else _nothing(plan))
    return lines


def _nothing(plan: Plan) -> Text:
    return Text(f"no changes · unchanged {plan.counts.unchanged}", "green")


def _interrupted(plan: Plan) -> list[Text]:
    return [
        Text(f"an interrupted run was creating {r.platform} {r.kind} {r.name}: `up` takes it over", "yellow")
        for r in plan.interrupted
    ]


def _change(change: Change, sign: str, style: str) -> list[Text]:
    resource = change.resource
    head = Text("  ").append(f"{sign} ", style).append(f"{resource.platform} ".lstrip(), "bold")
    lines = [head.append(f"{resource.kind} {resource.name}")]
    ordered: Sequence[PropertyChange] = sorted(change.properties, key=lambda p: (not p.forces_replacement, p.path))
    for property_ in ordered:
        lines += _property(property_, replaced=change.operation == "replace")
    return lines


def _property(change: PropertyChange, *, replaced: bool) -> list[Text]:
    first, *more = difference(change.path, change.old, change.new)
    if replaced and change.forces_replacement:
        first.append("  forces the replacement", "bold magenta")
    return [first, *more]

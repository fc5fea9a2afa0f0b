"""The end of a run: what happened, what it cost, what exists now."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from sophia.display.outputs import outputs
from sophia.events import Resource
from sophia.results import Counts, Partial, Plan, Result

_MOST_NAMES = 10
"""How many resources a line names before it only counts."""


def summary(result: Result) -> list[Text]:
    """The lines of the summary; secret outputs are masked."""
    lines = [_cost(result)]
    lines += [Text(f"  warning: {warning}", "yellow") for warning in result.warnings]
    lines += [_interrupted(result.stack, resource) for resource in result.interrupted]
    if result.operation != "destroy" and result.outputs:
        lines += [Text(), *outputs(result.stack, result.outputs, result.outputs_before)]
    return lines


def how_far(partial: Partial, stack: str) -> list[Text]:
    """The lines for a run that failed: what was done, what failed, what was not tried, what nobody knows."""
    done = [(text, style) for text, style in _words(partial.counts) if not text.startswith(("unchanged", "no changes"))]
    line = Text("done: ")
    for number, (text, style) in enumerate(done or [("nothing", "dim")]):
        line.append(" · " if number else "").append(text, style)
    lines = [line.append(" (it is in the state)" if done else "")]
    if partial.failed:
        lines.append(Text(f"failed {len(partial.failed)}: {_names(partial.failed)}", "red"))
    if partial.not_tried is None:
        lines += [Text("not tried: what depends on what failed", "yellow")] if partial.failed else []
    elif partial.not_tried:
        lines.append(Text(f"not tried {len(partial.not_tried)}: {_names(partial.not_tried)}", "yellow"))
    if partial.unknown:
        then = (
            f"`sophia up {stack}` takes over what was made"
            if partial.noted
            else "if the next up says that one exists, look whether it is this one: `adopt: true` takes it over"
        )
        lines.append(Text(f"may exist {len(partial.unknown)}: {_names(partial.unknown)}; {then}", "yellow"))
    return lines


def _names(resources: Sequence[Resource]) -> str:
    named = ", ".join(resource.title for resource in resources[:_MOST_NAMES])
    return named + (f" and {len(resources) - _MOST_NAMES} more" if len(resources) > _MOST_NAMES else "")


def _interrupted(stack: str, resource: Resource) -> Text:
    return Text(
        f"  an interrupted run was creating {resource.platform} {resource.kind} {resource.name}, and it may exist: "
        f"`sophia up {stack}` takes it over, `sophia refresh {stack} --forget-interrupted` forgets it",
        "yellow",
    )


def _cost(result: Plan | Result) -> Text:
    line = Text("  ")
    for number, (name, style) in enumerate(_words(result.counts)):
        line.append(" · " if number else "").append(name, style)
    line.append(f" · {result.duration:.1f} s")
    if result.requests is not None:
        line.append(f" · {result.requests} requests")
    return line


def _words(counts: Counts) -> list[tuple[str, str]]:
    words = [
        ("created", counts.created, "green"),
        ("updated", counts.updated, "yellow"),
        ("replaced", counts.replaced, "magenta"),
        ("deleted", counts.deleted, "red"),
    ]
    changed = [(f"{name} {count}", style) for name, count, style in words if count]
    return [*(changed or [("no changes", "green")]), (f"unchanged {counts.unchanged}", "dim")]


def next_commands(command: str, stack: str, stacks: Sequence[str], target: str) -> list[str]:
    """What is most useful to type after a command that went well."""
    if command == "destroy":
        return [f"sophia up {stack}", *(["sophia sandbox stop"] if target == "sandbox" else [])]
    if command == "refresh":
        return [f"sophia preview {stack}", f"sophia up {stack}"]
    later = [name for name in stacks if name != stack]
    return [f"sophia outputs {stack}", *(f"sophia preview {name}" for name in later[:1]), f"sophia destroy {stack}"]

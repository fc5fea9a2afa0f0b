"""Which objects of the official packages exist: asked of the packages themselves, by previews that import.

The official packages list nothing. But an import reads the object whose id is made of what the program says
(components/takeover.py), and in a preview it does nothing else: the engine tells what does not exist, and what it would
change of the others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from sophia.errors import SophiaError
from sophia.events import Diagnostic, Event, ResourceDone
from sophia.results import Plan
from sophia.runner import Directed, EngineCommand
from sophia.stack import Stack

TAKE_OVER = "SOPHIA_TAKE_OVER"
"""A JSON list of URNs: the program imports these, instead of creating them."""

_ABSENT = re.compile(r"resource '.*' does not exist", re.DOTALL)
"""How the engine (3.258) ends a preview over an import of what its provider did not find."""

_AT_ONCE = "64"
"""Imports that a preview tries before the first that does not exist ends it: few previews tell of many."""


@dataclass(frozen=True)
class Official:
    """What the packages said. ``plan`` is that of the preview which imports what exists."""

    plan: Plan
    there: frozenset[str] = frozenset()
    """URNs of those that exist, as the settings want them or not: ``plan.changes`` has the difference."""


def ask(
    stack: Stack, engine: EngineCommand, plan: Plan, urns: Collection[str], report: Callable[[str], object]
) -> Official:
    """Which of ``urns``, of official packages, exist. Changes nothing. Raises SophiaError."""
    left = set(urns)
    while left:
        report(f"asking the official packages for {len(left)} objects")
        told = _Told()
        variables = {TAKE_OVER: json.dumps(sorted(left))}
        directed = Directed(engine, lambda args: args[0] == "preview", ["--parallel", _AT_ONCE], variables)
        asking = Stack(stack.name, stack.project.directory, stack.target, engine=directed)
        try:
            found = asking.preview(told)
        except SophiaError:
            if left.isdisjoint(told.absent):
                raise
            left -= told.absent
        else:
            return Official(found, frozenset(left & told.imported))
    return Official(plan)


class _Told:
    """What the events of a preview say of imports. (The plan itself does not tell an import from what is there already.)"""

    def __init__(self) -> None:
        self.absent: set[str] = set()
        self.imported: set[str] = set()

    def __call__(self, event: Event) -> None:
        if isinstance(event, Diagnostic) and event.resource and _ABSENT.search(event.message):
            self.absent.add(event.resource.urn)
        elif isinstance(event, ResourceDone) and event.step.operation == "import":
            self.imported.add(event.step.resource.urn)

"""Taking over what exists: what a preview would create, compared with what is on the platforms, and the run that adopts.

The run is an ``up`` of the chosen resources only. SOPHIA_ADOPT tells the providers which ones may be objects that somebody
else has made; components and providers, which exist on no platform, go with them, and nothing else is created.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sophia import official
from sophia.events import Event, Resource, ResourceDone
from sophia.results import Plan, Result
from sophia.runner import Directed, EngineCommand
from sophia.stack import Stack
from sophia.survey import Difference, Match, Survey, Verdict, needed_platforms, platform_of, survey

ADOPT = "SOPHIA_ADOPT"
"""A JSON list of URNs: the providers take over what exists under their natural keys, and send only what differs."""

_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_SIGNATURE = "4dabf18193072939515e22adb298388d"
"""The member that marks secrets, which are encrypted in a plan (both constants are of Pulumi's protocol)."""


@dataclass(frozen=True)
class Candidate:
    """A resource that the settings want and the state has not, and what is on the platform under its name."""

    resource: Resource
    match: Match
    needs: tuple[str, ...]

    @property
    def platform(self) -> str:
        """The platform's key in the settings."""
        return platform_of(self.resource.type)


@dataclass(frozen=True)
class Review:
    """What could be taken over, before anything is done."""

    candidates: tuple[Candidate, ...]
    survey: Survey
    plan: Plan
    planned: frozenset[str]
    """The URNs of all that the plan brings into the state."""
    unsurveyed: tuple[Resource, ...]
    """What the settings want and nobody looked for: of official packages that were not asked, of other platforms than the
    command is about, and of those that could not be read.
    """

    def of(self, *verdicts: str) -> tuple[Candidate, ...]:
        return tuple(c for c in self.candidates if c.match.verdict in verdicts)

    def adoptable(self, *, changing: bool) -> tuple[Candidate, ...]:
        """Those that exist as they are wanted; with ``changing`` also those that would be changed.

        Never one without what it needs: where a container is not taken over, what is in it is not either.
        """
        chosen = {c.resource.urn: c for c in self.of("same", *(["differs"] if changing else []))}
        others = set(self.planned - chosen.keys())
        while left_out := [urn for urn, c in chosen.items() if not others.isdisjoint(c.needs)]:
            for urn in left_out:
                del chosen[urn]
                others.add(urn)
        return tuple(chosen.values())

    def unmet(self, candidate: Candidate, chosen: Collection[Candidate]) -> tuple[Resource, ...]:
        """What a candidate needs and neither the state has nor this run would bring."""
        brought = {c.resource.urn for c in chosen}
        return tuple(Resource(urn) for urn in candidate.needs if urn in self.planned and urn not in brought)

    @property
    def others(self) -> int:
        """How many resources the plan creates that were not found; some cannot be looked for at all."""
        found = {c.resource.urn for c in self.candidates if c.match.verdict not in ("new", "unlisted")}
        return len(self.planned - found - {resource.urn for resource in self.unsurveyed})

    def unmarked(self, chosen: Collection[Candidate]) -> int:
        """How many of these could carry a mark of the stack, and do not."""
        marked = {kind.type for platform in self.survey.platforms for kind in platform.kinds if kind.marked}
        bare = {(one.type, one.id) for p in self.survey.platforms for one in p.objects if one.owner is None}
        types = [(c.resource.type, c.match.id) for c in chosen]
        return sum(type_ in marked and (type_, id_) in bare for type_, id_ in types)


@dataclass(frozen=True)
class Adopted:
    """What a run has taken over."""

    resources: tuple[Resource, ...]
    result: Result


def review(
    stack: Stack,
    engine: EngineCommand,
    plan: Plan,
    platforms: Sequence[str] = (),
    *,
    ask_official: Callable[[str], object] | None = None,
) -> Review:
    """Looks at the platforms for what ``plan`` would create. Changes nothing.

    ``ask_official``: whether the official packages are asked too, by some more previews; it is told of each.
    Raises SettingsError for a platform that has no provider of ours, and where the environment cannot be opened.
    """
    unasked = {urn for urn, _ in _creates(plan) if not Resource(urn).is_dynamic and not platforms}
    there: frozenset[str] = frozenset()
    if ask_official and unasked:
        answer = official.ask(stack, engine, plan, unasked, ask_official)
        plan, there, unasked = answer.plan, answer.there, set()
    state = stack.state()
    known = {r["urn"]: r["id"] for r in state.resources if r.get("id")} if state else {}
    goals = dict(_goals(plan))
    surveyed = [urn for urn, _ in _creates(plan) if _is_surveyed(Resource(urn), platforms)]
    request = {
        "stack": f"{stack.project.name}/{stack.name}",
        # What is imported is as good as known: its values are in the plan.
        "known": {**dict.fromkeys(there, ""), **known},
        "wanted": [_wanted(urn, goals[urn]) for urn in surveyed],
    }
    # A platform of which nothing is wanted is not asked.
    asked = list(platforms) or sorted({platform_of(Resource(urn).type) for urn in surveyed})
    looked = survey(stack.project, stack.name, stack.target, engine, asked, request) if asked else Survey((), ())
    needs = {urn: tuple(dict.fromkeys(goal.get("dependencies") or ())) for urn, goal in goals.items()}
    matches = [*looked.matches, *_imports(plan, there, goals)]
    candidates = [Candidate(Resource(m.urn), m, needs[m.urn]) for m in matches]
    ordered = sorted(candidates, key=lambda c: (c.resource.platform, c.resource.kind, c.resource.name))
    planned = there.union(urn for urn, _ in _creates(plan))
    unread = {platform.name for platform in looked.platforms if platform.error}
    unasked |= {urn for urn in planned if platform_of(Resource(urn).type) in unread}
    unasked |= planned.difference(surveyed) if platforms else set()
    return Review(tuple(ordered), looked, plan, planned, tuple(Resource(urn) for urn in sorted(unasked)))


def _imports(plan: Plan, urns: Collection[str], goals: Mapping[str, Mapping[str, Any]]) -> Iterator[Match]:
    """What was found of the official packages, and what the import would change of it."""
    changes = {change.resource.urn: change.properties for change in plan.updates}
    for urn in urns:
        differences = tuple(Difference(p.path, p.old, p.new) for p in changes.get(urn, ()))
        verdict: Verdict = "differs" if urn in changes else "same"
        yield Match(urn, verdict, goals[urn].get("id") or None, differences=differences)


def adopt(
    stack: Stack,
    engine: EngineCommand,
    chosen: Sequence[Candidate],
    plan: Plan,
    on_event: Callable[[Event], object] | None = None,
    *,
    on_stack: Callable[[Stack], object] = lambda _stack: None,
) -> Adopted:
    """Takes these over, and does nothing else. ``on_stack`` gets the object that runs, which can be interrupted.

    Raises RunFailed where one was refused; what was taken over before is in the state.
    """
    urns = [candidate.resource.urn for candidate in chosen]
    carriers = [urn for urn, goal in _goals(plan) if _exists_nowhere(goal)]
    targets = [part for urn in (*carriers, *urns) for part in ("--target", urn)]
    variables = {
        ADOPT: json.dumps([urn for urn in urns if Resource(urn).is_dynamic]),
        official.TAKE_OVER: json.dumps([urn for urn in urns if not Resource(urn).is_dynamic]),
    }
    directed = Directed(engine, lambda args: args[0] == "up", targets, variables)
    running = Stack(stack.name, stack.project.directory, stack.target, engine=directed)
    on_stack(running)
    taken: dict[str, Resource] = {}

    def note(event: Event) -> None:
        if isinstance(event, ResourceDone) and not event.preview and event.step.resource.urn in urns:
            taken[event.step.resource.urn] = event.step.resource
        if on_event is not None:
            on_event(event)

    result = running.up(note, skip_preview=True)
    return Adopted(tuple(taken.values()), result)


def needed(stack: Stack, platforms: Sequence[str]) -> list[str]:
    """The platforms whose failure is one of the command: those asked for, or else those that the stack uses."""
    state = stack.state()
    types = [r["type"] for r in state.resources] if state else []
    return list(platforms) or needed_platforms(stack.project, stack.name, types)


def _goals(plan: Plan) -> Iterator[tuple[str, dict[str, Any]]]:
    """What the program wants of each resource, by URN."""
    for urn, planned in (json.loads(plan.engine_plan).get("resourcePlans") or {}).items():
        if planned.get("goal"):
            yield urn, {**planned["goal"], "steps": planned.get("steps") or ()}


def _creates(plan: Plan) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a plan would create on a platform, by URN."""
    return ((urn, goal) for urn, goal in _goals(plan) if "create" in goal["steps"] and not _exists_nowhere(goal))


def _exists_nowhere(goal: Mapping[str, Any]) -> bool:
    """Components and providers are in the program only. The engine wants all of them in a targeted run."""
    return not goal.get("custom") or str(goal.get("type", "")).startswith("pulumi:providers:")


def _is_surveyed(resource: Resource, platforms: Sequence[str]) -> bool:
    name = platform_of(resource.type)
    return resource.is_dynamic and bool(resource.platform) and (not platforms or name in platforms)


def _wanted(urn: str, goal: Mapping[str, Any]) -> dict[str, Any]:
    inputs = (goal.get("inputDiff") or {}).get("adds") or {}
    own = {name: _without_secrets(value) for name, value in inputs.items() if not name.startswith("__")}
    sources = {name: urns for name, urns in (goal.get("propertyDependencies") or {}).items() if urns}
    needs = list(dict.fromkeys(goal.get("dependencies") or ()))
    return {
        "urn": urn,
        "type": goal["type"],
        "inputs": {name: value for name, value in own.items() if name != "adopt"},
        "sources": sources,
        "needs": needs,
    }


def _without_secrets(value: Any) -> Any:
    """A planned value whose secrets are as unknown as what is not known yet."""
    if isinstance(value, dict):
        return _UNKNOWN if _SIGNATURE in value else {key: _without_secrets(item) for key, item in value.items()}
    return [_without_secrets(item) for item in value] if isinstance(value, list) else value

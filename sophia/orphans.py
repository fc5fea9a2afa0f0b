"""Objects on the platforms that carry a stack's mark, and that no resource of its state is."""

from __future__ import annotations

from dataclasses import dataclass

from sophia.errors import SophiaError
from sophia.events import Resource
from sophia.runner import EngineCommand
from sophia.stack import Stack
from sophia.survey import Object, Survey, needed_platforms, survey


@dataclass(frozen=True)
class Orphan:
    """An object of ours that was forgotten; ``do`` says what can be done about it."""

    platform: str
    object: Object
    do: str


@dataclass(frozen=True)
class Found:
    """What one look has found, and of what it can say nothing."""

    stack: str
    """``project/stack``, as the marks have it."""
    orphans: tuple[Orphan, ...]
    unmarked: tuple[tuple[str, str], ...]
    """Platform and kind of the objects that have no room for a mark."""
    unlisted: tuple[tuple[str, str], ...]
    """Platform and kind of the objects that a platform does not list."""
    interrupted: tuple[Resource, ...]
    """Creations that a killed run had begun: their objects are no orphans, the next ``up`` takes them over."""
    survey: Survey
    needed: tuple[str, ...]

    @property
    def failure(self) -> SophiaError | None:
        """Why a platform that the stack uses could not be read, if one could not."""
        return self.survey.failure(self.needed)


def find(stack: Stack, engine: EngineCommand) -> Found:
    """Looks at all platforms of our own providers. Changes nothing. Raises SophiaError where it cannot look at all."""
    do = f"if the settings want it, `sophia up {stack.name}` takes it over; if nothing uses it, remove it on the platform"
    state = stack.state()
    resources = state.resources if state else []
    known = {(r["type"], r.get("id")) for r in resources}
    looked = survey(stack.project, stack.name, stack.target, engine)
    mark = f"{stack.project.name}/{stack.name}"
    return Found(
        mark,
        tuple(
            Orphan(platform.title, one, do)
            for platform in looked.platforms
            for one in platform.objects
            if one.owner == mark and not one.hidden and (one.type, one.id) not in known
        ),
        tuple((p.title, kind.title) for p in looked.platforms for kind in p.kinds if kind.listed and not kind.marked),
        tuple((p.title, kind.title) for p in looked.platforms for kind in p.kinds if not kind.listed),
        state.unresolved() if state else (),
        looked,
        tuple(needed_platforms(stack.project, stack.name, [r["type"] for r in resources])),
    )

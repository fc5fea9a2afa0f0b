"""Stages do not see each other: no environment of a stage leads to that of another, and a stack file names its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from esc.language import load
from esc.language.terms import Access, Call, Interpolation, ListTerm, ObjectTerm, Reference, Term
from sophia.esc.evaluation import StackFile
from sophia.esc.files import Environments
from sophia.esc.findings import Finding, Spot, finding


@dataclass(frozen=True)
class _Reference:
    """One environment leads to another, by an import or by ``${environments.…}``."""

    target: str
    spot: Spot


def mixed_stages(environments: Environments, stacks: tuple[StackFile, ...]) -> Iterator[Finding]:
    """Where the way from a stage leads to another stage, once each place."""
    references = {name: tuple(_references(environments, name)) for name in environments.definitions}
    told = set[str]()
    for stage in environments.stages:
        own = environments.full_name(stage)
        start = [_Reference(target, spot) for target, spot in _of_stack(stage, stacks)]
        trails: list[tuple[_Reference, tuple[str, ...]]] = [
            (one, (one.spot.file,)) for one in (*start, *references.get(own, ()))
        ]
        seen = {own}
        while trails:
            reference, trail = trails.pop(0)
            target = reference.target.partition("@")[0]
            other = environments.stage_of(target)
            if other is not None and other != stage:
                if str(reference.spot) not in told:
                    told.add(str(reference.spot))
                    yield _mixed(stage, other, reference, trail)
            elif target not in seen:
                seen.add(target)
                trails += [(one, (*trail, one.spot.file)) for one in references.get(target, ())]


def _of_stack(stage: str, stacks: tuple[StackFile, ...]) -> Iterator[tuple[str, Spot]]:
    for stack in stacks:
        if stack.stage == stage:
            yield from ((name, stack.spot(path, "environment")) for name, path in stack.imports)


def _mixed(stage: str, other: str, reference: _Reference, trail: tuple[str, ...]) -> Finding:
    files = tuple(dict.fromkeys(trail))
    way = " → ".join((*files, reference.target))
    return finding(
        "stage",
        reference.spot,
        f"stage {stage} would get what belongs to stage {other}",
        said=f"{reference.spot.file} leads to {reference.target}" + (f": {way}" if len(files) > 1 else ""),
        do="what both stages need belongs into base; secrets of a stage are never shared",
    )


def reached(environments: Environments, stack: StackFile) -> set[str]:
    """The full names of all environments that a stack file leads to."""
    found, left = set[str](), [name for name, _ in stack.imports]
    while left:
        name = left.pop().partition("@")[0]
        if name not in found:
            found.add(name)
            left += [one.target for one in _references(environments, name)]
    return found


def own_environments(environments: Environments, stacks: tuple[StackFile, ...]) -> Iterator[Finding]:
    """Each stack file names the environment of its stage, and git has that environment."""
    for stack in stacks:
        own = environments.full_name(stack.stage)
        if own in (name.partition("@")[0] for name, _ in stack.imports):
            continue
        if own not in environments.definitions:
            do = f"add {environments.folder.name}/{stack.stage}.yaml, and name {own} under `environment`"
        else:
            do = f"write `environment: [{own}]`"
        names = ", ".join(name for name, _ in stack.imports)
        yield finding(
            "stage",
            stack.spot(("environment",), "environment"),
            f"{stack.shown} does not name the environment of its stage",
            said=f"it names {names}" if names else "it names none, so that the program finds no credentials",
            do=do,
        )


def _references(environments: Environments, name: str) -> Iterator[_Reference]:
    definition = environments.definitions.get(name)
    declaration = load(name, definition.text)[0] if definition else None
    if definition is None or declaration is None:
        return
    for index, entry in enumerate(declaration.imports):
        if entry.name is not None:
            line = entry.place.range.begin.line if entry.place.range else 0
            yield _Reference(entry.name, Spot(definition.shown, line, f"imports[{index}]"))
    for one in declaration.values:
        for term in _terms(one.value):
            for access in _accesses(term):
                target = _inline(access)
                if target:
                    line = term.place.range.begin.line if term.place.range else 0
                    yield _Reference(target, Spot(definition.shown, line, term.place.path))


def _terms(term: Term | None) -> Iterator[Term]:
    if term is None:
        return
    yield term
    inside: tuple[Term | None, ...] = ()
    match term:
        case ListTerm(items=items):
            inside = items
        case ObjectTerm(properties=properties):
            inside = tuple(one.value for one in properties)
        case Call(arguments=arguments):
            inside = tuple(arguments.values())
    for one in inside:
        yield from _terms(one)


def _accesses(term: Term) -> Iterator[Access]:
    match term:
        case Reference(access=access):
            yield access
        case Interpolation(parts=parts):
            yield from (part.access for part in parts if part.access)


def _inline(access: Access) -> str | None:
    """``project/name`` of ``environments.project.name.…``."""
    keys = [one.key for one in access[:3]]
    return f"{keys[1]}/{keys[2]}" if len(keys) == 3 and keys[0] == "environments" else None

"""Which live objects are the ones that settings want: the rules of ``Birth``, applied to a survey and changing nothing.

What is wanted comes from the engine's plan, where the id of what is not there yet is unknown. An id is therefore found
through a match of its own: first the workspace, then the source that is in it, then the connection that reads from it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pulumi.output import UNKNOWN, Unknown
from pydantic import ValidationError

from providers.base.api import Json
from providers.base.inputs import Inputs, has_unknown, project
from providers.base.kind import Kind
from providers.base.resource import Resource
from providers.base.survey import Found, can_be_listed, type_of

Verdict = Literal["same", "differs", "new", "waits", "refused", "unlisted"]

LATER = "(known after the run)"


@dataclass(frozen=True)
class Wanted:
    """One resource that a plan would create.

    ``inputs``: as planned, unknown values as ``UNKNOWN``, secrets left out; ``sources``: by input, the URNs that its
    unknown values come from; ``needs``: the URNs of all resources that must be there first.
    """

    urn: str
    resource: type[Resource]
    inputs: Mapping[str, Any]
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Difference:
    """What taking an object over would change: a path of inputs, as it is and as the settings want it."""

    path: str
    old: Any
    new: Any


@dataclass(frozen=True)
class Match:
    """What is to be said of one wanted resource.

    ``same``: it exists as it is wanted · ``differs``: it exists, and taking it over changes or claims it ·
    ``new``: there is no such object ·
    ``waits``: it exists, but needs ``missing``, which do not · ``refused``: ``reason`` says why, ``do`` what to do ·
    ``unlisted``: nobody can know, because the platform has no call that lists this kind.
    """

    wanted: Wanted
    verdict: Verdict
    found: Found | None = None
    differences: tuple[Difference, ...] = ()
    claims: tuple[str, ...] = ()
    """Calls by which the object would be made ours to write to: ``conversations.join``."""
    unseen: tuple[str, ...] = ()
    """Inputs that the platform never shows (secrets): taking over leaves them as they are there."""
    missing: tuple[str, ...] = ()
    reason: str = ""
    do: str = ""


def match(wanted: Iterable[Wanted], found: Iterable[Found], known: Mapping[str, str], stack: str) -> list[Match]:
    """A verdict on each, what others need first. ``known``: by URN, the ids of what the state has already."""
    return list(_Matching(list(found), dict(known), stack).run(list(wanted)))


class _Matching:
    def __init__(self, found: list[Found], ids: dict[str, str], stack: str) -> None:
        self.ids = ids
        self.stack = stack
        self.managed = {(_type(urn), id_) for urn, id_ in ids.items()}
        self._places: dict[tuple[type[Resource], str | None], list[tuple[Found, Json]]] = {}
        for one in found:
            self._places.setdefault((one.resource, one.container), []).append((one, _shown(one)))
        self._indexes: dict[Hashable, dict[Hashable, list[Found]]] = {}

    def run(self, wanted: list[Wanted]) -> Iterator[Match]:
        for one in _in_order(wanted):
            result = self._one(one)
            if result.found and result.verdict in ("same", "differs"):
                self.ids[one.urn] = result.found.id
                self.managed.add((type_of(one.resource), result.found.id))
            yield result

    def _one(self, wanted: Wanted) -> Match:
        kind = wanted.resource.kind
        if not can_be_listed(kind):
            return Match(wanted, "unlisted")
        try:
            inputs = kind.inputs.model_validate(self._resolved(wanted))
        except ValidationError as error:
            return Match(wanted, "new", reason=f"its inputs are not complete yet: {error.error_count()} to come")
        candidates = self._candidates(wanted.resource, inputs)
        if not candidates:
            return Match(wanted, "new")
        if len(candidates) > 1:
            ids = ", ".join(candidate.id for candidate in candidates)
            return self._refused(
                wanted,
                None,
                f"{len(candidates)} objects with the same {_key(kind, inputs)} exist: {ids}",
                "remove or rename all but one on the platform, so that it is clear which one is meant",
            )
        return self._judged(wanted, inputs, candidates[0])

    def _candidates(self, resource: type[Resource], inputs: Inputs) -> list[Found]:
        """The live objects with the natural key of the inputs, in their container; ours alone where one is ours."""
        kind, container, key = resource.kind, resource.kind.container(inputs), resource.kind.key_of(inputs.wire())
        if not key or has_unknown([key, container]) or (kind.within and not container):
            return []
        place = (resource, next(iter(container.values()), None))
        index = self._index(place, tuple(sorted(key)))
        matches = [one for one in index.get(_value(key, sorted(key)), []) if kind.calls.revive or not one.hidden]
        ours = [one for one in matches if one.owner == self.stack]
        return ours if len(ours) == 1 else matches

    def _index(self, place: tuple[type[Resource], str | None], names: tuple[str, ...]) -> dict[Hashable, list[Found]]:
        """The objects in a container by what they show under these names; made once."""
        if (place, names) not in self._indexes:
            index = self._indexes[place, names] = {}
            for one, shown in self._places.get(place, []):
                index.setdefault(_value(shown, names), []).append(one)
        return self._indexes[place, names]

    def _judged(self, wanted: Wanted, inputs: Inputs, found: Found) -> Match:
        kind, key = wanted.resource.kind, _key(wanted.resource.kind, inputs)
        if (type_of(wanted.resource), found.id) in self.managed:
            do = f"give this one another {key}, or remove one of the two"
            return self._refused(wanted, found, "another resource of this stack has it", do)
        if found.owner not in (None, self.stack):
            do = f"remove it from {found.owner} first, or give this one another {key}"
            return self._refused(wanted, found, f"it is managed by {found.owner}", do)
        if kind.shows_secret_once and found.owner == self.stack:
            do = "`sophia up` puts a new one in its place"
            return self._refused(wanted, found, "it is ours, and its secret was lost with the run that made it", do)
        if kind.shows_secret_once:
            do = f"delete it on the platform, or give this one another {key}"
            return self._refused(wanted, found, "its secret was shown only to whoever made it", do)
        differences = tuple(_differences(inputs, found))
        if fixed := sorted({d.path for d in differences if _top(d.path) in kind.immutable}):
            do = f"give this one another {key}, or set {' and '.join(fixed)} to what it is there"
            said = f"it has another {' and '.join(fixed)}, which the platform cannot change"
            return Match(wanted, "refused", found, differences, reason=said, do=do)
        missing = tuple(urn for urn in wanted.needs if urn not in self.ids)
        claims = [*(kind.calls.revive if found.hidden else ()), *kind.claim(found.document)]
        return Match(
            wanted,
            "waits" if missing else "differs" if differences or claims else "same",
            found,
            differences,
            claims=tuple(call.path.strip("/") for call in claims),
            unseen=tuple(name for name in kind.write_only if wanted.inputs.get(name) is not None),
            missing=missing,
        )

    def _refused(self, wanted: Wanted, found: Found | None, reason: str, do: str) -> Match:
        return Match(wanted, "refused", found, reason=reason, do=do)

    def _resolved(self, wanted: Wanted) -> dict[str, Any]:
        """The inputs, with the ids of what has been matched in the places of what was not known."""
        resolved: dict[str, Any] = {}
        for name, value in wanted.inputs.items():
            ids = [self.ids[urn] for urn in wanted.sources.get(name, ()) if urn in self.ids]
            whole = len(ids) == len(wanted.sources.get(name, ()))
            if isinstance(value, Unknown) and whole and len(ids) == 1:
                resolved[name] = ids[0]
            elif isinstance(value, list) and value and whole and _all_unknown(value) and len(ids) == len(value):
                resolved[name] = ids
            else:
                resolved[name] = value
        return resolved


def _in_order(wanted: list[Wanted]) -> Iterator[Wanted]:
    """What others need comes before them. (The engine has seen to it that there is no circle.)"""
    by_urn = {one.urn: one for one in wanted}
    done: set[str] = set()
    for first in wanted:
        waiting = [first]
        while waiting:
            one = waiting[-1]
            before = [by_urn[urn] for urn in one.needs if urn in by_urn and urn not in done]
            if one.urn in done or not before:
                waiting.pop()
                if one.urn not in done:
                    done.add(one.urn)
                    yield one
            else:
                waiting += before


def _differences(inputs: Inputs, found: Found) -> Iterator[Difference]:
    """In what a live object is not what is wanted, of what the platform shows and we manage."""
    kind, shown = found.kind, _shown(found)
    live = kind.inputs.from_wire(project(shown, inputs.wire()))
    container = kind.container(inputs)
    for name, wanted in inputs.state().items():
        if name in kind.write_only or name in kind.carried or name in kind.unseen or name in container:
            continue
        if name in kind.immutable and kind.inputs.wire_name(name) not in shown:
            continue
        yield from _between(name, live.get(name), wanted)


def _between(path: str, old: Any, new: Any) -> Iterator[Difference]:
    """Leaf by leaf in mappings; everything else whole."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from _between(f"{path}.{key}", old.get(key), new.get(key))
    elif old != new or has_unknown(new):
        yield Difference(path, old, LATER if has_unknown(new) else new)


def _shown(found: Found) -> dict[str, Any]:
    return found.kind.shown(found.document)


def _value(shown: Mapping[str, Any], names: Iterable[str]) -> Hashable:
    return tuple(repr(shown.get(name)) for name in names)


def _type(urn: str) -> str:
    return urn.split("::")[2].rpartition("$")[2]


def _key(kind: Kind, inputs: Inputs) -> str:
    given = inputs.state()
    return " and ".join(name for name in kind.natural_key if name in given) or "name"


def _top(path: str) -> str:
    return path.partition(".")[0]


def _all_unknown(values: list[Any]) -> bool:
    return all(isinstance(value, Unknown) for value in values)


def as_planned(value: Any, unknown: str) -> Any:
    """A planned value in which the text ``unknown`` stands for what is not known yet."""
    if value == unknown:
        return UNKNOWN
    if isinstance(value, dict):
        return {key: as_planned(item, unknown) for key, item in value.items()}
    return [as_planned(item, unknown) for item in value] if isinstance(value, list) else value

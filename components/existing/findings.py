"""A platform's settings while they grow by what exists: which entries came new, and what had to be left, and why."""

from __future__ import annotations

import copy
import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from components.explain import Mistake, Path, explain, render
from components.settings import Settings, SettingsT, environment_variables
from providers.base.inputs import whole_numbers
from providers.base.inventory import Inventory
from providers.base.resource import Resource
from providers.base.survey import Found

_LONGEST_KEY = 60

Describe = Callable[[Found, str], Mapping[str, Any]]
"""The members of an entry for a live object, under the key that it would have; CannotSayError if settings cannot say it."""


class CannotSayError(ValueError):
    """An object that our settings have no words for. The text is the reason, for a person."""


class ExistingError(Exception):
    """Settings cannot be made of what exists. ``setting`` is the one to blame, ``do`` what to do about it."""

    def __init__(self, what: str, said: str = "", setting: str = "", do: str = "") -> None:
        self.what, self.said, self.setting, self.do = what, said, setting, do
        super().__init__(what)


def listed(resource: type[Resource], container: str | None = None) -> list[Found]:
    """The live objects of a kind in one container, by one listing. Raises ``PlatformError``."""
    kind = resource.kind
    within = {kind.within.input: container} if kind.within else {}
    return [
        Found(
            resource,
            id_,
            container,
            kind.owner(document),
            {**within, **kind.inputs.from_wire(kind.shown(document))},
            kind.hidden(document),
            document,
        )
        for id_, document in Inventory().all(kind, within).items()
    ]


def title(found: Found) -> str:
    """What people call an object."""
    key = [name for name in ("name", *found.kind.natural_key) if found.inputs.get(name)]
    return str(found.inputs[key[0]]) if key else found.id


def key_of(keys: Mapping[str, str], kind: str, id_: Any) -> str:
    """The settings' key of what an object refers to; CannotSayError if the settings do not have that."""
    if id_ not in keys:
        raise CannotSayError(f"its {kind} {id_} is not in the settings")
    return keys[id_]


def unsaid(document: Mapping[str, Any], defaults: Mapping[str, Any]) -> list[str]:
    """Of the members that settings do not express (given with their defaults), those that are set to something else."""
    return [name for name, default in defaults.items() if document.get(name) not in (None, default)]


@dataclass
class Findings:
    """``settings`` are plain data, as they stand in the stack file; ``stack`` (``project/stack``) is who asks."""

    platform: str
    model: type[Settings]
    given: Mapping[str, Any] | None
    stack: str
    settings: dict[str, Any] = field(init=False)
    added: list[dict[str, Any]] = field(default_factory=list, init=False)
    left: list[dict[str, str]] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self.settings = copy.deepcopy(dict(self.given or {}))
        for mistake in self._mistakes() if self.given is not None else ():
            raise ExistingError(
                "the settings are wrong as they are",
                said=mistake.message,
                setting=render((self.platform, *mistake.path)),
                do="correct them, then run the same command again",
            )

    def document(self) -> dict[str, Any]:
        """What the command prints."""
        nothing = self.given is None and not self.settings
        return {"settings": None if nothing else self.settings, "added": self.added, "left": self.left}

    def leave(self, found: Found, reason: str) -> None:
        """Tells of an object, or of something about it, that does not come into the settings."""
        self.left.append({"kind": found.kind.title, "id": found.id, "name": title(found), "reason": reason})

    def leave_fields(self, found: Found, defaults: Mapping[str, Any]) -> None:
        """Tells of members that the settings have no words for and that are not at their defaults."""
        if names := unsaid(found.document, defaults):
            self.leave(found, f"no setting says its {', '.join(names)}: that stays as it is on the platform")

    def is_anothers(self, found: Found) -> bool:
        return found.owner not in (None, self.stack)

    def add(self, path: tuple[str, ...], found: Found, entry: Any, variables: Iterable[tuple[Path, str]] = ()) -> None:
        """Enters an object at ``path``; ``variables`` are those that its entry names as the source of a secret."""
        *parents, last = path
        place = self.settings
        for step in parents:
            place[step] = place.get(step) or {}
            place = place[step]
        place[last] = entry
        secrets = [str(name) for _, name in variables]
        described = {"kind": found.kind.title, "id": found.id, "name": title(found), "secrets": secrets}
        self.added.append({"path": render((self.platform, *path)), **described})

    def container(
        self,
        resource: type[Resource],
        model: type[Settings],
        wanted: str | None,
        *,
        default: str | None = None,
        describe: Callable[[Found], Mapping[str, Any]] | None = None,
    ) -> Found | None:
        """The workspace (or project) that the settings are about: the one that they name, else ``wanted``, else the only
        one.

        ``default`` is the natural key of the one that is there from the start and cannot be deleted: it is taken only if
        there is no other. ``describe``: its members, where they are not called as its inputs are. None if nothing exists.
        Raises ExistingError where it is not clear which one is meant.
        """
        (member,), setting, what = resource.kind.natural_key, resource.kind.setting, resource.kind.title
        found = listed(resource)
        chosen = self._chosen(found, member, self.settings.get(setting, {}).get(member), wanted, default)
        for other in found:
            if other is not chosen:
                self.leave(other, f"it is another {what}: a stack has one, and what is in others is not looked at")
        if chosen and setting not in self.settings:
            same = {name: chosen.inputs[name] for name in model.model_fields if name in chosen.inputs}
            try:
                entry = parsed(model, describe(chosen) if describe else same)
            except CannotSayError as error:
                said = f'the {what} "{title(chosen)}" cannot be said by settings'
                raise ExistingError(said, str(error)) from error
            self.add((setting,), chosen, plain(entry))
        return chosen

    def _chosen(
        self, found: list[Found], member: str, named: str | None, wanted: str | None, default: str | None
    ) -> Found | None:
        what = found[0].kind.title if found else ""
        setting = f"{self.platform}.{found[0].kind.setting if found else ''}.{member}"
        if name := named or wanted:
            matching = [one for one in found if one.inputs.get(member) == name]
            if len(matching) > 1:
                raise ExistingError(
                    f'{len(matching)} {what}s have the {member} "{name}"',
                    said=", ".join(one.id for one in matching),
                    setting=setting,
                    do="rename all but one on the platform, so that it is clear which one is meant",
                )
            if not matching and not named:
                there = ", ".join(str(one.inputs.get(member)) for one in found) or "none"
                raise ExistingError(f'there is no {what} "{name}"', said=f"there are: {there}", setting=setting)
            return matching[0] if matching else None
        free = [one for one in found if not self.is_anothers(one)]
        ours = [one for one in free if one.owner]
        candidates = ours or [one for one in free if one.inputs.get(member) != default] or free
        if len(candidates) > 1:
            raise ExistingError(
                f"it is not clear which {what} is meant",
                said=f"there are: {', '.join(str(one.inputs.get(member)) for one in candidates)}",
                setting=setting,
                do=f"name one: write {setting} into the stack file, or give --workspace",
            )
        return candidates[0] if candidates else None

    def finish(self) -> None:
        """Takes out again what does not go together with the rest, each with the reason."""
        while self.added and (mistakes := {self._place(m): m.message for m in self._mistakes()}):
            odd = [entry for entry in self.added if entry["path"] in mistakes]
            if not odd:
                setting, said = next(iter(mistakes.items()))
                raise ExistingError("what exists does not go together with the settings", said, setting)
            for entry in odd:
                section, key = entry["path"].removeprefix(f"{self.platform}.").split(".")
                del self.settings[section][key]
                if not self.settings[section] and section not in (self.given or {}):
                    del self.settings[section]
                inside = f"{entry['path']}."
                self.added = [one for one in self.added if one is not entry and not one["path"].startswith(inside)]
                self.left.append({**{m: entry[m] for m in ("kind", "id", "name")}, "reason": mistakes[entry["path"]]})

    def _place(self, mistake: Mistake) -> str:
        return render((self.platform, *mistake.path[:2]))

    def _mistakes(self) -> Iterator[Mistake]:
        try:
            self.model.model_validate(self.settings)
        except ValidationError as error:
            yield from explain(error, self.settings, self.model, set())


@dataclass
class Section:
    """A map of entries (``channels``). ``identify`` tells what an entry of the settings stands for on the platform."""

    findings: Findings
    name: str
    model: type[Settings]
    identify: Callable[[Mapping[str, Any]], Hashable]
    keys: dict[str, str] = field(default_factory=dict, init=False)
    """Of the live objects that have an entry, the key, by id."""

    def take(
        self, objects: Iterable[Found], identities: Callable[[Found], Sequence[Hashable]], describe: Describe
    ) -> None:
        """Matches live objects with the entries that there are, and adds an entry for each of the others.

        ``identities`` are what a live object may be called in an entry, the one that a new entry would have first.
        """
        objects = list(objects)
        known = {self.identify(entry): key for key, entry in self.entries.items()}
        count = Counter(identities(found)[0] for found in objects if not found.hidden)
        for found in objects:
            same = [known[identity] for identity in identities(found) if identity in known]
            twins = count[identities(found)[0]]
            if twins > 1 and not found.hidden:
                self.findings.leave(
                    found, f"{twins} of them are called the same on the platform: rename or delete all but one"
                )
            elif same:
                self.keys[found.id] = same[0]
            elif self.findings.is_anothers(found):
                self.findings.leave(found, f"it is managed by {found.owner}")
            elif found.hidden:
                self.findings.leave(found, "it is archived or disabled: bring it back first, if it is wanted")
            else:
                self._add(found, describe)

    @property
    def entries(self) -> Mapping[str, Mapping[str, Any]]:
        entries: Mapping[str, Mapping[str, Any]] = self.findings.settings.get(self.name) or {}
        return entries

    def _add(self, found: Found, describe: Describe) -> None:
        key = new_key(title(found), self.name.rstrip("s").replace("_", "-"), self.entries)
        try:
            entry = parsed(self.model, describe(found, key))
        except CannotSayError as error:
            self.findings.leave(found, str(error))
            return
        self.keys[found.id] = key
        self.findings.add((self.name, key), found, plain(entry), environment_variables(entry))


def new_key(name: str, kind: str, taken: Container[str]) -> str:
    """The name as a key: lower-case words joined by hyphens, with a number behind it where it is taken.

    ``kind`` stands before what begins with no letter.
    """
    ascii_ = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", ascii_)[:_LONGEST_KEY].strip("-")
    key = words if words[:1].isalpha() else f"{kind}-{words}".rstrip("-")
    numbered = (f"{key}-{number}" for number in itertools.count(2))
    return next(k for k in itertools.chain([key], numbered) if k not in taken)


def parsed(model: type[SettingsT], members: Mapping[str, Any]) -> SettingsT:
    """An entry of these members; CannotSayError where they do not make one."""
    try:
        return model.model_validate(members)
    except ValidationError as error:
        mistakes = explain(error, dict(members), model, set())
        raise CannotSayError("; ".join(f"{render(path)} {message}".strip() for path, message in mistakes)) from error


def plain(entry: Settings) -> dict[str, Any]:
    """An entry as it stands in the stack file, without what is the default anyway."""
    written: dict[str, Any] = whole_numbers(entry.model_dump(mode="json", by_alias=True, exclude_defaults=True))
    return written

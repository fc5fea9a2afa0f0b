"""What a platform does that its package's types do not tell: a declaration per resource type."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from sandbox.official.types import Failure, Sdk
from sandbox.official.values import Path, Properties

Identity = tuple[str, ...]


class RefusedError(Exception):
    """The platform says no; the text is the platform's own kind of text."""


class WhenGone(Enum):
    """What becomes of an object when one that it refers to is deleted."""

    GOES_TOO = "goes too"
    PREVENTS = "prevents"
    STAYS = "stays"


@dataclass(frozen=True)
class Reference:
    """An object that must exist, because another one names it."""

    token: str
    identity: Identity
    missing: str
    when_gone: WhenGone = WhenGone.GOES_TOO
    also: tuple[str, ...] = ()
    """Other resource types that the name may be one of: a table may be a dynamic one."""

    def means(self, token: str, names: Collection[Identity]) -> bool:
        """Whether this refers to an object of type ``token`` that has ``names``."""
        return self.identity in names and (token == self.token or token in self.also)


@dataclass(frozen=True)
class Draft:
    """An object about to be written: what was asked, what the platform had before (nothing for a new one), and the
    objects that it refers to, in the order of its kind's ``references``."""

    id: str
    asked: Properties
    previous: Properties
    referred: tuple[Properties, ...]
    others: Callable[[], Sequence[Properties]] = tuple
    """The other objects of the same type, for limits that a platform counts."""
    noted: Callable[[str, str], Properties | None] = lambda _kind, _key: None
    """What the platform's own API keeps beside the resources, by kind and id: the plan of the account."""

    @property
    def parent(self) -> Properties:
        """The first object that this one refers to (a secret's repository); empty when it refers to none."""
        return self.referred[0] if self.referred else {}

    def kept(self, name: str, make: Callable[[], Any]) -> Any:
        """What the platform once gave this object, or gives it now."""
        return self.previous[name] if name in self.previous else make()


def _nothing(_: Properties) -> tuple[()]:
    return ()


def _no_fill(_: Draft) -> Properties:
    return {}


def _deleted(_: Properties) -> None:
    return None


def _no_more(_old: Properties, _new: Properties) -> tuple[()]:
    return ()


def _no_refusals(_: Draft) -> tuple[()]:
    return ()


def _enabled(_token: str, _settings: Properties) -> None:
    return None


def _refuse_duplicate(identity: Identity) -> str:
    return f"{'/'.join(identity)} already exists"


def _refuse_deletion(identity: Identity) -> str:
    return f"{'/'.join(identity)} is still in use"


@dataclass(frozen=True)
class Kind:
    """The rules for one resource type.

    ``identity`` is what must be unique (a tuple of names); ``make_id`` the id that the official provider gives;
    ``aliases`` other identities by which the object can be referred to, ``import_ids`` the texts by which the official
    provider imports it, where they are not its id; ``conflicts`` tells whether an existing object
    stands in the way of a new one, and ``duplicate`` the platform's words for it (None: writing again is no error);
    ``rivals`` other types whose objects take names from the same set; ``references`` what must exist; ``existing``
    what every account has from the start; ``replaces`` the paths that cannot be changed in place, ``replaces_too``
    those that cannot in a certain change (of old to new), ``delete_first`` whether the old object must go before the
    new one comes (one that keeps its given name always must); ``fill`` what the platform adds; ``validate`` what is
    checked beyond types before anything is written, ``refusals`` the platform's words against what it finds only when
    it writes; ``sensitive`` paths of answers that are secret; ``unordered`` lists whose order means nothing;
    ``normal`` how the values at a path are brought to one spelling before they are compared; ``always_changes`` a
    property that differs in every run; ``retired`` what is left of the object when it is deleted; ``referred`` the
    platform's words when it cannot be deleted because another object refers to it.
    """

    identity: Callable[[Properties], Identity]
    make_id: Callable[[Properties], str]
    aliases: Callable[[Properties], Iterable[Identity]] = _nothing
    import_ids: Callable[[Properties], Iterable[str]] = _nothing
    conflicts: Callable[[Properties, Properties], bool] | None = None
    duplicate: Callable[[Identity], str] | None = _refuse_duplicate
    references: Callable[[Properties], Iterable[Reference]] = _nothing
    existing: frozenset[Identity] = frozenset()
    replaces: tuple[Path, ...] = ()
    replaces_too: Callable[[Properties, Properties], Iterable[Path]] = _no_more
    fill: Callable[[Draft], Properties] = _no_fill
    validate: Callable[[Properties], Iterable[Failure]] = _nothing
    sensitive: tuple[Path, ...] = ()
    delete_first: bool = False
    unordered: tuple[Path, ...] = ()
    always_changes: Callable[[Properties], str | None] = _deleted
    retired: Callable[[Properties], Properties | None] = _deleted
    referred: Callable[[Identity], str] = _refuse_deletion
    rivals: tuple[str, ...] = ()
    normal: tuple[tuple[Path, Callable[[Any], Any]], ...] = ()
    refusals: Callable[[Draft], Iterable[str]] = _no_refusals

    def stands_in_the_way(self, new: Properties, old: Properties) -> bool:
        if self.conflicts is not None:
            return self.conflicts(new, old)
        return self.identity(new) == self.identity(old)

    def names(self, properties: Properties) -> set[Identity]:
        return {self.identity(properties), *self.aliases(properties)}


@dataclass(frozen=True)
class Package:
    """One of the official packages.

    ``autoname`` is the path at which the official provider puts a generated name when none is given. Where
    ``owns_whole_object``, a member that was set by hand shows as drift; Kubernetes tracks ownership field by field,
    so there it does not. ``open_ended`` packages accept types that their SDK does not have (custom resources).
    ``check_settings`` is what is wrong with the provider's own settings; ``disabled`` the provider's words when its
    settings do not allow a resource type.
    """

    sdk: Sdk
    kind: Callable[[str], Kind]
    autoname: Path = ("name",)
    owns_whole_object: bool = True
    open_ended: bool = False
    check_settings: Callable[[Properties], Iterable[Failure]] = _nothing
    disabled: Callable[[str, Properties], str | None] = _enabled


def now() -> str:
    """The time as the platforms write it, to the second, UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def random_id(length: int) -> str:
    alphabet = string.ascii_letters + string.digits
    return "".join(secrets.choice(alphabet) for _ in range(length))


def text(properties: Properties, *path: str) -> str:
    """The string at ``path``; empty when it is not there."""
    value: Any = properties
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return str(value) if value is not None else ""


def paths(*names: str) -> tuple[Path, ...]:
    """Dotted names as paths: ``paths("spec.scopes", "type")``."""
    return tuple(tuple(name.split(".")) for name in names)

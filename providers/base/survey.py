"""Everything that exists on a platform, of the kinds that we can manage; nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from itertools import product
from typing import Any, Literal, get_args, get_origin

from providers.base.api import Json
from providers.base.errors import PlatformError, Trouble
from providers.base.inventory import Inventory
from providers.base.kind import Kind
from providers.base.resource import Resource

_MADE = ("created_at", "createdAt", "created", "date_create")
"""The members in which platforms tell when an object was made: RFC 3339, or seconds since 1970."""


@dataclass(frozen=True)
class Found:
    """A live object, or one that was deleted and is kept (``hidden``: an archived channel)."""

    resource: type[Resource]
    id: str
    container: str | None
    """The id of the object that it is in; None for a kind without containers."""
    owner: str | None
    """The ``project/stack`` whose mark it carries. None is no proof: many kinds have no room for one."""
    inputs: dict[str, Any]
    """What it is like, as the inputs of ``resource`` say it: what the platform never shows (secrets) is not there."""
    hidden: bool
    document: Json

    @property
    def kind(self) -> Kind:
        return self.resource.kind

    @property
    def key(self) -> dict[str, Any]:
        """Its natural key, in the names of inputs."""
        return {name: self.inputs[name] for name in self.kind.natural_key if name in self.inputs}

    @property
    def made(self) -> str | None:
        """When it was made, RFC 3339 in UTC; None where the platform does not tell."""
        return next((moment for name in _MADE if (moment := _moment(self.document.get(name)))), None)


def platforms() -> list[str]:
    """The platforms that are managed by dynamic providers of ours, by the names of their modules."""
    from pkgutil import iter_modules

    import providers

    names = [module.name for module in iter_modules(providers.__path__) if not module.ispkg]
    return sorted(name for name in names if is_platform(name))


def is_platform(name: str) -> bool:
    """Whether there is ``providers/<name>.py``, and its resources are that platform's."""
    there = name.isidentifier() and find_spec(f"providers.{name}") is not None
    return there and any(resource.kind.api.name == name for resource in resources_of(name))


def resources_of(platform: str) -> list[type[Resource]]:
    """The kinds of resources of ``providers/<platform>.py``, containers before what is in them."""
    module = import_module(f"providers.{platform}")
    return [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Resource) and value.__module__ == module.__name__
    ]


def type_of(resource: type[Resource]) -> str:
    """The type as the engine's URNs spell it: ``pulumi-python:dynamic/airbyte:Connection``."""
    return f"pulumi-python:dynamic/{resource.__module__.rpartition('.')[2]}:{resource.__name__}"


def can_be_listed(kind: Kind) -> bool:
    """Whether the objects of a kind can be found without knowing their ids. (Slack's apps cannot.)"""
    return kind.calls.listing is not None or _addresses(kind) is not None


def survey(resources: list[type[Resource]]) -> Iterator[Found]:
    """The objects of these kinds, container by container, one listing each. Raises ``PlatformError``.

    A kind that cannot be listed is skipped: ``can_be_listed`` says which these are.
    """
    inventory, ids = Inventory(), dict[int, list[str]]()
    for resource in resources:
        kind = resource.kind
        containers = [None] if kind.within is None else ids.get(id(kind.within.kind), [])
        for container in containers:
            for found in _in_one(resource, container, inventory):
                if not found.hidden:
                    ids.setdefault(id(kind), []).append(found.id)
                yield found


def _in_one(resource: type[Resource], container: str | None, inventory: Inventory) -> Iterator[Found]:
    kind = resource.kind
    within = {kind.within.input: container} if kind.within else {}
    documents = inventory.all(kind, within) if kind.calls.listing else _read_one_by_one(kind, within)
    for id_, document in documents.items():
        shown = kind.inputs.from_wire(kind.shown(document))
        yield Found(
            resource, id_, container, kind.owner(document), {**within, **shown}, kind.hidden(document), document
        )


def _read_one_by_one(kind: Kind, within: Mapping[str, Any]) -> dict[str, Json]:
    """The objects of a kind whose few possible addresses are known beforehand, such as the budget of an interval."""
    documents: dict[str, Json] = {}
    for address in _addresses(kind) or []:
        values = {**within, **address}
        if kind.calls.read is None:
            break
        try:
            document = kind.calls.read.send(kind.api, values)
        except PlatformError as error:
            if error.trouble is not Trouble.NOT_FOUND:
                raise
        else:
            documents[kind.identify(document, values)] = document
    return documents


def _addresses(kind: Kind) -> list[dict[str, Any]] | None:
    """What the natural key can be, for an object whose id is made of it; None where that is not a handful of words."""
    if kind.calls.read is None or "{" not in kind.identity or not kind.natural_key:
        return None
    annotations = [kind.inputs.model_fields[name].annotation for name in kind.natural_key]
    if any(get_origin(annotation) is not Literal for annotation in annotations):
        return None
    combinations = product(*(get_args(annotation) for annotation in annotations))
    return [dict(zip(kind.natural_key, words, strict=True)) for words in combinations]


def _moment(value: Any) -> str | None:
    try:
        if isinstance(value, str) and not value.isdigit():
            moment = datetime.fromisoformat(value)
        else:
            moment = datetime.fromtimestamp(float(value), UTC)
    except (TypeError, ValueError, OverflowError):
        return None
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

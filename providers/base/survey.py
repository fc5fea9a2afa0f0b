"""Everything that exists on a platform, of the kinds that we can manage; nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from providers.base.api import Json
from providers.base.inventory import Inventory
from providers.base.kind import Kind
from providers.base.resource import Resource


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


def resources_of(platform: str) -> list[type[Resource]]:
    """The kinds of resources of ``providers/<platform>.py``, containers before what is in them."""
    module = import_module(f"providers.{platform}")
    return [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Resource) and value.__module__ == module.__name__
    ]


def survey(resources: list[type[Resource]]) -> Iterator[Found]:
    """The objects of these kinds, container by container, one listing each. Raises ``PlatformError``.

    A kind without a listing is skipped: ``kind.calls.listing`` says which these are.
    """
    inventory, ids = Inventory(), dict[int, list[str]]()
    for resource in resources:
        kind = resource.kind
        if kind.calls.listing is None:
            continue
        containers = [None] if kind.within is None else ids.get(id(kind.within.kind), [])
        for container in containers:
            for found in _in_one(resource, container, inventory):
                if not found.hidden:
                    ids.setdefault(id(kind), []).append(found.id)
                yield found


def _in_one(resource: type[Resource], container: str | None, inventory: Inventory) -> Iterator[Found]:
    kind = resource.kind
    within = {kind.within.input: container} if kind.within else {}
    for id_, document in inventory.all(kind, within).items():
        shown = kind.inputs.from_wire(kind.shown(document))
        yield Found(
            resource, id_, container, kind.owner(document), {**within, **shown}, kind.hidden(document), document
        )

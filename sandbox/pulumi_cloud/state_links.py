"""The names by which the resources of a state refer to each other, put right after some were renamed or are gone.

What the engine does before it writes a state (``DeploymentV3.NormalizeURNReferences`` and ``rebuildDependencies`` in
github.com/pulumi/pulumi v3.258.0). Resources are in an order in which each comes after those that it refers to: the
engine does not read a state in another one.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence

from sandbox.pulumi_cloud.calls import Json

_ROOT_TYPE = "pulumi:pulumi:Stack"


def normalized(resources: Sequence[Json]) -> tuple[list[Json], Callable[[str], str]]:
    """The resources with the URNs that they have now instead of their aliases, and that translation.

    Aliases are dropped: they have served their purpose. One that two resources claim stands for the first of them.
    """
    renamed = _renamed(resources)

    def current(urn: str) -> str:
        return renamed.get(urn, urn)

    return [_with_current_names(resource, current) for resource in resources], current


def _renamed(resources: Sequence[Json]) -> dict[str, str]:
    renamed: dict[str, str] = {}
    for resource in resources:
        for alias in resource.get("aliases") or []:
            renamed.setdefault(alias, resource["urn"])
        # A child that is yet to be registered again has the type of its parent in its name.
        parent = renamed.get(resource.get("parent") or "")
        if parent and _qualified_type(parent) != _ROOT_TYPE:
            renamed[resource["urn"]] = _moved_below(resource["urn"], parent)
    return renamed


def _qualified_type(urn: str) -> str:
    return urn.split("::", 3)[2]


def _moved_below(urn: str, parent: str) -> str:
    stack, project, type_, name = urn.split("::", 3)
    return "::".join([stack, project, f"{_qualified_type(parent)}${type_.rpartition('$')[2]}", name])


def _with_current_names(resource: Json, current: Callable[[str], str]) -> Json:
    named = {key: value for key, value in resource.items() if key != "aliases"}
    for key in ("urn", "parent", "deletedWith", "viewOf"):
        if named.get(key):
            named[key] = current(named[key])
    for key in ("dependencies", "replaceWith"):
        if named.get(key):
            named[key] = [current(urn) for urn in named[key]]
    if named.get("propertyDependencies"):
        named["propertyDependencies"] = {
            name: urns and [current(urn) for urn in urns] for name, urns in named["propertyDependencies"].items()
        }
    if named.get("provider"):
        urn, _, identifier = named["provider"].rpartition("::")
        named["provider"] = f"{current(urn)}::{identifier}"
    return named


def without_dangling_links(resources: Iterable[Json], *, rebuilt: bool) -> list[Json]:
    """The resources without references to others that do not come before them: a refresh found those to be gone.

    ``rebuilt``: as a base that the update goes on from; the engine then drops what refers to nothing from all of them,
    and otherwise only touches those that do have a dangling reference.
    """
    known: set[str] = set()
    linked = []
    for resource in resources:
        linked.append(_only_known(resource, known) if rebuilt or _dangles(resource, known) else resource)
        known.add(resource["urn"])
    return [{key: value for key, value in resource.items() if key != "parent" or value in known} for resource in linked]


def _dangles(resource: Json, known: Container[str]) -> bool:
    urns = [
        *([resource["deletedWith"]] if resource.get("deletedWith") else []),
        *(resource.get("dependencies") or []),
        *(resource.get("replaceWith") or []),
        *(urn for urns in (resource.get("propertyDependencies") or {}).values() for urn in urns or []),
    ]
    return not all(urn in known for urn in urns)


def in_order(resources: Sequence[Json]) -> list[Json]:
    """The resources as they stand, but for those before one that they refer to: they come right after it."""
    all_urns = {resource["urn"] for resource in resources}
    known: set[str] = set()
    waiting: dict[str, list[Json]] = {}
    ordered: list[Json] = []
    for resource in resources:
        ready = [resource]
        while ready:
            candidate = ready.pop()
            missing = next((urn for urn in _referred(candidate) if urn in all_urns and urn not in known), None)
            if missing is not None and missing != candidate["urn"]:
                waiting.setdefault(missing, []).append(candidate)
                continue
            ordered.append(candidate)
            known.add(candidate["urn"])
            ready.extend(reversed(waiting.pop(candidate["urn"], [])))
    # Only resources that refer to each other in a circle are left: nobody's order is right for them.
    return ordered + [resource for left in waiting.values() for resource in left]


def _referred(resource: Json) -> Iterator[str]:
    """What must come before the resource. One that only waits for its deletion may outlive its provider."""
    yield from (resource[key] for key in ("parent", "deletedWith") if resource.get(key))
    if resource.get("provider") and not resource.get("delete"):
        yield resource["provider"].rpartition("::")[0]
    yield from resource.get("dependencies") or []
    for urns in (resource.get("propertyDependencies") or {}).values():
        yield from urns or []


def _only_known(resource: Json, known: Container[str]) -> Json:
    kept = dict(resource)
    if kept.get("deletedWith") not in known:
        kept.pop("deletedWith", None)
    for key in ("dependencies", "replaceWith"):
        _set_or_drop(kept, key, [urn for urn in kept.get(key) or [] if urn in known])
    of_properties = {
        name: [urn for urn in urns or [] if urn in known]
        for name, urns in (kept.get("propertyDependencies") or {}).items()
    }
    _set_or_drop(kept, "propertyDependencies", {name: urns for name, urns in of_properties.items() if urns})
    return kept


def _set_or_drop(resource: Json, key: str, value: list[str] | dict[str, list[str]]) -> None:
    if value:
        resource[key] = value
    else:
        resource.pop(key, None)

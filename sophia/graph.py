"""What needs what: the platforms of a stack, or the resources of one platform, as the state's dependencies tell.

A resource needs another if one of its inputs comes from it, or if the program says that it must exist first. Platforms
need each other through their resources. Nothing is asked of a platform, and no value of a resource is shown.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sophia.errors import SettingsError
from sophia.events import Resource
from sophia.state import State


@dataclass(frozen=True)
class Node:
    """A platform, or a resource; ``key`` is unique in its graph."""

    key: str
    title: str
    detail: str = ""
    """A second line: how many resources a platform has, or a resource's kind."""
    outside: bool = False
    """Whether it is a platform beside the one whose resources the graph is about."""


@dataclass(frozen=True)
class Edge:
    """``source`` needs ``target``; ``needs`` names what of the target it needs, where that says more than the target."""

    source: str
    target: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Graph:
    """Nodes in the order of their titles, and edges in the order of their nodes."""

    stack: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def needs_of(self, key: str) -> tuple[Edge, ...]:
        return tuple(edge for edge in self.edges if edge.source == key)

    @property
    def roots(self) -> tuple[Node, ...]:
        """The nodes that nothing else needs, and of each circle without such a node the first."""
        needed = {edge.target for edge in self.edges}
        roots = [node for node in self.nodes if node.key not in needed]
        reached = self._reachable(node.key for node in roots)
        for node in self.nodes:
            if node.key not in reached:
                roots.append(node)
                reached |= self._reachable([node.key])
        return tuple(roots)

    def reduced(self) -> Graph:
        """The same without what is told by the rest: ``a`` needs ``c``, where it needs ``b``, which needs ``c``.

        An edge that names what it needs tells more than that, and stays.
        """
        below = {node.key: self._reachable(edge.target for edge in self.needs_of(node.key)) for node in self.nodes}

        def is_told(edge: Edge) -> bool:
            others = (e.target for e in self.needs_of(edge.source) if e.target != edge.target)
            # In a circle everything is told by everything else: there nothing can be left out.
            return any(edge.target in below[o] and edge.source not in below[o] for o in others)

        return replace(self, edges=tuple(edge for edge in self.edges if edge.needs or not is_told(edge)))

    def _reachable(self, keys: Iterable[str]) -> set[str]:
        reached: set[str] = set()
        waiting = list(keys)
        while waiting:
            key = waiting.pop()
            if key not in reached:
                reached.add(key)
                waiting += [edge.target for edge in self.needs_of(key)]
        return reached


def of_platforms(stack: str, state: State) -> Graph:
    """The platforms of a stack, and which needs which, through how many of its resources."""
    counts = Counter(resource.platform for resource in state.objects if resource.platform)
    needs: dict[tuple[str, str], dict[str, None]] = {}
    for dependent, needed in _dependencies(state):
        if dependent.platform != needed.platform and {dependent.platform, needed.platform} <= counts.keys():
            needs.setdefault((dependent.platform, needed.platform), {})[_called(needed)] = None
    nodes = [Node(title, title, _resources(count)) for title, count in sorted(counts.items())]
    edges = [Edge(source, target, tuple(sorted(names))) for (source, target), names in sorted(needs.items())]
    return Graph(stack, tuple(nodes), tuple(edges))


def of_resources(stack: str, state: State, platform: str) -> Graph:
    """The resources of one platform, and the other platforms that they need and are needed by.

    Raises SettingsError, with the nearest name, for a platform of which the stack has no resource.
    """
    titles = {resource.platform.casefold(): resource.platform for resource in state.objects if resource.platform}
    title = titles.get(platform.casefold())
    if title is None:
        raise _unknown(stack, platform, sorted(titles))
    own = {resource.urn: resource for resource in state.objects if resource.platform == title}
    nodes = {urn: Node(urn, resource.name, resource.kind) for urn, resource in own.items()}
    edges: dict[tuple[str, str], dict[str, None]] = {}
    for dependent, needed in _dependencies(state):
        if dependent.urn not in own and needed.urn not in own:
            continue
        ends = []
        for end in (dependent, needed):
            if end.urn not in own:
                nodes[end.platform] = Node(end.platform, end.platform, outside=True)
            ends.append(end.urn if end.urn in own else end.platform)
        names = edges.setdefault((ends[0], ends[1]), {})
        if needed.urn not in own:
            names[_called(needed)] = None
    order = {key: number for number, key in enumerate(sorted(nodes, key=lambda key: _order(nodes[key])))}
    ordered = sorted(edges.items(), key=lambda item: (order[item[0][0]], order[item[0][1]]))
    return Graph(
        stack,
        tuple(sorted(nodes.values(), key=_order)),
        tuple(Edge(source, target, tuple(sorted(names))) for (source, target), names in ordered),
    )


def _order(node: Node) -> tuple[bool, str, str, str]:
    return node.outside, node.detail, node.title, node.key


def _called(resource: Resource) -> str:
    return resource.kind if resource.kind == resource.name else f"{resource.kind} {resource.name}"


def _resources(count: int) -> str:
    return f"{count} resource{'' if count == 1 else 's'}"


def _dependencies(state: State) -> Iterator[tuple[Resource, Resource]]:
    """Each pair of objects of which the first needs the second. A component stands for what it consists of."""
    objects = {resource.urn: resource for resource in state.objects}
    parts: dict[str, list[Resource]] = {}
    parents = {record["urn"]: record.get("parent", "") for record in state.resources}
    for urn, resource in objects.items():
        above = parents.get(urn, "")
        while above:
            parts.setdefault(above, []).append(resource)
            above = parents.get(above, "")
    for record in state.resources:
        dependents = [objects[record["urn"]]] if record["urn"] in objects else []
        for urn in _needed(record):
            for needed in [objects[urn]] if urn in objects else parts.get(urn, []):
                yield from ((dependent, needed) for dependent in dependents if dependent.urn != needed.urn)


def _needed(record: Mapping[str, Any]) -> dict[str, None]:
    """The URNs that a resource's record names, each once, in their order; its parent and its provider are none."""
    named = list(record.get("dependencies") or ())
    for urns in (record.get("propertyDependencies") or {}).values():
        named += urns or ()
    return dict.fromkeys(named)


def _unknown(stack: str, platform: str, known: list[str]) -> SettingsError:
    near = difflib.get_close_matches(platform.casefold(), known, n=1, cutoff=0.5)
    return SettingsError(
        f'stack "{stack}" has no resources of "{platform}"',
        said=f"it has resources of {', '.join(known)}" if known else "it has no resources",
        setting="option --resources",
        do=f'did you mean "{near[0]}"?' if near else f"`sophia graph {stack}` shows its platforms",
    )

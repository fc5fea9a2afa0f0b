"""Where the nodes and edges of a graph are drawn: layers from left to right, after Sugiyama, Tagawa and Toda (1981).

Circles are cut, every node goes one layer to the right of the last that needs it, long edges get a place in each layer
that they cross, the order in the layers is swept until the crossings get no fewer, and then everything moves as close to
its neighbours as its layer allows. Lengths are in pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean

from sophia.graph import Graph

_SWEEPS = 12
_SETTLINGS = 24

Places = list[list[str]]
Links = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Layout:
    """``layers`` hold nodes and bends of edges from top to bottom; ``centre`` is the height of each one's middle."""

    layers: Sequence[Sequence[str]]
    centre: Mapping[str, float]
    paths: Mapping[tuple[str, str], Sequence[str]]
    """For each edge what it goes through, from its source to its target."""


def lay_out(graph: Graph, node_height: float, bend_height: float, gap: float) -> Layout:
    """Places for all nodes; ``gap`` is kept free between any two of a layer, and nothing lies above 0."""
    forward = _without_circles(graph)
    layer = _layers([node.key for node in graph.nodes], forward)
    paths = {}
    places: Places = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for node in graph.nodes:
        places[layer[node.key]].append(node.key)
    after: dict[str, list[str]] = {}
    before: dict[str, list[str]] = {}
    for source, target in forward:
        path = [source, *_bends(source, target, layer, places), target]
        paths[source, target] = path
        for left, right in pairwise(path):
            after.setdefault(left, []).append(right)
            before.setdefault(right, []).append(left)
    places = _ordered(places, before, after)
    nodes = {node.key for node in graph.nodes}
    heights = {key: node_height if key in nodes else bend_height for keys in places for key in keys}
    centre = _settled(places, heights, gap, before, after)
    drawn = {}
    for edge in graph.edges:
        back = paths.get((edge.target, edge.source), [])
        drawn[edge.source, edge.target] = paths.get((edge.source, edge.target)) or list(reversed(back))
    return Layout(places, centre, drawn)


def _without_circles(graph: Graph) -> list[tuple[str, str]]:
    """The edges, each that would close a circle the other way round, so that all lead to the right."""
    state: dict[str, str] = {}
    forward: dict[tuple[str, str], None] = {}
    for root in (*graph.roots, *graph.nodes):
        if root.key in state:
            continue
        state[root.key] = "open"
        stack = [(root.key, list(graph.needs_of(root.key)))]
        while stack:
            key, edges = stack[-1]
            if not edges:
                state[key] = "done"
                stack.pop()
                continue
            target = edges.pop(0).target
            forward[(target, key) if state.get(target) == "open" else (key, target)] = None
            if target not in state:
                state[target] = "open"
                stack.append((target, list(graph.needs_of(target))))
    return list(forward)


def _layers(keys: Sequence[str], forward: Sequence[tuple[str, str]]) -> dict[str, int]:
    """The length of the longest way to each node."""
    layer = dict.fromkeys(keys, 0)
    moved = True
    while moved:
        moved = False
        for source, target in forward:
            if layer[target] <= layer[source]:
                layer[target] = layer[source] + 1
                moved = True
    return layer


def _bends(source: str, target: str, layer: Mapping[str, int], places: Places) -> list[str]:
    bends = []
    for number in range(layer[source] + 1, layer[target]):
        bend = f"\0{source}\0{target}\0{number}"
        places[number].append(bend)
        bends.append(bend)
    return bends


def _ordered(places: Places, before: Links, after: Links) -> Places:
    best, fewest = places, _crossings(places, after)
    for sweep in range(_SWEEPS):
        rightwards = sweep % 2 == 0
        places = _swept(places, before if rightwards else after, rightwards=rightwards)
        crossings = _crossings(places, after)
        if crossings < fewest:
            best, fewest = places, crossings
    return best


def _swept(places: Places, neighbours: Links, *, rightwards: bool) -> Places:
    """Each layer in the order of the mean place of its neighbours in the layer before."""
    swept = [list(keys) for keys in places]
    numbers = range(1, len(swept)) if rightwards else range(len(swept) - 2, -1, -1)
    for number in numbers:
        fixed = swept[number - 1 if rightwards else number + 1]
        place = {key: index for index, key in enumerate(fixed)}
        own = {key: index for index, key in enumerate(swept[number])}
        wished = {
            key: mean(place[n] for n in neighbours[key]) if neighbours.get(key) else float(own[key])
            for key in swept[number]
        }
        swept[number] = sorted(swept[number], key=lambda key: (wished[key], own[key]))
    return swept


def _crossings(places: Places, after: Links) -> int:
    crossings = 0
    for number, keys in enumerate(places[:-1]):
        place = {key: index for index, key in enumerate(places[number + 1])}
        links = [(index, place[right]) for index, key in enumerate(keys) for right in after.get(key, ())]
        crossings += sum(a < c and b > d for a, b in links for c, d in links)
    return crossings


def _settled(places: Places, heights: Mapping[str, float], gap: float, before: Links, after: Links) -> dict[str, float]:
    centre: dict[str, float] = {}
    for keys in places:
        top = 0.0
        for key in keys:
            centre[key] = top + heights[key] / 2
            top += heights[key] + gap
    for _ in range(_SETTLINGS):
        for keys in places:
            wished = []
            for key in keys:
                around = [centre[n] for n in (*before.get(key, ()), *after.get(key, ()))]
                wished.append(mean(around) if around else centre[key])
            centre |= dict(zip(keys, _apart(keys, wished, heights, gap), strict=True))
    highest = min((centre[key] - heights[key] / 2 for key in centre), default=0.0)
    return {key: height - highest for key, height in centre.items()}


def _apart(keys: Sequence[str], wished: Sequence[float], heights: Mapping[str, float], gap: float) -> list[float]:
    """The places nearest to those wished for at which nothing overlaps, the order kept: isotonic regression.

    Neighbours that would overlap move together, to the mean of what they wish for.
    """
    offsets = [0.0]
    for upper, lower in pairwise(keys):
        offsets.append(offsets[-1] + (heights[upper] + heights[lower]) / 2 + gap)
    blocks: list[tuple[float, int]] = []
    for wish, offset in zip(wished, offsets, strict=True):
        block = (wish - offset, 1)
        while blocks and blocks[-1][0] > block[0]:
            above, members = blocks.pop()
            block = ((above * members + block[0] * block[1]) / (members + block[1]), members + block[1])
        blocks.append(block)
    bases = [base for base, members in blocks for _ in range(members)]
    return [base + offset for base, offset in zip(bases, offsets, strict=True)]

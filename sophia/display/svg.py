"""A graph as a picture: boxes in layers, an arrow from each to what it needs. No program beside Python is needed."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import pairwise

from sophia.display.graph import names
from sophia.display.layout import lay_out
from sophia.graph import Edge, Graph, Node

_MARGIN, _GAP, _BETWEEN_LAYERS = 16.0, 12.0, 72.0
_HEIGHT, _BEND = 44.0, 8.0
_PADDING, _LETTER = 14.0, 7.6
"""A letter's width is that of the widest common sans serif at 13 pixels in bold, so that no text leaves its box."""
_LONGEST = 44
"""Letters of a title before it is shortened; the whole is in the box's tooltip."""
_STYLE = (
    "text{font:13px -apple-system,'Segoe UI',Helvetica,Arial,sans-serif;fill:#1b2733;text-anchor:middle}"
    ".title{font-weight:600}.detail{font-size:11px;fill:#5a6b7b}"
    ".box{fill:#eef4fa;stroke:#1b3a57;stroke-width:1.2}.outside{fill:#fff;stroke:#8a99a8;stroke-dasharray:4 3}"
    ".edge{fill:none;stroke:#5b7ea1;stroke-width:1.4}"
)


_ARROW = (
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto-start-reverse"><path d="M0 0L8 4L0 8z" fill="#5b7ea1"/></marker></defs>'
)

Point = tuple[float, float]


def svg(graph: Graph, title: str) -> str:
    """The picture as an SVG document; ``title`` is what a screen reader says."""
    picture = _Picture(graph)
    width, height = f"{picture.width:.0f}", f"{picture.height:.0f}"
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{_STYLE}</style>",
        _ARROW,
        '<rect width="100%" height="100%" fill="#fff"/>',
        *(picture.arrow(edge) for edge in graph.edges),
        *(picture.box(node) for node in graph.nodes),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


class _Picture:
    """All boxes of a layer are as wide as its widest, which keeps their arrows in line."""

    def __init__(self, graph: Graph) -> None:
        self.nodes = {node.key: node for node in graph.nodes}
        self.layout = lay_out(graph, _HEIGHT, _BEND, _GAP)
        self._left: dict[str, float] = {}
        self._right: dict[str, float] = {}
        right = _MARGIN - _BETWEEN_LAYERS
        for keys in self.layout.layers:
            left = right + _BETWEEN_LAYERS
            right = left + max((_width(self.nodes[key]) for key in keys if key in self.nodes), default=0.0)
            self._left |= dict.fromkeys(keys, left)
            self._right |= dict.fromkeys(keys, right)
        self.width = max(right, _MARGIN) + _MARGIN
        lowest = [centre + (_HEIGHT if key in self.nodes else _BEND) / 2 for key, centre in self.layout.centre.items()]
        self.height = max(lowest, default=0.0) + 2 * _MARGIN

    def arrow(self, edge: Edge) -> str:
        path = self.layout.paths[edge.source, edge.target]
        backwards = self._left[path[0]] > self._left[path[-1]]
        points: list[Point] = []
        for key in path:
            height = _MARGIN + self.layout.centre[key]
            sides = [(self._left[key], height), (self._right[key], height)]
            if backwards:
                sides.reverse()
            if key in self.nodes:
                sides = sides[1:] if key == path[0] else sides[:1]
            points += sides
        reasons = f": {names(edge.needs)}" if edge.needs else ""
        tooltip = escape(f"{self.nodes[edge.source].title} needs {self.nodes[edge.target].title}{reasons}")
        return f'<path class="edge" d="{_curve(points)}" marker-end="url(#arrow)"><title>{tooltip}</title></path>'

    def box(self, node: Node) -> str:
        left, width = self._left[node.key], self._right[node.key] - self._left[node.key]
        top = _MARGIN + self.layout.centre[node.key] - _HEIGHT / 2
        kind = "box outside" if node.outside else "box"
        middle, first = left + width / 2, top + (20 if node.detail else 27)
        detail = f'<text class="detail" x="{middle:.1f}" y="{top + 36:.1f}">{escape(_short(node.detail))}</text>'
        return (
            f"<g><title>{escape(f'{node.title} {node.detail}'.strip())}</title>"
            f'<rect class="{kind}" x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{_HEIGHT:.1f}" rx="6"/>'
            f'<text class="title" x="{middle:.1f}" y="{first:.1f}">{escape(_short(node.title))}</text>'
            f"{detail if node.detail else ''}</g>"
        )


def _curve(points: Sequence[Point]) -> str:
    """From column to column in an S that starts and ends level, straight on where it only passes through a column."""
    drawn = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for number, ((x, y), (to_x, to_y)) in enumerate(pairwise(points)):
        middle = (x + to_x) / 2
        curve = f"C{middle:.1f} {y:.1f} {middle:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"
        drawn += curve if number % 2 == 0 else f"L{to_x:.1f} {to_y:.1f}"
    return drawn


def _width(node: Node) -> float:
    return 2 * _PADDING + _LETTER * max(len(_short(node.title)), len(_short(node.detail)) * 11 / 13)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"

"""What needs what: told by a state, drawn as text, as Mermaid and as a picture in which nothing lies on anything."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest

from sophia.display.graph import mermaid, tree
from sophia.display.svg import svg
from sophia.errors import SettingsError
from sophia.graph import Edge, Graph, Node, of_platforms, of_resources
from sophia.state import State

_SVG = "{http://www.w3.org/2000/svg}"
Rectangle = tuple[float, float, float, float]


def urn(platform: str, kind: str, name: str) -> str:
    return f"urn:pulumi:dev::sophia-ai::sophia:platform:{platform}$pulumi-python:dynamic/x:{kind}::{name}"


def component(platform: str) -> str:
    return f"urn:pulumi:dev::sophia-ai::sophia:platform:{platform}::{platform.lower()}"


def resource(platform: str, kind: str, name: str, *after: str, **inputs: list[str]) -> dict[str, Any]:
    return {
        "urn": urn(platform, kind, name),
        "custom": True,
        "id": name,
        "type": f"pulumi-python:dynamic/x:{kind}",
        "parent": component(platform),
        "provider": f"{urn(platform, 'Provider', 'p')}::id",
        "dependencies": [*after],
        "propertyDependencies": inputs,
    }


ALERTS, CI, WEB = urn("Slack", "Channel", "alerts"), urn("OpenRouter", "Key", "ci"), urn("OpenRouter", "Key", "web")
REPOSITORY = urn("GitHub", "Repository", "repository")


@pytest.fixture
def state() -> State:
    components = [{"urn": component(p), "custom": False} for p in ("Slack", "OpenRouter", "GitHub", "Vercel", "Linear")]
    objects = [
        resource("Slack", "Channel", "alerts"),
        resource("OpenRouter", "Workspace", "main"),
        resource("OpenRouter", "Key", "ci", workspace=[urn("OpenRouter", "Workspace", "main")]),
        resource("OpenRouter", "Key", "web", workspace=[urn("OpenRouter", "Workspace", "main")]),
        resource("GitHub", "Repository", "repository"),
        resource("GitHub", "ActionsSecret", "key", value=[CI], repository=[REPOSITORY]),
        resource("GitHub", "ActionsVariable", "channel", REPOSITORY, value=[ALERTS], repository=[REPOSITORY]),
        resource("Vercel", "Project", "web", component("Slack"), key=[WEB, CI]),
        resource("Linear", "Team", "sophia"),
    ]
    return State({"deployment": {"resources": [*components, *objects]}})


def test_platforms_need_each_other_through_their_resources(state: State) -> None:
    graph = of_platforms("dev", state)
    assert [(node.title, node.detail) for node in graph.nodes] == [
        ("GitHub", "3 resources"),
        ("Linear", "1 resource"),
        ("OpenRouter", "3 resources"),
        ("Slack", "1 resource"),
        ("Vercel", "1 resource"),
    ]
    assert {(e.source, e.target): e.needs for e in graph.edges} == {
        ("GitHub", "OpenRouter"): ("key ci",),
        ("GitHub", "Slack"): ("channel alerts",),
        ("Vercel", "OpenRouter"): ("key ci", "key web"),
        ("Vercel", "Slack"): ("channel alerts",),
    }


def test_the_resources_of_a_platform_show_where_it_leans_on_others(state: State) -> None:
    graph = of_resources("dev", state, "openrouter")
    assert [(node.title, node.outside) for node in graph.nodes] == [
        ("ci", False),
        ("web", False),
        ("main", False),
        ("GitHub", True),
        ("Vercel", True),
    ]
    assert ("Vercel", WEB) in {(edge.source, edge.target) for edge in graph.edges}
    with pytest.raises(SettingsError) as caught:
        of_resources("dev", state, "opnrouter")
    assert caught.value.do == 'did you mean "openrouter"?'


def test_the_tree_tells_each_need_once(state: State) -> None:
    assert tree(of_platforms("dev", state)) == [
        "GitHub  3 resources",
        "├── OpenRouter  3 resources  (key ci)",
        "└── Slack  1 resource  (channel alerts)",
        "Linear  1 resource",
        "Vercel  1 resource",
        "├── OpenRouter  3 resources  (key ci, key web)",
        "└── Slack  1 resource  (channel alerts)",
    ]
    chain = of("ab", "bc", "db")
    assert tree(chain) == ["a", "└── b", "    └── c", "d", "└── b  (*)", "", "(*) needs what is shown above"]


def of(*edges: str, alone: str = "") -> Graph:
    keys = sorted({key for edge in edges for key in edge} | set(alone))
    return Graph("dev", tuple(Node(key, key) for key in keys), tuple(Edge(edge[0], edge[1]) for edge in sorted(edges)))


def test_what_is_told_by_the_rest_is_left_out() -> None:
    assert of("ab", "bc", "ac").reduced() == of("ab", "bc")
    circle = of("ab", "ba", "bc")
    assert circle.reduced() == circle
    named = Graph("dev", of("ab", "bc").nodes, (*of("ab", "bc").edges, Edge("a", "c", ("key x",))))
    assert named.reduced() == named


def test_mermaid_takes_every_name() -> None:
    graph = Graph("dev", (Node("1", 'a "b" <i>#1;', "channel"), Node("2", "end", outside=True)), (Edge("1", "2"),))
    assert mermaid(graph) == [
        "flowchart LR",
        '  n0["a #quot;b#quot; #lt;i#gt;#35;1;<br/>channel"]',
        '  n1(["end"])',
        "  n0 --> n1",
    ]


def test_the_picture_says_everything_and_escapes_it(state: State) -> None:
    graph = Graph("dev", (Node("1", "<b>&"), *of_platforms("dev", state).nodes), of_platforms("dev", state).edges)
    picture = ElementTree.fromstring(svg(graph, "what needs what"))
    texts = {element.text for element in picture.iter(f"{_SVG}text")}
    assert {"<b>&", "GitHub", "3 resources", "Linear"} <= texts
    tooltips = {element.text for element in picture.iter(f"{_SVG}title")}
    assert "GitHub needs Slack: channel alerts" in tooltips


def test_nothing_to_draw_is_drawn() -> None:
    empty = Graph("dev", (), ())
    assert ElementTree.fromstring(svg(empty, "nothing")).tag == f"{_SVG}svg"
    assert tree(empty) == []


def scattered(seed: int) -> Graph:
    """A graph of thirty nodes: some alone, some in circles."""
    chance = random.Random(seed)
    keys = [f"node-{number:02}" for number in range(30)]
    edges = {(a, b) for a in keys for b in keys if a < b and chance.random() < 0.08}
    edges |= {(b, a) for a, b in sorted(edges)[:3]}
    nodes = tuple(Node(key, key * chance.randint(1, 4), "a kind") for key in keys)
    return Graph("dev", nodes, tuple(Edge(a, b) for a, b in sorted(edges)))


@pytest.mark.parametrize("graph", [*map(scattered, range(8)), of("ab", "ba"), of("ab", "bc", "ca"), of(alone="xyz")])
def test_no_box_lies_on_another_and_no_arrow_on_a_box(graph: Graph) -> None:
    picture = ElementTree.fromstring(svg(graph, "a graph"))
    width, height = float(picture.attrib["width"]), float(picture.attrib["height"])
    boxes = [rectangle(e) for e in picture.iter(f"{_SVG}rect") if "class" in e.attrib]
    assert len(boxes) == len(graph.nodes)
    for x, y, w, h in boxes:
        assert x > 0
        assert y > 0
        assert x + w < width
        assert y + h < height
    for number, (x, y, w, h) in enumerate(boxes):
        for x2, y2, w2, h2 in boxes[:number]:
            assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y
    paths = [e.attrib["d"] for e in picture.iter(f"{_SVG}path") if e.attrib.get("class") == "edge"]
    assert len(paths) == len(graph.edges)
    for path in paths:
        for x, y in along(path):
            assert not any(bx < x < bx + w and by < y < by + h for bx, by, w, h in boxes)


def rectangle(element: ElementTree.Element) -> Rectangle:
    x, y, w, h = (float(element.attrib[name]) for name in ("x", "y", "width", "height"))
    return x, y, w, h


def along(path: str) -> Iterator[tuple[float, float]]:
    """Points of an arrow, without its ends, which touch their boxes."""
    here = (0.0, 0.0)
    for letter, text in re.findall("([MCL])([^MCL]+)", path):
        numbers = [float(number) for number in text.split()]
        points = list(zip(numbers[::2], numbers[1::2], strict=True))
        if letter != "M":
            a, b, c, d = (here, *points) if letter == "C" else (here, here, points[0], points[0])
            for t in (step / 20 for step in range(1, 20)):
                weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
                x = sum(weight * point[0] for weight, point in zip(weights, (a, b, c, d), strict=True))
                yield x, sum(weight * point[1] for weight, point in zip(weights, (a, b, c, d), strict=True))
        here = points[-1]

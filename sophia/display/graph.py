"""A graph as a tree of text and as a Mermaid flowchart. An arrow, or a branch, leads to what is needed."""

from __future__ import annotations

from collections.abc import Iterator

from sophia.graph import Edge, Graph, Node

_MOST_NAMES = 3
_REPEATED = "(*)"


def tree(graph: Graph) -> list[str]:
    """Each node with what it needs below it; what was shown with its needs before is marked, not repeated."""
    nodes = {node.key: node for node in graph.nodes}
    shown: set[str] = set()
    lines: list[str] = []
    for root in graph.roots:
        lines.append(_line(root, ()))
        lines += _branches(graph, nodes, root.key, shown, "")
    if any(line.endswith(_REPEATED) for line in lines):
        lines += ["", f"{_REPEATED} needs what is shown above"]
    return lines


def _branches(graph: Graph, nodes: dict[str, Node], key: str, shown: set[str], indent: str) -> Iterator[str]:
    shown.add(key)
    edges = graph.needs_of(key)
    for edge in edges:
        last = edge is edges[-1]
        again = edge.target in shown and bool(graph.needs_of(edge.target))
        mark = f"  {_REPEATED}" if again else ""
        yield f"{indent}{'└── ' if last else '├── '}{_line(nodes[edge.target], edge.needs)}{mark}"
        if not again:
            yield from _branches(graph, nodes, edge.target, shown, indent + ("    " if last else "│   "))


def _line(node: Node, needs: tuple[str, ...]) -> str:
    return "  ".join(part for part in (node.title, node.detail, f"({names(needs)})" if needs else "") if part)


def names(needs: tuple[str, ...]) -> str:
    """``channel alerts, key ci, key web and 2 more``."""
    named = ", ".join(needs[:_MOST_NAMES])
    return named + (f" and {len(needs) - _MOST_NAMES} more" if len(needs) > _MOST_NAMES else "")


def mermaid(graph: Graph) -> list[str]:
    """A flowchart in Mermaid's language, as GitHub draws it in a Markdown file."""
    ids = {node.key: f"n{number}" for number, node in enumerate(graph.nodes)}
    lines = ["flowchart LR"]
    for node in graph.nodes:
        label = _label(node.title) + (f"<br/>{_label(node.detail)}" if node.detail else "")
        open_, close = ("([", "])") if node.outside else ("[", "]")
        lines.append(f'  {ids[node.key]}{open_}"{label}"{close}')
    lines += [f"  {ids[edge.source]} -->{_because(edge)} {ids[edge.target]}" for edge in graph.edges]
    return lines


def _because(edge: Edge) -> str:
    return f'|"{_label(names(edge.needs))}"|' if edge.needs else ""


def _label(text: str) -> str:
    """Text that Mermaid takes as it is: its own escapes for what would end a label or start a tag."""
    escaped = text.replace("#", "#35;").replace("&", "#amp;").replace('"', "#quot;")
    return escaped.replace("<", "#lt;").replace(">", "#gt;").replace("`", "#96;")

"""The chosen models as people read them: a line a model, with what it costs, and beneath them what is to be done."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from sophia.display.health import STYLES
from sophia.health import Verdict
from sophia.models import Models


def lines(found: Models) -> Iterator[Text]:
    """Prices are in US dollars a million tokens, of input and of output."""
    rows = list(_rows(found))
    head = [Text(word, "dim") for word in ("task", "", "model", "USD in / out", "ceiling", "")]
    widths = [max(len(row[n]) for row in (head, *rows)) for n in range(len(head))]
    for row in (head, *rows):
        text = Text("  ")
        for cell, width in zip(row, widths, strict=True):
            cell.pad_right(width - len(cell) + 2)
            text.append_text(cell)
        text.rstrip()
        yield text


def _rows(found: Models) -> Iterator[list[Text]]:
    for task in found.tasks:
        for chosen in task.models:
            first = chosen.role == "model"
            verdicts = [problem.verdict for problem in chosen.problems]
            verdict: Verdict = "failing" if "failing" in verdicts else "degraded" if verdicts else "well"
            price = str(chosen.price) if chosen.price else "not offered"
            yield [
                Text(task.name if first else ""),
                Text("" if first else "fallback", "dim"),
                Text(chosen.model),
                Text(price),
                Text(str(task.ceiling) if first else "", "dim"),
                Text(verdict, STYLES[verdict]),
            ]
        for model, cheaper in task.cheaper:
            yield [Text(), Text("cheaper", "dim"), Text(model, "dim"), Text(str(cheaper), "dim"), Text(), Text()]


def advice(found: Models) -> Iterator[Text]:
    """What to do about each problem."""
    for problem in found.problems:
        yield Text(problem.said, STYLES[problem.verdict])
        yield Text(f"  setting  {problem.setting}")
        yield Text(f"  do       {problem.do}")

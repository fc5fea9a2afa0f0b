"""What people see of a run: on wide and narrow terminals, on pipes, without colour."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from rich.console import Console

from sophia.display.difference import difference, shown
from sophia.display.lines import LineDisplay
from sophia.display.live import LiveDisplay, platform_line
from sophia.display.outputs import flatten
from sophia.display.progress import Line, Progress
from sophia.display.review import review
from sophia.display.summary import next_commands
from sophia.events import (
    Event,
    Expected,
    PhaseDone,
    PhaseStarted,
    Resource,
    ResourceDone,
    ResourceFailed,
    ResourceStarted,
    Step,
    Stopping,
)
from sophia.results import Change, Counts, Plan, PropertyChange, Result

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def resource(name: str, platform: str = "Airbyte", kind: str = "Connection") -> Resource:
    return Resource(f"urn:pulumi:dev::sophia-ai::sophia:platform:{platform}$pulumi-python:dynamic/x:{kind}::{name}")


def a_step(name: str, platform: str = "Airbyte") -> Step:
    return Step(resource(name, platform), "create", custom=True)


def a_run() -> list[Event]:
    """A preview that promises three resources, and a run that is half-way."""
    names = (("one", "Airbyte"), ("two", "Airbyte"), ("general", "Slack"))
    return [
        PhaseStarted(NOW, preview=True),
        *(ResourceDone(NOW, preview=True, step=a_step(*name)) for name in names),
        PhaseDone(NOW, preview=True, changes={}, seconds=1),
        PhaseStarted(NOW, preview=False),
        ResourceStarted(NOW, preview=False, step=a_step("one")),
        ResourceDone(NOW, preview=False, step=a_step("one")),
        ResourceStarted(NOW, preview=False, step=a_step("two")),
    ]


def plan(*changes: Change) -> Plan:
    return Plan("dev", Counts(unchanged=4), changes, {}, 1.5, None)


def test_totals_come_from_the_preview_and_progress_from_the_run() -> None:
    progress = Progress(clock=iter(count()).__next__)
    for event in a_run():
        progress.add(event)
    airbyte, slack = progress.lines["Airbyte"], progress.lines["Slack"]
    assert (len(airbyte.done), airbyte.total) == (1, 2)
    assert (len(slack.done), slack.total) == (0, 1)
    assert airbyte.slow(now=100, patience=1) == "connection two …"


def test_a_destroy_knows_its_totals_from_the_state() -> None:
    progress = Progress()
    progress.add(Expected(NOW, preview=False, totals={"Airbyte": 3}))
    progress.add(ResourceDone(NOW, preview=False, step=a_step("one")))
    assert (len(progress.lines["Airbyte"].done), progress.lines["Airbyte"].total) == (1, 3)


@pytest.mark.parametrize("width", [100, 60, 40, 24])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    display = LiveDisplay(Console(file=io.StringIO(), width=width, force_terminal=True))
    for event in [*a_run(), Stopping(NOW, preview=False, abandoning=False)]:
        display.on_event(event)
    lines = [line.plain for line in display.render(width)]
    assert all(len(line) < width for line in lines)
    assert any("1/2" in line for line in lines)
    assert lines[-1].strip().startswith("finishing what is")


def test_a_line_shows_count_time_and_what_is_slow() -> None:
    line = Line("Airbyte", total=14, done={str(n) for n in range(9)}, began=0.0)
    line.running["urn"] = ("connection gong-to-raw", 0.0)
    assert platform_line(line, 12, 100, 5.0).plain.split() == [
        "Airbyte",
        "███████░░░░░",
        "9/14",
        "connection",
        "gong-to-raw",
        "…",
    ]
    done = Line("Slack", total=11, done={str(n) for n in range(11)}, began=0.0, ended=2.2)
    assert platform_line(done, 12, 100, 5.0).plain.endswith(" 11/11   2.2 s")


def test_on_a_pipe_there_is_one_plain_line_an_event() -> None:
    out = io.StringIO()
    with LineDisplay(Console(file=out, width=40)) as display:
        for event in [*a_run(), ResourceFailed(NOW, preview=False, step=a_step("two"))]:
            display.on_event(event)
    assert out.getvalue().splitlines() == [
        "compared",
        "Airbyte connection one: created",
        "Airbyte connection two: failed",
    ]
    assert "\x1b" not in out.getvalue()


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=80)
    for line in review(plan(Change(resource("old"), "delete"))):
        console.print(line)
    assert "\x1b[3" not in out.getvalue()


def test_a_review_puts_what_is_destroyed_first_and_names_what_forces_a_replacement() -> None:
    text = plan(
        Change(resource("new"), "create"),
        Change(resource("edited"), "update", (PropertyChange("token", "[secret]", "[secret]"),)),
        Change(
            resource("moved"),
            "replace",
            (PropertyChange("color", "a", "b"), PropertyChange("name", "x", "y", forces_replacement=True)),
        ),
        Change(resource("old"), "delete"),
    ).describe()
    assert text.splitlines() == [
        "destroys 1",
        "  - Airbyte connection old",
        "",
        "replaces (the old object is destroyed) 1",
        "  ± Airbyte connection moved",
        '      name: "x" -> "y"  forces the replacement',
        '      color: "a" -> "b"',
        "",
        "updates 1",
        "  ~ Airbyte connection edited",
        "      token: [secret] -> [secret]",
        "",
        "creates 1",
        "  + Airbyte connection new",
        "",
        "unchanged 4",
    ]


def test_a_review_without_changes_is_one_line() -> None:
    assert plan().describe() == "no changes · unchanged 4"


def test_a_summary_tells_what_happened_what_it_cost_and_what_exists() -> None:
    outputs = {"airbyte": {"workspace": "w-1"}, "key": "[secret]"}
    text = Result("dev", Counts(created=71), (), outputs, 8.44, 96).describe()
    assert text.splitlines() == [
        "  created 71 · unchanged 0 · 8.4 s · 96 requests",
        "",
        "  airbyte.workspace  w-1",
        "  key                [secret]",
    ]


def told(outputs: dict[str, Any], before: dict[str, Any]) -> list[str]:
    """What a run says of its outputs."""
    result = Result("dev", Counts(unchanged=1), (), outputs, 1.0, 0, outputs_before=before)
    return result.describe().splitlines()[2:]


def test_of_many_outputs_those_are_told_that_are_new_or_different() -> None:
    channels = {f"channel{number}": f"C{number}" for number in range(60)}
    now = {"slack": {"channels": channels, "team": "T1"}, "key": "[secret]"}
    assert told(now, now) == ["  as before; 62 outputs: sophia outputs dev"]
    before = {"slack": {"channels": {**channels, "channel7": "C0"}}, "key": "[secret]"}
    assert told(now, before) == [
        "  slack.channels.channel7  C7",
        "  slack.team               T1",
        "  the others are as before; 62 outputs: sophia outputs dev",
    ]
    assert told(now, {}) == [
        "  slack  channels (60), team",
        "  key    [secret]",
        "  62 outputs: sophia outputs dev",
    ]


def test_of_a_text_of_several_lines_those_that_differ_are_told() -> None:
    score = [f"  {weight} * {name}_FACTOR," for weight, name in ((25, "UNITS"), (10, "GROWTH"), (20, "DEAL"))]
    old, new = "\n".join(score), "\n".join(score).replace("25", "20").replace("20 * DEAL", "25 * DEAL")
    assert [line.plain for line in difference("query", old, new)] == [
        "      query: the lines that differ",
        "        -   25 * UNITS_FACTOR,",
        "        +   20 * UNITS_FACTOR,",
        "        -   20 * DEAL_FACTOR,",
        "        +   25 * DEAL_FACTOR,",
    ]
    assert len(difference("query", old, old + "\n")) == 1, "lines alone do not tell this"
    (unknown,) = difference("query", old, "(known after the run)")
    assert unknown.plain.endswith(" -> (known after the run)")
    *_, last = difference("query", "a\nb", "\n".join(map(str, range(40))))
    assert last.plain == "        … and 30 more lines"


def test_long_values_are_shortened_and_absent_ones_named() -> None:
    assert len(shown("x" * 500)) < 70
    assert shown(None) == "(none)"
    assert flatten({"a": {"b": {"c": 1}}, "d": {}}) == {"a.b.c": 1, "d": {}}


def test_the_next_commands_never_suggest_to_destroy_after_a_destroy() -> None:
    assert next_commands("destroy", "dev", ["dev"], "sandbox") == ["sophia up dev", "sophia sandbox stop"]
    assert "sophia preview staging" in next_commands("up", "dev", ["dev", "staging", "prod"], "sandbox")

"""What a plan is bound to: which changes make it stale, what its digest covers, what its file keeps."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sophia.errors import RunFailed, SettingsError
from sophia.events import Resource
from sophia.pipeline.plan import Binding, BoundPlan
from sophia.pipeline.revision import Revision
from sophia.results import Change, Counts, Plan, PropertyChange

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
URN = "urn:pulumi:prod::sophia-ai::sophia:platform:Slack$pulumi-python:dynamic/slack:Channel::alerts"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:abc"}
BINDING = Binding(
    "scoobyjava-org/sophia-ai/prod",
    "https://api.pulumi.com",
    Revision("a" * 40, changed=False, program="p1", settings="s1"),
    {"sophia-ai/prod": "7", "sophia-ai/base": "3"},
)


def engine_plan(**changes: Any) -> dict[str, Any]:
    goal = {"inputDiff": {"adds": {"name": "alerts", "token": SECRET}}, "dependencies": ["b", "a"]}
    resource = {"goal": goal, "steps": ["create"], "seed": "c2VlZA==", "state": {"id": "?"}}
    return {"manifest": {"time": "then"}, "resourcePlans": {URN: resource | changes}}


def bound(binding: Binding = BINDING, document: dict[str, Any] | None = None, **changes: Any) -> BoundPlan:
    change = Change(Resource(URN), "update", (PropertyChange("purpose", "old", "new"),))
    plan = Plan(
        stack="prod",
        counts=Counts(updated=1, unchanged=4),
        changes=(change,),
        outputs={},
        duration=2.0,
        requests=3,
        engine_plan=json.dumps(document or engine_plan()).encode(),
        state="state-1",
    )
    return BoundPlan(binding, replace(plan, **changes), NOW, "ada")


def test_a_fresh_plan_is_not_refused() -> None:
    bound().refuse_stale(BINDING, "state-1", NOW + timedelta(hours=23))


@pytest.mark.parametrize(
    ("binding", "state", "hours", "reason"),
    [
        (BINDING, "state-2", 0, "another run has changed the state"),
        (BINDING, "state-1", 25, "it is 25 hours old, and lasts 24"),
        (replace(BINDING, backend="https://elsewhere"), "state-1", 0, "https://elsewhere"),
        (
            replace(BINDING, revision=replace(BINDING.revision, settings="s2")),
            "state-1",
            0,
            "the settings have changed",
        ),
        (
            replace(BINDING, revision=replace(BINDING.revision, program="p2", changed=True)),
            "state-1",
            0,
            "the program has changed (from aaaaaaaa to aaaaaaaa+changes)",
        ),
        (
            replace(BINDING, environments={"sophia-ai/prod": "7", "sophia-ai/base": "4"}),
            "state-1",
            0,
            "the ESC environment sophia-ai/base has changed (from revision 3 to 4)",
        ),
    ],
)
def test_a_plan_is_stale_where_anything_that_it_was_made_from_has_moved(
    binding: Binding, state: str, hours: int, reason: str
) -> None:
    with pytest.raises(RunFailed, match="out of date, and nothing was changed") as caught:
        bound().refuse_stale(binding, state, NOW + timedelta(hours=hours))
    assert reason in caught.value.said


def test_another_commit_with_the_same_files_is_no_other_plan() -> None:
    other = replace(BINDING, revision=replace(BINDING.revision, commit="b" * 40))
    assert bound().stale(other, "state-1", NOW) == []
    assert bound(other).digest == bound().digest


def test_the_digest_is_that_of_what_will_be_done() -> None:
    same = bound().digest
    ciphered = engine_plan(
        goal=engine_plan()["resourcePlans"][URN]["goal"] | {"dependencies": ["a", "b"]}, seed="other"
    )
    ciphered["manifest"]["time"] = "now"
    text = json.dumps(ciphered).replace("v1:abc", "v1:xyz")
    assert bound(document=json.loads(text)).digest == same, "two previews of the same have one digest"
    assert bound(document=engine_plan(steps=["delete"])).digest != same
    assert bound(state="state-2").digest != same
    assert bound(replace(BINDING, environments={})).digest != same
    assert bound(changes=()).digest != same


def test_a_digest_is_approved_by_its_beginning_if_that_is_long_enough() -> None:
    plan = bound()
    assert plan.is_approved_by(plan.short_digest)
    assert plan.is_approved_by(plan.digest.upper())
    assert not plan.is_approved_by(plan.digest[:6])
    assert not plan.is_approved_by("")
    assert not plan.is_approved_by("0" * 16)


def test_a_file_keeps_the_plan_to_the_letter_and_from_other_eyes(tmp_path: Path) -> None:
    file, plan = tmp_path / "prod.plan", bound()
    plan.write(file)
    again = BoundPlan.read(file)
    assert again.digest == plan.digest
    assert again.plan.engine_plan == plan.plan.engine_plan
    assert again.plan.changes == plan.plan.changes
    assert (again.made, again.by, again.binding) == (plan.made, plan.by, plan.binding)
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "no plan of this version"),
        ("not json", "no plan of this version"),
        ('{"version": 99}', "no plan of this version"),
        (None, "No such file"),
    ],
)
def test_what_is_no_plan_is_told_as_a_mistake(tmp_path: Path, text: str | None, said: str) -> None:
    file = tmp_path / "x.plan"
    if text is not None:
        file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        BoundPlan.read(file)
    assert said in caught.value.said
    assert caught.value.setting == "option --plan-file"


def test_a_file_that_was_changed_by_hand_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "prod.plan"
    bound().write(file)
    told = json.loads(file.read_text())
    told["engine_plan"] = json.dumps(engine_plan(steps=["delete"]))
    file.write_text(json.dumps(told))
    with pytest.raises(SettingsError) as caught:
        BoundPlan.read(file)
    assert "changed after it was made" in caught.value.said

"""What the history keeps of a run: its label, which runs were good, which one a rollback chooses."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sophia.cloud import StackRecord
from sophia.errors import RunFailed, SettingsError
from sophia.pipeline import entries, record, revision, rollback
from sophia.pipeline.record import Label, Past
from sophia.pipeline.revision import Revision
from sophia.results import HistoryEntry

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def at(commit: str, program: str = "p", *, changed: bool = False) -> Revision:
    return Revision(commit * 40, changed, program, "s")


def entry(version: int, label: Label | None = None, kind: str = "update", **environment: str) -> HistoryEntry:
    told = {**environment, **({"exec.agent": label.text()} if label else {})}
    return HistoryEntry(version, kind, "succeeded", NOW, NOW + timedelta(seconds=9), "Why", {"create": 2}, told)


def deployed(version: int, revision: Revision) -> HistoryEntry:
    return entry(version, Label("deploy", "ada", revision, f"run{version}"))


class FakeStack:
    """A stack's history and its tags."""

    name, full_name = "dev", "scoobyjava-org/sophia-ai/dev"

    def __init__(self, *past: HistoryEntry, directory: Path | None = None) -> None:
        self.past = past
        self.project = SimpleNamespace(directory=directory)

    def history(self, limit: int) -> tuple[HistoryEntry, ...]:
        return self.past[:limit]


@pytest.fixture
def tags(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    kept: dict[str, str] = {}
    monkeypatch.setattr("sophia.cloud.read", lambda _stack: StackRecord(kept))
    monkeypatch.setattr("sophia.cloud.set_tag", lambda _stack, name, value: kept.update({name: value}))
    return kept


def known(stack: FakeStack) -> Any:
    return stack


@pytest.mark.parametrize(
    "label",
    [
        Label("deploy", "ada@github-actions", at("a"), "1f2e"),
        Label("rollback", "grace", at("b", changed=True), "0a"),
        Label("up", "root", Revision("", changed=False, program="p", settings="s")),
        Label("destroy", "root"),
    ],
)
def test_a_label_says_the_same_after_the_history(label: Label) -> None:
    assert Label.parse(label.text()) == label


def test_a_name_cannot_say_more_than_a_name() -> None:
    found = Label.parse(Label("deploy", "eve; commit=ffff; by=ada", at("a")).text())
    assert found is not None
    assert found.revision == at("a")
    assert found.by != "ada"


@pytest.mark.parametrize("text", ["", "claude-code", "pulumi/actions@v6", "sophia"])
def test_what_others_say_of_their_runs_is_no_label(text: str) -> None:
    assert Label.parse(text) is None


def test_a_good_run_is_noted_before_those_that_were_good_and_old_ones_fall_off(tags: dict[str, str]) -> None:
    tags[record.GOOD] = " ".join(str(version) for version in range(9990, 9930, -1))
    stack = FakeStack(entry(10001), deployed(10000, at("a")))
    record.mark_good(known(stack), "run10000")
    words = tags[record.GOOD].split()
    assert words[:3] == ["10000", "9990", "9989"]
    assert len(tags[record.GOOD]) <= 256
    with pytest.raises(RunFailed, match="not in the history"):
        record.mark_good(known(stack), "other")


def test_the_history_tells_who_did_what_even_of_runs_that_said_nothing(tags: dict[str, str]) -> None:
    tags[record.GOOD] = "5"
    stack = FakeStack(
        deployed(5, at("a", changed=True)),
        entry(4, None, "update", **{"pulumi.flag.target-dependents": "true", "pulumi.flag.target": "set"}),
        entry(3, None, "refresh", **{"pulumi.flag.target": "set"}),
        entry(2, None, "update", **{"ci.system": "GitHub", "git.head": "f" * 40}),
        entry(1, Label("destroy", "grace"), "destroy"),
    )
    told = [(e.what, e.who, e.commit[:2], e.good) for e in entries(known(stack))]
    assert told == [
        ("deploy", "ada", "aa", True),
        ("drift --fix", "", "", False),
        ("refresh --target", "", "", False),
        ("up", "GitHub", "ff", False),
        ("destroy", "grace", "", False),
    ]
    assert entries(known(stack))[0].changed == {"created": 2}
    assert entries(known(stack))[0].seconds == 9


# Which one a rollback chooses


def chosen(past: Past) -> str:
    return rollback._previous(known(FakeStack()), past).revision.commit[0]


def test_after_a_failure_it_is_the_newest_good_one() -> None:
    past = (deployed(3, at("c", "bad")), deployed(2, at("b", "two")), deployed(1, at("a", "one")))
    assert chosen(Past(past, (2, 1))) == "b"
    same = (deployed(3, at("b", "two")), *past[1:])
    assert chosen(Past(same, (2, 1))) == "b", "a platform was down: the same again is the good one"


def test_where_the_good_one_is_the_latest_it_is_the_one_before_that_is_another() -> None:
    past = (
        deployed(4, at("d", "three")),
        deployed(3, at("c", "three")),
        deployed(2, at("b", "two", changed=True)),
        deployed(1, at("a", "one")),
    )
    assert chosen(Past(past, (4, 3, 2, 1))) == "a", "not the same in another commit, nor what is in no commit"


@pytest.mark.parametrize(
    ("past", "said"),
    [
        (Past((deployed(1, at("a")),), (1,)), "the stack is at the only good revision"),
        (Past((entry(2), deployed(1, at("a", changed=True))), (1,)), "they were deployed with changes in no commit"),
    ],
)
def test_where_there_is_none_it_says_why(past: Past, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        chosen(past)
    assert caught.value.said == said


def test_a_commit_that_this_clone_has_not_is_told_with_what_to_do(tmp_path: Path, tags: dict[str, str]) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    tags[record.GOOD] = "1"
    stack = FakeStack(entry(2), deployed(1, at("a")), directory=tmp_path)
    with pytest.raises(SettingsError, match="is not in this clone") as caught:
        rollback.target_of(known(stack))
    assert "git fetch" in caught.value.do


# Revisions


def test_a_revision_is_that_of_the_files_whatever_git_calls_them(tmp_path: Path) -> None:
    settings = tmp_path / "Pulumi.dev.yaml"
    settings.write_text("config: {}\n")
    (tmp_path / "components").mkdir()
    (tmp_path / "components" / "slack.py").write_text("x = 1\n")
    outside = revision.of_checkout(tmp_path, settings)
    assert (outside.commit, outside.changed, outside.short) == ("", False, "no commit")

    run = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    subprocess.run([*run, "init", "--quiet"], check=True)
    assert revision.of_checkout(tmp_path, settings).commit == "", "a repository without a commit is no mistake"
    subprocess.run([*run, "add", "--all"], check=True)
    subprocess.run([*run, "commit", "--quiet", "--message", "x"], check=True)
    inside = revision.of_checkout(tmp_path, settings)
    assert inside.content == outside.content
    assert not inside.changed

    (tmp_path / "notes.txt").write_text("nothing of the program's")
    (tmp_path / "components" / "__pycache__").mkdir()
    (tmp_path / "components" / "__pycache__" / "slack.pyc").write_bytes(b"x")
    assert revision.of_checkout(tmp_path, settings).content == inside.content
    (tmp_path / "components" / "new.py").write_text("")
    changed = revision.of_checkout(tmp_path, settings)
    assert changed.changed
    assert changed.short.endswith("+changes")
    assert changed.program != inside.program

    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "incident.json").write_text("{}")
    assert revision.of_checkout(tmp_path, settings).program != changed.program, "n8n is given what stands there"

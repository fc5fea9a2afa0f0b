"""A stack file that the program adds to: nothing that a person wrote in it is lost."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from sophia import settings_file
from sophia.errors import SettingsError

REPOSITORY = Path(__file__).parents[2]

TEXT = """\
# Who writes this file is named here.
environment:
  - sophia-ai/dev
config:
  # Slack is the first
  sophia-ai:slack:
    channels:
      alerts: {name: alerts, purpose: "What broke"} # the loud one
      quiet:
        name: quiet # the other
        # nobody reads it

  # OpenRouter follows
  sophia-ai:openrouter:
    workspace:
      slug: dev
      name: 'Dev'
    keys:
      web:
        name: Web
        limit_usd: 5 # enough

# the end
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "Pulumi.dev.yaml"
    path.write_text(TEXT)
    return path


def added(diff: str) -> list[str]:
    return [line[1:] for line in diff.splitlines() if line.startswith("+") and not line.startswith("+++")]


def removed(diff: str) -> list[str]:
    return [line[1:] for line in diff.splitlines() if line.startswith("-") and not line.startswith("---")]


def test_what_is_new_stands_behind_what_was_there_and_every_comment_stays(file: Path) -> None:
    settings = {"channels": {"ops": {"name": "ops", "purpose": "Runs", "topic": "yes"}}}
    diff = settings_file.write(file, "slack", settings)
    assert removed(diff) == []
    assert added(diff) == ["      ops:", "        name: ops", "        purpose: Runs", '        topic: "yes"']
    assert file.read_text() == TEXT.replace("the other\n", "the other\n" + "\n".join(added(diff)) + "\n")
    assert diff.startswith("--- a/Pulumi.dev.yaml\n+++ b/Pulumi.dev.yaml\n")


def test_what_stands_there_already_is_no_change(file: Path) -> None:
    assert settings_file.write(file, "slack", {"channels": {"alerts": {"name": "alerts"}}}) == ""
    assert file.read_text() == TEXT
    assert settings_file.read(file).settings("openrouter") == yaml.safe_load(TEXT)["config"]["sophia-ai:openrouter"]
    assert settings_file.read(file).settings("airbyte") is None


def test_a_platform_that_was_not_there_comes_last(file: Path) -> None:
    diff = settings_file.write(file, "airbyte", {"workspace": {"name": "dev"}, "tags": {"a": {"color": "152238"}}})
    assert removed(diff) == []
    document = yaml.safe_load(file.read_text())
    assert list(document["config"]) == ["sophia-ai:slack", "sophia-ai:openrouter", "sophia-ai:airbyte"]
    assert document["config"]["sophia-ai:airbyte"]["tags"]["a"]["color"] == "152238", "text stays text"


@pytest.mark.parametrize("text", ["", "environment:\n  - sophia-ai/dev\n", "config:\n"], ids=["empty", "none", "null"])
def test_a_file_without_settings_gets_its_first(file: Path, text: str) -> None:
    file.write_text(text)
    settings_file.write(file, "slack", {"channels": {"alerts": {"name": "alerts"}}})
    assert settings_file.read(file).settings("slack") == {"channels": {"alerts": {"name": "alerts"}}}


VALUES: dict[str, Any] = {
    "words": [
        "yes",
        "no",
        "on",
        "null",
        "~",
        "",
        "0123",
        "1E5632",
        "12:30:00",
        "2025-01-01T00:00:00Z",
        "1_000",
        "0x1F",
    ],
    "punctuation": [
        "- x",
        "a: b",
        "a #b",
        "#c",
        "{x}",
        "[y",
        "*z",
        "&a",
        "!t",
        "%d",
        "@e",
        "`f",
        "'g",
        '"h',
        "i\nj\n",
        " k ",
    ],
    "numbers": [1, 1.5, -3, 0.25, True, False, None],
    "nested": {"list": [{"deep": [{"deeper": {"a": None}}]}, [], {}], "empty": {}, "none": None},
    "long": "word " * 60,
    "unicode": "Größe 💡",
}


@pytest.mark.parametrize("name", VALUES)
def test_every_value_is_read_back_as_it_was(file: Path, name: str) -> None:
    settings_file.write(file, "airbyte", {"configuration": VALUES[name]})
    assert yaml.safe_load(file.read_text())["config"]["sophia-ai:airbyte"] == {"configuration": VALUES[name]}
    assert settings_file.read(file).settings("airbyte") == {"configuration": VALUES[name]}


def test_a_dry_run_writes_nothing(file: Path) -> None:
    diff = settings_file.diff(file, "slack", {"channels": {"ops": {"name": "ops"}}})
    assert added(diff) == ["      ops: {name: ops}"]
    assert file.read_text() == TEXT


@pytest.mark.parametrize("stage", ["dev", "staging", "prod"])
def test_the_stack_files_of_the_estate_change_only_where_they_are_added_to(tmp_path: Path, stage: str) -> None:
    path = tmp_path / f"Pulumi.{stage}.yaml"
    shutil.copy(REPOSITORY / path.name, path)
    before = yaml.safe_load(path.read_text())
    for platform in ("airbyte", "openrouter", "slack"):
        diff = settings_file.write(path, platform, {"tags": {"new-one": {"name": "New"}}})
        assert removed(diff) == []
    after = yaml.safe_load(path.read_text())
    for platform in ("airbyte", "openrouter", "slack"):
        tags = after["config"][f"sophia-ai:{platform}"]["tags"]
        assert tags.pop("new-one") == {"name": "New"}
        if not tags:
            del after["config"][f"sophia-ai:{platform}"]["tags"]
    assert after == before


def test_indentation_follows_the_file(file: Path) -> None:
    file.write_text(
        "config:\n    sophia-ai:slack:\n        channels:\n            a:\n                list:\n                - x\n"
    )
    diff = settings_file.write(file, "slack", {"channels": {"b": {"list": [{"deep": {"a": 1, "b": 2}}]}}})
    assert removed(diff) == []
    assert "            b:" in added(diff)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("config:\n  a: [1\n  b: 2\n", 3, "expected ',' or ']'"),
        ("config:\n  a: 1\n  a: 2\n", 3, "duplicate key"),
        ("config:\n\ta: 1\n", 2, "cannot start any token"),
        ("- a\n", 1, "not a mapping"),
        ("x: 1\nconfig: text\n", 2, "config is not a mapping"),
    ],
    ids=["bracket", "twice", "tab", "a list", "a text"],
)
def test_a_bad_file_is_refused_with_the_line_and_stays_as_it_is(file: Path, text: str, line: int, said: str) -> None:
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        settings_file.write(file, "slack", {"channels": {}})
    assert caught.value.setting == f"Pulumi.dev.yaml:{line}"
    assert said in caught.value.said
    assert file.read_text() == text


def test_a_file_that_changed_meanwhile_is_not_written_over(file: Path) -> None:
    read = settings_file.read(file)
    file.write_text(TEXT + "# more\n")
    with pytest.raises(SettingsError, match="changed since"):
        read.write("slack", {"channels": {"ops": {"name": "ops"}}})
    assert file.read_text() == TEXT + "# more\n"
    assert list(file.parent.iterdir()) == [file], "no half of a file is left behind"


def test_what_an_alias_would_carry_elsewhere_is_refused(file: Path) -> None:
    text = "config:\n  sophia-ai:slack: &both\n    channels: {a: {name: a}}\n  sophia-ai:other: *both\n"
    file.write_text(text)
    with pytest.raises(SettingsError, match="without a loss"):
        settings_file.write(file, "slack", {"channels": {"b": {"name": "b"}}})
    assert file.read_text() == text


def test_mode_line_ends_and_links_stay(tmp_path: Path) -> None:
    real, link = tmp_path / "real.yaml", tmp_path / "Pulumi.dev.yaml"
    real.write_bytes(TEXT.replace("\n", "\r\n").encode())
    real.chmod(0o640)
    link.symlink_to(real)
    settings_file.write(link, "slack", {"channels": {"ops": {"name": "ops"}}})
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert b"ops" in real.read_bytes()
    assert b"\n" not in real.read_bytes().replace(b"\r\n", b"")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        settings_file.read(tmp_path / "Pulumi.nowhere.yaml")

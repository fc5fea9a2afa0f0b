"""The command without an engine: exit codes, suggestions, documents, completion, examples."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
from click.shell_completion import ShellComplete

from sophia.cli import document, run, sophia
from sophia.cli.common import signals
from sophia.errors import SettingsError
from sophia.events import Resource
from sophia.results import Change, Counts, Plan, PropertyChange
from sophia.stack import Stack
from sophia.target import Target

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with three stacks, and an environment that leads nowhere."""
    (tmp_path / "Pulumi.yaml").write_text("name: sophia-ai\n")
    for name in ("dev", "staging", "prod"):
        (tmp_path / f"Pulumi.{name}.yaml").write_text("config: {}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("PULUMI_ACCESS_TOKEN", "PULUMI_BACKEND_URL", "PULUMI_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def validated(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    jsonschema.validate(found, json.loads(document.SCHEMA_FILE.read_text()))
    return found


@pytest.mark.parametrize(
    ("arguments", "code", "hint"),
    [
        (["up", "dve"], 3, 'did you mean "dev"?'),
        (["destory", "dev"], 3, "did you mean `sophia destroy`?"),
        (["sandbox", "strat"], 3, "did you mean `sophia sandbox start`?"),
        (["up"], 3, "`sophia up --help` shows how"),
        (["up", "dev", "--frobnicate"], 3, "--help"),
        (["up", "dev"], 4, "PULUMI_ACCESS_TOKEN"),
        (["stacks"], 4, "sophia sandbox start"),
        (["up", "dev", "--sandbox"], 6, "sophia sandbox start"),
        (["sandbox", "status"], 6, "sophia sandbox start"),
        (["outputs", "dev", "--json", "--show-secrets"], 3, "--json never shows secrets"),
    ],
)
def test_a_mistake_ends_with_one_message_and_its_exit_code(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, hint: str
) -> None:
    assert run(arguments) == code
    out, err = capsys.readouterr()
    assert hint in err
    assert "Traceback" not in err
    if "--json" in arguments:
        assert validated(out)["exit_code"] == code
    else:
        assert out == ""


def test_an_error_is_a_document_too(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["preview", "dve", "--json"]) == 3
    found = validated(capsys.readouterr().out)
    assert found["command"] == "preview"
    assert found["problems"][0]["setting"] == "Pulumi.dve.yaml"


def test_debug_shows_where_an_error_came_from(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["up", "dve", "--debug"])
    assert "Traceback" in capsys.readouterr().err


def test_no_project_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["up", "dev"]) == 3
    assert "no Pulumi.yaml" in capsys.readouterr().err


def test_prod_with_real_accounts_is_never_touched_unasked(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PULUMI_ACCESS_TOKEN", "pul-0123456789")
    monkeypatch.setattr("sophia.cli.common._engine", lambda _out: None)
    assert run(["up", "prod"]) == 3
    assert run(["destroy", "dev"]) == 3
    assert "--yes" in capsys.readouterr().err


def test_the_document_of_a_run_follows_its_schema_and_hides_what_looks_like_a_credential(project: Path) -> None:
    urn = "urn:pulumi:dev::sophia-ai::sophia:platform:Slack$pulumi-python:dynamic/x:Channel::alerts"
    change = Change(Resource(urn), "update", (PropertyChange("topic", "a", {"b": "xoxb-1234567890-abcdef"}),))
    plan = Plan("dev", Counts(updated=1), (change,), {"url": "https://example.com"}, 1.5, 3, ("slow",))
    stack = Stack("dev", project, Target("file", "file:///state"))
    text = document.dump(document.of_outcome("preview", stack, plan, 2))
    found = validated(text)
    assert found["changes"][0]["platform"] == "Slack"
    assert found["counts"]["updated"] == 1
    assert "xoxb" not in text


def test_completion_knows_commands_and_stacks(project: Path) -> None:
    completion = ShellComplete(sophia, {}, "sophia", "_SOPHIA_COMPLETE")
    assert [item.value for item in completion.get_completions([], "re")] == ["refresh"]
    assert [item.value for item in completion.get_completions(["up"], "")] == ["dev", "staging", "prod"]
    assert [item.value for item in completion.get_completions(["preview"], "st")] == ["staging"]


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    yield path, group
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


def test_every_command_has_examples_and_each_of_them_is_accepted() -> None:
    for path, command in commands(sophia):
        lines = [line.strip() for line in (command.epilog or "").partition("Examples:")[2].splitlines()]
        examples = [line.removeprefix('eval "$(').removesuffix(')"') for line in lines if "sophia " in line]
        assert examples, f"sophia {' '.join(path)} has no example in its --help"
        for example in examples:
            parsed(shlex.split(example)[1:])


def parsed(arguments: list[str]) -> None:
    command: click.Command = sophia
    context: click.Context | None = None
    while arguments or context is None:
        if arguments and arguments[0].startswith("_SOPHIA"):
            return
        if isinstance(command, click.Group):
            name, found, arguments = command.resolve_command(context or click.Context(command), arguments)
            assert found is not None
            command, context = found, click.Context(found, info_name=name, parent=context)
            if isinstance(command, click.Group):
                continue
        command.make_context(None, list(arguments))
        return


def test_help_is_quick_because_it_loads_neither_the_engines_sdk_nor_the_display() -> None:
    code = "import sys; from sophia.cli import run; run(['--help']); print(sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    for module in ("'pulumi'", "'rich'", "'httpx'", "'grpc'", "'pydantic'"):
        assert module not in done.stderr


def test_a_signal_outside_a_run_ends_the_command_as_interrupted(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_args: object, **_options: object) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("sophia.cli.run.open_stack", interrupted)
    assert run(["up", "dev"]) == 130


def test_ctrl_c_before_anything_is_in_flight_ends_the_command_at_once(project: Path) -> None:
    stack = Stack("dev", project, Target("file", "file:///state"))
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), signals(stack):
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGINT) is handler, "the handlers of whoever called are put back"


def test_a_library_user_gets_the_same_errors(project: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        Stack("stagign", project, Target("file", "file:///state"))
    assert caught.value.do == 'did you mean "staging"?'

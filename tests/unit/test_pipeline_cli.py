"""What the commands ask before they do something that cannot be taken back, without an engine."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from sophia.cli import run
from sophia.errors import RunFailed


@pytest.fixture
def real_accounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkout that acts on real accounts, and an engine that nobody may reach."""

    def no_engine(*_: object, **_options: object) -> object:
        raise RunFailed("the engine was reached")

    (tmp_path / "Pulumi.yaml").write_text("name: sophia-ai\n")
    (tmp_path / "Pulumi.prod.yaml").write_text("config: {}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PULUMI_BACKEND_URL", "https://cloud.invalid")
    monkeypatch.setattr("sophia.backend.engine_command", lambda _report: None)
    monkeypatch.setattr("sophia.stack.Stack.destroy", no_engine)
    monkeypatch.setattr(import_module("sophia.cli.run"), "labelled", lambda stack, _what, _out: stack)


@pytest.mark.parametrize("arguments", [("--yes",), ("--yes", "--confirm", "dev"), ()])
def test_prod_is_destroyed_only_by_its_name(
    real_accounts: None, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert run(["destroy", "prod", *arguments]) == 3
    told = capsys.readouterr().err
    assert "its name must be given, and nothing was removed" in told
    assert "--confirm prod" in told


def test_with_its_name_it_is(real_accounts: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["destroy", "prod", "--confirm", "prod"]) == 1
    assert "the engine was reached" in capsys.readouterr().err


def test_a_plan_cannot_be_made_and_approved_at_once(real_accounts: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["deploy", "prod", "--plan-only", "--approve", "0" * 16]) == 3
    assert "leave out one of --plan-only and --approve" in capsys.readouterr().err

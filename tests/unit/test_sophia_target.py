"""Where a run acts: never in the sandbox silently when a token is there, never in the cloud without one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandbox import control
from sophia.errors import CredentialsError, SettingsError, UnreachableError
from sophia.project import Project
from sophia.state import State
from sophia.target import ORGANIZATION, choose


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment without a login."""
    return {"HOME": str(tmp_path / "home")}


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> control.Running:
    """What `control.status` says when a sandbox runs in this checkout."""
    (tmp_path / ".sandbox").mkdir()
    sandbox = control.Running(
        directory=tmp_path / ".sandbox",
        url="http://127.0.0.1:8900",
        pid=1,
        instance="i",
        official_port=8901,
        started=0.0,
        access_token="pul-sandbox",
    )
    monkeypatch.setattr(control, "status", lambda _directory: sandbox)
    return sandbox


def test_a_token_means_the_cloud_even_if_a_sandbox_runs(
    tmp_path: Path, home: dict[str, str], running: control.Running
) -> None:
    target = choose(tmp_path, {**home, "PULUMI_ACCESS_TOKEN": "pul-0123"})
    assert (target.kind, target.backend, target.label) == ("cloud", "https://api.pulumi.com", ORGANIZATION)
    assert target.qualified("sophia-ai", "dev") == f"{ORGANIZATION}/sophia-ai/dev"
    assert target.running is None


def test_a_login_means_the_cloud(tmp_path: Path, home: dict[str, str], running: control.Running) -> None:
    folder = Path(home["HOME"]) / ".pulumi"
    folder.mkdir(parents=True)
    (folder / "credentials.json").write_text(json.dumps({"current": "https://api.pulumi.com"}))
    assert choose(tmp_path, home).kind == "cloud"


def test_without_a_token_the_running_sandbox_is_used(
    tmp_path: Path, home: dict[str, str], running: control.Running
) -> None:
    target = choose(tmp_path, home)
    assert (target.kind, target.label) == ("sandbox", "SANDBOX")
    assert target.environment["PULUMI_ACCESS_TOKEN"] == "pul-sandbox"
    assert "pul-sandbox" not in repr(target)


def test_the_sandbox_can_be_asked_for_although_a_token_is_there(
    tmp_path: Path, home: dict[str, str], running: control.Running
) -> None:
    target = choose(tmp_path, {**home, "PULUMI_ACCESS_TOKEN": "pul-0123"}, sandbox=True)
    assert target.kind == "sandbox"
    assert target.environment["PULUMI_BACKEND_URL"] == running.url


def test_a_shell_that_evaluated_sandbox_env_acts_in_the_sandbox(
    tmp_path: Path, home: dict[str, str], running: control.Running
) -> None:
    target = choose(tmp_path, {**home, **running.environment()})
    assert target.kind == "sandbox"
    assert target.running is running


def test_with_neither_the_error_says_both_ways_out(tmp_path: Path, home: dict[str, str]) -> None:
    with pytest.raises(CredentialsError) as caught:
        choose(tmp_path, home)
    assert "sophia sandbox start" in caught.value.do
    assert "PULUMI_ACCESS_TOKEN" in caught.value.do
    with pytest.raises(UnreachableError):
        choose(tmp_path, home, sandbox=True)


def test_a_state_file_of_ones_own_needs_no_organisation(tmp_path: Path, home: dict[str, str]) -> None:
    target = choose(tmp_path, {**home, "PULUMI_BACKEND_URL": "file:///somewhere"})
    assert (target.kind, target.qualified("sophia-ai", "dev")) == ("file", "dev")


def test_the_project_is_found_from_a_folder_inside_it_and_suggests_the_nearest_stack(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: sophia-ai\n")
    for name in ("prod", "dev", "staging"):
        (tmp_path / f"Pulumi.{name}.yaml").write_text(f"environment: [sophia-ai/{name}]\n")
    inner = tmp_path / "providers" / "base"
    inner.mkdir(parents=True)
    project = Project.find(inner)
    assert project.stacks == ("dev", "staging", "prod")
    assert project.environments("dev") == ("sophia-ai/dev",)
    with pytest.raises(SettingsError, match='did you mean "staging"'):
        project.settings_file("stagin")


def test_a_state_knows_what_was_interrupted_and_what_has_been_taken_over() -> None:
    pending = [
        {"type": "creating", "resource": {"urn": "urn:pulumi:dev::p::t::made"}},
        {"type": "creating", "resource": {"urn": "urn:pulumi:dev::p::t::lost"}},
        {"type": "updating", "resource": {"urn": "urn:pulumi:dev::p::t::other"}},
    ]
    deployment = {"resources": [{"urn": "urn:pulumi:dev::p::t::made"}], "pending_operations": pending}
    state = State({"version": 3, "deployment": deployment})
    assert [r.name for r in state.interrupted_creates] == ["made", "lost"]
    assert [r.name for r in state.unresolved()] == ["lost"]
    assert state.settled().document == {"version": 3, "deployment": {"resources": deployment["resources"]}}
    assert state.fingerprint != state.settled().fingerprint
    assert State({"version": 3, "deployment": None}).interrupted_creates == ()

"""The sandbox as a background process: started, found, asked, stopped."""

from __future__ import annotations

import json
import os
import socket
import stat
from pathlib import Path

import httpx
import pytest

from sandbox import control, official
from sandbox.control import Running, SandboxError


def test_a_sandbox_is_started_once_found_again_and_stopped(tmp_path: Path) -> None:
    directory = tmp_path / "state"
    assert control.status(directory) is None
    started = control.start(directory, 0)
    try:
        assert control.start(directory, 0) == started
        assert control.status(directory) == started
        assert started.access_token not in repr(started)
    finally:
        assert control.stop(directory)
    assert control.status(directory) is None
    assert not control.stop(directory)
    assert not (directory / "sandbox.json").exists()


def test_it_takes_another_port_when_something_else_has_the_one_wanted(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        started = control.start(tmp_path, port)
        assert not started.url.endswith(f":{port}")
        control.stop(tmp_path)


def test_state_and_token_survive_a_restart_on_another_port(tmp_path: Path) -> None:
    first = control.start(tmp_path, 0)
    create_stack(first)
    control.stop(tmp_path)
    with socket.create_server(("127.0.0.1", int(first.url.rsplit(":", 1)[1]))):
        second = control.start(tmp_path, 0)
    try:
        assert second.url != first.url
        assert second.access_token == first.access_token
        assert stacks(second) == ["dev"]
    finally:
        control.stop(tmp_path)


def test_a_file_of_a_process_that_is_gone_counts_for_nothing(tmp_path: Path, sandbox: Running) -> None:
    # Another sandbox answers under the address in the file: it must be neither taken for this one nor stopped.
    stale = {"url": sandbox.url, "pid": os.getpid(), "instance": "long-gone", "official_port": 1, "started": 0.0}
    directory = tmp_path / "stale"
    directory.mkdir()
    (directory / "sandbox.json").write_text(json.dumps(stale))
    (directory / "access-token").write_text("x")
    assert control.status(directory) is None
    assert not control.stop(directory)
    assert control.status(sandbox.directory) == sandbox


def test_a_sandbox_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "sandbox.db").write_text("this is not a database, and long enough to be read as one" * 100)
    with pytest.raises(SandboxError, match="file is not a database"):
        control.start(tmp_path, 0)


def test_what_a_sandbox_prints_is_in_its_log_however_it_was_started(tmp_path: Path, sandbox: Running) -> None:
    """Where other tests look for secrets."""
    started = control.start(tmp_path / "started", 0)
    control.stop(started.directory)
    for one in (started, sandbox):
        assert f"sandbox ready at {one.url}\n" in (one.directory / "sandbox.log").read_text()


def test_the_control_api_refuses_whoever_has_no_token(shared_sandbox: Running) -> None:
    for method, path in (("GET", "journal"), ("POST", "stop"), ("POST", "reset"), ("GET", "objects/airbyte")):
        answer = httpx.request(method, f"{shared_sandbox.url}/_sandbox/{path}", trust_env=False)
        assert answer.status_code == 401
    assert control.status(shared_sandbox.directory) is not None


def test_the_environment_reaches_this_sandbox_and_nothing_else(shared_sandbox: Running) -> None:
    environment = shared_sandbox.environment()
    assert environment["PULUMI_BACKEND_URL"] == shared_sandbox.url
    assert environment["PULUMI_DEBUG_PROVIDERS"].count(f":{shared_sandbox.official_port}") == len(official.PLATFORMS)
    home = Path(environment["PULUMI_HOME"])
    assert home.parent == shared_sandbox.directory
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_faults_are_armed_shown_and_removed(sandbox: Running) -> None:
    identifier = sandbox.add_fault("airbyte", status=503, times=1)
    other = sandbox.add_fault("pulumi", path="/api/user", status=429, message="later")
    refused = httpx.get(
        f"{sandbox.url}/api/user", headers={"Authorization": f"token {sandbox.access_token}"}, trust_env=False
    )
    assert (refused.status_code, refused.json()) == (429, {"code": 429, "message": "later"})
    assert {rule["id"]: rule["applied"] for rule in sandbox.faults()} == {identifier: 0, other: 1}
    sandbox.remove_faults(other)
    assert [rule["id"] for rule in sandbox.faults()] == [identifier]
    with pytest.raises(SandboxError, match="statuss"):
        sandbox.add_fault("airbyte", statuss=503)
    with pytest.raises(SandboxError, match="airbite"):
        sandbox.add_fault("airbite", status=503)


def test_a_reset_forgets_the_stacks_and_leaves_the_sandbox_running(sandbox: Running) -> None:
    create_stack(sandbox)
    sandbox.reset("airbyte")
    assert stacks(sandbox) == ["dev"]
    sandbox.reset()
    assert stacks(sandbox) == []
    with pytest.raises(SandboxError, match="airbite"):
        sandbox.reset("airbite")


def test_requests_are_in_the_journal_as_soon_as_they_are_answered(sandbox: Running) -> None:
    mark = sandbox.mark()
    httpx.get(f"{sandbox.url}/airbyte/nowhere?token=abc", trust_env=False)
    view = sandbox.journal(since=mark)
    (entry,) = view.entries
    assert (entry.platform, entry.method, entry.path, entry.query) == ("airbyte", "GET", "/nowhere", "token=***")
    assert view.total == 1
    assert sandbox.journal(since=view.last).entries == []
    sandbox.clear_journal()
    assert sandbox.journal().total == 0


def create_stack(sandbox: Running) -> None:
    answer = httpx.post(
        f"{sandbox.url}/api/stacks/scoobyjava-org/sophia-ai",
        json={"stackName": "dev"},
        headers={"Authorization": f"token {sandbox.access_token}"},
        trust_env=False,
    )
    answer.raise_for_status()


def stacks(sandbox: Running) -> list[str]:
    headers = {"Authorization": f"token {sandbox.access_token}"}
    answer = httpx.get(f"{sandbox.url}/api/user/stacks", headers=headers, trust_env=False)
    return [stack["stackName"] for stack in answer.json()["stacks"]]

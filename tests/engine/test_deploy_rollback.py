"""``sophia rollback`` with the real engine: back to the last good revision, without touching the user's files."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.engine.repository import commit, git, put_into_git

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

ONE = {
    "slack": {"channels": {"deployments": {"name": "sophia-dev-deployments", "purpose": "Every deployment"}}},
    "openrouter": {
        "workspace": {"slug": "sophia-dev", "name": "Sophia dev"},
        "keys": {"web": {"name": "Web app", "limit_usd": 40}},
    },
}
TWO = {
    "slack": {"channels": {"deployments": {"name": "sophia-dev-deployments", "purpose": "Somebody's mistake"}}},
    "openrouter": {
        "workspace": {"slug": "sophia-dev", "name": "Sophia dev"},
        "keys": {"web": {"name": "Web app", "limit_usd": 4000}},
    },
}
QUICK = ("--watch", "0", "--no-slack")


@pytest.fixture
def repository(checkout: Checkout) -> Checkout:
    put_into_git(checkout)
    return checkout


def live(checkout: Checkout) -> tuple[str, float]:
    (channel,) = checkout.objects("slack", "channel").values()
    (key,) = checkout.objects("openrouter", "key").values()
    return channel["purpose"]["value"].partition(" (")[0], key["limit"]


def runs(checkout: Checkout) -> list[tuple[str, str, bool]]:
    history = json.loads(checkout.run("history", "dev", "--json").stdout)["history"]
    return [(e["what"], e["result"], e["good"]) for e in history]


def test_a_platform_that_is_down_in_the_middle_is_told_and_a_rollback_returns(repository: Checkout) -> None:
    first = commit(repository, "What was right", **ONE)
    assert "there is no good revision to return to" in repository.run("rollback", "dev", "--yes", code=3).stderr
    repository.run("deploy", "dev", *QUICK)
    before = live(repository)

    commit(repository, "A mistake", **TWO)
    repository.running.add_fault("openrouter", method="PATCH", path="/api/v1/keys/*", status=422)
    failed = repository.run("deploy", "dev", *QUICK, code=1)
    assert "it stands at: deploy, step 4 of 7 · done: validate, preview, approve · not done: test" in failed.stderr
    assert "done: updated 1" in failed.stderr
    assert f"`sophia rollback dev` goes back to {first[:8]}" in failed.stderr
    assert live(repository) == ("Somebody's mistake", before[1])

    repository.running.remove_faults()
    (repository.directory / "notes.txt").write_text("what the user is at")
    settings = (repository.directory / "Pulumi.dev.yaml").read_text()
    asked = repository.run("rollback", "dev", *QUICK, code=3)
    assert "a rollback must be agreed to, and nothing was changed" in asked.stderr
    back = repository.run("rollback", "dev", "--yes", *QUICK)
    assert f"back to   {first[:8]} What was right" in back.stdout
    assert live(repository) == before
    assert runs(repository) == [
        ("rollback", "succeeded", True),
        ("deploy", "failed", False),
        ("deploy", "succeeded", True),
    ]
    assert (repository.directory / "Pulumi.dev.yaml").read_text() == settings, "the user's files stay as they are"
    assert git(repository.directory, "status", "--porcelain") == "?? notes.txt"
    assert len(git(repository.directory, "worktree", "list").splitlines()) == 1


def test_a_good_deploy_that_turns_out_bad_is_rolled_back_to_the_one_before(repository: Checkout) -> None:
    first = commit(repository, "What was right", **ONE)
    repository.run("deploy", "dev", *QUICK)
    before = live(repository)
    commit(repository, "A mistake that nobody noticed", **TWO)
    repository.run("deploy", "dev", *QUICK)
    assert live(repository) != before

    (repository.directory / "requirements.lock").write_text("click==8.2\n")
    refused = repository.run("rollback", "dev", "--yes", code=3)
    assert "needs other packages than are installed here" in refused.stderr
    (repository.directory / "requirements.lock").write_text("click==8.1\n")
    assert "is no good deploy of it" in repository.run("rollback", "dev", "--yes", "--to", "beef", code=3).stderr
    planned = json.loads(repository.run("rollback", "dev", "--plan-only", "--json").stdout)
    assert live(repository) != before, "a plan changes nothing"
    approved = ("--to", first[:7], "--approve", planned["plan"]["digest"])
    told = json.loads(repository.run("rollback", "dev", *approved, "--json", *QUICK).stdout)
    assert (told["command"], told["revision"]["commit"], told["good"]) == ("rollback", first, True)
    assert live(repository) == before


def test_outside_git_there_is_nothing_to_return_to(checkout: Checkout) -> None:
    refused = checkout.run("rollback", "dev", "--yes", code=3)
    assert "a rollback needs git" in refused.stderr


def test_a_rollback_that_is_interrupted_leaves_no_folder_behind(repository: Checkout, tmp_path: Path) -> None:
    commit(repository, "What was right", **ONE)
    repository.run("deploy", "dev", *QUICK)
    commit(repository, "A mistake", **TWO)
    repository.run("up", "dev", "--skip-preview")
    repository.running.add_fault("slack", path="/api/conversations.setPurpose", latency=3)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    process = repository.start("rollback", "dev", "--yes", *QUICK, TMPDIR=str(scratch))
    assert process.stdout is not None
    for line in process.stdout:
        if "✓ approve" in line:
            break
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 130, stderr
    assert re.search("it stands at: (approve|deploy),", stderr)
    assert len(git(repository.directory, "worktree", "list").splitlines()) == 1
    assert not list(scratch.glob("sophia-revision-*"))

"""The workflows of GitHub Actions: valid, safe, pinned, and of commands that exist."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from sophia.cli import sophia

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))
EVENTS = {
    "merge": {"push"},
    "pull-request": {"pull_request"},
    "recovery": {"workflow_dispatch"},
    "release": {"release"},
    "schedule": {"schedule"},
}
FROM_HERE = "github.event.pull_request.head.repo.full_name == github.repository"


def tool(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = Path(sys.prefix, "bin", name)
    assert command.exists(), f"{name} is a development dependency of the project: `make setup`"
    return subprocess.run(
        [command, *arguments], cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False
    )


def load(path: Path) -> dict[str, Any]:
    """The workflow; YAML 1.1 takes its key ``on`` for a truth value."""
    document: dict[Any, Any] = yaml.safe_load(path.read_text())
    document["on"] = document.pop(True)
    return document


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in WORKFLOWS:
        for name, job in load(path)["jobs"].items():
            yield f"{path.stem}.{name}", job


JOBS = dict(jobs())
every_job = pytest.mark.parametrize("job", JOBS.values(), ids=JOBS.keys())


def steps(job: dict[str, Any], action: str) -> list[dict[str, Any]]:
    return [step for step in job["steps"] if step.get("uses", "").startswith(f"{action}@")]


def test_the_workflows_follow_the_schema_of_github() -> None:
    done = tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *map(str, WORKFLOWS))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_strictest_security_linter_finds_nothing() -> None:
    done = tool("zizmor", "--offline", "--strict-collection", "--no-ignores", "--persona=auditor", ".github")
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_are_five_and_each_reacts_to_one_event() -> None:
    assert {path.stem: set(load(path)["on"]) for path in WORKFLOWS} == EVENTS


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_nothing_is_allowed_but_what_a_job_asks_for_and_no_secret_is_stored_at_github(path: Path) -> None:
    assert load(path)["permissions"] == {}
    assert "secrets." not in path.read_text()
    assert "${{" not in "".join(step.get("run", "") for job in load(path)["jobs"].values() for step in job["steps"])


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_by_commit_and_say_their_version(path: Path) -> None:
    lines = [line.strip() for line in path.read_text().splitlines() if "uses:" in line]
    for line in lines:
        assert re.fullmatch(r"- uses: [\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_an_action_has_one_version() -> None:
    uses = {step["uses"] for job in JOBS.values() for step in job["steps"] if "uses" in step}
    assert len({use.partition("@")[0] for use in uses}) == len(uses)


@every_job
def test_a_job_ends_some_day_and_keeps_no_token_on_disk(job: dict[str, Any]) -> None:
    assert job["timeout-minutes"] <= 60
    (checkout,) = steps(job, "actions/checkout")
    assert checkout["with"]["persist-credentials"] is False
    assert "cache" not in str(job["steps"]), "what a cache holds could have been put there by somebody else"


@every_job
def test_a_job_may_write_only_what_it_writes(job: dict[str, Any]) -> None:
    permissions = dict(job["permissions"])
    assert permissions.pop("contents") == "read"
    knows_pulumi = bool(steps(job, "pulumi/auth-actions"))
    assert (permissions.pop("id-token", None) == "write") == knows_pulumi
    writes_comment = any("GITHUB_TOKEN" in step.get("env", {}) for step in job["steps"])
    assert (permissions.pop("pull-requests", None) == "write") == writes_comment
    assert permissions == {}
    assert ("environment" in job) == knows_pulumi, "Pulumi Cloud trusts an environment, and with it its rules"


@pytest.mark.parametrize("name", [name for name in JOBS if name.startswith("pull-request.")])
def test_a_fork_gets_no_identity(name: str) -> None:
    job = JOBS[name]
    if "id-token" in job["permissions"]:
        assert FROM_HERE in job["if"]
        assert "||" not in job["if"]
    else:
        assert "environment" not in job


@every_job
def test_a_stack_is_changed_by_one_job_at_a_time_which_nobody_cancels(job: dict[str, Any]) -> None:
    changing = ("sophia deploy", "sophia rollback", "sophia up", "--fix", "sophia refresh")
    runs = [step["run"] for step in job["steps"] if any(word in step.get("run", "") for word in changing)]
    if any("--plan-only" not in run for run in runs):
        concurrency = job.get("concurrency") or load(FOLDER / "recovery.yml")["concurrency"]
        assert concurrency["group"].startswith("stack-")
        assert concurrency["cancel-in-progress"] is False
        assert job["environment"] in ("dev", "staging", "prod", "${{ inputs.stack }}")


def test_prod_is_deployed_as_it_was_planned_and_approved() -> None:
    plan, prod = JOBS["release.plan"], JOBS["release.prod"]
    assert prod["needs"] == "plan"
    assert prod["environment"] == "prod"
    (deploy,) = [step for step in prod["steps"] if "sophia deploy" in step.get("run", "")]
    assert deploy["env"] == {"DIGEST": "${{ needs.plan.outputs.digest }}"}
    assert '--approve "$DIGEST"' in deploy["run"]
    assert any("--plan-only" in step.get("run", "") for step in plan["steps"])


def commands(job: dict[str, Any]) -> Iterator[list[str]]:
    """Each ``sophia …`` of a job's steps, as the words of its command line."""
    for step in job["steps"]:
        for line in step.get("run", "").splitlines():
            words = shlex.split(line)
            if ".venv/bin/sophia" not in words:
                continue
            first = words.index(".venv/bin/sophia") + 1
            ends = [i for i, word in enumerate(words) if i >= first and word in (">", "||", "&&", "|")]
            yield words[first : ends[0] if ends else None]


@every_job
def test_the_commands_exist_and_take_what_they_are_given(job: dict[str, Any]) -> None:
    for words in commands(job):
        command: click.Command = sophia
        rest = [word.replace("$STACK", "dev") for word in words]
        while isinstance(command, click.Group):
            _, found, rest = command.resolve_command(click.Context(command), rest)
            assert found is not None
            command = found
        command.make_context(" ".join(words), rest)

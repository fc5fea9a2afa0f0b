"""The commands of each workflow, one after the other, as GitHub's runner runs them, with a sandbox in place of clouds."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tests.engine.conftest import STAGES, Checkout, NewCheckout
from tests.engine.repository import BEING_WRITTEN

REPOSITORY = Path(__file__).parents[2]
IN_PLACE = {
    "actions/checkout": "the test has a checkout",
    "actions/setup-python": "the test runs with a Python",
    "pulumi/auth-actions": "the sandbox knows its checkout without a token",
}
"""Actions that a test cannot run, and what is in their place."""
NOT_HERE = {
    "make setup engine": "what runs this test is set up",
    "make lint": "checks the repository, and not what is deployed",
    "make test": "runs this test",
}
_LOOKUP = re.compile(r"\b(?:github|matrix|inputs|needs|steps)(?:\.[\w-]+)+")


class GitHub:
    """The comments of a pull request."""

    def __init__(self) -> None:
        self.comments: dict[int, str] = {}
        comments = "/repos/pay/ready/issues/12/comments"
        one = "/repos/pay/ready/issues/comments/{number:int}"
        self.app = Starlette(
            routes=[Route(comments, self.several, methods=["GET", "POST"]), Route(one, self.one, methods=["PATCH"])]
        )

    async def several(self, request: Request) -> Response:
        if request.method == "POST":
            self.comments[len(self.comments) + 1] = (await request.json())["body"]
            return JSONResponse({"id": len(self.comments)}, 201)
        return JSONResponse([{"id": n, "body": b, "user": {"type": "Bot"}} for n, b in self.comments.items()])

    async def one(self, request: Request) -> Response:
        self.comments[request.path_params["number"]] = (await request.json())["body"]
        return JSONResponse({})


@dataclass
class Step:
    name: str
    outcome: str
    output: str = ""


@dataclass
class Runner:
    """Runs the jobs of a workflow in the checkout. ``context`` is what expressions can name."""

    checkout: Checkout
    scratch: Path
    context: dict[str, Any]
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, workflow: str, job: str, **matrix: str) -> list[Step]:
        """Runs a job's steps; fails the test if one fails."""
        steps = self.attempt(workflow, job, **matrix)
        failed = [step for step in steps if step.outcome == "failure"]
        if failed:
            pytest.fail(f"{workflow}.{job}, step {failed[0].name}:\n{failed[0].output}")
        return steps

    def attempt(self, workflow: str, job: str, **matrix: str) -> list[Step]:
        document: dict[Any, Any] = yaml.safe_load((REPOSITORY / ".github/workflows" / f"{workflow}.yml").read_text())
        described = document["jobs"][job]
        self.context |= {"matrix": matrix, "steps": {}}
        if not self.holds(described.get("if", "true")):
            return []
        done: list[Step] = []
        for step in described["steps"]:
            done += self.step(step, described.get("env", {}), well=all(s.outcome != "failure" for s in done))
        outputs = {name: self.filled(value) for name, value in described.get("outputs", {}).items()}
        self.context.setdefault("needs", {})[job] = {"outputs": outputs}
        return done

    def step(self, step: dict[str, Any], environment: dict[str, Any], *, well: bool) -> Iterator[Step]:
        condition = step.get("if", "success()")
        if "cancelled()" not in condition and not well:
            return
        if not self.holds(condition):
            return
        if "uses" in step:
            self.action(step["uses"].partition("@")[0], step.get("with", {}))
        elif step["run"] not in NOT_HERE:
            yield self.command(step, environment)

    def command(self, step: dict[str, Any], environment: dict[str, Any]) -> Step:
        told = self.scratch / "output"
        told.write_text("")
        variables = {name: self.filled(value) for name, value in {**environment, **step.get("env", {})}.items()}
        process = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-c", step["run"]],
            cwd=self.checkout.directory,
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")},
                "CI": "true",
                "GITHUB_ACTIONS": "true",
                "GITHUB_ACTOR": "ada",
                "GITHUB_OUTPUT": str(told),
                "GITHUB_STEP_SUMMARY": str(self.scratch / "summary.md"),
                "RUNNER_TEMP": str(self.scratch),
                **self.environment,
                **variables,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
            check=False,
        )
        outcome = "success" if process.returncode == 0 else "failure"
        outputs = dict(line.split("=", 1) for line in told.read_text().splitlines())
        if "id" in step:
            self.context["steps"][step["id"]] = {"outcome": outcome, "outputs": outputs}
        return Step(step["name"], outcome, process.stdout)

    def action(self, name: str, given: dict[str, Any]) -> None:
        kept = self.scratch / "artifacts" / str(given.get("name"))
        if name == "actions/upload-artifact":
            kept.parent.mkdir(exist_ok=True)
            (self.checkout.directory / given["path"]).rename(kept)
        elif name == "actions/download-artifact":
            shutil.copy(kept, self.checkout.directory)
        elif name not in IN_PLACE:
            pytest.fail(f"the test knows nothing to put in the place of {name}")

    def holds(self, condition: str) -> bool:
        """The value of a condition, which consists of names, texts, ==, !=, && and ! only."""
        bare = condition.removeprefix("${{").removesuffix("}}").strip()
        words = bare.replace("&&", " and ").replace("!cancelled()", "True").replace("success()", "True")
        words = _LOOKUP.sub(lambda found: repr(self.value(found[0])), words.replace("true", "True"))
        return bool(eval(re.sub(r"!(?!=)", " not ", words), {"__builtins__": {}}))

    def filled(self, text: object) -> str:
        return re.sub(r"\$\{\{ (\S+) \}\}", lambda found: str(self.value(found[1])), str(text))

    def value(self, name: str) -> Any:
        value: Any = self.context
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return value


NewRunner = Callable[..., Runner]


@pytest.fixture
def checkout(new_checkout: NewCheckout, tmp_path: Path) -> Iterator[Checkout]:
    """A git checkout of three stacks, each with its real settings of the platform that alerts need."""
    with new_checkout(tmp_path / "checkout") as made:
        for name in ("components", "providers", "policies", "health", "esc", ".github"):
            (made.directory / name).unlink(missing_ok=True)
            shutil.copytree(REPOSITORY / name, made.directory / name, ignore=BEING_WRITTEN)
        for stage in STAGES:
            made.configure(stage, slack=made.settings(stage)["slack"])
        (made.directory / ".gitignore").write_text(".venv\n.sandbox\n__pycache__\n*.plan\n")
        git(made, "init", "--quiet")
        commit(made, "the beginning")
        yield made


def git(checkout: Checkout, *arguments: str) -> str:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=checkout.directory, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def commit(checkout: Checkout, message: str) -> str:
    git(checkout, "add", "--all")
    git(checkout, "commit", "--quiet", "--message", message)
    return git(checkout, "rev-parse", "HEAD")


@pytest.fixture
def runner(checkout: Checkout, tmp_path: Path) -> NewRunner:
    def make(environment: Mapping[str, str] | None = None, /, **context: Any) -> Runner:
        scratch = tmp_path / "runner"
        scratch.mkdir(exist_ok=True)
        return Runner(checkout, scratch, context, environment or {})

    return make


def purpose(checkout: Checkout, stack: str, text: str) -> None:
    settings = checkout.settings(stack)
    settings["slack"]["channels"]["alerts"]["purpose"] = text
    checkout.configure(stack, **settings)


def purposes(checkout: Checkout) -> set[str]:
    """What the channels are for, without the word on who manages them."""
    told = (channel["purpose"] for channel in checkout.objects("slack", "channel").values())
    texts = (purpose["value"] if isinstance(purpose, dict) else purpose for purpose in told)
    return {text.partition(" (managed by")[0] for text in texts}


def pull_request(head: str = "pay/ready") -> dict[str, Any]:
    request = {"number": 12, "draft": False, "head": {"repo": {"full_name": head}, "sha": "0123456789abcdef"}}
    return {"repository": "pay/ready", "token": "token-of-the-run", "event": {"pull_request": request}}


def test_a_pull_request_is_checked_previewed_and_deployed_to_dev(
    checkout: Checkout, runner: NewRunner, listen: Callable[[ASGIApp], str]
) -> None:
    hub = GitHub()
    environment = {"GITHUB_API_URL": listen(hub.app), "GITHUB_REPOSITORY": "pay/ready"}
    run = runner(environment, github=pull_request())
    run.run("pull-request", "checks")
    for stack in STAGES:
        run.run("pull-request", "preview", stack=stack)
    assert len(hub.comments) == len(STAGES)
    assert "+ Slack channel alerts" in hub.comments[1]
    assert "### Preview of `prod`: creates" in hub.comments[3]
    assert checkout.objects("slack", "channel") == {}, "a preview changes nothing"
    run.run("pull-request", "dev")
    assert len(checkout.objects("slack", "channel")) == len(checkout.settings("dev")["slack"]["channels"])
    run.run("pull-request", "preview", stack="dev")
    assert "### Preview of `dev`: no changes" in hub.comments[1]
    assert len(hub.comments) == len(STAGES), "the comment of a stack is written anew, and not a second time"
    checkout.configure("dev", slack={"chanels": {}})
    steps = run.attempt("pull-request", "preview", stack="dev")
    assert [step.outcome for step in steps] == ["failure", "success"]
    assert "failed" in hub.comments[1]
    assert "chanels" in hub.comments[1]


def test_a_pull_request_from_a_fork_is_only_checked(checkout: Checkout, runner: NewRunner) -> None:
    run = runner(github=pull_request(head="mallory/ready"))
    assert [step.name for step in run.run("pull-request", "checks")] == ["ESC environments"]
    assert run.run("pull-request", "preview", stack="dev") == []
    assert run.run("pull-request", "dev") == []
    assert "dev" not in str(checkout.running.objects("pulumi").objects.get("stack", {}))


def test_what_is_merged_goes_to_staging(checkout: Checkout, runner: NewRunner) -> None:
    run = runner()
    run.run("merge", "checks")
    run.run("merge", "staging")
    assert checkout.resources("staging")
    status = checkout.run("status", "staging").stdout
    assert "deploy by ada@github-actions" in status


def test_a_release_is_deployed_to_prod_as_it_was_planned(checkout: Checkout, runner: NewRunner) -> None:
    run = runner()
    run.run("release", "plan")
    assert checkout.objects("slack", "channel") == {}
    assert "+ Slack channel alerts" in (run.scratch / "summary.md").read_text()
    assert re.fullmatch("[0-9a-f]{64}", run.value("needs.plan.outputs.digest"))
    run.run("release", "prod")
    assert checkout.resources("prod")


def test_a_plan_that_is_out_of_date_is_not_executed(checkout: Checkout, runner: NewRunner) -> None:
    run = runner()
    run.run("release", "plan")
    purpose(checkout, "prod", "something else")
    commit(checkout, "a commit after the plan")
    *_, last = run.attempt("release", "prod")
    assert last.outcome == "failure"
    assert "the settings have changed" in last.output
    assert checkout.objects("slack", "channel") == {}


def messages(checkout: Checkout) -> list[str]:
    return [message["text"] for message in checkout.objects("slack", "message").values()]


def test_the_schedule_alerts_when_something_changes_and_not_every_time(checkout: Checkout, runner: NewRunner) -> None:
    checkout.run("up", "dev")
    run = runner()
    run.run("schedule", "watch", stack="dev")
    before = len(messages(checkout))
    alerts = checkout.settings("dev")["slack"]["channels"]["alerts"]["name"]
    checkout.run("sandbox", "change", "slack", "channel", alerts, "purpose=by hand")
    run.run("schedule", "watch", stack="dev")
    (alert,) = messages(checkout)[before:]
    assert 'Slack channel "alerts" is changed' in alert
    run.run("schedule", "watch", stack="dev")
    assert len(messages(checkout)) == before + 1
    assert "1 changed · 0 deleted" in checkout.run("status", "dev").stdout
    checkout.run("drift", "dev", "--fix")
    run.run("schedule", "watch", stack="dev")
    assert 'Slack channel "alerts" is well again' in messages(checkout)[-1]


def test_recovery_by_each_of_its_actions(checkout: Checkout, runner: NewRunner) -> None:
    purpose(checkout, "dev", "as it was good")
    commit(checkout, "good")
    checkout.run("deploy", "dev", "--yes", "--watch", "0")
    purpose(checkout, "dev", "as it is bad")
    commit(checkout, "bad")
    checkout.run("deploy", "dev", "--yes", "--watch", "0")
    assert "as it is bad" in purposes(checkout)

    def recover(action: str) -> list[str]:
        done = runner(inputs={"stack": "dev", "action": action}).run("recovery", "recover")
        assert (done[0].name, done[-1].name) == ("Where it stands", "Where it stands now")
        return [step.name for step in done[1:-1]]

    assert recover("rollback") == ["Roll back"]
    assert "as it was good" in purposes(checkout)
    purpose(checkout, "dev", "as it was good")
    commit(checkout, "the bad change is taken back")
    alerts = checkout.settings("dev")["slack"]["channels"]["alerts"]["name"]
    checkout.run("sandbox", "change", "slack", "channel", alerts, "purpose=by hand")
    assert "by hand" in purposes(checkout)
    assert recover("restore") == ["Restore"]
    assert "as it was good" in purposes(checkout)
    checkout.run("sandbox", "change", "slack", "channel", alerts, "purpose=by hand")
    assert recover("refresh") == ["Refresh"]
    assert "by hand" in purposes(checkout), "a refresh only notes what is there"
    begin_a_run_that_never_ends(checkout)
    assert "update by" in checkout.run("status", "dev").stdout
    assert recover("unlock") == ["Unlock"]
    assert "lock         free" in checkout.run("status", "dev").stdout
    assert recover("publish") == ["Publish the ESC environment"]


def begin_a_run_that_never_ends(checkout: Checkout) -> None:
    """Holds the stack as an engine does that was killed."""
    running = checkout.running
    with httpx.Client(
        base_url=f"{running.url}/api/stacks/scoobyjava-org/sophia-ai/dev/",
        headers={"Authorization": f"token {running.access_token}"},
        trust_env=False,
    ) as client:
        about = {"name": "sophia-ai", "runtime": "python", "options": {"dryRun": False}, "config": {}, "metadata": {}}
        update = client.post("update", json=about).raise_for_status().json()["updateID"]
        client.post(f"update/{update}", json={}).raise_for_status()


def test_every_step_that_is_left_out_is_still_in_a_workflow() -> None:
    text = "".join(path.read_text() for path in (REPOSITORY / ".github/workflows").glob("*.yml"))
    assert all(name in text for name in (*IN_PLACE, *NOT_HERE))

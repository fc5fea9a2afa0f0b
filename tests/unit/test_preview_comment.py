"""The comment with the preview on a pull request."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

SCRIPT = Path(__file__).parents[2] / ".github" / "scripts" / "comment_preview.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    specification = importlib.util.spec_from_file_location("comment_preview", SCRIPT)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def change(operation: str, name: str, **properties: tuple[Any, Any]) -> dict[str, Any]:
    changed = [
        {"path": path, "old": old, "new": new, "forces_replacement": operation == "replace"}
        for path, (old, new) in properties.items()
    ]
    return {
        "urn": f"urn:pulumi:dev::p::t::{name}",
        "platform": "Slack",
        "kind": "channel",
        "name": name,
        "operation": operation,
        "properties": changed,
    }


def preview(*changes: dict[str, Any], **members: Any) -> dict[str, Any]:
    words = {"delete": "deleted", "replace": "replaced", "update": "updated", "create": "created"}
    counts = dict.fromkeys([*words.values(), "unchanged"], 0) | {"unchanged": 7}
    for one in changes:
        counts[words[one["operation"]]] += 1
    return {"version": 1, "command": "preview", "counts": counts, "changes": list(changes), **members}


class GitHub:
    """The comments of pull request 12, as GitHub's REST API has them, two a page."""

    def __init__(self) -> None:
        self.comments: list[dict[str, Any]] = []
        self.app = Starlette(
            routes=[
                Route("/repos/pay/ready/issues/12/comments", self.several, methods=["GET", "POST"]),
                Route("/repos/pay/ready/issues/comments/{number:int}", self.one, methods=["PATCH"]),
            ]
        )

    def add(self, body: str, kind: str) -> dict[str, Any]:
        comment = {"id": len(self.comments) + 1, "body": body, "user": {"type": kind}, "html_url": "https://comment"}
        self.comments.append(comment)
        return comment

    async def several(self, request: Request) -> Response:
        if request.headers["authorization"] != "Bearer token-of-the-run":
            return JSONResponse({"message": "Bad credentials"}, 401)
        if request.method == "POST":
            body = (await request.json())["body"]
            if len(body) > 65_536:
                return JSONResponse({"message": "Body is too long (maximum is 65536 characters)"}, 422)
            return JSONResponse(self.add(body, "Bot"), 201)
        page = int(request.query_params.get("page", "1"))
        more = len(self.comments) > 2 * page
        headers = {"Link": f'<{request.url.include_query_params(page=page + 1)}>; rel="next"'} if more else {}
        return JSONResponse(self.comments[2 * page - 2 : 2 * page], headers=headers)

    async def one(self, request: Request) -> Response:
        comment = self.comments[request.path_params["number"] - 1]
        comment["body"] = (await request.json())["body"]
        return JSONResponse(comment)


Run = Callable[..., Any]


@pytest.fixture
def github() -> GitHub:
    return GitHub()


@pytest.fixture
def run(
    script: ModuleType,
    github: GitHub,
    listen: Callable[[ASGIApp], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    variables = {
        "GITHUB_API_URL": listen(github.app),
        "GITHUB_REPOSITORY": "pay/ready",
        "GITHUB_TOKEN": "token-of-the-run",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "PULL_REQUEST": "12",
        "COMMIT": "0123456789abcdef",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    def comment(stack: str, document: dict[str, Any] | str, *options: str) -> Any:
        file = tmp_path / "preview.json"
        file.write_text(document if isinstance(document, str) else json.dumps(document))
        return CliRunner().invoke(script.main, [stack, str(file), *options])

    return comment


def test_there_is_one_comment_per_stack_which_is_written_anew(run: Run, github: GitHub) -> None:
    github.add("first!", "User")
    github.add("<!-- sophia preview of dev --> says somebody else", "User")
    for stack in ("dev", "staging"):
        assert run(stack, preview(change("create", "alerts"))).exit_code == 0
    assert run("dev", preview()).exit_code == 0
    assert run("staging", preview(change("delete", "alerts"))).exit_code == 0
    theirs, imitation, dev, staging = [comment["body"] for comment in github.comments]
    assert (theirs, imitation) == ("first!", "<!-- sophia preview of dev --> says somebody else")
    assert "Preview of `dev`: no changes · unchanged 7" in dev
    assert "Preview of `staging`: destroys 1 · unchanged 7" in staging
    assert "0123456789ab" in staging


def test_what_is_destroyed_stands_first_with_old_and_new_values(script: ModuleType) -> None:
    document = preview(
        change("create", "new"),
        change("update", "topic", purpose=("old words", "new words"), key=("[secret]", "[secret] (changed)")),
        change("replace", "moved", region=("us", "eu")),
        change("delete", "gone"),
    )
    body = script.markdown("prod", document)
    order = [body.index(word) for word in ("- Slack channel gone", "! Slack channel moved", "! Slack channel topic")]
    assert order == sorted(order)
    assert body.index("+ Slack channel new") > order[-1]
    assert 'purpose: "old words" -> "new words"' in body
    assert "key: [secret] -> [secret] (changed)" in body
    assert 'region: "us" -> "eu"  (forces the replacement)' in body


def test_a_preview_that_failed_is_told_too(run: Run, github: GitHub) -> None:
    problem = {"what": "the schedule is wrong", "said": "3 fields", "setting": "Pulumi.dev.yaml", "do": "give six"}
    assert run("dev", {"version": 1, "command": "preview", "problems": [problem]}).exit_code == 0
    assert run("prod", "").exit_code == 0
    dev, prod = [comment["body"] for comment in github.comments]
    assert "failed" in dev
    assert all(part in dev for part in problem.values())
    assert "read the log of its step" in prod


def test_a_long_preview_is_cut_to_what_github_takes_and_says_so(run: Run, github: GitHub) -> None:
    changes = [change("create", f"channel-{number:05}") for number in range(5000)]
    assert run("dev", preview(*changes, change("delete", "gone"))).exit_code == 0
    body = github.comments[0]["body"]
    assert 60_000 < len(body) <= 65_536
    assert "- Slack channel gone" in body
    assert "more lines: `sophia preview dev` shows all of them" in body
    assert "creates 5000" in body


def test_settings_cannot_break_out_of_their_block(script: ModuleType) -> None:
    body = script.markdown("dev", preview(change("update", "x", purpose=("a", "```\n@everyone <img src=x>\n````"))))
    block = body.partition("`````diff\n")[2].partition("\n`````\n")[0]
    assert "@everyone" in block
    assert body.count("@everyone") == 1


def test_the_summary_of_a_run_needs_nothing_of_github(run: Run, github: GitHub, tmp_path: Path) -> None:
    assert run("prod", preview(change("create", "alerts")), "--summary").exit_code == 0
    assert github.comments == []
    assert "+ Slack channel alerts" in (tmp_path / "summary.md").read_text()


def test_a_refusal_of_github_is_told_in_one_message(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "wrong")
    refused = run("dev", preview())
    assert refused.exit_code == 1
    assert "GitHub refused the comment" in refused.output
    assert "Bad credentials" in refused.output
    assert "wrong" not in refused.output

"""``sophia deploy`` and ``sophia history`` with the real engine, on good changes and bad ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from sophia.cli.document import SCHEMA_FILE
from tests.engine.repository import commit, put_into_git

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

SLACK: dict[str, Any] = {
    "channels": {
        "deployments": {"name": "sophia-dev-deployments", "purpose": "Every deployment of dev"},
        "alerts": {"name": "sophia-dev-alerts", "purpose": "What broke"},
    }
}
OPENROUTER: dict[str, Any] = {
    "workspace": {"slug": "sophia-dev", "name": "Sophia dev"},
    "guardrails": {"residents": {"name": "Resident data", "limit_usd": 40, "reset": "monthly"}},
    "keys": {"web": {"name": "Web app", "limit_usd": 40, "guardrail": "residents"}},
}
UNWATCHED = ("--watch", "0")


@pytest.fixture
def repository(checkout: Checkout) -> Checkout:
    put_into_git(checkout)
    return checkout


def document(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    jsonschema.validate(found, json.loads(SCHEMA_FILE.read_text()))
    return found


def purposes(checkout: Checkout) -> dict[str, str]:
    channels = checkout.objects("slack", "channel").values()
    return {c["name"]: c["purpose"]["value"].partition(" (")[0] for c in channels if not c["is_archived"]}


def writes(checkout: Checkout, since: int) -> set[str]:
    """The paths of the requests that changed something, but for messages. Slack asks by POST."""
    return {
        e.path
        for e in checkout.running.journal(since=since).entries
        if e.method != "GET"
        and not e.path.endswith((".list", ".info", ".test", "/token"))
        and not e.path.startswith("/api/chat.")
    }


def test_a_good_deploy_is_tested_told_to_the_channel_and_kept_in_the_history(repository: Checkout) -> None:
    first = commit(repository, "Where we talk", slack=SLACK)
    done = document(repository.run("deploy", "dev", "--json", "--events", "steps.jsonl").stdout)
    steps = ["validate", "preview", "approve", "deploy", "test", "watch", "record"]
    assert [(s["step"], s["status"]) for s in done["steps"]] == [(name, "done") for name in steps]
    assert done["good"]
    assert done["revision"]["commit"] == first
    assert done["counts"]["created"] == 2
    lines = [json.loads(line) for line in (repository.directory / "steps.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [name for name in steps for _ in range(2)], "each begins and ends"
    assert {line["run"] for line in lines} == {lines[0]["run"]}

    (message,) = repository.objects("slack", "message").values()
    (channel,) = (i for i, c in repository.objects("slack", "channel").items() if c["name"].endswith("deployments"))
    assert message["channel"] == channel, "the stack's own channel, although this deploy made it"
    assert f"deploy of sophia-ai/dev · {first[:8]}" in message["text"]
    assert all(f":white_check_mark: {name}" in message["text"] for name in steps)
    assert "xox" not in message["text"]

    commit(repository, "A better purpose", slack={"channels": {**SLACK["channels"], "alerts": {"name": "x-alerts"}}})
    repository.run("up", "dev", "--skip-preview")
    history = document(repository.run("history", "dev", "--json").stdout)["history"]
    assert [(e["what"], e["result"], e["good"]) for e in history] == [
        ("up", "succeeded", False),
        ("deploy", "succeeded", True),
    ]
    assert history[1]["who"] == history[0]["who"] == done["by"] != ""
    assert (history[1]["commit"], history[1]["message"]) == (first, "Where we talk")
    assert history[1]["changes"]["create"] > 0
    shown = repository.run("history", "dev", "--limit", "1").stdout
    assert "up" in shown
    assert "Where we talk" not in shown


def test_settings_that_are_wrong_touch_nothing(repository: Checkout) -> None:
    wrong = {"channels": {"alerts": {"name": "Not A Name"}, "deployments": {"name": "d", "porpose": "?"}}}
    commit(repository, "A slip", slack=wrong)
    mark = repository.running.mark()
    failed = repository.run("deploy", "dev", "--json", code=3)
    told = document(failed.stdout)
    assert {p["setting"] for p in told["problems"]} == {
        "Pulumi.dev.yaml: sophia-ai:slack.channels.alerts.name",
        "Pulumi.dev.yaml: sophia-ai:slack.channels.deployments.porpose",
    }
    assert [(s["step"], s["status"]) for s in told["steps"]] == [("validate", "done"), ("preview", "failed")]
    assert "it stands at: preview, step 2 of 7" in failed.stderr
    assert "nothing was changed on the platforms" in failed.stderr
    assert not writes(repository, mark)
    assert not document(repository.run("history", "dev", "--json").stdout)["history"]


def test_a_secret_in_clear_ends_the_deploy_before_the_engine_runs(repository: Checkout) -> None:
    file = repository.directory / "esc" / "dev.yaml"
    file.write_text(file.read_text() + "    SLACK_BOT_TOKEN: xoxb-1234567890-abcdefghijkl\n")
    commit(repository, "A token for all to see", slack=SLACK)
    failed = repository.run("deploy", "dev", code=3)
    assert "it stands at: validate, step 1 of 7" in failed.stderr
    assert "esc/dev.yaml" in failed.stderr
    assert "xoxb-1234567890" not in failed.stderr + failed.stdout


def test_a_plan_is_run_as_approved_or_not_at_all(repository: Checkout) -> None:
    commit(repository, "Where we talk", slack=SLACK)
    waits = repository.run("deploy", "dev", "--require-approval", "--yes", code=3)
    assert "the plan must be approved, and nothing was changed" in waits.stderr

    planned = document(repository.run("deploy", "dev", "--plan-only", "--plan-file", "dev.plan", "--json").stdout)
    digest = planned["plan"]["digest"]
    assert not repository.objects("slack", "channel")
    other = repository.run("deploy", "dev", "--plan-file", "dev.plan", "--approve", "0" * 16, code=3)
    assert f"this plan is {digest[:16]}" in other.stderr
    # Another preview of the same has the same digest: who approved it need not have the file.
    approved = ("--require-approval", "--approve", digest, *UNWATCHED)
    assert document(repository.run("deploy", "dev", *approved, "--json").stdout)["plan"]["digest"] == digest
    assert len(purposes(repository)) == 2

    mark = repository.running.mark()
    stale = repository.run("deploy", "dev", "--plan-file", "dev.plan", "--approve", digest, code=1)
    assert "another run has changed the state" in stale.stderr
    repository.run("deploy", "dev", "--plan-only", "--plan-file", "dev.plan")
    program = repository.directory / "components" / "estate.py"
    program.write_text(program.read_text() + "\n# changed\n")
    channels = {**SLACK["channels"], "alerts": {"name": "sophia-dev-alerts", "purpose": "Else"}}
    repository.configure(slack={"channels": channels})
    stale = repository.run("deploy", "dev", "--plan-file", "dev.plan", code=1)
    assert "the settings have changed" in stale.stderr
    assert "the program has changed" in stale.stderr
    assert not writes(repository, mark)


def test_a_platform_that_is_not_well_afterwards_fails_the_deploy_and_nobody_returns_to_it(
    repository: Checkout,
) -> None:
    commit(repository, "Where we talk", slack=SLACK)
    repository.running.add_fault("slack", path="/api/auth.test", status=503)
    failed = repository.run("deploy", "dev", "--no-slack", "--fail-fast", *UNWATCHED, code=1)
    assert "it stands at: test, step 5 of 7" in failed.stderr
    assert "Slack is failing" in failed.stderr
    assert "there is no good deployment yet to go back to" in failed.stderr
    (run,) = document(repository.run("history", "dev", "--json").stdout)["history"]
    assert (run["what"], run["result"], run["good"]) == ("deploy", "succeeded", False)

    repository.running.remove_faults()
    repository.running.add_fault("slack", path="/api/chat.*", status=403)
    again = document(repository.run("deploy", "dev", "--json", *UNWATCHED).stdout)
    tested = next(s["said"] for s in again["steps"] if s["step"] == "test")
    assert tested.startswith("all platforms"), "what the failed one changed was never tested"
    assert again["good"], "a Slack that takes no message fails no deploy"
    assert again["warnings"][0].startswith("Slack: the message could not be posted; 403")

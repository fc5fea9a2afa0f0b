"""The health of the whole stack in the sandbox: well, with a platform down, a credential refused; alerts on change only."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sophia import health
from sophia.errors import SettingsError

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout, NewCheckout

EVERYTHING = {
    "airbyte", "apollo", "asana", "aws", "competitors", "dashboard", "estuary", "figma", "github", "gong", "hubspot",
    "incidents", "kubernetes", "lambda_labs", "linear", "monitoring", "n8n", "nmhc", "openrouter", "pinecone", "portkey",
    "pulumi", "qdrant", "slack", "snowflake", "vercel",
}  # fmt: skip
SECRET = "a-credential-that-nobody-takes"


@pytest.fixture(scope="module")
def deployed(
    new_checkout: NewCheckout, dev_after_first_up: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Checkout]:
    with new_checkout(tmp_path_factory.mktemp("health") / "checkout", like=dev_after_first_up) as made:
        yield made


@pytest.fixture
def dev(deployed: Checkout) -> Iterator[Checkout]:
    """The same, healthy and with its own settings again after each test."""
    file = deployed.directory / "Pulumi.dev.yaml"
    text = file.read_text()
    yield deployed
    file.write_text(text)
    deployed.running.remove_faults()


def checks(checkout: Checkout, *arguments: str, code: int = 0) -> dict[str, dict[str, Any]]:
    """What ``sophia health dev --json`` says, by platform."""
    done = checkout.run("health", "dev", "--json", *arguments, code=code)
    (report,) = json.loads(done.stdout)["health"]
    assert report["well"] is (code == 0)
    return {check["platform"]: check for check in report["checks"]}


def verdicts(checkout: Checkout, *arguments: str, code: int = 0) -> dict[str, str]:
    return {name: check["verdict"] for name, check in checks(checkout, *arguments, code=code).items()}


def messages(checkout: Checkout) -> list[str]:
    """What was posted in the channel for alerts, oldest first."""
    channels = checkout.objects("slack", "channel")
    alerts = next(id_ for id_, channel in channels.items() if channel["name"] == "sophia-dev-alerts")
    return [m["text"] for m in checkout.objects("slack", "message").values() if m["channel"] == alerts]


def test_the_whole_stack_is_well_and_asking_it_changes_nothing(dev: Checkout) -> None:
    mark = dev.running.mark()
    found = checks(dev)
    nobody_can_ask = found.pop("usergems")
    assert (nobody_can_ask["verdict"], nobody_can_ask["latency_seconds"]) == ("unasked", None)
    assert {name: check["verdict"] for name, check in found.items()} == dict.fromkeys(EVERYTHING, "well")
    assert all(check["latency_seconds"] is not None and check["checked"] for check in found.values())
    assert found["github"]["quotas"] == [{"what": "requests an hour", "left": 5000, "of": 5000}]
    assert "administration of repositories (read)" in found["github"]["checked"]
    sent = {(e.platform, e.method, e.path) for e in dev.running.journal(since=mark).entries}
    assert {(platform, path) for platform, method, path in sent if method != "GET"} == {
        ("airbyte", "/v1/applications/token"),
        ("apollo", "/emailer_campaigns/search"),
        ("apollo", "/usage_stats/api_usage_stats"),
        ("apollo", "/usage_stats/credit_usage_stats"),
        ("aws", "/"),
        ("estuary", "/api/graphql"),
        ("gong", "/v2/users/extensive"),
        ("hubspot", "/oauth/v2/private-apps/get/access-token-info"),
        ("estuary", "/api/v1/auth/token"),
        ("linear", "/graphql"),
        ("pinecone", "/oauth/token"),
        ("slack", "/api/auth.test"),
        ("snowflake", "/api/v2/statements"),
        ("kubernetes", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"),
    }
    assert health.check(dev.stack(), engine=dev.command).well


def test_all_stacks_that_exist_are_asked_where_none_is_named(dev: Checkout) -> None:
    done = dev.run("health", "--json")
    assert [report["stack"] for report in json.loads(done.stdout)["health"]] == ["dev"]


def test_a_platform_that_is_down_is_named_and_the_others_are_still_asked(dev: Checkout) -> None:
    dev.running.add_fault(platform="vercel", status=503)
    dev.running.add_fault(platform="airbyte", action="drop")
    dev.running.add_fault(platform="openrouter", latency=60)
    done = dev.run("health", "dev", "--timeout", "15", code=1)
    failing = [line.split()[0] for line in done.stdout.splitlines() if "failing" in line and line.startswith("  ")]
    assert sorted(failing) == ["Airbyte", "OpenRouter", "Vercel"]
    assert "setting  AIRBYTE_SERVER_URL" in done.stdout
    assert f"{len(EVERYTHING) - 3} well · 3 failing" in done.stdout


def test_a_refused_credential_is_told_with_its_variable_and_not_its_value(dev: Checkout) -> None:
    refused = {
        "AIRBYTE_CLIENT_SECRET": "airbyte",
        "GITHUB_TOKEN": "github",
        "OPENROUTER_MANAGEMENT_KEY": "openrouter",
        "SLACK_BOT_TOKEN": "slack",
        "SNOWFLAKE_PRIVATE_KEY": "snowflake",
        "VERCEL_API_TOKEN": "vercel",
    }
    dev.configure(variables=dict.fromkeys(refused, SECRET), **dev.settings())
    found = checks(dev, code=1)
    failing = {name for name, check in found.items() if check["verdict"] == "failing"}
    assert failing == {*refused.values(), "competitors", "dashboard"}, "two ask Snowflake"
    for variable, platform in refused.items():
        assert any(variable in problem["setting"] for problem in found[platform]["problems"]), found[platform]
    assert SECRET not in json.dumps(found)


def test_wrong_names_are_told_as_such(dev: Checkout) -> None:
    wrong = {"VERCEL_TEAM": "team_other", "SNOWFLAKE_ROLE": "NOBODY", "SNOWFLAKE_USER": "SOMEBODY"}
    dev.configure(
        variables={"VERCEL_TEAM": wrong["VERCEL_TEAM"], "SNOWFLAKE_ROLE": wrong["SNOWFLAKE_ROLE"]}, **dev.settings()
    )
    found = checks(dev, "--platform", "vercel", "--platform", "snowflake", code=1)
    assert "Team not found" in found["vercel"]["problems"][0]["said"]
    assert "Role 'NOBODY'" in found["snowflake"]["problems"][0]["said"]
    dev.configure(variables={"SNOWFLAKE_USER": wrong["SNOWFLAKE_USER"]}, **dev.settings())
    found = checks(dev, "--platform", "snowflake", code=1)
    assert "JWT token is invalid" in found["snowflake"]["problems"][0]["said"]


def test_a_slack_alert_is_posted_on_change_only(dev: Checkout) -> None:
    before = len(messages(dev))

    def told() -> list[str]:
        return messages(dev)[before:]

    dev.run("health", "dev", "--alert")
    assert told() == [], "all was well, and is"
    dev.running.add_fault(platform="vercel", status=503)
    dev.run("health", "dev", "--alert", code=1)
    dev.run("health", "dev", "--alert", code=1)
    (first,) = told()
    assert "Vercel is failing (was well)" in first
    assert "sophia-ai/dev" in first
    dev.running.remove_faults()
    dev.run("health", "dev", "--alert")
    dev.run("health", "dev", "--alert")
    assert ["Vercel is well again (was failing)" in text for text in told()] == [False, True]


def test_what_could_not_be_posted_is_told_the_next_time(dev: Checkout) -> None:
    before = len(messages(dev))
    dev.running.add_fault(platform="slack", path="/api/chat.postMessage", status=500)
    dev.running.add_fault(platform="github", status=500)
    done = dev.run("health", "dev", "--alert", code=1, SOPHIA_PATIENCE_SECONDS="1")
    assert "no alert was posted" in done.stdout
    assert len(messages(dev)) == before
    dev.running.remove_faults()
    dev.running.add_fault(platform="github", status=500)
    dev.run("health", "dev", "--alert", code=1)
    assert "GitHub is failing" in messages(dev)[-1]
    dev.running.remove_faults()
    dev.run("health", "dev", "--alert")


def test_watching_tells_each_change_in_a_line(dev: Checkout) -> None:
    watching = dev.start(
        "health", "dev", "--watch", "--interval", "0.1", "--platform", "vercel", "--platform", "github"
    )
    try:
        assert watching.stdout is not None
        lines = (line for line in watching.stdout if line.startswith("20"))
        assert sorted(next(lines).split()[2] for _ in range(2)) == ["GitHub", "Vercel"]
        dev.running.add_fault(platform="vercel", status=503)
        assert "dev Vercel failing" in next(lines)
        dev.running.remove_faults()
        assert "dev Vercel well" in next(lines)
    finally:
        watching.send_signal(signal.SIGINT)
        watching.communicate(timeout=60)
    assert watching.returncode == 130


def test_a_pulumi_cloud_that_refuses_is_a_platform_that_fails(dev: Checkout) -> None:
    dev.running.add_fault(platform="pulumi", path="/api/esc/*", status=401, message="Unauthorized")
    found = checks(dev, code=1)
    assert {name: check["verdict"] for name, check in found.items()} == {"pulumi": "failing"}
    assert found["pulumi"]["problems"][0]["do"]


def test_a_platform_that_the_stack_does_not_have_is_a_mistake(dev: Checkout) -> None:
    done = dev.run("health", "dev", "--platform", "airbite", code=3)
    assert 'did you mean "airbyte"' in done.stderr
    nothing = health.check(dev.stack(), ["keys"], engine=dev.command)
    assert nothing.checks == ()
    assert nothing.well, "a script asks for those that it has changed: what is no platform's has no health"


def test_settings_of_a_platform_that_nobody_can_ask_are_a_mistake(dev: Checkout) -> None:
    dev.configure(**dev.settings(), airbite={})
    with pytest.raises(SettingsError, match='did you mean "airbyte"'):
        health.check(dev.stack(), engine=dev.command)


def test_a_stack_that_was_never_deployed_can_be_asked(checkout: Checkout) -> None:
    """As is done before the first deployment: are the credentials good?"""
    found = verdicts(checkout)
    assert found == {**dict.fromkeys(EVERYTHING, "well"), "usergems": "unasked"}
    assert Path(checkout.directory / "Pulumi.dev.yaml").exists()
    done = checkout.run("health", code=3)
    assert "no stack of sophia-ai exists yet" in done.stderr

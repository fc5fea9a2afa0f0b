"""GitHub through the real engine: a whole organisation, drift in its rules, what somebody made by hand, its health."""

from __future__ import annotations

import copy
import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from sophia.errors import SophiaError

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

INDEX = "github:index"
REPOSITORY, TEAM = f"{INDEX}/repository:Repository", f"{INDEX}/team:Team"
RULESET = f"{INDEX}/repositoryRuleset:RepositoryRuleset"
ORGANIZATION_HOOK = f"{INDEX}/organizationWebhook:OrganizationWebhook"
ORGANIZATION = "github:account/organization:Organization"


def organisation(checkout: Checkout) -> dict[str, Any]:
    """The settings of prod, for a stack that nobody would miss and that has nothing but GitHub."""
    settings = copy.deepcopy(checkout.settings("prod")["github"])
    settings["organization"]["variables"] = {}
    for repository in settings["repositories"].values():
        repository["archive_on_destroy"] = False
        for environment in repository.get("environments", {}).values():
            environment["secrets"] = {"SLACK_BOT_TOKEN": {"environment": "SLACK_BOT_TOKEN"}}
    assert '"output"' not in json.dumps(settings)
    return dict(settings)


def named(checkout: Checkout, kind: str, name: str) -> tuple[str, dict[str, Any]]:
    """The one object of a kind with this name, and its id."""
    ((key, document),) = [
        (key, one) for key, one in checkout.objects("github", kind).items() if one["properties"]["name"] == name
    ]
    return key, document


def forget(checkout: Checkout) -> None:
    """The state is lost: what the stack has made is now like what somebody made by hand."""
    dev = checkout.stack()
    state = dev.state()
    assert state
    emptied = {**state.document, "deployment": {**state.document["deployment"], "resources": []}}
    (checkout.directory / "empty.json").write_text(json.dumps(emptied))
    command = ["stack", "import", "--file", "empty.json", "--stack", dev.full_name]
    assert checkout.command.execute(command, checkout.directory, {**os.environ, **dev.target.environment}).code == 0


def test_an_organisation_lives_and_its_rules_come_back(checkout: Checkout) -> None:
    settings = organisation(checkout)
    checkout.configure(github=settings)
    dev = checkout.stack()
    dev.up(skip_preview=True)
    assert not dev.up(skip_preview=True).has_changes
    assert not dev.refresh().has_changes

    team, platform = named(checkout, TEAM, "sophia-platform")
    assert platform["properties"]["parentTeamReadSlug"] == "sophia-engineering"
    environments = checkout.objects("github", f"{INDEX}/repositoryEnvironment:RepositoryEnvironment")
    assert environments["sophia-infrastructure:prod"]["properties"]["reviewers"] == [{"teams": [int(team)]}]
    (hook,) = checkout.objects("github", ORGANIZATION_HOOK).values()
    assert hook["properties"]["configuration"]["secret"].startswith("sealed:"), "a secret that was minted, and not kept"

    rules = next(
        (key, one)
        for key, one in checkout.objects("github", RULESET).items()
        if (one["properties"]["repository"], one["properties"]["name"]) == ("sophia-ai", "main")
    )
    by_hand = {**rules[1]["properties"], "enforcement": "disabled"}
    checkout.running.change_object("github", RULESET, rules[0], {"properties": by_hand})
    dev.refresh()
    repaired = dev.up(skip_preview=True)
    assert [(c.resource.name, c.operation) for c in repaired.changes] == [("sophia.main", "update")]

    settings["repositories"]["sophia"]["rulesets"]["main"]["approvals"] = 3
    settings["repositories"]["dbt"]["name"] = "sophia-models"
    settings["organization"]["webhooks"]["events"]["generation"] = 2
    checkout.configure(github=settings)
    changed = {(c.resource.kind, c.resource.name): c.operation for c in dev.up(skip_preview=True).changes}
    assert changed[("repository ruleset", "sophia.main")] == "update"
    assert changed[("repository", "dbt")] == "update", "a repository keeps its history when it is renamed"
    assert changed[("password", "webhook.events")] == "replace"
    assert changed[("organization webhook", "events")] == "update"
    assert not dev.up(skip_preview=True).has_changes

    checkout.run("health", "dev", "--platform", "github")
    rules_live = checkout.objects("github", ORGANIZATION)["sophia-sandbox"]["properties"]
    alert = {"state": "open", "secret_type": "slack_api_token", "html_url": "https://github.com/x/security/1"}
    drifted = {**rules_live, "twoFactorRequirementEnabled": False, "defaultRepositoryPermission": "write"}
    checkout.running.change_object(
        "github", ORGANIZATION, "sophia-sandbox", {"properties": {**drifted, "secretScanningAlerts": [alert]}}
    )
    (key,) = checkout.objects("github", ORGANIZATION_HOOK)
    failing = {**hook["properties"], "lastStatus": 401}
    checkout.running.change_object("github", ORGANIZATION_HOOK, key, {"properties": failing})
    done = checkout.run("health", "dev", "--json", "--platform", "github", code=1)
    (check,) = json.loads(done.stdout)["health"][0]["checks"]
    said = " | ".join(problem["said"] for problem in check["problems"])
    assert "members need no second factor" in said
    assert "every member may write every repository, and the settings say none" in said
    assert "1 secrets lie open in repositories: slack_api_token" in said
    assert "the last ping was not delivered: 401 Unauthorized" in said

    dev.destroy()
    left = {kind: objects for kind, objects in checkout.running.objects("github").objects.items() if objects}
    assert left.keys() <= {ORGANIZATION, "token"}


def test_what_somebody_made_by_hand_is_named_and_taken_over(checkout: Checkout) -> None:
    settings = {
        "teams": {"lab": {"name": "sophia-lab", "members": {"ada": "member"}}},
        "archetypes": {"service": {"teams": {"lab": "push"}, "rulesets": {"main": None}}},
        "repositories": {"lab": {"name": "sophia-lab", "archetype": "service", "archive_on_destroy": False}},
    }
    checkout.configure(github=settings)
    dev = checkout.stack()
    dev.up(skip_preview=True)
    before = {kind: set(checkout.objects("github", kind)) for kind in (REPOSITORY, TEAM)}
    node = named(checkout, REPOSITORY, "sophia-lab")[1]["properties"]["nodeId"]
    forget(checkout)

    with pytest.raises(SophiaError, match="already exists on this account"):
        dev.up(skip_preview=True)
    adopted = checkout.run("adopt", "dev", "--official", "--yes")
    assert "sophia-lab" in adopted.stdout + adopted.stderr
    dev.up(skip_preview=True)
    assert {kind: set(checkout.objects("github", kind)) for kind in (REPOSITORY, TEAM)} == before
    assert named(checkout, REPOSITORY, "sophia-lab")[1]["properties"]["nodeId"] == node, "the very same repository"
    assert not dev.up(skip_preview=True).has_changes

"""``sophia adopt``: an estate that people made by hand comes under management, and nothing of it is touched unasked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from sandbox.platforms import all_platforms
from tests.small_estate import GONG

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

AIRBYTE: dict[str, Any] = {
    "workspace": {"name": "sophia-dev"},
    "tags": {"revenue": {"name": "revenue", "color": "2E7D32"}},
    "sources": {"gong": GONG},
    "destinations": {
        "warehouse": {
            "name": "Snowflake RAW",
            "type": "snowflake",
            "configuration": {
                "host": "sophia.snowflakecomputing.com",
                "role": "LOADER",
                "warehouse": "WH",
                "database": "SOPHIA",
                "schema": "RAW",
                "username": "AIRBYTE",
            },
        }
    },
    "connections": {
        "gong-to-raw": {
            "name": "Gong calls to RAW",
            "source": "gong",
            "destination": "warehouse",
            "cron": "0 0 */6 * * ?",
            "prefix": "gong_",
            "streams": [{"name": "calls", "sync_mode": "incremental_append"}],
            "tags": ["revenue"],
        }
    },
}
OPENROUTER: dict[str, Any] = {
    "workspace": {"slug": "sophia-dev", "name": "Sophia dev", "description": "Model calls"},
    "budgets": {"monthly": 150},
    "guardrails": {
        "residents": {"name": "Resident data", "description": "Leaves no trace", "zero_data_retention": True}
    },
}
SLACK: dict[str, Any] = {
    "channels": {"alerts": {"name": "sophia-dev-alerts", "purpose": "What broke"}},
    "usergroups": {"platform": {"handle": "sophia-dev", "name": "Platform", "channels": ["alerts"]}},
}

READS = (
    "/applications/token",
    "/auth/token",
    "/oauth/token",
    "/api/graphql",
    "/emailer_campaigns/search",
    "/conversations.list",
    "/conversations.info",
    "/usergroups.list",
)
"""What a POST only reads with."""
SEEDED = {"user", "projectStatus"}
"""What a workspace of Linear has before anybody makes anything in it."""


def credentials(platform: str) -> dict[str, str]:
    return next(dict(p.credentials) for p in all_platforms() if p.name == platform)


def send(
    checkout: Checkout, platform: str, path: str, token: str | None, method: str = "POST", **body: Any
) -> dict[str, Any]:
    """What a person does by hand, with a credential of their own."""
    sent: dict[str, Any] = {"data": body} if platform == "slack" else {"json": body}
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = httpx.request(method, f"{checkout.running.url}/{platform}{path}", headers=headers, trust_env=False, **sent)
    document: dict[str, Any] = answer.raise_for_status().json()
    return document


def airbyte(checkout: Checkout, kind: str, **body: Any) -> dict[str, Any]:
    known = credentials("airbyte")
    client = {"client_id": known["AIRBYTE_CLIENT_ID"], "client_secret": known["AIRBYTE_CLIENT_SECRET"]}
    token = send(checkout, "airbyte", "/v1/applications/token", None, **client)["access_token"]
    return send(checkout, "airbyte", f"/v1/{kind}", token, **body)


def gong(checkout: Checkout, workspace: str) -> str:
    plain = AIRBYTE["sources"]["gong"]["configuration"]
    secrets = {"access_key": "made by hand", "access_key_secret": "made by hand"}
    made = airbyte(
        checkout,
        "sources",
        name="Gong",
        workspaceId=workspace,
        configuration={"sourceType": "gong", **plain, **secrets},
    )
    return str(made["sourceId"])


def make_airbyte(checkout: Checkout, color: str = "2E7D32") -> dict[str, str]:
    """A workspace with a tag, a source, a destination and a connection; their ids by the end of the resource's name."""
    workspace = airbyte(checkout, "workspaces", name="sophia-dev")["workspaceId"]
    tag = airbyte(checkout, "tags", name="revenue", color=color, workspaceId=workspace)
    source = gong(checkout, workspace)
    plain = {"destinationType": "snowflake", **AIRBYTE["destinations"]["warehouse"]["configuration"]}
    destination = airbyte(checkout, "destinations", name="Snowflake RAW", workspaceId=workspace, configuration=plain)[
        "destinationId"
    ]
    connection = airbyte(
        checkout,
        "connections",
        name="Gong calls to RAW",
        sourceId=source,
        destinationId=destination,
        schedule={"scheduleType": "cron", "cronExpression": "0 0 */6 * * ?"},
        prefix="gong_",
        nonBreakingSchemaUpdatesBehavior="propagate_columns",
        configurations={"streams": [{"name": "calls", "syncMode": "incremental_append"}]},
        tags=[tag],
    )["connectionId"]
    return {
        "airbyte:Workspace::workspace": workspace,
        "airbyte:Tag::revenue": tag["tagId"],
        "airbyte:Source::gong": source,
        "airbyte:Destination::warehouse": destination,
        "airbyte:Connection::gong-to-raw": connection,
    }


def make_openrouter(checkout: Checkout) -> dict[str, str]:
    token = credentials("openrouter")["OPENROUTER_MANAGEMENT_KEY"]
    made = send(checkout, "openrouter", "/api/v1/workspaces", token, **OPENROUTER["workspace"])
    workspace = made["data"]["id"]
    send(checkout, "openrouter", f"/api/v1/workspaces/{workspace}/budgets/monthly", token, "PUT", limit_usd=150)
    guardrail = send(
        checkout,
        "openrouter",
        "/api/v1/guardrails",
        token,
        workspace_id=workspace,
        name="Resident data",
        description="Leaves no trace",
        enforce_zdr=True,
    )["data"]["id"]
    return {
        "openrouter:Workspace::workspace": workspace,
        "openrouter:WorkspaceBudget::monthly": f"{workspace}/monthly",
        "openrouter:Guardrail::residents": guardrail,
    }


def make_channel(checkout: Checkout, name: str = "sophia-dev-alerts", purpose: str = "What broke") -> str:
    token = credentials("slack")["SLACK_BOT_TOKEN"]
    made = send(checkout, "slack", "/api/conversations.create", token, name=name)
    identifier = str(made["channel"]["id"])
    send(checkout, "slack", "/api/conversations.setPurpose", token, channel=identifier, purpose=purpose)
    return identifier


def make_slack(checkout: Checkout) -> dict[str, str]:
    token = credentials("slack")["SLACK_BOT_TOKEN"]
    channel = make_channel(checkout)
    group = send(
        checkout, "slack", "/api/usergroups.create", token, handle="sophia-dev", name="Platform", channels=channel
    )
    return {"slack:Channel::alerts": channel, "slack:UserGroup::platform": group["usergroup"]["id"]}


def known_ids(checkout: Checkout) -> dict[str, str]:
    """What the state knows, by ``platform:Type::name``."""
    prefix = "pulumi-python:dynamic/"
    return {n.removeprefix(prefix): r["id"] for n, r in checkout.resources().items() if n.startswith(prefix)}


def snowflake_ids(checkout: Checkout) -> dict[str, str]:
    """Without the grants: their ids are not for a person to know, and to grant again is to change nothing."""
    known = {name: r["id"] for name, r in checkout.resources().items() if name.startswith("snowflake:")}
    return {name: id_ for name, id_ in known.items() if ":Grant" not in name}


def writes(checkout: Checkout, mark: int) -> list[str]:
    """The requests since ``mark`` that changed something, or could have."""
    entries = checkout.running.journal(since=mark).entries
    assert entries, "the platforms were looked at"
    # Linear reads and writes at one address: what it has tells whether anything was made there.
    assert checkout.running.objects("linear").counts.keys() <= SEEDED
    entries = [entry for entry in entries if entry.platform != "linear"]
    return [f"{e.method} {e.path}" for e in entries if e.method != "GET" and not e.path.endswith(READS)]


def answered(checkout: Checkout, answer: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command with somebody who answers its questions."""
    return subprocess.run(
        [Path(sys.executable).with_name("sophia"), *arguments],
        cwd=checkout.directory,
        env={**os.environ, "NO_COLOR": "1"},
        input=answer,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_an_estate_made_by_hand_is_taken_over_by_reading_alone(checkout: Checkout) -> None:
    """Secrets and marks are not sent either: what works as it is stays as it is. What is not there is not made."""
    made = {**make_airbyte(checkout), **make_openrouter(checkout), **make_slack(checkout)}
    more = {**AIRBYTE, "tags": {**AIRBYTE["tags"], "new": {"name": "new", "color": "1565C0"}}}
    checkout.configure(airbyte=more, openrouter=OPENROUTER, slack=SLACK)
    mark = checkout.running.mark()
    adopted = checkout.run("adopt", "dev", "--yes")
    assert writes(checkout, mark) == []
    assert "Airbyte connection gong-to-raw: adopted" in adopted.stdout
    assert f"adopted {len(made)}" in adopted.stdout
    assert known_ids(checkout) == made
    rest = json.loads(checkout.run("preview", "dev", "--json").stdout)["changes"]
    assert [(c["kind"], c["name"], c["operation"]) for c in rest] == [("tag", "new", "create")]


def test_what_differs_is_shown_and_changed_only_when_asked(checkout: Checkout) -> None:
    made = make_airbyte(checkout, color="AAAAAA")
    checkout.configure(airbyte=AIRBYTE)
    mark = checkout.running.mark()
    first = checkout.run("adopt", "dev", "--yes")
    assert 'color: "AAAAAA" -> "2E7D32"' in first.stdout
    assert writes(checkout, mark) == []
    waiting = {"airbyte:Tag::revenue", "airbyte:Connection::gong-to-raw"}
    assert known_ids(checkout).keys() == made.keys() - waiting, "the connection carries the tag, and waits for it"
    mark = checkout.running.mark()
    checkout.run("adopt", "dev", "--yes", "--all")
    assert writes(checkout, mark) == [f"PATCH /v1/tags/{made['airbyte:Tag::revenue']}"]
    assert known_ids(checkout) == made
    checkout.run("preview", "dev", "--expect-no-changes")


def test_what_is_not_clear_or_not_ours_is_refused_with_the_reason(checkout: Checkout) -> None:
    """Two of a name, another stack's, a key whose value nobody can know: told, and left alone."""
    workspace = airbyte(checkout, "workspaces", name="sophia-dev")["workspaceId"]
    twins = {gong(checkout, workspace), gong(checkout, workspace)}
    foreign = make_channel(checkout, purpose="What broke (managed by sophia-ai/prod)")
    router = make_openrouter(checkout)
    token = credentials("openrouter")["OPENROUTER_MANAGEMENT_KEY"]
    inside = router["openrouter:Workspace::workspace"]
    send(checkout, "openrouter", "/api/v1/keys", token, name="Web app", workspace_id=inside, limit=40)
    checkout.configure(
        airbyte={"workspace": AIRBYTE["workspace"], "sources": AIRBYTE["sources"]},
        openrouter={**OPENROUTER, "keys": {"web": {"name": "Web app", "limit_usd": 40}}},
        slack={"channels": SLACK["channels"]},
    )
    mark = checkout.running.mark()
    looked = checkout.run("adopt", "dev", "--json", code=2)
    assert writes(checkout, mark) == []
    assert known_ids(checkout) == {}, "without --yes the document is all"
    for platform in all_platforms():
        for name in platform.secret:
            assert platform.credentials[name].replace("{stage}", "dev") not in looked.stdout + looked.stderr
    candidates = {(c["platform"], c["kind"]): c for c in json.loads(looked.stdout)["candidates"]}
    source, key = candidates["Airbyte", "source"], candidates["OpenRouter", "api key"]
    assert (source["verdict"], source["adoptable"]) == ("refused", False)
    assert all(identifier in source["reason"] for identifier in twins)
    assert (key["verdict"], "shown only" in key["reason"]) == ("refused", True)
    channel = candidates["Slack", "channel"]
    assert (channel["verdict"], channel["id"]) == ("refused", foreign)
    assert "sophia-ai/prod" in channel["reason"]
    checkout.run("adopt", "dev", "--yes")
    assert writes(checkout, mark) == []
    assert set(known_ids(checkout).values()) == {workspace, *router.values()}


def test_a_no_changes_nothing(checkout: Checkout) -> None:
    channel = make_channel(checkout)
    checkout.configure(slack={"channels": SLACK["channels"]})
    mark = checkout.running.mark()
    refused = answered(checkout, "n\n", "adopt", "dev")
    assert refused.returncode == 0, refused.stderr
    assert f"Slack channel alerts  {channel}" in refused.stdout
    nobody = checkout.run("adopt", "dev", code=3)
    assert "--yes" in nobody.stderr
    assert "Traceback" not in nobody.stderr
    assert writes(checkout, mark) == []
    assert known_ids(checkout) == {}
    agreed = answered(checkout, "y\n", "adopt", "dev")
    assert "adopted 1" in agreed.stdout
    assert list(known_ids(checkout).values()) == [channel]


def test_a_platform_that_does_not_answer_does_not_hide_the_others(checkout: Checkout) -> None:
    channel = make_channel(checkout)
    checkout.configure(
        variables={"AIRBYTE_SERVER_URL": "http://127.0.0.1:9/v1"},
        airbyte={"workspace": AIRBYTE["workspace"]},
        slack={"channels": SLACK["channels"]},
    )
    failed = checkout.run("adopt", "dev", "--yes", code=6, SOPHIA_PATIENCE_SECONDS="0")
    assert "127.0.0.1:9" in failed.stderr
    assert "not looked at: 1 of Airbyte" in failed.stdout
    assert "adopted 1" in failed.stdout
    assert list(known_ids(checkout).values()) == [channel]


def test_what_is_refused_says_what_to_type(checkout: Checkout) -> None:
    make_channel(checkout)
    checkout.configure(slack={"channels": SLACK["channels"]})
    refused = checkout.run("up", "dev", "--skip-preview", code=1)
    assert "`sophia adopt dev`" in refused.stderr
    misspelt = checkout.run("adopt", "dev", "--platform", "slak", code=3)
    assert 'did you mean "slack"?' in misspelt.stderr


def test_an_estate_made_by_hand_becomes_settings_and_then_nothing_is_left_to_do(checkout: Checkout) -> None:
    """What exists comes into the stack file and into the state by reading alone; the preview is empty afterwards."""
    made = {**make_openrouter(checkout), **make_slack(checkout)}
    checkout.configure()
    looked = json.loads(checkout.run("adopt", "dev", "--write-settings", "--json").stdout)
    assert {w["platform"]: (bool(w["added"]), w["written"]) for w in looked["written"]}["slack"] == (True, False)
    assert checkout.settings() == {}, "--json without --yes changes nothing"
    mark = checkout.running.mark()
    adopted = checkout.run(
        "adopt", "dev", "--write-settings", "--platform", "openrouter", "--platform", "slack", "--yes"
    )
    assert writes(checkout, mark) == []
    assert "slack.channels.sophia-dev-alerts" in adopted.stdout
    assert set(known_ids(checkout).values()) == set(made.values())
    assert checkout.settings()["openrouter"]["workspace"]["slug"] == "sophia-dev"
    checkout.run("preview", "dev", "--expect-no-changes")


def test_the_official_packages_are_asked_by_imports_that_change_nothing(checkout: Checkout) -> None:
    """A state that was lost: what is as the settings say comes back by reading, what differs is shown."""
    settings = {
        "account": {"name": "ZNB04675"},
        "database": {"name": "SOPHIA_AI_DEV", "retention_days": 1, "comment": "By hand"},
        "schemas": {"raw": {"name": "RAW", "comment": "As it comes"}},
        "warehouses": {"main": {"name": "SOPHIA_AI_DEV_WH", "size": "XSMALL", "auto_suspend_seconds": 60}},
    }
    checkout.configure(snowflake=settings)
    dev = checkout.stack()
    dev.up(skip_preview=True)
    made = snowflake_ids(checkout)
    state = dev.state()
    assert state
    emptied = {**state.document, "deployment": {**state.document["deployment"], "resources": []}}
    (checkout.directory / "empty.json").write_text(json.dumps(emptied))
    command = ["stack", "import", "--file", "empty.json", "--stack", dev.full_name]
    assert checkout.command.execute(command, checkout.directory, {**os.environ, **dev.target.environment}).code == 0

    settings["schemas"] = {"raw": {"name": "RAW", "comment": "Otherwise"}, "core": {"name": "CORE"}}
    checkout.configure(snowflake=settings)
    mark = checkout.running.mark()
    adopted = checkout.run("adopt", "dev", "--official", "--yes")
    methods = {entry.method for entry in checkout.running.journal(since=mark, platforms=["snowflake"]).entries}
    assert methods.isdisjoint({"Create", "Update", "Delete"})
    assert 'comment: "As it comes" -> "Otherwise"' in adopted.stdout
    assert snowflake_ids(checkout) == {name: id_ for name, id_ in made.items() if not name.endswith("Schema::raw")}
    assert not dev.preview().updates, "what was taken over is as the settings want it"

"""The Slack emulator against the vendor's specification and the vendor's Python SDK."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from sandbox.slack import PLATFORM
from sandbox.slack.access import TEAM, WORKSPACE
from sandbox.slack.tooling import FIRST
from tests.contract.slack_calls import MANIFEST, SPEC, Invoke, method

ADA, GRACE = "U0SANDUSR2", "U0SANDUSR3"


@pytest.fixture
def emulator(serve: Callable[[Any], Any]) -> Any:
    return serve(PLATFORM)


@pytest.fixture
def client(emulator: Any) -> Iterator[httpx.Client]:
    with emulator.client() as opened:
        yield opened


@pytest.fixture
def slack(client: httpx.Client, emulator: Any) -> Invoke:
    return method(client, emulator.credentials["SLACK_BOT_TOKEN"])


@pytest.fixture
def person(client: httpx.Client, emulator: Any) -> Invoke:
    return method(client, emulator.credentials["SLACK_USER_TOKEN"])


@pytest.fixture
def manifests(client: httpx.Client, emulator: Any) -> Invoke:
    return method(client, emulator.credentials["SLACK_CONFIG_TOKEN"])


def test_every_method_answers_as_the_specification_says(
    emulator: Any, client: httpx.Client, slack: Invoke, spec: Callable[[str], Any]
) -> None:
    specification = spec(SPEC)
    token = emulator.credentials["SLACK_BOT_TOKEN"]

    def checked(verb: str, name: str, /, **arguments: str) -> dict[str, Any]:
        payload: dict[str, Any] = {"params": arguments} if verb == "GET" else {"data": arguments}
        response = client.request(verb, f"/api/{name}", headers={"Authorization": f"Bearer {token}"}, **payload)
        answered: dict[str, Any] = response.json()
        assert answered["ok"], answered
        specification.check(verb, str(response.request.url), 200, arguments if verb == "POST" else None, answered)
        return answered

    checked("GET", "auth.test")
    checked("GET", "users.list", limit="2")
    checked("GET", "users.info", user=ADA)
    channel = checked("POST", "conversations.create", name="deals", is_private="false")["channel"]["id"]
    checked("POST", "conversations.rename", channel=channel, name="deals-won")
    checked("POST", "conversations.setTopic", channel=channel, topic="Closed deals")
    checked("POST", "conversations.setPurpose", channel=channel, purpose="Celebrate")
    checked("POST", "conversations.invite", channel=channel, users=f"{ADA},{GRACE}")
    checked("POST", "conversations.kick", channel=channel, user=GRACE)
    checked("GET", "conversations.info", channel=channel, include_num_members="true")
    checked("GET", "conversations.list", types="public_channel,private_channel", limit="1")
    checked("GET", "conversations.members", channel=channel)
    checked("POST", "chat.postMessage", channel=channel, text="Hello")
    group = checked("POST", "usergroups.create", name="On call", channels=channel)["usergroup"]["id"]
    checked("POST", "usergroups.update", usergroup=group, description="Whoever is awake", include_count="true")
    checked("POST", "usergroups.users.update", usergroup=group, users=ADA)
    checked("GET", "usergroups.users.list", usergroup=group)
    checked("GET", "usergroups.list", include_users="true", include_count="true")
    checked("POST", "usergroups.disable", usergroup=group)
    checked("POST", "usergroups.enable", usergroup=group)
    checked("POST", "conversations.archive", channel=channel)


def test_refusals_are_in_the_specifications_words(slack: Invoke, spec: Callable[[str], Any]) -> None:
    specification = spec(SPEC)
    slack("conversations.create", name="deals")
    for name, code in {
        "deals": "name_taken",
        "": "invalid_name_required",
        "Deals": "invalid_name_specials",
        "won deals": "invalid_name_specials",
        "a" * 81: "invalid_name_maxlength",
        "--": "invalid_name_punctuation",
    }.items():
        answered = slack("conversations.create", name=name)
        assert answered == {"ok": False, "error": code}
        specification.check("POST", "/api/conversations.create", 200, {"name": name}, answered)


def test_a_fault_has_slacks_words_and_says_when_to_come_back() -> None:
    failed = PLATFORM.failure(429, "slow down")
    assert (failed.status_code, failed.headers["Retry-After"]) == (429, "1")
    assert json.loads(bytes(failed.body))["error"] == "ratelimited"


def test_an_archived_channel_keeps_its_name(slack: Invoke) -> None:
    channel = slack("conversations.create", name="deals")["channel"]["id"]
    assert slack("conversations.archive", channel=channel)["ok"]
    assert slack("conversations.archive", channel=channel)["error"] == "already_archived"
    assert slack("conversations.create", name="deals")["error"] == "name_taken"
    assert slack("conversations.setTopic", channel=channel, topic="x")["error"] == "is_archived"
    assert slack("conversations.list", exclude_archived="true")["channels"] == []
    assert slack("conversations.list")["channels"][0]["is_archived"]


def test_a_bot_cannot_unarchive_but_a_person_can(slack: Invoke, person: Invoke) -> None:
    channel = slack("conversations.create", name="deals")["channel"]["id"]
    slack("conversations.archive", channel=channel)
    assert slack("conversations.unarchive", channel=channel)["error"] == "not_in_channel"
    assert person("conversations.unarchive", channel=channel)["ok"]
    assert person("conversations.unarchive", channel=channel)["error"] == "not_archived"
    assert slack("conversations.setTopic", channel=channel, topic="x")["error"] == "not_in_channel"
    assert slack("conversations.join", channel=channel)["channel"]["is_member"]
    assert slack("conversations.setTopic", channel=channel, topic="x")["ok"]


def test_a_private_channel_is_seen_by_its_members_only(slack: Invoke, person: Invoke) -> None:
    channel = slack("conversations.create", name="board", is_private="true")["channel"]["id"]
    assert slack("conversations.list")["channels"] == []
    assert len(slack("conversations.list", types="private_channel")["channels"]) == 1
    assert person("conversations.list", types="private_channel")["channels"] == []
    assert person("conversations.info", channel=channel)["error"] == "channel_not_found"
    slack("conversations.invite", channel=channel, users="U0SANDUSR1")
    assert person("conversations.info", channel=channel)["channel"]["is_private"]


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("conversations.info", {"channel": "C0NOTTHERE1"}, "channel_not_found"),
        ("conversations.list", {"types": "secret_channel"}, "invalid_types"),
        ("conversations.list", {"limit": "1001"}, "invalid_limit"),
        ("conversations.list", {"cursor": "!"}, "invalid_cursor"),
        ("users.info", {"user": "U0NOTTHERE1"}, "user_not_found"),
        ("usergroups.update", {"usergroup": "S0NOTTHERE1", "name": "x"}, "no_such_subteam"),
        ("usergroups.create", {"name": "x", "channels": "C0NOTTHERE1"}, "channel_not_found"),
        ("usergroups.create", {}, "invalid_arguments"),
        ("chat.postMessage", {"channel": "#nowhere", "text": "x"}, "channel_not_found"),
    ],
)
def test_what_is_not_there_is_refused(slack: Invoke, name: str, arguments: dict[str, str], code: str) -> None:
    assert slack(name, **arguments)["error"] == code


def test_a_refused_call_changes_nothing(slack: Invoke) -> None:
    channel = slack("conversations.create", name="deals")["channel"]["id"]
    assert slack("conversations.setTopic", channel=channel, topic="x" * 251)["error"] == "too_long"
    assert slack("conversations.invite", channel=channel, users=f"{ADA},U0NOTTHERE1")["error"] == "user_not_found"
    assert slack("conversations.members", channel=channel)["members"] == ["U0SANDBOT1"]


def test_lists_are_paged_by_cursor(slack: Invoke) -> None:
    names = [f"channel-{number}" for number in range(5)]
    for name in names:
        slack("conversations.create", name=name)
    seen, cursor = [], ""
    while True:
        page = slack("conversations.list", limit="2", cursor=cursor)
        seen += [channel["name"] for channel in page["channels"]]
        cursor = page["response_metadata"]["next_cursor"]
        if not cursor:
            break
    assert seen == names


def test_a_handle_is_nobody_elses(slack: Invoke) -> None:
    slack("conversations.create", name="deals")
    group = slack("usergroups.create", name="Sales", handle="sales")["usergroup"]["id"]
    slack("usergroups.disable", usergroup=group)
    assert slack("usergroups.create", name="Sales", handle="other")["error"] == "name_already_exists"
    for handle in ("sales", "deals", "ada"):
        assert slack("usergroups.create", name="Another", handle=handle)["error"] == "handle_already_exists"
    assert slack("usergroups.list")["usergroups"] == []
    listed = slack("usergroups.list", include_disabled="true")["usergroups"]
    assert [found["id"] for found in listed] == [group]
    assert slack("usergroups.enable", usergroup=group)["usergroup"]["date_delete"] == 0


def test_the_members_of_a_group_are_replaced_and_never_none(slack: Invoke) -> None:
    group = slack("usergroups.create", name="Sales")["usergroup"]["id"]
    slack("usergroups.users.update", usergroup=group, users=f"{ADA},{GRACE}")
    slack("usergroups.users.update", usergroup=group, users=GRACE)
    assert slack("usergroups.users.list", usergroup=group)["users"] == [GRACE]
    assert slack("usergroups.users.update", usergroup=group, users="")["error"] == "no_users_provided"
    assert slack("usergroups.users.update", usergroup=group, users="U0NOTTHERE1")["error"] == "invalid_users"


def test_each_kind_of_token_does_its_own_work(client: httpx.Client, slack: Invoke, manifests: Invoke) -> None:
    assert manifests("conversations.create", name="deals")["error"] == "not_allowed_token_type"
    assert slack("apps.manifest.validate", manifest=json.dumps(MANIFEST))["error"] == "not_allowed_token_type"
    assert client.post("/api/auth.test").json()["error"] == "not_authed"
    assert client.post("/api/auth.test", data={"token": "xoxb-wrong"}).json()["error"] == "invalid_auth"
    scopes = client.post("/api/auth.test", data={"token": "xoxb-sandbox-bot-token"}).headers["X-OAuth-Scopes"]
    assert "channels:manage" in scopes.split(",")


def test_arguments_may_be_json(client: httpx.Client, emulator: Any) -> None:
    headers = {"Authorization": f"Bearer {emulator.credentials['SLACK_BOT_TOKEN']}"}
    channel = client.post("/api/conversations.create", json={"name": "board", "is_private": True}, headers=headers)
    assert channel.json()["channel"]["is_private"]
    broken = client.post(
        "/api/conversations.create", content=b"{", headers=headers | {"Content-Type": "application/json"}
    )
    assert broken.json()["error"] == "invalid_json"


def test_the_vendors_sdk_manages_channels_groups_and_apps(emulator: Any) -> None:
    address = emulator.credentials["SLACK_API_URL"] + "/"
    web = WebClient(emulator.credentials["SLACK_BOT_TOKEN"], base_url=address)
    assert web.auth_test()["team"] == "Sandbox"
    channel = web.conversations_create(name="deals", is_private=False)["channel"]["id"]
    web.conversations_setTopic(channel=channel, topic="Won")
    assert web.conversations_info(channel=channel)["channel"]["topic"]["value"] == "Won"
    web.conversations_invite(channel=channel, users=[ADA])
    pages = list(web.conversations_list(limit=1))
    assert [found["id"] for page in pages for found in page["channels"]] == [channel]
    group = web.usergroups_create(name="Sales", handle="sales", channels=[channel])["usergroup"]["id"]
    web.usergroups_users_update(usergroup=group, users=[ADA, GRACE])
    assert web.usergroups_users_list(usergroup=group)["users"] == [ADA, GRACE]
    assert web.users_lookupByEmail(email="ada@payready.com")["user"]["id"] == ADA
    with pytest.raises(SlackApiError, match="users_not_found"):
        web.users_lookupByEmail(email="nobody@payready.com")
    bookmark = web.bookmarks_add(channel_id=channel, title="Docs", type="link", link="https://example.com")["bookmark"]
    web.bookmarks_edit(channel_id=channel, bookmark_id=bookmark["id"], title="Documents")
    assert [found["title"] for found in web.bookmarks_list(channel_id=channel)["bookmarks"]] == ["Documents"]
    web.bookmarks_remove(channel_id=channel, bookmark_id=bookmark["id"])
    with pytest.raises(SlackApiError, match="not_found"):
        web.bookmarks_remove(channel_id=channel, bookmark_id=bookmark["id"])
    web.usergroups_disable(usergroup=group)
    web.conversations_archive(channel=channel)
    with pytest.raises(SlackApiError, match="name_taken"):
        web.conversations_create(name="deals")

    apps = WebClient(emulator.credentials["SLACK_CONFIG_TOKEN"], base_url=address)
    app = apps.apps_manifest_create(manifest=MANIFEST)["app_id"]
    apps.apps_manifest_update(app_id=app, manifest=MANIFEST)
    assert apps.apps_manifest_export(app_id=app)["manifest"]["display_information"]["name"] == "Sophia"
    apps.apps_manifest_delete(app_id=app)


def test_a_refresh_token_serves_a_single_time(emulator: Any, client: httpx.Client) -> None:
    web = WebClient(base_url=emulator.credentials["SLACK_API_URL"] + "/")
    rotated = web.tooling_tokens_rotate(refresh_token=FIRST)
    assert rotated["exp"] - rotated["iat"] == 12 * 60 * 60
    with pytest.raises(SlackApiError, match="invalid_refresh_token"):
        web.tooling_tokens_rotate(refresh_token=FIRST)
    assert method(client, rotated["token"])("apps.manifest.validate", manifest=json.dumps(MANIFEST))["ok"]
    web.tooling_tokens_rotate(refresh_token=rotated["refresh_token"])


def test_a_token_without_the_scope_is_told_what_it_has_and_what_it_needs(emulator: Any, slack: Invoke) -> None:
    emulator.app.state.stores("slack").put(WORKSPACE, TEAM, {"bot_scopes": ["chat:write"]})
    refused = slack("users.lookupByEmail", email="ada@payready.com")
    assert refused == {"ok": False, "error": "missing_scope", "needed": "users:read.email", "provided": "chat:write"}


def test_the_channel_that_everybody_is_in_stays(emulator: Any, slack: Invoke) -> None:
    channel = slack("conversations.create", name="general")["channel"]["id"]
    store = emulator.app.state.stores("slack")
    store.put("channel", channel, store.get("channel", channel) | {"is_general": True})
    assert slack("conversations.archive", channel=channel)["error"] == "cant_archive_general"

"""Our provider of Slack against the emulator, what the vendor's specification has of the exchange held against it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from providers import slack
from sandbox.receiver import Failing
from sandbox.slack import PLATFORM
from sandbox.slack.access import BOT, PERSON, TEAM, WORKSPACE
from tests.contract.driven import new_run, unchanged, without_waiting
from tests.unit.base_platform import Engine

SPEC = "slack/slack_web_openapi_v2.json"
SCHEMA = "slack/slack_app_manifest.schema.json"
ADA, GRACE = "U0SANDUSR2", "U0SANDUSR3"
YOUNGER = ("/api/apps.manifest.", "/api/bookmarks.", "/api/tooling.")
"""Methods that are younger than the specification; manifests are held against their own schema instead."""
MANIFEST: dict[str, Any] = {
    "display_information": {"name": "Sophia"},
    "features": {"bot_user": {"display_name": "sophia"}},
    "oauth_config": {"scopes": {"bot": ["chat:write", "app_mentions:read"]}},
    "settings": {"event_subscriptions": {"request_url": "https://example.com/e", "bot_events": ["app_mention"]}},
}


class Workspace:
    """The emulator, looked at from outside."""

    def __init__(self, emulator: Any, client: httpx.Client) -> None:
        self.emulator, self.client = emulator, client

    @property
    def store(self) -> Any:
        return self.emulator.app.state.stores("slack")

    def all(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.store.all(kind)
        return found

    def change(self, kind: str, key: str, **members: Any) -> None:
        self.store.put(kind, key, (self.store.get(kind, key) or {}) | members)

    def call(self, name: str, token: str = "SLACK_BOT_TOKEN", /, **arguments: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.emulator.credentials[token]}"}
        document: dict[str, Any] = self.client.post(f"/api/{name}", data=arguments, headers=headers).json()
        return document


@pytest.fixture
def workspace(
    serve: Callable[[Any], Any], spec: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Workspace]:
    emulator = serve(PLATFORM)
    without_waiting(monkeypatch, emulator.credentials)
    with ExitStack() as clients:
        client = clients.enter_context(emulator.client(spec(SPEC)))
        (check,) = client.event_hooks["response"]

        def checked(response: httpx.Response) -> None:
            path = response.request.url.path.removeprefix("/slack")
            if not path.startswith(YOUNGER):
                check(response)

        client.event_hooks, client.base_url = {"response": [checked]}, ""
        monkeypatch.setitem(slack.SLACK.__dict__, "client", client)
        monkeypatch.setitem(slack.SLACK.__dict__, "_paces", {})
        yield Workspace(emulator, clients.enter_context(emulator.client()))


def test_members_are_invited_and_only_an_exact_list_removes_anybody(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = unchanged(slack.Channel, {"name": "incidents"}, monkeypatch).id
    group = unchanged(slack.UserGroup, {"handle": "platform", "name": "Platform"}, monkeypatch).id
    unchanged(slack.UserGroupMembers, {"usergroup": group, "people": ["Ada@payready.com"]}, monkeypatch)
    wanted = {"channel": channel, "people": ["grace@payready.com"], "usergroups": [group]}
    state = unchanged(slack.ChannelMembers, wanted, monkeypatch)
    assert set(workspace.all("channel")[0]["members"]) == {BOT, ADA, GRACE}

    workspace.call("conversations.join", "SLACK_USER_TOKEN", channel=channel)
    engine = Engine(slack.ChannelMembers)
    assert engine.read(state).inputs == state.inputs  # type: ignore[union-attr] # it is there
    exact = engine.update(state, **wanted, exact=True)
    assert set(workspace.all("channel")[0]["members"]) == {BOT, ADA, GRACE}
    workspace.call("conversations.join", "SLACK_USER_TOKEN", channel=channel)
    workspace.call("conversations.kick", channel=channel, user=ADA)
    seen = engine.read(exact)
    assert seen
    assert seen.inputs["people"] == ["administrator@payready.com", "grace@payready.com"], "who should not be there"
    assert seen.inputs.get("usergroups", []) == [], "a group is there when all of it is"
    engine.delete(exact)
    assert GRACE in workspace.all("channel")[0]["members"], "people stay"


def test_a_group_keeps_who_joined_unless_its_list_is_exact(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = unchanged(slack.UserGroup, {"handle": "platform", "name": "Platform"}, monkeypatch).id
    workspace.call("usergroups.users.update", usergroup=group, users=GRACE)
    state = unchanged(slack.UserGroupMembers, {"usergroup": group, "people": ["ada@payready.com"]}, monkeypatch)
    assert workspace.all("usergroup")[0]["users"] == [ADA, GRACE]
    Engine(slack.UserGroupMembers).update(state, usergroup=group, people=["ada@payready.com"], exact=True)
    assert workspace.all("usergroup")[0]["users"] == [ADA]


def test_an_address_that_nobody_has_is_named(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    channel = unchanged(slack.Channel, {"name": "incidents"}, monkeypatch).id
    told = str(Engine(slack.ChannelMembers).failing_create(channel=channel, people=["nobody@payready.com"]))
    assert "nobody in the workspace has the address nobody@payready.com" in told
    assert "invite them to the workspace" in told
    assert workspace.all("channel")[0]["members"] == [BOT]


def test_a_bookmark_is_known_by_its_title(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    channel = workspace.call("conversations.create", name="incidents")["channel"]["id"]
    given = {"channel_id": channel, "title": "Runbook", "link": "https://payready.com/a", "emoji": ":books:"}
    state = unchanged(slack.Bookmark, given, monkeypatch)
    engine = Engine(slack.Bookmark)
    updated = engine.update(state, channel_id=channel, title="Runbook", link="https://payready.com/b")
    (bookmark,) = workspace.all("bookmark")
    assert (bookmark["link"], bookmark["emoji"]) == ("https://payready.com/b", "")
    new_run(monkeypatch)
    assert f"exists already ({channel}/Runbook)" in str(Engine(slack.Bookmark, "other").failing_create(**given))
    engine.delete(updated)
    assert workspace.all("bookmark") == []
    engine.delete(updated)


def test_a_channel_is_renamed_in_place_by_a_bot_that_was_thrown_out(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = unchanged(slack.Channel, {"name": "deals", "purpose": "Won"}, monkeypatch)
    workspace.change("channel", state.id, members=[PERSON])
    Engine(slack.Channel).update(state, name="deals-won", purpose="Won")
    (channel,) = workspace.all("channel")
    assert (channel["id"], channel["name"], channel["previous_names"]) == (state.id, "deals-won", ["deals"])
    assert BOT in channel["members"]


def test_a_private_channel_comes_back_by_a_person_and_by_nobody_else(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, given = Engine(slack.Channel), {"name": "board", "is_private": True, "purpose": "Talk"}
    state = engine.create(**given)
    engine.delete(state)
    assert workspace.all("channel")[0]["members"] == [PERSON], "somebody must be able to bring it back"
    new_run(monkeypatch)
    token = workspace.emulator.credentials["SLACK_USER_TOKEN"]
    monkeypatch.setenv("SLACK_USER_TOKEN", "")
    told = str(engine.failing_create(**given))
    assert "name_taken" in told
    assert "a channel that the bot cannot see has that name" in told
    monkeypatch.setenv("SLACK_USER_TOKEN", token)
    new_run(monkeypatch)
    assert engine.create(**given).id == state.id
    assert set(workspace.all("channel")[0]["members"]) == {PERSON, BOT}


def test_a_private_channel_of_somebody_elses_is_left_archived(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    created = workspace.call("conversations.create", "SLACK_USER_TOKEN", name="board", is_private="true")["channel"]
    workspace.call("conversations.archive", "SLACK_USER_TOKEN", channel=created["id"])
    new_run(monkeypatch)
    told = str(Engine(slack.Channel).failing_create(name="board", is_private=True))
    assert "name_taken" in told
    assert workspace.all("channel")[0]["is_archived"]


def test_a_channel_that_others_share_is_not_archived(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    state = unchanged(slack.Channel, {"name": "partners"}, monkeypatch)
    workspace.change("channel", state.id, is_shared=True, is_ext_shared=True)
    with pytest.raises(Exception, match="shared with another organisation") as refused:
        Engine(slack.Channel).delete(state)
    assert "stop sharing it" in str(refused.value)
    assert not workspace.all("channel")[0]["is_archived"]


def test_what_the_owners_keep_to_themselves_and_what_no_scope_allows_is_said(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.change(WORKSPACE, TEAM, restricted=["conversations.create"])
    assert "restricted_action" in str(Engine(slack.Channel).failing_create(name="deals"))
    workspace.change(WORKSPACE, TEAM, restricted=[], bot_scopes=["channels:read"])
    new_run(monkeypatch)
    assert "needs the scope channels:manage" in str(Engine(slack.Channel).failing_create(name="deals"))


def test_a_manifest_reads_back_as_it_was_written_and_shows_what_was_added(
    workspace: Workspace, spec: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    state = unchanged(slack.App, {"manifest": MANIFEST}, monkeypatch)
    (app,) = workspace.all("app")
    spec(SCHEMA).check_document(app["manifest"])
    wider = json.loads(json.dumps(app["manifest"]))
    wider["oauth_config"]["scopes"]["user"] = ["search:read"]
    workspace.change("app", app["id"], manifest=wider)
    new_run(monkeypatch)
    seen = Engine(slack.App).read(state)
    assert seen
    assert Engine(slack.App).changed(seen, manifest=MANIFEST) == ["manifest"], "somebody let it search as a person"


def test_other_scopes_need_the_click_again(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    state = unchanged(slack.App, {"manifest": MANIFEST}, monkeypatch)
    wider = {**MANIFEST, "oauth_config": {"scopes": {"bot": ["app_mentions:read", "chat:write", "reactions:read"]}}}
    with caplog.at_level(logging.WARNING):
        updated = Engine(slack.App).update(state, manifest=wider)
    assert "scopes have changed" in caplog.text
    assert updated.outputs["oauth_authorize_url"] in caplog.text
    assert "reactions%3Aread" in updated.outputs["oauth_authorize_url"]
    assert workspace.all("app")[0]["manifest"]["oauth_config"]["scopes"]["bot"][-1] == "reactions:read"


@pytest.mark.parametrize("outcome", ["status", "unreachable", "no-echo"])
def test_a_request_url_that_does_not_answer_the_challenge_is_refused(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, outcome: Any
) -> None:
    del monkeypatch
    receiver = workspace.emulator.app.state.receiver
    receiver.fail(Failing(address="https://example.com/*", outcome=outcome))
    told = str(Engine(slack.App).failing_create(manifest=MANIFEST))
    assert "/settings/event_subscriptions/request_url" in told
    assert "challenge" in told
    assert workspace.all("app") == []
    receiver.restore()
    Engine(slack.App).create(manifest=MANIFEST)
    delivered = receiver.deliveries()[-1]
    assert delivered["body"]["type"] == "url_verification"
    assert "x-slack-signature" in delivered["headers"]


def test_an_app_is_rehearsed_by_slack_itself(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOPHIA_REHEARSE", "1")
    named = {**MANIFEST, "features": {"bot_user": {"display_name": "so phia"}}}
    with pytest.raises(Exception, match="/features/bot_user/display_name"):
        Engine(slack.App).check(manifest=named)
    assert Engine(slack.App).check(manifest=MANIFEST)[1] == {}
    assert workspace.all("app") == []


def test_an_existing_app_is_known_by_its_id_only(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    text = json.dumps({"display_information": {"name": "By hand"}})
    app = workspace.call("apps.manifest.create", "SLACK_CONFIG_TOKEN", manifest=text)["app_id"]
    state = unchanged(slack.ExistingApp, {"app_id": app, "manifest": MANIFEST, "adopt": True}, monkeypatch)
    assert workspace.all("app")[0]["manifest"]["display_information"]["name"] == "Sophia"
    Engine(slack.ExistingApp).delete(state)
    assert workspace.all("app")
    told = str(Engine(slack.ExistingApp).failing_create(app_id="A0NOTTHERE1", manifest=MANIFEST, adopt=True))
    assert "there is no app A0NOTTHERE1" in told
    assert "collaborator" in told


def test_limits_that_are_imposed_are_waited_for(workspace: Workspace) -> None:
    workspace.change(WORKSPACE, TEAM, rate_limits=True)
    headers = {"Authorization": f"Bearer {workspace.emulator.credentials['SLACK_BOT_TOKEN']}"}
    answers = [workspace.client.post("/api/usergroups.list", headers=headers) for _ in range(21)]
    assert [answer.status_code for answer in answers[-2:]] == [200, 429]
    assert answers[-1].json()["error"] == "ratelimited"
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60

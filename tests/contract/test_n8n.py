"""The n8n emulator against n8n's own description of its API, and what n8n refuses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from sandbox.http import digest
from sandbox.n8n import PLATFORM
from sandbox.n8n.access import api_key

SPEC = "n8n/n8n_public_api_openapi.yml"
NODE: dict[str, Any] = {
    "name": "Hour",
    "type": "n8n-nodes-base.scheduleTrigger",
    "typeVersion": 1.2,
    "position": [0, 0],
    "parameters": {},
}
WORKFLOW: dict[str, Any] = {"name": "Hourly", "nodes": [NODE], "connections": {}, "settings": {}}


@pytest.fixture
def emulator(serve: Callable[[Any], Any]) -> Any:
    return serve(PLATFORM)


@pytest.fixture
def api(emulator: Any, spec: Callable[[str], Any]) -> Iterator[httpx.Client]:
    """The instance of stage dev."""
    described = spec(SPEC)
    with httpx.Client(base_url=f"{emulator.url}/api/v1", headers={"X-N8N-API-KEY": api_key("dev")}) as client:

        def held(response: httpx.Response) -> None:
            response.read()
            if response.is_success and response.content:
                path = str(response.request.url).removeprefix(f"{emulator.url}/api/v1")
                sent = json.loads(response.request.content) if response.request.content else None
                described.check(response.request.method, path, response.status_code, sent, response.json())

        client.event_hooks = {"response": [held]}
        yield client


def test_what_n8n_sets_itself_is_refused_in_a_body(api: httpx.Client) -> None:
    made = api.post("/workflows", json=WORKFLOW).raise_for_status().json()
    whole = api.get(f"/workflows/{made['id']}").json()
    refused = api.put(f"/workflows/{made['id']}", json=whole)
    assert refused.status_code == 400
    assert refused.json() == {"message": "request/body must NOT have additional properties"}


def test_lists_come_in_pages(api: httpx.Client) -> None:
    for number in range(5):
        api.post("/tags", json={"name": f"tag-{number}"}).raise_for_status()
    names: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = api.get("/tags", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        names += [tag["name"] for tag in page["data"]]
        cursor = page["nextCursor"]
    assert names == [f"tag-{number}" for number in range(5)]
    assert api.get("/tags", params={"cursor": "not-one"}).status_code == 400


def test_a_tag_has_its_name_for_itself(api: httpx.Client) -> None:
    api.post("/tags", json={"name": "sales"}).raise_for_status()
    assert api.post("/tags", json={"name": "sales"}).status_code == 409


def test_a_key_does_what_its_scopes_say_in_its_own_instance(api: httpx.Client, emulator: Any) -> None:
    made = api.post("/workflows", json=WORKFLOW).raise_for_status().json()
    staging = {"X-N8N-API-KEY": api_key("staging")}
    assert api.get(f"/workflows/{made['id']}", headers=staging).status_code == 404
    store = emulator.app.state.stores("n8n")
    store.put("key", digest("reader"), {"stage": "dev", "scopes": ["workflow:list"]})
    reader = {"X-N8N-API-KEY": "reader"}
    assert api.get("/workflows", headers=reader).status_code == 200
    assert api.post("/workflows", json=WORKFLOW, headers=reader).status_code == 403
    assert api.get("/workflows", headers={"X-N8N-API-KEY": "nobody's"}).status_code == 401


def test_an_archived_workflow_is_neither_changed_nor_published(api: httpx.Client) -> None:
    item = f"/workflows/{api.post('/workflows', json=WORKFLOW).json()['id']}"
    api.post(f"{item}/publish").raise_for_status()
    assert api.post(f"{item}/archive").json()["active"] is False
    assert api.post(f"{item}/archive").status_code == 200, "twice is as once"
    assert api.put(item, json=WORKFLOW).status_code == 400
    assert api.post(f"{item}/publish").status_code == 400
    assert api.post(f"{item}/unarchive").json()["isArchived"] is False


def test_a_draft_does_not_run_until_it_is_published(api: httpx.Client) -> None:
    item = f"/workflows/{api.post('/workflows', json=WORKFLOW).json()['id']}"
    api.post(f"{item}/publish").raise_for_status()
    draft = api.put(item, json={**WORKFLOW, "name": "Later"}, params={"publishIfActive": "false"}).json()
    assert draft["activeVersionId"] != draft["versionId"]
    assert api.put(item, json=WORKFLOW).json()["activeVersionId"] == api.get(item).json()["versionId"]


def test_a_credential_is_never_shown_again(api: httpx.Client) -> None:
    sent = {"name": "Slack", "type": "slackApi", "data": {"accessToken": "xoxb-of-a-test"}}
    made = api.post("/credentials", json=sent).raise_for_status()
    shown = made.text + api.get("/credentials").text + api.get(f"/credentials/{made.json()['id']}").text
    assert "xoxb-of-a-test" not in shown
    assert api.post("/credentials", json={**sent, "data": {"token": "x"}}).status_code == 400
    assert api.get("/credentials/schema/slackApi").json()["required"] == ["accessToken"]


def test_a_credential_has_the_secret_of_the_way_that_it_chooses(api: httpx.Client) -> None:
    def made(**data: str) -> int:
        sent = {"name": "Snowflake", "type": "snowflake", "data": {"account": "pay-ready", **data}}
        return api.post("/credentials", json=sent).status_code

    assert made(authentication="keyPair", privateKey="of a test") == 200
    assert made(authentication="keyPair") == 400
    assert made(authentication="keyPair", privateKey="of a test", password="too") == 400
    assert made(authentication="oauth", privateKey="of a test") == 400

"""The emulator of Apollo, held against Apollo's own description of its API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from sandbox.apollo import PLATFORM, access
from sandbox.http import digest
from tests.contract.apollo_specification import NAME, relaxed

EMAIL: dict[str, Any] = {
    "type": "auto_email",
    "wait_time": 0,
    "wait_mode": "minute",
    "emailer_touches": [{"type": "new_thread", "emailer_template": {"subject": "Hello", "body_html": "<p>Hello</p>"}}],
}
PICKLIST = f"account.{access.id_of('dev', 'field', 0)}"
TASK: dict[str, Any] = {"type": "action_item", "wait_time": 1, "wait_mode": "day", "note": "Look at it"}


@pytest.fixture
def emulator(serve: Callable[[Any], Any]) -> Any:
    return serve(PLATFORM)


@pytest.fixture
def apollo(emulator: Any, spec: Callable[[str], Any]) -> Iterator[httpx.Client]:
    """A client every one of whose exchanges fits the description."""
    key = {"x-api-key": access.api_key("dev")}
    with emulator.client(relaxed(spec(NAME)), **key) as client:
        yield client


@pytest.fixture
def change(emulator: Any) -> Callable[..., None]:
    """Changes an object behind everybody's back: a plan, a key."""

    def put(kind: str, key: str, **members: Any) -> None:
        store = emulator.app.state.stores("apollo")
        access.ensure(store)
        store.put(kind, key, store.get(kind, key) | members)

    return put


def refused(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    return str(answer.json().get("error") or answer.json().get("message"))


def campaign(apollo: httpx.Client, **members: Any) -> dict[str, Any]:
    made: dict[str, Any] = apollo.post("/sequences", json={"name": "Wave", "emailer_steps": [EMAIL], **members}).json()
    return made


def test_a_key_that_is_none_is_refused_in_plain_text(emulator: Any) -> None:
    answer = httpx.get(f"{emulator.url}/labels", headers={"x-api-key": "nobody's"}, trust_env=False)
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text.startswith("Invalid API key.")


def test_a_key_does_what_its_scopes_name(apollo: httpx.Client, change: Callable[..., None]) -> None:
    change("key", digest(access.api_key("dev")), scopes=["api/v1/labels/index"])
    assert apollo.get("/labels").json() == []
    answer = apollo.post("/labels", json={"name": "Top", "modality": "contacts"})
    assert "not authorized to access api/v1/labels/create" in refused(answer, 403)
    assert answer.json()["error_code"] == "API_INACCESSIBLE"
    assert "usage_stats" in refused(apollo.post("/usage_stats/api_usage_stats"), 403)


def test_one_stages_key_sees_nothing_of_another(emulator: Any, apollo: httpx.Client) -> None:
    label = apollo.post("/labels", json={"name": "Top", "modality": "contacts"}).json()["label"]
    other = {"x-api-key": access.api_key("prod")}
    assert httpx.get(f"{emulator.url}/labels", headers=other, trust_env=False).json() == []
    answer = httpx.patch(f"{emulator.url}/labels/{label['id']}", json={"name": "x"}, headers=other, trust_env=False)
    assert answer.json() == {"error": "Record not found.", "message": f"Could not find label with id {label['id']}"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"modality": "contacts"}, "Please enter a non-empty name!"),
        ({"name": "x"}, "Please enter a non-empty modality!"),
        ({"name": "x", "modality": "deals"}, "Please enter a valid modality!"),
        ({"name": "Top", "modality": "contacts"}, "Top already exists"),
    ],
)
def test_a_list_needs_a_name_of_its_own(apollo: httpx.Client, body: dict[str, Any], said: str) -> None:
    apollo.post("/labels", json={"name": "Top", "modality": "contacts"})
    assert apollo.post("/labels", json={"name": "Top", "modality": "accounts"}).is_success, "another modality"
    assert refused(apollo.post("/labels", json=body), 422) == said


def test_lists_do_not_show_what_is_a_book_of_business(apollo: httpx.Client) -> None:
    made = apollo.post("/labels", json={"name": "Ours", "modality": "accounts", "book_of_business": True}).json()[
        "label"
    ]
    assert made["book_of_business"] is True
    (listed,) = apollo.get("/labels").json()
    assert "book_of_business" not in listed
    changed = apollo.patch(f"/labels/{made['id']}", json={"name": "Ours", "book_of_business": False}).json()["label"]
    assert changed["book_of_business"] is False
    contacts = apollo.post("/labels", json={"name": "People", "modality": "contacts", "book_of_business": True})
    assert contacts.json()["label"]["book_of_business"] is None


def test_a_field_is_answered_in_its_older_form_and_listed_in_the_newer(apollo: httpx.Client) -> None:
    body = {"label": "Units", "modality": "account", "type": "string", "meta": {"max_length": 9}}
    (made,) = apollo.post("/fields", json=body).json()["typed_custom_fields"]
    assert (made["name"], made["text_field_max_length"]) == ("Units", 9)
    listed = {one["label"]: one for one in apollo.get("/fields", params={"source": "custom"}).json()["fields"]}
    assert listed["Units"]["id"] == f"account.{made['id']}"
    assert listed["Property management system"]["type"] == "picklist", "made by people"
    assert {one["source"] for one in apollo.get("/fields").json()["fields"]} == {"system", "custom"}


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ({"id": "account.none", "label": "x"}, "Some fields could not be found"),
        ({"type": "number"}, "Cannot change field type after creation"),
        ({"label": "powerup_x"}, "Field name with prefix 'powerup_' is not allowed. Please use another name."),
        (
            {"id": f"account.{access.id_of('dev', 'field', 0)}", "label": "x"},
            "Picklist fields must have at least one option",
        ),
    ],
)
def test_what_cannot_be_changed_of_a_field_is_refused(apollo: httpx.Client, field: dict[str, Any], said: str) -> None:
    (made,) = apollo.post("/fields", json={"label": "Units", "modality": "account", "type": "string"}).json().values()
    wanted = {"id": f"account.{made[0]['id']}", **field}
    assert refused(apollo.patch("/fields", json={"fields": [wanted]}), 422) == said


def test_an_option_that_is_left_out_is_gone_and_one_without_its_id_is_another(apollo: httpx.Client) -> None:
    key = PICKLIST
    (before,) = [one for one in apollo.get("/fields", params={"source": "custom"}).json()["fields"] if one["id"] == key]
    yardi, _ = before["meta"]["picklist_values"]
    wanted = {"id": key, "meta": {"picklist_values": [{"name": yardi["name"]}]}}
    (after,) = apollo.patch("/fields", json={"fields": [wanted]}).json()["fields"]
    (option,) = after["meta"]["picklist_values"]
    assert option["name"] == yardi["name"]
    assert option["id"] != yardi["id"], "what records had of it is lost"


def test_a_picklist_is_made_by_people_only(apollo: httpx.Client) -> None:
    answer = apollo.post("/fields", json={"label": "PMS", "modality": "account", "type": "picklist"})
    assert answer.status_code == 422


def test_a_sequence_is_found_by_words_of_its_name_page_by_page(apollo: httpx.Client) -> None:
    for number in range(3):
        campaign(apollo, name=f"Wave {number}")
    campaign(apollo, name="Other")
    found = apollo.post("/emailer_campaigns/search", params={"q_name": "wave", "per_page": "2", "page": "2"}).json()
    assert [one["name"] for one in found["emailer_campaigns"]] == ["Wave 2"]
    assert found["pagination"] == {"page": 2, "per_page": 2, "total_entries": 3, "total_pages": 2}
    assert "emailer_steps" not in found["emailer_campaigns"][0], "the search does not show them"
    assert found["emailer_campaigns"][0]["num_steps"] == 1


def test_a_sequence_belongs_to_somebody_whom_nobody_chose_and_is_seen_by_nobody_else(apollo: httpx.Client) -> None:
    made = campaign(apollo, user_id=access.id_of("dev", "user", 1))["emailer_campaign"]
    assert made["user_id"] == made["object_owner_id"] == access.id_of("dev", "user", 0)
    assert made["sharing_permission"]["visibility"] == "restricted"
    path = f"/sequences/{made['id']}"
    apollo.put(path, json={"user_id": access.id_of("dev", "user", 1), "sharing_permission": {"visibility": "everyone"}})
    (seen,) = apollo.post("/emailer_campaigns/search").json()["emailer_campaigns"]
    assert seen["user_id"] == access.id_of("dev", "user", 1)
    assert seen["sharing_permission"]["access_type"] == "can_view"
    assert seen["sharing_permission"]["is_owner"] is False


def test_a_sequence_is_switched_on_and_off_once(apollo: httpx.Client) -> None:
    path = f"/emailer_campaigns/{campaign(apollo)['emailer_campaign']['id']}"
    assert refused(apollo.post(f"{path}/abort"), 422) == "The sequence is already inactive."
    assert apollo.post(f"{path}/approve").json()["emailer_campaign"]["active"] is True
    assert refused(apollo.post(f"{path}/approve"), 422) == "The sequence is already active."
    gone = apollo.post(f"{path}/archive").json()["emailer_campaign"]
    assert (gone["active"], gone["archived"], gone["deleted"]) == (False, True, True)
    (seen,) = apollo.post("/emailer_campaigns/search").json()["emailer_campaigns"]
    assert seen["archived"] is True, "kept for ever"
    empty = campaign(apollo, emailer_steps=[])["emailer_campaign"]["id"]
    assert "at least 1 step" in refused(apollo.post(f"/emailer_campaigns/{empty}/approve"), 422)


def test_the_answer_to_a_change_does_not_say_which_email_is_in_which_step(apollo: httpx.Client) -> None:
    made = campaign(apollo, emailer_steps=[EMAIL, TASK])
    assert made["emailer_touches"][0]["emailer_step_id"] == made["emailer_steps"][0]["id"]
    path = f"/sequences/{made['emailer_campaign']['id']}"
    first, second = (step["id"] for step in made["emailer_steps"])
    answer = apollo.put(path, json={"emailer_steps": [{"id": second}, {"id": first}]}).json()
    assert [step["id"] for step in answer["emailer_steps"]] == [second, first], "in the order in which they are sent"
    assert answer["emailer_touches"][0].keys() == {"id", "status"}
    left = apollo.put(path, json={"emailer_steps": [{"id": first}]}).json()
    assert left["num_steps"] == 1, "what is not named is removed"


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"emailer_steps": [{**EMAIL, "wait_mode": None}]}, "Wait time must not be empty"),
        ({"emailer_steps": [{**EMAIL, "type": "fax"}]}, "The step type fax is not valid"),
        ({"emailer_steps": [{**TASK, "emailer_touches": EMAIL["emailer_touches"]}]}, "has no emails"),
        (
            {"emailer_steps": [{**EMAIL, "emailer_touches": [{"status": "approved"}]}]},
            "make sure your template has content",
        ),
        ({"emailer_steps": [{**EMAIL, "emailer_touches": EMAIL["emailer_touches"] * 2}]}, "does not allow A/B Testing"),
        ({"emailer_schedule_id": access.id_of("dev", "schedule", 1)}, "cannot attach an empty schedule"),
        ({"excluded_contact_stage_ids": ["nowhere"]}, "There is no contact stage nowhere"),
    ],
)
def test_a_sequence_that_cannot_work_is_refused(apollo: httpx.Client, members: dict[str, Any], said: str) -> None:
    assert said in refused(apollo.post("/sequences", json={"name": "Wave", "emailer_steps": [EMAIL], **members}), 422)
    assert apollo.post("/emailer_campaigns/search").json()["emailer_campaigns"] == []


def test_what_was_asked_is_counted_and_refused_when_it_is_too_much(
    apollo: httpx.Client, change: Callable[..., None]
) -> None:
    for _ in range(3):
        apollo.get("/labels")
    told = apollo.post("/usage_stats/api_usage_stats").json()['["api/v1/labels", "index"]']
    assert told["hour"] == {"limit": 600, "consumed": 3, "left_over": 597}
    change("team", access.team_id("dev"), limited=True, limits={"minute": 200, "hour": 3, "day": 6000})
    assert "is 3 times per hour" in refused(apollo.get("/labels"), 429)
    assert apollo.get("/fields").is_success, "each endpoint has a limit of its own"


def test_what_people_made_and_who_they_are_is_listed(apollo: httpx.Client) -> None:
    assert [one["name"] for one in apollo.get("/emailer_schedules").json()["emailer_schedules"]] == list(
        access.SCHEDULES
    )
    assert apollo.get("/contact_stages").json()["contact_stages"][0]["name"] == "Cold"
    assert apollo.get("/account_stages").json()["account_stages"][1]["name"] == "Current Client"
    users = apollo.get("/users/search", params={"page": 1, "per_page": 2}).json()
    assert (len(users["users"]), users["pagination"]["page"], users["pagination"]["total_pages"]) == (2, "1", 2)
    assert apollo.get("/users/api_profile").json()["email"] == "revops@payready.com", "whom the key acts as"
    credits_ = apollo.post("/usage_stats/credit_usage_stats").json()
    assert credits_["credit_usage_stats"]["dialer"]["limit"] == 0
    assert credits_["current_credit_cycle"]["start_date"] < credits_["current_credit_cycle"]["end_date"]

"""Our provider of Apollo against the emulator, every exchange held against the vendor's specification."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from pulumi.runtime.proto import provider_pb2

from providers import apollo
from providers.apollo_calls import APOLLO
from providers.base import Resource
from sandbox.apollo import PLATFORM, access
from sandbox.http import digest
from tests.contract.apollo_objects import ACTIVE, BUYERS, PMS, SEQUENCE, STEPS, UNITS
from tests.contract.apollo_specification import NAME, relaxed
from tests.contract.driven import Driven, new_run, unchanged, without_waiting
from tests.unit.base_platform import Engine


class Team(Driven):
    def change(self, kind: str, key: str, /, **members: Any) -> None:
        access.ensure(self.store)
        super().change(kind, key, **members)

    def plan(self, **members: Any) -> None:
        self.change("team", access.team_id("dev"), **members)

    def scopes(self, *endpoints: str) -> None:
        self.change("key", digest(access.api_key("dev")), scopes=list(endpoints))

    def post(self, path: str, body: Any) -> Any:
        """A person's doing, or another program's."""
        with httpx.Client(headers={"x-api-key": access.api_key("dev")}, trust_env=False) as person:
            answer = person.post(f"{self.emulator.url}{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    @property
    def sequence(self) -> dict[str, Any]:
        (one,) = self.all("sequence")
        return one


@pytest.fixture
def team(serve: Callable[[Any], Any], spec: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Team]:
    found = Team(serve(PLATFORM), PLATFORM.name)
    without_waiting(monkeypatch, found.emulator.credentials)
    with found.emulator.client(relaxed(spec(NAME))) as client:
        client.event_hooks = {"response": [*client.event_hooks["response"], found.answered]}
        client.base_url = ""
        monkeypatch.setitem(APOLLO.__dict__, "client", client)
        yield found


@pytest.mark.parametrize(
    ("resource", "given", "unknown"),
    [
        (apollo.Schedule, {"name": "Normal Business Hours"}, {"name": "Weekends"}),
        (apollo.ContactStage, {"name": "Do Not Contact"}, {"name": "Dormant"}),
        (apollo.AccountStage, {"name": "Current Client"}, {"name": "Dormant"}),
        (apollo.User, {"email": "Sales@payready.com"}, {"email": "nobody@payready.com"}),
    ],
)
def test_what_people_make_is_looked_up(
    team: Team,
    monkeypatch: pytest.MonkeyPatch,
    resource: type[Resource],
    given: dict[str, Any],
    unknown: dict[str, Any],
) -> None:
    found = unchanged(resource, {**given, "adopt": True}, monkeypatch)
    Engine(resource).delete(found)
    told = str(Engine(resource).failing_create(**unknown, adopt=True))
    assert f"no {resource.kind.title} has the" in told
    assert str(next(iter(given.values()))).lower() in told.lower(), "and who is there"
    assert team.written() == []


@pytest.mark.usefixtures("team")
def test_kinds_that_are_asked_for_alike_are_not_taken_for_one_another() -> None:
    contact = Engine(apollo.ContactStage).create(name="Cold", adopt=True)
    account = Engine(apollo.AccountStage).create(name="Review", adopt=True)
    assert (contact.id, account.id) == (
        access.id_of("dev", "contact_stage", 0),
        access.id_of("dev", "account_stage", 0),
    )


def test_a_field_is_made_changed_and_stays(
    team: Team, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = unchanged(apollo.CustomField, UNITS, monkeypatch)
    assert made.id.startswith("account.")
    engine = Engine(apollo.CustomField)
    renamed = engine.update(made, **{**UNITS, "label": "Units under management"})
    assert [one["label"] for one in team.all("field")] == ["Units under management"]
    text = {"modality": "contact", "type": "string", "label": "Owner of collections", "max_length": 80}
    longer = engine.update(unchanged(apollo.CustomField, text, monkeypatch), **{**text, "max_length": 120})
    assert team.store.get("field", longer.id)["meta"]["max_length"] == 120
    with caplog.at_level(logging.WARNING):
        engine.delete(renamed)
    assert 'the custom field "Units under management" stays in Apollo, which has no call to delete it' in caplog.text
    assert len(team.all("field")) == 2


def test_a_field_of_another_type_is_a_mistake_and_no_second_field(team: Team) -> None:
    made = Engine(apollo.CustomField).create(**UNITS)
    engine = Engine(apollo.CustomField)
    olds, news = engine.struct(made.inputs), engine.struct({**UNITS, "type": "string"})
    answered = engine.call("Check", provider_pb2.CheckRequest(urn=engine.urn, olds=olds, news=news))
    (failure,) = answered.failures
    assert failure.property == "type"
    assert "records have values in the field" in failure.reason


def test_a_picklist_is_taken_over_and_loses_no_option(
    team: Team, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    engine = Engine(apollo.CustomField)
    told = str(engine.failing_create(**{**PMS, "label": "Segment"}))
    assert "Apollo's API makes none" in told
    assert "adopt: true" in told
    assert "exists already" in str(engine.failing_create(**PMS))
    new_run(monkeypatch)
    taken = engine.create(**PMS, adopt=True)
    before = {one["name"]: one["id"] for one in options(team)}
    assert list(before) == ["Yardi", "RealPage", "Entrata"], "RealPage is a person's, and stays"
    changed = {**PMS, "options": {"Yardi": True, "Entrata Inc.": True}, "renamed": {"Entrata Inc.": "Entrata"}}
    renamed = engine.update(taken, **changed)
    assert {one["name"]: one["id"] for one in options(team)} == {
        "Yardi": before["Yardi"],
        "RealPage": before["RealPage"],
        "Entrata Inc.": before["Entrata"],
    }
    with caplog.at_level(logging.WARNING):
        engine.update(renamed, **{**PMS, "options": {"Yardi": True}})
    assert 'the option "Entrata Inc."' in caplog.text
    assert len(options(team)) == 3
    new_run(monkeypatch)
    seen = engine.read(renamed)
    assert seen
    assert seen.inputs["options"] == {"Yardi": True, "Entrata Inc.": True}


def options(team: Team) -> list[dict[str, Any]]:
    (field,) = [one for one in team.all("people_field") if one["stage"] == "dev"]
    options: list[dict[str, Any]] = field["meta"]["picklist_values"]
    return options


def test_a_list_is_made_renamed_and_stays(
    team: Team, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = unchanged(apollo.List, BUYERS, monkeypatch)
    engine = Engine(apollo.List)
    renamed = engine.update(made, **{**BUYERS, "name": "NMHC Top 50"})
    accounts = {"modality": "accounts", "name": "NMHC Top 50", "book_of_business": True}
    book = unchanged(apollo.List, accounts, monkeypatch)
    engine.update(book, **{**accounts, "book_of_business": False})
    assert [one["book_of_business"] for one in team.all("label")] == [None, False]
    with caplog.at_level(logging.WARNING):
        engine.delete(renamed)
    assert 'the list "NMHC Top 50" stays in Apollo' in caplog.text
    assert len(team.all("label")) == 2


@pytest.mark.parametrize(("resource", "given"), [(apollo.CustomField, UNITS), (apollo.List, BUYERS)])
def test_what_is_there_is_not_made_twice_and_taken_over_only_when_asked(
    team: Team, monkeypatch: pytest.MonkeyPatch, resource: type[Resource], given: dict[str, Any]
) -> None:
    if resource is apollo.List:
        by_hand = team.post("/labels", given)["label"]["id"]
    else:
        by_hand = f"account.{team.post('/fields', given)['typed_custom_fields'][0]['id']}"
    told = str(Engine(resource).failing_create(**given))
    assert f"it exists already ({by_hand})" in told
    assert team.written() == []
    new_run(monkeypatch)
    assert Engine(resource).create(**given, adopt=True).id == by_hand
    assert team.written() == []


@pytest.mark.parametrize(
    ("resource", "given", "request_", "kind"),
    [
        (apollo.CustomField, UNITS, "POST /fields", "field"),
        (apollo.List, BUYERS, "POST /labels", "label"),
        (apollo.Sequence, SEQUENCE, "POST /sequences", "sequence"),
    ],
)
def test_a_creation_that_was_not_answered_is_found_and_not_repeated(
    team: Team, resource: type[Resource], given: dict[str, Any], request_: str, kind: str
) -> None:
    team.lost = [request_]
    Engine(resource).create(**given)
    assert len(team.all(kind)) == 1


def test_a_sequence_is_made_inactive_whoever_it_is_shown_to(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = access.id_of("dev", "user", 1)
    given = {**SEQUENCE, "user_id": owner, "bcc_emails": "log@payready.com"}
    made = unchanged(apollo.Sequence, given, monkeypatch)
    assert team.sequence["active"] is False
    assert {touch["status"] for step in team.sequence["steps"] for touch in step["touches"]} == {"to_be_reviewed"}
    assert (team.sequence["user_id"], team.sequence["bcc_emails"]) == (owner, "log@payready.com")
    assert team.sequence["sharing_permission"] == {"visibility": "everyone", "access_type": "can_view"}
    ids = made.outputs["step_ids"]
    assert [step["id"] for step in team.sequence["steps"]] == [ids[key]["id"] for key in ("hello", "call", "again")]
    assert not [one for one in team.requests if "approve" in one]


def test_mail_is_sent_only_when_two_settings_say_so(team: Team) -> None:
    engine = Engine(apollo.Sequence)
    _, mistakes = engine.check(**{**SEQUENCE, "active": True})
    assert "`sends_real_mail` has to say so a second time" in mistakes["active"]
    made = engine.create(**{**SEQUENCE, "sends_real_mail": True})
    assert team.sequence["active"] is False, "one word is not enough"
    team.written()
    on = engine.update(made, **ACTIVE)
    assert team.written() == [f"PUT /sequences/{made.id}", f"POST /emailer_campaigns/{made.id}/approve"], "last of all"
    assert team.sequence["active"] is True
    assert {touch["status"] for step in team.sequence["steps"] for touch in step["touches"]} == {"approved"}
    engine.update(on, **SEQUENCE)
    assert team.written() == [f"POST /emailer_campaigns/{made.id}/abort", f"PUT /sequences/{made.id}"], "first of all"
    assert team.sequence["active"] is False
    assert {touch["status"] for step in team.sequence["steps"] for touch in step["touches"]} == {"to_be_reviewed"}


def test_a_sequence_that_is_to_be_active_from_the_start_is_activated_when_all_else_is_done(team: Team) -> None:
    made = Engine(apollo.Sequence).create(**ACTIVE)
    asked = team.written()
    assert asked[-1] == f"POST /emailer_campaigns/{made.id}/approve"
    assert team.sequence["active"] is True
    assert [len(step["touches"]) for step in team.sequence["steps"]] == [1, 0, 1], "no email is there twice"


def test_one_that_a_person_activated_is_drift_and_switched_off(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(apollo.Sequence)
    made = engine.create(**SEQUENCE)
    team.change("sequence", made.id, active=True)
    new_run(monkeypatch)
    seen = engine.read(made)
    assert seen
    assert seen.inputs["active"] is True
    engine.update(seen, **SEQUENCE)
    assert team.sequence["active"] is False


def test_steps_that_come_go_and_change_stay_who_they_are(team: Team) -> None:
    engine = Engine(apollo.Sequence)
    made = engine.create(**SEQUENCE)
    before = {one["id"]: one for one in team.sequence["steps"]}
    hello, _, again = copy.deepcopy(STEPS)
    hello["email"]["subject"] = "Your delinquency, {{first_name}}"
    task = {"key": "look", "type": "action_item", "wait_time": 1, "wait_mode": "day"}
    more = {**task, "key": "last", "type": "auto_email", "email": {"subject": "Last one", "body_html": "<p>Bye</p>"}}
    changed = engine.update(made, **{**SEQUENCE, "steps": [hello, task, again, more]})
    ids = changed.outputs["step_ids"]
    assert [one["id"] for one in team.sequence["steps"]] == [
        ids[key]["id"] for key in ("hello", "look", "again", "last")
    ]
    assert ids["hello"] == made.outputs["step_ids"]["hello"]
    assert ids["again"]["id"] in before, "contacts that wait in it stay in it"
    first = team.sequence["steps"][0]["touches"]
    assert [touch["subject"] for touch in first] == ["Your delinquency, {{first_name}}"]
    assert team.sequence["steps"][3]["touches"][0]["id"] == ids["last"]["touch"]
    engine.update(changed, **{**SEQUENCE, "steps": [hello, again]})
    assert [one["id"] for one in team.sequence["steps"]] == [ids["hello"]["id"], ids["again"]["id"]]


def test_what_apollo_takes_once_only_is_refused_later_and_nothing_is_sent(team: Team) -> None:
    engine = Engine(apollo.Sequence)
    made = engine.create(**SEQUENCE)
    team.written()
    hello, call, again = copy.deepcopy(STEPS)
    call["note"] = "Ask for the controller"
    with pytest.raises(Exception, match='note of the step "call" can be said only when the sequence is made'):
        engine.update(made, **{**SEQUENCE, "steps": [hello, call, again]})
    assert team.written() == []


def test_a_sequence_that_is_taken_over_is_left_as_it_is_until_something_changes(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Engine(apollo.Sequence).create(**SEQUENCE)
    new_run(monkeypatch)
    engine = Engine(apollo.Sequence, name="again")
    assert "exists already" in str(engine.failing_create(**SEQUENCE))
    new_run(monkeypatch)
    team.written()
    taken = engine.create(**SEQUENCE, adopt=True)
    assert taken.id == first.id
    assert [one for one in team.written() if "search" not in one] == []
    before = [one["id"] for one in team.sequence["steps"]]
    steps = copy.deepcopy(STEPS)
    steps[2]["wait_time"] = 5
    changed = engine.update(taken, **{**SEQUENCE, "steps": steps})
    assert [one["id"] for one in team.sequence["steps"]] == before, "it was asked which steps there are"
    assert team.sequence["steps"][2]["wait_time"] == 5
    assert changed.outputs["step_ids"] == first.outputs["step_ids"]


def test_a_sequence_that_goes_stops_sending_and_stays(
    team: Team, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    engine = Engine(apollo.Sequence)
    made = engine.create(**ACTIVE)
    with caplog.at_level(logging.WARNING):
        engine.delete(made)
        engine.delete(made)
    assert (team.sequence["active"], team.sequence["archived"]) == (False, False)
    assert 'the sequence "AI collections for regional managers" stays in Apollo' in caplog.text
    assert "it is inactive" in caplog.text
    team.change("sequence", made.id, archived=True)
    new_run(monkeypatch)
    assert engine.read(made) is None, "one that a person archived is gone"


def test_one_search_serves_all_sequences(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(apollo.Sequence)
    made = [engine.create(**{**SEQUENCE, "name": f"Wave {number}", "steps": []}) for number in range(3)]
    for number in range(100):
        team.store.put("sequence", f"x{number}", team.store.get("sequence", made[0].id) | {"id": f"x{number}"})
    new_run(monkeypatch)
    team.requests.clear()
    assert all(engine.read(one) for one in made)
    assert team.requests == ["POST /emailer_campaigns/search"] * 2, "two pages of a hundred"


@pytest.mark.parametrize(
    ("plan", "given", "said"),
    [
        ({"most_sequences": 0}, {}, "Your plan is limited to 0 sequences. Learn more"),
        ({"most_steps": 1}, {}, "Your plan is limited to 1 sequence steps"),
        ({}, {"emailer_schedule_id": access.id_of("dev", "schedule", 1)}, "The schedule you are trying to attach"),
        ({}, {"steps": STEPS[2:]}, "A reply must come after a step that starts a new thread"),
    ],
)
def test_what_a_plan_or_apollo_does_not_allow_is_told(
    team: Team, plan: dict[str, Any], given: dict[str, Any], said: str
) -> None:
    team.plan(**plan)
    told = str(Engine(apollo.Sequence).failing_create(**{**SEQUENCE, **given}))
    assert said in told
    assert "<a" not in told
    assert "sophia-ai:apollo.sequences" in told
    assert team.all("sequence") == []


def test_a_key_that_may_not_is_told_which_one_is_needed(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    team.scopes("api/v1/labels/index")
    told = str(Engine(apollo.List).failing_create(**BUYERS))
    assert "not authorized to access api/v1/labels/create" in told
    assert "Set as master key" in told
    monkeypatch.setenv("APOLLO_API_KEY", "an-old-key")
    new_run(monkeypatch)
    told = str(Engine(apollo.List).failing_create(**BUYERS))
    assert "the credentials were not accepted" in told
    assert "APOLLO_API_KEY" in told
    assert "an-old-key" not in told


def test_a_limit_that_is_used_up_is_told(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    team.plan(limited=True, limits={"minute": 200, "hour": 0, "day": 6000})
    monkeypatch.setenv("SOPHIA_PATIENCE_SECONDS", "0")
    told = str(Engine(apollo.List).failing_create(**BUYERS))
    assert "429 The maximum number of api calls allowed for api/v1/labels/index is 0 times per hour" in told
    assert "wait until the platform's limit has recovered" in told

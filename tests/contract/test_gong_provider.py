"""Our provider of Gong against the emulator, every exchange held against Gong's own description of its API."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from providers import gong
from providers.base.pace import Pace, Unpublished
from providers.gong_calls import GONG
from sandbox.gong import PLATFORM, access, seed
from tests.contract.driven import Driven, new_run, unchanged, without_waiting
from tests.unit.base_platform import Engine

SPEC = "gong/gong_openapi_v2.json"
WORKSPACE = seed.workspace_id("dev")
LEAD, SELLER = (seed.user_id(f"{who}@payready.com") for who in ("collections", "seller"))
PROFILE: dict[str, Any] = {
    "workspace": WORKSPACE,
    "name": "Collections AI reviewers",
    "description": "Who listens to what the agents say",
    "calls_access": {"permission_level": "managers-team", "team_lead_ids": [LEAD]},
    "forecast_permissions": {"forecast_access": {"permission_level": "none"}},
    "permissions": {"score_calls": True, "delete_calls": False, "export_calls_and_coaching_data_to_csv": False},
}
TRACKER = {"workspace": WORKSPACE, "name": "EliseAI", "keywords": {"eng": {"EliseAI": True, "Elise AI": True}}}


@pytest.fixture
def control(
    serve: Callable[[Any], Any], spec: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Driven]:
    found = Driven(serve(PLATFORM), PLATFORM.name)
    without_waiting(monkeypatch, found.emulator.credentials)
    access.ensure(found.store)
    found.change(*access.LIMITS, per_second=1000)
    monkeypatch.setitem(GONG.__dict__, "_paces", {found.emulator.url: Pace(Unpublished(start=1000, most=1000))})
    described = spec(SPEC)
    with httpx.Client() as client:

        def held(response: httpx.Response) -> None:
            response.read()
            request = response.request
            address = str(request.url).removeprefix(found.emulator.url)
            sent = json.loads(request.content) if request.content else None
            answered = json.loads(response.content)
            if response.is_error:
                assert described.problems("ErrorResponse", answered) == []
            else:
                described.check(request.method, address, response.status_code, sent, answered)

        client.event_hooks = {"response": [held, found.answered]}
        monkeypatch.setitem(GONG.__dict__, "client", client)
        yield found


def live(control: Driven) -> dict[str, Any]:
    (found,) = control.all("profile")
    return found


def test_a_profile_is_made_as_it_is_wanted(control: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    unchanged(gong.PermissionProfile, PROFILE, monkeypatch)
    found = live(control)
    assert found["description"] == "Who listens to what the agents say (managed by sophia-ai/dev)"
    assert found["callsAccess"] == {"permissionLevel": "managers-team", "teamLeadIds": [LEAD]}
    assert (found["scoreCalls"], found["deleteCalls"]) == (True, False)


def test_an_update_keeps_what_people_set_and_the_settings_do_not_name(
    control: Driven, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = unchanged(gong.PermissionProfile, PROFILE, monkeypatch)
    control.change("profile", made.id, aiBuilder=True, usageAccess={"permissionLevel": "own"})
    engine = Engine(gong.PermissionProfile)
    seen = engine.read(made)
    assert seen
    assert not engine.changes(seen, **PROFILE), "what is not named is no drift"
    control.requests.clear()
    wanted = {**PROFILE, "calls_access": {"permission_level": "own"}, "permissions": {"trim_calls": True}}
    updated = engine.update(made, **wanted)
    assert control.requests == ["GET /v2/permission-profile", "PUT /v2/permission-profile"]
    found = live(control)
    assert found["callsAccess"] == {"permissionLevel": "own"}, "the leads went with the level that they belonged to"
    assert (found["aiBuilder"], found["usageAccess"]) == (True, {"permissionLevel": "own"})
    assert (found["scoreCalls"], found["trimCalls"]) == (True, True), "one that is named no more stays as it is"
    assert found["forecastPermissions"]["forecastEditTargets"] == {"permissionLevel": "none"}
    new_run(monkeypatch)
    assert not engine.changes(updated, **wanted)


def test_a_library_that_is_closed_has_nothing_else(control: Driven) -> None:
    folder = next(one["id"] for one in control.all("folder") if one["workspaceId"] == WORKSPACE)
    engine = Engine(gong.PermissionProfile)
    library = {"permission_level": "specific-folders", "library_folder_ids": [folder], "manage_streams": True}
    made = engine.create(**PROFILE, library_folder_access=library)
    engine.update(made, **PROFILE, library_folder_access={"permission_level": "none"})
    assert live(control)["libraryFolderAccess"] == {"permissionLevel": "none"}


def test_drift_is_told_by_permission(control: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    made = unchanged(gong.PermissionProfile, PROFILE, monkeypatch)
    control.change("profile", made.id, deleteCalls=True)
    new_run(monkeypatch)
    seen = Engine(gong.PermissionProfile).read(made)
    assert seen
    assert seen.inputs["permissions"] == {**PROFILE["permissions"], "delete_calls": True}


def test_a_profile_that_is_gone_is_told_by_the_list(control: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    made = unchanged(gong.PermissionProfile, PROFILE, monkeypatch)
    control.store.delete("profile", made.id)
    new_run(monkeypatch)
    assert Engine(gong.PermissionProfile).read(made) is None, "Gong says 400 where others say 404"


def test_a_profile_is_forgotten_with_a_warning_and_known_again(
    control: Driven, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    engine = Engine(gong.PermissionProfile)
    made = engine.create(**PROFILE)
    control.written()
    with caplog.at_level(logging.WARNING):
        engine.delete(made)
    assert (
        'the permission profile "Collections AI reviewers" stays in Gong, which has no call to delete it' in caplog.text
    )
    new_run(monkeypatch)
    assert engine.create(**PROFILE).id == made.id, "declared again, it is the same profile"
    assert control.written() == []


def test_a_profile_of_people_is_taken_over_when_asked_and_two_are_not(
    control: Driven, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Engine(gong.PermissionProfile).create(**PROFILE)
    control.change("profile", made.id, description="By hand", scoreCalls=False, aiBuilder=True)
    new_run(monkeypatch)
    engine = Engine(gong.PermissionProfile, "reviewers")
    assert "is not managed by this stack" in str(engine.failing_create(**PROFILE))
    assert engine.create(**PROFILE, adopt=True).id == made.id
    assert (live(control)["scoreCalls"], live(control)["aiBuilder"]) == (True, True)
    control.change("profile", made.id, description="By hand")
    control.store.put("profile", "61", control.store.get("profile", made.id) | {"id": "61"})
    new_run(monkeypatch)
    assert "2 objects with the same name exist" in str(engine.failing_create(**PROFILE))


def test_a_create_whose_answer_is_lost_is_not_sent_again(control: Driven) -> None:
    control.lost.append("POST /v2/permission-profile")
    made = Engine(gong.PermissionProfile).create(**PROFILE)
    assert control.written() == ["POST /v2/permission-profile"]
    assert live(control)["id"] == made.id


def test_people_stay_in_the_workspace_of_their_profile(control: Driven) -> None:
    engine = Engine(gong.PermissionProfile)
    engine.create(**PROFILE)
    _, mistakes = engine.check(**{**PROFILE, "workspace": ""})
    assert mistakes


@pytest.mark.parametrize(
    ("resource", "given", "wrong", "said"),
    [
        (gong.Workspace, {"name": "Pay Ready"}, {"name": "Pay Raedy"}, "no workspace has the name 'Pay Raedy'"),
        (
            gong.User,
            {"email": "Collections@PayReady.com"},
            {"email": "collection@payready.com"},
            "no user has the emailAddress 'collection@payready.com'",
        ),
        (gong.Tracker, TRACKER, {"name": "Elise"}, "no tracker has the trackerName 'Elise'"),
        (
            gong.Scorecard,
            {"workspace": WORKSPACE, "name": "Discovery call", "review_method": "MANUAL"},
            {"name": "Discovery"},
            "no scorecard has the scorecardName 'Discovery'",
        ),
        (
            gong.LibraryFolder,
            {"workspace": WORKSPACE, "name": "Against EliseAI"},
            {"name": "Against"},
            "no library folder has the name 'Against'",
        ),
    ],
)
def test_what_people_make_is_found_and_never_made(
    control: Driven,
    monkeypatch: pytest.MonkeyPatch,
    resource: Any,
    given: dict[str, Any],
    wrong: dict[str, Any],
    said: str,
) -> None:
    unchanged(resource, {**given, "adopt": True}, monkeypatch)
    failed = str(Engine(resource, "other").failing_create(**{**given, **wrong}, adopt=True))
    assert said in failed
    assert "GONG_ACCESS_KEY and GONG_ACCESS_KEY_SECRET can see" in failed
    assert "in Gong (" in failed, "a person is told where"
    assert control.written() == []


def test_only_what_is_in_the_same_workspace_is_named(control: Driven) -> None:
    control.change("tracker", str(seed.number(3, "prod")), trackerName="Entrata")
    failed = str(Engine(gong.Tracker).failing_create(workspace=WORKSPACE, name="Entrata", adopt=True))
    assert "can see Collections, EliseAI, Hunter Warfield, Pricing\n" in failed


def test_a_tracker_that_is_otherwise_fails_until_a_person_has_changed_it(
    control: Driven, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = {**TRACKER, "affiliation": "NonCompany", "keywords": {"eng": {"EliseAI": True, "Elise Leasing": True}}}
    engine = Engine(gong.Tracker)
    failed = engine.failing_create(**wanted, adopt=True)
    kept = failed.kept
    assert kept
    assert 'the tracker "EliseAI" is otherwise in Gong' in str(kept.outputs) + str(failed)
    assert engine.changes(kept, **wanted), "the next run looks again"
    id_ = str(seed.number(3, "dev"))
    assert kept.id == id_
    words = {"language": "eng", "keywords": ["EliseAI", "Elise Leasing", "and more"], "includeRelatedForms": True}
    control.change("tracker", id_, affiliation="NonCompany", languageKeywords=[words])
    new_run(monkeypatch)
    updated = engine.update(kept, **wanted)
    assert not engine.changes(updated, **wanted)
    assert control.written() == []


def test_what_somebody_changes_in_gong_is_drift(control: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, scorecards = (
        Engine(gong.Scorecard),
        [one for one in control.all("scorecard") if one["reviewMethod"] == "MANUAL"],
    )
    given = {"workspace": WORKSPACE, "name": "Discovery call", "questions": {"Was a next step agreed?": True}}
    made = unchanged(gong.Scorecard, {**given, "adopt": True}, monkeypatch)
    control.change("scorecard", made.id, enabled=False, scorecardName="Discovery", questions=[])
    new_run(monkeypatch)
    seen = engine.read(made)
    assert seen
    assert (seen.inputs["name"], seen.inputs["enabled"], seen.inputs["questions"]) == ("Discovery", False, {})
    with pytest.raises(Exception, match="enabled is False, and is to be True") as caught:
        engine.update(seen, **given, adopt=True)
    assert "questions.Was a next step agreed? is missing" in str(caught.value)
    for one in scorecards:
        control.store.delete("scorecard", str(one["scorecardId"]))
    new_run(monkeypatch)
    assert engine.read(made) is None


def test_a_company_without_scorecards_has_none(control: Driven) -> None:
    for one in control.all("scorecard"):
        control.store.delete("scorecard", str(one["scorecardId"]))
    failed = str(Engine(gong.Scorecard).failing_create(workspace=WORKSPACE, name="Discovery call", adopt=True))
    assert "can see none" in failed, "Gong says 404 where others have an empty list"


def test_users_are_found_on_every_page(control: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    control.change(*access.LIMITS, page=2)
    given = {
        "email": "seller@payready.com",
        "manager": seed.user_id("sales@payready.com"),
        "title": "Account executive",
    }
    unchanged(gong.User, {**given, "web_conferences_recorded": True, "adopt": True}, monkeypatch)
    assert control.requests.count("GET /v2/users") == 2 * 3, "two runs, three pages each"


def test_who_is_in_a_profile_is_looked_at_and_not_changed(control: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    profile = Engine(gong.PermissionProfile).create(**PROFILE).id
    given = {"profile": profile, "email": "seller@payready.com", "adopt": True}
    failed = str(Engine(gong.ProfileMember, "reviewers.seller").failing_create(**given))
    assert "an administrator gives them the profile in Gong" in failed
    control.change("user", SELLER, profiles=[profile])
    new_run(monkeypatch)
    control.written()
    unchanged(gong.ProfileMember, given, monkeypatch)
    assert control.written() == []


def test_a_crm_integration_is_never_touched(control: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"name": "Entrata", "owner_email": "automation@payready.com", "adopt": True}
    engine = Engine(gong.CrmIntegration)
    failed = str(engine.failing_create(**given))
    assert "which no deployment does" in failed
    id_ = 6_123_000_000_000_000_777
    control.store.put("crm_integration", str(id_), {"integrationId": id_, "name": "Entrata", "ownerEmail": "a@b.co"})
    new_run(monkeypatch)
    assert "owner_email is 'a@b.co', and is to be" in str(engine.failing_create(**given))
    control.change("crm_integration", str(id_), ownerEmail="Automation@PayReady.com")
    new_run(monkeypatch)
    made = engine.create(**given)
    assert made.id == str(id_), "longer than a floating-point number is exact"
    engine.delete(made)
    assert len(control.all("crm_integration")) == 1
    assert control.written() == []


def test_the_days_limit_is_told_at_once_and_not_waited_for(control: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    access._counts.clear()
    control.change(*access.LIMITS, per_day=0)
    first = str(Engine(gong.User).failing_create(email="seller@payready.com", adopt=True))
    assert "429 Limit exceeded: API calls per day; Gong takes the next request in" in first
    assert "used up by all that ask with its keys" in first
    control.requests.clear()
    second = str(Engine(gong.Workspace).failing_create(name="Pay Ready", adopt=True))
    assert "Gong has refused an earlier request and takes none for another" in second
    assert control.requests == [], "the others do not even ask"

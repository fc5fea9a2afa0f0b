"""The Estuary emulator's tables, in PostgREST's own words, and who gets at them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from sandbox.estuary import PLATFORM, access
from tests.contract.estuary_calls import (
    CAPTURE,
    COLLECTION,
    SINK,
    Json,
    access_token,
    bearer,
    bundle,
    capture,
    control,
    draft_of,
    publish,
    tables,
)


@pytest.fixture
def emulator(serve: Callable[[Any], Any]) -> Any:
    return serve(PLATFORM)


@pytest.fixture
def rest(emulator: Any) -> Iterator[httpx.Client]:
    with tables(emulator) as client:
        yield client


@pytest.fixture
def narrow(emulator: Any) -> Iterator[httpx.Client]:
    """The tables as an account sees them that may only read sophia-ai/team/."""
    with control(emulator) as api:
        grants = '[{prefix: "sophia-ai/team/", capability: read}]'
        made = f'createServiceAccount(catalogName: "sophia-ai/reader", grants: {grants})'
        api.post("/api/graphql", json={"query": f"mutation {{ {made} {{ catalogName }} }}"})
        minted = (
            'mutation { createApiKey(catalogName: "sophia-ai/reader", detail: "test", validFor: "P1D") { secret } }'
        )
        secret = api.post("/api/graphql", json={"query": minted}).json()["data"]["createApiKey"]["secret"]
    pair = json.loads(base64.b64decode(secret))
    grant = {"grant_type": "refresh_token", "refresh_token_id": pair["id"], "secret": pair["secret"]}
    token = httpx.post(f"{emulator.url}/api/v1/auth/token", json=grant).json()["access_token"]
    with tables(emulator, token) as client:
        yield client


def names(response: httpx.Response) -> list[str]:
    return [row["catalog_name"] for row in response.json()]


def test_an_access_token_says_itself_how_long_it_is_good(emulator: Any) -> None:
    claims = json.loads(base64.urlsafe_b64decode(access_token(emulator).split(".")[1] + "=="))
    assert claims["exp"] - claims["iat"] == 3600
    assert (claims["role"], claims["aud"]) == ("authenticated", "authenticated")


def test_an_expired_token_opens_nothing(emulator: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "TOKEN_SECONDS", -1)
    token = access_token(emulator)
    with tables(emulator, token) as rest:
        answered = rest.get("/drafts")
        assert (answered.status_code, answered.json()["message"]) == (401, "JWT expired")
    assert (
        httpx.post(f"{emulator.url}/api/graphql", json={"query": "{ __typename }"}, headers=bearer(token)).status_code
        == 401
    )


@pytest.mark.parametrize(
    ("grant", "status"),
    [
        ({"grant_type": "api_key", "api_key": "flow_sa_another"}, 401),
        ({"grant_type": "api_key", "api_key": "another"}, 400),
        ({"grant_type": "api_key"}, 422),
        ({"grant_type": "refresh_token", "refresh_token_id": "00:00:00:00:00:00:00:00", "secret": "x"}, 401),
        ({"grant_type": "password"}, 422),
    ],
)
def test_a_grant_that_is_none_gets_no_token(emulator: Any, grant: Json, status: int) -> None:
    answered = httpx.post(f"{emulator.url}/api/v1/auth/token", json=grant)
    assert answered.status_code == status
    assert answered.headers["content-type"].startswith("text/plain")


def test_the_gateway_wants_the_public_key_and_the_tables_an_access_token(emulator: Any) -> None:
    url, apikey = emulator.credentials["ESTUARY_REST_URL"] + "/drafts", emulator.credentials["ESTUARY_PUBLIC_TOKEN"]
    assert "No API key" in httpx.get(url, headers=bearer(access_token(emulator))).json()["message"]
    assert httpx.get(url, headers={"apikey": "wrong"}).json()["message"] == "Invalid API key"
    anonymous = httpx.get(url, headers={"apikey": apikey})
    assert (anonymous.status_code, anonymous.json()["code"]) == (401, "42501")
    key = httpx.get(url, headers={"apikey": apikey, **bearer(emulator.credentials["FLOW_API_KEY"])})
    assert (key.status_code, key.json()["code"]) == (401, "PGRST301")
    forged = access_token(emulator).rpartition(".")[0] + ".AAAA"
    assert httpx.get(url, headers={"apikey": apikey, **bearer(forged)}).status_code == 401


def test_rows_are_chosen_ordered_and_cut(rest: httpx.Client) -> None:
    publish(rest, draft_of(rest, bundle()))

    def chosen(**params: str) -> list[str]:
        return names(rest.get("/live_specs_ext", params=params).raise_for_status())

    assert chosen(order="catalog_name.desc") == sorted(bundle(), reverse=True)
    assert chosen(order="catalog_name", limit="1", offset="1") == [sorted(bundle())[1]]
    assert chosen(catalog_name=f'in.("{CAPTURE}","{SINK}")', order="catalog_name") == sorted([CAPTURE, SINK])
    assert chosen(catalog_name="like.sophia-ai/con*") == [COLLECTION]
    assert chosen(catalog_name="like.SOPHIA%") == []
    assert chosen(spec_type="neq.capture", catalog_name=f"not.eq.{SINK}") == [COLLECTION]
    assert len(chosen(spec="not.is.null")) == 3
    [row] = rest.get("/live_specs_ext", params={"catalog_name": f"eq.{SINK}", "select": "spec_type,last_pub_id"}).json()
    assert set(row) == {"spec_type", "last_pub_id"}
    pub_id = row["last_pub_id"]
    assert len(chosen(last_pub_id=f"eq.{pub_id.replace(':', '')}")) == len(chosen(last_pub_id=f"eq.{pub_id}")) == 3


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/nothing", 404, "PGRST205"),
        ("/drafts?select=nothing", 400, "42703"),
        ("/drafts?nothing=eq.1", 400, "42703"),
        ("/drafts?id=eq.nothing", 400, "22P02"),
        ("/drafts?detail=nothing", 400, "PGRST100"),
        ("/drafts?limit=many", 400, "PGRST100"),
    ],
)
def test_a_wrong_question_is_answered_as_postgrest_does(rest: httpx.Client, path: str, status: int, code: str) -> None:
    answered = rest.get(path)
    assert (answered.status_code, answered.json()["code"]) == (status, code)
    assert set(answered.json()) == {"code", "message", "details", "hint"}


def test_one_row_is_asked_for_as_an_object(rest: httpx.Client) -> None:
    single = {"Accept": "application/vnd.pgrst.object+json"}
    draft = rest.post("/drafts", json={"detail": "a"}, params={"select": "id,detail"}, headers=single)
    assert draft.json()["detail"] == "a"
    assert set(draft.json()) == {"id", "detail"}
    absent = rest.get("/drafts", params={"id": "eq.00:00:00:00:00:00:00:01"}, headers=single)
    assert (absent.status_code, absent.json()["code"]) == (406, "PGRST116")


def test_a_write_answers_with_rows_only_when_asked(rest: httpx.Client) -> None:
    made = rest.post("/drafts", json={"detail": "a"}, headers={"Prefer": "return=minimal"})
    assert (made.status_code, made.content) == (201, b"")
    gone = rest.delete("/drafts", params={"detail": "eq.a"}, headers={"Prefer": "return=minimal"})
    assert (gone.status_code, gone.content) == (204, b"")
    assert rest.delete("/drafts").json()["code"] == "21000"


def test_a_row_is_merged_only_when_asked(rest: httpx.Client) -> None:
    draft = draft_of(rest, {CAPTURE: capture()})
    row = {"draft_id": draft, "catalog_name": CAPTURE, "spec_type": "capture", "spec": capture(bindings=[])["spec"]}
    again = rest.post("/draft_specs", json=row)
    assert (again.status_code, again.json()["code"]) == (409, "23505")
    merged = rest.post(
        "/draft_specs", json=[row], headers={"Prefer": "resolution=merge-duplicates,return=representation"}
    )
    assert merged.status_code == 201
    [kept] = rest.get("/draft_specs", params={"draft_id": f"eq.{draft}"}).json()
    assert kept["spec"]["bindings"] == []


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"catalog_name": "no slash"}, 400, "23514"),
        ({"spec_type": "pipeline"}, 400, "22P02"),
        ({"spec": None}, 400, "23514"),
        ({"draft_id": "00:00:00:00:00:00:00:01"}, 403, "42501"),
        ({"nothing": 1}, 400, "PGRST204"),
        ({"built_spec": {}}, 403, "42501"),
    ],
)
def test_a_specification_that_no_row_can_hold_is_refused(
    rest: httpx.Client, change: Json, status: int, code: str
) -> None:
    row = {"draft_id": draft_of(rest, {}), "catalog_name": CAPTURE, "spec_type": "capture", "spec": capture()["spec"]}
    answered = rest.post("/draft_specs", json=row | change)
    assert (answered.status_code, answered.json()["code"]) == (status, code)


def test_others_drafts_and_catalogs_do_not_show(rest: httpx.Client, narrow: httpx.Client) -> None:
    publish(rest, draft_of(rest, bundle()))
    draft = draft_of(rest, bundle())
    assert narrow.get("/drafts").json() == []
    assert narrow.get("/live_specs_ext").json() == []
    assert narrow.get("/publications").json() == []
    stolen = narrow.post("/publications", json={"draft_id": draft})
    assert (stolen.status_code, stolen.json()["code"]) == (403, "42501")
    assert narrow.delete("/drafts", params={"id": f"eq.{draft}"}).json() == []
    assert len(rest.get("/drafts").json()) == 1


def test_who_may_only_read_cannot_publish(narrow: httpx.Client) -> None:
    draft = draft_of(narrow, {"sophia-ai/team/source": capture(bindings=[])})
    assert publish(narrow, draft)["job_status"]["type"] == "buildFailed"
    [error] = narrow.get("/draft_errors", params={"draft_id": f"eq.{draft}"}).json()
    assert error["detail"] == "User is not authorized to create or change this catalog name"


def test_roles_are_granted_and_matter(rest: httpx.Client, narrow: httpx.Client) -> None:
    grant = {"subject_role": "sophia-ai/", "object_role": "sophia-ai/", "capability": "read"}
    assert rest.post("/role_grants", json=grant).status_code == 201
    draft = draft_of(rest, bundle())
    assert publish(rest, draft)["job_status"]["type"] == "buildFailed"
    [error] = rest.get("/draft_errors", params={"draft_id": f"eq.{draft}"}).json()
    assert error["detail"].startswith(f"Specification is not write-authorized to '{COLLECTION}'")
    denied = narrow.post("/role_grants", json=grant | {"capability": "admin"})
    assert (denied.status_code, denied.json()["code"]) == (403, "42501")
    assert rest.post("/role_grants", json=grant | {"object_role": "no-slash"}).json()["code"] == "23514"
    held = rest.get("/combined_grants_ext", params={"object_role": "eq.sophia-ai/"}).json()
    assert {row["subject_role"] or row["user_email"] for row in held} == {
        "sophia-ai/",
        "sophia-ai/automation@service_accounts.estuary.dev",
    }
    assert len(rest.delete("/role_grants", params={"object_role": "eq.sophia-ai/"}).json()) == 1

"""Gong: what the component makes of the settings, mistakes in them, whose deliveries are believed, and what health tells."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from pydantic import ValidationError

from components.gong import Gong, GongSettings
from components.settings import Stage
from health.base import Answer, Resource, Subject
from health.gong import HEALTH
from providers.gong_calls import GONG
from providers.gong_webhooks import WebhookError, pem, public_key, verify

Deploy = Callable[..., Any]
REPOSITORY = Path(__file__).parents[2]
ADDRESS, BODY, EXPIRES = "https://agents.payready.com/gong", b'{"isTest": true}', 1_800_000_000


def settings(stage: str = "dev") -> dict[str, Any]:
    document = yaml.safe_load((REPOSITORY / f"Pulumi.{stage}.yaml").read_text())
    found: dict[str, Any] = document["config"]["sophia-ai:gong"]
    return found


def run(deploy: Deploy, stage: Stage = Stage.DEV, **changes: Any) -> Any:
    wanted = GongSettings.model_validate({**settings(stage.value), **changes})
    return deploy(lambda: Gong("gong", wanted), stack=stage.value)


@pytest.mark.parametrize("stage", list(Stage))
def test_every_stage_has_the_profiles_and_what_they_rest_on(deploy: Deploy, stage: Stage) -> None:
    deployment = run(deploy, stage)
    assert {"sales", "collections-reviewers", "executives"} == deployment.result.profile_ids.keys()
    assert {"elise", "hunter-warfield", "pricing", "collections"} == deployment.result.tracker_ids.keys()
    (workspace,) = deployment.of("Workspace")
    for kind in ("Workspace", "User", "Tracker", "Scorecard", "LibraryFolder"):
        assert all(one.inputs["adopt"] for one in deployment.of(kind)), "people have made it"
    assert all("adopt" not in one.inputs for one in deployment.of("PermissionProfile"))
    assert deployment.of("CrmIntegration") == (), "nothing is asked about it unless the settings do"
    assert workspace.inputs["name"] == {"dev": "Sophia Development", "staging": "Sophia Staging"}.get(
        stage, "Pay Ready"
    )
    key = deployment.result.webhook_keys["calls"]
    assert key.startswith("-----BEGIN PUBLIC KEY-----")


def test_a_profile_says_what_the_settings_name_and_nothing_else(deploy: Deploy) -> None:
    profile = run(deploy).one("PermissionProfile", "collections-reviewers").inputs
    assert profile["calls_access"] == {
        "permission_level": "managers-team",
        "team_lead_ids": ["id-of-collections-lead", "id-of-compliance"],
    }
    assert profile["deals_access"] == {"permission_level": "none"}
    assert profile["library_folder_access"] == {
        "permission_level": "specific-folders",
        "library_folder_ids": ["id-of-examples"],
        "manage_folder_calls": True,
    }
    assert (profile["permissions"]["score_calls"], profile["permissions"]["delete_calls"]) == (True, False)
    assert {"forecast_permissions", "usage_access", "insights_access"}.isdisjoint(profile)


def test_the_three_forecasts_are_one_member_of_gongs(deploy: Deploy) -> None:
    profile = run(deploy).one("PermissionProfile", "sales").inputs
    assert profile["forecast_permissions"] == {
        "forecast_access": {"permission_level": "own"},
        "forecast_edit_submissions": {"permission_level": "own"},
        "forecast_edit_targets": {"permission_level": "none"},
    }


def test_members_and_managers_refer_to_users_wherever_they_stand(deploy: Deploy) -> None:
    wanted = settings()
    wanted["users"] = {"seller": {"email": "seller@payready.com", "manager": "sales-lead"}, **wanted["users"]}
    wanted["profiles"]["sales"]["members"] = ["seller"]
    deployment = run(deploy, users=wanted["users"], profiles=wanted["profiles"])
    assert deployment.one("User", "seller").inputs["manager"] == "id-of-sales-lead"
    member = deployment.one("ProfileMember", "sales.seller").inputs
    assert (member["profile"], member["email"]) == ("id-of-sales", "seller@payready.com")


def test_a_crm_integration_is_only_expected(deploy: Deploy) -> None:
    crm = {"name": "Entrata", "owner_email": "automation@payready.com"}
    found = run(deploy, crm_integration=crm).one("CrmIntegration").inputs
    assert {name: found[name] for name in (*crm, "adopt")} == {**crm, "adopt": True}


def changed(path: str, value: Any) -> dict[str, Any]:
    wanted = copy.deepcopy(settings())
    *parents, last = path.split("/")
    place: Any = wanted
    for name in parents:
        place = place[name]
    place[last] = value
    return wanted


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("trackers/elise/workspace", "mian", 'no workspace "mian" is declared (did you mean "main"?)'),
        ("trackers/elise/name", "Pricing", "is that of trackers.elise"),
        ("trackers/elise/affiliation", "Them", "NonCompany"),
        ("trackers/elise/keywords", {"en": ["Elise"]}, "ISO 639-2/B"),
        ("trackers/elise/said_at_interval", 5, "goes with `said_at: First` or `Last`"),
        ("users/executive/email", "ceo", "must be the address of a user of Gong"),
        ("users/executive/email", "sales@payready.com", "is that of users.sales-lead"),
        ("users/executive/manager", "nobody", 'no user "nobody" is declared'),
        ("users/executive/manager", "executive", "is the user's own key"),
        ("profiles/sales/workspace", "prod", 'no workspace "prod" is declared'),
        ("profiles/sales/allow", ["score_call"], "score_calls"),
        ("profiles/sales/allow", ["delete_calls"], "delete_calls is allowed as well"),
        ("profiles/sales/members", ["someone"], 'no user "someone" is declared'),
        ("profiles/sales/access/calls", {"level": "everything"}, "managers-team"),
        (
            "profiles/sales/access/calls",
            {"level": "own", "team_leads": ["executive"]},
            "goes with `level: managers-team`",
        ),
        ("profiles/sales/access/calls/team_leads", ["lead"], 'no user "lead" is declared'),
        ("profiles/sales/library", {"level": "specific-folders"}, "goes with `level: specific-folders`"),
        ("profiles/sales/library", {"level": "none", "manage_streams": False}, "cannot stand beside `level: none`"),
        ("profiles/sales/library/folders", ["example"], 'no library folder "example" is declared'),
        ("webhook_rules/calls/address", "http://agents.payready.com/x", "must be an https address with a path"),
        ("webhook_rules/calls/address", "https://agents.payready.com/x", "was sent to another address"),
        ("webhook_rules/calls/public_key_proof/header", "a.b", "must be one of the three parts of the token"),
        ("webhook_rules/calls/public_key_proof/body", "{}", "has another body than the one that was signed"),
        ("webhook_rules/calls/public_key", "not a key", "is no public key"),
    ],
)
def test_a_mistake_in_the_settings_is_told(path: str, value: Any, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        GongSettings.model_validate(changed(path, value))
    assert said in str(caught.value)


def test_a_library_folder_is_of_the_profiles_own_workspace() -> None:
    wanted = changed("workspaces/other", {"name": "Other"})
    wanted["folders"]["examples"]["workspace"] = "other"
    with pytest.raises(ValidationError, match="is in other, and the profile in main"):
        GongSettings.model_validate(wanted)


def test_nobody_is_their_own_manager_by_a_detour() -> None:
    wanted = changed("users/executive/manager", "compliance")
    wanted["users"]["compliance"]["manager"] = "executive"
    with pytest.raises(ValidationError, match="leads back to the user in a circle"):
        GongSettings.model_validate(wanted)


@cache
def rule(which: str = "ours") -> rsa.RSAPrivateKey:
    """Gong's half of a rule's key pair."""
    return rsa.generate_private_key(public_exponent=65537, key_size=1024 if which == "short" else 2048)


def shown(key: Any) -> str:
    """The public half as Gong's page shows it."""
    der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def token(key: rsa.RSAPrivateKey, algorithm: str = "RS256", **claims: Any) -> str:
    given = {"webhook_url": ADDRESS, "body_sha256": hashlib.sha256(BODY).hexdigest(), "exp": EXPIRES, **claims}
    parts = [json.dumps(part).encode() for part in ({"alg": algorithm, "typ": "JWT"}, given)]
    signed = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    signature = key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    return f"{signed.decode()}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def recorded(key: rsa.RSAPrivateKey) -> dict[str, str]:
    """A delivery as the settings record it."""
    header, claims, signature = token(key).split(".")
    return {"header": header, "claims": claims, "signature": signature, "body": BODY.decode()}


@pytest.mark.parametrize("scheme", ["", "Bearer "])
def test_what_gong_has_signed_is_believed(scheme: str) -> None:
    key = public_key(shown(rule()))
    assert pem(public_key(pem(key))) == pem(key), "PEM or what the page shows, it is the same key"
    claims = verify(scheme + token(rule()), BODY, address=ADDRESS, key=key, now=EXPIRES - 1)
    assert claims["webhook_url"] == ADDRESS


@pytest.mark.parametrize(
    ("authorization", "body", "now", "said"),
    [
        (lambda: token(rule("another")), BODY, 0, "is not signed with this rule's key"),
        (lambda: token(rule(), webhook_url="https://evil.example/gong"), BODY, 0, "was sent to another address"),
        (lambda: token(rule()), BODY + b" ", 0, "has another body"),
        (lambda: token(rule(), body_sha256=None), BODY, 0, "has another body"),
        (lambda: token(rule()), BODY, EXPIRES, "has expired"),
        (lambda: token(rule(), exp=None), BODY, 0, "does not say when it expires"),
        (lambda: token(rule(), "none"), BODY, 0, "is not signed with RS256"),
        (lambda: token(rule(), "HS256"), BODY, 0, "is not signed with RS256"),
        (lambda: token(rule()).rpartition(".")[0] + ".", BODY, 0, "is not signed with this rule's key"),
        (lambda: "", BODY, 0, "has no signed token"),
        (lambda: "a.b", BODY, 0, "has no signed token"),
        (lambda: "W10.W10.W10", BODY, 0, "has no signed token"),
        (lambda: "Basic dXNlcjpwYXNz", BODY, 0, "has no signed token"),
    ],
)
def test_what_gong_has_not_sent_is_not_believed(
    authorization: Callable[[], str], body: bytes, now: float, said: str
) -> None:
    with pytest.raises(WebhookError, match=said):
        verify(authorization(), body, address=ADDRESS, key=public_key(shown(rule())), now=now)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (lambda: shown(rule("short")), "has 1024 bits"),
        (lambda: shown(ec.generate_private_key(ec.SECP256R1())), "is no RSA key"),
        (lambda: "QUJD", "is no public key"),
        (lambda: "-----BEGIN PUBLIC KEY-----\nQUJD\n-----END PUBLIC KEY-----", "is no public key"),
        (
            lambda: (
                rule()
                .private_bytes(
                    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
                )
                .decode()
            ),
            "is a private key, which nobody but Gong should have",
        ),
    ],
)
def test_a_key_that_cannot_be_the_rules_is_refused_and_not_shown(text: Callable[[], str], said: str) -> None:
    given = text()
    with pytest.raises(ValidationError) as caught:
        GongSettings.model_validate(changed("webhook_rules/calls/public_key", given))
    (told,) = [str(error["msg"]) for error in caught.value.errors(include_url=False)]
    assert said in told
    assert given[-40:] not in told


def test_a_proof_of_another_rule_is_a_mistake() -> None:
    calls = {"rule": "Calls", "address": ADDRESS, "public_key": shown(rule())}
    good = {**calls, "public_key_proof": recorded(rule())}
    assert GongSettings.model_validate({"webhook_rules": {"calls": good}}).webhook_rules["calls"].public_key_proof
    bad = {**calls, "public_key_proof": recorded(rule("another"))}
    with pytest.raises(ValidationError, match="is not signed with this rule's key: record the rule's public key"):
        GongSettings.model_validate({"webhook_rules": {"calls": bad}})


def kind(name: str) -> str:
    return f"pulumi-python:dynamic/gong:{name}"


def answered(probe: str, answer: Any, *resources: Resource, **given: Any) -> Any:
    (found,) = [one for one in HEALTH.probes if one.proves == probe]
    response = httpx.Response(200, json=answer, request=httpx.Request("GET", "https://gong.test"))
    subject = Subject(settings=given, resources=resources)
    assert found.needed(subject)
    return found.read(Answer(response, subject)).problems


def test_health_tells_of_a_workspace_that_the_key_does_not_see() -> None:
    seen = {"workspaces": [{"id": "1", "name": "Pay Ready"}]}
    assert answered("key and workspaces", seen, workspaces={"main": {"name": "Pay Ready"}}) == ()
    (problem,) = answered("key and workspaces", seen, workspaces={"main": {"name": "Pay Redy"}})
    assert (problem.setting, problem.verdict) == ("sophia-ai:gong.workspaces.main", "failing")
    assert "the key sees Pay Ready" in problem.said


def test_health_tells_of_people_and_things_that_are_gone() -> None:
    active = {"email": "ada@payready.com", "active": True}
    users = [Resource(kind("User"), f"user-{id_}", id_, None, active) for id_ in "123"]
    told = answered("users", {"users": [{"id": "1", "active": True}, {"id": "2", "active": False}]}, *users)
    assert [problem.said for problem in told] == [
        "ada@payready.com is not active any more",
        "ada@payready.com is not there any more",
    ]
    tracker = Resource(kind("Tracker"), "elise", "9", None, {"name": "EliseAI"})
    (gone,) = answered("trackers", {"keywordTrackers": []}, tracker)
    assert ("EliseAI is not there" in gone.said, gone.verdict) == (True, "degraded")
    card = Resource(kind("Scorecard"), "discovery", "6123000000000041001", None, {"name": "Discovery"})
    assert answered("scorecards", {"scorecards": [{"scorecardId": 6123000000000041001}]}, card) == ()


def test_health_looks_at_the_profiles_of_the_workspace_that_it_asks() -> None:
    workspace = Resource(kind("Workspace"), "main", "1", None, {})
    ours = Resource(kind("PermissionProfile"), "sales", "61", None, {"workspace": "1"})
    elsewhere = Resource(kind("PermissionProfile"), "other", "62", None, {"workspace": "2"})
    (problem,) = answered("permission profiles", {"profiles": []}, workspace, ours, elsewhere)
    assert "the permission profile sales is not there any more" in problem.said


def test_a_refusal_tells_how_long_and_whose_limit_it_is() -> None:
    answer = {"requestId": "4al018gzaztcr8nbukw", "errors": ["Limit exceeded"]}
    request = httpx.Request("GET", "https://gong.test")
    short = httpx.Response(429, json=answer, headers={"Retry-After": "1"}, request=request)
    assert GONG.said(short) == "Limit exceeded (request 4al018gzaztcr8nbukw)"
    of_the_day = httpx.Response(429, json=answer, headers={"Retry-After": "39960"}, request=request)
    assert "Gong takes the next request in 11 h 6 min" in GONG.said(of_the_day)

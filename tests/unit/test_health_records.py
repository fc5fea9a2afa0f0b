"""Credential records: how old a key is, how that is known, when it is due; and what of health is told as an alert."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from health import declared
from health.asking import Client
from health.base import Cloud, Known, Resource, Subject
from health.checking import Check
from health.records import Record, records
from health.revisions import unchanged_since
from health.tokens import fingerprint
from sandbox.official.api.snowflake_key import private_key, public_key
from sophia import alerts
from sophia.alerts import WELL, Change, Fact
from sophia.credentials import Credentials
from sophia.credentials import Record as Told
from sophia.display import health as display

ENVIRONMENT = "sophia-ai/credentials-dev"
HISTORY = {
    4: {"SLACK_BOT_TOKEN": "b", "SLACK_CONFIG_TOKEN": "new", "GITHUB_TOKEN": "g"},
    3: {"SLACK_BOT_TOKEN": "b", "SLACK_CONFIG_TOKEN": "old", "GITHUB_TOKEN": "g"},
    2: {"SLACK_BOT_TOKEN": "b", "SLACK_CONFIG_TOKEN": "old"},
    1: {"SLACK_BOT_TOKEN": "a"},
}
"""The values of each revision; revision N was made on the Nth of January 2026."""


@pytest.fixture
def cloud(listen: Callable[[ASGIApp], str]) -> Cloud:
    """A Pulumi Cloud that has the history."""

    def answer(request: Request) -> Response:
        number = request.path_params.get("number")
        if number is None:
            return JSONResponse([{"number": n, "created": f"2026-01-0{n}T00:00:00.000Z"} for n in HISTORY])
        values = {name: {"fn::secret": value} for name, value in HISTORY[number].items()}
        return PlainTextResponse(yaml.safe_dump({"values": {"environmentVariables": values}}))

    path = f"/api/esc/environments/scoobyjava-org/{ENVIRONMENT}/versions"
    routes = [Route(path, answer), Route(path + "/{number:int}/decrypt", answer)]
    return Cloud(listen(Starlette(routes=routes)), "scoobyjava-org", "token", ENVIRONMENT)


def asking(cloud: Cloud) -> Client:
    service = declared.all_of_them()["pulumi"].service
    assert service
    return Client(service, Subject(cloud=cloud), time.monotonic() + 10)


def test_since_when_a_value_is_what_it_is(cloud: Cloud) -> None:
    since = unchanged_since(asking(cloud), ENVIRONMENT)
    assert {name: (one.revision, one.made) for name, one in since.items()} == {
        "SLACK_BOT_TOKEN": (2, "2026-01-02T00:00:00Z"),
        "SLACK_CONFIG_TOKEN": (4, "2026-01-04T00:00:00Z"),
        "GITHUB_TOKEN": (3, "2026-01-03T00:00:00Z"),
    }


def found(cloud: Cloud, checks: Mapping[str, Check], *platforms: str) -> dict[str, Record]:
    everything = declared.all_of_them()
    given = [(everything[name], Subject(cloud=cloud)) for name in ("pulumi", *platforms)]
    made, remarks = records(given, checks, 10)
    assert remarks == []
    return {record.name: record for record in made}


def test_a_persons_key_is_as_old_as_its_vendor_tells_or_at_least_as_long_in_esc(cloud: Cloud) -> None:
    told = Known(True, made="2025-12-01T00:00:00Z", expires="2026-02-01T00:00:00Z")
    checks = {
        "slack": Check("slack", "Slack", known={"SLACK_BOT_TOKEN": Known(False, said="invalid_auth")}),
        "vercel": Check("vercel", "Vercel", known={"VERCEL_API_TOKEN": told}),
    }
    by_name = found(cloud, checks, "slack", "vercel", "linear")
    bot = by_name["SLACK_BOT_TOKEN"]
    assert (bot.holder, bot.known.made, bot.at_least) == ("person", "2026-01-02T00:00:00Z", True)
    assert bot.basis == "unchanged in ESC since revision 2"
    assert bot.due == "2026-04-02T00:00:00Z"
    assert bot.known.authenticates is False
    vercel = by_name["VERCEL_API_TOKEN"]
    assert (vercel.basis, vercel.at_least, vercel.due) == ("Vercel tells", False, "2026-02-01T00:00:00Z")
    unknown = by_name["LINEAR_API_KEY"]
    assert (unknown.known.made, unknown.due, unknown.known.authenticates) == (None, None, None)
    assert unknown.basis == "not known"


def test_a_key_that_lasts_hours_is_due_in_hours(cloud: Cloud) -> None:
    assert found(cloud, {}, "slack")["SLACK_CONFIG_TOKEN"].due == "2026-01-04T12:00:00Z"


def test_a_history_that_cannot_be_read_is_remarked(cloud: Cloud) -> None:
    elsewhere = Cloud(cloud.backend, "another", "token", ENVIRONMENT)
    everything = declared.all_of_them()
    given = [(everything[name], Subject(cloud=elsewhere)) for name in ("pulumi", "vercel")]
    made, remarks = records(given, {}, 10)
    assert [record.known.made for record in made] == [None, None]
    assert "cannot be read" in remarks[0]


@pytest.fixture
def platform(listen: Callable[[ASGIApp], str]) -> Callable[[Callable[[str, Any], Any]], str]:
    """An address at which ``answer(path, body)`` gives the JSON, or None for a 404."""

    def serve(answer: Callable[[str, Any], Any]) -> str:
        async def endpoint(request: Request) -> Response:
            body = await request.json() if request.method == "POST" else None
            document = answer(request.url.path, body)
            gone = {"message": "gone", "error": {"message": "gone"}}
            return JSONResponse(gone, 404) if document is None else JSONResponse(document)

        return listen(Starlette(routes=[Route("/{path:path}", endpoint, methods=["GET", "POST"])]))

    return serve


CREATED = "2026-05-01T10:00:00Z"


def minted(name: str, *resources: Resource) -> list[Record]:
    made, _ = records([(declared.all_of_them()[name], Subject(resources=resources))], {}, 10)
    return [record for record in made if record.holder == "program"]


def test_keys_of_openrouter_are_asked_for_by_their_hash(
    platform: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {
        "good": {"created_at": "2026-04-01T00:00:00Z", "disabled": False},
        "off": {"disabled": True},
        "old": {"disabled": False, "expires_at": "2020-01-01T00:00:00Z"},
    }
    url = platform(lambda path, _: {"data": keys[hash_]} if (hash_ := path.rpartition("/")[2]) in keys else None)
    monkeypatch.setenv("OPENROUTER_BASE_URL", url)
    monkeypatch.setenv("OPENROUTER_MANAGEMENT_KEY", "key")
    type_ = "pulumi-python:dynamic/openrouter:ApiKey"
    made = minted("openrouter", *(Resource(type_, name, name, CREATED, {}) for name in (*keys, "gone")))
    told = {record.name: (record.known.authenticates, record.known.made, record.known.said) for record in made}
    assert told == {
        "API key good": (True, "2026-04-01T00:00:00Z", ""),
        "API key off": (False, CREATED, "it is disabled"),
        "API key old": (False, CREATED, "it has expired"),
        "API key gone": (False, CREATED, "it is not there any more"),
    }
    assert made[0].basis == "OpenRouter tells"
    assert made[1].basis == "in the state since then"
    assert all(record.by_api for record in made)


def test_key_pairs_of_snowflake_are_compared_with_the_fingerprints_of_their_users(
    platform: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = public_key()
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    body = base64.b64encode(der).decode()
    shown = {"HERE": fingerprint(key), "ELSEWHERE": "SHA256:another"}

    def describe(_path: str, sent: Any) -> Any:
        user = sent["statement"].partition('"')[2].rstrip('"')
        return {"data": [["RSA_PUBLIC_KEY_FP", shown[user], None, ""]]} if user in shown else None

    monkeypatch.setenv("SNOWFLAKE_API_URL", platform(describe))
    for name, value in {
        "SNOWFLAKE_ORGANIZATION_NAME": "PAY",
        "SNOWFLAKE_ACCOUNT_NAME": "ZNB04675",
        "SNOWFLAKE_USER": "SCOOBYJAVA15",
        "SNOWFLAKE_ROLE": "ACCOUNTADMIN",
        "SNOWFLAKE_PRIVATE_KEY": private_key(),
    }.items():
        monkeypatch.setenv(name, value)

    def pair(name: str, user: str) -> Iterator[Resource]:
        # A body of base64 is the same with another end of line: each user's key is told apart.
        public = body + "\n" * len(name)
        yield Resource("pulumi-python:dynamic/rsa:KeyPair", name, name, CREATED, {"public_key": public})
        yield Resource(
            "snowflake:index/serviceUser:ServiceUser", name, user, CREATED, {"name": user, "rsaPublicKey": public}
        )

    resources = [*pair("a", "HERE"), *pair("bb", "ELSEWHERE"), *pair("ccc", "GONE")]
    told = {record.name.rpartition(" ")[2]: record.known for record in minted("snowflake", *resources)}
    assert {name: known.authenticates for name, known in told.items()} == {"a": True, "bb": False, "ccc": False}
    assert "has another key" in told["bb"].said


NOW = datetime(2026, 6, 1, tzinfo=UTC)


def record(name: str, age: int | None, authenticates: bool | None = True) -> Told:
    made = NOW - timedelta(days=age) if age is not None else None
    due = made + timedelta(days=90) if made else None
    return Told(
        name, "slack", "Slack", "person", "its page", made, True, "known somehow", None, due, authenticates,
        "" if authenticates else "invalid_auth", "by hand", False,
    )  # fmt: skip


def test_what_is_overdue_due_soon_and_refused() -> None:
    all_of = [
        record("OLD", 91),
        record("SOON", 80),
        record("NEW", 1),
        record("UNKNOWN", None),
        record("DEAD", 2, False),
    ]
    credentials = Credentials("dev", tuple(all_of), NOW, ())
    assert [one.name for one in credentials.overdue] == ["OLD"]
    assert [one.name for one in credentials.due_within(timedelta(days=15))] == ["OLD", "SOON"]
    assert [one.name for one in credentials.refused] == ["DEAD"]
    facts = {fact.name: fact.state for fact in credentials.facts}
    assert facts == {"OLD": "overdue", "SOON": WELL, "NEW": WELL, "UNKNOWN": WELL, "DEAD": "refused"}
    lines = [line.plain for line in display.credentials(credentials, timedelta(0))]
    assert [line.split()[0] for line in lines] == ["credential", "DEAD", "OLD", "SOON", "NEW", "UNKNOWN"]
    assert "at least 91 d" in lines[2]
    assert "not known" in lines[5]
    advice = "\n".join(line.plain for line in display.credential_advice(credentials, timedelta(0)))
    assert "DEAD does not work any more: invalid_auth" in advice
    assert "OLD is due on 2026-05-31" in advice
    assert "rotated" not in advice


def facts(**states: str) -> list[Fact]:
    return [Fact(name, name.title(), state, "why", "do") for name, state in states.items()]


def test_only_what_has_changed_is_told() -> None:
    noted = alerts.noting(facts(airbyte="failing", slack=WELL, vercel="degraded"))
    assert noted == "airbyte:failing vercel:degraded"
    assert alerts.changes(noted, facts(airbyte="failing", slack=WELL, vercel="degraded")) == []
    changed = alerts.changes(noted, facts(airbyte=WELL, slack="failing", vercel="degraded"))
    assert [str(change) for change in changed] == [
        "Airbyte is well again (was failing)",
        "Slack is failing (was well): why",
    ]
    assert alerts.changes(WELL, facts(airbyte=WELL)) == []


def test_more_than_a_tag_holds_is_noted_as_a_digest() -> None:
    many = facts(**{f"a_credential_with_a_long_name_{n}": "overdue" for n in range(20)})
    noted = alerts.noting(many)
    assert len(noted) < 256
    assert alerts.changes(noted, many) == []
    many[0] = Fact(many[0].name, many[0].title, WELL)
    assert alerts.changes(noted, many) == [Change(fact, "") for fact in many[1:]]

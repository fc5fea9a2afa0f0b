"""The Estuary emulator's encryption of connectors' configurations, and what becomes of them at a publication."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from sandbox.estuary import PLATFORM
from tests.contract.estuary_calls import (
    CAPTURE,
    POSTGRES,
    Json,
    bundle,
    capture,
    control,
    draft_of,
    live,
    publish,
    refused,
    tables,
)

IMAGE = "ghcr.io/estuary/source-postgres:v3"
SCHEMA: Json = {
    "type": "object",
    "properties": {
        "plain": {"type": "string"},
        "token": {"type": "string", "secret": True},
        "number": {"type": "integer", "airbyte_secret": True},
        "inner": {"$ref": "#/$defs/inner"},
        "many": {"type": "array", "items": {"properties": {"key": {"type": "string", "secret": True}}}},
    },
    "$defs": {"inner": {"properties": {"password": {"type": "string", "secret": True}}}},
}


@pytest.fixture
def emulator(serve: Callable[[Any], Any]) -> Any:
    return serve(PLATFORM)


@pytest.fixture
def rest(emulator: Any) -> Iterator[httpx.Client]:
    with tables(emulator) as client:
        yield client


def encrypt(emulator: Any, schema: Any, config: Any) -> httpx.Response:
    url = emulator.credentials["ESTUARY_ENCRYPTION_URL"]
    return httpx.post(f"{url}/v1/encrypt-config", json={"schema": schema, "config": config})


def encrypted_postgres(emulator: Any) -> Json:
    query = f'{{ connectorSpec(fullImageName: "{IMAGE}") {{ endpointSpecSchema }} }}'
    with control(emulator) as api:
        schema = api.post("/api/graphql", json={"query": query}).json()["data"]["connectorSpec"]["endpointSpecSchema"]
    config: Json = encrypt(emulator, schema, POSTGRES).raise_for_status().json()
    return config


def using(config: Json) -> dict[str, Json]:
    return bundle() | {CAPTURE: capture(endpoint={"connector": {"image": IMAGE, "config": config}})}


def test_secrets_get_a_suffix_and_are_encrypted_and_nothing_else_is(emulator: Any) -> None:
    config = {"plain": "a", "token": "b", "number": 5, "inner": {"password": "c"}, "many": [{"key": "d"}]}
    sealed = encrypt(emulator, SCHEMA, config).json()
    assert sealed["plain"] == "a"
    assert set(sealed) == {"plain", "inner", "many", "token_sops", "number_sops", "sops"}
    secrets = [
        sealed["token_sops"],
        sealed["number_sops"],
        sealed["inner"]["password_sops"],
        sealed["many"][0]["key_sops"],
    ]
    assert all(secret.startswith("ENC[AES256_GCM,data:") for secret in secrets)
    assert sealed["number_sops"].endswith("type:int]")
    assert sealed["sops"]["encrypted_suffix"] == "_sops"


def test_the_same_secret_is_another_ciphertext_each_time(emulator: Any) -> None:
    first, second = (encrypt(emulator, SCHEMA, {"token": "b"}).json()["token_sops"] for _ in range(2))
    assert first != second


def test_a_configuration_that_does_not_fit_is_refused_and_not_repeated(emulator: Any) -> None:
    answered = encrypt(emulator, SCHEMA, {"token": "secret-value", "number": "secret-number"})
    assert answered.status_code == 400
    assert answered.json()["error"] == "FailedValidation"
    assert answered.json()["details"]["basic_output"]["errors"][0]["instanceLocation"] == "/number"
    assert "secret-" not in answered.text
    assert encrypt(emulator, {"type": 5}, {}).json()["error"] == "SchemaBuild"
    url = emulator.credentials["ESTUARY_ENCRYPTION_URL"]
    assert httpx.post(f"{url}/v1/encrypt-config", json={"config": {}}).status_code == 400


def test_an_encrypted_configuration_is_published_and_stays_encrypted(emulator: Any, rest: httpx.Client) -> None:
    config = encrypted_postgres(emulator)
    assert publish(rest, draft_of(rest, using(config)))["job_status"] == {"type": "success"}
    assert live(rest, CAPTURE)["spec"]["endpoint"]["connector"]["config"] == config
    assert list(live(rest, CAPTURE)["spec"]["endpoint"]["connector"]["config"]) == list(config)
    stored = str(emulator.app.state.stores("estuary").get("live_spec", CAPTURE))
    assert "in-clear" not in stored


def test_a_configuration_in_clear_is_taken_as_it_is(rest: httpx.Client) -> None:
    assert publish(rest, draft_of(rest, using(POSTGRES)))["job_status"] == {"type": "success"}
    assert "in-clear" in str(live(rest, CAPTURE)["spec"])


@pytest.mark.parametrize(
    "tamper",
    [
        lambda config: config | {"address": "elsewhere:5432"},
        lambda config: dict(sorted(config.items(), reverse=True)),
        lambda config: config | {"credentials": config["credentials"] | {"password_sops": "ENC[AES256_GCM,broken]"}},
        lambda config: config | {"sops": {}},
    ],
    ids=["changed", "reordered", "damaged", "without a MAC"],
)
def test_an_encrypted_configuration_that_was_changed_cannot_be_published(
    emulator: Any, rest: httpx.Client, tamper: Callable[[Json], Json]
) -> None:
    [(scope, detail)] = refused(rest, using(tamper(encrypted_postgres(emulator))))
    assert scope == f"flow://capture/{CAPTURE}"
    assert "error decrypting the endpoint config" in detail


def test_what_was_encrypted_is_checked_as_it_was(emulator: Any, rest: httpx.Client) -> None:
    lacking = encrypt(emulator, {"type": "object"}, {"address": "db:5432"}).json()
    found = refused(rest, using(lacking))
    assert any("'credentials' is a required property" in detail for _, detail in found)


def test_a_disabled_capture_is_not_started(rest: httpx.Client) -> None:
    endpoint = {"connector": {"image": IMAGE, "config": {}}}
    specs = bundle() | {CAPTURE: capture(endpoint=endpoint, shards={"disable": True})}
    assert publish(rest, draft_of(rest, specs))["job_status"] == {"type": "success"}

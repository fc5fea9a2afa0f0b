"""A catalog of Estuary's as the tests publish it, and the calls with which Estuary's own clients do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

Json = dict[str, Any]

ZERO = "00:00:00:00:00:00:00:00"
PLANE = "ops/dp/public/aws-us-east-1-c1"
CAPTURE, COLLECTION, SINK = "sophia-ai/sophia-postgres-cdc", "sophia-ai/conversations", "sophia-ai/snowflake"
POSTGRES: Json = {
    "address": "db.internal:5432",
    "database": "sophia",
    "user": "flow_capture",
    "credentials": {"auth_type": "UserPassword", "password": "in-clear"},
}
SNOWFLAKE: Json = {
    "host": "acme-one.snowflakecomputing.com",
    "database": "SOPHIA",
    "schema": "RAW",
    "timestamp_type": "TIMESTAMP_LTZ",
    "credentials": {"auth_type": "jwt", "user": "ESTUARY", "private_key": "in-clear"},
}


def control(emulator: Any) -> httpx.Client:
    """The control plane's own API, with the key as the bearer."""
    return httpx.Client(base_url=emulator.url, headers=bearer(emulator.credentials["FLOW_API_KEY"]))


def tables(emulator: Any, token: str | None = None) -> httpx.Client:
    """The tables, with an access token."""
    headers = {
        "apikey": emulator.credentials["ESTUARY_PUBLIC_TOKEN"],
        "Prefer": "return=representation",
        **bearer(token or access_token(emulator)),
    }
    return httpx.Client(base_url=emulator.credentials["ESTUARY_REST_URL"], headers=headers)


def queue(emulator: Any, **members: Any) -> None:
    """How the sandbox is asked for publications that take long, or end badly."""
    store = emulator.app.state.stores("estuary")
    kept = store.get("publication_queue", "publications")
    store.put("publication_queue", "publications", kept | members)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def access_token(emulator: Any) -> str:
    grant = {"grant_type": "api_key", "api_key": emulator.credentials["FLOW_API_KEY"]}
    answered = httpx.post(f"{emulator.url}/api/v1/auth/token", json=grant)
    assert answered.status_code == 200, answered.text
    assert set(answered.json()) == {"access_token"}
    return str(answered.json()["access_token"])


def capture(**changes: Any) -> Json:
    connector = {"image": "ghcr.io/estuary/source-postgres:v3", "config": dict(POSTGRES)}
    resource = {"namespace": "public", "stream": "conversations"}
    spec = {"endpoint": {"connector": connector}, "bindings": [{"resource": resource, "target": COLLECTION}]}
    return {"type": "capture", "spec": spec | changes}


def collection(**changes: Any) -> Json:
    properties = {"id": {"type": "string"}, "text": {"type": ["string", "null"]}, "score": {"type": "number"}}
    schema = {"type": "object", "properties": properties, "required": ["id"]}
    return {"type": "collection", "spec": {"schema": schema, "key": ["/id"]} | changes}


def materialization(**changes: Any) -> Json:
    connector = {"image": "ghcr.io/estuary/materialize-snowflake:v4", "config": dict(SNOWFLAKE)}
    binding = {"source": COLLECTION, "resource": {"table": "CONVERSATIONS"}}
    return {"type": "materialization", "spec": {"endpoint": {"connector": connector}, "bindings": [binding]} | changes}


def bundle() -> dict[str, Json]:
    return {CAPTURE: capture(), COLLECTION: collection(), SINK: materialization()}


def draft_of(rest: httpx.Client, specs: Mapping[str, Json | None], expect: str | None = None) -> str:
    """A draft with these specifications (``None`` deletes), and its id."""
    draft = rest.post("/drafts", json={"detail": "from a test"}).json()[0]["id"]
    rows = [
        {
            "draft_id": draft,
            "catalog_name": name,
            "spec_type": spec and spec["type"],
            "spec": spec and spec["spec"],
            "expect_pub_id": expect,
        }
        for name, spec in specs.items()
    ]
    upserted = rest.post("/draft_specs", json=rows, params={"on_conflict": "draft_id,catalog_name"})
    assert upserted.status_code == 201, upserted.text
    return str(draft)


def publish(rest: httpx.Client, draft: str, **more: Any) -> Json:
    """The publication's row when it has ended; it is queued at first."""
    made = rest.post("/publications", json={"draft_id": draft, "data_plane_name": PLANE, "detail": "test", **more})
    assert made.status_code == 201, made.text
    polled = {"id": f"eq.{made.json()[0]['id']}"}
    assert rest.get("/publications", params=polled).json()[0]["job_status"] == {"type": "queued"}
    row: Json = rest.get("/publications", params=polled).json()[0]
    return row


def live(rest: httpx.Client, name: str) -> Json:
    rows = rest.get("/live_specs_ext", params={"catalog_name": f"eq.{name}"}).json()
    row: Json = rows[0]
    return row


def errors(rest: httpx.Client, draft: str) -> list[tuple[str, str]]:
    rows = rest.get("/draft_errors", params={"draft_id": f"eq.{draft}", "select": "scope,detail"}).json()
    return [(row["scope"], row["detail"]) for row in rows]


def refused(rest: httpx.Client, specs: Mapping[str, Json | None]) -> list[tuple[str, str]]:
    """What is wrong with a draft that the build refuses."""
    draft = draft_of(rest, specs)
    ended = publish(rest, draft)
    assert ended["job_status"]["type"] == "buildFailed", ended
    return errors(rest, draft)

"""The Estuary emulator's GraphQL, held against the vendor's schema: what it takes, and what it answers."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import GraphQLObjectType, GraphQLSchema, build_schema, execute_sync, parse, validate

from sandbox.estuary import PLATFORM
from sandbox.estuary.graphql_api import SCHEMA
from tests.contract.estuary_calls import (
    CAPTURE,
    COLLECTION,
    SINK,
    Json,
    bearer,
    bundle,
    control,
    draft_of,
    publish,
    tables,
)

_SPECS = Path(os.environ.get("SOPHIA_SPECS", Path(__file__).parents[3] / "shared" / "specs"))
_ACCOUNT = """
catalogName createdAt createdByEmail lastUsedAt grants { prefix capability detail createdAt updatedAt }
apiKeys { id detail createdAt createdByEmail expiresAt lastUsedAt }
"""
_MAPPING = "catalogPrefix detail spec userCapability"
_SUBSCRIPTION = "catalogPrefix email destination alertTypes detail createdAt updatedAt"
_PAGE = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
STORAGE = {"stores": [{"provider": "S3", "bucket": "acme"}], "data_planes": ["ops/dp/public/aws-us-east-1-c1"]}

Ask = Callable[..., Json]


@pytest.fixture(scope="session")
def vendor() -> GraphQLSchema:
    path = _SPECS / "estuary" / "estuary_control_plane.graphql"
    if not path.is_file():
        pytest.skip(f"THE VENDOR'S SPECIFICATION IS ABSENT, NOTHING IS CHECKED: {path} (SOPHIA_SPECS says where)")
    return build_schema(path.read_text())


@pytest.fixture
def emulator(serve: Callable[[Any], Any]) -> Any:
    return serve(PLATFORM)


@pytest.fixture
def rest(emulator: Any) -> Iterator[httpx.Client]:
    with tables(emulator) as client:
        yield client


@pytest.fixture
def ask(emulator: Any, vendor: GraphQLSchema) -> Iterator[Ask]:
    """Asks the emulator; every document and every answer is held against the vendor's schema."""
    with control(emulator) as api:

        def asked(query: str, **variables: Any) -> Json:
            assert validate(vendor, parse(query)) == []
            answered = api.post("/api/graphql", json={"query": query, "variables": variables})
            assert answered.status_code == 200, answered.text
            document: Json = answered.json()
            if "errors" not in document:
                again = execute_sync(vendor, parse(query), document["data"], variable_values=variables)
                assert (again.errors, again.data) == (None, document["data"])
            return document

        yield asked


def refusal(document: Json) -> str:
    return str(document["errors"][0]["message"])


def nodes(connection: Json) -> list[Json]:
    return [edge["node"] for edge in connection["edges"]]


def create_account(ask: Ask, name: str = "sophia-ai/ci", prefix: str = "sophia-ai/") -> Json:
    query = f"""
    mutation ($name: Name!, $grants: [UserGrantInput!]!) {{
      createServiceAccount(catalogName: $name, grants: $grants) {{ {_ACCOUNT} }}
    }}
    """
    return ask(query, name=name, grants=[{"prefix": prefix, "capability": "admin"}])


def create_key(ask: Ask, valid_for: str = "P90D", name: str = "sophia-ai/ci") -> Json:
    query = f"""
    mutation ($name: Name!, $validFor: String!) {{
      createApiKey(catalogName: $name, detail: "from a test", validFor: $validFor) {{
        id secret serviceAccount {{ {_ACCOUNT} }}
      }}
    }}
    """
    return ask(query, name=name, validFor=valid_for)


def declared(schema: GraphQLSchema, name: str) -> Json:
    """A type's members: fields with their types and arguments, or the values of an enumeration."""
    found: Any = schema.type_map[name]
    fields = {
        field: (str(member.type), {n: str(a.type) for n, a in getattr(member, "args", {}).items()})
        for field, member in getattr(found, "fields", {}).items()
    }
    return {**fields, **dict.fromkeys(getattr(found, "values", {}))}


def test_every_type_and_argument_of_ours_is_the_vendors(vendor: GraphQLSchema) -> None:
    for name, ours in SCHEMA.type_map.items():
        assert type(vendor.type_map.get(name)) is type(ours), name
        theirs = declared(vendor, name)
        members = declared(SCHEMA, name)
        assert members == {member: theirs[member] for member in members}, name
        assert isinstance(ours, GraphQLObjectType) or set(members) == set(theirs), name


def test_an_account_is_made_once_and_its_grants_are_overwritten(ask: Ask) -> None:
    account = create_account(ask)["data"]["createServiceAccount"]
    assert [(g["prefix"], g["capability"]) for g in account["grants"]] == [("sophia-ai/", "admin")]
    assert account["createdByEmail"] == "sophia-ai/automation@service_accounts.estuary.dev"
    assert refusal(create_account(ask)) == "a service account already exists for catalog name 'sophia-ai/ci'"
    narrowed = ask(
        'mutation { addServiceAccountGrant(catalogName: "sophia-ai/ci", prefix: "sophia-ai/", capability: read) '
        "{ grants { prefix capability } } }"
    )
    assert narrowed["data"]["addServiceAccountGrant"]["grants"] == [{"prefix": "sophia-ai/", "capability": "read"}]
    removal = 'removeServiceAccountGrant(catalogName: "sophia-ai/ci", prefix: "sophia-ai/")'
    remove = f"mutation {{ {removal} {{ grants {{ prefix }} }} }}"
    for _ in range(2):
        assert ask(remove)["data"]["removeServiceAccountGrant"]["grants"] == []
    absent = ask('mutation { removeAllServiceAccountGrants(catalogName: "sophia-ai/nobody") { catalogName } }')
    assert refusal(absent) == "service account not found"


def test_what_one_may_not_grant_is_not_granted(ask: Ask) -> None:
    said = refusal(create_account(ask, prefix="other/"))
    assert said.startswith("PermissionDenied: sophia-ai/automation@service_accounts.estuary.dev is not authorized")
    assert "'other/'" in said
    assert refusal(create_account(ask, name="other/account")).startswith("PermissionDenied")


def test_a_minted_key_opens_the_api_until_it_is_revoked(ask: Ask, emulator: Any) -> None:
    create_account(ask)
    made = create_key(ask)["data"]["createApiKey"]
    pair = json.loads(base64.b64decode(made["secret"]))
    assert pair["id"] == made["id"]
    [shown] = made["serviceAccount"]["apiKeys"]
    expected = datetime.now(UTC) + timedelta(days=90)
    assert abs(datetime.fromisoformat(shown["expiresAt"]) - expected) < timedelta(minutes=5)
    assert pair["secret"] not in str(emulator.app.state.stores("estuary").all("api_key"))

    def opens() -> int:
        query = {"query": "{ alertTypes { alertType } }"}
        return httpx.post(f"{emulator.url}/api/graphql", json=query, headers=bearer(made["secret"])).status_code

    def exchanged() -> int:
        grant = {"grant_type": "refresh_token", "refresh_token_id": pair["id"], "secret": pair["secret"]}
        return httpx.post(f"{emulator.url}/api/v1/auth/token", json=grant).status_code

    assert (opens(), exchanged()) == (200, 200)
    for _ in range(2):
        revoked = ask("mutation ($id: Id!) { revokeApiKey(id: $id) { apiKeys { id } lastUsedAt } }", id=made["id"])
        assert revoked["data"]["revokeApiKey"]["apiKeys"] == []
    assert revoked["data"]["revokeApiKey"]["lastUsedAt"]
    assert (opens(), exchanged()) == (401, 401)
    unknown = ask('mutation { revokeApiKey(id: "0000000000000001") { catalogName } }')
    assert refusal(unknown) == "service account API key not found"


def test_all_keys_of_an_account_are_revoked_at_once(ask: Ask) -> None:
    create_account(ask)
    create_key(ask)
    assert len(create_key(ask)["data"]["createApiKey"]["serviceAccount"]["apiKeys"]) == 2
    answered = ask('mutation { revokeAllApiKeys(catalogName: "sophia-ai/ci") { apiKeys { id } } }')
    assert answered["data"]["revokeAllApiKeys"]["apiKeys"] == []


@pytest.mark.parametrize(
    ("duration", "said"),
    [
        ("90 days", "valid_for must be an ISO 8601 duration, e.g. P90D or P1Y"),
        ("P9X", "invalid valid_for: expected an ISO 8601 duration, e.g. P90D or P1Y"),
        ("P2Y", "valid_for must be a positive duration no greater than 1 year"),
        ("P0D", "valid_for must be a positive duration no greater than 1 year"),
    ],
)
def test_a_key_is_good_for_a_year_at_most(ask: Ask, duration: str, said: str) -> None:
    create_account(ask)
    assert refusal(create_key(ask, duration)) == said
    assert "errors" not in create_key(ask, "P1Y")


def test_a_service_account_has_no_refresh_tokens(ask: Ask) -> None:
    assert refusal(ask("mutation { createRefreshToken { id secret } }")).startswith("service accounts cannot manage")
    assert nodes(ask("{ refreshTokens { edges { node { id } } } }")["data"]["refreshTokens"]) == []


def test_storage_is_mapped_once_and_checked(ask: Ask, rest: httpx.Client) -> None:
    create = f"""
    mutation ($prefix: Prefix!, $spec: JSON!) {{
      createStorageMapping(catalogPrefix: $prefix, detail: "ours", spec: $spec) {{ storageMapping {{ {_MAPPING} }} }}
    }}
    """
    update = f"""
    mutation ($prefix: Prefix!, $spec: JSON!) {{
      updateStorageMapping(catalogPrefix: $prefix, spec: $spec) {{ republish storageMapping {{ {_MAPPING} }} }}
    }}
    """
    made = ask(create, prefix="sophia-ai/team/", spec=STORAGE)["data"]["createStorageMapping"]["storageMapping"]
    assert made == {"catalogPrefix": "sophia-ai/team/", "detail": "ours", "spec": STORAGE, "userCapability": "admin"}
    again = refusal(ask(create, prefix="sophia-ai/team/", spec=STORAGE))
    assert again == "A storage mapping already exists for catalog prefix 'sophia-ai/team/'"
    moved = STORAGE | {"stores": [{"provider": "GCS", "bucket": "acme-two"}]}
    assert ask(update, prefix="sophia-ai/team/", spec=moved)["data"]["updateStorageMapping"]["republish"] is True
    assert ask(update, prefix="sophia-ai/team/", spec=moved)["data"]["updateStorageMapping"]["republish"] is False
    assert "No storage mapping exists" in refusal(ask(update, prefix="sophia-ai/none/", spec=STORAGE))
    broken = STORAGE | {"stores": [{"provider": "S3", "bucket": "unreachable"}]}
    assert "health checks failed" in refusal(ask(update, prefix="sophia-ai/team/", spec=broken))
    assert refusal(ask(create, prefix="sophia-ai/b/", spec={"stores": []})) == "spec.data_planes must not be empty"
    assert refusal(ask(create, prefix="other/", spec=STORAGE)).startswith("PermissionDenied")
    publish(rest, draft_of(rest, bundle() | {"sophia-ai/new/source": bundle()[CAPTURE]}))
    assert "existing specs would be affected: sophia-ai/new/source" in refusal(
        ask(create, prefix="sophia-ai/new/", spec=STORAGE)
    )
    health = """
    mutation ($prefix: Prefix!, $spec: JSON!) {
      testConnectionHealth(catalogPrefix: $prefix, spec: $spec) { allPassed results { dataPlaneName error fragmentStore } }
    }
    """
    assert ask(health, prefix="sophia-ai/", spec=STORAGE)["data"]["testConnectionHealth"]["allPassed"] is True
    assert ask(health, prefix="sophia-ai/", spec=broken)["data"]["testConnectionHealth"]["allPassed"] is False


def test_pages_are_cut_after_a_cursor(ask: Ask) -> None:
    page = f"{{ edges {{ cursor node {{ name }} }} {_PAGE} }}"
    query = f"query ($after: String) {{ dataPlanes(first: 2, after: $after) {page} }}"
    first = ask(query)["data"]["dataPlanes"]
    second = ask(query, after=first["pageInfo"]["endCursor"])["data"]["dataPlanes"]
    assert (first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (True, False)
    names = [node["name"] for node in (*nodes(first), *nodes(second))]
    assert names == sorted(set(names))
    last = ask(f"{{ dataPlanes(last: 1) {{ edges {{ node {{ name }} }} {_PAGE} }} }}")["data"]["dataPlanes"]
    assert (nodes(last)[0]["name"], last["pageInfo"]["hasPreviousPage"]) == (names[-1], True)


def test_a_mapping_is_found_by_its_prefix(ask: Ask) -> None:
    query = f"""
    query ($filter: StorageMappingsFilter) {{ storageMappings(filter: $filter) {{ edges {{ node {{ {_MAPPING} }} }} }} }}
    """

    def found(**filter_: Any) -> list[str]:
        return [
            n["catalogPrefix"] for n in nodes(ask(query, filter={"catalogPrefix": filter_})["data"]["storageMappings"])
        ]

    assert found(startsWith="sophia-ai/") == found(**{"in": ["sophia-ai/"]}) == ["sophia-ai/"]
    assert found(startsWith="other/") == []
    both = ask(query, filter={"catalogPrefix": {"startsWith": "a/", "in": ["a/"]}})
    assert "mutually exclusive" in refusal(both)


def test_a_subscription_is_known_by_its_prefix_and_address(ask: Ask) -> None:
    create = f"""
    mutation ($email: String!, $types: [AlertType!]) {{
      createAlertSubscription(prefix: "sophia-ai/", email: $email, alertTypes: $types) {{ {_SUBSCRIPTION} }}
    }}
    """
    made = ask(create, email="data@acme.test")["data"]["createAlertSubscription"]
    assert made["destination"] == "mailto:data@acme.test"
    assert "shard_failed" in made["alertTypes"]
    assert refusal(ask(create, email="data@acme.test")).startswith("an alert subscription already exists for email")
    assert refusal(ask(create, email="Data <data@acme.test>")).startswith("email address is invalid")
    change = 'updateAlertSubscription(prefix: "sophia-ai/", email: "data@acme.test"'
    changed = ask(f"mutation {{ {change}, alertTypes: [task_idle]) {{ {_SUBSCRIPTION} }} }}")
    assert changed["data"]["updateAlertSubscription"]["alertTypes"] == ["task_idle"]
    nothing = ask(f"mutation {{ {change}) {{ email }} }}")
    assert refusal(nothing) == "must provide at least one of: alertTypes, detail"
    listed = ask(f'{{ alertSubscriptions(by: {{prefix: "sophia-ai/"}}) {{ {_SUBSCRIPTION} }} }}')
    assert [s["email"] for s in listed["data"]["alertSubscriptions"]] == ["data@acme.test"]
    delete = 'mutation { deleteAlertSubscription(prefix: "sophia-ai/", email: "data@acme.test") { email } }'
    assert ask(delete)["data"]["deleteAlertSubscription"]["email"] == "data@acme.test"
    assert refusal(ask(delete)).startswith("no alert subscription exists for prefix 'sophia-ai/'")


def test_alert_configurations_are_merged_from_the_prefix_down(ask: Ask, rest: httpx.Client) -> None:
    update = """
    mutation ($name: String!, $config: JSON!) {
      updateAlertConfig(catalogPrefixOrName: $name, config: $config) { id catalogPrefixOrName created }
    }
    """
    wide = {"taskIdle": {"threshold": "7d"}, "shardFailed": {"failures": 3}}
    assert ask(update, name="sophia-ai/", config=wide)["data"]["updateAlertConfig"]["created"] is True
    assert ask(update, name="sophia-ai/", config=wide)["data"]["updateAlertConfig"]["created"] is False
    assert f"catalog task '{SINK}' does not exist" in refusal(ask(update, name=SINK, config={}))
    publish(rest, draft_of(rest, bundle()))
    ask(update, name=SINK, config={"shardFailed": {"failures": 1}})
    query = f'{{ effectiveAlertConfig(catalogPrefixOrName: "{SINK}") {{ config provenance {{ path source }} }} }}'
    effective = ask(query)["data"]["effectiveAlertConfig"]
    assert effective["config"] == {"taskIdle": {"threshold": "7d"}, "shardFailed": {"failures": 1}}
    assert {"path": "shardFailed.failures", "source": SINK} in effective["provenance"]
    entries = ask("{ alertConfigs { edges { node { catalogPrefixOrName config effective { config } } } } }")
    assert [n["catalogPrefixOrName"] for n in nodes(entries["data"]["alertConfigs"])] == ["sophia-ai/", SINK]


def test_live_specifications_have_a_status(ask: Ask, rest: httpx.Client) -> None:
    query = """
    query ($by: LiveSpecsBy!) {
      liveSpecs(by: $by) {
        edges { node {
          catalogName userCapability status { type summary } lastPublication { detail publicationId }
          liveSpec { catalogType isDisabled lastPubId model readsFrom { edges { node { catalogName } } } }
        } }
      }
    }
    """
    ended = publish(rest, draft_of(rest, bundle()))
    [node] = nodes(ask(query, by={"names": [SINK]})["data"]["liveSpecs"])
    assert node["status"] == {"type": "WARNING", "summary": "pending data-plane activation"}
    [node] = nodes(ask(query, by={"names": [SINK]})["data"]["liveSpecs"])
    assert node["status"]["type"] == "OK"
    assert node["liveSpec"]["lastPubId"] == ended["pub_id"].replace(":", "")
    assert nodes(node["liveSpec"]["readsFrom"]) == [{"catalogName": COLLECTION}]
    by_prefix = nodes(ask(query, by={"prefix": "sophia-ai/", "catalogType": "capture"})["data"]["liveSpecs"])
    assert [n["catalogName"] for n in by_prefix] == [CAPTURE]
    [absent] = nodes(ask(query, by={"names": ["other/thing"]})["data"]["liveSpecs"])
    assert (absent["userCapability"], absent["liveSpec"], absent["status"]) == (None, None, None)
    assert "must provide either" in refusal(ask(query, by={}))


def test_connectors_tell_how_they_are_configured(ask: Ask) -> None:
    query = "query ($image: String!) { connectorSpec(fullImageName: $image) { imageTag protocol endpointSpecSchema } }"
    known = ask(query, image="ghcr.io/estuary/source-postgres:v3")["data"]["connectorSpec"]
    assert (known["imageTag"], known["protocol"]) == (":v3", "capture")
    assert "credentials" in known["endpointSpecSchema"]["required"]
    assert ask(query, image="ghcr.io/estuary/source-postgres:v99")["data"]["connectorSpec"]["imageTag"] == ":v3"
    assert ask(query, image="ghcr.io/estuary/source-nope:v1")["data"]["connectorSpec"] is None
    listed = ask("{ connectors(filter: {protocol: {eq: materialization}}) { edges { node { imageName protocol } } } }")
    assert {n["protocol"] for n in nodes(listed["data"]["connectors"])} == {"materialization"}


def test_the_prefixes_are_those_that_the_caller_may_use(ask: Ask) -> None:
    query = "query ($by: PrefixesBy!) { prefixes(by: $by) { edges { node { prefix userCapability capabilities } } } }"
    readable = {
        n["prefix"]: n["userCapability"] for n in nodes(ask(query, by={"minCapability": "read"})["data"]["prefixes"])
    }
    assert readable == {"ops/dp/public/": "read", "sophia-ai/": "admin"}
    assert [n["prefix"] for n in nodes(ask(query, by={"minCapability": "admin"})["data"]["prefixes"])] == ["sophia-ai/"]


def test_a_document_that_is_none_is_told_so(emulator: Any) -> None:
    with control(emulator) as api:
        for query in ("{ nothing }", "{ prefixes", "mutation { createApiKey { id } }"):
            answered = api.post("/api/graphql", json={"query": query})
            assert answered.status_code == 200
            assert answered.json()["data"] is None
            assert answered.json()["errors"][0]["message"]
        assert api.post("/api/graphql", json={}).status_code == 400
    assert httpx.post(f"{emulator.url}/api/graphql", json={"query": "{ alertTypes { alertType } }"}).status_code == 401

"""Snowflake: who may read, write and load, and what a mistake may cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from pydantic import ValidationError

from components.settings import CredentialsError, SettingsError, Stage
from components.snowflake import Snowflake
from components.snowflake.settings import SnowflakeSettings

Deploy = Callable[..., Any]

SETTINGS: dict[str, Any] = {
    "account": {"name": "ZNB04675", "edition": "enterprise"},
    "database": {"name": "SOPHIA_AI", "retention_days": 7},
    "schemas": {"raw": {"name": "RAW"}, "marts": {"name": "MARTS"}},
    "warehouses": {"main": {"name": "SOPHIA_AI_WH"}},
    "roles": {
        "loader": {"name": "LOADER", "write": ["raw"], "warehouses": ["main"], "create_schemas": True},
        "transformer": {"name": "TRANSFORMER", "read": ["raw"], "write": ["marts"], "warehouses": ["main"]},
        "reader": {"name": "READER", "read": ["marts"], "warehouses": ["main"]},
    },
    "users": {
        "airbyte": {"name": "AIRBYTE", "role": "loader", "warehouse": "main", "network_policy": "service-users"},
        "dbt": {"name": "DBT", "role": "transformer", "warehouse": "main"},
    },
    "resource_monitor": {"name": "MONTHLY", "credit_quota": 100, "notify_at": [80], "suspend_at": 95},
    "network_policies": {
        "service-users": {"name": "SERVICE_USERS", "schema": "raw", "allowed": ["34.106.109.131/32"]},
    },
}


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWFLAKE_ORGANIZATION_NAME", "PAYREADY")
    monkeypatch.setenv("SNOWFLAKE_ACCOUNT_NAME", "ZNB04675")


def run(deploy: Deploy, stage: Stage = Stage.DEV, second_keys: dict[str, str] | None = None, **changes: Any) -> Any:
    settings = SnowflakeSettings.model_validate({**SETTINGS, **changes})
    keys = dict.fromkeys(settings.users, "MIIBIjANBgkq")

    def program() -> Snowflake:
        return Snowflake("snowflake", settings, stage=stage, public_keys=keys, second_public_keys=second_keys)

    return deploy(program, stack=stage.value)


def mistakes(**changes: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        SnowflakeSettings.model_validate({**SETTINGS, **changes})
    return str(caught.value)


def roles_of(deployment: Any, role: str) -> set[str]:
    """All account roles that ``role`` includes, at any depth."""
    included = {role}
    edges = [
        (g.inputs["parentRoleName"], g.inputs["roleName"])
        for g in deployment.of("GrantAccountRole")
        if "parentRoleName" in g.inputs
    ]
    for _ in edges:
        included |= {child for parent, child in edges if parent in included}
    return included


def may(deployment: Any, role: str) -> set[tuple[str, str]]:
    """What ``role`` may do: pairs of a privilege and the object, or the kind of objects in a schema."""
    rights = set()
    for grant in deployment.of("GrantPrivilegesToAccountRole"):
        if grant.inputs["accountRoleName"] not in roles_of(deployment, role):
            continue
        account_object, schema = grant.inputs.get("onAccountObject"), grant.inputs.get("onSchema")
        future = grant.inputs.get("onSchemaObject", {}).get("future")
        target = (
            account_object["objectName"]
            if account_object
            else schema["schemaName"]
            if schema
            else f"{future['objectTypePlural']} in {future['inSchema']}"
        )
        rights |= {(privilege, target) for privilege in grant.inputs["privileges"]}
    return rights


def test_the_loader_fills_raw_and_sees_nothing_else(deploy: Deploy) -> None:
    rights = may(run(deploy), '"LOADER"')
    assert {
        ("USAGE", '"SOPHIA_AI"'),
        ("CREATE SCHEMA", '"SOPHIA_AI"'),
        ("USAGE", '"SOPHIA_AI_WH"'),
        ("CREATE TABLE", '"SOPHIA_AI"."RAW"'),
        ("INSERT", 'TABLES in "SOPHIA_AI"."RAW"'),
    } <= rights
    assert not [r for r in rights if "MARTS" in r[1]], "a stolen loader key must not open what people read"


def test_the_reader_reads_marts_and_changes_nothing(deploy: Deploy) -> None:
    rights = may(run(deploy), '"READER"')
    assert rights == {
        ("USAGE", '"SOPHIA_AI"'),
        ("USAGE", '"SOPHIA_AI_WH"'),
        ("USAGE", '"SOPHIA_AI"."MARTS"'),
        ("SELECT", 'TABLES in "SOPHIA_AI"."MARTS"'),
        ("SELECT", 'VIEWS in "SOPHIA_AI"."MARTS"'),
        ("SELECT", 'DYNAMIC TABLES in "SOPHIA_AI"."MARTS"'),
    }, "dashboards and the MCP servers must not be able to change a ledger"


def test_the_transformer_reads_raw_and_does_not_write_it(deploy: Deploy) -> None:
    rights = may(run(deploy), '"TRANSFORMER"')
    assert ("SELECT", 'TABLES in "SOPHIA_AI"."RAW"') in rights
    assert ("CREATE TABLE", '"SOPHIA_AI"."MARTS"') in rights
    assert ("INSERT", 'TABLES in "SOPHIA_AI"."RAW"') not in rights, "RAW is what the sources said, and stays so"


def test_functional_roles_hang_under_sysadmin(deploy: Deploy) -> None:
    assert {'"LOADER"', '"TRANSFORMER"', '"READER"'} <= roles_of(run(deploy), '"SYSADMIN"'), (
        "otherwise nobody but ACCOUNTADMIN could work on what these roles create"
    )


def test_service_users_have_a_key_one_role_and_the_network_policy(deploy: Deploy) -> None:
    deployment = run(deploy)
    user = deployment.one("ServiceUser", "airbyte")
    assert user.inputs == {
        "name": "AIRBYTE",
        "comment": "",
        "rsaPublicKey": "MIIBIjANBgkq",
        "defaultRole": "LOADER",
        "defaultSecondaryRolesOption": "NONE",
        "defaultWarehouse": "SOPHIA_AI_WH",
        "networkPolicy": "SERVICE_USERS",
    }
    assert deployment.one("GrantAccountRole", "airbyte.is.loader").inputs == {
        "roleName": '"LOADER"',
        "userName": '"AIRBYTE"',
    }
    assert not deployment.of("NetworkPolicyAttachment"), "the provider detaches it again at every second run"


def test_the_network_policy_lets_in_only_the_listed_networks(deploy: Deploy) -> None:
    deployment = run(deploy)
    rule = deployment.one("NetworkRule")
    assert (rule.inputs["mode"], rule.inputs["type"]) == ("INGRESS", "IPV4")
    assert rule.inputs["valueLists"] == ["34.106.109.131/32"]
    policy = deployment.one("NetworkPolicy")
    assert policy.inputs["allowedNetworkRuleLists"] == ['"SOPHIA_AI"."RAW"."SERVICE_USERS_INGRESS"']


def test_a_warehouse_sleeps_and_has_a_budget(deploy: Deploy) -> None:
    inputs = run(deploy).one("Warehouse").inputs
    assert (inputs["autoSuspend"], inputs["autoResume"], inputs["initiallySuspended"]) == (60, "true", True)
    assert inputs["resourceMonitor"] == "MONTHLY", "an endless query must stop at the monthly quota"


@pytest.mark.parametrize(("stage", "kept"), [(Stage.PROD, True), (Stage.STAGING, False), (Stage.DEV, False)])
def test_only_in_prod_is_data_kept(deploy: Deploy, stage: Stage, kept: bool) -> None:
    deployment = run(deploy, stage)
    for store in (*deployment.of("Database"), *deployment.of("Schema")):
        assert (store.protect, store.retain_on_delete) == (kept, kept), f"{store.name} holds every resident's ledger"


def test_everything_belongs_to_the_component_and_uses_the_default_provider(deploy: Deploy) -> None:
    deployment = run(deploy)
    component = deployment.one("sophia:platform:Snowflake")
    for resource in deployment.resources:
        if resource is not component:
            assert resource.parent == component.urn
            assert not resource.provider, "an explicit provider would put the private key's environment into the state"


def test_logical_names_are_unique_and_come_from_keys(deploy: Deploy) -> None:
    renamed = run(deploy, database={"name": "SOPHIA_AI_2"}, warehouses={"main": {"name": "OTHER_WH"}})
    assert {r.urn for r in renamed.resources} == {r.urn for r in run(deploy).resources}, (
        "renaming an object in Snowflake must not replace it"
    )
    assert len({r.urn for r in renamed.resources}) == len(renamed.resources)


def test_grants_wait_for_what_they_name(deploy: Deploy) -> None:
    deployment = run(deploy)
    grant = deployment.one("GrantPrivilegesToAccountRole", "raw.read.schema")
    for needed in (deployment.one("Schema", "raw"), deployment.one("AccountRole", "raw.read")):
        assert needed.urn in grant.depends_on, f"the grant would fail before {needed.name} exists"


def test_outputs_are_what_airbyte_needs(deploy: Deploy) -> None:
    deployment = run(deploy)
    assert deployment.one("sophia:platform:Snowflake").outputs == {
        "account": "payready-znb04675",
        "host": "payready-znb04675.snowflakecomputing.com",
        "database": "SOPHIA_AI",
        "schemas": {"raw": "RAW", "marts": "MARTS"},
        "warehouses": {"main": "SOPHIA_AI_WH"},
        "roles": {"loader": "LOADER", "transformer": "TRANSFORMER", "reader": "READER"},
        "users": {"airbyte": "AIRBYTE", "dbt": "DBT"},
        "queues": {},
    }
    assert set(deployment.result.logins) == {"airbyte", "dbt"}


def loads(warehouse: Snowflake) -> None:
    """Two things that load: one that was given a schema, one that was given a login."""
    pulumi.ComponentResource("test:into:Schema", "schema", {"schema": warehouse.schemas["raw"]}, remote=True)
    login = warehouse.logins["airbyte"]
    given = {"user": login.user, "role": login.role, "warehouse": login.warehouse, "database": login.database}
    for name, value in given.items():
        pulumi.ComponentResource("test:as:User", name, {name: value}, remote=True)


def test_who_loads_comes_after_the_grants_and_goes_before_them(deploy: Deploy) -> None:
    settings = SnowflakeSettings.model_validate(SETTINGS)
    keys = dict.fromkeys(settings.users, "MIIBIjANBgkq")
    deployment = deploy(lambda: loads(Snowflake("snowflake", settings, stage=Stage.DEV, public_keys=keys)))
    by_urn = {resource.urn: resource.name for resource in deployment.resources}
    in_raw = {
        "raw.read.database", "raw.read.schema", "raw.read.tables", "raw.write.schema", "raw.write.tables",
        "raw.write.includes-read", "loader.writes.raw",
    }  # fmt: skip
    schema = deployment.one("Schema", "schema")
    assert {by_urn[urn] for urn in schema.depends_on} >= {*in_raw, "transformer.reads.raw"}
    for user in deployment.of("test:as:User"):
        needed = {by_urn[urn] for urn in user.depends_on}
        assert needed >= {*in_raw, "airbyte.is.loader", "loader.uses.main", "loader.creates-schemas"}, user.name
        assert not [name for name in needed if name.startswith(("reader.", "marts."))], "only what this user needs"


def test_a_line_of_the_settings_is_a_grant_of_its_own(deploy: Deploy) -> None:
    def grants(*schemas: str, **role: Any) -> dict[str, Any]:
        loader = {"name": "LOADER", "write": schemas, "warehouses": ["main"], **role}
        deployment = run(deploy, roles={**SETTINGS["roles"], "loader": loader})
        kinds = ("GrantAccountRole", "GrantPrivilegesToAccountRole")
        return {resource.urn: resource.inputs for kind in kinds for resource in deployment.of(kind)}

    for less, more, name in (
        (grants("raw"), grants("raw", "marts"), "loader.writes.marts"),
        (grants("raw"), grants("raw", create_schemas=True), "loader.creates-schemas"),
        (grants("raw"), grants("raw", create={"raw": ["PIPE"]}), "loader.creates.raw.pipe"),
    ):
        assert {urn.rpartition("::")[2] for urn in more.keys() - less.keys()} == {name}
        assert less.items() <= more.items(), "to take one away must not change another"


def test_a_loader_makes_only_what_its_settings_say(deploy: Deploy) -> None:
    loader = {"name": "LOADER", "write": ["raw"], "create": {"raw": ["PIPE"]}, "warehouses": ["main"]}
    rights = may(run(deploy, roles={**SETTINGS["roles"], "loader": loader}), '"LOADER"')
    created = {right for right in rights if right[0].startswith("CREATE")}
    assert created == {(f"CREATE {kind}", '"SOPHIA_AI"."RAW"') for kind in ("PIPE", "STAGE", "TABLE", "VIEW")}, (
        "Estuary's delta updates need a pipe"
    )


def test_a_role_that_sees_clear_data_is_not_inherited_by_administrators(deploy: Deploy) -> None:
    private = {"name": "PRIVATE", "read": ["raw"], "under_sysadmin": False}
    deployment = run(deploy, roles={**SETTINGS["roles"], "private": private})
    assert '"PRIVATE"' not in roles_of(deployment, '"SYSADMIN"')


def test_a_user_has_two_slots_for_keys(deploy: Deploy) -> None:
    deployment = run(deploy, second_keys={"airbyte": "MIIBNEXT"})
    assert deployment.one("ServiceUser", "airbyte").inputs["rsaPublicKey2"] == "MIIBNEXT"
    assert "rsaPublicKey2" not in deployment.one("ServiceUser", "dbt").inputs


def test_each_kind_of_user_logs_in_from_its_own_networks(deploy: Deploy) -> None:
    policies = {
        "airbyte": {"name": "FROM_AIRBYTE", "schema": "raw", "allowed": ["34.106.109.131/32"]},
        "office": {"name": "FROM_OFFICE", "schema": "raw", "allowed": ["203.0.113.0/28"]},
    }
    users = {
        "airbyte": {**SETTINGS["users"]["airbyte"], "network_policy": "airbyte"},
        "dbt": {**SETTINGS["users"]["dbt"], "network_policy": "office"},
    }
    deployment = run(deploy, network_policies=policies, users=users)
    assert deployment.one("NetworkRule", "airbyte").inputs["valueLists"] == ["34.106.109.131/32"]
    assert {user.name: user.inputs["networkPolicy"] for user in deployment.of("ServiceUser")} == {
        "airbyte": "FROM_AIRBYTE",
        "dbt": "FROM_OFFICE",
    }, "a key that was stolen from Airbyte must not work from elsewhere"


def test_users_log_in_with_their_key_pair_and_nothing_else(deploy: Deploy) -> None:
    deployment = run(deploy, authentication_policy={"name": "KEY_PAIR_ONLY", "schema": "raw"})
    assert deployment.one("AuthenticationPolicy").inputs["authenticationMethods"] == ["KEYPAIR"]
    attached = {a.inputs["userName"] for a in deployment.of("UserAuthenticationPolicyAttachment")}
    assert attached == {"AIRBYTE", "DBT"}


def test_credentials_of_another_account_stop_the_run(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWFLAKE_ACCOUNT_NAME", "OTHER123")
    with pytest.raises(SettingsError, match=r'snowflake.account.name is "ZNB04675", but .* for "OTHER123"'):
        run(deploy)


def test_the_organization_must_be_known(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SNOWFLAKE_ORGANIZATION_NAME")
    with pytest.raises(CredentialsError, match="SNOWFLAKE_ORGANIZATION_NAME is not set"):
        run(deploy)


def test_a_wrong_leftover_account_is_refused_in_two_parts_too(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "wrong leftover" in mistakes(account={"organization": "UHDECNO", "name": "CVB64222"})
    monkeypatch.setenv("SNOWFLAKE_ORGANIZATION_NAME", "uhdecno")
    monkeypatch.setenv("SNOWFLAKE_ACCOUNT_NAME", "cvb64222")
    with pytest.raises(SettingsError, match="wrong leftover"):
        run(deploy, account={"name": "CVB64222", "edition": "enterprise"})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"roles": {"loader": {"name": "L", "write": ["rwa"]}}, "users": {}}, 'no schema "rwa" is declared (did you mean'),
        ({"users": {"a": {"name": "A", "role": "loader", "warehouse": "big"}}}, 'no warehouse "big" is declared'),
        ({"users": {"a": {"name": "A", "role": "laoder", "warehouse": "main"}}}, 'did you mean "loader"?'),
        ({"network_policies": {"p": {"name": "P", "schema": "x", "allowed": ["1.2.3.4/32"]}}}, 'no schema "x" is declared'),
        ({"network_policies": {"p": {"name": "P", "schema": "raw", "allowed": ["0.0.0.0/0"]}}}, "the whole internet"),
        ({"network_policies": {"p": {"name": "P", "schema": "raw", "allowed": ["1.2.3.4/8"]}}}, "must be an IPv4 network"),
        ({"resource_monitor": {"name": "M", "credit_quota": 1}}, "needs at least one of notify_at"),
        ({"database": {"name": "sophia_ai"}}, "must be a Snowflake identifier in upper case"),
        ({"warehouses": {"main": {"name": "W", "size": "HUGE"}}}, "XSMALL"),
    ],
)  # fmt: skip
def test_mistakes_that_snowflake_would_find_late_are_found_early(changes: dict[str, Any], message: str) -> None:
    assert message in mistakes(**changes)

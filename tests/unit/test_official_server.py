"""The stand-in for the official packages, called over gRPC as the engine calls it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import provider_pb2 as rpc
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderStub

from sandbox.official import PLATFORMS, Call, serve
from sandbox.official.values import UNKNOWN, from_struct, to_struct
from sandbox.store import Database, Store

DATABASE = "snowflake:index/database:Database"
SCHEMA = "snowflake:index/schema:Schema"
ROLE = "snowflake:index/accountRole:AccountRole"
GRANT = "snowflake:index/grantPrivilegesToAccountRole:GrantPrivilegesToAccountRole"
REPOSITORY = "github:index/repository:Repository"
ENVIRONMENT = "github:index/repositoryEnvironment:RepositoryEnvironment"
ENVIRONMENT_SECRET = "github:index/actionsEnvironmentSecret:ActionsEnvironmentSecret"
VARIABLE = "github:index/actionsVariable:ActionsVariable"
NAMESPACE = "kubernetes:core/v1:Namespace"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
QUOTA = "kubernetes:core/v1:ResourceQuota"
PROJECT = "vercel:index/project:Project"
PROJECT_VARIABLE = "vercel:index/projectEnvironmentVariable:ProjectEnvironmentVariable"

Properties = dict[str, Any]


@dataclass
class Client:
    """Speaks to the stand-in in the engine's words."""

    stub: Any
    database: Database
    calls: list[Call]

    def check(self, token: str, news: Properties, olds: Properties | None = None, **more: Any) -> rpc.CheckResponse:
        request = rpc.CheckRequest(urn=_urn(token), news=to_struct(news), olds=to_struct(olds or {}), **more)
        response: rpc.CheckResponse = self.stub.Check(request)
        return response

    def complaints(self, token: str, news: Properties) -> list[str]:
        return [failure.reason for failure in self.check(token, news).failures]

    def create(self, token: str, news: Properties) -> tuple[str, Properties]:
        checked = self.check(token, news)
        assert not checked.failures, checked.failures
        response = self.stub.Create(rpc.CreateRequest(urn=_urn(token), properties=checked.inputs))
        return response.id, from_struct(response.properties)[0]

    def refusal(self, token: str, news: Properties) -> str:
        with pytest.raises(grpc.RpcError) as caught:
            self.create(token, news)
        return str(caught.value.details())

    def read(self, token: str, key: str, inputs: Properties) -> rpc.ReadResponse:
        request = rpc.ReadRequest(urn=_urn(token), id=key, inputs=to_struct(inputs), properties=to_struct(inputs))
        response: rpc.ReadResponse = self.stub.Read(request)
        return response

    def diff(self, token: str, old: Properties, new: Properties) -> rpc.DiffResponse:
        request = rpc.DiffRequest(urn=_urn(token), old_inputs=to_struct(old), news=to_struct(new))
        response: rpc.DiffResponse = self.stub.Diff(request)
        return response

    def update(self, token: str, key: str, new: Properties) -> Properties:
        response = self.stub.Update(rpc.UpdateRequest(urn=_urn(token), id=key, news=to_struct(new)))
        return from_struct(response.properties)[0]

    def delete(self, token: str, key: str) -> None:
        self.stub.Delete(rpc.DeleteRequest(urn=_urn(token), id=key))

    def ids(self, token: str) -> list[str]:
        return [document["id"] for document in Store(self.database, token.split(":")[0]).all(token)]


def _urn(token: str) -> str:
    return f"urn:pulumi:dev::sophia-ai::sophia:platform:Any${token}::thing"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    database = Database(tmp_path / "sandbox.sqlite3")
    calls: list[Call] = []
    server = serve(database, calls.append)
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield Client(ResourceProviderStub(channel), database, calls)
    server.stop(0)
    database.close()


def test_all_five_packages_are_served_and_described() -> None:
    assert [platform.name for platform in PLATFORMS] == ["snowflake", "github", "kubernetes", "vercel", "aws"]
    for platform in PLATFORMS:
        assert platform.secret <= platform.credentials.keys()
        assert platform.simulated.endswith("Credentials are checked by the few HTTP calls of health checks only.")


def test_no_sdk_is_newer_than_the_version_that_the_engine_is_told(client: Client) -> None:
    told = client.stub.GetPluginInfo(Empty()).version
    for distribution in ("pulumi-snowflake", "pulumi-kubernetes", "pulumi-github", "pulumiverse-vercel", "pulumi-aws"):
        assert [int(part) for part in version(distribution).split(".")] <= [int(part) for part in told.split(".")]


def test_a_port_that_is_taken_is_said(tmp_path: Path, client: Client) -> None:
    database = Database(tmp_path / "other.sqlite3")
    server = serve(database, lambda _: None)
    with pytest.raises(OSError, match=f"port {server.port} of 127.0.0.1 is taken"):
        serve(database, lambda _: None, server.port)
    server.stop(0)
    database.close()


@pytest.mark.parametrize(
    ("token", "news", "complaint"),
    [
        (SCHEMA, {"name": "RAW"}, "database: Missing required property 'database'"),
        (DATABASE, {"name": ["A"]}, "name: expected string type, got list type"),
        (DATABASE, {"name": "A", "coment": "x"}, "coment: Unknown property 'coment'; did you mean 'comment'?"),
        (QUOTA, {"metadata": {"labls": {}}}, "metadata.labls: Unknown property 'labls'; did you mean 'labels'?"),
        (QUOTA, {"apiVersion": "v2"}, "apiVersion: expected one of v1"),
        (
            QUOTA,
            {"metadata": {"name": "q"}, "spec": {"hard": {"nvidia.com/gpu": "0.25"}}},
            'spec.hard["nvidia.com/gpu"]: Invalid value: "0.25": must be an integer',
        ),
        (NAMESPACE, {"metadata": {"name": "Sophia_AI"}}, 'metadata.name: Invalid value: "Sophia_AI": a lowercase RFC'),
        (
            "kubernetes:apps/v1:Deployment",
            {
                "spec": {
                    "selector": {},
                    "template": {
                        "spec": {
                            "containers": [{"name": "a", "resources": {"limits": {"nvidia.com/gpu": "250m"}}}],
                        }
                    },
                }
            },
            'spec.template.spec.containers[0].resources.limits["nvidia.com/gpu"]: Invalid value: "250m": must be an int',
        ),
        (
            VARIABLE,
            {"repository": "r", "variableName": "GITHUB_X", "value": "v"},
            "variableName: Variable names must not",
        ),
        (
            ENVIRONMENT_SECRET,
            {"repository": "r", "environment": "e", "secretName": "S"},
            "value: exactly one of value, valueEncrypted, encryptedValue, plaintextValue must be given, not 0",
        ),
        (
            GRANT,
            {"accountRoleName": "R", "privileges": ["USAGE"]},
            "onAccount: exactly one of onAccount, onAccountObject",
        ),
        (PROJECT, {"name": "Sophia AI"}, "name: The name of a Project can only contain"),
        (
            PROJECT_VARIABLE,
            {"projectId": "p", "key": "K", "value": "v", "sensitive": False, "targets": ["live"]},
            "targets[0]: expected one of production, preview, development",
        ),
        ("github:index/repo:Repo", {}, "the package pulumi-github has no resource type github:index/repo:Repo"),
    ],
)
def test_wrong_inputs_are_refused_by_name(client: Client, token: str, news: Properties, complaint: str) -> None:
    assert [text for text in client.complaints(token, news) if text.startswith(complaint)], client.complaints(
        token, news
    )
    assert client.calls[0].outcome == "refused"


def test_complaints_never_hold_the_value(client: Client) -> None:
    secret = "swordfish"
    wrong = {"repository": "r", "environment": "e", "secretName": "S", "value": [secret]}
    response = client.check(ENVIRONMENT_SECRET, wrong)
    assert "value: expected string type, got list type" in response.failures[0].reason
    assert all(secret not in failure.reason and not failure.property for failure in response.failures)


def test_unknown_values_pass_in_previews(client: Client) -> None:
    assert client.complaints(QUOTA, {"metadata": {"name": UNKNOWN}, "spec": {"hard": {"pods": UNKNOWN}}}) == []
    assert client.complaints(SCHEMA, {"name": UNKNOWN, "database": UNKNOWN}) == []
    urn = _urn(SCHEMA)
    planned = client.stub.Create(rpc.CreateRequest(urn=urn, preview=True, properties=to_struct({"name": UNKNOWN})))
    assert planned.id == ""
    assert client.ids(SCHEMA) == []


def test_generated_names_stay_until_a_name_is_given(client: Client) -> None:
    first = from_struct(client.check(DATABASE, {}, randomSeed=b"seed").inputs)[0]
    again = from_struct(client.check(DATABASE, {}, randomSeed=b"seed").inputs)[0]
    assert first["name"].startswith("thing-")
    assert first == again
    kept = from_struct(client.check(DATABASE, {"comment": "new"}, first, randomSeed=b"other").inputs)[0]
    assert kept["name"] == first["name"]
    quota = from_struct(client.check(QUOTA, {}, randomSeed=b"seed").inputs)[0]
    later = from_struct(client.check(QUOTA, {}, quota, randomSeed=b"other").inputs)[0]
    assert later["metadata"]["name"] == quota["metadata"]["name"]


def test_ids_and_answers_are_those_of_the_official_providers(client: Client) -> None:
    assert client.create(DATABASE, {"name": "SOPHIA_AI"})[0] == "SOPHIA_AI"
    key, schema = client.create(SCHEMA, {"name": "RAW", "database": "SOPHIA_AI"})
    assert key == schema["fullyQualifiedName"] == '"SOPHIA_AI"."RAW"'
    client.create(ROLE, {"name": "LOADER"})
    future = {"objectTypePlural": "TABLES", "inSchema": key}
    grant = {"accountRoleName": '"LOADER"', "privileges": ["SELECT"], "onSchemaObject": {"future": future}}
    expected = '"LOADER"|false|false|SELECT|OnSchemaObject|OnFuture|TABLES|InSchema|"SOPHIA_AI"."RAW"'
    assert client.create(GRANT, grant)[0] == expected
    granted = {"roleName": "LOADER", "parentRoleName": "SYSADMIN"}
    assert client.create("snowflake:index/grantAccountRole:GrantAccountRole", granted)[0] == '"LOADER"|ROLE|"SYSADMIN"'
    _, repository = client.create(REPOSITORY, {"name": "sophia"})
    assert repository["htmlUrl"] == f"https://github.com/{repository['fullName']}"
    environment = {"repository": "sophia", "environment": "dev"}
    key, answer = client.create(ENVIRONMENT, environment)
    assert (key, answer["repositoryId"]) == ("sophia:dev", repository["repoId"])
    secret = client.create(ENVIRONMENT_SECRET, {**environment, "secretName": "KEY", "value": "v"})
    assert secret[0] == "sophia:dev:KEY"
    client.create(NAMESPACE, {"metadata": {"name": "apps"}})
    key, made = client.create(CONFIG_MAP, {"metadata": {"name": "settings", "namespace": "apps"}, "data": {"a": "b"}})
    assert key == "apps/settings"
    assert {"uid", "resourceVersion", "creationTimestamp"} <= made["metadata"].keys()


@pytest.mark.parametrize(
    ("token", "news", "said"),
    [
        (DATABASE, {"name": "D"}, "Object 'D' already exists."),
        (REPOSITORY, {"name": "R"}, "name already exists on this account"),
        (NAMESPACE, {"metadata": {"name": "n"}}, 'namespaces "n" already exists'),
        (PROJECT, {"name": "p"}, "A project with the same name already exists"),
    ],
)
def test_a_name_that_is_taken_is_refused(client: Client, token: str, news: Properties, said: str) -> None:
    client.create(token, news)
    assert said in client.refusal(token, news)
    assert len(client.ids(token)) == 1
    assert [call.outcome for call in client.calls] == ["ok", "refused"]


@pytest.mark.parametrize(
    ("token", "news", "said"),
    [
        (SCHEMA, {"name": "S", "database": "NONE"}, "Database 'NONE' does not exist or not authorized"),
        (GRANT, {"accountRoleName": "NONE", "privileges": ["X"], "onAccount": True}, "Role 'NONE' does not exist"),
        (ENVIRONMENT, {"repository": "none", "environment": "e"}, "/none: 404 Not Found"),
        (QUOTA, {"metadata": {"name": "q", "namespace": "none"}}, 'namespaces "none" not found'),
        (
            PROJECT_VARIABLE,
            {"projectId": "none", "key": "K", "value": "v", "sensitive": True, "targets": ["production"]},
            "Project not found: none",
        ),
    ],
)
def test_what_must_exist_is_missed(client: Client, token: str, news: Properties, said: str) -> None:
    assert said in client.refusal(token, news)
    assert client.ids(token) == []


def test_the_same_variable_for_an_overlapping_target_is_a_conflict(client: Client) -> None:
    project, _ = client.create(PROJECT, {"name": "p"})
    variable = {"projectId": project, "key": "K", "value": "v", "sensitive": False}
    client.create(PROJECT_VARIABLE, {**variable, "targets": ["preview"]})
    client.create(PROJECT_VARIABLE, {**variable, "targets": ["production"]})
    assert "ENV_CONFLICT" in client.refusal(PROJECT_VARIABLE, {**variable, "targets": ["preview", "development"]})


def test_dependants_go_with_what_they_belong_to(client: Client) -> None:
    client.create(DATABASE, {"name": "D"})
    client.create(SCHEMA, {"name": "S", "database": "D"})
    client.create(ROLE, {"name": "R"})
    client.create(GRANT, {"accountRoleName": "R", "privileges": ["USAGE"], "onSchema": {"schemaName": '"D"."S"'}})
    client.delete(DATABASE, '"D"')
    assert client.ids(SCHEMA) == client.ids(GRANT) == []
    assert client.ids(ROLE) == ["R"]
    client.delete(DATABASE, '"D"')


def test_an_attached_network_policy_cannot_be_dropped(client: Client) -> None:
    policy = "snowflake:index/networkPolicy:NetworkPolicy"
    client.create(policy, {"name": "P", "allowedIpLists": ["10.0.0.0/8"]})
    client.create("snowflake:index/serviceUser:ServiceUser", {"name": "U", "networkPolicy": "P"})
    with pytest.raises(grpc.RpcError, match="Unset the network policy"):
        client.delete(policy, '"P"')
    assert client.ids(policy) == ["P"]


def test_a_repository_that_is_archived_on_destroy_keeps_its_name(client: Client) -> None:
    news = {"name": "keep", "archiveOnDestroy": True}
    key, _ = client.create(REPOSITORY, news)
    client.delete(REPOSITORY, key)
    assert from_struct(client.read(REPOSITORY, key, {}).properties)[0]["archived"] is True
    assert "name already exists" in client.refusal(REPOSITORY, news)


def test_nothing_changed_is_no_difference(client: Client) -> None:
    asked = from_struct(client.check(DATABASE, {"comment": "c"}).inputs)[0]
    key, _ = client.create(DATABASE, asked)
    live = from_struct(client.read(DATABASE, key, asked).inputs)[0]
    assert live == asked
    assert client.diff(DATABASE, live, asked).changes == rpc.DiffResponse.DIFF_NONE


@pytest.mark.parametrize(
    ("token", "old", "new", "replaces", "delete_first"),
    [
        (SCHEMA, {"name": "S", "database": "A"}, {"name": "S", "database": "B"}, ["database"], True),
        (SCHEMA, {"name": "S", "database": "A"}, {"name": "T", "database": "A"}, [], False),
        (DATABASE, {"name": "D", "isTransient": False}, {"name": "D", "isTransient": True}, ["isTransient"], True),
        (REPOSITORY, {"name": "a"}, {"name": "b"}, [], False),
        (NAMESPACE, {"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}, ["metadata.name"], False),
        (
            CONFIG_MAP,
            {"metadata": {"name": "a"}, "data": {"k": "1"}},
            {"metadata": {"name": "a"}, "data": {"k": "2"}},
            ["data.k"],
            True,
        ),
        (PROJECT_VARIABLE, {"key": "K", "sensitive": False}, {"key": "K", "sensitive": True}, ["sensitive"], False),
    ],
)
def test_replacements(
    client: Client, token: str, old: Properties, new: Properties, replaces: list[str], delete_first: bool
) -> None:
    found = client.diff(token, old, new)
    assert found.changes == rpc.DiffResponse.DIFF_SOME
    assert list(found.replaces) == replaces
    assert found.deleteBeforeReplace is delete_first


def test_lists_without_an_order_do_not_differ_by_it(client: Client) -> None:
    one, other = {"privileges": ["USAGE", "MODIFY"]}, {"privileges": ["MODIFY", "USAGE"]}
    assert client.diff(GRANT, one, other).changes == rpc.DiffResponse.DIFF_NONE


def test_a_grant_that_is_always_applied_differs_in_every_run(client: Client) -> None:
    grant = {"accountRoleName": "R", "alwaysApply": True}
    assert list(client.diff(GRANT, grant, grant).detailedDiff) == ["alwaysApplyTrigger"]


def test_an_update_keeps_what_the_platform_gave(client: Client) -> None:
    key, made = client.create(REPOSITORY, {"name": "sophia"})
    changed = client.update(REPOSITORY, key, {"name": "sophia-ai", "description": "d"})
    assert changed["fullName"].endswith("/sophia-ai")
    assert {name: changed[name] for name in ("nodeId", "repoId")} == {name: made[name] for name in ("nodeId", "repoId")}
    with pytest.raises(grpc.RpcError, match="'gone' was not found; run a refresh"):
        client.update(REPOSITORY, "gone", {"name": "x"})


def test_a_read_of_what_is_gone_has_no_id(client: Client) -> None:
    assert client.read(DATABASE, '"D"', {"name": "D"}).id == ""
    assert client.calls[-1].outcome == "gone"


def test_an_import_finds_what_was_set_and_nothing_else(client: Client) -> None:
    key, _ = client.create(REPOSITORY, {"name": "sophia", "description": "d"})
    imported = client.read(REPOSITORY, key, {})
    assert from_struct(imported.inputs)[0] == {"name": "sophia", "description": "d"}
    client.create(NAMESPACE, {"metadata": {"name": "apps", "labels": {"a": "b"}}})
    found = from_struct(client.read(NAMESPACE, "apps", {}).inputs)[0]
    assert found["metadata"] == {"name": "apps", "labels": {"a": "b"}}


def test_functions_are_refused_in_words(client: Client) -> None:
    with pytest.raises(grpc.RpcError, match="does not simulate the function github:index/getUser:getUser"):
        client.stub.Invoke(rpc.InvokeRequest(tok="github:index/getUser:getUser"))
    with pytest.raises(grpc.RpcError, match="no package schemas"):
        client.stub.GetSchema(rpc.GetSchemaRequest())


def test_types_without_rules_are_kept_by_their_types(client: Client) -> None:
    label = "github:index/issueLabel:IssueLabel"
    assert client.complaints(label, {"repository": "r", "name": "bug"}) == ["color: Missing required property 'color'"]
    key, _ = client.create(label, {"repository": "r", "name": "bug", "color": "ff0000"})
    assert key == "r:bug"
    widget = "kubernetes:example.com/v1:Widget"
    custom = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"any": [1]}}
    assert client.create(widget, custom)[0] == "default/w"

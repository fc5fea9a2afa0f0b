"""The sandbox's ESC: the official Python client against it, its answers against the vendor's specification."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pulumi_esc_sdk
import pytest
import uvicorn
import yaml
from starlette.applications import Starlette
from starlette.routing import Mount, Router

from sandbox.pulumi_cloud import calls, environments, tables
from sandbox.pulumi_cloud.account import ORGANIZATION, USER
from sandbox.pulumi_cloud.vault import Vault
from sandbox.store import Database

TOKEN = "pul-test"
ALL = "/api/esc/environments"
OF = f"{ALL}/{ORGANIZATION}"
BASE = f"{OF}/team/base"


class Cloud:
    """A Pulumi Cloud with nothing but ESC on it."""

    def __init__(self, directory: Path) -> None:
        self.database = Database(directory / "cloud.db")
        self.vault = Vault(directory / "vault.key")
        tables.prepare(self.database)
        environments.prepare(self.database)
        router = Router(environments.routes(), redirect_slashes=False)
        self.app = Starlette(
            routes=[Mount("/api", app=calls.Authentication(router, TOKEN))],
            exception_handlers={calls.ApiError: calls.render_error},
        )
        self.app.state.database = self.database
        self.app.state.vault = self.vault

    def write(self, name: str, text: str) -> int:
        project, _, environment = name.partition("/")
        return environments.write_environment(self.database, self.vault, ORGANIZATION, project, environment, text)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    cloud = Cloud(tmp_path)
    yield cloud
    cloud.database.close()


@pytest.fixture
def url(cloud: Cloud) -> Iterator[str]:
    with closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = uvicorn.Server(uvicorn.Config(cloud.app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def http(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, headers={"Authorization": f"token {TOKEN}"}) as client:
        yield client


@pytest.fixture
def sdk(url: str) -> pulumi_esc_sdk.EscClient:
    return pulumi_esc_sdk.esc_client.default_client(host=url, access_token=TOKEN)


def opened(http: httpx.Client, path: str, text: str | None = None, **query: str) -> dict[str, Any]:
    """What an environment, or a definition that is not stored, is opened to."""
    session = http.post(f"{path}/open", content=text, params=query)
    assert session.status_code == 200, session.text
    document: dict[str, Any] = http.get(f"{path}/open/{session.json()['id']}").json()
    return document


def values(document: dict[str, Any]) -> Any:
    def plain(value: Any) -> Any:
        content = value["value"]
        if isinstance(content, dict):
            return {key: plain(one) for key, one in content.items()}
        return [plain(one) for one in content] if isinstance(content, list) else content

    return {key: plain(one) for key, one in document["properties"].items()}


def test_the_official_client_makes_reads_changes_and_deletes_an_environment(sdk: pulumi_esc_sdk.EscClient) -> None:
    sdk.create_environment(ORGANIZATION, "team", "base")
    sdk.update_environment_yaml(
        ORGANIZATION,
        "team",
        "base",
        "values:\n  list: [1, null, two]\n  second: ${list[2]}\n  password: {fn::secret: hunter2}\n",
    )
    definition, text = sdk.get_environment(ORGANIZATION, "team", "base")
    assert b"hunter2" not in text
    assert definition.values.additional_properties["second"] == "${list[2]}"
    _, decrypted = sdk.decrypt_environment(ORGANIZATION, "team", "base")
    assert "hunter2" in str(decrypted)

    _, data, _ = sdk.open_and_read_environment(ORGANIZATION, "team", "base")
    assert data == {"list": [1, None, "two"], "second": "two", "password": "hunter2"}
    session = sdk.open_environment(ORGANIZATION, "team", "base").id
    assert sdk.read_open_environment_property(ORGANIZATION, "team", "base", session, "list[2]")[1] == "two"
    assert [one.name for one in sdk.list_environments(ORGANIZATION).environments] == ["base"]

    sdk.clone_environment(ORGANIZATION, "team", "base", "team", "copy", {"preserve_history": True})
    _, copied, _ = sdk.open_and_read_environment(ORGANIZATION, "team", "copy")
    assert copied == data
    assert [one.number for one in sdk.list_environment_revisions(ORGANIZATION, "team", "copy")] == [2, 1]

    sdk.delete_environment(ORGANIZATION, "team", "base")
    with pytest.raises(pulumi_esc_sdk.exceptions.NotFoundException):
        sdk.get_environment(ORGANIZATION, "team", "base")


def test_the_official_client_checks_definitions(sdk: pulumi_esc_sdk.EscClient) -> None:
    good = sdk.check_environment_yaml(ORGANIZATION, "values: {a: [1], b: '${a[0]}'}")
    assert good.properties["b"].value == 1
    bad = sdk.check_environment_yaml(ORGANIZATION, "values:\n  a: ${missing}\n")
    (found,) = bad.diagnostics
    assert found.summary == 'unknown property "missing"'
    assert (found.range.begin.line, found.range.begin.column) == (2, 8)


def test_the_official_client_tags_environments_and_revisions(cloud: Cloud, sdk: pulumi_esc_sdk.EscClient) -> None:
    where = (ORGANIZATION, "team", "base")
    cloud.write("team/base", "values: {a: 1}")
    cloud.write("team/base", "values: {a: 2}")
    sdk.create_environment_tag(*where, "owner", "data")
    sdk.update_environment_tag(*where, "owner", "data", "keeper", "platform")
    assert sdk.get_environment_tag(*where, "keeper").value == "platform"
    assert list(sdk.list_environment_tags(*where).tags) == ["keeper"]
    sdk.delete_environment_tag(*where, "keeper")
    assert sdk.list_environment_tags(*where).tags == {}

    sdk.create_environment_revision_tag(*where, "stable", 1)
    assert sdk.get_environment_revision_tag(*where, "stable").revision == 1
    _, data, _ = sdk.open_and_read_environment_at_version(*where, "stable")
    assert data == {"a": 1}
    sdk.update_environment_revision_tag(*where, "stable", 2)
    assert {one.name: one.revision for one in sdk.list_environment_revision_tags(*where).tags} == {
        "latest": 2,
        "stable": 2,
    }
    assert sdk.list_environment_revisions(*where)[0].tags == ["latest", "stable"]
    sdk.delete_environment_revision_tag(*where, "stable")
    assert b"a: 1" in sdk.get_environment_at_version(*where, "1")[1]


def test_answers_are_as_the_specification_says(cloud: Cloud, http: httpx.Client, spec: Callable[[str], Any]) -> None:
    specification = spec("pulumi/pulumi_esc_swagger.yaml")

    def exchange(method: str, path: str, schema: str, body: Any = None) -> Any:
        """The answer, after holding it against a schema of the specification; a list by its elements."""
        answered = http.request(method, path, json=body).json()
        for document in answered if isinstance(answered, list) else [answered]:
            assert specification.problems(schema, document) == []
        return answered

    http.post(OF, json={"project": "team", "name": "base"}).raise_for_status()
    cloud.write("team/base", "values: {a: {b: [1, {fn::secret: s}]}, c: '${a.b[0]}'}")
    exchange("GET", OF, "OrgEnvironments")
    exchange("POST", f"{BASE}/tags", "EnvironmentTag", {"name": "owner", "value": "data"})
    exchange("GET", f"{BASE}/tags", "ListEnvironmentTags")
    exchange("GET", f"{BASE}/tags/owner", "EnvironmentTag")
    renamed = {"currentTag": {"value": "data"}, "newTag": {"name": "keeper", "value": "x"}}
    exchange("PATCH", f"{BASE}/tags/owner", "EnvironmentTag", renamed)
    http.post(f"{BASE}/versions/tags", json={"name": "stable", "revision": 1}).raise_for_status()
    exchange("GET", f"{BASE}/versions/tags", "EnvironmentRevisionTags")
    exchange("GET", f"{BASE}/versions/tags/stable", "EnvironmentRevisionTag")
    exchange("GET", f"{BASE}/versions", "EnvironmentRevision")
    session = exchange("POST", f"{BASE}/open", "OpenEnvironment")["id"]
    exchange("GET", f"{BASE}/open/{session}", "Environment")
    exchange("GET", f"{BASE}/open/{session}?property=a.b", "Value")
    exchange("GET", f"{BASE}/open/{session}?property=nope", "Error")
    exchange("GET", f"{OF}/team/absent", "Error")
    assert specification.problems("Environment", http.post(f"{OF}/yaml/check", content="values: {a: 1}").json()) == []
    for text in ("values: [", "values: {a: '${b}'}"):
        refused = http.post(f"{OF}/yaml/check", content=text).json()
        assert specification.problems("EnvironmentDiagnostics", refused) == []
        assert specification.problems("Error", refused) == []


def test_no_secret_is_in_the_files_of_the_sandbox(cloud: Cloud, http: httpx.Client, tmp_path: Path) -> None:
    cloud.write("team/base", "values: {seeded: {fn::secret: first-treasure}}")
    http.patch(BASE, content="# why\nvalues:\n  saved:\n    fn::secret: second-treasure # mine\n").raise_for_status()
    assert values(opened(http, BASE)) == {"saved": "second-treasure"}
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"treasure" not in kept
    stored, decrypted = http.get(BASE).text, http.get(f"{BASE}/decrypt").text
    assert stored.startswith("# why\n")
    assert "# mine" in stored
    assert decrypted == "# why\nvalues:\n  saved:\n    fn::secret: second-treasure # mine\n"
    assert yaml.safe_load(stored)["values"]["saved"]["fn::secret"]["ciphertext"]


def test_a_definition_with_errors_is_refused_and_nothing_is_stored(cloud: Cloud, http: httpx.Client) -> None:
    cloud.write("team/base", "values: {a: 1}")
    refused = http.patch(BASE, content="imports: [team/absent]\nvalues:\n  a: ${b}\n")
    assert refused.status_code == 400
    found = refused.json()["diagnostics"]
    assert [(one["summary"], one["range"]["environment"], one["range"]["begin"]["line"]) for one in found] == [
        ('environment "team/absent" not found', "team/base", 1),
        ('unknown property "b"', "team/base", 3),
    ]
    assert 'environment "team/absent" not found' in refused.json()["message"]
    assert http.get(BASE).headers["Pulumi-ESC-Revision"] == "1"


def test_an_edit_of_an_older_revision_is_refused(http: httpx.Client) -> None:
    http.post(OF, json={"project": "team", "name": "base"}).raise_for_status()
    etag = http.get(BASE).headers["ETag"]
    written = http.patch(BASE, content="values: {a: 1}", headers={"ETag": etag})
    assert (written.status_code, written.headers["Pulumi-ESC-Revision"], written.json()) == (200, "2", {})
    late = http.patch(BASE, content="values: {a: 2}", headers={"ETag": etag})
    assert late.status_code == 409
    assert "revision 2" in late.json()["message"]
    assert http.get(BASE).headers["ETag"] == written.headers["ETag"]


def test_warnings_are_told_and_do_not_refuse(http: httpx.Client) -> None:
    http.post(OF, json={"project": "team", "name": "base"}).raise_for_status()
    answer = http.patch(BASE, content="value: {}\nvalues: {a: 1}\n")
    (warning,) = answer.json()["diagnostics"]
    assert (answer.status_code, warning["severity"]) == (200, "warning")


def test_stack_files_open_an_unsaved_definition(cloud: Cloud, http: httpx.Client) -> None:
    cloud.write("team/base", "values: {environmentVariables: {A: base, B: base}}")
    cloud.write(
        "team/dev",
        "imports: [team/base]\nvalues: {environmentVariables: {B: '${pulumiConfig.n}'}, pulumiConfig: {n: 1e6}}",
    )
    document = opened(http, f"{OF}/yaml", json.dumps({"imports": ["team/dev"]}), duration="2h0m0s")
    assert values(document)["environmentVariables"] == {"A": "base", "B": 1e6}
    assert document["properties"]["pulumiConfig"]["trace"]["def"]["environment"] == "team/dev"
    names = "values: {me: '${context.currentEnvironment.name}', who: '${context.pulumi.user.login}'}"
    assert values(opened(http, f"{OF}/yaml", names)) == {"me": "<yaml>", "who": USER}


def test_imports_can_be_pinned_and_overridden(cloud: Cloud, http: httpx.Client) -> None:
    for number in (1, 2, 3):
        assert cloud.write("team/base", f"values: {{n: {number}}}") == number
    cloud.write("team/other", "values: {n: other}")
    cloud.write("default/plain", "values: {p: plain}")
    http.post(f"{BASE}/versions/tags", json={"name": "stable", "revision": 2}).raise_for_status()
    text = "imports: [team/base, plain, {team/base@1: {merge: false}}]\nvalues: {one: '${imports[\"team/base@1\"].n}'}"
    assert values(opened(http, f"{OF}/yaml", text)) == {"n": 3, "p": "plain", "one": 1}
    assert values(opened(http, f"{OF}/yaml", "imports: [team/base@stable]")) == {"n": 2}
    overrides = base64.urlsafe_b64encode(b'{"team/base": "team/other"}').decode().rstrip("=")
    assert values(opened(http, f"{OF}/yaml", "imports: [team/base]", environmentOverrides=overrides)) == {"n": "other"}
    absent = http.post(f"{OF}/yaml/open", content="imports: [team/base@9]")
    assert absent.status_code == 400
    assert absent.json()["diagnostics"][0]["summary"] == 'environment "team/base@9" not found'


def test_checks_hide_stored_secrets_unless_they_are_asked_for(cloud: Cloud, http: httpx.Client) -> None:
    cloud.write("team/base", "values: {a: {fn::secret: s}}")
    stored = http.get(BASE).text
    hidden = http.post(f"{OF}/yaml/check", content=stored).json()["properties"]["a"]
    assert (hidden["value"], hidden["secret"], hidden["unknown"]) == (None, True, True)
    shown = http.post(f"{OF}/yaml/check?showSecrets=true", content=stored).json()["properties"]["a"]
    assert (shown["value"], shown["secret"]) == ("s", True)
    assert http.post(f"{OF}/yaml/check", content="").json() == {}


def test_an_accessor_with_an_index_has_a_key_too(http: httpx.Client) -> None:
    """The official client's model of an accessor demands one."""
    document = http.post(f"{OF}/yaml/check", content="values: {a: [1], b: '${a[0]}'}").json()
    assert [(one["key"], one.get("index")) for one in document["exprs"]["b"]["symbol"]] == [("a", None), ("", 0)]


def test_pages_end_as_the_command_line_expects(cloud: Cloud, http: httpx.Client) -> None:
    cloud.write("team/base", "values: {a: 1}")
    for name in ("a", "b", "c"):
        http.post(f"{BASE}/tags", json={"name": name, "value": name}).raise_for_status()
        http.post(f"{BASE}/versions/tags", json={"name": name, "revision": 1}).raise_for_status()
    first = http.get(f"{BASE}/tags?count=2").json()
    assert (list(first["tags"]), first["nextToken"]) == (["a", "b"], "b")
    assert http.get(f"{BASE}/tags?after=b").json()["nextToken"] == "0"
    assert [one["name"] for one in http.get(f"{BASE}/versions/tags?after=b").json()["tags"]] == ["c", "latest"]
    assert http.get(f"{BASE}/versions/tags?after=latest").json()["tags"] == []
    assert http.get(f"{BASE}/versions?before=1").json() == []
    assert http.get(ALL).json()["nextToken"] == ""


def test_a_protected_environment_is_not_deleted(cloud: Cloud, http: httpx.Client) -> None:
    cloud.write("team/base", "values: {a: 1}")
    http.patch(f"{BASE}/settings", json={"deletionProtected": True}).raise_for_status()
    refused = http.delete(BASE)
    assert (refused.status_code, "protect" in refused.json()["message"]) == (409, True)
    http.patch(f"{BASE}/settings", json={"deletionProtected": False}).raise_for_status()
    assert http.delete(BASE).status_code == 204


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "says"),
    [
        ("GET", f"{ALL}/nobody", None, 404, "nobody"),
        ("GET", f"{ALL}/team/default/base", None, 404, "team"),
        ("GET", f"{OF}/team/absent", None, 404, "team/absent"),
        ("GET", f"{BASE}/versions/7", None, 404, "7"),
        ("GET", f"{BASE}/open/nope", None, 404, "open it again"),
        ("POST", OF, {"project": "team", "name": "base"}, 409, "already exists"),
        ("POST", OF, {"project": "team", "name": "open-it"}, 400, "open"),
        ("POST", OF, {"project": "te am", "name": "x"}, 400, "te am"),
        ("POST", OF, {"name": "x"}, 400, "project"),
        ("POST", f"{BASE}/open?duration=soon", None, 400, "2h0m0s"),
        ("PATCH", f"{BASE}/versions/tags/latest", {"revision": 1}, 400, "latest"),
        ("POST", f"{BASE}/versions/tags", {"name": "stable", "revision": 5}, 404, "revision 5"),
        ("POST", f"{BASE}/clone", {"project": "team", "name": "base"}, 409, "already exists"),
        ("GET", f"{BASE}/versions?count=x", None, 400, "count"),
    ],
)
def test_refusals_say_what_is_wrong(
    cloud: Cloud, http: httpx.Client, method: str, path: str, body: Any, status: int, says: str
) -> None:
    cloud.write("team/base", "values: {a: 1}")
    refused = http.request(method, path, json=body)
    assert refused.status_code == status
    assert refused.json()["code"] == status
    assert says in refused.json()["message"]


def test_stack_outputs_reach_an_environment(cloud: Cloud, http: httpx.Client) -> None:
    def stack_outputs(organization: str, project: str, stack: str) -> dict[str, tuple[Any, bool]] | None:
        known = (organization, project, stack) == (ORGANIZATION, "sophia-ai", "dev")
        return {"url": ("https://x", False), "key": ({"k": [1]}, True)} if known else None

    definition = "values: {s: {fn::open::pulumi-stacks: {stacks: {it: {stack: sophia-ai/%s}}}}, key: '${s.it.key}'}"
    unavailable = http.post(f"{OF}/yaml/open", content=definition % "dev")
    assert unavailable.json()["diagnostics"][0]["summary"] == 'unknown provider "pulumi-stacks"'

    cloud.app.state.stack_outputs = stack_outputs
    document = opened(http, f"{OF}/yaml", definition % "dev")
    assert values(document)["s"] == {"it": {"url": "https://x", "key": {"k": [1]}}}
    assert document["properties"]["key"]["secret"]
    assert not document["properties"]["s"]["value"]["it"]["value"]["url"].get("secret")
    absent = http.post(f"{OF}/yaml/open", content=definition % "nope")
    assert "sophia-ai/nope" in absent.json()["diagnostics"][0]["summary"]


def test_writing_the_same_definition_again_makes_no_revision(cloud: Cloud) -> None:
    text = (
        "# seeded\nvalues:\n  a: {fn::secret: 'it''s \"quoted\"'}\n"
        "  b:\n    fn::secret: |\n      two\n      lines\n  c: 1\n"
    )
    assert cloud.write("team/base", text) == 1
    assert cloud.write("team/base", text) == 1
    assert cloud.write("team/base", text.replace("lines", "others")) == 2
    environments.clear(cloud.database)
    assert cloud.write("team/base", text) == 1


def test_an_expired_session_is_gone(cloud: Cloud, http: httpx.Client) -> None:
    cloud.write("team/base", "values: {a: 1}")
    session = http.post(f"{BASE}/open?duration=1ms").json()["id"]
    deadline = time.monotonic() + 5
    while http.get(f"{BASE}/open/{session}").status_code == 200 and time.monotonic() < deadline:
        pass
    assert http.get(f"{BASE}/open/{session}").status_code == 404


def test_the_token_is_asked_for(url: str) -> None:
    assert httpx.get(f"{url}{ALL}").status_code == 401

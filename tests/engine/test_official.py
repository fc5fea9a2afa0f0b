"""The stand-in for the official packages under the real engine, with the real Python SDKs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import engine
from sandbox.official import Call, OfficialServer, serve
from sandbox.official.values import merged
from sandbox.store import Database, Store

SECRET = "swordfish-9c1f"

PROGRAM = f'''
import json, pathlib
import pulumi, pulumi_github as github, pulumi_kubernetes as kubernetes
import pulumi_snowflake as snowflake, pulumiverse_vercel as vercel

say = json.loads((pathlib.Path(__file__).parent / "say.json").read_text())
secret = pulumi.Output.secret("{SECRET}")

database = snowflake.Database("database", name="SOPHIA_AI", comment=say.get("comment", "made by a test"))
schema = snowflake.Schema("schema", database=database.name, name="RAW")
role = snowflake.AccountRole("role", name="LOADER")
snowflake.GrantPrivilegesToAccountRole(
    "grant", account_role_name=role.fully_qualified_name, privileges=["USAGE", "CREATE TABLE"],
    on_schema={{"schema_name": schema.fully_qualified_name}})
snowflake.ServiceUser("user", name="LOADER_USER", rsa_public_key="MIIB", email=secret)

repository = github.Repository("repository", name="sophia", visibility="private", topics=["ai", "iac"])
environment = github.RepositoryEnvironment("environment", repository=repository.name, environment="dev")
github.ActionsSecret("secret", repository=repository.name, secret_name=say.get("secret", "KEY"), plaintext_value=secret)
github.BranchProtection("main", repository_id=repository.node_id, pattern="main", enforce_admins=True)

namespace = kubernetes.core.v1.Namespace("namespace", metadata={{"name": "sophia-ai-test"}})
kubernetes.core.v1.ResourceQuota(
    "quota", metadata={{"namespace": namespace.metadata.name}},
    spec={{"hard": {{"requests.cpu": "4", "requests.nvidia.com/gpu": say.get("gpu", "1")}}}})
kubernetes.core.v1.Secret(
    "keys", metadata={{"name": "keys", "namespace": namespace.metadata.name}}, string_data={{"key": secret}})
kubernetes.networking.v1.NetworkPolicy(
    "deny", metadata={{"name": "deny", "namespace": namespace.metadata.name, "labels": {{"by": "sophia"}}}},
    spec={{"pod_selector": {{}}, "policy_types": ["Ingress"]}})

project = vercel.Project("project", name="sophia-test", framework="nextjs")
vercel.ProjectEnvironmentVariable(
    "variable", project_id=project.id, key="API_KEY", value=secret, targets=["production"], sensitive=True)
vercel.ProjectDomain("domain", project_id=project.id, domain="sophia.example.com")

pulumi.export("schema", schema.id)
pulumi.export("full_name", repository.full_name)
pulumi.export("uid", namespace.metadata.uid)
pulumi.export("project", project.id)
'''


@dataclass
class Rig:
    """A stack of the program above in a folder of its own, and the stand-in that serves it."""

    folder: Path
    environment: dict[str, str]
    server: OfficialServer
    database: Database
    calls: list[Call]
    said: dict[str, str] = field(default_factory=dict)

    def say(self, **changes: str) -> None:
        self.said |= changes
        (self.folder / "say.json").write_text(json.dumps(self.said))

    def run(self, *arguments: str, fails: bool = False) -> str:
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--color", "never"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        output = done.stdout + done.stderr
        assert (done.returncode != 0) is fails, output
        return output

    def up(self) -> dict[str, tuple[str, dict[str, str]]]:
        """What one update did: for each resource that it touched, the operation and the kind of change by property."""
        lines = self.run("up", "--yes", "--skip-preview", "--json").splitlines()
        events = [json.loads(line).get("resourcePreEvent") for line in lines if line.startswith("{")]
        steps = [event["metadata"] for event in events if event and event["metadata"]["op"] != "same"]
        return {
            step["urn"].rsplit("::", 1)[-1]: (
                step["op"],
                {where: how["diffKind"] for where, how in (step.get("detailedDiff") or {}).items()},
            )
            for step in steps
            if step["op"] in ("create", "update", "replace")
        }

    def outputs(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self.run("stack", "output", "--json"))
        return found

    def store(self, platform: str) -> Store:
        return Store(self.database, platform)

    def edit(self, platform: str, token: str, **changes: Any) -> None:
        """Changes the one object of a type behind Pulumi's back."""
        store = self.store(platform)
        document = store.first(token)
        assert document is not None
        document["properties"] = merged(document["properties"], changes)
        store.put(token, document["id"], document)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    database = Database(tmp_path / "sandbox.sqlite3")
    calls: list[Call] = []
    server = serve(database, calls.append)
    folder = tmp_path / "program"
    folder.mkdir()
    (folder / "__main__.py").write_text(PROGRAM)
    runtime = {"name": "python", "options": {"virtualenv": sys.prefix}}
    (folder / "Pulumi.yaml").write_text(json.dumps({"name": "official", "runtime": runtime}))
    (tmp_path / "state").mkdir()
    environment = {
        **os.environ,
        "PATH": f"{engine.ensure(lambda *_: None).bin_dir}{os.pathsep}{os.environ['PATH']}",
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "PULUMI_ACCESS_TOKEN": "unused",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_DEBUG_PROVIDERS": server.providers,
    }
    made = Rig(folder, environment, server, database, calls)
    made.say()
    made.run("stack", "init", "test")
    yield made
    server.stop(0)
    database.close()


def test_life_of_a_stack(rig: Rig) -> None:
    assert {op for op, _ in rig.up().values()} == {"create"}
    outputs = rig.outputs()
    assert outputs["schema"] == '"SOPHIA_AI"."RAW"'
    assert outputs["full_name"].endswith("/sophia")
    assert outputs["project"].startswith("prj_")
    assert len(outputs["uid"]) == 36

    rig.calls.clear()
    assert rig.up() == {}, "an up without a change changed something"
    assert rig.calls == [], "an up without a change touched a platform"

    rig.say(comment="changed", secret="OTHER_KEY")
    assert rig.up() == {
        "database": ("update", {"comment": "update"}),
        "secret": ("replace", {"secretName": "update-replace"}),
    }

    rig.run("destroy", "--yes", "--skip-preview")
    rows = rig.database.connection.execute("SELECT id FROM objects").fetchall()
    assert rows == [], "destroy left objects behind"
    assert {call.outcome for call in rig.calls} == {"ok"}


def test_refresh_sees_drift_by_property_and_up_repairs_it(rig: Rig) -> None:
    rig.up()
    rig.edit(
        "github", "github:index/repository:Repository", visibility="public", homepageUrl="https://elsewhere.example"
    )
    rig.edit("vercel", "vercel:index/projectEnvironmentVariable:ProjectEnvironmentVariable", value="changed by hand")
    policy = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
    rig.edit("kubernetes", policy, metadata={"labels": {"by": "somebody"}})
    assert rig.store("snowflake").delete("snowflake:index/accountRole:AccountRole", "LOADER")

    rig.run("refresh", "--yes", "--skip-preview")
    repaired = rig.up()

    assert repaired["role"] == ("create", {})
    assert repaired["repository"] == ("update", {"visibility": "update", "homepageUrl": "delete"})
    assert repaired["variable"] == ("update", {"value": "update"})
    assert repaired["deny"] == ("update", {"metadata.labels.by": "update"})
    rig.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")


def test_secrets_are_in_clear_neither_in_state_nor_in_the_store(rig: Rig) -> None:
    rig.up()
    rig.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    assert SECRET not in rig.run("stack", "export")
    rows = rig.database.connection.execute("SELECT document FROM objects").fetchall()
    assert SECRET not in "".join(row[0] for row in rows)
    assert SECRET not in repr(rig.calls)


def test_a_fraction_of_a_gpu_is_refused_in_the_preview(rig: Rig) -> None:
    rig.say(gpu="0.25")
    output = rig.run("preview", fails=True)
    assert 'spec.hard["requests.nvidia.com/gpu"]: Invalid value: "0.25": must be an integer' in output
    assert "Traceback" not in output
    assert {call.method for call in rig.calls} == {"Check"}, "a preview touched a platform"


def test_a_name_that_is_taken_is_refused_and_the_rest_is_kept(rig: Rig) -> None:
    github = rig.store("github")
    taken = {"id": "sophia", "properties": {"name": "sophia", "nodeId": "R_foreign"}, "filled": {}}
    github.put("github:index/repository:Repository", "sophia", taken)
    output = rig.run("up", "--yes", "--skip-preview", fails=True)
    assert "422 Repository creation failed" in output
    assert "name already exists on this account" in output
    assert github.first("github:index/repository:Repository") == taken
    assert [call.name for call in rig.calls if call.outcome == "refused"] == ["repository"]

"""The estate's workflows against n8n itself: an installation of the npm package, named by SOPHIA_N8N."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sandbox.n8n.credentials import SCHEMAS

WORKFLOWS = sorted((Path(__file__).parents[2] / "workflows").glob("*.json"))
IDS = [path.stem for path in WORKFLOWS]
INSTALLATION = os.environ.get("SOPHIA_N8N", "")

pytestmark = pytest.mark.skipif(
    not INSTALLATION, reason="SOPHIA_N8N names no installation of n8n: the workflows are not tried on n8n itself"
)


def described(kind: str) -> list[dict[str, Any]]:
    path = Path(INSTALLATION) / "node_modules" / "n8n-nodes-base" / "dist" / "types" / f"{kind}.json"
    found: list[dict[str, Any]] = json.loads(path.read_text())
    return found


def nodes(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text())["nodes"]
    return found


@pytest.fixture(scope="module")
def types() -> dict[tuple[str, float], Mapping[str, Any]]:
    """The description of each node by its type and version."""
    return {
        (f"n8n-nodes-base.{one['name']}", float(version)): one
        for one in described("nodes")
        for version in (one["version"] if isinstance(one["version"], list) else [one["version"]])
    }


@pytest.mark.parametrize("path", WORKFLOWS, ids=IDS)
def test_nodes_are_of_types_that_there_are_and_have_parameters_that_these_know(
    path: Path, types: dict[tuple[str, float], Mapping[str, Any]]
) -> None:
    for node in nodes(path):
        described_as = types[node["type"], float(node["typeVersion"])]
        assert list(unknown(described_as["properties"], node["parameters"])) == [], node["name"]
        taken = {one["name"] for one in described_as.get("credentials", [])}
        # A request of any kind takes the credential that its parameters name.
        taken |= {node["parameters"].get(name) for name in ("genericAuthType", "nodeCredentialType")}
        assert set(node.get("credentials", {})) <= taken, node["name"]


def unknown(properties: list[dict[str, Any]], given: Mapping[str, Any]) -> Iterator[str]:
    """The parameters that no property has, and options that none of its values is."""
    for name, value in given.items():
        named = [one for one in properties if one["name"] == name]
        if not named:
            yield f"{name} is not known"
            continue
        choices = [one for one in named if one["type"] == "options" and not one.get("typeOptions")]
        allowed = {option["value"] for one in choices for option in one.get("options", []) if "value" in option}
        is_expression = isinstance(value, str) and value.startswith("=")
        if (
            len(choices) == len(named)
            and allowed
            and isinstance(value, str)
            and not is_expression
            and value not in allowed
        ):
            yield f"{name} is {value}, which is none of {sorted(map(str, allowed))}"
        inner = [option for one in named if one["type"] == "collection" for option in one.get("options", [])]
        if inner and isinstance(value, Mapping):
            yield from unknown(inner, value)


def test_the_emulators_schemas_have_the_members_of_n8ns_credentials() -> None:
    real = {one["name"]: {member["name"] for member in one["properties"]} for one in described("credentials")}
    for type_, schema in SCHEMAS.items():
        assert set(schema["properties"]) <= real[type_], type_


@pytest.fixture(scope="module")
def n8n(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """n8n's own command, with a database of the test's."""
    folder = tmp_path_factory.mktemp("n8n")
    surroundings = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "N8N_USER_FOLDER": str(folder),
        "N8N_DIAGNOSTICS_ENABLED": "false",
        "N8N_ENCRYPTION_KEY": "of-a-test",
        "DB_TYPE": "sqlite",
    }
    command = Path(INSTALLATION) / "node_modules" / ".bin" / "n8n"

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [str(command), *arguments], env=surroundings, capture_output=True, text=True, timeout=600, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_n8n_imports_every_workflow_and_keeps_what_it_says(n8n: Any, tmp_path: Path) -> None:
    for number, path in enumerate(WORKFLOWS):
        file = tmp_path / path.name
        # The command wants an id, which the API gives by itself.
        file.write_text(json.dumps(json.loads(path.read_text()) | {"id": f"workflow{number:08}", "active": False}))
        assert "Successfully imported" in n8n("import:workflow", f"--input={file}")
    exported = tmp_path / "exported.json"
    n8n("export:workflow", "--all", f"--output={exported}")
    kept = {one["name"]: one for one in json.loads(exported.read_text())}
    for path in WORKFLOWS:
        wanted = json.loads(path.read_text())
        found = kept[wanted["name"]]
        assert [strip(node) for node in found["nodes"]] == [strip(node) for node in wanted["nodes"]]
        assert found["connections"] == wanted["connections"]


def strip(node: Mapping[str, Any]) -> dict[str, Any]:
    """A node without what names a credential, which is not there."""
    return {name: value for name, value in node.items() if name != "credentials"}

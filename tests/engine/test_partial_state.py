"""What a platform made and the provider could not finish, in the state of the real engine.

The knowledge in providers/base/engine.py (frames, contexts, marks of secrets) is the SDK's and the engine's own business
and may change with them: this is the proof for the pinned ones.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

KEY, TOKEN, CREDENTIAL = "key-that-is-shown-once", "token-that-is-written-once", "credential-of-the-platform"

RESOURCE = """
import pulumi
from providers import base
from providers.base import Call, Calls, Environment, Immutable, Kind, Listing, Out, WriteOnly

class ThingInputs(base.Inputs):
    name: str
    house: Immutable[str]
    note: str = ""
    token: WriteOnly[str | None] = None

class Thing(base.Resource):
    key: pulumi.Output[str]
    kind = Kind(
        api=base.Api(
            name="toy",
            title="Toy",
            base_url=Environment("TOY_URL"),
            auth=base.Bearer(Environment("TOY_KEY")),
            said=lambda response: response.json()["message"],
            limit=base.Limit(requests=1000, seconds=1),
        ),
        title="thing",
        setting="things",
        inputs=ThingInputs,
        calls=Calls(
            create=Call("POST", "/things"),
            create_takes=frozenset({"name", "house", "token"}),
            setters={"note": Call("PUT", "/things/{id}")},
            update=Call("PATCH", "/things/{id}"),
            delete=Call("DELETE", "/things/{id}"),
            listing=Listing(Call("GET", "/things", payload=None)),
        ),
        identity="id",
        natural_key=("name",),
        outputs=(Out("key", "key", once=True),),
        mark="note",
    )
"""
PROGRAM = """
import pulumi
from providers.base import dynamic
from toy import Thing

thing = Thing("hall", dynamic(pulumi.ResourceOptions()), **{inputs})
pulumi.export("key", thing.key)
"""
INPUTS = {"name": "hall", "house": "red", "note": "to meet", "token": TOKEN}


class Platform:
    """Makes things, and refuses the next notes as often as ``refusals`` says."""

    def __init__(self) -> None:
        self.things: dict[str, dict[str, Any]] = {}
        self.requests: list[str] = []
        self.refusals = 0

    @property
    def app(self) -> ASGIApp:
        methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        return Starlette(
            routes=[
                Route("/things", self.collection, methods=methods),
                Route("/things/{id}", self.thing, methods=methods),
            ]
        )

    async def collection(self, request: Request) -> Response:
        self.requests.append(request.method)
        if request.method == "GET":
            return JSONResponse({"data": list(self.things.values())})
        made = {"id": f"t-{len(self.things) + 1}", "note": "", **await request.json()}
        self.things[made["id"]] = {**made, "token": "****"}
        return JSONResponse({**self.things[made["id"]], "key": KEY}, 201)

    async def thing(self, request: Request) -> Response:
        self.requests.append(request.method)
        id_ = request.path_params["id"]
        if request.method == "DELETE":
            del self.things[id_]
            return Response(status_code=204)
        wire = await request.json()
        if self.refusals:
            self.refusals -= 1
            return JSONResponse({"message": f"no {wire} with {CREDENTIAL}"}, 422)
        self.things[id_] |= {name: value for name, value in wire.items() if name != "token"}
        return JSONResponse(self.things[id_])


class Project:
    """A program with one resource, and its state in a folder."""

    def __init__(self, folder: Path, engine: Path, platform: str) -> None:
        self.folder, self.engine = folder / "project", engine / "pulumi"
        self.folder.mkdir()
        (folder / "state").mkdir()
        (self.folder / ".venv").symlink_to(sys.prefix)
        (self.folder / "Pulumi.yaml").write_text(
            "name: toy\nruntime:\n  name: python\n  options:\n    virtualenv: .venv\n"
        )
        (self.folder / "toy.py").write_text(RESOURCE)
        self.declare(**INPUTS)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI_", "SOPHIA_"))}
        self.variables = kept | {
            "PATH": f"{engine}{os.pathsep}{os.environ['PATH']}",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "passphrase",
            "PULUMI_ACCESS_TOKEN": "none",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "TOY_URL": platform,
            "TOY_KEY": CREDENTIAL,
        }
        self.pulumi("stack", "init", "dev")

    def declare(self, **inputs: str) -> None:
        (self.folder / "__main__.py").write_text(PROGRAM.replace("{inputs}", repr(inputs)))

    def pulumi(self, *arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [self.engine, "--non-interactive", *arguments],
            cwd=self.folder,
            env=self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        if (done.returncode == 0) != (code == 0):
            pytest.fail(f"pulumi {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def up(self, code: int = 0) -> str:
        return self.pulumi("up", "--yes", "--skip-preview", code=code)

    def thing(self) -> dict[str, Any]:
        """The resource as the state has it; what is secret stands nowhere in the state's text."""
        exported = self.pulumi("stack", "export")
        for secret in (KEY, TOKEN, CREDENTIAL):
            assert secret not in exported
        (found,) = [r for r in json.loads(exported)["deployment"]["resources"] if r["type"].endswith(":Thing")]
        assert "ciphertext" in found["outputs"]["key"]
        assert "ciphertext" in found["inputs"]["token"]
        resource: dict[str, Any] = found
        return resource


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def project(tmp_path: Path, engine_directory: Path, platform: Platform, listen: Callable[[ASGIApp], str]) -> Project:
    return Project(tmp_path, engine_directory, listen(platform.app))


def test_what_could_not_be_finished_is_known_and_finished_by_the_next_run(project: Project, platform: Platform) -> None:
    platform.refusals = 1
    failed = project.up(code=1)
    assert "422 no" in failed
    assert "Traceback" not in failed
    assert CREDENTIAL not in failed
    kept = project.thing()
    assert kept["id"] == "t-1"
    assert "422 no" in kept["initErrors"][0]
    assert kept["outputs"]["unfinished"] == ["note"]

    project.up()
    assert platform.requests == ["GET", "POST", "PUT", "PUT"], "one object, and only what was missing is sent again"
    assert platform.things["t-1"]["note"] == "to meet (managed by toy/dev)"
    assert "initErrors" not in project.thing()
    assert project.pulumi("stack", "output", "key", "--show-secrets").strip() == KEY

    platform.requests.clear()
    project.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")
    assert platform.requests == []

    platform.refusals = 1
    project.declare(**{**INPUTS, "note": "to dance", "token": f"{TOKEN}-2"})
    project.up(code=1)
    project.thing()
    project.up()
    assert platform.things["t-1"]["note"] == "to dance (managed by toy/dev)"
    project.pulumi("refresh", "--yes", "--expect-no-changes")
    project.thing()
    project.pulumi("destroy", "--yes", "--skip-preview")
    assert platform.things == {}


def test_what_is_missing_is_set_also_when_a_refresh_came_between(project: Project, platform: Platform) -> None:
    """A refresh forgets that something was unfinished, and the inputs of the state are those of the program."""
    project.declare(name="hall", house="red", token=TOKEN)
    platform.refusals = 1
    project.up(code=1)
    project.pulumi("refresh", "--yes")
    assert "initErrors" not in project.thing()
    project.up()
    assert platform.things["t-1"]["note"] == "(managed by toy/dev)"
    assert "unfinished" not in project.thing()["outputs"]


def test_another_name_in_the_program_is_the_same_object_on_the_platform(project: Project, platform: Platform) -> None:
    project.up()
    program = project.folder / "__main__.py"
    program.write_text(program.read_text().replace('Thing("hall"', 'Thing("great-hall"'))
    (project.folder / "toy.py").write_text(RESOURCE.replace('outputs=(Out("key", "key", once=True),),', ""))
    program.write_text(program.read_text().replace('pulumi.export("key", thing.key)', ""))
    project.up()
    assert list(platform.things) == ["t-1"], "the engine deletes the old name last"
    assert platform.requests.count("DELETE") == 0

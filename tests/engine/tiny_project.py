"""A small program with dynamic resources that are files, its state in a folder: for the tests of `sophia` itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sophia import Stack, Target
from sophia.runner import EngineCommand

REPOSITORY = Path(__file__).parents[2]

PROVIDER = '''
import json, os, time
from pathlib import Path
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult


class Things(ResourceProvider):
    """Things are files; a thing with a gate is made once somebody opens the gate."""

    serialize_as_secret_always = False

    def create(self, props):
        name = props["name"]
        Path(f"{name}.asked").write_text(
            json.dumps({"engine": os.getsid(0), "interrupted": os.environ.get("SOPHIA_INTERRUPTED_CREATES")})
        )
        while props.get("gate") and not Path(props["gate"]).exists():
            time.sleep(0.02)
        if props.get("refusal"):
            raise Exception(props["refusal"])
        Path(f"{name}.thing").write_text(props.get("color", ""))
        return CreateResult(name, dict(props))

    def diff(self, id, olds, news):
        changed = [key for key in ("name", "color") if olds.get(key) != news.get(key)]
        return DiffResult(
            changes=None if changed else False, replaces=[k for k in changed if k == "name"], delete_before_replace=True
        )

    def update(self, id, olds, news):
        Path(f"{id}.thing").write_text(news.get("color", ""))
        return UpdateResult(dict(news))

    def read(self, id, props):
        if not Path(f"{id}.thing").exists():
            return ReadResult(None, {})
        found = {**props, "color": Path(f"{id}.thing").read_text()}
        return ReadResult(id, found, found)

    def delete(self, id, props):
        Path(f"{id}.deleting").touch()
        while Path("hold").exists():
            time.sleep(0.02)
        Path(f"{id}.thing").unlink(missing_ok=True)
'''

PROGRAM = """
import json, pulumi
from pathlib import Path
from pulumi.dynamic import Resource
from things_provider import Things


class Thing(Resource, module="things", name="Thing"):
    def __init__(self, logical, props, opts):
        super().__init__(Things(), logical, props, opts)


class Airbyte(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("sophia:platform:Airbyte", name)


spec = json.loads(Path(f"{pulumi.get_stack()}.json").read_text())
if "mistake" in spec:
    raise pulumi.RunError(spec["mistake"])
if "crash" in spec:
    raise ValueError(spec["crash"])
parent, previous = Airbyte("airbyte"), None
for name, props in spec["things"].items():
    if "secret" in props:
        props["color"] = pulumi.Output.secret(props.pop("secret"))
    opts = pulumi.ResourceOptions(parent=parent, depends_on=[previous] if previous else None)
    previous = Thing(name, {"name": name, **props}, opts)
pulumi.export("airbyte", {"things": len(spec["things"])})
pulumi.export("key", pulumi.Output.secret("hush-hush"))
"""


@dataclass
class TinyProject:
    """A project in a temporary folder, with stacks in a folder of its own."""

    directory: Path
    target: Target
    command: EngineCommand

    def stack(self, name: str = "dev") -> Stack:
        return Stack(name, self.directory, self.target, engine=self.command)

    def write(self, stack: str = "dev", **spec: Any) -> None:
        (self.directory / f"{stack}.json").write_text(json.dumps(spec))

    def exists(self, name: str) -> bool:
        return (self.directory / f"{name}.thing").exists()

    def asked(self, name: str) -> dict[str, Any]:
        """What the provider was told when it was asked to create a thing; waits until it is."""
        file = self.directory / f"{name}.asked"
        wait_for(lambda: file.exists() and file.read_text().endswith("}"), f"the engine to ask for {name}")
        told: dict[str, Any] = json.loads(file.read_text())
        return told

    def sophia(self, *arguments: str) -> subprocess.Popen[str]:
        environment = {**os.environ, **self.target.environment, "NO_COLOR": "1"}
        command = [sys.executable, "-c", "from sophia.cli import main; main()", *arguments, "-C", str(self.directory)]
        return subprocess.Popen(
            command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        process = self.sophia(*arguments)
        stdout, stderr = process.communicate(timeout=120)
        return subprocess.CompletedProcess(arguments, process.returncode, stdout, stderr)


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        pause.wait(0.02)


def new_project(tmp_path: Path, command: EngineCommand) -> TinyProject:
    directory, state = tmp_path / "checkout", tmp_path / "state"
    directory.mkdir()
    state.mkdir()
    (directory / "Pulumi.yaml").write_text(
        f"name: tiny\nruntime:\n  name: python\n  options:\n    virtualenv: {Path(sys.prefix)}\n"
    )
    for name in ("dev", "staging"):
        (directory / f"Pulumi.{name}.yaml").write_text("config: {}\n")
    (directory / "__main__.py").write_text(PROGRAM)
    (directory / "things_provider.py").write_text(PROVIDER)
    environment = {
        "PULUMI_BACKEND_URL": state.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "only for this test",
        "PULUMI_ACCESS_TOKEN": "only for this test",
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }
    return TinyProject(directory, Target("file", state.as_uri(), environment=environment), command)

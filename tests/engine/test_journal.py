"""A stack's state is the same whether engines keep a journal or send the whole state after each step."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sandbox import control
from sandbox.control import Running

Pulumi = Callable[..., subprocess.CompletedProcess[str]]
States = dict[str, Any]

# Resources whose objects are files: plan.json says which ones are wanted, and what befalls them.
PROGRAM = """
import json
import pathlib
import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, ResourceProvider, UpdateResult

FOLDER = pathlib.Path.cwd()


class Files(ResourceProvider):
    def create(self, inputs):
        import os, time
        if inputs.get("fail"):
            raise Exception("told to fail")
        if inputs.get("hang"):
            (FOLDER / "hanging").touch()
            while (FOLDER / "wait").exists():
                time.sleep(0.02)
            os._exit(1)
        files = FOLDER / "objects"
        files.mkdir(exist_ok=True)
        id = f"{inputs['name']}-{inputs['key']}"
        (files / id).write_text(inputs["value"])
        return CreateResult(id, {**inputs, "made": id})

    def diff(self, id, old, new):
        replaces = ["key"] if old["key"] != new["key"] else []
        first = bool(new.get("delete_first"))
        return DiffResult(old["key"] != new["key"] or old["value"] != new["value"], replaces, [], first)

    def update(self, id, old, new):
        (FOLDER / "objects" / id).write_text(new["value"])
        return UpdateResult({**new, "made": id})

    def delete(self, id, props):
        (FOLDER / "objects" / id).unlink(missing_ok=True)

    def read(self, id, props):
        file = FOLDER / "objects" / id
        return ReadResult(id, {**props, "value": file.read_text()}) if file.exists() else ReadResult("", {})


class File(Resource):
    made: pulumi.Output[str]

    def __init__(self, name, props, opts):
        super().__init__(Files(), name, {"name": name, "made": None, **props}, opts)


class Group(pulumi.ComponentResource):
    def __init__(self, type_, name, opts=None):
        super().__init__(type_, name, None, opts)
        self.register_outputs({"kind": type_})


plan = json.loads((FOLDER / "plan.json").read_text())
aliases = [pulumi.Alias(type_=old) for old in plan.get("group_was", [])]
group = Group(plan["group"], "group", pulumi.ResourceOptions(aliases=aliases))
made = {}
for name, props in plan["files"].items():
    after = [made[other] for other in props.pop("after", [])]
    was = [pulumi.Alias(name=old) for old in props.pop("was", [])]
    value = props["value"]
    if after:
        value = after[0].made.apply(lambda made, value=value: f"{value} after {made}")
    options = pulumi.ResourceOptions(parent=group, depends_on=after, aliases=was)
    made[name] = File(name, {**props, "value": value}, options)
pulumi.export("files", {name: file.made for name, file in made.items()})
pulumi.export("hidden", pulumi.Output.secret("hush"))
if plan.get("reference"):
    # Reads this very stack's state while its update is under way.
    pulumi.export("earlier", pulumi.StackReference(plan["reference"]).get_output("files"))
"""


class Story:
    """One stack in one sandbox, and its state after each event."""

    def __init__(self, pulumi: Pulumi, environment: Mapping[str, str], engine: Path, sandbox: Running) -> None:
        self.sandbox = sandbox
        self.environment = {**environment, **sandbox.environment()}
        self.engine = engine
        self.pulumi = pulumi
        self.directory = sandbox.directory.parent / "project"
        self.directory.mkdir()
        runtime = {"name": "python", "options": {"virtualenv": sys.prefix}}
        (self.directory / "Pulumi.yaml").write_text(json.dumps({"name": "sophia-ai", "runtime": runtime}))
        (self.directory / "__main__.py").write_text(PROGRAM)
        self.states: States = {}

    def run(self, *arguments: str, code: int | None = 0) -> str:
        return self.pulumi(*arguments, sandbox=self.sandbox, cwd=self.directory, code=code).stdout

    def plan(self, group: str = "t:m:Group", /, *, members: Mapping[str, Any] | None = None, **files: Any) -> None:
        plan = {"group": group, "files": files, **(members or {})}
        (self.directory / "plan.json").write_text(json.dumps(plan))

    def up(self, *options: str, code: int | None = 0) -> None:
        # One at a time: which of two independent resources comes first is nobody's promise.
        self.run("up", "--yes", "--skip-preview", "--parallel", "1", *options, code=code)

    def remember(self, event: str) -> None:
        exported = json.loads(self.run("stack", "export", "--show-secrets"))
        self.states[event] = _without_what_differs_by_nature(exported)

    def killed_while_creating(self) -> None:
        """Kills the engine with SIGKILL while a resource of the plan hangs, and waits for nothing."""
        (self.directory / "wait").touch()
        command = [str(self.engine / "pulumi"), "up", "--yes", "--skip-preview", "--non-interactive", "--parallel", "1"]
        engine = subprocess.Popen(
            command,
            cwd=self.directory,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        while not (self.directory / "hanging").exists():
            if engine.poll() is not None:
                pytest.fail(f"the update ended with {engine.returncode} before its resource hung")
        os.killpg(engine.pid, signal.SIGKILL)
        engine.wait()

    def sent(self) -> set[str]:
        """How updates reported to Pulumi Cloud what they did."""
        requests = self.sandbox.journal(platforms=["pulumi"], methods=["PATCH"], limit=100_000).entries
        return {request.path.rpartition("/")[2] for request in requests} & {"checkpoint", "journalentries"}


def _without_what_differs_by_nature(exported: dict[str, Any]) -> dict[str, Any]:
    """The state without times, the sandbox's address, providers' ids, pickles, and the order of the resources.

    An engine refuses a state in which a resource stands before one that it refers to; besides that, order says nothing.
    """
    deployment = exported["deployment"]
    del deployment["manifest"]["time"]
    deployment["secrets_providers"]["state"].pop("url")
    operations = deployment.get("pending_operations", [])
    for resource in [*deployment.get("resources", []), *(operation["resource"] for operation in operations)]:
        for name in ("created", "modified"):
            resource.pop(name, None)
        if resource["type"].startswith("pulumi:providers:"):
            resource.pop("id", None)
        if "provider" in resource:
            resource["provider"] = resource["provider"].rpartition("::")[0]
        for members in (resource.get("inputs", {}), resource.get("outputs", {})):
            members.pop("__provider", None)
    deployment.get("resources", []).sort(key=lambda resource: (resource["urn"], bool(resource.get("delete"))))
    return exported


def told(story: Story) -> Story:
    """A stack's life, with everything in it that changes a state in a way of its own."""
    story.run("stack", "init", "dev")
    a, b, c = {"key": "1", "value": "x"}, {"key": "1", "value": "y", "after": ["a"]}, {"key": "1", "value": "z"}
    d = {"key": "1", "value": "w", "delete_first": True}
    story.plan(a=a, b=b, c=c, d=d)
    story.up()
    story.remember("created")
    story.up()
    story.remember("left alone")

    a["value"] = "x2"
    story.plan(a=a, b=b, c=c, d=d)
    story.up()
    story.remember("changed")

    a["key"] = d["key"] = "2"
    story.plan(a=a, b=b, c=c, d=d)
    story.up()
    story.remember("replaced")

    story.plan(
        "t:m:Renamed",
        members={"group_was": ["t:m:Group"], "reference": "scoobyjava-org/sophia-ai/dev"},
        a=a,
        b=b,
        e={**d, "was": ["d"]},
    )
    story.up()
    story.remember("renamed and deleted")

    story.run("stack", "rename", "test")
    story.remember("another stack's name")
    story.run("stack", "export", "--file", "state.json")
    story.run("stack", "import", "--file", "state.json")
    story.remember("imported")
    story.plan("t:m:Renamed", a=a, b=b, e=d)
    story.up()
    story.remember("without the stack that it read")

    (story.directory / "objects" / "a-2").unlink()
    (story.directory / "objects" / "b-1").write_text("by hand")
    story.run("refresh", "--yes", "--skip-preview", "--parallel", "1")
    story.remember("refreshed")

    (story.directory / "objects" / "b-1").unlink()
    story.up("--refresh")
    story.remember("refreshed and restored")

    b["after"] = []
    g, h = {**a, "fail": True}, {**c, "after": ["g"]}
    story.plan("t:m:Renamed", b=b, f=c, g=g, h=h, e={**d, "key": "3"})
    story.up("--continue-on-error", code=None)
    story.remember("failed half-way")

    b["value"] = "y3"
    story.plan("t:m:Renamed", b=b, i={**c, "after": ["b"]}, j={**c, "hang": True, "after": ["i"]})
    story.killed_while_creating()
    story.remember("killed")
    story.sandbox.expire_leases()
    story.remember("killed and given up")
    (story.directory / "wait").unlink()

    story.plan("t:m:Renamed", b=c, j={**c, "after": ["b"]})
    story.up()
    story.remember("restored")
    story.run("refresh", "--yes", "--skip-preview", "--clear-pending-creates")
    story.remember("forgotten")

    story.run("destroy", "--yes", "--skip-preview", "--parallel", "1")
    story.remember("destroyed")
    story.run("stack", "rm", "--yes")
    return story


def test_a_state_does_not_depend_on_how_it_was_sent(
    pulumi: Pulumi, pulumi_environment: Mapping[str, str], engine_directory: Path, tmp_path: Path
) -> None:
    modes = {"journalentries": True, "checkpoint": False}
    sandboxes = [control.start(tmp_path / name / "sandbox", 0, journaling=on) for name, on in modes.items()]
    try:
        stories = [Story(pulumi, pulumi_environment, engine_directory, sandbox) for sandbox in sandboxes]
        with ThreadPoolExecutor() as both:
            journaled, whole = both.map(told, stories)
        assert [journaled.sent(), whole.sent()] == [{name} for name in modes]
    finally:
        for sandbox in sandboxes:
            control.stop(sandbox.directory)
    for event, state in journaled.states.items():
        assert state == whole.states[event], event
    hanging = journaled.states["killed"]["deployment"]["pending_operations"]
    assert [(one["type"], one["resource"]["urn"].rpartition("::")[2]) for one in hanging] == [("creating", "j")]

"""The pinned engine and its Python language host together, on programs as small as they can be."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import tenacity

import engine

PULUMI_YAML = "name: demo\nruntime:\n  name: python\n  options:\n    virtualenv: .venv\n"
POLICY_YAML = "runtime:\n  name: python\n  options:\n    virtualenv: ../.venv\n"

DYNAMIC = """
import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider

class Doubler(ResourceProvider):
    def create(self, props):
        return CreateResult("made", {**props, "double": props["size"] * 2})

class Double(Resource):
    double: pulumi.Output

    def __init__(self, name, size):
        super().__init__(Doubler(), name, {"size": size, "double": None})
"""

WAITING = """
import os, time
with open("pids", "w") as told:
    told.write(f"{os.getpid()} {os.getppid()}")
print("the program waits")
time.sleep(600)
"""


class Project:
    """A Pulumi project of a test's own: its folder, its state, its PULUMI_HOME."""

    def __init__(self, folder: Path, pulumi: engine.Engine) -> None:
        self.folder = folder / "project"
        self.command = str(pulumi.bin_dir / "pulumi")
        self.folder.mkdir()
        (folder / "state").mkdir()
        (self.folder / "Pulumi.yaml").write_text(PULUMI_YAML)
        (self.folder / ".venv").symlink_to(sys.prefix)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")}
        self.variables = kept | {
            "PATH": f"{pulumi.bin_dir}{os.pathsep}{os.environ['PATH']}",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "passphrase",
            "PULUMI_ACCESS_TOKEN": "none",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }
        self.pulumi("stack", "init", "dev")

    def program(self, text: str) -> None:
        (self.folder / "__main__.py").write_text(text)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A pulumi command, however it ends."""
        return subprocess.run(
            [self.command, "--non-interactive", *arguments],
            cwd=self.folder,
            env=self.variables,
            capture_output=True,
            text=True,
        )

    def pulumi(self, *arguments: str) -> str:
        """The standard output of a pulumi command that must succeed."""
        answer = self.run(*arguments)
        assert answer.returncode == 0, f"{answer.stdout}\n{answer.stderr}"
        return answer.stdout

    def up(self) -> subprocess.CompletedProcess[str]:
        return self.run("up", "--yes", "--skip-preview")

    @contextmanager
    def waiting_up(self) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
        """An update whose program waits for ever, and the process ids of the program and the language host."""
        self.program(WAITING)
        with subprocess.Popen(
            [self.command, "--non-interactive", "up", "--yes", "--skip-preview"],
            cwd=self.folder,
            env=self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as update:
            assert update.stdout is not None
            said = ""
            for line in update.stdout:
                said += line
                if "the program waits" in line:
                    break
            assert "the program waits" in said, said
            try:
                yield update, [int(pid) for pid in (self.folder / "pids").read_text().split()]
            finally:
                update.kill()


@pytest.fixture(scope="session")
def pulumi() -> engine.Engine:
    return engine.ensure()


@pytest.fixture
def project(tmp_path: Path, pulumi: engine.Engine) -> Project:
    return Project(tmp_path, pulumi)


def ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"


def wait_until_ended(pids: list[int]) -> None:
    """Returns when none of the processes runs; fails after fifteen seconds."""
    for attempt in tenacity.Retrying(stop=tenacity.stop_after_delay(15), wait=tenacity.wait_fixed(0.1), reraise=True):
        with attempt:
            assert [pid for pid in pids if not ended(pid)] == [], "processes outlive the engine that started them"


def test_a_program_with_a_dynamic_resource_runs(project: Project) -> None:
    project.program(DYNAMIC + "pulumi.export('double', Double('one', 21).double)\n")
    assert project.up().returncode == 0
    assert json.loads(project.pulumi("stack", "output", "--json")) == {"double": 42}
    assert "2 unchanged" in project.up().stdout
    project.pulumi("destroy", "--yes", "--skip-preview")


def test_configuration_and_secrets_arrive_and_secrets_stay_secret(project: Project) -> None:
    project.pulumi("config", "set", "size", "3")
    project.pulumi("config", "set", "--path", "airbyte.names[0]", "gong")
    project.pulumi("config", "set", "--secret", "token", "hunter2")
    project.program(
        "import pulumi\n"
        "config = pulumi.Config()\n"
        "pulumi.export('size', config.require_int('size'))\n"
        "pulumi.export('names', config.require_object('airbyte')['names'])\n"
        "pulumi.export('length', config.require_secret('token').apply(len))\n"
        "pulumi.export('place', f'{pulumi.get_project()}/{pulumi.get_stack()}')\n"
    )
    update = project.up()
    assert update.returncode == 0, update.stdout + update.stderr
    assert "hunter2" not in update.stdout + update.stderr
    outputs = json.loads(project.pulumi("stack", "output", "--json", "--show-secrets"))
    assert outputs == {"size": 3, "names": ["gong"], "length": 7, "place": "demo/dev"}
    assert json.loads(project.pulumi("stack", "output", "--json"))["length"] == "[secret]"


def test_what_the_program_prints_shows_while_it_runs(project: Project) -> None:
    with project.waiting_up() as (update, _):
        assert update.poll() is None


def test_a_program_that_raises_ends_the_update_with_its_own_lines(project: Project) -> None:
    project.program("def deploy():\n    raise ValueError('no such region: mars')\n\ndeploy()\n")
    update = project.up()
    assert update.returncode != 0
    assert "ValueError: no such region: mars" in update.stdout
    assert "__main__.py" in update.stdout
    assert "language_host" not in update.stdout + update.stderr, "the host's own frames are nobody's business"


def test_a_program_that_exits_early_is_told_by_its_exit_code(project: Project) -> None:
    project.program("import sys\nsys.exit(3)\n")
    update = project.up()
    assert update.returncode != 0
    assert "exit code: 3" in update.stdout + update.stderr


def test_a_missing_virtual_environment_names_the_setting_and_the_remedy(project: Project) -> None:
    (project.folder / ".venv").unlink()
    project.program("")
    update = project.up()
    assert update.returncode != 0
    said = update.stdout + update.stderr
    assert f"{project.folder}/.venv does not exist" in said
    assert "make setup" in said
    assert "Traceback" not in said


def test_ctrl_c_ends_a_slow_program_without_leftovers(project: Project) -> None:
    with project.waiting_up() as (update, pids):
        update.send_signal(signal.SIGINT)
        said, _ = update.communicate(timeout=20)
    assert update.returncode != 0
    assert "Traceback" not in said
    assert "KeyboardInterrupt" not in said
    wait_until_ended(pids)


def test_a_killed_engine_leaves_no_program_behind(project: Project) -> None:
    with project.waiting_up() as (update, pids):
        update.kill()
        update.wait(20)
        wait_until_ended(pids)


def test_a_policy_pack_knows_the_stack_and_blocks_an_update(project: Project) -> None:
    project.pulumi("config", "set", "size", "3")
    project.program(DYNAMIC + "Double('one', 21)\n")
    pack = project.folder / "policies"
    pack.mkdir()
    (pack / "PulumiPolicy.yaml").write_text(POLICY_YAML)
    (pack / "__main__.py").write_text(
        "import pulumi\n"
        "from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy\n"
        "def refuse(args, report):\n"
        "    if args.resource_type.startswith('pulumi-python:'):\n"
        "        report(f'not in {pulumi.get_project()}/{pulumi.get_stack()} of size {pulumi.Config().get(\"size\")}')\n"
        "PolicyPack('house', enforcement_level=EnforcementLevel.MANDATORY, policies=[\n"
        "    ResourceValidationPolicy('nothing-dynamic', 'No dynamic resources.', refuse)])\n"
    )
    update = project.run("up", "--yes", "--skip-preview", "--policy-pack", str(pack))
    assert update.returncode != 0
    assert "not in demo/dev of size 3" in update.stdout
    assert "pulumi-python:dynamic" not in project.pulumi("stack", "export"), "the refused resource was made"


def test_a_policy_pack_that_raises_is_told_with_its_own_lines(project: Project) -> None:
    project.program("")
    pack = project.folder / "policies"
    pack.mkdir()
    (pack / "PulumiPolicy.yaml").write_text(POLICY_YAML)
    (pack / "__main__.py").write_text("raise ValueError('half a policy')\n")
    update = project.run("preview", "--policy-pack", str(pack))
    assert update.returncode != 0
    assert "half a policy" in update.stdout + update.stderr


def test_about_lists_the_plugins_that_the_program_needs(project: Project) -> None:
    project.program("")
    about = json.loads(project.pulumi("about", "--json"))
    assert {"snowflake", "kubernetes", "github", "vercel"} <= {plugin["name"] for plugin in about["plugins"]}

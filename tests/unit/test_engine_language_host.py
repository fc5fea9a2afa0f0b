"""The Python language host's answers, without an engine."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2 as messages
from pulumi.runtime.proto.analyzer_pb2 import AnalyzerStackConfigureRequest
from pulumi.runtime.proto.language_pb2_grpc import LanguageRuntimeStub, add_LanguageRuntimeServicer_to_server

from engine.language_host import packages, program
from engine.language_host.environment import PythonEnvironment, python_environment
from engine.language_host.errors import HostError
from engine.language_host.host import LanguageHost
from engine.language_host.packages import Installed
from engine.language_host.policy_pack import stack_variables
from engine.language_host.processes import Processes
from engine.language_host.versions import plugin_version

OFFICIAL_PACKAGES = {
    "snowflake": "",
    "kubernetes": "",
    "github": "",
    "vercel": "github://api.github.com/pulumiverse",
    "aws": "",
}


def program_info(folder: Path, **options: Any) -> messages.ProgramInfo:
    info = messages.ProgramInfo(root_directory=str(folder), program_directory=str(folder), entry_point=".")
    info.options.update(options)
    return info


@pytest.fixture
def processes() -> Iterator[Processes]:
    made = Processes()
    yield made
    made.cancel()


@pytest.fixture
def runtime(processes: Processes, tmp_path: Path) -> Iterator[LanguageRuntimeStub]:
    """A client of a host that serves, with an executor that the tests write."""
    server = grpc.server(futures.ThreadPoolExecutor(4))
    add_LanguageRuntimeServicer_to_server(LanguageHost(tmp_path / "executor.py", "127.0.0.1:1", processes), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield LanguageRuntimeStub(channel)
    server.stop(None).wait()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project folder whose .venv is the environment of the tests."""
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


def run_request(project: Path, **fields: Any) -> messages.RunRequest:
    request = messages.RunRequest(project="demo", stack="dev", pwd=str(project), parallel=4, dryRun=True)
    request.info.CopyFrom(program_info(project, virtualenv=".venv"))
    request.MergeFrom(messages.RunRequest(**fields))
    return request


def test_the_official_packages_are_reported_with_version_and_download_address(
    runtime: LanguageRuntimeStub, project: Path
) -> None:
    request = messages.GetRequiredPackagesRequest(info=program_info(project, virtualenv=".venv"))
    found = {package.name: package for package in runtime.GetRequiredPackages(request).packages}
    assert {name: package.server for name, package in found.items()} == OFFICIAL_PACKAGES
    assert all(package.kind == "resource" and package.version.startswith("v") for package in found.values())


def test_what_a_package_says_of_its_plugin_goes_before_its_name(tmp_path: Path) -> None:
    described = {
        "resource": True,
        "name": "terraform-provider",
        "version": "1.0.2",
        "parameterization": {"name": "honeycomb", "version": "0.3.0", "value": "eyJ4IjogMX0="},
    }
    (tmp_path / "pulumi-plugin.json").write_text(json.dumps(described))
    [found] = packages.required_packages([Installed("acme", "9.9", frozenset(), tmp_path / "pulumi-plugin.json")])
    assert (found.name, found.version, found.parameterization.name) == ("terraform-provider", "v1.0.2", "honeycomb")
    assert found.parameterization.value == b'{"x": 1}'


@pytest.mark.parametrize(
    ("name", "version", "expected"),
    [
        ("pulumi-random", "4.16", [("random", "v4.16.0")]),
        ("pulumi-policy", "1.21.0", []),
        ("pulumi-odd", "1.0+local", []),
        ("pulumi", "3.258.0", []),
        ("requests", "2.0", []),
    ],
)
def test_without_a_plugin_file_the_name_and_version_of_the_package_tell(
    name: str, version: str, expected: list[tuple[str, str]]
) -> None:
    found = packages.required_packages([Installed(name, version, frozenset(), None)])
    assert [(package.name, package.version) for package in found] == expected


def test_a_package_that_says_it_has_no_plugin_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "pulumi-plugin.json").write_text('{"resource": false}')
    assert (
        packages.required_packages([Installed("pulumi-x", "1.0", frozenset(), tmp_path / "pulumi-plugin.json")]) == []
    )


def test_a_plugin_file_that_is_not_json_is_named(tmp_path: Path) -> None:
    file = tmp_path / "pulumi-plugin.json"
    file.write_text("{")
    with pytest.raises(HostError, match=str(file)):
        packages.required_packages([Installed("pulumi-x", "1.0", frozenset(), file)])


@pytest.mark.parametrize(
    ("package", "plugin"),
    [
        ("1.0", "1.0.0"),
        ("1.2.3a4", "1.2.3-alpha.4"),
        ("1.2.3b4", "1.2.3-beta.4"),
        ("1.2.3rc4", "1.2.3-rc.4"),
        ("1.2.3.post4", "1.2.3+post4"),
        ("1.2.3.post4.dev5", "1.2.3+post4dev5"),
        ("1!2.0", None),
    ],
)
def test_a_plugin_version_is_told_from_a_package_version(package: str, plugin: str | None) -> None:
    assert plugin_version(package) == plugin


def test_only_what_nothing_else_requires_counts_as_a_direct_dependency(
    runtime: LanguageRuntimeStub, project: Path
) -> None:
    info = program_info(project, virtualenv=".venv")
    listed = [
        {
            one.name
            for one in runtime.GetProgramDependencies(
                messages.GetProgramDependenciesRequest(info=info, transitiveDependencies=transitive)
            ).dependencies
        }
        for transitive in (True, False)
    ]
    assert {"pulumi", "grpcio"} <= listed[0]
    assert "pulumi" not in listed[1]
    assert listed[1] < listed[0]


def test_about_tells_the_interpreter_of_the_project(runtime: LanguageRuntimeStub, project: Path) -> None:
    about = runtime.About(messages.AboutRequest(info=program_info(project, virtualenv=".venv")))
    assert about.executable == str(project / ".venv" / "bin" / "python")
    assert about.version == ".".join(str(part) for part in sys.version_info[:3])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"virtualenv": "venv"}, r"venv does not exist, and Pulumi\.yaml .* run `make setup`"),
        ({"toolchain": "uv"}, r"\.venv does not exist"),
        ({"virtualenv": "."}, r"is not a virtual environment"),
        ({"virtualenv": 3}, r"runtime\.options\.virtualenv must be a text"),
        ({"toolchain": "poetry"}, r"runtime\.options\.toolchain is 'poetry'"),
        ({"typechecker": "mypy"}, r"runtime\.options\.typechecker"),
    ],
)
def test_an_option_that_leads_nowhere_is_an_error_that_names_it(
    runtime: LanguageRuntimeStub, tmp_path: Path, options: dict[str, object], said: str
) -> None:
    with pytest.raises(grpc.RpcError, match=said) as raised:
        runtime.GetRequiredPackages(messages.GetRequiredPackagesRequest(info=program_info(tmp_path, **options)))
    assert raised.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert "Traceback" not in (raised.value.details() or "")


def test_a_policy_pack_finds_the_environment_from_its_own_folder(project: Path) -> None:
    pack = project / "policies"
    pack.mkdir()
    assert python_environment(program_info(pack, virtualenv="../.venv")).virtualenv == project / ".venv"


def test_the_virtual_environment_is_activated_for_the_program(tmp_path: Path) -> None:
    environment = PythonEnvironment(tmp_path / "bin" / "python", tmp_path)
    variables = environment.variables({"PATH": "/usr/bin", "PYTHONHOME": "/elsewhere", "KEPT": "1"})
    assert variables == {"PATH": f"{tmp_path}/bin:/usr/bin", "VIRTUAL_ENV": str(tmp_path), "KEPT": "1"}


EXECUTOR = """
import json, os, sys
names = ("PULUMI_CONFIG", "PULUMI_CONFIG_SECRET_KEYS", "VIRTUAL_ENV")
json.dump([sys.argv[1:], {name: os.environ.get(name) for name in names}], open("told.json", "w"))
"""


def test_a_program_gets_its_configuration_but_not_on_the_command_line(
    runtime: LanguageRuntimeStub, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    (project / "executor.py").write_text(EXECUTOR)
    config = {"demo:token": "hunter2", "demo:size": "3"}
    answer = runtime.Run(
        run_request(
            project, config=config, configSecretKeys=["demo:token"], monitor_address="127.0.0.1:2", args=["--x"]
        )
    )
    assert (answer.error, answer.bail) == ("", False)
    arguments, variables = json.loads((project / "told.json").read_text())
    assert json.loads(variables["PULUMI_CONFIG"]) == config
    assert json.loads(variables["PULUMI_CONFIG_SECRET_KEYS"]) == ["demo:token"]
    assert variables["VIRTUAL_ENV"] == str(project / ".venv")
    assert "hunter2" not in " ".join(arguments), "anyone on the machine can read a command line"
    told = dict(zip(arguments[:-2:2], arguments[1:-2:2], strict=True))
    assert told == {
        "--monitor": "127.0.0.1:2",
        "--engine": "127.0.0.1:1",
        "--project": "demo",
        "--root_directory": str(project),
        "--stack": "dev",
        "--pwd": str(project),
        "--dry_run": "true",
        "--parallel": "4",
    }
    assert arguments[-2:] == [".", "--x"]


@pytest.mark.parametrize(
    ("exit_code", "expected"),
    [
        (0, messages.RunResponse()),
        (32, messages.RunResponse(bail=True)),
        (3, messages.RunResponse(error="program exited with non-zero exit code: 3")),
        (-9, messages.RunResponse(error="the program was ended by SIGKILL")),
    ],
)
def test_how_a_program_ended_is_told(exit_code: int, expected: messages.RunResponse) -> None:
    assert program.response(exit_code, cancelled=False) == expected


def test_cancel_ends_a_running_program(runtime: LanguageRuntimeStub, project: Path) -> None:
    ready = project / "ready"
    os.mkfifo(ready)
    (project / "executor.py").write_text(f"open({str(ready)!r}, 'w').close()\nimport time\ntime.sleep(600)\n")
    running = runtime.Run.future(run_request(project))
    ready.read_bytes()
    runtime.Cancel(empty_pb2.Empty())
    assert "cancelled" in running.result(timeout=30).error


def test_nothing_starts_after_a_cancel(runtime: LanguageRuntimeStub, project: Path, processes: Processes) -> None:
    processes.cancel()
    with pytest.raises(grpc.RpcError, match="the run was cancelled"):
        runtime.Run(run_request(project))


def test_a_plugin_streams_its_output_and_ends_with_its_exit_code(runtime: LanguageRuntimeStub, project: Path) -> None:
    (project / "__main__.py").write_text(
        "import os, sys\nprint(sys.argv[1], os.environ['GIVEN'])\nprint('why', file=sys.stderr)\nsys.exit(7)\n"
    )
    request = messages.RunPluginRequest(
        kind="resource",
        pwd=str(project),
        args=["one"],
        env=["GIVEN=a=b"],
        info=program_info(project, virtualenv=".venv"),
    )
    told = list(runtime.RunPlugin(request))
    assert sorted(bytes(part.stdout or part.stderr) for part in told[:-1]) == [b"one a=b\n", b"why\n"]
    assert (told[-1].WhichOneof("output"), told[-1].exitcode) == ("exitcode", 7)


def test_installing_says_who_installs_when_there_is_no_requirements_file(
    runtime: LanguageRuntimeStub, project: Path
) -> None:
    request = messages.InstallDependenciesRequest(info=program_info(project, virtualenv=".venv"))
    assert b"make setup" in b"".join(part.stdout for part in runtime.InstallDependencies(request))


def test_a_policy_pack_is_told_the_stack() -> None:
    stack = AnalyzerStackConfigureRequest(
        organization="acme", project="demo", stack="prod", dry_run=True, config={"demo:size": "3"}
    )
    assert stack_variables(stack.SerializeToString()) == {
        "PULUMI_ORGANIZATION": "acme",
        "PULUMI_PROJECT": "demo",
        "PULUMI_STACK": "prod",
        "PULUMI_DRY_RUN": "true",
        "PULUMI_CONFIG": '{"demo:size": "3"}',
    }

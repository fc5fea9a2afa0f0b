"""Which engine a machine ends up with, and what it is told when it gets none."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from pathlib import Path

import pytest
from pulumi.automation import PulumiCommand

import engine
from engine import cache, download, recipe

COUNTED_BUILD = """#!/bin/sh
case "$1" in
env) echo '{{"GOVERSION": "{version}", "GOTOOLCHAIN": "local"}}' ;;
list) echo '{{"Dir": "{module}"}}' ;;
build)
  echo build >> "{log}"
  while [ "$1" != -o ]; do shift; done
  printf '#!/bin/sh\\necho v0\\n' > "$2"
  /bin/chmod +x "$2" ;;
esac
"""


class Machine:
    """A PATH and a cache folder of a test's own."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.cache = folder / "cache"
        self.log = folder / "builds"
        self.module = folder / "module"
        self.bin.mkdir()

    def command(self, name: str, text: str, folder: Path | None = None) -> Path:
        file = (folder or self.bin) / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)
        return file

    def pulumi(self, version: str) -> None:
        self.command("pulumi", f"#!/bin/sh\necho v{version}\n")
        self.command("pulumi-language-python", "#!/bin/sh\n")

    def go(self, version: str = f"go{recipe.GO_VERSION}") -> None:
        for script in recipe.SDK_SCRIPTS:
            self.command(script, "#!/bin/sh\n", self.module)
        self.command("go", COUNTED_BUILD.format(version=version, module=self.module, log=self.log))

    def builds(self) -> int:
        return len(self.log.read_text().splitlines()) if self.log.exists() else 0

    def cached(self, interpreter: str | None = None) -> Path:
        folder = cache.built_folder()
        for name in cache.COMMANDS:
            self.command(name, "#!/bin/sh\n", folder / "bin")
        marker = {"version": recipe.VERSION, "binary": recipe.binary_fingerprint(), "interpreter": interpreter}
        (folder / "engine.json").write_text(json.dumps(marker))
        return folder


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine with nothing on PATH, an empty cache, and no way to the download site."""
    made = Machine(tmp_path)
    monkeypatch.setenv("PATH", str(made.bin))
    monkeypatch.setenv("SOPHIA_CACHE_DIR", str(made.cache))
    monkeypatch.setattr(download, "_INSTALLER", "http://127.0.0.1:1/install.sh")
    return made


def test_a_pulumi_on_path_that_is_new_enough_is_used(machine: Machine) -> None:
    machine.pulumi("3.300.1")
    machine.cached()
    found = engine.ensure()
    assert (found.bin_dir, found.version, found.source) == (machine.bin, "3.300.1", "path")


def test_a_pulumi_on_path_that_is_too_old_gives_way_to_the_cache(machine: Machine) -> None:
    machine.pulumi("3.99.0")
    folder = machine.cached()
    found = engine.ensure()
    assert (found.bin_dir, found.version, found.source) == (folder / "bin", recipe.VERSION, "cached")


def test_a_later_folder_of_path_counts_when_the_first_pulumi_is_too_old(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.pulumi("3.99.0")
    newer = tmp_path / "newer"
    machine.command("pulumi", f"#!/bin/sh\necho v{recipe.OLDEST_VERSION}\n", newer)
    machine.command("pulumi-language-python", "#!/bin/sh\n", newer)
    monkeypatch.setenv("PATH", f"{machine.bin}:{newer}")
    assert engine.ensure().bin_dir == newer


def test_a_pulumi_without_the_python_language_host_is_of_no_use(machine: Machine) -> None:
    machine.command("pulumi", "#!/bin/sh\necho v3.300.1\n")
    folder = machine.cached()
    assert engine.ensure().bin_dir == folder / "bin"


def test_our_own_engine_on_path_is_a_cached_one(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = machine.cached()
    monkeypatch.setenv("PATH", str(folder / "bin"))
    assert engine.ensure().source == "cached"


@pytest.mark.parametrize("missing", ["engine.json", "bin/pulumi", "bin/pulumi-language-python"])
def test_a_half_built_folder_is_no_engine(machine: Machine, missing: str) -> None:
    (machine.cached() / missing).unlink()
    with pytest.raises(engine.EngineUnavailable):
        engine.ensure()


def test_a_build_is_installed_whole_and_found_again(machine: Machine) -> None:
    machine.go()
    lines: list[str] = []
    built = engine.ensure(lines.append)
    again = engine.ensure()
    assert (built.source, again.source, built.bin_dir, machine.builds()) == ("built", "cached", again.bin_dir, 1)
    assert any("some minutes" in line for line in lines), "a build of minutes must say so before it starts"
    assert [entry.name for entry in cache.root().iterdir() if entry.name.startswith(".unfinished")] == []


def test_the_language_host_of_a_build_runs_without_the_checkout(machine: Machine, tmp_path: Path) -> None:
    machine.go()
    host = engine.ensure().bin_dir / "pulumi-language-python"
    answer = subprocess.run(
        [host, "--version"], cwd=tmp_path, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True
    )
    assert (answer.stdout.strip(), answer.stderr) == (recipe.VERSION, "")


def test_a_language_host_whose_interpreter_is_gone_is_put_right_without_a_build(machine: Machine) -> None:
    machine.go()
    folder = engine.ensure().bin_dir.parent
    marker = json.loads((folder / "engine.json").read_text())
    (folder / "engine.json").write_text(json.dumps(marker | {"interpreter": "/no/such/python"}))
    (machine.bin / "go").unlink()
    assert engine.ensure().source == "built"
    assert engine.ensure().source == "cached"
    assert machine.builds() == 1, "the binary is still good: minutes of building are not to be spent again"


def test_two_at_once_install_one_engine(machine: Machine) -> None:
    machine.go()
    with ThreadPoolExecutor(2) as both:
        sources = sorted(found.source for found in both.map(lambda _: engine.ensure(), range(2)))
    assert (sources, machine.builds()) == (["built", "cached"], 1)


def test_the_second_of_two_says_that_it_waits(machine: Machine) -> None:
    waits = threading.Event()

    def say(line: str) -> None:
        if "waiting" in line:
            waits.set()

    with ThreadPoolExecutor(1) as other:
        with cache.exclusive(lambda _line: None):
            second = other.submit(engine.ensure, say)
            assert waits.wait(30)
            folder = machine.cached()
        assert second.result(30).bin_dir == folder / "bin"


def test_without_any_way_the_error_tells_what_was_tried_and_what_to_do(machine: Machine) -> None:
    machine.pulumi("3.99.0")
    with pytest.raises(engine.EngineUnavailable) as raised:
        engine.ensure()
    assert [attempt.way for attempt in raised.value.attempts] == ["PATH", "cache", "download", "build"]
    text = str(raised.value)
    assert f"{machine.bin}/pulumi is version 3.99.0" in text
    assert str(machine.cache) in text
    assert "cannot be reached" in text
    assert "no go on PATH" in text
    assert f"Go {recipe.GO_VERSION} or newer" in text.splitlines()[-1]


def test_a_go_that_is_too_old_is_named_with_the_version_that_is_needed(machine: Machine) -> None:
    machine.go("go1.22.3")
    with pytest.raises(engine.EngineUnavailable, match=rf"is go1\.22\.3; Go {recipe.GO_VERSION} or newer"):
        engine.ensure()
    assert machine.builds() == 0


def test_a_build_that_fails_leaves_nothing_behind_and_repeats_what_go_said(machine: Machine) -> None:
    machine.go()
    script = (machine.bin / "go").read_text()
    machine.command(
        "go", script.replace("build)\n", "build)\n  echo 'verifying module: checksum mismatch' >&2; exit 1\n")
    )
    with pytest.raises(engine.EngineUnavailable, match="checksum mismatch"):
        engine.ensure()
    assert [entry.name for entry in cache.root().iterdir()] == [".lock"]


@pytest.fixture
def download_site(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A site that has the installer."""

    class Site(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setattr(download, "_INSTALLER", f"http://127.0.0.1:{server.server_port}/install.sh")
        yield
        server.shutdown()
        thread.join()


@pytest.mark.usefixtures("download_site")
def test_the_official_engine_is_downloaded_once_and_goes_before_a_build(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.go()

    def install(root: str, version: object) -> None:
        assert str(version) == recipe.VERSION
        for name in cache.COMMANDS:
            machine.command(name, "#!/bin/sh\n", Path(root) / "bin")

    monkeypatch.setattr(PulumiCommand, "install", install)
    assert [engine.ensure().source, engine.ensure().source, machine.builds()] == ["downloaded", "cached", 0]


@pytest.mark.usefixtures("download_site")
def test_a_download_that_breaks_off_falls_through_to_the_build(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.go()

    def install(root: str, version: object) -> None:
        machine.command("pulumi", "half", Path(root) / "bin")
        raise subprocess.CalledProcessError(1, "install.sh", output=b"curl: (18) transfer closed")

    monkeypatch.setattr(PulumiCommand, "install", install)
    lines: list[str] = []
    assert engine.ensure(lines.append).source == "built"
    assert f"downloading pulumi {recipe.VERSION}" in lines


def test_the_engine_the_sdk_and_the_modules_are_one_version() -> None:
    modules = (recipe.FOLDER / "go.mod").read_text()
    for module in ("pkg", "sdk"):
        assert f"github.com/pulumi/pulumi/{module}/v3 v{recipe.VERSION}" in modules
    assert version("pulumi") == recipe.VERSION


@pytest.mark.parametrize(
    ("arguments", "expected"), [(["path"], "{bin}\n"), ([], "engine    pulumi 3.300.1, on PATH in {bin}\n")]
)
def test_the_command_prints_one_line(machine: Machine, arguments: list[str], expected: str) -> None:
    machine.pulumi("3.300.1")
    answer = subprocess.run(
        [sys.executable, "-m", "engine", *arguments],
        cwd=recipe.FOLDER.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout == expected.format(bin=machine.bin)


def test_the_command_ends_with_the_message_and_no_traceback(machine: Machine) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "engine", "path"],
        cwd=recipe.FOLDER.parent,
        capture_output=True,
        text=True,
        env={"PATH": str(machine.bin), "SOPHIA_CACHE_DIR": str(machine.cache), "HTTPS_PROXY": "http://127.0.0.1:1"},
    )
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "no Pulumi engine on this machine" in answer.stderr
    assert "Traceback" not in answer.stderr

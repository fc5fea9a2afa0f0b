"""`sophia esc diff` and `push` against the sandbox's Pulumi Cloud: nobody's change is overwritten, no secret is shown."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox import control
from sophia.cli import run
from sophia.environments import publish
from sophia.errors import SophiaError
from sophia.esc.cloud import Cloud
from sophia.esc.files import Environments
from sophia.esc.publish import compare, push
from sophia.project import Project
from sophia.target import SANDBOX_DIRECTORY, of_running

REPOSITORY = Path(__file__).parents[2]
ALL = "/api/esc/environments/scoobyjava-org/sophia-ai"
SECRET = "hunter2-hunter2"


@dataclass
class Place:
    """A checkout whose environments are published in a sandbox of its own."""

    directory: Path
    running: control.Running
    capture: pytest.CaptureFixture[str]

    def sophia(self, *arguments: str, code: int = 0) -> str:
        """Runs the command; what it printed, on either stream."""
        got = run([*arguments, "-C", str(self.directory)])
        out, err = self.capture.readouterr()
        assert got == code, f"{arguments} ended with {got}:\n{out}\n{err}"
        assert "Traceback" not in out + err
        return out if "--json" in arguments else out + err

    def document(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self.sophia(*arguments, "--json", code=code))["esc"]

    def edit(self, name: str, old: str, new: str) -> None:
        file = self.directory / "esc" / f"{name}.yaml"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def cloud(self, method: str, path: str, content: str | None = None) -> httpx.Response:
        """A request of somebody else."""
        headers = {"Authorization": f"token {self.running.access_token}"}
        url = f"{self.running.url}{ALL}/{path}"
        answer = httpx.request(method, url, content=content, headers=headers, trust_env=False)
        assert answer.is_success, answer.text
        return answer

    def tags(self, name: str) -> dict[str, int]:
        return {one["name"]: one["revision"] for one in self.cloud("GET", f"{name}/versions/tags").json()["tags"]}

    def git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=A", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false"]
        done = subprocess.run(["git", *identity, *arguments], cwd=self.directory, check=True, capture_output=True)
        return done.stdout.decode().strip()

    def committed(self) -> str:
        """Commits everything; the tag of that commit."""
        self.git("add", "--all", "esc")
        self.git("commit", "--quiet", "--allow-empty", "-m", "x")
        return f"git-{self.git('rev-parse', 'HEAD')[:12]}"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Place]:
    directory = tmp_path / "checkout"
    directory.mkdir()
    (directory / "esc").mkdir()
    for file in (REPOSITORY / "esc").glob("*.yaml"):
        shutil.copy(file, directory / "esc" / file.name)
    (directory / "Pulumi.yaml").write_text("name: sophia-ai\n")
    for stage in ("dev", "staging", "prod"):
        (directory / f"Pulumi.{stage}.yaml").write_text(f"environment: [sophia-ai/{stage}]\n")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("PULUMI_ACCESS_TOKEN", "PULUMI_BACKEND_URL", "PULUMI_HOME"):
        monkeypatch.delenv(name, raising=False)
    running = control.start(directory / SANDBOX_DIRECTORY, 0)
    try:
        publish(running, directory / "esc")
        yield Place(directory, running, capsys)
    finally:
        control.stop(directory / SANDBOX_DIRECTORY)


Prepare = Callable[[Place], None]


def test_what_was_published_is_no_difference(place: Place) -> None:
    shown = place.sophia("esc", "diff", "--all")
    assert "sophia-ai/base" in shown
    assert "as in git" in shown
    assert place.document("esc", "push", "--all", "--yes")["environments"][0] == {
        "name": "sophia-ai/base",
        "revision": 2,
        "written": False,
        "tags": ["pushed"],
    }
    assert publish(place.running, place.directory / "esc") == []


def test_a_change_in_git_is_shown_then_published_and_tagged(place: Place) -> None:
    place.git("init", "--quiet")
    place.edit("dev", "SOPHIA_STAGE: dev", "SOPHIA_STAGE: dev\n    COLOUR: blue")
    shown = place.sophia("esc", "diff", "dev", code=2)
    assert "+    COLOUR: blue" in shown
    (found,) = place.document("esc", "diff", "dev", code=2)["environments"]
    assert (found["state"], found["revision"]) == ("differs", 2)

    tag = place.committed()
    (done,) = place.document("esc", "push", "dev")["environments"]
    assert (done["revision"], done["written"], done["tags"]) == (3, True, ["pushed", tag])
    assert place.cloud("GET", "dev").text == (place.directory / "esc" / "dev.yaml").read_text()
    assert place.tags("dev") == {"latest": 3, "pushed": 3, tag: 3}
    assert place.tags("prod")["pushed"] == 2
    place.sophia("esc", "diff", "--all")

    place.edit("dev", "blue", "green")
    (done,) = place.document("esc", "push", "dev")["environments"]
    assert done["tags"] == ["pushed"], "a text that is not committed carries no commit's tag"


def test_what_somebody_changed_in_the_cloud_is_not_overwritten(place: Place) -> None:
    theirs = place.cloud("GET", "dev").text.replace("SOPHIA_STAGE: dev", "SOPHIA_STAGE: dev\n    THEIRS: kept")
    place.cloud("PATCH", "dev", theirs)
    place.edit("dev", "SOPHIA_STAGE: dev", "SOPHIA_STAGE: dev\n    OURS: new")
    shown = place.sophia("esc", "diff", "dev", code=2)
    assert "-    THEIRS: kept" in shown
    assert "which was changed there: revisions not pushed from git: 3 (" in shown

    refused = place.sophia("esc", "push", "dev", code=1)
    assert "nothing was overwritten" in refused
    assert "sophia esc push dev --force" in refused
    assert place.cloud("GET", "dev").text == theirs

    assert "-    THEIRS: kept" in place.sophia("esc", "push", "dev", "--force")
    assert "OURS: new" in place.cloud("GET", "dev").text
    place.sophia("esc", "push", "dev")


def test_a_change_that_git_has_too_is_taken_over(place: Place) -> None:
    place.edit("dev", "SOPHIA_STAGE: dev", "SOPHIA_STAGE: dev\n    BOTH: same")
    place.cloud("PATCH", "dev", (place.directory / "esc" / "dev.yaml").read_text())
    (done,) = place.document("esc", "push", "dev")["environments"]
    assert (done["revision"], done["written"]) == (3, False)
    assert place.tags("dev")["pushed"] == 3


def test_a_change_at_the_very_moment_of_writing_is_refused(place: Place) -> None:
    environments = Environments.of(Project.find(place.directory))
    cloud = Cloud(of_running(place.running), "sophia-ai", {})
    place.edit("dev", "SOPHIA_STAGE: dev", "SOPHIA_STAGE: dev\n    OURS: new")
    environments = Environments.of(Project.find(place.directory))
    compared = compare(cloud, environments, "dev")
    theirs = place.cloud("GET", "dev").text + "    THEIRS: kept\n"
    place.cloud("PATCH", "dev", theirs)
    for force in (False, True):
        with pytest.raises(SophiaError, match="at this very moment"):
            push(cloud, environments, compared, force=force)
    assert place.cloud("GET", "dev").text == theirs


def test_an_older_checkout_does_not_undo_what_a_newer_one_pushed(place: Place) -> None:
    place.git("init", "--quiet")
    place.committed()
    place.edit("dev", "SOPHIA_STAGE: dev", "SOPHIA_STAGE: dev\n    NEWER: kept")
    newer = place.committed()
    place.sophia("esc", "push", "dev")
    place.git("reset", "--quiet", "--hard", "HEAD~1")
    place.git("reflog", "expire", "--expire=now", "--all")
    refused = place.sophia("esc", "push", "dev", code=1)
    assert f"pushed from commit {newer.removeprefix('git-')}, which this checkout lacks" in refused
    assert "NEWER" in place.cloud("GET", "dev").text
    # One that has the commit may go back from it.
    place.git("merge", "--quiet", newer.removeprefix("git-"))
    place.edit("dev", "\n    NEWER: kept", "")
    place.sophia("esc", "push", "dev")


def test_layout_is_no_difference_but_a_comment_is(place: Place) -> None:
    text = place.cloud("GET", "dev").text
    place.cloud(
        "PATCH", "dev", text.replace("  - sophia-ai", "- sophia-ai").replace("SOPHIA_STAGE: dev", "SOPHIA_STAGE:  dev")
    )
    place.sophia("esc", "diff", "dev")
    place.edit("dev", "values:", "# why\nvalues:")
    assert "+# why" in place.sophia("esc", "diff", "dev", code=2)


def test_secrets_are_never_shown(place: Place) -> None:
    text = place.cloud("GET", "dev").text
    stored = (
        f"    PLAIN_TOKEN: {SECRET}\n    HIDDEN:\n      fn::secret: {SECRET}\n    OTHER: {{fn::secret: {SECRET}}}\n"
    )
    stored += f"    # was ghp_{'a1B2' * 9}\n    ADDRESS: postgres://sophia:{SECRET}@db/x\n"
    place.cloud("PATCH", "dev", text + stored)
    ciphertext = place.cloud("GET", "dev").text.partition("ciphertext: ")[2].split()[0]
    for arguments in (("diff", "dev"), ("diff", "dev", "--json"), ("push", "dev"), ("push", "dev", "--force")):
        run(["esc", *arguments, "-C", str(place.directory)])
        out, err = place.capture.readouterr()
        assert "HIDDEN" in out + err or arguments == ("push", "dev")
        for secret in (SECRET, ciphertext, "a1B2a1B2"):
            assert secret not in out + err


def test_missing_credentials_are_told_with_what_they_must_contain(place: Place) -> None:
    place.cloud("DELETE", "credentials-dev")
    place.edit("dev", "SOPHIA_STAGE: dev", "SOPHIA_STAGE: dev\n    COLOUR: blue")
    assert "ESC environment sophia-ai/credentials-dev does not exist" in place.sophia("esc", "diff", "dev", code=2)
    refused = place.sophia("esc", "push", "dev", code=4)
    assert "SLACK_BOT_TOKEN" in refused
    assert "pulumi env init scoobyjava-org/sophia-ai/credentials-dev" in refused
    assert place.tags("dev")["latest"] == 2
    assert "credentials-dev" not in place.tags("dev")
    place.sophia("esc", "push", "base")


def test_credentials_by_name(place: Place) -> None:
    shown = place.sophia("esc", "credentials", "dev")
    assert "there    SLACK_BOT_TOKEN" in shown
    assert "unlisted" not in shown
    file = place.directory / "esc" / "credentials.required.yaml"
    file.write_text(file.read_text() + "NEW_KEY: somewhere\n")
    assert "missing  NEW_KEY" in place.sophia("esc", "credentials", "dev", code=4)
    text = place.cloud("GET", "credentials-dev").text
    place.cloud(
        "PATCH",
        "credentials-dev",
        text.replace("environmentVariables:", f"environmentVariables:\n    NEW_KEY: {SECRET}\n    OLD: x"),
    )
    found = place.sophia("esc", "credentials", "dev", "--json", code=4)
    states = {one["name"]: one["state"] for one in json.loads(found)["esc"]["credentials"]}
    assert (states["NEW_KEY"], states["OLD"], states["SLACK_BOT_TOKEN"]) == ("in clear", "unlisted", "there")
    assert SECRET not in found


def test_what_the_check_finds_is_not_published(place: Place) -> None:
    place.edit("dev", "SOPHIA_STAGE: dev", "SOPHIA_STAGE: ${nope}")
    assert 'unknown property "nope"' in place.sophia("esc", "push", "dev", code=3)
    assert place.tags("dev")["latest"] == 2


def test_an_empty_organisation_gets_them_in_order(place: Place) -> None:
    for name in ("dev", "staging", "prod", "base"):
        place.cloud("DELETE", name)
    assert "does not exist there" in place.sophia("esc", "diff", "--all", code=2)
    done = place.document("esc", "push", "--all")["environments"]
    assert done[0]["name"] == "sophia-ai/base"
    assert all(one["written"] for one in done)
    place.sophia("esc", "diff", "--all")


@pytest.mark.parametrize(
    ("arguments", "code", "hint"),
    [
        (("diff", "dve"), 3, 'did you mean "dev"?'),
        (("diff",), 3, "name stages or base"),
        (("diff", "dev", "--all"), 3, "name stages or base"),
        (("psuh", "dev"), 3, "did you mean `sophia esc push`?"),
        (("credentials", "dve"), 3, 'did you mean "dev"?'),
    ],
)
def test_mistakes_on_the_command_line(place: Place, arguments: tuple[str, ...], code: int, hint: str) -> None:
    assert hint in place.sophia("esc", *arguments, code=code)


def test_a_cloud_that_refuses_or_does_not_answer(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"{place.running.url}/")
    monkeypatch.setenv("PULUMI_ACCESS_TOKEN", "pul-wrong")
    monkeypatch.setattr("sophia.target.running_sandbox", lambda _directory: None)
    refused = place.sophia("esc", "diff", "dev", code=4)
    assert "PULUMI_ACCESS_TOKEN" in refused
    assert "pul-wrong" not in refused
    monkeypatch.setenv("PULUMI_BACKEND_URL", "http://127.0.0.1:1")
    assert "does not answer" in place.sophia("esc", "diff", "dev", code=6)
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{place.directory}")
    assert "has no ESC environments" in place.sophia("esc", "diff", "dev", code=3)

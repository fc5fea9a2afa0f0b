"""The scripts of docs/examples, and the commands of docs/adopting.md as a new user of an empty organisation types them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import control
from tests.engine.conftest import REPOSITORY, STAGES, Checkout, NewCheckout

DOCS = REPOSITORY / "docs"
EXAMPLES = DOCS / "examples"
NOT_HERE = "make setup engine"
"""What runs this test is set up."""


@pytest.fixture
def checkout(new_checkout: NewCheckout, tmp_path: Path) -> Iterator[Checkout]:
    """Three stacks, each with its real settings of one platform."""
    with new_checkout(tmp_path / "checkout") as made:
        if not (made.directory / "policies").exists():
            (made.directory / "policies").symlink_to(REPOSITORY / "policies")
        for stage in STAGES:
            made.configure(stage, slack=made.settings(stage)["slack"])
        yield made


def example(checkout: Checkout, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, EXAMPLES / name, *arguments],
        cwd=checkout.directory,
        env={name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_every_example_is_run_here() -> None:
    text = Path(__file__).read_text()
    assert all(f'"{path.name}"' in text for path in EXAMPLES.glob("*.py"))


def test_a_script_deploys_what_destroys_nothing_and_shows_what_would(checkout: Checkout) -> None:
    script = "deploy_unless_destructive.py"
    first = example(checkout, script, "dev")
    assert first.returncode == 0, first.stderr
    assert "Slack channel alerts: create" in first.stdout
    assert re.search(r"created \d+, updated 0 in \d+ s", first.stdout)
    settings = checkout.settings()
    del settings["slack"]["channels"]["incidents"]
    checkout.configure(**settings)
    refused = example(checkout, script, "dev")
    assert refused.returncode == 2
    assert "- Slack channel incidents" in refused.stdout
    assert "dev::incidents" not in refused.stdout
    wrong = example(checkout, script, "dve")
    assert wrong.returncode == 3
    assert 'did you mean "dev"?' in wrong.stderr


def test_a_script_looks_for_drift_in_every_stack_at_once(checkout: Checkout) -> None:
    script = "drift_of_all_stacks.py"
    checkout.run("up", "dev")
    clean = example(checkout, script)
    assert clean.returncode == 0, clean.stderr
    alerts = checkout.settings()["slack"]["channels"]["alerts"]["name"]
    checkout.run("sandbox", "change", "slack", "channel", alerts, "purpose=by hand")
    drifted = example(checkout, script)
    assert drifted.returncode == 2
    assert "dev: Slack" in drifted.stdout
    assert "prod: no drift" in drifted.stdout


def commands(document: Path) -> list[str]:
    """The blocks of shell commands, without those that say why they are not run."""
    text = document.read_text()
    blocks = re.findall(r"(<!-- not run: [^\n]+ -->\n)?```sh\n(.*?)```", text, re.DOTALL)
    return [block.replace(NOT_HERE, ":") for reason, block in blocks if not reason]


@pytest.fixture
def organisation(sandbox: control.Running, checkout: Checkout) -> dict[str, str]:
    """The variables that lead to an empty Pulumi Cloud; beside the checkout lies the file with dev's credentials."""
    control.stop(checkout.running.directory)
    running = {**os.environ, **sandbox.environment(), "NO_COLOR": "1"}
    pulumi = str(checkout.command.command)
    credentials = "scoobyjava-org/sophia-ai/credentials-dev"
    shown = subprocess.run(
        [pulumi, "env", "get", credentials, "--definition", "--show-secrets"],
        env=running,
        check=True,
        capture_output=True,
        text=True,
    )
    checkout.directory.with_name("credentials-dev.yaml").write_text(shown.stdout)
    subprocess.run([pulumi, "env", "rm", "--yes", credentials], env=running, check=True, capture_output=True)
    return running


def test_the_way_from_an_empty_organisation_to_a_deployed_stack(
    checkout: Checkout, organisation: dict[str, str]
) -> None:
    script = "\n".join(["set -eux", *commands(DOCS / "adopting.md")])
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=checkout.directory,
        env=organisation,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "not deployed" in done.stdout
    assert "last run     deploy by" in done.stdout
    assert not checkout.directory.with_name("credentials-dev.yaml").exists()

"""The command `sophia esc check`: exit codes, what it prints, its document; it needs neither network nor engine."""

from __future__ import annotations

import json
import subprocess
import sys

import jsonschema
import pytest

from sophia.cli import document, run
from tests.unit.esc_checkout import Checkout, checkout

__all__ = ["checkout"]

TOKEN = "xoxb-1234567890-aB3dE6gH9jK2mN5p"


def test_nothing_wrong(checkout: Checkout, capsys: pytest.CaptureFixture[str]) -> None:
    project = checkout()
    assert run(["esc", "check", "-C", str(project.directory)]) == 0
    assert capsys.readouterr() == ("esc       4 environments, nothing wrong\n", "")


def test_all_findings_are_printed_without_the_secret(checkout: Checkout, capsys: pytest.CaptureFixture[str]) -> None:
    project = checkout(base=f"values:\n  a: {TOKEN}\n  b: ${{nope}}\n  environmentVariables: {{PORT: 1}}\n")
    assert run(["esc", "check", "-C", str(project.directory)]) == 3
    out, err = capsys.readouterr()
    assert out == "esc       4 environments, 2 errors, 1 warning\n"
    assert "error esc/base.yaml has a secret in clear" in err
    assert "  setting  esc/base.yaml:3: values.b" in err
    assert "warning PORT is no text" in err
    assert TOKEN not in err


def test_the_document(checkout: Checkout, capsys: pytest.CaptureFixture[str]) -> None:
    project = checkout(base=f"values:\n  a: {TOKEN}\n  environmentVariables: {{PORT: 1}}\n")
    assert run(["esc", "check", "--json", "-C", str(project.directory)]) == 3
    out, _ = capsys.readouterr()
    found = json.loads(out)
    jsonschema.validate(found, json.loads(document.SCHEMA_FILE.read_text()))
    assert (found["command"], found["exit_code"]) == ("esc check", 3)
    assert [(one["file"], one["line"], one["kind"]) for one in found["problems"]] == [("esc/base.yaml", 2, "secret")]
    assert {one["severity"] for one in found["esc"]["findings"]} == {"error", "warning"}
    assert TOKEN not in out


def test_a_check_loads_no_client_of_the_cloud(checkout: Checkout) -> None:
    project = checkout()
    code = "import sys; from sophia.cli import run; run(sys.argv[1:]); print(sorted(sys.modules), file=sys.stderr)"
    arguments = [sys.executable, "-c", code, "esc", "check", "-C", str(project.directory)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert not {"pulumi_esc_sdk", "urllib3", "pulumi"} & set(done.stderr.split("'"))

"""A small checkout with ESC environments, for the tests of their check."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sophia.esc import Finding, Report, examine
from sophia.project import Project

STAGES = ("dev", "staging", "prod")

Checkout = Callable[..., Project]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """``checkout(base="values: …", stack_dev="environment: …")``: a small one, with the files that are given instead."""

    def make(**files: str) -> Project:
        texts = {"esc/base.yaml": "values:\n  environmentVariables:\n    SLACK_API_URL: https://slack.com/api\n"}
        texts |= {
            f"esc/{stage}.yaml": f"imports:\n  - sophia-ai/base\n  - sophia-ai/credentials-{stage}\n"
            for stage in STAGES
        }
        texts |= {f"Pulumi.{stage}.yaml": f"environment: [sophia-ai/{stage}]\nconfig: {{}}\n" for stage in STAGES}
        texts |= {"esc/credentials.required.yaml": "LINEAR_API_KEY: Linear\n", "Pulumi.yaml": "name: sophia-ai\n"}
        for name, text in files.items():
            stack = name.removeprefix("stack_")
            path = f"Pulumi.{stack}.yaml" if stack != name else f"esc/{name.replace('__', '.')}.yaml"
            texts[path] = text
        for name, text in texts.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text)
        return Project.find(tmp_path)

    return make


def report(project: Project) -> Report:
    return examine(project, environ={})


def only(project: Project) -> Finding:
    """The one error."""
    errors = report(project).errors
    assert len(errors) == 1, [one.render() for one in errors]
    return errors[0]


def place(finding: Finding) -> str:
    return f"{finding.file}:{finding.line}"

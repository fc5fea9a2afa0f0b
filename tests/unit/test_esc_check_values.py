"""`sophia esc check`: values that are known to be wrong, and types that get lost on the way to the program."""

from __future__ import annotations

from pathlib import Path

import pytest

from esc.language.envelope import wrap
from sophia.esc import examine
from tests.unit.esc_checkout import Checkout, checkout, only, place, report

__all__ = ["checkout"]

STACK = "environment: [sophia-ai/dev]\nconfig:\n  sophia-ai:x:\n"
STORED = f"{{fn::secret: {{ciphertext: {wrap(b'0123456789abcdef')}}}}}"


@pytest.mark.parametrize(
    "value",
    [
        "scoobyjava-vw02766",
        "SCOOBYJAVA.VW02766",
        "UHDECNO-CVB64222",
        "https://uhdecno-cvb64222.snowflakecomputing.com",
        "jdbc:snowflake://vw02766.us-east-1.snowflakecomputing.com",
        "CVB64222",
    ],
)
def test_a_wrong_snowflake_account_is_refused_anywhere(checkout: Checkout, value: str) -> None:
    found = only(checkout(base=f"values:\n  environmentVariables:\n    X: {value}\n"))
    assert (found.kind, place(found)) == ("wrong-value", "esc/base.yaml:3")
    assert "ZNB04675" in found.do
    assert place(only(checkout(stack_dev=f"{STACK}    hosts: [a, '{value}']\n"))) == "Pulumi.dev.yaml:4"


def test_a_wrong_account_that_is_put_together_from_parts(checkout: Checkout) -> None:
    base = "values:\n  o: scoobyjava\n  a: vw0\n  b: '2766'\n  url: https://${o}-${a}${b}.snowflakecomputing.com\n"
    assert place(only(checkout(base=base))) == "esc/base.yaml:5"


def test_a_wrong_account_in_the_processes_own_variables(checkout: Checkout) -> None:
    found = examine(checkout(), environ={"SNOWFLAKE_ACCOUNT": "UHDECNO-CVB64222", "HOME": "UHDECNO-CVB64222"})
    assert [one.setting for one in found.errors] == ["environment variable SNOWFLAKE_ACCOUNT"]


def test_a_wrong_account_in_the_project_file(checkout: Checkout, tmp_path: Path) -> None:
    project = checkout()
    (tmp_path / "Pulumi.yaml").write_text("name: sophia-ai\nconfig: {account: UHDECNO-CVB64222}\n")
    assert place(only(project)) == "Pulumi.yaml:2"


def test_the_right_account_and_comments_are_fine(checkout: Checkout) -> None:
    assert report(checkout(base="# never UHDECNO-CVB64222\nvalues: {account: ZNB04675}\n")).findings == ()


@pytest.mark.parametrize(
    "line", ["gpus: 0.25", "nvidia.com/gpu: '0.5'", "requests.nvidia.com/gpu: 250m", "GPU_COUNT: 1.5"]
)
def test_a_part_of_a_gpu(checkout: Checkout, line: str) -> None:
    found = only(checkout(stack_dev=f"{STACK}    limits:\n      {line}\n"))
    assert (found.kind, place(found)) == ("wrong-value", "Pulumi.dev.yaml:5")
    assert "time-slicing" in found.do


@pytest.mark.parametrize("line", ["gpus: 1", "nvidia.com/gpu: '4'", "gpus: 1000m", "gpu_share: 0.25", "cpus: 0.25"])
def test_whole_gpus_and_parts_of_other_things(checkout: Checkout, line: str) -> None:
    assert report(checkout(stack_dev=f"{STACK}    limits:\n      {line}\n")).errors == ()


@pytest.mark.parametrize(
    ("value", "lost"),
    [
        ("{fn::fromJSON: {fn::secret: '42'}}", True),
        ("{fn::fromJSON: {fn::secret: 'true'}}", True),
        ("{fn::fromJSON: {fn::secret: '[1, 2]'}}", True),
        ("{fn::split: [',', {fn::secret: 'a,b'}]}", True),
        (f"{{fn::split: [',', {STORED}]}}", True),
        ("{nested: {port: {fn::fromJSON: {fn::secret: '42'}}}}", True),
        ("{fn::secret: text}", False),
        ("{fn::toString: {fn::fromJSON: {fn::secret: '42'}}}", False),
        ('{fn::fromJSON: {fn::secret: \'{"a": "text"}\'}}', False),
        ("{list: [{fn::secret: text}, 2]}", False),
        (STORED, False),
        ("42", False),
    ],
)
def test_only_strings_stay_secret_in_the_engines_configuration(checkout: Checkout, value: str, lost: bool) -> None:
    found = report(checkout(base=f"values:\n  pulumiConfig:\n    a:b: {value}\n")).errors
    assert [place(one) for one in found if one.kind == "type"] == (["esc/base.yaml:3"] if lost else [])


def test_a_secret_of_unknown_type_is_a_warning(checkout: Checkout) -> None:
    project = checkout(base=f"values:\n  pulumiConfig:\n    a:b: {{fn::fromJSON: {STORED}}}\n")
    (warning,) = [one for one in report(project).warnings if one.kind == "type"]
    assert (place(warning), warning.what) == ("esc/base.yaml:3", 'pulumiConfig["a:b"] may lose its secrecy')


@pytest.mark.parametrize("kind", ["environmentVariables", "files"])
@pytest.mark.parametrize(
    ("value", "severity"),
    [
        ("[a, b]", "error"),
        ("{a: b}", "error"),
        (f"{{fn::split: [',', {STORED}]}}", "error"),
        ("1.10", "error"),
        ("0755", "error"),
        ("1e6", "error"),
        ("1_000", "error"),
        ("8080", "warning"),
        ("true", "warning"),
        ("null", "warning"),
        ("'1.10'", None),
        ("yes", None),
        ("{fn::toJSON: [a, b]}", None),
        (STORED, None),
    ],
)
def test_variables_and_files_are_texts(checkout: Checkout, kind: str, value: str, severity: str | None) -> None:
    found = report(checkout(base=f"values:\n  {kind}:\n    X: {value}\n")).findings
    told = [(one.severity, place(one)) for one in found if one.kind == "type"]
    assert told == ([(severity, "esc/base.yaml:3")] if severity else [])


def test_variables_that_are_no_mapping(checkout: Checkout) -> None:
    assert only(checkout(base="values:\n  environmentVariables: [A=b]\n")).what == "environmentVariables is no mapping"


def test_a_part_that_nothing_reads(checkout: Checkout) -> None:
    (warning,) = report(checkout(base="values:\n  enviromentVariables: {A: b}\n  other: 1\n")).warnings
    assert (place(warning), warning.do) == ("esc/base.yaml:2", "did you mean environmentVariables?")

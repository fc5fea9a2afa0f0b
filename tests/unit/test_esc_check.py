"""`sophia esc check` as a library: what is wrong with the environments of a checkout, found offline."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sophia.esc import check, examine
from sophia.project import Project
from tests.unit.esc_checkout import STAGES, Checkout, checkout, only, place, report

REPOSITORY = Path(__file__).parents[2]

__all__ = ["checkout"]

NAMED = """environment: [sophia-ai/dev]
config:
  sophia-ai:airbyte:
    sources:
      linear: {{secret: {{environment: {0}}}}}
"""


def test_the_environments_of_this_repository_are_well() -> None:
    found = examine(Project.find(REPOSITORY), environ={})
    assert [one.render() for one in found.findings] == []
    assert {"sophia-ai/base", *(f"sophia-ai/{stage}" for stage in STAGES)} <= set(found.environments)


def test_every_mistake_is_told_at_once_with_its_file_and_line(checkout: Checkout) -> None:
    project = checkout(
        base="values:\n  a: ${nope}\n  b: ${a.c}\n",
        dev="imports: [sophia-ai/base, sophia-ai/bsae]\nvalues: {x: {fn::open::aws-logn: {}}}\n",
        stack_dev="environment: [sophia-ai/dev]\nconfig: {token: hunter22}\n",
    )
    found = {(place(one), one.kind) for one in report(project).errors}
    assert found == {
        ("esc/base.yaml:2", "resolve"),
        ("esc/dev.yaml:1", "resolve"),
        ("esc/dev.yaml:2", "resolve"),
        ("Pulumi.dev.yaml:2", "secret"),
    }
    assert len(check(project)) == 4


@pytest.mark.parametrize(
    ("base", "line", "said", "do"),
    [
        ("values:\n  a: ${hst}\n  host: x\n", 2, 'unknown property "hst"; did you mean "host"?', "correct the name"),
        ("values:\n  a: ${b}\n  b: ${a}\n", 2, "cyclic reference", "break the circle"),
        ("imports:\n  - sophia-ai/base\n", 2, "cyclic import", "break the circle"),
        ("imports:\n  - sophia-ai/bsae\n", 2, "not found", 'did you mean "sophia-ai/base"?'),
        ("imports:\n  - aws/login\n", 2, "git has no such environment", "add esc/login.yaml"),
        ("imports:\n  - sophia-ai/credentials-qa\n", 2, "not found", "dev, prod, staging"),
        ("values:\n  a:\n    fn::opne: 1\n", 3, "'fn::' is a reserved prefix", "fn::toJSON"),
        ("values:\n  a:\n    fn::open::aws-logn: {}\n", 3, 'unknown provider "aws-logn"', 'did you mean "aws-login"?'),
        ("values:\n  a:\n    fn::join: [x]\n", 3, "two-valued list", "correct esc/base.yaml:3"),
        ("values:\n  a: [1\n", 2, "yaml:", "correct the YAML"),
        ("values:\n  a: &x 1\n  b: *x\n", 3, "alias nodes are not supported", "no YAML aliases"),
        ("- a\n", 1, "environment must be an object", "correct"),
    ],
)
def test_what_does_not_resolve(checkout: Checkout, base: str, line: int, said: str, do: str) -> None:
    found = [one for one in report(checkout(base=base)).errors if one.kind == "resolve"]
    (first,) = [one for one in found if said in one.said]
    assert (first.file, first.line) == ("esc/base.yaml", line)
    hint = f"{first.said} {first.do}"
    assert do in hint or all(word in hint for word in do.split(", "))


def test_an_error_in_what_others_import_is_told_once(checkout: Checkout) -> None:
    assert place(only(checkout(base="values:\n  a: ${nope}\n"))) == "esc/base.yaml:2"
    assert place(only(checkout(base="values: [\n"))) == "esc/base.yaml:1"


def test_providers_and_credentials_are_known_by_name_only(checkout: Checkout) -> None:
    project = checkout(
        dev="imports: [sophia-ai/base, sophia-ai/credentials-dev]\nvalues:\n"
        "  login: {fn::open::aws-login: {oidc: {}}}\n  key: ${login.accessKeyId}\n"
        "  rotated: {fn::rotate::snowflake-user: {inputs: {}}}\n"
        "  bearer: Bearer ${environmentVariables.LINEAR_API_KEY}\n  wrong: ${environmentVariables.LINAER_API_KEY}\n"
    )
    assert place(only(project)) == "esc/dev.yaml:7"


def test_what_a_stack_file_defines_itself_is_evaluated_too(checkout: Checkout) -> None:
    project = checkout(
        stack_dev="environment:\n  imports:\n    - sophia-ai/dev\n    - sophia-ai/dve\n  values:\n    a: ${nope}\n"
    )
    assert [place(one) for one in report(project).errors] == ["Pulumi.dev.yaml:4", "Pulumi.dev.yaml:6"]


def test_a_final_value_that_is_overridden_is_a_warning(checkout: Checkout) -> None:
    project = checkout(base="values: {a: {fn::final: 1}}", dev="imports: [sophia-ai/base]\nvalues: {a: 2}\n")
    (warning,) = report(project).warnings[:1]
    assert (place(warning), warning.said) == ("esc/dev.yaml:2", "cannot override final value")
    assert check(project) == []


@pytest.mark.parametrize(
    ("files", "where", "said"),
    [
        ({"prod": "imports: [sophia-ai/dev]\n"}, "esc/prod.yaml:1", "sophia-ai/dev"),
        ({"prod": "imports: [sophia-ai/credentials-dev]\n"}, "esc/prod.yaml:1", "sophia-ai/credentials-dev"),
        ({"prod": "imports: [{sophia-ai/dev@3: {merge: false}}]\n"}, "esc/prod.yaml:1", "sophia-ai/dev@3"),
        (
            {"prod": "values:\n  a: ${environments.sophia-ai.dev.b}\n", "dev": "values: {b: 1}"},
            "esc/prod.yaml:2",
            "dev",
        ),
        (
            {"shared": "imports: [sophia-ai/prod]", "dev": "imports: [sophia-ai/shared]"},
            "esc/shared.yaml:1",
            "esc/dev.yaml → esc/shared.yaml → sophia-ai/prod",
        ),
        (
            {"stack_dev": "environment:\n  - sophia-ai/dev\n  - sophia-ai/prod\n"},
            "Pulumi.dev.yaml:3",
            "Pulumi.dev.yaml leads to sophia-ai/prod",
        ),
    ],
)
def test_a_stage_that_sees_another(checkout: Checkout, files: dict[str, str], where: str, said: str) -> None:
    (found,) = [one for one in report(checkout(**files)).errors if one.kind == "stage"]
    assert place(found) == where
    assert said in found.said


@pytest.mark.parametrize(
    ("stack", "said", "do"),
    [
        ("config: {}\n", "it names none", "environment: [sophia-ai/dev]"),
        ("environment: [sophia-ai/base]\n", "it names sophia-ai/base", "environment: [sophia-ai/dev]"),
        ("environment: {values: {}}\n", "it names none", "environment: [sophia-ai/dev]"),
    ],
)
def test_a_stack_names_the_environment_of_its_stage(checkout: Checkout, stack: str, said: str, do: str) -> None:
    found = only(checkout(stack_dev=stack))
    assert (found.kind, found.file) == ("stage", "Pulumi.dev.yaml")
    assert said in found.said
    assert do in found.do


def test_a_stage_without_an_environment_in_git(checkout: Checkout) -> None:
    project = checkout(stack_qa="environment: [sophia-ai/qa]\n")
    assert {(one.kind, place(one)) for one in report(project).errors} == {
        ("resolve", "Pulumi.qa.yaml:1"),
    }


def test_credentials_that_settings_name_must_be_listed(checkout: Checkout) -> None:
    assert report(checkout(stack_dev=NAMED.format("LINEAR_API_KEY"))).errors == ()
    found = only(checkout(stack_dev=NAMED.format("GONG_ACCESS_KEY")))
    assert (place(found), found.what) == ("Pulumi.dev.yaml:5", "stage dev has no GONG_ACCESS_KEY")
    assert "sophia-ai/credentials-dev" in found.do


def test_a_variable_that_an_environment_in_git_sets_need_not_be_listed(checkout: Checkout) -> None:
    assert report(checkout(stack_dev=NAMED.format("SLACK_API_URL"))).errors == ()


def test_platforms_need_the_variables_of_their_clients(checkout: Checkout, tmp_path: Path) -> None:
    platforms = "config:\n  sophia-ai:slack: {}\n  sophia-ai:kubernetes: {}\n"
    project = checkout(stack_prod=f"environment: [sophia-ai/prod]\n{platforms}")
    shutil.copytree(REPOSITORY / "providers", tmp_path / "providers")
    found = {one.what: place(one) for one in report(project).errors}
    assert found["stage prod has no SLACK_BOT_TOKEN"] == "Pulumi.prod.yaml:3"
    assert found["stage prod has no KUBECONFIG"] == "Pulumi.prod.yaml:4"
    assert "stage prod has no SLACK_API_URL" not in found
    listed = "".join(f"{name.split()[-1]}: x\n" for name in found).replace("KUBECONFIG: ", "KUBECONFIG: (under files) ")
    project = checkout(stack_prod=f"environment: [sophia-ai/prod]\n{platforms}", credentials__required=listed)
    assert report(project).errors == ()


def test_what_hides_the_rest_is_told_alone(checkout: Checkout) -> None:
    stack = NAMED.format("GONG_ACCESS_KEY")
    for dev in ("imports: [sophia-ai/bsae]\n", "values: {a: '${'}\n", "values: [\n"):
        assert [one.kind for one in report(checkout(dev=dev, stack_dev=stack)).errors] == ["resolve"]
    # A value that does not resolve hides nothing else.
    kinds = [one.kind for one in report(checkout(dev="values: {a: '${nope}'}\n", stack_dev=stack)).errors]
    assert sorted(kinds) == ["credential", "resolve"]


def test_a_stage_that_does_not_import_its_credentials(checkout: Checkout) -> None:
    found = only(checkout(dev="imports: [sophia-ai/base]\n", stack_dev=NAMED.format("LINEAR_API_KEY")))
    assert (found.file, found.what) == ("esc/dev.yaml", "stage dev does not import its credentials")
    unmerged = "imports: [{sophia-ai/credentials-dev: {merge: false}}]\n"
    assert (
        only(checkout(dev=unmerged, stack_dev=NAMED.format("LINEAR_API_KEY"))).what == "stage dev has no LINEAR_API_KEY"
    )


def test_settings_in_the_engines_configuration_count(checkout: Checkout) -> None:
    config = 'values:\n  pulumiConfig:\n    "sophia-ai:airbyte": {key: {environment: GONG_ACCESS_KEY}}\n'
    found = report(checkout(dev=f"imports: [sophia-ai/base]\n{config}")).errors
    assert [(place(one), one.what) for one in found] == [("esc/dev.yaml:4", "stage dev has no GONG_ACCESS_KEY")]


def test_a_credential_that_nobody_needs_is_a_warning(checkout: Checkout) -> None:
    project = checkout(
        credentials__required="LINEAR_API_KEY: Linear\nOLD_TOKEN: nobody knows\n",
        stack_dev=NAMED.format("LINEAR_API_KEY"),
    )
    (warning,) = report(project).warnings
    assert (place(warning), warning.what) == ("esc/credentials.required.yaml:2", "nobody needs OLD_TOKEN")
    used = checkout(
        credentials__required="LINEAR_API_KEY: Linear\nOLD_TOKEN: nobody knows\n",
        stack_dev=NAMED.format("LINEAR_API_KEY"),
        dev="imports: [sophia-ai/credentials-dev]\nvalues: {a: '${environmentVariables.OLD_TOKEN}'}\n",
    )
    assert report(used).warnings == ()


def test_files_that_cannot_be_read_do_not_hide_the_others(checkout: Checkout, tmp_path: Path) -> None:
    project = checkout(base="values: {a: '${nope}'}", stack_dev="environment: [\n", credentials__required="a: [\n")
    (tmp_path / "esc" / "staging.yaml").write_bytes(b"\xff\xfe")
    found = {one.file for one in report(project).errors if one.kind == "resolve"}
    assert {"esc/base.yaml", "Pulumi.dev.yaml", "esc/credentials.required.yaml", "esc/staging.yaml"} <= found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("config: {a: 2026-13-45}\n", "month must be in 1..12"),
        ("config: " + "[" * 3000 + "]" * 3000, "nested too deeply"),
    ],
)
def test_a_stack_file_that_no_parser_likes(checkout: Checkout, text: str, said: str) -> None:
    found = only(checkout(stack_dev=text))
    assert found.file == "Pulumi.dev.yaml"
    assert said in found.said


def test_a_project_without_environments_has_nothing_to_check(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: other\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {}\n")
    assert check(Project.find(tmp_path)) == []

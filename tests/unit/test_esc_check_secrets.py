"""`sophia esc check`: secrets in clear are found, what only looks like one is left alone, and none is ever shown."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from esc.language.envelope import wrap
from sophia.esc import leaks
from tests.unit.esc_checkout import Checkout, checkout, place, report

__all__ = ["checkout"]

LETTERS = "aB3dE6gH9jK2mN5pQ8sT1vW4xY7zA0cD"


def variables(*lines: str) -> str:
    return "values:\n  environmentVariables:\n" + "".join(f"    {line}\n" for line in lines)


def in_clear(checkout: Checkout, **files: str) -> list[str]:
    """Where secrets in clear are; their values are in no message."""
    found = [one for one in report(checkout(**files)).findings if one.kind == "secret"]
    for one in found:
        assert LETTERS[:12] not in one.render()
    return [place(one) for one in found if one.severity == "error"]


CREDENTIALS = {
    "slack": f"xoxb-1234-{LETTERS}",
    "slack app": f"xapp-1-{LETTERS}",
    "webhook": f"https://hooks.slack.com/services/{LETTERS}",
    "github": f"ghp_{LETTERS}",
    "github fine": f"github_pat_{LETTERS}",
    "openrouter": f"sk-or-v1-{LETTERS}",
    "anthropic": f"sk-ant-api03-{LETTERS}",
    "openai": f"sk-proj-{LETTERS}",
    "stripe": f"sk_live_{LETTERS}",
    "pulumi": f"pul-{'0123456789abcdef' * 2}01234567",
    "aws": "AKIAQ3EGRT7XYZABCDEF",
    "google": f"AIza{LETTERS}abc",
    "hubspot": "pat-na1-12345678-1234-4abc-8def-1234567890ab",
    "linear": f"lin_api_{LETTERS}",
    "pinecone": f"pcsk_{LETTERS}",
    "jwt": f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{LETTERS}",
    "password in an address": "postgres://sophia:hunter2@db.payready.com/sophia",
    "hexadecimal": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
    "drawn by lot": f"Xk9{LETTERS}",
    "base64": base64.b64encode(f"ghp_{LETTERS}".encode()).decode(),
}


@pytest.mark.parametrize("value", CREDENTIALS.values(), ids=CREDENTIALS)
def test_what_has_the_shape_of_a_credential(checkout: Checkout, value: str) -> None:
    assert in_clear(checkout, base=variables("A: b", f"SOMETHING: {value}")) == ["esc/base.yaml:4"]
    assert in_clear(checkout, stack_dev=f"environment: [sophia-ai/dev]\nconfig:\n  a:b: {value}\n") == [
        "Pulumi.dev.yaml:3"
    ]


@pytest.mark.parametrize(
    "line",
    [
        "DB_PASSWORD: hunter2",
        "DB_PASSWORD: 12345678",
        "VENDOR_API_KEY: changeme",
        "CLIENT_SECRET: correct horse battery staple",
        "SESSION_TOKEN: {fn::toString: hunter2}",
        "SESSION_TOKEN: {fn::fromBase64: aHVudGVyMmh1bnRlcjI=}",
        "apiKey: hunter2hunter2",
        "SIGNING_KEY: 8d7f2a1c9b3e",
    ],
)
def test_a_plain_value_under_a_name_that_promises_a_secret(checkout: Checkout, line: str) -> None:
    assert in_clear(checkout, base=variables(line)) == ["esc/base.yaml:3"]


def test_a_credential_that_is_put_together_from_pieces(checkout: Checkout) -> None:
    pieces = variables(
        f"PIECE: {LETTERS[:20]}", "WHOLE: {fn::join: ['', [xox, b-1234-, '${environmentVariables.PIECE}']]}"
    )
    assert in_clear(checkout, base=pieces) == ["esc/base.yaml:4"]


def test_the_argument_of_fn_secret_is_in_clear_in_git(checkout: Checkout) -> None:
    assert in_clear(checkout, base=variables("A:", "  fn::secret: x")) == ["esc/base.yaml:4"]
    stored = variables(f"A: {{fn::secret: {{ciphertext: {wrap(b'0123456789abcdef')}}}}}")
    assert in_clear(checkout, base=stored) == []
    (warning,) = [one for one in report(checkout(base=stored)).warnings if one.kind == "secret"]
    assert place(warning) == "esc/base.yaml:3"


def test_comments_and_private_keys_are_looked_at_too(checkout: Checkout) -> None:
    assert in_clear(checkout, base=f"# was ghp_{LETTERS}\nvalues: {{a: b}}\n") == ["esc/base.yaml:1"]
    key = "values:\n  key: |\n    -----BEGIN PRIVATE KEY-----\n    MIIEvQIBADANBg\n    -----END PRIVATE KEY-----\n"
    assert in_clear(checkout, base=key) == ["esc/base.yaml:3"]


def test_the_list_of_credentials_and_the_project_file_are_looked_at_too(checkout: Checkout, tmp_path: Path) -> None:
    project = checkout(credentials__required=f"GITHUB_TOKEN: ghp_{LETTERS}\n")
    (tmp_path / "Pulumi.yaml").write_text(f"name: sophia-ai\ndescription: ghp_{LETTERS}\n")
    assert [place(one) for one in report(project).errors] == ["Pulumi.yaml:2", "esc/credentials.required.yaml:1"]


def test_credentials_of_a_stage_in_git(checkout: Checkout) -> None:
    found = report(checkout(**{"credentials-dev": "values: {}\n"})).errors
    assert [(one.kind, one.file) for one in found] == [("secret", "esc/credentials-dev.yaml")]


def test_what_is_listed_as_a_credential_and_set_in_git(checkout: Checkout) -> None:
    project = checkout(base=variables("GITHUB_OWNER: payready"), credentials__required="GITHUB_OWNER: GitHub\n")
    (warning,) = [one for one in report(project).warnings if "listed as a credential" in one.what]
    assert place(warning) == "esc/base.yaml:3"
    assert report(project).errors == ()


@pytest.mark.parametrize(
    "line",
    [
        'PULUMI_K8S_ENABLE_SECRET_MUTABLE: "true"',
        "SNOWFLAKE_PRIVATE_KEY_PATH: /run/secrets/key.p8",
        "PASSWORD_POLICY: at least 12 characters",
        "MAX_TOKENS: '4096'",
        "TOKEN_URL: https://auth.payready.com/oauth/token",
        "OAUTH_TOKEN: https://auth.payready.com/oauth/token",
        "SORT_KEY: created_at",
        "PRIMARY_KEY: resident_id",
        "IMAGE: ghcr.io/payready/sophia@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "COMMIT: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
        "WORKSPACE_ID: 7f3c2a10-5b8e-4a4f-9c1d-2e6f8a9b0c3d",
        "SNOWFLAKE_PUBLIC_KEY: MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAxyz012345678901234567",
        "NAME: SophiaAiDevelopmentWarehouse2",
        "ROLE_ARN: arn:aws:iam::123456789012:role/SophiaAiDeployment2026",
        "HOSTS: sophia-dev-collections-2026.payready.internal",
        "EXAMPLE: xoxb-xxxxxxxxxxxxxxxx",
        "MODELS: anthropic/claude-sonnet-4.5,openai/gpt-5.2",
        "CRON: 0 0 */6 * * ?",
    ],
)
def test_what_is_no_secret(checkout: Checkout, line: str) -> None:
    assert in_clear(checkout, base=variables("OTHER: x", line)) == []


def test_what_pulumi_encrypted_in_a_stack_file_is_no_secret_in_clear(checkout: Checkout) -> None:
    stack = f"environment: [sophia-ai/dev]\nencryptionsalt: v1:{LETTERS}=:v1:{LETTERS}\n"
    stack += f"config:\n  a:token:\n    secure: v1:{LETTERS}:{LETTERS}==\n"
    assert in_clear(checkout, stack_dev=stack) == []


def test_settings_that_name_a_variable_are_no_secret(checkout: Checkout) -> None:
    stack = "environment: [sophia-ai/dev]\nconfig:\n  a:b:\n    api_key: {environment: LINEAR_API_KEY}\n"
    assert in_clear(checkout, stack_dev=f"{stack}    token: LINEAR_API_KEY\n") == []


def test_a_secret_that_refers_to_a_credential_is_not_in_clear(checkout: Checkout) -> None:
    imports = "imports: [sophia-ai/credentials-dev]\n"
    references = variables(
        "API_TOKEN: ${environmentVariables.LINEAR_API_KEY}", "AUTH_TOKEN: a ${environmentVariables.API_TOKEN}"
    )
    assert in_clear(checkout, dev=imports + references) == []
    assert in_clear(checkout, base=variables("OTHER: hunter2", "API_TOKEN: ${environmentVariables.OTHER}")) == [
        "esc/base.yaml:4"
    ]


def test_a_shape_tells_the_vendor_and_nothing_of_the_secret() -> None:
    assert leaks.shape(f"token {CREDENTIALS['github']}") == "a GitHub token"
    assert leaks.shape("nothing here") is None

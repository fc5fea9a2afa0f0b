"""The four official packages as platforms of the sandbox: what a client of them is told, and what is imitated."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from sandbox.official import github, snowflake, vercel
from sandbox.platform import Platform

_NOT_CHECKED = "Credentials are not checked."

_KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: sandbox
clusters: [{name: sandbox, cluster: {server: "{url}"}}]
contexts: [{name: sandbox, context: {cluster: sandbox, user: sandbox}}]
users: [{name: sandbox, user: {token: sandbox}}]
"""


def _message(status: int, text: str) -> Response:
    return JSONResponse({"message": text}, status)


def _vercel_error(status: int, text: str) -> Response:
    return JSONResponse({"error": {"code": "sandbox_fault", "message": text}}, status)


def _status(status: int, text: str) -> Response:
    return JSONResponse(
        {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": text, "code": status}, status
    )


PLATFORMS = [
    Platform(
        name="snowflake",
        title="Snowflake",
        routes=(),
        failure=_message,
        credentials={
            "SNOWFLAKE_ORGANIZATION_NAME": "SANDBOX",
            "SNOWFLAKE_ACCOUNT_NAME": "ZNB04675",
            "SNOWFLAKE_USER": snowflake.USER,
            "SNOWFLAKE_AUTHENTICATOR": "SNOWFLAKE_JWT",
            "SNOWFLAKE_PRIVATE_KEY": "sandbox-signs-nothing",
            "SNOWFLAKE_ROLE": "ACCOUNTADMIN",
        },
        secret=frozenset({"SNOWFLAKE_PRIVATE_KEY"}),
        simulated=(
            "The official package's types, ids, references, names and grants as objects; no SQL is run. " + _NOT_CHECKED
        ),
    ),
    Platform(
        name="github",
        title="GitHub",
        routes=(),
        failure=_message,
        credentials={"GITHUB_OWNER": github.OWNER, "GITHUB_TOKEN": "sandbox-github-token"},
        secret=frozenset({"GITHUB_TOKEN"}),
        simulated=(
            "Repositories, branch protection, environments, Actions secrets and variables, without git and runs. "
            + _NOT_CHECKED
        ),
    ),
    Platform(
        name="kubernetes",
        title="Kubernetes",
        routes=(),
        failure=_status,
        credentials={"KUBECONFIG": _KUBECONFIG},
        secret=frozenset({"KUBECONFIG"}),
        files=frozenset({"KUBECONFIG"}),
        simulated=(
            "Every built-in kind with the API server's common validation; no controllers, nothing runs, quotas are "
            "not enforced. " + _NOT_CHECKED
        ),
    ),
    Platform(
        name="vercel",
        title="Vercel",
        routes=(),
        failure=_vercel_error,
        credentials={"VERCEL_API_TOKEN": "sandbox-vercel-token", "VERCEL_TEAM": vercel.TEAM},
        secret=frozenset({"VERCEL_API_TOKEN"}),
        simulated="Projects, environment variables and domains, without builds, deployments and DNS. " + _NOT_CHECKED,
    ),
]

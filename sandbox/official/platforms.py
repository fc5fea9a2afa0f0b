"""The five official packages as platforms of the sandbox: what a client of them is told, and what is imitated."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import Response

from sandbox import monitoring
from sandbox.http import ApiError
from sandbox.official import aws, github, snowflake, vercel
from sandbox.official.api import aws as aws_api
from sandbox.official.api import github as github_api
from sandbox.official.api import kubernetes as kubernetes_api
from sandbox.official.api import snowflake as snowflake_api
from sandbox.official.api import vercel as vercel_api
from sandbox.official.api.snowflake_key import private_key
from sandbox.platform import Platform

_CHECKED = "Credentials are checked by the few HTTP calls of health checks only."

_KUBECONFIG = f"""\
apiVersion: v1
kind: Config
current-context: sandbox
clusters: [{{name: sandbox, cluster: {{server: "{{url}}"}}}}]
contexts: [{{name: sandbox, context: {{cluster: sandbox, user: sandbox}}}}]
users: [{{name: sandbox, user: {{token: {kubernetes_api.TOKEN}}}}}]
"""


def _failure(render: Callable[[ApiError], Response]) -> Callable[[int, str], Response]:
    return lambda status, text: render(ApiError(status, text))


PLATFORMS = [
    Platform(
        name="snowflake",
        title="Snowflake",
        routes=snowflake_api.ROUTES,
        failure=_failure(snowflake_api.render),
        credentials={
            "SNOWFLAKE_API_URL": "{url}",
            "SNOWFLAKE_ORGANIZATION_NAME": snowflake_api.ORGANIZATION,
            "SNOWFLAKE_ACCOUNT_NAME": snowflake_api.ACCOUNT,
            "SNOWFLAKE_USER": snowflake.USER,
            "SNOWFLAKE_AUTHENTICATOR": "SNOWFLAKE_JWT",
            "SNOWFLAKE_PRIVATE_KEY": private_key(),
            "SNOWFLAKE_ROLE": "ACCOUNTADMIN",
        },
        secret=frozenset({"SNOWFLAKE_PRIVATE_KEY"}),
        simulated=(
            "The official package's types, ids, rules and preview features, in an account of the Enterprise edition; what "
            "is inside statements is checked where that is cheap, no SQL is run. " + _CHECKED
        ),
    ),
    Platform(
        name="github",
        title="GitHub",
        routes=github_api.ROUTES,
        failure=_failure(github_api.render),
        credentials={
            "GITHUB_BASE_URL": "{url}/",
            "GITHUB_OWNER": github.OWNER,
            "GITHUB_TOKEN": github_api.TOKEN,
        },
        secret=frozenset({"GITHUB_TOKEN"}),
        simulated=(
            "Repositories, rulesets, environments, teams, webhooks, secrets and variables of an organisation whose plan can "
            "be set, by the rules of the provider and of GitHub; without git, runs and events. " + _CHECKED
        ),
    ),
    Platform(
        name="kubernetes",
        title="Kubernetes",
        routes=[*kubernetes_api.ROUTES, *monitoring.ROUTES],
        failure=_failure(kubernetes_api.render),
        credentials={"KUBECONFIG": _KUBECONFIG},
        secret=frozenset({"KUBECONFIG"}),
        files=frozenset({"KUBECONFIG"}),
        simulated=(
            "Every built-in kind with the API server's common validation; no controllers, nothing runs, quotas are "
            "not enforced. " + _CHECKED
        ),
    ),
    Platform(
        name="vercel",
        title="Vercel",
        routes=vercel_api.ROUTES,
        failure=_failure(vercel_api.render),
        credentials={
            "VERCEL_API_URL": "{url}",
            "VERCEL_API_TOKEN": vercel_api.TOKEN,
            "VERCEL_TEAM": vercel.TEAM,
        },
        secret=frozenset({"VERCEL_API_TOKEN"}),
        simulated=(
            "Projects, domains, environments, variables, protection, firewall, retention, tokens, webhooks, drains, by the "
            "limits of the plan Pro; without builds, deployments, deliveries and DNS. " + _CHECKED
        ),
    ),
    Platform(
        name="aws",
        title="AWS",
        routes=aws_api.ROUTES,
        failure=_failure(aws_api.render),
        credentials={
            "AWS_ENDPOINT_URL_STS": "{url}",
            "AWS_REGION": aws.REGION,
            "AWS_ACCOUNT_ID": aws.ACCOUNT,
            "AWS_ACCESS_KEY_ID": aws_api.ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": aws_api.SECRET_ACCESS_KEY,
            "AWS_SESSION_TOKEN": aws_api.SESSION_TOKEN,
        },
        secret=frozenset({"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}),
        simulated=(
            "IAM roles, policies and identity providers, KMS keys, S3 buckets with their settings, SNS topics, by the rules "
            "of their APIs; documents are parsed and not evaluated, no file is stored, no event is sent. " + _CHECKED
        ),
    ),
]

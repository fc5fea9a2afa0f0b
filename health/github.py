"""GitHub: the rate limit (which costs nothing of it), and a list that only administrators of the repository see.

What a token may do cannot be asked, only tried: of the deploy keys of a repository, reading needs the permission
"administration" (read). That it may write as well is not known before it writes. Source of facts: GitHub's REST
documentation (rate limits, deploy keys, token expiration).
"""

from __future__ import annotations

from typing import Any

import httpx

from health.base import Answer, Credential, Health, Known, Probe, Problem, Quota, Reading, Service, Subject, moment
from providers.base import Bearer, Environment, Trouble, trouble_of

TOKEN = "GITHUB_TOKEN"  # noqa: S105 - the variable's name
_OWNER = Environment("GITHUB_OWNER")
_ADDRESS = Environment("GITHUB_BASE_URL")
_AUTH = Bearer(Environment(TOKEN))


def _trouble(response: httpx.Response) -> Trouble | None:
    """A limit that is used up is a 403 or a 429 (docs.github.com, "Rate limits for the REST API")."""
    if not response.is_error:
        return None
    spent = response.headers.get("x-ratelimit-remaining") == "0" or "retry-after" in response.headers
    return Trouble.BUSY if spent and response.status_code in (403, 429) else trouble_of(response.status_code)


def _said(response: httpx.Response) -> str:
    needs = response.headers.get("x-accepted-github-permissions")
    return str(response.json()["message"]) + (f" (it needs {needs})" if needs else "")


def _limit(answer: Answer) -> Reading:
    core = answer.document["resources"]["core"]
    quota = Quota("requests an hour", core["remaining"], core["limit"])
    problem = quota.problem(f"wait until {moment(core['reset'])}; find out what sends so many requests")
    expires = moment(answer.response.headers.get("github-authentication-token-expiration", ""))
    return Reading((problem,) if problem else (), (quota,), {TOKEN: Known(True, expires=expires)})


def _repository(subject: Subject) -> str:
    """The name of one that the settings have; "" if they have none."""
    repositories: dict[str, Any] = subject.settings.get("repositories") or {}
    return next((str(one["name"]) for one in repositories.values() if isinstance(one, dict) and "name" in one), "")


def _scopes(answer: Answer) -> Reading:
    """Of a classic token the scopes are told; of a fine-grained one and of an app's there is no such header."""
    list(answer.document)
    header = answer.response.headers.get("x-oauth-scopes")
    if header is None or "repo" in {scope.strip() for scope in header.split(",")}:
        return Reading()
    said, do = f"the token has the scopes {header or '(none)'}, not repo", "give it a fine-grained token, or that scope"
    return Reading((Problem(said, do, f"{TOKEN} in the stack's ESC environment"),))


HEALTH = Health(
    platform="github",
    title="GitHub",
    service=Service(
        address=lambda _: _ADDRESS.value(),
        auth=lambda _: _AUTH,
        setting=_ADDRESS.name,
        said=_said,
        trouble=_trouble,
        headers={"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"},
        status_page="https://www.githubstatus.com",
        secrets=_AUTH.secrets,
    ),
    probes=(
        Probe("token", "/rate_limit", credentials=(TOKEN,), read=_limit),
        Probe(
            "administration of repositories (read)",
            lambda subject: f"/repos/{_OWNER.value()}/{_repository(subject)}/keys",
            params={"per_page": 1},
            credentials=(TOKEN,),
            needed=lambda subject: bool(_repository(subject)),
            read=_scopes,
            without=lambda subject: f"no repository {_repository(subject)} that it sees",
        ),
    ),
    credentials=(
        Credential(
            TOKEN,
            "an App's installation token is made anew for every run (POST …/access_tokens); a fine-grained one by hand",
            by_api=False,
        ),
    ),
    identifiers=(_OWNER.name,),
)

"""GitHub: the token and what it may do, what the organisation asks of its members, leaked secrets, webhooks that fail.

What a token may do cannot be asked, only tried: of the deploy keys of a repository, reading needs the permission
"administration" (read). That it may write as well is not known before it writes. The organisation's two-factor
requirement and its members' base permission are compared with the settings, because no resource has them. Of webhooks the
first of the organisation is looked at here, and each one's last deliveries with the record of its secret. Source of
facts: GitHub's REST documentation (rate limits, deploy keys, token expiration, organisations, webhook deliveries, secret
scanning).
"""

from __future__ import annotations

from typing import Any

import httpx

from health.asking import Client
from health.base import (
    Answer,
    Credential,
    Health,
    Known,
    Minted,
    Probe,
    Problem,
    Quota,
    Reading,
    Resource,
    Service,
    Subject,
    moment,
)
from providers.base import Bearer, Environment, Trouble, trouble_of

TOKEN = "GITHUB_TOKEN"  # noqa: S105 - the variable's name
_OWNER = Environment("GITHUB_OWNER")
_ADDRESS = Environment("GITHUB_BASE_URL")
_AUTH = Bearer(Environment(TOKEN))
_REPOSITORY_WEBHOOK = "github:index/repositoryWebhook:RepositoryWebhook"
_ORGANIZATION_WEBHOOK = "github:index/organizationWebhook:OrganizationWebhook"
_DELIVERIES = 20
_WEAKER = {"none": 0, "read": 1, "write": 2, "admin": 3}
_UNSIGNED = (401, 403)
"""What a receiver answers that does not accept the signature."""


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


def _organization(subject: Subject) -> dict[str, Any]:
    """The settings of the organisation, in the one stack that has them."""
    return subject.settings.get("organization") or {}


def _rules(answer: Answer) -> Reading:
    """Only owners are told; a member's answer lacks these members."""
    wanted, live = _organization(answer.subject), answer.document
    factor, permission = live.get("two_factor_requirement_enabled"), live.get("default_repository_permission")
    setting = "sophia-ai:github.organization"
    problems = []
    if factor is None or permission is None:
        said, do = "the organisation's rules are not told to this token", 'give it "organization administration" (read)'
        return Reading((Problem(said, do, f"{TOKEN} in the stack's ESC environment", "degraded"),))
    if wanted.get("two_factor", True) and not factor:
        do = "require two-factor authentication: GitHub, the organisation, Settings, Authentication security"
        problems.append(Problem("members need no second factor", do, f"{setting}.two_factor"))
    asked = str(wanted.get("default_permission", "none"))
    if _WEAKER.get(str(permission), len(_WEAKER)) > _WEAKER[asked]:
        said = f"every member may {permission} every repository, and the settings say {asked}"
        do = "set the base permission: GitHub, the organisation, Settings, Member privileges"
        problems.append(Problem(said, do, f"{setting}.default_permission"))
    return Reading(tuple(problems))


def _leaks(answer: Answer) -> Reading:
    alerts = list(answer.document)
    if not alerts:
        return Reading()
    kinds = sorted({str(alert.get("secret_type_display_name") or alert["secret_type"]) for alert in alerts})
    said = f"{len(alerts)} secrets lie open in repositories: {', '.join(kinds)}"
    do = f"revoke each at its vendor, then close its alert: {alerts[0]['html_url']}"
    return Reading((Problem(said, do, "sophia-ai:github.repositories"),))


def _places_of_leaks(subject: Subject) -> str:
    whose = f"orgs/{_OWNER.value()}" if _organization(subject) else f"repos/{_OWNER.value()}/{_repository(subject)}"
    return f"/{whose}/secret-scanning/alerts"


def _organization_webhook(subject: Subject) -> str:
    """The id of the first; "" before there is one."""
    return next((resource.id for resource in subject.of_type(_ORGANIZATION_WEBHOOK)), "")


def _failed(deliveries: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The last delivery, if it failed: what went well since then needs nobody."""
    last = max(deliveries, key=lambda delivery: str(delivery["delivered_at"]), default=None)
    return last if last is not None and not 200 <= int(last["status_code"]) < 300 else None


def _deliveries(answer: Answer) -> Reading:
    failed = _failed(answer.document)
    if failed is None:
        return Reading()
    said = f"the last {failed['event']} was not delivered: {failed['status_code']} {failed['status']}"
    do = "look at what receives it, then redeliver (POST …/deliveries/{id}/attempts)"
    return Reading((Problem(said, do, "sophia-ai:github.organization.webhooks", "degraded"),))


def _signed(client: Client, resource: Resource, _subject: Subject) -> Known:
    """Whether what receives a webhook accepts its signature; it says so with its answers."""
    owner, repository = _OWNER.value(), resource.outputs.get("repository")
    whose = f"repos/{owner}/{repository}" if repository else f"orgs/{owner}"
    answer = client.send("GET", f"/{whose}/hooks/{resource.id}/deliveries", params={"per_page": _DELIVERIES})
    deliveries = answer.json()
    if not deliveries:
        return Known(said="nothing has been delivered yet")
    failed = _failed(deliveries)
    if failed is None:
        return Known(True)
    said = f"the last {failed['event']} was answered with {failed['status_code']} {failed['status']}"
    return Known(False if int(failed["status_code"]) in _UNSIGNED else None, said=said)


_ROTATION = "a higher `generation` mints another; the receiver takes both while it changes"

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
        Probe(
            "rules of the organisation",
            lambda _: f"/orgs/{_OWNER.value()}",
            credentials=(TOKEN,),
            needed=lambda subject: bool(_organization(subject)),
            read=_rules,
        ),
        Probe(
            "no open secret",
            _places_of_leaks,
            params={"state": "open", "per_page": 100},
            credentials=(TOKEN,),
            needed=lambda subject: bool(_organization(subject) or _repository(subject)),
            read=_leaks,
            refused="degraded",
            without=lambda _: "secret scanning is off, or there is no repository yet",
        ),
        Probe(
            "deliveries of webhooks",
            lambda subject: f"/orgs/{_OWNER.value()}/hooks/{_organization_webhook(subject)}/deliveries",
            params={"per_page": _DELIVERIES},
            credentials=(TOKEN,),
            needed=lambda subject: bool(_organization_webhook(subject)),
            read=_deliveries,
            refused="degraded",
            without=lambda _: "the webhook is gone: a refresh notes it",
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
    minted=(
        Minted(_ORGANIZATION_WEBHOOK, "secret of the webhook", _ROTATION, by_api=True, ask=_signed),
        Minted(_REPOSITORY_WEBHOOK, "secret of the webhook", _ROTATION, by_api=True, ask=_signed),
    ),
)

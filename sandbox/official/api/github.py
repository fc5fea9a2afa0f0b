"""GitHub's REST API, as much of it as health checks ask for: the rate limit, deploy keys (which only a repository's
administrators see), the organisation's rules, alerts of secret scanning, and what became of webhooks' deliveries.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from starlette.responses import JSONResponse, Response

from sandbox.http import ApiError, Call, Routes
from sandbox.official.behaviour import now
from sandbox.official.github import ORGANIZATION, OWNER
from sandbox.store import Document

TOKEN = "sandbox-github-token"  # noqa: S105 - opens nothing but a sandbox on this machine

_REPOSITORY = "github:index/repository:Repository"
_HOOKS = {
    "repos": "github:index/repositoryWebhook:RepositoryWebhook",
    "orgs": "github:index/organizationWebhook:OrganizationWebhook",
}
_AN_HOUR = 5000
_SEARCHES_A_MINUTE = 30
_LIFETIME = timedelta(days=366)
"""The longest that a fine-grained token lasts."""


def render(error: ApiError) -> Response:
    return JSONResponse({"message": error.message, "status": str(error.status)}, error.status)


def _admit(call: Call) -> str:
    if call.bearer() != TOKEN or datetime.fromisoformat(_token(call)["expires"]) <= datetime.now(UTC):
        raise ApiError(401, "Bad credentials")
    return TOKEN


def _token(call: Call) -> Document:
    """What is known of the token; it is made when it is first used."""
    made = datetime.now(UTC)
    token = {"id": "current", "expires": (made + _LIFETIME).isoformat(timespec="seconds")}
    return call.store.latest.get("token", "current") or call.store.put("token", "current", token)


def _answer(call: Call, document: object) -> Response:
    expires = datetime.fromisoformat(_token(call)["expires"]).astimezone(UTC)
    headers = {
        "X-RateLimit-Limit": str(_AN_HOUR),
        "X-RateLimit-Remaining": str(_AN_HOUR),
        "GitHub-Authentication-Token-Expiration": f"{expires:%Y-%m-%d %H:%M:%S} UTC",
    }
    return JSONResponse(document, headers=headers)


def _limits(call: Call) -> Response:
    """Nothing is counted here."""
    core, search = (
        {"limit": limit, "used": 0, "remaining": limit, "reset": int(datetime.now(UTC).timestamp()) + 3600}
        for limit in (_AN_HOUR, _SEARCHES_A_MINUTE)
    )
    return _answer(call, {"resources": {"core": core, "search": search}, "rate": core})


def _repository(call: Call) -> None:
    """Raises ApiError if the repository that is named is not there."""
    wanted = call.path("repository").lower()
    names = [str(repository["properties"]["name"]).lower() for repository in call.store.all(_REPOSITORY)]
    if call.path("owner").lower() != OWNER or wanted not in names:
        raise ApiError(404, "Not Found")


def _organization(call: Call) -> Document:
    """The organisation's properties; they can be changed by the control API once they were asked for."""
    if call.path("owner").lower() != OWNER:
        raise ApiError(404, "Not Found")
    known = {"plan": "enterprise", "twoFactorRequirementEnabled": True, "defaultRepositoryPermission": "none"}
    made = {"id": OWNER, "properties": {**known, "createdAt": now(), "secretScanningAlerts": []}, "filled": {}}
    document = call.store.latest.get(ORGANIZATION, OWNER) or call.store.put(ORGANIZATION, OWNER, made)
    properties: Document = document["properties"]
    return properties


def _deploy_keys(call: Call) -> Response:
    """None: the estate has no deploy keys."""
    _repository(call)
    return _answer(call, [])


def _rules(call: Call) -> Response:
    """As an owner is told them."""
    properties = _organization(call)
    here = f"https://api.github.com/orgs/{OWNER}"
    lists = ("repos", "events", "hooks", "issues")
    document = {
        "login": OWNER,
        "id": 170_000_001,
        "node_id": "O_sandbox",
        "url": here,
        **{f"{name}_url": f"{here}/{name}" for name in lists},
        "members_url": f"{here}/members{{/member}}",
        "public_members_url": f"{here}/public_members{{/member}}",
        "avatar_url": "https://avatars.githubusercontent.com/u/170000001?v=4",
        "description": None,
        "html_url": f"https://github.com/{OWNER}",
        "has_organization_projects": False,
        "has_repository_projects": False,
        **dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0),
        "type": "Organization",
        "created_at": properties["createdAt"],
        "updated_at": properties["createdAt"],
        "archived_at": None,
        "two_factor_requirement_enabled": properties["twoFactorRequirementEnabled"],
        "default_repository_permission": properties["defaultRepositoryPermission"],
        "plan": {"name": properties["plan"], "space": 976562499, "private_repos": 999999},
    }
    return _answer(call, document)


def _alerts(call: Call) -> Response:
    """Those of the organisation, or of one repository: nothing is scanned here, so they are those that somebody planted."""
    if "repository" in call.request.path_params:
        _repository(call)
        return _answer(call, [])
    wanted = call.query("state")
    planted = _organization(call)["secretScanningAlerts"]
    return _answer(call, [alert for alert in planted if wanted in (None, alert["state"])])


def _deliveries(call: Call) -> Response:
    """The ping that GitHub sends to a new webhook; ``lastStatus`` among its properties is what it was answered."""
    in_repository = "repository" in call.request.path_params
    hook = call.store.get(_HOOKS["repos" if in_repository else "orgs"], call.path("hook"))
    if hook is None or call.path("owner").lower() != OWNER:
        raise ApiError(404, "Not Found")
    status = int(hook["properties"].get("lastStatus", 200))
    delivery = {
        "id": int(hook["id"]),
        "guid": f"00000000-0000-4000-8000-{int(hook['id']):012d}",
        "delivered_at": hook["properties"].get("deliveredAt", "2026-01-01T00:00:00Z"),
        "redelivery": False,
        "duration": 0.2,
        "status": HTTPStatus(status).phrase,
        "status_code": status,
        "event": "ping",
        "action": None,
        "installation_id": None,
        "repository_id": None,
        "throttled_at": None,
    }
    return _answer(call, [delivery])


_routes = Routes("github", _admit, render)

ROUTES = [
    _routes("/rate_limit", GET=_limits),
    _routes("/orgs/{owner}", GET=_rules),
    _routes("/orgs/{owner}/hooks/{hook}/deliveries", GET=_deliveries),
    _routes("/orgs/{owner}/secret-scanning/alerts", GET=_alerts),
    _routes("/repos/{owner}/{repository}/hooks/{hook}/deliveries", GET=_deliveries),
    _routes("/repos/{owner}/{repository}/keys", GET=_deploy_keys),
    _routes("/repos/{owner}/{repository}/secret-scanning/alerts", GET=_alerts),
]

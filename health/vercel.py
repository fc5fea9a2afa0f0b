"""Vercel: what the token is, and what its owner is in the team.

Source of facts: Vercel's OpenAPI description (GET /v5/user/tokens/current, /v2/teams/{teamId}).
"""

from __future__ import annotations

import httpx

from health.base import Answer, Credential, Health, Known, Probe, Problem, Reading, Service, moment
from providers.base import Bearer, Environment, Trouble, trouble_of

TOKEN = "VERCEL_API_TOKEN"  # noqa: S105 - the variable's name
_TEAM = Environment("VERCEL_TEAM")
_ADDRESS = Environment("VERCEL_API_URL")
_AUTH = Bearer(Environment(TOKEN))

_MAY_DEPLOY = frozenset({"OWNER", "MEMBER", "DEVELOPER"})
"""The roles that make and change projects (vercel.com/docs/rbac)."""


def _trouble(response: httpx.Response) -> Trouble | None:
    """A token that is unknown or has expired is a 403 that says so."""
    if response.status_code == httpx.codes.FORBIDDEN and response.json()["error"].get("invalidToken"):
        return Trouble.CREDENTIALS
    return trouble_of(response.status_code) if response.is_error else None


def _token(answer: Answer) -> Reading:
    token = answer.document["token"]
    known = Known(True, made=moment(token.get("createdAt")), expires=moment(token.get("expiresAt")))
    return Reading(known={TOKEN: known})


def _team(answer: Answer) -> Reading:
    role = str((answer.document.get("membership") or {}).get("role", "")).upper()
    if role in _MAY_DEPLOY:
        return Reading()
    said = f"the token's owner is {role or 'no member'} in the team {_TEAM.value()}"
    return Reading((Problem(said, f"make it one of {', '.join(sorted(_MAY_DEPLOY))}", _TEAM.name),))


HEALTH = Health(
    platform="vercel",
    title="Vercel",
    service=Service(
        address=lambda _: _ADDRESS.value(),
        auth=lambda _: _AUTH,
        setting=_ADDRESS.name,
        said=lambda response: str(response.json()["error"]["message"]),
        trouble=_trouble,
        status_page="https://www.vercel-status.com",
        secrets=_AUTH.secrets,
    ),
    probes=(
        Probe("token", "/v5/user/tokens/current", credentials=(TOKEN,), read=_token),
        Probe(
            "role in the team",
            lambda _: f"/v2/teams/{_TEAM.value()}",
            credentials=(TOKEN,),
            read=_team,
        ),
    ),
    credentials=(
        Credential(
            TOKEN, "another token (POST /v3/user/tokens), then the old one is deleted; both work meanwhile", by_api=True
        ),
    ),
    identifiers=(_TEAM.name,),
)

"""Vercel: what the token is and its owner in the team, whether production builds, domains lead there, drains deliver; costs.

Source of facts: Vercel's OpenAPI description (2025-10-27), and for charges, which came later, its documentation: FOCUS, one
JSON object a line.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from health.asking import Client
from health.base import (
    Answer,
    Credential,
    Health,
    Known,
    Minted,
    Probe,
    Problem,
    Reading,
    Resource,
    Service,
    Subject,
    moment,
)
from providers.base import Trouble
from providers.base.errors import PlatformError
from providers.vercel import TEAM, VERCEL

TOKEN = "VERCEL_API_TOKEN"  # noqa: S105 - the variable's name

_PROJECT = "vercel:index/project:Project"
_DOMAIN = "vercel:index/projectDomain:ProjectDomain"
_OURS = "pulumi-python:dynamic/vercel:"
_MAY_DEPLOY = frozenset({"OWNER", "MEMBER", "DEVELOPER"})
"""The roles that make and change projects (vercel.com/docs/rbac)."""
_DAYS = 30
_DOMAINS_ASKED = 8
"""A request each: the first ones of a stack."""


def _of_team(path: str, query: str = "") -> Callable[[Subject], str]:
    return lambda _: f"{path}?teamId={TEAM.value()}{query}"


def _token(answer: Answer) -> Reading:
    token = answer.document["token"]
    known = Known(True, made=moment(token.get("createdAt")), expires=moment(token.get("expiresAt")))
    return Reading(known={TOKEN: known})


def _team(answer: Answer) -> Reading:
    """The token's owner may deploy; the variable has the team's id, which the program needs."""
    problems = []
    role = str((answer.document.get("membership") or {}).get("role", "")).upper()
    if role not in _MAY_DEPLOY:
        said = f"the token's owner is {role or 'no member'} in the team {TEAM.value()}"
        problems.append(Problem(said, f"make it one of {', '.join(sorted(_MAY_DEPLOY))}", TEAM.name))
    id_ = answer.document.get("id")
    if id_ and id_ != TEAM.value():
        said = f"{TEAM.name} is the team's slug, {TEAM.value()}: the program needs its id"
        problems.append(Problem(said, f"put {id_} there", f"{TEAM.name} in the stack's ESC environment"))
    return Reading(tuple(problems))


def _asserted(subject: Subject) -> dict[str, Any]:
    return dict(subject.settings.get("team") or {})


def _owners(answer: Answer) -> Reading:
    """People own the team whom the settings do not name. (Nothing is done about it: that is for the owners.)"""
    expected = {str(email).lower() for email in _asserted(answer.subject)["owners"]}
    found = {str(one["email"]).lower() for one in answer.document["members"] if one.get("role") == "OWNER"}
    setting = "sophia-ai:vercel.team.owners"
    problems = [
        Problem(f"{email} owns the team", "name them there, or give them another role", setting, "degraded")
        for email in sorted(found - expected)
    ]
    problems += [
        Problem(f"{email} does not own the team", "take them out, or make them an owner", setting, "degraded")
        for email in sorted(expected - found)
    ]
    return Reading(tuple(problems))


def _deployments(answer: Answer) -> Reading:
    """Of each project of the stack the newest deployment for production."""
    ours = {project.id: project for project in answer.subject.of_type(_PROJECT)}
    newest: dict[str, Any] = {}
    for deployment in answer.document["deployments"]:
        kept = newest.setdefault(deployment["projectId"], deployment)
        if deployment["created"] > kept["created"]:
            newest[deployment["projectId"]] = deployment
    problems = [
        Problem(
            f"the last production deployment of {deployment['name']} failed: "
            f"{deployment.get('errorMessage') or deployment.get('errorCode') or 'Vercel does not say why'}",
            f"look at {deployment.get('inspectorUrl') or deployment['url']}; the one before still serves",
            f"sophia-ai:vercel.projects.{ours[id_].name}",
            "degraded",
        )
        for id_, deployment in newest.items()
        if id_ in ours and (deployment.get("state") or deployment.get("readyState")) == "ERROR"
    ]
    return Reading(tuple(problems))


def _drains(answer: Answer) -> Reading:
    ours = {drain.id: drain for drain in answer.subject.of_type(f"{_OURS}Drain")}
    problems = [
        Problem(
            f"the drain {drain['name']} is {drain['status']}"
            + (f" ({drain['disabledReason']})" if drain.get("disabledReason") else "")
            + ": what was to go there is lost",
            "put its endpoint right; `sophia refresh` and `sophia up` switch it on again",
            f"sophia-ai:vercel.drains.{ours[drain['id']].name}",
            "degraded",
        )
        for drain in answer.document["drains"]
        if drain["id"] in ours and ours[drain["id"]].outputs.get("status") != drain.get("status", "enabled")
    ]
    return Reading(tuple(problems))


def _costs(answer: Answer) -> Reading:
    limit = float(_asserted(answer.subject)["monthly_usd"])
    charges = [json.loads(line) for line in answer.response.text.splitlines() if line.strip()]
    billed = round(sum(float(charge.get("BilledCost") or 0) for charge in charges), 2)
    if billed <= limit:
        return Reading()
    by_service: dict[str, float] = {}
    for charge in charges:
        name = str(charge.get("ServiceName") or "other")
        by_service[name] = by_service.get(name, 0.0) + float(charge.get("BilledCost") or 0)
    most = max(by_service, key=lambda name: by_service[name])
    planned = f"{by_service[most]:,.2f} for {most}; {limit:,.0f} were planned"
    said = f"{billed:,.2f} US dollars in {_DAYS} days, of which {planned}"
    setting = "sophia-ai:vercel.team.monthly_usd"
    return Reading((Problem(said, "look at Usage in Vercel's pages, or raise the limit", setting, "degraded"),))


def _period(_: Subject) -> str:
    now = datetime.now(UTC)
    since = now - timedelta(days=_DAYS)
    return f"/v1/billing/charges?teamId={TEAM.value()}&from={since:%Y-%m-%dT00:00:00Z}&to={now:%Y-%m-%dT%H:%M:%SZ}"


def _domain(index: int) -> Probe:
    """Whether one of the stack's domains leads to Vercel, as its DNS records say."""

    def path(subject: Subject) -> str:
        return f"/v6/domains/{subject.of_type(_DOMAIN)[index].id}/config?teamId={TEAM.value()}"

    def read(answer: Answer) -> Reading:
        if not answer.document["misconfigured"]:
            return Reading()
        domain = answer.subject.of_type(_DOMAIN)[index]
        names = [one["value"] for one in answer.document.get("recommendedCNAME") or []]
        do = f"point it there at the registrar: CNAME {names[0]}" if names else "look at Domains in Vercel's pages"
        setting = f"sophia-ai:vercel.projects.{domain.name.partition('.')[0]}.domains"
        return Reading((Problem(f"{domain.id} does not lead to Vercel", do, setting, "degraded"),))

    return Probe(
        f"domain {index + 1}",
        path,
        credentials=(TOKEN,),
        read=read,
        needed=lambda subject: len(subject.of_type(_DOMAIN)) > index,
        without=lambda _: "",
    )


def _minted(path: str, member: str = "", *, of_team: bool = False) -> Callable[[Client, Resource, Subject], Known]:
    """What Vercel tells of a token or of a webhook, whose secret lasts as long as it."""

    def ask(client: Client, resource: Resource, _: Subject) -> Known:
        try:
            params = {"teamId": TEAM.value()} if of_team else {}
            shown = client.send("GET", f"{path}/{resource.id}", params=params).json()
        except PlatformError as error:
            if error.trouble is Trouble.NOT_FOUND:
                return Known(False, said="it is not there any more")
            raise
        shown = shown[member] if member else shown
        made, expires = moment(shown.get("createdAt")), moment(shown.get("expiresAt"))
        if expires and datetime.fromisoformat(expires) <= datetime.now(UTC):
            return Known(False, made, expires, "it has expired")
        return Known(True, made, expires)

    return ask


HEALTH = Health(
    platform="vercel",
    title="Vercel",
    service=Service.of(VERCEL, status_page="https://www.vercel-status.com"),
    probes=(
        Probe("token", "/v5/user/tokens/current", credentials=(TOKEN,), read=_token),
        Probe("role in the team", lambda _: f"/v2/teams/{TEAM.value()}", credentials=(TOKEN,), read=_team),
        Probe(
            "production deployments",
            _of_team("/v6/deployments", "&target=production&limit=100"),
            credentials=(TOKEN,),
            read=_deployments,
            needed=lambda subject: bool(subject.of_type(_PROJECT)),
        ),
        *(_domain(index) for index in range(_DOMAINS_ASKED)),
        Probe(
            "drains",
            _of_team("/v1/drains"),
            credentials=(TOKEN,),
            read=_drains,
            needed=lambda subject: bool(subject.of_type(f"{_OURS}Drain")),
        ),
        Probe(
            "owners of the team",
            lambda _: f"/v3/teams/{TEAM.value()}/members?limit=100",
            credentials=(TOKEN,),
            read=_owners,
            needed=lambda subject: bool(_asserted(subject).get("owners")),
            refused="degraded",
        ),
        Probe(
            "costs",
            _period,
            credentials=(TOKEN,),
            read=_costs,
            needed=lambda subject: bool(_asserted(subject).get("monthly_usd")),
            refused="degraded",
        ),
    ),
    credentials=(
        Credential(
            TOKEN, "another token (POST /v3/user/tokens), then the old one is deleted; both work meanwhile", by_api=True
        ),
    ),
    identifiers=(TEAM.name,),
    minted=(
        Minted(
            f"{_OURS}Token",
            "access token of",
            "raise vercel.tokens.<key>.generation: another token is made, then this one is deleted",
            by_api=True,
            ask=_minted("/v5/user/tokens", "token"),
        ),
        Minted(
            f"{_OURS}Webhook",
            "webhook secret",
            "raise vercel.webhooks.<key>.generation: another webhook is made, then this one is deleted",
            by_api=True,
            ask=_minted("/v1/webhooks", of_team=True),
        ),
    ),
)

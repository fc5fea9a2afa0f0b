"""HubSpot: whether the token is taken, is of the right account, has the scopes, and how much of the limits is left.

Neither a service key nor a private app's token expires, and HubSpot does not say when one was made.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from health.base import Answer, Credential, Health, Known, Probe, Problem, Quota, Reading, Service, Subject, variable
from providers.hubspot_calls import ACCOUNT, HUBSPOT, HUBSPOT_APP, WEBHOOKS
from providers.hubspot_scopes import needed

TOKEN = "HUBSPOT_ACCESS_TOKEN"  # noqa: S105 - the name of a variable
DEVELOPER_KEY = "HUBSPOT_DEVELOPER_API_KEY"
_LIMITS = "/crm/v3/limits"
_SETTING = "sophia-ai:hubspot"


def _account(answer: Answer) -> Reading:
    """Of which account the token is, and whether that is the settings' one."""
    portal, wanted = str(answer.document["portalId"]), answer.subject.settings.get("portal_id")
    problems: tuple[Problem, ...] = ()
    if wanted and wanted != portal:
        said = f"the token is of the account {portal}, and the settings are those of {wanted}"
        problems = (Problem(said, f"put a token of that account into {TOKEN}", f"{_SETTING}.portal_id"),)
    kind = str(answer.document["accountType"]).lower()
    return Reading(problems, known={TOKEN: Known(True, said=f"of the account {portal} ({kind})")})


def _scopes(answer: Answer) -> Reading:
    """What the settings need and the token lacks; what it has and nothing needs is no problem: others use it too."""
    lacking = sorted(set(needed(answer.subject.settings)) - set(answer.document["scopes"]))
    if not lacking:
        return Reading()
    said = f"the token lacks the scopes {', '.join(lacking)}"
    do = "add them to the service key or private app in HubSpot's settings; the token stays the same"
    return Reading((Problem(said, do, f"{TOKEN} in the stack's ESC environment"),))


def _usage(answer: Answer) -> Reading:
    quotas = tuple(
        Quota("HubSpot API calls of the day", one["usageLimit"] - one["currentUsage"], one["usageLimit"])
        for one in answer.document["results"]
        if one.get("fetchStatus", "SUCCESS") != "FAILED"
    )
    do = "find out what asks so much: the limit is that of all private apps together, and starts anew at midnight"
    return Reading(_scarce(quotas, do), quotas)


def _properties(answer: Answer) -> Reading:
    """Of the object types that the settings have properties of."""
    used = {one.outputs.get("object_type") for one in answer.subject.of_type(_PROPERTY)}
    rows = [one for one in answer.document["byObjectType"] if one["objectTypeId"] in used]
    quotas = tuple(_left(f"custom properties of {one['pluralLabel'].lower()}", one) for one in rows)
    return Reading(_scarce(quotas, "archive properties that nobody uses, or ask HubSpot for more"), quotas)


def _types(answer: Answer) -> Reading:
    quota = _left("custom objects", answer.document)
    return Reading(quotas=(quota,))


def _left(what: str, row: dict[str, Any]) -> Quota:
    return Quota(what, row["limit"] - row["usage"], row["limit"])


def _scarce(quotas: tuple[Quota, ...], do: str) -> tuple[Problem, ...]:
    return tuple(problem for quota in quotas if (problem := quota.problem(do)))


def _webhooks(answer: Answer) -> Reading:
    return Reading(tuple(_elsewhere(answer)), known={DEVELOPER_KEY: Known(True)})


def _elsewhere(answer: Answer) -> Iterator[Problem]:
    wanted, there = _settings(answer.subject)["target_url"], answer.document["targetUrl"]
    if wanted != there:
        yield Problem(f"the app's events go to {there}", "`sophia up` sends them where the settings say", _WEBHOOKS)


def _settings(subject: Subject) -> dict[str, Any]:
    return dict(subject.settings.get("webhooks") or {})


_WEBHOOKS = f"{_SETTING}.webhooks.target_url"
_PROPERTY = "pulumi-python:dynamic/hubspot:Property"
_SCHEMA = "pulumi-python:dynamic/hubspot:Schema"

HEALTH = Health(
    platform="hubspot",
    title="HubSpot",
    service=Service.of(HUBSPOT, status_page="https://status.hubspot.com"),
    probes=(
        Probe("token and account", f"{ACCOUNT}/details", credentials=(TOKEN,), read=_account),
        Probe(
            "scopes",
            "/oauth/v2/private-apps/get/access-token-info",
            method="POST",
            body=lambda _: {"tokenKey": variable(TOKEN)},
            credentials=(TOKEN,),
            read=_scopes,
        ),
        Probe(
            "calls of the day",
            f"{ACCOUNT}/api-usage/daily/private-apps",
            credentials=(TOKEN,),
            read=_usage,
            refused="degraded",
        ),
        Probe(
            "room for properties",
            f"{_LIMITS}/custom-properties",
            credentials=(TOKEN,),
            read=_properties,
            needed=lambda subject: bool(subject.of_type(_PROPERTY)),
            refused="degraded",
        ),
        Probe(
            "room for custom objects",
            f"{_LIMITS}/custom-object-types",
            credentials=(TOKEN,),
            read=_types,
            needed=lambda subject: bool(subject.of_type(_SCHEMA)),
            refused="degraded",
        ),
        Probe(
            "webhooks",
            lambda subject: f"{WEBHOOKS}/{_settings(subject)['app_id']}/settings",
            credentials=(DEVELOPER_KEY,),
            auth=HUBSPOT_APP.auth,
            read=_webhooks,
            needed=lambda subject: bool(_settings(subject)),
        ),
    ),
    credentials=(
        Credential(
            TOKEN,
            "by hand: HubSpot, the service key or the private app's Auth; the old one can be kept for 7 days",
            by_api=False,
        ),
        Credential(
            DEVELOPER_KEY,
            "by hand: HubSpot, the developer account's Keys, Developer API key; one is deactivated when another is made",
            by_api=False,
        ),
    ),
)

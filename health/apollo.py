"""Apollo: whose the key is, whether it is a master key, what is left of limits and credits, and what sends mail.

Apollo does not say when a key was made, nor whether it expires. A master key is proved by an endpoint that others may use
only if they are given it one by one (docs.apollo.io, "View API Usage Stats and Rate Limits").
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from health.base import Answer, Credential, Health, Known, Probe, Problem, Quota, Reading, Service, Subject
from providers.apollo_calls import APOLLO

KEY = "APOLLO_API_KEY"
_SEQUENCE = "pulumi-python:dynamic/apollo:Sequence"
_ENDPOINTS = frozenset({"labels", "fields", "emailer_campaigns", "sequences", "emailer_schedules", "users"})
"""Controllers whose endpoints a deployment asks; those of enrichment and of people's work are their users' affair."""
_EACH = {"minute": "a minute", "hour": "an hour", "day": "a day"}
_CREDITS = {"lead_credit": "lead credits in this cycle", "direct_dial_credit": "mobile credits in this cycle"}


def _profile(answer: Answer) -> Reading:
    person = answer.document
    name = f"{person.get('first_name') or ''} {person.get('last_name') or ''}".strip()
    return Reading(known={KEY: Known(True, said=f"acts as {name} ({person['email']})")})


def _limits(answer: Answer) -> Reading:
    """Of each window the endpoint with the least left, of those that a deployment asks."""
    quotas: list[Quota] = []
    problems: list[Problem] = []
    for window in _EACH:
        scarcest = min(
            _of_window(answer.document, window), key=lambda quota: quota.left / (quota.of or 1), default=None
        )
        if scarcest is None:
            continue
        quotas.append(scarcest)
        do = "wait, find out what sends so many requests, or take a plan with more"
        problems += _recovering(scarcest, do)
    return Reading(tuple(problems), tuple(quotas), {KEY: Known(True)})


def _of_window(document: dict[str, Any], window: str) -> Iterator[Quota]:
    for endpoint, windows in document.items():
        path, action = json.loads(endpoint)
        if path.rpartition("/")[2] in _ENDPOINTS and windows[window]["limit"] > 0:
            left, of = windows[window]["left_over"], windows[window]["limit"]
            yield Quota(f"requests {_EACH[window]} to {path} {action}", left, of)


def _credits(answer: Answer) -> Reading:
    """A credit that the plan does not have is none that is used up."""
    stats = answer.document["credit_usage_stats"]
    quotas = [
        Quota(what, stats[name]["left_over"], stats[name]["limit"])
        for name, what in _CREDITS.items()
        if stats.get(name, {}).get("limit", 0) > 0
    ]
    do = "buy credits, or wait for the next cycle: people find no addresses meanwhile"
    return Reading(tuple(problem for quota in quotas for problem in _recovering(quota, do)), tuple(quotas))


def _recovering(quota: Quota, do: str) -> Iterator[Problem]:
    """What is used up comes back by itself: what is deployed works meanwhile."""
    if problem := quota.problem(do):
        yield replace(problem, verdict="degraded")


def _sequences(answer: Answer) -> Reading:
    return Reading(tuple(_ailing(answer)))


def _ailing(answer: Answer) -> Iterator[Problem]:
    """Sequences of the stack that are not what its state says; with several pages only of those that are shown."""
    live = {one["id"]: one for one in answer.document["emailer_campaigns"]}
    whole = (answer.document.get("pagination") or {}).get("total_pages", 1) <= 1
    for sequence in answer.subject.of_type(_SEQUENCE):
        shown, setting = live.get(sequence.id), f"sophia-ai:apollo.sequences.{sequence.name}"
        wanted = bool(sequence.outputs.get("active"))
        if shown is None and not whole:
            continue
        if shown is None or shown.get("archived"):
            said = f"the sequence {sequence.name} is {'archived' if shown else 'not there any more'}"
            do = "`sophia refresh`, then `sophia up` makes another one; or remove the setting"
            yield Problem(said, do, setting, "degraded")
        elif shown["active"] and not wanted:
            said = f"the sequence {sequence.name} sends mail to real people, and the settings say that it must not"
            do = "`sophia refresh`, then `sophia up` deactivates it; or say in the settings, twice, that it may"
            yield Problem(said, do, setting)
        elif wanted and not shown["active"]:
            said = f"the sequence {sequence.name} is not active: somebody, or Apollo itself, has paused it"
            do = "look at it in Apollo for bounces, then `sophia refresh` and `sophia up` activate it again"
            yield Problem(said, do, setting, "degraded")


def _has_sequences(subject: Subject) -> bool:
    return bool(subject.of_type(_SEQUENCE))


HEALTH = Health(
    platform="apollo",
    title="Apollo",
    service=Service.of(APOLLO, status_page="https://status.apollo.io"),
    probes=(
        Probe("key", "/users/api_profile", credentials=(KEY,), read=_profile),
        Probe("custom fields (read)", "/fields", params={"source": "custom"}, credentials=(KEY,)),
        Probe("lists (read)", "/labels", credentials=(KEY,)),
        Probe(
            "sequences",
            "/emailer_campaigns/search",
            method="POST",
            params={"page": 1, "per_page": 100},
            credentials=(KEY,),
            needed=_has_sequences,
            read=_sequences,
        ),
        Probe("master key, limits", "/usage_stats/api_usage_stats", method="POST", credentials=(KEY,), read=_limits),
        Probe("credits", "/usage_stats/credit_usage_stats", method="POST", credentials=(KEY,), read=_credits),
    ),
    credentials=(
        Credential(
            KEY,
            "by hand: Apollo, Settings, Integrations, API, API keys, another one with Set as master key on; then the old "
            "one is deleted there. Both work meanwhile",
            by_api=False,
        ),
    ),
)

"""OpenRouter: what the management key is, what is left of the credits, and whether the chosen models are still there.

Source of facts: OpenRouter's OpenAPI description (GET /key, /credits, /keys/{hash}, /models, /organization/members).
"""

from __future__ import annotations

from datetime import UTC, datetime

from health import models
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
from providers.base import Trouble
from providers.base.errors import PlatformError
from providers.openrouter import OPENROUTER

KEY = "OPENROUTER_MANAGEMENT_KEY"

_LEAST_CREDITS = 5.0
"""US dollars, for a stack whose settings say nothing of what it may spend."""


def _key(answer: Answer) -> Reading:
    key = answer.document["data"]
    problems = []
    if not (key.get("is_management_key") or key.get("is_provisioning_key")):
        said, do = "the key is one for inference", "put a management key there (OpenRouter, Settings, Management keys)"
        problems.append(Problem(said, do, f"{KEY} in the stack's ESC environment"))
    known = Known(True, made=moment(key.get("created_at")), expires=moment(key.get("expires_at")))
    return Reading(tuple(problems), known={KEY: known})


def _credits(answer: Answer) -> Reading:
    """What was bought and is not spent, beside what the stack's workspace may spend in a month."""
    credits_ = answer.document["data"]
    budget = float((answer.subject.settings.get("budgets") or {}).get("monthly") or 0)
    left = round(float(credits_["total_credits"]) - float(credits_["total_usage"]), 2)
    quota = Quota("US dollars of credit", left, low=max(budget / 10, _LEAST_CREDITS))
    problem = quota.problem("buy credits, or set auto top-up: OpenRouter, Settings, Credits")
    return Reading((problem,) if problem else (), (quota,))


def _models(answer: Answer) -> Reading:
    tasks = models.tasks_of(answer.subject.settings)
    return Reading(tuple(models.problems(tasks, models.offers_of(answer.document))))


def _retention(answer: Answer) -> Reading:
    tasks = models.tasks_of(answer.subject.settings)
    return Reading(tuple(models.retention_problems(tasks, models.offers_of(answer.document))))


def _has_models(subject: Subject) -> bool:
    return bool(models.tasks_of(subject.settings))


def _has_private_models(subject: Subject) -> bool:
    return any(task.is_private for task in models.tasks_of(subject.settings))


def _named_members(subject: Subject) -> list[tuple[str, str]]:
    """The members that guardrails are put on, each with the setting."""
    guardrails = subject.settings.get("guardrails") or {}
    return [
        (f"openrouter.guardrails.{key}.members[{index}]", member)
        for key, settings in guardrails.items()
        for index, member in enumerate(settings.get("members") or ())
    ]


def _members(answer: Answer) -> Reading:
    """Whoever has left the organisation is under no guardrail any more, and needs none."""
    people = {one["id"]: one["email"] for one in answer.document["data"]}
    said = ", ".join(f"{user} ({email})" for user, email in people.items())
    problems = [
        Problem(f"{member} is no member of the organisation", f"take it out; there are: {said}", setting, "degraded")
        for setting, member in _named_members(answer.subject)
        if member not in people
    ]
    return Reading(tuple(problems))


def _minted(client: Client, key: Resource, _: Subject) -> Known:
    try:
        shown = client.send("GET", f"/keys/{key.id}").json()["data"]
    except PlatformError as error:
        if error.trouble is Trouble.NOT_FOUND:
            return Known(False, said="it is not there any more")
        raise
    made, expires = moment(shown.get("created_at")), moment(shown.get("expires_at"))
    if shown.get("disabled"):
        return Known(False, made, expires, "it is disabled")
    if expires and datetime.fromisoformat(expires) <= datetime.now(UTC):
        return Known(False, made, expires, "it has expired")
    return Known(True, made, expires)


SERVICE = Service.of(OPENROUTER, status_page="https://status.openrouter.ai")

HEALTH = Health(
    platform="openrouter",
    title="OpenRouter",
    service=SERVICE,
    probes=(
        Probe("management key", "/key", credentials=(KEY,), read=_key),
        Probe("credits", "/credits", credentials=(KEY,), read=_credits),
        Probe("models and their prices", "/models", params=models.LISTED, read=_models, needed=_has_models),
        Probe("zero retention", "/models", params=models.LISTED_ZDR, read=_retention, needed=_has_private_models),
        Probe(
            "members",
            "/organization/members",
            params={"limit": 100},
            credentials=(KEY,),
            read=_members,
            needed=lambda subject: bool(_named_members(subject)),
        ),
    ),
    credentials=(
        Credential(KEY, "by hand: OpenRouter, Settings, Management keys; several may exist at a time", by_api=False),
    ),
    minted=(
        Minted(
            "pulumi-python:dynamic/openrouter:ApiKey",
            "API key",
            "raise openrouter.keys.<key>.generation: another key is made, and both work until the next generation",
            by_api=True,
            ask=_minted,
        ),
    ),
)

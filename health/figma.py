"""Figma: whose token it is, whether the stack's webhooks are on, and whether their receivers take what is delivered.

Source of facts: Figma's OpenAPI description (``/v2/webhooks``, ``/v2/webhooks/{id}/requests``, ``/v1/me``) and
help.figma.com, "Manage personal access tokens".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from health.base import Answer, Credential, Health, Known, Probe, Problem, Reading, Service, Subject, variable
from providers.figma import FIGMA

TOKEN = "FIGMA_TOKEN"  # noqa: S105 - the variable's name
_WEBHOOK = "pulumi-python:dynamic/figma:Webhook"
_PERSONAL = "figd_"
_LOOKED_AT = 10
"""Of how many webhooks the deliveries are looked at: each is a request, of which few are allowed a minute."""


def _is_personal(_: Subject) -> bool:
    """Personal tokens are known by how they begin; a plan's has nobody to tell of."""
    return variable(TOKEN).startswith(_PERSONAL)


def _owner(answer: Answer) -> Reading:
    known = {TOKEN: Known(True, said=f"a personal token of {answer.document['handle']}")}
    return Reading(known=known)


def _webhooks(answer: Answer) -> Reading:
    return Reading(tuple(_ailing(answer)), known={TOKEN: Known(True)})


def _ailing(answer: Answer) -> Iterator[Problem]:
    live = {webhook["id"]: webhook for webhook in answer.document["webhooks"]}
    whole = not (answer.document.get("pagination") or {}).get("next_page")
    for resource in answer.subject.of_type(_WEBHOOK):
        setting, webhook = f"sophia-ai:figma.webhooks.{resource.name}", live.get(resource.id)
        if webhook is None and whole:
            yield Problem(f"there is no webhook {resource.id} in the plan", "look at it with `sophia drift`", setting)
        elif webhook and webhook["status"] == "PAUSED" and resource.outputs.get("status") != "PAUSED":
            said = f"the webhook {resource.name} is paused: nothing is delivered"
            do = "see that its receiver answers, then `sophia refresh` and `sophia up` switch it on again"
            yield Problem(said, do, setting, "degraded")
    if answer.subject.settings.get("variables") and not _is_personal(answer.subject):
        do = "use a personal token of somebody with a full seat, or remove the setting"
        yield Problem(
            "the token is not a person's: it cannot write variables", do, "sophia-ai:figma.variables", "degraded"
        )


def _deliveries(number: int) -> Probe:
    """Of one webhook of the state: what its receiver said of the last delivery."""

    def read(answer: Answer) -> Reading:
        webhook, requests = answer.subject.of_type(_WEBHOOK)[number], answer.document["requests"]
        last = max(requests, key=lambda request: str(request["request_info"]["sent_at"]), default=None)
        if last is None or not last["error_msg"]:
            return Reading()
        said = f"the last delivery of the webhook {webhook.name} failed: {last['error_msg']}"
        do = "see that its receiver is there and answers with 200; Figma tries three times and then gives it up"
        return Reading((Problem(said, do, f"sophia-ai:figma.webhooks.{webhook.name}.endpoint", "degraded"),))

    return Probe(
        f"deliveries of webhook {number + 1}",
        lambda subject: f"/v2/webhooks/{subject.of_type(_WEBHOOK)[number].id}/requests",
        credentials=(TOKEN,),
        needed=_has(number),
        read=read,
        without=lambda subject: f"no webhook {subject.of_type(_WEBHOOK)[number].id}",
    )


def _has(number: int) -> Callable[[Subject], bool]:
    return lambda subject: len(subject.of_type(_WEBHOOK)) > number


HEALTH = Health(
    platform="figma",
    title="Figma",
    service=Service.of(FIGMA, status_page="https://status.figma.com"),
    probes=(
        Probe(
            "webhooks",
            lambda _: f"/v2/webhooks?plan_api_id={variable('FIGMA_PLAN_ID')}",
            credentials=(TOKEN,),
            read=_webhooks,
        ),
        Probe("token", "/v1/me", credentials=(TOKEN,), needed=_is_personal, read=_owner),
        *(_deliveries(number) for number in range(_LOOKED_AT)),
    ),
    credentials=(
        Credential(
            TOKEN,
            "by hand, on day 75 (it dies on day 90): Figma, Settings, Security; a second token, then the first is revoked",
            by_api=False,
            lasts=timedelta(days=90),
        ),
    ),
    identifiers=("FIGMA_PLAN_ID", "FIGMA_TEAM_ID"),
)

"""Asana: whether the token is taken and sees the workspace, and whether every webhook still reaches its receiver.

A personal access token has no expiry, and Asana does not say when it was made: it ends with the account of the person.
"""

from __future__ import annotations

from collections.abc import Iterator

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
from providers.asana_calls import ASANA, WEBHOOK
from providers.base import PlatformError, Trouble

TOKEN = "ASANA_ACCESS_TOKEN"  # noqa: S105 - the name of a variable
_WORKSPACE = "pulumi-python:dynamic/asana:Workspace"
_WEBHOOK = "pulumi-python:dynamic/asana:Webhook"


def _person(answer: Answer) -> Reading:
    """Whose the token is, and whether that person is in the workspace of the settings."""
    person = answer.document["data"]
    wanted = answer.subject.settings.get("workspace") or {}
    seen = [one for one in person["workspaces"] if wanted.get("gid", one["gid"]) == one["gid"]]
    found = [one for one in seen if wanted.get("name", one["name"]) == one["name"]]
    problems = []
    if wanted and not found:
        said = f"{person['name']} ({person['email']}), whose token it is, is not in the workspace of the settings"
        do = "invite the account there, or take the token of one that is a member"
        problems.append(Problem(said, do, "sophia-ai:asana.workspace"))
    return Reading(tuple(problems), known={TOKEN: Known(True, said=f"of {person['name']} ({person['email']})")})


def _webhooks(answer: Answer) -> Reading:
    return Reading(tuple(_ailing(answer)))


def _ailing(answer: Answer) -> Iterator[Problem]:
    live = {one["gid"]: one for one in answer.document["data"]}
    for webhook in answer.subject.of_type(_WEBHOOK):
        shown, setting = live.get(webhook.id), f"sophia-ai:asana.webhooks.{webhook.name}"
        if shown is None:
            do = "see that its receiver answers, then `sophia up` makes it again, with another secret"
            yield Problem(f"the webhook {webhook.name} is not there any more", do, setting)
        elif not shown["active"]:
            do = f"see that {shown['target']} answers, then raise its generation: `sophia up` makes another one"
            yield Problem(f"the webhook {webhook.name} is inactive: Asana sends it nothing", do, setting)
        elif shown.get("failure_deletion_timestamp"):
            said = (
                f"{shown['target']} has failed since {shown.get('last_success_at') or 'the beginning'} "
                f"({shown.get('last_failure_content') or 'no answer'}): Asana deletes the webhook {webhook.name} "
                f"at {shown['failure_deletion_timestamp']}"
            )
            yield Problem(said, "bring the receiver back: Asana tries again by itself", setting, "degraded")


def _minted(client: Client, webhook: Resource, _: Subject) -> Known:
    """A webhook's secret is as old as the webhook, and works as long as Asana sends."""
    try:
        answer = client.send("GET", f"/webhooks/{webhook.id}", params={"opt_fields": "active,created_at"})
    except PlatformError as error:
        if error.trouble is Trouble.NOT_FOUND:
            return Known(False, said="the webhook is not there any more")
        raise
    shown = answer.json()["data"]
    return Known(bool(shown["active"]), made=moment(shown["created_at"]))


def _of_workspace(subject: Subject) -> str:
    (workspace,) = subject.of_type(_WORKSPACE)[:1]
    return f"/webhooks?workspace={workspace.id}&limit=100&opt_fields={WEBHOOK}"


HEALTH = Health(
    platform="asana",
    title="Asana",
    service=Service.of(ASANA, status_page="https://status.asana.com"),
    probes=(
        Probe(
            "token and workspace",
            "/users/me",
            params={"opt_fields": "name,email,workspaces,workspaces.name"},
            credentials=(TOKEN,),
            read=_person,
        ),
        Probe(
            "webhooks",
            _of_workspace,
            credentials=(TOKEN,),
            read=_webhooks,
            needed=lambda subject: bool(subject.of_type(_WORKSPACE) and subject.of_type(_WEBHOOK)),
        ),
    ),
    credentials=(
        Credential(
            TOKEN,
            "by hand: Asana, My apps, Personal access tokens, another one; then the old one is deleted there. Both work "
            "meanwhile",
            by_api=False,
        ),
    ),
    minted=(
        Minted(
            _WEBHOOK,
            "webhook's signing secret",
            "a higher generation of the webhook: another one is made, then this one removed",
            by_api=True,
            ask=_minted,
        ),
    ),
)

"""Pinecone: what the service account administers, whether its bills are paid, and how the stack's indexes are.

Source of facts: Pinecone's API descriptions of 2026-04 (``/admin/projects``, ``/admin/organizations``, ``/indexes``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

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
    Verdict,
)
from providers.base import Trouble
from providers.base.errors import PlatformError
from providers.pinecone import ADMIN, PINECONE

API_KEY = "PINECONE_API_KEY"
CLIENT_SECRET = "PINECONE_CLIENT_SECRET"  # noqa: S105 - a variable's name

_TYPE = "pulumi-python:dynamic/pinecone:"
_STORES = {"Index": "indexes", "PodIndex": "pod_indexes"}
_PAYMENT: dict[str, Verdict] = {
    "PaymentPending": "degraded",
    "PastDue": "degraded",
    "Restricted": "failing",
    "Suspended": "failing",
    "Deactivated": "failing",
}


def _projects(answer: Answer) -> Reading:
    """The service account sees the stack's project, and it is the one in which the API key makes the indexes."""
    shown = {project["id"]: project["name"] for project in answer.document["data"]}
    known = {CLIENT_SECRET: Known(True)}
    projects = answer.subject.of_type(f"{_TYPE}Project")
    problems = [
        Problem(
            f"the service account does not see the project {project.outputs.get('name') or project.id}",
            "give it a role in that project (Pinecone, Organization settings, Access), or look with `sophia drift`",
            "sophia-ai:pinecone.project",
        )
        for project in projects
        if project.id not in shown
    ]
    ours = {project.id for project in projects}
    elsewhere = {
        str(schedule.outputs["project_id"])
        for schedule in answer.subject.of_type(f"{_TYPE}BackupSchedule")
        if schedule.outputs.get("project_id") not in (None, *ours)
    }
    if ours and elsewhere:
        names = ", ".join(shown.get(project, project) for project in sorted(elsewhere))
        said = f"the indexes are in the project {names}, which {API_KEY} is a key of, the stack's own keys are not"
        do = "put a key of the stack's project there; indexes that it does not have are made anew, and empty"
        problems.append(Problem(said, do, f"{API_KEY} in the stack's ESC environment"))
    return Reading(tuple(problems), known=known)


def _payment(answer: Answer) -> Reading:
    """Who does not pay can make and change nothing, and later reads nothing either."""
    problems = [
        Problem(
            f"the organization {organization['name']} has the payment status {organization['payment_status']}",
            "settle what is due: Pinecone, Organization settings, Billing",
            verdict=_PAYMENT[organization["payment_status"]],
        )
        for organization in answer.document["data"]
        if organization["payment_status"] in _PAYMENT
    ]
    return Reading(tuple(problems))


def _indexes(answer: Answer) -> Reading:
    return Reading(tuple(_ailing(answer)), known={API_KEY: Known(True)})


def _ailing(answer: Answer) -> Iterator[Problem]:
    live = {index["name"]: index for index in answer.document["indexes"]}
    for kind, section in _STORES.items():
        for resource in answer.subject.of_type(_TYPE + kind):
            index, setting = live.get(resource.id), f"sophia-ai:pinecone.{section}.{resource.name}"
            if index is None:
                said = f"there is no index {resource.id} in the project of {API_KEY}"
                do = "look at it with `sophia drift`; what was in it comes back from a backup only"
                yield Problem(said, do, setting)
            elif index["status"]["state"] in ("InitializationFailed", "Terminating"):
                do = "look at it in Pinecone's console; what was in it comes back from a backup only"
                yield Problem(f"{resource.id} is {index['status']['state']}", do, setting)
            elif not index["status"]["ready"]:
                said = f"{resource.id} is not ready: {index['status']['state']}"
                yield Problem(said, "wait; ask Pinecone's support if it stays so", setting, "degraded")


def _minted(client: Client, key: Resource, _: Subject) -> Known:
    """Pinecone tells nothing of a key's age: it is that of the resource in the stack's state."""
    try:
        client.send("GET", f"/admin/api-keys/{key.id}", auth=ADMIN.auth)
    except PlatformError as error:
        if error.trouble is Trouble.NOT_FOUND:
            return Known(False, said="it is not there any more")
        raise
    return Known(True)


HEALTH = Health(
    platform="pinecone",
    title="Pinecone",
    service=replace(
        Service.of(PINECONE, status_page="https://status.pinecone.io"),
        secrets=lambda: [*PINECONE.secrets(), *ADMIN.secrets()],
    ),
    probes=(
        Probe("service account", "/admin/projects", credentials=(CLIENT_SECRET,), auth=ADMIN.auth, read=_projects),
        Probe("payment", "/admin/organizations", credentials=(CLIENT_SECRET,), auth=ADMIN.auth, read=_payment),
        Probe("API key and indexes", "/indexes", credentials=(API_KEY,), read=_indexes),
    ),
    credentials=(
        Credential(API_KEY, "by API: POST /admin/projects/{id}/api-keys, then the old one deleted", by_api=True),
        Credential(
            CLIENT_SECRET,
            "by hand: Pinecone, Organization settings, Access, Service accounts; a second account, then the first removed",
            by_api=False,
        ),
    ),
    identifiers=("PINECONE_CLIENT_ID",),
    minted=(
        Minted(
            f"{_TYPE}ApiKey",
            "API key",
            "another key is declared beside it, then this one removed: both work meanwhile",
            by_api=True,
            ask=_minted,
        ),
    ),
)

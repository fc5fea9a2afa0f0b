"""Portkey: whether the admin key is good, and whether the keys that the stack made still are.

Source of facts: Portkey's OpenAPI description (GET /api-keys, /api-keys/{id}).
"""

from __future__ import annotations

from datetime import UTC, datetime

from health.asking import Client
from health.base import Answer, Credential, Health, Known, Minted, Probe, Reading, Resource, Service, Subject, moment
from providers.base import Trouble
from providers.base.errors import PlatformError
from providers.portkey import PORTKEY

KEY = "PORTKEY_ADMIN_API_KEY"


def _answered(answer: Answer) -> Reading:
    """Only an organisation's key lists the keys of all workspaces. Portkey does not say which key asks."""
    answer.document["total"]
    return Reading(known={KEY: Known(True)})


def _minted(client: Client, key: Resource, _: Subject) -> Known:
    try:
        shown = client.send("GET", f"/api-keys/{key.id}").json()
    except PlatformError as error:
        # Portkey says 403 of a key that is not there; the probe has shown that ours may look.
        if error.trouble in (Trouble.NOT_FOUND, Trouble.FORBIDDEN):
            return Known(False, said="it is not there any more")
        raise
    made, expires = moment(shown.get("created_at")), moment(shown.get("expires_at"))
    if expires and datetime.fromisoformat(expires) <= datetime.now(UTC):
        return Known(False, made, expires, "it has expired")
    if shown.get("status") == "exhausted":
        return Known(True, made, expires, "its usage limit is exhausted")
    return Known(True, made, expires)


HEALTH = Health(
    platform="portkey",
    title="Portkey",
    service=Service.of(PORTKEY, status_page="https://status.portkey.ai"),
    probes=(Probe("admin key", "/api-keys", params={"page_size": 1}, credentials=(KEY,), read=_answered),),
    credentials=(
        Credential(
            KEY, "by hand: Portkey, Admin Settings, Organisation API Keys; several may exist at a time", by_api=False
        ),
    ),
    minted=(
        Minted(
            "pulumi-python:dynamic/portkey:ApiKey",
            "API key",
            "its generation is raised (POST /api-keys/{id}/rotate); the key of before works for transition_hours more",
            by_api=True,
            ask=_minted,
        ),
    ),
)

"""Airbyte: its own health call needs no credentials; a list of one workspace needs the application's token."""

from health.base import Answer, Credential, Health, Probe, Reading, Service
from providers.airbyte import AIRBYTE


def _workspaces(answer: Answer) -> Reading:
    """Anything else than a list comes from somebody else than Airbyte."""
    list(answer.document["data"])
    return Reading()


HEALTH = Health(
    platform="airbyte",
    title="Airbyte",
    service=Service.of(AIRBYTE, status_page="https://status.airbyte.com"),
    probes=(
        Probe("answers", "/health"),
        Probe(
            "token and workspaces",
            "/workspaces",
            params={"limit": 1},
            credentials=("AIRBYTE_CLIENT_SECRET",),
            read=_workspaces,
        ),
    ),
    credentials=(
        Credential(
            "AIRBYTE_CLIENT_SECRET",
            "a second application (POST /applications), then the first one is deleted; self-managed Core has one only",
            by_api=True,
        ),
    ),
    identifiers=("AIRBYTE_CLIENT_ID",),
)

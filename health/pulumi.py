"""Pulumi Cloud: who the access token belongs to, and whether that is a member of the organisation."""

from __future__ import annotations

from health.base import Answer, Credential, Health, Probe, Problem, Reading, Service, Subject
from health.tokens import Given

TOKEN = "PULUMI_ACCESS_TOKEN"  # noqa: S105 - the variable's name


def _member(answer: Answer) -> Reading:
    organization = answer.subject.cloud.organization
    found = {one["githubLogin"] for one in answer.document.get("organizations") or ()}
    if organization in found:
        return Reading()
    said = (
        f"{answer.document['githubLogin']} is no member of {organization}, but of {', '.join(sorted(found)) or 'none'}"
    )
    return Reading((Problem(said, "use a token of a member, or set SOPHIA_ORGANIZATION", TOKEN),))


def _is_there(subject: Subject) -> bool:
    return bool(subject.cloud.backend)


HEALTH = Health(
    platform="pulumi",
    title="Pulumi Cloud",
    service=Service(
        address=lambda subject: subject.cloud.backend,
        auth=lambda subject: Given("token", subject.cloud.token),
        setting="PULUMI_BACKEND_URL",
        said=lambda response: str(response.json()["message"]),
        headers={"Accept": "application/vnd.pulumi+8"},
        status_page="https://status.pulumi.com",
    ),
    probes=(
        Probe(
            "token and membership",
            "/api/user",
            credentials=(TOKEN,),
            read=_member,
            needed=_is_there,
        ),
    ),
    credentials=(
        Credential(
            TOKEN,
            "another token (POST /api/user/tokens), then the old one is deleted; Actions get theirs by OIDC",
            by_api=True,
        ),
    ),
)

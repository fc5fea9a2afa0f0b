"""Estuary Flow: what the API key may administer, and how the tasks of the stack's catalog are.

Source of facts: Estuary's GraphQL schema (``prefixes``, ``liveSpecs``, ``serviceAccounts``).
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
    Verdict,
    moment,
)
from providers.estuary_catalog import ESTUARY

KEY = "FLOW_API_KEY"

_ADMINISTERED = "query { prefixes(by: {minCapability: admin}, first: 100) { edges { node { prefix } } } }"
_TASKS = """
query ($names: [Name!]) {
  liveSpecs(by: {names: $names}) { edges { node { catalogName status { type summary } } } }
}
"""
_SECTIONS = ("collections", "derivations", "captures", "materializations")
_VERDICTS: dict[str, Verdict] = {"ERROR": "failing", "WARNING": "degraded"}
_KEYS = """
query { serviceAccounts(first: 100) { edges { node { catalogName apiKeys { id createdAt expiresAt } } } } }
"""


def _administered(answer: Answer) -> Reading:
    prefixes = [edge["node"]["prefix"] for edge in answer.document["data"]["prefixes"]["edges"]]
    known = {KEY: Known(True)}
    wanted = str(answer.subject.settings.get("prefix") or "")
    if any(wanted.startswith(prefix) for prefix in prefixes):
        return Reading(known=known)
    said = f"the key administers {', '.join(prefixes) or 'nothing'}, not {wanted}"
    do = "give its service account the capability admin there (Estuary, Admin, Service accounts)"
    return Reading((Problem(said, do, f"{KEY} in the stack's ESC environment"),), known=known)


def _wanted(subject: Subject) -> dict[str, str]:
    """The settings of what the stack publishes, by catalog name."""
    prefix = subject.settings.get("prefix") or ""
    sections = {section: subject.settings.get(section) or {} for section in _SECTIONS}
    return {f"{prefix}{e['name']}": f"{section}.{key}" for section, all_ in sections.items() for key, e in all_.items()}


def _tasks(answer: Answer) -> Reading:
    return Reading(tuple(_ailing(answer)))


def _ailing(answer: Answer) -> Iterator[Problem]:
    nodes = [edge["node"] for edge in answer.document["data"]["liveSpecs"]["edges"]]
    # Of a name that nothing has, Estuary shows the name, and nothing else.
    statuses = {node["catalogName"]: node["status"] for node in nodes if node["status"]}
    if not statuses:
        return  # nothing was published yet
    for name, place in _wanted(answer.subject).items():
        status, setting = statuses.get(name), f"sophia-ai:estuary.{place}"
        if status is None:
            do = "`sophia up` publishes it; if it was there before, `sophia drift --fix` brings it back"
            yield Problem(f"{name} is not live", do, setting, "degraded")
        elif status["type"] in _VERDICTS:
            do = "look at its logs (Estuary, the task, Logs); a wrong configuration is put right in that setting"
            yield Problem(f"{name}: {status['summary']}", do, setting, _VERDICTS[status["type"]])


def _minted(client: Client, key: Resource, _: Subject) -> Known:
    """When a key expires slides with its use, so that only its making tells how old it is."""
    accounts = client.send("POST", "/api/graphql", body={"query": _KEYS}).json()["data"]["serviceAccounts"]["edges"]
    for found in (shown for account in accounts for shown in account["node"]["apiKeys"]):
        if found["id"] == key.id:
            return Known(True, made=moment(found["createdAt"]), expires=moment(found["expiresAt"]))
    return Known(False, said="it was revoked, or has expired")


HEALTH = Health(
    platform="estuary",
    title="Estuary Flow",
    service=Service.of(ESTUARY, status_page="https://status.estuary.dev"),
    probes=(
        Probe(
            "key and prefix",
            "/api/graphql",
            method="POST",
            body=lambda _: {"query": _ADMINISTERED},
            credentials=(KEY,),
            read=_administered,
        ),
        Probe(
            "tasks",
            "/api/graphql",
            method="POST",
            body=lambda subject: {"query": _TASKS, "variables": {"names": sorted(_wanted(subject))}},
            credentials=(KEY,),
            read=_tasks,
            needed=lambda subject: bool(_wanted(subject)),
        ),
    ),
    credentials=(
        Credential(
            KEY,
            "another key of the service account (createApiKey), then the old one is revoked: used, it would never expire",
            by_api=True,
        ),
    ),
    identifiers=("ESTUARY_PUBLIC_TOKEN",),
    minted=(
        Minted(
            "pulumi-python:dynamic/estuary:ApiKey",
            "API key",
            "a second key of the account is declared, then the first one removed: both work meanwhile",
            by_api=True,
            ask=_minted,
        ),
    ),
)

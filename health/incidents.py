"""The incident path: whether n8n got the last alerts and deployments where they belong.

n8n's own health is about shares of failed executions; here one is too many, because nobody else would have told of it.
"""

from __future__ import annotations

from collections.abc import Iterator

from health.base import Answer, Health, Probe, Problem, Reading, Service, Subject
from health.n8n import KEY
from providers.n8n import N8N
from providers.n8n_calls import V1

_WORKFLOW = "pulumi-python:dynamic/n8n:Workflow"
_CARRIED = {
    "incident": "alerts",
    "github-deployments": "deployments",
    "vercel-deployments": "deployments",
}
"""The workflows by their keys, with what they carry: a member of ``sophia-ai:incidents``."""

_EXECUTIONS = 100


def _executions(answer: Answer) -> Reading:
    return Reading(tuple(_lost(answer)))


def _lost(answer: Answer) -> Iterator[Problem]:
    newest_first = answer.document["data"]
    for workflow in answer.subject.of_type(_WORKFLOW):
        if workflow.name not in _CARRIED:
            continue
        own = [one for one in newest_first if one["workflowId"] == workflow.id and one["status"] != "running"]
        if own and own[0]["status"] in ("error", "crashed"):
            said = f"the last execution of {workflow.name} failed: {_CARRIED[workflow.name]} do not arrive"
            do = f"look at execution {own[0]['id']} in n8n; `sophia health` tells of the platform that did not take it"
            setting = f"sophia-ai:incidents.{_CARRIED[workflow.name]}"
            yield Problem(said, do, setting, "failing" if workflow.name == "incident" else "degraded")


def _carries(subject: Subject) -> bool:
    return any(workflow.name in _CARRIED for workflow in subject.of_type(_WORKFLOW))


HEALTH = Health(
    platform="incidents",
    title="Incident path",
    service=Service.of(N8N),
    probes=(
        Probe("the n8n that it will be in", "/healthz", needed=lambda subject: not _carries(subject)),
        Probe(
            "last executions",
            f"{V1}/executions",
            params={"limit": _EXECUTIONS},
            credentials=(KEY,),
            read=_executions,
            needed=_carries,
        ),
    ),
)

"""n8n: whether it runs, whether the API key is taken, whether what is to be published is, how many executions fail.

Source of facts: n8n's public API description 1.1.1. An API key is a JWT, whose ``exp`` says how long it works.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

from health.base import Answer, Credential, Health, Known, Probe, Problem, Reading, Service, moment, variable
from providers.n8n import N8N
from providers.n8n_calls import V1, runs_as_shown

KEY = "N8N_API_KEY"
ADDRESS = "N8N_BASE_URL"
_WORKFLOW = "pulumi-python:dynamic/n8n:Workflow"

_EXECUTIONS = 100
"""How many of the last executions are looked at."""

_MANY = 0.1
"""The share of failed executions from which on it is no accident."""

_FAILED = ("error", "crashed")


def _expiry(key: str) -> str | None:
    """When an API key expires; None for one that never does, or is no JWT."""
    parts = key.split(".")
    if len(parts) != len(("header", "claims", "signature")):
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None
    expires = claims.get("exp") if isinstance(claims, dict) else None
    return moment(expires) if expires is not None else None


def _workflows(answer: Answer) -> Reading:
    known = {KEY: Known(True, expires=_expiry(variable(KEY)))}
    return Reading(tuple(_ailing(answer)), known=known)


def _ailing(answer: Answer) -> Iterator[Problem]:
    live = {one["id"]: one for one in answer.document["data"]}
    whole = answer.document.get("nextCursor") is None
    for workflow in answer.subject.of_type(_WORKFLOW):
        shown, setting = live.get(workflow.id), f"sophia-ai:n8n.workflows.{workflow.name}"
        if shown is None:
            if whole:
                do = "`sophia drift` shows it, `sophia up` makes it again"
                yield Problem(f"the workflow {workflow.name} is not there any more", do, setting)
            continue
        published = bool(workflow.outputs.get("published"))
        if published and not shown["active"]:
            said = f"{shown['name']} does not run: it is not published, and its setting says that it is"
            yield Problem(said, "`sophia up` publishes it; ask who stopped it first", setting)
        elif published and not runs_as_shown(shown):
            said = f"{shown['name']} has a draft that is not published"
            do = "export it into its file, or let `sophia up` put back what the file says"
            yield Problem(said, do, setting, "degraded")


def _executions(answer: Answer) -> Reading:
    """Of the stack's own workflows, each by itself: one that always fails is not hidden by ten that never do."""
    problems = []
    finished = [one for one in answer.document["data"] if one["status"] in (*_FAILED, "success")]
    for workflow in answer.subject.of_type(_WORKFLOW):
        own = [one for one in finished if one["workflowId"] == workflow.id]
        failed = [one for one in own if one["status"] in _FAILED]
        if own and len(failed) > _MANY * len(own):
            said = f"{len(failed)} of the last {len(own)} executions of {workflow.name} failed"
            do = f"look at them in n8n, Executions; the newest is {failed[0]['id']}"
            problems.append(Problem(said, do, f"sophia-ai:n8n.workflows.{workflow.name}", "degraded"))
    return Reading(tuple(problems))


HEALTH = Health(
    platform="n8n",
    title="n8n",
    service=Service.of(N8N),
    probes=(
        Probe("instance", "/healthz"),
        Probe(
            "API key and workflows",
            f"{V1}/workflows",
            params={"limit": 250, "excludePinnedData": "true"},
            credentials=(KEY,),
            read=_workflows,
        ),
        Probe(
            "executions",
            f"{V1}/executions",
            params={"limit": _EXECUTIONS},
            credentials=(KEY,),
            read=_executions,
            refused="degraded",
        ),
    ),
    credentials=(
        Credential(
            KEY,
            "by hand: n8n, Settings, n8n API, another key; then the old one is deleted there. Both work meanwhile",
            by_api=False,
        ),
    ),
    identifiers=(ADDRESS,),
)

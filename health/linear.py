"""Linear: what the key may do and how much of its hour is left, and whether somebody took from the stack what is its own.

Source of facts: Linear's GraphQL schema (``viewer``, ``rateLimitStatus``, ``teams``, ``webhooks``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from health.base import Answer, Credential, Health, Known, Probe, Problem, Quota, Reading, Resource, Service, Subject
from providers.linear_calls import LINEAR

KEY = "LINEAR_API_KEY"
_TYPE = "pulumi-python:dynamic/linear:"
_FOR_ADMINS = ("webhooks", "project_statuses")
"""The settings that only an administrator's key can carry out."""

_VIEWER = """
query { viewer { email admin active } rateLimitStatus { limits { type allowedAmount remainingAmount } } }
"""
_OBJECTS = """
query ($teams: [ID!], $labels: [ID!], $projects: [ID!]) {
  teams(filter: {id: {in: $teams}}, first: 250, includeArchived: true) { nodes { id archivedAt retiredAt } }
  issueLabels(filter: {id: {in: $labels}}, first: 250, includeArchived: true) { nodes { id archivedAt retiredAt } }
  projects(filter: {id: {in: $projects}}, first: 250, includeArchived: true) { nodes { id archivedAt trashed } }
}
"""
_WEBHOOKS = "query { webhooks(first: 250) { nodes { id enabled } } }"
_KINDS = {"teams": ("Team", "teams"), "labels": ("IssueLabel", "labels"), "projects": ("Project", "projects")}
_LISTS = {"teams": "teams", "labels": "issueLabels", "projects": "projects"}


def _viewer(answer: Answer) -> Reading:
    data = answer.document["data"]
    viewer, settings = data["viewer"], answer.subject.settings
    quotas = tuple(
        Quota(f"{limit['type']} of this hour", limit["remainingAmount"], limit["allowedAmount"])
        for limit in data["rateLimitStatus"]["limits"]
    )
    do = "wait an hour; where it recurs, find what else uses the key"
    problems = [problem for quota in quotas if (problem := quota.problem(do))]
    needing = [section for section in _FOR_ADMINS if settings.get(section)]
    if needing and not viewer["admin"]:
        said = f"the key is of {viewer['email']}, who is no administrator: {' and '.join(needing)} need one"
        problems.append(Problem(said, "put an administrator's key there", f"{KEY} in the stack's ESC environment"))
    return Reading(tuple(problems), quotas, {KEY: Known(True)})


def _ids(subject: Subject, kind: str) -> list[str]:
    return [resource.id for resource in subject.of_type(f"{_TYPE}{kind}")]


def _objects(answer: Answer) -> Reading:
    return Reading(tuple(_lost(answer)))


def _lost(answer: Answer) -> Iterator[Problem]:
    for name, (kind, section) in _KINDS.items():
        nodes = {node["id"]: node for node in answer.document["data"][_LISTS[name]]["nodes"]}
        for resource in answer.subject.of_type(f"{_TYPE}{kind}"):
            if gone := _gone(nodes.get(resource.id)):
                said = f"{resource.outputs.get('name') or resource.name} {gone} in Linear, and not by this stack"
                do = "`sophia drift --fix` brings it back; where it is meant to go, take it out of the settings"
                yield Problem(said, do, f"sophia-ai:linear.{section}.{resource.name}")


def _gone(node: Mapping[str, Any] | None) -> str:
    if node is None:
        return "is not there any more"
    if node.get("retiredAt"):
        return "was retired"
    return "was archived" if node["archivedAt"] or node.get("trashed") else ""


def _webhooks(answer: Answer) -> Reading:
    enabled = {node["id"]: node["enabled"] for node in answer.document["data"]["webhooks"]["nodes"]}
    problems = [problem for resource in _wanted_webhooks(answer.subject) if (problem := _silent(resource, enabled))]
    return Reading(tuple(problems))


def _wanted_webhooks(subject: Subject) -> list[Resource]:
    return [resource for resource in subject.of_type(f"{_TYPE}Webhook") if resource.outputs.get("enabled")]


def _silent(resource: Resource, enabled: Mapping[str, bool]) -> Problem | None:
    setting = f"sophia-ai:linear.webhooks.{resource.name}"
    if resource.id not in enabled:
        return Problem("the webhook is not there any more", "`sophia drift --fix` makes it again", setting)
    if enabled[resource.id]:
        return None
    said = f"the webhook to {resource.outputs.get('url')} is switched off, as Linear does after failures"
    return Problem(said, "see that the receiver answers 200 within 5 seconds, then `sophia drift --fix`", setting)


HEALTH = Health(
    platform="linear",
    title="Linear",
    service=Service.of(LINEAR, status_page="https://linearstatus.com"),
    probes=(
        Probe("key and rights", "", "POST", body=lambda _: {"query": _VIEWER}, credentials=(KEY,), read=_viewer),
        Probe(
            "teams, labels and projects",
            "",
            "POST",
            body=lambda subject: {
                "query": _OBJECTS,
                "variables": {name: _ids(subject, kind) for name, (kind, _) in _KINDS.items()},
            },
            credentials=(KEY,),
            read=_objects,
            needed=lambda subject: any(_ids(subject, kind) for kind, _ in _KINDS.values()),
        ),
        Probe(
            "webhooks",
            "",
            "POST",
            body=lambda _: {"query": _WEBHOOKS},
            credentials=(KEY,),
            read=_webhooks,
            needed=lambda subject: bool(_wanted_webhooks(subject)),
        ),
    ),
    credentials=(
        Credential(
            KEY,
            "by hand: Linear, Settings, Security and access, of an administrator; a second key, then the first revoked",
            by_api=False,
        ),
    ),
)

"""Whether what the incident path names is there, in the settings of the platforms that it joins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from components.explain import Mistake, Path
from components.incidents.settings import (
    AlertSettings,
    AsanaReminderSettings,
    DeploymentSettings,
    IncidentsSettings,
    LinearReminderSettings,
)
from components.settings import unknown_name, unknown_names

if TYPE_CHECKING:
    from components.estate import Estate

WEBHOOKS = {
    "alerts": "alertmanager-events",
    "github": "github-events",
    "vercel": "vercel-events",
}
"""The paths of n8n's webhooks (``/webhook/<path>``) that the workflows here wait at."""


def mistakes(incidents: IncidentsSettings, estate: Estate) -> Iterator[Mistake]:
    """What does not fit, each with its path under ``sophia-ai:incidents``."""
    if incidents.alerts is not None:
        yield from _alerts(incidents.alerts, estate)
    if incidents.deployments is not None:
        yield from _deployments(incidents.deployments, estate)
    if incidents.alerts is not None or incidents.deployments is not None:
        yield from _n8n(incidents, estate)
    if incidents.reminders is not None:
        yield from _reminders(incidents.reminders, estate)


def _n8n(incidents: IncidentsSettings, estate: Estate) -> Iterator[Mistake]:
    if estate.n8n is None:
        yield Mistake((), "needs n8n, which carries alerts and deployments on")
        return
    yield from estate.n8n.no_credential(("slack",), incidents.slack, "slackApi")
    yield from estate.n8n.no_error_workflow(("error_workflow",), incidents.error_workflow)
    for key, workflow in estate.n8n.workflows.items():
        for method, path in workflow.content.webhooks:
            if path in WEBHOOKS.values():
                yield Mistake((), f"waits at the webhook {method} {path}, which n8n.workflows.{key} has as well")


def _alerts(alerts: AlertSettings, estate: Estate) -> Iterator[Mistake]:
    if estate.monitoring is None:
        yield Mistake(("alerts",), "needs monitoring, whose Alertmanager tells of alerts")
    elif estate.kubernetes is None or estate.kubernetes.n8n is None:
        yield Mistake(("alerts",), "needs kubernetes.n8n: Alertmanager calls it inside the cluster")
    if alerts.issues is not None:
        yield from _linear(("alerts", "issues"), alerts.issues.template, alerts.issues.done, estate)


def _deployments(deployments: DeploymentSettings, estate: Estate) -> Iterator[Mistake]:
    channels = estate.slack.channels if estate.slack else {}
    yield from unknown_name(("deployments", "channel"), deployments.channel, channels, "Slack channel")
    repositories = estate.github.repositories if estate.github else {}
    yield from unknown_names(("deployments", "announced"), deployments.announced, repositories, "GitHub repository")
    for platform, name in (("github", deployments.github), ("vercel", deployments.vercel)):
        addresses = _hooks_of(estate, platform)
        if name is None:
            continue
        yield from unknown_name(("deployments", platform), name, addresses, f"webhook of {platform}")
        if not addresses.get(name, WEBHOOKS[platform]).endswith(WEBHOOKS[platform]):
            said = f"goes to {addresses[name]}, and the workflow waits at …/webhook/{WEBHOOKS[platform]}"
            yield Mistake(("deployments", platform), said)


def _hooks_of(estate: Estate, platform: str) -> dict[str, str]:
    """The addresses of a platform's webhooks, by the names that its component gives their secrets."""
    if platform == "vercel":
        return {key: hook.url for key, hook in estate.vercel.webhooks.items()} if estate.vercel else {}
    if estate.github is None:
        return {}
    organization = estate.github.organization
    found = {key: hook.url for key, hook in organization.webhooks.items()} if organization else {}
    for key, repository in estate.github.repositories.items():
        if repository.owned:
            hooks = estate.github.traits_of(repository).webhooks
            found |= {f"{key}.{name}": hook.url for name, hook in hooks.items() if hook is not None}
    return found


def _reminders(reminders: LinearReminderSettings | AsanaReminderSettings, estate: Estate) -> Iterator[Mistake]:
    at: Path = ("reminders",)
    if isinstance(reminders, LinearReminderSettings):
        yield from _linear(at, reminders.template, reminders.done, estate)
        return
    projects = estate.asana.projects if estate.asana else {}
    yield from unknown_name((*at, "project"), reminders.project, projects, "Asana project")
    if reminders.project in projects:
        project = projects[reminders.project]
        sections = [section.key for section in project.sections]
        for member in ("due", "renewed"):
            yield from unknown_name((*at, member), getattr(reminders, member), sections, "section of that project")
        if reminders.field is not None:
            fields = [used.field for used in project.fields]
            yield from unknown_name((*at, "field"), reminders.field, fields, "field of that project")


def _linear(at: Path, template: str, done: str, estate: Estate) -> Iterator[Mistake]:
    templates = estate.linear.templates if estate.linear else {}
    yield from unknown_name((*at, "template"), template, templates, "Linear template")
    if estate.linear is None or template not in templates:
        return
    wanted = templates[template]
    if wanted.type != "issue" or wanted.team is None:
        yield Mistake((*at, "template"), "must be one for issues of a team: issues are made in that team")
    elif wanted.team in estate.linear.teams:
        states = estate.linear.teams[wanted.team].states
        yield from unknown_name((*at, "done"), done, states, f"state of team {wanted.team}")
        if done in states and states[done].type not in ("completed", "canceled"):
            yield Mistake((*at, "done"), f"is a state of type {states[done].type}: an issue in it would stay open")

"""The incident path: what n8n carries from alerts, deployments and credentials to where people work."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeVar

import pulumi

from components.asana import Asana
from components.github import GitHub
from components.incidents.settings import (
    AlertSettings,
    AsanaReminderSettings,
    DeploymentSettings,
    IncidentsSettings,
    LinearReminderSettings,
)
from components.linear import Linear, LinearSettings
from components.monitoring.alertmanager import receiver
from components.monitoring.settings import TeamSettings
from components.n8n import N8n
from components.n8n.shipped import Shipped, Values
from components.settings import Stage
from components.slack import Slack
from components.vercel import Vercel
from providers.base import dynamic
from providers.base.auth import Environment
from providers.passwords import Password

__all__ = ["FILES", "Incidents", "IncidentsSettings"]

FILES = {
    "incident": ("Alerts to Slack and Linear", "workflows/incident.json"),
    "github-deployments": ("GitHub deployments to Slack", "workflows/deploy-events-github.json"),
    "vercel-deployments": ("Vercel deployments to Slack", "workflows/deploy-events-vercel.json"),
}
"""By key, what a workflow is called and its file."""

_SLACK, _LINEAR = Environment("SLACK_API_URL"), Environment("LINEAR_API_URL")

T = TypeVar("T")


class Incidents(pulumi.ComponentResource):
    """Workflows of n8n, with their credentials, over the objects of the platforms that they join.

    An alert becomes a message in the Slack channel of its team and severity and, where its severity says so, a Linear issue
    by a template; its end is answered in the message's thread, and moves the issue on. Deployments that GitHub and Vercel
    tell of are said in one channel, once their signatures have been verified.

    Outputs: ``workflow_ids``, by key; ``alert_token``, what Alertmanager shows the webhook (secret), None without alerts;
    ``reminders``: where ``sophia credentials --remind`` puts what is due, None without such a setting.

    Not managed, on purpose: issues, tasks and messages (they are the work); the data table ``sophia_incidents``, in which
    n8n remembers the messages' threads, and which the workflow makes when it is not there (no public API makes one);
    calls to people's telephones and rotas (the estate has no platform for that).
    """

    workflow_ids: Mapping[str, pulumi.Output[str]]
    alert_token: pulumi.Output[str] | None
    reminders: Mapping[str, pulumi.Input[str]] | None

    def __init__(
        self,
        name: str,
        settings: IncidentsSettings,
        *,
        stage: Stage,
        teams: Mapping[str, TeamSettings],
        templates: LinearSettings | None,
        slack: Slack | None = None,
        linear: Linear | None = None,
        asana: Asana | None = None,
        n8n: N8n | None = None,
        github: GitHub | None = None,
        vercel: Vercel | None = None,
        repositories: Mapping[str, str] | None = None,
        outputs: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """``teams``: whom monitoring tells, and in which channels. ``templates``: Linear's settings, which say of what team
        a template is. ``repositories``: the names on GitHub by key. The components are those that the settings need, as
        `components.incidents.references` has checked. ``outputs``: what ``linear_key`` may name.

        Raises SettingsError for an address of another stage in a workflow, CredentialsError for a missing variable.
        """
        super().__init__("sophia:platform:Incidents", name, None, opts)
        self._settings, self._stage, self._outputs = settings, stage.value, outputs
        self._slack, self._linear, self._asana = slack, linear, asana
        self._templates = templates
        self._own = pulumi.ResourceOptions(parent=self)
        self.workflow_ids, self.alert_token, self.reminders = {}, None, None
        if settings.alerts is not None or settings.deployments is not None:
            own = dynamic(self._own)
            self._ships = Shipped("incidents", _there(n8n), stage, settings.error_workflow, settings.adopt, own)
            # What two workflows use is made once.
            self._used: dict[str, pulumi.Output[str]] = {"slack": _there(n8n).credential_ids[settings.slack]}
        if settings.alerts is not None:
            self.alert_token = self._mint("alertmanager", settings.alerts.generation)
            self._carry_alerts(settings.alerts, teams)
        if settings.deployments is not None:
            self._carry_deployments(settings.deployments, github, vercel, repositories or {})
        if settings.reminders is not None:
            self.reminders = self._reminding(settings.reminders)
        self.register_outputs({"workflow_ids": self.workflow_ids, "reminders": self.reminders})

    def _mint(self, key: str, generation: int) -> pulumi.Output[str]:
        return Password(key, generation=generation, opts=dynamic(self._own)).password

    def _carry_alerts(self, settings: AlertSettings, teams: Mapping[str, TeamSettings]) -> None:
        bearer = pulumi.Output.concat("Bearer ", _there(self.alert_token))
        self._credential("alertmanager", "Alertmanager", "httpHeaderAuth", name="Authorization", value=bearer)
        key = self._settings.linear_key
        if key is not None:
            value = key.resolve(self._outputs, "incidents.linear_key")
            self._credential("linear", "Linear", "httpHeaderAuth", name="Authorization", value=value)
        else:  # a workflow without issues asks Linear for nothing, but its nodes name a credential all the same
            self._used["linear"] = self._used["alertmanager"]
        channels = _there(self._slack).channel_ids
        routes = {
            receiver(team, severity): {
                "channel": channels[getattr(its, severity)],
                "severity": severity,
                "priority": settings.issues.priorities.get(severity) if settings.issues else None,
            }
            for team, its in teams.items()
            for severity in sorted(settings.severities)
        }
        issue = self._issue(settings.issues.template, settings.issues.done) if settings.issues else {}
        self._workflow(
            "incident",
            {
                "routes": pulumi.Output.json_dumps(routes),
                "issue": pulumi.Output.json_dumps(issue),
                "linear-api": self._ships.address(_LINEAR),
            },
        )

    def _issue(self, template: str, done: str) -> dict[str, pulumi.Input[str]]:
        """Where an issue is made, and where it ends: the team is that of the template."""
        linear, team = _there(self._linear), _there(_there(self._templates).templates[template].team)
        return {
            "team": linear.team_ids[team],
            "template": linear.template_ids[template],
            "done": linear.state_ids[f"{team}.{done}"],
        }

    def _carry_deployments(
        self,
        settings: DeploymentSettings,
        github: GitHub | None,
        vercel: Vercel | None,
        repositories: Mapping[str, str],
    ) -> None:
        channel = _there(self._slack).channel_ids[settings.channel]
        if settings.github is not None:
            secret = _there(github).webhook_secrets[settings.github]
            self._credential("github-signature", "GitHub signatures", "crypto", hmacSecret=secret)
            announced = json.dumps([repositories[key] for key in settings.announced])
            self._workflow("github-deployments", {"channel": channel, "announced": announced})
        if settings.vercel is not None:
            secret = _there(vercel).webhook_secrets[settings.vercel]
            self._credential("vercel-signature", "Vercel signatures", "crypto", hmacSecret=secret)
            self._workflow("vercel-deployments", {"channel": channel})

    def _credential(self, key: str, title: str, type_: str, **data: pulumi.Input[str]) -> None:
        self._used[key] = self._ships.credential(key, title, type_, **data)

    def _workflow(self, key: str, more: Values) -> None:
        stack = f"{pulumi.get_project()}/{self._stage}"
        values: Values = {"stack": stack, "slack-api": self._ships.address(_SLACK), **more}
        workflow = self._ships.workflow(key, *FILES[key], self._used, values)
        self.workflow_ids = {**self.workflow_ids, key: workflow}

    def _reminding(self, settings: LinearReminderSettings | AsanaReminderSettings) -> dict[str, pulumi.Input[str]]:
        if isinstance(settings, LinearReminderSettings):
            return {"to": "linear", **self._issue(settings.template, settings.done)}
        asana, project = _there(self._asana), settings.project
        field = {"field": asana.field_ids[settings.field]} if settings.field else {}
        return {
            "to": "asana",
            "project": asana.project_ids[project],
            "due": asana.section_ids[f"{project}.{settings.due}"],
            "renewed": asana.section_ids[f"{project}.{settings.renewed}"],
            **field,
        }


def _there(component: T | None) -> T:
    """What the settings have been checked to need."""
    if component is None:
        raise ValueError("the incident path names a platform that this stack has not: its settings are to be checked")
    return component

"""Linear by its GraphQL API: where the company's work is written down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from components.linear.settings import (
    LinearSettings,
    ProjectSettings,
    TeamSettings,
    TemplateSettings,
)
from components.settings import Stage, data_store_options
from providers import linear
from providers.base import dynamic
from providers.passwords import Password

__all__ = ["Linear", "LinearSettings"]

Ids = Mapping[str, pulumi.Output[str]]


class Linear(pulumi.ComponentResource):
    """Teams with their workflow and members, labels, templates, projects, initiatives, views and webhooks.

    Teams and projects have people's work in them: in prod they are protected, and stay when the stack lets go of them.

    Outputs, by key: ``team_ids``; ``state_ids`` (``team.state``); ``label_ids``; ``template_ids``; ``project_ids`` and
    ``project_urls``; ``webhook_secrets``: what deliveries are signed with, as secrets.

    Not managed, on purpose: issues, cycles, comments and updates (they are the work itself), users and roles (the company's
    single sign-on makes them), API keys and OAuth applications (made in Linear's pages), integrations such as GitHub's and
    Slack's (each needs a person's consent), SLAs and the workspace's own settings (no public mutation, or a bill),
    personal views and notifications. A team's default states and templates stay as Linear has them.
    """

    team_ids: Ids
    state_ids: Ids
    label_ids: Ids
    template_ids: Ids
    project_ids: Ids
    project_urls: Ids
    webhook_secrets: Ids

    def __init__(
        self, name: str, settings: LinearSettings, *, stage: Stage, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("sophia:platform:Linear", name, None, opts)
        self._child = dynamic(pulumi.ResourceOptions(parent=self))
        self._store = data_store_options(stage, self._child)
        self._settings = settings

        self._teams: dict[str, linear.Team] = {}
        for key, team in sorted(settings.teams.items(), key=lambda item: item[1].parent is not None):
            self._teams[key] = self._create_team(key, team)
        self.team_ids = {key: team.id for key, team in self._teams.items()}
        self.state_ids = self._create_workflows()
        self.label_ids = self._create_labels()
        self.template_ids = {key: self._create_template(key, it) for key, it in settings.templates.items()}
        self._statuses, self._project_labels = self._create_project_terms()
        projects = {key: self._create_project(key, project) for key, project in settings.projects.items()}
        self.project_ids = {key: project.id for key, project in projects.items()}
        self.project_urls = {key: project.url for key, project in projects.items()}
        self._create_initiatives()
        self._create_views()
        self.webhook_secrets = self._create_webhooks()
        self.register_outputs(
            {
                "team_ids": self.team_ids,
                "state_ids": self.state_ids,
                "label_ids": self.label_ids,
                "template_ids": self.template_ids,
                "project_ids": self.project_ids,
                "project_urls": self.project_urls,
                "webhook_secrets": self.webhook_secrets,
            }
        )

    def _create_team(self, key: str, settings: TeamSettings) -> linear.Team:
        cycles, estimation = settings.cycles, settings.estimation
        more: dict[str, Any] = {"cycles_enabled": cycles is not None}
        if cycles:
            more |= {
                "cycle_duration": cycles.weeks,
                "cycle_cooldown_time": cycles.cooldown_weeks,
                "cycle_start_day": cycles.start_day,
                "upcoming_cycle_count": cycles.upcoming,
                "cycle_issue_auto_assign_started": cycles.assign_started,
                "cycle_issue_auto_assign_completed": cycles.assign_completed,
                "cycle_lock_to_active": cycles.lock_to_active,
            }
        if estimation:
            more |= {
                "issue_estimation_allow_zero": estimation.allow_zero,
                "issue_estimation_extended": estimation.extended,
                "default_issue_estimate": estimation.default,
            }
        return linear.Team(
            key,
            self._store,
            **settings.model_dump(
                include={"key", "name", "description", "icon", "color", "timezone", "private", "adopt"}
            ),
            parent_id=self._teams[settings.parent].id if settings.parent else None,
            issue_estimation_type=estimation.type if estimation else "notUsed",
            triage_enabled=settings.triage,
            require_priority_to_leave_triage=settings.priority_to_leave_triage,
            auto_close_period=settings.auto_close_months,
            auto_archive_period=settings.auto_archive_months,
            **more,
        )

    def _in_team(self, key: str | None) -> pulumi.ResourceOptions:
        """What goes with its team is not taken apart first: the last state of a type cannot be removed by itself."""
        if key is None:
            return self._child
        goes_along = pulumi.ResourceOptions(deleted_with=self._teams[key])
        return pulumi.ResourceOptions.merge(self._child, goes_along)

    def _create_workflows(self) -> Ids:
        """Linear makes states, a membership and Git rules with every team: what is wanted of the team is put over them."""
        states: dict[str, pulumi.Output[str]] = {}
        for key, team in self._settings.teams.items():
            options, team_id = self._in_team(key), self._teams[key].id
            for state, its in team.states.items():
                states[f"{key}.{state}"] = linear.WorkflowState(
                    f"{key}.states.{state}", options, team_id=team_id, adopt=True, **its.model_dump()
                ).id
            for member, person in team.members.items():
                linear.TeamMembership(
                    f"{key}.members.{member}",
                    options,
                    team_id=team_id,
                    user=person.email,
                    owner=person.owner,
                    adopt=True,
                )
            if team.git:
                targets = {event: states[f"{key}.{state}"] for event, state in team.git.items()}
                linear.GitAutomation(f"{key}.git", options, team_id=team_id, states=targets, adopt=True)
        return states

    def _create_labels(self) -> Ids:
        labels: dict[str, pulumi.Output[str]] = {}
        for key, label in sorted(self._settings.labels.items(), key=lambda item: item[1].parent is not None):
            labels[key] = linear.IssueLabel(
                key,
                self._in_team(label.team),
                **label.model_dump(include={"name", "color", "description", "adopt"}),
                team_id=self._team_id(label.team),
                is_group=label.group,
                parent_id=labels[label.parent] if label.parent else None,
            ).id
        return labels

    def _create_template(self, key: str, settings: TemplateSettings) -> pulumi.Output[str]:
        data: dict[str, Any] = dict(settings.data or {})
        if settings.issue:
            data = settings.issue.model_dump(
                include={"title", "description", "priority", "estimate"}, exclude_none=True
            )
            if settings.issue.state:
                data["stateId"] = self.state_ids[f"{settings.team}.{settings.issue.state}"]
            if settings.issue.labels:
                data["labelIds"] = [self.label_ids[label] for label in settings.issue.labels]
        return linear.Template(
            key,
            self._in_team(settings.team),
            **settings.model_dump(include={"name", "type", "description", "icon", "color", "adopt"}),
            team_id=self._team_id(settings.team),
            data=data,
        ).id

    def _create_project_terms(self) -> tuple[Ids, Ids]:
        statuses = {
            key: linear.ProjectStatus(key, self._child, **status.model_dump()).id
            for key, status in self._settings.project_statuses.items()
        }
        labels = {
            key: linear.ProjectLabel(key, self._child, **label.model_dump()).id
            for key, label in self._settings.project_labels.items()
        }
        return statuses, labels

    def _create_project(self, key: str, settings: ProjectSettings) -> linear.Project:
        plain = settings.model_dump(exclude={"teams", "status", "labels", "milestones", "target_resolution"})
        project = linear.Project(
            key,
            self._store,
            **plain,
            team_ids=[self.team_ids[team] for team in settings.teams],
            status_id=self._statuses[settings.status] if settings.status else None,
            label_ids=None if settings.labels is None else [self._project_labels[label] for label in settings.labels],
            target_date_resolution=settings.target_resolution,
        )
        inside = pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(deleted_with=project))
        for milestone, its in settings.milestones.items():
            linear.ProjectMilestone(f"{key}.milestones.{milestone}", inside, project_id=project.id, **its.model_dump())
        return project

    def _create_initiatives(self) -> None:
        for key, settings in self._settings.initiatives.items():
            initiative = linear.Initiative(key, self._child, **settings.model_dump(exclude={"projects"}))
            for project in settings.projects:
                linear.InitiativeProject(
                    f"{key}.projects.{project}",
                    self._child,
                    initiative_id=initiative.id,
                    project_id=self.project_ids[project],
                    adopt=True,
                )

    def _create_views(self) -> None:
        for key, view in self._settings.views.items():
            linear.CustomView(
                key,
                self._in_team(view.team),
                **view.model_dump(exclude={"team"}),
                team_id=self._team_id(view.team),
            )

    def _create_webhooks(self) -> Ids:
        if not self._settings.webhooks:
            return {}
        secrets: dict[str, pulumi.Output[str]] = {}
        for key, webhook in self._settings.webhooks.items():
            secrets[key] = Password(f"webhooks.{key}", generation=webhook.generation, opts=self._child).password
            linear.Webhook(
                key,
                self._child,
                **webhook.model_dump(exclude={"team", "generation"}),
                team_id=self._team_id(webhook.team),
                all_public_teams=webhook.team is None,
                secret=secrets[key],
            )
        return secrets

    def _team_id(self, key: str | None) -> pulumi.Input[str]:
        return "" if key is None else self.team_ids[key]

"""Asana: the teams and projects in which Sophia's operations are followed up, and the webhooks that tell of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from components.asana.settings import AsanaSettings, FieldSettings, ProjectSettings, WebhookSettings
from components.settings import Stage, data_store_options
from providers import asana
from providers.base import dynamic

__all__ = ["Asana", "AsanaSettings"]


class Asana(pulumi.ComponentResource):
    """Teams, projects with their members, sections and fields, custom fields, tags and webhooks of one workspace. In prod,
    projects and custom fields are protected, and stay when the stack lets go of them; teams do in every stage.

    Outputs: ``workspace_id``; ``team_ids``, ``project_ids``, ``field_ids``, ``tag_ids``, by key; ``section_ids``, by
    ``project.section``; ``option_ids``, by the key of an enum field: the ids of its options by their names;
    ``webhook_secrets``, by key: what signs a webhook's deliveries, as secrets.

    Not managed, on purpose: the workspace and its people (an administrator's), who is in a team (people come and go without
    a deployment), tasks and status updates (they are work), rules and templates (Asana has no call that makes them),
    portfolios and goals (of plans that the estate does not have), personal access tokens (made in Asana's pages only).
    """

    workspace_id: pulumi.Output[str]
    team_ids: Mapping[str, pulumi.Output[str]]
    project_ids: Mapping[str, pulumi.Output[str]]
    section_ids: Mapping[str, pulumi.Output[str]]
    field_ids: Mapping[str, pulumi.Output[str]]
    option_ids: Mapping[str, pulumi.Output[dict[str, str]]]
    tag_ids: Mapping[str, pulumi.Output[str]]
    webhook_secrets: Mapping[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        settings: AsanaSettings,
        *,
        stage: Stage,
        receivers: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """``receivers``: what must be there before a webhook is made, because Asana calls it meanwhile."""
        super().__init__("sophia:platform:Asana", name, None, opts)
        self._child = dynamic(pulumi.ResourceOptions(parent=self))
        self._store = data_store_options(stage, self._child)

        place = settings.workspace
        self.workspace_id = asana.Workspace("workspace", self._child, name=place.name, gid=place.gid, adopt=True).id
        self.team_ids = {
            key: asana.Team(
                key,
                self._child,
                workspace=self.workspace_id,
                name=team.name,
                description=team.description,
                visibility=team.visibility,
                adopt=team.adopt,
            ).id
            for key, team in settings.teams.items()
        }
        fields = {key: self._create_field(key, field) for key, field in settings.fields.items()}
        self.field_ids = {key: field.id for key, field in fields.items()}
        self.option_ids = {
            key: field.options.apply(_by_name) for key, field in fields.items() if settings.fields[key].options
        }
        self._people = self._find_people(settings)
        self.section_ids = {}
        self.project_ids = {key: self._create_project(key, project) for key, project in settings.projects.items()}
        self.tag_ids = {
            key: asana.Tag(
                key,
                self._child,
                workspace=self.workspace_id,
                name=tag.name,
                color=tag.color,
                notes=tag.notes,
                adopt=tag.adopt,
            ).id
            for key, tag in settings.tags.items()
        }
        listening = pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=list(receivers)))
        self.webhook_secrets = {
            key: self._create_webhook(key, webhook, listening) for key, webhook in settings.webhooks.items()
        }
        self.register_outputs(
            {
                "workspace_id": self.workspace_id,
                "team_ids": self.team_ids,
                "project_ids": self.project_ids,
                "section_ids": self.section_ids,
                "field_ids": self.field_ids,
                "option_ids": self.option_ids,
                "tag_ids": self.tag_ids,
                "webhook_secrets": self.webhook_secrets,
            }
        )

    def _create_field(self, key: str, settings: FieldSettings) -> asana.CustomField:
        options = [{"name": one.name, "color": one.color} for one in settings.options]
        return asana.CustomField(
            key,
            self._store,
            workspace=self.workspace_id,
            resource_subtype=settings.type,
            name=settings.name,
            description=settings.description,
            precision=settings.precision,
            format=settings.format,
            currency_code=settings.currency,
            has_notifications_enabled=settings.notifications,
            enum_options=options or None,
            renamed={one.name: one.formerly for one in settings.options if one.formerly},
            adopt=settings.adopt,
        )

    def _find_people(self, settings: AsanaSettings) -> dict[str, pulumi.Output[str]]:
        members = [member for project in settings.projects.values() for member in project.members.values()]
        emails = sorted({member.email for member in members if member.email})
        return {
            email: asana.Person(email, self._child, workspace=self.workspace_id, email=email, adopt=True).id
            for email in emails
        }

    def _create_project(self, key: str, settings: ProjectSettings) -> pulumi.Output[str]:
        project = asana.Project(
            key,
            self._store,
            workspace=self.workspace_id,
            team=self.team_ids[settings.team],
            name=settings.name,
            notes=settings.notes,
            color=settings.color,
            default_view=settings.view,
            privacy_setting=settings.privacy,
            default_access_level=settings.default_access,
            archived=settings.archived,
            adopt=settings.adopt,
        )
        # What is in a project goes with it; Asana deletes no last section by itself.
        inside = pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(deleted_with=project))
        for name, member in settings.members.items():
            who = self._people[member.email] if member.email else self.team_ids[str(member.team)]
            asana.ProjectMember(
                f"{key}.{name}", inside, project=project.id, member=who, access_level=member.access, adopt=member.adopt
            )
        self._create_sections(key, settings, project, inside)
        self._use_fields(key, settings, project, inside)
        return project.id

    def _create_sections(
        self, key: str, settings: ProjectSettings, project: asana.Project, inside: pulumi.ResourceOptions
    ) -> None:
        sections = {
            f"{key}.{one.key}": asana.Section(
                f"{key}.{one.key}", inside, project=project.id, name=one.name, adopt=one.adopt
            ).id
            for one in settings.sections
        }
        self.section_ids = {**self.section_ids, **sections}
        if len(sections) > 1:
            asana.SectionOrder(key, inside, project=project.id, sections=list(sections.values()), adopt=True)

    def _use_fields(
        self, key: str, settings: ProjectSettings, project: asana.Project, inside: pulumi.ResourceOptions
    ) -> None:
        before: pulumi.Output[str] | None = None
        for used in settings.fields:
            before = asana.FieldSetting(
                f"{key}.{used.field}",
                inside,
                project=project.id,
                custom_field=self.field_ids[used.field],
                is_important=used.important,
                insert_after=before,
                adopt=used.adopt,
            ).id

    def _create_webhook(self, key: str, settings: WebhookSettings, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
        resource = self.workspace_id
        if settings.project is not None:
            resource = self.project_ids[settings.project]
        elif settings.team is not None:
            resource = self.team_ids[settings.team]
        filters: list[dict[str, Any]] = [
            {
                name: value
                for name, value in {
                    "resource_type": event.resource,
                    "resource_subtype": event.subtype,
                    "action": event.action,
                    "fields": event.fields,
                }.items()
                if value is not None
            }
            for event in settings.events
        ]
        return asana.Webhook(
            key, opts, workspace=self.workspace_id, resource=resource, target=settings.address, filters=filters
        ).secret


def _by_name(options: list[dict[str, Any]] | None) -> dict[str, str]:
    return {str(option["name"]): str(option["gid"]) for option in options or [] if option["enabled"]}

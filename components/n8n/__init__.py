"""n8n by its own API: the workflows that join the estate's platforms, and the credentials that they use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from components.n8n.settings import OWNER_TAG, HandedOver, N8nSettings, WorkflowSettings
from components.n8n.workflow_files import PLACE
from components.settings import SettingsError, Stage, output_named, where
from providers import n8n
from providers.base import dynamic
from providers.passwords import Password

__all__ = ["N8n", "N8nSettings"]


class N8n(pulumi.ComponentResource):
    """Projects with their members, tags, variables, credentials and workflows of one instance.

    Outputs: ``workflow_ids`` and ``credential_ids``, by key; ``tokens``, by key: what callers of webhooks show, secret.
    For other components' workflows in the same instance: ``owner_tag_id``, which all of them have.

    Not managed, on purpose: the instance itself (``sophia-ai:kubernetes`` runs it), users and API keys (made in n8n's
    pages), folders and data tables (people's own order), executions (they happen), LDAP, SAML, log streaming and
    source control (n8n's own Git would fight over the workflows with this stack).
    """

    workflow_ids: Mapping[str, pulumi.Output[str]]
    credential_ids: Mapping[str, pulumi.Output[str]]
    tokens: Mapping[str, pulumi.Output[str]]
    owner_tag_id: pulumi.Output[str] | None

    def __init__(
        self,
        name: str,
        settings: N8nSettings,
        *,
        stage: Stage,
        outputs: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """``outputs``: what secrets and values name with ``output:``.

        Raises SettingsError for an address of another stage in a workflow.
        """
        super().__init__("sophia:platform:N8n", name, None, opts)
        if problems := list(_of_other_stages(settings, stage)):
            raise SettingsError(problems)
        self._child = dynamic(pulumi.ResourceOptions(parent=self))
        self.tokens = self._create_tokens(settings)
        self._outputs = {**outputs, **{f"n8n.tokens.{key}": token for key, token in self.tokens.items()}}

        self._projects = self._create_projects(settings)
        self._tags = {
            key: n8n.Tag(key, self._child, name=tag.name, adopt=tag.adopt).id for key, tag in settings.tags.items()
        }
        # Whoever comes first has made it, by hand or from another stack: it says nothing but what it says.
        self.owner_tag_id = (
            n8n.Tag(OWNER_TAG, self._child, name=OWNER_TAG, adopt=True).id if settings.workflows else None
        )
        for key, variable in settings.variables.items():
            n8n.Variable(
                key,
                self._child,
                key=variable.key,
                value=self._value(variable.value, f"n8n.variables.{key}.value"),
                project_id=self._project(variable.project),
                adopt=variable.adopt,
            )
        self.credential_ids = {
            key: n8n.Credential(
                key,
                self._child,
                name=credential.name,
                type=credential.type,
                data={
                    **credential.data,
                    **{
                        member: source.resolve(self._outputs, f"n8n.credentials.{key}.secrets.{member}")
                        for member, source in credential.secrets.items()
                    },
                },
                project_id=self._project(credential.project),
                adopt=credential.adopt,
            ).id
            for key, credential in settings.credentials.items()
        }
        workflow_ids: dict[str, pulumi.Output[str]] = {}
        # What others report their errors to has no error workflow itself, and comes first.
        for key, workflow in sorted(settings.workflows.items(), key=lambda item: item[1].error_workflow is not None):
            workflow_ids[key] = self._create_workflow(key, workflow, workflow_ids)
        self.workflow_ids = workflow_ids
        self.register_outputs({"workflow_ids": self.workflow_ids, "credential_ids": self.credential_ids})

    def _create_tokens(self, settings: N8nSettings) -> dict[str, pulumi.Output[str]]:
        if not settings.tokens:
            return {}
        return {
            key: Password(key, generation=token.generation, opts=self._child).password
            for key, token in settings.tokens.items()
        }

    def _create_projects(self, settings: N8nSettings) -> dict[str, pulumi.Output[str]]:
        projects: dict[str, pulumi.Output[str]] = {}
        for key, project in settings.projects.items():
            projects[key] = n8n.Project(key, self._child, name=project.name, adopt=project.adopt).id
            for member, person in project.members.items():
                n8n.ProjectMember(
                    f"{key}.{member}",
                    self._child,
                    project_id=projects[key],
                    email=person.email,
                    role=person.role,
                    adopt=person.adopt,
                )
        return projects

    def _create_workflow(
        self, key: str, settings: WorkflowSettings, others: Mapping[str, pulumi.Output[str]]
    ) -> pulumi.Output[str]:
        content = settings.content
        values = {
            name: self._value(value, f"n8n.workflows.{key}.values.{name}") for name, value in settings.values.items()
        }
        error_workflow = {"errorWorkflow": others[settings.error_workflow]} if settings.error_workflow else {}
        return n8n.Workflow(
            key,
            self._child,
            name=settings.name,
            nodes=content.nodes_with(self.credential_ids.__getitem__, lambda text, _: _filled(text, values)),
            connections=content.connections,
            settings={"executionOrder": "v1", **content.settings, **error_workflow},
            tag_ids=[*([self.owner_tag_id] if self.owner_tag_id else []), *(self._tags[tag] for tag in settings.tags)],
            published=settings.published,
            project_id=self._project(settings.project),
            adopt=settings.adopt,
        ).id

    def _project(self, key: str | None) -> pulumi.Output[str] | None:
        return None if key is None else self._projects[key]

    def _value(self, value: str | HandedOver, setting: str) -> pulumi.Input[str]:
        return value if isinstance(value, str) else output_named(value.output, self._outputs, f"{setting}.output")


def _filled(text: str, values: Mapping[str, pulumi.Input[str]]) -> pulumi.Input[str]:
    """A text with its places filled: at once where all the values are known when the program begins."""

    def fill(known: Mapping[str, Any]) -> str:
        return PLACE.sub(lambda place: str(known[place[1]]), text)

    asked = {name: values[name] for name in PLACE.findall(text)}
    if all(isinstance(value, str) for value in asked.values()):
        return fill(asked)
    return pulumi.Output.all(**asked).apply(fill)


def _of_other_stages(settings: N8nSettings, stage: Stage) -> list[str]:
    """One text for each address that is another stage's, in a workflow's file or values."""
    return [
        f"{where(f'n8n.workflows.{key}.file')}: {workflow.file}: {said}"
        for key, workflow in settings.workflows.items()
        for said in workflow.content.of_other_stages(
            stage.value, {name: value for name, value in workflow.values.items() if isinstance(value, str)}
        )
    ]

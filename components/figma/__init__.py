"""Figma: what the team's designs tell other platforms, and what ties them to code."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import pulumi

from components.figma.settings import (
    AliasSettings,
    FigmaSettings,
    VariableCollectionSettings,
    WebhookSettings,
    collection_needs,
)
from components.settings import CredentialsError, Stage, data_store_options
from providers import figma
from providers.base import dynamic
from providers.passwords import Password

__all__ = ["Figma", "FigmaSettings"]

_TYPES = {"boolean": "BOOLEAN", "number": "FLOAT", "string": "STRING", "color": "COLOR"}


class Figma(pulumi.ComponentResource):
    """Webhooks with their passcodes, links from designs to code, collections of variables; in prod these are protected,
    and stay when the stack lets go of them.

    Outputs, by key: ``webhook_ids``; ``passcodes``, which receivers compare, as secrets; ``file_names``;
    ``variable_ids`` of each collection, by the names of its variables.

    Not managed, on purpose: teams, projects and files (no call makes them: they are seen to be there), designs and comments
    (people's own), publishing a library (no call does it: after a change of variables somebody presses Publish),
    variables from libraries and composed colors, people, seats and tokens (Figma's pages and SCIM).
    """

    webhook_ids: Mapping[str, pulumi.Output[str]]
    passcodes: Mapping[str, pulumi.Output[str]]
    file_names: Mapping[str, pulumi.Output[str]]
    variable_ids: Mapping[str, pulumi.Output[Mapping[str, str]]]

    def __init__(
        self, name: str, settings: FigmaSettings, *, stage: Stage, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Raises CredentialsError if a webhook is of the team, and the environment does not name it."""
        super().__init__("sophia:platform:Figma", name, None, opts)
        self._child = dynamic(pulumi.ResourceOptions(parent=self))
        self._settings = settings

        # Nothing is taken from anybody: whoever made them, they are only seen to be there.
        self._projects = {
            key: figma.Project(key, self._child, project_id=project.id, adopt=True).id
            for key, project in settings.projects.items()
        }
        files = {
            key: figma.File(key, self._child, project_id=self._projects[file.project], file_key=file.key, adopt=True)
            for key, file in settings.files.items()
        }
        self._files = {key: file.id for key, file in files.items()}
        self.file_names = {key: file.name for key, file in files.items()}
        self.passcodes = self._create_passcodes()
        self.webhook_ids = {key: self._create_webhook(key, webhook) for key, webhook in settings.webhooks.items()}
        for key, link in settings.dev_resources.items():
            figma.DevResource(
                key,
                self._child,
                file_key=self._files[link.file],
                node_id=link.node,
                name=link.name,
                url=link.url,
                adopt=link.adopt,
            )
        self.variable_ids = self._create_variables(data_store_options(stage, self._child))
        self.register_outputs(
            {
                "webhook_ids": self.webhook_ids,
                "passcodes": self.passcodes,
                "file_names": self.file_names,
                "variable_ids": self.variable_ids,
            }
        )

    def _create_passcodes(self) -> dict[str, pulumi.Output[str]]:
        if not self._settings.passcodes:
            return {}
        return {
            key: Password(key, generation=passcode.generation, opts=self._child).password
            for key, passcode in self._settings.passcodes.items()
        }

    def _create_webhook(self, key: str, settings: WebhookSettings) -> pulumi.Output[str]:
        context_id: pulumi.Input[str]
        if settings.file:
            context_id = self._files[settings.file]
        elif settings.project:
            context_id = self._projects[settings.project]
        else:
            context_id = _team()
        return figma.Webhook(
            key,
            self._child,
            context=settings.context,
            context_id=context_id,
            event_type=settings.event,
            endpoint=settings.endpoint,
            passcode=self.passcodes[settings.passcode],
            status="PAUSED" if settings.paused else "ACTIVE",
            description=settings.description,
            adopt=settings.adopt,
        ).id

    def _create_variables(self, options: pulumi.ResourceOptions) -> dict[str, pulumi.Output[Mapping[str, str]]]:
        made: dict[str, figma.VariableCollection] = {}
        for key in self._settings.collections_in_order():
            collection = self._settings.variables[key]
            before = [made[other] for other in sorted(collection_needs(key, collection))]
            made[key] = figma.VariableCollection(
                key,
                pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(depends_on=before)),
                file_key=self._files[collection.file],
                name=collection.name,
                hidden=collection.hidden,
                modes={mode: "other" if number else "default" for number, mode in enumerate(collection.modes)},
                variables=self._variables(key, collection),
                adopt=collection.adopt,
            )
        return {key: collection.variable_ids for key, collection in made.items()}

    def _variables(self, key: str, collection: VariableCollectionSettings) -> dict[str, Any]:
        return {
            name: {
                "type": _TYPES[variable.type],
                "values": {
                    mode: self._value(key, variable.value if variable.value is not None else variable.values[mode])
                    for mode in collection.modes
                },
                "description": variable.description,
                "hidden": variable.hidden,
                "scopes": variable.scopes,
                "code_syntax": dict(variable.code),
            }
            for name, variable in collection.variables.items()
        }

    def _value(self, key: str, value: Any) -> Any:
        """A value as the provider takes it: other collections by their names in Figma."""
        if not isinstance(value, AliasSettings):
            return value
        elsewhere = {"collection": self._settings.variables[value.of].name} if value.of not in (None, key) else {}
        return {"variable": value.alias, **elsewhere}


def _team() -> str:
    """The team that the stack's environment names."""
    found = os.environ.get("FIGMA_TEAM_ID", "").strip()
    if not found:
        raise CredentialsError(["FIGMA_TEAM_ID is not set: the stack's ESC environment must have it (docs/figma.md)"])
    return found

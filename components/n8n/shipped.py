"""Workflows that a component above n8n ships: their files are its own, and what differs from stage to stage it knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from components.n8n import N8n
from components.n8n.workflow_files import PLACE, read
from components.settings import CredentialsError, SettingsError, Stage, where
from providers import n8n as api
from providers.base.auth import Environment
from providers.base.errors import PlatformError

Values = Mapping[str, pulumi.Input[Any]]


@dataclass(frozen=True)
class Shipped:
    """Makes workflows and credentials in ``n8n`` for the component of the setting ``section``.

    ``error_workflow`` is a key of n8n's workflows; ``options`` are those of the resources.
    """

    section: str
    n8n: N8n
    stage: Stage
    error_workflow: str | None
    adopt: bool
    options: pulumi.ResourceOptions

    def credential(self, key: str, title: str, type_: str, **data: pulumi.Input[str]) -> pulumi.Output[str]:
        """The id of a new credential."""
        return api.Credential(key, self.options, name=title, type=type_, data=data, adopt=self.adopt).id

    def workflow(
        self,
        key: str,
        title: str,
        path: str,
        credentials: Mapping[str, pulumi.Output[str]],
        values: Values,
        **settings: str,
    ) -> pulumi.Output[str]:
        """The id of a new, published workflow: the file's, with ids of ``credentials`` and ``values`` in their places.

        ``settings`` are n8n's own, beside those of the file. Raises SettingsError for an address of another stage.
        """
        content = read(path)
        if other := list(content.of_other_stages(self.stage.value, {})):
            raise SettingsError([f"{where(self.section)}: {path}: {said}" for said in other])

        def fill(text: str, places: list[str]) -> pulumi.Output[str]:
            asked = pulumi.Output.all(**{place: values[place] for place in places})
            return asked.apply(lambda known: PLACE.sub(lambda place: str(known[place[1]]), text))

        reporting = {"errorWorkflow": self.n8n.workflow_ids[self.error_workflow]} if self.error_workflow else {}
        return api.Workflow(
            key,
            self.options,
            name=title,
            nodes=content.nodes_with(credentials.__getitem__, fill),
            connections=content.connections,
            settings={"executionOrder": "v1", **content.settings, **settings, **reporting},
            tag_ids=[self.n8n.owner_tag_id] if self.n8n.owner_tag_id else [],
            published=True,
            adopt=self.adopt,
        ).id

    def address(self, variable: Environment) -> str:
        """The value of the variable that has an API's address. Raises CredentialsError where nobody sets it."""
        try:
            return variable.value()
        except PlatformError as error:
            raise CredentialsError([f"{where(self.section)}: {error.said}"]) from error

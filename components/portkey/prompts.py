"""The prompts of the stage, with the texts that they share and the folders that they are in."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pulumi

from components.portkey.settings import PARTIAL, CollectionSettings, PartialSettings, PortkeySettings, PromptSettings
from providers import portkey


class Prompts:
    """Makes collections, partials and prompts; ``prompts`` are by key."""

    def __init__(
        self,
        settings: PortkeySettings,
        workspace_id: pulumi.Output[str],
        child: pulumi.ResourceOptions,
        after_providers: pulumi.ResourceOptions,
    ) -> None:
        self._settings, self._workspace_id, self._child = settings, workspace_id, child
        self._after_providers = after_providers
        self._collections: dict[str, portkey.Collection] = {}
        for key, collection in sorted(settings.collections.items(), key=lambda entry: entry[1].parent is not None):
            self._collections[key] = self._create_collection(key, collection)
        partials = {key: self._create_partial(key, partial) for key, partial in settings.partials.items()}
        self._slugs = pulumi.Output.all(**{key: partial.id for key, partial in partials.items()})
        self.prompts = {key: self._create_prompt(key, prompt) for key, prompt in settings.prompts.items()}

    def _create_collection(self, key: str, settings: CollectionSettings) -> portkey.Collection:
        parent = self._collections[settings.parent].id if settings.parent else None
        return portkey.Collection(
            key,
            self._child,
            workspace_id=self._workspace_id,
            name=settings.name,
            parent_collection_id=parent,
            adopt=settings.adopt,
        )

    def _create_partial(self, key: str, settings: PartialSettings) -> portkey.Partial:
        return portkey.Partial(
            key,
            self._child,
            workspace_id=self._workspace_id,
            name=settings.name,
            string=settings.text,
            published=settings.published,
            version_description=settings.change,
            adopt=settings.adopt,
        )

    def _create_prompt(self, key: str, settings: PromptSettings) -> portkey.Prompt:
        template = json.dumps([message.model_dump() for message in settings.messages], ensure_ascii=False)
        return portkey.Prompt(
            key,
            self._after_providers,
            workspace_id=self._workspace_id,
            collection_id=self._collections[settings.collection].id,
            name=settings.name,
            string=self._filled(template),
            parameters=settings.parameters,
            model=settings.model,
            virtual_key=self._settings.providers[settings.provider].slug,
            tools=settings.tools,
            tool_choice=settings.tool_choice,
            published=settings.published,
            version_description=settings.change,
            adopt=settings.adopt,
        )

    def _filled(self, template: str) -> pulumi.Input[str]:
        """The text with the slugs of the partials, by which Portkey knows them, in the places of their keys."""
        if not PARTIAL.search(template):
            return template
        return self._slugs.apply(lambda slugs: _with_slugs(template, slugs))


def _with_slugs(template: str, slugs: Mapping[str, str]) -> str:
    return PARTIAL.sub(lambda found: f"{{{{>{slugs[found[1]]}}}}}", template)

"""HubSpot: the CRM in which Pay Ready sells payments and AI collections to apartment operators."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from components.hubspot.settings import (
    STANDARD,
    HubSpotSettings,
    ObjectSettings,
    PipelineSettings,
    PropertySettings,
    SchemaSettings,
    WebhookSettings,
)
from components.settings import Stage, data_store_options
from providers import hubspot
from providers.base import dynamic

__all__ = ["HubSpot", "HubSpotSettings"]

_Options = pulumi.ResourceOptions


class HubSpot(pulumi.ComponentResource):
    """Properties with their groups, pipelines with their stages, custom objects, association labels, lists, and a public
    app's webhooks. In prod all but groups, roles and webhooks is protected, and stays when the stack lets go of it.

    Outputs: ``portal_id``; ``object_type_ids``, by object; ``property_names``, by ``object.property``: who waits for one can
    write its values; ``pipeline_ids``, by ``object.pipeline``, and ``stage_ids``, by ``object.pipeline.stage``: what a
    record's ``pipeline`` and ``dealstage`` are; ``association_type_ids`` and ``list_ids``, by key.

    Not managed, on purpose: records, their associations, and who is in a list (people's and programs' work); private apps,
    their scopes, webhooks and tokens, and service keys (HubSpot has no call that makes them); users and teams; workflows,
    forms and emails (marketing's own); sensitive properties (Sophia keeps such data out of the CRM).
    """

    portal_id: pulumi.Output[str]
    object_type_ids: Mapping[str, pulumi.Output[str]]
    property_names: Mapping[str, pulumi.Output[str]]
    pipeline_ids: Mapping[str, pulumi.Output[str]]
    stage_ids: Mapping[str, pulumi.Output[str]]
    association_type_ids: Mapping[str, pulumi.Output[int]]
    list_ids: Mapping[str, pulumi.Output[str]]

    def __init__(
        self, name: str, settings: HubSpotSettings, *, stage: Stage, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("sophia:platform:HubSpot", name, None, opts)
        self._child = dynamic(_Options(parent=self))
        self._store = data_store_options(stage, self._child)

        self.portal_id = hubspot.Account("portal_id", self._child, portal_id=settings.portal_id, adopt=True).id
        self._schemas = {
            key: self._create_schema(key, one.object_schema, one.properties)
            for key, one in settings.objects.items()
            if one.object_schema
        }
        self.object_type_ids = {
            **{key: self._find_type(key) for key in STANDARD if key in _used(settings)},
            **{key: schema.id for key, schema in self._schemas.items()},
        }
        self.property_names, self.pipeline_ids, self.stage_ids = {}, {}, {}
        self._properties: list[pulumi.Resource] = []
        associations: list[pulumi.Resource] = []
        for key, one in settings.objects.items():
            properties = self._create_properties(key, one)
            self._properties += properties
            for label, pipeline in one.pipelines.items():
                self._create_pipeline(
                    f"{key}.pipelines.{label}", key, label, pipeline, list(one.pipelines).index(label)
                )
            if one.object_schema:
                self._assign_roles(key, one.object_schema, properties)
                associations += self._associate(key, one.object_schema)
        self.association_type_ids = self._create_labels(settings, associations)
        self.list_ids = self._create_lists(settings)
        if settings.webhooks:
            self._create_webhooks(settings.webhooks)
        self.register_outputs(
            {
                "portal_id": self.portal_id,
                "object_type_ids": self.object_type_ids,
                "property_names": self.property_names,
                "pipeline_ids": self.pipeline_ids,
                "stage_ids": self.stage_ids,
                "association_type_ids": self.association_type_ids,
                "list_ids": self.list_ids,
            }
        )

    def _find_type(self, key: str) -> pulumi.Output[str]:
        return hubspot.ObjectType(key, self._child, portal=self.portal_id, name=key, adopt=True).id

    def _create_schema(
        self, key: str, settings: SchemaSettings, properties: Mapping[str, PropertySettings]
    ) -> hubspot.Schema:
        name = settings.primary_display_property
        first = properties[name]
        return hubspot.Schema(
            f"{key}.object_schema",
            self._store,
            portal=self.portal_id,
            name=key,
            labels={"singular": settings.labels.singular, "plural": settings.labels.plural},
            description=settings.description,
            primary={"name": name, "label": first.label, "type": first.type, "fieldType": first.field_type},
            adopt=settings.adopt,
        )

    def _create_properties(self, key: str, settings: ObjectSettings) -> list[pulumi.Resource]:
        """``key.groups.…`` and ``key.properties.…``. What a custom object shows first came with it, and goes with it; so
        do its groups, because HubSpot keeps one that such a property is in.
        """
        type_id = self.object_type_ids[key]
        with_object = _Options(deleted_with=self._schemas.get(key))
        groups = {
            name: hubspot.PropertyGroup(
                f"{key}.groups.{name}",
                _Options.merge(self._child, with_object),
                object_type=type_id,
                name=name,
                label=group.label,
                display_order=index,
                adopt=group.adopt,
            ).name
            for index, (name, group) in enumerate(settings.groups.items())
        }
        made: list[pulumi.Resource] = []
        for name, one in settings.properties.items():
            first = settings.object_schema is not None and settings.object_schema.primary_display_property == name
            opts = _Options.merge(self._store, with_object) if first else self._store
            options = [option.model_dump(exclude_none=True) for option in one.options]
            created = hubspot.Property(
                f"{key}.properties.{name}",
                opts,
                object_type=type_id,
                name=name,
                label=one.label,
                type=one.type,
                field_type=one.field_type,
                group=groups.get(one.group, one.group),
                description=one.description,
                options=options or None,
                has_unique_value=one.has_unique_value,
                hidden=one.hidden,
                form_field=one.form_field,
                display_order=one.display_order,
                calculation_formula=one.calculation_formula,
                adopt=one.adopt or first,
            )
            made.append(created)
            self.property_names = {**self.property_names, f"{key}.{name}": created.name}
        return made

    def _create_pipeline(self, path: str, key: str, name: str, settings: PipelineSettings, index: int) -> None:
        stages = [
            {"label": stage.label, "displayOrder": order, "metadata": stage.metadata}
            for order, stage in enumerate(settings.stages)
        ]
        # HubSpot's own pipeline is the first of an object type.
        pipeline = hubspot.Pipeline(
            path,
            self._store,
            object_type=self.object_type_ids[key],
            label=settings.label,
            display_order=index + 1,
            stages=stages,
            adopt=settings.adopt,
        )
        inside = _Options.merge(self._store, _Options(deleted_with=pipeline))
        made = {
            f"{key}.{name}.{stage.key}": hubspot.PipelineStage(
                f"{path}.stages.{stage.key}",
                inside,
                pipeline=pipeline.id,
                label=stage.label,
                display_order=order,
                metadata=stage.metadata,
                adopt=True,
            ).id
            for order, stage in enumerate(settings.stages)
        }
        self.pipeline_ids = {**self.pipeline_ids, f"{key}.{name}": pipeline.pipeline_id}
        self.stage_ids = {**self.stage_ids, **made}

    def _assign_roles(self, key: str, settings: SchemaSettings, properties: list[pulumi.Resource]) -> None:
        hubspot.SchemaRoles(
            f"{key}.object_schema",
            _Options.merge(self._child, _Options(depends_on=properties)),
            object_type=self.object_type_ids[key],
            primary_display_property=settings.primary_display_property,
            secondary_display_properties=settings.secondary_display_properties,
            required_properties=settings.required_properties,
            searchable_properties=settings.searchable_properties,
            adopt=True,
        )

    def _associate(self, key: str, settings: SchemaSettings) -> list[pulumi.Resource]:
        return [
            hubspot.SchemaAssociation(
                f"{key}.object_schema.associated_objects.{other}",
                self._store,
                object_type=self.object_type_ids[key],
                to_object_type=self.object_type_ids[other],
                adopt=settings.adopt,
            )
            for other in settings.associated_objects
        ]

    def _create_labels(
        self, settings: HubSpotSettings, associations: list[pulumi.Resource]
    ) -> Mapping[str, pulumi.Output[int]]:
        """After what lets the two types be associated at all."""
        opts = _Options.merge(self._store, _Options(depends_on=associations))
        return {
            key: hubspot.AssociationLabel(
                key,
                opts,
                from_object_type=self.object_type_ids[label.from_object],
                to_object_type=self.object_type_ids[label.to_object],
                name=label.name,
                label=label.label,
                inverse_label=label.inverse_label,
                adopt=label.adopt,
            ).type_id
            for key, label in settings.association_labels.items()
        }

    def _create_lists(self, settings: HubSpotSettings) -> Mapping[str, pulumi.Output[str]]:
        """After the properties: filters name them."""
        after = _Options.merge(self._store, _Options(depends_on=self._properties))
        return {
            key: hubspot.List(
                key,
                after,
                object_type=self.object_type_ids[one.object_type],
                name=one.name,
                processing_type=one.processing_type,
                filter_branch=one.filter_branch,
                adopt=one.adopt,
            ).id
            for key, one in settings.lists.items()
        }

    def _create_webhooks(self, settings: WebhookSettings) -> None:
        where = hubspot.WebhookSettings(
            "webhooks",
            self._child,
            app_id=settings.app_id,
            target_url=settings.target_url,
            throttling={"maxConcurrentRequests": settings.max_concurrent_requests},
            adopt=settings.adopt,
        )
        for key, one in settings.subscriptions.items():
            hubspot.WebhookSubscription(
                f"subscriptions.{key}",
                self._child,
                app_id=where.id,
                event_type=one.event_type,
                property_name=one.property_name,
                object_type=self.object_type_ids[one.object_type] if one.object_type else None,
                active=one.active,
                adopt=one.adopt,
            )


def _used(settings: HubSpotSettings) -> set[str]:
    """The object types that the settings speak of."""
    labels, schemas = settings.association_labels.values(), [one.object_schema for one in settings.objects.values()]
    subscriptions = settings.webhooks.subscriptions.values() if settings.webhooks else ()
    return {
        *settings.objects,
        *(other for schema in schemas if schema for other in schema.associated_objects),
        *(label.from_object for label in labels),
        *(label.to_object for label in labels),
        *(one.object_type for one in settings.lists.values()),
        *(one.object_type for one in subscriptions if one.object_type),
    }

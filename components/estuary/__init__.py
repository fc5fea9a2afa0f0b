"""Estuary Flow: what is captured as it happens, what is derived from it, and where it is materialized."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from components.estuary.catalog import catalog
from components.estuary.settings import EstuarySettings, ServiceAccountSettings, StorageSettings
from components.settings import Stage, data_store_options
from components.warehouse import Warehouse
from providers import estuary
from providers.base import dynamic

__all__ = ["Estuary", "EstuarySettings"]


class Estuary(pulumi.ComponentResource):
    """A catalog: captures, collections, derivations and materializations, published together; its storage mapping, its
    alerts, and the service accounts of programs that use Estuary. In prod the catalog is protected.

    Outputs: ``prefix``, which is there when the catalog is live; ``api_keys``, by ``<account>.<key>`` (secret).

    Not managed, on purpose: people and their grants (an administrator's), private links and data planes (Estuary's
    support makes them), catalog tests, and the discovery of new tables (it would change the catalog behind the stack's
    back). A collection that goes leaves its data in the bucket, a materialization its tables.
    """

    prefix: pulumi.Output[str]
    api_keys: Mapping[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        settings: EstuarySettings,
        *,
        stage: Stage,
        warehouse: Warehouse,
        outputs: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """``warehouse``: for materializations with ``login``; ``outputs``: for secrets with ``output:``."""
        super().__init__("sophia:platform:Estuary", name, None, opts)
        self._child = dynamic(pulumi.ResourceOptions(parent=self))
        self._store = data_store_options(stage, self._child)
        self._prefix = settings.prefix

        storage = self._create_storage(settings.storage)
        published = catalog(settings, warehouse, outputs)
        bundle = estuary.Bundle(
            "catalog",
            pulumi.ResourceOptions.merge(self._store, pulumi.ResourceOptions(depends_on=storage)),
            prefix=settings.prefix,
            data_plane=settings.data_plane,
            specs=published.specs,
            configurations=published.configurations or None,
            settings=published.settings,
            adopt=settings.adopt,
        )
        self.prefix = bundle.id
        for key, alert in settings.alerts.items():
            estuary.AlertSubscription(
                key,
                self._child,
                prefix=settings.prefix,
                email=alert.email,
                alert_types=alert.types,
                adopt=alert.adopt,
            )
        self.api_keys = {
            f"{key}.{name}": secret
            for key, account in settings.service_accounts.items()
            for name, secret in self._create_service_account(key, account).items()
        }
        self.register_outputs({"prefix": self.prefix})

    def _create_storage(self, settings: StorageSettings | None) -> list[pulumi.Resource]:
        if settings is None:
            return []
        stores = [store.model_dump(exclude_none=True) for store in settings.stores]
        mapping = estuary.StorageMapping(
            "storage",
            self._store,
            catalog_prefix=self._prefix,
            spec={"stores": stores, "data_planes": settings.data_planes},
            adopt=settings.adopt,
        )
        return [mapping]

    def _create_service_account(self, key: str, settings: ServiceAccountSettings) -> dict[str, pulumi.Output[str]]:
        """The secrets of its keys, by key."""
        grants = [
            {"prefix": self._prefix if prefix == "." else prefix, "capability": capability}
            for prefix, capability in settings.grants.items()
        ]
        account = estuary.ServiceAccount(
            key, self._child, catalog_name=self._prefix + settings.name, grants=grants, adopt=settings.adopt
        )
        return {
            name: estuary.ApiKey(
                f"{key}.{name}",
                self._child,
                catalog_name=account.id,
                detail=api_key.detail,
                valid_for=api_key.valid_for,
            ).secret
            for name, api_key in settings.keys.items()
        }

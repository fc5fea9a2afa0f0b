"""The settings of Estuary Flow as specs of a catalog, in the words of Estuary's catalog schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from components.estuary.settings import (
    BindingSettings,
    CaptureSettings,
    CollectionSettings,
    DerivationSettings,
    EstuarySettings,
    MaterializationSettings,
    TaskSettings,
)
from components.settings import secret_tree
from components.warehouse import Warehouse

Spec = dict[str, Any]


@dataclass(frozen=True)
class Catalog:
    """All specs of the settings by catalog name, the secrets of their connectors apart, and where each comes from."""

    specs: Mapping[str, Spec]
    configurations: Mapping[str, Spec]
    settings: Mapping[str, str]


def catalog(settings: EstuarySettings, warehouse: Warehouse, outputs: Mapping[str, pulumi.Input[str]]) -> Catalog:
    """Raises SettingsError or CredentialsError for a value that nobody hands over."""
    specs: dict[str, Spec] = {}
    configurations: dict[str, Spec] = {}
    places: dict[str, str] = {}
    for place, name, kind, spec, secrets in _specs(settings, warehouse, outputs):
        full = settings.prefix + name
        specs[full], places[full] = {"type": kind, "spec": spec}, place
        if secrets:
            configurations[full] = secrets
    return Catalog(specs, configurations, places)


def _specs(
    settings: EstuarySettings, warehouse: Warehouse, outputs: Mapping[str, pulumi.Input[str]]
) -> Iterator[tuple[str, str, str, Spec, Spec]]:
    """Where it stands, its name, its type, the spec and its connector's secrets; of everything in the settings."""
    names = {key: settings.prefix + c.name for key, c in {**settings.collections, **settings.derivations}.items()}
    for key, collection in settings.collections.items():
        yield f"collections.{key}", collection.name, "collection", _collection(collection), {}
    for key, derivation in settings.derivations.items():
        spec = {**_collection(derivation), "derive": _derive(derivation, names)}
        yield f"derivations.{key}", derivation.name, "collection", spec, {}
    for key, capture in settings.captures.items():
        place = f"captures.{key}"
        secrets = secret_tree(capture.secrets, outputs, f"estuary.{place}.secrets")
        yield place, capture.name, "capture", _capture(capture, names), secrets
    for key, materialization in settings.materializations.items():
        place = f"materializations.{key}"
        secrets = secret_tree(materialization.secrets, outputs, f"estuary.{place}.secrets")
        configuration, key_pair = _warehouse_login(materialization, warehouse, place)
        spec = _materialization(materialization, configuration, names)
        yield place, materialization.name, "materialization", spec, {**secrets, **key_pair}


def _collection(settings: CollectionSettings) -> Spec:
    return {"schema": settings.schema_, "key": settings.key}


def _derive(settings: DerivationSettings, names: Mapping[str, str]) -> Spec:
    transforms = [
        {
            "name": key.replace("-", "_"),
            "source": names[transform.source],
            "shuffle": {"key": transform.shuffle} if transform.shuffle else "any",
            "lambda": transform.sql,
        }
        for key, transform in settings.transforms.items()
    ]
    return {"using": {"sqlite": {"migrations": settings.migrations}}, "transforms": transforms}


def _capture(settings: CaptureSettings, names: Mapping[str, str]) -> Spec:
    bindings = [_binding(binding, "target", names) for binding in settings.bindings]
    interval = {"interval": settings.interval} if settings.interval else {}
    return {**_task(settings, settings.configuration), "bindings": bindings, **interval}


def _materialization(
    settings: MaterializationSettings, configuration: Mapping[str, Any], names: Mapping[str, str]
) -> Spec:
    bindings = [
        {**_binding(binding, "source", names), "fields": {"recommended": True}} for binding in settings.bindings
    ]
    changes = {"onIncompatibleSchemaChange": settings.schema_changes} if settings.schema_changes else {}
    return {**_task(settings, {**settings.configuration, **configuration}), "bindings": bindings, **changes}


def _task(settings: TaskSettings, configuration: Mapping[str, Any]) -> Spec:
    endpoint = {"connector": {"image": settings.connector, "config": dict(configuration)}}
    return {"endpoint": endpoint, "shards": {"disable": not settings.enabled}}


def _binding(settings: BindingSettings, side: str, names: Mapping[str, str]) -> Spec:
    return {
        "resource": settings.resource,
        side: names[settings.collection],
        "backfill": settings.backfill,
        "disable": not settings.enabled,
    }


def _warehouse_login(settings: MaterializationSettings, warehouse: Warehouse, place: str) -> tuple[Spec, Spec]:
    """The connector's configuration, and its secrets, for a Snowflake of ours."""
    if settings.login is None:
        return {}, {}
    login, private_key = warehouse.login(settings.login, f"estuary.{place}.login")
    configuration: Spec = {
        "host": login.host,
        "role": login.role,
        "warehouse": login.warehouse,
        "database": login.database,
        "credentials": {"auth_type": "jwt", "user": login.user},
    }
    if settings.schema_key:
        configuration["schema"] = warehouse.schema(settings.schema_key, f"estuary.{place}.schema")
    return configuration, {"credentials": {"private_key": private_key}}

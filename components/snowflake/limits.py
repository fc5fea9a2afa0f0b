"""What a stage asks of Snowflake's settings, and what the provider must be told before it makes preview resources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import pulumi

from components.settings import SettingsError, Stage, where
from components.snowflake.settings import WAREHOUSE_SIZES, SnowflakeSettings, WarehouseSize


@dataclass(frozen=True)
class Limits:
    """The largest warehouse, and the days of Time Travel that nothing in the stage may have less of."""

    warehouse_size: WarehouseSize | None
    retention_days: int


LIMITS: Final[Mapping[Stage, Limits]] = {
    Stage.DEV: Limits("XSMALL", 0),
    Stage.STAGING: Limits("SMALL", 1),
    Stage.PROD: Limits(None, 7),
}
"""In prod the policy pack caps the size; a mistake in it may be found after a long weekend, so seven days."""

_FEATURES: Final[Mapping[str, str]] = {
    "tables": "snowflake_table_resource",
    "pipes": "snowflake_pipe_resource",
    "dynamic_tables": "snowflake_dynamic_table_resource",
    "notifications.email": "snowflake_email_notification_integration_resource",
    "notifications.failures": "snowflake_notification_integration_resource",
}
"""Resources that the provider calls previews in 2.22 (``previewFeaturesEnabled``; pulumi_snowflake.Provider)."""


def check_stage(settings: SnowflakeSettings, stage: Stage) -> None:
    """SettingsError with all that the stage refuses, and all preview features that are used and not enabled."""
    if problems := [*_beyond(settings, stage), *_not_enabled(settings)]:
        raise SettingsError(problems)


def _beyond(settings: SnowflakeSettings, stage: Stage) -> Iterator[str]:
    limits = LIMITS[stage]
    if limits.warehouse_size:
        largest = WAREHOUSE_SIZES.index(limits.warehouse_size)
        for key, warehouse in settings.warehouses.items():
            if WAREHOUSE_SIZES.index(warehouse.size) > largest:
                setting = where(f"snowflake.warehouses.{key}.size")
                yield f"{setting}: {warehouse.size} is more than {stage} may have: at most {limits.warehouse_size}"
    for path, days in _retentions(settings):
        if days < limits.retention_days:
            least = f"in {stage} a mistake can be undone for at least {limits.retention_days} days"
            yield f"{where(f'snowflake.{path}.retention_days')}: {days} is too few: {least}"


def _retentions(settings: SnowflakeSettings) -> Iterator[tuple[str, int]]:
    yield "database", settings.database.retention_days
    for section, entries in (("schemas", settings.schemas), ("tables", settings.tables)):
        for key, entry in entries.items():
            if entry.retention_days is not None:
                yield f"{section}.{key}", entry.retention_days


def _not_enabled(settings: SnowflakeSettings) -> Iterator[str]:
    enabled = pulumi.Config("snowflake").get_object("previewFeaturesEnabled") or []
    for section, feature in _FEATURES.items():
        used: object = settings
        for member in section.split("."):
            used = getattr(used, member)
        if used and feature not in enabled:
            add = f'add "- {feature}" under snowflake:previewFeaturesEnabled in Pulumi.{pulumi.get_stack()}.yaml'
            yield f"{where(f'snowflake.{section}')}: the provider makes these only as a preview feature: {add}"

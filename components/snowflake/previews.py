"""What the provider must be told before it makes the resources that it calls previews."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import pulumi

from components.settings import SettingsError, where
from components.snowflake.settings import SnowflakeSettings

_FEATURES: Final[Mapping[str, str]] = {
    "tables": "snowflake_table_resource",
    "pipes": "snowflake_pipe_resource",
    "dynamic_tables": "snowflake_dynamic_table_resource",
    "notifications.email": "snowflake_email_notification_integration_resource",
    "notifications.failures": "snowflake_notification_integration_resource",
}
"""Resources that the provider calls previews in 2.22 (``previewFeaturesEnabled``; pulumi_snowflake.Provider)."""


def check_previews(settings: SnowflakeSettings) -> None:
    """SettingsError with all preview features that the settings use and the stack file does not enable."""
    if problems := list(_not_enabled(settings)):
        raise SettingsError(problems)


def _not_enabled(settings: SnowflakeSettings) -> Iterator[str]:
    enabled = pulumi.Config("snowflake").get_object("previewFeaturesEnabled") or []
    for section, feature in _FEATURES.items():
        used: object = settings
        for member in section.split("."):
            used = getattr(used, member)
        if used and feature not in enabled:
            add = f'add "- {feature}" under snowflake:previewFeaturesEnabled in Pulumi.{pulumi.get_stack()}.yaml'
            yield f"{where(f'snowflake.{section}')}: the provider makes these only as a preview feature: {add}"

"""What the provider must be told before it makes the resources that it calls previews."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import pulumi

from components.settings import SettingsError, where
from components.snowflake.settings import ObjectSettings

_FEATURES: Final[Mapping[str, str]] = {
    "tables": "snowflake_table_resource",
    "pipes": "snowflake_pipe_resource",
    "dynamic_tables": "snowflake_dynamic_table_resource",
    "notifications.email": "snowflake_email_notification_integration_resource",
    "notifications.failures": "snowflake_notification_integration_resource",
}
"""Resources that the provider calls previews in 2.22 (``previewFeaturesEnabled``; pulumi_snowflake.Provider)."""


def check_previews(made: Iterable[tuple[str, str]]) -> None:
    """SettingsError with all preview features that are used and that the stack file does not enable.

    ``made``: the setting that has them made, and what it makes, as `in_preview` names it.
    """
    enabled = pulumi.Config("snowflake").get_object("previewFeaturesEnabled") or []
    missing = [(setting, _FEATURES[what]) for setting, what in made if _FEATURES[what] not in enabled]
    if missing:
        raise SettingsError([_not_enabled(setting, feature) for setting, feature in missing])


def in_preview(settings: ObjectSettings) -> Iterator[str]:
    """What these settings have made that is a preview, by its section of Snowflake's settings (``dynamic_tables``)."""
    for section in _FEATURES:
        used: object = settings
        for member in section.split("."):
            used = getattr(used, member, None)
        if used:
            yield section


def _not_enabled(setting: str, feature: str) -> str:
    add = f'add "- {feature}" under snowflake:previewFeaturesEnabled in Pulumi.{pulumi.get_stack()}.yaml'
    return f"{where(setting)}: the provider makes these only as a preview feature: {add}"

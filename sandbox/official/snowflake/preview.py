"""Preview features: resource types that the provider serves only when its settings name them.

Source: ``pkg/provider/previewfeatures`` and the ``PreviewFeature…ContextWrapper`` functions in
snowflakedb/terraform-provider-snowflake. What is a preview, and what was promoted, is what the installed SDK says of its
setting ``previewFeaturesEnabled``, so that it is always the list of the version in use. The wrappers are around create,
read, update and delete: a preview of Pulumi succeeds, and the deployment does not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from inspect import getdoc
from typing import Any

from sandbox.official.types import Failure
from sandbox.official.values import Properties

SETTING = "previewFeaturesEnabled"

_FEATURE = re.compile(r"\bsnowflake_\w+_(?:resource|datasource)\b")
_PROMOTED = "Promoted features"


def disabled(token: str, settings: Properties) -> str | None:
    """The provider's words when ``token`` is a preview that ``settings`` do not enable."""
    feature = f"snowflake_{_snake(token.rsplit(':', 1)[-1])}_resource"
    previews, _ = features()
    if feature not in previews or feature in {name.lower() for name in _enabled(settings)}:
        return None
    return (
        f"{feature} is currently a preview feature, and must be enabled by adding {feature} to "
        f"`preview_features_enabled` in Terraform configuration."
    )


def failures(settings: Properties) -> Iterator[Failure]:
    """Names in the setting that the provider does not know."""
    try:
        enabled = _enabled(settings)
    except ValueError as error:
        yield Failure(SETTING, f"could not validate provider configuration: not a list of names: {error}")
        return
    known = frozenset().union(*features())
    for name in enabled:
        if name.lower() not in known:
            yield Failure(
                SETTING, f"could not validate provider configuration: expected one of the preview features, got {name}"
            )


@cache
def features() -> tuple[frozenset[str], frozenset[str]]:
    """The features in preview, and those that need no enabling any more."""
    described = getdoc(import_module("pulumi_snowflake.provider").ProviderArgs.preview_features_enabled) or ""
    preview, _, promoted = described.partition(_PROMOTED)
    return frozenset(_FEATURE.findall(preview)), frozenset(_FEATURE.findall(promoted))


def _enabled(settings: Properties) -> list[str]:
    """The setting reaches a provider as JSON text. Raises ValueError when it is none."""
    given: Any = settings.get(SETTING) or []
    listed = json.loads(given) if isinstance(given, str) else given
    return [str(name) for name in listed] if isinstance(listed, list) else [json.dumps(listed)]


def _snake(name: str) -> str:
    """``StorageIntegrationAws`` as ``storage_integration_aws``, ``StageExternalS3`` as ``stage_external_s3``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()

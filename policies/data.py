"""What holds data is not deleted by mistake, and a mistake in it can be undone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies import controls, kinds, places
from policies.model import Policy, Resource, Situation, Violation, number

STORES: Final = (
    kinds.AIRBYTE_DESTINATION,
    kinds.AIRBYTE_WORKSPACE,
    kinds.ASANA_CUSTOM_FIELD,
    kinds.ASANA_PROJECT,
    kinds.AWS_BUCKET,
    kinds.AWS_KEY,
    kinds.ESTUARY_BUNDLE,
    kinds.ESTUARY_STORAGE,
    kinds.FIGMA_VARIABLES,
    kinds.GITHUB_REPOSITORY,
    kinds.GITHUB_TEAM,
    kinds.HUBSPOT_ASSOCIATION_LABEL,
    kinds.HUBSPOT_LIST,
    kinds.HUBSPOT_PIPELINE,
    kinds.HUBSPOT_PIPELINE_STAGE,
    kinds.HUBSPOT_PROPERTY,
    kinds.HUBSPOT_SCHEMA,
    kinds.HUBSPOT_SCHEMA_ASSOCIATION,
    kinds.KUBERNETES_NAMESPACE,
    kinds.KUBERNETES_VOLUME_CLAIM,
    kinds.LAMBDA_LABS_FILESYSTEM,
    kinds.LINEAR_PROJECT,
    kinds.LINEAR_TEAM,
    kinds.PINECONE_BACKUP,
    kinds.PINECONE_INDEX,
    kinds.PINECONE_POD_INDEX,
    kinds.PINECONE_PROJECT,
    kinds.QDRANT_CLUSTER,
    kinds.QDRANT_COLLECTION,
    kinds.PORTKEY_WORKSPACE,
    kinds.SNOWFLAKE_DATABASE,
    kinds.SNOWFLAKE_SCHEMA,
    kinds.SNOWFLAKE_TABLE,
    kinds.VERCEL_PROJECT,
)
"""What takes data with it when it is deleted, the namespace through its volumes."""

_KEPT = (
    controls.SOC2_A1_2,
    controls.GDPR_32_1_B,
    controls.HIPAA_DATA_BACKUP,
    controls.HIPAA_INTEGRITY,
    controls.FDCPA_RETENTION,
)


def _protected(resource: Resource, situation: Situation) -> Iterator[Violation]:
    if not resource.protected:
        yield Violation(
            resource,
            "holds data and is not protected",
            f"a change of a setting, or a destroy of {situation.stack}, would delete what cannot be made again",
            places.option_of(resource, "protect"),
            "create it with the options of data_store_options(stage, …)",
        )


def _retained(resource: Resource, _situation: Situation) -> Iterator[Violation]:
    if resource.retained is False:
        yield Violation(
            resource,
            "would be deleted once it is unprotected",
            "what holds data stays on its platform when a stack lets go of it",
            places.option_of(resource, "retain_on_delete"),
            "create it with the options of data_store_options(stage, …)",
        )


def _time_travel(resource: Resource, situation: Situation) -> Iterator[Violation]:
    days = number(resource.get("dataRetentionTimeInDays"))
    if days is None or days < 0:  # -1 is the provider's word for the default, which is what the parent object has
        return
    least = situation.limits.time_travel_days
    if days < least:
        yield Violation(
            resource,
            f"would keep deleted rows for {days:g} days",
            f"in {situation.stack} a mistake can be undone for at least {least}",
            places.setting(resource, "retention_days"),
            f"set it to {least} or more",
        )


POLICIES: Final = (
    Policy(
        "data-is-protected",
        "What holds data is protected from deletion in prod.",
        STORES,
        _KEPT,
        _protected,
        asked_of=lambda limits: limits.protect_data,
    ),
    Policy(
        "data-is-retained",
        "What holds data stays on its platform when the prod stack lets go of it.",
        STORES,
        _KEPT,
        _retained,
        of_state=True,
        asked_of=lambda limits: limits.protect_data,
    ),
    Policy(
        "time-travel",
        "A mistake in Snowflake can be undone.",
        (kinds.SNOWFLAKE_DATABASE, kinds.SNOWFLAKE_SCHEMA, kinds.SNOWFLAKE_TABLE),
        (controls.SOC2_A1_2, controls.GDPR_32_1_C, controls.HIPAA_DATA_BACKUP, controls.HIPAA_INTEGRITY),
        _time_travel,
        asked_of=lambda limits: limits.time_travel_days > 0,
        says=lambda resource: number(resource.get("dataRetentionTimeInDays")) is not None,
    ),
)

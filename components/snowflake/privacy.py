"""Masking policies, tags and row access policies: who sees personal and card data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import pulumi
import pulumi_snowflake as snowflake

from components.snowflake.access import Access
from components.snowflake.scope import Scope, qualified
from components.snowflake.settings import SnowflakeSettings
from components.snowflake.settings_privacy import MASKED_TYPES, MaskingPolicySettings, RowAccessPolicySettings
from components.snowflake.sql import MASKED, ROW, masking_body, row_access_body


def create_masking_policies(
    settings: SnowflakeSettings, scope: Scope, access: Access
) -> Mapping[str, snowflake.MaskingPolicy]:
    """With a policy's ``fully_qualified_name`` columns and tags name it."""

    def create(key: str, policy: MaskingPolicySettings) -> snowflake.MaskingPolicy:
        roles = pulumi.Output.all(*(access.roles[role].name for role in policy.clear_to))
        masked = MASKED_TYPES[policy.method]
        return snowflake.MaskingPolicy(
            key,
            name=policy.name,
            database=scope.database,
            schema=scope.schemas[policy.schema_key],
            arguments=[{"name": MASKED, "type": masked}],
            return_data_type=masked,
            body=roles.apply(lambda names: masking_body(policy.method, names)),
            comment=policy.comment,
            opts=scope.child,
        )

    return {key: create(key, policy) for key, policy in settings.masking_policies.items()}


def create_tags(
    settings: SnowflakeSettings,
    scope: Scope,
    access: Access,
    masks: Mapping[str, snowflake.MaskingPolicy],
) -> Mapping[str, snowflake.Tag]:
    tags: dict[str, snowflake.Tag] = {}
    for key, entry in settings.tags.items():
        tags[key] = tag = snowflake.Tag(
            key,
            name=entry.name,
            database=scope.database,
            schema=scope.schemas[entry.schema_key],
            allowed_values=entry.values,
            masking_policies=[masks[mask].fully_qualified_name for mask in entry.masks] or None,
            propagate=entry.propagate if entry.propagate != "NONE" else None,
            comment=entry.comment,
            opts=scope.child,
        )
        for role in entry.assigned_by:
            snowflake.GrantPrivilegesToAccountRole(
                f"{role}.assigns.{key}",
                account_role_name=qualified(access.roles[role].name),
                privileges=["APPLY"],
                on_schema_object={"object_type": "TAG", "object_name": tag.fully_qualified_name},
                opts=scope.child,
            )
    return tags


def assign_tags(
    settings: SnowflakeSettings,
    scope: Scope,
    tags: Mapping[str, snowflake.Tag],
    tables: Mapping[str, pulumi.Output[str]],
) -> None:
    """One association for each value of a tag and kind of object: that is what the provider's id stands for."""
    columns: defaultdict[tuple[str, str], list[pulumi.Output[str]]] = defaultdict(list)
    schemas: defaultdict[tuple[str, str], list[pulumi.Output[str]]] = defaultdict(list)
    for key, table in settings.tables.items():
        for column in table.columns:
            for tag, value in column.tags.items():
                columns[tag, value].append(pulumi.Output.concat(tables[key], ".", qualified(column.name)))
    for key, schema in settings.schemas.items():
        for tag, value in schema.tags.items():
            schemas[tag, value].append(scope.qualified_schema(key))
    for kind, found in (("column", columns), ("schema", schemas)):
        for (tag, value), names in found.items():
            snowflake.TagAssociation(
                f"{tag}.{value}.{kind}",
                tag_id=tags[tag].fully_qualified_name,
                tag_value=value,
                object_type=kind.upper(),
                object_identifiers=_sorted(names),
                opts=scope.unique,
            )


def _sorted(names: Iterable[pulumi.Output[str]]) -> pulumi.Output[Sequence[str]]:
    return pulumi.Output.all(*names).apply(sorted)


def create_row_access_policies(
    settings: SnowflakeSettings, scope: Scope, access: Access, tables: Mapping[str, pulumi.Output[str]]
) -> Mapping[str, snowflake.RowAccessPolicy]:
    def create(key: str, policy: RowAccessPolicySettings) -> snowflake.RowAccessPolicy:
        mapping = policy.mapping
        roles = pulumi.Output.all(*(access.roles[role].name for role in policy.all_rows_to))
        body = pulumi.Output.all(tables[mapping.table], roles).apply(
            lambda known: row_access_body(known[0], mapping.role_column, mapping.value_column, known[1])
        )
        return snowflake.RowAccessPolicy(
            key,
            name=policy.name,
            database=scope.database,
            schema=scope.schemas[policy.schema_key],
            arguments=[{"name": ROW, "type": policy.type}],
            body=body,
            comment=policy.comment,
            opts=scope.child,
        )

    return {key: create(key, policy) for key, policy in settings.row_access_policies.items()}

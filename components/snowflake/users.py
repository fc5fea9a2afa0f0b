"""Service users: their key slots, from where they may log in, and with what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_snowflake as snowflake

from components.snowflake.access import Access
from components.snowflake.scope import Scope, qualified
from components.snowflake.settings import NetworkPolicySettings, SnowflakeSettings, UserSettings


@dataclass(frozen=True)
class CreatedUser:
    """A user, and what must be there before it can log in."""

    user: snowflake.ServiceUser
    grants: list[pulumi.Resource]


def create_users(
    settings: SnowflakeSettings,
    scope: Scope,
    access: Access,
    warehouses: Mapping[str, snowflake.Warehouse],
    public_keys: Mapping[str, pulumi.Input[str]],
    second_public_keys: Mapping[str, pulumi.Input[str]],
) -> Mapping[str, CreatedUser]:
    policies = {key: _create_network_policy(key, policy, scope) for key, policy in settings.network_policies.items()}
    key_pair_only = _create_authentication_policy(settings, scope)

    def create(key: str, entry: UserSettings) -> CreatedUser:
        role = access.roles[entry.role]
        user = snowflake.ServiceUser(
            key,
            name=entry.name,
            comment=entry.comment,
            rsa_public_key=public_keys[key],
            rsa_public_key2=second_public_keys.get(key),
            default_role=role.name,
            default_secondary_roles_option="NONE",  # a session has its own role, and nothing that was added by hand
            default_warehouse=warehouses[entry.warehouse].name,
            network_policy=policies[entry.network_policy].name if entry.network_policy else None,
            opts=scope.child,
        )
        grant = snowflake.GrantAccountRole(
            f"{key}.is.{entry.role}",
            role_name=qualified(role.name),
            user_name=qualified(user.name),
            opts=scope.child,
        )
        grants: list[pulumi.Resource] = [grant, *access.of_role[entry.role]]
        if key_pair_only:
            attachment = snowflake.UserAuthenticationPolicyAttachment(
                key,
                authentication_policy_name=key_pair_only.fully_qualified_name,
                user_name=user.name,
                opts=scope.unique,  # a user has one at a time
            )
            grants.append(attachment)
        return CreatedUser(user, grants)

    return {key: create(key, entry) for key, entry in settings.users.items()}


def _create_network_policy(key: str, settings: NetworkPolicySettings, scope: Scope) -> snowflake.NetworkPolicy:
    schema = scope.schemas[settings.schema_key]
    rule = snowflake.NetworkRule(
        key,
        name=f"{settings.name}_INGRESS",
        database=scope.database,
        schema=schema,
        mode="INGRESS",
        type="IPV4",
        value_lists=settings.allowed,
        opts=scope.unique,
    )
    return snowflake.NetworkPolicy(
        key,
        name=settings.name,
        allowed_network_rule_lists=[qualified(scope.database, schema, rule.name)],
        opts=scope.unique,
    )


def _create_authentication_policy(settings: SnowflakeSettings, scope: Scope) -> snowflake.AuthenticationPolicy | None:
    if settings.authentication_policy is None:
        return None
    return snowflake.AuthenticationPolicy(
        "service-users",
        name=settings.authentication_policy.name,
        database=scope.database,
        schema=scope.schemas[settings.authentication_policy.schema_key],
        authentication_methods=["KEYPAIR"],
        comment="Service users log in with their key pair only",
        opts=scope.unique,
    )

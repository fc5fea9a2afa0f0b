"""The organisation: what holds for all of its repositories, and which of its members' habits it allows."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import pulumi

from components.explain import render
from components.github.settings import OrganizationSettings
from components.settings import CredentialsError, where

OWNER = "GITHUB_OWNER"


def create_organization(
    settings: OrganizationSettings,
    teams: Mapping[str, pulumi.Output[int]],
    webhook_secrets: Mapping[str, pulumi.Output[str]],
    outputs: Mapping[str, pulumi.Input[str]],
    child: pulumi.ResourceOptions,
    store: pulumi.ResourceOptions,
) -> None:
    """Permissions of Actions, rulesets, webhooks, secrets and variables of the organisation.

    ``store`` are the options of what must not go away with the stack: without it everything would be allowed again.
    Raises SettingsError for an output that nobody hands over, CredentialsError if GITHUB_OWNER is not set.
    """
    import pulumi_github as github

    if settings.actions is not None:
        github.ActionsOrganizationPermissions(
            "organization",
            enabled_repositories="all",
            allowed_actions=settings.actions.allowed,
            allowed_actions_config=settings.actions.selection(),
            sha_pinning_required=settings.actions.pinned,
            opts=store,
        )
    github.ActionsOrganizationWorkflowPermissions(
        "organization",
        organization_slug=_owner(),
        default_workflow_permissions=settings.workflow_permissions,
        can_approve_pull_request_reviews=False,
        opts=store,
    )
    if settings.oidc_subject:
        github.ActionsOrganizationOidcSubjectClaimCustomizationTemplate(
            "organization", include_claim_keys=settings.oidc_subject, opts=store
        )
    for key, ruleset in settings.rulesets.items():
        rules: Any = ruleset.rules()
        actors: Any = [actor.actor(teams) for actor in ruleset.bypass]
        names = {"includes": ruleset.repositories, "excludes": ruleset.except_repositories}
        conditions: Any = {**ruleset.ref_condition(), "repository_name": names}
        github.OrganizationRuleset(
            key,
            name=key,
            target=ruleset.target,
            enforcement=ruleset.enforcement,
            conditions=conditions,
            rules=rules,
            bypass_actors=actors or None,
            opts=store,
        )
    for key, webhook in settings.webhooks.items():
        github.OrganizationWebhook(
            key,
            events=webhook.events,
            active=webhook.active,
            configuration={
                "url": webhook.url,
                "content_type": "json",
                "insecure_ssl": False,
                "secret": webhook_secrets[key],
            },
            opts=child,
        )
    for name, secret in settings.secrets.items():
        github.ActionsOrganizationSecret(
            name,
            secret_name=name,
            visibility="private",
            value=secret.resolve(outputs, render(("github", "organization", "secrets", name))),
            opts=child,
        )
    for name, variable in settings.variables.items():
        github.ActionsOrganizationVariable(
            name,
            variable_name=name,
            visibility="private",
            value=variable.resolve(outputs, render(("github", "organization", "variables", name))),
            opts=child,
        )


def _owner() -> str:
    owner = os.environ.get(OWNER)
    if not owner:
        raise CredentialsError([f"{OWNER} is not set, and {where('github.organization')} needs it"])
    return owner

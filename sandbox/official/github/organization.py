"""What an organisation has once, and webhooks, which a repository has as well."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sandbox.official.behaviour import Draft, Identity, Kind, paths, text
from sandbox.official.github.names import (
    ORGANIZATION,
    OWNER,
    account,
    in_repository,
    invalid,
    no_references,
    number,
    one_of,
    organization_setting,
    refused,
    with_account,
)
from sandbox.official.github.repositories import actions_failures, subject_refusals
from sandbox.official.types import Failure
from sandbox.official.values import Properties

_EVENTS = frozenset(
    """
    * branch_protection_configuration branch_protection_rule check_run check_suite code_scanning_alert commit_comment
    create custom_property custom_property_values delete dependabot_alert deploy_key deployment
    deployment_protection_rule deployment_review deployment_status discussion discussion_comment fork gollum
    issue_comment issue_dependencies issues label member membership merge_group meta milestone org_block organization
    package page_build personal_access_token_request ping project project_card project_column projects_v2
    projects_v2_item public pull_request pull_request_review pull_request_review_comment pull_request_review_thread push
    registry_package release repository repository_advisory repository_import repository_ruleset
    repository_vulnerability_alert secret_scanning_alert secret_scanning_alert_location secret_scanning_scan
    security_and_analysis star status sub_issues team team_add watch workflow_dispatch workflow_job workflow_run
    """.split()  # noqa: SIM905 - sixty names in a list of quoted ones are read by nobody
)
_OF_ORGANIZATIONS = frozenset(
    {"organization", "membership", "org_block", "personal_access_token_request", "projects_v2"}
)
_LOCAL = re.compile(r"https?://(localhost|127\.|\[::1\]|10\.|192\.168\.)")
_FORMATS = ("json", "form")


def _hooks_path(properties: Properties) -> str:
    repository = text(properties, "repository")
    return f"repos/{OWNER}/{repository}/hooks" if repository else f"orgs/{OWNER}/hooks"


def _hook_refusals(draft: Draft) -> Iterator[str]:
    path, address = _hooks_path(draft.asked), text(draft.asked, "configuration", "url")
    events = set(map(str, draft.asked.get("events") or ()))
    unknown = events - _EVENTS
    if "repository" in draft.asked:
        unknown |= events & _OF_ORGANIZATIONS
    for event in sorted(unknown):
        yield invalid("POST", path, "Hook", "events", f'The "{event}" event cannot be subscribed to with this hook')
    if not events:
        yield invalid("POST", path, "Hook", "events", "At least one event must be set")
    if not address.startswith(("https://", "http://")):
        yield invalid("POST", path, "Hook", "url", "url is missing a scheme")
    elif _LOCAL.match(address):
        said = "url is not supported because it isn't reachable over the public Internet"
        yield invalid("POST", path, "Hook", "url", said)
    if text(draft.asked, "configuration", "contentType") not in ("", *_FORMATS):
        yield invalid("POST", path, "Hook", "content_type", "content_type must be json or form")


def _hook_exists(identity: Identity) -> str:
    path = f"repos/{OWNER}/{identity[0]}/hooks" if len(identity) > 1 else f"orgs/{OWNER}/hooks"
    what = "repository" if len(identity) > 1 else "organization"
    return invalid("POST", path, "Hook", "", f"Hook already exists on this {what} ({identity[-1]})")


def _hook_fill(draft: Draft) -> Properties:
    return {"active": True, "url": f"https://api.github.com/{_hooks_path(draft.asked)}/{draft.id}"}


def _permissions_failures(properties: Properties) -> Iterator[Failure]:
    yield from actions_failures(properties)
    yield from one_of(properties, "enabledRepositories", ("all", "none", "selected"))


def _permissions_refusals(draft: Draft) -> Iterator[str]:
    if draft.asked.get("enabledRepositories") == "selected" and not draft.asked.get("enabledRepositoriesConfig"):
        yield "the enabled_repositories_config {} block must be specified if enabled_repositories == 'selected'"


def _workflow_refusals(draft: Draft) -> Iterator[str]:
    slug = text(draft.asked, "organizationSlug")
    if slug.lower() != OWNER:
        yield refused("PUT", f"orgs/{slug}/actions/permissions/workflow", 404, "Not Found")


KINDS = {
    ORGANIZATION: account(),
    "github:index/repositoryWebhook:RepositoryWebhook": in_repository(
        refusals=_hook_refusals,
        identity=lambda properties: (
            text(properties, "repository").lower(),
            text(properties, "configuration", "url"),
        ),
        replaces=paths("repository"),
        unordered=paths("events"),
        make_id=number,
        duplicate=_hook_exists,
        fill=_hook_fill,
        sensitive=paths("configuration.secret"),
    ),
    "github:index/organizationWebhook:OrganizationWebhook": Kind(
        identity=lambda properties: (text(properties, "configuration", "url"),),
        make_id=number,
        duplicate=_hook_exists,
        references=with_account(no_references),
        refusals=_hook_refusals,
        fill=_hook_fill,
        sensitive=paths("configuration.secret"),
        unordered=paths("events"),
    ),
    "github:index/actionsOrganizationPermissions:ActionsOrganizationPermissions": organization_setting(
        validate=_permissions_failures,
        refusals=_permissions_refusals,
        unordered=paths("allowedActionsConfig.patternsAlloweds"),
        fill=lambda _: {"shaPinningRequired": False},
    ),
    "github:index/actionsOrganizationWorkflowPermissions:ActionsOrganizationWorkflowPermissions": organization_setting(
        make_id=lambda properties: text(properties, "organizationSlug"),
        validate=lambda properties: one_of(properties, "defaultWorkflowPermissions", ("read", "write")),
        refusals=_workflow_refusals,
        replaces=paths("organizationSlug"),
        fill=lambda _: {"defaultWorkflowPermissions": "read", "canApprovePullRequestReviews": False},
    ),
    "github:index/actionsOrganizationOidcSubjectClaimCustomizationTemplate:"
    "ActionsOrganizationOidcSubjectClaimCustomizationTemplate": organization_setting(refusals=subject_refusals),
}

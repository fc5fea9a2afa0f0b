"""What a killed run left of the official packages' resources, taken over by import.

A dynamic resource looks for its object before it makes one; the official providers do not, so that a create which the
killed engine could not note fails with "already exists". ``sophia`` then runs the program again with the URNs of those
resources in SOPHIA_TAKE_OVER, and they are imported instead of created: same object, no second one. The id of an
import is made of what the program says anyway. A type that is not in the table has ids which only the platform knows
(Vercel's environment variables); its object must be deleted by hand.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import pulumi

TAKE_OVER = "SOPHIA_TAKE_OVER"

IMPORT_IDS: Mapping[str, str] = {
    "aws:iam/role:Role": "{name}",
    "aws:iam/rolePolicy:RolePolicy": "{role}:{name}",
    "aws:kms/alias:Alias": "{name}",
    "aws:s3/bucket:Bucket": "{bucket}",
    "github:index/actionsEnvironmentVariable:ActionsEnvironmentVariable": "{repository}:{environment}:{variableName}",
    "github:index/actionsOrganizationVariable:ActionsOrganizationVariable": "{variableName}",
    "github:index/actionsVariable:ActionsVariable": "{repository}:{variableName}",
    "github:index/branchProtection:BranchProtection": "{repositoryId}:{pattern}",
    "github:index/issueLabels:IssueLabels": "{repository}",
    "github:index/repository:Repository": "{name}",
    "github:index/repositoryAutolinkReference:RepositoryAutolinkReference": "{repository}/{keyPrefix}",
    "github:index/repositoryEnvironment:RepositoryEnvironment": "{repository}:{environment}",
    "github:index/team:Team": "{name}",
    "github:index/teamMembers:TeamMembers": "{teamSlug}",
    "github:index/teamRepository:TeamRepository": "{teamId}:{repository}",
    "snowflake:index/accountRole:AccountRole": '"{name}"',
    "snowflake:index/database:Database": '"{name}"',
    "snowflake:index/networkPolicy:NetworkPolicy": '"{name}"',
    "snowflake:index/networkRule:NetworkRule": '"{database}"."{schema}"."{name}"',
    "snowflake:index/resourceMonitor:ResourceMonitor": '"{name}"',
    "snowflake:index/schema:Schema": '"{database}"."{name}"',
    "snowflake:index/serviceUser:ServiceUser": '"{name}"',
    "snowflake:index/warehouse:Warehouse": '"{name}"',
    "vercel:index/customEnvironment:CustomEnvironment": "{teamId}/{projectId}/{name}",
    "vercel:index/project:Project": "{teamId}/{name}",
    "vercel:index/projectDomain:ProjectDomain": "{teamId}/{projectId}/{domain}",
}
"""By type, the id by which the provider's documentation imports it, made of the resource's inputs."""

_KUBERNETES = "kubernetes:"


def take_over_interrupted() -> None:
    """Imports the resources that SOPHIA_TAKE_OVER names, in this run of the program. Does nothing where it is empty."""
    urns = json.loads(os.environ.get(TAKE_OVER) or "[]")
    if not urns:
        return
    wanted = {(urn.split("::")[2].rpartition("$")[2], urn.split("::")[3]) for urn in urns}

    def imported(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        id_ = _import_id(args.type_, args.props) if (args.type_, args.name) in wanted else None
        if id_ is None:
            return None
        opts = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(import_=id_))
        return pulumi.ResourceTransformResult(dict(args.props), opts)

    pulumi.runtime.register_resource_transform(imported)


def _import_id(type_: str, props: Mapping[str, Any]) -> str | None:
    """None where the id cannot be told from the inputs, or not yet."""
    if type_.startswith(_KUBERNETES):
        metadata = props.get("metadata", {})
        return "/".join(str(metadata[key]) for key in ("namespace", "name") if key in metadata)
    template = IMPORT_IDS.get(type_)
    try:
        return template.format_map(props) if template else None
    except KeyError:
        return None

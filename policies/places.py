"""Which setting of the stack file a resource comes from, for the messages of violations."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from policies import kinds
from policies.model import Resource

_Place = Callable[[str], str | None]
"""From a logical name the setting, or None for a name that no component gives."""


def _under(section: str) -> _Place:
    return lambda name: f"{section}.{name}"


def _fixed(section: str) -> _Place:
    return lambda _name: section


def _within(section: str, *between: str) -> _Place:
    """Of logical names of as many words joined by dots: ``repository.environment.VARIABLE``, with what is between them."""

    def place(name: str) -> str | None:
        words = name.split(".", len(between))
        if len(words) != len(between) + 1:
            return None
        rest = "".join(f".{middle}.{word}" for middle, word in zip(between, words[1:], strict=True))
        return f"{section}.{words[0]}{rest}"

    return place


PLACES: Mapping[str, _Place] = {
    kinds.AIRBYTE_DESTINATION: _under("airbyte.destinations"),
    kinds.AIRBYTE_SOURCE: _under("airbyte.sources"),
    kinds.AIRBYTE_WORKSPACE: _fixed("airbyte.workspace"),
    kinds.APOLLO_SEQUENCE: _under("apollo.sequences"),
    kinds.ASANA_CUSTOM_FIELD: _under("asana.fields"),
    kinds.ASANA_PROJECT: _under("asana.projects"),
    kinds.AWS_BUCKET: _under("aws.buckets"),
    kinds.AWS_KEY: _fixed("aws.key"),
    kinds.AWS_POLICY: _fixed("aws.boundary"),
    kinds.ESTUARY_BUNDLE: _fixed("estuary"),
    kinds.ESTUARY_STORAGE: _fixed("estuary.storage"),
    kinds.FIGMA_VARIABLES: _under("figma.variables"),
    kinds.GITHUB_ENVIRONMENT_VARIABLE: _within("github.repositories", "environments", "variables"),
    kinds.GITHUB_ORGANIZATION_RULESET: _under("github.organization.rulesets"),
    kinds.GITHUB_REPOSITORY: _under("github.repositories"),
    kinds.GITHUB_RULESET: _within("github.repositories", "rulesets"),
    kinds.GITHUB_TEAM: _under("github.teams"),
    kinds.GITHUB_VARIABLE: _within("github.repositories", "variables"),
    kinds.GONG_PROFILE: _under("gong.profiles"),
    kinds.HUBSPOT_ASSOCIATION_LABEL: _under("hubspot.association_labels"),
    kinds.HUBSPOT_LIST: _under("hubspot.lists"),
    kinds.HUBSPOT_PIPELINE: _under("hubspot.objects"),
    kinds.HUBSPOT_PIPELINE_STAGE: _under("hubspot.objects"),
    kinds.HUBSPOT_PROPERTY: _under("hubspot.objects"),
    kinds.HUBSPOT_SCHEMA: _under("hubspot.objects"),
    kinds.HUBSPOT_SCHEMA_ASSOCIATION: _under("hubspot.objects"),
    kinds.KUBERNETES_NAMESPACE: _fixed("kubernetes.namespace"),
    kinds.KUBERNETES_NETWORK_POLICY: _under("kubernetes"),
    kinds.KUBERNETES_QUOTA: _fixed("kubernetes.quota"),
    kinds.LAMBDA_LABS_FILESYSTEM: _under("lambda_labs.filesystems"),
    kinds.LAMBDA_LABS_FIREWALL: lambda name: f"lambda_labs.firewalls.{name.partition('.')[0]}",
    kinds.LAMBDA_LABS_INSTANCE: _under("lambda_labs.instances"),
    kinds.LINEAR_PROJECT: _under("linear.projects"),
    kinds.LINEAR_TEAM: _under("linear.teams"),
    kinds.OPENROUTER_BUDGET: _under("openrouter.budgets"),
    kinds.OPENROUTER_DESTINATION: _under("openrouter.destinations"),
    kinds.OPENROUTER_GUARDRAIL: _under("openrouter.guardrails"),
    kinds.OPENROUTER_KEY: lambda name: f"openrouter.keys.{name.removesuffix('.second')}",
    kinds.OPENROUTER_PROVIDER_CREDENTIAL: _under("openrouter.provider_credentials"),
    kinds.OPENROUTER_WORKSPACE: _fixed("openrouter.workspace"),
    kinds.PINECONE_BACKUP: _under("pinecone.backups"),
    kinds.PINECONE_INDEX: _under("pinecone.indexes"),
    kinds.PINECONE_POD_INDEX: _under("pinecone.pod_indexes"),
    kinds.PINECONE_PROJECT: _fixed("pinecone.project"),
    kinds.QDRANT_CLUSTER: _under("qdrant.clusters"),
    kinds.QDRANT_COLLECTION: _under("qdrant.collections"),
    kinds.QDRANT_DATABASE_KEY: _under("qdrant.keys"),
    kinds.PORTKEY_KEY: _under("portkey.api_keys"),
    kinds.PORTKEY_USAGE_POLICY: _under("portkey.usage_policies"),
    kinds.PORTKEY_WORKSPACE: _fixed("portkey.workspace"),
    **dict.fromkeys(kinds.SLACK_APPS, _under("slack.apps")),
    kinds.SNOWFLAKE_DATABASE: _fixed("snowflake.database"),
    kinds.SNOWFLAKE_MONITOR: _fixed("snowflake.resource_monitor"),
    kinds.SNOWFLAKE_NETWORK_POLICY: _under("snowflake.network_policies"),
    kinds.SNOWFLAKE_NETWORK_RULE: _under("snowflake.network_policies"),
    kinds.SNOWFLAKE_SCHEMA: _under("snowflake.schemas"),
    kinds.SNOWFLAKE_SERVICE_USER: _under("snowflake.users"),
    kinds.SNOWFLAKE_TABLE: _under("snowflake.tables"),
    kinds.SNOWFLAKE_WAREHOUSE: _under("snowflake.warehouses"),
    kinds.VERCEL_DOMAIN: lambda name: f"vercel.projects.{name.partition('.')[0]}.domains" if "." in name else None,
    kinds.VERCEL_DRAIN: _under("vercel.drains"),
    kinds.VERCEL_PROJECT: _under("vercel.projects"),
    kinds.VERCEL_SHARED_VARIABLE: _under("vercel.shared_variables"),
    kinds.VERCEL_TOKEN: _under("vercel.tokens"),
    kinds.VERCEL_VARIABLE: _within("vercel.projects", "variables"),
    kinds.VERCEL_WEBHOOK: _under("vercel.webhooks"),
}
"""The logical names of the components' children are the keys of their settings."""


def file_of(resource: Resource) -> str:
    return f"Pulumi.{resource.stack}.yaml"


def setting(resource: Resource, member: str) -> str:
    """``Pulumi.dev.yaml: sophia-ai:github.repositories.sophia.visibility``; the property, for what no component made."""
    find = PLACES.get(resource.type)
    place = find(resource.name) if find else None
    if place is None or place.partition(".")[0].replace("_", "") != resource.platform.lower():
        return property_of(resource, member)  # of another component's, such as a table that a module keeps in Snowflake
    return section(resource, f"{place}.{member}" if member else place)


def section(resource: Resource, path: str) -> str:
    """A setting that does not belong to the resource alone: ``Pulumi.dev.yaml: sophia-ai:openrouter.budgets.monthly``."""
    return f"{file_of(resource)}: {resource.project}:{path}"


def property_of(resource: Resource, path: str) -> str:
    """For what the stack file has no setting for."""
    return f"property {path} of {resource.title} ({resource.type})" if path else f"{resource.title} ({resource.type})"


def option_of(resource: Resource, option: str) -> str:
    return f"option {option} of {resource.title}, which its component sets"

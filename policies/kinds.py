"""The types of resources that policies look at, as the packages name them."""

from __future__ import annotations

from typing import Final

AIRBYTE_DESTINATION: Final = "pulumi-python:dynamic/airbyte:Destination"
AIRBYTE_SOURCE: Final = "pulumi-python:dynamic/airbyte:Source"
AIRBYTE_WORKSPACE: Final = "pulumi-python:dynamic/airbyte:Workspace"
APOLLO_SEQUENCE: Final = "pulumi-python:dynamic/apollo:Sequence"
ASANA_CUSTOM_FIELD: Final = "pulumi-python:dynamic/asana:CustomField"
ASANA_PROJECT: Final = "pulumi-python:dynamic/asana:Project"
ESTUARY_BUNDLE: Final = "pulumi-python:dynamic/estuary:Bundle"
ESTUARY_STORAGE: Final = "pulumi-python:dynamic/estuary:StorageMapping"
FIGMA_VARIABLES: Final = "pulumi-python:dynamic/figma:VariableCollection"
GONG_PROFILE: Final = "pulumi-python:dynamic/gong:PermissionProfile"
HUBSPOT_ASSOCIATION_LABEL: Final = "pulumi-python:dynamic/hubspot:AssociationLabel"
HUBSPOT_LIST: Final = "pulumi-python:dynamic/hubspot:List"
HUBSPOT_PIPELINE: Final = "pulumi-python:dynamic/hubspot:Pipeline"
HUBSPOT_PIPELINE_STAGE: Final = "pulumi-python:dynamic/hubspot:PipelineStage"
HUBSPOT_PROPERTY: Final = "pulumi-python:dynamic/hubspot:Property"
HUBSPOT_SCHEMA: Final = "pulumi-python:dynamic/hubspot:Schema"
HUBSPOT_SCHEMA_ASSOCIATION: Final = "pulumi-python:dynamic/hubspot:SchemaAssociation"
LAMBDA_LABS_FILESYSTEM: Final = "pulumi-python:dynamic/lambda_labs:Filesystem"
LAMBDA_LABS_FIREWALL: Final = "pulumi-python:dynamic/lambda_labs:FirewallRuleset"
LAMBDA_LABS_INSTANCE: Final = "pulumi-python:dynamic/lambda_labs:Instance"
LINEAR_PROJECT: Final = "pulumi-python:dynamic/linear:Project"
LINEAR_TEAM: Final = "pulumi-python:dynamic/linear:Team"
OPENROUTER_BUDGET: Final = "pulumi-python:dynamic/openrouter:WorkspaceBudget"
OPENROUTER_DESTINATION: Final = "pulumi-python:dynamic/openrouter:Destination"
OPENROUTER_GUARDRAIL: Final = "pulumi-python:dynamic/openrouter:Guardrail"
OPENROUTER_GUARDRAIL_KEY: Final = "pulumi-python:dynamic/openrouter:GuardrailKey"
OPENROUTER_KEY: Final = "pulumi-python:dynamic/openrouter:ApiKey"
OPENROUTER_PROVIDER_CREDENTIAL: Final = "pulumi-python:dynamic/openrouter:ProviderCredential"
OPENROUTER_WORKSPACE: Final = "pulumi-python:dynamic/openrouter:Workspace"
PINECONE_BACKUP: Final = "pulumi-python:dynamic/pinecone:Backup"
PINECONE_INDEX: Final = "pulumi-python:dynamic/pinecone:Index"
PINECONE_POD_INDEX: Final = "pulumi-python:dynamic/pinecone:PodIndex"
PINECONE_PROJECT: Final = "pulumi-python:dynamic/pinecone:Project"
QDRANT_CLUSTER: Final = "pulumi-python:dynamic/qdrant:Cluster"
QDRANT_COLLECTION: Final = "pulumi-python:dynamic/qdrant:Collection"
QDRANT_DATABASE_KEY: Final = "pulumi-python:dynamic/qdrant:DatabaseKey"
PORTKEY_KEY: Final = "pulumi-python:dynamic/portkey:ApiKey"
PORTKEY_USAGE_POLICY: Final = "pulumi-python:dynamic/portkey:UsagePolicy"
PORTKEY_WORKSPACE: Final = "pulumi-python:dynamic/portkey:Workspace"
RSA_KEY_PAIR: Final = "pulumi-python:dynamic/rsa:KeyPair"
SLACK_APPS: Final = ("pulumi-python:dynamic/slack:App", "pulumi-python:dynamic/slack:ExistingApp")

AWS_BUCKET: Final = "aws:s3/bucket:Bucket"
AWS_BUCKET_ENCRYPTION: Final = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
AWS_BUCKET_POLICY: Final = "aws:s3/bucketPolicy:BucketPolicy"
AWS_KEY: Final = "aws:kms/key:Key"
AWS_POLICY: Final = "aws:iam/policy:Policy"
AWS_PUBLIC_ACCESS_BLOCK: Final = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
AWS_ROLE: Final = "aws:iam/role:Role"
AWS_ROLE_POLICY: Final = "aws:iam/rolePolicy:RolePolicy"
AWS_TOPIC: Final = "aws:sns/topic:Topic"
AWS_TOPIC_POLICY: Final = "aws:sns/topicPolicy:TopicPolicy"

GITHUB_BRANCH_PROTECTION: Final = "github:index/branchProtection:BranchProtection"
GITHUB_ENVIRONMENT_VARIABLE: Final = "github:index/actionsEnvironmentVariable:ActionsEnvironmentVariable"
GITHUB_ORGANIZATION_VARIABLE: Final = "github:index/actionsOrganizationVariable:ActionsOrganizationVariable"
GITHUB_ORGANIZATION_RULESET: Final = "github:index/organizationRuleset:OrganizationRuleset"
GITHUB_REPOSITORY: Final = "github:index/repository:Repository"
GITHUB_RULESET: Final = "github:index/repositoryRuleset:RepositoryRuleset"
GITHUB_TEAM: Final = "github:index/team:Team"
GITHUB_VARIABLE: Final = "github:index/actionsVariable:ActionsVariable"

KUBERNETES_CONFIG_MAP: Final = "kubernetes:core/v1:ConfigMap"
KUBERNETES_NAMESPACE: Final = "kubernetes:core/v1:Namespace"
KUBERNETES_NETWORK_POLICY: Final = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
KUBERNETES_QUOTA: Final = "kubernetes:core/v1:ResourceQuota"
KUBERNETES_SERVICE: Final = "kubernetes:core/v1:Service"
KUBERNETES_VOLUME_CLAIM: Final = "kubernetes:core/v1:PersistentVolumeClaim"
KUBERNETES_WORKLOADS: Final = (
    "kubernetes:apps/v1:DaemonSet",
    "kubernetes:apps/v1:Deployment",
    "kubernetes:apps/v1:ReplicaSet",
    "kubernetes:apps/v1:StatefulSet",
    "kubernetes:batch/v1:CronJob",
    "kubernetes:batch/v1:Job",
    "kubernetes:core/v1:Pod",
    "kubernetes:core/v1:PodTemplate",
    "kubernetes:core/v1:ReplicationController",
)
"""All that has pods in it."""

SNOWFLAKE_DATABASE: Final = "snowflake:index/database:Database"
SNOWFLAKE_GRANT: Final = "snowflake:index/grantPrivilegesToAccountRole:GrantPrivilegesToAccountRole"
SNOWFLAKE_LEGACY_SERVICE_USER: Final = "snowflake:index/legacyServiceUser:LegacyServiceUser"
SNOWFLAKE_MONITOR: Final = "snowflake:index/resourceMonitor:ResourceMonitor"
SNOWFLAKE_NETWORK_POLICY: Final = "snowflake:index/networkPolicy:NetworkPolicy"
SNOWFLAKE_NETWORK_RULE: Final = "snowflake:index/networkRule:NetworkRule"
SNOWFLAKE_ROLE_GRANT: Final = "snowflake:index/grantAccountRole:GrantAccountRole"
SNOWFLAKE_SCHEMA: Final = "snowflake:index/schema:Schema"
SNOWFLAKE_SERVICE_USER: Final = "snowflake:index/serviceUser:ServiceUser"
SNOWFLAKE_STREAMLIT: Final = "snowflake:index/streamlit:Streamlit"
SNOWFLAKE_TABLE: Final = "snowflake:index/table:Table"
SNOWFLAKE_VIEW: Final = "snowflake:index/view:View"
SNOWFLAKE_WAREHOUSE: Final = "snowflake:index/warehouse:Warehouse"

VERCEL_DOMAIN: Final = "vercel:index/projectDomain:ProjectDomain"
VERCEL_DRAIN: Final = "pulumi-python:dynamic/vercel:Drain"
VERCEL_PROJECT: Final = "vercel:index/project:Project"
VERCEL_SHARED_VARIABLE: Final = "vercel:index/sharedEnvironmentVariable:SharedEnvironmentVariable"
VERCEL_TOKEN: Final = "pulumi-python:dynamic/vercel:Token"  # noqa: S105 - the name of a type
VERCEL_VARIABLE: Final = "vercel:index/projectEnvironmentVariable:ProjectEnvironmentVariable"
VERCEL_WEBHOOK: Final = "pulumi-python:dynamic/vercel:Webhook"

"""Properties that policies allow, and properties that they do not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from policies import kinds
from policies.model import Hidden

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
UNKNOWN = Hidden.UNKNOWN


def ruleset(approvals: int, *bypass: dict[str, Any]) -> dict[str, Any]:
    """Of the default branch."""
    return {
        "target": "branch",
        "enforcement": "active",
        "conditions": {"refName": {"includes": ["~DEFAULT_BRANCH"]}},
        "rules": {"pullRequest": {"requiredApprovingReviewCount": approvals}},
        "bypassActors": list(bypass),
    }


def pod(image: str = "app:1.2.3", gpu: object = None) -> dict[str, Any]:
    container: dict[str, Any] = {"name": "main", "image": image}
    if gpu is not None:
        container["resources"] = {"limits": {"nvidia.com/gpu": gpu}}
    return {"spec": {"template": {"spec": {"containers": [container]}}}}


DIGEST = f"registry.example:5000/app:1.2.3@sha256:{'0a' * 32}"


def aws_document(member: str = "policy", **statement: Any) -> dict[str, Any]:
    return {member: json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})}


DEPLOYMENT = "kubernetes:apps/v1:Deployment"
INTERNAL = ["10.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"]


def egress(**block: Any) -> dict[str, Any]:
    return {"spec": {"egress": [{"to": [{"ipBlock": block}]}]}}


def ingress(*peers: Any) -> dict[str, Any]:
    return {"spec": {"ingress": [{"from": list(peers)}] if peers else [{}]}}


def catalog(sslmode: str) -> dict[str, Any]:
    """A bundle of Estuary with one capture from a database."""
    connector = {"image": "ghcr.io/estuary/source-postgres:v3", "config": {"advanced": {"sslmode": sslmode}}}
    specs = {"acme/crm": {"type": "capture", "spec": {"endpoint": {"connector": connector}, "bindings": []}}}
    return {"specs": specs, "settings": {"acme/crm": "captures.crm"}}


PAGE = {"objectType": "STREAMLIT", "objectName": '"SOPHIA_AI"."EXECUTIVE"."EXECUTIVE_DASHBOARD"'}


def profile(calls: str, **permissions: bool) -> dict[str, Any]:
    """A permission profile of Gong."""
    return {"calls_access": {"permission_level": calls}, "permissions": permissions}


GOOD: list[tuple[str, str, dict[str, Any]]] = [
    ("no-wrong-account", kinds.AIRBYTE_DESTINATION, {"configuration": {"host": "x-znb04675.snowflakecomputing.com"}}),
    ("no-wrong-account", kinds.AIRBYTE_DESTINATION, {"__provider": "scoobyjava-vw02766", "name": UNKNOWN}),
    ("time-travel", kinds.SNOWFLAKE_DATABASE, {"dataRetentionTimeInDays": 7}),
    ("time-travel", kinds.SNOWFLAKE_SCHEMA, {}),
    ("time-travel", kinds.SNOWFLAKE_SCHEMA, {"dataRetentionTimeInDays": -1}),
    ("no-public-repository", kinds.GITHUB_REPOSITORY, {"visibility": "private"}),
    ("no-public-repository", kinds.GITHUB_REPOSITORY, {"visibility": "internal"}),
    ("no-public-repository", kinds.GITHUB_REPOSITORY, {"visibility": UNKNOWN}),
    ("no-public-repository", kinds.GITHUB_REPOSITORY, {"visibility": "public", "topics": ["open-source"]}),
    ("no-open-network", kinds.SNOWFLAKE_NETWORK_RULE, {"mode": "INGRESS", "valueLists": ["34.106.109.131/32"]}),
    ("no-open-network", kinds.SNOWFLAKE_NETWORK_RULE, {"mode": "EGRESS", "valueLists": ["0.0.0.0/0"]}),
    ("no-open-network", kinds.SNOWFLAKE_NETWORK_RULE, {"mode": "INGRESS", "valueLists": UNKNOWN}),
    ("no-open-network", kinds.SNOWFLAKE_NETWORK_RULE, {"mode": "INGRESS", "valueLists": ["host.example", UNKNOWN]}),
    ("no-open-network", kinds.KUBERNETES_NETWORK_POLICY, ingress({"podSelector": {}})),
    ("no-open-network", kinds.KUBERNETES_NETWORK_POLICY, {"spec": {"policyTypes": ["Ingress", "Egress"]}}),
    (
        "no-open-network",
        kinds.KUBERNETES_NETWORK_POLICY,
        egress(cidr="0.0.0.0/0", **{"except": INTERNAL}),
    ),
    ("no-open-network", kinds.KUBERNETES_SERVICE, {"spec": {"type": "ClusterIP"}}),
    (
        "no-open-network",
        kinds.KUBERNETES_SERVICE,
        {"spec": {"type": "LoadBalancer", "loadBalancerSourceRanges": ["203.0.113.0/28"]}},
    ),
    ("known-networks", kinds.SNOWFLAKE_SERVICE_USER, {"networkPolicy": "P"}),
    ("known-networks", kinds.SNOWFLAKE_SERVICE_USER, {"networkPolicy": UNKNOWN}),
    ("private-previews", kinds.VERCEL_PROJECT, {"vercelAuthentication": {"deploymentType": "standard_protection_new"}}),
    ("own-domains", kinds.VERCEL_DOMAIN, {"domain": "sophia.payready.com"}),
    ("own-domains", kinds.VERCEL_DRAIN, {"endpoint": "https://agents.payready.com/webhook/vercel-logs"}),
    ("own-domains", kinds.VERCEL_WEBHOOK, {"url": "https://payready.com"}),
    ("personal-data-is-masked", kinds.SNOWFLAKE_TABLE, {"columns": [{"name": "COMPANY_ID"}, {"name": "TOPICS"}]}),
    ("personal-data-is-masked", kinds.SNOWFLAKE_TABLE, {"columns": [{"name": "EMAIL", "maskingPolicy": UNKNOWN}]}),
    ("personal-data-is-masked", kinds.SNOWFLAKE_TABLE, {"columns": UNKNOWN}),
    ("personal-data-is-masked", kinds.SNOWFLAKE_VIEW, {"columns": [{"columnName": "LISTED"}]}),
    ("managed-access", kinds.SNOWFLAKE_SCHEMA, {"withManagedAccess": "true"}),
    ("encrypted-on-the-way", kinds.AIRBYTE_SOURCE, {"configuration": {"url": "https://api.example"}}),
    ("encrypted-on-the-way", kinds.AIRBYTE_SOURCE, {"configuration": {"url": "http://127.0.0.1:8900/x"}}),
    ("encrypted-on-the-way", kinds.AIRBYTE_SOURCE, {"configuration": {"ssl_mode": {"mode": "require"}}}),
    ("encrypted-on-the-way", kinds.ESTUARY_BUNDLE, catalog("verify-full")),
    ("encrypted-on-the-way", kinds.ESTUARY_BUNDLE, {"specs": UNKNOWN}),
    ("no-grant-to-public", kinds.SNOWFLAKE_GRANT, {"accountRoleName": '"PUBLIC_READER"'}),
    ("no-grant-to-public", kinds.SNOWFLAKE_ROLE_GRANT, {"parentRoleName": UNKNOWN}),
    ("pages-are-opened-only", kinds.SNOWFLAKE_GRANT, {"onSchemaObject": PAGE, "privileges": ["USAGE"]}),
    ("pages-are-opened-only", kinds.SNOWFLAKE_GRANT, {"onSchemaObject": {"future": {}}, "privileges": ["SELECT"]}),
    ("pages-stay-inside", kinds.SNOWFLAKE_STREAMLIT, {"externalAccessIntegrations": UNKNOWN}),
    ("secrets-are-hidden", kinds.VERCEL_VARIABLE, {"key": "OPENROUTER_API_KEY", "sensitive": True}),
    ("secrets-are-hidden", kinds.VERCEL_VARIABLE, {"key": "NEXT_PUBLIC_STAGE", "sensitive": False}),
    ("secrets-are-hidden", kinds.KUBERNETES_CONFIG_MAP, {"data": {"LOG_LEVEL": "info"}}),
    ("zero-data-retention", kinds.OPENROUTER_GUARDRAIL, {"enforce_zdr": True}),
    ("warehouse-cost", kinds.SNOWFLAKE_WAREHOUSE, {"warehouseSize": "SMALL", "autoSuspend": 60}),
    ("warehouse-cost", kinds.SNOWFLAKE_WAREHOUSE, {"warehouseSize": UNKNOWN, "autoSuspend": UNKNOWN}),
    ("warehouse-monitor", kinds.SNOWFLAKE_WAREHOUSE, {"resourceMonitor": UNKNOWN}),
    ("credit-cap", kinds.SNOWFLAKE_MONITOR, {"creditQuota": 400, "suspendTrigger": 95}),
    ("model-key-limit", kinds.OPENROUTER_KEY, {"limit": 700.0, "limit_reset": "monthly"}),
    ("model-key-limit", kinds.OPENROUTER_KEY, {"limit": 1000.0, "limit_reset": None}),
    ("model-key-limit", kinds.OPENROUTER_KEY, {"limit": UNKNOWN}),
    ("model-budget", kinds.OPENROUTER_BUDGET, {"interval": "monthly", "limit_usd": 2500.0}),
    ("gateway-key-limit", kinds.PORTKEY_KEY, {"usage_limits": {"type": "cost", "credit_limit": 1000.0}}),
    ("gateway-limit", kinds.PORTKEY_WORKSPACE, {"usage_limits": [{"type": "cost", "credit_limit": 2000}]}),
    ("messaging-app-scope", kinds.SLACK_APPS[0], {"manifest": {"oauth_config": {"scopes": {"bot": ["chat:write"]}}}}),
    ("real-mail", kinds.APOLLO_SEQUENCE, {"active": False}),
    ("real-mail", kinds.APOLLO_SEQUENCE, {"active": True, "sends_real_mail": True}),
    ("real-mail-ends", kinds.APOLLO_SEQUENCE, {"active": False, "mark_finished_if_reply": False}),
    ("real-mail-ends", kinds.APOLLO_SEQUENCE, {"active": True, "max_emails_per_day": 200.0}),
    ("recordings-are-kept", kinds.GONG_PROFILE, {"permissions": {"delete_calls": False, "score_calls": True}}),
    ("recordings-are-kept", kinds.GONG_PROFILE, {}),
    ("recordings-stay-inside", kinds.GONG_PROFILE, profile("own", share_calls_with_customers=True)),
    ("recordings-stay-inside", kinds.GONG_PROFILE, profile("all", download_call_media=False)),
    ("recordings-stay-inside", kinds.GONG_PROFILE, {"calls_access": UNKNOWN, "permissions": UNKNOWN}),
    ("gpu-cap", kinds.KUBERNETES_QUOTA, {"spec": {"hard": {"requests.nvidia.com/gpu": "4", "pods": "200"}}}),
    ("whole-gpus", DEPLOYMENT, pod(gpu=1)),
    ("whole-gpus", DEPLOYMENT, pod(gpu="2")),
    ("whole-gpus", DEPLOYMENT, pod(gpu=1.0)),
    ("whole-gpus", DEPLOYMENT, pod(gpu=UNKNOWN)),
    ("pinned-images", DEPLOYMENT, pod(DIGEST)),
    (
        "reviewed-changes",
        kinds.GITHUB_BRANCH_PROTECTION,
        {"enforceAdmins": True, "requiredPullRequestReviews": [{"requiredApprovingReviewCount": 1}]},
    ),
    ("reviewed-changes", kinds.GITHUB_RULESET, ruleset(1, {"bypassMode": "pull_request"})),
    ("reviewed-changes", kinds.GITHUB_RULESET, {"target": "tag", "rules": {"deletion": True}}),
    ("credential-expiry", kinds.OPENROUTER_KEY, {"expires_at": (NOW + timedelta(days=90)).isoformat()}),
    ("credential-expiry", kinds.OPENROUTER_KEY, {"expires_at": "soon"}),
]
"""A policy, a kind, and properties that it allows."""

BAD: list[tuple[str, str, dict[str, Any], str]] = [
    (
        "no-wrong-account",
        kinds.AIRBYTE_DESTINATION,
        {"configuration": {"host": "SCOOBYJAVA-VW02766.snowflakecomputing.com"}},
        "property configuration.host of Airbyte destination",
    ),
    ("no-wrong-account", "random:index:X", {"tags": ["uhdecno.cvb64222"]}, "property tags[0] of x"),
    ("no-wrong-account", "random:index:X", {"account": "cvb64222"}, "use ZNB04675"),
    ("data-is-protected", kinds.SNOWFLAKE_DATABASE, {}, "option protect of Snowflake database"),
    ("data-is-protected", kinds.AIRBYTE_DESTINATION, {}, "data_store_options"),
    ("time-travel", kinds.SNOWFLAKE_DATABASE, {"dataRetentionTimeInDays": 0}, "snowflake.database.retention_days"),
    ("no-public-repository", kinds.GITHUB_REPOSITORY, {"visibility": "public"}, "github.repositories.it.visibility"),
    ("no-public-repository", kinds.GITHUB_REPOSITORY, {}, "would be public"),
    (
        "no-open-network",
        kinds.SNOWFLAKE_NETWORK_RULE,
        {"mode": "INGRESS", "valueLists": ["203.0.113.0/28", "0.0.0.0/0"]},
        "snowflake.network_policies.it.allowed",
    ),
    ("no-open-network", kinds.SNOWFLAKE_NETWORK_POLICY, {"allowedIpLists": ["128.0.0.0/1"]}, "would let in 128"),
    ("no-open-network", kinds.KUBERNETES_NETWORK_POLICY, ingress(), "would let in everybody"),
    ("no-open-network", kinds.KUBERNETES_NETWORK_POLICY, ingress({"ipBlock": {"cidr": "::/0"}}), "let in ::/0"),
    ("no-open-network", kinds.KUBERNETES_NETWORK_POLICY, egress(cidr="0.0.0.0/0"), "169.254.0.0/16"),
    ("no-open-network", kinds.KUBERNETES_NETWORK_POLICY, {"spec": {"egress": [{}]}}, "let out to everything"),
    ("no-open-network", kinds.KUBERNETES_SERVICE, {"spec": {"type": "LoadBalancer"}}, "ClusterIP"),
    ("no-open-network", kinds.KUBERNETES_SERVICE, {"spec": {"type": "NodePort"}}, "ClusterIP"),
    ("known-networks", kinds.SNOWFLAKE_SERVICE_USER, {}, "snowflake.users.it.network_policy"),
    ("private-previews", kinds.VERCEL_PROJECT, {"vercelAuthentication": {"deploymentType": "none"}}, "previews"),
    ("private-previews", kinds.VERCEL_PROJECT, {"gitForkProtection": False}, "stranger"),
    ("own-domains", kinds.VERCEL_DOMAIN, {"domain": "notpayready.com"}, "notpayready.com"),
    ("own-domains", kinds.VERCEL_DRAIN, {"endpoint": "https://payready.com.evil.example/x"}, "evil.example"),
    ("own-domains", kinds.VERCEL_WEBHOOK, {"url": "https://hooks.example/payready.com"}, "hooks.example"),
    ("personal-data-is-masked", kinds.SNOWFLAKE_TABLE, {"columns": [{"name": "RESIDENT_EMAIL"}]}, "RESIDENT_EMAIL"),
    ("personal-data-is-masked", kinds.SNOWFLAKE_TABLE, {"columns": [{"name": "card_number"}]}, "maskingPolicy"),
    ("personal-data-is-masked", kinds.SNOWFLAKE_VIEW, {"columns": [{"columnName": "EMAIL"}]}, "EMAIL"),
    ("managed-access", kinds.SNOWFLAKE_SCHEMA, {"withManagedAccess": "false"}, "snowflake.schemas.it.managed_access"),
    (
        "encrypted-on-the-way",
        kinds.AIRBYTE_SOURCE,
        {"configuration": {"url": "http://example.com"}},
        "configuration.url",
    ),
    ("encrypted-on-the-way", kinds.AIRBYTE_SOURCE, {"configuration": {"ssl": False}}, "configuration.ssl"),
    (
        "encrypted-on-the-way",
        kinds.AIRBYTE_SOURCE,
        {"configuration": {"ssl_mode": {"mode": "prefer"}}},
        "airbyte.sources.it.configuration.ssl_mode.mode",
    ),
    (
        "encrypted-on-the-way",
        kinds.ESTUARY_BUNDLE,
        catalog("prefer"),
        "estuary.captures.crm.configuration.advanced.sslmode",
    ),
    ("no-grant-to-public", kinds.SNOWFLAKE_GRANT, {"accountRoleName": '"PUBLIC"'}, "PUBLIC"),
    ("pages-are-opened-only", kinds.SNOWFLAKE_GRANT, {"onSchemaObject": PAGE, "allPrivileges": True}, "USAGE alone"),
    (
        "pages-are-opened-only",
        kinds.SNOWFLAKE_GRANT,
        {"onSchemaObject": PAGE, "privileges": ["USAGE"], "withGrantOption": "true"},
        "could be passed on",
    ),
    ("pages-stay-inside", kinds.SNOWFLAKE_STREAMLIT, {"externalAccessIntegrations": ["WEB"]}, "internet"),
    ("no-grant-to-public", kinds.SNOWFLAKE_ROLE_GRANT, {"parentRoleName": "public"}, "PUBLIC"),
    ("secrets-are-hidden", kinds.VERCEL_VARIABLE, {"key": "API_TOKEN", "sensitive": False}, "API_TOKEN"),
    ("secrets-are-hidden", kinds.GITHUB_VARIABLE, {"variableName": "DEPLOY_SECRET"}, "put it under `secrets`"),
    ("secrets-are-hidden", kinds.KUBERNETES_CONFIG_MAP, {"data": {"DB_PASSWORD": "x"}}, "DB_PASSWORD"),
    ("zero-data-retention", kinds.OPENROUTER_GUARDRAIL, {"enforce_zdr": False}, "it.zero_data_retention"),
    (
        "warehouse-cost",
        kinds.SNOWFLAKE_WAREHOUSE,
        {"warehouseSize": "X-LARGE", "autoSuspend": 60},
        "warehouses.it.size",
    ),
    ("warehouse-cost", kinds.SNOWFLAKE_WAREHOUSE, {"warehouseSize": "X6LARGE", "autoSuspend": 60}, "MEDIUM"),
    ("warehouse-cost", kinds.SNOWFLAKE_WAREHOUSE, {"autoSuspend": 0}, "for ever"),
    ("warehouse-cost", kinds.SNOWFLAKE_WAREHOUSE, {}, "for ever"),
    ("warehouse-cost", kinds.SNOWFLAKE_WAREHOUSE, {"autoSuspend": 60, "maxClusterCount": 10}, "max_clusters"),
    ("warehouse-monitor", kinds.SNOWFLAKE_WAREHOUSE, {}, "snowflake.resource_monitor"),
    ("credit-cap", kinds.SNOWFLAKE_MONITOR, {"creditQuota": 5000, "suspendTrigger": 95}, "credit_quota"),
    ("credit-cap", kinds.SNOWFLAKE_MONITOR, {"creditQuota": 10, "notifyTriggers": [80]}, "suspend_at"),
    ("model-key-limit", kinds.OPENROUTER_KEY, {"limit": None}, "openrouter.keys.it.limit_usd"),
    ("model-key-limit", kinds.OPENROUTER_KEY, {"limit": 50, "limit_reset": "daily"}, "1550 USD a month"),
    ("model-key-limit", kinds.OPENROUTER_KEY, {"limit": float("inf")}, "limit_usd"),
    ("model-budget", kinds.OPENROUTER_BUDGET, {"interval": "monthly", "limit_usd": 90000}, "openrouter.budgets.it"),
    ("traces-without-contents", kinds.OPENROUTER_DESTINATION, {"privacy_mode": False}, "openrouter.destinations.it"),
    ("gateway-key-limit", kinds.PORTKEY_KEY, {}, "portkey.api_keys.it.usage_limit"),
    ("gateway-limit", kinds.PORTKEY_WORKSPACE, {"usage_limits": []}, "portkey.workspace.usage_limit"),
    (
        "messaging-app-scope",
        kinds.SLACK_APPS[1],
        {"manifest": {"oauth_config": {"scopes": {"user": ["search:read"]}}}},
        "slack.apps.it.manifest.oauth_config.scopes.user",
    ),
    ("recordings-are-kept", kinds.GONG_PROFILE, profile("own", trim_calls=True), "gong.profiles.it.allow"),
    ("recordings-are-kept", kinds.GONG_PROFILE, profile("own", delete_emails=True), "put delete_emails under `deny`"),
    ("recordings-stay-inside", kinds.GONG_PROFILE, profile("all", download_call_media=True), "hears every call"),
    ("real-mail", kinds.APOLLO_SEQUENCE, {"active": True}, "apollo.sends_real_mail"),
    ("real-mail-ends", kinds.APOLLO_SEQUENCE, {"active": True}, "apollo.sequences.it.max_emails_per_day"),
    (
        "real-mail-ends",
        kinds.APOLLO_SEQUENCE,
        {"active": True, "max_emails_per_day": 40, "mark_finished_if_reply": False},
        "apollo.sequences.it.mark_finished_if_reply",
    ),
    ("gpu-cap", kinds.KUBERNETES_QUOTA, {"spec": {"hard": {"requests.nvidia.com/gpu": "64"}}}, "kubernetes.quota.gpus"),
    ("whole-gpus", DEPLOYMENT, pod(gpu="0.25"), "time-slicing"),
    ("whole-gpus", DEPLOYMENT, pod(gpu=0.25), "containers[0].resources.limits.nvidia.com/gpu"),
    ("whole-gpus", DEPLOYMENT, pod(gpu="250m"), "ask for 1"),
    ("whole-gpus", kinds.KUBERNETES_QUOTA, {"spec": {"hard": {"requests.nvidia.com/gpu": "0.25"}}}, "of a GPU"),
    ("pinned-images", DEPLOYMENT, pod("app:1.2.3"), "add its digest"),
    ("pinned-images", DEPLOYMENT, pod("app"), "spec.template.spec.containers[0].image"),
    ("reviewed-changes", kinds.GITHUB_BRANCH_PROTECTION, {"enforceAdmins": False}, "administrators"),
    ("reviewed-changes", kinds.GITHUB_BRANCH_PROTECTION, {"enforceAdmins": True}, "nobody has looked at"),
    ("reviewed-changes", kinds.GITHUB_RULESET, ruleset(0), "nobody has looked at"),
    ("reviewed-changes", kinds.GITHUB_RULESET, ruleset(1, {"bypassMode": "always"}), "push past the review"),
    ("reviewed-changes", kinds.GITHUB_ORGANIZATION_RULESET, {**ruleset(1), "enforcement": "disabled"}, "for nobody"),
    ("no-public-bucket", kinds.AWS_PUBLIC_ACCESS_BLOCK, {"blockPublicAcls": False}, "property blockPublicAcls"),
    ("aws-encryption", kinds.AWS_KEY, {"enableKeyRotation": False}, "never be rotated"),
    ("least-privilege", kinds.AWS_ROLE_POLICY, aws_document(Action="s3:*", Resource="a"), "name each action"),
    ("narrow-trust", kinds.AWS_ROLE, aws_document("assumeRolePolicy", Principal="*"), "trusts everybody"),
    (
        "credential-expiry",
        kinds.OPENROUTER_KEY,
        {"expires_at": (NOW + timedelta(days=91)).isoformat()},
        "no later than 2027-02-19",
    ),
]
"""The same that it does not allow, and a part of what it tells."""

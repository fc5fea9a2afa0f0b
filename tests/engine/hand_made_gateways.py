"""Estates that people made by hand on Portkey, Pinecone and Qdrant, and the settings that describe them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.engine.hand_made import Estate, Hand, Json, credentials

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

FEEDBACK = {
    "on_success": {"feedback": {"value": 5, "weight": 1, "metadata": ""}},
    "on_fail": {"feedback": {"value": -5, "weight": 1, "metadata": ""}},
}


def make_portkey(checkout: Checkout) -> None:
    by, at = Hand(checkout, {"x-portkey-api-key": credentials(checkout)["PORTKEY_ADMIN_API_KEY"]}), "/portkey/v1"
    workspace = by.post(
        f"{at}/admin/workspaces",
        name="Pay Ready",
        description="All of it",
        defaults={"metadata": {"stage": "dev"}},
        usage_limits=[{"type": "cost", "credit_limit": 100, "periodic_reset": "monthly"}],
    )["id"]
    by.send("GET", f"{at}/admin/workspaces/{workspace}")  # The sandbox makes its people with the first look.
    in_it = {"workspace_id": workspace}
    for slug, vendor, more in (
        ("openai-main", "openai", {"key": "planted-key-of-openai"}),
        (
            "bedrock-us",
            "bedrock",
            {
                "configurations": {
                    "aws_auth_type": "accessKey",
                    "aws_region": "us-east-1",
                    "aws_access_key_id": "AKIAEXAMPLE",
                    "aws_secret_access_key": "planted-secret-of-aws",
                }
            },
        ),
        ("unused", "groq", {"key": "planted-key-of-groq"}),
    ):
        by.post(f"{at}/integrations", name=slug.replace("-", " ").title(), slug=slug, ai_provider_id=vendor, **more)
    by.send(
        "PUT",
        f"{at}/integrations/openai-main/models",
        allow_all_models=False,
        models=[
            {"slug": "gpt-4o", "enabled": True},
            {
                "slug": "ft:gpt-4o:collections",
                "enabled": True,
                "is_custom": True,
                "base_model_slug": "gpt-4o",
                "pricing_config": {"type": "static", "pay_as_you_go": {"request_token": {"price": 0.0003}}},
            },
        ],
    )
    for slug in ("openai-main", "bedrock-us"):
        access = {"id": workspace, "enabled": True, "rate_limits": [{"type": "requests", "unit": "rpm", "value": 90}]}
        by.send("PUT", f"{at}/integrations/{slug}/workspaces", workspaces=[access], create_default_provider=False)
    by.post(f"{at}/providers", **in_it, name="OpenAI", slug="openai", integration_id="openai-main", note="For chats")
    guardrail = by.post(
        f"{at}/guardrails",
        **in_it,
        name="No cards",
        checks=[{"id": "default.regexMatch", "parameters": {"rule": r"\d{16}", "not": True}}],
        actions={"deny": True, **FEEDBACK},
    )["slug"]
    by.post(
        f"{at}/guardrails",
        **in_it,
        name="Strict",
        checks=[{"id": "default.contains", "parameters": {"words": ["jail"], "operator": "none"}}],
        actions={"deny": True, "on_fail": {"feedback": {"value": -10}}},
    )
    target = {"provider": "@openai", "override_params": {"model": "gpt-4o"}, "retry": {"attempts": 2}}
    by.post(
        f"{at}/configs",
        **in_it,
        name="Chats",
        config={
            "strategy": {"mode": "fallback", "on_status_codes": [429]},
            "targets": [target, {"provider": "@openai", "override_params": {"model": "ft:gpt-4o:collections"}}],
            "input_guardrails": [guardrail],
            "cache": {"mode": "simple", "max_age": 60},
        },
    )
    by.post(f"{at}/configs", **in_it, name="Old", config={"virtual_key": "openai"})
    payments = by.post(f"{at}/collections", **in_it, name="Payments")["id"]
    late = by.post(f"{at}/collections", **in_it, name="Late", parent_collection_id=payments)["id"]
    disclosure = by.post(f"{at}/prompts/partials", **in_it, name="Disclosure", string="This is a debt.")["slug"]
    by.send("PUT", f"{at}/prompts/partials/{disclosure}", string="This is an attempt to collect a debt.")
    content: list[Json] = [
        {"content": [{"type": "text", "text": f"Friendly. {{{{>{disclosure}}}}}"}], "role": "system"},
        {"role": "user", "content": "Remind {{resident}} schön freundlich."},
    ]
    body = {"parameters": {"temperature": 0.3}, "model": "gpt-4o", "virtual_key": "openai"}
    reminder = by.post(f"{at}/prompts", name="Reminder", collection_id=late, string=json.dumps(content[1:]), **body)[
        "slug"
    ]
    spaced = json.dumps(content, indent=2, ensure_ascii=False)
    by.send("PUT", f"{at}/prompts/{reminder}", string=spaced, **body)
    by.send("PUT", f"{at}/prompts/{reminder}/makeDefault", version=2)
    by.send("PUT", f"{at}/prompts/{reminder}", string=json.dumps(content[1:]), **body)
    key = by.post(f"{at}/api-keys/workspace/service", **in_it, name="Web app", scopes=["completions.write"])["id"]
    by.post(
        f"{at}/policies/usage-limits",
        **in_it,
        name="A resident",
        conditions=[{"key": "workspace_id", "value": workspace}],
        group_by=[{"key": "metadata.resident"}],
        type="tokens",
        credit_limit=2000,
        periodic_reset="weekly",
    )
    for name, condition in (
        ("A chat", {"key": "metadata.channel", "value": "chat"}),
        ("The web app", {"key": "api_key", "value": key}),
    ):
        by.post(
            f"{at}/policies/rate-limits",
            **in_it,
            name=name,
            conditions=[condition],
            group_by=[{"key": "workspace_id"}],
            type="requests",
            unit="rph",
            value=20,
        )


PORTKEY: Json = {
    "workspace": {
        "name": "Pay Ready",
        "description": "All of it",
        "metadata": {"stage": "dev"},
        "usage_limit": {"credit_limit": 100},
    },
    "integrations": {
        "openai-main": {
            "adopt": True,
            "name": "Openai Main",
            "slug": "openai-main",
            "ai_provider_id": "openai",
            "secrets": {"key": {"environment": "OPENAI_MAIN_KEY"}},
            "models": [
                {"slug": "ft:gpt-4o:collections", "base_model": "gpt-4o", "request_token_price": 0.0003},
                "gpt-4o",
            ],
            "rate_limit": {"value": 90},
        },
        "bedrock-us": {
            "adopt": True,
            "name": "Bedrock Us",
            "slug": "bedrock-us",
            "ai_provider_id": "bedrock",
            "secrets": {"aws_secret_access_key": {"environment": "BEDROCK_US_AWS_SECRET_ACCESS_KEY"}},
            "configurations": {
                "aws_auth_type": "accessKey",
                "aws_region": "us-east-1",
                "aws_access_key_id": "AKIAEXAMPLE",
            },
            "rate_limit": {"value": 90},
        },
    },
    "providers": {
        "openai": {"name": "OpenAI", "slug": "openai", "integration": "openai-main", "note": "For chats"},
    },
    "guardrails": {
        "no-cards": {
            "name": "No cards",
            "checks": [{"id": "default.regexMatch", "parameters": {"rule": r"\d{16}", "not": True}}],
        }
    },
    "configs": {
        "chats": {
            "name": "Chats",
            "config": {
                "strategy": {"mode": "fallback", "on_status_codes": [429]},
                "targets": [
                    {"provider": "openai", "override_params": {"model": "gpt-4o"}, "retry": {"attempts": 2}},
                    {"provider": "openai", "override_params": {"model": "ft:gpt-4o:collections"}},
                ],
                "input_guardrails": ["no-cards"],
                "cache": {"mode": "simple", "max_age": 60},
            },
        }
    },
    "collections": {"payments": {"name": "Payments"}, "late": {"name": "Late", "parent": "payments"}},
    "partials": {
        "disclosure": {
            "name": "Disclosure",
            "text": "This is an attempt to collect a debt.",
            "published": 1,
        }
    },
    "prompts": {
        "reminder": {
            "name": "Reminder",
            "collection": "late",
            "provider": "openai",
            "model": "gpt-4o",
            "parameters": {"temperature": 0.3},
            "messages": [{"role": "user", "content": "Remind {{resident}} schön freundlich."}],
            "published": 2,
        }
    },
    "usage_policies": {
        "a-resident": {
            "name": "A resident",
            "group_by": ["metadata.resident"],
            "type": "tokens",
            "credit_limit": 2000,
            "periodic_reset": "weekly",
        }
    },
    "rate_policies": {
        "a-chat": {"name": "A chat", "conditions": {"metadata.channel": "chat"}, "unit": "rph", "value": 20},
    },
}


def make_pinecone(checkout: Checkout) -> None:
    key = credentials(checkout)["PINECONE_API_KEY"]
    by = Hand(checkout, {"Api-Key": key, "X-Pinecone-Api-Version": "2026-04"})
    schedules = Hand(checkout, {"Api-Key": key, "X-Pinecone-Api-Version": "2026-07"})
    place = {"cloud": "aws", "region": "us-east-1"}
    by.post(
        "/pinecone/indexes",
        name="calls",
        dimension=8,
        metric="cosine",
        spec={"serverless": {**place, "schema": {"fields": {"resident_id": {"filterable": True}}}}},
        deletion_protection="enabled",
        tags={"data": "personal"},
    )
    nodes = {"node_type": "b1", "scaling": "Manual", "manual": {"replicas": 1, "shards": 2}}
    by.post(
        "/pinecone/indexes",
        name="playbooks",
        vector_type="sparse",
        metric="dotproduct",
        spec={"serverless": {**place, "read_capacity": {"mode": "Dedicated", "dedicated": nodes}}},
    )
    by.post(
        "/pinecone/indexes/create-for-model",
        name="documents",
        **place,
        embed={"model": "llama-text-embed-v2", "dimension": 384, "field_map": {"text": "chunk"}},
    )
    for name in ("calls", "playbooks", "documents"):
        by.send("GET", f"/pinecone/indexes/{name}")
    weekly = {"schedule": {"type": "time-based", "frequency": "weekly"}, "retention": {"expire_after_days": 7}}
    schedules.post("/pinecone/indexes/calls/backup-schedules", name="every week", **weekly)
    for name in ("before the move", "every week 2026-11-01"):
        made = by.post("/pinecone/indexes/calls/backups", name=name, description="By Ada")
        by.send("GET", f"/pinecone/backups/{made['backup_id']}")


PINECONE: Json = {
    "project": {"name": "sophia-dev"},
    "indexes": {
        "calls": {
            "name": "calls",
            "cloud": "aws",
            "region": "us-east-1",
            "dimension": 8,
            "metric": "cosine",
            "filterable": ["resident_id"],
            "tags": {"data": "personal"},
            "backups": {"name": "every week", "frequency": "weekly", "retention_days": 7},
        },
        "playbooks": {
            "name": "playbooks",
            "cloud": "aws",
            "region": "us-east-1",
            "vectors": "sparse",
            "metric": "dotproduct",
            "deletion_protection": False,
            "read_capacity": {"node_type": "b1", "replicas": 1, "shards": 2},
        },
        "documents": {
            "name": "documents",
            "cloud": "aws",
            "region": "us-east-1",
            "dimension": 384,
            "metric": "cosine",
            "deletion_protection": False,
            "embedding": {
                "model": "llama-text-embed-v2",
                "field_map": {"text": "chunk"},
                "read_parameters": {"input_type": "query", "truncate": "END"},
                "write_parameters": {"input_type": "passage", "truncate": "END"},
            },
        },
    },
    "backups": {"before-the-move": {"index": "calls", "name": "before the move", "description": "By Ada"}},
}

_ACCOUNT = "/qdrant/api/{}/accounts/{}"


def _qdrant(checkout: Checkout, what: str, path: str = "") -> str:
    return f"{_ACCOUNT.format(what, credentials(checkout)['QDRANT_CLOUD_ACCOUNT_ID'])}/{path}"


def _manager(checkout: Checkout) -> Hand:
    key = credentials(checkout)["QDRANT_CLOUD_MANAGEMENT_KEY"]
    return Hand(checkout, {"Authorization": f"apikey {key}"})


def make_qdrant(checkout: Checkout) -> None:
    by = _manager(checkout)
    packages = by.send(
        "GET", _qdrant(checkout, "booking/v1", "packages?cloudProviderId=aws&cloudProviderRegionId=us-east-1")
    )["items"]
    for name, labels in (("main", []), ("theirs", [("managed-by", "sophia-ai"), ("stage", "prod")])):
        cluster = {
            "name": name,
            "cloudProviderId": "aws",
            "cloudProviderRegionId": "us-east-1",
            "labels": [{"key": key, "value": value} for key, value in labels],
            "configuration": {
                "numberOfNodes": 1,
                "packageId": packages[1]["id"],
                "version": "v1.19.0",
                "databaseConfiguration": {"auditLogging": {"enabled": True}},
            },
        }
        made = by.post(_qdrant(checkout, "cluster/v1", "clusters"), cluster=cluster)["cluster"]["id"]
        by.send("GET", _qdrant(checkout, "cluster/v1", f"clusters/{made}"))
    main = _main(checkout)
    schedule = {"clusterId": main, "displayName": "Nightly", "schedule": "0 8 * * *", "retentionPeriod": "604800s"}
    by.post(_qdrant(checkout, "cluster/backup/v1", "backup_schedules"), backupSchedule=schedule)
    _fill(checkout, main)


def _main(checkout: Checkout) -> str:
    return next(id_ for id_, one in checkout.objects("qdrant", "cluster").items() if one["name"] == "main")


def _database_key(checkout: Checkout, name: str) -> str:
    body = {"databaseApiKey": {"clusterId": _main(checkout), "name": name}}
    made = _manager(checkout).post(_qdrant(checkout, "cluster/auth/v2", "database-api-keys"), **body)
    return str(made["databaseApiKey"]["key"])


def open_qdrant(checkout: Checkout) -> dict[str, str]:
    return {"QDRANT_MAIN_DATABASE_KEY": _database_key(checkout, "For a look")}


def _fill(checkout: Checkout, cluster: str) -> None:
    by, at = Hand(checkout, {"api-key": _database_key(checkout, "By Ada")}), f"/qdrant/databases/{cluster}"
    text: Json = {"text": {"size": 8, "distance": "Cosine", "on_disk": True}}
    by.send(
        "PUT",
        f"{at}/collections/calls_v1",
        vectors=text,
        sparse_vectors={"words": {"modifier": "idf"}},
        quantization_config={"scalar": {"type": "int8"}},
        metadata={"model": "openai/text-embedding-3-small", "purpose": "What residents said"},
    )
    by.send(
        "PUT", f"{at}/collections/calls_v2", vectors={"text": {"size": 16, "distance": "Dot"}}, hnsw_config={"m": 32}
    )
    by.send("PUT", f"{at}/collections/Leases 2024", vectors={"size": 4, "distance": "Euclid"}, shard_number=2)
    by.send("PUT", f"{at}/collections/scratch", vectors=text)
    for field, schema in (("property_id", {"type": "keyword", "is_tenant": True}), ("said_at", "datetime")):
        by.send("PUT", f"{at}/collections/calls_v1/index", field_name=field, field_schema=schema)
    named = (("calls", "calls_v1"), ("leases", "Leases 2024"), ("leases-now", "Leases 2024"))
    actions = [{"create_alias": {"alias_name": alias, "collection_name": name}} for alias, name in named]
    by.post(f"{at}/collections/aliases", actions=actions)


_CALLS: dict[str, Any] = {
    "v1": {
        "adopt": True,
        "vectors": {"text": {"size": 8, "on_disk": True}},
        "sparse_vectors": {"words": {"idf": True}},
        "quantization": {"scalar": {"type": "int8"}},
        "metadata": {"model": "openai/text-embedding-3-small"},
        "indexes": {"property_id": {"type": "keyword", "is_tenant": True}, "said_at": "datetime"},
    }
}

QDRANT: Json = {
    "clusters": {
        "main": {
            "name": "main",
            "provider": "aws",
            "region": "us-east-1",
            "size": {"memory": "1GiB", "cpu": "500m", "disk": "4GiB"},
            "version": "v1.19.0",
            "audit_log": True,
        }
    },
    "backups": {
        "nightly": {"cluster": "main", "name": "Nightly", "schedule": "0 8 * * *", "retention_days": 7},
    },
    "collections": {
        "calls": {
            "adopt": True,
            "database": "main",
            "alias": "calls",
            "current": "v1",
            "purpose": "What residents said",
            "versions": _CALLS,
        },
        "leases": {
            "adopt": True,
            "database": "main",
            "alias": "leases",
            "current": "leases-2024",
            "versions": {
                "leases-2024": {
                    "adopt": True,
                    "name": "Leases 2024",
                    "vector": {"size": 4, "distance": "Euclid"},
                    "shards": 2,
                }
            },
        },
    },
}

ESTATES = {
    "portkey": Estate(
        make_portkey,
        PORTKEY,
        ("OPENAI_MAIN_KEY", "BEDROCK_US_AWS_SECRET_ACCESS_KEY"),
        (
            ("integration", "Unused", "may not use it"),
            ("guardrail", "Strict", "5 and -5"),
            ("config", "Old", "virtual_key"),
            ("API key", "Web app", "declare a new key"),
            ("rate policy", "The web app", "API key"),
        ),
        reads=40,
    ),
    "pinecone": Estate(
        make_pinecone,
        PINECONE,
        (),
        (
            ("project", "sophia-staging", "another project"),
            ("project", "sophia-prod", "another project"),
            ("API key", "control plane", "declare a new key"),
        ),
        options=("--workspace", "sophia-dev"),
        reads=12,
    ),
    "qdrant": Estate(
        make_qdrant,
        QDRANT,
        (),
        (
            ("cluster", "theirs", "sophia-ai/prod"),
            ("database key", "By Ada", "declare a new key"),
            ("database key", "For a look", "declare a new key"),
            ("alias", "leases-now", "second name"),
            ("collection", "scratch", "give it one"),
            ("collection", "calls_v2", "purpose"),
            ("management key", "", "no names"),
        ),
        reads=14,
        opens=open_qdrant,
        writes=("database_key", "/database-api-keys"),
    ),
}

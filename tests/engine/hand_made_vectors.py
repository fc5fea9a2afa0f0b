"""Estates that people made by hand on Pinecone and Qdrant, and the settings that describe them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.engine.hand_made import Estate, Hand, Json, credentials

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout


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

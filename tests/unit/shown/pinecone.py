"""An object of every kind of Pinecone's: as it is asked for, and as Pinecone shows it."""

from __future__ import annotations

from typing import Any

from providers import pinecone
from tests.unit.shown.example import OURS, Examples

SOME_ID, OTHER_ID = "11111111-0000-4000-8000-000000000000", "22222222-0000-4000-8000-000000000000"
INDEX: dict[str, Any] = {
    "name": "x",
    "host": "x-0a1b2c3.svc.aped-4627-b74a.pinecone.io",
    "vector_type": "dense",
    "deletion_protection": "enabled",
    "status": {"ready": True, "state": "Ready"},
}

SHOWN: Examples = {
    "pinecone project": (
        pinecone.Project,
        {"name": "sophia-dev"},
        {
            "id": "x",
            "name": "sophia-dev",
            "max_pods": 0,
            "force_encryption_with_cmek": False,
            "organization_id": "-Norganization",
            "created_at": "2026-08-24T10:30:00Z",
        },
        "x",
    ),
    "pinecone API key": (
        pinecone.ApiKey,
        {"project_id": SOME_ID, "name": "Web app", "roles": ["DataPlaneViewer", "ControlPlaneViewer"]},
        {
            "id": "x",
            "name": f"Web app {OURS}",
            "project_id": SOME_ID,
            "roles": ["DataPlaneViewer", "ControlPlaneViewer"],
        },
        "x",
    ),
    "pinecone index": (
        pinecone.Index,
        {
            "name": "x",
            "cloud": "aws",
            "region": "us-east-1",
            "vector_type": "dense",
            "dimension": 1536,
            "metric": "cosine",
            "filterable": ["resident_id", "channel"],
            "tags": {"data": "personal"},
        },
        {
            **INDEX,
            "dimension": 1536,
            "metric": "cosine",
            "tags": {"data": "personal", "managed_by": "sophia-ai;dev"},
            "spec": {
                "serverless": {
                    "cloud": "aws",
                    "region": "us-east-1",
                    "read_capacity": {"mode": "OnDemand", "status": {"state": "Ready"}},
                    "schema": {"fields": {"channel": {"filterable": True}, "resident_id": {"filterable": True}}},
                }
            },
        },
        "x",
    ),
    "pinecone index of a model on nodes of its own": (
        pinecone.Index,
        {
            "name": "x",
            "cloud": "aws",
            "region": "us-east-1",
            "model": "multilingual-e5-large",
            "field_map": {"text": "chunk"},
            "read_parameters": {"truncate": "NONE"},
            "read_capacity": {"mode": "Dedicated", "node_type": "b1", "replicas": 2, "shards": 1},
        },
        {
            **INDEX,
            "dimension": 1024,
            "metric": "cosine",
            "embed": {
                "model": "multilingual-e5-large",
                "metric": "cosine",
                "dimension": 1024,
                "vector_type": "dense",
                "field_map": {"text": "chunk"},
                "read_parameters": {"input_type": "query", "truncate": "NONE"},
                "write_parameters": {"input_type": "passage", "truncate": "END"},
            },
            "spec": {
                "serverless": {
                    "cloud": "aws",
                    "region": "us-east-1",
                    "read_capacity": {
                        "mode": "Dedicated",
                        "dedicated": {
                            "node_type": "b1",
                            "scaling": "Manual",
                            "manual": {"replicas": 2, "shards": 1},
                        },
                        "status": {"state": "Scaling", "current_replicas": 1, "current_shards": 1},
                    },
                }
            },
        },
        "x",
    ),
    "pinecone pod index": (
        pinecone.PodIndex,
        {"name": "x", "environment": "us-east1-gcp", "dimension": 8, "metric": "dotproduct", "filterable": ["genre"]},
        {
            **INDEX,
            "dimension": 8,
            "metric": "dotproduct",
            "spec": {
                "pod": {
                    "environment": "us-east1-gcp",
                    "pod_type": "p1.x1",
                    "pods": 1,
                    "replicas": 1,
                    "shards": 1,
                    "metadata_config": {"indexed": ["genre"]},
                }
            },
        },
        "x",
    ),
    "pinecone backup": (
        pinecone.Backup,
        {"index_name": "conversations", "name": "release-12", "description": "As of release 12"},
        {
            "backup_id": "x",
            "source_index_name": "conversations",
            "source_index_id": SOME_ID,
            "name": "release-12",
            "description": f"As of release 12 {OURS}",
            "status": "Ready",
            "cloud": "aws",
            "region": "us-east-1",
            "dimension": 1536,
            "record_count": 5,
            "created_at": "2026-08-24T10:30:00Z",
        },
        "x",
    ),
    "pinecone schedule": (
        pinecone.BackupSchedule,
        {"index_name": "conversations", "name": "scheduled", "frequency": "daily", "retention_days": 7},
        {
            "schedule_id": "x",
            "name": "scheduled",
            "index_id": SOME_ID,
            "project_id": OTHER_ID,
            "schedule_type": "time-based",
            "frequency": "daily",
            "retention_expire_after_days": 7,
            "enabled": True,
            "next_scheduled_run": "2026-08-25T06:00:00+00:00",
            "created_at": "2026-08-24T10:30:00.000000+00:00",
        },
        "x",
    ),
}

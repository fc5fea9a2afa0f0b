"""An object of every kind of Qdrant's: as it is asked for, and as Qdrant shows it."""

from __future__ import annotations

from typing import Any

from providers import qdrant
from tests.unit.shown.example import OURS, Examples

SOME_ID = "11111111-0000-4000-8000-000000000000"
DATABASE: dict[str, Any] = {"cluster": "c-1", "address": "https://x.test:6333", "api_key": "qdrant-key"}

SHOWN: Examples = {
    "qdrant cluster": (
        qdrant.Cluster,
        {
            "name": "sophia-dev",
            "cloud_provider_id": "aws",
            "cloud_provider_region_id": "us-east-1",
            "number_of_nodes": 3,
            "size": {"ram": "4GiB", "cpu": "1000m", "disk": "16GiB"},
            "labels": {"stage": "dev", "managed-by": "sophia-ai"},
            "restart_policy": "ROLLING",
        },
        {
            "id": "x",
            "accountId": SOME_ID,
            "createdAt": "2026-08-24T10:30:00Z",
            "name": "sophia-dev",
            "cloudProviderId": "aws",
            "cloudProviderRegionId": "us-east-1",
            "labels": [{"key": "managed-by", "value": "sophia-ai"}, {"key": "stage", "value": "dev"}],
            "configuration": {
                "numberOfNodes": 3,
                "version": "v1.19.1",
                "packageId": "p-4",
                "restartPolicy": "CLUSTER_CONFIGURATION_RESTART_POLICY_ROLLING",
                "reservedCpuPercentage": 20,
            },
            "state": {
                "phase": "CLUSTER_PHASE_HEALTHY",
                "endpoint": {"url": "https://x.us-east-1-0.aws.cloud.qdrant.io", "restPort": 6333, "grpcPort": 6334},
            },
        },
        "x",
    ),
    "qdrant backup schedule": (
        qdrant.BackupSchedule,
        {"cluster_id": SOME_ID, "display_name": "Nightly", "schedule": "0 8 * * *", "retention_days": 7},
        {
            "id": "x",
            "clusterId": SOME_ID,
            "displayName": f"Nightly {OURS}",
            "schedule": "0 8 * * *",
            "retentionPeriod": "604800s",
            "status": "BACKUP_SCHEDULE_STATUS_ACTIVE",
        },
        "x",
    ),
    "qdrant database key": (
        qdrant.DatabaseKey,
        {
            "cluster_id": SOME_ID,
            "name": "Agents",
            "collections": {"calls": "READ_ONLY"},
            "expires_at": "2027-12-31T23:00:00+01:00",
        },
        {
            "id": "x",
            "clusterId": SOME_ID,
            "name": "Agents",
            "expiresAt": "2027-12-31T22:00:00Z",
            "accessRules": [
                {
                    "collectionAccess": {
                        "collectionName": "calls",
                        "accessType": "COLLECTION_ACCESS_RULE_ACCESS_TYPE_READ_ONLY",
                    }
                }
            ],
            "postfix": "abc",
        },
        "x",
    ),
    "qdrant management key": (
        qdrant.ManagementKey,
        {"generation": 2},
        {"id": "x", "prefix": "0a"},
        "x",
    ),
    "qdrant collection": (
        qdrant.Collection,
        {
            **DATABASE,
            "name": "calls_v1",
            "vectors": {"text": {"size": 8, "distance": "Cosine"}},
            "tuning": {"text": {"on_disk": True}},
            "hnsw_config": {"m": 24},
            "replication_factor": 2,
            "metadata": {"model": "m"},
            "purpose": "Calls",
        },
        {
            "status": "green",
            "optimizer_status": "ok",
            "points_count": 7,
            "segments_count": 2,
            "config": {
                "params": {
                    "vectors": {"text": {"size": 8, "distance": "Cosine", "on_disk": True}},
                    "shard_number": 3,
                    "replication_factor": 2,
                    "write_consistency_factor": 1,
                    "on_disk_payload": True,
                },
                "hnsw_config": {"m": 24, "ef_construct": 100, "full_scan_threshold": 10000},
                "optimizer_config": {"default_segment_number": 0, "flush_interval_sec": 5},
                "quantization_config": None,
                "metadata": {"purpose": f"Calls {OURS}", "model": "m"},
            },
            "payload_schema": {},
        },
        "c-1/calls_v1",
    ),
    "qdrant alias": (
        qdrant.Alias,
        {**DATABASE, "name": "calls", "collection": "calls_v1"},
        {"alias_name": "calls", "collection_name": "calls_v1"},
        "c-1/calls",
    ),
    "qdrant payload index": (
        qdrant.PayloadIndex,
        {
            **DATABASE,
            "collection": "calls_v1",
            "field": "property_id",
            "field_schema": {"type": "keyword", "is_tenant": True},
        },
        {
            "result": {
                "payload_schema": {
                    "property_id": {
                        "data_type": "keyword",
                        "params": {"type": "keyword", "is_tenant": True},
                        "points": 7,
                    }
                }
            }
        },
        "c-1/calls_v1/property_id",
    ),
}

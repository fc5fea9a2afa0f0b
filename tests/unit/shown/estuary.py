"""An object of every kind of Estuary's: as it is asked for, and as Estuary shows it."""

from __future__ import annotations

from providers import estuary
from tests.unit.shown.example import OURS, Examples

SHOWN: Examples = {
    "estuary storage mapping": (
        estuary.StorageMapping,
        {
            "catalog_prefix": "acme/",
            "spec": {"stores": [{"provider": "S3", "bucket": "b"}], "data_planes": ["ops/dp/a"]},
        },
        {
            "catalogPrefix": "acme/",
            "detail": f"Sophia AI {OURS}",
            "spec": {"stores": [{"provider": "S3", "bucket": "b", "prefix": None}], "data_planes": ["ops/dp/a"]},
        },
        "acme/",
    ),
    "estuary alert subscription": (
        estuary.AlertSubscription,
        {"prefix": "acme/", "email": "a@acme.test", "alert_types": ["task_idle", "shard_failed"]},
        {
            "prefix": "acme/",
            "email": "a@acme.test",
            "alertTypes": ["task_idle", "shard_failed"],
            "detail": f"Sophia AI {OURS}",
        },
        "acme/a@acme.test",
    ),
    "estuary service account": (
        estuary.ServiceAccount,
        {
            "catalog_name": "acme/mcp",
            "grants": [{"prefix": "b/", "capability": "read"}, {"prefix": "a/", "capability": "admin"}],
        },
        {
            "catalogName": "acme/mcp",
            "grants": [{"prefix": "a/", "capability": "admin"}, {"prefix": "b/", "capability": "read"}],
            "apiKeys": [],
        },
        "acme/mcp",
    ),
    "estuary key": (
        estuary.ApiKey,
        {"catalog_name": "acme/mcp", "detail": "MCP servers"},
        {
            "catalogName": "acme/mcp",
            "grants": [],
            "apiKeys": [{"id": "x", "detail": f"MCP servers {OURS}", "expiresAt": "2027-01-01T00:00:00Z"}],
        },
        "x",
    ),
}

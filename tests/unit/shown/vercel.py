"""An object of every kind of Vercel's: as it is asked for, and as Vercel shows it."""

from __future__ import annotations

from providers import vercel
from tests.unit.shown.example import OURS, Examples

SHOWN: Examples = {
    "vercel token": (
        vercel.Token,
        {"name": "Pipeline", "generation": 2, "lifetime_days": 30},
        {
            "id": "x",
            "name": f"Pipeline #2 {OURS}",
            "type": "token",
            "origin": "manual",
            "createdAt": 1790000000000,
            "activeAt": 1790000000000,
            "expiresAt": 4790000000000,
        },
        "x",
    ),
    "vercel webhook": (
        vercel.Webhook,
        {"url": "https://hooks.payready.com/vercel", "events": ["deployment.error", "budget.reached"], "generation": 2},
        {
            "id": "x",
            "url": "https://hooks.payready.com/vercel?generation=2",
            "events": ["deployment.error", "budget.reached"],
            "ownerId": "team_1",
            "createdAt": 1790000000000,
            "updatedAt": 1790000000000,
        },
        "x",
    ),
    "vercel drain": (
        vercel.Drain,
        {
            "name": "Logs",
            "endpoint": "https://hooks.payready.com/logs",
            "secret": "0123456789abcdef0123456789abcdef",
            "sources": ["lambda", "build"],
            "sampling_rate": 0.5,
        },
        {
            "id": "x",
            "name": f"Logs {OURS}",
            "ownerId": "team_1",
            "status": "enabled",
            "schemas": {"log": {"version": "v1"}},
            "delivery": {
                "type": "http",
                "endpoint": "https://hooks.payready.com/logs",
                "encoding": "ndjson",
                "headers": {},
            },
            "filterV2": {"version": "v2", "filter": {"type": "basic", "log": {"sources": ["lambda", "build"]}}},
            "sampling": [{"type": "head_sampling", "rate": 0.5}],
            "source": {"kind": "self-served"},
        },
        "x",
    ),
    "vercel protection bypass": (
        vercel.ProtectionBypass,
        {"project_id": "prj_1", "name": "pipeline", "secret": "abcdefghijklmnopqrstuvwxyz012345"},
        {
            "protectionBypass": {
                "abcdefghijklmnopqrstuvwxyz012345": {"createdAt": 1790000000000, "scope": "automation-bypass"}
            }
        },
        "prj_1/pipeline",
    ),
}

"""An object of every kind of Lambda Labs's: as it is asked for, and as Lambda Labs shows it."""

from __future__ import annotations

from typing import Any

from providers import lambda_labs
from tests.unit.shown.example import Examples

REGION: dict[str, Any] = {"name": "us-east-1", "description": "Virginia, USA"}
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAwqgPupnfXfAAdB0Scm7jqxSRC/LmwLth6mtDG2QmiB"

SHOWN: Examples = {
    "lambda SSH key": (
        lambda_labs.SshKey,
        {"name": "operators", "public_key": f"{KEY} somebody@laptop"},
        {"id": "x", "name": "operators", "public_key": f"{KEY} lambda"},
        "x",
    ),
    "lambda filesystem": (
        lambda_labs.Filesystem,
        {"name": "models", "region": "us-east-1"},
        {
            "id": "x",
            "name": "models",
            "mount_point": "/lambda/nfs/models",
            "created": "2026-08-24T10:30:00Z",
            "created_by": {"id": "u", "email": "platform@payready.example", "status": "active"},
            "is_in_use": True,
            "region": REGION,
            "bytes_used": 7,
        },
        "x",
    ),
    "lambda firewall ruleset": (
        lambda_labs.FirewallRuleset,
        {
            "name": "nodes",
            "region": "us-east-1",
            "rules": [
                {"protocol": "tcp", "port_range": [22, 22], "source_network": "203.0.113.7", "description": "SSH"},
                {"protocol": "icmp", "source_network": "0.0.0.0/0"},
            ],
        },
        {
            "id": "x",
            "name": "nodes",
            "region": REGION,
            "rules": [
                {"protocol": "icmp", "source_network": "0.0.0.0/0", "description": ""},
                {"protocol": "tcp", "port_range": [22, 22], "source_network": "203.0.113.7/32", "description": "SSH"},
            ],
            "created": "2026-08-24T10:30:00Z",
            "instance_ids": [],
        },
        "x",
    ),
    "lambda instance": (
        lambda_labs.Instance,
        {
            "name": "gpu-a-1",
            "ssh_key": "operators",
            "image": {"family": "lambda-stack-24-04"},
            "mounts": {"/lambda/nfs/models": "f"},
            "setup": "0a1b",
            "tags": {"team": "ai"},
            "types": ["gpu_1x_h100_pcie", "gpu_1x_a10"],
            "regions": ["us-west-1", "us-east-1"],
            "max_price_cents": 300,
            "firewall_rulesets": {"us-east-1": ["r"]},
            "user_data": "#cloud-config",
        },
        {
            "id": "x",
            "name": "gpu-a-1",
            "ip": "203.0.113.9",
            "status": "active",
            "ssh_key_names": ["operators"],
            "file_system_names": ["models"],
            "file_system_mounts": [{"mount_point": "/lambda/nfs/models", "file_system_id": "f"}],
            "region": REGION,
            "instance_type": {"name": "gpu_1x_a10", "price_cents_per_hour": 75},
            "hostname": "gpu-a-1",
            "actions": {},
            "tags": [
                {"key": "managed-by", "value": "sophia-ai/dev"},
                {"key": "setup", "value": "0a1b"},
                {"key": "team", "value": "ai"},
            ],
            "firewall_rulesets": [{"id": "r"}],
        },
        "x",
    ),
}

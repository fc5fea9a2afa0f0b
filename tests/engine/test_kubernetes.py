"""The fleet of the stack file against a sandbox: deployed, found unchanged, changed in one entry, taken away."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

REPOSITORY = Path(__file__).parents[2]
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
_OWN = ("nats", "n8n")


def fleet() -> dict[str, Any]:
    """Kubernetes as in dev's stack file, without what other platforms hand over and what has its own tests."""
    config: dict[str, Any] = yaml.safe_load((REPOSITORY / "Pulumi.dev.yaml").read_text())["config"]
    settings: dict[str, Any] = {k: v for k, v in config["sophia-ai:kubernetes"].items() if k not in _OWN}
    for secret in settings["secrets"].values():
        secret["data"] = {key: {"environment": "SLACK_BOT_TOKEN"} for key in secret["data"]}
    for server in settings["mcp_servers"].values():
        server["secrets"] = [key for key in server.get("secrets", ()) if key in settings["secrets"]]
    return settings


def test_a_fleet_from_its_entries(checkout: Checkout) -> None:
    settings = fleet()
    checkout.configure(kubernetes=settings)
    checkout.run("up", "dev", "--skip-preview")
    servers = settings["mcp_servers"]
    deployed = checkout.objects("kubernetes", DEPLOYMENT)
    assert deployed.keys() == {f"sophia-ai-dev/{server['name']}" for server in servers.values()}
    (ingress,) = checkout.objects("kubernetes", "kubernetes:networking.k8s.io/v1:Ingress").values()
    paths = ingress["properties"]["spec"]["rules"][0]["http"]["paths"]
    assert [path["path"] for path in paths] == sorted(
        f"/mcp/{key}" for key, one in servers.items() if one.get("public")
    )
    for resource in checkout.resources().values():
        assert "xoxb-" not in str(resource["inputs"]), "a secret of the fleet stands in the state in plain text"

    assert not checkout.stack().preview().has_changes

    before = {key: document["properties"]["metadata"]["resourceVersion"] for key, document in deployed.items()}
    servers["slack"]["environment"] = {"LOG_LEVEL": "debug"}
    checkout.configure(kubernetes=settings)
    checkout.run("up", "dev", "--skip-preview")
    after = checkout.objects("kubernetes", DEPLOYMENT)
    changed = {key for key, one in after.items() if one["properties"]["metadata"]["resourceVersion"] != before[key]}
    assert changed == {"sophia-ai-dev/mcp-slack"}, "one entry is one server"

    del servers["slack"]
    checkout.configure(kubernetes=settings)
    checkout.run("up", "dev", "--skip-preview")
    left = {
        key for kinds in checkout.running.objects("kubernetes").objects.values() for key in kinds if "mcp-slack" in key
    }
    assert left == set(), "what followed from the entry went with it"


def test_pods_that_the_namespace_does_not_admit_are_refused_with_the_reason(checkout: Checkout) -> None:
    """The namespace was tightened by hand after the device plugin's had been made."""
    settings = {**fleet(), "mcp_servers": {}}
    checkout.configure(kubernetes=settings)
    checkout.run("up", "dev", "--skip-preview")
    kind = "kubernetes:core/v1:Namespace"
    document = checkout.objects("kubernetes", kind)["sophia-ai-dev-gpu"]
    document["properties"]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] = "restricted"
    checkout.running.change_object("kubernetes", kind, "sophia-ai-dev-gpu", {"properties": document["properties"]})
    settings["gpu"]["replicas"] = 2
    checkout.configure(kubernetes=settings)
    failed = checkout.run("up", "dev", "--skip-preview", code=None)
    assert failed.returncode != 0
    assert 'violates PodSecurity "restricted:latest"' in failed.stdout + failed.stderr

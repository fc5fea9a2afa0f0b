"""Monitoring through the real engine: deployed, unchanged the next time, asked for its health through the API server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.monitoring_estate import NAMESPACE, SETTINGS

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

KUBERNETES: dict[str, Any] = {
    "namespace": NAMESPACE,
    "version": "1.34",
    "quota": {"cpu_requests": "4", "memory_requests": "8Gi", "cpu_limits": "8", "memory_limits": "16Gi"},
}
SLACK: dict[str, Any] = {
    "channels": {key: {"name": f"sophia-dev-{key}"} for key in ("alerts", "deployments", "agents")},
}
MONITORING: dict[str, Any] = {**SETTINGS, "owners": {}, "slack_token": {"environment": "SLACK_BOT_TOKEN"}}
CONFIG_MAP, STATEFUL_SET = "kubernetes:core/v1:ConfigMap", "kubernetes:apps/v1:StatefulSet"


def test_monitoring_is_deployed_is_well_and_says_what_is_not(checkout: Checkout) -> None:
    checkout.configure(kubernetes=KUBERNETES, slack=SLACK, monitoring=MONITORING)
    dev = checkout.stack()
    made = dev.up(skip_preview=True)
    assert made.outputs["monitoring"]["addresses"]["prometheus"] == f"prometheus.{NAMESPACE}.svc.cluster.local"
    channels = {one["name"]: id_ for id_, one in checkout.objects("slack", "channel").items()}
    files = {
        name: text for one in checkout.objects("kubernetes", CONFIG_MAP).values() for name, text in data(one).items()
    }
    assert channels["sophia-dev-alerts"] in files["alertmanager.yml"], (
        "Slack's id, which is known only after Slack made it"
    )
    assert not dev.up(skip_preview=True).has_changes

    def health(code: int = 0) -> dict[str, Any]:
        done = checkout.run("health", "dev", "--json", "--platform", "monitoring", code=code)
        ((check,),) = [report["checks"] for report in json.loads(done.stdout)["health"]]
        return dict(check)

    assert health()["verdict"] == "well"
    figures = checkout.directory / "health.prom"
    checkout.run("health", "dev", "--metrics", str(figures), code=None)
    assert 'sophia_platform_up{stack="dev",platform="monitoring"} 1\n' in figures.read_text()
    assert "xoxb" not in figures.read_text()
    checkout.run("health", "dev", "--push", code=None)
    (pushed,) = checkout.objects("kubernetes", "figures").values()
    assert 'sophia_platform_up{stack="dev",platform="monitoring"} 1\n' in pushed["text"]

    checkout.running.delete_object("kubernetes", STATEFUL_SET, f"{NAMESPACE}/pushgateway")
    degraded = health()
    assert degraded["verdict"] == "degraded"
    assert "pushgateway" in degraded["problems"][0]["said"]
    checkout.running.delete_object("kubernetes", STATEFUL_SET, f"{NAMESPACE}/prometheus")
    assert "no endpoints available" in health(code=1)["problems"][0]["said"]

    changed = {**MONITORING, "objectives": {"availability": 0.99}}
    checkout.configure(kubernetes=KUBERNETES, slack=SLACK, monitoring=changed)
    dev.refresh()
    dev.up(skip_preview=True)
    assert health()["verdict"] == "well"


def data(config_map: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = config_map["properties"]["data"]
    return found

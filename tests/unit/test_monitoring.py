"""Monitoring: whatever runs is watched, whatever is said leads somewhere, and nothing has more rights than it needs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]  # ships no types
import pytest
import yaml
from pydantic import ValidationError

from components.estate import Estate
from components.monitoring.settings import MonitoringSettings
from components.settings import SettingsError
from health.base import Answer, Subject
from health.monitoring import HEALTH
from sophia.figures import _HELP
from tests.monitoring_estate import NAMESPACE, OUTPUTS, PLATFORMS, SETTINGS, program

Deploy = Callable[..., Any]

REPOSITORY = Path(__file__).parents[2]
DOCS = (REPOSITORY / "docs" / "monitoring.md").read_text()

KINDS = ("DaemonSet", "Deployment", "Job", "StatefulSet")

EXPORTERS = {
    *_HELP,
    # Prometheus itself, of every target.
    "up",
    # kube-state-metrics, docs/metrics/workload and docs/metrics/policy
    "kube_daemonset_status_desired_number_scheduled",
    "kube_daemonset_status_number_available",
    "kube_deployment_spec_replicas",
    "kube_deployment_status_replicas_available",
    "kube_horizontalpodautoscaler_spec_max_replicas",
    "kube_horizontalpodautoscaler_status_current_replicas",
    "kube_job_status_failed",
    "kube_pod_container_status_last_terminated_reason",
    "kube_pod_container_status_restarts_total",
    "kube_resourcequota",
    "kube_statefulset_replicas",
    "kube_statefulset_status_replicas_ready",
    # the kubelet and its cAdvisor
    "container_cpu_cfs_periods_total",
    "container_cpu_cfs_throttled_periods_total",
    "container_cpu_usage_seconds_total",
    "container_memory_working_set_bytes",
    "kubelet_volume_stats_available_bytes",
    "kubelet_volume_stats_capacity_bytes",
    # prometheus-nats-exporter
    "gnatsd_varz_connections",
    "gnatsd_varz_slow_consumers",
    "jetstream_consumer_num_pending",
    "jetstream_consumer_num_redelivered",
    "jetstream_server_max_storage",
    "jetstream_server_total_message_bytes",
    "jetstream_server_total_streams",
    "jetstream_stream_total_messages",
    # n8n with N8N_METRICS_INCLUDE_QUEUE_METRICS
    "n8n_scaling_mode_queue_jobs_active",
    "n8n_scaling_mode_queue_jobs_completed",
    "n8n_scaling_mode_queue_jobs_failed",
    "n8n_scaling_mode_queue_jobs_waiting",
    # Prometheus and Alertmanager
    "alertmanager_cluster_members",
    "alertmanager_config_last_reload_successful",
    "alertmanager_notifications_failed_total",
    "prometheus_config_last_reload_successful",
    "prometheus_notifications_queue_capacity",
    "prometheus_notifications_queue_length",
    "prometheus_rule_evaluation_failures_total",
    "prometheus_target_scrapes_exceeded_sample_limit_total",
    # ingress-nginx
    "nginx_ingress_controller_request_duration_seconds_bucket",
    "nginx_ingress_controller_request_duration_seconds_count",
    "nginx_ingress_controller_requests",
    # dcgm-exporter
    "DCGM_FI_DEV_FB_FREE",
    "DCGM_FI_DEV_FB_USED",
    "DCGM_FI_DEV_GPU_UTIL",
    "DCGM_FI_DEV_XID_ERRORS",
}
"""What exporters are documented to tell."""

_WORDS = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LANGUAGE = {
    "absent", "and", "avg", "avg_over_time", "count", "delta", "histogram_quantile", "increase", "max", "min_over_time",
    "or", "predict_linear", "rate", "sort", "sum", "time", "unless", "vector",
}  # fmt: skip


def files(deployment: Any) -> dict[str, str]:
    """What all servers get, by file."""
    maps = [r for r in deployment.resources if r.type == "kubernetes:core/v1:ConfigMap"]
    return {name: text for one in maps for name, text in one.inputs["data"].items()}


def rules(deployment: Any) -> list[dict[str, Any]]:
    groups = yaml.safe_load(files(deployment)["sophia.yml"])["groups"]
    return [rule for group in groups for rule in group["rules"]]


def metrics_in(query: str) -> Iterator[str]:
    """The metrics of a query: its words without strings, labels, groupings and the language's own."""
    bare = re.sub(r'"[^"]*"', "", query)
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\b(by|on|ignoring|without)\s*\([^)]*\)", " ", bare)
    yield from (word for word in _WORDS.findall(bare) if word not in _LANGUAGE and not re.fullmatch(r"e\d+", word))


def test_every_workload_has_rules_of_its_own(deploy: Deploy) -> None:
    deployment = deploy(program())
    by_workload: dict[str, set[str]] = {}
    for rule in rules(deployment):
        if "workload" in rule.get("labels", {}):
            by_workload.setdefault(rule["labels"]["workload"], set()).add(rule["alert"])
    sets = [r.inputs["metadata"]["name"] for kind in KINDS for r in deployment.of(kind)]
    assert set(by_workload) == set(sets)
    assert all(
        {"WorkloadDown", "WorkloadNotReady", "WorkloadRestarts", "WorkloadThrottled"} <= alerts
        for name, alerts in by_workload.items()
        if name != "streams"
    )
    assert "JobFailed" in by_workload["streams"]
    assert "WorkloadAtMaximum" in by_workload["mcp-slack"], "which is scaled"
    assert "WorkloadAtMaximum" not in by_workload["nats"]
    assert "VolumeFills" in by_workload["nats"]
    assert "MetricsMissing" in by_workload["nats"]
    assert "MetricsMissing" not in by_workload["mcp-slack"], "it tells no figures"


def test_every_platform_of_the_stack_is_missed_when_nothing_is_told_of_it(deploy: Deploy) -> None:
    missed = {r["labels"]["platform"] for r in rules(deploy(program())) if r.get("alert") == "PlatformUnwatched"}
    assert missed == set(PLATFORMS)


def test_every_alert_says_whose_it_is_how_bad_and_what_to_do_and_leads_to_a_heading(deploy: Deploy) -> None:
    headings = set(re.findall(r"^### (\w+)$", DOCS, re.MULTILINE))
    alerts = [rule for rule in rules(deploy(program())) if "alert" in rule]
    assert {rule["alert"] for rule in alerts} == headings
    for rule in alerts:
        assert rule["labels"]["severity"] in ("critical", "warning", "ticket")
        assert rule["labels"]["team"] == ("agents" if rule["labels"].get("workload") == "mcp-slack" else "platform")
        page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert page == SETTINGS["runbooks"]
        assert anchor == rule["alert"].lower(), "as the page's headings become anchors"
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["description"].endswith((".", "?")), "a sentence that says what to do"


def test_rules_and_pages_ask_for_what_somebody_tells(deploy: Deploy) -> None:
    deployment = deploy(program())
    every = rules(deployment)
    recorded = {rule["record"] for rule in every if "record" in rule}
    queries = [rule["expr"] for rule in every]
    pages = [json.loads(text) for name, text in files(deployment).items() if name.endswith(".json")]
    assert {page["uid"] for page in pages} == {"service-levels", "workloads", "platforms", "gpus", "nats", "n8n"}
    queries += [target["expr"] for page in pages for panel in page["panels"] for target in panel["targets"]]
    asked = {metric for query in queries for metric in metrics_in(query)}
    assert asked - EXPORTERS - recorded == set()
    assert EXPORTERS - asked == set(), "and nothing here is known without being used"


def test_whoever_tells_figures_is_asked_by_name_and_reached_through_the_network_policies(deploy: Deploy) -> None:
    deployment = deploy(program())
    jobs = {job["job_name"]: job for job in yaml.safe_load(files(deployment)["prometheus.yml"])["scrape_configs"]}
    assert set(jobs) == {
        "nats", "n8n", "kube-state-metrics", "pushgateway", "alertmanager", "grafana", "prometheus", "ingress", "gpus",
        "kubelet", "cadvisor",
    }  # fmt: skip
    services = {r.inputs["metadata"]["name"]: r.inputs["spec"] for r in deployment.of("Service")}
    for name, job in jobs.items():
        for found in job.get("dns_sd_configs", []):
            service, _, rest = found["names"][0].partition(".")
            assert rest == f"{NAMESPACE}.svc.cluster.local"
            assert services[service]["clusterIP"] == "None", "so that every pod is asked, and not one of them"
            assert services[service]["selector"] == {"app.kubernetes.io/name": name}
            assert found["port"] in {port["port"] for port in services[service]["ports"]}
    policies = [r.inputs["spec"] for r in deployment.of("NetworkPolicy")]
    open_to = {
        policy["podSelector"]["matchLabels"]["app.kubernetes.io/name"]
        for policy in policies
        for way in policy.get("ingress", [])
        for peer in way["from"]
        if peer.get("podSelector", {}).get("matchLabels") == {"app.kubernetes.io/name": "prometheus"}
    }
    assert {name for name, job in jobs.items() if "dns_sd_configs" in job} <= open_to


def test_rights_are_what_is_listed_and_nothing_more(deploy: Deploy) -> None:
    deployment = deploy(program())
    role = deployment.one("Role")
    assert {verb for rule in role.inputs["rules"] for verb in rule["verbs"]} == {"list", "watch"}
    assert "secrets" not in {resource for rule in role.inputs["rules"] for resource in rule["resources"]}
    cluster = deployment.one("ClusterRole").inputs["rules"]
    assert {resource for rule in cluster for resource in rule["resources"]} == {"nodes", "nodes/metrics"}

    def tokens(made: Any) -> set[str]:
        pods = [r for kind in ("Deployment", "StatefulSet") for r in made.of(kind)]
        return {r.name for r in pods if r.inputs["spec"]["template"]["spec"]["automountServiceAccountToken"]}

    assert tokens(deployment) == {"kube-state-metrics", "prometheus"}
    without = deploy(program(cluster={"api_server": ["10.0.0.10/32"]}))
    assert tokens(without) == {"kube-state-metrics"}
    assert not without.of("ClusterRole")
    alerts = {rule.get("alert") for rule in rules(without)}
    assert not alerts & {"WorkloadThrottled", "VolumeFills"}, "of which nothing would be known"


def test_the_token_and_the_password_are_in_secrets_only(deploy: Deploy) -> None:
    deployment = deploy(program())
    assert not any("hunter2" in text for text in files(deployment).values())
    secret = deployment.one("Secret", "alertmanager-slack")
    assert secret.inputs["stringData"] == {"token": OUTPUTS["slack.token"]}
    assert "stringData" in secret.secrets or "stringData.token" in secret.secrets
    routes = yaml.safe_load(files(deployment)["alertmanager.yml"])
    for receiver in routes["receivers"]:
        (slack,) = receiver["slack_configs"]
        assert slack["http_config"]["authorization"]["credentials_file"] == "/etc/alertmanager/slack/token"
    grafana = deployment.one("Deployment", "grafana").inputs["spec"]["template"]["spec"]["containers"][0]
    environment = {one["name"]: one.get("value") for one in grafana["env"]}
    assert environment["GF_AUTH_ANONYMOUS_ENABLED"] == "false"
    assert environment["GF_SECURITY_ADMIN_PASSWORD__FILE"] == "/etc/grafana/admin/password"


def test_every_manifest_is_valid_for_the_api_server(deploy: Deploy) -> None:
    for resource in deploy(program()).resources:
        if resource.type.startswith("kubernetes:"):
            kubernetes_validate.validate(resource.inputs, "1.31", strict=True)


def test_replicas_of_alertmanager_know_of_each_other_and_one_alone_does_not_look_for_others(deploy: Deploy) -> None:
    def arguments(replicas: int) -> list[str]:
        made = deploy(program(alertmanager={**SETTINGS["alertmanager"], "replicas": replicas}))
        pod = made.one("StatefulSet", "alertmanager").inputs["spec"]["template"]["spec"]
        found: list[str] = pod["containers"][0]["args"]
        return found

    assert [a for a in arguments(2) if "cluster.peer" in a] == [
        f"--cluster.peer=alertmanager-{number}.alertmanager-headless:9094" for number in (0, 1)
    ]
    assert "--cluster.listen-address=" in arguments(1)
    assert not [a for a in arguments(1) if "cluster.peer" in a]


def test_a_channel_that_slack_does_not_have_is_an_error_that_names_the_nearest(deploy: Deploy) -> None:
    teams = {"platform": {"critical": "alert", "warning": "alerts", "ticket": "deployments"}}
    with pytest.raises(SettingsError) as caught:
        deploy(program(teams=teams, owners={}))
    assert 'monitoring.teams.platform.critical: no value "slack.channels.alert"' in str(caught.value)
    assert 'did you mean "slack.channels.alerts"' in str(caught.value)


def test_an_owner_of_what_does_not_run_is_an_error(deploy: Deploy) -> None:
    with pytest.raises(SettingsError, match=r'no workload "mcp-slak" runs \(did you mean "mcp-slack"\?\)'):
        deploy(program(owners={"mcp-slak": "agents"}))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"owner": "nobody"}, 'no team "nobody" is declared'),
        ({"owners": {"nats": "data"}}, 'no team "data" is declared'),
        ({"prometheus": {**SETTINGS["prometheus"], "retention_days": 15}}, "must be at least 30"),
        ({"prometheus": {**SETTINGS["prometheus"], "image": "prom/prometheus:latest"}}, "sha256"),
        ({"runbooks": "https://wiki.example.com/alerts"}, "docs/monitoring.md"),
        ({"objectives": {"availability": 99.9}}, "less than 1"),
    ],
)
def test_mistakes_in_the_settings_are_told(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        MonitoringSettings.model_validate({**SETTINGS, **changes})
    assert said in str(caught.value)


def test_monitoring_stands_where_the_workloads_are() -> None:
    with pytest.raises(ValidationError, match="needs kubernetes"):
        Estate.of(["monitoring"]).model_validate({"monitoring": SETTINGS})


def test_a_target_that_is_down_and_a_rule_that_fails_make_monitoring_degraded() -> None:
    _, rules_probe, targets, alertmanager = HEALTH.probes

    class Response:
        def __init__(self, document: Any) -> None:
            self.document = document

        def json(self) -> Any:
            return self.document

    def problems(probe: Any, document: Any, **settings: Any) -> list[str]:
        answer = Answer(Response(document), Subject(settings))  # type: ignore[arg-type]  # as much of an answer as is read
        return [f"{problem.verdict}: {problem.said}" for problem in probe.read(answer).problems]

    group = {"rules": [{"name": "A", "health": "ok"}, {"name": "B", "health": "err"}]}
    assert problems(rules_probe, {"data": {"groups": [group]}}) == ["degraded: rules cannot be computed: B"]
    assert problems(rules_probe, {"data": {"groups": []}}) == ["failing: Prometheus has no rules"]
    down = {"activeTargets": [{"scrapePool": "nats", "health": "down"}, {"scrapePool": "n8n", "health": "up"}]}
    assert problems(targets, {"data": down}) == ["degraded: no figures come from nats"]
    lonely = {"cluster": {"status": "ready", "peers": [{}]}}
    assert problems(alertmanager, lonely, alertmanager={"replicas": 2}) == [
        "degraded: 1 of 2 replicas of Alertmanager know of each other"
    ]
    assert problems(alertmanager, {"cluster": {"status": "disabled"}}, alertmanager={"replicas": 1}) == []

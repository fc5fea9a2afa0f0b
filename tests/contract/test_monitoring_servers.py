"""Our rules, routes and pages in the real Prometheus and Alertmanager: loaded, tried on figures, and posted to a Slack."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from components.monitoring import alertmanager
from sophia.credentials import Credentials, Record
from sophia.figures import text
from sophia.health import Check, HealthReport, Quota
from tests.contract import monitoring_tools
from tests.contract.monitoring_tools import Tools
from tests.monitoring_estate import NAMESPACE, program
from tests.unit.conftest import _run

TOKEN = "xoxb-hunter2"
NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def tools() -> Tools:
    found = monitoring_tools.find()
    if found.missing:
        pytest.skip(found.missing)
    return found


@pytest.fixture(scope="session")
def servers(tools: Tools) -> Tools:
    """Prometheus and Alertmanager themselves."""
    alertmanager_itself = monitoring_tools.find_alertmanager()
    if alertmanager_itself.missing:
        pytest.skip(alertmanager_itself.missing)
    return Tools({**tools.paths, **alertmanager_itself.paths})


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the servers get in a small estate: every file of every ConfigMap."""
    directory = tmp_path_factory.mktemp("monitoring")
    for resource in _run(program(), "dev", {}).resources:
        if resource.type == "kubernetes:core/v1:ConfigMap":
            for name, content in resource.inputs["data"].items():
                (directory / name).write_text(content)
    return directory


def rules(files: Path) -> list[dict[str, Any]]:
    document = yaml.safe_load((files / "sophia.yml").read_text())
    return [rule for group in document["groups"] for rule in group["rules"]]


def test_prometheus_takes_the_rules_and_they_follow_the_published_schema(
    tools: Tools, files: Path, spec: Callable[[str], Any]
) -> None:
    assert f"SUCCESS: {len(rules(files))} rules found" in tools.run("promtool", "check", "rules", files / "sophia.yml")
    schema = spec("prometheus/prometheus_rules.schema.json").document
    jsonschema.validate(yaml.safe_load((files / "sophia.yml").read_text()), schema)


def test_prometheus_takes_the_configuration(tools: Tools, files: Path) -> None:
    document = yaml.safe_load((files / "prometheus.yml").read_text())
    # Debian builds Prometheus without the discovery of Kubernetes.
    kubelets = [scrape for scrape in document["scrape_configs"] if scrape.pop("kubernetes_sd_configs", None)]
    assert [scrape["job_name"] for scrape in kubelets] == ["kubelet", "cadvisor"]
    document["rule_files"] = [str(files / "sophia.yml")]
    (files / "checked.yml").write_text(yaml.safe_dump(document))
    tools.run("promtool", "check", "config", "--syntax-only", files / "checked.yml")


def test_every_query_of_a_page_is_understood(tools: Tools, files: Path, tmp_path: Path) -> None:
    """A query that Prometheus does not understand would be an empty picture, on the day on which somebody needs it."""
    queries = [target["expr"] for page in pages(files) for panel in page["panels"] for target in panel["targets"]]
    assert len(queries) > 30
    document = {"groups": [{"name": "pages", "rules": [{"record": f"q{n}", "expr": q} for n, q in enumerate(queries)]}]}
    (tmp_path / "queries.yml").write_text(yaml.safe_dump(document))
    tools.run("promtool", "check", "rules", tmp_path / "queries.yml")


def pages(files: Path) -> Iterator[dict[str, Any]]:
    yield from (json.loads(file.read_text()) for file in files.glob("*.json"))


KUBE = f'namespace="{NAMESPACE}"'
DEPLOYMENT = f'kube_deployment_status_replicas_available{{{KUBE},deployment="mcp-slack"}}'
WANTED = f'kube_deployment_spec_replicas{{{KUBE},deployment="mcp-slack"}}'
REQUESTS = f'nginx_ingress_controller_requests{{namespace="{NAMESPACE}",status="%s"}}'
DURATION = f'nginx_ingress_controller_request_duration_seconds_%s{{namespace="{NAMESPACE}"%s}}'
RESTARTS = f'kube_pod_container_status_restarts_total{{{KUBE},pod="%s",container="%s"}}'
KILLED = f'kube_pod_container_status_last_terminated_reason{{{KUBE},pod="nats-0",container="nats",reason="OOMKilled"}}'
PENDING = (
    'jetstream_consumer_num_pending{job="nats",stream_name="data",consumer_name="loader",is_consumer_leader="true"}'
)
TOLD = 'sophia_health_checked_timestamp_seconds{stack="dev"}'

Series = Mapping[str, str]
Fired = dict[str, int]

CASES: dict[str, tuple[Series, str, str, Fired]] = {
    "a workload whose replicas are all gone": (
        {DEPLOYMENT: "2x5 0x20", WANTED: "2x25"},
        "20m",
        "WorkloadDown",
        {"critical": 1},
    ),
    "a workload that was scaled to nothing on purpose": (
        {DEPLOYMENT: "0x30", WANTED: "0x30"},
        "20m",
        "WorkloadDown",
        {},
    ),
    "one replica of two is missing": ({DEPLOYMENT: "1x30", WANTED: "2x30"}, "20m", "WorkloadNotReady", {"warning": 1}),
    "one replica of two is missing during a rollout": (
        {DEPLOYMENT: "2x5 1x5 2x20", WANTED: "2x30"},
        "20m",
        "WorkloadNotReady",
        {},
    ),
    "a container that restarts and restarts": (
        {RESTARTS % ("mcp-slack-6d4b75cb6d-hwd2p", "mcp-slack"): "0+1x30"},
        "30m",
        "WorkloadRestarts",
        {"warning": 1},
    ),
    "a container of somebody else that restarts": (
        {RESTARTS % ("mcp-slack-admin-6d4b75cb6d-hwd2p", "x"): "0+1x30"},
        "30m",
        "WorkloadRestarts",
        {},
    ),
    "a container that died of its memory": (
        {
            RESTARTS % ("nats-0", "nats"): "0x10 1x20",
            KILLED: "1x30",
        },
        "15m",
        "WorkloadOutOfMemory",
        {"warning": 1},
    ),
    "an autoscaler at its end": (
        {
            f'kube_horizontalpodautoscaler_status_current_replicas{{{KUBE},horizontalpodautoscaler="mcp-slack"}}': "6x60",
            f'kube_horizontalpodautoscaler_spec_max_replicas{{{KUBE},horizontalpodautoscaler="mcp-slack"}}': "6x60",
        },
        "45m",
        "WorkloadAtMaximum",
        {"warning": 1},
    ),
    "a volume that is nearly full": (
        {
            f'kubelet_volume_stats_available_bytes{{{KUBE},persistentvolumeclaim="data-nats-1"}}': "5x60",
            f'kubelet_volume_stats_capacity_bytes{{{KUBE},persistentvolumeclaim="data-nats-1"}}': "100x60",
        },
        "45m",
        "VolumeFills",
        {"critical": 1},
    ),
    "a container that may not run as much as it wants": (
        {
            f'container_cpu_cfs_throttled_periods_total{{{KUBE},pod="nats-1",container="nats"}}': "0+50x90",
            f'container_cpu_cfs_periods_total{{{KUBE},pod="nats-1",container="nats"}}': "0+100x90",
        },
        "60m",
        "WorkloadThrottled",
        {"ticket": 1},
    ),
    "a quota that is used up": (
        {
            f'kube_resourcequota{{{KUBE},resource="pods",type="used"}}': "59x60",
            f'kube_resourcequota{{{KUBE},resource="pods",type="hard"}}': "60x60",
        },
        "45m",
        "QuotaNearlyUsed",
        {"ticket": 1},
    ),
    "one request in fifty fails": (
        {REQUESTS % 500: "0+2x120", REQUESTS % 200: "0+98x120"},
        "1h30m",
        "AvailabilityBurns",
        {"critical": 2, "warning": 1, "ticket": 1},
    ),
    "one request in five hundred fails": (
        {REQUESTS % 500: "0+1x700", REQUESTS % 200: "0+499x700"},
        "10h",
        "AvailabilityBurns",
        {"ticket": 1},
    ),
    "no request fails": ({REQUESTS % 200: "0+100x120"}, "1h30m", "AvailabilityBurns", {}),
    "it failed for two minutes, an hour ago, and nobody is woken": (
        {REQUESTS % 500: "0+50x2 100x90", REQUESTS % 200: "0+100x92"},
        "75m",
        "AvailabilityBurns",
        {"warning": 1, "ticket": 1},
    ),
    "nine requests in ten are slow": (
        {DURATION % ("count", ""): "0+100x120", DURATION % ("bucket", ',le="0.2"'): "0+10x120"},
        "1h30m",
        "LatencyBurns",
        {"critical": 2, "warning": 1, "ticket": 1},
    ),
    "one request in fifty is slow, which is promised": (
        {DURATION % ("count", ""): "0+100x120", DURATION % ("bucket", ',le="0.2"'): "0+98x120"},
        "1h30m",
        "LatencyBurns",
        {},
    ),
    "nobody measures how fast requests are": (
        {REQUESTS % 200: "0+100x150"},
        "2h",
        "ObjectiveUnmeasured",
        {"ticket": 2},
    ),
    "GPUs that idle": ({'DCGM_FI_DEV_GPU_UTIL{gpu="0"}': "30x200"}, "32h", "GpusIdle", {"ticket": 1}),
    "GPUs that are used as they should be": ({'DCGM_FI_DEV_GPU_UTIL{gpu="0"}': "85x200"}, "32h", "GpusIdle", {}),
    "GPUs without a pause": ({'DCGM_FI_DEV_GPU_UTIL{gpu="0"}': "100x90"}, "1h", "GpusSaturated", {"warning": 1}),
    "a platform that fails": (
        {'sophia_platform_up{stack="dev",platform="slack"}': "0x10"},
        "5m",
        "PlatformFailing",
        {"critical": 1},
    ),
    "a platform that nobody tells of": (
        {
            TOLD: "1+60x60",
            **{f'sophia_platform_up{{stack="dev",platform="{one}"}}': "1x60" for one in ("slack", "pulumi")},
        },
        "30m",
        "PlatformUnwatched",
        {"ticket": 1},
    ),
    "a quota of a platform that runs out": (
        {
            'sophia_platform_quota_left{stack="dev",platform="github",quota="requests an hour"}': "100x10",
            'sophia_platform_quota_limit{stack="dev",platform="github",quota="requests an hour"}': "5000x10",
        },
        "5m",
        "QuotaLow",
        {"warning": 1},
    ),
    "a credential with ten days left": (
        {'sophia_credential_expiry_timestamp_seconds{stack="dev",platform="slack",credential="X"}': f"{10 * 86400}x10"},
        "5m",
        "CredentialExpires",
        {"warning": 1},
    ),
    "a credential with two days left": (
        {'sophia_credential_expiry_timestamp_seconds{stack="dev",platform="slack",credential="X"}': f"{2 * 86400}x10"},
        "5m",
        "CredentialExpiresSoon",
        {"critical": 1},
    ),
    "a credential that is due": (
        {'sophia_credential_due_timestamp_seconds{stack="dev",platform="slack",credential="X"}': "60x10"},
        "5m",
        "CredentialOverdue",
        {"ticket": 1},
    ),
    "nobody has looked for nine hours": ({TOLD: "0x560"}, "9h", "FiguresLate", {"warning": 1}),
    "a stream without a leader": (
        {'jetstream_stream_total_messages{job="nats",account="a",stream_name="data",is_stream_leader="false"}': "5x10"},
        "5m",
        "StreamWithoutLeader",
        {"critical": 1},
    ),
    "a consumer that falls behind": (
        {PENDING: "20000+10x60"},
        "45m",
        "ConsumerLags",
        {"warning": 1},
    ),
    "a consumer that catches up": (
        {PENDING: "50000-100x60"},
        "45m",
        "ConsumerLags",
        {},
    ),
    "JetStream without room": (
        {
            'jetstream_server_total_message_bytes{job="nats",server_name="nats-0"}': "9x60",
            'jetstream_server_max_storage{job="nats",server_name="nats-0"}': "10x60",
        },
        "30m",
        "JetStreamStorageFills",
        {"critical": 1},
    ),
    "executions that pile up": (
        {'n8n_scaling_mode_queue_jobs_waiting{job="n8n"}': "500x30"},
        "20m",
        "ExecutionsQueue",
        {"warning": 1},
    ),
    "executions that fail": (
        {
            'n8n_scaling_mode_queue_jobs_failed{job="n8n"}': "0+5x40",
            'n8n_scaling_mode_queue_jobs_completed{job="n8n"}': "0+5x40",
        },
        "35m",
        "ExecutionsFail",
        {"warning": 1},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_figures_in_and_alerts_out(tools: Tools, files: Path, tmp_path: Path, case: str) -> None:
    """By severity, how many alerts there are; promtool itself compares all of their labels and sentences."""
    series, at, alert, fired = CASES[case]
    test = {
        # Days of minutes would take a minute of everybody's time: figures of GPUs are as good every ten minutes.
        "interval": "10m" if at == "32h" else "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [{"eval_time": at, "alertname": alert, "exp_alerts": []}],
    }
    document = {"rule_files": [str(files / "sophia.yml")], "evaluation_interval": test["interval"], "tests": [test]}
    (tmp_path / "test.yml").write_text(yaml.safe_dump(document))
    done = subprocess.run(
        [tools.paths["promtool"], "test", "rules", tmp_path / "test.yml"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    got = re.findall(r'severity=\\?"(\w+)\\?"', done.stdout + done.stderr)
    assert {severity: got.count(severity) for severity in got} == fired, done.stdout + done.stderr


def test_alertmanager_takes_the_configuration_and_routes_by_team_and_severity(tools: Tools, files: Path) -> None:
    file = files / "alertmanager.yml"
    assert "SUCCESS" in tools.run("amtool", "check-config", file)

    def receiver(**labels: str) -> str:
        pairs = [f"{name}={value}" for name, value in labels.items()]
        return tools.run("amtool", "config", "routes", "test", f"--config.file={file}", *pairs).strip()

    assert receiver(team="platform", severity="critical") == "platform-critical"
    assert receiver(team="agents", severity="warning") == "agents-warning"
    assert receiver(team="agents", severity="ticket") == "agents-ticket"
    assert receiver(severity="critical", alertname="Whatever") == "platform-warning", (
        "an alert of nobody is heard as well"
    )
    channels = {
        one["name"]: one["slack_configs"][0]["channel"] for one in yaml.safe_load(file.read_text())["receivers"]
    }
    assert channels["platform-critical"] == "C0ALERTS"
    assert channels["platform-ticket"] == "C0DEPLOY"
    assert channels["agents-warning"] == "C0AGENTS"


@contextmanager
def serving(tools: Tools, name: str, *arguments: str, ready: str, log: Path) -> Iterator[None]:
    """A server of ours until the end; the test fails with its log when it does not become ready."""
    with log.open("w") as output:
        process = subprocess.Popen(
            [tools.paths[name], *arguments], stdout=output, stderr=output, stdin=subprocess.DEVNULL
        )
    try:
        until(lambda: answers(ready), lambda: f"{name} did not become ready:\n{log.read_text()}")
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def answers(address: str) -> bool:
    try:
        return httpx.get(address, timeout=1, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def until(condition: Callable[[], object], otherwise: Callable[[], str], seconds: float = 60) -> None:
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(otherwise())
        pause.wait(0.05)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.mark.timeout(1200)
def test_an_alert_of_our_rules_is_posted_to_slack(
    servers: Tools, files: Path, tmp_path: Path, listen: Callable[[ASGIApp], str]
) -> None:
    """The whole way: figures that a real Prometheus scrapes, our rule, a real Alertmanager with our routes, a Slack."""
    posted: list[tuple[str, dict[str, Any]]] = []

    async def post(request: Request) -> JSONResponse:
        posted.append((request.headers["authorization"], await request.json()))
        return JSONResponse({"ok": True})

    async def figures(_: Request) -> Any:
        from starlette.responses import PlainTextResponse

        return PlainTextResponse('sophia_platform_up{stack="dev",platform="slack"} 0\n')

    outside = listen(
        Starlette(routes=[Route("/api/chat.postMessage", post, methods=["POST"]), Route("/metrics", figures)])
    )
    (tmp_path / "token").write_text(TOKEN)
    routes = (files / "alertmanager.yml").read_text()
    routes = routes.replace(alertmanager.SLACK_POST, f"{outside}/api/chat.postMessage")
    routes = routes.replace(alertmanager.TOKEN_FILE, str(tmp_path / "token")).replace(
        "group_wait: 15s", "group_wait: 0s"
    )
    (tmp_path / "alertmanager.yml").write_text(routes)
    one, other = free_port(), free_port()
    (tmp_path / "prometheus.yml").write_text(
        yaml.safe_dump(
            {
                "global": {"scrape_interval": "1s", "evaluation_interval": "1s", "external_labels": {"stack": "dev"}},
                "rule_files": [str(tmp_path / "rules.yml")],
                "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{one}"]}]}]},
                "scrape_configs": [
                    {
                        "job_name": "pushgateway",
                        "honor_labels": True,
                        "static_configs": [{"targets": [outside.removeprefix("http://")]}],
                    }
                ],
            }
        )
    )
    # Every second instead of every minute: nobody waits for a test.
    (tmp_path / "rules.yml").write_text(re.sub(r"interval: \w+", "interval: 1s", (files / "sophia.yml").read_text()))
    with (
        serving(
            servers, "alertmanager",
            f"--config.file={tmp_path / 'alertmanager.yml'}", f"--storage.path={tmp_path / 'am'}",
            f"--web.listen-address=127.0.0.1:{one}", "--cluster.listen-address=",
            ready=f"http://127.0.0.1:{one}/-/ready", log=tmp_path / "am.log",
        ),
        serving(
            servers, "prometheus",
            f"--config.file={tmp_path / 'prometheus.yml'}", f"--storage.tsdb.path={tmp_path / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{other}",
            ready=f"http://127.0.0.1:{other}/-/ready", log=tmp_path / "prometheus.log",
        ),
    ):  # fmt: skip
        until(lambda: posted, lambda: (tmp_path / "am.log").read_text() + (tmp_path / "prometheus.log").read_text())
    authorization, message = posted[0]
    assert authorization == f"Bearer {TOKEN}"
    assert message["channel"] == "C0ALERTS"
    (attachment,) = message["attachments"]
    assert "critical" in attachment["title"]
    assert "PlatformFailing" in attachment["title"]
    assert "slack fails" in attachment["text"]
    assert "`sophia health dev`" in attachment["text"]
    assert attachment["title_link"].endswith("docs/monitoring.md#platformfailing")


def test_what_sophia_tells_of_platforms_is_taken_as_figures(tools: Tools) -> None:
    check = Check("github", "GitHub", "degraded", 0.25, (), (Quota('requests "an hour"', 100, 5000),), ())
    record = Record(
        name="SLACK_CONFIG_TOKEN", platform="slack", title="Slack", holder="person", source="", made=None, at_least=False,
        basis="", expires=NOW + timedelta(days=2), due=NOW, authenticates=True, said="", rotation="", by_api=True,
    )  # fmt: skip
    twin = Record(**{**record.__dict__, "authenticates": False})
    told = text([HealthReport("dev", (check,), 0.1)], [Credentials("dev", (record, twin), NOW, ())], NOW)
    done = subprocess.run(
        [tools.paths["promtool"], "check", "metrics"],
        input=told,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done.stderr
    assert 'sophia_platform_up{stack="dev",platform="github"} 1\n' in told
    assert 'quota="requests \\"an hour\\""} 100\n' in told
    assert 'sophia_credential_works{stack="dev",platform="slack",credential="SLACK_CONFIG_TOKEN"} 0\n' in told
    expires = int((NOW + timedelta(days=2)).timestamp())
    assert f'credential="SLACK_CONFIG_TOKEN"}} {expires}\n' in told
    assert os.linesep.join(["# EOF", ""]) in told

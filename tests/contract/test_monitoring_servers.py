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
from collections.abc import Callable, Iterator
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
from tests.contract.alert_cases import CASES
from tests.contract.monitoring_tools import Tools
from tests.monitoring_estate import program
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

"""Our routes in the real Alertmanager: what n8n carries goes to n8n with the token, and what is about n8n does not."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from components.monitoring import alertmanager
from components.monitoring.rules import SEVERITIES
from tests.contract import monitoring_tools

CHANNELS = {team: dict.fromkeys(SEVERITIES, f"C0{team.upper()}") for team in ("platform", "agents")}
LABELS = {"alertname": "WorkloadDown", "team": "platform", "severity": "critical", "workload": "mcp-slack"}


def configured(**more: Any) -> dict[str, Any]:
    carried = frozenset({"critical"})
    return alertmanager.configuration(CHANNELS, "platform", "dev", carried=carried, **more)  # type: ignore[arg-type]  # literals


def test_routes_lead_each_alert_to_one_receiver(tmp_path: Path) -> None:
    tools = monitoring_tools.find()
    if tools.missing:
        pytest.skip(tools.missing)
    file = tmp_path / "alertmanager.yml"
    file.write_text(yaml.safe_dump(configured()))
    assert "SUCCESS" in tools.run("amtool", "check-config", file)

    def receivers(**labels: str) -> str:
        pairs = [f"{name}={value}" for name, value in {**LABELS, **labels}.items()]
        return tools.run("amtool", "config", "routes", "test", f"--config.file={file}", *pairs).strip()

    assert receivers() == "platform-critical"
    assert receivers(team="agents") == "agents-critical"
    assert receivers(severity="warning") == "platform-warning"
    assert receivers(workload="n8n-worker") == "platform-critical-direct"
    assert receivers(alertname="PlatformFailing", workload="", platform="linear") == "platform-critical-direct"
    assert receivers(alertname="AlertsNotSent", team="agents") == "agents-critical-direct"


def moment(ago: float = 0) -> str:
    return (datetime.now(UTC) - timedelta(seconds=ago)).isoformat()


@pytest.mark.timeout(1200)
def test_alertmanager_tells_n8n_of_beginning_and_end_and_slack_of_n8n(
    tmp_path: Path, listen: Callable[[ASGIApp], str]
) -> None:
    found = monitoring_tools.find_alertmanager()
    if found.missing:
        pytest.skip(found.missing)
    carried: list[tuple[str, dict[str, Any]]] = []
    posted: list[dict[str, Any]] = []

    async def n8n(request: Request) -> JSONResponse:
        carried.append((request.headers["authorization"], await request.json()))
        return JSONResponse({}, 500 if len(carried) == 1 else 200)

    async def slack(request: Request) -> JSONResponse:
        posted.append(await request.json())
        return JSONResponse({"ok": True})

    outside = listen(Starlette(routes=[Route("/n8n", n8n, methods=["POST"]), Route("/slack", slack, methods=["POST"])]))
    document = configured(slack=f"{outside}/slack", incidents=f"{outside}/n8n")
    text = yaml.safe_dump(document).replace(alertmanager.TOKEN_FILE, str(tmp_path / "slack"))
    text = text.replace(alertmanager.INCIDENTS_FILE, str(tmp_path / "incidents"))
    text = text.replace("group_wait: 15s", "group_wait: 0s").replace("group_interval: 5m", "group_interval: 1s")
    (tmp_path / "alertmanager.yml").write_text(text)
    (tmp_path / "slack").write_text("xoxb-hunter2")
    (tmp_path / "incidents").write_text("shown-to-n8n")
    url = f"http://127.0.0.1:{free_port()}"
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [
                found.paths["alertmanager"],
                f"--config.file={tmp_path / 'alertmanager.yml'}",
                f"--storage.path={tmp_path / 'data'}",
                f"--web.listen-address={url.removeprefix('http://')}",
                "--cluster.listen-address=",
            ],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
        )
    try:

        def tell(ended: bool = False, **labels: str) -> None:
            alert = {"labels": {**LABELS, **labels}, "annotations": {"summary": "It is down"}, "startsAt": started}
            ends = {"endsAt": moment()} if ended else {}
            httpx.post(f"{url}/api/v2/alerts", json=[{**alert, **ends}], trust_env=False).raise_for_status()

        def until(condition: Callable[[], object], seconds: float = 60) -> None:
            deadline, pause = time.monotonic() + seconds, threading.Event()
            while not condition():
                if time.monotonic() > deadline:
                    pytest.fail((tmp_path / "log").read_text())
                pause.wait(0.05)

        started = moment(60)
        until(lambda: ready(url))
        tell()
        until(lambda: len(carried) > 1)
        (authorization, first), (_, again) = carried[:2]
        assert authorization == "Bearer shown-to-n8n"
        assert first["receiver"] == "platform-critical"
        assert first["alerts"] == again["alerts"], "what n8n did not take comes again, as the same alert"
        tell(ended=True)
        until(lambda: carried[-1][1]["status"] == "resolved")
        (over,) = carried[-1][1]["alerts"]
        assert [over[name] for name in ("fingerprint", "startsAt")] == [
            first["alerts"][0][name] for name in ("fingerprint", "startsAt")
        ]
        assert posted == []
        count = len(carried)
        tell(workload="n8n-webhook")
        until(lambda: posted)
        assert posted[0]["channel"] == "C0PLATFORM"
        assert len(carried) == count
    finally:
        process.terminate()
        process.wait(30)


def ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/-/ready", timeout=1, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])

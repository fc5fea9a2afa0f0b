"""Portkey's open-source gateway judges configs: those that the stacks have, and those that the emulator refuses.

The gateway is the npm package @portkey-ai/gateway, installed in the directory that SOPHIA_PORTKEY_GATEWAY names. It does
not know the control plane: a provider of a workspace is replaced by its AI provider with a key, as Portkey's own does.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from components.portkey.settings import PortkeySettings
from sandbox.portkey import PLATFORM
from tests.contract.portkey_calls import a_provider, a_workspace

STACKS = sorted(Path(__file__).parents[2].glob("Pulumi.*.yaml"))
SLUG = "openai-chat"
ON_LOOPBACK = """
const net = require('net'), listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port, ...rest) {
  return listen.call(this, { port: Number(port.port || port), host: '127.0.0.1' }, rest.find(x => x instanceof Function));
};
"""
"""The gateway listens on every address of the machine, and cannot be told otherwise."""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    installed = Path(os.environ.get("SOPHIA_PORTKEY_GATEWAY", "absent")) / "node_modules/@portkey-ai/gateway"
    node = shutil.which("node")
    if node is None or not installed.is_dir():
        pytest.skip("THE VENDOR'S GATEWAY IS ABSENT, NO CONFIG IS JUDGED: SOPHIA_PORTKEY_GATEWAY says where it is")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    directory = tmp_path_factory.mktemp("gateway")
    (directory / "loopback.cjs").write_text(ON_LOOPBACK)
    command = [node, "-r", str(directory / "loopback.cjs"), str(installed / "build/start-server.js")]
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen([*command, f"--port={port}", "--headless"], stdout=log, stderr=log)
    try:
        _answers(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


@retry(
    retry=retry_if_exception_type(httpx.TransportError), stop=stop_after_delay(60), wait=wait_fixed(0.2), reraise=True
)
def _answers(url: str) -> None:
    httpx.get(url)


@pytest.fixture
def model(listen: Callable[[ASGIApp], str]) -> str:
    """An AI provider that says yes to everything."""

    async def complete(request: Request) -> Response:
        choice = {"index": 0, "message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}
        asked = (await request.json())["model"]
        return JSONResponse({"id": "1", "object": "chat.completion", "created": 1, "model": asked, "choices": [choice]})

    url = listen(Starlette(routes=[Route("/{path:path}", complete, methods=["POST"])]))
    # The gateway trusts this name, and not the address.
    return url.replace("127.0.0.1", "localhost") + "/v1"


def judged(gateway: str, config: Mapping[str, Any]) -> httpx.Response:
    sent = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}
    headers = {"x-portkey-config": json.dumps(config), "x-portkey-metadata": "{}"}
    return httpx.post(f"{gateway}/v1/chat/completions", json=sent, headers=headers, timeout=60)


def resolved(config: Any, ai_providers: Mapping[str, str], model: str) -> Any:
    """With what Portkey puts in the place of a provider's slug."""
    if isinstance(config, list):
        return [resolved(item, ai_providers, model) for item in config]
    if not isinstance(config, dict):
        return config
    changed = {name: resolved(value, ai_providers, model) for name, value in config.items()}
    if str(changed.get("provider", "")).startswith("@"):
        changed |= {"provider": ai_providers[changed["provider"][1:]], "api_key": "sk-1", "custom_host": model}
    return changed


@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.name)
def test_the_gateway_takes_the_configs_of_a_stack(gateway: str, model: str, stack: Path) -> None:
    settings = PortkeySettings.model_validate(yaml.safe_load(stack.read_text())["config"]["sophia-ai:portkey"])
    slugs = {key: provider.slug for key, provider in settings.providers.items()}
    kinds = {p.slug: settings.integrations[p.integration].ai_provider_id for p in settings.providers.values()}
    guardrails = dict.fromkeys(settings.guardrails, "pg-one")
    assert settings.configs
    for key, config in settings.configs.items():
        answered = judged(gateway, resolved(config.config.wire(slugs, guardrails), kinds, model))
        assert answered.status_code == 200, f"{key}: {answered.text}"
        assert answered.json()["choices"][0]["message"]["content"] == "yes"


@pytest.mark.parametrize(
    ("config", "valid"),
    [
        ({"provider": f"@{SLUG}"}, True),
        ({"provider": f"@{SLUG}", "cache": {"mode": "simple", "max_age": 60}, "retry": {"attempts": 2}}, True),
        ({"strategy": {"mode": "loadbalance"}, "targets": [{"provider": f"@{SLUG}", "weight": 0.5}]}, True),
        (
            {
                "strategy": {
                    "mode": "conditional",
                    "conditions": [{"query": {"metadata.tier": {"$eq": "paid"}}, "then": "paid"}],
                    "default": "paid",
                },
                "targets": [{"name": "paid", "provider": f"@{SLUG}"}],
            },
            True,
        ),
        ({"strategy": {"mode": "random"}, "targets": [{"provider": f"@{SLUG}"}]}, False),
        ({"strategy": {"mode": "fallback"}}, False),
        ({"provider": "opneai", "api_key": "sk-1"}, False),
        ({"provider": "openai"}, False),
        ({"provider": f"@{SLUG}", "cache": {"mode": "clever"}}, False),
        ({"provider": f"@{SLUG}", "retry": {"on_status_codes": [500]}}, False),
        ({"provider": f"@{SLUG}", "request_timeout": "soon"}, False),
    ],
)
def test_the_emulator_and_the_gateway_agree(
    serve: Callable[[Any], Any], gateway: str, model: str, config: dict[str, Any], valid: bool
) -> None:
    emulator = serve(PLATFORM)
    headers = {"x-portkey-api-key": emulator.credentials["PORTKEY_ADMIN_API_KEY"]}
    with httpx.Client(base_url=emulator.credentials["PORTKEY_BASE_URL"], headers=headers) as api:
        workspace = a_workspace(api)
        a_provider(api, workspace, SLUG)
        answered = api.post("/configs", json={"name": "c", "config": config, "workspace_id": workspace})
    assert (answered.status_code == 200) is valid, answered.text
    assert (judged(gateway, resolved(config, {SLUG: "openai"}, model)).status_code == 200) is valid

"""Mistakes that people make: each ends with one clear message, the right exit code, nothing made and nothing broken."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from sandbox import control
from sandbox.platforms import all_platforms

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout, NewCheckout

WRONG = "wr0ng-value-of-a-secret-0123456789"
"""Given as a credential; no message may repeat it."""

SECRETS = [
    WRONG,
    *(p.credentials[name].replace("{stage}", "dev") for p in all_platforms() for name in p.secret - p.files),
]


@pytest.fixture(scope="module")
def place(new_checkout: NewCheckout, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """One checkout for all mistakes: none of them makes anything, so they cannot meet."""
    with new_checkout(tmp_path_factory.mktemp("mistakes") / "checkout") as made:
        yield made


@dataclass(frozen=True)
class Mistake:
    """``platforms`` are those of the small settings that are deployed; ``code`` is the exit code."""

    code: int
    says: tuple[str, ...]
    platforms: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    messages: int = 1


MISTAKES = {
    "a wrong key": Mistake(
        4,
        ("OpenRouter", "401", "OPENROUTER_MANAGEMENT_KEY", "credentials-dev"),
        ("openrouter",),
        {"OPENROUTER_MANAGEMENT_KEY": WRONG},
    ),
    "a wrong token": Mistake(
        4, ("Slack", "invalid_auth", "SLACK_BOT_TOKEN"), ("slack",), {"SLACK_BOT_TOKEN": f"xoxb-{WRONG}"}
    ),
    "a wrong client secret": Mistake(
        4,
        ("Airbyte", "AIRBYTE_CLIENT_ID", "AIRBYTE_CLIENT_SECRET"),
        ("airbyte",),
        {"AIRBYTE_CLIENT_SECRET": WRONG},
    ),
    "a credential that nobody set": Mistake(
        4, ("OPENROUTER_MANAGEMENT_KEY is not set",), ("openrouter",), {"OPENROUTER_MANAGEMENT_KEY": ""}
    ),
    "a credential that a setting names and nobody set": Mistake(
        4,
        ("GONG_ACCESS_KEY is not set", "sophia-ai:airbyte.sources.gong.secrets.access_key", "credentials-dev"),
        ("airbyte",),
        {"GONG_ACCESS_KEY": ""},
    ),
    "an unknown key, an unknown platform, a wrong type and a reference to nothing": Mistake(
        3,
        (
            "Pulumi.dev.yaml: sophia-ai:airbyte.workspace.nam",
            "sophia-ai:slak",
            "sophia-ai:openrouter.budgets.monthly",
            'no channel "alarms"',
        ),
        settings={
            "airbyte": {"workspace": {"name": "a", "nam": "b"}},
            "slak": {},
            "openrouter": {"workspace": {"slug": "a", "name": "A"}, "budgets": {"monthly": "plenty"}},
            "slack": {"usergroups": {"platform": {"handle": "p", "name": "P", "channels": ["alarms"]}}},
        },
        messages=4,
    ),
    "a value that the platform refuses": Mistake(
        1,
        ("Slack", "sophia-ai:slack.apps.sophia", "background_color"),
        settings={
            "slack": {
                "apps": {"sophia": {"manifest": {"display_information": {"name": "S", "background_color": "blue"}}}}
            }
        },
    ),
}


def one_message(stderr: str, messages: int = 1) -> None:
    """Four parts, once, without a traceback and without a secret."""
    assert stderr.count("\n  do  ") == messages, stderr
    assert "Traceback" not in stderr
    assert "error[" not in stderr
    assert not [secret for secret in SECRETS if secret in stderr]


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_once_and_nothing_is_made(
    place: Checkout, settings: dict[str, Any], mistake: Mistake
) -> None:
    chosen = {name: settings[name] for name in mistake.platforms}
    place.configure(variables=mistake.variables, **chosen, **mistake.settings)
    refused = place.run("up", "dev", "--skip-preview", code=mistake.code)
    one_message(refused.stderr, mistake.messages)
    for text in mistake.says:
        assert text in refused.stderr
    made = {name for name in place.resources() if not name.startswith("pulumi:providers:")}
    assert made == set()


def test_a_platform_that_nobody_reaches(place: Checkout, settings: dict[str, Any]) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: nobody answers, and nobody else can take the port
        address = f"http://127.0.0.1:{held.getsockname()[1]}/api/v1"
        place.configure(variables={"OPENROUTER_BASE_URL": address}, openrouter=settings["openrouter"])
        refused = place.run("up", "dev", "--skip-preview", code=6, SOPHIA_PATIENCE_SECONDS="1")
    one_message(refused.stderr)
    assert address in refused.stderr
    assert "OpenRouter" in refused.stderr


def test_an_environment_that_does_not_exist(place: Checkout) -> None:
    document = {"environment": ["sophia-ai/dve"], "config": {}}
    (place.directory / "Pulumi.dev.yaml").write_text(yaml.safe_dump(document))
    refused = place.run("up", "dev", "--skip-preview", code=3)
    one_message(refused.stderr)
    assert "sophia-ai/dve" in refused.stderr
    assert "Pulumi.dev.yaml" in refused.stderr


@pytest.mark.parametrize("command", ["up", "preview", "refresh", "destroy", "outputs", "cancel"])
def test_a_misspelt_stack(place: Checkout, command: str) -> None:
    refused = place.run(command, "dve", code=3)
    one_message(refused.stderr)
    assert 'did you mean "dev"' in refused.stderr


def test_a_mistake_leaves_what_is_deployed_alone(checkout: Checkout, settings: dict[str, Any]) -> None:
    checkout.configure(openrouter=settings["openrouter"])
    checkout.run("up", "dev", "--skip-preview")
    state = checkout.stack().state()
    changed = {**settings["openrouter"], "keys": {"web": {"name": "Web app", "limit_usd": 41}}}
    checkout.configure(variables={"OPENROUTER_MANAGEMENT_KEY": WRONG}, openrouter=changed)
    refused = checkout.run("up", "dev", "--skip-preview", code=4)
    one_message(refused.stderr)
    after = checkout.stack().state()
    assert state is not None
    assert after is not None
    assert [r["urn"] for r in after.resources] == [r["urn"] for r in state.resources]
    (key,) = checkout.objects("openrouter", "key").values()
    assert key["limit"] == 40

    checkout.configure(openrouter=changed)
    assert "updated 1" in checkout.run("up", "dev", "--skip-preview").stdout


def test_a_locked_stack(checkout: Checkout, settings: dict[str, Any], halt: Callable[..., Any]) -> None:
    checkout.configure(openrouter=settings["openrouter"])
    first = halt(checkout, "openrouter", "POST", "/api/v1/keys", 0)
    try:
        refused = checkout.run("up", "dev", "--skip-preview", code=5)
        one_message(refused.stderr)
        assert "locked" in refused.stderr
        assert "sophia cancel dev" in refused.stderr
    finally:
        first.kill_engine()


def test_no_sandbox_runs(checkout: Checkout) -> None:
    control.stop(checkout.running.directory)
    refused = checkout.run("up", "dev", "--sandbox", code=6)
    one_message(refused.stderr)
    assert "sophia sandbox start" in refused.stderr
    nowhere = checkout.run("up", "dev", code=4)
    one_message(nowhere.stderr)
    assert "PULUMI_ACCESS_TOKEN" in nowhere.stderr

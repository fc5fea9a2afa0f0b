"""App manifests in the Slack emulator: checked, completed, exported; held against the vendor's schema of manifests."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from providers.slack_manifest import comparable, sendable
from sandbox.slack import PLATFORM
from sandbox.slack.manifest_rules import problems
from sandbox.slack.manifests import normalised
from tests.contract.slack_calls import MANIFEST, Invoke, method

SCHEMA = "slack/slack_app_manifest.schema.json"


@pytest.fixture
def emulator(serve: Callable[[Any], Any]) -> Any:
    return serve(PLATFORM)


@pytest.fixture
def manifests(emulator: Any) -> Iterator[Invoke]:
    with emulator.client() as client:
        yield method(client, emulator.credentials["SLACK_CONFIG_TOKEN"])


def test_an_apps_credentials_are_shown_once(manifests: Invoke, emulator: Any) -> None:
    made = manifests("apps.manifest.create", manifest=json.dumps(MANIFEST))
    secret = made["credentials"]["signing_secret"]
    assert made["credentials"]["client_id"] in made["oauth_authorize_url"]
    assert secret not in json.dumps(manifests("apps.manifest.export", app_id=made["app_id"]))
    assert secret not in str(emulator.app.state.stores("slack").all("app"))


def test_an_exported_manifest_has_slacks_defaults(manifests: Invoke) -> None:
    app = manifests("apps.manifest.create", manifest=json.dumps(MANIFEST | {"_metadata": {"major_version": 1}}))
    exported = manifests("apps.manifest.export", app_id=app["app_id"])["manifest"]
    assert exported != MANIFEST
    assert exported["settings"]["socket_mode_enabled"] is False
    assert exported["features"]["bot_user"] == {"display_name": "sophia", "always_online": False}
    assert manifests("apps.manifest.update", app_id=app["app_id"], manifest=json.dumps(exported)) == {
        "ok": True,
        "app_id": app["app_id"],
        "permissions_updated": False,
    }


def test_an_update_replaces_the_manifest_and_a_deleted_app_is_gone(manifests: Invoke) -> None:
    app = manifests("apps.manifest.create", manifest=json.dumps(MANIFEST))["app_id"]
    bare = {"display_information": {"name": "Sophia"}}
    assert manifests("apps.manifest.update", app_id=app, manifest=json.dumps(bare))["permissions_updated"]
    assert "features" not in manifests("apps.manifest.export", app_id=app)["manifest"]
    assert manifests("apps.manifest.delete", app_id=app)["ok"]
    assert manifests("apps.manifest.export", app_id=app)["error"] == "app_not_found"


WRONG_MANIFESTS: list[tuple[dict[str, Any], str]] = [
    ({}, "/display_information"),
    ({"display_information": {"name": "x" * 36}}, "/display_information/name"),
    ({"display_information": {"name": "x", "background_color": "blue"}}, "/display_information/background_color"),
    ({"display_information": {"name": "x"}, "setings": {}}, "/setings"),
    (
        {"display_information": {"name": "x"}, "features": {"slash_commands": [{"command": "sophia"}]}},
        "/features/slash_commands/0/command",
    ),
    (
        {"display_information": {"name": "x"}, "settings": {"socket_mode_enabled": "yes"}},
        "/settings/socket_mode_enabled",
    ),
]


@pytest.mark.parametrize(("manifest", "pointer"), WRONG_MANIFESTS)
def test_a_wrong_manifest_is_refused_where_it_is_wrong(
    manifests: Invoke, spec: Callable[[str], Any], manifest: dict[str, Any], pointer: str
) -> None:
    answered = manifests("apps.manifest.validate", manifest=json.dumps(manifest))
    assert answered["error"] == "invalid_manifest"
    assert pointer in [found["pointer"] for found in answered["errors"]]
    with pytest.raises(AssertionError):
        spec(SCHEMA).check_document(manifest)


def test_events_and_interactivity_need_an_address_or_socket_mode(manifests: Invoke) -> None:
    settings: dict[str, Any] = {
        "event_subscriptions": {"bot_events": ["app_mention"]},
        "interactivity": {"is_enabled": True},
    }
    manifest = {
        "display_information": {"name": "x"},
        "features": {"bot_user": {"display_name": "x"}},
        "oauth_config": {"scopes": {"bot": ["app_mentions:read"]}},
        "settings": settings,
    }
    answered = manifests("apps.manifest.validate", manifest=json.dumps(manifest))
    assert {found["pointer"] for found in answered["errors"]} == {
        "/settings/event_subscriptions",
        "/settings/interactivity",
    }
    settings["socket_mode_enabled"] = True
    assert manifests("apps.manifest.validate", manifest=json.dumps(manifest)) == {"ok": True, "errors": []}


def test_a_good_manifest_is_good_by_the_schema_too(spec: Callable[[str], Any]) -> None:
    assert problems(MANIFEST) == []
    spec(SCHEMA).check_document(MANIFEST)
    spec(SCHEMA).check_document(normalised(MANIFEST))


@pytest.mark.parametrize("stage", ["dev", "staging", "prod"])
def test_the_manifests_of_the_stack_files_are_good_by_the_schema(stage: str, spec: Callable[[str], Any]) -> None:
    """They use nothing that the schema, which is of 2023, does not know."""
    document = yaml.safe_load((Path(__file__).parents[2] / f"Pulumi.{stage}.yaml").read_text())
    apps = document["config"]["sophia-ai:slack"]["apps"]
    for app in apps.values():
        spec(SCHEMA).check_document(sendable(comparable(app["manifest"])))
        assert problems(sendable(comparable(app["manifest"]))) == []
    assert apps


def test_what_the_schema_of_2023_does_not_know_yet(spec: Callable[[str], Any]) -> None:
    """Slack takes ``assistant_view`` since there are AI apps (2024); the schema is older and refuses it."""
    manifest = {
        "display_information": {"name": "Sophia"},
        "features": {"bot_user": {"display_name": "s"}, "assistant_view": {"assistant_description": "Helps"}},
        "oauth_config": {"scopes": {"bot": ["assistant:write"]}},
    }
    assert problems(manifest) == []
    with pytest.raises(AssertionError, match="assistant_view"):
        spec(SCHEMA).check_document(manifest)

"""Apps by their manifests: how a manifest is written and compared, and what a change of it asks of people.

Source of facts: docs.slack.dev (apps.manifest.*, Installing with OAuth).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from providers import base
from providers.base import KNOWN, Api, Call, Json, PlatformError, Trouble
from providers.base.auth import Auth
from providers.base.inputs import has_unknown
from providers.base.notice import warn
from providers.slack_api import CONFIG_TOKEN
from providers.slack_manifest import app_mistakes, comparable, scopes_of, sendable


def acceptable(manifest: dict[str, Any]) -> dict[str, Any]:
    """The manifest as it is compared. Raises ValueError with all that Slack would refuse."""
    if not has_unknown(manifest) and (found := list(app_mistakes(manifest))):
        raise ValueError("; ".join(f"{path} {message}".strip() for path, message in found))
    known: dict[str, Any] = comparable(manifest)
    return known


def manifest_text(payload: Json, _wanted: base.Inputs) -> Json:
    """The wire form of an app's inputs: Slack wants the manifest as JSON text."""
    return {**payload, "manifest": json.dumps(sendable(payload["manifest"]), sort_keys=True)}


def manifest_only(payload: Json, wanted: base.Inputs) -> Json:
    """The same where an input has the app's id, which each call says by itself."""
    return {"manifest": manifest_text(payload, wanted)["manifest"]}


def manifest_shown(document: Json) -> Json:
    """What Slack exports, as it is compared."""
    return {**document, "manifest": comparable(document["manifest"])} if "manifest" in document else document


def manifest_method(name: str, *, repeatable: bool = True, **body: Any) -> Call:
    """A manifest method, which takes nothing but a configuration token."""
    return Call("POST", f"/apps.manifest.{name}", body=body, repeatable=repeatable, auth=CONFIG_TOKEN)


@dataclass(frozen=True)
class UpdateApp(Call):
    """Replaces the manifest. Where that changes the scopes, a person must install the app again, and is told."""

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        answer = Call.send(self, api, values, payload)
        if not answer.get("permissions_updated"):
            return answer
        client, manifest = values.get(KNOWN, {}).get("client_id"), values["manifest"]
        address = (
            _install_url(client, manifest) if client else f"https://api.slack.com/apps/{values['id']}/install-on-team"
        )
        name = manifest["display_information"]["name"]
        warn(
            f'Slack app "{name}": its scopes have changed, and its token has the old ones until somebody installs it '
            f"again: {address}"
        )
        return {**answer, "oauth_authorize_url": address}


def _install_url(client: str, manifest: Json) -> str:
    asked = {
        "client_id": client,
        "scope": ",".join(scopes_of(manifest)),
        "user_scope": ",".join(scopes_of(manifest, "user")),
    }
    return f"https://slack.com/oauth/v2/authorize?{urlencode(asked)}"


@dataclass(frozen=True)
class NoSuchApp:
    """What is left to say where the id of an existing app leads nowhere: it cannot be made."""

    auth: Auth | None = CONFIG_TOKEN

    def send(self, _api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:  # noqa: ARG002 - one signature for all operations
        raise PlatformError(
            Trouble.INVALID,
            f"there is no app {values['app_id']} that SLACK_CONFIG_TOKEN may configure",
            do="correct app_id (api.slack.com/apps, Basic information); whose token it is must be a collaborator of the app",
        )

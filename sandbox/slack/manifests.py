"""Apps made from manifests. The credentials are in the answer to the creation and nowhere else."""

from __future__ import annotations

import copy
import json
import secrets
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from sandbox.http import Call, merged
from sandbox.slack.access import Arguments, SlackError, succeed
from sandbox.slack.challenges import challenge_addresses, signing_secret, verification_token
from sandbox.slack.conversations import identifier
from sandbox.slack.manifest_rules import problems
from sandbox.store import Document

_DEFAULTS = {
    "settings": {"org_deploy_enabled": False, "socket_mode_enabled": False, "token_rotation_enabled": False},
}
_HOME = {"home_tab_enabled": False, "messages_tab_enabled": False, "messages_tab_read_only_enabled": True}


def validate(call: Call) -> Response:
    sent = Arguments.of(call)
    if "app_id" in sent:
        _app(call, sent)
    _manifest(sent)
    return succeed(call, errors=[])


def create(call: Call) -> Response:
    sent = Arguments.of(call)
    manifest, app = normalised(_manifest(sent)), identifier("A")
    client = f"{secrets.randbelow(10**13):013}.{secrets.randbelow(10**13):013}"
    challenge_addresses(call, app, {}, manifest)
    call.store.put("app", app, {"id": app, "manifest": manifest})
    return succeed(
        call,
        app_id=app,
        credentials={
            "client_id": client,
            "client_secret": secrets.token_hex(16),
            "verification_token": verification_token(app),
            "signing_secret": signing_secret(app),
        },
        oauth_authorize_url=_authorize_url(client, manifest),
    )


def update(call: Call) -> Response:
    """Replaces the whole manifest. Changed scopes mean that people must install the app again."""
    sent = Arguments.of(call)
    app, manifest = _app(call, sent), normalised(_manifest(sent))
    changed = _scopes(app["manifest"]) != _scopes(manifest)
    challenge_addresses(call, app["id"], app["manifest"], manifest)
    call.store.put("app", app["id"], app | {"manifest": manifest})
    return succeed(call, app_id=app["id"], permissions_updated=changed)


def export(call: Call) -> Response:
    return succeed(call, manifest=_app(call, Arguments.of(call))["manifest"])


def delete(call: Call) -> Response:
    call.store.delete("app", _app(call, Arguments.of(call))["id"])
    return succeed(call)


def normalised(manifest: Document) -> Document:
    """The manifest as Slack gives it back: without ``_metadata``, in its own order, with defaults where nothing was said."""
    said = {name: part for name, part in copy.deepcopy(manifest).items() if name != "_metadata"}
    kept = merged(_DEFAULTS, said)
    features: dict[str, Any] = kept.get("features", {})
    if "bot_user" in features:
        features["bot_user"] = {"always_online": False} | features["bot_user"]
    if "app_home" in features:
        features["app_home"] = _HOME | features["app_home"]
    for whose, scopes in kept.get("oauth_config", {}).get("scopes", {}).items():
        kept["oauth_config"]["scopes"][whose] = sorted(scopes)
    for command in features.get("slash_commands", []):
        command.setdefault("should_escape", False)
    return kept


def _manifest(sent: Arguments) -> Document:
    """The argument is JSON text, also where the arguments themselves are JSON."""
    text = sent.values.get("manifest")
    if text is None:
        sent.needed("manifest")
    try:
        manifest = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        manifest = None
    if not isinstance(manifest, dict):
        raise SlackError("invalid_manifest", errors=[{"message": "manifest must be a JSON object", "pointer": "/"}])
    found = problems(manifest)
    if found:
        raise SlackError("invalid_manifest", errors=found)
    return manifest


def _app(call: Call, sent: Arguments) -> Document:
    app = call.store.get("app", sent.needed("app_id"))
    if app is None:
        raise SlackError("app_not_found")
    return app


def _scopes(manifest: Document) -> dict[str, set[str]]:
    scopes = manifest.get("oauth_config", {}).get("scopes", {})
    return {kind: set(scopes.get(kind, [])) for kind in ("bot", "user")}


def _authorize_url(client: str, manifest: Document) -> str:
    scopes = _scopes(manifest)
    query = {
        "client_id": client,
        "scope": ",".join(sorted(scopes["bot"])),
        "user_scope": ",".join(sorted(scopes["user"])),
    }
    return f"https://slack.com/oauth/v2/authorize?{urlencode(query)}"

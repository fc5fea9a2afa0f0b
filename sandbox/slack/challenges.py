"""Request URLs are tried before Slack takes them: it sends a challenge there, and wants it back within three seconds.

Source of facts: docs.slack.dev (url_verification; Verifying requests from Slack).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time

from sandbox.http import Call
from sandbox.receiver import receiver_of
from sandbox.slack.access import SlackError
from sandbox.store import Document

_SECONDS = 3.0
_POINTER = "/settings/event_subscriptions/request_url"
_KEY = b"opens nothing but a sandbox on this machine"


def signing_secret(app: str) -> str:
    """An app's signing secret: made of its id, so that the sandbox can sign without keeping it."""
    return hmac.new(_KEY, f"signing {app}".encode(), hashlib.sha256).hexdigest()[:32]


def verification_token(app: str) -> str:
    """The older way of telling that a request is Slack's, made in the same way."""
    return hmac.new(_KEY, f"verification {app}".encode(), hashlib.sha256).hexdigest()[:24]


def challenge_addresses(call: Call, app: str, before: Document, manifest: Document) -> None:
    """Tries the address for events where it is another one than before. Refuses the manifest if it does not answer."""
    address = _events_address(manifest)
    if not address or address == _events_address(before):
        return
    challenge = secrets.token_urlsafe(36)
    body = json.dumps({"token": verification_token(app), "challenge": challenge, "type": "url_verification"}).encode()
    answer = receiver_of(call.request).deliver("slack", address, body, _headers(app, body), timeout=_SECONDS)
    document = answer.json()
    echoed = document.get("challenge") if isinstance(document, dict) else answer.body.decode(errors="replace").strip()
    if not answer.ok or echoed != challenge:
        why = answer.problem or f"it answered {answer.status}"
        message = f"Your URL didn't respond with the value of the challenge parameter ({why})"
        raise SlackError("invalid_manifest", errors=[{"message": message, "pointer": _POINTER}])


def _headers(app: str, body: bytes) -> dict[str, str]:
    moment = str(int(time.time()))
    signed = hmac.new(signing_secret(app).encode(), b":".join((b"v0", moment.encode(), body)), hashlib.sha256)
    return {
        "Content-Type": "application/json",
        "X-Slack-Request-Timestamp": moment,
        "X-Slack-Signature": f"v0={signed.hexdigest()}",
    }


def _events_address(manifest: Document) -> str:
    address: str = manifest.get("settings", {}).get("event_subscriptions", {}).get("request_url", "")
    return address

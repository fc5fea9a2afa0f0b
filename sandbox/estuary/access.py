"""Who calls, and what they may do where: service-account keys, access tokens, grants.

Two generations of keys are known of the vendor. Keys beginning with ``flow_sa_`` are exchanged by the grant ``api_key``
(flowctl's FLOW_API_KEY); those that ``createApiKey`` hands out are the base64 text of ``{"id", "secret"}``, a refresh
token of the account, exchanged by the grant ``refresh_token``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.responses import PlainTextResponse, Response

from sandbox.estuary import seed
from sandbox.estuary.identifiers import now, parsed_id
from sandbox.estuary.seed import user_of
from sandbox.http import ApiError, Call, answer, digest, document_of
from sandbox.pulumi_cloud.vault import Vault, VaultError
from sandbox.store import Document, Store

TOKEN_SECONDS = 3600
_CONTEXT = "estuary access token"
_UNUSABLE = "invalid, expired, or unknown credential"
_RANKS = {"none": 0, "read": 1, "write": 2, "admin": 3}


def render(error: ApiError) -> Response:
    """The control plane's REST endpoints say what is wrong as plain text."""
    return PlainTextResponse(error.message, error.status)


def email_of(store: Store, user: str) -> str:
    names = (account["catalog_name"] for account in store.latest.all("service_account"))
    return next((f"{name}@service_accounts.estuary.dev" for name in names if user_of(name) == user), "user")


def admit(call: Call) -> str:
    """The control plane's own API: an access token, or a key of either kind; 401 otherwise."""
    seed.ensure(call.store)
    bearer = call.bearer()
    if not bearer:
        raise ApiError(401, "This is an authenticated API but the request is missing a required Authorization: Bearer")
    if bearer.count(".") == 2:
        return subject(call, bearer)
    return _exchanged(call.store, _key(call.store, bearer))


def subject(call: Call, token: str) -> str:
    """Who an access token is for; 401 for one that is damaged, not ours, or has expired."""
    vault: Vault = call.request.app.state.vault
    signed, _, signature = token.rpartition(".")
    try:
        genuine = vault.decrypt(_unpadded(signature), _CONTEXT) == hashlib.sha256(signed.encode()).digest()
        claims = json.loads(_unpadded(signed.partition(".")[2])) if genuine else {}
    except (VaultError, ValueError, binascii.Error) as error:
        raise ApiError(401, "failed to verify the bearer token: InvalidToken") from error
    if claims.get("exp", 0) <= time.time():
        raise ApiError(401, "JWT expired")
    return str(claims["sub"])


def create_token(call: Call) -> Response:
    """``POST /api/v1/auth/token``: an access token for an hour. There is no ``expires_in``: the token itself says it."""
    seed.ensure(call.store)
    sent = document_of(call.payload)
    grant = sent.get("grant_type") if isinstance(sent, dict) else None
    if grant == "api_key":
        secret = _member(sent, "api_key")
        if not secret.startswith("flow_sa_"):
            raise ApiError(400, "api_key must be a flow_sa_ service-account key")
        key = _key(call.store, secret)
    elif grant == "refresh_token":
        identifier, secret = parsed_id(_member(sent, "refresh_token_id")), _member(sent, "secret")
        key = call.store.latest.get("api_key", identifier or "") or {}
        if key.get("digest") != digest(secret):
            key = {}
    else:
        raise ApiError(422, f"unknown variant `{grant}`, expected `refresh_token` or `api_key`")
    return answer({"access_token": _minted(call, _exchanged(call.store, key))})


def may(store: Store, user: str, capability: str, name: str) -> bool:
    """Whether a user has at least this capability for a name or prefix, by grants of their own or of their roles'."""
    return _RANKS[capability_at(store, user, name)] >= _RANKS[capability]


def capability_at(store: Store, user: str, name: str) -> str:
    """``none``, ``read``, ``write`` or ``admin``."""
    held = [held for prefix, held in prefixes(store, user).items() if name.startswith(prefix)]
    return max(held, key=_RANKS.__getitem__, default="none")


def prefixes(store: Store, user: str) -> dict[str, str]:
    """What a user may do, by prefix. Who administers a role has what that role was granted."""
    held: dict[str, str] = {}
    reached = [(grant["object_role"], grant["capability"]) for grant in store.latest.all("user_grant", user_id=user)]
    roles = store.latest.all("role_grant")
    while reached:
        prefix, capability = reached.pop()
        if _RANKS[held.get(prefix, "none")] >= _RANKS[capability]:
            continue
        held[prefix] = capability
        if capability == "admin":
            reached += [(r["object_role"], r["capability"]) for r in roles if r["subject_role"].startswith(prefix)]
    return held


def role_may(store: Store, subject_name: str, capability: str, name: str) -> bool:
    """Whether a specification may read or write another, by the grants to roles that its own name is under."""
    return any(
        subject_name.startswith(grant["subject_role"])
        and name.startswith(grant["object_role"])
        and _RANKS[grant["capability"]] >= _RANKS[capability]
        for grant in store.latest.all("role_grant")
    )


def expiry(key: Document) -> datetime:
    """A key's validity slides with its use. A revoked one has none."""
    return datetime.fromisoformat(key["updated_at"]) + timedelta(seconds=key["valid_seconds"])


def _key(store: Store, bearer: str) -> Document:
    if bearer.startswith("flow_sa_"):
        return store.latest.first("api_key", digest=digest(bearer)) or {}
    try:
        pair: Any = json.loads(base64.b64decode(bearer, validate=True))
    except (ValueError, binascii.Error):
        return {}
    if not isinstance(pair, dict):
        return {}
    key = store.latest.get("api_key", parsed_id(pair.get("id")) or "") or {}
    return key if key.get("digest") == digest(str(pair.get("secret"))) else {}


def _exchanged(store: Store, key: Document) -> str:
    if not key or not key["valid_seconds"] or expiry(key) <= datetime.now(UTC):
        raise ApiError(401, _UNUSABLE)
    store.put("api_key", key["id"], key | {"updated_at": now(), "uses": key["uses"] + 1})
    return user_of(key["account"])


def _minted(call: Call, user: str) -> str:
    issued = int(time.time())
    claims = {
        "aud": "authenticated",
        "role": "authenticated",
        "sub": user,
        "email": email_of(call.store, user),
        "iat": issued,
        "exp": issued + TOKEN_SECONDS,
    }
    signed = ".".join(_padless(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    vault: Vault = call.request.app.state.vault
    return f"{signed}.{_padless(vault.encrypt(hashlib.sha256(signed.encode()).digest(), _CONTEXT))}"


def _member(sent: Any, name: str) -> str:
    value = sent.get(name)
    if not isinstance(value, str):
        raise ApiError(422, f"missing field `{name}`")
    return value


def _padless(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

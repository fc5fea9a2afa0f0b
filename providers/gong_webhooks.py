"""What an automation rule of Gong's sends, and whether Gong sent it: a token signed with the rule's key (JWT, RS256).

A rule is made in Gong's pages only, which show its public key: the body of a PEM without its first and last line. The token
stands in ``Authorization``; its claims name the address that was called (``webhook_url``), the SHA-256 of the body in hex
(``body_sha256``) and when it ends to be good (``exp``). Source of facts: help.gong.io on webhook rules, and a published
verifier of such webhooks (NangoHQ).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

LEAST_BITS = 2048
"""RFC 7518, section 3.3: what RS256 asks of a key."""

_PARTS = 3


class WebhookError(ValueError):
    """A key that is none, or a delivery that Gong did not send: the message says why, and shows neither."""


def public_key(text: str) -> RSAPublicKey:
    """The key, from PEM or from what Gong's page shows. Raises ``WebhookError``."""
    if "PRIVATE KEY" in text:
        raise WebhookError("is a private key, which nobody but Gong should have: take the rule's public key")
    try:
        if "-----BEGIN" in text:
            key = serialization.load_pem_public_key(text.strip().encode())
        else:
            key = serialization.load_der_public_key(base64.b64decode("".join(text.split()), validate=True))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise WebhookError("is no public key: copy the one that the rule's page in Gong shows, whole") from error
    if not isinstance(key, RSAPublicKey):
        raise WebhookError("is no RSA key: Gong signs with RS256")
    if key.key_size < LEAST_BITS:
        raise WebhookError(f"has {key.key_size} bits, and RS256 asks for {LEAST_BITS} at least")
    return key


def pem(key: RSAPublicKey) -> str:
    """The key as receivers and their libraries take it (SubjectPublicKeyInfo)."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, form).decode()


def verify(authorization: str, body: bytes, *, address: str, key: RSAPublicKey, now: float | None) -> dict[str, Any]:
    """The claims of a delivery that Gong has sent to ``address``. Raises ``WebhookError`` for any other.

    ``body`` is what came, byte by byte, before anybody has parsed it. ``now`` is in seconds since 1970; None lets a
    recorded delivery pass that was good once.
    """
    token = authorization.strip().removeprefix("Bearer ").strip()
    header, payload, signature = _parts(token)
    if header.get("alg") != "RS256":
        raise WebhookError("is not signed with RS256")
    try:
        signed = token.rpartition(".")[0].encode()
        key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature as error:
        raise WebhookError("is not signed with this rule's key") from error
    if not _same(payload.get("webhook_url"), address):
        raise WebhookError("was sent to another address")
    if not _same(payload.get("body_sha256"), hashlib.sha256(body).hexdigest()):
        raise WebhookError("has another body than the one that was signed")
    expires = payload.get("exp")
    if isinstance(expires, bool) or not isinstance(expires, int | float):
        raise WebhookError("does not say when it expires")
    if now is not None and now >= expires:
        raise WebhookError("has expired")
    return payload


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    try:
        header, payload, signature = (_decoded(part) for part in token.split(".", _PARTS))
        read = json.loads(header), json.loads(payload)
    except (ValueError, binascii.Error) as error:
        raise WebhookError("has no signed token (JWT) in Authorization") from error
    if not all(isinstance(one, dict) for one in read):
        raise WebhookError("has no signed token (JWT) in Authorization")
    return *read, signature


def _decoded(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)


def _same(claimed: Any, found: str) -> bool:
    return isinstance(claimed, str) and hmac.compare_digest(claimed.encode(), found.encode())

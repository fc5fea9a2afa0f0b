"""Encryption as a service: the ciphertexts in a stack's configuration and state are made and read here."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from starlette.routing import Route

from sandbox.pulumi_cloud.calls import Answer, ApiError, Call, routes
from sandbox.pulumi_cloud.records import STACK, find_stack
from sandbox.pulumi_cloud.vault import Vault, VaultError


def seal(vault: Vault, stack_id: str, plain: bytes) -> str:
    """Base64 of a ciphertext bound to a stack. The id survives renames, so the secrets do, too."""
    return base64.b64encode(vault.encrypt(plain, f"stack:{stack_id}")).decode()


def unseal(vault: Vault, stack_id: str, ciphertext: str) -> bytes:
    """The plaintext of ``seal``; raises VaultError for the ciphertext of another stack."""
    try:
        return vault.decrypt(base64.b64decode(ciphertext, validate=True), f"stack:{stack_id}")
    except binascii.Error as error:
        raise VaultError("the ciphertext is not base64") from error


def _encrypt(call: Call) -> Answer:
    stack = find_stack(call)
    return {"ciphertext": seal(call.vault, stack.id, _plain(call.document().get("plaintext")))}


def _decrypt(call: Call) -> Answer:
    stack = find_stack(call)
    return {"plaintext": _opened(call, stack.id, call.document().get("ciphertext"))}


def _batch_encrypt(call: Call) -> Answer:
    stack = find_stack(call)
    plaintexts = _list(call.document().get("plaintexts"))
    return {"ciphertexts": [seal(call.vault, stack.id, _plain(plaintext)) for plaintext in plaintexts]}


def _batch_decrypt(call: Call) -> Answer:
    # Every ciphertext must be a key of the answer, spelled as it came: a missing one crashes the command line.
    stack = find_stack(call)
    ciphertexts = _list(call.document().get("ciphertexts"))
    return {"plaintexts": {text: _opened(call, stack.id, text) for text in ciphertexts}}


def _log_decryption(call: Call) -> Answer:
    find_stack(call)
    return None


def _opened(call: Call, stack_id: str, ciphertext: Any) -> str:
    if not isinstance(ciphertext, str):
        raise ApiError(400, "Bad Request: a ciphertext must be base64 text")
    try:
        return base64.b64encode(unseal(call.vault, stack_id, ciphertext)).decode()
    except VaultError as error:
        raise ApiError(400, f"Bad Request: this secret was not encrypted for this stack: {error}") from error


def _plain(value: Any) -> bytes:
    try:
        return base64.b64decode(value or "", validate=True)
    except (binascii.Error, TypeError) as error:
        raise ApiError(400, "Bad Request: a plaintext must be base64 text") from error


def _list(value: Any) -> list[Any]:
    if value is not None and not isinstance(value, list):
        raise ApiError(400, "Bad Request: expected a list")
    return value or []


ROUTES: list[Route] = routes(
    [
        ("POST", f"{STACK}/encrypt", _encrypt),
        ("POST", f"{STACK}/decrypt", _decrypt),
        ("POST", f"{STACK}/batch-encrypt", _batch_encrypt),
        ("POST", f"{STACK}/batch-decrypt", _batch_decrypt),
        ("POST", f"{STACK}/decrypt/log-decryption", _log_decryption),
        ("POST", f"{STACK}/decrypt/log-batch-decryption", _log_decryption),
    ]
)

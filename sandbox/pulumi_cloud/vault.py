"""Encryption at rest: what a user declares secret is in the sandbox's files only as ciphertext."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


class VaultError(ValueError):
    """A ciphertext that this vault did not make, or made for another context."""


def owner_only_file(path: Path, content: bytes) -> bytes:
    """The content of ``path``, which is created with ``content`` and mode 0600 when it does not exist."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    return content


class Vault:
    """AES-256-GCM under one key in a file that only its owner can read."""

    def __init__(self, key_path: Path) -> None:
        self._cipher = AESGCM(owner_only_file(key_path, AESGCM.generate_key(bit_length=256)))

    def encrypt(self, plain: bytes, context: str) -> bytes:
        """A ciphertext that decrypts in the same ``context`` only (a stack's or an environment's id)."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, context.encode())

    def decrypt(self, ciphertext: bytes, context: str) -> bytes:
        """Raises VaultError for a damaged ciphertext, one of another vault, or one of another context."""
        try:
            return self._cipher.decrypt(ciphertext[:_NONCE_BYTES], ciphertext[_NONCE_BYTES:], context.encode())
        except (InvalidTag, ValueError) as error:
            raise VaultError("the ciphertext was not made here, or for something else") from error

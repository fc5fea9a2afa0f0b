"""Secrets that a platform shows again, or signs with: the store, and so the sandbox's files, have them sealed."""

from __future__ import annotations

import base64

from sandbox.pulumi_cloud.vault import Vault

_SEALED = "sealed: "


def sealed(vault: Vault, secret: str) -> str:
    """The secret as the store may have it."""
    return _SEALED + base64.b64encode(vault.encrypt(secret.encode(), _SEALED)).decode()


def opened(vault: Vault, kept: str) -> str:
    """The secret again. What somebody put there by hand (``sophia sandbox change``) is in clear."""
    if not kept.startswith(_SEALED):
        return kept
    return str(vault.decrypt(base64.b64decode(kept.removeprefix(_SEALED)), _SEALED).decode())

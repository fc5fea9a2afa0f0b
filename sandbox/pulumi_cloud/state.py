"""What Pulumi Cloud does to a stack's state besides keeping it: addressing, renaming, sealing its secrets anew.

A deployment is the engine's own document (https://www.pulumi.com/docs/iac/concepts/state-and-backends/); whatever these
functions do not know about, they keep.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.pulumi_cloud.calls import Json

# The engine marks special values in properties by this key; the second number says that the value is a secret.
# (sdk/go/common/resource/sig in github.com/pulumi/pulumi)
_SIGNATURE_KEY = "4dabf18193072939515e22adb298388d"
_SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a type mark, the same in every state on earth

EMPTY_DEPLOYMENT: Json = {"manifest": {"time": "0001-01-01T00:00:00Z", "magic": "", "version": ""}}


@dataclass(frozen=True)
class Address:
    """Where a stack is, as far as its state mentions it."""

    organization: str
    project: str
    stack: str


def secrets_address(deployment: Json) -> Address | None:
    """The stack that encrypted this deployment's secrets, when Pulumi Cloud did."""
    provider = deployment.get("secrets_providers")
    if not isinstance(provider, dict) or provider.get("type") != "service":
        return None
    state = provider.get("state") or {}
    return Address(state.get("owner", ""), state.get("project", ""), state.get("stack", ""))


def with_secrets_address(deployment: Json, url: str, address: Address) -> Json:
    """The deployment with its secrets provider pointing to ``address`` at ``url``.

    The engine decrypts a state at the address written in it, so a sandbox on another port than yesterday's would
    otherwise lose every secret.
    """
    if secrets_address(deployment) is None:
        return deployment
    provider = deployment["secrets_providers"]
    state = {
        **provider.get("state", {}),
        "url": url,
        "owner": address.organization,
        "project": address.project,
        "stack": address.stack,
    }
    return {**deployment, "secrets_providers": {**provider, "state": state}}


def renamed(deployment: Json, old: Address, new: Address) -> Json:
    """The deployment with every URN, wherever it stands, moved from one stack to another."""
    prefix, new_prefix = f"urn:pulumi:{old.stack}::{old.project}::", f"urn:pulumi:{new.stack}::{new.project}::"
    root = f"{prefix}pulumi:pulumi:Stack::{old.project}-{old.stack}"
    new_root = f"{new_prefix}pulumi:pulumi:Stack::{new.project}-{new.stack}"

    def text(value: str) -> str:
        if value == root:
            return new_root
        return new_prefix + value[len(prefix) :] if value.startswith(prefix) else value

    moved: Json = _mapped(deployment, text)
    return moved


def _mapped(value: Any, text: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return text(value)
    if isinstance(value, list):
        return [_mapped(item, text) for item in value]
    if isinstance(value, dict):
        return {key: _mapped(item, text) for key, item in value.items()}
    return value


def resealed(value: Any, seal_anew: Callable[[str], str]) -> Any:
    """The value with the ciphertext of every secret in it replaced by ``seal_anew(ciphertext)``."""
    if isinstance(value, list):
        return [resealed(item, seal_anew) for item in value]
    if not isinstance(value, dict):
        return value
    if _is_sealed(value):
        return {**value, "ciphertext": seal_anew(value["ciphertext"])}
    return {key: resealed(item, seal_anew) for key, item in value.items()}


def revealed(value: Any, opened: Callable[[str], Any]) -> tuple[Any, bool]:
    """The value with every secret in it replaced by ``opened(ciphertext)``, and whether there was one."""
    if isinstance(value, dict) and _is_sealed(value):
        return opened(value["ciphertext"]), True
    if isinstance(value, list):
        items = [revealed(item, opened) for item in value]
        return [item for item, _ in items], any(secret for _, secret in items)
    if isinstance(value, dict):
        members = {key: revealed(item, opened) for key, item in value.items()}
        return {key: item for key, (item, _) in members.items()}, any(secret for _, secret in members.values())
    return value, False


def _is_sealed(value: dict[str, Any]) -> bool:
    return value.get(_SIGNATURE_KEY) == _SECRET_SIGNATURE and isinstance(value.get("ciphertext"), str)

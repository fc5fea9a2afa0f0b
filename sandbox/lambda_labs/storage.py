"""SSH keys and filesystems. Of a key that Lambda makes itself the private half is shown once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from pydantic import Field
from starlette.responses import Response

from sandbox.http import ApiError, Call, answer
from sandbox.lambda_labs import access, catalogue, instances
from sandbox.store import Document

FILESYSTEMS_LIMIT = 24
_USER = {"id": "0f1e2d3c4b5a69788796a5b4c3d2e1f0", "email": "platform@payready.example", "status": "active"}


class KeyBody(access.Sent):
    name: str = Field(min_length=1, max_length=64)
    public_key: str | None = Field(default=None, min_length=1, max_length=4096)


class FilesystemBody(access.Sent):
    name: str = Field(min_length=1, max_length=60, pattern=r"^[a-zA-Z]+[0-9a-zA-Z-]*$")
    region: Literal[tuple(catalogue.REGIONS)]  # type: ignore[valid-type] # the regions are data


def list_keys(call: Call) -> Response:
    return answer({"data": call.store.all("ssh_key")})


def create_key(call: Call) -> Response:
    """Launches name keys by their names, so that a name is one key's."""
    wanted = access.sent(call, KeyBody)
    if call.store.latest.first("ssh_key", name=wanted.name) is not None:
        raise ApiError(400, f"An SSH key named {wanted.name} already exists.")
    key, private = {"id": uuid4().hex, "name": wanted.name}, {}
    if wanted.public_key is None:
        pair = Ed25519PrivateKey.generate()
        key["public_key"] = pair.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        private["private_key"] = pair.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    else:
        if not wanted.public_key.startswith(("ssh-", "ecdsa-", "sk-")):
            raise ApiError(400, "Invalid request data. public_key: not a public key in OpenSSH's format")
        key["public_key"] = wanted.public_key
    return answer({"data": {**call.store.put("ssh_key", key["id"], key), **private}})


def delete_key(call: Call) -> Response:
    """An unknown key is an invalid parameter: there is no "not found" for keys."""
    if not call.store.delete("ssh_key", call.path("id")):
        raise ApiError(400, "Invalid request data. No such SSH key.")
    return answer({"data": {}})


def list_filesystems(call: Call) -> Response:
    return answer({"data": [_shown(call, one) for one in call.store.all("filesystem")]})


def create_filesystem(call: Call) -> Response:
    wanted = access.sent(call, FilesystemBody)
    others = call.store.latest.all("filesystem")
    if any((one["name"], one["region"]) == (wanted.name, wanted.region) for one in others):
        raise ApiError(400, f"Filesystem {wanted.name} already exists in {wanted.region}.", code=access.DUPLICATE)
    if len(others) >= FILESYSTEMS_LIMIT:
        raise ApiError(400, "Quota exceeded.", code=access.QUOTA)
    filesystem = {
        "id": uuid4().hex,
        "name": wanted.name,
        "mount_point": f"/lambda/nfs/{wanted.name}",
        "created": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "created_by": _USER,
        "region": wanted.region,
        "bytes_used": 0,
    }
    return answer({"data": _shown(call, call.store.put("filesystem", filesystem["id"], filesystem))})


def delete_filesystem(call: Call) -> Response:
    identifier = call.path("id")
    if instances.uses(call.store, "file_system_id", identifier):
        raise ApiError(400, "Filesystem is in use.", code="filesystems/filesystem-in-use")
    if not call.store.delete("filesystem", identifier):
        raise ApiError(404, "Filesystem was not found.", code=access.ABSENT)
    return answer({"data": {"deleted_ids": [identifier]}})


def _shown(call: Call, filesystem: Document) -> Document:
    in_use = bool(instances.uses(call.store, "file_system_id", filesystem["id"]))
    return {**filesystem, "region": catalogue.region(filesystem["region"]), "is_in_use": in_use}

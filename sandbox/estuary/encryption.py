"""The service that encrypts connectors' configurations, and what the data plane does to read them again.

``POST /v1/encrypt-config`` after estuary/config-encryption: the configuration is held against the schema, members that
the schema calls ``secret`` (or ``airbyte_secret``) get the suffix ``_sops`` and are encrypted as SOPS does it, and a
``sops`` object says how. Its MAC covers every value, in order: a configuration that was changed, or whose members
changed places, cannot be read any more. The sandbox's vault stands for the vendor's key service.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from starlette.responses import JSONResponse, Response

from sandbox.estuary.identifiers import now
from sandbox.estuary.locations import referred
from sandbox.http import ApiError, Call, answer, document_of
from sandbox.pulumi_cloud.vault import Vault, VaultError

SUFFIX = "_sops"
_CONTEXT = "estuary connector configuration"
_KEY = "projects/sandbox/locations/us-central1/keyRings/sops/cryptoKeys/connector-configuration"
_SEALED = re.compile(r"ENC\[AES256_GCM,data:(.*),iv:(.+),tag:(.+),type:(\w+)\]", re.DOTALL)
_NONCE, _TAG = 12, 16
_TYPES: dict[type, str] = {bool: "bool", int: "int", float: "float", str: "str"}
_READERS: dict[str, Callable[[str], Any]] = {
    "bool": lambda text: text == "True",
    "int": int,
    "float": float,
    "str": str,
}


class UnreadableError(ValueError):
    """A configuration that says that it is encrypted, and cannot be decrypted. The text says what of it."""


def render(error: ApiError) -> Response:
    """``{"error": "<kind>", "description": …}``, with the validation's output where that is what failed."""
    return JSONResponse({"error": "InvalidBody"} | error.details | {"description": error.message}, error.status)


def encrypt_config(call: Call) -> Response:
    sent = document_of(call.payload)
    if not isinstance(sent, dict) or "schema" not in sent or "config" not in sent:
        raise ApiError(400, "Failed to parse the request body as JSON: missing field `config` or `schema`")
    schema, config = sent["schema"], sent["config"]
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise ApiError(400, f"failed to build json schema: {error.message}", error="SchemaBuild") from error
    wrong = list(Draft202012Validator(schema).iter_errors(config))
    if wrong:
        raise ApiError(400, "config failed schema validation", error="FailedValidation", details=_outline(wrong))
    if not isinstance(config, dict):
        raise ApiError(400, "the location '' is cannot be encrypted because it is the root document")
    return answer(encrypted(call.request.app.state.vault, schema, config))


def encrypted(vault: Vault, schema: Any, config: dict[str, Any]) -> dict[str, Any]:
    """The configuration with its secrets encrypted, another ciphertext each time."""
    prepared = _suffixed(Draft202012Validator(schema), schema, config)
    mac = _mac(prepared)
    sealed: dict[str, Any] = _walked(prepared, lambda value: _seal(vault, value))
    key = {"resource_id": _KEY, "created_at": now(), "enc": base64.b64encode(b"the sandbox's vault").decode()}
    return sealed | {
        "sops": {
            "kms": None,
            "gcp_kms": [key],
            "azure_kv": None,
            "hc_vault": None,
            "age": None,
            "lastmodified": now(),
            "mac": _seal(vault, mac),
            "pgp": None,
            "encrypted_suffix": SUFFIX,
            "version": "3.7.3",
        }
    }


def is_encrypted(config: Any) -> bool:
    return isinstance(config, dict) and isinstance(config.get("sops"), dict)


def decrypted(vault: Vault, config: dict[str, Any]) -> dict[str, Any]:
    """What was encrypted, under the names that it had. Raises ``UnreadableError``."""
    try:
        mac = _open(vault, config["sops"].get("mac"))
        inside = {name: value for name, value in config.items() if name != "sops"}
        plain = _walked(inside, lambda value: _open(vault, value))
    except (VaultError, binascii.Error, ValueError) as error:
        raise UnreadableError("error decrypting the endpoint config: failed to decrypt a sops value") from error
    if _mac(plain) != mac:
        raise UnreadableError(
            "error decrypting the endpoint config: MAC mismatch (were its properties changed or re-ordered?)"
        )
    stripped: dict[str, Any] = _unsuffixed(plain)
    return stripped


def problems(schema: Any, document: Any) -> Iterator[str]:
    """What keeps a document from being as a schema wants it; of alternatives, the one that comes nearest."""
    for error in Draft202012Validator(schema).iter_errors(document):
        nearest = _nearest(error)
        place = "/".join(str(part) for part in nearest.absolute_path)
        yield f"/{place}: {nearest.message}" if place else nearest.message


def _nearest(error: ValidationError) -> ValidationError:
    while error.context:
        fitting = [inner for inner in error.context if inner.validator not in ("const", "enum")]
        branches = {inner.schema_path[0] for inner in error.context if inner.validator == "const"}
        chosen = [inner for inner in fitting if inner.schema_path[0] not in branches] or list(error.context)
        error = chosen[0]
    return error


def _outline(errors: list[ValidationError]) -> dict[str, Any]:
    """Where it fails and by which rule, and not the values: they may be secrets."""
    places = [
        {
            "instanceLocation": "".join(f"/{part}" for part in nearest.absolute_path),
            "keywordLocation": "".join(f"/{part}" for part in nearest.absolute_schema_path),
        }
        for nearest in map(_nearest, errors)
    ]
    return {"basic_output": {"valid": False, "errors": places}}


def _suffixed(validator: Draft202012Validator, schema: Any, value: Any) -> Any:
    """Members that the schema calls secret, renamed, at the end of their object as the vendor's service does it."""
    if isinstance(value, list):
        return [_suffixed(validator, _items(schema), item) for item in value]
    if not isinstance(value, dict):
        return value
    members = list(_members(validator, schema, value))
    kept: dict[str, Any] = {}
    secret: dict[str, Any] = {}
    for name, member in value.items():
        declared = [properties[name] for properties in members if name in properties]
        if any(d.get("secret") is True or d.get("airbyte_secret") is True for d in declared if isinstance(d, dict)):
            secret[name + SUFFIX] = member
        else:
            kept[name] = _suffixed(validator, {"allOf": declared}, member)
    return kept | secret


def _members(validator: Draft202012Validator, schema: Any, value: Any) -> Iterator[dict[str, Any]]:
    """The ``properties`` of a schema and of those parts of it that the value fits."""
    if not isinstance(schema, dict):
        return
    if "$ref" in schema:
        yield from _members(validator, referred(validator.schema, schema["$ref"]), value)
    yield schema.get("properties", {})
    for keyword in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(keyword, ()):
            if validator.evolve(schema=part).is_valid(value):
                yield from _members(validator, part, value)


def _items(schema: Any) -> Any:
    return {"allOf": [part.get("items", {}) for part in (schema, *schema.get("allOf", ())) if isinstance(part, dict)]}


def _walked(value: Any, change: Callable[[Any], Any], *, hidden: bool = False) -> Any:
    """The document with every value under a suffixed name changed."""
    if isinstance(value, dict):
        return {n: _walked(v, change, hidden=hidden or n.endswith(SUFFIX)) for n, v in value.items()}
    if isinstance(value, list):
        return [_walked(item, change, hidden=hidden) for item in value]
    return change(value) if hidden and value is not None else value


def _unsuffixed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name.removesuffix(SUFFIX): _unsuffixed(member) for name, member in value.items()}
    return [_unsuffixed(item) for item in value] if isinstance(value, list) else value


def _mac(value: Any) -> str:
    """A digest of all names and values in their order."""
    return hashlib.sha512(json.dumps(value, ensure_ascii=False).encode()).hexdigest()


def _seal(vault: Vault, value: Any) -> str:
    content = vault.encrypt(str(value).encode(), _CONTEXT)
    data, iv, tag = (base64.b64encode(p).decode() for p in (content[_NONCE:-_TAG], content[:_NONCE], content[-_TAG:]))
    return f"ENC[AES256_GCM,data:{data},iv:{iv},tag:{tag},type:{_TYPES[type(value)]}]"


def _open(vault: Vault, text: Any) -> Any:
    found = _SEALED.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise VaultError("no sops value")
    data, iv, tag = (base64.b64decode(part, validate=True) for part in found.groups()[:3])
    return _READERS[found[4]](vault.decrypt(iv + data + tag, _CONTEXT).decode())

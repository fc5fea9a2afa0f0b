"""Snowflake's SQL API, as far as a login goes: the current role, and the description of a user.

A view that is there can be selected from, and has no rows: nothing loads data here. No other SQL is run.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from starlette.responses import JSONResponse, Response

from sandbox.http import ApiError, Call, Routes, answer, document_of
from sandbox.official.api.snowflake_key import public_key
from sandbox.official.snowflake import USER, identifier

ORGANIZATION, ACCOUNT = "SANDBOX", "ZNB04675"

_WAREHOUSE = "snowflake:index/warehouse:Warehouse"
_SERVICE_USER = "snowflake:index/serviceUser:ServiceUser"
_ROLES = frozenset({"ACCOUNTADMIN", "SECURITYADMIN", "SYSADMIN", "USERADMIN", "ORGADMIN", "PUBLIC"})
_VIEW = "snowflake:index/view:View"
_LONGEST_SECONDS = 3600
_CURRENT_ROLE = re.compile(r"\s*SELECT\s+CURRENT_ROLE\(\)\s*,\s*CURRENT_VERSION\(\)\s*;?\s*", re.IGNORECASE)
_DESCRIBE = re.compile(r'\s*DESC(?:RIBE)?\s+USER\s+("(?:[^"]|"")+"|\w+)\s*;?\s*', re.IGNORECASE)
_SELECT = re.compile(
    r'\s*SELECT\s+(?P<columns>\w+(?:\s*,\s*\w+)*)\s+FROM\s+(?P<view>(?:"(?:[^"]|"")+"|\w+)(?:\.(?:"(?:[^"]|"")+"|\w+)){2})'
    r"\s*;?\s*",
    re.IGNORECASE,
)


def render(error: ApiError) -> Response:
    return JSONResponse({"code": "390000", "message": error.message} | error.details, error.status)


def _invalid(why: str) -> ApiError:
    return ApiError(401, f"JWT token is invalid. [{why}]", code="390144")


def _admit(call: Call) -> str:
    """The user whose private key has signed the token: the account's own one, or a service user of the estate."""
    if call.request.headers.get("x-snowflake-authorization-token-type") != "KEYPAIR_JWT":
        raise ApiError(401, "the sandbox takes key pairs only (KEYPAIR_JWT)", code="390104")
    head, _, signature = call.bearer().rpartition(".")
    try:
        algorithm, claims = (json.loads(_decoded(part)) for part in head.split("."))
        account, _, user = str(claims["sub"]).partition(".")
        key = _keys(call).get(user)
        if algorithm["alg"] != "RS256" or account != f"{ORGANIZATION}-{ACCOUNT}" or key is None:
            raise _invalid("no such account or user")
        key.verify(_decoded(signature), head.encode(), padding.PKCS1v15(), hashes.SHA256())
        if claims["iss"] != f"{claims['sub']}.{_fingerprint(key)}":
            raise _invalid("another key's fingerprint")
        if not claims["iat"] - 60 <= time.time() < min(claims["exp"], claims["iat"] + _LONGEST_SECONDS):
            raise _invalid("it has expired")
    except (ValueError, KeyError, TypeError, InvalidSignature) as error:
        raise _invalid("it cannot be verified") from error
    return user


def _keys(call: Call) -> dict[str, rsa.RSAPublicKey]:
    """The public keys by user."""
    found = {USER: public_key()}
    for user in call.store.latest.all(_SERVICE_USER):
        loaded = _loaded(user["properties"].get("rsaPublicKey"))
        if loaded is not None:
            found[str(user["properties"]["name"]).upper()] = loaded
    return found


def _loaded(body: Any) -> rsa.RSAPublicKey | None:
    """The key of a PEM without its first and last line."""
    try:
        key = serialization.load_der_public_key(base64.b64decode(body))
    except (ValueError, TypeError, binascii.Error):
        return None
    return key if isinstance(key, rsa.RSAPublicKey) else None


def _fingerprint(key: rsa.RSAPublicKey) -> str:
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return "SHA256:" + base64.b64encode(hashlib.sha256(der).digest()).decode()


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _run(call: Call) -> Response:
    sent = document_of(call.payload)
    statement = sent.get("statement") if isinstance(sent, dict) else None
    if not isinstance(statement, str):
        raise ApiError(400, "Invalid request: statement is missing", code="390142")
    role = str(sent.get("role") or "PUBLIC").upper()
    if role not in _ROLES:
        raise ApiError(
            401, f"Role '{role}' specified in the connect string does not exist or not authorized.", code="390189"
        )
    if _CURRENT_ROLE.fullmatch(statement):
        return _rows([[role, "9.0.0-sandbox"]], ["CURRENT_ROLE()", "CURRENT_VERSION()"])
    if described := _DESCRIBE.fullmatch(statement):
        written = described[1]
        (name,) = identifier(written if written.startswith('"') else written.upper())
        return _rows(_described(call, name), ["property", "value", "default", "description"])
    if selected := _SELECT.fullmatch(statement):
        return _selected(call, selected["columns"].upper(), selected["view"], sent.get("warehouse"))
    raise ApiError(422, "the sandbox runs no SQL but CURRENT_ROLE(), DESCRIBE USER and a view's rows", code="000002")


def _selected(call: Call, columns: str, view: str, warehouse: Any) -> Response:
    wanted, asked = identifier(view), [column.strip() for column in columns.split(",")]
    for properties in (one["properties"] for one in call.store.latest.all(_VIEW)):
        if wanted == tuple(properties[member] for member in ("database", "schema", "name")):
            break
    else:
        message = f"SQL compilation error:\nObject '{'.'.join(wanted)}' does not exist or not authorized."
        raise ApiError(422, message, code="002003", sqlState="42S02")
    has = [column["columnName"] for column in properties.get("columns") or ()] or asked
    if unknown := [column for column in asked if column not in has]:
        message = f"SQL compilation error: error line 1\ninvalid identifier '{unknown[0]}'"
        raise ApiError(422, message, code="000904", sqlState="42000")
    if warehouse not in [one["properties"]["name"] for one in call.store.latest.all(_WAREHOUSE)]:
        message = (
            "No active warehouse selected in the current session. "
            "Select an active warehouse with the 'use warehouse' command."
        )
        raise ApiError(422, message, code="000606", sqlState="57P03")
    return _rows([], asked)


def _described(call: Call, name: str) -> list[list[str | None]]:
    keys = _keys(call)
    if name not in keys:
        message = f"SQL compilation error:\nUser '{name}' does not exist or not authorized."
        raise ApiError(422, message, code="002003", sqlState="02000")
    shown: Mapping[str, str | None] = {
        "NAME": name,
        "RSA_PUBLIC_KEY_FP": _fingerprint(keys[name]),
        "RSA_PUBLIC_KEY_LAST_SET_TIME": None,
        "RSA_PUBLIC_KEY_2_FP": None,
        "RSA_PUBLIC_KEY_2_LAST_SET_TIME": None,
    }
    return [[property_, value, None, ""] for property_, value in shown.items()]


def _rows(rows: list[list[str | None]], columns: list[str]) -> Response:
    return answer(
        {
            "code": "090001",
            "message": "Statement executed successfully.",
            "statementHandle": str(uuid4()),
            "resultSetMetaData": {
                "numRows": len(rows),
                "rowType": [{"name": column, "type": "text"} for column in columns],
            },
            "data": rows,
        }
    )


_routes = Routes("snowflake", _admit, render)

ROUTES = [_routes("/api/v2/statements", POST=_run)]

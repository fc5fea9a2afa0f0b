"""Snowflake: a login with the key pair over the SQL API, in the role of the stack.

A user may describe itself: that tells when its key was set. Source of facts: docs.snowflake.com (SQL API, DESCRIBE USER).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import httpx

from health.asking import Client
from health.base import (
    Answer,
    Credential,
    Health,
    Known,
    Minted,
    Probe,
    Problem,
    Reading,
    Resource,
    Service,
    Subject,
    moment,
    variable,
)
from health.tokens import KeyPair, fingerprint_of
from providers.base import Environment, Trouble, trouble_of
from providers.base.errors import PlatformError

KEY = "SNOWFLAKE_PRIVATE_KEY"
_ADDRESS = Environment("SNOWFLAKE_API_URL")
_ORGANIZATION, _ACCOUNT = Environment("SNOWFLAKE_ORGANIZATION_NAME"), Environment("SNOWFLAKE_ACCOUNT_NAME")
_USER, _ROLE = Environment("SNOWFLAKE_USER"), Environment("SNOWFLAKE_ROLE")
_AUTH = KeyPair(KEY, _USER.name, (_ORGANIZATION.name, _ACCOUNT.name))
_STATEMENTS = "/api/v2/statements"
_SERVICE_USER = "snowflake:index/serviceUser:ServiceUser"

_NOT_GRANTED = "390189"
"""The code of a role that does not exist or is not granted to the user."""


def _address(_: Subject) -> str:
    """The address of the account: SNOWFLAKE_API_URL with its parts put in. Host names have no underscores."""
    parts = {"organization": _ORGANIZATION.value(), "account": _ACCOUNT.value()}
    address = _ADDRESS.value()
    for name, value in parts.items():
        address = address.replace(f"{{{name}}}", value.lower().replace("_", "-"))
    return address


def _trouble(response: httpx.Response) -> Trouble | None:
    if not response.is_error:
        return None
    # The host of an account that does not exist answers all the same, and not in JSON.
    if "json" in response.headers.get("content-type", "") and str(response.json().get("code")) == _NOT_GRANTED:
        return Trouble.FORBIDDEN
    return trouble_of(response.status_code)


def _statement(text: str) -> dict[str, Any]:
    return {"statement": text, "timeout": 10, "role": _ROLE.value()}


def _role(answer: Answer) -> Reading:
    role = answer.document["data"][0][0]
    if role == _ROLE.value().upper():
        return Reading()
    said = f"the session has the role {role}, not {_ROLE.value()}"
    return Reading((Problem(said, f"grant {_ROLE.value()} to {_USER.value()}", _ROLE.name),))


def _describe(user: str) -> str:
    escaped = user.replace('"', '""')
    return f'DESCRIBE USER "{escaped}"'


def _properties(response: httpx.Response) -> Mapping[str, str]:
    """Rows are property, value, default, description; what is not set is null, or the word."""
    rows = response.json()["data"]
    return {row[0]: row[1] for row in rows if row[1] not in (None, "null")}


def _slot(shown: Mapping[str, str], print_: str) -> str:
    """The name of the one of a user's two key slots that has this fingerprint; "" if none has."""
    slots = ("RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2")
    return next((slot for slot in slots if shown.get(f"{slot}_FP") == print_), "")


def _own_key(answer: Answer) -> Reading:
    shown = _properties(answer.response)
    slot = _slot(shown, _AUTH.fingerprint())
    return Reading(known={KEY: Known(True, made=moment(shown.get(f"{slot}_LAST_SET_TIME", "")))})


def _minted(client: Client, pair: Resource, subject: Subject) -> Known:
    """Whether the user that got the public half still has it."""
    public = pair.outputs.get("public_key")
    slots = ("rsaPublicKey", "rsaPublicKey2")
    users = [u for u in subject.of_type(_SERVICE_USER) if public in (u.outputs.get(slot) for slot in slots)]
    if not (isinstance(public, str) and users):
        return Known(said="no user of the stack has this key")
    try:
        print_ = fingerprint_of(base64.b64decode(public))
        shown = _properties(client.send("POST", _STATEMENTS, body=_statement(_describe(users[0].outputs["name"]))))
    except PlatformError as error:
        if error.trouble in (Trouble.NOT_FOUND, Trouble.INVALID):
            return Known(False, said=error.said)
        raise
    except binascii.Error:
        return Known(said="its public half cannot be read")
    slot = _slot(shown, print_)
    if not slot:
        return Known(False, said=f"the user {users[0].outputs['name']} has another key")
    return Known(True, made=moment(shown.get(f"{slot}_LAST_SET_TIME", "")))


HEALTH = Health(
    platform="snowflake",
    title="Snowflake",
    service=Service(
        address=_address,
        auth=lambda _: _AUTH,
        setting=f"{_ADDRESS.name}, {_ORGANIZATION.name} and {_ACCOUNT.name}",
        said=lambda response: str(response.json()["message"]),
        trouble=_trouble,
        headers={"Accept": "application/json"},
        status_page="https://status.snowflake.com",
        secrets=_AUTH.secrets,
    ),
    probes=(
        Probe(
            "login and role",
            _STATEMENTS,
            "POST",
            body=lambda _: _statement("SELECT CURRENT_ROLE(), CURRENT_VERSION()"),
            credentials=(KEY,),
            read=_role,
        ),
        Probe(
            "keys",
            _STATEMENTS,
            "POST",
            body=lambda _: _statement(_describe(variable(_USER.name).upper())),
            credentials=(KEY,),
            read=_own_key,
            refused="degraded",
        ),
    ),
    credentials=(
        Credential(KEY, "the idle one of the user's two key slots gets the new key; both work meanwhile", by_api=True),
    ),
    identifiers=(_ORGANIZATION.name,),
    minted=(
        Minted(
            "pulumi-python:dynamic/rsa:KeyPair",
            "service user's key pair",
            "a higher key_generation of the user: the new pair takes the idle one of two slots, the old one stays valid",
            by_api=True,
            ask=_minted,
        ),
    ),
)

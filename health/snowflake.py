"""Snowflake: a login with the key pair over the SQL API, in the role of the stack.

A user may describe itself: that tells when its key was set. Source of facts: docs.snowflake.com (SQL API, DESCRIBE USER).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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
    Verdict,
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
STATEMENTS = "/api/v2/statements"
_SERVICE_USER = "snowflake:index/serviceUser:ServiceUser"
_VIEW = "snowflake:index/view:View"

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


def statement(text: str) -> dict[str, Any]:
    """The body of a request that runs one statement, in the role of the stack."""
    return {"statement": text, "timeout": 10, "role": _ROLE.value()}


def _current_role(_: Subject) -> dict[str, Any]:
    return statement("SELECT CURRENT_ROLE(), CURRENT_VERSION()")


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
        shown = _properties(client.send("POST", STATEMENTS, body=statement(_describe(users[0].outputs["name"]))))
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


Row = Mapping[str, str | None]
"""By column. Values come as text, whatever their type is (docs.snowflake.com, SQL API, handling responses)."""


@dataclass(frozen=True)
class View:
    """The view in which a module above Snowflake says how it is; ``name`` is its logical name in the state.

    ``warehouse``: type, logical name and output of the object whose warehouse runs the query. Without one a user who has
    no warehouse of their own is refused; it sleeps again by itself.
    """

    name: str
    columns: tuple[str, ...]
    warehouse: tuple[str, str, str]

    def probes(
        self, proves: str, read: Callable[[list[Row], Subject], Reading], refused: Verdict = "failing"
    ) -> tuple[Probe, ...]:
        """The query, and the Snowflake that it will be in as long as the stack has no such view.

        ``read`` gets the rows.
        """
        query = Probe(
            proves,
            STATEMENTS,
            "POST",
            body=self._asked,
            credentials=(KEY,),
            read=lambda answer: read(self._rows(answer), answer.subject),
            needed=lambda subject: bool(list(self._found(subject))),
            refused=refused,
        )
        login = Probe(
            "the Snowflake that it will be in",
            STATEMENTS,
            "POST",
            body=_current_role,
            credentials=(KEY,),
            needed=lambda subject: not list(self._found(subject)),
        )
        return query, login

    def older_than(self, age: timedelta, subject: Subject) -> bool:
        """Whether it has been there for so long that nothing at all in it means something."""
        made = [view.created for view in self._found(subject) if view.created]
        return bool(made) and datetime.now(UTC) - datetime.fromisoformat(made[0]) > age

    def _found(self, subject: Subject) -> Iterator[Resource]:
        return (view for view in subject.of_type(_VIEW) if view.name == self.name)

    def _asked(self, subject: Subject) -> dict[str, Any]:
        (view,) = self._found(subject)
        asked = statement(" ".join(("SELECT", ", ".join(self.columns), "FROM", view.outputs["fullyQualifiedName"])))
        type_, name, output = self.warehouse
        runs = next((one for one in subject.of_type(type_) if one.name == name), None)
        return asked | ({"warehouse": runs.outputs[output]} if runs else {})

    def _rows(self, answer: Answer) -> list[Row]:
        return [dict(zip(self.columns, row, strict=True)) for row in answer.document["data"]]


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
            STATEMENTS,
            "POST",
            body=_current_role,
            credentials=(KEY,),
            read=_role,
        ),
        Probe(
            "keys",
            STATEMENTS,
            "POST",
            body=lambda _: statement(_describe(variable(_USER.name).upper())),
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

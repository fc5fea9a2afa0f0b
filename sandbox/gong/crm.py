"""The company's CRM integration, of which there is room for one: a native one of HubSpot or Salesforce counts."""

from __future__ import annotations

import secrets

from pydantic import Field
from starlette.responses import Response

from sandbox.gong import access
from sandbox.http import ApiError, Body, Call

NATIVE = ("company", "native CRM")
"""Which native integration people have connected (``{"crm": "HubSpot"}``); nothing where there is none."""


class Registration(Body):
    ownerEmail: str = Field(min_length=3)  # noqa: N815 - Gong's name
    name: str = Field(min_length=1)


def list_integrations(call: Call) -> Response:
    """What was registered by the API; a native one is not shown."""
    return access.told(integrations=call.store.all("crm_integration"))


def register(call: Call) -> Response:
    """Refused where there is one, of either sort."""
    wanted = access.sent(call, Registration)
    if call.store.latest.all("crm_integration") or call.store.latest.get(*NATIVE):
        raise ApiError(409, "An active integration already exists")
    id_ = 6_123_000_000_000_000_000 + secrets.randbelow(10**12)
    call.store.put("crm_integration", str(id_), {"integrationId": id_, **wanted.sent()})
    return access.told(integrationId=id_)

"""Applications and access tokens: who may call the API (POST /applications/token, after OAuth 2 client credentials)."""

from __future__ import annotations

import os
import secrets
import time
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

from starlette.responses import Response

from sandbox.airbyte.problems import not_found
from sandbox.http import ApiError, Body, Call, answer, digest, document_of
from sandbox.store import Document

CLIENT_ID = "5a9dbb0c-0000-4000-8000-000000000001"
CLIENT_SECRET = "sandbox-airbyte-client-secret"  # noqa: S105 - opens nothing but a sandbox on this machine
TOKEN_SECONDS = 180
"""What a self-managed Airbyte grants; Cloud grants more. SANDBOX_AIRBYTE_TOKEN_SECONDS says otherwise."""


class ApplicationCreate(Body):
    name: str


def admit(call: Call) -> str:
    """The application whose token this is; 401 without one, with an unknown one, and with one that has expired."""
    token = call.store.latest.get("token", digest(call.bearer()))
    if token is None or token["expires"] <= time.time():
        raise ApiError(401, "The access token is missing, unknown or has expired.")
    return str(token["client"])


def create_token(call: Call) -> Response:
    """JSON or a form. The platform's specification names both ``grant_type`` and ``grant-type``, and needs neither."""
    sent = _credentials(call)
    client, secret = sent.get("client_id", ""), sent.get("client_secret", "")
    if sent.get("grant_type", "client_credentials") != "client_credentials":
        raise ApiError(400, "grant_type: client_credentials is expected")
    if not _known(call, client, secret):
        raise ApiError(401, "The client id or the client secret is wrong.")
    for token in call.store.all("token"):
        if token["expires"] <= time.time():
            call.store.delete("token", token["id"])
    value = secrets.token_urlsafe(48)
    identifier = digest(value)
    lasts = int(os.environ.get("SANDBOX_AIRBYTE_TOKEN_SECONDS", TOKEN_SECONDS))
    document = {"id": identifier, "client": client, "expires": time.time() + lasts}
    call.store.put("token", identifier, document)
    return answer({"access_token": value, "token_type": "Bearer", "expires_in": lasts})


def list_applications(call: Call) -> Response:
    return answer({"applications": [_shown(application) for application in call.store.all("application")]})


def create_application(call: Call) -> Response:
    """The secret is handed out here; afterwards the sandbox has only its digest and shows asterisks."""
    sent = call.body(ApplicationCreate)
    secret = secrets.token_urlsafe(32)
    application: Document = {
        "id": str(uuid4()),
        "name": sent.name,
        "clientId": str(uuid4()),
        "secret": digest(secret),
        "createdAt": int(time.time()),
    }
    call.store.put("application", application["id"], application)
    return answer(_shown(application) | {"clientSecret": secret})


def read_application(call: Call) -> Response:
    return answer(_shown(_application(call)))


def delete_application(call: Call) -> Response:
    """Answers with what was deleted; its tokens stop working."""
    application = _application(call)
    call.store.delete("application", application["id"])
    for token in call.store.all("token", client=application["clientId"]):
        call.store.delete("token", token["id"])
    return answer(_shown(application))


def _application(call: Call) -> Document:
    identifier = call.path("id")
    application = call.store.get("application", identifier)
    if application is None:
        raise not_found("application", identifier)
    return application


def _shown(application: Document) -> Document:
    shown = {name: value for name, value in application.items() if name != "secret"}
    return shown | {"clientSecret": "*" * 10}


def _credentials(call: Call) -> dict[str, Any]:
    if call.request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(call.payload.decode()))
    sent = document_of(call.payload)
    if not isinstance(sent, dict):
        raise ApiError(400, "client_id and client_secret are expected, as JSON or as a form")
    return sent


def _known(call: Call, client: Any, secret: Any) -> bool:
    if not isinstance(client, str) or not isinstance(secret, str):
        return False
    if client == CLIENT_ID:
        return secrets.compare_digest(secret.encode(), CLIENT_SECRET.encode())
    application = call.store.first("application", clientId=client)
    return application is not None and secrets.compare_digest(digest(secret), application["secret"])

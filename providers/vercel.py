"""Vercel, what its official package cannot do: tokens and webhooks that are renewed with an overlap, drains that change in
place, bypasses whose secret stays one.

The package has tokens, but with an expiry that the program must say as a moment, and no renewal; webhooks, but not all
events (none of the budget); log drains, but each change makes another one; bypasses, but with the secret in their ids.
Projects and all else that is in them are the package's.
Source of facts: Vercel's OpenAPI description (2025-10-27). How inputs are spelled is in ``providers/vercel_inputs.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pulumi

from providers import base, vercel_inputs
from providers.base import Call, Calls, Cursor, Environment, Json, Kind, Listing, Out, PlatformError, Trouble
from providers.base.auth import Auth

TEAM = Environment("VERCEL_TEAM")
"""The team's id. The official provider does not read it by itself, and a slug is no id: ``require_team`` says so."""


def team_id(variable: Environment = TEAM) -> str:
    """The team's id. Raises ``PlatformError`` where the variable has none, or has the team's slug instead."""
    value = variable.value()
    if not value.startswith("team_"):
        said = f"{variable.name} is {value}: it must be the team's id, team_… (Vercel, Team Settings, General, Team ID)"
        raise PlatformError(Trouble.CREDENTIALS, said, variable.name)
    return value


@dataclass(frozen=True)
class _Team(Environment):
    def value(self) -> str:
        return team_id(Environment(self.name))


def said(response: httpx.Response) -> str:
    error = response.json()["error"]
    return f"{error['code']}: {error['message']}" if error.get("code") else str(error["message"])


def trouble(response: httpx.Response) -> Trouble | None:
    """A token that is unknown or has expired is a 403 that says so."""
    if not response.is_error:
        return None
    if response.status_code == httpx.codes.FORBIDDEN and response.json()["error"].get("invalidToken"):
        return Trouble.CREDENTIALS
    return base.trouble_of(response.status_code)


VERCEL = base.Api(
    name="vercel",
    title="Vercel",
    base_url=Environment("VERCEL_API_URL"),
    auth=base.Bearer(Environment("VERCEL_API_TOKEN")),
    said=said,
    trouble=trouble,
    limit=base.Unpublished(),
    constants={"team_id": _Team(TEAM.name)},
    request_id_header="x-vercel-id",
)

_OF_TEAM = {"teamId": "{team_id}"}


def _call(method: str, path: str, **more: Any) -> Call:
    return Call(method, path, params=_OF_TEAM, **more)


@dataclass(frozen=True)
class _Until(Cursor):
    """Pages by the moment until which objects were made; how many a page has is Vercel's choice."""

    def first(self) -> Json:
        return {}


class Token(base.Resource):
    """An access token of the user whose token this stack has, for the team alone: use a service seat's.

    ``token`` is shown once, when it is made, and kept as a secret; ``expires_at`` is in milliseconds since 1970. The name
    ends with the stack that manages it, and from the second on the generation stands before that. A higher
    ``generation`` makes another one before it deletes this one. One that has expired counts as gone: the next run makes
    another.
    """

    token: pulumi.Output[str]
    expires_at: pulumi.Output[int]

    kind = Kind(
        api=VERCEL,
        title="token",
        setting="tokens",
        inputs=vercel_inputs.TokenInputs,
        calls=Calls(
            create=_call("POST", "/v3/user/tokens", answer="token"),
            read=Call("GET", "/v5/user/tokens/{id}", answer="token"),
            delete=Call("DELETE", "/v3/user/tokens/{id}"),
            listing=Listing(
                Call("GET", "/v5/user/tokens"),
                items="tokens",
                pages=_Until("pagination.next", param="until"),
            ),
        ),
        identity="id",
        natural_key=("name", "generation"),
        outputs=(Out("token", "bearerToken", once=True), Out("expires_at", "expiresAt")),
        mark="name",
        encode=vercel_inputs.token_body,
        decode=vercel_inputs.token_shown,
        hidden=vercel_inputs.has_expired,
    )


class Webhook(base.Resource):
    """Where Vercel tells of the team's events. ``secret`` is shown once; each delivery is signed with it (HMAC-SHA1, hex, in
    ``x-vercel-signature``).

    Vercel changes no webhook: another one takes its place, and the old one goes afterwards. From the second generation on
    the URL ends with ``generation=2``, so that the receiver knows which secret a delivery is signed with. A webhook has no
    room for a mark of who manages it, and one whose secret was lost with a killed run is deleted and made anew.
    """

    secret: pulumi.Output[str]

    kind = Kind(
        api=VERCEL,
        title="webhook",
        setting="webhooks",
        inputs=vercel_inputs.WebhookInputs,
        calls=Calls(
            create=_call("POST", "/v1/webhooks"),
            read=_call("GET", "/v1/webhooks/{id}"),
            delete=_call("DELETE", "/v1/webhooks/{id}"),
            listing=Listing(_call("GET", "/v1/webhooks"), items="items"),
        ),
        identity="id",
        natural_key=("url", "events", "project_ids", "generation"),
        outputs=(Out("secret", "secret", once=True),),
        encode=vercel_inputs.webhook_body,
        decode=vercel_inputs.webhook_shown,
    )


@dataclass(frozen=True)
class _MakeDrain(Call):
    def send(self, api: base.Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        return super().send(api, values, vercel_inputs.new_drain_body(payload or {}))


@dataclass(frozen=True)
class _TryDrain(Call):
    """Vercel sends a made-up event to the endpoint, and tells what that answered."""

    def send(self, api: base.Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        tried = {name: value for name, value in (payload or {}).items() if name in ("schemas", "delivery")}
        answer = super().send(api, values, tried)
        if answer.get("error"):
            raise PlatformError(
                Trouble.INVALID, f"{answer.get('endpoint')} does not take what Vercel sends: {answer['error']}"
            )
        return answer


class Drain(base.Resource):
    """Where Vercel sends logs, web analytics or speed insights as they come. Each delivery is signed with ``secret``
    (HMAC-SHA1, hex, in ``x-vercel-signature``), which is ours and changes in place: the receiver must take the new one at
    once.

    A drain whose endpoint failed for long is switched off by Vercel ("errored"): that is a difference, and the next
    run switches it on again. Traces are not among them: they go to collectors of OpenTelemetry, in another form.
    """

    kind = Kind(
        api=VERCEL,
        title="drain",
        setting="drains",
        inputs=vercel_inputs.DrainInputs,
        calls=Calls(
            create=_MakeDrain("POST", "/v1/drains", params=_OF_TEAM),
            read=_call("GET", "/v1/drains/{id}"),
            update=_call("PATCH", "/v1/drains/{id}"),
            delete=_call("DELETE", "/v1/drains/{id}"),
            create_takes=frozenset(
                vercel_inputs.DrainInputs.wire_name(name)
                for name in vercel_inputs.DrainInputs.model_fields
                if name != "status"
            ),
            listing=Listing(_call("GET", "/v1/drains"), items="drains"),
            rehearse=_TryDrain("POST", "/v1/drains/test", params=_OF_TEAM),
        ),
        identity="id",
        natural_key=("name",),
        mark="name",
        encode=vercel_inputs.drain_body,
        decode=vercel_inputs.drain_shown,
    )


_BYPASSES = "/v1/projects/{project_id}/protection-bypass"


@dataclass(frozen=True)
class _OneBypass:
    """Vercel shows the bypasses of a project with the project, each under its secret."""

    call: Call

    @property
    def auth(self) -> Auth | None:
        return self.call.auth

    def send(self, api: base.Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        found = (self.call.send(api, values, payload).get("protectionBypass") or {}).get(values.get("secret"))
        if found is None:
            raise PlatformError(Trouble.NOT_FOUND, "the project has no such bypass")
        return {"created_at": found.get("createdAt"), "scope": found.get("scope")}


class ProtectionBypass(base.Resource):
    """A secret with which a program reaches deployments that are protected, in ``x-vercel-protection-bypass``.

    The package's own resource has the secret in its id, which stands in every state in clear. Here the id is the project
    and ``name``, which Vercel does not know. Another secret under another name is made before this one goes.
    """

    kind = Kind(
        api=VERCEL,
        title="protection bypass",
        setting="projects",
        inputs=vercel_inputs.BypassInputs,
        calls=Calls(
            create=_call("PATCH", _BYPASSES, body={"generate": {"secret": "{secret}"}}),
            read=_OneBypass(_call("GET", "/v9/projects/{project_id}")),
            delete=_call("PATCH", _BYPASSES, body={"revoke": {"secret": "{secret}", "regenerate": False}}),
        ),
        identity="{project_id}/{name}",
        natural_key=("project_id", "name"),
        encode=lambda _payload, _wanted: {},
        decode=lambda _document: {},
    )

"""How Gong is asked: who asks, how often, how it says no, and how a permission profile is read and replaced.

Source of facts: Gong's OpenAPI description (``gong_openapi_v2.json``) and its introduction on limits and authentication.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from providers import base
from providers.base import Api, Call, Cursor, Environment, Json, Listing, PlatformError, Trouble
from providers.base.inputs import merged
from providers.base.pace import lasting

_SCOPE = re.compile(r"\bapi:[a-z]+:")
"""The name of a scope in a refusal: the key is good, and may not do this."""

_A_DAYS_WAIT_SECONDS = 60
"""A longer wait than this is not for the limit of a second."""


def _said(response: httpx.Response) -> str:
    answer = response.json()
    said = "; ".join(str(error) for error in answer.get("errors") or [response.reason_phrase])
    wait = response.headers.get("retry-after", "")
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS and wait.isdigit() and int(wait) > _A_DAYS_WAIT_SECONDS:
        said += (
            f"; Gong takes the next request in {lasting(int(wait))}: the company's requests of the day (10,000, unless Gong "
            "gave it more) are used up by all that ask with its keys"
        )
    return f"{said} (request {answer['requestId']})" if answer.get("requestId") else said


def _trouble(response: httpx.Response) -> Trouble | None:
    if response.status_code == httpx.codes.NOT_FOUND:
        # Where nothing is found, Gong says so in its own form. A 404 without it comes from another server.
        response.json()["requestId"]
    if response.status_code == httpx.codes.UNAUTHORIZED and _SCOPE.search(response.text):
        return Trouble.FORBIDDEN
    return base.trouble_of(response.status_code) if response.is_error else None


GONG = base.Api(
    name="gong",
    title="Gong",
    base_url=Environment("GONG_BASE_URL"),
    auth=base.Basic(Environment("GONG_ACCESS_KEY"), Environment("GONG_ACCESS_KEY_SECRET")),
    said=_said,
    trouble=_trouble,
    # Gong counts 3 a second and 10,000 a day for the whole company: one of the three is left to Airbyte and the others.
    limit=base.Limit(requests=2, seconds=1),
)


@dataclass(frozen=True)
class PerhapsNone(Listing):
    """A list, of which Gong says 404 where it is empty."""

    def fetch(self, api: Api, values: Mapping[str, Any]) -> Iterator[Json]:
        """As every list."""
        try:
            yield from super().fetch(api, values)
        except PlatformError as error:
            if error.trouble is not Trouble.NOT_FOUND:
                raise


def listing(path: str, items: str, **params: str) -> PerhapsNone:
    """A list that comes whole."""
    return PerhapsNone(Call("GET", path, params=params), items=items)


USERS = PerhapsNone(Call("GET", "/v2/users"), items="users", pages=Cursor("records.cursor", limit_param=None))
PROFILES = listing("/v2/all-permission-profiles", "profiles", workspaceId="{workspace}")

_PROFILE = "/v2/permission-profile"
CREATE_PROFILE = Call("POST", _PROFILE, params={"workspaceId": "{workspace}"}, answer="profile")


@dataclass(frozen=True)
class ReadProfile:
    """One profile, whole. Gong has no 404 for it: where it answers 400, the workspace's list tells whether it is there."""

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:  # noqa: ARG002 - one signature for all operations
        """The members of the profile, and nothing beside them."""
        try:
            answer = Call("GET", _PROFILE, params={"profileId": "{id}"}).send(api, values)
        except PlatformError as error:
            if error.trouble is not Trouble.INVALID or self._is_there(api, values):
                raise
            raise PlatformError(Trouble.NOT_FOUND, error.said) from error
        profile: Json = answer["profile"]
        return profile

    def _is_there(self, api: Api, values: Mapping[str, Any]) -> bool:
        return any(str(one.get("id")) == values["id"] for one in PROFILES.fetch(api, values))


@dataclass(frozen=True)
class ReplaceProfile:
    """Reads a profile, puts what is wanted into it and writes it back: a PUT wants all of it, what people have set too."""

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        """The profile as Gong has it then."""
        whole: Json = merged(ReadProfile().send(api, values), payload or {})
        written = Call("PUT", _PROFILE, params={"profileId": "{id}"}, answer="profile")
        return written.send(api, values, _consistent(whole))


def _consistent(part: Json) -> Json:
    """Without what went with another level than the one that is wanted now: Gong refuses the two together."""
    level = part.get("permissionLevel")
    if level == "none":
        return {"permissionLevel": level}
    stale = "teamLeadIds" if level not in (None, "managers-team") else ""
    return {
        name: _consistent(value) if isinstance(value, dict) else value for name, value in part.items() if name != stale
    }

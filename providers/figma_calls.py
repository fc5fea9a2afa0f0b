"""The conversations with Figma that are more than one request, or answered in a way of their own.

Source of facts: Figma's OpenAPI description (figma/rest-api-spec).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from providers import base
from providers.base import KNOWN, Api, Call, Cursor, Json, PlatformError, Trouble
from providers.base.calls import at


@dataclass(frozen=True)
class Linked(Cursor):
    """Pages of which each answer has the address of the next; the cursor in it is what the next request takes."""

    def next(self, values: Json, got: int, answer: Json) -> Json | None:  # noqa: ARG002 - one signature for all ways of paging
        address = at(answer, self.next_at)
        if not address:
            return None
        return {**values, "cursor": httpx.URL(address).params.get("cursor", address)}


@dataclass(frozen=True)
class UpdateWebhook:
    """PUT of the whole webhook. The description also asks for ``team_id``, which the webhook itself shows."""

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        team = values.get(KNOWN, {}).get("team_id")
        if team is None:
            team = Call("GET", "/v2/webhooks/{id}").send(api, values)["team_id"]
        return Call("PUT", "/v2/webhooks/{id}").send(api, values, {**(payload or {}), "team_id": team})


@dataclass(frozen=True)
class InBulk:
    """A call that takes many dev resources and answers 200 even if it did nothing: what failed is in ``errors``."""

    method: str
    done: str
    """The member with those that were written."""
    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        item = {**(payload or {}), **({"id": values["id"]} if self.method == "PUT" else {})}
        answer = Call(self.method, "/v1/dev_resources").send(api, values, {"dev_resources": [item]})
        for error in answer.get("errors") or ():
            raise _refusal(str(error["error"]))
        written: list[Json] = answer.get(self.done) or []
        if not written:
            raise PlatformError(
                Trouble.UNANSWERED, f"Figma says nothing of the dev resource: neither {self.done} nor errors"
            )
        return written[0]


def _refusal(said: str) -> PlatformError:
    """The status of a single dev resource, which only its text tells."""
    text = said.lower()
    if "same url" in text or "already" in text:
        return PlatformError(Trouble.CONFLICT, said)
    return PlatformError(
        Trouble.NOT_FOUND if "not found" in text or "cannot be found" in text else Trouble.INVALID, said
    )

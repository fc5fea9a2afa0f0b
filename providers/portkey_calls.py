"""How Portkey is asked: its API, its lists, and the calls that are more than one request.

Source of facts: Portkey's OpenAPI description (Portkey-AI/openapi) and, where that and the service differ, Portkey's own
Terraform provider (Portkey-AI/terraform-provider-portkey), which is tried against the service.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from providers import base
from providers.base import KNOWN, Api, Call, Json, Listing, Numbered, PlatformError, Trouble

PAGES: Final = Numbered(size=100, param="current_page", limit_param="page_size")


def listing(path: str, **params: str) -> Listing:
    return Listing(Call("GET", path, params=params), pages=PAGES)


@dataclass(frozen=True)
class Enveloped(Call):
    """A list that the description has as a bare array, and that the service puts into ``data``."""

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        answer = super().send(api, values, payload)
        return {"data": answer["items"]} if "items" in answer else answer


@dataclass(frozen=True)
class OrGone:
    """A call about one object, of which Portkey says 403 where there is none.

    A key that may not do it is answered the same. Only a list without the object shows that it is gone.
    """

    call: base.calls.Operation
    listing: Listing
    by: str = "slug"

    @property
    def auth(self) -> base.auth.Auth | None:
        return self.call.auth

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        try:
            return self.call.send(api, values, payload)
        except PlatformError as error:
            if error.trouble is not Trouble.FORBIDDEN or values["id"] in self._there(api, values):
                raise
            raise PlatformError(Trouble.NOT_FOUND, error.said) from error

    def _there(self, api: Api, values: Mapping[str, Any]) -> set[str]:
        return {str(item[self.by]) for item in self.listing.fetch(api, values)}


@dataclass(frozen=True)
class Detailed(Listing):
    """A list that shows each object in part only: what is missing is read of each by itself."""

    detail: base.calls.Operation = field(kw_only=True)
    by: str = "slug"

    def fetch(self, api: Api, values: Mapping[str, Any]) -> Iterator[Json]:
        for item in super().fetch(api, values):
            try:
                shown = self.detail.send(api, {**values, "id": item[self.by]})
            except PlatformError as error:
                if error.trouble is not Trouble.NOT_FOUND:
                    raise
            else:
                yield {**item, **shown}


def detailed(shelf: Listing, detail: base.calls.Operation, by: str = "slug") -> Detailed:
    return Detailed(shelf.call, shelf.items, shelf.each, shelf.pages, detail=detail, by=by)


@dataclass(frozen=True)
class CreateConfig:
    """Creates a config. The description's answer has no slug, by which a config is known: the list has it then."""

    shelf: Listing
    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        made = Call("POST", "/configs", answer="data").send(api, values, payload)
        if made.get("slug"):
            return made
        return {**made, **next((one for one in self.shelf.fetch(api, values) if one["id"] == made.get("id")), {})}


@dataclass(frozen=True)
class SetModels:
    """Which models of an integration may be used: those named, and no other one; without any names, all.

    Portkey keeps what it is not told of: a model that is not wanted is switched off by name, or deleted if it is our own.
    """

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        wanted = {model["slug"]: model for model in (payload or {}).get("models") or []}
        known = Call("GET", "/integrations/{id}/models").send(api, values).get("models") or []
        others = [model for model in known if model["slug"] not in wanted]
        if own := [model["slug"] for model in others if truth(model.get("is_custom"))]:
            Call("DELETE", "/integrations/{id}/models", params={"slugs": ",".join(own)}).send(api, values)
        rest = [{"slug": model["slug"], "enabled": not wanted} for model in others if model["slug"] not in own]
        body = {"models": [*({"enabled": True, **model} for model in wanted.values()), *rest]}
        return Call("PUT", "/integrations/{id}/models").send(api, values, {**body, "allow_all_models": not wanted})


@dataclass(frozen=True)
class ReadIntegration:
    """An integration with its models, where it does not allow all; in the order of our inputs, to be compared one by one."""

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:  # noqa: ARG002 - one signature for all operations
        integration = Call("GET", "/integrations/{id}").send(api, values)
        answer = Call("GET", "/integrations/{id}/models").send(api, values)
        models = answer.get("models") or []
        switched_off = any(not truth(model["enabled"]) for model in models)
        if not (
            switched_off or any(truth(m.get("is_custom")) for m in models) or answer.get("allow_all_models") is False
        ):
            return integration
        enabled = sorted(
            (_model(model) for model in models if truth(model["enabled"])), key=lambda model: model["slug"]
        )
        return {**integration, "models": enabled}


def _model(shown: Json) -> Json:
    """A model as it is asked for: of the vendor's own ones nothing but the name."""
    if not truth(shown.get("is_custom")):
        return {"slug": shown["slug"]}
    names = ("slug", "base_model_slug", "pricing_config")
    return {**{name: shown[name] for name in names if shown.get(name) is not None}, "is_custom": True}


def truth(value: Any) -> bool:
    """Portkey shows truth as true, as 1 and as "true"."""
    return value in (True, 1, "1", "true")


_ACCESS: Final = "/integrations/{integration}/workspaces"


@dataclass(frozen=True)
class ReadAccess:
    """What a workspace may do with an integration. Portkey shows workspaces by their slugs, and is told of them by ids."""

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:  # noqa: ARG002 - one signature for all operations
        names = (values["workspace_id"], values.get("workspace_slug"))
        for shown in Call("GET", _ACCESS).send(api, values).get("workspaces") or []:
            if shown["id"] in names and truth(shown["enabled"]):
                return {**shown, "workspace_id": values["workspace_id"]}
        raise PlatformError(Trouble.NOT_FOUND, f"{values['integration']} is not enabled for the workspace")


@dataclass(frozen=True)
class SetAccess:
    """Gives a workspace an integration, or takes it away. Portkey would make a provider with it, unless told otherwise."""

    enabled: bool
    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        limits = {name: (payload or {}).get(name) or [] for name in ("usage_limits", "rate_limits")}
        workspace = {"id": values["workspace_id"], "enabled": self.enabled, **(limits if self.enabled else {})}
        body: Json = {"workspaces": [workspace], "create_default_provider": False}
        return Call("PUT", _ACCESS).send(api, values, body)


ROTATION: Final = ("generation", "transition_hours")
"""What of an API key's inputs is about its rotation, and not written with the others."""

_IN_TRANSITION: Final = "transition"


@dataclass(frozen=True)
class MintKey:
    """Creates an API key of a workspace for a program ("service")."""

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        body = {name: value for name, value in (payload or {}).items() if name not in ROTATION}
        return Call("POST", "/api-keys/workspace/service").send(api, values, body)


@dataclass(frozen=True)
class ChangeKey:
    """Writes what changed of an API key and then, if its generation did, rotates it.

    Rotating comes last: nothing that fails after it could lose the new key.
    """

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        changed = payload or {}
        if body := {name: value for name, value in changed.items() if name not in ROTATION}:
            Call("PUT", "/api-keys/{id}").send(api, values, body)
        if "generation" not in changed or changed["generation"] == (values.get(KNOWN) or {}).get("generation"):
            return {}
        return {"rotated": self._rotate(api, values)}

    def _rotate(self, api: Api, values: Mapping[str, Any]) -> Json:
        hours: int = values["transition_hours"]
        body = {"key_transition_period_ms": hours * 3_600_000}
        try:
            return Call("POST", "/api-keys/{id}/rotate").send(api, values, body)
        except PlatformError as error:
            if error.outcome_unknown:
                error.do = (
                    "declare a new one under another key and name in the settings, and let go of this one: if it was "
                    f"rotated, nobody saw its new value, and the one in use ends in {hours} h"
                )
            elif error.trouble is Trouble.INVALID and _IN_TRANSITION in error.said:
                error.do = (
                    "run the same command again when the key of before has ended; or, if no run ever saw the present one, "
                    "declare a new one under another key and name in the settings, and let go of this one"
                )
            raise


@dataclass(frozen=True)
class Masked:
    """A call that shows API keys, without what it shows of the keys themselves: that is no key, only its ends."""

    call: base.calls.Operation

    @property
    def auth(self) -> base.auth.Auth | None:
        return self.call.auth

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        return {name: value for name, value in self.call.send(api, values, payload).items() if name != "key"}


@dataclass(frozen=True)
class MaskedKeys(Listing):
    """The list of API keys, without what it shows of the keys themselves."""

    def fetch(self, api: Api, values: Mapping[str, Any]) -> Iterator[Json]:
        for shown in super().fetch(api, values):
            yield {name: value for name, value in shown.items() if name != "key"}


@dataclass(frozen=True)
class ReadConfig:
    """A config. The description has it in ``data`` as an object, the service beside it and as a text."""

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:  # noqa: ARG002 - one signature for all operations
        shown = Call("GET", "/configs/{id}", answer="data").send(api, values)
        config = shown.get("config")
        return {**shown, "slug": values["id"], "config": json.loads(config) if isinstance(config, str) else config}

"""What Estuary says when it refuses something, and which setting is to blame."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import httpx

from providers.base import Json, PlatformError, Trouble, trouble_of

_PLACES = (
    ("endpoint.connector.config", "configuration"),
    ("endpoint.connector.image", "connector"),
    ("derive.using.sqlite.migrations", "migrations"),
    ("derive.transforms", "transforms"),
    ("shards.disable", "enabled"),
)
"""Places in a spec, and where the settings say the same."""

_COLLECTION_OF_BINDING = re.compile(r"(bindings\[\d+])\.(target|source)\b")


def _document(response: httpx.Response) -> Json:
    """An error's members; the control plane itself answers errors in plain text."""
    if "json" not in response.headers.get("content-type", ""):
        return {"message": response.text}
    document: Json = response.json()
    return document


def graphql_said(response: httpx.Response) -> str:
    """GraphQL's own texts, or what stands before it."""
    document = _document(response)
    if errors := document.get("errors"):
        return "; ".join(str(error["message"]) for error in errors)
    return str(document.get("error") or document.get("message") or response.reason_phrase)


def graphql_trouble(response: httpx.Response) -> Trouble | None:
    """GraphQL tells of failures in answers with status 200, in words."""
    if response.is_error:
        return trouble_of(response.status_code)
    document = response.json()
    errors = document.get("errors") if isinstance(document, dict) else None
    if not errors:
        return None
    words = " ".join(str(error["message"]) for error in errors).lower()
    kinds = {
        "already exist": Trouble.CONFLICT,
        "not found": Trouble.NOT_FOUND,
        "does not exist": Trouble.NOT_FOUND,
        "no alert subscription exists": Trouble.NOT_FOUND,
        "no storage mapping exists": Trouble.NOT_FOUND,
        "unauthenticated": Trouble.CREDENTIALS,
        "not authorized": Trouble.FORBIDDEN,
        "permission": Trouble.FORBIDDEN,
    }
    return next((kind for said, kind in kinds.items() if said in words), Trouble.INVALID)


def rest_said(response: httpx.Response) -> str:
    """PostgREST's message with its code, details and hint; the encryption service's error with its description."""
    document = _document(response)
    names = ("code", "error", "message", "description", "details", "hint")
    return ": ".join(str(document[name]) for name in names if document.get(name))


@dataclass(frozen=True)
class Build:
    """Explains why a build failed. ``settings``: by catalog name, the platform's setting that the spec comes from."""

    settings: Mapping[str, str]

    def failed(self, outcome: str, errors: Sequence[Json]) -> PlatformError:
        """All that Estuary found wrong. ``errors``: rows of ``draft_errors``, with a scope such as
        ``flow://materialization/acme/snowflake#/bindings/0/source``.
        """
        found = [(self._place(str(error["scope"])), str(error["detail"])) for error in errors]
        if not found:
            return PlatformError(Trouble.INVALID, f"the publication ended as {outcome}, and no error was told")
        if len(found) == 1:
            return PlatformError(Trouble.INVALID, f"{outcome}: {found[0][1]}", setting=found[0][0])
        each = "; ".join(f"{place or 'the catalog'}: {detail}" for place, detail in found)
        first = next((place for place, _ in found if place), "")
        return PlatformError(Trouble.INVALID, f"{outcome}, {len(found)} errors: {each}", setting=first)

    def overtaken(self, failures: Iterable[Json]) -> PlatformError:
        """Somebody else published specs since we looked. ``failures`` is what the publication's status says of them."""
        overtaken = {str(f["catalog_name"]): f"expected {f.get('expected')}, is {f.get('actual')}" for f in failures}
        names = [*overtaken]
        each = ", ".join(f"{name} ({versions})" for name, versions in overtaken.items()) or "one of the specs"
        said = f"expectPubIdMismatch: somebody else published {each} since this stack looked at it"
        do = "look at what they did with `sophia drift`, take it into the settings or not, then `sophia drift --fix`"
        return PlatformError(Trouble.CONFLICT, said, setting=self.settings.get(names[0], "") if names else "", do=do)

    def unknown_connector(self, name: str, image: str) -> PlatformError:
        return PlatformError(
            Trouble.INVALID,
            f"there is no connector {image}",
            setting=self.setting(name, "connector"),
            do="name one that Estuary has, with its tag, such as ghcr.io/estuary/source-postgres:v3",
        )

    def setting(self, name: str, member: str) -> str:
        """The setting of a member of a spec; "" if no setting has the spec."""
        place = self.settings.get(name)
        return f"{place}.{member}" if place else ""

    def _place(self, scope: str) -> str:
        """A scope as a setting: ``materializations.warehouse.bindings[0].collection``; "" for what no setting says."""
        url = urlsplit(scope)
        setting = self.settings.get(unquote(url.path).lstrip("/"))
        if not setting:
            return ""
        path = ""
        for part in filter(None, url.fragment.split("/")):
            name = unquote(part).replace("~1", "/").replace("~0", "~")
            path += f"[{name}]" if name.isdecimal() else f".{name}"
        path = path.removeprefix(".")
        for theirs, ours in _PLACES:
            path = path.replace(theirs, ours, 1) if path.startswith(theirs) else path
        path = _COLLECTION_OF_BINDING.sub(r"\1.collection", path)
        return f"{setting}.{path}" if path else setting

"""How Portkey keeps prompts and partials: every change of the text is a new version, and one version is published."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from providers import base
from providers.base import Api, Call, Json, Listing, PlatformError, Trouble
from providers.base.inputs import project
from providers.portkey_calls import Enveloped, listing
from providers.portkey_inputs import spelled

LATEST = "latest"

PROMPT_VERSION = ("string", "parameters", "model", "virtual_key", "functions", "tools", "tool_choice")
"""What of a prompt is kept in versions; its name and its collection are not."""


@dataclass(frozen=True)
class Shelf:
    """Where prompts, or partials, are, and what they call their versions. ``spell`` makes one text of equal ones."""

    path: str
    number: str
    id: str
    versioned: tuple[str, ...]
    listing: Listing
    spell: Callable[[str], str] = str

    def newest(self, api: Api, values: Mapping[str, Any]) -> tuple[int, str]:
        """The number and the id of the newest version."""
        versions = Enveloped("GET", f"{self.path}/{{id}}/versions").send(api, values).get("data") or []
        if not versions:
            raise PlatformError(Trouble.INVALID, "it has no versions")
        return max((_number(version[self.number]), str(version[self.id])) for version in versions)


PROMPTS = Shelf(
    "/prompts",
    "prompt_version",
    "id",
    PROMPT_VERSION,
    listing("/prompts", workspace_id="{workspace_id}"),
    spelled,
)
PARTIALS = Shelf(
    "/prompts/partials",
    "version",
    "prompt_partial_version_id",
    ("string",),
    Listing(Enveloped("GET", "/prompts/partials", params={"workspace_id": "{workspace_id}"})),
)


@dataclass(frozen=True)
class ReadVersions:
    """An object with the contents of its newest version; ``published`` is "latest", or the number of an older one."""

    shelf: Shelf
    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:  # noqa: ARG002 - one signature for all operations
        served = self._spelled(Call("GET", f"{self.shelf.path}/{{id}}").send(api, values))
        number, version = self.shelf.newest(api, values)
        if _number(served[self.shelf.number]) == number:
            return {**served, "published": LATEST, "version": number}
        newest = self._spelled(self._version(api, {**values, "version": version}))
        kept = {name: newest[name] for name in self.shelf.versioned if name in newest}
        others = {name: value for name, value in served.items() if name not in self.shelf.versioned}
        return {**others, **kept, "published": _number(served[self.shelf.number]), "version": number}

    def _spelled(self, shown: Json) -> Json:
        return {**shown, "string": self.shelf.spell(shown["string"])} if "string" in shown else shown

    def _version(self, api: Api, values: Mapping[str, Any]) -> Json:
        if self.shelf is PROMPTS:
            return Call("GET", "/prompts/{id}/versions/{version}").send(api, values)
        versions = Enveloped("GET", f"{self.shelf.path}/{{id}}/versions").send(api, values)["data"]
        return next((one for one in versions if str(one[self.shelf.id]) == values["version"]), {})


@dataclass(frozen=True)
class Create:
    """Creates an object with its first version, which is published by that."""

    shelf: Shelf
    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        body = dict(payload or {})
        if (pinned := body.pop("published", LATEST)) not in (LATEST, 1):
            said = f"version {pinned} cannot be published: a new one has version 1 only"
            raise PlatformError(Trouble.INVALID, said, do="leave `published` out until there are other versions")
        return {"version": 1, **Call("POST", self.shelf.path).send(api, values, body)}


@dataclass(frozen=True)
class Write:
    """Writes what is not in versions, makes a new version where the newest is not what is wanted, and publishes one."""

    shelf: Shelf
    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        changed, read = payload or {}, ReadVersions(self.shelf)
        # A new version must be whole: what is not sent of it would not be in it.
        wanted = {name: values[name] for name in self.shelf.versioned if values.get(name) is not None}
        there = read.send(api, values)
        dropped = any(changed.get(name, "") is None for name in self.shelf.versioned)
        body: Json = {name: changed[name] for name in ("name", "collection_id") if name in changed}
        if dropped or project({name: there.get(name) for name in wanted}, wanted) != wanted:
            body |= wanted | self._words(values)
        if body:
            Call("PUT", f"{self.shelf.path}/{{id}}").send(api, values, body)
            there = read.send(api, values)
        target = there["version"] if values["published"] == LATEST else values["published"]
        served = there["version"] if there["published"] == LATEST else there["published"]
        if target != served:
            Call("PUT", f"{self.shelf.path}/{{id}}/makeDefault", repeatable=True).send(api, values, {"version": target})
        return {**there, "published": values["published"]}

    def _words(self, values: Mapping[str, Any]) -> Json:
        """What people are told of the version."""
        words = values.get("version_description")
        return {} if not words else {"version_description" if self.shelf is PROMPTS else "description": words}


def _number(version: Any) -> int:
    """Portkey shows the versions of partials as texts."""
    return int(float(version))

"""Figma's variables: collections with modes and values, read and written as one document each.

One POST takes everything that is to happen to a file's variables, and does all of it or nothing. Names stand for ids in the
settings; here they are turned into each other, with temporary ids for what the same request makes. Source of facts: Figma's
OpenAPI description (figma/rest-api-spec) and developers.figma.com, "Variables".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from providers import base
from providers.base import KNOWN, Api, Call, Json, Listing, PlatformError, Trouble, Unordered

LOCAL = "/v1/files/{file_key}/variables/local"
_WRITE = "/v1/files/{file_key}/variables"

ModeName = Annotated[str, Field(min_length=1, max_length=40)]
VariableName = Annotated[str, Field(pattern=r"^[^.{}]+$")]
_COLOR = re.compile(r"#(?P<rgb>[0-9a-f]{6})(?P<alpha>[0-9a-f]{2})?", re.IGNORECASE)
_OPAQUE = "ff"
_CHANNELS = 255


class Alias(base.Inputs):
    """The value of another variable: of the same collection, or of ``collection`` in the same file, by their names."""

    variable: str
    collection: str | None = None


Value = bool | int | float | str | Alias


class Variable(base.Inputs):
    """One variable; ``values`` by mode. Colors are ``#rrggbb`` or ``#rrggbbaa``."""

    type: Literal["BOOLEAN", "FLOAT", "STRING", "COLOR"]
    values: Mapping[str, Value]
    description: str = ""
    hidden: bool = False
    scopes: Unordered[str] = Field(default_factory=lambda: ["ALL_SCOPES"])
    code_syntax: Mapping[Literal["WEB", "ANDROID", "iOS"], str] = Field(default_factory=dict)

    @field_validator("values")
    @classmethod
    def _spell_colors_alike(cls, values: Mapping[str, Value], info: ValidationInfo) -> Mapping[str, Value]:
        if info.data.get("type") != "COLOR":
            return values
        return {mode: _spelled(value) if isinstance(value, str) else value for mode, value in values.items()}


def _spelled(color: str) -> str:
    """In lower case, and without the alpha of what is opaque."""
    found = _COLOR.fullmatch(color)
    if not found:
        raise ValueError(f"{color} is no color: #rrggbb or #rrggbbaa is expected")
    alpha = (found["alpha"] or _OPAQUE).lower()
    return f"#{found['rgb'].lower()}{'' if alpha == _OPAQUE else alpha}"


def _channels(color: str) -> Json:
    """Without ``a`` where it is opaque."""
    digits = color.removeprefix("#")
    pairs = (digits[at : at + 2] for at in range(0, len(digits), 2))
    return {name: int(pair, 16) / _CHANNELS for name, pair in zip("rgba", pairs, strict=False)}


def _hexadecimal(channels: Mapping[str, float]) -> str:
    numbers = [round(channels.get(name, 1) * _CHANNELS) for name in "rgba"]
    return _spelled("#" + "".join(f"{number:02x}" for number in numbers))


@dataclass(frozen=True)
class Local:
    """The variables that are defined in a file; those that it only uses, from libraries, are left out."""

    collections: Mapping[str, Json]
    variables: Mapping[str, Json]

    @classmethod
    def of(cls, api: Api, values: Mapping[str, Any]) -> Local:
        """Asks Figma. Raises ``PlatformError``."""
        with _planned():
            meta = Call("GET", LOCAL, answer="meta").send(api, values)
        return cls(
            {id_: one for id_, one in meta["variableCollections"].items() if not one["remote"]},
            {
                id_: one
                for id_, one in meta["variables"].items()
                if not (one["remote"] or one.get("deletedButReferenced"))
            },
        )

    def documents(self) -> Iterator[Json]:
        for id_ in self.collections:
            yield self.document(id_)

    def document(self, id_: str) -> Json:
        """A collection as the inputs say it. Raises ``PlatformError`` if there is none."""
        if id_ not in self.collections:
            raise PlatformError(Trouble.NOT_FOUND, f"the file has no collection of variables {id_}")
        collection = self.collections[id_]
        modes = {mode["modeId"]: mode["name"] for mode in collection["modes"]}
        inside = {v["id"]: v for v in self.variables.values() if v["variableCollectionId"] == id_}
        return {
            "id": id_,
            "name": collection["name"],
            "hidden": collection["hiddenFromPublishing"],
            "modes": {n: "default" if m == collection["defaultModeId"] else "other" for m, n in modes.items()},
            "variables": {one["name"]: self._variable(one, modes) for one in inside.values()},
            "mode_ids": {name: mode for mode, name in modes.items()},
            "variable_ids": {one["name"]: key for key, one in inside.items()},
        }

    def id_of(self, collection: str, variable: str) -> str:
        """The id of a variable by names. Raises ``PlatformError`` if there is none."""
        for id_, one in self.variables.items():
            home = self.collections.get(one["variableCollectionId"], {})
            if (home.get("name"), one["name"]) == (collection, variable):
                return id_
        raise PlatformError(
            Trouble.NOT_FOUND, f'no variable "{variable}" in the collection "{collection}" of this file'
        )

    def _variable(self, shown: Json, modes: Mapping[str, str]) -> Json:
        values = {modes[id_]: self._value(v, shown) for id_, v in shown["valuesByMode"].items() if id_ in modes}
        return {
            "type": shown["resolvedType"],
            "values": values,
            "description": shown["description"],
            "hidden": shown["hiddenFromPublishing"],
            "scopes": shown["scopes"],
            "code_syntax": shown["codeSyntax"],
        }

    def _value(self, value: Any, of: Json) -> Any:
        if not isinstance(value, dict):
            return value
        if "r" in value:
            return _hexadecimal(value)
        target = self.variables.get(value.get("id", ""))
        home = self.collections.get(target["variableCollectionId"]) if target else None
        if value.get("type") != "VARIABLE_ALIAS" or target is None or home is None:
            return value
        elsewhere = {"collection": home["name"]} if home["id"] != of["variableCollectionId"] else {}
        return {"variable": target["name"], **elsewhere}


@dataclass(frozen=True)
class Collections(Listing):
    """The collections of a file. One whose variables cannot be seen has none; who wants some is told when they are made."""

    def fetch(self, api: Api, values: Mapping[str, Any]) -> Iterator[Json]:
        try:
            local = Local.of(api, values)
        except PlatformError as error:
            if error.trouble is not Trouble.FORBIDDEN:
                raise
            return
        yield from local.documents()


@dataclass(frozen=True)
class Read:
    """One collection."""

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:  # noqa: ARG002 - one signature for all operations
        return Local.of(api, values).document(str(values["id"]))


@dataclass(frozen=True)
class Delete:
    """Deletes a collection with its variables. Figma says of one that is gone what it says of any mistake."""

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:  # noqa: ARG002 - one signature for all operations
        gone = {"variableCollections": [{"action": "DELETE", "id": values["id"]}]}
        try:
            with _planned():
                return Call("POST", _WRITE, repeatable=True).send(api, values, gone)
        except PlatformError as error:
            if error.trouble is not Trouble.INVALID or values["id"] in Local.of(api, values).collections:
                raise
            return {}


@dataclass(frozen=True)
class Write:
    """Makes a collection, or makes one what it should be: what differs is sent, and all of it at once."""

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        local, wanted = Local.of(api, values), payload or {}
        id_ = values.get("id")
        live = local.document(str(id_)) if id_ else None
        changes = Changes(local, wanted, live, values.get(KNOWN) or {})
        body = changes.body()
        if not body:
            return live or {}
        with _planned():
            answer = Call("POST", _WRITE, answer="meta").send(api, values, body)
        return Local.of(api, values).document(str(id_ or answer["tempIdToRealId"][changes.id]))


_MEMBERS = {"description": "description", "hidden": "hiddenFromPublishing", "code_syntax": "codeSyntax"}


@dataclass
class Changes:
    """What makes ``wanted`` of ``live``. Of what the collection has beyond it, only what is ``known`` as ours is deleted."""

    local: Local
    wanted: Json
    live: Json | None
    known: Mapping[str, Any]
    id: str = field(init=False)
    _modes: dict[str, str] = field(init=False)
    _variables: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        there = self.live or {"id": "collection", "mode_ids": {}, "variable_ids": {}}
        self.id = there["id"]
        self._modes = {name: f"mode:{name}" for name in self.wanted["modes"]} | there["mode_ids"]
        self._variables = {name: f"variable:{name}" for name in self.wanted["variables"]} | there["variable_ids"]

    def body(self) -> Json:
        """The request's body; empty if nothing differs. Raises ``PlatformError`` for what Figma cannot do."""
        parts = {
            "variableCollections": list(self._collection()),
            "variableModes": list(self._mode_changes()),
            "variables": list(self._variable_changes()),
            "variableModeValues": list(self._values()),
        }
        return {name: items for name, items in parts.items() if items}

    def _collection(self) -> Iterator[Json]:
        said = {"name": self.wanted["name"], "hiddenFromPublishing": self.wanted["hidden"]}
        if self.live is None:
            yield {"action": "CREATE", "id": self.id, "initialModeId": self._modes[self._default()], **said}
        elif (self.live["name"], self.live["hidden"]) != (self.wanted["name"], self.wanted["hidden"]):
            yield {"action": "UPDATE", "id": self.id, **said}

    def _default(self) -> str:
        return next(str(name) for name, which in self.wanted["modes"].items() if which == "default")

    def _mode_changes(self) -> Iterator[Json]:
        there = self.live["modes"] if self.live else {}
        if self.live and there.get(self._default(), "default") != "default":
            said = f'the default mode cannot become "{self._default()}": Figma has no call for that'
            raise PlatformError(Trouble.INVALID, said, do="put the present default mode first, or change it in Figma")
        for name in self.wanted["modes"]:
            about = {"id": self._modes[name], "name": name, "variableCollectionId": self.id}
            if self.live is None and name == self._default():
                yield {"action": "UPDATE", **about}  # a collection is never without a mode: it is made with it
            elif name not in there:
                yield {"action": "CREATE", **about}
        for name in self._dropped("modes"):
            yield {"action": "DELETE", "id": self._modes[name]}

    def _variable_changes(self) -> Iterator[Json]:
        there = self.live["variables"] if self.live else {}
        for name, variable in self.wanted["variables"].items():
            present = there.get(name)
            if present is None:
                about = {"name": name, "variableCollectionId": self.id, "resolvedType": variable["type"]}
                yield {"action": "CREATE", "id": self._variables[name], **about, **_said(variable, {})}
                continue
            if present["type"] != variable["type"]:
                said = f'the variable "{name}" is a {present["type"]} and cannot become a {variable["type"]}'
                raise PlatformError(Trouble.INVALID, said, do="give the new one another name")
            if changed := _said(variable, present):
                yield {"action": "UPDATE", "id": self._variables[name], **changed}
        for name in self._dropped("variables"):
            yield {"action": "DELETE", "id": self._variables[name]}

    def _dropped(self, part: str) -> list[str]:
        """The names that the state has, the collection has, and nobody wants any more."""
        there = self.live[part] if self.live else {}
        return [name for name in self.known.get(part) or {} if name in there and name not in self.wanted[part]]

    def _values(self) -> Iterator[Json]:
        there = self.live["variables"] if self.live else {}
        for name, variable in self.wanted["variables"].items():
            present = there.get(name, {}).get("values", {})
            for mode, value in variable["values"].items():
                if mode not in present or present[mode] != value:
                    about = {"variableId": self._variables[name], "modeId": self._modes[mode]}
                    yield {**about, "value": self._spelled(value, variable["type"])}

    def _spelled(self, value: Any, type_: str) -> Any:
        """A value as Figma takes it."""
        if isinstance(value, Mapping):
            return {"type": "VARIABLE_ALIAS", "id": self._target(value)}
        return _channels(value) if type_ == "COLOR" else value

    def _target(self, alias: Mapping[str, Any]) -> str:
        if alias.get("collection"):
            return self.local.id_of(alias["collection"], alias["variable"])
        if alias["variable"] in self._variables:
            return self._variables[alias["variable"]]
        return self.local.id_of(self.wanted["name"], alias["variable"])


def _said(variable: Json, present: Json) -> Json:
    """The members in which a variable differs from what is there. Booleans have no scopes."""
    members = {**_MEMBERS, **({"scopes": "scopes"} if variable["type"] != "BOOLEAN" else {})}
    unordered = {"scopes": sorted(present["scopes"])} if present else {}
    there = {**present, **unordered}
    return {
        wire: variable[name] for name, wire in members.items() if name not in there or there[name] != variable[name]
    }


@contextmanager
def _planned() -> Iterator[None]:
    """Tells what to do where the plan, the seat or the token's scopes have no variables."""
    try:
        yield
    except PlatformError as error:
        if error.trouble is Trouble.FORBIDDEN:
            error.do = (
                "remove sophia-ai:figma.variables from the stack file; or use a personal token of somebody with a full "
                "seat in an Enterprise plan, with the scopes file_variables:read and file_variables:write"
            )
        raise

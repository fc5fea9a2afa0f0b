"""What Figma enforces of variables: names, limits, types, modes, aliases."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from sandbox.http import ApiError
from sandbox.store import Document

_MODES, _MODE_NAME, _VARIABLES = 40, 40, 5000
_UNFIT = re.compile(r"[.{}]")
_DEFAULTS: Mapping[str, Any] = {"BOOLEAN": False, "FLOAT": 0, "STRING": "", "COLOR": {"r": 1, "g": 1, "b": 1, "a": 1}}
_ACTIONS = ("CREATE", "UPDATE", "DELETE")
_PARTS = ("variableCollections", "variableModes", "variables", "variableModeValues")
_SCOPES: Mapping[str, frozenset[str]] = {
    "BOOLEAN": frozenset({"ALL_SCOPES"}),
    "FLOAT": frozenset(
        [
            "ALL_SCOPES",
            "TEXT_CONTENT",
            "CORNER_RADIUS",
            "WIDTH_HEIGHT",
            "GAP",
            "STROKE_FLOAT",
            "EFFECT_FLOAT",
            "OPACITY",
            "COLOR_OPACITY",
            "FONT_WEIGHT",
            "FONT_SIZE",
            "LINE_HEIGHT",
            "LETTER_SPACING",
            "PARAGRAPH_SPACING",
            "PARAGRAPH_INDENT",
        ]
    ),
    "STRING": frozenset(["ALL_SCOPES", "TEXT_CONTENT", "FONT_FAMILY", "FONT_STYLE"]),
    "COLOR": frozenset(
        ["ALL_SCOPES", "ALL_FILLS", "FRAME_FILL", "SHAPE_FILL", "TEXT_FILL", "STROKE_COLOR", "EFFECT_COLOR"],
    ),
}


def _refuse(message: str) -> NoReturn:
    raise ApiError(400, message)


class Scene:
    """The variables of a file, to which one request is applied: parts in Figma's order, each part in its own."""

    def __init__(self, document: Document) -> None:
        self.document = copy.deepcopy(document)
        self.real: dict[str, str] = {}
        """Real ids, by the temporary ones of the request."""

    @property
    def _collections(self) -> dict[str, Any]:
        found: dict[str, Any] = self.document["collections"]
        return found

    @property
    def _variables(self) -> dict[str, Any]:
        found: dict[str, Any] = self.document["variables"]
        return found

    def apply(self, body: Mapping[str, Any]) -> None:
        """Does all that the body says. Raises ApiError at the first thing that cannot be done."""
        if unknown := [name for name in body if name not in _PARTS]:
            _refuse(f"Unknown member {unknown[0]}")
        steps: tuple[tuple[str, Mapping[str, Callable[[Any], None]]], ...] = (
            ("variableCollections", _by_action(self._make_collection, self._change_collection, self._drop_collection)),
            ("variableModes", _by_action(self._make_mode, self._change_mode, self._drop_mode)),
            ("variables", _by_action(self._make_variable, self._change_variable, self._drop_variable)),
        )
        for part, actions in steps:
            for change in body.get(part) or ():
                if change.get("action") not in actions:
                    _refuse(f"{part}: action must be one of {', '.join(_ACTIONS)}")
                actions[change["action"]](change)
        for value in body.get("variableModeValues") or ():
            self._set(value)

    def _new(self, prefix: str, temporary: str | None) -> str:
        id_ = f"{prefix}1:{self.document['next']}"
        self.document["next"] += 1
        if temporary is not None:
            if temporary in self.real:
                _refuse(f"Temporary id {temporary} is not unique")
            self.real[temporary] = id_
        return id_

    def _collection(self, id_: Any) -> dict[str, Any]:
        found: dict[str, Any] | None = self._collections.get(self.real.get(str(id_), str(id_)))
        if found is None:
            _refuse(f"Variable collection {id_} not found")
        return found

    def _variable(self, id_: Any) -> dict[str, Any]:
        found: dict[str, Any] | None = self._variables.get(self.real.get(str(id_), str(id_)))
        if found is None or found.get("deletedButReferenced"):
            _refuse(f"Variable {id_} not found")
        return found

    def _inside(self, collection: str) -> list[dict[str, Any]]:
        return [
            one
            for one in self._variables.values()
            if one["variableCollectionId"] == collection and not one.get("deletedButReferenced")
        ]

    def _make_collection(self, change: Mapping[str, Any]) -> None:
        name = self._collection_name(change)
        id_ = self._new("VariableCollectionId:", change.get("id"))
        mode = self._new("", change.get("initialModeId"))
        self._collections[id_] = {
            "id": id_,
            "name": name,
            "key": f"key-{id_}",
            "modes": [{"modeId": mode, "name": "Mode 1"}],
            "defaultModeId": mode,
            "remote": False,
            "hiddenFromPublishing": bool(change.get("hiddenFromPublishing", False)),
            "variableIds": [],
        }

    def _collection_name(self, change: Mapping[str, Any]) -> str:
        name = change.get("name")
        if not isinstance(name, str) or not name:
            _refuse("variableCollections: name is required")
        return name

    def _change_collection(self, change: Mapping[str, Any]) -> None:
        collection = self._collection(change.get("id"))
        if "name" in change:
            collection["name"] = self._collection_name(change)
        if "hiddenFromPublishing" in change:
            collection["hiddenFromPublishing"] = bool(change["hiddenFromPublishing"])

    def _drop_collection(self, change: Mapping[str, Any]) -> None:
        collection = self._collection(change.get("id"))
        for variable in self._inside(collection["id"]):
            self._drop_variable({"id": variable["id"]})
        del self._collections[collection["id"]]

    def _make_mode(self, change: Mapping[str, Any]) -> None:
        collection = self._collection(change.get("variableCollectionId"))
        if len(collection["modes"]) >= _MODES:
            _refuse(f"A collection can have {_MODES} modes at most")
        name = self._mode_name(change, collection)
        mode = self._new("", change.get("id"))
        collection["modes"].append({"modeId": mode, "name": name})
        for variable in self._inside(collection["id"]):
            variable["valuesByMode"][mode] = variable["valuesByMode"][collection["defaultModeId"]]

    def _mode_name(self, change: Mapping[str, Any], collection: Mapping[str, Any], own: str = "") -> str:
        name = change.get("name")
        if not isinstance(name, str) or not 0 < len(name) <= _MODE_NAME:
            _refuse(f"variableModes: name must have 1 to {_MODE_NAME} characters")
        if any(mode["name"] == name and mode["modeId"] != own for mode in collection["modes"]):
            _refuse(f"Duplicate mode name {name} in the collection")
        return name

    def _change_mode(self, change: Mapping[str, Any]) -> None:
        collection = self._collection(change.get("variableCollectionId"))
        mode = self._mode(change.get("id"), collection)
        if "name" in change:
            mode["name"] = self._mode_name(change, collection, mode["modeId"])

    def _mode(self, id_: Any, collection: Mapping[str, Any]) -> dict[str, Any]:
        real = self.real.get(str(id_), str(id_))
        for mode in collection["modes"]:
            if mode["modeId"] == real:
                found: dict[str, Any] = mode
                return found
        _refuse(f"Mode {id_} not found in the collection {collection['id']}")

    def _drop_mode(self, change: Mapping[str, Any]) -> None:
        real = self.real.get(str(change.get("id")), str(change.get("id")))
        for collection in self._collections.values():
            if any(mode["modeId"] == real for mode in collection["modes"]):
                break
        else:
            _refuse(f"Mode {change.get('id')} not found")
        if len(collection["modes"]) == 1:
            _refuse("A collection must have at least one mode")
        collection["modes"] = [mode for mode in collection["modes"] if mode["modeId"] != real]
        if collection["defaultModeId"] == real:
            collection["defaultModeId"] = collection["modes"][0]["modeId"]
        for variable in self._inside(collection["id"]):
            variable["valuesByMode"].pop(real, None)

    def _make_variable(self, change: Mapping[str, Any]) -> None:
        collection = self._collection(change.get("variableCollectionId"))
        type_ = str(change.get("resolvedType"))
        if type_ not in _DEFAULTS:
            _refuse(f"variables: resolvedType must be one of {', '.join(_DEFAULTS)}")
        if len(self._inside(collection["id"])) >= _VARIABLES:
            _refuse(f"A collection can have {_VARIABLES} variables at most")
        name = self._variable_name(change, collection["id"])
        id_ = self._new("VariableID:", change.get("id"))
        self._variables[id_] = {
            "id": id_,
            "name": name,
            "key": f"key-{id_}",
            "variableCollectionId": collection["id"],
            "resolvedType": type_,
            "valuesByMode": {mode["modeId"]: _DEFAULTS[type_] for mode in collection["modes"]},
            "remote": False,
            "description": "",
            "hiddenFromPublishing": False,
            "scopes": ["ALL_SCOPES"],
            "codeSyntax": {},
        }
        collection["variableIds"].append(id_)
        self._describe(self._variables[id_], change)

    def _variable_name(self, change: Mapping[str, Any], collection: str, own: str = "") -> str:
        name = change.get("name")
        if not isinstance(name, str) or not name or _UNFIT.search(name):
            _refuse("variables: name is required and cannot contain . { }")
        if any(other["name"] == name and other["id"] != own for other in self._inside(collection)):
            _refuse(f"Duplicate variable name {name} in the collection")
        return name

    def _change_variable(self, change: Mapping[str, Any]) -> None:
        variable = self._variable(change.get("id"))
        if "name" in change:
            variable["name"] = self._variable_name(change, variable["variableCollectionId"], variable["id"])
        self._describe(variable, change)

    def _describe(self, variable: dict[str, Any], change: Mapping[str, Any]) -> None:
        scopes = change.get("scopes", variable["scopes"])
        if unfit := sorted(set(scopes) - _SCOPES[variable["resolvedType"]]):
            _refuse(f"Scope {unfit[0]} is not for variables of type {variable['resolvedType']}")
        for general, covered in (("ALL_SCOPES", None), ("ALL_FILLS", "FILL")):
            if general in scopes and any(s != general and (covered is None or s.endswith(covered)) for s in scopes):
                _refuse(f"No other scope can be set beside {general}")
        members = {
            name: change[name] for name in ("description", "hiddenFromPublishing", "codeSyntax") if name in change
        }
        variable.update({**members, "scopes": list(scopes)})

    def _drop_variable(self, change: Mapping[str, Any]) -> None:
        variable = self._variable(change.get("id"))
        ids = self._collections[variable["variableCollectionId"]]["variableIds"]
        ids.remove(variable["id"])
        if any(variable["id"] in _aliases(other) for other in self._variables.values() if other is not variable):
            variable["deletedButReferenced"] = True
        else:
            del self._variables[variable["id"]]

    def _set(self, value: Mapping[str, Any]) -> None:
        if missing := [name for name in ("variableId", "modeId", "value") if name not in value]:
            _refuse(f"variableModeValues: {missing[0]} is required")
        variable = self._variable(value["variableId"])
        collection = self._collections[variable["variableCollectionId"]]
        mode = self._mode(value["modeId"], collection)["modeId"]
        variable["valuesByMode"][mode] = self._fitting(value["value"], variable)

    def _fitting(self, value: Any, variable: Mapping[str, Any]) -> Any:
        """The value as it is kept; refused where it is not of the variable's type."""
        type_ = variable["resolvedType"]
        if isinstance(value, dict) and value.get("type") == "VARIABLE_ALIAS":
            target = self._variable(value.get("id"))
            if target["resolvedType"] != type_:
                _refuse(f"An alias of a {type_} cannot be a {target['resolvedType']}")
            if variable["id"] in self._reached(target["id"]):
                _refuse("A variable cannot be aliased to itself or form an alias cycle")
            return {"type": "VARIABLE_ALIAS", "id": target["id"]}
        if not _is_of(type_, value):
            _refuse(f"The value of {variable['name']} is not a {type_}")
        return {"a": 1, **value} if type_ == "COLOR" else value

    def _reached(self, id_: str) -> set[str]:
        """The variables that one depends on, itself among them."""
        reached, waiting = set[str](), [id_]
        while waiting:
            one = waiting.pop()
            if one not in reached:
                reached.add(one)
                waiting += _aliases(self._variables.get(one, {"valuesByMode": {}}))
        return reached


def _by_action(*actions: Callable[[Any], None]) -> Mapping[str, Callable[[Any], None]]:
    return dict(zip(_ACTIONS, actions, strict=True))


def _aliases(variable: Mapping[str, Any]) -> list[str]:
    return [v["id"] for v in variable["valuesByMode"].values() if isinstance(v, dict) and "id" in v]


def _is_of(type_: str, value: Any) -> bool:
    if type_ == "BOOLEAN":
        return isinstance(value, bool)
    if type_ == "FLOAT":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if type_ == "STRING":
        return isinstance(value, str)
    channels = value if isinstance(value, dict) else {}
    within = all(isinstance(v, int | float) and 0 <= v <= 1 for v in channels.values())
    return {"r", "g", "b"} <= channels.keys() <= {"r", "g", "b", "a"} and within

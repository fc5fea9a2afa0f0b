"""What an update would change, property by property, and whether it can be done in place."""

from __future__ import annotations

from pulumi.runtime.proto import provider_pb2 as rpc

from sandbox.official.behaviour import Kind, Package
from sandbox.official.naming import keeps_given_name
from sandbox.official.values import Path, Properties, at, differences, under, written

_KINDS = {
    ("add", False): rpc.PropertyDiff.ADD,
    ("add", True): rpc.PropertyDiff.ADD_REPLACE,
    ("delete", False): rpc.PropertyDiff.DELETE,
    ("delete", True): rpc.PropertyDiff.DELETE_REPLACE,
    ("update", False): rpc.PropertyDiff.UPDATE,
    ("update", True): rpc.PropertyDiff.UPDATE_REPLACE,
}


def compared(package: Package, kind: Kind, old: Properties, new: Properties) -> rpc.DiffResponse:
    """The answer to a Diff: inputs against inputs, so that what a platform adds by itself is never a change."""
    found = [
        (path, how)
        for path, how in differences(_visible(old), _visible(new))
        if not _only_reordered(kind, path, old, new) and not _only_respelled(kind, path, old, new)
    ]
    response = rpc.DiffResponse(hasDetailedDiff=True)
    replaces: list[str] = []
    fixed = (*kind.replaces, *kind.replaces_too(old, new))
    for path, how in found:
        replaced = under(path, fixed)
        where = written(path)
        response.detailedDiff[where].CopyFrom(rpc.PropertyDiff(kind=_KINDS[how, replaced], inputDiff=True))
        if replaced:
            replaces.append(where)
    restless = kind.always_changes(new)
    if restless is not None and not replaces:
        response.detailedDiff[restless].CopyFrom(rpc.PropertyDiff(kind=rpc.PropertyDiff.UPDATE))
    response.diffs.extend(dict.fromkeys(where.split(".")[0].split("[")[0] for where in response.detailedDiff))
    response.replaces.extend(replaces)
    response.deleteBeforeReplace = bool(replaces) and (kind.delete_first or keeps_given_name(package, old, new))
    response.changes = rpc.DiffResponse.DIFF_SOME if response.detailedDiff else rpc.DiffResponse.DIFF_NONE
    return response


def _visible(properties: Properties) -> Properties:
    return {key: value for key, value in properties.items() if not key.startswith("__")}


def _only_reordered(kind: Kind, path: Path, old: Properties, new: Properties) -> bool:
    for prefix in kind.unordered:
        if under(path, (prefix,)):
            before, after = at(old, path[: len(prefix)]), at(new, path[: len(prefix)])
            if isinstance(before, list) and isinstance(after, list):
                return sorted(map(repr, before)) == sorted(map(repr, after))
    return False


def _only_respelled(kind: Kind, path: Path, old: Properties, new: Properties) -> bool:
    for where, spelled in kind.normal:
        if len(where) == len(path) and under(path, (where,)):
            before, after = at(old, path), at(new, path)
            return before is not None and after is not None and bool(spelled(before) == spelled(after))
    return False

"""Storage mappings: in which bucket the collections under a prefix are kept, and in which data planes tasks may run.

There is no deleting one. The sandbox reaches no bucket: one whose name has ``unreachable`` in it fails its check.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphql import GraphQLError

from sandbox.estuary import access, publications, seed
from sandbox.estuary.identifiers import is_prefix, new_id, now
from sandbox.estuary.relay import Arguments, Resolver, connection, demand, matching
from sandbox.http import Call
from sandbox.store import Document

_PAGE = 50
_NEEDED = {
    "S3": ("bucket",),
    "GCS": ("bucket",),
    "AZURE": ("account_tenant_id", "storage_account_name", "container_name"),
    "CUSTOM": ("bucket", "endpoint"),
}


def list_mappings(call: Call, arguments: Arguments) -> Document:
    readable = {
        mapping["catalog_prefix"]: mapping
        for mapping in call.store.all("storage_mapping")
        if access.may(call.store, call.caller, "read", mapping["catalog_prefix"])
    }
    names = matching((arguments.get("filter") or {}).get("catalogPrefix"), sorted(readable))
    by = arguments.get("by")
    if by:
        if ("exactPrefixes" in by) == ("underPrefix" in by):
            raise GraphQLError("Exactly one of `exactPrefixes` or `underPrefix` must be provided")
        wanted = by.get("exactPrefixes")
        names = [n for n in names if (n in wanted if wanted is not None else n.startswith(by["underPrefix"]))]
    return connection([_shown(call, readable[name]) for name in names], "catalogPrefix", arguments, _PAGE)


def create_mapping(call: Call, arguments: Arguments) -> Document:
    """RefusedError while there are specifications whose storage it would change."""
    prefix, spec = _checked(call, arguments)
    failures = [item for item in _health(spec) if item["error"]]
    if failures:
        raise GraphQLError(f"Storage health checks failed:\n{_told(failures)}")
    mappings = call.store.latest.all("storage_mapping")
    nested = tuple(m["catalog_prefix"] for m in mappings if m["catalog_prefix"] != prefix)
    below = tuple(other for other in nested if other.startswith(prefix))
    affected = [n for n in publications.live(call.store) if n.startswith(prefix) and not n.startswith(below or "\0")]
    if affected:
        raise GraphQLError(
            f"Cannot create storage mapping for '{prefix}': existing specs would be affected: {', '.join(affected[:5])}"
        )
    if call.store.latest.get("storage_mapping", prefix) is not None:
        raise GraphQLError(f"A storage mapping already exists for catalog prefix '{prefix}'")
    mapping = {"id": new_id(), "catalog_prefix": prefix, "spec": spec, "detail": arguments.get("detail")}
    made = call.store.put("storage_mapping", prefix, mapping | {"created_at": now(), "updated_at": now()})
    return {"catalogPrefix": prefix, "storageMapping": _shown(call, made)}


def update_mapping(call: Call, arguments: Arguments) -> Document:
    """Replaces the definition; ``republish`` says whether the stores changed. Only what is new has to be healthy."""
    prefix, spec = _checked(call, arguments)
    kept = call.store.latest.get("storage_mapping", prefix)
    if kept is None:
        raise GraphQLError(f"No storage mapping exists for catalog prefix '{prefix}'")
    before = kept["spec"]
    new: Callable[[Document], bool] = lambda item: (  # noqa: E731 - read where it is used
        item["fragmentStore"] not in before["stores"] or item["dataPlaneName"] not in before["data_planes"]
    )
    failures = [item for item in _health(spec) if item["error"] and new(item)]
    if failures:
        raise GraphQLError(f"Storage health checks failed for newly added stores or data planes:\n{_told(failures)}")
    changed = kept | {"spec": spec, "detail": arguments.get("detail"), "updated_at": now()}
    call.store.put("storage_mapping", prefix, changed)
    republish = spec["stores"] != before["stores"]
    return {"catalogPrefix": prefix, "storageMapping": _shown(call, changed), "republish": republish}


def check_health(call: Call, arguments: Arguments) -> Document:
    prefix, spec = _checked(call, arguments)
    results = _health(spec)
    return {"catalogPrefix": prefix, "results": results, "allPassed": not any(item["error"] for item in results)}


def list_planes(call: Call, arguments: Arguments) -> Document:
    wanted = ((arguments.get("filter") or {}).get("closed") or {}).get("eq")
    found = [
        {
            "name": plane["name"],
            "cidrBlocks": [],
            "closed": False,
            "cloudProvider": plane["provider"],
            "fqdn": plane["fqdn"],
            "isPublic": True,
            "reactorAddress": plane["reactor_address"],
            "region": plane["region"],
            "tag": plane["tag"],
            "userCapability": access.capability_at(call.store, call.caller, plane["name"]),
        }
        for plane in seed.planes()
        if access.may(call.store, call.caller, "read", plane["name"]) and not wanted
    ]
    return connection(found, "name", arguments, _PAGE)


def _checked(call: Call, arguments: Arguments) -> tuple[str, Document]:
    prefix, spec = arguments["catalogPrefix"], arguments["spec"]
    if not is_prefix(prefix):
        raise GraphQLError(f"invalid catalog prefix: {prefix} must end in a '/'")
    if not isinstance(spec, dict):
        raise GraphQLError("invalid storage definition: an object is expected")
    unknown = sorted(set(spec) - {"stores", "data_planes"})
    if unknown:
        raise GraphQLError(f"invalid storage definition: unknown field `{unknown[0]}`")
    for store in spec.get("stores") or ():
        problem = _store_problem(store)
        if problem:
            raise GraphQLError(f"invalid storage definition: {problem}")
    if not spec.get("data_planes"):
        raise GraphQLError("spec.data_planes must not be empty")
    if not spec.get("stores"):
        raise GraphQLError("spec.stores must not be empty")
    demand(call, prefix)
    known = {plane["name"] for plane in seed.planes()}
    for plane in spec["data_planes"]:
        demand(call, str(plane), "read")
        if plane not in known:
            raise GraphQLError(f"data plane {plane} was not found")
    return prefix, spec


def _store_problem(store: Any) -> str | None:
    if not isinstance(store, dict) or store.get("provider") not in _NEEDED:
        return f"unknown provider, expected one of {', '.join(f'`{name}`' for name in _NEEDED)}"
    missing = [name for name in _NEEDED[store["provider"]] if not store.get(name)]
    if missing:
        return f"missing field `{missing[0]}`"
    prefix = store.get("prefix")
    return f"store prefix {prefix} must end in a '/'" if prefix and not str(prefix).endswith("/") else None


def _health(spec: Document) -> list[Document]:
    return [
        {"dataPlaneName": plane, "fragmentStore": store, "error": _unreachable(store)}
        for plane in spec["data_planes"]
        for store in spec["stores"]
    ]


def _unreachable(store: Document) -> str | None:
    return "bucket does not exist, or access to it is denied" if "unreachable" in _bucket(store) else None


def _bucket(store: Document) -> str:
    return str(store.get("bucket") or store.get("container_name"))


def _told(failures: list[Document]) -> str:
    return "\n".join(
        f"  - {_bucket(item['fragmentStore'])} on data-plane {item['dataPlaneName']}: {item['error']}"
        for item in failures
    )


def _shown(call: Call, mapping: Document) -> Document:
    prefix = mapping["catalog_prefix"]
    capability = access.capability_at(call.store, call.caller, prefix)
    return {"catalogPrefix": prefix, "detail": mapping["detail"], "spec": mapping["spec"], "userCapability": capability}


RESOLVERS: dict[str, Resolver] = {
    "storageMappings": list_mappings,
    "createStorageMapping": create_mapping,
    "updateStorageMapping": update_mapping,
    "testConnectionHealth": check_health,
    "dataPlanes": list_planes,
}

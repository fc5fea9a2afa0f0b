"""The collections of a Qdrant database as settings: each by its alias, with its versions and their payload indexes."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Any

from components.existing.findings import CannotSayError, Findings, Section, new_key, parsed, plain
from components.qdrant.settings import CollectionSettings, VersionSettings
from providers import qdrant
from providers.base import Call
from providers.base.survey import Found
from providers.qdrant_database import DATABASE, UNNAMED

_KEY = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "hnsw_config": {
        "m": 16,
        "ef_construct": 100,
        "full_scan_threshold": 10_000,
        "max_indexing_threads": 0,
        "on_disk": False,
    },
    "optimizers_config": {
        "deleted_threshold": 0.2,
        "vacuum_min_vector_number": 1000,
        "default_segment_number": 0,
        "indexing_threshold": 10_000,
        "flush_interval_sec": 5,
    },
    "strict_mode_config": {"enabled": False},
}
"""What Qdrant takes where nothing is said (qdrant/qdrant, config/config.yaml): it shows that, too."""

_WAL = {"wal_capacity_mb": 32, "wal_segments_ahead": 0, "wal_retain_closed": 1}


@dataclass(frozen=True)
class Database:
    """``key``: of the settings' cluster or database; ``cluster``: by what resources tell it from others."""

    key: str
    cluster: str
    address: str
    api_key: str | None = field(repr=False)
    nodes: int

    @property
    def values(self) -> dict[str, Any]:
        return {"cluster": self.cluster, "address": self.address, "api_key": self.api_key}


def take_collections(findings: Findings, database: Database) -> None:
    """Adds what the settings do not have of a database. Raises ``PlatformError`` where its key does not open it.

    Entries say ``adopt``, because the management key opens no database, so that nothing else would find what is in it.
    """
    live = _live(database)
    shown = Call("GET", "/aliases", answer="result").send(DATABASE, database.values).get("aliases") or []
    aliases = {one["alias_name"]: one["collection_name"] for one in shown}
    _Collections(findings, database, live, aliases).take()


def _live(database: Database) -> dict[str, Found]:
    """The collections by name, each looked at by itself."""
    names = Call("GET", "/collections", answer="result").send(DATABASE, database.values).get("collections") or []
    return {one["name"]: _collection(database, one["name"]) for one in names}


def _collection(database: Database, name: str) -> Found:
    kind = qdrant.Collection.kind
    values = {**database.values, "name": name}
    document = Call("GET", "/collections/{name}", answer="result").send(DATABASE, values)
    inputs = {"cluster": database.cluster, "name": name, **kind.inputs.from_wire(kind.shown(document))}
    return Found(
        qdrant.Collection, kind.identify(document, inputs), None, kind.owner(document), inputs, False, document
    )


@dataclass
class _Collections:
    findings: Findings
    database: Database
    live: Mapping[str, Found]
    aliases: Mapping[str, str]
    """By alias, the collection that it leads to."""

    def take(self) -> None:
        declared = self._declared()
        groups = self._groups(declared)
        section = Section(
            self.findings,
            "collections",
            CollectionSettings,
            lambda entry: (entry.get("database"), entry.get("alias")),
        )
        section.take(
            [self._alias(alias) for alias in groups],
            lambda found: [(self.database.key, found.inputs["name"])],
            lambda found, _key: self._described(found.inputs["name"], groups[found.inputs["name"]]),
        )
        for name, (key, version) in declared.items():
            if name in self.live:
                self._add_indexes(key, version, self.live[name])
        for alias, names in groups.items():
            key = section.keys.get(f"{self.database.cluster}/{alias}", "")
            if key in {entry for entry, _ in declared.values()}:
                self._add_versions(key, alias, [name for name in names if name not in declared])

    def _declared(self) -> dict[str, tuple[str, str]]:
        """By name, the entry and the version of the collections that the settings have."""
        return {
            version.get("name") or f"{entry['alias']}_{key}": (name, key)
            for name, entry in (self.findings.settings.get("collections") or {}).items()
            if entry["database"] == self.database.key
            for key, version in entry["versions"].items()
        }

    def _groups(self, declared: Mapping[str, tuple[str, str]]) -> dict[str, list[str]]:
        """By alias, the collections that are versions of one thing: the one that it leads to, and ``<alias>_…``."""
        groups: dict[str, list[str]] = {}
        grouped: set[str] = set()
        entries = (self.findings.settings.get("collections") or {}).values()
        ours = {entry["alias"] for entry in entries if entry["database"] == self.database.key}
        for alias in sorted(self.aliases, key=lambda one: one not in ours):
            name = self.aliases[alias]
            if name in grouped:
                said = f"it is a second name of {name}, and settings know a collection by one"
                self.findings.leave(self._alias(alias), said)
            else:
                groups[alias] = [name]
                grouped.add(name)
        for name, found in self.live.items():
            fitting = [alias for alias in groups if name.startswith(f"{alias}_")]
            if name in grouped:
                continue
            if fitting:
                groups[max(fitting, key=len)].append(name)
            elif name not in declared and not self.findings.is_anothers(found):
                self.findings.leave(found, "settings know a collection by its alias: give it one, then run this again")
        return groups

    def _alias(self, alias: str) -> Found:
        """An alias is as good as marked by the collection that it leads to."""
        name = self.aliases[alias]
        inputs = {"cluster": self.database.cluster, "name": alias, "collection": name}
        owner = self.live[name].owner if name in self.live else None
        return Found(qdrant.Alias, f"{self.database.cluster}/{alias}", None, owner, inputs, False, {})

    def _described(self, alias: str, names: list[str]) -> Mapping[str, Any]:
        current, *others = names
        newest = _version_key(alias, current, ())
        versions: dict[str, Any] = {newest: self._version(alias, newest, current)}
        purpose = self.live[current].inputs.get("purpose", "")
        for name in others:
            key = _version_key(alias, name, versions)
            if self._is_wanted(name, purpose):
                versions[key] = self._version(alias, key, name)
        return {
            "database": self.database.key,
            "alias": alias,
            "current": newest,
            "versions": versions,
            "purpose": purpose,
            "adopt": True,
        }

    def _is_wanted(self, name: str, purpose: str) -> bool:
        found = self.live[name]
        if self.findings.is_anothers(found):
            self.findings.leave(found, f"it is managed by {found.owner}")
        elif found.inputs.get("purpose", "") != purpose:
            self.findings.leave(found, "its purpose is another than that of the collection that the alias leads to")
        else:
            return True
        return False

    def _add_versions(self, key: str, alias: str, names: list[str]) -> None:
        entry = self.findings.settings["collections"][key]
        for name in names:
            if not self._is_wanted(name, entry.get("purpose", "")):
                continue
            version = _version_key(alias, name, entry["versions"])
            said = parsed(VersionSettings, self._version(alias, version, name))
            self.findings.add(("collections", key, "versions", version), self.live[name], plain(said))

    def _add_indexes(self, key: str, version: str, found: Found) -> None:
        entry = self.findings.settings["collections"][key]["versions"][version]
        missing = {name: said for name, said in _indexes(found).items() if name not in entry.get("indexes", {})}
        if missing:
            told = ", ".join(missing)
            self.findings.leave(found, f"its settings do not have its payload indexes on {told}: they stay as they are")

    def _version(self, alias: str, key: str, name: str) -> Mapping[str, Any]:
        found, inputs = self.live[name], self.live[name].inputs
        vectors = {of: _vector(inputs, of) for of in inputs.get("vectors", {})}
        shards = inputs.get("shard_number")
        self._leave_unsaid(found)
        return {
            "name": None if name == f"{alias}_{key}" else name,
            "vector": vectors.get(UNNAMED),
            "vectors": {of: vector for of, vector in vectors.items() if of != UNNAMED},
            "sparse_vectors": {of: _sparse(shown) for of, shown in (inputs.get("sparse_vectors") or {}).items()},
            "shards": None if shards == self.database.nodes else shards,
            "sharding": None if inputs.get("sharding_method") == "auto" else inputs.get("sharding_method"),
            "replication_factor": _unless(1, inputs.get("replication_factor")),
            "write_consistency_factor": _unless(1, inputs.get("write_consistency_factor")),
            "on_disk_payload": _unless(True, inputs.get("on_disk_payload")),
            "hnsw": _set(inputs, "hnsw_config"),
            "optimizers": _set(inputs, "optimizers_config"),
            "quantization": inputs.get("quantization_config"),
            "strict_mode": _set(inputs, "strict_mode_config"),
            "metadata": inputs.get("metadata") or None,
            "indexes": _indexes(found),
            "adopt": True,
        }

    def _leave_unsaid(self, found: Found) -> None:
        wal = found.inputs.get("wal_config") or {}
        sparse = (found.inputs.get("sparse_vectors") or {}).items()
        names = [f"wal_config.{name}" for name, value in wal.items() if value != _WAL.get(name)]
        names += [
            f"sparse_vectors.{of}.index.{name}"
            for of, shown in sparse
            for name, value in (shown.get("index") or {}).items()
            if name != "on_disk" and value is not None
        ]
        if names:
            self.findings.leave(found, f"no setting says its {', '.join(names)}: that stays as it is on the platform")


def _version_key(alias: str, name: str, taken: Container[str]) -> str:
    """``v2`` for ``calls_v2``; for a name of another form one that is made of it."""
    rest = name.removeprefix(f"{alias}_")
    return rest if rest != name and _KEY.fullmatch(rest) and rest not in taken else new_key(name, "version", taken)


def _vector(inputs: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    fixed, tuning = inputs["vectors"][name], inputs.get("tuning", {}).get(name) or {}
    return {
        **{member: fixed.get(member) for member in ("size", "distance", "datatype")},
        "multivector": (fixed.get("multivector_config") or {}).get("comparator"),
        "on_disk": tuning.get("on_disk"),
        "hnsw": tuning.get("hnsw_config"),
        "quantization": tuning.get("quantization_config"),
    }


def _sparse(shown: Mapping[str, Any]) -> Mapping[str, Any]:
    modifier = shown.get("modifier")
    if modifier not in (None, "none", "idf"):
        raise CannotSayError(f'settings know sparse vectors as they are and weighted by idf, not "{modifier}"')
    return {"idf": modifier == "idf", "on_disk": (shown.get("index") or {}).get("on_disk")}


def _indexes(found: Found) -> dict[str, Any]:
    kind = qdrant.PayloadIndex.kind
    schemas = {
        name: kind.inputs.from_wire(kind.shown(index))["field_schema"]
        for name, index in (found.document.get("payload_schema") or {}).items()
    }
    return {name: schema["type"] if len(schema) == 1 else schema for name, schema in schemas.items()}


def _set(inputs: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """What somebody has set of a configuration."""
    defaults, shown = _DEFAULTS[name], inputs.get(name) or {}
    kept = {member: value for member, value in shown.items() if value is not None and value != defaults.get(member)}
    return kept or None


def _unless(default: Any, value: Any) -> Any:
    return None if value == default else value

"""Qdrant's clusters as settings, with their backup schedules; and what is in their databases, where a key opens these.

Keys stay out: their values were shown to whoever made them, and Qdrant changes nothing about a key.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from components.existing.findings import CannotSayError, Findings, Section, listed, unsaid
from components.existing.qdrant_database import Database, take_collections
from components.qdrant.settings import BackupSettings, ClusterSettings, QdrantSettings
from providers import qdrant
from providers.base.survey import Found
from providers.qdrant_database import address

MODEL = QdrantSettings

_CONFIGURATION: Mapping[str, Any] = {"reservedCpuPercentage": None, "reservedMemoryPercentage": None}
"""Members that settings do not express, with what they are where nobody has set them."""

_AUDIT = {"auditLogging": {"enabled": True}}
_GENERATION = re.compile(r" \d+-[0-9a-f]{6}$")
"""What stands behind the name of a database key that settings have made."""


def existing(findings: Findings, _workspace: str | None) -> None:
    """One listing a kind and cluster, and a look at each collection. An account is one of Qdrant Cloud's."""
    clusters = listed(qdrant.Cluster)
    section = Section(findings, "clusters", ClusterSettings, lambda entry: entry.get("name"))
    section.take(clusters, lambda found: [found.inputs.get("name")], lambda found, _key: _cluster(findings, found))
    known = {section.keys[found.id]: found for found in clusters if found.id in section.keys}
    backups = Section(findings, "backups", BackupSettings, lambda entry: (entry.get("cluster"), entry.get("name")))
    for key, found in known.items():
        _schedules(backups, key, found.id)
        _keys(findings, key, found.id)
    for database in _databases(findings, known):
        take_collections(findings, database)
    reason = "Qdrant gives them no names: whatever there are is not looked at, and what needs one gets a new one"
    findings.left.append({"kind": qdrant.ManagementKey.kind.title, "id": "", "name": "", "reason": reason})


def _cluster(findings: Findings, found: Found) -> Mapping[str, Any]:
    inputs, configuration = found.inputs, found.document.get("configuration") or {}
    labels, (project, _, stage) = inputs.get("labels", {}), findings.stack.partition("/")
    if labels.get("managed-by") == project and labels.get("stage", stage) != stage:
        raise CannotSayError(f"its labels say that it is managed by {project}/{labels['stage']}")
    if not inputs.get("size"):
        raise CannotSayError("its size is one that Qdrant does not sell any more: choose another one there first")
    database = inputs.get("database_configuration") or {}
    names = [*unsaid(configuration, _CONFIGURATION), *(name for name in database if name not in _AUDIT)]
    if names:
        findings.leave(found, f"no setting says its {', '.join(names)}: that stays as it is on the platform")
    size = inputs["size"]
    return {
        "name": inputs.get("name"),
        "provider": inputs.get("cloud_provider_id"),
        "region": inputs.get("cloud_provider_region_id"),
        "nodes": inputs.get("number_of_nodes"),
        "size": {"memory": size["ram"], **{name: size[name] for name in ("cpu", "disk", "multi_az")}},
        "version": inputs.get("version"),
        "additional_disk_gib": inputs.get("additional_disk_gib") or None,
        "allowed_networks": inputs.get("allowed_ip_source_ranges") or None,
        "storage_tier": inputs.get("storage_tier"),
        "restart_policy": inputs.get("restart_policy"),
        "rebalance": inputs.get("rebalance_strategy"),
        "labels": labels,
        "audit_log": bool((database.get("auditLogging") or {}).get("enabled")),
    }


def _schedules(section: Section, cluster: str, id_: str) -> None:
    def describe(found: Found, _key: str) -> Mapping[str, Any]:
        inputs = found.inputs
        members = {"name": inputs.get("display_name"), "schedule": inputs.get("schedule")}
        return {"cluster": cluster, **members, "retention_days": inputs.get("retention_days")}

    section.take(
        listed(qdrant.BackupSchedule, id_), lambda found: [(cluster, found.inputs.get("display_name"))], describe
    )


def _keys(findings: Findings, cluster: str, id_: str) -> None:
    """Tells of the database keys that are none of the settings'."""
    entries = (findings.settings.get("keys") or {}).values()
    declared = {entry["name"] for entry in entries if entry["cluster"] == cluster}
    manager = re.compile(re.escape(findings.stack.replace("/", "-")) + r"-\d+")
    for found in listed(qdrant.DatabaseKey, id_):
        name = str(found.inputs.get("name"))
        if _GENERATION.sub("", name) not in declared and not manager.fullmatch(name):
            findings.leave(
                found,
                "its value was shown only to whoever made it: declare a new key, and delete this one when nothing "
                "uses it any more",
            )


def _databases(findings: Findings, clusters: Mapping[str, Found]) -> Iterator[Database]:
    """What is in a database is seen with a key of its own, which a person sets for the time of this look."""
    for key, found in clusters.items():
        variable = f"QDRANT_{key.upper().replace('-', '_')}_DATABASE_KEY"
        endpoint = (found.document.get("state") or {}).get("endpoint") or {}
        if not os.environ.get(variable):
            reason = (
                "what is in it is not looked at, because the management key does not open it: make a key that reads "
                f"all of it in Qdrant Cloud, put it into the ESC environment as {variable}, and run the same again"
            )
            findings.left.append({"kind": "database", "id": found.id, "name": key, "reason": reason})
        elif endpoint.get("url"):
            nodes = int(found.inputs.get("number_of_nodes", 1))
            where = address(endpoint["url"], endpoint.get("restPort"))
            yield Database(key, found.id, where, os.environ[variable], nodes)
    for key, entry in (findings.settings.get("databases") or {}).items():
        source = entry.get("key") or {}
        value = os.environ.get(source.get("environment", ""))
        if source and not value:
            reason = "what is in it is not looked at, because its key is not in the environment"
            findings.left.append({"kind": "database", "id": "", "name": key, "reason": reason})
        else:
            yield Database(key, key, entry["address"], value, 1)

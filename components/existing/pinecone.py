"""Pinecone's project as settings: its indexes with their schedules, and the backups that people made.

API keys stay out: their values were shown to whoever made them. Only what the project's own key opens is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.existing.findings import CannotSayError, Findings, Section, key_of, listed, parsed, plain
from components.pinecone.settings import (
    BackupSettings,
    IndexSettings,
    KeySettings,
    PineconeSettings,
    PodIndexSettings,
    ProjectSettings,
    ScheduleSettings,
)
from providers import pinecone
from providers.base import Call
from providers.base.survey import Found
from providers.pinecone_indexes import Indexes

MODEL = PineconeSettings

_EMBEDDING = ("model", "field_map", "read_parameters", "write_parameters")
_POD = ("environment", "pod_type", "replicas", "shards", "source_collection")


def existing(findings: Findings, workspace: str | None) -> None:
    """One listing a kind, and one of each index's schedules. PINECONE_API_KEY is a key of the project that is meant."""
    project = findings.container(pinecone.Project, ProjectSettings, workspace, describe=_project)
    if project is None:
        return
    indexes = _indexes(findings, "indexes", pinecone.Index, IndexSettings)
    _indexes(findings, "pod_indexes", pinecone.PodIndex, PodIndexSettings)
    _in_our_own_cloud(findings)
    schedules = {name: listed(pinecone.BackupSchedule, name) for name in indexes}
    for name, found in schedules.items():
        _schedule(findings, indexes[name], found)
    _backups(findings, indexes, schedules)
    _keys(findings, project.id)


def _project(found: Found) -> Mapping[str, Any]:
    inputs = found.inputs
    return {
        "name": inputs.get("name"),
        "max_pods": inputs.get("max_pods") or None,
        "customer_managed_encryption": inputs.get("force_encryption_with_cmek") or None,
    }


def _indexes(
    findings: Findings,
    name: str,
    resource: type[pinecone.Index | pinecone.PodIndex],
    model: type[IndexSettings | PodIndexSettings],
) -> Mapping[str, str]:
    """The keys of the indexes by name, which is their id."""

    def describe(found: Found, _key: str) -> Mapping[str, Any]:
        own = _pods(found) if resource is pinecone.PodIndex else _serverless(found)
        inputs = found.inputs
        return {
            **{member: inputs.get(member) for member in ("name", "dimension", "metric", "filterable")},
            "deletion_protection": inputs.get("deletion_protection") == "enabled",
            "tags": inputs.get("tags", {}),
            **own,
        }

    section = Section(findings, name, model, lambda entry: entry.get("name"))
    section.take(listed(resource), lambda found: [found.id], describe)
    return section.keys


def _serverless(found: Found) -> Mapping[str, Any]:
    """What tells a serverless index from others. Its vectors are a model's, or it is said what they are."""
    inputs = found.inputs
    members = {"cloud": inputs.get("cloud"), "region": inputs.get("region")}
    if inputs.get("model"):
        members["embedding"] = {name: inputs.get(name) for name in _EMBEDDING}
    else:
        members["vectors"] = inputs.get("vector_type", "dense")
    capacity = inputs.get("read_capacity") or {}
    if capacity.get("mode") == "Dedicated":
        members["read_capacity"] = {name: capacity.get(name) for name in ("node_type", "replicas", "shards")}
    return members


def _pods(found: Found) -> Mapping[str, Any]:
    return {name: found.inputs[name] for name in _POD if name in found.inputs}


def _in_our_own_cloud(findings: Findings) -> None:
    """Tells of indexes that are neither serverless nor on pods of Pinecone's."""
    for index in Indexes(Call("GET", "/indexes"), items="indexes", deployment="byoc").fetch(pinecone.PINECONE, {}):
        reason = "it is in a cloud of your own (BYOC), which settings have no words for"
        findings.left.append({"kind": "index", "id": index["name"], "name": index["name"], "reason": reason})


def _schedule(findings: Findings, index: str, found: list[Found]) -> None:
    """An index has one schedule that is enabled; it may have others, which are not."""
    chosen = next((one for one in found if one.inputs.get("enabled")), found[0] if found else None)
    if chosen is None or findings.settings["indexes"][index].get("backups"):
        return
    for other in found:
        if other is not chosen:
            findings.leave(other, f"settings have one schedule of an index, and {index} has another, too")
    members = ("name", "frequency", "retention_days", "enabled")
    try:
        entry = parsed(ScheduleSettings, {name: chosen.inputs[name] for name in members if name in chosen.inputs})
    except CannotSayError as error:
        findings.leave(chosen, str(error))
    else:
        findings.add(("indexes", index, "backups"), chosen, plain(entry))


def _backups(findings: Findings, indexes: Mapping[str, str], schedules: Mapping[str, list[Found]]) -> None:
    """Those that people made. What a schedule has made begins with its name, and goes by itself."""

    def is_scheduled(found: Found) -> bool:
        own = schedules.get(str(found.inputs.get("index_name")), [])
        return any(str(found.inputs.get("name", "")).startswith(str(one.inputs.get("name"))) for one in own)

    def describe(found: Found, _key: str) -> Mapping[str, Any]:
        inputs = found.inputs
        index = key_of(indexes, "index", inputs.get("index_name"))
        return {"index": index, "name": inputs.get("name"), "description": inputs.get("description", "")}

    section = Section(findings, "backups", BackupSettings, lambda entry: (entry.get("index"), entry.get("name")))
    section.take(
        [one for one in listed(pinecone.Backup) if not is_scheduled(one)],
        lambda one: [(indexes.get(str(one.inputs.get("index_name")), one.id), one.inputs.get("name"))],
        describe,
    )


def _keys(findings: Findings, project: str) -> None:
    """A key that the stack has made has its mark. Of others the value was shown to nobody else."""

    def describe(found: Found, _key: str) -> Mapping[str, Any]:
        if found.owner is None:
            raise CannotSayError(
                "its value was shown only to whoever made it: where a program uses it, declare a new key and delete "
                "this one; PINECONE_API_KEY stays as it is"
            )
        return {"name": found.inputs.get("name"), "roles": found.inputs.get("roles")}

    section = Section(findings, "keys", KeySettings, lambda entry: entry.get("name"))
    section.take(listed(pinecone.ApiKey, project), lambda found: [found.inputs.get("name")], describe)

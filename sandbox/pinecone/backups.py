"""Backups of serverless indexes, the indexes that are made of them, and the collections of pod indexes."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from uuid import uuid4

from pydantic import Field, field_validator
from starlette.responses import Response

from sandbox.http import ApiError, Body, Call, answer, cut
from sandbox.pinecone import access, bodies, indexes
from sandbox.store import Document

BACKUPS_LIMIT = 500
"""In a project, of the plan Standard."""

_PAGE = 100
_VECTORS = ("dimension", "metric")


class BackupCreate(Body):
    name: str | None = None
    description: str | None = None


class CollectionCreate(Body):
    name: str = Field(min_length=1, max_length=45)
    source: str

    _name = field_validator("name")(bodies.check_name)


def list_backups(call: Call) -> Response:
    return paged(call, [_shown(backup) for backup in call.store.all("backup", project_id=call.caller)])


def list_backups_of_index(call: Call) -> Response:
    index = indexes.found(call)
    backups = call.store.all("backup", project_id=call.caller, source_index_id=index["index_id"])
    return paged(call, [_shown(backup) for backup in backups])


def create_backup(call: Call) -> Response:
    """Of a serverless index that is ready."""
    index, wanted = indexes.found(call), access.sent(call, BackupCreate)
    if "serverless" not in index["spec"]:
        raise ApiError(400, "Bad request. Backups are of serverless indexes; a pod-based one has collections.")
    if not index["status"]["ready"]:
        raise ApiError(400, f"Bad request. Index {index['name']} is not ready.")
    if len(call.store.latest.all("backup", project_id=call.caller)) >= BACKUPS_LIMIT:
        raise ApiError(403, f"The project has {BACKUPS_LIMIT} backups already.", code="QUOTA_EXCEEDED")
    serverless = index["spec"]["serverless"]
    backup = {
        "backup_id": str(uuid4()),
        "source_index_name": index["name"],
        "source_index_id": index["index_id"],
        "status": "Initializing",
        "cloud": serverless["cloud"],
        "region": serverless["region"],
        **{name: index[name] for name in _VECTORS if name in index},
        **({"schema": serverless["schema"]} if "schema" in serverless else {}),
        **({"tags": index["tags"]} if index["tags"] else {}),
        **{name: value for name, value in wanted.sent().items() if value is not None},
        "record_count": 0,
        "namespace_count": 0,
        "size_bytes": 0,
        "created_at": access.now(),
        "project_id": call.caller,
        "source": {name: index[name] for name in (*_VECTORS, "vector_type", "spec", "embed") if name in index},
    }
    return answer(_shown(call.store.put("backup", backup["backup_id"], backup)), 201)


def read_backup(call: Call) -> Response:
    """The first look finds it ready."""
    backup = _backup(call)
    if backup["status"] == "Initializing":
        call.store.put("backup", backup["backup_id"], backup | {"status": "Ready"})
    return answer(_shown(backup | {"status": "Ready"} if backup["status"] == "Initializing" else backup))


def delete_backup(call: Call) -> Response:
    backup = _backup(call)["backup_id"]
    jobs = call.store.latest.all("restore_job", backup_id=backup)
    pending = [job["restore_job_id"] for job in jobs if job["status"] == "Pending"]
    if pending:
        raise ApiError(412, f"Unable to delete backup. There are pending restore jobs for this backup: {pending}")
    call.store.delete("backup", backup)
    return Response(status_code=202)


def create_index_from_backup(call: Call) -> Response:
    backup, wanted = _backup(call), access.sent(call, bodies.IndexFromBackup)
    if backup["status"] != "Ready":
        raise ApiError(400, f"Bad request. Backup {backup['backup_id']} is not ready.")
    indexes.check_room(call)
    index = indexes.put(call, wanted.name, wanted.deletion_protection, wanted.tags, backup["source"])
    job = {
        "restore_job_id": str(uuid4()),
        "backup_id": backup["backup_id"],
        "target_index_name": index["name"],
        "target_index_id": index["index_id"],
        "status": "Pending",
        "created_at": access.now(),
        "percent_complete": 0.0,
        "project_id": call.caller,
    }
    call.store.put("restore_job", job["restore_job_id"], job)
    return answer({"restore_job_id": job["restore_job_id"], "index_id": index["index_id"]}, 202)


def list_restore_jobs(call: Call) -> Response:
    return paged(call, [_shown(job) for job in call.store.all("restore_job", project_id=call.caller)])


def read_restore_job(call: Call) -> Response:
    """The first look finds it done."""
    job = call.store.get("restore_job", call.path("job"))
    if job is None or job["project_id"] != call.caller:
        raise ApiError(404, f"Restore job {call.path('job')} not found.")
    if job["status"] == "Pending":
        job |= {"status": "Completed", "percent_complete": 100.0, "completed_at": access.now()}
        call.store.put("restore_job", job["restore_job_id"], job)
    return answer(_shown(job))


def list_collections(call: Call) -> Response:
    return answer({"collections": [_shown(c) for c in call.store.all("collection", project_id=call.caller)]})


def create_collection(call: Call) -> Response:
    wanted = access.sent(call, CollectionCreate)
    index = call.store.latest.get("index", f"{call.caller}/{wanted.source}")
    if index is None:
        raise ApiError(404, f"Index {wanted.source} not found.")
    if "pod" not in index["spec"]:
        raise ApiError(400, "Bad request. Serverless indexes do not support collections.")
    if call.store.latest.get("collection", f"{call.caller}/{wanted.name}") is not None:
        raise ApiError(409, "Resource already exists.")
    collection = {
        "name": wanted.name,
        "status": "Initializing",
        "environment": index["spec"]["pod"]["environment"],
        "dimension": index["dimension"],
        "project_id": call.caller,
        "source": wanted.source,
    }
    return answer(_shown(call.store.put("collection", f"{call.caller}/{wanted.name}", collection)), 201)


def read_collection(call: Call) -> Response:
    """The first look finds it ready."""
    collection = _collection(call)
    if collection["status"] == "Initializing":
        collection |= {"status": "Ready", "size": 0, "vector_count": 0}
        call.store.put("collection", f"{call.caller}/{collection['name']}", collection)
    return answer(_shown(collection))


def delete_collection(call: Call) -> Response:
    call.store.delete("collection", f"{call.caller}/{_collection(call)['name']}")
    return Response(status_code=202)


def paged(call: Call, items: list[Document], end: Document | None = None) -> Response:
    """``limit`` 1 to 100, ``paginationToken``; the token for the next page where there is one, else ``end``."""
    limit, offset = call.number("limit", _PAGE, 1, _PAGE), _offset(call.query("paginationToken"))
    page: dict[str, Any] = {"data": cut(items, limit, offset)}
    if offset + limit < len(items):
        page["pagination"] = {"next": base64.urlsafe_b64encode(f"skip:{offset + limit}".encode()).decode()}
    return answer({**(end or {}), **page})


def _offset(token: str | None) -> int:
    try:
        word, _, number = base64.urlsafe_b64decode(token or "c2tpcDow").decode().partition(":")
        if word == "skip":
            return int(number)
    except (ValueError, binascii.Error):
        pass
    raise ApiError(400, "Bad request. Invalid pagination token.")


def _shown(document: Document) -> Document:
    return {name: value for name, value in document.items() if name not in ("project_id", "source")}


def _backup(call: Call) -> Document:
    backup = call.store.get("backup", call.path("backup"))
    if backup is None or backup["project_id"] != call.caller:
        raise ApiError(404, f"Backup {call.path('backup')} not found.")
    return backup


def _collection(call: Call) -> Document:
    collection = call.store.get("collection", f"{call.caller}/{call.path('collection')}")
    if collection is None:
        raise ApiError(404, f"Collection {call.path('collection')} not found.")
    return collection

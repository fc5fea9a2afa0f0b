"""Database keys, management keys and backup schedules. A key's value is shown once, when it is made."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from typing import Literal
from uuid import uuid4

from pydantic import Field
from starlette.responses import Response

from sandbox.http import ApiError, Call, answer, digest
from sandbox.qdrant.access import ACCOUNT, MANAGEMENT_KEY, MANAGER_ID, now
from sandbox.qdrant.clusters import cluster_of, paged
from sandbox.qdrant.wire import Wire
from sandbox.store import Document

_KEY_NAME = re.compile(r"[A-Za-z0-9 _-]+")
_DAY = 86_400
_MOST_DAYS = 365
_FIELDS_OF_CRON = 5


class GlobalAccess(Wire):
    access_type: Literal["GLOBAL_ACCESS_RULE_ACCESS_TYPE_READ_ONLY", "GLOBAL_ACCESS_RULE_ACCESS_TYPE_MANAGE"]


class CollectionAccess(Wire):
    collection_name: str = Field(min_length=1)
    access_type: Literal[
        "COLLECTION_ACCESS_RULE_ACCESS_TYPE_READ_ONLY", "COLLECTION_ACCESS_RULE_ACCESS_TYPE_READ_WRITE"
    ]


class Rule(Wire):
    global_access: GlobalAccess | None = None
    collection_access: CollectionAccess | None = None


class DatabaseKey(Wire):
    cluster_id: str
    name: str
    expires_at: str | None = None
    access_rules: list[Rule] | None = Field(None, max_length=20)


class SentDatabaseKey(Wire):
    database_api_key: DatabaseKey


class Schedule(Wire):
    cluster_id: str
    schedule: str
    retention_period: str | None = Field(None, pattern=r"^\d+(\.\d+)?s$")
    display_name: str | None = Field(None, min_length=1)


class SentSchedule(Wire):
    backup_schedule: Schedule


def list_database_keys(call: Call) -> Response:
    cluster = call.query("clusterId")
    keys = call.store.all("database_key", **({"clusterId": cluster} if cluster else {}))
    return answer({"items": [_shown(key) for key in keys]})


def create_database_key(call: Call) -> Response:
    """Names are not unique. Of rules, each is for everything or for one collection."""
    sent = call.body(SentDatabaseKey).database_api_key
    cluster_of(call, sent.cluster_id)
    if not _KEY_NAME.fullmatch(sent.name):
        raise ApiError(400, "databaseApiKey.name: only letters, numbers, spaces, underscores and dashes are allowed")
    if sent.expires_at and _moment(sent.expires_at) <= datetime.now(UTC):
        raise ApiError(400, "databaseApiKey.expiresAt: must be in the future")
    if any((rule.global_access is None) == (rule.collection_access is None) for rule in sent.access_rules or []):
        raise ApiError(400, "databaseApiKey.accessRules: a rule is either for all collections or for one")
    value = f"{secrets.token_urlsafe(32)}|{secrets.token_urlsafe(48)}"
    key: Document = {
        **sent.sent(),
        "id": str(uuid4()),
        "accountId": ACCOUNT,
        "createdAt": now(),
        "postfix": value[-6:],
        "digest": digest(value),
    }
    call.store.put("database_key", key["id"], key)
    return answer({"databaseApiKey": _shown(key) | {"key": value}})


def delete_database_key(call: Call) -> Response:
    if not call.store.delete("database_key", call.path("id")):
        raise ApiError(404, "database api key not found")
    return answer({})


def list_management_keys(call: Call) -> Response:
    """The one that the sandbox begins with is among them."""
    first = {"id": MANAGER_ID, "accountId": ACCOUNT, "createdAt": now(), "prefix": MANAGEMENT_KEY[:8]}
    return answer({"items": [first, *(_shown(key) for key in call.store.all("management_key"))]})


def create_management_key(call: Call) -> Response:
    value = f"{uuid4()}|{secrets.token_urlsafe(40)}"
    key: Document = {"id": str(uuid4()), "accountId": ACCOUNT, "createdAt": now(), "prefix": value[:8]}
    call.store.put("management_key", key["id"], key | {"digest": digest(value)})
    return answer({"managementKey": key | {"key": value}})


def delete_management_key(call: Call) -> Response:
    if not call.store.delete("management_key", call.path("id")):
        raise ApiError(404, "management key not found")
    return answer({})


def list_schedules(call: Call) -> Response:
    cluster = call.query("clusterId")
    return answer(paged(call, call.store.all("schedule", **({"clusterId": cluster} if cluster else {}))))


def create_schedule(call: Call) -> Response:
    sent = _checked(call)
    made: Document = {
        **sent.sent(),
        "id": str(uuid4()),
        "accountId": ACCOUNT,
        "createdAt": now(),
        "status": "BACKUP_SCHEDULE_STATUS_ACTIVE",
    }
    return answer({"backupSchedule": call.store.put("schedule", made["id"], made)})


def read_schedule(call: Call) -> Response:
    return answer({"backupSchedule": _schedule(call)})


def update_schedule(call: Call) -> Response:
    """Replaces the whole; it stays with its cluster."""
    found, sent = _schedule(call), _checked(call)
    if sent.cluster_id != found["clusterId"]:
        raise ApiError(400, "backupSchedule.clusterId: cannot be changed")
    kept = {name: found[name] for name in ("id", "accountId", "createdAt", "status")}
    return answer({"backupSchedule": call.store.put("schedule", found["id"], {**sent.sent(), **kept})})


def delete_schedule(call: Call) -> Response:
    call.store.delete("schedule", _schedule(call)["id"])
    return answer({})


def _schedule(call: Call) -> Document:
    found = call.store.get("schedule", call.path("id"))
    if found is None:
        raise ApiError(404, "backup schedule not found")
    return found


def _checked(call: Call) -> Schedule:
    sent = call.body(SentSchedule).backup_schedule
    cluster_of(call, sent.cluster_id)
    if len(sent.schedule.split()) != _FIELDS_OF_CRON:
        raise ApiError(400, "backupSchedule.schedule: must be in the crontab format")
    seconds = float(sent.retention_period.removesuffix("s")) if sent.retention_period else _DAY
    if not _DAY <= seconds <= _DAY * _MOST_DAYS:
        raise ApiError(400, "backupSchedule.retentionPeriod: must be from 1 to 365 days")
    return sent


def _shown(key: Document) -> Document:
    return {name: value for name, value in key.items() if name != "digest"}


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise ApiError(400, "databaseApiKey.expiresAt: must be a moment in RFC 3339") from error

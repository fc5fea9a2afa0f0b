"""The tables and functions of the control plane's database that PostgREST shows (estuary/flow, supabase/migrations).

Row-level security: drafts and publications are their maker's own; live specifications show to who may read their names;
grants are given and taken by who administers the prefix.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from starlette.responses import JSONResponse, Response

from sandbox.estuary import access, publications, seed
from sandbox.estuary.identifiers import is_name, is_prefix, new_id, now, parsed_id
from sandbox.estuary.postgrest import (
    Column,
    RefusedError,
    Row,
    Table,
    answered,
    filtered,
    has_filter,
    paged,
    prefers,
)
from sandbox.http import Call, document_of
from sandbox.pulumi_cloud.vault import Vault

_TYPES = ("capture", "collection", "materialization", "test")


def _columns(*names: str, writable: str = "") -> tuple[Column, ...]:
    """``name`` or ``name:kind``; those in ``writable`` may be inserted."""
    pairs = ((name, kind or "text") for name, _, kind in (item.partition(":") for item in names))
    return tuple(Column(name, kind, name in writable.split()) for name, kind in pairs)


_MODEL = ("id:id", "created_at:time", "updated_at:time", "detail")
_DRAFTS = Table("drafts", _columns(*_MODEL, "user_id:uuid", writable="detail"))
_DRAFT_SPECS = Table(
    "draft_specs",
    _columns(
        *_MODEL,
        "draft_id:id",
        "catalog_name",
        "spec_type",
        "spec:json",
        "expect_pub_id:id",
        "built_spec:json",
        "validated:json",
        writable="detail draft_id catalog_name spec_type spec expect_pub_id",
    ),
)
_PUBLICATIONS = Table(
    "publications",
    _columns(
        *_MODEL,
        "user_id:uuid",
        "draft_id:id",
        "dry_run:bool",
        "data_plane_name",
        "job_status:json",
        "logs_token:uuid",
        "pub_id:id",
        writable="detail draft_id dry_run data_plane_name",
    ),
)
_DRAFT_ERRORS = Table("draft_errors", _columns("draft_id:id", "scope", "detail"))
_LIVE_SPECS = Table(
    "live_specs_ext",
    _columns(
        *_MODEL,
        "catalog_name",
        "connector_image_name",
        "connector_image_tag",
        "last_pub_id:id",
        "last_build_id:id",
        "reads_from:json",
        "writes_to:json",
        "spec:json",
        "spec_type",
        "built_spec:json",
        "inferred_schema_md5",
        "md5",
        "last_pub_detail",
        "last_pub_user_id:uuid",
        "last_pub_user_email",
        "last_pub_user_full_name",
        "data_plane_id:id",
        "data_plane_name",
        "reactor_address",
    ),
)
_ROLE_GRANTS = Table(
    "role_grants",
    _columns(
        *_MODEL, "subject_role", "object_role", "capability", writable="detail subject_role object_role capability"
    ),
)
_USER_GRANTS = Table(
    "user_grants",
    _columns(*_MODEL, "user_id:uuid", "object_role", "capability", writable="detail user_id object_role capability"),
)
_COMBINED_GRANTS = Table(
    "combined_grants_ext",
    _columns(*_MODEL, "subject_role", "user_id:uuid", "user_email", "user_full_name", "object_role", "capability"),
)


@dataclass(frozen=True)
class _Source:
    """A table, and the rows of it that the caller may see."""

    table: Table
    rows: Callable[[Call], list[Row]]


def read(call: Call) -> Response:
    source = _source(call)
    publications.catch_up(call.store, _vault(call))
    rows = paged(call, source.table, filtered(call, source.table, source.rows(call)))
    if source.table is _PUBLICATIONS:
        rows = [publications.look(call.store, _vault(call), row) for row in rows]
    return answered(call, source.table, rows, status=200, wrote=False)


def insert(call: Call) -> Response:
    makers: dict[str, Callable[[Call, Row], Row]] = {
        "drafts": _insert_draft,
        "draft_specs": _insert_spec,
        "publications": _insert_publication,
        "role_grants": _insert_role_grant,
        "user_grants": _insert_user_grant,
    }
    table = _source(call).table
    rows = table.insertable(document_of(call.payload))
    if table.name not in makers:
        raise _denied(table)
    made = [makers[table.name](call, row) for row in rows]
    return answered(call, table, made, status=201, wrote=True)


def update(call: Call) -> Response:
    """What may be updated: the detail of drafts, and specifications in them."""
    table = _source(call).table
    if table not in (_DRAFTS, _DRAFT_SPECS):
        raise _denied(table)
    changes = table.insertable(document_of(call.payload))[0]
    kind = table.name.removesuffix("s")
    changed = [row | changes | {"updated_at": now()} for row in _chosen(call)]
    for row in changed:
        call.store.put(kind, row["id"], _checked(row) if table is _DRAFT_SPECS else row)
    return answered(call, table, changed, status=200, wrote=True)


def delete(call: Call) -> Response:
    table = _source(call).table
    if table not in (_DRAFTS, _DRAFT_SPECS, _DRAFT_ERRORS, _ROLE_GRANTS, _USER_GRANTS):
        raise _denied(table)
    gone = _chosen(call)
    for row in gone:
        if table is _DRAFTS:
            publications.forget_draft(call.store, row["id"])
        elif table in (_ROLE_GRANTS, _USER_GRANTS):
            _may_grant(call, table, row["object_role"])
            subject = row.get("subject_role") or row["user_id"]
            call.store.delete(table.name.removesuffix("s"), f"{subject} {row['object_role']}")
        else:
            call.store.delete(table.name.removesuffix("s"), row["id"])
    return answered(call, table, gone, status=200, wrote=True)


def function(call: Call) -> Response:
    functions: dict[str, Callable[[Call, Row], list[Row]]] = {
        "prune_unchanged_draft_specs": _prune,
        "view_logs": _logs,
    }
    name, sent = call.path("function"), document_of(call.payload)
    if name not in functions or not isinstance(sent, dict):
        text = f"Could not find the function public.{name} in the schema cache"
        raise RefusedError(404, "PGRST202", text)
    return JSONResponse(functions[name](call, sent))


def _source(call: Call) -> _Source:
    sources = {
        "drafts": _Source(_DRAFTS, _own_drafts),
        "draft_specs": _Source(_DRAFT_SPECS, lambda c: _of_drafts(c, "draft_spec")),
        "draft_errors": _Source(_DRAFT_ERRORS, lambda c: _of_drafts(c, "draft_error")),
        "publications": _Source(_PUBLICATIONS, lambda c: c.store.all("publication", user_id=c.caller)),
        "live_specs_ext": _Source(_LIVE_SPECS, _live_rows),
        "role_grants": _Source(_ROLE_GRANTS, lambda c: _grants(c, "role_grant")),
        "user_grants": _Source(_USER_GRANTS, lambda c: _grants(c, "user_grant")),
        "combined_grants_ext": _Source(_COMBINED_GRANTS, _combined),
    }
    name = call.path("table")
    if name not in sources:
        raise RefusedError(404, "PGRST205", f"Could not find the table 'public.{name}' in the schema cache")
    return sources[name]


def _chosen(call: Call) -> list[Row]:
    """The rows that a change is about; one without a condition is refused."""
    source = _source(call)
    if not has_filter(call):
        raise RefusedError(
            400, "21000", f"{'DELETE' if call.request.method == 'DELETE' else 'UPDATE'} requires a WHERE clause"
        )
    return filtered(call, source.table, source.rows(call))


def _denied(table: Table) -> RefusedError:
    return RefusedError(403, "42501", f"permission denied for table {table.name}")


def _unsafe(table: Table) -> RefusedError:
    return RefusedError(403, "42501", f'new row violates row-level security policy for table "{table.name}"')


def _own_drafts(call: Call) -> list[Row]:
    return call.store.all("draft", user_id=call.caller)


def _of_drafts(call: Call, kind: str) -> list[Row]:
    own = {draft["id"] for draft in call.store.latest.all("draft", user_id=call.caller)}
    return [row for row in call.store.all(kind) if row["draft_id"] in own]


def _live_rows(call: Call) -> list[Row]:
    emails = {call.caller: access.email_of(call.store, call.caller)}
    planes = {plane["name"]: plane for plane in seed.planes()}
    return [
        row
        | {
            "last_pub_user_email": emails.get(row["last_pub_user_id"]),
            "data_plane_id": seed.plane_id(row["data_plane_name"]),
            "reactor_address": planes.get(row["data_plane_name"], {}).get("reactor_address"),
        }
        for row in call.store.all("live_spec")
        if access.may(call.store, call.caller, "read", row["catalog_name"])
    ]


def _grants(call: Call, kind: str) -> list[Row]:
    return [g for g in call.store.all(kind) if access.may(call.store, call.caller, "admin", g["object_role"])]


def _combined(call: Call) -> list[Row]:
    users = [g | {"user_email": access.email_of(call.store, g["user_id"])} for g in _grants(call, "user_grant")]
    return [*users, *_grants(call, "role_grant")]


def _insert_draft(call: Call, row: Row) -> Row:
    draft: Row = {"id": new_id(), "detail": row.get("detail"), "user_id": call.caller, "created_at": now()}
    return call.store.put("draft", draft["id"], draft | {"updated_at": now()})


def _insert_spec(call: Call, row: Row) -> Row:
    """Upserted with ``Prefer: resolution=merge-duplicates``; a second row of the same name is refused without it."""
    for name in ("draft_id", "catalog_name"):
        if row.get(name) is None:
            text = f'null value in column "{name}" of relation "draft_specs" violates not-null constraint'
            raise RefusedError(400, "23502", text)
    drafts = {draft["id"] for draft in _own_drafts(call)}
    if row["draft_id"] not in drafts:
        raise _unsafe(_DRAFT_SPECS)
    kept = publications.drafted(call.store, row["draft_id"]).get(row["catalog_name"])
    if kept and not prefers(call, "resolution=merge-duplicates"):
        constraint = "draft_specs_draft_id_catalog_name_key"
        text = f'duplicate key value violates unique constraint "{constraint}"'
        details = f"Key (draft_id, catalog_name)=({row['draft_id']}, {row['catalog_name']}) already exists."
        raise RefusedError(409, "23505", text, details)
    fresh: Row = {
        "id": new_id(),
        "detail": None,
        "spec": None,
        "spec_type": None,
        "expect_pub_id": None,
        "created_at": now(),
    }
    made = _checked((kept or fresh) | row | {"updated_at": now()})
    return call.store.put("draft_spec", made["id"], made)


def _checked(row: Row) -> Row:
    """A row of ``draft_specs`` as the database's own constraints want it."""
    if not is_name(row["catalog_name"]):
        text = 'value for domain catalog_name violates check constraint "Must be a valid catalog name"'
        raise RefusedError(400, "23514", text)
    if row["spec_type"] is not None and row["spec_type"] not in _TYPES:
        raise RefusedError(400, "22P02", f'invalid input value for enum catalog_spec_type: "{row["spec_type"]}"')
    if (row["spec"] is None) != (row["spec_type"] is None):
        text = 'new row for relation "draft_specs" violates check constraint "spec and spec_type must be consistent"'
        raise RefusedError(400, "23514", text)
    return row


def _insert_publication(call: Call, row: Row) -> Row:
    if row.get("draft_id") is None:
        text = 'null value in column "draft_id" of relation "publications" violates not-null constraint'
        raise RefusedError(400, "23502", text)
    if row["draft_id"] not in {draft["id"] for draft in _own_drafts(call)}:
        raise _unsafe(_PUBLICATIONS)
    made: Row = {
        "id": new_id(),
        "detail": row.get("detail"),
        "user_id": call.caller,
        "draft_id": row["draft_id"],
        "dry_run": bool(row.get("dry_run")),
        "data_plane_name": row.get("data_plane_name"),
        "job_status": {"type": "queued"},
        "logs_token": str(uuid4()),
        "pub_id": None,
        "looks": 0,
        "looked_at": now(),
        "log": [],
        "created_at": now(),
        "updated_at": now(),
    }
    return call.store.put("publication", made["id"], made)


def _insert_role_grant(call: Call, row: Row) -> Row:
    for name in ("subject_role", "object_role"):
        _valid_prefix(row.get(name))
    _may_grant(call, _ROLE_GRANTS, row["object_role"])
    return seed.put_role_grant(call.store, row["subject_role"], row["object_role"], _capability(row), row.get("detail"))


def _insert_user_grant(call: Call, row: Row) -> Row:
    _valid_prefix(row.get("object_role"))
    _may_grant(call, _USER_GRANTS, row["object_role"])
    return seed.put_grant(
        call.store, str(row.get("user_id")), row["object_role"], _capability(row), row.get("detail") or ""
    )


def _valid_prefix(value: object) -> None:
    if not isinstance(value, str) or not is_prefix(value):
        text = 'value for domain catalog_prefix violates check constraint "Must be a valid catalog prefix"'
        raise RefusedError(400, "23514", text)


def _capability(row: Row) -> str:
    if row.get("capability") not in ("read", "write", "admin"):
        raise RefusedError(400, "22P02", f'invalid input value for enum grant_capability: "{row.get("capability")}"')
    return str(row["capability"])


def _may_grant(call: Call, table: Table, prefix: str) -> None:
    if not access.may(call.store, call.caller, "admin", prefix):
        raise _unsafe(table)


def _prune(call: Call, sent: Row) -> list[Row]:
    """Takes out of a draft what is live already, word for word; returns what it took."""
    draft, live = parsed_id(sent.get("prune_draft_id")) or "", publications.live(call.store)
    pruned: list[Row] = []
    for row in _of_drafts(call, "draft_spec"):
        current = live.get(row["catalog_name"])
        if row["draft_id"] == draft and current is not None and _same(current["spec"], row["spec"]):
            call.store.delete("draft_spec", row["id"])
            md5 = current["md5"]
            texts = {
                "live_spec_md5": md5,
                "draft_spec_md5": md5,
                "inferred_schema_md5": None,
                "live_inferred_schema_md5": None,
            }
            pruned.append({"catalog_name": row["catalog_name"], "spec_type": row["spec_type"], **texts})
    return pruned


def _same(live: object, drafted: object) -> bool:
    """They are compared as texts: the order of members counts."""
    return repr(live) == repr(drafted)


def _logs(call: Call, sent: Row) -> list[Row]:
    found = call.store.first("publication", logs_token=sent.get("bearer_token"))
    return [line | {"token": found["logs_token"]} for line in found["log"]] if found else []


def _vault(call: Call) -> Vault:
    vault: Vault = call.request.app.state.vault
    return vault

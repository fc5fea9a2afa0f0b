"""What the data plane makes of what was published (``GET /api/v1/catalog/status``; crates/models, status/summary.rs)."""

from __future__ import annotations

from starlette.responses import Response

from sandbox.estuary import access, publications, specs
from sandbox.http import ApiError, Call, answer
from sandbox.store import Document, Store

Summary = tuple[str, str]
"""``ok``, ``warning``, ``error`` or ``taskDisabled``, and what it says to people."""


def summary_of(store: Store, row: Document) -> Summary:
    """A warning until the data plane has activated the build; counts as a look."""
    if row["spec_type"] == "test":
        return "ok", "Test passed"
    if not publications.is_active(store, row):
        return "warning", "pending data-plane activation"
    if specs.is_disabled(row["spec"]) and (row["spec_type"] != "collection"):
        return "taskDisabled", "Task shards are disabled"
    return "ok", "Ok"


def read_status(call: Call) -> Response:
    """``name`` (repeated), ``short``, ``connected``."""
    names = call.request.query_params.getlist("name")
    if not names:
        raise ApiError(400, "Failed to deserialize query string: missing field `name`")
    publications.catch_up(call.store, call.request.app.state.vault)
    for name in names:
        if not access.may(call.store, call.caller, "read", name):
            email = access.email_of(call.store, call.caller)
            text = f"{email} is not authorized to access prefix or name '{name}' with required capability read"
            raise ApiError(403, text)
    live = publications.live(call.store)
    absent = [name for name in names if name not in live]
    if absent:
        raise ApiError(404, f"no live specs found for names: [{', '.join(absent)}]")
    if call.flag("connected"):
        names = sorted({*names, *(other for name in names for other in _connected(live, name))})
    return answer([_shown(call, live[name]) for name in names])


def _connected(live: dict[str, Document], name: str) -> list[str]:
    row = live[name]
    ahead = [*(row["reads_from"] or ()), *(row["writes_to"] or ())]
    back = [n for n, other in live.items() if name in [*(other["reads_from"] or ()), *(other["writes_to"] or ())]]
    return [other for other in (*ahead, *back) if other in live]


def _shown(call: Call, row: Document) -> Document:
    status, message = summary_of(call.store, row)
    active = status in ("ok", "taskDisabled")
    shown: Document = {
        "catalog_name": row["catalog_name"],
        "summary": {"status": status, "message": message},
        "live_spec_id": row["id"],
        "spec_type": row["spec_type"],
        "disabled": specs.is_disabled(row["spec"]),
        "last_pub_id": row["last_pub_id"],
        "last_build_id": row["last_build_id"],
        "controller_next_run": None,
        "live_spec_updated_at": row["updated_at"],
        "controller_updated_at": row["updated_at"],
        "controller_error": None,
        "controller_failures": 0,
    }
    if not call.flag("short"):
        activation = {
            "last_activated": row["last_build_id"] if active else "0" * 16,
            "last_activated_at": row["updated_at"] if active else None,
        }
        shown["connector_status"] = None
        shown["controller_status"] = {"type": str(row["spec_type"]).capitalize(), "activation": activation}
    return shown

"""Lists, which the API calls labels: of contacts and of accounts, by names that are unique in each. None is ever deleted."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from sandbox.apollo.access import key_of, mine, new_id, now, require, sent, shown, team_id
from sandbox.http import ApiError, Body, Call, answer

_MODALITIES = ("contacts", "accounts")


class _New(Body):
    name: str = ""
    modality: str = ""
    book_of_business: bool | None = None


class _Change(Body):
    name: str = ""
    book_of_business: bool | None = None


def list_labels(call: Call) -> Response:
    require(call, "labels", "index")
    return answer([_listed(one) for one in call.store.all("label", stage=call.caller)])


def create_label(call: Call) -> Response:
    require(call, "labels", "create")
    wanted = sent(call, _New)
    _named(wanted.name)
    if not wanted.modality:
        raise ApiError(422, "Please enter a non-empty modality!")
    if wanted.modality not in _MODALITIES:
        raise ApiError(422, "Please enter a valid modality!")
    _free(call, wanted.name, wanted.modality)
    key = new_id()
    label = {
        "id": key,
        "modality": wanted.modality,
        "cached_count": 0,
        "name": wanted.name,
        "user_id": key_of(call)["user"],
    }
    label |= {"created_at": now(), "updated_at": now(), "stage": call.caller}
    label["book_of_business"] = bool(wanted.book_of_business) if wanted.modality == "accounts" else None
    return answer({"label": shown(call.store.put("label", key, label))})


def update_label(call: Call) -> Response:
    require(call, "labels", "update")
    key, wanted = call.path("id"), sent(call, _Change)
    label = mine(call, "label", key)
    if label is None:
        raise ApiError(404, "Record not found.", beside=f"Could not find label with id {key}")
    _named(wanted.name)
    _free(call, wanted.name, label["modality"], key)
    changed = label | {"name": wanted.name, "updated_at": now()}
    if wanted.book_of_business is not None and label["modality"] == "accounts":
        changed["book_of_business"] = wanted.book_of_business
    return answer({"label": shown(call.store.put("label", key, changed))})


def _named(name: str) -> None:
    if not name.strip():
        raise ApiError(422, "Please enter a non-empty name!")


def _free(call: Call, name: str, modality: str, key: str = "") -> None:
    others = call.store.latest.all("label", stage=call.caller, name=name, modality=modality)
    if any(other["id"] != key for other in others):
        raise ApiError(422, f"{name} already exists", skip_alert_dialog=True)


def _listed(label: dict[str, Any]) -> dict[str, Any]:
    """As the list shows it: whether it is a book of business, it does not."""
    beside = {"_id": label["id"], "key": label["id"], "team_id": team_id(label["stage"]), "concurrency_locks": {}}
    return {**shown(label, "book_of_business"), **beside, "need_cached_count_update": False}

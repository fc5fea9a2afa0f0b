"""How Linear's objects are read and written: references as ids, people as addresses, what is in the trash."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from providers import base
from providers.base import Json, Listing
from providers.base.ownership import owner
from providers.linear_calls import flat, pages


def bare(payload: Json, _wanted: base.Inputs) -> Json:
    """Without the references to nothing, by which the workspace is told from a team."""
    return {name: value for name, value in payload.items() if not (name.endswith("Id") and value == "")}


def is_archived(document: Json) -> bool:
    return bool(document.get("archivedAt"))


def is_retired(document: Json) -> bool:
    return bool(document.get("retiredAt") or document.get("archivedAt"))


def in_the_bin(document: Json) -> bool:
    return bool(document.get("archivedAt") or document.get("trashed"))


def template_sent(payload: Json, wanted: base.Inputs) -> Json:
    body = bare(payload, wanted)
    return {**body, "templateData": json.dumps(body["templateData"])} if "templateData" in body else body


def template_shown(document: Json) -> Json:
    data = document["templateData"]
    return {**flat(document), "templateData": json.loads(data) if isinstance(data, str) else data}


@dataclass(frozen=True)
class _OursInTheBin(Listing):
    """Of what lies in the trash only that which a stack has put there: names are free, others' leftovers are in no way."""

    def fetch(self, api: base.Api, values: Mapping[str, Any]) -> Iterator[Json]:
        for document in super().fetch(api, values):
            if not in_the_bin(document) or owner(document.get("description")):
                yield document


def pages_with_bin(field: str, node: str) -> _OursInTheBin:
    listing = pages(field, node, archived=True, size=50)
    return _OursInTheBin(listing.call, listing.items, listing.each, listing.pages)

"""Pages of lists, slugs, and objects by id or slug."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence

from starlette.responses import Response

from sandbox.http import Call, answer, cut
from sandbox.store import Document, Store

_PAGE = 100
_LARGEST_PAGE = 1000


def page(call: Call, found: Sequence[Document], *, size: str = "page_size", current: str = "current_page") -> Response:
    """One page; pages count from 0. Users and invitations spell the two parameters in camel case."""
    limit, number = call.number(size, _PAGE, 1, _LARGEST_PAGE), call.number(current, 0, 0)
    return enveloped(cut(found, limit, number * limit), len(found))


def enveloped(found: Sequence[Document], total: int | None = None) -> Response:
    return answer({"object": "list", "total": len(found) if total is None else total, "data": list(found)})


def picked(store: Store, kind: str, identifier: str) -> Document | None:
    """By id or by slug."""
    return store.get(kind, identifier) or store.first(kind, slug=identifier)


def slug_of(name: str, prefix: str = "") -> str:
    """As Portkey makes them where nobody says which: a prefix, some of the name, and what makes it unique."""
    words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:24].strip("-")
    return "-".join(part for part in (prefix, words, secrets.token_hex(3)) if part)


def without_nothing(document: Document) -> Document:
    """Optional members without a value are left out of answers: few of them may be null."""
    return {name: value for name, value in document.items() if value is not None}

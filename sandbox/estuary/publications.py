"""Publications: a draft is queued, built, and becomes the catalog; or nothing of it does.

How long one is queued, and how the next ones end, can be asked for: the object ``publications`` of the kind
``publication_queue`` says so (`sandbox.control_api`), with ``polls`` (how many looks at a publication still find it queued),
``seconds`` (at least so long), ``outcomes`` (with which types of ``job_status`` the next ones end, one each, whatever
is in them) and ``activation_looks`` (how many looks at what was published find it not yet active).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox.estuary import connectors, seed, specs
from sandbox.estuary.build import Build
from sandbox.estuary.errors import Mistake
from sandbox.estuary.identifiers import new_id, now
from sandbox.http import digest
from sandbox.pulumi_cloud.vault import Vault
from sandbox.store import Document, Store

_FORGOTTEN_SECONDS = 2.0
"""A publication that nobody looks at ends all the same, so long after it could have."""


def look(store: Store, vault: Vault, publication: Document) -> Document:
    """What a client sees of a publication: for the first looks that it is queued, then how it ended."""
    if publication["job_status"] != {"type": "queued"}:
        return publication
    queue = _queue(store)
    if publication["looks"] >= queue["polls"] and _since(publication["created_at"]) >= queue["seconds"]:
        return _run(store, vault, publication)
    looked = publication | {"looks": publication["looks"] + 1, "looked_at": now()}
    return store.put("publication", publication["id"], looked)


def catch_up(store: Store, vault: Vault) -> None:
    """Runs the publications that their clients have left alone."""
    for publication in store.latest.all("publication", job_status={"type": "queued"}):
        if _since(publication["looked_at"]) >= _queue(store)["seconds"] + _FORGOTTEN_SECONDS:
            _run(store, vault, publication)


def drafted(store: Store, draft: str) -> dict[str, Document]:
    """The rows of a draft, by catalog name."""
    return {row["catalog_name"]: row for row in store.latest.all("draft_spec", draft_id=draft)}


def live(store: Store) -> dict[str, Document]:
    return {row["catalog_name"]: row for row in store.latest.all("live_spec")}


def forget_draft(store: Store, draft: str) -> None:
    """Deletes a draft with its specifications and errors."""
    store.delete("draft", draft)
    for kind in ("draft_spec", "draft_error"):
        for row in store.latest.all(kind, draft_id=draft):
            store.delete(kind, row["id"])


def is_active(store: Store, row: Document) -> bool:
    """Whether the data plane runs what was published; the first looks find that it does not yet."""
    if row["looks"] >= _queue(store)["activation_looks"]:
        return True
    store.put("live_spec", row["catalog_name"], row | {"looks": row["looks"] + 1})
    return False


def _run(store: Store, vault: Vault, publication: Document) -> Document:
    draft = publication["draft_id"]
    for row in store.latest.all("draft_error", draft_id=draft):
        store.delete("draft_error", row["id"])
    plane = publication["data_plane_name"]
    build = Build(store, vault, publication["user_id"], drafted(store, draft), plane, live(store))
    status, mistakes = _outcome(store, build)
    for mistake in mistakes:
        error = {"id": new_id(), "draft_id": draft, "scope": mistake.scope, "detail": mistake.detail}
        store.put("draft_error", error["id"], error)
    pub_id = new_id()
    ended = publication | {"job_status": status, "pub_id": pub_id, "updated_at": now()}
    lines = [f"{mistake.scope}: {mistake.detail}" for mistake in mistakes] or [f"publication is {status['type']}"]
    ended["log"] = [{"log_line": line, "logged_at": now(), "stream": "build"} for line in lines]
    if status["type"] == "success" and not publication["dry_run"]:
        _commit(store, build, ended)
        forget_draft(store, draft)
    return store.put("publication", publication["id"], ended)


def _outcome(store: Store, build: Build) -> tuple[Document, list[Mistake]]:
    queue = _queue(store)
    if queue["outcomes"]:
        forced, *rest = queue["outcomes"]
        store.put(*seed.QUEUE, queue | {"outcomes": rest})
        return {"type": forced}, _told(build, forced)
    mistakes = build.mistakes()
    failures = build.lock_failures()
    if failures and mistakes and all("expected publication ID" in mistake.detail for mistake in mistakes):
        return {"type": "expectPubIdMismatch", "failures": failures}, mistakes
    if mistakes:
        return {"type": "buildFailed"} | _incompatible(mistakes), mistakes
    return {"type": "success" if build.drafted.keys() - build.unbound else "emptyDraft"}, []


def _told(build: Build, outcome: str) -> list[Mistake]:
    """What a publication says that ends badly because that was asked for."""
    if outcome not in ("buildFailed", "testFailed"):
        return []
    name = min(build.drafted, default="")
    return [Mistake(build.type_of(name), name, f"{outcome} on demand")] if name else []


def _incompatible(mistakes: list[Mistake]) -> Document:
    """Collections of which the key or the partitions cannot change."""
    reasons = {"the key of existing": "keyChange", "the logical partitions of existing": "partitionChange"}
    found: dict[str, list[str]] = {}
    for mistake in mistakes:
        for words, reason in reasons.items():
            if mistake.detail.startswith(words):
                found.setdefault(mistake.name, []).append(reason)
    listed = [
        {"collection": name, "requires_recreation": why, "affected_materializations": []} for name, why in found.items()
    ]
    return {"incompatible_collections": listed} if listed else {}


def _commit(store: Store, build: Build, publication: Document) -> None:
    """All of the draft becomes live under one publication id, or ceases to be."""
    for name, row in build.drafted.items():
        before = build.live.get(name)
        history: Document = {
            "live_spec_id": before["id"] if before else new_id(),
            "catalog_name": name,
            "pub_id": publication["pub_id"],
            "detail": publication["detail"],
            "published_at": now(),
            "spec": row["spec"],
            "spec_type": row["spec_type"],
            "user_id": publication["user_id"],
        }
        if name in build.unbound:
            continue
        if row["spec"] is None:
            store.delete("live_spec", name)
        else:
            store.put("live_spec", name, _made_live(store, row, before, history, publication))
        store.put("publication_spec", f"{name} {publication['pub_id']}", history)


def _made_live(
    store: Store, row: Document, before: Document | None, history: Mapping[str, Any], publication: Document
) -> Document:
    spec = specs.parsed(row["spec_type"], row["spec"])
    image = None if isinstance(spec, str) else specs.image_of(spec)
    name, tag = connectors.split(image) if image else (None, None)
    flows = (None, None) if isinstance(spec, str) else (_names(specs.reads(spec)), _names(specs.writes(spec)))
    # A specification stays in the data plane that it was first published to.
    plane = before["data_plane_name"] if before else publication["data_plane_name"] or _default_plane(store, row)
    return {
        "id": history["live_spec_id"],
        "catalog_name": row["catalog_name"],
        "spec": row["spec"],
        "spec_type": row["spec_type"],
        "connector_image_name": name,
        "connector_image_tag": tag,
        "reads_from": flows[0],
        "writes_to": flows[1],
        "last_pub_id": publication["pub_id"],
        "last_build_id": new_id(),
        "last_pub_detail": publication["detail"],
        "last_pub_user_id": publication["user_id"],
        "data_plane_name": plane,
        "md5": digest(repr(row["spec"]))[:32],
        "looks": 0,
        "created_at": before["created_at"] if before else now(),
        "updated_at": now(),
    }


def _names(flows: Any) -> list[str] | None:
    return sorted({name for _, name, disabled in flows if not disabled}) or None


def _default_plane(store: Store, row: Document) -> str:
    mappings = [m for m in store.latest.all("storage_mapping") if row["catalog_name"].startswith(m["catalog_prefix"])]
    nearest = max(mappings, key=lambda mapping: len(mapping["catalog_prefix"]), default=None)
    planes = nearest["spec"]["data_planes"] if nearest else [seed.planes()[0]["name"]]
    return str(planes[0])


def _queue(store: Store) -> Document:
    return store.latest.get(*seed.QUEUE) or {"polls": 1, "seconds": 0, "activation_looks": 1, "outcomes": []}


def _since(text: str) -> float:
    return (datetime.now(UTC) - datetime.fromisoformat(text)).total_seconds()

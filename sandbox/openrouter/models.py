"""The list of models. Anybody may read it. What the sandbox's control changes or deletes of it stays so."""

from __future__ import annotations

from starlette.responses import Response

from sandbox.http import ApiError, Call, answer, cut
from sandbox.openrouter.catalogue import MODELS
from sandbox.store import Document, Store


def list_models(call: Call) -> Response:
    """All, or ``limit`` 1 to 1000 from ``offset`` on; of text models unless ``output_modalities`` says otherwise.

    Filtered by ``input_modalities``, ``supported_parameters``, ``context`` and ``zdr``; the platform's other filters and
    its ways of sorting are not imitated.
    """
    outputs = call.many("output_modalities") or ["text"]
    models = [m for m in _all(call.store) if "all" in outputs or set(outputs) & set(_architecture(m, "output"))]
    context, whole = call.number("context", 1, 1), call.query("limit") is None and call.query("offset") is None
    found = [
        model
        for model in models
        if set(call.many("input_modalities")) <= set(_architecture(model, "input"))
        and set(call.many("supported_parameters")) <= set(model["supported_parameters"])
        and model["context_length"] >= context
        and (model["zdr"] or call.query("zdr") != "true")
    ]
    limit = len(found) or 1 if whole else call.number("limit", 500, 1, 1000)
    offset = call.number("offset", 0, 0)
    more = offset + limit < len(found)
    following = str(call.request.url.include_query_params(limit=limit, offset=offset + limit)) if more else None
    page = [_shown(model) for model in cut(found, limit, offset)]
    return answer({"data": page, "total_count": len(found), "links": {"next": following}})


def list_embedding_models(call: Call) -> Response:
    found = [_shown(m) for m in _all(call.store) if "embeddings" in _architecture(m, "output")]
    return answer({"data": found, "total_count": len(found), "links": {"next": None}})


def read_model(call: Call) -> Response:
    """By slug or by canonical slug."""
    named = f"{call.path('author')}/{call.path('slug')}"
    for model in _all(call.store):
        if named in (model["id"], model["canonical_slug"]):
            return answer({"data": _shown(model)})
    raise ApiError(404, f"Model {named} not found")


def _all(store: Store) -> list[Document]:
    """They come into being with the first look."""
    if not store.latest.all("model"):
        for model in MODELS:
            store.put("model", model.slug, model.document())
    return store.latest.all("model")


def _shown(model: Document) -> Document:
    return {name: value for name, value in model.items() if name != "zdr"}


def _architecture(model: Document, way: str) -> list[str]:
    modalities: list[str] = model["architecture"][f"{way}_modalities"]
    return modalities

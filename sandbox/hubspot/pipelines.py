"""Pipelines and their stages. Every object type that has pipelines has one from the start."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from starlette.responses import Response

from sandbox.http import ApiError, Body, Call, answer
from sandbox.hubspot.access import key_of, new_id, now, require_type, sent, type_of
from sandbox.store import Document

_MOST_PIPELINES = 100
_MOST_STAGES = 100
_FIRST = {
    "deals": ("default", "Sales Pipeline", (("appointmentscheduled", "Appointment Scheduled", "0.2"),
                                            ("closedwon", "Closed Won", "1.0"), ("closedlost", "Closed Lost", "0.0"))),
    "tickets": ("0", "Support Pipeline", (("1", "New", "OPEN"), ("4", "Closed", "CLOSED"))),
}  # fmt: skip
"""What an account has before anybody makes one: id, label, stages."""

_METADATA = {"deals": "probability", "tickets": "ticketState"}
_PROBABILITIES = {f"{tenth / 10:.1f}" for tenth in range(11)} | {"0", "1"}
_WITHOUT = ("contacts", "companies")


class StageBody(Body):
    label: str = Field(min_length=1)
    display_order: int = Field(alias="displayOrder", ge=0)
    metadata: dict[str, str] = Field(default_factory=dict)


class StagePatch(Body):
    label: str | None = Field(None, min_length=1)
    display_order: int | None = Field(None, alias="displayOrder", ge=0)
    metadata: dict[str, str] | None = None
    archived: bool | None = None


class PipelineBody(Body):
    label: str = Field(min_length=1)
    display_order: int = Field(alias="displayOrder", ge=0)
    stages: list[StageBody]


class PipelinePatch(Body):
    label: str | None = Field(None, min_length=1)
    display_order: int | None = Field(None, alias="displayOrder", ge=0)
    archived: bool | None = None


def _the_type(call: Call, right: str) -> Document:
    found = type_of(call, call.path("type"))
    require_type(call, found, right)
    if found["name"] in _WITHOUT and right == "write":
        raise ApiError(400, f"The object type {found['name']} has no pipelines")
    return found


def _all(call: Call, object_type: Document) -> list[Document]:
    """In the order of their display; the first one is made when somebody looks."""
    type_id = object_type["objectTypeId"]
    first = _FIRST.get(object_type["name"])
    if first and call.store.latest.get("pipeline", key_of(call, type_id, first[0])) is None:
        id_, label, shown = first
        stages = [
            _stage(stage, StageBody(label=name, displayOrder=order, metadata={_METADATA[object_type["name"]]: state}))
            for order, (stage, name, state) in enumerate(shown)
        ]
        _put(call, type_id, _pipeline(id_, label, 0, stages))
    mine = call.store.all("pipeline", portal=call.caller, objectType=type_id)
    return sorted(mine, key=lambda one: (one["displayOrder"], one["label"]))


def _pipeline(id_: str, label: str, order: int, stages: list[Document]) -> Document:
    made = {"createdAt": now(), "updatedAt": now(), "archived": False}
    return {"id": id_, "label": label, "displayOrder": order, "stages": stages, **made}


def _stage(id_: str, body: StageBody) -> Document:
    document = body.model_dump(mode="json", by_alias=True)
    made = {"createdAt": now(), "updatedAt": now(), "archived": False}
    return {"id": id_, **document, **made, "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT"}


def _put(call: Call, type_id: str, document: Document) -> Document:
    mine = {"portal": call.caller, "objectType": type_id}
    return call.store.put("pipeline", key_of(call, type_id, document["id"]), document | mine)


def _shown(document: Document) -> Document:
    stages = sorted(document["stages"], key=lambda one: int(one["displayOrder"]))
    return {n: v for n, v in document.items() if n not in ("portal", "objectType")} | {
        "stages": [_with_closed(one) for one in stages]
    }


def _with_closed(stage: Document) -> Document:
    """HubSpot adds to the metadata whether a stage ends what it is a stage of."""
    metadata = stage["metadata"]
    closed = metadata.get("probability") in ("0", "1", "0.0", "1.0") or metadata.get("ticketState") == "CLOSED"
    return stage | {"metadata": metadata | {"isClosed": str(closed).lower()}}


def list_pipelines(call: Call) -> Response:
    return answer({"results": [_shown(one) for one in _all(call, _the_type(call, "read"))]})


def _found(call: Call, object_type: Document) -> Document:
    for one in _all(call, object_type):
        if one["id"] == call.path("id"):
            return one
    raise ApiError(404, f"Pipeline {call.path('id')} does not exist")


def read_pipeline(call: Call) -> Response:
    return answer(_shown(_found(call, _the_type(call, "read"))))


def create_pipeline(call: Call) -> Response:
    object_type, body = _the_type(call, "write"), sent(call, PipelineBody)
    others = _all(call, object_type)
    _check_label(body.label, [one["label"] for one in others], "Pipeline")
    if len(others) >= _MOST_PIPELINES:
        raise ApiError(400, "The account has no room for another pipeline")
    if not body.stages:
        raise ApiError(400, "A pipeline needs at least one stage")
    stages: list[Document] = []
    for one in body.stages:
        _check_stage(object_type, one.label, one.metadata, stages)
        stages.append(_stage(new_id(call, "stage", 98_700_001), one))
    document = _pipeline(new_id(call, "pipeline", 68_200_001), body.label, body.display_order, stages)
    return answer(_shown(_put(call, object_type["objectTypeId"], document)), 201)


def _check_label(label: str, others: list[str], what: str) -> None:
    if label in others:
        raise ApiError(409, f'{what} with label "{label}" already exists', context={"label": [label]})


def _check_stage(object_type: Document, label: str, metadata: dict[str, str], others: list[Document]) -> None:
    _check_label(label, [one["label"] for one in others], "Stage")
    if len(others) >= _MOST_STAGES:
        raise ApiError(400, f"A pipeline can have at most {_MOST_STAGES} stages")
    wanted = _METADATA.get(object_type["name"])
    if wanted == "probability" and metadata.get(wanted) not in _PROBABILITIES:
        raise ApiError(400, "Deal stages need the metadata probability, from 0.0 to 1.0 in steps of 0.1")
    if wanted == "ticketState" and metadata.get(wanted, "OPEN") not in ("OPEN", "CLOSED"):
        raise ApiError(400, "The metadata ticketState of a ticket stage is OPEN or CLOSED")


def update_pipeline(call: Call) -> Response:
    object_type, body = _the_type(call, "write"), sent(call, PipelinePatch)
    document = _found(call, object_type)
    others = [one["label"] for one in _all(call, object_type) if one["id"] != document["id"]]
    _check_label(body.label or "", others, "Pipeline")
    changed = document | body.sent() | {"updatedAt": now()}
    return answer(_shown(_put(call, object_type["objectTypeId"], changed)))


def delete_pipeline(call: Call) -> Response:
    """With a check of what refers to it, HubSpot refuses one that records are in."""
    object_type = _the_type(call, "write")
    document = _found(call, object_type)
    if len(_all(call, object_type)) == 1:
        raise ApiError(400, "The last pipeline of an object type cannot be deleted")
    _check_unused(call, object_type, [one["id"] for one in document["stages"]])
    call.store.delete("pipeline", key_of(call, object_type["objectTypeId"], document["id"]))
    return Response(status_code=204)


def _check_unused(call: Call, object_type: Document, stages: list[str]) -> None:
    """``record`` objects are what tests put there: the sandbox has no calls for records."""
    if not (call.flag("validateReferencesBeforeDelete") or call.flag("validateDealStageUsagesBeforeDelete")):
        return
    type_id = object_type["objectTypeId"]
    records = call.store.latest.all("record", portal=call.caller, objectType=type_id)
    used = [one["id"] for one in records if one["stage"] in stages]
    if used:
        said = f"The stages are in use by {len(used)} records: move these first"
        raise ApiError(400, said, subCategory="PipelineError.STAGE_IN_USE", context={"records": used})


def list_stages(call: Call) -> Response:
    return answer({"results": _shown(_found(call, _the_type(call, "read")))["stages"]})


def _position(call: Call, document: Document) -> int:
    for index, one in enumerate(document["stages"]):
        if one["id"] == call.path("stage"):
            return index
    raise ApiError(404, f"Stage {call.path('stage')} of pipeline {document['id']} does not exist")


def read_stage(call: Call) -> Response:
    document = _found(call, _the_type(call, "read"))
    return answer(_with_closed(document["stages"][_position(call, document)]))


def create_stage(call: Call) -> Response:
    object_type, body = _the_type(call, "write"), sent(call, StageBody)
    document = _found(call, object_type)
    _check_stage(object_type, body.label, body.metadata, document["stages"])
    stage = _stage(new_id(call, "stage", 98_700_001), body)
    _put(call, object_type["objectTypeId"], document | {"stages": [*document["stages"], stage]})
    return answer(_with_closed(stage), 201)


def update_stage(call: Call) -> Response:
    object_type, body = _the_type(call, "write"), sent(call, StagePatch)
    document = _found(call, object_type)
    at = _position(call, document)
    stages = list(document["stages"])
    changes: dict[str, Any] = body.sent()
    changes["metadata"] = {**stages[at]["metadata"], **changes.get("metadata", {})}
    changed = stages[at] | changes | {"updatedAt": now()}
    others = [one for index, one in enumerate(stages) if index != at]
    _check_stage(object_type, changed["label"], changed["metadata"], others)
    stages[at] = changed
    _put(call, object_type["objectTypeId"], document | {"stages": stages})
    return answer(_with_closed(changed))


def delete_stage(call: Call) -> Response:
    object_type = _the_type(call, "write")
    document = _found(call, object_type)
    at = _position(call, document)
    if len(document["stages"]) == 1:
        raise ApiError(400, "The last stage of a pipeline cannot be deleted")
    _check_unused(call, object_type, [document["stages"][at]["id"]])
    stages = [one for index, one in enumerate(document["stages"]) if index != at]
    _put(call, object_type["objectTypeId"], document | {"stages": stages})
    return Response(status_code=204)

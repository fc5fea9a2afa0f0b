"""Pinecone: stores that nothing deletes or replaces by mistake, keys with roles, backups that are really made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from components.pinecone import Pinecone, PineconeSettings
from components.settings import Stage
from health.base import Answer, Problem, Resource, Subject
from health.pinecone import HEALTH
from providers import pinecone
from providers.base import Kind, Trouble
from providers.pinecone_indexes import readiness

Deploy = Callable[..., Any]

SERVERLESS: dict[str, Any] = {"cloud": "aws", "region": "us-east-1"}
CONVERSATIONS: dict[str, Any] = {**SERVERLESS, "name": "conversations", "dimension": 1536, "metric": "cosine"}
DOCUMENTS: dict[str, Any] = {
    **SERVERLESS,
    "name": "documents",
    "embedding": {"model": "multilingual-e5-large", "field_map": {"text": "chunk"}},
}
SETTINGS: dict[str, Any] = {
    "project": {"name": "sophia-dev", "adopt": True},
    "indexes": {
        "conversations": {**CONVERSATIONS, "backups": {"frequency": "daily", "retention_days": 7}},
        "documents": DOCUMENTS,
    },
    "backups": {"release-12": {"index": "conversations", "name": "release-12"}},
    "keys": {"web": {"name": "Web app", "roles": ["DataPlaneViewer"]}},
}
POD: dict[str, Any] = {"name": "old", "dimension": 8, "metric": "cosine", "environment": "us-east1-gcp", "replicas": 2}


def run(deploy: Deploy, stage: Stage = Stage.DEV, **changes: Any) -> Any:
    settings = PineconeSettings.model_validate({**SETTINGS, **changes})
    return deploy(lambda: Pinecone("pinecone", settings, stage=stage))


def test_indexes_are_protected_by_pinecone_in_every_stage_and_by_the_stack_in_prod(deploy: Deploy) -> None:
    dev, prod = run(deploy), run(deploy, Stage.PROD)
    for kind in ("Index", "Backup", "Project"):
        assert [r.protect for r in dev.of(kind)] == [False] * len(dev.of(kind))
        assert [r.protect for r in prod.of(kind)] == [True] * len(prod.of(kind)), "conversations cannot be made again"
    assert {index.inputs["deletion_protection"] for index in dev.of("Index")} == {"enabled"}


def test_the_project_stays_with_the_key_that_manages_it(deploy: Deploy) -> None:
    assert run(deploy).one("Project").retain_on_delete, "its API key is ours: the next run could not begin"


def test_a_model_says_what_its_vectors_are(deploy: Deploy) -> None:
    documents = run(deploy).one("Index", "documents").inputs
    assert (documents["model"], documents["field_map"]) == ("multilingual-e5-large", {"text": "chunk"})
    assert not {"dimension", "metric", "vector_type"} & {name for name, value in documents.items() if value is not None}


def test_an_index_is_backed_up_as_its_settings_say(deploy: Deploy) -> None:
    deployment = run(deploy)
    schedule = deployment.one("BackupSchedule", "conversations").inputs
    assert (schedule["frequency"], schedule["retention_days"], schedule["enabled"]) == ("daily", 7, True)
    assert deployment.one("Backup", "release-12").inputs["index_name"] == schedule["index_name"]


def test_pods_are_made_where_the_project_has_room_for_them(deploy: Deploy) -> None:
    project = {**SETTINGS["project"], "max_pods": 2}
    index = run(deploy, project=project, pod_indexes={"old": POD}).one("PodIndex").inputs
    assert (index["replicas"], index["pod_type"]) == (2, "p1.x1")


def index(**changes: Any) -> dict[str, Any]:
    return {"indexes": {"conversations": {**CONVERSATIONS, **changes}}, "backups": {}}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (index(name="Conversations"), "lower-case letters"),
        (index(name="x" * 46), "up to 45"),
        (index(dimension=None), "an index of dense vectors has it for good"),
        (index(metric=None), "an index of dense vectors has it for good"),
        (index(vectors="sparse"), "is left out of an index of sparse vectors"),
        (index(vectors="sparse", dimension=None), "must be dotproduct"),
        (index(tags={"owner": "a/b"}), "must be 1 to 120"),
        (index(tags={"managed_by": "me"}), "is kept for the stack"),
        (index(tags={"a b": "c"}), "must have a name"),
        ({"indexes": {"a": {**DOCUMENTS, "vectors": "sparse"}}, "backups": {}}, "the model says"),
        ({"indexes": {"a": DOCUMENTS, "b": DOCUMENTS}, "backups": {}}, "is that of indexes.a"),
        ({"pod_indexes": {"old": POD}}, "must be at least 2"),
        ({"pod_indexes": {"old": {**POD, "name": "documents"}}}, "is that of indexes.documents"),
        ({"pod_indexes": {"documents": POD}}, "has the key of indexes.documents"),
        ({"backups": {"b": {"index": "conversation", "name": "b"}}}, 'did you mean "conversations"'),
        ({"keys": {"web": {"name": "Web", "roles": []}}}, "roles"),
        ({"keys": {"web": {"name": "Web", "roles": ["Owner"]}}}, "roles"),
        ({"keys": {k: {"name": "Web", "roles": ["ProjectViewer"]} for k in ("a", "b")}}, "is that of keys.a"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        PineconeSettings.model_validate({**SETTINGS, **changes})
    assert said in str(caught.value)


STORES: list[Kind] = [pinecone.Index.kind, pinecone.PodIndex.kind, pinecone.Backup.kind]


@pytest.mark.parametrize("kind", STORES, ids=lambda kind: kind.title)
def test_what_holds_data_names_the_way_of_a_change_that_needs_another_one(kind: Kind) -> None:
    assert "another key" in kind.irreplaceable


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"ready": False, "state": "Initializing"}, False),
        ({"ready": True, "state": "ScalingUpPodSize"}, True),
        ({"ready": False, "state": "ScalingUp"}, False),
        ({"ready": False, "state": "Disabled"}, True),
    ],
)
def test_an_index_is_ready_when_pinecone_says_so(status: dict[str, Any], expected: bool) -> None:
    assert readiness({"status": status}) is expected


@pytest.mark.parametrize(
    ("status", "code", "trouble"),
    [
        (403, "QUOTA_EXCEEDED", Trouble.INVALID),
        (429, "QUOTA_EXCEEDED", Trouble.INVALID),
        (429, "RESOURCE_EXHAUSTED", Trouble.BUSY),
        (412, "FAILED_PRECONDITION", Trouble.CONFLICT),
        (402, "PAYMENT_REQUIRED", Trouble.FORBIDDEN),
        (404, "NOT_FOUND", Trouble.NOT_FOUND),
        (503, "UNAVAILABLE", Trouble.BROKEN),
    ],
)
def test_what_pinecone_says_is_understood(status: int, code: str, trouble: Trouble) -> None:
    body = {"status": status, "error": {"code": code, "message": "m"}}
    assert pinecone.PINECONE.trouble(httpx.Response(status, json=body)) is trouble
    assert pinecone.PINECONE.trouble(httpx.Response(status, text="<html>")) is not None


def problems(probe: str, document: dict[str, Any], *resources: Resource) -> list[Problem]:
    (found,) = [one for one in HEALTH.probes if one.proves == probe]
    return list(found.read(Answer(httpx.Response(200, json=document), Subject(resources=resources))).problems)


def resource(kind: str, id_: str, **outputs: Any) -> Resource:
    return Resource(f"pulumi-python:dynamic/pinecone:{kind}", "conversations", id_, None, outputs)


def live(**status: Any) -> dict[str, Any]:
    return {"indexes": [{"name": "conversations", "status": {"ready": True, "state": "Ready", **status}}]}


def test_the_health_of_an_index_is_what_pinecone_says_of_it() -> None:
    ours = resource("Index", "conversations")
    assert problems("API key and indexes", live(), ours) == []
    (scaling,) = problems("API key and indexes", live(ready=False, state="ScalingUp"), ours)
    (failed,) = problems("API key and indexes", live(ready=False, state="InitializationFailed"), ours)
    (gone,) = problems("API key and indexes", {"indexes": []}, ours)
    assert [scaling.verdict, failed.verdict, gone.verdict] == ["degraded", "failing", "failing"]
    assert gone.setting == "sophia-ai:pinecone.indexes.conversations"


def test_a_key_of_another_project_is_noticed() -> None:
    """The indexes would be made where the stack's own keys do not reach them."""
    listed = {"data": [{"id": "p-1", "name": "sophia-dev"}, {"id": "p-2", "name": "trial"}]}
    project = resource("Project", "p-1", name="sophia-dev")
    assert problems("service account", listed, project, resource("BackupSchedule", "s", project_id="p-1")) == []
    (found,) = problems("service account", listed, project, resource("BackupSchedule", "s", project_id="p-2"))
    assert "the project trial" in found.said
    assert "PINECONE_API_KEY" in found.setting
    (unseen,) = problems("service account", {"data": []}, project)
    assert "does not see the project sophia-dev" in unseen.said


@pytest.mark.parametrize(
    ("status", "verdicts"), [("Active", []), ("PastDue", ["degraded"]), ("Suspended", ["failing"])]
)
def test_bills_that_are_not_paid_are_noticed(status: str, verdicts: list[str]) -> None:
    listed = {"data": [{"id": "o", "name": "Pay Ready", "payment_status": status}]}
    assert [problem.verdict for problem in problems("payment", listed)] == verdicts

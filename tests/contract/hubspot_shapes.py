"""HubSpot's own Python SDK as the description of its API: what is sent and answered must be what its models have.

HubSpot publishes no description beside it that this project keeps. A model refuses what lacks a required member, and a
member that it does not know is lost on the way through it: both are mistakes here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from providers.hubspot_calls import HUBSPOT, HUBSPOT_APP
from sandbox.hubspot import PLATFORM
from tests.contract.driven import Driven, without_waiting

pytest.importorskip("hubspot", reason="HubSpot's SDK is absent")

from hubspot import webhooks
from hubspot.crm import lists, pipelines, properties, schemas
from hubspot.crm.associations.v4 import schema as associations

_ONE = r"[^/]+"
_PROPERTIES = f"/crm/v3/properties/{_ONE}"
_PIPELINES = f"/crm/v3/pipelines/{_ONE}"
_SCHEMAS = "/crm-object-schemas/v3/schemas"
_LABELS = f"/crm/v4/associations/{_ONE}/{_ONE}/labels"
_LISTS = "/crm/v3/lists"
_APP = f"/webhooks/v3/{_ONE}"

_OPERATIONS: tuple[tuple[ModuleType, str, str, str | None, str | None], ...] = (
    (properties, "GET", f"{_PROPERTIES}/groups", None, "CollectionResponsePropertyGroupNoPaging"),
    (properties, "POST", f"{_PROPERTIES}/groups", "PropertyGroupCreate", "PropertyGroup"),
    (properties, "GET", f"{_PROPERTIES}/groups/{_ONE}", None, "PropertyGroup"),
    (properties, "PATCH", f"{_PROPERTIES}/groups/{_ONE}", "PropertyGroupUpdate", "PropertyGroup"),
    (properties, "DELETE", f"{_PROPERTIES}/groups/{_ONE}", None, None),
    (properties, "GET", _PROPERTIES, None, "CollectionResponsePropertyNoPaging"),
    (properties, "POST", _PROPERTIES, "PropertyCreate", "ModelProperty"),
    (properties, "GET", f"{_PROPERTIES}/{_ONE}", None, "ModelProperty"),
    (properties, "PATCH", f"{_PROPERTIES}/{_ONE}", "PropertyUpdate", "ModelProperty"),
    (properties, "DELETE", f"{_PROPERTIES}/{_ONE}", None, None),
    (pipelines, "GET", _PIPELINES, None, "CollectionResponsePipelineNoPaging"),
    (pipelines, "POST", _PIPELINES, "PipelineInput", "Pipeline"),
    (pipelines, "GET", f"{_PIPELINES}/{_ONE}", None, "Pipeline"),
    (pipelines, "PATCH", f"{_PIPELINES}/{_ONE}", "PipelinePatchInput", "Pipeline"),
    (pipelines, "DELETE", f"{_PIPELINES}/{_ONE}", None, None),
    (pipelines, "GET", f"{_PIPELINES}/{_ONE}/stages", None, "CollectionResponsePipelineStageNoPaging"),
    (pipelines, "POST", f"{_PIPELINES}/{_ONE}/stages", "PipelineStageInput", "PipelineStage"),
    (pipelines, "GET", f"{_PIPELINES}/{_ONE}/stages/{_ONE}", None, "PipelineStage"),
    (pipelines, "PATCH", f"{_PIPELINES}/{_ONE}/stages/{_ONE}", "PipelineStagePatchInput", "PipelineStage"),
    (pipelines, "DELETE", f"{_PIPELINES}/{_ONE}/stages/{_ONE}", None, None),
    (schemas, "GET", _SCHEMAS, None, "CollectionResponseObjectSchemaNoPaging"),
    (schemas, "POST", _SCHEMAS, "ObjectSchemaEgg", "ObjectSchema"),
    (schemas, "GET", f"{_SCHEMAS}/{_ONE}", None, "ObjectSchema"),
    (schemas, "PATCH", f"{_SCHEMAS}/{_ONE}", "ObjectTypeDefinitionPatch", "ObjectTypeDefinition"),
    (schemas, "DELETE", f"{_SCHEMAS}/{_ONE}", None, None),
    (schemas, "POST", f"{_SCHEMAS}/{_ONE}/associations", "AssociationDefinitionEgg", "AssociationDefinition"),
    (schemas, "DELETE", f"{_SCHEMAS}/{_ONE}/associations/{_ONE}", None, None),
    (associations, "GET", _LABELS, None, "CollectionResponseAssociationSpecWithLabelNoPaging"),
    (associations, "POST", _LABELS, "PublicAssociationDefinitionCreateRequest",
     "CollectionResponseAssociationSpecWithLabelNoPaging"),
    (associations, "PUT", _LABELS, "PublicAssociationDefinitionUpdateRequest", None),
    (associations, "DELETE", f"{_LABELS}/{_ONE}", None, None),
    (lists, "POST", f"{_LISTS}/search", "ListSearchRequest", "ListSearchResponse"),
    (lists, "GET", f"{_LISTS}/", None, "ListsByIdResponse"),
    (lists, "POST", f"{_LISTS}/", "ListCreateRequest", "ListCreateResponse"),
    (lists, "GET", f"{_LISTS}/object-type-id/{_ONE}/name/{_ONE}", None, "ListFetchResponse"),
    (lists, "GET", f"{_LISTS}/{_ONE}", None, "ListFetchResponse"),
    (lists, "DELETE", f"{_LISTS}/{_ONE}", None, None),
    (lists, "PUT", f"{_LISTS}/{_ONE}/update-list-name", None, "ListUpdateResponse"),
    (lists, "PUT", f"{_LISTS}/{_ONE}/update-list-filters", "ListFilterUpdateRequest", "ListUpdateResponse"),
    (lists, "PUT", f"{_LISTS}/{_ONE}/restore", None, None),
    (webhooks, "GET", f"{_APP}/settings", None, "SettingsResponse"),
    (webhooks, "PUT", f"{_APP}/settings", "SettingsChangeRequest", "SettingsResponse"),
    (webhooks, "DELETE", f"{_APP}/settings", None, None),
    (webhooks, "GET", f"{_APP}/subscriptions", None, "SubscriptionListResponse"),
    (webhooks, "POST", f"{_APP}/subscriptions", "SubscriptionCreateRequest", "SubscriptionResponse"),
    (webhooks, "GET", f"{_APP}/subscriptions/{_ONE}", None, "SubscriptionResponse"),
    (webhooks, "PATCH", f"{_APP}/subscriptions/{_ONE}", "SubscriptionPatchRequest", "SubscriptionResponse"),
    (webhooks, "DELETE", f"{_APP}/subscriptions/{_ONE}", None, None),
)  # fmt: skip
"""Module of the SDK, method, path, model of the body and of the answer, as the SDK's own calls have them."""

UNDESCRIBED = ("/account-info/v3/", "/oauth/v2/private-apps/", "/crm/v3/limits/")
"""What the SDK has no calls for; HubSpot's reference pages describe it."""

_LOOSE = ("filterBranch",)
"""Where the SDK's model is one of many, and it reads the first: the filters' own guide describes these."""


@dataclass
class _Text:
    """What the SDK's deserialiser takes for an answer."""

    data: str


def check(method: str, address: str, status: int, sent: Any, answered: Any) -> None:
    """Holds one exchange against the SDK. A refusal must have HubSpot's form of errors."""
    path = urlsplit(address).path
    if path.startswith(UNDESCRIBED):
        return
    described = [one for one in _OPERATIONS if one[1] == method and re.fullmatch(one[2], path)]
    assert described, f"HubSpot's SDK has no call {method} {path}"
    module, _, _, body, answer = described[0]
    if status >= 400:
        assert refusal(answered) == []
        return
    assert (sent or None) is None or body, f"{method} {path} takes no body"
    found = [*(problems(module, body, sent) if body else []), *(problems(module, answer, answered) if answer else [])]
    assert not found, f"{method} {path}, {status}: {'; '.join(found)}"
    assert answer or answered is None, f"{method} {path} answers with nothing"


def refusal(document: Any) -> list[str]:
    """What keeps a document from being one of HubSpot's errors."""
    return problems(properties, "Error", document, loose=("status",))


def problems(module: ModuleType, model: str, document: Any, loose: tuple[str, ...] = ()) -> list[str]:
    """What keeps a document from being a ``model`` of the SDK's."""
    client = module.ApiClient()
    try:
        read = client.deserialize(_Text(json.dumps(document)), model)
    except ValueError as error:
        return [f"{model}: {error}"]
    written = client.sanitize_for_serialization(read)
    return [f"{model}: {lost} is not known" for lost in _lost(document, written, "") if lost.split(".")[0] not in loose]


def _lost(document: Any, written: Any, path: str) -> list[str]:
    """The members of a document that did not come through."""
    if isinstance(document, list):
        pairs = zip(document, written or [], strict=True)
        return [lost for index, (one, other) in enumerate(pairs) for lost in _lost(one, other, f"{path}[{index}]")]
    if not isinstance(document, dict):
        return []
    lost = []
    for name, value in document.items():
        place = f"{path}.{name}" if path else name
        if value is None or name in _LOOSE:
            continue
        if name not in written:
            lost.append(place)
        else:
            lost += _lost(value, written[name], place)
    return lost


@contextmanager
def driven(emulator: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Driven]:
    """The emulator under our provider, every exchange held against the SDK."""
    found = Driven(emulator, PLATFORM.name)
    without_waiting(monkeypatch, emulator.credentials)
    with httpx.Client() as client:

        def held(response: httpx.Response) -> None:
            response.read()
            request = response.request
            address = str(request.url).removeprefix(emulator.url)
            sent = json.loads(request.content) if request.content else None
            answered = json.loads(response.content) if response.content else None
            check(request.method, address, response.status_code, sent, answered)

        client.event_hooks = {"response": [held, found.answered]}
        for api in (HUBSPOT, HUBSPOT_APP):
            monkeypatch.setitem(api.__dict__, "client", client)
        yield found

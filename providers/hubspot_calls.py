"""How HubSpot is asked: its addresses, and the conversations that are more than one request.

HubSpot keeps what is deleted for 90 days: a property is archived and comes back when its name is made again, a list has a
call that restores it. Neither is ever made a second time.

Source of facts: HubSpot's API reference (properties, pipelines, schemas and lists v3, associations v4, webhooks v3), and its
Python SDK for the shapes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from providers import base
from providers.base import Api, Call, Environment, Json, Limit, Listing, PlatformError, Trouble, trouble_of
from providers.hubspot_inputs import PropertyInputs, SchemaInputs
from providers.hubspot_scopes import STANDARD

ACCOUNT = "/account-info/v3"
PROPERTIES = "/crm/v3/properties"
PIPELINES = "/crm/v3/pipelines"
LISTS = "/crm/v3/lists"
SCHEMAS = "/crm-object-schemas/v3/schemas"
ASSOCIATIONS = "/crm/v4/associations"
WEBHOOKS = "/webhooks/v3"

REFERENCES = {"validateReferencesBeforeDelete": "true", "validateDealStageUsagesBeforeDelete": "true"}
"""What has HubSpot refuse to delete a pipeline or a stage that records or workflows use."""

_LOCKED, _MIGRATING = 423, 477
_NO_TYPE = "Unable to infer object type"
"""What HubSpot says of an object type that is not there any more, under 400."""

_MOST_LISTS = 500
_LASTING = (
    "name", "label", "type", "fieldType", "description", "hasUniqueValue", "hidden", "formField", "displayOrder", "options",
    "calculationFormula", "externalOptions", "referencedObjectType",
)  # fmt: skip
"""What of a property can be said when it is made."""


def _said(response: httpx.Response) -> str:
    """The message, and what stands in ``errors`` and contexts beside it: which scope, which value."""
    document = response.json()
    said = str(document["message"])
    for error in document.get("errors") or ():
        if error.get("message") and error["message"] not in said:
            said += f"; {error['message']}"
    for context in (document.get("context"), *(error.get("context") for error in document.get("errors") or ())):
        for name, values in (context or {}).items():
            missing = [value for value in values if value not in said]
            said += f"; {name}: {', '.join(missing)}" if missing else ""
    return said


def _trouble(response: httpx.Response) -> Trouble | None:
    if response.status_code in (_LOCKED, _MIGRATING):
        return Trouble.BUSY
    if response.status_code == httpx.codes.BAD_REQUEST and response.json()["message"].startswith(_NO_TYPE):
        return Trouble.NOT_FOUND
    return trouble_of(response.status_code) if response.is_error else None


HUBSPOT = Api(
    name="hubspot",
    title="HubSpot",
    base_url=Environment("HUBSPOT_BASE_URL"),
    auth=base.Bearer(Environment("HUBSPOT_ACCESS_TOKEN")),
    said=_said,
    trouble=_trouble,
    # Of one private app on Professional and Enterprise; searching has five a second of its own.
    limit=Limit(requests=190, seconds=10),
    limits={f"{LISTS}/search": Limit(requests=5, seconds=1, within=True)},
    request_id_header="x-hubspot-correlation-id",
)

HUBSPOT_APP = Api(
    name="hubspot",
    title="HubSpot",
    base_url=Environment("HUBSPOT_BASE_URL"),
    auth=base.Query(Environment("HUBSPOT_DEVELOPER_API_KEY"), "hapikey"),
    said=_said,
    trouble=_trouble,
    limit=Limit(requests=100, seconds=10),
    request_id_header="x-hubspot-correlation-id",
)
"""The same address for what belongs to a public app: its developer's key is shown there, and no account's token."""


def listing(path: str, items: str = "results") -> Listing:
    """A list that comes whole: HubSpot has no pages for definitions."""
    return Listing(Call("GET", path), items=items)


@dataclass(frozen=True)
class TheAccount:
    """The account of the token, which must be the one that is wanted: a CRM is not changed by mistake."""

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:  # noqa: ARG002 - one signature for all operations
        """``portalId`` as text, and what else HubSpot tells of it. Raises ``PlatformError`` for another account."""
        document = Call("GET", f"{ACCOUNT}/details").send(api, {})
        portal, wanted = str(document["portalId"]), values.get("portal_id")
        if wanted not in (None, portal):
            said = f"the token is of the account {portal}, and the settings are those of {wanted}"
            do = "put a token of that account into HUBSPOT_ACCESS_TOKEN of the stack's credentials"
            raise PlatformError(Trouble.INVALID, said, setting="portal_id", do=do)
        return {**document, "portalId": portal}


@dataclass(frozen=True)
class OneAccount(Listing):
    """The list of accounts that a token sees: its own."""

    def fetch(self, api: Api, values: Mapping[str, Any]) -> Iterator[Json]:  # noqa: ARG002 - as every list
        yield TheAccount().send(api, {})


@dataclass(frozen=True)
class ObjectTypes(Listing):
    """The object types that the token may see: HubSpot's own and custom ones, as ``{"id": "0-2", "name": "companies"}``."""

    def fetch(self, api: Api, values: Mapping[str, Any]) -> Iterator[Json]:
        """A token has the scopes of what the settings want, and rarely those of all."""
        for id_ in STANDARD.values():
            with _if_allowed():
                yield ReadObjectType().send(api, {"id": id_})
        with _if_allowed():
            yield from ({"id": one["objectTypeId"], "name": one["name"]} for one in super().fetch(api, values))


@contextmanager
def _if_allowed() -> Iterator[None]:
    """What the token may not see is not there for it."""
    try:
        yield
    except PlatformError as error:
        if error.trouble is not Trouble.FORBIDDEN:
            raise


@dataclass(frozen=True)
class ReadObjectType:
    """One object type; what the token may not see is told with the scope that it lacks."""

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:  # noqa: ARG002 - one signature for all operations
        """As `ObjectTypes` has it."""
        document = Call("GET", f"{SCHEMAS}/{{id}}").send(api, values)
        names = {id_: name for name, id_ in STANDARD.items()}
        id_ = str(document["objectTypeId"])
        return {"id": id_, "name": names.get(id_, document["name"])}


@dataclass(frozen=True)
class NoSuchType:
    """The create call of an object type that the token does not see: HubSpot's own are in every account."""

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:  # noqa: ARG002 - one signature for all operations
        """Always a ``PlatformError``: of one of HubSpot's own it names the scope that is missing."""
        if values["name"] in STANDARD:
            return ReadObjectType().send(api, {"id": STANDARD[values["name"]]})
        do = "give it an `object_schema`, or correct its key"
        raise PlatformError(Trouble.NOT_FOUND, f"the account has no object type {values['name']!r}", do=do)


@dataclass(frozen=True)
class DeleteSchema:
    """A custom object goes in two steps: archived, and then for good, without which its name could not be used again.

    HubSpot refuses the first while there are records of it.
    """

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:  # noqa: ARG002 - one signature for all operations
        """Both steps; one that an interrupted run has made is not made again."""
        try:
            Call("DELETE", f"{SCHEMAS}/{{id}}").send(api, values)
        except PlatformError as error:
            if error.trouble is not Trouble.NOT_FOUND:
                raise
        return Call("DELETE", f"{SCHEMAS}/{{id}}", params={"archived": "true"}).send(api, values)


@dataclass(frozen=True)
class MakeSchema(Call):
    """Makes a custom object; of an archived one that still has the name, it says how to be rid of it."""

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        """The new schema."""
        try:
            return super().send(api, values, payload)
        except PlatformError as error:
            if error.trouble in (Trouble.CONFLICT, Trouble.INVALID):
                archived = Listing(Call("GET", SCHEMAS, params={"archived": "true"}), items="results").fetch(api, {})
                if any(one["name"] == values["name"] for one in archived):
                    error.do = "delete the archived custom object of that name for good in HubSpot, or use another name"
            raise


def new_schema(payload: Json, wanted: SchemaInputs) -> Json:
    """A schema as HubSpot takes it: a new one with the property that it cannot be without."""
    written = {name: value for name, value in payload.items() if name not in ("portal", "primary")}
    if "name" not in written:
        return written
    made_with = {"properties": [wanted.primary], "primaryDisplayProperty": wanted.primary["name"]}
    return {**written, **made_with, "requiredProperties": [], "searchableProperties": [], "associatedObjects": []}


@dataclass(frozen=True)
class WithArchived(Listing):
    """The properties of an object type: the archived ones first, so that one that is live again hides its past."""

    def fetch(self, api: Api, values: Mapping[str, Any]) -> Iterator[Json]:
        yield from Listing(_archived(self.call), items=self.items).fetch(api, values)
        yield from super().fetch(api, values)


@dataclass(frozen=True)
class EvenArchived(Call):
    """Reads a property, an archived one too."""

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        """The document; ``archived`` in it says which."""
        try:
            return super().send(api, values, payload)
        except PlatformError as error:
            if error.trouble is not Trouble.NOT_FOUND:
                raise
        return _archived(self).send(api, values)


def _archived(call: Call) -> Call:
    return Call(call.method, call.path, params={**call.params, "archived": "true"})


@dataclass(frozen=True)
class MakeAgain(Call):
    """Brings an archived property back: HubSpot does so when its name is made again. It comes as it was, in our group."""

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:  # noqa: ARG002 - one signature for all operations
        """The property."""
        was = Call("GET", f"{PROPERTIES}/{{id:/}}", params={"archived": "true"}).send(api, values)
        body = {name: was[name] for name in _LASTING if was.get(name) is not None}
        return super().send(api, values, {**body, "groupName": values["group"]})


def with_options(payload: Json, wanted: PropertyInputs) -> Json:
    """A property as HubSpot takes it: always with its types; options in order; yes and no for a bool that is new."""
    written = {name: value for name, value in payload.items() if name != "object_type"}
    if "options" in written:
        written["options"] = _in_order(written["options"] or [])
    elif wanted.type == "bool" and "name" in written:
        written["options"] = _in_order([{"label": "Yes", "value": "true"}, {"label": "No", "value": "false"}])
    return {**written, "type": wanted.type, "fieldType": wanted.field_type}


def property_shown(document: Json) -> Json:
    """A property with the options that people can choose, in their order."""
    visible = [option for option in document.get("options") or () if not option.get("hidden")]
    visible.sort(key=lambda option: int(option.get("displayOrder") or 0))
    options = [{name: one[name] for name in ("value", "label", "description") if one.get(name)} for one in visible]
    return {**document, "options": options}


def _in_order(options: list[Json]) -> list[Json]:
    return [{"hidden": False, **option, "displayOrder": index} for index, option in enumerate(options)]


@dataclass(frozen=True)
class ArrangeOptions:
    """Sets an enumeration's options. What is no longer wanted is hidden and not removed: records that have it keep it."""

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        """The property, with all its options."""
        call = Call("PATCH", f"{PROPERTIES}/{{id:/}}")
        wanted = list((payload or {})["options"])
        known = {option["value"] for option in wanted}
        live = Call("GET", call.path).send(api, values)["options"]
        kept = [{**option, "hidden": True} for option in live if option["value"] not in known]
        kept = [{**option, "displayOrder": len(wanted) + index} for index, option in enumerate(kept)]
        return call.send(api, values, {**(payload or {}), "options": [*wanted, *kept]})


@dataclass(frozen=True)
class LabelsOf(Listing):
    """The labels that people have made, from one object type to every other. HubSpot lists them by pairs."""

    def fetch(self, api: Api, values: Mapping[str, Any]) -> Iterator[Json]:
        for one in ObjectTypes(Call("GET", SCHEMAS), items="results").fetch(api, {}):
            yield from labels(api, values["from_object_type"], one["id"])


def labels(api: Api, from_type: str, to_type: str) -> Iterator[Json]:
    """The labels of one pair, with the second type beside each."""
    pair = {"from": from_type, "to": to_type}
    for one in listing(f"{ASSOCIATIONS}/{{from}}/{{to}}/labels").fetch(api, pair):
        if one["category"] == "USER_DEFINED":
            yield {**one, "id": one["typeId"], "toObjectType": to_type}


@dataclass(frozen=True)
class MakeLabel:
    """Makes a label. HubSpot answers with both directions and does not say which is which: the list does."""

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        """The label in the direction that was asked for."""
        Call("POST", _PAIR).send(api, values, payload)
        for one in labels(api, values["from_object_type"], values["to_object_type"]):
            if one["label"] == values["label"]:
                return one
        raise PlatformError(Trouble.UNANSWERED, "the label was made, and HubSpot does not list it yet")


@dataclass(frozen=True)
class Relabel:
    """Writes a label and its inverse: always both."""

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        """Nothing: HubSpot answers with no document."""
        type_id = int(str(values["id"]).rpartition("/")[2])
        return Call("PUT", _PAIR).send(api, values, {"associationTypeId": type_id, **(payload or {})})


@dataclass(frozen=True)
class DeleteLabel:
    """Deletes a label, and takes it off all records that have it."""

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:  # noqa: ARG002 - one signature for all operations
        """Nothing."""
        return Call("DELETE", f"{_PAIR}/{str(values['id']).rpartition('/')[2]}").send(api, values)


_PAIR = f"{ASSOCIATIONS}/{{from_object_type}}/{{to_object_type}}/labels"


@dataclass(frozen=True)
class WholeLists(Listing):
    """The lists of an object type with their filters: a search has the ids, and a second request the rest."""

    def fetch(self, api: Api, values: Mapping[str, Any]) -> Iterator[Json]:
        offset, more = 0, True
        while more:
            page = self.call.send(api, {}, {"offset": offset, "count": _MOST_LISTS})
            ids = [one["listId"] for one in page["lists"] if one["objectTypeId"] == values["object_type"]]
            if ids:
                query = "&".join(["includeFilters=true", *(f"listIds={id_}" for id_ in ids)])
                yield from api.request("GET", f"{LISTS}/?{query}")["lists"]
            more, offset = bool(page["hasMore"]), int(page["offset"])


@dataclass(frozen=True)
class Bare(Call):
    """A request without a body: what is to be written stands in the address."""

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:  # noqa: ARG002 - one signature for all operations
        """As every call."""
        return super().send(api, values)

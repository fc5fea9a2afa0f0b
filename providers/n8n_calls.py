"""The conversations with n8n that are more than one request: making a workflow what it should be, moving between projects,
members by their address, what a licence refuses.

Source of facts: n8n's public API description 1.1.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from providers import base
from providers.base import KNOWN, Api, Call, Cursor, Json, Listing, PlatformError, Trouble
from providers.base.calls import Operation
from providers.base.inputs import project

V1 = "/api/v1"
CONTENT = ("name", "nodes", "connections", "settings")
"""What ``PUT /workflows/{id}`` takes, and all of it each time; it refuses everything that n8n itself sets."""


@dataclass(frozen=True)
class Bare(Call):
    """A request about one object that says all in its path: n8n describes it without a body. Twice is as once."""

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:  # noqa: ARG002 - one signature for all operations
        path = self.path.format(id=quote(str(values["id"]), safe=""))
        return api.request(self.method, path, repeatable=True, about=[str(values["id"])])


def listing(path: str, **params: str) -> Listing:
    """A list of n8n's, page by page; 250 is the most that a page may have."""
    return Listing(Call("GET", V1 + path, params=params), pages=Cursor("nextCursor", size=250))


@contextmanager
def _licensed(setting: str) -> Iterator[None]:
    """Tells a refusal for want of a licence from one for want of a scope: no credential cures the former."""
    try:
        yield
    except PlatformError as error:
        if error.trouble is Trouble.FORBIDDEN and "licen" in error.said.lower():
            error.do = f"remove sophia-ai:n8n.{setting} from the stack file, or give this n8n a licence that has it"
        raise


@dataclass(frozen=True)
class Licensed:
    """An operation on what only some licences have; ``setting`` is what to remove where there is none."""

    operation: Operation
    setting: str

    @property
    def auth(self) -> base.auth.Auth | None:
        return self.operation.auth

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        with _licensed(self.setting):
            return self.operation.send(api, values, payload)


@dataclass(frozen=True)
class LicensedListing(Listing):
    """A list of what only some licences have."""

    setting: str = ""

    def fetch(self, api: Api, values: Mapping[str, Any]) -> Iterator[Json]:
        with _licensed(self.setting):
            yield from super().fetch(api, values)


def licensed_listing(path: str, setting: str) -> LicensedListing:
    found = listing(path)
    return LicensedListing(found.call, pages=found.pages, setting=setting)


@dataclass(frozen=True)
class CreateVariable:
    """n8n answers 201 and nothing else: the variable is then looked up by its key and project."""

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        Call("POST", f"{V1}/variables").send(api, values, payload)
        wanted = payload or {}
        for found in listing("/variables").fetch(api, values):
            if (found["key"], owner_of(found)) == (wanted.get("key"), wanted.get("projectId")):
                return found
        # Without an id nothing can be kept: whoever asked looks again, as for an answer that was lost.
        raise PlatformError(Trouble.UNANSWERED, "n8n took the variable, and does not show it yet")


def owner_of(variable: Json) -> str | None:
    """The id of the project that a variable is in; None for one of the whole instance."""
    return (variable.get("project") or {}).get("id")


@dataclass(frozen=True)
class CreateCredential:
    """Held against the type's schema first: n8n's own refusal names one member at a time, and shows it no setting."""

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        fits_schema(api, values)
        return Call("POST", f"{V1}/credentials").send(api, values, payload)


@dataclass(frozen=True)
class UpdateCredential:
    """PATCH in place: the id, which workflows refer to, stays. Another project is a call of its own."""

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        changes = dict(payload or {})
        if "projectId" in changes:
            _transfer(api, "/credentials", values, changes.pop("projectId"))
        if "data" in changes:
            fits_schema(api, values)
        return Call("PATCH", f"{V1}/credentials/{{id}}").send(api, values, changes) if changes else {}


def fits_schema(api: Api, values: Mapping[str, Any]) -> None:
    """Raises ``PlatformError`` with the names (never the values) of what a credential lacks or has too much."""
    type_, data = values["type"], values.get("data") or {}
    try:
        schema = Call("GET", f"{V1}/credentials/schema/{{type}}").send(api, {"type": type_})
    except PlatformError as error:
        if error.trouble is Trouble.NOT_FOUND:
            raise PlatformError(Trouble.INVALID, f"this n8n has no credential type {type_}") from error
        raise
    known = schema.get("properties", {})
    wrong = [f"{name} is missing" for name in schema.get("required", []) if name not in data]
    wrong += [f"{name} is not known" for name in data if name not in known]
    if wrong:
        there_are = ", ".join(sorted(known))
        raise PlatformError(Trouble.INVALID, f"{type_}: {'; '.join(wrong)} (there are: {there_are})")


def _transfer(api: Api, path: str, values: Mapping[str, Any], destination: str | None) -> None:
    if destination is None:
        said = "n8n moves an object to a project that is named, and has no call that tells which one is personal"
        raise PlatformError(Trouble.INVALID, said, do="name the project that it is to move to, in `project`")
    Call("PUT", f"{V1}{path}/{{id}}/transfer").send(api, values, {"destinationProjectId": destination})


@dataclass(frozen=True)
class MakeSo:
    """Makes a workflow that exists what it should be, with no more requests than that takes.

    It goes by what n8n shows, not by what was done last: a run that was killed in the middle is thereby finished by
    the next. What must not run is unpublished before it changes, and what must run is published after.
    """

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        wanted, item = payload or {}, f"{V1}/workflows/{{id}}"
        live = Call("GET", item).send(api, values)
        shown = workflow_shown(live)
        if live["active"] and not wanted["published"]:
            live = Bare("POST", f"{item}/unpublish").send(api, values)
        if wanted.get("projectId") not in (None, shown.get("projectId")):
            _transfer(api, "/workflows", values, wanted["projectId"])
        content = {name: wanted[name] for name in CONTENT}
        if project({name: shown.get(name) for name in CONTENT}, content) != content:
            live = Call("PUT", item).send(api, values, content)
        if shown["tagIds"] != wanted["tagIds"]:
            api.request(
                "PUT", f"{V1}/workflows/{values['id']}/tags", body=[{"id": id_} for id_ in wanted["tagIds"]], about=()
            )
        if wanted["published"] and not runs_as_shown(live):
            Call("POST", f"{item}/publish", repeatable=True).send(api, values, {})
        return Call("GET", item).send(api, values)


def runs_as_shown(workflow: Json) -> bool:
    """Whether a workflow is published, and in the version that is shown: a later draft does not run."""
    return bool(workflow["active"]) and workflow.get("activeVersionId") in (None, workflow.get("versionId"))


def workflow_shown(workflow: Json) -> Json:
    """A workflow as it was written: nodes by name, their credentials by id only, its tags and its project by id."""
    owners = [one for one in workflow.get("shared") or [] if one.get("role") == "workflow:owner"]
    return {
        **workflow,
        "nodes": normalised_nodes(workflow.get("nodes") or []),
        "published": runs_as_shown(workflow),
        "tagIds": sorted(tag["id"] for tag in workflow.get("tags") or []),
        **({"projectId": owners[0]["projectId"]} if owners and "projectId" in owners[0] else {}),
    }


def normalised_nodes(nodes: list[Json]) -> list[Json]:
    """Nodes in the order of their names, which mean something; neither their order nor a credential's title does."""
    return sorted((_node(node) for node in nodes), key=lambda node: str(node.get("name")))


def _node(node: Json) -> Json:
    used = node.get("credentials")
    if not isinstance(used, Mapping):
        return node
    return {**node, "credentials": {type_: {"id": one["id"]} for type_, one in used.items() if "id" in one}}


@dataclass(frozen=True)
class AddMember:
    """A project's members are added by the id of the user, whom people know by the address."""

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        user = Call("GET", f"{V1}/users/{{email}}").send(api, values)
        relation = {"userId": user["id"], "role": (payload or values)["role"]}
        Call("POST", f"{V1}/projects/{{project_id}}/users", repeatable=True).send(
            api, values, {"relations": [relation]}
        )
        return {**user, "role": values["role"]}


@dataclass(frozen=True)
class ChangeMember:
    """PATCH or DELETE of a member, by the user's id, which the state has."""

    method: str
    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        user = (values.get(KNOWN) or {}).get("user_id")
        if user is None:
            user = Call("GET", f"{V1}/users/{{email}}").send(api, values)["id"]
        path = f"{V1}/projects/{{project_id}}/users/{{user}}"
        return Call(self.method, path).send(api, {**values, "user": user}, payload)

"""Connectors that a workspace brings along: Docker images, and manifests that the platform runs itself ("low code").

The rules are those of airbytehq/airbyte-platform, DefinitionsController and SourceDefinitionsHandler: a list has the
catalogue's connectors too, those cannot be changed, and deleting a definition deletes what was made of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from pydantic import Field
from starlette.responses import Response

from sandbox.airbyte.actors import Actors, destinations, sources
from sandbox.airbyte.connectors import Connector
from sandbox.airbyte.manifests import check_manifest
from sandbox.airbyte.problems import not_found
from sandbox.airbyte.workspaces import Camel, workspace_of
from sandbox.http import ApiError, Call, answer
from sandbox.store import Document

_CATALOGUE_TAG = "1.0.0"


class DefinitionUpdate(Camel):
    name: str = Field(min_length=1)
    docker_image_tag: str = Field(min_length=1)


class DefinitionCreate(DefinitionUpdate):
    docker_repository: str = Field(min_length=1)
    documentation_url: str | None = None


class DeclarativeUpdate(Camel):
    manifest: dict[str, Any]


class DeclarativeCreate(DeclarativeUpdate):
    name: str = Field(min_length=1)


@dataclass(frozen=True)
class Definitions:
    """The endpoints of the Docker definitions of one sort of actor. Names are not unique."""

    actors: Actors

    @property
    def kind(self) -> str:
        return f"{self.actors.sort}-definition"

    def list(self, call: Call) -> Response:
        """Whole, without pages, and with the catalogue's connectors."""
        workspace = workspace_of(call.store, call.path("workspace"))["workspaceId"]
        own = [_shown(found) for found in call.store.all(self.kind, workspaceId=workspace)]
        return answer({"data": [*(self._public(connector) for connector in self.actors.known), *own]})

    def create(self, call: Call) -> Response:
        workspace = workspace_of(call.store, call.path("workspace"))["workspaceId"]
        definition: Document = {"id": str(uuid4()), "workspaceId": workspace, **call.body(DefinitionCreate).sent()}
        return answer(_shown(call.store.put(self.kind, definition["id"], definition)))

    def read(self, call: Call) -> Response:
        public = [self._public(connector) for connector in self.actors.known if connector.definition == call.path("id")]
        return answer(public[0] if public else _shown(_definition(call, self.kind)))

    def replace(self, call: Call) -> Response:
        """The image stays; a new tag is another version of it."""
        definition = self._own(call) | call.body(DefinitionUpdate).sent()
        return answer(_shown(call.store.put(self.kind, definition["id"], definition)))

    def delete(self, call: Call) -> Response:
        """Deletes what was made of it, and answers with what it was."""
        definition = self._own(call)
        self.actors.delete_all(call.store, definition["id"])
        call.store.delete(self.kind, definition["id"])
        return answer(_shown(definition))

    def _own(self, call: Call) -> Document:
        if any(connector.definition == call.path("id") for connector in self.actors.known):
            raise ApiError(400, "Public definitions cannot be modified.")
        return _definition(call, self.kind)

    def _public(self, connector: Connector) -> Document:
        return {
            "id": connector.definition,
            "name": connector.name.capitalize(),
            "dockerRepository": f"airbyte/{self.actors.sort}-{connector.name}",
            "dockerImageTag": _CATALOGUE_TAG,
            "documentationUrl": f"https://docs.airbyte.com/integrations/{self.actors.sort}s/{connector.name}",
        }


source_definitions = Definitions(sources)
destination_definitions = Definitions(destinations)

_DECLARATIVE = "declarative-definition"


def list_declarative(call: Call) -> Response:
    """Whole, without pages."""
    workspace = workspace_of(call.store, call.path("workspace"))["workspaceId"]
    return answer({"data": [_shown(found) for found in call.store.all(_DECLARATIVE, workspaceId=workspace)]})


def create_declarative(call: Call) -> Response:
    workspace = workspace_of(call.store, call.path("workspace"))["workspaceId"]
    sent = call.body(DeclarativeCreate).sent()
    check_manifest(sent["manifest"])
    definition: Document = {"id": str(uuid4()), "workspaceId": workspace, "version": 1, **sent}
    return answer(_shown(call.store.put(_DECLARATIVE, definition["id"], definition)))


def read_declarative(call: Call) -> Response:
    return answer(_shown(_definition(call, _DECLARATIVE)))


def replace_declarative(call: Call) -> Response:
    """The new manifest becomes the active version; the name stays."""
    definition, sent = _definition(call, _DECLARATIVE), call.body(DeclarativeUpdate).sent()
    check_manifest(sent["manifest"])
    definition |= sent | {"version": definition["version"] + 1}
    return answer(_shown(call.store.put(_DECLARATIVE, definition["id"], definition)))


def delete_declarative(call: Call) -> Response:
    """Deletes the sources that were made of it, and answers with what it was."""
    definition = _definition(call, _DECLARATIVE)
    sources.delete_all(call.store, definition["id"])
    call.store.delete(_DECLARATIVE, definition["id"])
    return answer(_shown(definition))


def _definition(call: Call, kind: str) -> Document:
    identifier = call.path("id")
    definition = call.store.get(kind, identifier)
    if definition is None or definition["workspaceId"] != call.path("workspace"):
        raise not_found(kind.replace("-", " "), identifier)
    return definition


def _shown(definition: Document) -> Document:
    return {name: value for name, value in definition.items() if name != "workspaceId" and value is not None}

"""Sources and destinations: connectors set up with a configuration. The platform calls both "actors"."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from pydantic import Field
from starlette.responses import Response

from sandbox.airbyte.connectors import DESTINATIONS, SOURCES, Connector, by_definition, by_name, masked, mistakes
from sandbox.airbyte.lists import page, selected
from sandbox.airbyte.manifests import connector_of
from sandbox.airbyte.problems import not_found, unknown_value, unprocessable
from sandbox.airbyte.workspaces import Camel, workspace_of
from sandbox.http import Call, answer, merged
from sandbox.store import Document, Store


class ActorUpdate(Camel):
    name: str | None = Field(None, min_length=1)
    configuration: dict[str, Any] | None = None
    resource_allocation: dict[str, Any] | None = None


class ActorReplace(Camel):
    name: str = Field(min_length=1)
    configuration: dict[str, Any]
    resource_allocation: dict[str, Any] | None = None


class ActorCreate(ActorReplace):
    workspace_id: UUID
    definition_id: UUID | None = None


@dataclass(frozen=True)
class Actors:
    """The endpoints of one sort of actor. Names are not unique; workspace and definition cannot be changed."""

    sort: str
    known: tuple[Connector, ...]
    typed: bool = False
    """Whether configurations read back with the name of their connector in them."""

    def list(self, call: Call) -> Response:
        return page(call, [self._shown(actor) for actor in selected(call, call.store.all(self.sort))])

    def create(self, call: Call) -> Response:
        sent = call.body(ActorCreate).sent()
        workspace = workspace_of(call.store, sent["workspaceId"])
        definition = sent.get("definitionId") or self._definition(sent["configuration"])
        connector = self._of_definition(call.store, definition)
        actor = {
            f"{self.sort}Id": str(uuid4()),
            "name": sent["name"],
            f"{self.sort}Type": connector.name if connector else "",
            "definitionId": definition,
            "workspaceId": workspace["workspaceId"],
            "configuration": self._accepted(connector, sent["configuration"]),
            "createdAt": int(time.time()),
            "resourceAllocation": sent.get("resourceAllocation"),
            "deleted": False,
        }
        return self._saved(call.store, actor)

    def read(self, call: Call) -> Response:
        return answer(self._shown(self.of(call.store, call.path("id"))))

    def update(self, call: Call) -> Response:
        """Merges, in the configuration at every depth; what is not sent stays, secrets too."""
        actor, sent = self.of(call.store, call.path("id")), call.body(ActorUpdate).sent()
        return self._changed(call.store, actor, sent, merged(actor["configuration"], sent.get("configuration") or {}))

    def replace(self, call: Call) -> Response:
        """The configuration becomes what was sent; a secret sent as asterisks stays as it was."""
        actor, sent = self.of(call.store, call.path("id")), call.body(ActorReplace).sent()
        return self._changed(call.store, actor, sent, sent["configuration"])

    def delete(self, call: Call) -> Response:
        """Deletes its connections too (SourceHandler.deleteSource and DestinationHandler on the platform)."""
        self._delete(call.store, self.of(call.store, call.path("id")))
        return Response(status_code=204)

    def delete_all(self, store: Store, definition: str) -> None:
        """What was made of a definition goes with it."""
        for actor in store.all(self.sort, definitionId=definition, deleted=False):
            self._delete(store, actor)

    def _delete(self, store: Store, actor: Document) -> None:
        identifier = actor[f"{self.sort}Id"]
        store.put(self.sort, identifier, actor | {"deleted": True, "configuration": {}})
        for connection in store.all("connection", **{f"{self.sort}Id": identifier}):
            store.put("connection", connection["connectionId"], connection | {"deleted": True})

    def of(self, store: Store, identifier: str) -> Document:
        actor = store.get(self.sort, identifier)
        if actor is None or actor["deleted"]:
            raise not_found(self.sort, identifier)
        return actor

    def connector(self, store: Store, actor: Document) -> Connector | None:
        """What it is made of; None for an image whose insides nobody here knows."""
        return self._of_definition(store, actor["definitionId"])

    def _of_definition(self, store: Store, definition: str) -> Connector | None:
        declarative = store.latest.get("declarative-definition", definition)
        return by_definition(self.known, definition) or (connector_of(declarative) if declarative else None)

    def _definition(self, configuration: dict[str, Any]) -> str:
        name = configuration.get(f"{self.sort}Type")
        if not isinstance(name, str):
            raise unprocessable(f"Either definitionId or configuration.{self.sort}Type is needed.")
        connector = by_name(self.known, name)
        if connector is None:
            raise unknown_value(name)
        return connector.definition

    def _accepted(self, connector: Connector | None, configuration: dict[str, Any]) -> dict[str, Any]:
        """The configuration as it is kept: checked, without the type, and with every secret already masked."""
        kept = {name: value for name, value in configuration.items() if name != f"{self.sort}Type"}
        wrong = list(mistakes(connector.fields, kept)) if connector else []
        if wrong:
            raise unprocessable(
                "The provided configuration does not fulfill the specification. Errors: json schema validation failed "
                f"when comparing the data to the json schema. \nErrors: {', '.join(wrong)} "
            )
        accepted: dict[str, Any] = masked(connector.fields if connector else None, kept)
        return accepted

    def _changed(self, store: Store, actor: Document, sent: Document, configuration: dict[str, Any]) -> Response:
        actor["configuration"] = self._accepted(self.connector(store, actor), configuration)
        actor["name"] = sent.get("name") or actor["name"]
        actor["resourceAllocation"] = sent.get("resourceAllocation") or actor["resourceAllocation"]
        return self._saved(store, actor)

    def _saved(self, store: Store, actor: Document) -> Response:
        return answer(self._shown(store.put(self.sort, actor[f"{self.sort}Id"], actor)))

    def _shown(self, actor: Document) -> Document:
        shown = {name: value for name, value in actor.items() if name != "deleted" and value is not None}
        if self.typed and actor["destinationType"]:
            shown["configuration"] = {"destinationType": actor["destinationType"]} | actor["configuration"]
        return shown


sources = Actors("source", SOURCES)
# The platform takes the connector's name out of every configuration. The vendor's Python SDK 1.0 cannot read a
# destination without it (airbytehq/airbyte-api-python-sdk, issue 88), so that here destinations keep it.
destinations = Actors("destination", DESTINATIONS, typed=True)

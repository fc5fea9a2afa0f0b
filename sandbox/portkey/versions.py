"""What prompts and partials have in common: numbered versions that never change, one of which is in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from pydantic import Field

from sandbox.http import Body, Call
from sandbox.portkey.access import now, reaches
from sandbox.portkey.errors import missing
from sandbox.portkey.lists import picked
from sandbox.store import Document, Store


class MakeDefault(Body):
    version: int | float = Field(ge=1)


@dataclass(frozen=True)
class Versions:
    """The versions of one kind of object. ``default`` of an object is the number of the one in force."""

    kind: str

    def found(self, call: Call) -> Document:
        """The object of the path, by id or slug."""
        document = picked(call.store, self.kind, call.path("id"))
        if document is None or not reaches(call, document):
            raise missing(self.kind, call.path("id"))
        return document

    def all(self, store: Store, document: Document) -> list[Document]:
        """The latest first."""
        return store.all(self._versions, of=document["id"])[::-1]

    def add(self, store: Store, document: Document, content: Document) -> Document:
        """A new version, with the content as it is said. It is in force only if it is the first."""
        number = 1 + max((version["number"] for version in self.all(store, document)), default=0)
        version = {"id": str(uuid4()), "of": document["id"], "workspace_id": document["workspace_id"]}
        version |= {"number": number, "content": content, "label_id": None, "created_at": now()}
        store.put(self._versions, version["id"], version)
        store.put(self.kind, document["id"], {"default": number} | document | {"last_updated_at": now()})
        return version

    def asked(self, call: Call, document: Document) -> Document:
        """The version that ``?version=`` asks for: "latest", a number, or (unless it says) the one in force."""
        wanted, every = call.query("version") or "default", self.all(call.store.latest, document)
        if wanted == "latest" and every:
            return every[0]
        number = str(document["default"]) if wanted == "default" else wanted
        return self._of_number(every, document, number)

    def by_id(self, call: Call, document: Document, identifier: str) -> Document:
        version = call.store.get(self._versions, identifier)
        if version is None or version["of"] != document["id"]:
            raise missing(f"version of {self.kind} {document['slug']}", identifier)
        return version

    def publish(self, call: Call) -> None:
        document, sent = self.found(call), call.body(MakeDefault)
        version = self._of_number(self.all(call.store, document), document, f"{sent.version:g}")
        changed = {"default": version["number"], "last_updated_at": now()}
        call.store.put(self.kind, document["id"], document | changed)

    def label(self, store: Store, version: Document, label: str | None) -> None:
        """A label is on one version at a time."""
        if label is not None:
            for other in store.all(self._versions, of=version["of"], label_id=label):
                store.put(self._versions, other["id"], other | {"label_id": None})
        store.put(self._versions, version["id"], version | {"label_id": label})

    def delete(self, store: Store, document: Document) -> None:
        for version in self.all(store, document):
            store.delete(self._versions, version["id"])
        store.delete(self.kind, document["id"])

    @property
    def _versions(self) -> str:
        return f"{self.kind}-version"

    def _of_number(self, every: Sequence[Document], document: Document, number: str) -> Document:
        version = next((version for version in every if str(version["number"]) == number), None)
        if version is None:
            raise missing(f"version of {self.kind} {document['slug']}", number)
        return version


def status_of(document: Document, version: Document) -> str:
    return "active" if version["number"] == document["default"] else "archived"

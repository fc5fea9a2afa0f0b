"""A build: everything that Estuary checks of a draft before it becomes live (control-plane-api and crates/validation).

It stops where Estuary stops: at specifications that cannot be read, then at images that it does not know, then at what
the user or the specifications may not do, and only then it looks at the catalog as a whole.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sandbox.estuary import access, collection_rules, connectors, encryption, seed, specs
from sandbox.estuary.errors import Mistake, absent
from sandbox.estuary.identifiers import ZERO, is_name
from sandbox.pulumi_cloud.vault import Vault
from sandbox.store import Document, Store


@dataclass(frozen=True)
class Build:
    """One draft on the catalog as it is. ``drafted`` are the rows of ``draft_specs`` by catalog name."""

    store: Store
    vault: Vault
    user: str
    drafted: Mapping[str, Document]
    plane: str | None
    live: Mapping[str, Document] = field(default_factory=dict)

    @cached_property
    def models(self) -> dict[str, specs.Spec | str]:
        """The drafted specifications that are not deletions; a text where one cannot be read."""
        return {
            n: specs.parsed(row["spec_type"], row["spec"]) for n, row in self.drafted.items() if row["spec"] is not None
        }

    @cached_property
    def read(self) -> dict[str, specs.Spec]:
        return {name: model for name, model in self.models.items() if not isinstance(model, str)}

    @cached_property
    def deleted(self) -> set[str]:
        return {name for name, row in self.drafted.items() if row["spec"] is None}

    @cached_property
    def catalog(self) -> dict[str, specs.Spec]:
        """All specifications as they will be."""
        kept = (row for name, row in self.live.items() if name not in self.drafted)
        parsed = {row["catalog_name"]: specs.parsed(row["spec_type"], row["spec"]) for row in kept}
        return {name: model for name, model in parsed.items() if not isinstance(model, str)} | self.read

    @cached_property
    def unbound(self) -> set[str]:
        """New collections that nothing reads or writes: Estuary leaves them out."""
        bound = {name for spec in self.catalog.values() for _, name, _ in (*specs.reads(spec), *specs.writes(spec))}
        return {
            name
            for name, spec in self.read.items()
            if isinstance(spec, specs.Collection)
            and spec.derive is None
            and name not in bound
            and name not in self.live
        }

    def lock_failures(self) -> list[Document]:
        """Specifications that are not of the publication that the draft expects. Zero expects that there is none."""
        failures = []
        for name, row in self.drafted.items():
            expected, live = row["expect_pub_id"], self.live.get(name)
            actual = live["last_pub_id"] if live else None
            if expected is not None and expected != (actual or ZERO):
                failures.append({"catalog_name": name, "expected": expected, "actual": actual})
        return failures

    def mistakes(self) -> list[Mistake]:
        """What is wrong, in Estuary's order; empty for a good build."""
        for stage in (self._unreadable, self._images, self._authority, self._catalog):
            found = sorted(set(stage()))
            if found:
                return found
        return []

    def type_of(self, name: str) -> str:
        row = self.drafted.get(name) or {}
        return str(row.get("spec_type") or (self.live.get(name) or {}).get("spec_type") or "collection")

    def _wrong(self, name: str, detail: str, pointer: str = "") -> Mistake:
        return Mistake(self.type_of(name), name, detail, pointer)

    def _unreadable(self) -> Iterator[Mistake]:
        for name, model in self.models.items():
            if isinstance(model, str):
                yield self._wrong(name, model)

    def _images(self) -> Iterator[Mistake]:
        for name, spec in self.read.items():
            image = specs.image_of(spec)
            if image is not None and connectors.by_image(connectors.split(image)[0]) is None:
                yield self._wrong(name, f"Forbidden connector image '{connectors.split(image)[0]}'")

    def _authority(self) -> Iterator[Mistake]:
        for name in self.drafted:
            if not access.may(self.store, self.user, "admin", name):
                yield self._wrong(name, "User is not authorized to create or change this catalog name")
                continue
            spec = self.read.get(name)
            for _, source, _ in specs.reads(spec) if spec else ():
                yield from self._may_use(name, source, "read")
            for _, target, _ in specs.writes(spec) if spec else ():
                yield from self._may_use(name, target, "write")

    def _may_use(self, name: str, other: str, capability: str) -> Iterator[Mistake]:
        if not access.role_may(self.store, name, capability, other):
            members = ("subject_role", "object_role", "capability")
            held = [g for g in self.store.latest.all("role_grant") if name.startswith(g["subject_role"])]
            grants = json.dumps([{member: grant[member] for member in members} for grant in held], indent=2)
            of = f" '{name}'" if capability == "read" else ""
            yield self._wrong(
                name, f"Specification{of} is not {capability}-authorized to '{other}'.\nAvailable grants are: {grants}"
            )
        if other not in self.drafted and not access.may(self.store, self.user, "read", other):
            yield Mistake("unauthorized", other, "User is not authorized to read this catalog name")

    def _catalog(self) -> Iterator[Mistake]:
        yield from self._plane()
        yield from self._names()
        for failure in self.lock_failures():
            yield self._wrong(failure["catalog_name"], _mismatch(failure))
        for name in self.deleted:
            if name not in self.live:
                yield self._wrong(name, "drafted deletion references a specification that does not exist")
        for name, spec in self.catalog.items():
            yield from self._references(name, spec)
        for name, spec in self.read.items():
            if isinstance(spec, specs.Collection):
                live = self.live.get(name)
                yield from collection_rules.mistakes(name, spec, live and live["spec"], self._schemas)
                yield from self._storage(name)
            elif isinstance(spec, specs.Capture | specs.Materialization):
                yield from self._task(name, spec)

    def _plane(self) -> Iterator[Mistake]:
        names = [plane["name"] for plane in seed.planes()]
        if self.plane is not None and self.plane not in names:
            # Estuary has no specification to blame: the scope of this one is the file:/// of its build.
            yield Mistake("", "", absent("data plane", self.plane, "build parameter", names))

    def _names(self) -> Iterator[Mistake]:
        for name, row in self.drafted.items():
            live = self.live.get(name)
            if not is_name(name):
                yield self._wrong(name, f"{name} cannot be used as name for {self.type_of(name)}")
            elif live and row["spec"] is not None and row["spec_type"] != live["spec_type"]:
                yield self._wrong(name, f"Draft has an incompatible {row['spec_type']} vs current {live['spec_type']}")
        for name, other in itertools.permutations(self.catalog, 2):
            if name in self.read or other in self.read:
                yield from self._clash(name, other)

    def _clash(self, name: str, other: str) -> Iterator[Mistake]:
        """No name is the prefix of another, and none differs from another by the case of its letters only."""
        theirs = f"{self.type_of(other)} {other}, defined at flow://{self.type_of(other)}/{other}"
        if name.lower() == other.lower() and name in self.read:
            yield self._wrong(name, f"{self.type_of(name)} {name} has a duplicated definition at {theirs}")
        elif other.startswith(f"{name}/"):
            yield self._wrong(name, f"{self.type_of(name)} {name} is a prohibited prefix of {theirs}")

    def _references(self, name: str, spec: specs.Spec) -> Iterator[Mistake]:
        """References of drafted specifications must lead somewhere; those of others must not lead to what is deleted."""
        known = [n for n, other in self.catalog.items() if isinstance(other, specs.Collection)]
        for pointer, target, disabled in (*specs.reads(spec), *specs.writes(spec)):
            by = f"{self.type_of(name)} {_part(pointer)}"
            if disabled or target in known:
                continue
            if target in self.deleted:
                yield self._wrong(name, f"deleted collection {target} is still referenced by {by}", pointer)
            elif name in self.read:
                yield self._wrong(name, absent("collection", target, by, known), pointer)
        if isinstance(spec, specs.Materialization) and spec.source is not None and name in self.read:
            capture = spec.source if isinstance(spec.source, str) else spec.source.capture
            if not isinstance(self.catalog.get(capture), specs.Capture):
                captures = [n for n, other in self.catalog.items() if isinstance(other, specs.Capture)]
                yield self._wrong(name, absent("capture", capture, "materialization source", captures), "/source")

    def _storage(self, name: str) -> Iterator[Mistake]:
        if not any(name.startswith(m["catalog_prefix"]) for m in self.store.latest.all("storage_mapping")):
            yield self._wrong(name, f"could not map collection {name} into a storage mapping")

    def _schemas(self, name: str) -> collection_rules.Schemas | None:
        spec = self.catalog.get(name)
        return collection_rules.schemas_of(spec) if isinstance(spec, specs.Collection) else None

    def _task(self, name: str, spec: specs.Capture | specs.Materialization) -> Iterator[Mistake]:
        connector = connectors.by_image(connectors.split(spec.endpoint.connector.image)[0])
        if connector is None:
            return
        kind = self.type_of(name)
        if connector.protocol != kind:
            yield self._wrong(name, f"connector image {spec.endpoint.connector.image} is not a {kind} connector")
            return
        if not spec.shards.disable:
            yield from (self._wrong(name, problem) for problem in self._configuration(connector, spec))
        bound: dict[tuple[str, ...], int] = {}
        bindings: list[specs.CaptureBinding | specs.MaterializationBinding] = [*spec.bindings]
        for index, binding in enumerate(bindings):
            if binding.disable:
                continue
            place = _place(connector, binding.resource)
            if place in bound:
                yield self._wrong(name, _duplicate(kind, place, bound[place], index), f"/bindings/{index}")
            bound[place] = index
            if isinstance(binding, specs.MaterializationBinding):
                yield from self._fields(name, index, binding)

    def _configuration(
        self, connector: connectors.Connector, spec: specs.Capture | specs.Materialization
    ) -> Iterator[str]:
        """What the connector itself says when it is started: about its configuration, and about each resource."""
        config: Any = spec.endpoint.connector.config
        if encryption.is_encrypted(config):
            try:
                config = encryption.decrypted(self.vault, config)
            except encryption.UnreadableError as error:
                yield str(error)
                return
        for problem in encryption.problems(connector.endpoint, config):
            yield f"parsing endpoint config: {problem}"
        bindings: list[specs.CaptureBinding | specs.MaterializationBinding] = [*spec.bindings]
        for index, binding in enumerate(bindings):
            for problem in () if binding.disable else encryption.problems(connector.resource, binding.resource):
                yield f"parsing resource config of binding {index}: {problem}"

    def _fields(self, name: str, index: int, binding: specs.MaterializationBinding) -> Iterator[Mistake]:
        source = specs.source_name(binding.source)
        collection, schemas = self.catalog.get(source), self._schemas(source)
        if binding.fields_ is None or schemas is None or not isinstance(collection, specs.Collection):
            return
        chosen = {"require": list(binding.fields_.require), "groupBy": binding.fields_.group_by}
        for category, fields in chosen.items():
            for selected in fields:
                if not schemas.has_field(selected, collection.projections):
                    detail = f"{category} projection {selected} does not exist in collection {source}"
                    yield self._wrong(name, detail, f"/bindings/{index}/fields/{category}")


def _place(connector: connectors.Connector, resource: Any) -> tuple[str, ...]:
    """What a binding is bound to, as the connector tells resources apart."""
    return (
        tuple(str(resource.get(name, "")) for name in connector.place)
        if isinstance(resource, dict)
        else (str(resource),)
    )


def _part(pointer: str) -> str:
    names = {"bindings": "binding", "derive": "transform", "steps": "test step"}
    return names[pointer.split("/")[1]]


def _mismatch(failure: Document) -> str:
    return (
        f"expected publication ID {failure['expected']} was not matched (it's actually {failure['actual'] or ZERO}): "
        "your changes have already been published or another publication has modified this spec; please try again with "
        "a fresh copy of the spec."
    )


def _duplicate(kind: str, place: tuple[str, ...], first: int, second: int) -> str:
    return (
        f"this {kind} binding at offset {second} is bound to endpoint resource {json.dumps(list(place))}, but so is the "
        f"binding at offset {first}, which is not permitted (each binding must have a unique endpoint resource)"
    )

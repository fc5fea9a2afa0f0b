"""What the stack file says about HubSpot (``sophia-ai:hubspot``). Properties and groups stand under their internal names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from components.explain import Mistake
from components.settings import Adoptable, Key, Settings, matching, same_object, unknown_name, unknown_names

STANDARD = ("contacts", "companies", "deals", "tickets")
"""The object types that every account has. Every other key of ``objects`` is a custom object's name."""

Name = Annotated[
    str, matching(r"[a-z][a-z0-9_]{0,99}", "must be lower-case letters, digits and underscores, a letter first")
]
Label = Annotated[str, Field(min_length=1, max_length=200)]
FieldType = Literal[
    "text", "textarea", "number", "date", "file", "select", "radio", "checkbox", "booleancheckbox", "calculation_equation"
]  # fmt: skip
FIELD_TYPES: Mapping[str, tuple[str, ...]] = {
    "string": ("text", "textarea", "file", "calculation_equation"),
    "number": ("number", "calculation_equation"),
    "date": ("date",),
    "datetime": ("date",),
    "enumeration": ("select", "radio", "checkbox", "booleancheckbox", "calculation_equation"),
    "bool": ("booleancheckbox", "calculation_equation"),
}
"""How a property of each type can be shown (HubSpot's properties guide)."""


class GroupSettings(Adoptable):
    """A group of properties, which keeps ours apart from HubSpot's and from other programs'."""

    label: Label


class OptionSettings(Settings):
    """An option of an enumeration. ``value`` is what records, lists and reports have, and is for good."""

    value: Annotated[str, Field(min_length=1, max_length=3000)]
    label: Label
    description: Annotated[str, Field(min_length=1)] | None = None


class PropertySettings(Adoptable):
    """A property. ``group``: a key of ``groups``, or the internal name of one of HubSpot's own.

    An option that is removed here is hidden in HubSpot: records that have it keep it. ``has_unique_value`` is for good.
    """

    label: Label
    group: Name
    type: Literal["string", "number", "date", "datetime", "enumeration", "bool"]
    field_type: FieldType
    description: str = ""
    options: list[OptionSettings] = Field(default_factory=list)
    has_unique_value: bool = False
    hidden: bool = False
    form_field: bool = False
    display_order: Annotated[int, Field(ge=-1)] = -1
    calculation_formula: Annotated[str, Field(min_length=1)] | None = None

    def check(self) -> Iterator[Mistake]:
        """What belongs to the type, and nothing else."""
        if self.field_type not in FIELD_TYPES[self.type]:
            yield Mistake(("field_type",), f"of a {self.type} must be one of {', '.join(FIELD_TYPES[self.type])}")
        if self.type == "enumeration" and not self.options:
            yield Mistake(("options",), "needs at least one entry: the property is an enumeration")
        if self.type != "enumeration" and self.options:
            yield Mistake(("options",), f"is for an enumeration, and the property is a {self.type}")
        for member in ("value", "label"):
            seen: set[str] = set()
            for index, option in enumerate(self.options):
                text = str(getattr(option, member)).casefold()
                if text in seen:
                    yield Mistake(("options", index, member), f'"{getattr(option, member)}" is there twice')
                seen.add(text)
        if self.has_unique_value and self.type not in ("string", "number"):
            yield Mistake(("has_unique_value",), f"is for string and number, and the property is a {self.type}")
        if (self.field_type == "calculation_equation") != (self.calculation_formula is not None):
            yield Mistake(("calculation_formula",), "goes with `field_type: calculation_equation`: give both or none")


class StageSettings(Settings):
    """A stage. ``key`` stays when the label changes.

    A deal's has ``probability``, from 0 (lost) to 1 (won) in tenths; a ticket's ``ticket_state``.
    """

    key: Key
    label: Label
    probability: Annotated[float, Field(ge=0, le=1)] | None = None
    ticket_state: Literal["OPEN", "CLOSED"] | None = None

    @property
    def metadata(self) -> dict[str, str]:
        """As HubSpot has it: texts."""
        found = {} if self.probability is None else {"probability": f"{self.probability:.1f}"}
        return found if self.ticket_state is None else {**found, "ticketState": self.ticket_state}

    def check(self) -> Iterator[Mistake]:
        """HubSpot takes tenths."""
        if self.probability is not None and round(self.probability * 10) != self.probability * 10:
            yield Mistake(("probability",), "must be in steps of 0.1")


class PipelineSettings(Adoptable):
    """A pipeline: its stages from the first to the last."""

    label: Label
    stages: Annotated[list[StageSettings], Field(min_length=1, max_length=100)]

    def check(self) -> Iterator[Mistake]:
        """A stage is there once."""
        for member in ("key", "label"):
            seen: set[str] = set()
            for index, stage in enumerate(self.stages):
                if getattr(stage, member) in seen:
                    yield Mistake(("stages", index, member), f'"{getattr(stage, member)}" is there twice')
                seen.add(getattr(stage, member))


class SchemaLabels(Settings):
    """What one of them is called, and several."""

    singular: Label
    plural: Label


class SchemaSettings(Adoptable):
    """What makes a custom object one: an Enterprise account is needed. It names ``properties`` of the same object.

    ``associated_objects``: standard object types, or keys of ``objects``.
    """

    labels: SchemaLabels
    description: str = ""
    primary_display_property: Name
    secondary_display_properties: Annotated[list[Name], Field(max_length=2)] = Field(default_factory=list)
    required_properties: list[Name] = Field(default_factory=list)
    searchable_properties: Annotated[list[Name], Field(max_length=20)] = Field(default_factory=list)
    associated_objects: list[Name] = Field(default_factory=list)


class ObjectSettings(Settings):
    """What an object type has. A custom object has an ``object_schema`` too."""

    object_schema: SchemaSettings | None = None
    groups: dict[Name, GroupSettings] = Field(default_factory=dict)
    properties: dict[Name, PropertySettings] = Field(default_factory=dict)
    pipelines: dict[Key, PipelineSettings] = Field(default_factory=dict)

    def check(self) -> Iterator[Mistake]:
        """Roles are of properties that are there; HubSpot has ten unique ones for an object type at most."""
        yield from same_object(("pipelines",), self.pipelines, "label")
        unique = [name for name, one in self.properties.items() if one.has_unique_value]
        if len(unique) > _MOST_UNIQUE:
            yield Mistake(("properties",), f"has {len(unique)} with has_unique_value: HubSpot takes {_MOST_UNIQUE}")
        if (schema := self.object_schema) is None:
            return
        first = schema.primary_display_property
        yield from unknown_name(
            ("object_schema", "primary_display_property"), first, self.properties, "property of this object"
        )
        for member in ("secondary_display_properties", "required_properties", "searchable_properties"):
            names: list[str] = getattr(schema, member)
            yield from unknown_names(("object_schema", member), names, self.properties, "property of this object")
        if first in self.properties and self.properties[first].type not in ("string", "number"):
            place = ("object_schema", "primary_display_property")
            yield Mistake(place, f"must be a string or a number, and {first} is a {self.properties[first].type}")


_MOST_UNIQUE = 10


class AssociationLabelSettings(Adoptable):
    """A label from one object type to another, and the ``inverse_label`` for the way back, where that is another."""

    from_object: Name = Field(alias="from")
    to_object: Name = Field(alias="to")
    name: Name
    label: Label
    inverse_label: Label | None = None


class ListSettings(Adoptable):
    """A list: ``MANUAL``, which people and programs fill; ``DYNAMIC``, by filters; ``SNAPSHOT``, filtered once.

    ``filter_branch`` is as HubSpot writes it: an OR of ANDs of filters.
    """

    name: Label
    object_type: Name = Field(alias="object")
    processing_type: Literal["MANUAL", "DYNAMIC", "SNAPSHOT"]
    filter_branch: dict[str, Any] | None = None

    def check(self) -> Iterator[Mistake]:
        """Filters where there is filtering, in the one form that HubSpot's pages can show."""
        if (self.processing_type == "MANUAL") != (self.filter_branch is None):
            said = "is for DYNAMIC and SNAPSHOT" if self.filter_branch else "is needed"
            yield Mistake(("filter_branch",), f"{said}: the list is {self.processing_type}")
        if self.filter_branch is None:
            return
        yield from _branch(self.filter_branch, "OR", "filter_branch")
        if self.filter_branch.get("filters"):
            yield Mistake(("filter_branch", "filters"), "must be empty: filters stand in the branches of type AND")
        for index, branch in enumerate(self.filter_branch.get("filterBranches") or ()):
            yield from _branch(branch, "AND", "filter_branch", "filterBranches", index)


def _branch(branch: Any, kind: str, *path: str | int) -> Iterator[Mistake]:
    if not isinstance(branch, dict) or branch.get("filterBranchType") != kind:
        yield Mistake((*path, "filterBranchType"), f"must be {kind} here: HubSpot takes an OR of ANDs")
    elif kind == "OR" and not branch.get("filterBranches"):
        yield Mistake((*path, "filterBranches"), "needs at least one entry")


class SubscriptionSettings(Adoptable):
    """An event: ``contact.creation``; ``company.propertyChange`` with ``property``; ``object.creation`` with ``object``."""

    event_type: Annotated[
        str, matching(r"[a-z_]+\.[a-zA-Z]+", "must be an event of HubSpot's, such as contact.creation")
    ]
    property_name: Name | None = Field(default=None, alias="property")
    object_type: Name | None = Field(default=None, alias="object")
    active: bool = True

    def check(self) -> Iterator[Mistake]:
        """What the event is about."""
        if self.event_type.endswith(".propertyChange") != (self.property_name is not None):
            yield Mistake(("property",), "goes with events that end with .propertyChange: give both or none")
        if self.event_type.startswith("object.") != (self.object_type is not None):
            yield Mistake(("object",), "goes with events that begin with object.: give both or none")


class WebhookSettings(Adoptable):
    """The webhooks of a public app (no private app's can be set). HUBSPOT_DEVELOPER_API_KEY must be its developer's."""

    app_id: Annotated[str, matching(r"\d+", "must be the number of the app, in quotes")]
    target_url: Annotated[str, matching(r"https://[^\s/?#]+/[^\s#]*", "must be an https address with a path")]
    max_concurrent_requests: Annotated[int, Field(ge=5, le=100)] = 10
    subscriptions: dict[Key, SubscriptionSettings] = Field(default_factory=dict)

    def check(self) -> Iterator[Mistake]:
        """An event is there once."""
        yield from same_object(("subscriptions",), self.subscriptions, "event_type", "property_name", "object_type")


class HubSpotSettings(Settings):
    """``sophia-ai:hubspot``. Where it is, HUBSPOT_BASE_URL says; who asks, HUBSPOT_ACCESS_TOKEN, which only a person makes.

    ``portal_id``: the account's number. With a token of another account nothing is done.
    """

    portal_id: Annotated[str, matching(r"\d+", "must be the Hub ID, in quotes")]
    objects: dict[Name, ObjectSettings] = Field(default_factory=dict)
    association_labels: dict[Key, AssociationLabelSettings] = Field(default_factory=dict)
    lists: dict[Key, ListSettings] = Field(default_factory=dict)
    webhooks: WebhookSettings | None = None

    @property
    def known(self) -> tuple[str, ...]:
        """The object types that other settings may name."""
        return (*STANDARD, *(name for name in self.objects if name not in STANDARD))

    def check(self) -> Iterator[Mistake]:
        """Object types are of HubSpot or declared; stages have what their object type's stages have."""
        yield from same_object(("lists",), self.lists, "name")
        yield from same_object(("association_labels",), self.association_labels, "from_object", "to_object", "label")
        for name, one in self.objects.items():
            yield from self._object(name, one)
        for key, label in self.association_labels.items():
            for member, value in (("from", label.from_object), ("to", label.to_object)):
                yield from unknown_name(("association_labels", key, member), value, self.known, "object")
        for key, each in self.lists.items():
            yield from unknown_name(("lists", key, "object"), each.object_type, self.known, "object")
        for key, subscription in (self.webhooks.subscriptions if self.webhooks else {}).items():
            if subscription.object_type is not None:
                place = ("webhooks", "subscriptions", key, "object")
                yield from unknown_name(place, subscription.object_type, self.known, "object")

    def _object(self, name: str, one: ObjectSettings) -> Iterator[Mistake]:
        place = ("objects", name)
        if (name in STANDARD) == (one.object_schema is not None):
            said = "is HubSpot's own: it has no object_schema" if name in STANDARD else "needs an object_schema"
            there = f"; HubSpot's own are {', '.join(STANDARD)}" if name not in STANDARD else ""
            yield Mistake(place, f"{said}{there}")
        if one.object_schema is not None:
            others = [other for other in self.known if other != name]
            path = (*place, "object_schema", "associated_objects")
            yield from unknown_names(path, one.object_schema.associated_objects, others, "object")
        wanted = {"deals": "probability", "tickets": "ticket_state"}.get(name)
        for key, pipeline in one.pipelines.items():
            for index, stage in enumerate(pipeline.stages):
                for member in ("probability", "ticket_state"):
                    if (getattr(stage, member) is not None) != (member == wanted):
                        said = f"is needed: it is a stage of {name}" if member == wanted else f"is not for {name}"
                        yield Mistake((*place, "pipelines", key, "stages", index, member), said)

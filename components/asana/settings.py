"""What the stack file says about Asana (``sophia-ai:asana``). What stands in an order there is a list here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import Field

from components.explain import Mistake, Path
from components.settings import Adoptable, Key, Settings, matching, same_object, unknown_name

Name = Annotated[str, Field(min_length=1, max_length=255)]
Email = Annotated[str, matching(r"[^@\s]+@[^@\s]+\.[^@\s]+", "must be the address of a member of the workspace")]
Color = Literal[
    "dark-pink", "dark-green", "dark-blue", "dark-red", "dark-teal", "dark-brown", "dark-orange", "dark-purple",
    "dark-warm-gray", "light-pink", "light-green", "light-blue", "light-red", "light-teal", "light-brown",
    "light-orange", "light-purple", "light-warm-gray",
]  # fmt: skip
OptionColor = Literal[
    "none", "red", "orange", "yellow-orange", "yellow", "yellow-green", "green", "blue-green", "aqua", "blue", "indigo",
    "purple", "magenta", "hot-pink", "pink", "cool-gray",
]  # fmt: skip
Access = Literal["admin", "editor", "commenter", "viewer"]

_ENUMS = ("enum", "multi_enum")


class WorkspaceSettings(Settings):
    """The workspace or organisation, which a person has made: by its ``name``, or by its ``gid`` where names are twice."""

    name: Name | None = None
    gid: Annotated[str | None, matching(r"\d+", "must be the number in the addresses of Asana's pages")] = None

    def check(self) -> Iterator[Mistake]:
        """One of the two."""
        if (self.name is None) == (self.gid is None):
            yield Mistake((), "must give either `name` or `gid`")


class TeamSettings(Adoptable):
    """A team of the organisation. Asana has no call to delete one."""

    name: Name
    description: str = ""
    visibility: Literal["secret", "request_to_join", "public"] = "request_to_join"


class MemberSettings(Adoptable):
    """Who may do what in a project: a person, or a whole team of the settings."""

    email: Email | None = None
    team: str | None = None
    access: Access = "editor"

    def check(self) -> Iterator[Mistake]:
        """One of the two."""
        if (self.email is None) == (self.team is None):
            yield Mistake((), "must give either `email` (a person) or `team` (a key of `teams`)")


class SectionSettings(Adoptable):
    """A section, or a column of a board. ``key`` stays when the name changes."""

    key: Key
    name: Name


class UsedField(Adoptable):
    """A field's use in a project. ``important``: shown in lists from the start; people may change it in Asana."""

    field: str
    important: bool = False


class ProjectSettings(Adoptable):
    """A project: its sections from the first to the last, its fields likewise. Nobody but its members sees it, unless
    ``privacy`` says otherwise (``private_to_team`` is deprecated in Asana).
    """

    name: Name
    team: str
    notes: str = ""
    color: Color | None = None
    view: Literal["list", "board", "calendar", "timeline"] = "list"
    privacy: Literal["public_to_workspace", "private_to_team", "private"] = "private"
    default_access: Access = "editor"
    archived: bool = False
    members: dict[Key, MemberSettings] = Field(default_factory=dict)
    sections: list[SectionSettings] = Field(default_factory=list)
    fields: list[UsedField] = Field(default_factory=list)

    def check(self) -> Iterator[Mistake]:
        """Sections and fields are there once; the project's own team has access by itself."""
        yield from _twice(("sections",), [one.key for one in self.sections], "key")
        yield from _twice(("sections",), [one.name for one in self.sections], "name")
        yield from _twice(("fields",), [one.field for one in self.fields], "field")
        for key, member in self.members.items():
            if member.team == self.team:
                yield Mistake(("members", key, "team"), "is the project's own team, which has access by itself")


class OptionSettings(Settings):
    """An option of an enum field. ``formerly`` is its old name, when it is renamed: tasks that have it keep it."""

    name: Name
    color: OptionColor = "none"
    formerly: Name | None = None


class FieldSettings(Adoptable):
    """A custom field of the workspace, for which it needs a paid plan. ``type`` is for good.

    ``precision``, ``format`` and ``currency`` are a number's; ``options`` an enum's, from the first to the last. An option
    that is removed here is disabled in Asana, which deletes none.
    """

    name: Name
    type: Literal["text", "enum", "multi_enum", "number", "date", "people"]
    description: str = ""
    precision: Annotated[int | None, Field(ge=0, le=6)] = None
    format: Literal["currency", "identifier", "percentage", "duration", "none"] | None = None
    currency: Annotated[str | None, matching(r"[A-Z]{3}", "must be an ISO 4217 code, such as USD")] = None
    notifications: bool | None = None
    options: list[OptionSettings] = Field(default_factory=list)

    def check(self) -> Iterator[Mistake]:
        """What belongs to the type, and nothing else."""
        if self.type in _ENUMS and not self.options:
            yield Mistake(("options",), f"needs at least one entry: the field is of type {self.type}")
        if self.type not in _ENUMS and self.options:
            yield Mistake(("options",), f"is for enum and multi_enum, and the field is of type {self.type}")
        for member in ("precision", "format", "currency"):
            if getattr(self, member) is not None and self.type != "number":
                yield Mistake((member,), f"is for number, and the field is of type {self.type}")
        if (self.format == "currency") != (self.currency is not None):
            yield Mistake(("currency",), "goes with `format: currency`: give both or none")
        yield from _twice(("options",), [one.name.casefold() for one in self.options], "name")
        names = {one.name for one in self.options}
        for index, option in enumerate(self.options):
            if option.formerly in names:
                yield Mistake(("options", index, "formerly"), "is the name of another option of this field")


class TagSettings(Adoptable):
    """A tag of the workspace."""

    name: Name
    color: Color | None = None
    notes: str = ""


class FilterSettings(Settings):
    """Events that pass: of this type of resource, and this action. ``fields`` narrows ``changed`` in a project."""

    resource: Annotated[str | None, matching(r"[a-z_]+", "must be a type of Asana's, such as task or section")] = None
    subtype: Annotated[str | None, matching(r"[a-z_]+", "must be a subtype of Asana's, such as milestone")] = None
    action: Literal["changed", "added", "removed", "deleted", "undeleted"] | None = None
    fields: Annotated[list[str] | None, Field(min_length=1)] = None

    def check(self) -> Iterator[Mistake]:
        """Fields change."""
        if self.fields and self.action != "changed":
            yield Mistake(("fields",), "goes with `action: changed` only")


class WebhookSettings(Settings):
    """A webhook on a project, on a team, or on the whole ``workspace``. Its receiver must be up when it is made.

    A higher ``generation`` is another secret: the new webhook is there before the old one goes.
    """

    project: str | None = None
    team: str | None = None
    workspace: Literal[True] | None = None
    target: Annotated[str, matching(r"https://[^\s/?#]+/[^\s#]*", "must be an https address with a path")]
    events: list[FilterSettings] = Field(default_factory=list)
    generation: Annotated[int, Field(ge=1)] = 1

    @property
    def address(self) -> str:
        """The target as Asana is told it: every generation has an address of its own."""
        if self.generation == 1:
            return self.target
        return f"{self.target}{'&' if '?' in self.target else '?'}generation={self.generation}"

    def check(self) -> Iterator[Mistake]:
        """One resource; filters where Asana wants them."""
        if [self.project, self.team, self.workspace].count(None) != len(("project", "team")):
            yield Mistake((), "must give one of `project`, `team` and `workspace: true`")
        if self.project is None and not self.events:
            yield Mistake(("events",), "is needed: Asana takes a webhook on a team or a workspace with filters only")
        for index, event in enumerate(self.events):
            if self.project is None and event.fields:
                yield Mistake(("events", index, "fields"), "is for webhooks on a project")


class AsanaSettings(Settings):
    """``sophia-ai:asana``. Where it is, ASANA_BASE_URL says; who asks, ASANA_ACCESS_TOKEN, which only a person makes."""

    workspace: WorkspaceSettings
    teams: dict[Key, TeamSettings] = Field(default_factory=dict)
    fields: dict[Key, FieldSettings] = Field(default_factory=dict)
    projects: dict[Key, ProjectSettings] = Field(default_factory=dict)
    tags: dict[Key, TagSettings] = Field(default_factory=dict)
    webhooks: dict[Key, WebhookSettings] = Field(default_factory=dict)

    def check(self) -> Iterator[Mistake]:
        """Names are of things that are there, and nothing is there twice."""
        yield from same_object(("teams",), self.teams, "name")
        yield from same_object(("fields",), self.fields, "name")
        yield from same_object(("projects",), self.projects, "name", "team")
        yield from same_object(("tags",), self.tags, "name")
        yield from same_object(("webhooks",), self.webhooks, "target", "project", "team", "workspace")
        for key, project in self.projects.items():
            yield from unknown_name(("projects", key, "team"), project.team, self.teams, "team")
            for member, entry in project.members.items():
                if entry.team is not None:
                    place: Path = ("projects", key, "members", member, "team")
                    yield from unknown_name(place, entry.team, self.teams, "team")
            for index, used in enumerate(project.fields):
                yield from unknown_name(("projects", key, "fields", index, "field"), used.field, self.fields, "field")
        for key, webhook in self.webhooks.items():
            if webhook.project is not None:
                yield from unknown_name(("webhooks", key, "project"), webhook.project, self.projects, "project")
            if webhook.team is not None:
                yield from unknown_name(("webhooks", key, "team"), webhook.team, self.teams, "team")


def _twice(path: Path, values: Sequence[str], member: str) -> Iterator[Mistake]:
    """A mistake for each value of a list that stands there again."""
    count: Counter[str] = Counter()
    for index, value in enumerate(values):
        if count[value]:
            yield Mistake((*path, index, member), f'"{value}" is there twice')
        count[value] += 1

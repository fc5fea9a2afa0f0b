"""What the stack file says about Linear (``sophia-ai:linear``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from components.explain import Mistake
from components.settings import Adoptable, Key, Settings, matching, same_object, unknown_name, unknown_names

Color = Annotated[str, matching(r"#[0-9a-fA-F]{6}", 'must be a colour such as "#5e6ad2"')]
Email = Annotated[str, matching(r"[^@\s]+@[^@\s]+\.[^@\s]+", "must be the address of somebody in the workspace")]
TeamKey = Annotated[str, matching(r"[A-Z][A-Z0-9]{0,6}", "must be up to 7 upper-case letters and digits")]
ResourceType = Annotated[str, matching(r"[A-Z][A-Za-z]+", "must be one of Linear's types, such as Issue or Project")]
Url = Annotated[str, matching(r"https://\S+|http://127\.0\.0\.1\S*", "must be an https address")]
Name = Annotated[str, Field(min_length=1, max_length=80)]
Description = Annotated[str, Field(max_length=210)]
"""Linear takes 255 characters, of which the mark of the managing stack needs some."""

GitEvent = Literal["draft", "start", "review", "mergeable", "merge"]
StateType = Literal["triage", "backlog", "unstarted", "started", "completed", "canceled"]


def _is_day(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError as error:
        raise PydanticCustomError("day", "must be a day, such as 2027-03-31, in quotes") from error
    return text


def _is_timezone(text: str) -> str:
    if text not in available_timezones():
        raise PydanticCustomError("timezone", "must be a time zone such as America/Chicago")
    return text


Day = Annotated[str, AfterValidator(_is_day)]


class CycleSettings(Settings):
    """Cycles of some weeks. ``start_day`` 0 is Sunday; ``upcoming`` are those that Linear makes ahead."""

    weeks: Annotated[int, Field(ge=1, le=8)]
    cooldown_weeks: Annotated[int, Field(ge=0)] = 0
    start_day: Annotated[int, Field(ge=0, le=6)] = 1
    upcoming: Annotated[int, Field(ge=1)] = 2
    assign_started: bool = True
    assign_completed: bool = True
    lock_to_active: bool = False


class EstimationSettings(Settings):
    """By which scale issues are estimated."""

    type: Literal["exponential", "fibonacci", "linear", "tShirt"]
    allow_zero: bool = False
    extended: bool = False
    default: Annotated[float, Field(ge=0)] = 1


class StateSettings(Settings):
    """A state of the team's workflow. One of this name that Linear has made with the team is taken over."""

    name: Name
    type: StateType
    color: Color
    description: str | None = None
    position: float | None = None


class MemberSettings(Settings):
    email: Email
    owner: bool = False


class TeamSettings(Adoptable):
    """A team: who is in it, how its issues move, and to which state a pull request moves them (``git``)."""

    key: TeamKey
    name: Name
    description: Description = ""
    icon: str | None = None
    color: Color | None = None
    timezone: Annotated[str, AfterValidator(_is_timezone)] = "America/Chicago"
    private: bool = False
    parent: Key | None = None
    cycles: CycleSettings | None = None
    estimation: EstimationSettings | None = None
    triage: bool = False
    priority_to_leave_triage: bool = False
    auto_close_months: Annotated[int | None, Field(ge=0)] = None
    auto_archive_months: Annotated[int | None, Field(ge=0)] = None
    states: dict[Key, StateSettings] = Field(default_factory=dict)
    members: dict[Key, MemberSettings] = Field(default_factory=dict)
    git: dict[GitEvent, Key] = Field(default_factory=dict)

    def check(self) -> Iterator[Mistake]:
        """Names are a state's own in the team, and Git moves issues to states that are declared."""
        yield from same_object(("states",), self.states, "name")
        yield from same_object(("members",), self.members, "email")
        for event, state in self.git.items():
            yield from unknown_name(("git", event), state, self.states, "state of this team")
        if self.priority_to_leave_triage and not self.triage:
            yield Mistake(("priority_to_leave_triage",), "needs `triage: true`")


class LabelSettings(Adoptable):
    """A label of a team's issues, or without ``team`` of all. ``group: true`` holds others, which name it as ``parent``."""

    name: Name
    team: Key | None = None
    color: Color | None = None
    description: Description = ""
    group: bool = False
    parent: Key | None = None


class ProjectLabelSettings(Adoptable):
    name: Name
    color: Color | None = None
    description: Description = ""


class ProjectStatusSettings(Adoptable):
    """A status of projects in the whole workspace."""

    name: Name
    type: Literal["backlog", "planned", "started", "paused", "completed", "canceled"]
    color: Color
    description: Description = ""
    position: float
    indefinite: bool | None = None


class MilestoneSettings(Adoptable):
    name: Name
    description: Description = ""
    target_date: Day | None = None


class ProjectSettings(Adoptable):
    """A project. ``status`` and ``labels`` are keys of ``project_statuses`` and ``project_labels``.

    What is left out is people's to change in Linear.
    """

    name: Name
    teams: Annotated[list[Key], Field(min_length=1)]
    description: Description = ""
    content: str | None = None
    icon: str | None = None
    color: Color | None = None
    priority: Annotated[int | None, Field(ge=0, le=4)] = None
    status: Key | None = None
    lead: Email | None = None
    members: list[Email] | None = None
    labels: list[Key] | None = None
    start_date: Day | None = None
    target_date: Day | None = None
    target_resolution: Literal["month", "quarter", "halfYear", "year"] | None = None
    milestones: dict[Key, MilestoneSettings] = Field(default_factory=dict)

    def check(self) -> Iterator[Mistake]:
        """Milestones have names of their own; a project begins before it ends."""
        yield from same_object(("milestones",), self.milestones, "name")
        if self.start_date and self.target_date and self.start_date > self.target_date:
            yield Mistake(("target_date",), "is before `start_date`")


class InitiativeSettings(Adoptable):
    """What some projects are for."""

    name: Name
    description: Description = ""
    content: str | None = None
    status: Literal["Proposed", "Planned", "Active", "Completed", "Canceled"] | None = None
    owner: Email | None = None
    target_date: Day | None = None
    projects: list[Key] = Field(default_factory=list)


class IssueSettings(Settings):
    """What a new issue has. ``state`` and ``labels`` are keys; a person fills in the rest."""

    title: str | None = None
    description: str | None = None
    priority: Annotated[int | None, Field(ge=0, le=4)] = None
    estimate: Annotated[int | None, Field(ge=0)] = None
    state: Key | None = None
    labels: list[Key] = Field(default_factory=list)


class TemplateSettings(Adoptable):
    """What an ``issue`` of a team, or of every team, starts with; ``data`` is that of a project or document, in Linear's
    own names.
    """

    name: Name
    team: Key | None = None
    type: Literal["issue", "project", "document"] = "issue"
    description: Description = ""
    icon: str | None = None
    color: Color | None = None
    issue: IssueSettings | None = None
    data: dict[str, Any] | None = None

    def check(self) -> Iterator[Mistake]:
        """One of the two, as the type says; a state is a team's."""
        if (self.issue is not None) != (self.type == "issue"):
            yield Mistake(("issue",), "is what a template of type issue has, and no other")
        if (self.data is not None) == (self.type == "issue"):
            yield Mistake(("data",), "is what a template of another type than issue has")
        if self.issue and self.issue.state and self.team is None:
            yield Mistake(("issue", "state"), "is a team's: give `team`, too")


class ViewSettings(Adoptable):
    """A list of issues for everybody. ``filter`` is Linear's IssueFilter, which knows names as well as ids."""

    name: Name
    team: Key | None = None
    description: Description = ""
    icon: str | None = None
    color: Color | None = None
    filter: Annotated[dict[str, Any], Field(min_length=1)]


class WebhookSettings(Adoptable):
    """Who is told of changes, in one team or in all public ones. A higher ``generation`` is another secret."""

    url: Url
    label: Annotated[str, Field(max_length=40)] = ""
    team: Key | None = None
    resource_types: Annotated[list[ResourceType], Field(min_length=1)]
    enabled: bool = True
    generation: Annotated[int, Field(ge=1)] = 1


class LinearSettings(Settings):
    """``sophia-ai:linear``: a share of the workspace that LINEAR_API_KEY is of."""

    teams: dict[Key, TeamSettings] = Field(default_factory=dict)
    labels: dict[Key, LabelSettings] = Field(default_factory=dict)
    project_statuses: dict[Key, ProjectStatusSettings] = Field(default_factory=dict)
    project_labels: dict[Key, ProjectLabelSettings] = Field(default_factory=dict)
    projects: dict[Key, ProjectSettings] = Field(default_factory=dict)
    initiatives: dict[Key, InitiativeSettings] = Field(default_factory=dict)
    templates: dict[Key, TemplateSettings] = Field(default_factory=dict)
    views: dict[Key, ViewSettings] = Field(default_factory=dict)
    webhooks: dict[Key, WebhookSettings] = Field(default_factory=dict)

    def check(self) -> Iterator[Mistake]:
        """Objects are found again by their names; what is referred to is declared."""
        yield from same_object(("teams",), self.teams, "key")
        yield from same_object(("labels",), self.labels, "name", "team")
        yield from same_object(("templates",), self.templates, "name", "team", "type")
        yield from same_object(("views",), self.views, "name", "team")
        yield from same_object(("webhooks",), self.webhooks, "url", "team")
        by_name: Mapping[str, Mapping[str, Settings]] = {
            "project_statuses": self.project_statuses,
            "project_labels": self.project_labels,
            "projects": self.projects,
            "initiatives": self.initiatives,
        }
        for section, entries in by_name.items():
            yield from same_object((section,), entries, "name")
        yield from self._teams_named()
        yield from self._labels_named()
        yield from self._projects_named()

    def _teams_named(self) -> Iterator[Mistake]:
        for key, team in self.teams.items():
            if team.parent is not None:
                yield from unknown_name(("teams", key, "parent"), team.parent, self.teams, "team")
                if team.parent == key or (team.parent in self.teams and self.teams[team.parent].parent is not None):
                    yield Mistake(("teams", key, "parent"), "must be another team, which has no parent itself")
        owned: Mapping[str, Mapping[str, LabelSettings | TemplateSettings | ViewSettings | WebhookSettings]] = {
            "labels": self.labels,
            "templates": self.templates,
            "views": self.views,
            "webhooks": self.webhooks,
        }
        for section, entries in owned.items():
            for key, entry in entries.items():
                if entry.team is not None:
                    yield from unknown_name((section, key, "team"), entry.team, self.teams, "team")

    def _labels_named(self) -> Iterator[Mistake]:
        groups = {key: label for key, label in self.labels.items() if label.group}
        for key, label in self.labels.items():
            if label.parent is None:
                continue
            yield from unknown_name(("labels", key, "parent"), label.parent, groups, "label group")
            if label.group:
                yield Mistake(("labels", key, "parent"), "is left out of a group: groups are not nested")
            elif label.parent in groups and groups[label.parent].team not in (None, label.team):
                yield Mistake(("labels", key, "parent"), "is a group of another team")
        usable = {key: label for key, label in self.labels.items() if not label.group}
        for key, template in self.templates.items():
            issue = template.issue or IssueSettings()
            yield from unknown_names(("templates", key, "issue", "labels"), issue.labels, usable, "label")
            if issue.state is not None and template.team in self.teams:
                states = self.teams[template.team].states
                yield from unknown_name(("templates", key, "issue", "state"), issue.state, states, "state of that team")

    def _projects_named(self) -> Iterator[Mistake]:
        for key, project in self.projects.items():
            at = ("projects", key)
            yield from unknown_names((*at, "teams"), project.teams, self.teams, "team")
            yield from unknown_names((*at, "labels"), project.labels or [], self.project_labels, "project label")
            if project.status is not None:
                yield from unknown_name((*at, "status"), project.status, self.project_statuses, "project status")
        for key, initiative in self.initiatives.items():
            yield from unknown_names(("initiatives", key, "projects"), initiative.projects, self.projects, "project")

"""What Linear's objects are made of: the inputs of each kind, and which members are asked for.

A mutation answers and a list shows the same members of a kind (``…_NODE``), and no more: each costs.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from providers import base
from providers.base import Immutable, Unordered, WriteOnly

Color = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$"), AfterValidator(str.lower)]


Email = Annotated[str, AfterValidator(str.lower)]


Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]


Resolution = Literal["month", "quarter", "halfYear", "year"]


class LinearInputs(base.Inputs):
    model_config = ConfigDict(alias_generator=to_camel)


TEAM_NODE = (
    "id key name description icon color timezone private parent { id } cyclesEnabled cycleDuration cycleCooldownTime "
    "cycleStartDay upcomingCycleCount cycleIssueAutoAssignStarted cycleIssueAutoAssignCompleted cycleLockToActive "
    "issueEstimationType issueEstimationAllowZero issueEstimationExtended defaultIssueEstimate triageEnabled "
    "requirePriorityToLeaveTriage autoClosePeriod autoArchivePeriod createdAt archivedAt retiredAt"
)


class TeamInputs(LinearInputs):
    key: str = Field(pattern=r"^[A-Z][A-Z0-9]{0,6}$", description="what its issues' numbers begin with")
    name: str = Field(min_length=1)
    description: str = ""
    icon: str | None = None
    color: Color | None = None
    timezone: str | None = None
    private: bool = False
    parent_id: str | None = None
    cycles_enabled: bool | None = None
    cycle_duration: int | None = Field(default=None, ge=1, le=8, description="weeks")
    cycle_cooldown_time: int | None = Field(default=None, ge=0, description="weeks")
    cycle_start_day: int | None = Field(default=None, ge=0, le=6, description="0 is Sunday")
    upcoming_cycle_count: int | None = Field(default=None, ge=1)
    cycle_issue_auto_assign_started: bool | None = None
    cycle_issue_auto_assign_completed: bool | None = None
    cycle_lock_to_active: bool | None = None
    issue_estimation_type: Literal["notUsed", "exponential", "fibonacci", "linear", "tShirt"] | None = None
    issue_estimation_allow_zero: bool | None = None
    issue_estimation_extended: bool | None = None
    default_issue_estimate: float | None = None
    triage_enabled: bool | None = None
    require_priority_to_leave_triage: bool | None = None
    auto_close_period: int | None = Field(default=None, ge=0, description="months")
    auto_archive_period: int | None = Field(default=None, ge=0, description="months; 0 is never")


STATE_NODE = "id name type color description position team { id } createdAt archivedAt"


class WorkflowStateInputs(LinearInputs):
    team_id: Immutable[str]
    name: str = Field(min_length=1)
    type: Immutable[Literal["triage", "backlog", "unstarted", "started", "completed", "canceled", "duplicate"]]
    color: Color
    description: str | None = None
    position: float | None = None


LABEL_NODE = "id name color description isGroup parent { id } team { id } createdAt archivedAt retiredAt"


class LabelInputs(LinearInputs):
    team_id: Immutable[str] = Field(default="", description="none: the workspace's")
    name: str = Field(min_length=1)
    color: Color | None = None
    description: str = ""
    is_group: bool = False
    parent_id: str | None = None


PROJECT_LABEL_NODE = "id name color description isGroup parent { id } createdAt archivedAt retiredAt"


class ProjectLabelInputs(LinearInputs):
    name: str = Field(min_length=1)
    color: Color | None = None
    description: str = ""
    is_group: bool = False
    parent_id: str | None = None


STATUS_NODE = "id name type color description position indefinite createdAt archivedAt"


class ProjectStatusInputs(LinearInputs):
    name: str = Field(min_length=1)
    type: Literal["backlog", "planned", "started", "paused", "completed", "canceled"]
    color: Color
    description: str = ""
    position: float
    indefinite: bool | None = None


PROJECT_NODE = (
    "id name description content icon color priority startDate startDateResolution targetDate targetDateResolution "
    "status { id } lead { id email } labelIds teams(first: 20) { nodes { id } } "
    "members(first: 50) { nodes { id email } } createdAt archivedAt trashed url"
)


class ProjectInputs(LinearInputs):
    name: str = Field(min_length=1)
    team_ids: Unordered[str] = Field(min_length=1)
    description: str = Field(default="", max_length=210, description="Linear takes 255, of which the mark needs some")
    content: str | None = None
    icon: str | None = None
    color: Color | None = None
    priority: int | None = Field(default=None, ge=0, le=4)
    status_id: str | None = None
    lead: Email | None = None
    members: Unordered[Email] | None = None
    label_ids: Unordered[str] | None = None
    start_date: Day | None = None
    start_date_resolution: Resolution | None = None
    target_date: Day | None = None
    target_date_resolution: Resolution | None = None


MILESTONE_NODE = "id name description targetDate sortOrder project { id } createdAt archivedAt"


class MilestoneInputs(LinearInputs):
    project_id: Immutable[str]
    name: str = Field(min_length=1)
    description: str = ""
    target_date: Day | None = None
    sort_order: float | None = None


INITIATIVE_NODE = (
    "id name description content icon color status targetDate owner { id email } createdAt archivedAt trashed"
)


class InitiativeInputs(LinearInputs):
    name: str = Field(min_length=1)
    description: str = Field(default="", max_length=210)
    content: str | None = None
    icon: str | None = None
    color: Color | None = None
    status: Literal["Proposed", "Planned", "Active", "Completed", "Canceled"] | None = None
    owner: Email | None = None
    target_date: Day | None = None


LINK_NODE = "id initiative { id } project { id } createdAt archivedAt"


class InitiativeProjectInputs(LinearInputs):
    initiative_id: Immutable[str]
    project_id: Immutable[str]


TEMPLATE_NODE = "id name type description icon color templateData team { id } createdAt archivedAt"


class TemplateInputs(LinearInputs):
    team_id: Immutable[str] = Field(default="", description="none: every team's")
    type: Immutable[Literal["issue", "project", "document"]]
    name: str = Field(min_length=1)
    description: str = ""
    icon: str | None = None
    color: Color | None = None
    data: dict[str, Any] = Field(alias="templateData", description="what it fills in, in Linear's names")


VIEW_NODE = "id name description icon color shared filterData team { id } createdAt archivedAt"


class CustomViewInputs(LinearInputs):
    team_id: Immutable[str] = Field(default="", description="none: the workspace's")
    name: str = Field(min_length=1)
    description: str = ""
    icon: str | None = None
    color: Color | None = None
    shared: bool = True
    filter: dict[str, Any] = Field(alias="filterData", description="which issues, as Linear's IssueFilter")


WEBHOOK_NODE = "id label url enabled resourceTypes allPublicTeams team { id } createdAt archivedAt"


class WebhookInputs(LinearInputs):
    team_id: Immutable[str] = Field(default="", description="none: all public teams")
    all_public_teams: Immutable[bool] = False
    url: str = Field(pattern=r"^https?://")
    label: str = ""
    resource_types: Unordered[str] = Field(min_length=1)
    enabled: bool = True
    secret: WriteOnly[str]


MEMBERSHIP_NODE = "id owner team { id } user { id email } createdAt archivedAt"


class TeamMembershipInputs(LinearInputs):
    team_id: Immutable[str]
    user: Immutable[Email] = Field(description="the address of somebody who is in the workspace")
    owner: bool = False


class GitAutomationInputs(LinearInputs):
    team_id: Immutable[str]
    states: dict[Literal["draft", "start", "review", "mergeable", "merge"], str]

"""The inputs of Gong's kinds. Source of facts: Gong's OpenAPI description (``gong_openapi_v2.json``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from providers.base import Immutable, Inputs, Unordered

Id = Annotated[str, Field(min_length=1)]
Email = Annotated[str, AfterValidator(str.lower)]
Level = Literal["all", "managers-team", "report-to-them", "own", "none"]
"""Whose: everybody's, those of the teams of some leads, those of the people who report to one, one's own, nobody's."""


class WorkspaceInputs(Inputs):
    name: str = Field(min_length=1)
    description: str | None = None


class UserInputs(Inputs):
    email: Email = Field(alias="emailAddress")
    active: bool = True
    title: str | None = None
    manager: str | None = Field(default=None, alias="managerId")
    web_conferences_recorded: bool | None = Field(default=None, alias="webConferencesRecorded")
    telephony_calls_imported: bool | None = Field(default=None, alias="telephonyCallsImported")
    emails_imported: bool | None = Field(default=None, alias="emailsImported")


class TrackerInputs(Inputs):
    workspace: Immutable[Id] = Field(alias="workspaceId")
    name: str = Field(alias="trackerName", min_length=1)
    affiliation: Literal["Anyone", "Company", "NonCompany"] | None = None
    part_of_question: bool | None = Field(default=None, alias="partOfQuestion")
    said_at: Literal["Anytime", "First", "Last"] | None = Field(default=None, alias="saidAt")
    said_at_interval: int | None = Field(default=None, alias="saidAtInterval")
    keywords: dict[str, dict[str, Literal[True]]] | None = Field(
        default=None, description="those that must be among a language's: what people add besides is no difference"
    )


class ScorecardInputs(Inputs):
    workspace: Immutable[Id] = Field(alias="workspaceId")
    name: str = Field(alias="scorecardName", min_length=1)
    enabled: bool = True
    review_method: Literal["AUTOMATIC", "MANUAL"] | None = Field(default=None, alias="reviewMethod")
    questions: dict[str, Literal[True]] | None = Field(
        default=None, description="those that must be among its questions: what people ask besides is no difference"
    )


class LibraryFolderInputs(Inputs):
    workspace: Immutable[Id]
    name: str = Field(min_length=1)


class CrmIntegrationInputs(Inputs):
    name: str = Field(min_length=1)
    owner_email: Email = Field(alias="ownerEmail")


class _Part(BaseModel):
    """A member of a profile that is an object itself. What of it has no value is not managed."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True, alias_generator=to_camel)


def _level(given: Any) -> Any:
    return given.get("permission_level", given.get("permissionLevel")) if isinstance(given, Mapping) else None


class Access(_Part):
    """Whose data a member may see. ``team_lead_ids`` go with ``managers-team`` and with nothing else."""

    permission_level: Level | None = None
    team_lead_ids: Unordered[str] | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_leads_without_teams(cls, given: Any) -> Any:
        level = _level(given)
        return given if level in (None, "managers-team") else {"permission_level": level}


class LibraryAccess(_Part):
    """What of the library. With ``none`` Gong takes no other member."""

    permission_level: Literal["none", "all", "specific-folders"] | None = None
    library_folder_ids: Unordered[str] | None = None
    manage_public_folder: bool | None = None
    manage_streams: bool | None = None
    manage_folder_calls: bool | None = None
    share_folders_and_streams: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _nothing_beside_none(cls, given: Any) -> Any:
        return {"permission_level": "none"} if _level(given) == "none" else given


class Forecast(_Part):
    """Whose forecasts a member may see, submit and set targets for."""

    forecast_access: Access | None = None
    forecast_edit_submissions: Access | None = None
    forecast_edit_targets: Access | None = None


Permission = Literal[
    "account", "activity", "ai_builder", "calls_and_search", "coaching", "create_edit_and_delete_deals_boards",
    "crm_data_import", "crm_data_inline_editing", "deals", "deals_data_export", "deals_inline_editing", "delete_calls",
    "delete_emails", "download_call_media", "engage_allow_crm_fields_view_change",
    "engage_assign_flow_to_dos_to_others", "engage_create_and_manage_rulesets", "engage_manage_company_sequences",
    "engage_manage_company_templates", "engage_reassign_flow_to_dos_to_others", "engage_snooze_flow_to_dos_for_others",
    "export_calls_and_coaching_data_to_csv", "forecast", "forecast_manage", "initiatives", "library",
    "listen_in_calls", "manage_general_business_settings", "manage_revenue_analytics", "manage_scorecards",
    "manually_schedule_and_upload_calls", "market", "orchestrate_create_and_manage_plays", "override_score",
    "private_calls", "score_calls", "share_calls_with_customers", "team_stats", "trim_calls", "usage",
    "view_engage_analytics_activity", "view_engage_analytics_flows", "view_engage_analytics_performance",
    "view_revenue_analytics",
]  # fmt: skip
"""What a profile allows or not, each by itself."""

PERMISSIONS: tuple[str, ...] = get_args(Permission)


def permission_on_the_wire(name: str) -> str:
    """``exportCallsAndCoachingDataToCSV``: the one that is not spelled as all others are."""
    return to_camel(name).replace("ToCsv", "ToCSV")


class PermissionProfileInputs(Inputs):
    """``permissions``: what is allowed (true) or not (false); of what is not named nothing is said, and people decide."""

    workspace: Immutable[Id]
    name: str = Field(min_length=1)
    description: str = ""
    calls_access: Access | None = Field(default=None, alias="callsAccess")
    library_folder_access: LibraryAccess | None = Field(default=None, alias="libraryFolderAccess")
    deals_access: Access | None = Field(default=None, alias="dealsAccess")
    forecast_permissions: Forecast | None = Field(default=None, alias="forecastPermissions")
    coaching_access: Access | None = Field(default=None, alias="coachingAccess")
    insights_access: Access | None = Field(default=None, alias="insightsAccess")
    usage_access: Access | None = Field(default=None, alias="usageAccess")
    emails_access: Access | None = Field(default=None, alias="emailsAccess")
    permissions: dict[Permission, bool] = Field(default_factory=dict)


class ProfileMemberInputs(Inputs):
    profile: Immutable[Id]
    email: Immutable[Email] = Field(alias="emailAddress")

"""What Gong shows of objects that were asked for with some inputs."""

from __future__ import annotations

from providers import gong
from tests.unit.shown.example import Examples

NONE = {"permissionLevel": "none"}

SHOWN: Examples = {
    "gong workspace": (
        gong.Workspace,
        {"name": "Sales", "description": "All of it"},
        {"id": "623457276584334000", "name": "Sales", "description": "All of it"},
        "623457276584334000",
    ),
    "gong user": (
        gong.User,
        {"email": "Ada@payready.com", "title": "Reviewer", "manager": "7", "web_conferences_recorded": True},
        {
            "id": "8",
            "emailAddress": "ada@payready.com",
            "active": True,
            "title": "Reviewer",
            "managerId": "7",
            "settings": {"webConferencesRecorded": True, "emailsImported": False},
        },
        "8",
    ),
    "gong tracker": (
        gong.Tracker,
        {"workspace": "1", "name": "EliseAI", "said_at": "Anytime", "keywords": {"eng": {"Elise AI": True}}},
        {
            "trackerId": "9",
            "trackerName": "EliseAI",
            "workspaceId": "1",
            "saidAt": "Anytime",
            "affiliation": "Anyone",
            "partOfQuestion": False,
            "languageKeywords": [
                {"language": "eng", "keywords": ["Elise"], "includeRelatedForms": True},
                {"language": "eng", "keywords": ["Elise AI"], "includeRelatedForms": False},
                {"language": "spa", "keywords": ["Elise"], "includeRelatedForms": False},
            ],
        },
        "9",
    ),
    "gong scorecard": (
        gong.Scorecard,
        {
            "workspace": "6123000000000011001",
            "name": "Discovery",
            "review_method": "MANUAL",
            "questions": {"Next step?": True},
        },
        {
            "scorecardId": 6123000000000041001,
            "scorecardName": "Discovery",
            "workspaceId": 6123000000000011001,
            "enabled": True,
            "reviewMethod": "MANUAL",
            "questions": [{"questionId": 1, "questionText": "Next step?"}, {"questionId": 2, "questionText": "Why?"}],
        },
        "6123000000000041001",
    ),
    "gong library folder": (
        gong.LibraryFolder,
        {"workspace": "1", "name": "Examples"},
        {"id": "5", "name": "Examples", "parentFolderId": None, "createdBy": "8"},
        "5",
    ),
    "gong CRM integration": (
        gong.CrmIntegration,
        {"name": "Entrata", "owner_email": "ada@payready.com"},
        {"integrationId": 6123000000000000777, "name": "Entrata", "ownerEmail": "Ada@payready.com"},
        "6123000000000000777",
    ),
    "gong permission profile": (
        gong.PermissionProfile,
        {
            "workspace": "1",
            "name": "Reviewers",
            "description": "Who listens",
            "calls_access": {"permission_level": "managers-team", "team_lead_ids": ["9", "8"]},
            "deals_access": {"permission_level": "own", "team_lead_ids": ["8"]},
            "library_folder_access": {"permission_level": "specific-folders", "library_folder_ids": ["5"]},
            "forecast_permissions": {"forecast_access": {"permission_level": "none"}},
            "permissions": {"score_calls": True, "export_calls_and_coaching_data_to_csv": False},
        },
        {
            "id": "x",
            "name": "Reviewers",
            "description": "Who listens (managed by sophia-ai/dev)",
            "callsAccess": {"permissionLevel": "managers-team", "teamLeadIds": ["9", "8"]},
            "dealsAccess": {"permissionLevel": "own", "teamLeadIds": []},
            "emailsAccess": NONE,
            "libraryFolderAccess": {
                "permissionLevel": "specific-folders",
                "libraryFolderIds": ["5"],
                "manageStreams": False,
            },
            "forecastPermissions": {"forecastAccess": NONE, "forecastEditTargets": {"permissionLevel": "own"}},
            "scoreCalls": True,
            "exportCallsAndCoachingDataToCSV": False,
            "aiBuilder": True,
        },
        "x",
    ),
    "gong member of a profile": (
        gong.ProfileMember,
        {"profile": "x", "email": "Ada@payready.com"},
        {"id": "8", "fullName": "Ada Lovelace", "emailAddress": "ada@payready.com"},
        "8",
    ),
}

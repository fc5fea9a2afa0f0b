"""What people have made in the sandbox's Gong: users, and in each workspace trackers, scorecards and library folders.

Ids have 19 digits, as Gong's have, so that a program which reads them as floating-point numbers goes wrong here as well.
"""

from __future__ import annotations

from typing import Any

from sandbox.store import Document, Store

STAGES = ("dev", "staging", "prod")
WORKSPACES = {"dev": "Sophia Development", "staging": "Sophia Staging", "prod": "Pay Ready"}
_MADE = "2026-08-24T10:30:00Z"

USERS = {
    "automation@payready.com": ("Sophia", "Automation", "Technical administrator"),
    "sales@payready.com": ("Sam", "Okafor", "VP Sales"),
    "seller@payready.com": ("Robin", "Vance", "Account executive"),
    "collections@payready.com": ("Carla", "Mendez", "Head of collections"),
    "compliance@payready.com": ("Priya", "Nair", "Compliance officer"),
    "ceo@payready.com": ("Alex", "Reed", "Chief executive"),
}

TRACKERS: dict[str, tuple[str, list[str]]] = {
    "EliseAI": ("Anyone", ["EliseAI", "Elise AI", "Elise"]),
    "Hunter Warfield": ("Anyone", ["Hunter Warfield", "HWI"]),
    "Pricing": ("NonCompany", ["price", "pricing", "per unit", "per door", "discount"]),
    "Collections": ("Anyone", ["past due", "collections agency", "payment plan", "write off", "delinquency"]),
}
"""Who says them, and the keywords in English."""

SCORECARDS = {
    "Discovery call": ("MANUAL", ["Were the property management systems named?", "Was a next step agreed?"]),
    "Collections compliance": (
        "AUTOMATIC",
        [
            "Was it said that the call is about a debt, and recorded?",
            "Was the resident's identity verified before the debt was named?",
            "Was a dispute or a request to stop contact followed at once?",
        ],
    ),
}
FOLDERS = ("Collections: calls to learn from", "Against EliseAI", "Pricing objections")


def number(kind: int, stage: str, index: int = 0) -> int:
    return 6_123_000_000_000_000_000 + kind * 10_000 + (STAGES.index(stage) + 1) * 1000 + index + 1


def workspace_id(stage: str) -> str:
    return str(number(1, stage))


def user_id(email: str) -> str:
    return str(number(2, "dev", list(USERS).index(email)))


def fill(store: Store) -> None:
    """Puts all of it there."""
    for email, (first, last, title) in USERS.items():
        store.put("user", user_id(email), _user(email, first, last, title))
    for stage, name in WORKSPACES.items():
        workspace = {"id": workspace_id(stage), "name": name, "description": f"Calls of {name}"}
        store.put("workspace", workspace["id"], workspace)
        for index, (title, (affiliation, keywords)) in enumerate(TRACKERS.items()):
            tracker = _tracker(number(3, stage, index), title, affiliation, keywords)
            store.put("tracker", tracker["trackerId"], tracker | {"workspaceId": workspace["id"]})
        for index, (title, (method, questions)) in enumerate(SCORECARDS.items()):
            scorecard = _scorecard(number(4, stage, index), title, method, questions)
            store.put("scorecard", str(scorecard["scorecardId"]), scorecard | {"workspaceId": number(1, stage)})
        for index, title in enumerate(FOLDERS):
            folder = {"id": str(number(5, stage, index)), "name": title, "updated": _MADE}
            own = {"createdBy": user_id("sales@payready.com"), "workspaceId": workspace["id"]}
            store.put("folder", folder["id"], folder | own)


def _user(email: str, first: str, last: str, title: str) -> Document:
    recorded: dict[str, Any] = {
        "webConferencesRecorded": email != "automation@payready.com",
        "preventWebConferenceRecording": False,
        "telephonyCallsImported": True,
        "emailsImported": True,
        "preventEmailImport": False,
        "nonRecordedMeetingsImported": False,
        "gongConnectEnabled": False,
    }
    leads = {"seller@payready.com": "sales@payready.com"}
    manager = {"managerId": user_id(leads[email])} if email in leads else {}
    return {
        "id": user_id(email),
        "emailAddress": email,
        "created": _MADE,
        "active": True,
        "emailAliases": [],
        "firstName": first,
        "lastName": last,
        "title": title,
        "settings": recorded,
        **manager,
    }


def _tracker(id_: int, name: str, affiliation: str, keywords: list[str]) -> Document:
    return {
        "trackerId": str(id_),
        "trackerName": name,
        "languageKeywords": [{"language": "eng", "keywords": keywords, "includeRelatedForms": True}],
        "affiliation": affiliation,
        "partOfQuestion": False,
        "saidAt": "Anytime",
        "saidInTopics": [],
        "created": _MADE,
        "updated": _MADE,
    }


def _scorecard(id_: int, name: str, method: str, questions: list[str]) -> Document:
    return {
        "scorecardId": id_,
        "scorecardName": name,
        "enabled": True,
        "created": _MADE,
        "updated": _MADE,
        "reviewMethod": method,
        "questions": [
            {
                "questionId": id_ + 100 + index,
                "questionRevisionId": id_ + 200 + index,
                "questionText": text,
                "isOverall": index == 0,
                "questionType": "RANGE",
                "minRange": 1,
                "maxRange": 5,
            }
            for index, text in enumerate(questions)
        ],
    }

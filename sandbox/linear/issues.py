"""Issues, and what issues start from and are looked at through: templates, views; and webhooks, which tell of them."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from sandbox.http import Call
from sandbox.linear.access import demand_admin, invalid, refused
from sandbox.linear.events import announce
from sandbox.linear.objects import (
    Arguments,
    Resolver,
    answered,
    changed,
    live,
    live_ones,
    many,
    new,
    now,
    one,
)
from sandbox.linear.teams import check_color, check_name, remover
from sandbox.sealing import opened, sealed
from sandbox.store import Document

_ICONED = {"description": None, "icon": None, "color": None, "teamId": None}
_TEMPLATES = ("issue", "project", "document")
_EVENTS = (
    "Attachment AuditEntry Comment Cycle Customer CustomerNeed Document Initiative InitiativeUpdate Issue "
    "IssueLabel IssueRelation IssueSLA OAuthApp Project ProjectLabel ProjectUpdate Reaction User"
)
_FILTERS = (
    "and or accumulatedStateUpdatedAt addedToCycleAt archivedAt assignee attachments autoArchivedAt autoClosedAt "
    "canceledAt children comments completedAt createdAt creator customerCount cycle delegate description dueDate "
    "estimate hasBlockedByRelations hasBlockingRelations hasDuplicateRelations hasRelatedRelations id labels "
    "number parent priority project projectMilestone reactions releases slaStatus snoozedBy snoozedUntilAt "
    "startedAt state subscribers team template title triagedAt updatedAt"
)
_LOCAL = ("127.0.0.1", "localhost", "::1")
_ISSUE: Document = {
    "description": None,
    "priority": 0,
    "estimate": None,
    "projectId": None,
    "assigneeId": None,
    "labelIds": [],
    "lastAppliedTemplateId": None,
}
_FILLED = ("title", "description", "priority", "estimate", "stateId", "projectId", "assigneeId", "labelIds")


def create_issue(call: Call, arguments: Arguments) -> Document:
    """What a template says holds unless the input says something else. Issues are numbered by team."""
    sent = {name: value for name, value in arguments["input"].items() if value is not None}
    team = live(call, "team", sent["teamId"])
    template = live(call, "template", sent.pop("templateId")) if "templateId" in sent else None
    if template and (template["type"] != "issue" or template["teamId"] not in (None, team["id"])):
        raise refused("The template is not one for issues of this team")
    filled = json.loads(template["templateData"]) if template else {}
    first = min(
        live_ones(call, "workflowState", teamId=team["id"], type="backlog"), key=lambda state: state["position"]
    )
    number = len(call.store.latest.all("issue", teamId=team["id"])) + 1
    defaults = {
        **_ISSUE,
        "stateId": first["id"],
        **{name: filled[name] for name in _FILLED if filled.get(name) is not None},
        "lastAppliedTemplateId": template["id"] if template else None,
        "number": number,
        "identifier": f"{team['key']}-{number}",
        "url": f"https://linear.app/pay-ready/issue/{team['key']}-{number}",
    }
    issue = new(call, "issue", sent, defaults)
    if not issue.get("title"):
        raise invalid("title must not be empty")
    return _saved_issue(call, issue, "create")


def update_issue(call: Call, arguments: Arguments) -> Document:
    return _saved_issue(call, changed("issue", live(call, "issue", arguments["id"]), arguments["input"]), "update")


def archive_issue(call: Call, arguments: Arguments) -> Document:
    issue = live(call, "issue", arguments["id"]) | {"archivedAt": now()}
    return answered(call, "issue", call.store.put("issue", issue["id"], issue), "entity")


def _saved_issue(call: Call, issue: Document, action: str) -> Document:
    if live(call, "workflowState", issue["stateId"])["teamId"] != issue["teamId"]:
        raise refused("The workflow state is of another team")
    if not 0 <= issue["priority"] <= 4:
        raise invalid("priority must be from 0 to 4")
    for id_ in issue["labelIds"]:
        label = live(call, "issueLabel", id_)
        if label["isGroup"] or label["retiredAt"] or label["teamId"] not in (None, issue["teamId"]):
            raise refused("The label cannot be applied: it is a group, retired, or another team's")
    for kind, member in (("project", "projectId"), ("user", "assigneeId")):
        if issue[member]:
            live(call, kind, issue[member])
    call.store.put("issue", issue["id"], issue)
    announce(call, "issue", action, issue)
    return answered(call, "issue", issue)


def _template(kind: str) -> Resolver:
    def resolve(call: Call, arguments: Arguments) -> Document:
        sent = arguments["input"]
        if kind == "create":
            template = new(call, "template", sent, _ICONED)
        else:
            template = changed("template", live(call, "template", arguments["id"]), sent)
        check_name(template)
        check_color(template)
        if template["type"] not in _TEMPLATES:
            raise invalid(f"type must be one of {', '.join(_TEMPLATES)}")
        if template["teamId"]:
            live(call, "team", template["teamId"])
        template["templateData"] = _stringified(template["templateData"])
        return answered(call, "template", call.store.put("template", template["id"], template))

    return resolve


def _stringified(data: Any) -> str:
    """Linear's JSON scalar is a text with JSON in it."""
    try:
        document = json.loads(data) if isinstance(data, str) else data
    except ValueError as error:
        raise invalid("templateData must be valid JSON") from error
    if not isinstance(document, dict):
        raise invalid("templateData must be an object")
    return json.dumps(document)


def list_templates(call: Call, _arguments: Arguments) -> list[Document]:
    return list(many("template")(call, {"first": 250})["nodes"])


def _custom_view(kind: str) -> Resolver:
    def resolve(call: Call, arguments: Arguments) -> Document:
        sent = arguments["input"]
        owner = call.store.latest.first("user", email=call.caller) or {}
        defaults = {**_ICONED, "shared": False, "filterData": {}, "modelName": "Issue", "ownerId": owner["id"]}
        if kind == "create":
            shown = new(call, "customView", sent, defaults)
            shown["slugId"] = shown["id"][:12]
        else:
            shown = changed("customView", live(call, "customView", arguments["id"]), sent)
        check_name(shown)
        check_color(shown)
        if unknown := sorted(set(shown["filterData"]) - set(_FILTERS.split())):
            raise invalid(f'Field "{unknown[0]}" is not defined by type "IssueFilter"')
        if shown["teamId"]:
            live(call, "team", shown["teamId"])
        return answered(call, "customView", call.store.put("customView", shown["id"], shown))

    return resolve


def _webhook(kind: str) -> Resolver:
    def resolve(call: Call, arguments: Arguments) -> Document:
        """Its secret is Linear's own where none is sent."""
        demand_admin(call)
        sent = arguments["input"]
        if kind == "create":
            defaults: Document = {
                "label": None,
                "allPublicTeams": False,
                "teamId": None,
                "failures": [],
                "enabled": True,
            }
            webhook = new(call, "webhook", sent, {**defaults, "secret": f"lin_wh_{secrets.token_hex(20)}"})
        else:
            webhook = changed("webhook", live(call, "webhook", arguments["id"]), sent)
            webhook["failed"] = 0 if sent.get("enabled") else webhook.get("failed", 0)
        _check_webhook(call, webhook)
        kept = {
            **webhook,
            "secret": sealed(call.request.app.state.vault, opened(call.request.app.state.vault, webhook["secret"])),
        }
        return answered(call, "webhook", call.store.put("webhook", webhook["id"], kept))

    return resolve


def _check_webhook(call: Call, webhook: Document) -> None:
    address = urlsplit(webhook["url"])
    if address.scheme != "https" and address.hostname not in _LOCAL:
        raise invalid("url must be an https address")
    if not webhook["resourceTypes"]:
        raise invalid("resourceTypes must not be empty")
    if unknown := sorted(set(webhook["resourceTypes"]) - set(_EVENTS.split())):
        raise invalid(f"resourceTypes has {unknown[0]}, which is no resource type")
    if bool(webhook["teamId"]) == webhook["allPublicTeams"]:
        raise invalid("either teamId or allPublicTeams must be given")
    if webhook["teamId"]:
        live(call, "team", webhook["teamId"])
    if not re.fullmatch(r"\S{8,}", opened(call.request.app.state.vault, webhook["secret"] or "")):
        raise invalid("secret must have 8 characters at least")


def rotate_secret(call: Call, arguments: Arguments) -> Document:
    demand_admin(call)
    secret = f"lin_wh_{secrets.token_hex(20)}"
    webhook = live(call, "webhook", arguments["id"]) | {"secret": sealed(call.request.app.state.vault, secret)}
    call.store.put("webhook", webhook["id"], webhook)
    return {"success": True, "lastSyncId": 1.0, "secret": secret}


def _for_admins(resolver: Resolver) -> Resolver:
    def resolve(call: Call, arguments: Arguments) -> Any:
        demand_admin(call)
        return resolver(call, arguments)

    return resolve


RESOLVERS: Mapping[str, Any] = {
    "issue": one("issue"),
    "issues": many("issue"),
    "issueCreate": create_issue,
    "issueUpdate": update_issue,
    "issueArchive": archive_issue,
    "template": one("template"),
    "templates": list_templates,
    "templateCreate": _template("create"),
    "templateUpdate": _template("update"),
    "templateDelete": remover("template"),
    "customView": one("customView"),
    "customViews": many("customView"),
    "customViewCreate": _custom_view("create"),
    "customViewUpdate": _custom_view("update"),
    "customViewDelete": remover("customView"),
    "webhook": _for_admins(one("webhook")),
    "webhooks": _for_admins(many("webhook")),
    "webhookCreate": _webhook("create"),
    "webhookUpdate": _webhook("update"),
    "webhookDelete": _for_admins(remover("webhook")),
    "webhookRotateSecret": rotate_secret,
}

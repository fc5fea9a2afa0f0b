"""Vercel's projects by its API, with domains, variables and bypasses; deployments and charges as far as they were noted.

Nothing is built here: ``deployment`` and ``charge`` are kinds that tests put into the store.
"""

from __future__ import annotations

import json
import re
import time
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from sandbox.http import ApiError, Call, Routes, answer, digest
from sandbox.official.api.vercel_access import CamelBody, created, objects, require_team, sent, updated
from sandbox.official.values import Properties
from sandbox.official.vercel_projects import DOMAIN, PROJECT, TEAM
from sandbox.official.vercel_variables import VARIABLE
from sandbox.sealing import opened, sealed
from sandbox.store import Document

_BYPASS = "bypass"
_BYPASS_SECRET = re.compile(r"[a-zA-Z0-9]{32}")
_SETTINGS = (
    "framework",
    "nodeVersion",
    "buildCommand",
    "devCommand",
    "installCommand",
    "outputDirectory",
    "rootDirectory",
)


def _project(call: Call) -> Document:
    require_team(call)
    wanted = call.path("project")
    for document in call.store.all(PROJECT):
        if wanted in (document["id"], document["properties"]["name"]):
            return document
    raise ApiError(404, "Project not found.")


def _shown(call: Call, document: Document) -> Document:
    properties = document["properties"]
    protection = properties.get("vercelAuthentication") or {}
    kind = protection.get("deploymentType", "none")
    bypasses = {
        opened(call.request.app.state.vault, bypass["secret"]): {
            "createdAt": bypass["createdAt"],
            "createdBy": "user_sandbox",
            "scope": "automation-bypass",
        }
        for bypass in call.store.all(_BYPASS, project=document["id"])
    }
    shown: Document = {
        "id": document["id"],
        "accountId": TEAM,
        "name": properties["name"],
        "directoryListing": properties.get("directoryListing", False),
        "gitForkProtection": properties.get("gitForkProtection", True),
        "autoAssignCustomDomains": properties.get("autoAssignCustomDomains", True),
        "ssoProtection": None if kind == "none" else {"deploymentType": _spelled(kind)},
        "protectionBypass": bypasses,
        "resourceConfig": _functions(properties.get("resourceConfig") or {}),
        "defaultResourceConfig": _functions({}),
        **{name: properties[name] for name in _SETTINGS if properties.get(name) is not None},
    }
    return shown


def _functions(config: Properties) -> Document:
    return {
        "fluid": config.get("fluid", True),
        "functionDefaultRegions": config.get("functionDefaultRegions", ["iad1"]),
        "functionDefaultTimeout": config.get("functionDefaultTimeout", 300),
        "functionDefaultMemoryType": config.get("functionDefaultCpuType", "standard"),
    }


def _spelled(kind: str) -> str:
    """The package has friendlier words for the kinds of protection than the API."""
    words = {
        "standard_protection_new": "all_except_custom_domains",
        "standard_protection": "prod_deployment_urls_and_all_previews",
        "all_deployments": "all",
        "only_preview_deployments": "preview",
    }
    return words.get(kind, kind)


class _Project(CamelBody):
    name: str | None = None
    framework: str | None = None
    build_command: str | None = None
    dev_command: str | None = None
    install_command: str | None = None
    output_directory: str | None = None
    root_directory: str | None = None


class _NewProject(_Project):
    name: str


class _Changes(_Project):
    node_version: str | None = None
    git_fork_protection: bool | None = None
    directory_listing: bool | None = None


def _create(call: Call) -> Response:
    require_team(call)
    asked = {name: value for name, value in sent(call, _NewProject).sent().items() if value is not None}
    key, _ = created(call, PROJECT, {**asked, "teamId": TEAM})
    return answer(_shown(call, call.store.latest.get(PROJECT, key) or {}))


def _update(call: Call) -> Response:
    document = _project(call)
    changes = sent(call, _Changes).sent()
    asked: Properties = {
        name: value for name, value in document["properties"].items() if name not in document["filled"]
    }
    asked = {name: value for name, value in {**asked, **changes}.items() if value is not None}
    updated(call, PROJECT, document["id"], asked)
    return answer(_shown(call, call.store.latest.get(PROJECT, document["id"]) or {}))


def _delete(call: Call) -> Response:
    project = _project(call)["id"]
    for bypass in call.store.all(_BYPASS, project=project):
        call.store.delete(_BYPASS, bypass["id"])
    objects(call).delete(PROJECT, project)
    return Response(status_code=204)


def _list(call: Call) -> Response:
    require_team(call)
    found = [_shown(call, document) for document in call.store.all(PROJECT)]
    return answer({"projects": found, "pagination": _page(found)})


def _page(found: list[Any]) -> Document:
    return {"count": len(found), "next": None, "prev": None}


def _change_bypass(call: Call) -> Response:
    """Makes a bypass (one that is there already stays as it is), or takes one away. Vercel shows them to whoever asks."""
    project = _project(call)
    asked = json.loads(call.payload or b"{}")
    odd = sorted(set(asked) - {"generate", "revoke"}) if isinstance(asked, dict) else ["body"]
    if odd:
        raise ApiError(400, f"Invalid request: should NOT have additional property `{odd[0]}`")
    generate, revoke = asked.get("generate"), asked.get("revoke")
    if revoke:
        key = f"{project['id']}/{digest(str(revoke.get('secret')))}"
        if not call.store.delete(_BYPASS, key):
            raise ApiError(404, "Protection bypass not found")
    if generate is not None:
        secret = str(generate.get("secret") or "")
        if not _BYPASS_SECRET.fullmatch(secret):
            raise ApiError(400, "Invalid request: `generate.secret` should match pattern ^[a-zA-Z0-9]{32}$")
        key = f"{project['id']}/{digest(secret)}"
        kept = sealed(call.request.app.state.vault, secret)
        made = {"id": key, "project": project["id"], "secret": kept, "createdAt": int(time.time() * 1000)}
        if call.store.latest.get(_BYPASS, key) is None:
            call.store.put(_BYPASS, key, made)
    return answer({"protectionBypass": _shown(call, project)["protectionBypass"]})


def _domain(document: Document) -> Document:
    properties = document["properties"]
    return {
        "name": properties["domain"],
        "apexName": ".".join(properties["domain"].split(".")[-2:]),
        "projectId": properties["projectId"],
        "redirect": properties.get("redirect"),
        "redirectStatusCode": properties.get("redirectStatusCode"),
        "gitBranch": properties.get("gitBranch"),
        "verified": properties.get("verified", True),
    }


def _list_domains(call: Call) -> Response:
    project = _project(call)["id"]
    found = [_domain(d) for d in call.store.all(DOMAIN) if d["properties"]["projectId"] == project]
    return answer({"domains": found, "pagination": _page(found)})


def _domain_configuration(call: Call) -> Response:
    """DNS is not asked: what a test has put into the domain's ``misconfigured`` is told."""
    require_team(call)
    document = call.store.get(DOMAIN, call.path("domain"))
    misconfigured = bool(document and document["properties"].get("misconfigured"))
    return answer(
        {
            "configuredBy": None if misconfigured else "CNAME",
            "acceptedChallenges": [] if misconfigured else ["http-01"],
            "recommendedIPv4": [{"rank": 1, "value": ["76.76.21.21"]}],
            "recommendedCNAME": [{"rank": 1, "value": "cname.vercel-dns.com."}],
            "misconfigured": misconfigured,
        }
    )


def _list_variables(call: Call) -> Response:
    """Values are shown to nobody: those that may be read lie encrypted, the sensitive ones are write-only."""
    project = _project(call)["id"]
    found = [
        {
            "id": document["id"],
            "key": document["properties"]["key"],
            "type": "sensitive" if document["properties"].get("sensitive") else "encrypted",
            "value": "",
            "target": document["properties"].get("targets", []),
            "comment": document["properties"].get("comment", ""),
        }
        for document in call.store.all(VARIABLE)
        if document["properties"]["projectId"] == project
    ]
    return answer({"envs": found, "pagination": _page(found)})


def _list_deployments(call: Call) -> Response:
    """The newest first, of one target where one is asked for."""
    require_team(call)
    target, projects = call.query("target"), call.many("projectIds") or call.many("projectId")
    found = [
        one
        for one in call.store.all("deployment")
        if (target is None or one.get("target") == target) and (not projects or one["projectId"] in projects)
    ]
    found.sort(key=lambda one: one["created"], reverse=True)
    return answer({"deployments": found[: call.number("limit", 20, 1, 100)], "pagination": _page(found)})


def _list_charges(call: Call) -> Response:
    """FOCUS charges as JSON lines; the sandbox bills nothing, so that there are those which a test has noted."""
    require_team(call)
    if not (call.query("from") and call.query("to")):
        raise ApiError(400, "Invalid request: `from` and `to` are needed")
    lines = "".join(json.dumps(charge) + "\n" for charge in call.store.all("charge"))
    return Response(lines, media_type="application/jsonl")


def routes(make: Routes) -> list[Route]:
    return [
        make("/v10/projects", GET=_list),
        make("/v11/projects", POST=_create),
        make("/v9/projects/{project}", GET=lambda c: answer(_shown(c, _project(c))), PATCH=_update, DELETE=_delete),
        make("/v1/projects/{project}/protection-bypass", PATCH=_change_bypass),
        make("/v9/projects/{project}/domains", GET=_list_domains),
        make("/v10/projects/{project}/env", GET=_list_variables),
        make("/v6/domains/{domain}/config", GET=_domain_configuration),
        make("/v6/deployments", GET=_list_deployments),
        make("/v1/billing/charges", GET=_list_charges),
    ]

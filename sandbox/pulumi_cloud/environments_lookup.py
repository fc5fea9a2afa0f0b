"""What the ESC calls read from a request: the environment that it names, members of its body, its page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.pulumi_cloud import environments_store as store
from sandbox.pulumi_cloud.account import ORGANIZATIONS
from sandbox.pulumi_cloud.calls import ApiError, Call
from sandbox.pulumi_cloud.environments_store import Environment, Revision, Tag

_PAGE = 500
_PROJECT = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9_.-]{1,100}")
_ENVIRONMENT = re.compile(r"(?!\.|open|yaml)[A-Za-z0-9_.-]{1,100}")


@dataclass(frozen=True)
class Page:
    tags: Sequence[Tag]
    more: bool


def organization_of(call: Call) -> str:
    organization = call.parameter("org")
    if organization not in ORGANIZATIONS:
        raise ApiError(404, f"Not Found: organization {organization!r} not found")
    return organization


def environment_of(call: Call) -> Environment:
    organization = organization_of(call)
    project, name = call.parameter("project"), call.parameter("env")
    environment = store.find(call.connection, organization, project, name)
    if environment is None:
        raise ApiError(404, f"Not Found: environment '{organization}/{project}/{name}' not found")
    return environment


def revision_of(call: Call, environment: Environment) -> Revision:
    """The revision that the path names, or the newest."""
    version = str(call.request.path_params.get("version", store.LATEST))
    revision = store.revision(call.connection, environment, version)
    if revision is None:
        raise ApiError(404, f"Not Found: environment {environment.full_name} has no revision {version!r}")
    return revision


def new_name(call: Call, organization: str, body: Mapping[str, Any]) -> tuple[str, str]:
    """The project and name of an environment to be made. 400 for impossible names, 409 if it exists."""
    project, name = text_member(body, "project"), text_member(body, "name")
    if not _PROJECT.fullmatch(project):
        raise ApiError(400, f"Bad Request: project name {project!r}: 1 to 100 letters, digits and - _ . are possible")
    if not _ENVIRONMENT.fullmatch(name):
        raise ApiError(
            400,
            f"Bad Request: environment name {name!r}: 1 to 100 letters, digits and - _ . are possible, "
            "not beginning with a dot, 'open' or 'yaml'",
        )
    if store.find(call.connection, organization, project, name):
        raise ApiError(409, f"Conflict: environment '{organization}/{project}/{name}' already exists")
    return project, name


def text_member(body: Mapping[str, Any], name: str, *, empty: bool = False) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not (value or empty):
        raise ApiError(400, f"Bad Request: {name} must be a text")
    return value


def whole_number(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise ApiError(400, f"Bad Request: {name} must be a whole number")
    return value


def query_number(call: Call, name: str, default: int) -> int:
    text = call.request.query_params.get(name)
    if text is None:
        return default
    if not text.isdecimal():
        raise ApiError(400, f"Bad Request: {name} must be a whole number, not {text!r}")
    return min(int(text), 2**31)


def page_of(call: Call, tags: Sequence[Tag]) -> Page:
    """Those after the name ``after``, at most ``count``."""
    after = call.request.query_params.get("after", "")
    following = [tag for tag in tags if tag.name > after]
    count = query_number(call, "count", _PAGE) or _PAGE
    return Page(following[:count], len(following) > count)

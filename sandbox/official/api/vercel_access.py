"""What the parts of Vercel's API share: bodies, the team, and the objects of the package's stand-in."""

from __future__ import annotations

import json
from typing import TypeVar

from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

from sandbox.http import ApiError, Body, Call
from sandbox.official.behaviour import RefusedError
from sandbox.official.objects import Objects
from sandbox.official.types import Failure
from sandbox.official.values import Properties
from sandbox.official.vercel import PACKAGE, TEAM

M = TypeVar("M", bound=Body)

_STATUS = {"forbidden": 403, "not_found": 404, "conflict": 409, "domain_already_in_use": 409}


class CamelBody(Body):
    """A body whose members have Vercel's spelling."""

    model_config = ConfigDict(alias_generator=to_camel)


def objects(call: Call) -> Objects:
    return Objects(call.store, PACKAGE)


def require_team(call: Call) -> None:
    """Webhooks, drains and projects are a team's. Without one the caller's personal account is meant, which has none."""
    team = call.query("teamId") or {"sandbox": TEAM}.get(call.query("slug") or "", "")
    if team != TEAM:
        said = f"Not authorized: the team {team} is not yours" if team else "Not authorized: a teamId is needed"
        raise ApiError(403, said)


def sent(call: Call, model: type[M]) -> M:
    """The body, which has no members that the API does not know."""
    try:
        document = json.loads(call.payload)
    except ValueError as error:
        raise ApiError(400, "Invalid JSON") from error
    known = {info.alias or name for name, info in model.model_fields.items()}
    odd = sorted(set(document) - known) if isinstance(document, dict) else []
    if odd:
        raise ApiError(400, f"Invalid request: should NOT have additional property `{odd[0]}`")
    return call.body(model)


def created(call: Call, token: str, asked: Properties) -> tuple[str, Properties]:
    """Makes an object as the stand-in does, in the API's own words where it is refused."""
    _require_good(token, asked)
    try:
        return objects(call).create(token, asked, ())
    except RefusedError as error:
        raise _refused(error) from error


def updated(call: Call, token: str, key: str, asked: Properties) -> Properties:
    _require_good(token, asked)
    try:
        return objects(call).update(token, key, asked, ())
    except RefusedError as error:
        raise _refused(error) from error


def _require_good(token: str, asked: Properties) -> None:
    for failure in PACKAGE.kind(token).validate(asked):
        raise _invalid(failure)


def _invalid(failure: Failure) -> ApiError:
    return ApiError(400, f"Invalid request: `{failure.property}` {failure.reason}")


def _refused(error: RefusedError) -> ApiError:
    code, _, message = str(error).partition(" - ")
    if not message:
        return ApiError(400, str(error))
    return ApiError(_STATUS.get(code, 400), message, code=code)

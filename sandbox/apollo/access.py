"""Who asks, what the key may do, how often, and how Apollo says no.

Each stage has a team of its own, with a master key. What the key may do is the member ``scopes`` of the object of the kind
``key`` (None is everything), and the plan's caps are members of ``team``: tests change them there. Limits are imposed only
while the team's ``limited`` is true; what was asked is always counted.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import ValidationError
from starlette.responses import PlainTextResponse, Response

from sandbox.http import ApiError, Body, Call, answer, digest
from sandbox.store import Document, Store

STAGES = ("dev", "staging", "prod")
PEOPLE = (
    ("revops@payready.com", "Rae", "Vops"),
    ("sales@payready.com", "Sal", "Ester"),
    ("automation@payready.com", "Sophia", "Automation"),
)
"""The first is whom an API key acts as, whoever made it."""

SCHEDULES = ("Normal Business Hours", "Never")
"""The second has no hours, and cannot be attached."""

CONTACT_STAGES = ("Cold", "Approaching", "Replied", "Interested", "Unresponsive", "Do Not Contact", "Bad Data")
ACCOUNT_STAGES = ("Review", "Current Client", "Active Opportunity", "Dead Opportunity", "Do Not Prospect")
LIMITS = {"minute": 200, "hour": 600, "day": 6000}

_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
M = TypeVar("M", bound=Body)


def api_key(stage: str) -> str:
    """The master key of a stage's team, as an administrator made it in Apollo's pages."""
    return f"sandbox-apollo-{stage}-master-key"


def team_id(stage: str) -> str:
    return f"6095a710bd01d100a506d4{STAGES.index(stage)}0"


def id_of(stage: str, kind: str, number: int) -> str:
    """The id of something that a team has from the start: 24 hexadecimal digits, as Apollo's are."""
    return digest(f"{stage} {kind} {number}")[:24]


def new_id() -> str:
    return secrets.token_hex(12)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def render(error: ApiError) -> Response:
    if error.status == 401:
        return PlainTextResponse(error.message, 401)
    name = "message" if error.status == 429 else "error"
    details = {("message" if key == "beside" else key): value for key, value in error.details.items()}
    return answer({name: error.message, **details}, error.status)


def ensure(store: Store) -> None:
    """Makes the stages' teams with the first request: their people, and what people have made in Apollo's pages."""
    for stage in STAGES:
        if store.latest.get("team", team_id(stage)) is not None:
            continue
        team: Document = {"id": team_id(stage), "stage": stage, "limited": False, "limits": LIMITS}
        store.put("team", team["id"], team | {"most_sequences": 100, "most_steps": 20, "ab_testing": False})
        key: Document = {"stage": stage, "scopes": None, "user": id_of(stage, "user", 0)}
        store.put("key", digest(api_key(stage)), key)
        for number, (email, first, last) in enumerate(PEOPLE):
            user = {"id": id_of(stage, "user", number), "team_id": team["id"], "first_name": first, "last_name": last}
            store.put("user", user["id"], user | {"title": "", "email": email, "deleted": False, "stage": stage})
        for number, name in enumerate(SCHEDULES):
            hours = {"monday": [[8, 17]], "thursday": [[8, 17]]} if number == 0 else {}
            schedule: Document = {"id": id_of(stage, "schedule", number), "name": name, "default": number == 0}
            schedule |= {
                "time_zone": "America/New_York",
                "schedule_hash": hours,
                "created_at": "2026-01-05T12:00:00.000Z",
            }
            store.put("schedule", schedule["id"], schedule | {"stage": stage})
        for kind, names in (("contact_stage", CONTACT_STAGES), ("account_stage", ACCOUNT_STAGES)):
            for number, name in enumerate(names):
                one = {"id": id_of(stage, kind, number), "team_id": team["id"], "name": name, "display_name": name}
                store.put(kind, one["id"], one | {"display_order": number + 1, "stage": stage})
        _picklist(store, stage)


def _picklist(store: Store, stage: str) -> None:
    """A custom field of the type that only people make."""
    options = [{"id": id_of(stage, "option", n), "name": name} for n, name in enumerate(("Yardi", "RealPage"))]
    field = {"id": f"account.{id_of(stage, 'field', 0)}", "label": "Property management system", "modality": "account"}
    field |= {"type": "picklist", "source": "custom", "created_at": "2026-01-05T12:00:00.000Z"}
    store.put("people_field", field["id"], field | {"meta": {"picklist_values": options}, "stage": stage})


def admit(call: Call) -> str:
    """The stage whose key is shown."""
    ensure(call.store)
    key = call.store.latest.get("key", digest(call.request.headers.get("x-api-key", "")))
    if key is None:
        raise ApiError(
            401, "Invalid API key. See https://docs.apollo.io/reference/authentication for how to authenticate."
        )
    return str(key["stage"])


def key_of(call: Call) -> Document:
    return call.store.latest.get("key", digest(call.request.headers.get("x-api-key", ""))) or {}


def team_of(call: Call) -> Document:
    return call.store.latest.get("team", team_id(call.caller)) or {}


def require(call: Call, controller: str, action: str) -> None:
    """The key's scope for an endpoint, and room in its limits; the request is counted."""
    endpoint = f"api/v1/{controller}/{action}"
    scopes = key_of(call)["scopes"]
    if scopes is not None and endpoint not in scopes:
        said = (
            f"This API key is not authorized to access {endpoint}. Request an API key from your administrator that includes "
            "this endpoint in its configured scope."
        )
        raise ApiError(403, said, error_code="API_INACCESSIBLE")
    _count(call, controller, action)


def _count(call: Call, controller: str, action: str) -> None:
    team, moment = team_of(call), datetime.now(UTC).timestamp()
    key = f"{call.caller} {controller} {action}"
    use = call.store.latest.get("use", key) or {"stage": call.caller, "controller": controller, "action": action}
    windows = {}
    for window, seconds in _SECONDS.items():
        known = use.get(window) or {}
        fresh = {"since": moment, "consumed": 0} if known.get("since", 0.0) + seconds <= moment else known
        limit = team["limits"][window]
        if team["limited"] and fresh["consumed"] >= limit:
            said = f"The maximum number of api calls allowed for api/v1/{controller}/{action} is {limit} times per {window}."
            raise ApiError(429, f"{said} Please upgrade your plan from https://app.apollo.io/#/settings/plans/upgrade.")
        windows[window] = {**fresh, "consumed": fresh["consumed"] + 1}
    call.store.put("use", key, use | windows)


def mine(call: Call, kind: str, key: str) -> Document | None:
    """An object of the caller's team, as a reader sees it."""
    found = call.store.get(kind, key)
    return found if found is not None and found["stage"] == call.caller else None


def sent(call: Call, model: type[M]) -> M:
    """The body; what does not fit it is refused with 422."""
    try:
        return model.model_validate_json(call.payload or b"{}")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    raise ApiError(422, f"{place}: {first['msg']}" if place else "The body is no JSON")


def shown(document: Document, *without: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in ("stage", *without)}


def paged(call: Call, items: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """One page, from 1 on, and what stands beside it."""
    page, size = call.number("page", 1, 1), call.number("per_page", 25, 1, 100)
    pages = -(-len(items) // size)
    beside = {"page": page, "per_page": size, "total_entries": len(items), "total_pages": pages}
    return items[(page - 1) * size : page * size], beside


def failure(status: int, message: str) -> Response:
    """A fault on demand."""
    return render(ApiError(status, message))

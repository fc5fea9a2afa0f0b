"""The account of a token, what the token may do, and how much of HubSpot's limits is used."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pydantic import Field
from starlette.responses import Response

from sandbox.http import ApiError, Body, Call, answer, digest
from sandbox.hubspot.access import STANDARD, now, require, sent
from sandbox.store import Document

DAILY = 650_000
_LIMITS = {"properties": 1_000, "schemas": 10, "labels": 50}


class TokenBody(Body):
    token_key: str = Field(alias="tokenKey", min_length=1)


def read_details(call: Call) -> Response:
    portal = call.store.latest.get("portal", call.caller) or {}
    details = {
        "portalId": portal["portalId"],
        "accountType": "STANDARD" if portal["stage"] == "prod" else "SANDBOX",
        "timeZone": "US/Eastern",
        "companyCurrency": "USD",
        "additionalCurrencies": [],
        "utcOffset": "-05:00",
        "utcOffsetMilliseconds": -18_000_000,
        "uiDomain": "app.hubspot.com",
        "dataHostingLocation": "na1",
    }
    return answer(details)


def read_token(call: Call) -> Response:
    """What a token is: whose, and with which scopes. It takes no scope itself."""
    token = call.store.latest.get("token", digest(sent(call, TokenBody).token_key))
    if token is None:
        raise ApiError(404, "The access token was not found")
    return answer(
        {"userId": token["userId"], "hubId": int(token["portal"]), "appId": token["appId"], "scopes": token["scopes"]}
    )


def read_usage(call: Call) -> Response:
    """``used`` of the object ``portal`` counts: tests set it."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    used = (call.store.latest.get("portal", call.caller) or {}).get("used", 1)
    usage = {
        "name": "private-apps-api-calls-daily",
        "usageLimit": DAILY,
        "currentUsage": used,
        "collectedAt": now(),
        "fetchStatus": "SUCCESS",
        "resetsAt": midnight.isoformat().replace("+00:00", "Z"),
    }
    return answer({"results": [usage]})


def _used(usage: int, limit: int) -> Document:
    return {"limit": limit, "usage": usage, "percentage": round(100 * usage / limit, 3)}


def read_property_limits(call: Call) -> Response:
    _may_read_limits(call)
    limit = (call.store.latest.get("portal", call.caller) or {}).get("properties", _LIMITS["properties"])
    mine = [one for one in call.store.all("property", portal=call.caller) if not one["archived"]]
    types = {**{id_: name for name, id_ in STANDARD.items()}, **_custom(call)}
    by_type = [
        {"objectTypeId": id_, "singularLabel": name, "pluralLabel": name}
        | _used(len([one for one in mine if one["objectType"] == id_]), limit)
        for id_, name in types.items()
    ]
    overall = _used(len(mine), limit * len(types))
    whole = {f"overall{name.capitalize()}": value for name, value in overall.items()}
    return answer({"byObjectType": by_type, **whole})


def read_type_limits(call: Call) -> Response:
    _may_read_limits(call)
    return answer(_used(len(_custom(call)), _LIMITS["schemas"]))


def _custom(call: Call) -> dict[str, str]:
    schemas = call.store.all("schema", portal=call.caller)
    return {one["objectTypeId"]: one["name"] for one in schemas if not one["archived"]}


def _may_read_limits(call: Call) -> None:
    require(call, *(f"crm.objects.{name}.read" for name in ("contacts", "companies", "deals", "custom")))

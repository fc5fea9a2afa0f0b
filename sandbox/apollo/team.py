"""What people have made in Apollo's pages, and what is left of the team's limits and credits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from sandbox.apollo.access import LIMITS, key_of, paged, require, shown, team_of
from sandbox.http import Call, answer

_CREDITS = {"lead_credit": 10_000, "direct_dial_credit": 1000, "export_credit": 5000, "ai_credit": 2000, "dialer": 0}
_COUNTED = (("emailer_campaigns", "search"), ("labels", "index"), ("fields", "index"), ("users", "search"))
"""Endpoints of which the statistics tell although nobody has asked for them."""


def list_schedules(call: Call) -> Response:
    require(call, "emailer_schedules", "index")
    found = call.store.all("schedule", stage=call.caller)
    return answer({"emailer_schedules": [{**shown(one), "skip_holidays": True} for one in found]})


def list_contact_stages(call: Call) -> Response:
    require(call, "contact_stages", "index")
    return answer({"contact_stages": [shown(one) for one in call.store.all("contact_stage", stage=call.caller)]})


def list_account_stages(call: Call) -> Response:
    require(call, "account_stages", "index")
    return answer({"account_stages": [shown(one) for one in call.store.all("account_stage", stage=call.caller)]})


def search_users(call: Call) -> Response:
    require(call, "users", "search")
    page, pagination = paged(call, [shown(one) for one in call.store.all("user", stage=call.caller)])
    # The numbers of the page are text here, and in no other list.
    pagination |= {name: str(pagination[name]) for name in ("page", "per_page")}
    return answer({"pagination": pagination, "users": page})


def read_profile(call: Call) -> Response:
    require(call, "users", "api_profile")
    user = call.store.latest.get("user", key_of(call)["user"]) or {}
    return answer(shown(user, "deleted"))


def read_limits(call: Call) -> Response:
    """By endpoint and window: what is allowed, was asked, and is left."""
    require(call, "usage_stats", "api_usage_stats")
    limits, moment = team_of(call)["limits"], datetime.now(UTC).timestamp()
    used = {(one["controller"], one["action"]): one for one in call.store.latest.all("use", stage=call.caller)}
    told: dict[str, Any] = {}
    for controller, action in dict.fromkeys((*_COUNTED, *used)):
        windows = {}
        for window, seconds in _SECONDS.items():
            use = used.get((controller, action), {}).get(window) or {"since": 0.0, "consumed": 0}
            consumed = use["consumed"] if use["since"] + seconds > moment else 0
            left = max(limits[window] - consumed, 0)
            windows[window] = {"limit": limits[window], "consumed": consumed, "left_over": left}
        told[f'["api/v1/{controller}", "{action}"]'] = windows
    return answer(told)


_SECONDS = dict(zip(LIMITS, (60, 3600, 86400), strict=True))


def read_credits(call: Call) -> Response:
    require(call, "usage_stats", "credit_usage_stats")
    spent = team_of(call).get("spent") or {}
    stats = {
        name: {"limit": limit, "consumed": spent.get(name, 0), "left_over": limit - spent.get(name, 0)}
        for name, limit in _CREDITS.items()
    }
    today = datetime.now(UTC)
    start = today.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    end = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    cycle = {"start_date": start.isoformat(), "end_date": end.isoformat()}
    return answer({"credit_usage_stats": stats, "current_credit_cycle": cycle})

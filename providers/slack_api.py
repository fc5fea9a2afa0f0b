"""How Slack's Web API is spoken: every method is a POST that answers 200 and says ``ok``.

Manifest methods want an app configuration token, what no bot may do a person's, all others the bot's. Source of facts:
docs.slack.dev (methods, errors, rate limit tiers) and slack_sdk.
"""

from __future__ import annotations

import re
from typing import Any

import httpx

from providers import base
from providers.base import Call, Environment, PlatformError, Trouble

_TROUBLES = {
    "ratelimited": Trouble.BUSY,
    "not_authed": Trouble.CREDENTIALS,
    "invalid_auth": Trouble.CREDENTIALS,
    "token_expired": Trouble.CREDENTIALS,
    "token_revoked": Trouble.CREDENTIALS,
    "account_inactive": Trouble.CREDENTIALS,
    "not_allowed_token_type": Trouble.CREDENTIALS,
    "missing_scope": Trouble.FORBIDDEN,
    "restricted_action": Trouble.FORBIDDEN,
    "not_authorized": Trouble.FORBIDDEN,
    "permission_denied": Trouble.FORBIDDEN,
    "paid_teams_only": Trouble.FORBIDDEN,
    "name_taken": Trouble.CONFLICT,
    "handle_already_exists": Trouble.CONFLICT,
    "name_already_exists": Trouble.CONFLICT,
    "channel_not_found": Trouble.NOT_FOUND,
    "no_such_subteam": Trouble.NOT_FOUND,
    "subteam_not_found": Trouble.NOT_FOUND,
    "app_not_found": Trouble.NOT_FOUND,
    "invalid_app_id": Trouble.NOT_FOUND,
    "users_not_found": Trouble.NOT_FOUND,
    "not_found": Trouble.NOT_FOUND,
    "already_archived": Trouble.NOT_FOUND,
    "internal_error": Trouble.BROKEN,
    "fatal_error": Trouble.BROKEN,
    "service_unavailable": Trouble.BROKEN,
}


def _said(response: httpx.Response) -> str:
    """The error's code, what a scope error needs, and where a manifest is wrong."""
    answer = response.json()
    places = [
        f"{at.get('pointer', '')}: {at.get('message', '')}" for at in answer.get("errors", []) if isinstance(at, dict)
    ]
    needed = [f"needs the scope {answer['needed']}"] if "needed" in answer else []
    return "; ".join([str(answer.get("error")), *needed, *places])


def _trouble(response: httpx.Response) -> Trouble | None:
    if response.is_error:
        return base.trouble_of(response.status_code)
    answer = response.json() if response.content else {}
    return None if answer.get("ok") else _TROUBLES.get(str(answer.get("error")), Trouble.INVALID)


def _per_minute(requests: int) -> base.Limit:
    return base.Limit(requests=requests, seconds=60, each_path=True)


_TIER_3 = (
    "bookmarks.list",
    "conversations.info",
    "conversations.invite",
    "conversations.join",
    "conversations.kick",
    "users.lookupByEmail",
)
_TIER_4 = ("conversations.members", "users.info")

SLACK = base.Api(
    name="slack",
    title="Slack",
    base_url=Environment("SLACK_API_URL"),
    auth=base.Bearer(Environment("SLACK_BOT_TOKEN")),
    said=_said,
    trouble=_trouble,
    # Slack counts by method and minute: tier 2 about 20, tier 3 about 50, tier 4 about 100.
    limit=_per_minute(20),
    limits={
        **{f"/{name}": _per_minute(50) for name in _TIER_3},
        **{f"/{name}": _per_minute(100) for name in _TIER_4},
    },
    form=True,
    request_id_header="x-slack-req-id",
)

CONFIG_TOKEN = base.Bearer(Environment("SLACK_CONFIG_TOKEN"))
USER_TOKEN = base.Bearer(Environment("SLACK_USER_TOKEN"))


def method(
    name: str, answer: str = "", *, repeatable: bool = True, auth: base.Bearer | None = None, **body: Any
) -> Call:
    """A method that may be sent twice, unless said otherwise. ``body`` are its constant arguments."""
    return Call("POST", f"/{name}", body=body, answer=answer, repeatable=repeatable, auth=auth)


def says(error: PlatformError, *codes: str) -> bool:
    """Whether Slack's word for what is wrong is one of these."""
    return any(re.search(rf"\b{code}\b", error.said) for code in codes)

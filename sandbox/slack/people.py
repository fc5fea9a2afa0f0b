"""The members of the sandbox's workspace: the bot, the person whose user token there is, and two colleagues."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from starlette.responses import Response

from sandbox.http import Call
from sandbox.slack.access import BOT, PERSON, TEAM, Arguments, SlackError, succeed, token_of

_STARTED = 1767225600
_NAMES = {
    BOT: ("sophia", "Sophia"),
    PERSON: ("administrator", "Sandbox Administrator"),
    "U0SANDUSR2": ("ada", "Ada Lovelace"),
    "U0SANDUSR3": ("grace", "Grace Hopper"),
}


def is_bot(user: str) -> bool:
    return user == BOT


def handles() -> set[str]:
    return {name for name, _ in _NAMES.values()}


def check_users(users: Iterable[str], code: str) -> None:
    """Refuses with ``code`` where one of the ids is nobody's."""
    unknown = [user for user in users if user not in _NAMES]
    if unknown:
        raise SlackError(code)


def test_token(call: Call) -> Response:
    token = token_of(call)
    bot = {"bot_id": "B0SANDBOT1"} if is_bot(token.user) else {}
    return succeed(
        call,
        url="https://sandbox.slack.com/",
        team="Sandbox",
        user=_NAMES[token.user][0],
        team_id=TEAM,
        user_id=token.user,
        is_enterprise_install=False,
        **bot,
    )


def list_users(call: Call) -> Response:
    members, metadata = Arguments.of(call).page([_shown(call, user) for user in _NAMES])
    return succeed(call, members=members, cache_ts=_STARTED, response_metadata=metadata)


def read_user(call: Call) -> Response:
    user = Arguments.of(call).needed("user")
    check_users([user], "user_not_found")
    return succeed(call, user=_shown(call, user))


def look_up_by_email(call: Call) -> Response:
    """People only: a bot has no address."""
    email = Arguments.of(call).needed("email").lower()
    user = next((user for user in _NAMES if not is_bot(user) and _email(user) == email), None)
    if user is None:
        raise SlackError("users_not_found")
    return succeed(call, user=_shown(call, user))


def _email(user: str) -> str:
    return f"{_NAMES[user][0]}@payready.com"


def _shown(call: Call, user: str) -> dict[str, Any]:
    """Addresses are for those whose token has the scope for them."""
    name, real_name = _NAMES[user]
    has_address = not is_bot(user) and "users:read.email" in token_of(call).scopes
    address = {"email": _email(user)} if has_address else {}
    return {
        "id": user,
        "team_id": TEAM,
        "name": name,
        "deleted": False,
        "real_name": real_name,
        "tz": "Etc/UTC",
        "tz_label": "Coordinated Universal Time",
        "tz_offset": 0,
        "profile": {
            "avatar_hash": "g0000000000",
            "display_name": name,
            "display_name_normalized": name,
            "real_name": real_name,
            "real_name_normalized": real_name,
            "title": "",
            "phone": "",
            "skype": "",
            "status_text": "",
            "status_emoji": "",
            "fields": None,
            **address,
        },
        "is_admin": user == PERSON,
        "is_bot": is_bot(user),
        "is_app_user": False,
        "updated": _STARTED,
    }

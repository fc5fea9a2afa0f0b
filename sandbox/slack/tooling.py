"""App configuration tokens: a new pair for a refresh token, which serves a single time.

Only the last pair's refresh token is any good. The first one is what a person copied when he made the pair by hand.
"""

from __future__ import annotations

import secrets
import time

from starlette.responses import Response

from sandbox.http import Call, digest
from sandbox.slack.access import PERSON, TEAM, Arguments, SlackError, mint_configuration_token, succeed

FIRST = "xoxe-1-sandbox-refresh-token"
_LASTS = 12 * 60 * 60
_CHAIN = "refresh token"


def rotate(call: Call) -> Response:
    sent = Arguments.of(call).needed("refresh_token")
    current = call.store.latest.get(_CHAIN, TEAM) or {"digest": digest(FIRST)}
    if digest(sent) != current["digest"]:
        raise SlackError("invalid_refresh_token")
    token, expires = mint_configuration_token(call.store, _LASTS)
    following = f"xoxe-1-{secrets.token_urlsafe(48)}"
    call.store.put(_CHAIN, TEAM, {"digest": digest(following)})
    return succeed(
        call,
        token=token,
        refresh_token=following,
        team_id=TEAM,
        user_id=PERSON,
        iat=int(time.time()),
        exp=expires,
    )

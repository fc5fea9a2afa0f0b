"""Service accounts, their grants and their API keys; the prefixes that the caller may use."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC
from uuid import uuid4

from graphql import GraphQLError

from sandbox.estuary import access, seed
from sandbox.estuary.identifiers import is_name, is_prefix, now, parsed_id
from sandbox.estuary.relay import Arguments, Resolver, connection, demand
from sandbox.http import Call
from sandbox.store import Document

_PAGE = 25
_DAY = 24 * 3600
_LONGEST = 366 * _DAY
_DURATION = re.compile(
    r"P(?=.)(?:(?P<Y>\d+)Y)?(?:(?P<M>\d+)M)?(?:(?P<W>\d+)W)?(?:(?P<D>\d+)D)?"
    r"(?:T(?=.)(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+)S)?)?"
)
_SECONDS = {"Y": 365.25 * _DAY, "M": 30 * _DAY, "W": 7 * _DAY, "D": _DAY, "h": 3600, "m": 60, "s": 1}
_BITS = {
    "read": ("CatalogRead", "JournalRead"),
    "write": ("CatalogRead", "JournalAppend", "JournalRead"),
    "admin": (
        "Assume",
        "CatalogRead",
        "CreateApiKey",
        "CreateGrant",
        "CreateInviteLink",
        "CreateServiceAccount",
        "Delegate",
        "DeleteGrant",
        "JournalAppend",
        "JournalRead",
        "QueryServiceAccounts",
        "RevokeApiKey",
        "SpecEdit",
    ),
}


def list_prefixes(call: Call, arguments: Arguments) -> Document:
    wanted = arguments["by"]["minCapability"]
    held = access.prefixes(call.store, call.caller)
    found = [
        {"prefix": prefix, "userCapability": capability, "capabilities": list(_BITS.get(capability, ()))}
        for prefix, capability in sorted(held.items())
        if access.may(call.store, call.caller, wanted, prefix)
    ]
    return connection(found, "prefix", arguments, _PAGE)


def list_accounts(call: Call, arguments: Arguments) -> Document:
    """Those that the caller manages, newest first."""
    accounts = [
        a for a in call.store.all("service_account") if access.may(call.store, call.caller, "admin", a["catalog_name"])
    ]
    shown = [_shown(call, account["catalog_name"]) for account in reversed(accounts)]
    return connection(shown, "createdAt", arguments, _PAGE)


def create_account(call: Call, arguments: Arguments) -> Document:
    name, grants = arguments["catalogName"], arguments["grants"]
    if not is_name(name):
        raise GraphQLError(f"invalid catalog name: {name} is not a valid catalog name")
    demand(call, name)
    for grant in grants:
        _check_grant(call, grant)
    if call.store.latest.get("service_account", name) is not None:
        raise GraphQLError(f"a service account already exists for catalog name '{name}'")
    account = {"catalog_name": name, "created_at": now(), "created_by": call.caller}
    call.store.put("service_account", name, account)
    for grant in grants:
        _put_grant(call, name, grant)
    return _shown(call, name)


def add_grant(call: Call, arguments: Arguments) -> Document:
    """A grant to the same prefix is overwritten, so that it can be narrowed, too."""
    demand(call, arguments["catalogName"])
    _check_grant(call, arguments)
    name = _existing(call, arguments["catalogName"])
    _put_grant(call, name, arguments)
    return _shown(call, name)


def remove_grant(call: Call, arguments: Arguments) -> Document:
    """Nothing happens where there is no such grant."""
    demand(call, arguments["catalogName"])
    name = _existing(call, arguments["catalogName"])
    call.store.delete("user_grant", f"{seed.user_of(name)} {arguments['prefix']}")
    return _shown(call, name)


def remove_all_grants(call: Call, arguments: Arguments) -> Document:
    demand(call, arguments["catalogName"])
    name = _existing(call, arguments["catalogName"])
    for grant in call.store.latest.all("user_grant", user_id=seed.user_of(name)):
        call.store.delete("user_grant", f"{grant['user_id']} {grant['object_role']}")
    return _shown(call, name)


def create_key(call: Call, arguments: Arguments) -> Document:
    """The secret is the base64 text of the key's id and secret; it is shown here, and never again."""
    demand(call, arguments["catalogName"])
    name = _existing(call, arguments["catalogName"])
    seconds = _seconds(arguments["validFor"])
    secret = str(uuid4())
    key = seed.put_key(call.store, name, secret, arguments["detail"], seconds, call.caller)
    bearer = base64.b64encode(json.dumps({"id": key["id"], "secret": secret}).encode()).decode()
    return {"id": key["id"], "secret": bearer, "serviceAccount": _shown(call, name)}


def revoke_key(call: Call, arguments: Arguments) -> Document:
    """The key stays, without validity; one that was revoked already may be revoked again."""
    key = call.store.latest.get("api_key", parsed_id(arguments["id"]) or "")
    if key is None or not access.may(call.store, call.caller, "admin", key["account"]):
        raise GraphQLError("service account API key not found")
    call.store.put("api_key", key["id"], key | {"valid_seconds": 0})
    return _shown(call, key["account"])


def revoke_all_keys(call: Call, arguments: Arguments) -> Document:
    demand(call, arguments["catalogName"])
    name = _existing(call, arguments["catalogName"])
    for key in call.store.latest.all("api_key", account=name):
        call.store.put("api_key", key["id"], key | {"valid_seconds": 0})
    return _shown(call, name)


def list_refresh_tokens(_: Call, arguments: Arguments) -> Document:
    """A user's own. Callers of the sandbox are service accounts, which have keys instead."""
    return connection([], "createdAt", arguments, _PAGE)


def refuse_refresh_token(_: Call, __: Arguments) -> Document:
    raise GraphQLError(
        "service accounts cannot manage refresh tokens: their API keys are administered via createApiKey and revokeApiKey"
    )


def _check_grant(call: Call, grant: Arguments) -> None:
    if not is_prefix(grant["prefix"]):
        raise GraphQLError(f"invalid grant prefix {grant['prefix']}: it must end in a '/'")
    if grant["capability"] == "none":
        raise GraphQLError("grant capability must be one of: read, write, admin")
    demand(call, grant["prefix"])


def _put_grant(call: Call, account: str, grant: Arguments) -> None:
    user = seed.user_of(account)
    seed.put_grant(call.store, user, grant["prefix"], grant["capability"], "service account grant")


def _existing(call: Call, name: str) -> str:
    if call.store.latest.get("service_account", name) is None:
        raise GraphQLError("service account not found")
    return name


def _seconds(duration: str) -> int:
    if not duration.lstrip().startswith("P"):
        raise GraphQLError("valid_for must be an ISO 8601 duration, e.g. P90D or P1Y")
    found = _DURATION.fullmatch(duration.strip())
    if found is None:
        raise GraphQLError("invalid valid_for: expected an ISO 8601 duration, e.g. P90D or P1Y")
    seconds = int(sum(_SECONDS[unit] * int(number or 0) for unit, number in found.groupdict().items()))
    if not 0 < seconds <= _LONGEST:
        raise GraphQLError("valid_for must be a positive duration no greater than 1 year")
    return seconds


def _shown(call: Call, name: str) -> Document:
    store = call.store.latest
    account = store.get("service_account", name) or {}
    keys = [key for key in store.all("api_key", account=name) if key["valid_seconds"]]
    used = [key["updated_at"] for key in store.all("api_key", account=name) if key["uses"]]
    grants = sorted(store.all("user_grant", user_id=seed.user_of(name)), key=lambda grant: str(grant["object_role"]))
    return {
        "catalogName": name,
        "createdAt": account.get("created_at"),
        "createdByEmail": _email(call, account.get("created_by", "")),
        "lastUsedAt": max(used, default=None),
        "grants": [
            {
                "prefix": grant["object_role"],
                "capability": grant["capability"],
                "detail": grant["detail"],
                "createdAt": grant["created_at"],
                "updatedAt": grant["updated_at"],
            }
            for grant in grants
        ],
        "apiKeys": [
            {
                "id": key["id"],
                "detail": key["detail"],
                "createdAt": key["created_at"],
                "createdByEmail": _email(call, key["created_by"]),
                "expiresAt": access.expiry(key).astimezone(UTC).isoformat(),
                "lastUsedAt": key["updated_at"] if key["uses"] else None,
            }
            for key in reversed(keys)
        ],
    }


def _email(call: Call, user: str) -> str | None:
    return access.email_of(call.store, user) if user else None


RESOLVERS: dict[str, Resolver] = {
    "prefixes": list_prefixes,
    "serviceAccounts": list_accounts,
    "refreshTokens": list_refresh_tokens,
    "createServiceAccount": create_account,
    "addServiceAccountGrant": add_grant,
    "removeServiceAccountGrant": remove_grant,
    "removeAllServiceAccountGrants": remove_all_grants,
    "createApiKey": create_key,
    "revokeApiKey": revoke_key,
    "revokeAllApiKeys": revoke_all_keys,
    "createRefreshToken": refuse_refresh_token,
    "revokeRefreshToken": refuse_refresh_token,
}

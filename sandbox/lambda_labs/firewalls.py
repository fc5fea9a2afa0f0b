"""Firewall rulesets of regions, the account's global one, and the older rules of the account."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime
from typing import Annotated, Literal, Self
from uuid import uuid4

from pydantic import Field, model_validator
from starlette.responses import Response

from sandbox.http import ApiError, Call, answer
from sandbox.lambda_labs import access, catalogue, instances
from sandbox.store import Document

RULESETS_LIMIT = 50
_GLOBAL = ("global_ruleset", "global")
_ACCOUNT = ("account_rules", "rules")
_SSH: Document = {"protocol": "tcp", "port_range": [22, 22], "source_network": "0.0.0.0/0", "description": "SSH"}
_PING: Document = {"protocol": "icmp", "source_network": "0.0.0.0/0", "description": "Ping"}
Port = Annotated[int, Field(ge=1, le=65_535)]


class Rule(access.Sent):
    protocol: Literal["tcp", "udp", "icmp", "all"]
    port_range: Annotated[list[Port], Field(min_length=2, max_length=2)] | None = None
    source_network: str
    description: str = Field(max_length=128)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.port_range is None) != (self.protocol == "icmp"):
            raise ValueError("port_range is not allowed for icmp and required for the others")
        if self.port_range and self.port_range[0] > self.port_range[1]:
            raise ValueError("port_range: the first port is above the last one")
        ipaddress.IPv4Network(self.source_network)
        return self

    def shown(self) -> Document:
        given = self.sent()
        return {**given, "source_network": str(ipaddress.IPv4Network(self.source_network))}


class CreateBody(access.Sent):
    name: str = Field(max_length=64)
    region: Literal[tuple(catalogue.REGIONS)]  # type: ignore[valid-type] # the regions are data
    rules: list[Rule]


class PatchBody(access.Sent):
    name: str | None = Field(default=None, max_length=64)
    rules: list[Rule] | None = None


class GlobalBody(access.Sent):
    rules: list[Rule] | None = None


class AccountBody(access.Sent):
    data: list[Rule]


def list_rulesets(call: Call) -> Response:
    return answer({"data": [_shown(call, one) for one in call.store.all("firewall_ruleset")]})


def create_ruleset(call: Call) -> Response:
    """Two may have the same name; Lambda tells them by their ids."""
    wanted = access.sent(call, CreateBody)
    if len(call.store.latest.all("firewall_ruleset")) >= RULESETS_LIMIT:
        raise ApiError(400, "Quota exceeded.", code=access.QUOTA)
    ruleset = {
        "id": uuid4().hex,
        "name": wanted.name,
        "region": wanted.region,
        "rules": [rule.shown() for rule in wanted.rules],
        "created": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    }
    return answer({"data": _shown(call, call.store.put("firewall_ruleset", ruleset["id"], ruleset))})


def read_ruleset(call: Call) -> Response:
    return answer({"data": _shown(call, _found(call))})


def update_ruleset(call: Call) -> Response:
    ruleset, wanted = _found(call), access.sent(call, PatchBody)
    if wanted.name is not None:
        ruleset["name"] = wanted.name
    if wanted.rules is not None:
        ruleset["rules"] = [rule.shown() for rule in wanted.rules]
    return answer({"data": _shown(call, call.store.put("firewall_ruleset", ruleset["id"], ruleset))})


def delete_ruleset(call: Call) -> Response:
    ruleset = _found(call)
    if instances.uses(call.store, "id", ruleset["id"]):
        code = "firewall-rulesets/firewall-ruleset-in-use"
        raise ApiError(400, "Firewall ruleset is in use by one or more instances.", code=code)
    call.store.delete("firewall_ruleset", ruleset["id"])
    return answer({"data": {}})


def read_global(call: Call) -> Response:
    return answer({"data": _global(call)})


def update_global(call: Call) -> Response:
    wanted, ruleset = access.sent(call, GlobalBody), _global(call)
    if wanted.rules is not None:
        ruleset["rules"] = [rule.shown() for rule in wanted.rules]
    return answer({"data": call.store.put(*_GLOBAL, ruleset)})


def list_account_rules(call: Call) -> Response:
    return answer({"data": (call.store.get(*_ACCOUNT) or {"rules": [_SSH, _PING]})["rules"]})


def replace_account_rules(call: Call) -> Response:
    rules = [rule.shown() for rule in access.sent(call, AccountBody).data]
    call.store.put(*_ACCOUNT, {"rules": rules})
    return answer({"data": rules})


def _global(call: Call) -> Document:
    """A new account lets SSH in from everywhere; this one's administrators have closed that."""
    first = {"id": "global", "name": "Global Firewall Rules", "rules": [_PING]}
    return call.store.get(*_GLOBAL) or first


def _found(call: Call) -> Document:
    ruleset = call.store.get("firewall_ruleset", call.path("id"))
    if ruleset is None:
        said = "Firewall ruleset does not exist or you do not have permission to access it."
        raise ApiError(404, said, code=access.ABSENT)
    return ruleset


def _shown(call: Call, ruleset: Document) -> Document:
    users = instances.uses(call.store, "id", ruleset["id"])
    return {**ruleset, "region": catalogue.region(ruleset["region"]), "instance_ids": users}

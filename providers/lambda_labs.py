"""Lambda Cloud: SSH keys, filesystems, firewall rulesets and the GPU instances that are rented by the hour.

Source of facts: Lambda's API description 1.8.3. How an instance is launched, found again and terminated is in
``providers/lambda_labs_instances.py``.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import httpx
import pulumi
from pydantic import AfterValidator, Field

from providers import base, lambda_labs_instances
from providers.base import (
    Api,
    Bearer,
    Call,
    Calls,
    Carried,
    Environment,
    Immutable,
    Json,
    Kind,
    Limit,
    Listing,
    Out,
    PlatformError,
    Slow,
    Trouble,
    WriteOnly,
)

_MEANINGS = {
    "filesystems/filesystem-in-use": Trouble.CONFLICT,
    "firewall-rulesets/firewall-ruleset-in-use": Trouble.CONFLICT,
    "global/account-inactive": Trouble.FORBIDDEN,
    "global/duplicate": Trouble.CONFLICT,
    "global/internal-error": Trouble.BROKEN,
    "global/invalid-address": Trouble.FORBIDDEN,
    "global/object-does-not-exist": Trouble.NOT_FOUND,
    "global/quota-exceeded": Trouble.INVALID,
}
"""What Lambda's codes mean, whatever the status: it says "duplicate" with 400 and "internal error" with 409."""

_UPSTREAM = "provider/"


def _said(response: httpx.Response) -> str:
    error = response.json()["error"]
    suggestion = f" ({error['suggestion']})" if error.get("suggestion") else ""
    return f"{error['code']}: {error['message']}{suggestion}"


def _trouble(response: httpx.Response) -> Trouble | None:
    if not response.is_error:
        return None
    try:
        code = str(response.json()["error"]["code"])
    except (ValueError, KeyError, TypeError):
        code = ""
    by_status = base.trouble_of(response.status_code)
    # What comes from behind Lambda may have been done there; a limit that was exceeded is said with 429 in any case.
    if code.startswith(_UPSTREAM) and by_status is not Trouble.BUSY:
        return Trouble.BROKEN
    return _MEANINGS.get(code, by_status)


LAMBDA_LABS = Api(
    name="lambda_labs",
    title="Lambda Cloud",
    base_url=Environment("LAMBDA_CLOUD_BASE_URL"),
    auth=Bearer(Environment("LAMBDA_API_KEY")),
    said=_said,
    trouble=_trouble,
    limit=Limit(requests=1, seconds=1),
    limits={lambda_labs_instances.LAUNCH: Limit(requests=1, seconds=12, within=True)},
)

Region = Literal[
    "asia-northeast-1",
    "asia-northeast-2",
    "asia-south-1",
    "australia-east-1",
    "europe-central-1",
    "me-west-1",
    "us-east-1",
    "us-east-2",
    "us-east-3",
    "us-midwest-1",
    "us-midwest-2",
    "us-south-1",
    "us-south-2",
    "us-south-3",
    "us-west-1",
    "us-west-2",
    "us-west-3",
]


def _public_key(text: str) -> str:
    """Kind and key; the comment behind them is nobody's business, and no change if it is another one."""
    words = text.split()
    if "PRIVATE KEY" in text or len(words) < 2:
        raise ValueError("must be a public key as OpenSSH writes it: ssh-ed25519 AAAA…")
    return " ".join(words[:2])


PublicKey = Annotated[str, AfterValidator(_public_key)]


def _network(text: str) -> str:
    """An address without a mask is that address alone, as Lambda has it."""
    try:
        return str(ipaddress.IPv4Network(text, strict=False))
    except ValueError:
        raise ValueError("must be IPv4 addresses, such as 203.0.113.7 or 203.0.113.0/24") from None


def _in_region(document: Json) -> Json:
    """Regions are asked for by their names and shown with a description."""
    return {**document, "region": document["region"]["name"]}


class SshKeyInputs(base.Inputs):
    name: Immutable[str] = Field(min_length=1, max_length=64)
    public_key: Immutable[PublicKey] = Field(max_length=4096)


@dataclass(frozen=True)
class _DeleteKey:
    """Lambda has no "not found" for keys: of one that is gone it says that the parameters are invalid."""

    auth: Bearer | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:  # noqa: ARG002 - an Operation's signature
        try:
            return Call("DELETE", "/api/v1/ssh-keys/{id}").send(api, values)
        except PlatformError as error:
            if error.trouble is not Trouble.INVALID:
                raise
            listed = _KEYS.fetch(api, {})
            if any(key["id"] == values["id"] for key in listed):
                raise
            return {}


_KEYS = Listing(Call("GET", "/api/v1/ssh-keys"))


class SshKey(base.Resource):
    """A public key that instances may be launched with. Lambda's own pairs are not used: who makes a key holds it.

    Instances that run keep the key that they were launched with, also when it is removed here.
    """

    kind = Kind(
        api=LAMBDA_LABS,
        title="SSH key",
        setting="ssh_keys",
        inputs=SshKeyInputs,
        calls=Calls(
            create=Call("POST", "/api/v1/ssh-keys", answer="data"),
            delete=_DeleteKey(),
            listing=_KEYS,
        ),
        identity="id",
        natural_key=("name",),
        decode=lambda document: {**document, "public_key": _public_key(document["public_key"])},
    )


class FilesystemInputs(base.Inputs):
    name: Immutable[str] = Field(pattern=r"^[a-zA-Z]+[0-9a-zA-Z-]*$", max_length=60)
    region: Immutable[Region]


class Filesystem(base.Resource):
    """Storage that instances of its region share. Lambda deletes none that is mounted, and keeps no copy of one deleted."""

    mount_point: pulumi.Output[str]

    kind = Kind(
        api=LAMBDA_LABS,
        title="filesystem",
        setting="filesystems",
        inputs=FilesystemInputs,
        calls=Calls(
            create=Call("POST", "/api/v1/filesystems", answer="data"),
            delete=Call("DELETE", "/api/v1/filesystems/{id}"),
            listing=Listing(Call("GET", "/api/v1/file-systems")),
        ),
        identity="id",
        natural_key=("name", "region"),
        decode=_in_region,
        outputs=(Out("mount_point", "mount_point"),),
        irreplaceable=(
            "declare a new filesystem under another key, copy what is in this one from an instance that mounts both or "
            "through object storage, then remove this one"
        ),
    )


class Rule(base.Inputs):
    """Inbound traffic that is let in. ICMP has no ports, everything else has a first and a last one."""

    protocol: Literal["tcp", "udp", "icmp", "all"]
    port_range: Annotated[list[Annotated[int, Field(ge=1, le=65_535)]], Field(min_length=2, max_length=2)] | None = None
    source_network: Annotated[str, AfterValidator(_network)]
    description: str = Field(default="", max_length=128)


Rules = Annotated[list[Rule], AfterValidator(lambda rules: sorted(rules, key=repr))]
"""Whatever lets a packet in lets it in: their order means nothing."""


class FirewallRulesetInputs(base.Inputs):
    name: str = Field(min_length=1, max_length=64)
    region: Immutable[Region]
    rules: Rules


class FirewallRuleset(base.Resource):
    """Rules for the instances of one region that were launched with it. They change on instances that run, too."""

    kind = Kind(
        api=LAMBDA_LABS,
        title="firewall ruleset",
        setting="firewalls",
        inputs=FirewallRulesetInputs,
        calls=Calls(
            create=Call("POST", "/api/v1/firewall-rulesets", answer="data"),
            read=Call("GET", "/api/v1/firewall-rulesets/{id}", answer="data"),
            update=Call("PATCH", "/api/v1/firewall-rulesets/{id}", answer="data"),
            delete=Call("DELETE", "/api/v1/firewall-rulesets/{id}"),
            listing=Listing(Call("GET", "/api/v1/firewall-rulesets")),
        ),
        identity="id",
        natural_key=("name", "region"),
        decode=_in_region,
    )


class InstanceInputs(base.Inputs):
    """``types`` to ``user_data`` say how to launch, and are not looked at again: what was taken is in the outputs."""

    name: Immutable[str] = Field(pattern=r"^[a-z0-9][0-9a-z-]{0,62}$", description="its host name as well")
    note: Immutable[str] = Field(default="", description="whose it is; kept as the tag managed-by")
    ssh_key: Immutable[str]
    image: Immutable[dict[Literal["id", "family"], str] | None] = None
    mounts: Immutable[dict[str, str]] = Field(default_factory=dict, description="mount point to id of a filesystem")
    setup: Immutable[str | None] = Field(
        default=None, description="tells one user_data from another, without its secrets; kept as the tag setup"
    )
    tags: Immutable[dict[str, str]] = Field(default_factory=dict)
    types: Carried[list[str]] = Field(min_length=1)
    regions: Carried[list[Region]] = Field(min_length=1)
    prefer: Carried[Literal["order", "price"]] = "order"
    max_price_cents: Carried[int] = Field(ge=1, description="an hour")
    firewall_rulesets: Carried[dict[Region, list[str]]] = Field(default_factory=dict, description="ids by region")
    user_data: Carried[WriteOnly[str | None]] = Field(default=None, max_length=1_000_000)


class Instance(base.Resource):
    """A GPU instance. It bills from its launch until it is terminated, whether or not it ever became active.

    Which of the wanted types and regions was taken is decided by price and capacity when it is launched; prices that move
    later replace nothing. One that Lambda has preempted or terminated is gone, and launched anew.
    """

    region: pulumi.Output[str]
    instance_type: pulumi.Output[str]
    price_cents_per_hour: pulumi.Output[int]
    ip: pulumi.Output[str]
    private_ip: pulumi.Output[str]

    kind = Kind(
        api=LAMBDA_LABS,
        title="instance",
        setting="instances",
        inputs=InstanceInputs,
        calls=Calls(
            create=lambda_labs_instances.Launch(),
            read=Call("GET", "/api/v1/instances/{id}", answer="data"),
            delete=lambda_labs_instances.Terminate(),
            listing=Listing(Call("GET", "/api/v1/instances")),
        ),
        identity="id",
        natural_key=("name",),
        mark="note",
        decode=lambda_labs_instances.shown,
        hidden=lambda_labs_instances.is_over,
        outputs=(
            Out("region", "region.name"),
            Out("instance_type", "instance_type.name"),
            Out("price_cents_per_hour", "instance_type.price_cents_per_hour"),
            Out("ip", "ip"),
            Out("private_ip", "private_ip"),
        ),
        slow=Slow(lambda_labs_instances.readiness, interval=10.0, patience=1800.0),
    )

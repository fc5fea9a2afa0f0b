"""How a GPU instance of Lambda Cloud is launched where there is capacity, found again, and terminated.

Source of facts: Lambda's API description 1.8.3: capacity and prices are what ``/instance-types`` shows, a launch may be
sent once in 12 seconds, and nothing about an instance can be changed but its name. ``providers/lambda_labs.py`` has the
resources.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from providers.base import Api, Bearer, Call, Json, PlatformError, Trouble
from providers.base.ownership import marked, owner

LAUNCH = "/api/v1/instance-operations/launch"
OWNER_TAG = "managed-by"
"""The tag with the ``project/stack`` that manages an instance."""

SETUP_TAG = "setup"

_NO_CAPACITY = "instance-operations/launch/insufficient-capacity"
_OVER = ("terminating", "terminated", "preempted")

_LOOKS, _LOOK_SECONDS = 4, 5.0
"""How long an instance of which we were not told is looked for: a second one would bill beside it."""

_TERMINATION_LOOKS, _TERMINATION_SECONDS = 120, 5.0

_HOURS_A_MONTH = 730
_CENTS = 100


@dataclass(frozen=True)
class Candidate:
    """A type in a region, with Lambda's price in US cents an hour."""

    type: str
    region: str
    price: int
    capacity: bool

    def __str__(self) -> str:
        return f"{self.type} in {self.region} ({dollars(self.price)}/h)"


@dataclass(frozen=True)
class Launch:
    """Launches one instance, of the first type and region that has capacity at an allowed price.

    A launch that was sent and not answered is looked up by name and owner before anything is sent again.
    """

    auth: Bearer | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:  # noqa: ARG002 - an Operation's signature
        given = dict(payload or {})
        offers = _offers(api)
        candidates = _candidates(given, offers)
        tried: list[str] = []
        for candidate in candidates:
            if candidate.price > given["max_price_cents"]:
                tried.append(f"{candidate}: over max_usd_per_hour")
            elif not candidate.capacity:
                tried.append(f"{candidate}: no capacity")
            else:
                try:
                    id_ = self._launch(api, given, candidate)
                except PlatformError as error:
                    if _NO_CAPACITY not in error.said:
                        raise
                    tried.append(f"{candidate}: it was taken meanwhile")
                else:
                    return _document(id_, given, offers[candidate.type], candidate)
        unknown = [f"{name}: Lambda offers no such type" for name in given["types"] if name not in offers]
        raise _nowhere([*tried, *unknown], _offers(api), given["max_price_cents"])

    def _launch(self, api: Api, given: Json, candidate: Candidate) -> str:
        try:
            answered = api.request("POST", LAUNCH, body=_body(given, candidate), repeatable=False)
        except PlatformError as error:
            id_ = _look(api, given) if error.outcome_unknown else None
            if id_ is None:
                raise
            return id_
        ids = answered.get("data", {}).get("instance_ids") or [_look(api, given)]
        if ids[0] is None:
            raise PlatformError(Trouble.UNANSWERED, "the answer to the launch names no instance")
        return str(ids[0])


@dataclass(frozen=True)
class Terminate:
    """Terminates an instance and waits until it is over: only then are its filesystems and firewall rulesets free."""

    auth: Bearer | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:  # noqa: ARG002 - an Operation's signature
        id_ = str(values["id"])
        if _status(api, id_) not in _OVER:
            body = {"instance_ids": [id_]}
            api.request("POST", "/api/v1/instance-operations/terminate", body=body, repeatable=True)
        for _ in range(_TERMINATION_LOOKS):
            if _status(api, id_) in ("terminated", "preempted"):
                return {}
            time.sleep(_TERMINATION_SECONDS)
        patience = _TERMINATION_LOOKS * _TERMINATION_SECONDS
        raise PlatformError(
            Trouble.BUSY, f"it is still terminating after {patience:.0f} s, and may bill until it is over"
        )


def shown(document: Json) -> Json:
    """An instance as its inputs spell it."""
    tags = {tag["key"]: tag["value"] for tag in document.get("tags") or []}
    stack, setup = tags.pop(OWNER_TAG, ""), tags.pop(SETUP_TAG, None)
    keys = document.get("ssh_key_names") or [None]
    mounts = document.get("file_system_mounts") or []
    flat = {
        "name": document.get("name", ""),
        "note": marked("", stack) if stack else "",
        "ssh_key": keys[0],
        "mounts": {mount["mount_point"]: mount["file_system_id"] for mount in mounts},
        "setup": setup,
        "tags": tags,
    }
    return {name: value for name, value in flat.items() if value is not None}


def is_over(document: Json) -> bool:
    """Whether an instance neither works nor ever will, and stops billing by itself."""
    return document.get("status") in _OVER


def readiness(document: Json) -> bool | str:
    """Whether an instance can be used; a text where it cannot, although it bills."""
    status = document.get("status", "booting")
    if status == "unhealthy":
        price = (document.get("instance_type") or {}).get("price_cents_per_hour")
        bills = f" and bills {dollars(price)}/h" if price else ""
        return (
            f"Lambda says that it is unhealthy{bills}: raise `generation`, which launches another and terminates this "
            "one, or remove it"
        )
    if status in _OVER:
        return f"Lambda says that it is {status}: run the same command again after `sophia refresh`"
    return bool(status == "active")


def dollars(cents: float) -> str:
    return f"{cents / _CENTS:,.2f} USD"


def monthly_cents(cents_per_hour: float) -> float:
    """What an hourly price comes to in a month that it runs through."""
    return cents_per_hour * _HOURS_A_MONTH


def _offers(api: Api) -> dict[str, Json]:
    offers: dict[str, Json] = api.request("GET", "/api/v1/instance-types")["data"]
    return offers


def _candidates(given: Json, offers: Mapping[str, Json]) -> list[Candidate]:
    """The wanted types in the wanted regions: type by type as they are listed, or the cheapest first."""
    found = [
        Candidate(
            name,
            region,
            int(offers[name]["instance_type"]["price_cents_per_hour"]),
            region in _regions(offers[name]),
        )
        for name in given["types"]
        if name in offers
        for region in given["regions"]
    ]
    return sorted(found, key=lambda candidate: candidate.price) if given["prefer"] == "price" else found


def _regions(offer: Json) -> list[str]:
    return [region["name"] for region in offer["regions_with_capacity_available"]]


def _body(given: Json, candidate: Candidate) -> Json:
    stack = owner(given.get("note")) or ""
    ours = {OWNER_TAG: stack, **({SETUP_TAG: given["setup"]} if "setup" in given else {})}
    rulesets = (given.get("firewall_rulesets") or {}).get(candidate.region) or []
    mounts = (given.get("mounts") or {}).items()
    optional = {
        "image": given.get("image"),
        "user_data": given.get("user_data"),
        "file_system_mounts": [{"mount_point": point, "file_system_id": id_} for point, id_ in mounts],
        "firewall_rulesets": [{"id": id_} for id_ in rulesets],
    }
    return {
        "region_name": candidate.region,
        "instance_type_name": candidate.type,
        "ssh_key_names": [given["ssh_key"]],
        "name": given["name"],
        "hostname": given["name"],
        "tags": [{"key": key, "value": value} for key, value in {**(given.get("tags") or {}), **ours}.items()],
        **{name: value for name, value in optional.items() if value},
    }


def _document(id_: str, given: Json, offer: Json, candidate: Candidate) -> Json:
    """What is known of an instance when its launch is answered, in the form that Lambda shows it in later."""
    body = _body(given, candidate)
    return {
        "id": id_,
        **{name: body[name] for name in ("name", "tags", "ssh_key_names", "file_system_mounts") if name in body},
        "status": "booting",
        "region": {"name": candidate.region},
        "instance_type": offer["instance_type"],
    }


def _look(api: Api, given: Json) -> str | None:
    """The id of the instance that a launch has made without telling us; new ones may be seen late."""
    for look in range(_LOOKS):
        if look:
            time.sleep(_LOOK_SECONDS)
        for document in Call("GET", "/api/v1/instances").send(api, {})["data"]:
            ours = shown(document)
            same = ours["name"] == given["name"] and owner(ours["note"]) == owner(given.get("note"))
            if same and not is_over(document):
                return str(document["id"])
    return None


def _status(api: Api, id_: str) -> str:
    """An instance's state; one that Lambda knows no more is terminated."""
    try:
        # Not by a Call: one that mentions what this process has made would not believe that it is gone.
        return str(api.request("GET", f"/api/v1/instances/{id_}")["data"]["status"])
    except PlatformError as error:
        if error.trouble is Trouble.NOT_FOUND:
            return "terminated"
        raise


def _nowhere(tried: list[str], offers: Mapping[str, Json], cap: int) -> PlatformError:
    said = (
        f"no instance could be launched. Tried: {'; '.join(tried)}. Capacity now: {'; '.join(_capacity(offers, cap))}"
    )
    return PlatformError(
        Trouble.INVALID,
        said,
        do="wait and run the same command again, or add a type or region that has capacity to `types` and `regions`",
    )


def _capacity(offers: Mapping[str, Json], cap: int) -> Iterator[str]:
    """Where there is capacity at the allowed price, the cheapest first."""
    there = [(offer["instance_type"]["price_cents_per_hour"], name, _regions(offer)) for name, offer in offers.items()]
    affordable = sorted((price, name, regions) for price, name, regions in there if regions and price <= cap)
    for price, name, regions in affordable:
        yield f"{name} ({dollars(price)}/h) in {', '.join(regions)}"
    if not affordable:
        yield f"nothing for up to {dollars(cap)}/h"

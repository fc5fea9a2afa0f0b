"""Which scopes HubSpot's token must have for what the settings want, and the object types that HubSpot itself defines.

Source of facts: HubSpot's reference of scopes, and the scopes that each endpoint's page names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

STANDARD: Mapping[str, str] = {"contacts": "0-1", "companies": "0-2", "deals": "0-3", "tickets": "0-5"}
"""The object types that are in every account, by the name that HubSpot's addresses have for them."""

_OF_TICKETS = "tickets"
LIMITS = "crm.objects.companies.read"
"""What HubSpot's limits are asked for with: the scope to read the records of any one object type."""


def of_object(name: str) -> list[str]:
    """What reading and writing the properties and pipelines of an object type takes."""
    if name == "tickets":
        return [_OF_TICKETS]
    kind = name if name in STANDARD else "custom"
    return [f"crm.schemas.{kind}.read", f"crm.schemas.{kind}.write"]


def needed(settings: Mapping[str, Any]) -> list[str]:
    """The scopes that these settings (``sophia-ai:hubspot``) need, in their order."""
    names = set(settings.get("objects") or {})
    for label in (settings.get("association_labels") or {}).values():
        names |= {label["from"], label["to"]}
    for one in (settings.get("lists") or {}).values():
        names.add(one["object"])
    for subscription in ((settings.get("webhooks") or {}).get("subscriptions") or {}).values():
        names |= {subscription["object"]} if subscription.get("object") else set()
    scopes = {scope for name in names for scope in of_object(name)} | {LIMITS}
    if settings.get("lists"):
        scopes |= {"crm.lists.read", "crm.lists.write"}
    return sorted(scopes)

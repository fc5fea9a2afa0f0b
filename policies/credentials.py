"""No credential lives for ever. What people made by hand is not here: `sophia credentials` has its records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from policies import controls, kinds, places
from policies.model import Level, Policy, Resource, Situation, Violation
from policies.strictness import CREDENTIAL_DAYS

_ROTATED = (controls.SOC2_CC6_2, controls.PCI_8_6_3, controls.GLBA_ACCESS)


def instant(value: Any) -> datetime | None:
    """An RFC 3339 time; None for anything else. One without a zone is UTC."""
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _expiry(resource: Resource, situation: Situation) -> Iterator[Violation]:
    expires = instant(resource.get("expires_at"))
    if expires is None:
        return
    latest = situation.now + timedelta(days=CREDENTIAL_DAYS)
    if expires > latest:
        yield Violation(
            resource,
            f"would be valid until {expires.date().isoformat()}",
            f"a credential is replaced within {CREDENTIAL_DAYS} days",
            places.setting(resource, "expires_at"),
            f"no later than {latest.date().isoformat()}",
        )


def _age(resource: Resource, situation: Situation) -> Iterator[Violation]:
    if resource.created is None:
        return
    days = (situation.now - resource.created).days
    if days > CREDENTIAL_DAYS:
        yield Violation(
            resource,
            f"is {days} days old",
            f"a credential is replaced within {CREDENTIAL_DAYS} days",
            resource.title,
            f"replace it: `pulumi up -s {resource.stack} --target-replace '{resource.urn}' --target-dependents`",
        )


POLICIES: Final = (
    Policy(
        "credential-expiry",
        f"A credential that the stack makes expires within {CREDENTIAL_DAYS} days, where it says when.",
        (kinds.OPENROUTER_KEY, kinds.PORTKEY_KEY, kinds.QDRANT_DATABASE_KEY),
        _ROTATED,
        _expiry,
        says=lambda resource: instant(resource.get("expires_at")) is not None,
    ),
    Policy(
        "credential-age",
        f"A credential that the stack made is no older than {CREDENTIAL_DAYS} days.",
        (kinds.OPENROUTER_KEY, kinds.QDRANT_DATABASE_KEY, kinds.RSA_KEY_PAIR, kinds.VERCEL_TOKEN),
        _ROTATED,
        _age,
        Level.ADVISORY,
        of_state=True,
    ),
)

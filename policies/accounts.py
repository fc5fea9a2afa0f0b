"""Accounts that are known to be wrong are named nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from policies import controls, places
from policies.model import Policy, Resource, Situation, Violation, texts

WRONG_SNOWFLAKE_ACCOUNTS: Final = ("scoobyjava-vw02766", "UHDECNO-CVB64222")
"""Leftovers from an older set-up. They answer 404 and once broke production."""

_WRONG: Final = re.compile(
    "|".join(
        rf"\b(?:{organization}[-._/])?{name}\b"
        for organization, name in (account.split("-") for account in WRONG_SNOWFLAKE_ACCOUNTS)
    ),
    re.IGNORECASE,
)
"""With or without the organisation, in any case, as an account, a host name or part of an address."""


def _wrong_account(resource: Resource, _situation: Situation) -> Iterator[Violation]:
    for path, text in texts(resource.inputs):
        if found := _WRONG.search(text):
            yield Violation(
                resource,
                f"would use the Snowflake account {found.group()}",
                "it is a leftover that answers 404 and once broke production",
                places.property_of(resource, path),
                "use ZNB04675",
            )


POLICIES: Final = (
    Policy(
        "no-wrong-account",
        "No resource names a Snowflake account that is known to be wrong.",
        (),
        (controls.SOC2_CC6_7, controls.GDPR_5_1_F),
        _wrong_account,
    ),
)

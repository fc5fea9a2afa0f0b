"""How strict the policies are in each stage: the one table of the pack's figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

WAREHOUSE_SIZES: Final = ("XSMALL", "SMALL", "MEDIUM", "LARGE", "XLARGE", "XXLARGE", "XXXLARGE", "X4LARGE")
"""From small to large; each costs twice the credits of the one before, from 1 an hour."""

OWN_DOMAINS: Final = ("payready.com",)
"""Pay Ready's: what shows its pages, and what its platforms send events and logs to, is below one of them."""

CREDENTIAL_DAYS: Final = 90
"""No credential is older than this."""


@dataclass(frozen=True)
class Limits:
    """What a stage may do. Money is in US dollars and months, credits are Snowflake's."""

    protect_data: bool
    """What holds data is protected from deletion, and stays on its platform when the stack lets go of it."""
    time_travel_days: int
    """At least so far back a mistake in Snowflake can be undone."""
    warehouse_size: str
    warehouse_clusters: int
    warehouse_idle_seconds: int
    credits: int
    monitored: bool
    """Every warehouse has a resource monitor, and every OpenRouter workspace a monthly budget."""
    known_networks: bool
    """Snowflake's service users log in from named networks only."""
    key_usd: float
    workspace_usd: float
    models_usd: float
    """OpenRouter's budget and Portkey's limits together."""
    gpus: int
    """At once, in the stage's namespace."""
    gpu_usd: float
    """What rented GPU instances may come to in 730 hours."""
    image_digests: bool
    """A container image is named by its digest; elsewhere an exact version is enough."""
    approvals: int
    """Of a pull request, by people who did not write it."""
    real_mail: bool
    """Sequences may send mail to real people."""
    mails_a_day: int
    """Of one sequence."""


LIMITS: Final[Mapping[str, Limits]] = {
    "dev": Limits(
        protect_data=False,
        time_travel_days=0,
        warehouse_size="XSMALL",
        warehouse_clusters=1,
        warehouse_idle_seconds=600,
        credits=50,
        monitored=False,
        known_networks=False,
        key_usd=100,
        workspace_usd=300,
        models_usd=300,
        gpus=1,
        gpu_usd=1000,
        image_digests=False,
        approvals=1,
        real_mail=False,
        mails_a_day=0,
    ),
    "staging": Limits(
        protect_data=False,
        time_travel_days=1,
        warehouse_size="SMALL",
        warehouse_clusters=1,
        warehouse_idle_seconds=600,
        credits=100,
        monitored=True,
        known_networks=True,
        key_usd=200,
        workspace_usd=600,
        models_usd=600,
        gpus=2,
        gpu_usd=2000,
        image_digests=False,
        approvals=1,
        real_mail=False,
        mails_a_day=0,
    ),
    "prod": Limits(
        protect_data=True,
        time_travel_days=7,
        warehouse_size="MEDIUM",
        warehouse_clusters=2,
        warehouse_idle_seconds=600,
        credits=1000,
        monitored=True,
        known_networks=True,
        key_usd=1000,
        workspace_usd=5000,
        models_usd=5000,
        gpus=8,
        gpu_usd=10_000,
        image_digests=True,
        approvals=1,
        real_mail=True,
        mails_a_day=200,
    ),
}


def limits_of(stack: str) -> Limits:
    """Those of a stack; a stack that the table does not know is held to what prod is."""
    return LIMITS.get(stack, LIMITS["prod"])

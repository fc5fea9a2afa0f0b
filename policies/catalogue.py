"""All policies of the pack."""

from __future__ import annotations

from typing import Final

from policies import (
    accounts,
    cloud,
    cost,
    credentials,
    data,
    exposure,
    figures,
    gateway,
    messaging,
    outreach,
    privacy,
    recordings,
    workloads,
)
from policies.model import EstatePolicy, Policy

POLICIES: Final[tuple[Policy, ...]] = (
    *accounts.POLICIES,
    *data.POLICIES,
    *exposure.POLICIES,
    *cloud.POLICIES,
    *privacy.POLICIES,
    *figures.POLICIES,
    *cost.POLICIES,
    *gateway.POLICIES,
    *messaging.POLICIES,
    *outreach.POLICIES,
    *recordings.POLICIES,
    *workloads.POLICIES,
    *credentials.POLICIES,
)
ESTATE_POLICIES: Final[tuple[EstatePolicy, ...]] = (
    *cloud.ESTATE_POLICIES,
    *privacy.ESTATE_POLICIES,
    *figures.ESTATE_POLICIES,
    *cost.ESTATE_POLICIES,
    *gateway.ESTATE_POLICIES,
    *workloads.ESTATE_POLICIES,
)
ALL: Final[tuple[Policy | EstatePolicy, ...]] = (*POLICIES, *ESTATE_POLICIES)

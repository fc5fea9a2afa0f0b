"""Budgets and rates, as they stand on workspaces, integrations, providers and keys."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Self

from pydantic import Field, model_validator

from sandbox.http import Body


class UsageLimits(Body):
    credit_limit: int | float | None = Field(None, ge=1)
    type: Literal["cost", "tokens"] | None = None
    alert_threshold: int | float | None = Field(None, ge=1)
    periodic_reset: Literal["monthly", "weekly"] | None = None
    periodic_reset_days: int | None = Field(None, ge=1, le=365)
    next_usage_reset_at: datetime | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.periodic_reset and self.periodic_reset_days:
            raise ValueError("periodic_reset and periodic_reset_days exclude each other")
        if self.alert_threshold and self.credit_limit and self.alert_threshold >= self.credit_limit:
            raise ValueError("alert_threshold has to be less than credit_limit")
        return self


class _Rate(Body):
    type: Literal["requests", "tokens"]
    value: int = Field(ge=0)


class RateLimits(_Rate):
    unit: Literal["rpd", "rph", "rpm"]


class KeyRateLimits(_Rate):
    """Keys may be limited by the second and by the week, too."""

    unit: Literal["rpd", "rph", "rpm", "rps", "rpw"]

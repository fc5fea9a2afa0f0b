"""Schedules as Airbyte accepts them: Quartz cron expressions, not more often than once an hour.

The rules are those of the Quartz scheduler's manual and of airbytehq/airbyte-platform (AirbyteCatalogHelper,
ConnectionScheduleHelper): six or seven fields; one of day-of-month and day-of-week is "?"; the first field, and in
expressions of seven fields the second, is a plain number; runs are at least an hour apart unless the organisation is
entitled to more, which the sandbox's is not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sandbox.airbyte.problems import kind
from sandbox.http import ApiError

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_MANUAL = "https://www.quartz-scheduler.org/documentation/quartz-2.3.0/tutorials/crontrigger.html"


@dataclass(frozen=True)
class _Field:
    name: str
    lowest: int
    highest: int
    names: tuple[str, ...] = ()
    special: str = "(?!)"
    """A pattern of the forms that only this field has."""
    values: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", {name: self.lowest + i for i, name in enumerate(self.names)})

    def number(self, text: str) -> int:
        value = self.values.get(text, -1) if not text.isdecimal() else int(text)
        if not self.lowest <= value <= self.highest:
            raise ValueError(f"{text} is not a value of {self.name}, {self.lowest} to {self.highest}")
        return value

    def expand(self, text: str) -> list[int]:
        """The values that a field stands for; empty for "?" and for forms that depend on the calendar."""
        if text == "?" or re.fullmatch(self.special, text):
            return []
        values: set[int] = set()
        for part in text.split(","):
            span, slash, step = part.partition("/")
            if slash and (not step.isdecimal() or int(step) == 0):
                raise ValueError(f"{part} has no step for {self.name}")
            first, dash, last = span.partition("-")
            if span == "*":
                low, high = self.lowest, self.highest
            else:
                low = self.number(first)
                high = self.number(last) if dash else (self.highest if slash else low)
            if low > high:
                raise ValueError(f"{span} runs backwards in {self.name}")
            values.update(range(low, high + 1, int(step) if slash else 1))
        return sorted(values)


_FIELDS = (
    _Field("seconds", 0, 59),
    _Field("minutes", 0, 59),
    _Field("hours", 0, 23),
    _Field("day of month", 1, 31, special=r"L(-\d{1,2})?|LW|\d{1,2}W"),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 1, 7, _DAYS, special=r"L|([1-7]|[A-Z]{3})(L|#[1-5])"),
    _Field("year", 1970, 2099),
)


def check_schedule(expression: str) -> None:
    """Raises what Airbyte says where it does not take the expression (a trailing "UTC" is taken off before)."""
    parts = expression.upper().split()
    try:
        expanded = _expand(parts)
    except ValueError as error:
        raise ApiError(
            400,
            f"The cron expression {expression} is not valid. Error: {error}. "
            f"Please check the cron expression format at {_MANUAL}",
        ) from error
    leading = parts[:2] if len(parts) == len(_FIELDS) else parts[:1]
    if not all(part.isdecimal() for part in leading):
        raise ApiError(
            400,
            f"The cron expression {expression} is not valid or is less than the one hour minimum. "
            "The seconds and minutes values cannot be `*`.",
        )
    if len(expanded[1]) > 1:
        raise kind(
            400,
            "cron-validation/under-one-hour-not-allowed",
            "Cron sync schedules more frequent than once per hour are not allowed",
            "Syncs more frequent than once per hour require an entitlement",
            cronExpression=expression,
            validationErrorMessage="Cron executions must be at least 1 hour apart",
        )


def _expand(parts: list[str]) -> list[list[int]]:
    if len(parts) not in (6, 7):
        raise ValueError(f"it has {len(parts)} fields, six or seven are expected")
    if (parts[3] == "?") == (parts[5] == "?"):
        raise ValueError("exactly one of day of month and day of week must be ?")
    if any(part == "?" for position, part in enumerate(parts) if position not in (3, 5)):
        raise ValueError("? stands only for the day of month or the day of week")
    return [unit.expand(part) for unit, part in zip(_FIELDS, parts, strict=False)]

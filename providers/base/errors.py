"""What can go wrong with a platform, and how it is told: what failed, what was said, which setting, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Trouble(Enum):
    """Why a platform did not do what was asked; every API's own codes are mapped to one of these."""

    NOT_FOUND = "not found"
    CONFLICT = "conflict"
    INVALID = "invalid"
    CREDENTIALS = "credentials"
    FORBIDDEN = "forbidden"
    BUSY = "busy"
    """Refused for now, and nothing was done: 429 and its like. Safe to send again, whatever it was."""
    BROKEN = "broken"
    """The platform failed half-way (5xx): what was asked may have been done."""
    UNREACHABLE = "unreachable"
    """The request was never sent: no connection."""
    UNANSWERED = "unanswered"
    """The request was sent and no whole answer came: what was asked may have been done."""


@dataclass
class PlatformError(Exception):
    """A platform's refusal or failure. ``said`` is its own text with status and request id, as far as it gave them.

    ``variables`` names the environment variables with the credentials that were used, where a request was made.
    ``setting`` is the platform's setting to blame (``captures.crm.bindings[0]``) and ``do`` the advice, where they are
    known better than from the resource and the kind of trouble.
    """

    trouble: Trouble
    said: str
    variables: str = ""
    setting: str = ""
    do: str = ""

    def __str__(self) -> str:
        return self.said

    @property
    def outcome_unknown(self) -> bool:
        """Whether the platform may have done what was asked, although it did not say so."""
        return self.trouble in (Trouble.BROKEN, Trouble.UNANSWERED)


@dataclass
class ProviderError(Exception):
    """What a person reads when an operation on a resource fails."""

    what: str
    said: str
    setting: str
    do: str
    marker: str = ""
    """``credentials`` or ``unreachable``: machines branch on these (exit codes 4 and 6 of ``sophia``)."""
    outcome_unknown: bool = False
    """Whether the object may have been made all the same; ``sophia`` then notes it as an interrupted create."""

    def __str__(self) -> str:
        markers = [self.marker, "outcome-unknown" if self.outcome_unknown else ""]
        lines = [self.what, f"  said     {self.said}", f"  setting  {self.setting}", f"  do       {self.do}"]
        return "\n".join([*(f"error[{marker}]" for marker in markers if marker), *lines])


_ADVICE = {
    Trouble.NOT_FOUND: "check the ids that this setting refers to: one of them does not exist on the platform",
    Trouble.CONFLICT: "see what stands in the way on the platform; remove it, or change this setting",
    Trouble.INVALID: "correct the setting named above; the platform's text says what it wants",
    Trouble.CREDENTIALS: "put a valid value there, then run the same command again",
    Trouble.FORBIDDEN: "give the credential the permission that the platform's text names",
    Trouble.BUSY: "wait until the platform's limit has recovered, then run the same command again",
    Trouble.BROKEN: "run the same command again",
    Trouble.UNANSWERED: "run the same command again",
    Trouble.UNREACHABLE: "check the address and the network, then run the same command again",
}

MAYBE_MADE = (
    "it may have been made all the same: run the same command again, and `sophia up` takes it over; if plain `pulumi up` "
    "then says that it exists, and it is this one, set `adopt: true`"
)
"""What to do after a create of which nobody knows whether it worked."""

_MARKERS = {Trouble.CREDENTIALS: "credentials", Trouble.UNREACHABLE: "unreachable", Trouble.UNANSWERED: "unreachable"}


def explain(error: PlatformError, what: str, setting: str) -> ProviderError:
    """The platform's error as a person reads it, for what was done and the setting that is to blame."""
    return ProviderError(what, error.said, setting, error.do or _ADVICE[error.trouble], _MARKERS.get(error.trouble, ""))

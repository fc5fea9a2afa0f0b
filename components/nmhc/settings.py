"""What the stack file says about the NMHC Top 50 (``sophia-ai:nmhc``): keys of other platforms' settings, and the score."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from components.explain import Mistake
from components.settings import Adoptable, Key, Settings, matching
from components.snowflake.names import Identifier, repeated
from components.snowflake.settings_transforming import Lag

Kind = Literal["MANAGERS", "OWNERS", "DEVELOPERS", "BUILDERS"]
Weight = Annotated[Decimal, Field(ge=0, le=100, allow_inf_nan=False)]
Factor = Annotated[Decimal, Field(ge=0, le=1, allow_inf_nan=False)]
Word = Annotated[
    str,
    matching(
        r"[a-z0-9]+( [a-z0-9]+)*", "must be lower-case words of letters and digits, with single spaces between them"
    ),
]
"""As names and titles are compared: in lower case, with a space for all that is neither letter nor digit."""

Words = Annotated[tuple[Word, ...], Field(min_length=1)]
PropertyName = Annotated[
    str, matching(r"[a-z][a-z0-9_]{0,99}", "must be a property's internal name in HubSpot, such as nmhc_rank")
]

Tracker = Annotated[str, matching(r"[^{}]{1,200}", "must be the name of a tracker in Gong, without braces")]

WHOLE = 100
"""What the weights add up to, and so the highest score."""


class SourcesSettings(Settings):
    """The Airbyte connections that land what is joined: keys of ``sophia-ai:airbyte.connections``."""

    hubspot: Key
    gong: Key
    apollo: Key


class SchemasSettings(Settings):
    """Keys of Snowflake's schemas: of the list that people load, of the views in between, of what people read."""

    list_: Annotated[Key, Field(alias="list")]
    working: Key
    results: Key


class PrivacySettings(Settings):
    """How decision makers are masked: masking policies (keys of Snowflake's) of their names and of their addresses."""

    name: Key
    email: Key


class MatchingSettings(Settings):
    """Words that are left out of names before they are compared: ``inc``, ``llc``."""

    ignored_words: Words


class DecisionMakersSettings(Settings):
    """Whose title has a word of a seniority and one of an area, and none of ``excluded``, decides.

    Of several that fit, the first counts. ``vp`` stands for "vice president" as well.
    """

    seniorities: Annotated[dict[Key, Words], Field(min_length=1)]
    areas: Annotated[dict[Key, Words], Field(min_length=1)]
    excluded: Words


class WeightsSettings(Settings):
    """How many points each factor brings at most. Together they are 100."""

    units: Weight
    growth: Weight
    property_management_system: Weight
    engagement: Weight
    deal: Weight
    decision_makers: Weight
    competitor: Weight

    def check(self) -> Iterator[Mistake]:
        """They are the whole."""
        total = sum((Decimal(getattr(self, name)) for name in type(self).model_fields), Decimal(0))
        if total != WHOLE:
            yield Mistake((), f"add up to {total.normalize():f}, and must add up to {WHOLE}")


class UnitsSettings(Settings):
    """From how many units on the factor is 1; below, in proportion."""

    full: Annotated[int, Field(gt=0)]


class GrowthSettings(Settings):
    """From which growth since the list before on the factor is 1 (0.1: a tenth more units); below, in proportion.

    Who has shrunk, or was not on the list, has 0.
    """

    full: Annotated[Decimal, Field(gt=0, allow_inf_nan=False)]


class SystemSettings(Settings):
    """How well Pay Ready works with a property management system: by its value in HubSpot (``property``) or on the list.

    ``other`` is for one that is not in ``fits``, ``unknown`` where nobody knows it.
    """

    property_: Annotated[PropertyName, Field(alias="property")]
    fits: Annotated[dict[Word, Factor], Field(min_length=1)]
    other: Factor
    unknown: Factor


class EngagementSettings(Settings):
    """Calls in Gong of the last ``days``, of ``seconds`` at least: from ``full`` calls on the factor is 1."""

    days: Annotated[int, Field(ge=1, le=730)]
    seconds: Annotated[int, Field(ge=0)] = 120
    full: Annotated[int, Field(gt=0)]


class PeopleSettings(Settings):
    """From how many known decision makers on the factor is 1."""

    full: Annotated[int, Field(gt=0)]


class CompetitorSettings(Settings):
    """Where an open deal has a competitor (``deal_property``), or one of Gong's ``trackers`` was heard in a call, the factor
    is ``in_use``; else 1.
    """

    deal_property: PropertyName
    trackers: Annotated[tuple[Tracker, ...], Field(min_length=1)]
    in_use: Factor


class ScoreSettings(Settings):
    """The score: the sum of each weight times its factor, from 0 to 100. A deal's factor is the probability of its stage."""

    weights: WeightsSettings
    units: UnitsSettings
    growth: GrowthSettings
    property_management_system: SystemSettings
    engagement: EngagementSettings
    decision_makers: PeopleSettings
    competitor: CompetitorSettings


class TierSettings(Settings):
    """A tier, and from which score on."""

    name: Annotated[str, matching(r"[A-Za-z0-9][A-Za-z0-9_]{0,49}", "must be letters, digits and underscores")]
    at_least: Annotated[Decimal, Field(ge=0, le=100, allow_inf_nan=False)]


class WrittenProperties(Settings):
    """The properties of HubSpot's companies that get the values. ``sophia-ai:hubspot`` declares them."""

    rank: PropertyName
    score: PropertyName
    tier: PropertyName
    decision_makers: PropertyName
    areas: PropertyName

    def check(self) -> Iterator[Mistake]:
        """Each is one's own."""
        names = list(type(self).model_fields)
        for index, name in enumerate(names):
            for other in names[:index]:
                if getattr(self, other) == getattr(self, name):
                    yield Mistake((name,), f"is the property of {other} already")


class WriteBackSettings(Adoptable):
    """The workflow in n8n that writes to HubSpot. ``hubspot`` is the key of n8n's credential, ``user`` that of the Snowflake
    user as whom n8n reads, ``error_workflow`` the workflow (a key of n8n's) that tells when it fails.
    """

    hubspot: Key
    user: Key
    error_workflow: Key | None = None
    properties: WrittenProperties


class NmhcSettings(Settings):
    """``sophia-ai:nmhc``. ``kinds`` are NMHC's lists that count, the first before the others where a company is on several.

    ``landed`` says that Airbyte has synced the ``sources`` once. Until then only the table of the list is made: Snowflake
    makes no view of tables that are not there.
    """

    landed: bool
    table: Identifier = "NMHC_TOP_50"
    kinds: Annotated[tuple[Kind, ...], Field(min_length=1)]
    sources: SourcesSettings
    schemas: SchemasSettings
    warehouse: Key
    lag: Lag
    privacy: PrivacySettings
    matching: MatchingSettings
    decision_makers: DecisionMakersSettings
    score: ScoreSettings
    tiers: Annotated[tuple[TierSettings, ...], Field(min_length=1)]
    write_back: WriteBackSettings | None = None

    def check(self) -> Iterator[Mistake]:
        """Every score has one tier."""
        yield from repeated(("kinds",), self.kinds)
        yield from repeated(("tiers",), [tier.name for tier in self.tiers])
        for index, (above, tier) in enumerate(zip(self.tiers, self.tiers[1:], strict=False), start=1):
            if tier.at_least >= above.at_least:
                yield Mistake(
                    ("tiers", index, "at_least"), f"must be less than that of {above.name}, which comes before"
                )
        if self.tiers[-1].at_least != 0:
            yield Mistake(("tiers", len(self.tiers) - 1, "at_least"), "must be 0: the last tier takes what is left")
        if self.write_back is not None and not self.landed:
            yield Mistake(("write_back",), "needs `landed: true`: there is nothing to write before")

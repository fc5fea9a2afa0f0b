"""What repositories of one kind have in common, and how one of them deviates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field

from components.explain import Mistake
from components.github.rulesets import RulesetSettings
from components.github.values import DEFAULT_SUBJECT, ActionsSettings, ClaimKey, Permission, WebhookSettings
from components.settings import Key, Settings, matching

MergeMethod = Literal["squash", "merge", "rebase"]
LabelName = Annotated[str, matching(r"[^,\n]{1,50}", "must be one to fifty characters, without commas")]
Prefix = Annotated[
    str,
    matching(
        r"[A-Za-z0-9.=+:/#_-]*[A-Za-z.=+:/#_-]",
        "must be letters, digits and . = + : / # _ -, and must not end with a digit",
    ),
]
V = TypeVar("V")

OPEN_SOURCE = "open-source"
"""The topic that a repository has because its archetype is public: by it the policies tell it from a mistake."""


class LabelSettings(Settings):
    """A label of issues and pull requests; ``color`` is six hexadecimal digits without #."""

    color: Annotated[str, matching(r"[0-9a-f]{6}", "must be six hexadecimal digits in lower case, without #")]
    description: Annotated[str, Field(max_length=100)] = ""


class SecuritySettings(Settings):
    """What GitHub looks for. ``None`` leaves a setting as the organisation has it.

    Secret scanning of private repositories needs GitHub Secret Protection, ``code_security`` needs GitHub Code Security:
    both are paid for by the committer, and GitHub refuses what is not paid for.
    """

    alerts: bool = True
    updates: bool = True
    secret_scanning: bool | None = None
    push_protection: bool | None = None
    code_security: bool | None = None


class Traits(Settings):
    """What an archetype sets and a repository may deviate in: all is closed and guarded unless it says otherwise.

    Maps are merged by their keys, and ``null`` takes an entry of the archetype away; lists are replaced.
    ``labels`` are all that the repository has: a label that somebody adds by hand is taken away.
    ``autolinks`` turn references such as ``PAY-17`` into links: a prefix, and an address with ``<num>``.
    ``oidc_subject`` pins what a workflow's token has as its subject, whatever the organisation's template says.
    """

    visibility: Literal["private", "internal", "public"] = "private"
    archived: bool = False
    issues: bool = True
    merge_methods: Annotated[tuple[MergeMethod, ...], Field(min_length=1)] = ("squash",)
    auto_merge: bool = False
    signed_off: bool = False
    topics: tuple[Annotated[str, matching(r"[a-z0-9][a-z0-9-]{0,49}", "must be lower case, with hyphens")], ...] = ()
    security: SecuritySettings = SecuritySettings()
    actions: ActionsSettings | None = None
    oidc_subject: Annotated[tuple[ClaimKey, ...], Field(min_length=1)] | None = None
    rulesets: dict[Key, RulesetSettings | None] = Field(default_factory=dict)
    teams: dict[Key, Permission | None] = Field(default_factory=dict)
    labels: dict[LabelName, LabelSettings | None] = Field(default_factory=dict)
    autolinks: dict[
        Prefix, Annotated[str, matching(r"https://[a-z0-9.-]+/\S*<num>\S*", "must be https:// with <num> in it")] | None
    ] = Field(default_factory=dict)
    webhooks: dict[Key, WebhookSettings | None] = Field(default_factory=dict)

    def contradictions(self) -> Iterator[Mistake]:
        """What does not go together, once deviations are applied."""
        lowered = [label.lower() for label in present(self.labels)]
        for label in present(self.labels):
            if lowered.count(label.lower()) > 1:
                yield Mistake(("labels", label), "is there twice: GitHub takes no difference in case for one")
        if OPEN_SOURCE in self.topics:
            yield Mistake(("topics",), f"{OPEN_SOURCE} is what a repository of a public archetype gets by itself")
        if self.security.push_protection and not self.security.secret_scanning:
            yield Mistake(("security", "push_protection"), "needs `secret_scanning`")
        if self.security.updates and not self.security.alerts:
            yield Mistake(("security", "updates"), "needs `alerts`, which say what is to be updated")
        for key, ruleset in present(self.rulesets).items():
            for mistake in ruleset.contradictions():
                yield Mistake(("rulesets", key, *mistake.path), mistake.message)


def present(entries: Mapping[str, V | None]) -> dict[str, V]:
    """Without the entries that a deviation has taken away."""
    return {key: entry for key, entry in entries.items() if entry is not None}


_LABELS: dict[str, LabelSettings | None] = {
    "bug": LabelSettings(color="d73a4a", description="It does not do what it should"),
    "compliance": LabelSettings(color="5319e7", description="Asked for by an audit or a law"),
    "incident": LabelSettings(color="b60205", description="Came out of an incident"),
    "security": LabelSettings(color="e99695", description="Weakens or strengthens what protects residents' data"),
}
_SCANNED = SecuritySettings(secret_scanning=True, push_protection=True)
_TAGS = RulesetSettings(target="tag", refs=("v*",), locked=True)

BUILT_IN: Mapping[str, Traits] = {
    "service": Traits(
        security=_SCANNED,
        labels=_LABELS,
        oidc_subject=DEFAULT_SUBJECT,
        rulesets={"main": RulesetSettings(approvals=1, checks=("lint", "test"), linear_history=True)},
    ),
    "library": Traits(
        security=_SCANNED,
        labels=_LABELS,
        rulesets={
            "main": RulesetSettings(approvals=1, checks=("lint", "test"), linear_history=True),
            "releases": _TAGS,
        },
    ),
    "infrastructure": Traits(
        security=_SCANNED,
        labels=_LABELS,
        oidc_subject=DEFAULT_SUBJECT,
        rulesets={
            "main": RulesetSettings(
                approvals=2,
                code_owners=True,
                last_push_approval=True,
                checks=("Checks", "Deploy dev"),
                signed_commits=True,
                linear_history=True,
            ),
            "releases": _TAGS,
        },
    ),
    "documentation": Traits(
        security=SecuritySettings(updates=False),
        rulesets={"main": RulesetSettings(approvals=1)},
    ),
    "archived": Traits(archived=True, issues=False, security=SecuritySettings(alerts=False, updates=False)),
}
"""Archetypes that every stack has; one of the same name in its settings deviates from it.

The checks of ``infrastructure`` are the jobs of this project's own workflows (docs/adopting.md).
"""


def resolve(*layers: Traits | None) -> Traits:
    """Each layer's own settings over those of the layers before it."""
    result: dict[str, Any] = {}
    for layer in layers:
        if layer is not None:
            said = layer.model_dump(include=set(Traits.model_fields), exclude_unset=True)
            result = _laid_over(result, said)
    return Traits.model_validate(result)


def _laid_over(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        there = result.get(key)
        both = isinstance(there, dict) and isinstance(value, dict)
        result[key] = _laid_over(there, value) if both and isinstance(there, dict) else value
    return result

"""What apps in the team's messages may do: hear what is said to them, and not read what people write to each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies import controls, kinds, places
from policies.model import Hidden, Policy, Resource, Situation, Violation, items

_LEAST = (controls.SOC2_CC6_1, controls.GDPR_25_2, controls.HIPAA_ACCESS, controls.PCI_7_2_1, controls.GLBA_ACCESS)
_PRIVATE = frozenset({"im:history", "mpim:history", "groups:history"})
"""Messages that were written to somebody, and not to everybody."""


def _scopes(resource: Resource, whose: str) -> list[str]:
    manifest: Any = resource.get("manifest")
    for part in ("oauth_config", "scopes", whose):
        manifest = manifest.get(part) if isinstance(manifest, Mapping) else None
    return [] if isinstance(manifest, Hidden) else [str(scope) for scope in items(manifest)]


def _wide(whose: str, scope: str) -> str:
    """Why a scope is too wide; "" for one that is not."""
    if scope.startswith("admin"):
        return "who has its token is an administrator of the whole workspace"
    if scope.startswith("search:read") or (whose == "user" and scope in _PRIVATE):
        return "it could read what people write to each other, residents' data among it"
    return ""


def _app_scopes(resource: Resource, _situation: Situation) -> Iterator[Violation]:
    for whose in ("bot", "user"):
        for scope in _scopes(resource, whose):
            if why := _wide(whose, scope):
                yield Violation(
                    resource,
                    f"would ask for {scope} ({whose})",
                    why,
                    places.setting(resource, f"manifest.oauth_config.scopes.{whose}"),
                    "take it away; an app hears what is said to it by events such as app_mention",
                )


POLICIES: Final = (
    Policy(
        "messaging-app-scope",
        "No Slack app administers the workspace or reads what people write to each other.",
        kinds.SLACK_APPS,
        _LEAST,
        _app_scopes,
    ),
)

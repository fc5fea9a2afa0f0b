"""GitHub: ids, references and rules of the resource types that the estate uses.

Sources: integrations/terraform-provider-github (ids: ``buildID``; what is replaced: ``ForceNew``; defaults; validators),
the schema of pulumi/pulumi-github, and GitHub's REST and GraphQL errors. The sandbox's one owner is ``OWNER``: the owner
that the program's environment names cannot be seen from here.
"""

from __future__ import annotations

from sandbox.official.behaviour import Identity, Kind, Package, random_id, text
from sandbox.official.github import actions, organization, repositories, rulesets, teams
from sandbox.official.github.names import ORGANIZATION, OWNER
from sandbox.official.types import Sdk
from sandbox.official.values import Properties

__all__ = ["ORGANIZATION", "OWNER", "PACKAGE"]

_KINDS = {**repositories.KINDS, **actions.KINDS, **teams.KINDS, **rulesets.KINDS, **organization.KINDS}


def _anything(properties: Properties) -> Identity:
    """For the types without rules of their own: every one is another object."""
    names = ("repository", "name", "slug", "branch", "username", "teamId")
    return tuple(text(properties, name) for name in names if name in properties)


_UNRULED = Kind(
    identity=_anything,
    make_id=lambda properties: ":".join(_anything(properties)) or random_id(16),
    conflicts=lambda _new, _old: False,
)

PACKAGE = Package(
    sdk=Sdk("github", "pulumi_github", "pulumi-github"),
    kind=lambda token: _KINDS.get(token, _UNRULED),
)

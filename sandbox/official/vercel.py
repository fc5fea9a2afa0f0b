"""Vercel's package: the resource types that the estate uses, and those of objects that our own provider manages.

Rules by subject: ``vercel_projects.py``, ``vercel_variables.py``, ``vercel_security.py``.
"""

from __future__ import annotations

from sandbox.official import vercel_projects, vercel_security, vercel_variables
from sandbox.official.behaviour import Identity, Kind, Package, random_id, text
from sandbox.official.types import Sdk
from sandbox.official.values import Properties
from sandbox.official.vercel_projects import TEAM

__all__ = ["PACKAGE", "TEAM"]

_KINDS = {**vercel_projects.KINDS, **vercel_variables.KINDS, **vercel_security.KINDS}


def _anything(properties: Properties) -> Identity:
    """For the types without rules of their own: every one is another object."""
    names = ("projectId", "name", "domain", "key")
    return tuple(text(properties, name) for name in names if name in properties)


_UNRULED = Kind(
    identity=_anything,
    make_id=lambda _: random_id(24),
    conflicts=lambda _new, _old: False,
)

PACKAGE = Package(
    sdk=Sdk("vercel", "pulumiverse_vercel", "pulumiverse-vercel"),
    kind=lambda token: _KINDS.get(token, _UNRULED),
)

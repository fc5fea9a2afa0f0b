"""The ESC environments of this checkout: checked offline, compared with Pulumi Cloud, published there."""

from __future__ import annotations

from sophia.errors import Problem
from sophia.esc.check import Report, examine
from sophia.esc.findings import Finding
from sophia.project import Project

__all__ = ["Finding", "Report", "check", "examine"]


def check(project: Project) -> list[Problem]:
    """What must be corrected before anything is deployed or published; [] if all is well. Offline.

    Each is a ``Finding`` with its file and line. ``examine`` tells warnings too.
    """
    return list(examine(project).errors)

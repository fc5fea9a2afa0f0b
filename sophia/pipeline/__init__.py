"""The way of a change to the platforms: validated, previewed, approved, deployed, tested, watched, recorded, told.

For scripts::

    engine = sophia.backend.engine_command(print)
    deployment = Deployment.of("deploy", Stack("dev"), engine, Options(check_health=sophia.health.check))
    Course(STEPS, print).run(deployment)

A step that fails raises its SophiaError; the course's ``standing`` then says where it stands, and `ways_back` what to do.
"""

from __future__ import annotations

from sophia.pipeline.deploy import PLANNING, STEPS, ways_back
from sophia.pipeline.deployment import Deployment, Options
from sophia.pipeline.history import Entry, entries
from sophia.pipeline.plan import BoundPlan
from sophia.pipeline.steps import Course, Standing, Step, StepEvent

__all__ = [
    "PLANNING",
    "STEPS",
    "BoundPlan",
    "Course",
    "Deployment",
    "Entry",
    "Options",
    "Standing",
    "Step",
    "StepEvent",
    "entries",
    "ways_back",
]

"""Puts the ESC environments of git (esc/*.yaml) into the sandbox's Pulumi Cloud, word for word."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sophia.target import of_running

if TYPE_CHECKING:
    from sandbox.control import Running

PROJECT = "sophia-ai"
NAMES = ("base", "dev", "staging", "prod")
"""What every checkout has: base, and the stages, which import it."""


def publish(running: Running, directory: Path) -> list[str]:
    """Writes those environments that differ; their names, for people. ``directory`` is the checkout's esc/.

    In a rehearsal git is right: what was changed in the sandbox by hand is overwritten. Raises SettingsError for an
    environment that the sandbox does not accept, UnreachableError if it does not answer.
    """
    from sophia.esc.cloud import Cloud
    from sophia.esc.files import CREDENTIALS, read
    from sophia.esc.publish import compare, ordered, push

    environments = read(directory, PROJECT, NAMES[1:])
    cloud = Cloud(of_running(running), PROJECT, os.environ)
    known = (name.partition("/")[2] for name in environments.definitions)
    names = ordered(environments, [name for name in known if not name.startswith(CREDENTIALS)])
    published = [push(cloud, environments, compare(cloud, environments, name), force=True) for name in names]
    return [one.name for one in published if one.written]

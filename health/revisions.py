"""Since when the values of an ESC environment are what they are, from its history in Pulumi Cloud.

A credential that has been in ESC unchanged for a hundred days is at least so old, whatever its vendor tells.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from health.asking import READING_ERRORS, Client, reading_failed
from health.base import moment

_MOST_REVISIONS = 50
"""How far back is looked: one request each."""


@dataclass(frozen=True)
class Since:
    """``revision`` is the first that has the value of today; ``made`` its time, RFC 3339."""

    revision: int
    made: str


def unchanged_since(client: Client, environment: str) -> dict[str, Since]:
    """By the names of variables and files. ``environment`` is ``project/name``. Raises PlatformError."""
    path = f"/api/esc/environments/{client.subject.cloud.organization}/{environment}/versions"
    revisions = client.send("GET", path, params={"count": _MOST_REVISIONS}).json()
    found: dict[str, Since] = {}
    newest: dict[str, str] = {}
    open_: set[str] = set()
    try:
        for number, revision in enumerate(revisions):
            values = _values(client.send("GET", f"{path}/{revision['number']}/decrypt").text)
            if not number:
                newest, open_ = values, set(values)
            open_ = {name for name in open_ if values.get(name) == newest[name]}
            made = moment(revision["created"])
            if not open_ or made is None:
                break
            found |= dict.fromkeys(open_, Since(int(revision["number"]), made))
    except (*READING_ERRORS, yaml.YAMLError) as error:
        raise reading_failed(client) from error
    return found


def _values(text: str) -> dict[str, str]:
    """The digests of what a definition sets: the values themselves are not kept."""
    values: Mapping[str, Mapping[str, object]] = (yaml.safe_load(text) or {}).get("values") or {}
    sections = (values.get(name) or {} for name in ("environmentVariables", "files"))
    return {
        name: hashlib.sha256(repr(value).encode()).hexdigest()
        for section in sections
        for name, value in section.items()
    }

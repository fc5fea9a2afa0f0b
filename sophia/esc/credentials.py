"""What ``credentials-<stage>`` in Pulumi Cloud contains, by name: the definition is read, its secrets stay encrypted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from esc.language import load
from esc.language.terms import Literal as LiteralTerm
from esc.language.terms import ObjectTerm, Term
from sophia.esc import leaks
from sophia.esc.cloud import Cloud
from sophia.esc.files import CREDENTIALS, Environments
from sophia.esc.types import FILES, VARIABLES

State = Literal["there", "missing", "in clear", "unlisted"]


@dataclass(frozen=True)
class Entry:
    """``unlisted`` is there, and nobody asked for it; ``in clear`` is there, and is no secret to those who may look."""

    name: str
    state: State
    source: str


@dataclass(frozen=True)
class Inventory:
    environment: str
    exists: bool
    entries: tuple[Entry, ...]


def inventory(cloud: Cloud, environments: Environments, stage: str) -> Inventory:
    """Compares the list in git with the environment of a stage."""
    short = f"{CREDENTIALS}{stage}"
    remote = cloud.read(short)
    kept = _kept(environments.full_name(short), remote.text) if remote else {}
    entries = [Entry(one.name, kept.get(one.name, "missing"), one.source) for one in environments.credentials.values()]
    # What git sets may be set anew there: a stage's own address of a platform, for one.
    in_git = " ".join(definition.text for definition in environments.definitions.values())
    unlisted = sorted(name for name in kept.keys() - environments.credentials.keys() if name not in in_git)
    entries += [Entry(name, "unlisted", "") for name in unlisted]
    return Inventory(environments.full_name(short), remote is not None, tuple(entries))


def _kept(name: str, text: str) -> dict[str, State]:
    declaration, _ = load(name, text)
    values = {one.key: one.value for one in declaration.values} if declaration else {}
    found: dict[str, State] = {}
    for part in (values.get(VARIABLES), values.get(FILES)):
        for one in part.properties if isinstance(part, ObjectTerm) else ():
            found[one.key] = "in clear" if _is_clear(one.key, one.value) else "there"
    return found


def _is_clear(name: str, term: Term) -> bool:
    """Whether a secret simply stands there. An owner's or a team's name may."""
    text = str(term.value) if isinstance(term, LiteralTerm) else ""
    return bool(leaks.shape(text)) or leaks.promises_secret(name, text)

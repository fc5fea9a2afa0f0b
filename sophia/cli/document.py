"""The document of ``--json``: versioned, without secrets; its schema lies beside this module."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from sophia.drift import Drift
from sophia.errors import SophiaError, UnreadableError
from sophia.redact import redact
from sophia.results import Change, Counts, Partial, Plan, Result
from sophia.stack import Stack

VERSION = 1
SCHEMA_FILE = Path(__file__).with_name("document.schema.json")
"""JSON Schema 2020-12. A new member may come at any time; a changed or removed one makes a new version."""


def base(command: str, exit_code: int) -> dict[str, Any]:
    return {"version": VERSION, "command": command, "exit_code": exit_code}


def of_error(error: SophiaError, command: str) -> dict[str, Any]:
    problems = [{"what": p.what, "said": p.said, "setting": p.setting, "do": p.do} for p in error.problems]
    found = {**base(command, error.exit_code), "problems": problems}
    if error.partial is not None:
        found |= of_partial(error.partial)
    if isinstance(error, UnreadableError):
        found |= {"changes": [of_change(change) for change in error.drift.changes], "checked": error.drift.checked}
    return found


def of_partial(partial: Partial) -> dict[str, Any]:
    """How far a run got that failed; ``not_tried`` is null where that is not known."""
    left = partial.not_tried
    return {
        "counts": of_counts(partial.counts),
        "failed": [r.urn for r in partial.failed],
        "not_tried": None if left is None else [r.urn for r in left],
        "outcome_unknown": [r.urn for r in partial.unknown],
    }


def of_drift(stack: Stack, drift: Drift, fixed: Result | None, exit_code: int) -> dict[str, Any]:
    """Of each change, ``old`` is what was set and ``new`` what is there; ``delete`` is an object that is gone."""
    return {
        **base("drift", exit_code),
        **of_stack(stack),
        "changes": [of_change(change) for change in drift.changes],
        "checked": drift.checked,
        "fixed": None if fixed is None else of_counts(fixed.counts),
        "duration_seconds": round(drift.duration, 3),
        "requests": drift.requests,
        "warnings": list(drift.warnings),
        "interrupted_creates": [resource.urn for resource in drift.interrupted],
    }


def of_outcome(command: str, stack: Stack, outcome: Plan | Result, exit_code: int) -> dict[str, Any]:
    return {
        **base(command, exit_code),
        **of_stack(stack),
        "counts": of_counts(outcome.counts),
        "changes": [of_change(change) for change in outcome.changes],
        "outputs": dict(outcome.outputs),
        "duration_seconds": round(outcome.duration, 3),
        "requests": outcome.requests,
        "warnings": list(outcome.warnings),
        "policy_violations": [
            {
                "pack": v.pack,
                "policy": v.policy,
                "enforcement": v.enforcement,
                "message": v.message.strip(),
                "urn": v.resource.urn if v.resource else None,
            }
            for v in outcome.violations
        ],
        "interrupted_creates": [resource.urn for resource in outcome.interrupted],
    }


def of_stack(stack: Stack) -> dict[str, Any]:
    target = {"kind": stack.target.kind, "backend": stack.target.backend, "organization": stack.target.organization}
    return {"stack": stack.name, "target": target}


def of_counts(counts: Counts) -> dict[str, int]:
    return {
        "created": counts.created,
        "updated": counts.updated,
        "replaced": counts.replaced,
        "deleted": counts.deleted,
        "unchanged": counts.unchanged,
    }


def of_change(change: Change) -> dict[str, Any]:
    return {
        "urn": change.resource.urn,
        "platform": change.resource.platform,
        "kind": change.resource.kind,
        "name": change.resource.name,
        "operation": change.operation,
        "properties": [
            {"path": p.path, "old": p.old, "new": p.new, "forces_replacement": p.forces_replacement}
            for p in change.properties
        ],
    }


def dump(document: dict[str, Any]) -> str:
    """The document as text. What has the shape of a credential is masked even where nobody marked it as a secret."""
    return json.dumps(_masked(document), ensure_ascii=False, indent=2, default=str)


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value, os.environ)
    if isinstance(value, dict):
        return {key: _masked(item) for key, item in value.items()}
    return [_masked(item) for item in value] if isinstance(value, list) else value

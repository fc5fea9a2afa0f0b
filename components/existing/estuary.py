"""Estuary's catalog, as far as it can be told: a person writes its settings, since specs do not say what is secret."""

from __future__ import annotations

from components.estuary import EstuarySettings
from components.existing.findings import Findings
from providers.estuary_catalog import live_under

MODEL = EstuarySettings


def existing(findings: Findings, _workspace: str | None) -> None:
    """Every live spec under the settings' prefix that the settings do not have is told as left, with what to do."""
    prefix = findings.settings.get("prefix")
    if not prefix:
        reason = "what is live is looked at under the stack's prefix: write `prefix` into the settings first"
        findings.left.append({"kind": "catalog", "id": "", "name": "", "reason": reason})
        return
    sections = ("collections", "derivations", "captures", "materializations")
    named = {f"{prefix}{entry['name']}" for name in sections for entry in (findings.settings.get(name) or {}).values()}
    for name, spec_type in live_under(prefix).items():
        if name not in named:
            reason = "write its settings (docs/estuary.md), then set estuary.adopt: true; its secrets come from ESC"
            findings.left.append({"kind": spec_type, "id": name, "name": "", "reason": reason})

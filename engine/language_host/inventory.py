"""Lists the distributions of the interpreter that runs this file, as JSON: run as a script, with a program's Python."""

from __future__ import annotations

import importlib.machinery
import json
import re
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any


def plugin_file(distribution_name: str) -> Path | None:
    """The pulumi-plugin.json of a distribution, or None. By convention it lies in the module of the same name."""
    spec = importlib.machinery.PathFinder.find_spec(distribution_name.replace("-", "_").replace(".", "_"))
    for folder in (spec.submodule_search_locations or []) if spec else []:
        candidate = Path(folder) / "pulumi-plugin.json"
        if candidate.is_file():
            return candidate
    return None


def normalized(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def describe(distribution: Distribution) -> dict[str, Any]:
    """Name, version, requirements (names) and the path of the plugin file of one distribution."""
    name = distribution.metadata["Name"]
    file = plugin_file(name)
    required = {normalized(match[0]) for line in distribution.requires or [] if (match := re.match(r"[\w.-]+", line))}
    return {
        "name": normalized(name),
        "version": distribution.version,
        "requires": sorted(required),
        "plugin": str(file) if file else None,
    }


def main() -> None:
    """Writes the inventory to standard output."""
    found = {normalized(found.metadata["Name"]): found for found in reversed(list(distributions())) if found.metadata}
    json.dump([describe(found[name]) for name in sorted(found)], sys.stdout)


if __name__ == "__main__":
    main()

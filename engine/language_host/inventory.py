"""Lists the distributions of the interpreter that runs this file, as JSON: run as a script, with a program's Python."""

from __future__ import annotations

import importlib.machinery
import json
import re
import sys
from importlib.metadata import PackageMetadata, distributions
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


def describe(metadata: PackageMetadata) -> dict[str, Any]:
    """Name, version, requirements (names) and the path of the plugin file of one distribution."""
    file = plugin_file(metadata["Name"])
    required = metadata.get_all("Requires-Dist") or []
    return {
        "name": normalized(metadata["Name"]),
        "version": metadata["Version"],
        "requires": sorted({normalized(match[0]) for line in required if (match := re.match(r"[\w.-]+", line))}),
        "plugin": str(file) if file else None,
    }


def main() -> None:
    """Writes the inventory to standard output."""
    # A distribution reads and parses its file anew each time that it is asked for its metadata.
    read = [distribution.metadata for distribution in distributions()]
    found = {normalized(metadata["Name"]): metadata for metadata in reversed(read) if metadata}
    json.dump([describe(found[name]) for name in sorted(found)], sys.stdout)


if __name__ == "__main__":
    main()

"""The version of a plugin, told from the version of its Python package."""

from __future__ import annotations

import re

_PEP440 = re.compile(
    r"(?P<release>\d+(\.\d+)*)((?P<stage>a|b|rc)(?P<number>\d+))?(\.post(?P<post>\d+))?(\.dev(?P<dev>\d+))?"
)
_STAGES = {"a": "alpha", "b": "beta", "rc": "rc"}


def plugin_version(package_version: str) -> str | None:
    """The semantic version for a PEP 440 version: 1.2 is 1.2.0, 1.2.3a4 is 1.2.3-alpha.4, 1.2.3.post4 is 1.2.3+post4.

    None for versions that no plugin has (epochs, local versions).
    """
    match = _PEP440.fullmatch(package_version)
    if match is None:
        return None
    release = match["release"].split(".")
    version = ".".join(release + ["0"] * (3 - len(release)))
    if match["stage"]:
        version += f"-{_STAGES[match['stage']]}.{match['number']}"
    build = "".join(f"{key}{match[key]}" for key in ("post", "dev") if match[key])
    return f"{version}+{build}" if build else version

"""The platforms of a stack file, changed in one place, and what the estate's settings say of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from components.estate import Estate
from components.explain import explain, render

REPOSITORY = Path(__file__).parents[2]


def platforms_of(stage: str = "dev") -> dict[str, Any]:
    """By their names, as anybody's own to change."""
    document = yaml.safe_load((REPOSITORY / f"Pulumi.{stage}.yaml").read_text())["config"]
    return {key.removeprefix("sophia-ai:"): its for key, its in document.items() if key.startswith("sophia-ai:")}


def put(platforms: dict[str, Any], path: str, value: Any) -> None:
    """Sets what is at a path with dots between; None takes it away."""
    *parents, last = path.split(".")
    place = platforms
    for name in parents:
        place = place[name]
    if value is None:
        del place[last]
    else:
        place[last] = value


def mistakes_in(platforms: dict[str, Any]) -> list[str]:
    """As people read them; there are some."""
    estate = Estate.of(platforms)
    with pytest.raises(ValidationError) as caught:
        estate.model_validate(platforms)
    return [f"{render(path)}: {message}" for path, message in explain(caught.value, platforms, estate, set())]

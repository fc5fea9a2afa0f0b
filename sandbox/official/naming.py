"""Names that the official providers generate when a program gives none, and what follows from them."""

from __future__ import annotations

import hashlib
import secrets

from pulumi.runtime.proto import provider_pb2 as rpc

from sandbox.official.behaviour import Package
from sandbox.official.values import Path, Properties, at, merged

_DEFAULTS = "__defaults"
_ANNOTATIONS: Path = ("metadata", "annotations")
_AUTONAMED = "pulumi.com/autonamed"
_DIGITS = {"kubernetes": 8}


def wants_name(package: Package, inputs: Properties) -> bool:
    return at(inputs, package.autoname) in (None, "")


def has_generated_name(package: Package, inputs: Properties) -> bool:
    """Kubernetes marks generated names with an annotation, the bridged providers with a note beside the inputs."""
    if package.autoname == ("name",):
        return "name" in inputs.get(_DEFAULTS, ())
    return _AUTONAMED in (at(inputs, _ANNOTATIONS) or {})


def named(package: Package, request: rpc.CheckRequest, old: Properties, new: Properties) -> Properties:
    """The inputs with a name: as given, as generated the last time, or generated now from the logical name."""
    if not wants_name(package, new):
        return new
    before = at(old, package.autoname) if has_generated_name(package, old) else None
    name = before or request.autonaming.proposed_name or _generated(package, request, new)
    if package.autoname == ("name",):
        return {**new, "name": name, _DEFAULTS: ["name"]}
    return merged(new, {"metadata": {"name": name, "annotations": {_AUTONAMED: "true"}}})


def keeps_given_name(package: Package, old: Properties, new: Properties) -> bool:
    """Whether the program itself gives the same name again, so that a replacement collides with what it replaces."""
    if wants_name(package, new) or has_generated_name(package, new):
        return False
    places: list[Path] = [package.autoname, ("metadata", "namespace")]
    return all(at(old, place) == at(new, place) for place in places)


def _generated(package: Package, request: rpc.CheckRequest, new: Properties) -> str:
    """Preview and deployment of one update share the seed, and so the name."""
    seed = request.randomSeed or secrets.token_bytes(32)
    digits = hashlib.sha256(seed).hexdigest()[: _DIGITS.get(package.sdk.package, 7)]
    prefix = at(new, ("metadata", "generateName")) or f"{request.urn.rsplit('::', 1)[-1]}-"
    return f"{prefix}{digits}"

"""Inputs as the official providers take them: generated names filled in, then everything that does not fit."""

from __future__ import annotations

from pulumi.runtime.proto import provider_pb2 as rpc

from sandbox.official.behaviour import Package
from sandbox.official.naming import named, wants_name
from sandbox.official.types import Failure, failures
from sandbox.official.values import Properties, written


def checked(
    package: Package, token: str, request: rpc.CheckRequest, old: Properties, new: Properties
) -> tuple[Properties, list[Failure]]:
    """The inputs to deploy, and what is wrong with them (nothing: they can be deployed)."""
    kind = package.kind(token)
    if not package.sdk.has(token):
        if package.open_ended and "metadata" in new:
            new = named(package, request, old, new)
            return new, list(kind.validate(new))
        return new, [Failure("", f"the package {package.sdk.distribution} has no resource type {token}")]
    expected = package.sdk.inputs(token)
    if package.autoname[0] in expected.members:
        if wants_name(package, new) and request.autonaming.mode == rpc.CheckRequest.AutonamingOptions.DISABLE:
            reason = "automatic naming is disabled for this resource; give it a name"
            return new, [Failure(written(package.autoname), reason)]
        new = named(package, request, old, new)
    found = [*failures(new, expected), *kind.validate(new)]
    return new, list(dict.fromkeys(found))

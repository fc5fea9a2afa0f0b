"""Kubernetes quantities: what reads as one, and which resources come in whole numbers only.

Source: apimachinery ``resource.Quantity`` and ``pkg/apis/core/validation`` in kubernetes/kubernetes
(``ValidateResourceQuantityValue``, ``IsIntegerResourceName``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from sandbox.official.types import Failure
from sandbox.official.values import Path, Properties, is_unknown, written

_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d+))?")
_FORMAT = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_WHOLE = frozenset(
    {
        "pods",
        "services",
        "replicationcontrollers",
        "resourcequotas",
        "secrets",
        "configmaps",
        "persistentvolumeclaims",
        "services.nodeports",
        "services.loadbalancers",
    }
)


def amount(written_as: str) -> Decimal | None:
    """The amount that a quantity stands for; None when it is no quantity."""
    match = _QUANTITY.fullmatch(written_as)
    if match is None:
        return None
    number, suffix, exponent = match.groups()
    if suffix in _BINARY:
        return Decimal(number) * Decimal(1024) ** _BINARY[suffix]
    return Decimal(number).scaleb(int(exponent) if exponent else _DECIMAL[suffix or ""])


def whole_only(resource: str) -> bool:
    """Counts of objects, and extended resources such as ``nvidia.com/gpu``.

    The API server lets a fraction pass in a quota's ``requests.nvidia.com/gpu``; it is refused here as well, since no
    pod could ever use it.
    """
    name = resource.removeprefix("requests.").removeprefix("limits.")
    extended = "/" in name and not name.split("/")[0].endswith("kubernetes.io")
    return name in _WHOLE or name.startswith("count/") or extended


def failures(amounts: Any, path: Path) -> Iterator[Failure]:
    """What the API server has against a list of resources, such as ``spec.hard`` of a quota."""
    for resource, value in amounts.items() if isinstance(amounts, dict) else ():
        where = written((*path, resource))
        if is_unknown(value) or isinstance(value, bool) or not isinstance(value, str | int | float):
            continue
        quantity = amount(str(value))
        if quantity is None:
            yield Failure(where, _FORMAT)
        elif quantity < 0:
            yield Failure(where, f'Invalid value: "{value}": must be greater than or equal to 0')
        elif whole_only(resource) and quantity != quantity.to_integral_value():
            yield Failure(where, f'Invalid value: "{value}": must be an integer')


def container_failures(value: Any, path: Path = ()) -> Iterator[Failure]:
    """The same for the resources of every container in ``value``, however deep its pod template lies."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from container_failures(item, (*path, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in ("containers", "initContainers"):
                yield from _containers(item, (*path, key))
            else:
                yield from container_failures(item, (*path, key))


def _containers(containers: Any, path: Path) -> Iterator[Failure]:
    for index, container in enumerate(containers if isinstance(containers, list) else ()):
        resources = container.get("resources") if isinstance(container, dict) else None
        if not isinstance(resources, dict):
            continue
        for part in ("requests", "limits"):
            yield from failures(resources.get(part), (*path, index, "resources", part))
        yield from _unbalanced(resources, (*path, index, "resources"))


def _unbalanced(resources: Properties, path: Path) -> Iterator[Failure]:
    """Extended resources cannot be overcommitted: a request needs the same limit."""
    requests, limits = resources.get("requests"), resources.get("limits")
    for resource, value in requests.items() if isinstance(requests, dict) else ():
        limit = limits.get(resource) if isinstance(limits, dict) else None
        if "/" in resource and whole_only(resource) and not is_unknown(value) and not is_unknown(limit):
            if limit is None:
                where = written((*path, "limits"))
                yield Failure(where, "Required value: Limit must be set for non overcommitable resources")
            elif str(limit) != str(value):
                where = written((*path, "requests"))
                yield Failure(where, f'Invalid value: "{value}": must be equal to {resource} limit of {limit}')

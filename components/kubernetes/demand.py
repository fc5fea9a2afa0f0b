"""What workloads ask of their namespace's quota, and by how much it is too small for them.

Source: kubernetes.io, "Resource Quotas" (what counts) and "Init containers" (a pod's effective request is the larger of
its containers' sum and its largest init container).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from decimal import Decimal
from typing import Final, Protocol

from components.kubernetes.values import Resources, amount

_BYTES: Final = frozenset({"memory_requests", "memory_limits"})
_GIBIBYTE: Final = Decimal(1024) ** 3


class Quota(Protocol):
    """The settings of a namespace's quota, in the words of the stack file."""

    @property
    def cpu_requests(self) -> str: ...

    @property
    def memory_requests(self) -> str: ...

    @property
    def cpu_limits(self) -> str: ...

    @property
    def memory_limits(self) -> str: ...

    @property
    def pods(self) -> int: ...

    @property
    def persistent_volume_claims(self) -> int: ...

    @property
    def gpus(self) -> int: ...


@dataclass(frozen=True)
class Demand:
    """Amounts of all that a quota counts here: CPUs, bytes, and numbers of objects. Its members are named as a quota's."""

    cpu_requests: Decimal = Decimal(0)
    memory_requests: Decimal = Decimal(0)
    cpu_limits: Decimal = Decimal(0)
    memory_limits: Decimal = Decimal(0)
    pods: Decimal = Decimal(0)
    persistent_volume_claims: Decimal = Decimal(0)
    gpus: Decimal = Decimal(0)

    def __add__(self, other: Demand) -> Demand:
        return Demand(*(one + two for one, two in zip(astuple(self), astuple(other), strict=True)))

    def times(self, count: int) -> Demand:
        """The same, ``count`` times."""
        return Demand(*(one * count for one in astuple(self)))

    def at_least(self, other: Demand) -> Demand:
        """The larger of the two in every member."""
        return Demand(*(max(one, two) for one, two in zip(astuple(self), astuple(other), strict=True)))


def of_pod(containers: Sequence[Resources], init_containers: Sequence[Resources] = (), claims: int = 0) -> Demand:
    """What one pod takes out of the quota."""
    together, largest = Demand(), Demand()
    for resources in containers:
        together += _of_container(resources)
    for resources in init_containers:
        largest = largest.at_least(_of_container(resources))
    return together.at_least(largest) + Demand(pods=Decimal(1), persistent_volume_claims=Decimal(claims))


def _of_container(resources: Resources) -> Demand:
    return Demand(
        cpu_requests=amount(resources.cpu_request),
        memory_requests=amount(resources.memory_request),
        cpu_limits=amount(resources.cpu_limit),
        memory_limits=amount(resources.memory_limit),
        gpus=Decimal(resources.gpus),
    )


def shortfalls(demand: Demand, quota: Quota) -> Iterator[tuple[str, str]]:
    """Each member of ``quota`` that is too small for ``demand``, with a sentence that says by how much."""
    for field in fields(Demand):
        needed, given = getattr(demand, field.name), getattr(quota, field.name)
        there = amount(str(given))
        if needed > there:
            words = [_written(field.name, figure) for figure in (needed, there, needed - there)]
            yield field.name, f"the workloads need {words[0]}, and {words[1]} is less by {words[2]}"


def _written(name: str, figure: Decimal) -> str:
    if name in _BYTES:
        return f"{(figure / _GIBIBYTE).quantize(Decimal('0.01')).normalize():f}Gi"
    return f"{figure.normalize():f}"

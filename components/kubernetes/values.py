"""Single values of Kubernetes settings, each checked where it is written, and the models that are made of nothing else."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from components.explain import Mistake
from components.settings import Settings, matching

_SUFFIXES: Final = {
    "m": Decimal("0.001"),
    "": Decimal(1),
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate("kMGT", 1)},
    **{f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGT", 1)},
}
_IMAGE: Final = (
    r"(?P<registry>[a-z0-9-]+(\.[a-z0-9-]+)+(:[0-9]+)?|localhost(:[0-9]+)?)(/[a-z0-9]+([._-]+[a-z0-9]+)*)+"
    r":(?!latest@)[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}@sha256:[0-9a-f]{64}"
)

Quantity = Annotated[
    str,
    matching(
        r"[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?", 'must be a quantity in quotes, such as "500m", "2" or "4Gi"'
    ),
]
LabelName = Annotated[
    str,
    matching(
        r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?",
        "must be a label name of Kubernetes, such as app.kubernetes.io/name",
    ),
]
LabelValue = Annotated[
    str,
    matching(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?", "must be up to 63 letters, digits, dots, - and _"),
]
SecretKey = Annotated[str, matching(r"[A-Za-z0-9._-]{1,253}", "must be letters, digits, dots, hyphens, underscores")]
VariableName = Annotated[str, matching(r"[A-Za-z_][A-Za-z0-9_]*", "must be the name of an environment variable")]
UrlPath = Annotated[str, matching(r"/[A-Za-z0-9/_.~-]*", "must be a path, such as /health")]
Port = Annotated[int, Field(ge=1, le=65535)]
Image = Annotated[
    str,
    matching(
        _IMAGE,
        "must be registry/name:tag@sha256:<64 hexadecimal digits>, such as ghcr.io/pay-ready/mcp-slack:1.4.0@sha256:…: "
        "a tag can be moved to another image, and latest says nothing. `docker buildx imagetools inspect NAME:TAG` "
        "prints the digest",
    ),
]


def _whole_gpus(count: object) -> object:
    if isinstance(count, int):
        return count
    raise PydanticCustomError(
        "whole_gpus",
        "must be a whole number: Kubernetes does not divide nvidia.com/gpu. A quarter of a GPU is time-slicing in the "
        "NVIDIA device plugin (4 replicas), after which a pod requests 1",
    )


def _network(text: str) -> str:
    try:
        ipaddress.ip_network(text)
    except ValueError as error:
        raise PydanticCustomError("cidr", "must be a network, such as 10.0.0.0/8") from error
    return text


Gpus = Annotated[int, BeforeValidator(_whole_gpus), Field(ge=0, le=64)]
Cidr = Annotated[str, AfterValidator(_network)]


class Resources(Settings):
    """What a container is promised (requests) and what it may not exceed (limits). ``gpus`` are whole, sliced or not."""

    cpu_request: Quantity
    memory_request: Quantity
    cpu_limit: Quantity
    memory_limit: Quantity
    gpus: Gpus = 0

    def check(self) -> Iterator[Mistake]:
        """The API server refuses a request above its limit."""
        for request, limit in (("cpu_request", "cpu_limit"), ("memory_request", "memory_limit")):
            if amount(getattr(self, request)) > amount(getattr(self, limit)):
                yield Mistake((request,), f"must not be more than {limit} ({getattr(self, limit)})")


def amount(quantity: str) -> Decimal:
    """How much a ``Quantity`` is: CPUs, bytes, or a count."""
    number = quantity.rstrip("kKMGTim")
    return Decimal(number) * _SUFFIXES[quantity.removeprefix(number)]


def cidr_contains(outer: str, inner: str) -> bool:
    """Whether one network is part of another; networks of different families are not."""
    whole, part = ipaddress.ip_network(outer), ipaddress.ip_network(inner)
    if isinstance(whole, ipaddress.IPv4Network) and isinstance(part, ipaddress.IPv4Network):
        return part.subnet_of(whole)
    if isinstance(whole, ipaddress.IPv6Network) and isinstance(part, ipaddress.IPv6Network):
        return part.subnet_of(whole)
    return False

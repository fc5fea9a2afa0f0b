"""What Qdrant Cloud sells: regions, packages and releases. Sizes are real ones, prices are made up."""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

from starlette.responses import Response

from sandbox.http import Call, answer
from sandbox.store import Document

REGIONS = {
    "aws": ("us-east-1", "us-west-2", "eu-central-1", "eu-west-1"),
    "gcp": ("us-east4", "us-central1", "europe-west3"),
    "azure": ("eastus", "westeurope"),
}
RELEASES = ("v1.18.3", "v1.19.0", "v1.19.1")

_SIZES = (("1GiB", "500m", "4GiB"), ("2GiB", "500m", "8GiB"), ("4GiB", "1000m", "16GiB"), ("8GiB", "2000m", "32GiB"),
          ("16GiB", "4000m", "64GiB"), ("32GiB", "8000m", "128GiB"))  # fmt: skip
_MILLICENTS_PER_GIB = 1_400


def packages(provider: str, region: str) -> list[Document]:
    """The same sizes everywhere, under ids of each region's own; of the smallest there is a free one, too."""
    if region not in REGIONS.get(provider, ()):
        return []
    free = _package(provider, region, "free1", _SIZES[0], 0)
    paid = [
        _package(provider, region, f"{name}{number}", size, int(size[0].removesuffix("GiB")) * price, multi_az=multi_az)
        for name, price, multi_az in (("gpx", _MILLICENTS_PER_GIB, False), ("maz", 2 * _MILLICENTS_PER_GIB, True))
        for number, size in enumerate(_SIZES, 1)
    ]
    return [free, *paid]


def package(provider: str, region: str, id_: str) -> Document | None:
    return next((one for one in packages(provider, region) if one["id"] == id_), None)


def list_packages(call: Call) -> Response:
    provider, region = call.query("cloudProviderId") or "", call.query("cloudProviderRegionId") or ""
    return answer({"items": packages(provider, region)})


def list_releases(_call: Call) -> Response:
    items = [
        {"version": one, "default": one == RELEASES[-1], "endOfLife": False, "unavailable": False} for one in RELEASES
    ]
    return answer({"items": items})


def _package(
    provider: str, region: str, name: str, size: tuple[str, str, str], price: int, *, multi_az: bool = False
) -> Document:
    ram, cpu, disk = size
    return {
        "id": str(uuid5(NAMESPACE_URL, f"{provider}/{region}/{name}")),
        "name": name,
        "type": "paid" if price else "free",
        "resourceConfiguration": {"ram": ram, "cpu": cpu, "disk": disk},
        "currency": "USD",
        "unitIntPricePerHour": price,
        "status": "PACKAGE_STATUS_ACTIVE",
        "tier": "PACKAGE_TIER_STANDARD",
        "multiAz": multi_az,
    }

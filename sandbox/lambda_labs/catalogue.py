"""What Lambda rents in the sandbox: regions, types with prices and capacity, images. Tests change capacity and prices.

Regions are those of Lambda's API description 1.8.3; types, prices and what they have are like those of its price list.
"""

from __future__ import annotations

from typing import Any

from sandbox.store import Document, Store

REGIONS = {
    "asia-northeast-1": "Osaka, Japan",
    "asia-northeast-2": "Tokyo, Japan",
    "asia-south-1": "Mumbai, India",
    "australia-east-1": "Sydney, Australia",
    "europe-central-1": "Frankfurt, Germany",
    "me-west-1": "Tel Aviv, Israel",
    "us-east-1": "Virginia, USA",
    "us-east-2": "Washington DC, USA",
    "us-east-3": "Washington DC, USA",
    "us-midwest-1": "Illinois, USA",
    "us-midwest-2": "Illinois, USA",
    "us-south-1": "Texas, USA",
    "us-south-2": "Texas, USA",
    "us-south-3": "Texas, USA",
    "us-west-1": "California, USA",
    "us-west-2": "Arizona, USA",
    "us-west-3": "Utah, USA",
}

IMAGE_FAMILIES = {
    "lambda-stack-22-04": "Lambda Stack 22.04",
    "lambda-stack-24-04": "Lambda Stack 24.04",
    "gpu-base-22-04": "GPU Base 22.04",
    "gpu-base-24-04": "GPU Base 24.04",
    "ubuntu-22-04": "Ubuntu Server 22.04",
}
_ARM = "arm64"
_X86 = "x86_64"
_IMAGE_TIME = "2026-08-24T10:30:00Z"


def _type(
    description: str, gpu: str, cents: int, gpus: int, vcpus: int, memory: int, storage: int, **capacity: int
) -> dict[str, Any]:
    specs = {"vcpus": vcpus, "memory_gib": memory, "storage_gib": storage, "gpus": gpus}
    shown = {"description": description, "gpu_description": gpu, "price_cents_per_hour": cents, "specs": specs}
    return {**shown, "capacity": {region.replace("_", "-"): count for region, count in capacity.items()}}


_TYPES = {
    "gpu_1x_a10": _type(
        "1x A10 (24 GB PCIe)", "A10 (24 GB PCIe)", 75, 1, 30, 200, 1400, us_east_1=8, us_west_1=8, us_south_1=2
    ),
    "gpu_1x_a100_sxm4": _type(
        "1x A100 (40 GB SXM4)", "A100 (40 GB SXM4)", 129, 1, 30, 200, 512, us_east_1=4, us_west_2=4
    ),
    "gpu_1x_gh200": _type("1x GH200 (96 GB)", "GH200 (96 GB)", 149, 1, 64, 432, 4096, us_east_3=4),
    "gpu_1x_h100_pcie": _type(
        "1x H100 (80 GB PCIe)", "H100 (80 GB PCIe)", 249, 1, 26, 200, 1024, us_west_3=4, us_east_1=2
    ),
    "gpu_1x_h100_sxm5": _type("1x H100 (80 GB SXM5)", "H100 (80 GB SXM5)", 329, 1, 26, 225, 2816, us_south_2=2),
    "gpu_8x_h100_sxm5": _type("8x H100 (80 GB SXM5)", "H100 (80 GB SXM5)", 2392, 8, 208, 1800, 22528, us_south_2=1),
}


def ensure(store: Store) -> None:
    """Puts the price list there with the first request."""
    if store.latest.get("instance_type", "gpu_1x_a10") is not None:
        return
    for name, members in _TYPES.items():
        store.put("instance_type", name, {"name": name, **members})


def region(name: str) -> Document:
    return {"name": name, "description": REGIONS[name]}


def shown(offer: Document) -> Document:
    """A type as every answer has it, without its capacity."""
    return {member: value for member, value in offer.items() if member != "capacity"}


def offers(store: Store) -> Document:
    """The answer of ``/instance-types``."""
    return {
        offer["name"]: {
            "instance_type": shown(offer),
            "regions_with_capacity_available": [region(name) for name, free in offer["capacity"].items() if free > 0],
        }
        for offer in store.latest.all("instance_type")
    }


def take(store: Store, type_: str, where: str, count: int) -> bool:
    """Changes what is free by ``count`` (negative: given back); False where there is not so much."""
    offer = store.latest.get("instance_type", type_)
    if offer is None or offer["capacity"].get(where, 0) < count:
        return False
    offer["capacity"][where] = offer["capacity"].get(where, 0) - count
    store.put("instance_type", type_, offer)
    return True


def images() -> list[Document]:
    """Every image in every region, for both architectures."""
    return [
        {
            "id": f"{family}-{architecture}-{where}",
            "created_time": _IMAGE_TIME,
            "updated_time": _IMAGE_TIME,
            "name": f"{title} ({architecture})",
            "description": title,
            "family": family,
            "version": "1.0.0",
            "architecture": architecture,
            "region": region(where),
        }
        for family, title in IMAGE_FAMILIES.items()
        for architecture in (_X86, _ARM)
        for where in REGIONS
    ]

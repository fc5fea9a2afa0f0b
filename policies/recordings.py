"""Recorded calls with residents and customers: kept as long as the law wants them, and where they are heard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies import controls, kinds, places
from policies.model import Policy, Resource, Situation, Violation

_ERASING: Final = ("delete_calls", "delete_emails", "trim_calls")
_TAKING: Final = ("download_call_media", "export_calls_and_coaching_data_to_csv", "share_calls_with_customers")
"""The permissions of a profile in Gong by which something is lost, and those by which it leaves."""


def _kept(resource: Resource, _situation: Situation) -> Iterator[Violation]:
    for permission in _ERASING:
        if resource.get("permissions", permission) is True:
            yield Violation(
                resource,
                f"would let its members do away with what was said ({permission})",
                "records of collection are kept for three years, calls among them",
                places.setting(resource, "allow"),
                f"put {permission} under `deny`; what must go goes by a request for erasure, which leaves a trace",
            )


def _stay(resource: Resource, _situation: Situation) -> Iterator[Violation]:
    if resource.get("calls_access", "permission_level") != "all":
        return
    for permission in _TAKING:
        if resource.get("permissions", permission) is True:
            yield Violation(
                resource,
                f"would let whoever hears every call take calls away ({permission})",
                "residents are on them, with their debts",
                places.setting(resource, "allow"),
                f"put {permission} under `deny`, or narrow `access.calls` to a team",
            )


POLICIES: Final = (
    Policy(
        "recordings-are-kept",
        "No profile of Gong lets people delete or trim what was recorded.",
        (kinds.GONG_PROFILE,),
        (controls.FDCPA_RETENTION, controls.HIPAA_INTEGRITY, controls.SOC2_C1_1),
        _kept,
    ),
    Policy(
        "recordings-stay-inside",
        "Who hears every call in Gong cannot take them away.",
        (kinds.GONG_PROFILE,),
        (
            controls.SOC2_CC6_1,
            controls.GDPR_25_2,
            controls.PCI_7_2_1,
            controls.GLBA_ACCESS,
            controls.FDCPA_THIRD_PARTIES,
        ),
        _stay,
    ),
)

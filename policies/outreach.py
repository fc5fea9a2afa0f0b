"""Who is written to: sequences send mail to real people in prod only, and stop when they answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies import controls, kinds, places
from policies.model import Hidden, Policy, Resource, Situation, Violation, number


def _is_active(resource: Resource) -> bool:
    return resource.get("active") is True


def _real_mail(resource: Resource, situation: Situation) -> Iterator[Violation]:
    if _is_active(resource) and not situation.limits.real_mail:
        yield Violation(
            resource,
            "would be active",
            f"it sends mail to real people, and {situation.stack} is for trying things out",
            places.setting(resource, "active"),
            "set it to false; prod is where it may be active",
        )
    elif _is_active(resource) and resource.get("sends_real_mail") in (None, False):
        yield Violation(
            resource,
            "would be active, and nobody said a second time that it sends real mail",
            "one word is not enough to write to real people",
            places.section(resource, "apollo.sends_real_mail"),
            f"name {resource.name} there as well, or set its `active` to false",
        )


def _ends(resource: Resource, situation: Situation) -> Iterator[Violation]:
    if not _is_active(resource):
        return
    if resource.get("mark_finished_if_reply") is False:
        yield Violation(
            resource,
            "would write on to people who have answered",
            "who answers is answered by a person",
            places.setting(resource, "mark_finished_if_reply"),
            "declare another sequence with it: Apollo takes it only when a sequence is made",
        )
    said, limit = resource.get("max_emails_per_day"), situation.limits.mails_a_day
    most = number(said)
    if not isinstance(said, Hidden) and (most is None or most > limit):
        yield Violation(
            resource,
            f"would send {'any number of' if most is None else f'{most:g}'} mails a day",
            f"a mistake in it reaches no more than {limit} people before somebody sees it",
            places.setting(resource, "max_emails_per_day"),
            f"set it to {limit} or less",
        )


POLICIES: Final = (
    Policy(
        "real-mail",
        "A sequence sends mail to real people in prod only, and only if two settings say so.",
        (kinds.APOLLO_SEQUENCE,),
        (controls.SOC2_CC6_7, controls.SOC2_CC8_1, controls.PCI_6_5_1, controls.FDCPA_THIRD_PARTIES),
        _real_mail,
    ),
    Policy(
        "real-mail-ends",
        "A sequence that sends mail stops when people answer, and sends so many a day at most.",
        (kinds.APOLLO_SEQUENCE,),
        (controls.SOC2_CC6_7, controls.FDCPA_THIRD_PARTIES),
        _ends,
        asked_of=lambda limits: limits.real_mail,
    ),
)

"""Apollo.io: what sales records about operators, which lists it works through, and the sequences that it sends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pulumi

from components.apollo.settings import ApolloSettings, FieldSettings, SequenceSettings, StepSettings
from providers import apollo
from providers.base import Resource, dynamic

__all__ = ["Apollo", "ApolloSettings"]


class Apollo(pulumi.ComponentResource):
    """Custom fields, lists and sequences; schedules, stages and teammates are looked up by their names.

    Outputs, by key: ``field_ids``, ``list_ids``, ``sequence_ids``.

    Sequences send real mail: one is active only if its own ``active`` and the settings' ``sends_real_mail`` both say so.
    Apollo's API deletes nothing, so that nothing needs protection: what goes is forgotten, and a warning says so.

    Not managed, on purpose: contacts, accounts, deals and tasks (data, people's work), who is on a list or in a sequence,
    schedules, stages, rulesets, folders and mailboxes (no call makes them), snippets and A/B variants of emails (people's
    experiments), picklists' existence (no call makes one), teammates and keys (Apollo's pages).
    """

    field_ids: Mapping[str, pulumi.Output[str]]
    list_ids: Mapping[str, pulumi.Output[str]]
    sequence_ids: Mapping[str, pulumi.Output[str]]

    def __init__(self, name: str, settings: ApolloSettings, *, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sophia:platform:Apollo", name, None, opts)
        self._child = dynamic(pulumi.ResourceOptions(parent=self))
        sequences = settings.sequences.values()
        self._users = self._look_up(apollo.User, "email", (one.owner.lower() for one in sequences if one.owner))
        self._schedules = self._look_up(apollo.Schedule, "name", (one.schedule for one in sequences if one.schedule))
        self._contact_stages = self._look_up(
            apollo.ContactStage, "name", (stage for one in sequences for stage in one.excluded_contact_stages)
        )
        self._account_stages = self._look_up(
            apollo.AccountStage, "name", (stage for one in sequences for stage in one.excluded_account_stages)
        )

        self.field_ids = {key: self._create_field(key, field) for key, field in settings.fields.items()}
        self.list_ids = {
            key: apollo.List(
                key,
                self._child,
                name=one.name,
                modality=one.modality,
                book_of_business=one.book_of_business,
                adopt=one.adopt,
            ).id
            for key, one in settings.lists.items()
        }
        self.sequence_ids = {
            key: self._create_sequence(key, one, sends_real_mail=key in settings.sends_real_mail)
            for key, one in settings.sequences.items()
        }
        self.register_outputs(
            {"field_ids": self.field_ids, "list_ids": self.list_ids, "sequence_ids": self.sequence_ids}
        )

    def _look_up(self, kind: type[Resource], key: str, names: Iterable[str]) -> dict[str, pulumi.Output[str]]:
        """The ids of what people have made, by its name; nothing is taken from anybody."""
        return {name: kind(name, self._child, adopt=True, **{key: name}).id for name in sorted(set(names))}

    def _create_field(self, key: str, settings: FieldSettings) -> pulumi.Output[str]:
        return apollo.CustomField(
            key,
            self._child,
            label=settings.label,
            modality=settings.modality,
            type=settings.type,
            max_length=settings.max_length,
            options={option.name: True for option in settings.options} or None,
            renamed={option.name: option.formerly for option in settings.options if option.formerly},
            adopt=settings.adopt,
        ).id

    def _create_sequence(self, key: str, settings: SequenceSettings, *, sends_real_mail: bool) -> pulumi.Output[str]:
        sharing = {"visibility": settings.visibility, **({"access_type": settings.access} if settings.access else {})}
        return apollo.Sequence(
            key,
            self._child,
            name=settings.name,
            active=settings.active,
            sends_real_mail=sends_real_mail,
            user_id=self._users[settings.owner.lower()] if settings.owner else None,
            sharing_permission=sharing,
            emailer_schedule_id=self._schedules[settings.schedule] if settings.schedule else None,
            max_emails_per_day=settings.max_emails_per_day,
            same_account_reply_delay_days=settings.same_account_reply_delay_days,
            cc_emails=",".join(settings.cc_emails),
            bcc_emails=",".join(settings.bcc_emails),
            mark_finished_if_reply=settings.mark_finished_if_reply,
            mark_finished_if_click=settings.mark_finished_if_click,
            mark_finished_if_interested=settings.mark_finished_if_interested,
            mark_paused_if_ooo=settings.mark_paused_if_ooo,
            days_to_wait_before_mark_as_response=settings.days_to_wait_before_mark_as_response,
            excluded_contact_stage_ids=[self._contact_stages[name] for name in settings.excluded_contact_stages],
            excluded_account_stage_ids=[self._account_stages[name] for name in settings.excluded_account_stages],
            steps=[_step(step) for step in settings.steps],
            adopt=settings.adopt,
        ).id


def _step(settings: StepSettings) -> dict[str, Any]:
    return settings.model_dump(exclude_none=True)

"""Apollo.io: custom fields, lists and sequences; schedules, stages and users are looked up.

Nothing of it can be deleted by its API. What is removed from the settings is forgotten, with a warning. There is no room for
a mark of who owns an object: fields are known by modality and label, lists by modality and name, sequences by name.

Source of facts: Apollo's OpenAPI description (``apollo_rest_api_openapi.json``). What takes more than one request is in
``providers/apollo_calls.py``, the inputs are in ``providers/apollo_inputs.py``.
"""

from __future__ import annotations

from typing import Any

from providers import base
from providers.apollo_calls import (
    APOLLO,
    FIELDS,
    PAGES,
    SEQUENCES,
    ChangeField,
    ChangeSequence,
    CreateField,
    CreateSequence,
    LeaveSequence,
)
from providers.apollo_inputs import (
    CustomFieldInputs,
    ListInputs,
    ScheduleInputs,
    SequenceInputs,
    StageInputs,
    UserInputs,
)
from providers.base import Call, Calls, Inputs, Json, Kind, Listing, Numbered, Out


def _looked_up(
    title: str, inputs: type[Inputs], path: str, items: str, key: str, do: str, pages: Numbered | None = None
) -> Kind:
    """A kind whose objects people make in Apollo's pages."""
    return base.asserted(
        api=APOLLO,
        title=title,
        setting="sequences",
        inputs=inputs,
        listing=Listing(Call("GET", path), items=items, pages=pages),
        identity="id",
        natural_key=(key,),
        show=key,
        do=do,
        decode=lambda document: {**document, key: _folded(key, document.get(key))},
    )


def _folded(key: str, value: Any) -> Any:
    return value.lower() if key == "email" and isinstance(value, str) else value


class Schedule(base.Resource):
    """A sending schedule: the days and hours at which a sequence may send. Looked up; declare it with ``adopt=True``."""

    kind = _looked_up(
        "schedule", ScheduleInputs, "/emailer_schedules", "emailer_schedules", "name",
        "make it in Apollo (Settings, Sequences, Schedules), or name one of those",
    )  # fmt: skip


class ContactStage(base.Resource):
    """A stage of contacts, such as "Do Not Contact". Looked up; declare it with ``adopt=True``."""

    kind = _looked_up(
        "contact stage", StageInputs, "/contact_stages", "contact_stages", "name",
        "make it in Apollo (Settings, Objects, Contacts, Stages), or name one of those",
    )  # fmt: skip


class AccountStage(base.Resource):
    """A stage of accounts, such as "Current Client". Looked up; declare it with ``adopt=True``."""

    kind = _looked_up(
        "account stage", StageInputs, "/account_stages", "account_stages", "name",
        "make it in Apollo (Settings, Objects, Accounts, Stages), or name one of those",
    )  # fmt: skip


class User(base.Resource):
    """A teammate, by the address. Looked up, never invited; declare it with ``adopt=True``."""

    kind = _looked_up(
        "user", UserInputs, "/users/search", "users", "email",
        "invite them in Apollo (Settings, Users) first, or correct the address", PAGES,
    )  # fmt: skip


_TYPES_SHOWN = {"multi_select": "multipicklist"}
"""What a list calls a type, where it is another word than that of the create call."""


def _field_shown(document: Json) -> Json:
    """``text`` may be a line or a whole area: of such a field, the list does not tell its type."""
    meta = document.get("meta") or {}
    shown = {name: value for name, value in document.items() if (name, value) != ("type", "text")}
    if "type" in shown:
        shown["type"] = _TYPES_SHOWN.get(shown["type"], shown["type"])
    if "picklist_values" in meta:
        shown["options"] = {one["name"]: True for one in meta["picklist_values"]}
    return {**shown, "max_length": meta.get("max_length")}


class CustomField(base.Resource):
    """A custom field of contacts, accounts or opportunities. Apollo has no call to delete one: destroying it forgets it.

    Its label can change, its modality and its type are for good. A picklist is made by people and taken over; its options
    are added and renamed (``renamed`` says what one was called), never removed, and those that people add stay.
    """

    kind = Kind(
        api=APOLLO,
        title="custom field",
        setting="fields",
        inputs=CustomFieldInputs,
        calls=Calls(
            create=CreateField(),
            update=ChangeField(),
            delete=base.StaysThere("custom field", "label", "a person deletes it there, with what records have in it"),
            listing=FIELDS,
        ),
        identity="id",
        natural_key=("label", "modality"),
        decode=_field_shown,
        irreplaceable=(
            "Apollo cannot change it, and records have values in the field. Declare another field under another key, with "
            "another label"
        ),
    )


def _list_sent(payload: Json, wanted: Inputs) -> Json:
    """Lists of contacts cannot be a book of business, so that they are not asked about it."""
    accounts = getattr(wanted, "modality", "") == "accounts"
    return {name: value for name, value in payload.items() if accounts or name != "book_of_business"}


class List(base.Resource):
    """A list of contacts or of accounts (Apollo's API says label). Its name is unique among those of its modality.

    Who is on it is people's work, and data. Apollo has no call to delete one: destroying it forgets it. Whether it is a book
    of business no list tells, so a change of that by hand is not seen.
    """

    kind = Kind(
        api=APOLLO,
        title="list",
        setting="lists",
        inputs=ListInputs,
        calls=Calls(
            create=Call("POST", "/labels", answer="label"),
            update=Call("PATCH", "/labels/{id}", answer="label"),
            update_sends="whole",
            delete=base.StaysThere("list"),
            listing=Listing(Call("GET", "/labels"), items="items"),
        ),
        identity="id",
        natural_key=("name", "modality"),
        encode=_list_sent,
        irreplaceable="Apollo cannot change it. Declare another list under another key, with another name",
    )


class Sequence(base.Resource):
    """A sequence of emails and tasks. It sends real mail: it is made inactive, and stays so unless ``active`` and
    ``sends_real_mail`` both say otherwise. One that a person activates is drift, and the next run deactivates it.

    Names are not unique in Apollo; two with the same are an error. What stands in the steps no call shows: it is compared
    with what the state knows, and ``step_ids`` are kept so that a step that changes stays the same one for the contacts in
    it. How it ends and whom it leaves out (``mark_…``, ``days_to_wait_…``, ``excluded_…``), and of a step ``note``,
    ``priority``, ``thread`` and ``include_signature``, can be said only when it is made. Destroying it deactivates and
    forgets it: Apollo can only archive, which finishes all contacts in it for good, and is left to people.
    """

    kind = Kind(
        api=APOLLO,
        title="sequence",
        setting="sequences",
        inputs=SequenceInputs,
        calls=Calls(
            create=CreateSequence(),
            update=ChangeSequence(),
            delete=LeaveSequence(),
            listing=SEQUENCES,
            create_takes=frozenset(
                {
                    "name",
                    "emailer_schedule_id",
                    "max_emails_per_day",
                    "same_account_reply_delay_days",
                    "mark_finished_if_reply",
                    "mark_finished_if_click",
                    "mark_finished_if_interested",
                    "mark_paused_if_ooo",
                    "days_to_wait_before_mark_as_response",
                    "excluded_contact_stage_ids",
                    "excluded_account_stage_ids",
                    "emailer_steps",
                }
            ),
        ),
        identity="id",
        natural_key=("name",),
        outputs=(Out("step_ids", "step_ids"),),
        hidden=lambda document: bool(document.get("archived")),
        irreplaceable=(
            "Apollo's API takes it only when a sequence is made. Change it in Apollo, then `sophia refresh`, or declare "
            "another sequence under another key, with another name"
        ),
    )
